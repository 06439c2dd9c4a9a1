"""Delegations: who may decide in whose place, from when until when, and about what (feature row A8).

Pure rules over values that are given: the register keeps delegations, the directory says who is active. A deputy is
asked besides the person they stand in for, who keeps the right to decide. How votes count is `approval`'s business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from catalog.fields import Currency, Number
from catalog.model import Model, Slug
from catalog.people import Actor, Person, PersonRef

MAX_DEPTH = 3
"""How many deputies a chain has at most: A to B, B to C, C to D."""

LONGEST = timedelta(days=400)
"""How long a delegation lasts at most: a year of absence and a little more."""

FARTHEST_YEARS = 5
"""How many years ahead a delegation ends at most: what ends later is a slip of the pen."""

TOLD = 3
"""Of how many delegations of one person a look-up tells at most: the one that counts, and those that count next."""

MOST = 50
"""How many delegations of one person may be in force or to come."""

State = Literal["to-come", "in-force", "over", "withdrawn"]
"""Where a delegation stands at a moment."""


class Money(Model):
    """An amount in one currency, not below zero."""

    amount: Annotated[Number, Field(ge=0)]
    currency: Currency


class Scope(Model):
    """What a delegation is about; an empty one is about everything.

    Attributes:
        items, categories: what is covered: these items, and whatever is in these categories.
        up_to: only what costs no more than this in its first year, in this very currency. What something costs in
            another currency, or what nobody knows the cost of, is not covered then.
    """

    items: tuple[Slug, ...] = ()
    categories: tuple[str, ...] = ()
    up_to: Money | None = None


class Link(Model):
    """One link of a chain: what of a delegation has to be known to tell whether it counts.

    Attributes:
        id: given by whoever makes it.
        person: whose decisions they are.
        delegate: who may decide as well.
        begins, ends: from the one moment up to, but not including, the other.
        created_at: when it was set.
        withdrawn_at: when it was withdrawn, if it was; it ends there.
        operator: who set it, if that was not the person; as it is told with a look-up.
    """

    id: str
    person: PersonRef
    delegate: PersonRef
    begins: AwareDatetime
    ends: AwareDatetime
    scope: Scope = Scope()
    created_at: AwareDatetime
    withdrawn_at: AwareDatetime | None = None
    operator: PersonRef | None = None

    @property
    def over_at(self) -> datetime:
        """When it is over: at its end, or when it was withdrawn."""
        return self.ends if self.withdrawn_at is None else min(self.ends, self.withdrawn_at)


class Delegation(Link):
    """Somebody's word that another may decide in their place.

    Attributes:
        set_by: who set it: the person, or an operator.
    """

    reason: str = ""
    set_by: PersonRef


class Matter(Model):
    """What is to be decided, as far as a scope asks.

    Attributes:
        first_year: what it costs in its first year, if that is known, in `currency`.
    """

    item: str = ""
    category: str = ""
    first_year: Decimal | None = None
    currency: str = ""


class Deputy(Model):
    """Somebody who may decide in another's place.

    Attributes:
        via: the ids of the delegations that lead there, in order.
        until: when the first of them ends.
    """

    person: PersonRef
    via: tuple[str, ...]
    until: datetime | None = None


class Skipped(Model):
    """Somebody a chain of delegations leads to who may not decide.

    Attributes:
        rule: by which not: ``delegation.loop``, ``delegation.too-deep``, ``delegation.skip-inactive``,
            ``delegation.set-by-party``, or the one that bars them from deciding in their own name.
        via: the ids of the delegations that lead there, in order.
    """

    person: PersonRef
    rule: str
    via: tuple[str, ...]


class Chain(Model):
    """Who may decide in a person's place.

    Attributes:
        deputies: the nearest first.
        skipped: where the chain was cut, if it was; nobody behind such a person is looked at.
    """

    deputies: tuple[Deputy, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class Refusal(Model):
    """Why a delegation cannot be set, and which of its fields is at fault."""

    field: Literal["delegate", "begins", "ends", "scope"]
    message: str


def in_force(delegation: Link, at: datetime) -> bool:
    """Return whether it holds at that moment."""
    return delegation.begins <= at < delegation.over_at


def state(delegation: Link, at: datetime) -> State:
    """Return where it stands at that moment."""
    if delegation.over_at <= at:
        return "over" if delegation.over_at == delegation.ends else "withdrawn"
    return "in-force" if delegation.begins <= at else "to-come"


def covers(scope: Scope, matter: Matter) -> bool:
    """Return whether a matter is within a scope."""
    anything = not scope.items and not scope.categories
    named = anything or matter.item in scope.items or matter.category in scope.categories
    return named and _affordable(scope.up_to, matter)


def _affordable(up_to: Money | None, matter: Matter) -> bool:
    if up_to is None:
        return True
    if matter.first_year is None or matter.currency != up_to.currency:
        return False
    return matter.first_year <= up_to.amount


def counting(delegations: Iterable[Link], matter: Matter, at: datetime) -> dict[str, Link]:
    """Return which delegations count for a matter at a moment, by the ids of those whose they are.

    Where several of one person cover the matter, the one that was set last counts, and no other.
    """
    found: dict[str, Link] = {}
    for one in delegations:
        if in_force(one, at) and covers(one.scope, matter):
            found[one.person.id] = max(found.get(one.person.id, one), one, key=_set_at)
    return found


def _set_at(delegation: Link) -> tuple[datetime, str]:
    return delegation.created_at, delegation.id


def told(person_ids: Iterable[str], delegations: Iterable[Link], matter: Matter, at: datetime) -> tuple[Link, ...]:
    """Return what a look-up of approvers tells of delegations: what counts for a matter from a moment on.

    Of each person the one that counts and the next ones, `TOLD` together: a look-up may take hours while the directory
    is down. Only along the chains of those who are asked for, and of a scope only what a change of the order bears on.
    What people wrote never comes along, be it ever so long.

    Args:
        person_ids: who is asked for.
        delegations: at least those of these people and of everybody whom they lead to.
        matter: what is to be decided.
        at: when the look-up begins.
    """
    by_person: dict[str, list[Link]] = {}
    for one in delegations:
        if covers(one.scope, matter):
            by_person.setdefault(one.person.id, []).append(one)
    found: dict[str, tuple[Link, ...]] = {}
    wanted = dict.fromkeys(person_ids)
    for _ in range(MAX_DEPTH + 1):  # the last link only tells that a chain is too long
        new = {person: _counting_next(by_person.get(person, ()), at) for person in wanted if person not in found}
        found |= new
        wanted = dict.fromkeys(one.delegate.id for links in new.values() for one in links)
    return tuple(_bare(one) for links in found.values() for one in links)


def _counting_next(mine: Sequence[Link], at: datetime) -> tuple[Link, ...]:
    """Return which of a person's delegations counts at a moment, and which do next."""
    found: dict[str, Link] = {}
    turns = {at, *(turn for one in mine for turn in (one.begins, one.over_at) if turn > at)}
    for turn in sorted(turns):
        taken = max((one for one in mine if in_force(one, turn)), key=_set_at, default=None)
        if taken:
            found[taken.id] = taken
        if len(found) == TOLD:
            break
    return tuple(found.values())


