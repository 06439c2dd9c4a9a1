"""Clocks for examples: what they follow, in a week whose every moment has a short name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from catalog import sla
from catalog.calendar import Calendar
from catalog.sla import Calendars, Clock, Told
from catalog.sla_events import Happened, What
from catalog.sla_spec import ClockSpec

WEEK: Any = {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
OFFICE = Calendar(id="office", name="Office", zone="Europe/Berlin", week=WEEK)
NEW_YORK = Calendar(id="ny", name="New York", zone="America/New_York", week=WEEK)
CALENDARS = {"": OFFICE, "ny": NEW_YORK, "id-cleo": NEW_YORK}
HOUR = timedelta(hours=1)


def at(day: str, clock: str, zone: str = "Europe/Berlin") -> datetime:
    """Return a moment of the week from Monday, 2 March 2026; ``mon2`` is the Monday after."""
    number = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "mon2"].index(day)
    local = datetime.combine(datetime(2026, 3, 2 + number, tzinfo=UTC).date(), time.fromisoformat(clock))
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def it(what: What, when: datetime, **more: Any) -> Happened:
    return Happened(what=what, at=when, **more)


def a_spec(**other: Any) -> ClockSpec:
    plain = {"id": "own", "name": "Own", "start": "ordered", "stop": "fulfilled", "target": "8 working hours"}
    return ClockSpec.model_validate(plain | other)


def the(clocks: tuple[Clock, ...]) -> Clock:
    (clock,) = clocks
    return clock


def told(events: Iterable[Happened], calendars: Calendars = CALENDARS) -> tuple[Told, ...]:
    """Return a history of which the same working time was known throughout."""
    return tuple(Told(event, calendars) for event in events)


def read(spec: ClockSpec, events: Iterable[Happened], calendars: Calendars, now: datetime) -> tuple[Clock, ...]:
    return sla.read(spec, told(events, calendars), now)


def step(spec: ClockSpec, clocks: tuple[Clock, ...], event: Happened, calendars: Calendars) -> tuple[Clock, ...]:
    """Return the clocks of one definition after a single event."""
    return sla.follow(spec, clocks, (Told(event, calendars),))


def clock_of(spec: ClockSpec, *events: Happened, now: datetime | None = None) -> Clock:
    return the(read(spec, events, CALENDARS, now or events[-1].at))


ASKED = it("information-requested", at("tue", "10:00"), stage="manager", person="id-kim", by="Kim Lee", seq=3)
GIVEN = it("information-given", at("wed", "10:00"), stage="manager", by="Ada Byron", seq=4)
ORDERED = it("ordered", at("mon", "09:00"), by="Ada Byron", seq=1)
