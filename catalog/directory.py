"""What the actions on a directory take and show: groups, accounts and the attributes of a person that may be set.

Values only. Which action takes which of them is `activities.directory_actions`' business; what they are called in a
real directory, its connector's.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from catalog.model import Model

Attribute = Literal[
    "name", "display_name", "given_name", "surname", "mail", "telephone", "title", "location", "department"
]
"""What may be set of a person. It is a list of what is allowed: identity, login and passwords are not on it."""

SERVICE_ACCOUNT = "service"
"""The employee type of accounts that are no person; only these are ever deleted."""


def _plain(text: str) -> str:
    if text != " ".join(text.split()) or not text.isprintable():
        raise ValueError("write it on one line, without spaces around it and without more than one between words")
    return text


Label = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_plain)]
"""A name people give to a new entry."""

NewLogin = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9._-]{1,62}$",
        description="lower-case letters, digits, '.', '-' and '_', beginning with a letter",
    ),
]
"""A login as new accounts may have."""

OneLine = Annotated[str, Field(max_length=256), AfterValidator(_plain)]
"""A text of one line; may be empty."""


class GroupInfo(Model):
    """A group as people choose it; `owned` says whether it names somebody who answers for it."""

    name: str
    description: str = ""
    owned: bool = False


class GroupSpec(Model):
    """A group that is to be; `owner_ids` are the immutable ids of those who answer for it."""

    name: str
    description: str = ""
    owner_ids: tuple[str, ...] = ()


class AccountSpec(Model):
    """An account of a program that is to be; `owner_id` is the immutable id of the person who answers for it."""

    login: str
    name: str
    description: str = ""
    owner_id: str