def _bare(one: Link) -> Link:
    """Return of a delegation that covers a matter what still has to be known of it; an order keeps its item."""
    operator = one.set_by if isinstance(one, Delegation) and one.set_by.id != one.person.id else None
    return Link.model_validate(dict(one) | {"scope": Scope(up_to=one.scope.up_to), "operator": operator})


def deputies(
    person_id: str, counts: Mapping[str, Link], people: Mapping[str, Person], *, banned: Mapping[str, str]
) -> Chain:
    """Return the chain of those who may decide in a person's place.

    The chain ends at somebody who may not decide. It does not go on behind them: neither may a requester choose, by
    delegating, who decides their request, nor an account that is closed. Nor does it go where a requester leads it who,
    as an operator, has set a delegation for somebody else.

    Args:
        person_id: whose decision it is.
        counts: the delegation that counts, of the person and of everybody whom they lead to: see `counting`.
        people: as the directory has them now; who is not among them is gone.
        banned: by the id of whoever may not decide it, the rule by which not, ``approval.skip-requester`` for example.
    """
    found: list[Deputy] = []
    via: tuple[str, ...] = ()
    met, current, ends = {person_id}, person_id, []
    while (taken := counts.get(current)) is not None:
        via = (*via, taken.id)
        current = taken.delegate.id
        rule = _why_skipped(current, met, people, banned) or _set_by_party(taken, banned)
        if rule is not None:
            return Chain(deputies=tuple(found), skipped=(Skipped(person=taken.delegate, rule=rule, via=via),))
        ends.append(taken.ends)
        found.append(Deputy(person=people[current].ref(), via=via, until=min(ends)))
        met.add(current)
    return Chain(deputies=tuple(found))


