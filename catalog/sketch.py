"""What a scenario begins with: moments as people tell them, and the company in which it plays (part of `scenario`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic import Field as Constrained

from catalog import duration
from catalog.fields import Currency, Number
from catalog.model import Model, Slug
from catalog.preferences import Preferences

_AT_ONCE = ("0", "at once")
_MOMENT = re.compile(r"day ([1-9]\d{0,3})(?: ([01]\d|2[0-3]):([0-5]\d))?", re.ASCII)


def _read_moment(value: Any) -> Any:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    bare = text.lower().removeprefix("after ")
    if bare in _AT_ONCE or _MOMENT.fullmatch(bare):
        return bare
    bare = text[-len(bare) :]  # a length in ISO 8601 is written in capitals
    try:
        duration.parse(bare)
    except ValueError:
        raise ValueError(f"{value!r} is no time; write it like 'day 3 09:10' or '36 hours'") from None
    return bare


Moment = Annotated[str, BeforeValidator(_read_moment)]
"""When something happens in a scenario."""


def at(moment: str, begins: datetime) -> datetime:
    """Return the instant, in UTC, that a time of a scenario names; `begins` is when the order is placed, in its zone.

    A day counts as the calendar does, a length as the clock does: over a change to summer time they differ.
    """
    match = _MOMENT.fullmatch(moment)
    if match:
        day = begins.date() + timedelta(days=int(match[1]) - 1)
        clock = time(int(match[2] or 0), int(match[3] or 0))
        return datetime.combine(day, clock, begins.tzinfo).astimezone(UTC)
    began = begins.astimezone(UTC)
    return began if moment in _AT_ONCE else began + duration.parse(moment)


class PersonSketch(Model):
    """A person of the company; the login is the key they stand under.

    Attributes:
        preferences: what they wish: their calendar, quiet hours, a digest (feature rows A12, N2).
    """

    name: str
    mail: str | None = None
    manager: str | None = None
    active: bool = True
    department: str | None = None
    title: str | None = None
    location: str | None = None
    employee_type: str | None = None
    preferences: Preferences = Preferences()


class GroupSketch(Model):
    """A group of the company: logins of its members and owners."""

    members: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


class Company(Model):
    """Who there is before the order is placed: people by login, and who is an operator.

    Groups, roles and configuration items (CIs) stand by name; of the last it is said who owns them.
    """

    people: dict[str, PersonSketch] = {}
    groups: dict[str, GroupSketch] = {}
    roles: dict[str, tuple[str, ...]] = {}
    cis: dict[str, tuple[str, ...]] = {}
    operators: tuple[str, ...] = ()

    def over(self, other: Company) -> Company:
        """Return both: what stands here comes on top of what the other has, or in its place."""
        return Company(
            people={**other.people, **self.people},
            groups={**other.groups, **self.groups},
            roles={**other.roles, **self.roles},
            cis={**other.cis, **self.cis},
            operators=tuple(dict.fromkeys((*other.operators, *self.operators))),
        )


class OrderSketch(Model):
    """What is ordered, by whom and for whom: logins; for the one who orders if nobody is named.

    Attributes:
        answers: as a client sends them; a file is written ``{file: contract.pdf}``, a secret ``{secret: its text}``.
    """

    by: str
    beneficiaries: tuple[str, ...] = ()
    answers: dict[str, Any] = {}


class Limit(Model):
    """The most that something may cost in its first year.

    Attributes:
        amount: in the units of the currency.
        currency: its three letters.
    """

    amount: Annotated[Number, Constrained(ge=0)]
    currency: Currency


class DelegationSketch(Model):
    """Somebody says who may decide in their place, and from when until when (feature row A8).

    Attributes:
        by, to: logins: whose decisions they are, and who may take them as well.
        begins: from when on; at once unless given.
        ends: until when.
        items, categories: only what concerns these; everything unless given.
        up_to: only what costs no more than this in its first year.
    """

    by: str
    to: str
    begins: Moment | None = None
    ends: Moment
    items: tuple[Slug, ...] = ()
    categories: tuple[str, ...] = ()
    up_to: Limit | None = None
