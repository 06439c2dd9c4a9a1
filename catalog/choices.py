"""Choices that a system knows and the catalog does not: what a provider is asked, what it answers (feature row C3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from catalog.model import Model


class ChoicesQuery(Model):
    """What is asked of a provider.

    Attributes:
        provider: its id.
        requester_id, beneficiary_id: who orders and for whom: both may limit what there is to choose.
        search: only choices whose value or label holds this text, in any case.
        value: only this very value; to check an answer at the source.
    """

    provider: str
    requester_id: str
    beneficiary_id: str
    search: str = ""
    value: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Choice(Model):
    """One thing to choose: its value, what people read, and what else there is to know."""

    value: str
    label: str
    note: str = ""


class Choices(Model):
    """What a provider answers; `more` says that there are others beyond the limit."""

    choices: tuple[Choice, ...]
    more: bool = False
