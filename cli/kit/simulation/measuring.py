"""Measuring: what a scenario expects of clocks, of who held a request how long, of its likely date, of inboxes.

All of it is read as the API reads it: from the journal and the register. Each difference is a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from catalog import access_diff, rights
from catalog.calendar_file import by_id
from catalog.duration import words
from catalog.expression import ExpressionError
from catalog.journal import Entry, Kind
from catalog.scenario_events import ClockSight, ContextSight, HeldSight, PromiseSight, Sees
from catalog.sketch import at
from catalog.sla import Clock
from catalog.sla_history import Measures, calendars_named, corrected, measure
from catalog.sla_report import Share, explain
from catalog.sla_spec import ClockSpec
from catalog.text import moment
from cli.kit.simulation.world import Running, World
from records.values import InboxQuery

_MINUTE = timedelta(minutes=1)


def is_about(difference: timedelta) -> bool:
    """Return whether it is nothing as scenarios tell time: people act some way into their minute, and not on a beat."""
    return abs(difference) < _MINUTE


class _Look(NamedTuple):
    """A request as it is looked at, and when."""

    world: World
    running: Running
    now: datetime

    def moment(self, told: str) -> datetime:
        """Return the instant that a time of the scenario names."""
        return at(told, self.world.story.scenario.began)

    def login(self, person_id: str) -> str:
        """Return the login of somebody."""
        return self.world.staff.directory.person(person_id).login

    def entries(self) -> list[Entry]:
        """Return the journal of the request."""
        return self.world.journal.entries(self.running.number)


def measured(event: Sees, world: World, running: Running, now: datetime) -> Iterator[str]:
    """Yield what is measured of a request and should be otherwise."""
    look = _Look(world, running, now)
    if event.clocks:
        yield from _clocks_seen(event, look)
    if event.held:
        shares = _measures(look).shares
        for held in event.held:
            yield from _held(held, shares, look)
    if event.promised:
        yield from _promised(event.promised, look)
    for login, expected in event.inbox.items():
        found = _inbox(login, look)
        if found != {*expected}:
            yield f"expected {login} to have {_listed(sorted(expected))} in the inbox; it has: {_listed(sorted(found))}"
    for login, sight in event.context.items():
        yield from _context(login, sight, look)


def _clocks_seen(event: Sees, look: _Look) -> Iterator[str]:
    try:
        measures = _measures(look, event.corrected)
    except ExpressionError as error:
        yield f"the corrected clocks cannot be worked out: {error}"
        return
    for sight in event.clocks:
        yield from _clock(sight, measures, look)


def _measures(look: _Look, instead: tuple[ClockSpec, ...] = ()) -> Measures:
    """Return what is measured of a request until now, by its own clocks or by others.

    Raises:
        ExpressionError: the others cannot be worked out for this order.
    """
    order, entries, register = look.running.order, look.entries(), look.world.register
    company = by_id(register.calendars(order.accepted_at))
    item = order.item.model_copy(update={"clocks": instead})
    terms = corrected(order, item, by_id(register.calendars())) if instead else order.terms
    return measure(entries, terms, company, register.editions(calendars_named(entries)), look.now)


def _clock(sight: ClockSight, measures: Measures, look: _Look) -> Iterator[str]:
    """Yield what is not so of a clock; of several, which ran one after the other, the last counts."""
    clocks = [clock for _, clock in measures.clocks]
    clock = next((one for one in reversed(clocks) if _is_meant(sight, one, look)), None)
    if clock is None:
        yield f"expected a clock {_called(sight)}; there are: {_listed(_what(one, look) for one in clocks)}"
        return
    which = f"expected the clock {_called(sight)}"
    if sight.state and sight.state not in (clock.state, "late" if clock.breached_at else ""):
        yield f"{which} to be {sight.state}; it is {clock.state}{', late' if clock.breached_at else ''}"
    if sight.percent not in (None, clock.percent):
        yield f"{which} to be at {sight.percent} %; it is at {clock.percent} %"
    due = look.moment(sight.due) if sight.due else None
    if due and (clock.due_at is None or not is_about(clock.due_at - due)):
        yield f"{which} to be due {_day(due)}; it is due: {_day(clock.due_at) if clock.due_at else 'never'}"
    said = " ".join(explain(clock, measures.stages))
    if sight.says.casefold() not in said.casefold():
        yield f"{which} to say {sight.says!r}; it says: {said}"


def _is_meant(sight: ClockSight, clock: Clock, look: _Look) -> bool:
    whose = look.login(clock.person) if clock.person else None
    return clock.spec == sight.id and sight.stage in (None, clock.stage) and sight.of in (None, whose)


def _called(sight: ClockSight) -> str:
    return " of ".join(filter(None, (repr(sight.id), sight.stage, sight.of)))


def _what(clock: Clock, look: _Look) -> str:
    return " of ".join(filter(None, (clock.spec, clock.stage, look.login(clock.person) if clock.person else "")))


def _held(held: HeldSight, shares: Sequence[Share], look: _Look) -> Iterator[str]:
    """Yield how long somebody held it, if that is not so."""
    times = {(one.stage, look.login(one.person) if one.person else None): (one.held, one.waited) for one in shares}
    found = times.get((held.stage, held.by), (timedelta(0), timedelta(0)))
    if not all(is_about(one - other) for one, other in zip(found, (held.lasting, held.waited), strict=True)):
        who = f"{held.by} at {held.stage}" if held.by else held.stage
        yield f"expected {who} to have held it for {_long(held.lasting, held.waited)}; it was {_long(*found)}"


def _long(held: timedelta, waited: timedelta) -> str:
    held, waited = (time // _MINUTE * _MINUTE for time in (held, waited))
    return f"{words(held) if held else 'no time'}{f', and waited for {words(waited)}' if waited else ''}"


def _promised(expected: PromiseSight, look: _Look) -> Iterator[str]:
    """Yield when it is likely to be done, if that is not so."""
    number = look.running.number
    view = look.world.register.request(number)
    found = look.world.register.promises([view] if view else [], look.now).get(number)
    p50, p90 = look.moment(expected.p50), look.moment(expected.p90)
    if found and found.basis == expected.by and _is_near(found.p50, p50) and _is_near(found.p90, p90):
        return
    said = _likely(found.p50, found.p90, found.basis) if found else "nothing"
    yield f"expected it to promise {_likely(p50, p90, expected.by)}; it promises {said}"


def _is_near(found: datetime, wanted: datetime) -> bool:
    """Return whether a promise is meant, which is rounded up, and people act some way into their minute."""
    return timedelta(0) <= found - wanted <= _MINUTE


def _likely(p50: datetime, p90: datetime, basis: str) -> str:
    return f"{_day(p50)}, at most {_day(p90)}, by the {basis}"


def _inbox(login: str, look: _Look) -> set[str]:
    """Return what stands in somebody's inbox of this request."""
    actor = look.world.staff.actor(login)
    plain = InboxQuery(person_id=actor.person.id, operator=actor.operator)
    queries = {
        "mine": plain.model_copy(update={"whose": "mine"}),
        "delegated": plain.model_copy(update={"whose": "delegated"}),
        "overdue": plain.model_copy(update={"overdue_at": look.now}),
    }
    number, tasks = look.running.number, look.world.register.tasks
    return {
        what for what, asked in queries.items() if any(number == one.request.order.number for one in tasks(asked).items)
    }