def leads_to(person_id: str, deputy_id: str, delegations: Iterable[Link], matter: Matter, at: datetime) -> bool:
    """Return whether a person's chain leads to somebody, as far as delegations alone tell; see `deputies`."""
    counts, current = counting(delegations, matter, at), person_id
    for _ in range(MAX_DEPTH):
        taken = counts.get(current)
        if taken is None:
            return False
        current = taken.delegate.id
        if current == deputy_id:
            return True
    return False


def _why_skipped(
    person_id: str, met: Collection[str], people: Mapping[str, Person], banned: Mapping[str, str]
) -> str | None:
    """Return why the next one of a chain may not decide; `met` are those it went through, the first one included."""
    if person_id in met:
        return "delegation.loop"
    if person_id in banned:
        return banned[person_id]
    if len(met) > MAX_DEPTH:
        return "delegation.too-deep"
    person = people.get(person_id)
    return None if person and person.active else "delegation.skip-inactive"


def _set_by_party(taken: Link, banned: Collection[str]) -> str | None:
    """Return the rule by which a delegation does not count that somebody has set for another in their own matter."""
    return "delegation.set-by-party" if taken.operator and taken.operator.id in banned else None


def refuse(new: Delegation) -> Refusal | None:
    """Return why a delegation cannot be set, at the moment it says it is made; None if it can by itself."""
    if new.delegate.id == new.person.id:
        return Refusal(field="delegate", message="Nobody stands in for themselves; name somebody else.")
    if new.ends <= new.begins:
        return Refusal(field="ends", message="It ends before it begins.")
    if new.ends <= new.created_at:
        return Refusal(field="ends", message="It ends in the past.")
    if new.ends - new.begins > LONGEST:
        return Refusal(field="ends", message=f"It lasts longer than {LONGEST.days} days; set a shorter one.")
    if new.ends - new.created_at > FARTHEST_YEARS * timedelta(days=366):
        return Refusal(
            field="ends", message=f"It ends more than {FARTHEST_YEARS} years ahead; set it when it is nearer."
        )
    return None


def refuse_beside(new: Delegation, existing: Iterable[Delegation]) -> Refusal | None:
    """Return why a delegation cannot be set beside those of the same person that are not over."""
    standing = [one for one in existing if one.person.id == new.person.id and one.over_at > new.created_at]
    if any(_says(one) == _says(new) for one in standing):
        return Refusal(field="scope", message="The very same is set already.")
    if len(standing) >= MOST:
        return Refusal(field="delegate", message=f"There are {MOST} of this person already; withdraw one first.")
    return None


def _says(one: Delegation) -> tuple[object, ...]:
    scope = one.scope
    return one.delegate.id, one.begins, one.ends, {*scope.items}, {*scope.categories}, scope.up_to


def warnings(new: Delegation, existing: Iterable[Delegation]) -> Iterator[str]:
    """Yield what whoever sets a delegation should know, in words, though it is allowed.

    Args:
        new: what is set.
        existing: at least those of the person, and of everybody whom `new` leads to, that are not over.
    """
    meanwhile = [one for one in existing if one.begins < new.over_at and new.begins < one.over_at]
    others = dict.fromkeys(one.delegate.name for one in meanwhile if one.person.id == new.person.id)
    if others:
        yield f"In this time {' and '.join(others)} also stand in. Where both could, the one that was set last does."
    reached = {new.delegate.id}
    for _ in range(MAX_DEPTH):
        reached |= {one.delegate.id for one in meanwhile if one.person.id in reached}
    if new.person.id in reached:
        yield f"In this time {new.delegate.name} delegates back to {new.person.name}; such a circle ends there."


def may_see(actor: Actor, delegation: Delegation) -> bool:
    """Return whether the actor may see it: whom it concerns, and operators."""
    return actor.operator or actor.person.id in (delegation.person.id, delegation.delegate.id)


def may_withdraw(actor: Actor, delegation: Delegation) -> bool:
    """Return whether the actor may withdraw it: whose it is, and operators."""
    return actor.operator or actor.person.id == delegation.person.id


def shown(scope: Scope) -> str:
    """Return a scope in words."""
    parts = [", ".join(scope.items), *(f"everything in {category}" for category in scope.categories)]
    named = "; ".join(filter(None, parts)) or "everything"
    limit = f", up to {scope.up_to.amount} {scope.up_to.currency} in the first year" if scope.up_to else ""
    return named + limit
