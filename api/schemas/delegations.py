"""Delegations: who may decide in whose place."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field

from api.limits import Text
from api.schemas.base import Cursor, In, Limit, Login, Moment, Out, PersonOut, Reason
from catalog import delegation
from catalog.fields import Currency, Number
from catalog.model import Slug

_EACH = Field(max_length=100)


class MoneyIn(In):
    """An amount in one currency."""

    amount: Annotated[Number, Field(ge=0, max_digits=15)]
    currency: Currency


class ScopeIn(In):
    """What a delegation is about; an empty one is about everything (feature row A8)."""

    items: Annotated[tuple[Slug, ...], _EACH] = ()
    categories: Annotated[tuple[Annotated[Text, Field(min_length=1, max_length=100)], ...], _EACH] = ()
    up_to: MoneyIn | None = None


class DelegationIn(In):
    """Who may decide in one's place, and from when until when; from now on if nothing else is said.

    Attributes:
        delegate: the login of who may decide.
        person: for operators: the login of the person in whose place, if it is not oneself.
    """

    delegate: Login
    begins: Moment | None = None
    ends: Moment
    scope: ScopeIn = ScopeIn()
    reason: Reason = ""
    person: Login | None = None


class DelegationsQuery(In):
    """Which delegations: those in force or to come, or those that are over; `all` is for operators."""

    state: Literal["open", "closed"] = "open"
    all: bool = False
    cursor: Cursor = None
    limit: Limit = 50


class DelegationOut(Out):
    """A delegation: `delegate` may decide in the place of `person`."""

    id: str
    person: PersonOut
    delegate: PersonOut
    begins: datetime
    ends: datetime
    scope: delegation.Scope
    reason: str
    set_by: PersonOut
    created_at: datetime
    withdrawn_at: datetime | None
    state: delegation.State

    @classmethod
    def of(cls, one: delegation.Delegation, at: datetime) -> Self:
        """Return a delegation as it stands at a moment."""
        return cls.model_validate(dict(one) | {"state": delegation.state(one, at)})


class DelegationSetOut(DelegationOut):
    """A delegation that was set, and what one should know about it."""

    warnings: tuple[str, ...] = ()