_SETS = ("access", "gains", "loses")
"""What of a context is in no order."""


def _context(login: str, expected: ContextSight, look: _Look) -> Iterator[str]:
    """Yield what somebody is shown to help them decide, where that is not so."""
    world, actor = look.world, look.world.staff.actor(login)
    view = world.register.request(look.running.number)
    if view is None or not any(rights.may_see_background(actor, one) for one in world.open_approvals(look.running)):
        yield f"expected {login} to be shown what helps to decide; they are not"
        return
    shown = world.register.background(view)
    kinds = [entry.kind for entry in shown.entries]
    beneficiary = view.order.beneficiary
    held = world.staff.directory.groups_of(beneficiary.id)
    outlook = access_diff.outlook(view.order, held, look.now)
    found = {
        "cost": view.order.cost.first_year if view.order.cost else None,
        "changes": kinds.count(Kind.AMENDED),
        "history": tuple(kinds),
        "earlier": tuple(one.outcome for one in shown.earlier),
        "colleagues": shown.colleagues,
        "access": tuple(sorted(held)),
        "gains": tuple(sorted(outlook.gained(beneficiary.login))),
        "loses": tuple(sorted(outlook.lost(beneficiary.login))),
    }
    for name, value in found.items():
        wanted = getattr(expected, name)
        if name in _SETS and wanted is not None:
            wanted = tuple(sorted(set(wanted)))
        if wanted is not None and wanted != value:
            yield f"expected {login} to be shown as {name} {_shown(wanted)}; it is: {_shown(value)}"


def _shown(value: Any) -> str:
    return _listed(str(one or "open") for one in value) if isinstance(value, tuple) else str(value)


def _day(at: datetime) -> str:
    return moment(at.isoformat())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
