"""Clocks: how long a request, a stage and an approver take, when that is late, and why (feature rows S1-S7).

`follow` moves the clocks of one definition on by events; nothing else changes them, so that `read`, which follows a
whole history at once, gives what living through it gave. A corrected definition applied to history is therefore as if
it had been so from the start. Warnings and breaches are moments worked out ahead, never looked for: a clock says when
the next one is, for a durable timer. How clocks are written is `sla_spec`'s business, how one is explained
`sla_report`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple

from catalog.calendar import ALWAYS, Calendar, add, at_time, between, counted, end
from catalog.duration import LONGEST
from catalog.model import Model
from catalog.sla_events import Happened
from catalog.sla_spec import By, ClockSpec, Triggers

State = Literal["running", "paused", "stopped", "cancelled"]
Calendars = Mapping[str, Calendar]
"""Calendars by the id of whom they are of: the id of a calendar, the id of a person, and ``""`` for the platform's."""
Whose = tuple[str, str]
"""The ids of the approval stage and the approver that a clock is of; empty if it is of the whole request."""
Runs = Mapping[Whose, int]
"""How many clocks each of them has had, one after the other."""


class Told(NamedTuple):
    """An event, and the working time of everybody as it was known when it happened."""

    event: Happened
    calendars: Calendars


BREACH = 100
"""The percentage of the target at which a clock is breached."""
_NONE = timedelta(0)


class Mark(Model):
    """The moment at which a percentage of the target is over."""

    percent: int
    at: datetime


class Period(Model):
    """A time in which a clock ran or stood still (feature row S9).

    Attributes:
        end: None while it lasts.
        runs: whether the clock ran.
        began: the event it began with.
        time: how much working time it came to; zero while it lasts.
    """

    start: datetime
    end: datetime | None = None
    runs: bool
    began: Happened
    time: timedelta = _NONE


class Clock(Model):
    """A clock that has been started.

    Attributes:
        spec: id of its definition.
        name: what people call it.
        stage, person: ids of the approval stage and the approver it is of; empty if it is of the whole request.
        run: 1, and one more each time it is reset; what it was before is a clock of its own, and has ended.
        zone: the time zone people see its times in.
        ended: the event that stopped or cancelled it.
        target: the working time that lay between its start and `promised`; None: it only measures.
        promised: when it would have been due had it never paused.
        due_at: when it is due; None while it is paused, because that moves on as long, unless it was breached before.
        periods: when it ran and when it stood still.
        pauses: the events for which it stands still.
        elapsed, paused, percent: the working time it ran and stood still, and how much of the target that is, as of
            when it was last looked at or changed; the percentage is rounded down.
        ahead: the marks to come if nothing happens; the last of them is the breach.
        warned: the warnings that were reached.
        breached_at: when it was breached. A clock that runs at the moment it is due is breached.
    """

    spec: str
    name: str
    stage: str = ""
    person: str = ""
    run: int = 1
    state: State = "running"
    zone: str
    started_at: datetime
    stopped_at: datetime | None = None
    ended: Happened | None = None
    target: timedelta | None = None
    promised: datetime | None = None
    due_at: datetime | None = None
    periods: tuple[Period, ...]
    pauses: tuple[Happened, ...] = ()
    elapsed: timedelta = _NONE
    paused: timedelta = _NONE
    percent: int = 0
    ahead: tuple[Mark, ...] = ()
    warned: tuple[Mark, ...] = ()
    breached_at: datetime | None = None


class Due(Model):
    """A warning or a breach, as it goes on record; it is the same one as long as all but `at` is the same."""

    spec: str
    stage: str
    person: str
    run: int
    percent: int
    at: datetime


def read(spec: ClockSpec, history: Iterable[Told], now: datetime) -> tuple[Clock, ...]:
    """Return the clocks of one definition as a history leaves them at `now`; what happened later is left out."""
    until = [told for told in history if told.event.at <= now]
    known = until[-1].calendars if until else {}
    return as_of(spec, follow(spec, (), until), known, now)


def follow(
    spec: ClockSpec, clocks: Iterable[Clock], history: Iterable[Told], runs: Runs = MappingProxyType({})
) -> tuple[Clock, ...]:
    """Return the clocks of one definition after events, in the order in which they began.

    Total: an event that is out of place changes nothing. A clock that has ended follows only what resets it. An event
    that is said to have happened before a clock's last one counts as having happened with it.

    Args:
        spec: the definition; its target is that of the order's priority: see `priority.target_of`.
        clocks: as they stand. Those that have ended may be left out.
        history: what happened.
        runs: of those that were left out, see `runs_of`.
    """
    course = _Course(clocks)
    last = runs_of(course.clocks, runs)
    for event, calendars in history:
        begun = _begun(spec, last, event, calendars)
        for at in _concerned(spec, course, event):
            course.put(at, _moved(spec, course.clocks[at], event, calendars))
        if begun:
            course.add(begun)
            last[_whose(begun)] = begun.run
    return tuple(course.clocks)


def runs_of(clocks: Iterable[Clock], before: Runs = MappingProxyType({})) -> dict[Whose, int]:
    """Return which run the last one is of each who has a clock; `before` are those of clocks that are not given."""
    found = dict(before)
    for clock in clocks:
        found[_whose(clock)] = max(clock.run, found.get(_whose(clock), 0))
    return found


def as_of(spec: ClockSpec, clocks: Iterable[Clock], calendars: Calendars, now: datetime) -> tuple[Clock, ...]:
    """Return clocks as they stand at `now`, if nothing has happened since their last event."""
    return tuple(_seen(clock, _measured(spec, clock.person, calendars), now) for clock in clocks)


def next_moment(clocks: Iterable[Clock], now: datetime) -> datetime | None:
    """Return when the next warning or breach falls, if nothing happens before; None if there is none after `now`."""
    return min((mark.at for clock in clocks for mark in clock.ahead if mark.at > now), default=None)


def due_now(clocks: Iterable[Clock], now: datetime) -> tuple[Due, ...]:
    """Return every warning and breach up to `now`, the earliest first; the caller records those that are not yet."""
    found = [
        Due(spec=clock.spec, stage=clock.stage, person=clock.person, run=clock.run, percent=mark.percent, at=mark.at)
        for clock in clocks
        for mark in (*reached(clock), *clock.ahead)
        if mark.at <= now
    ]
    return tuple(sorted(found, key=lambda due: due.at))


def reached(clock: Clock) -> tuple[Mark, ...]:
    """Return the warnings and the breach that a clock has come to."""
    return (*clock.warned, Mark(percent=BREACH, at=clock.breached_at)) if clock.breached_at else clock.warned


def _whose(clock: Clock) -> Whose:
    """Return whose clock it is."""
    return clock.stage, clock.person


class _Course:
    """Clocks of one definition, found by whose they are: what happens to one of hundreds is not asked of all of them.

    Attributes:
        clocks: all of them, in the order in which they began.
        going: where those are that have not ended.
        held: where those of them are that stand still.
    """

    def __init__(self, clocks: Iterable[Clock]) -> None:
        self.clocks: list[Clock] = []
        self.going: dict[Whose, int] = {}
        self.held: dict[Whose, int] = {}
        for clock in clocks:
            self.add(clock)

    def add(self, clock: Clock) -> None:
        """Add a clock that began after all others."""
        self.clocks.append(clock)
        self.put(len(self.clocks) - 1, clock)

    def put(self, at: int, clock: Clock) -> None:
        """Replace a clock by what became of it."""
        self.clocks[at] = clock
        for places, is_there in ((self.going, not clock.stopped_at), (self.held, clock.state == "paused")):
            if is_there:
                places[_whose(clock)] = at
            else:
                places.pop(_whose(clock), None)


def _begun(spec: ClockSpec, last: Runs, event: Happened, calendars: Calendars) -> Clock | None:
    """Return the clock that begins with an event; none begins with the end of the request."""
    of = _named(spec, event)
    if of is None or event.what == "closed":
        return None
    before = last.get(of, 0)
    begins = _meets(spec.reset if before else spec.start, event)
    return _started(spec, event, of, before + 1, calendars) if begins else None


def _named(spec: ClockSpec, event: Happened) -> Whose | None:
    """Return whose clock an event can begin, and is about; None if it does not say."""
    if spec.per == "request":
        return "", ""
    if spec.per == "stage":
        return (event.stage, "") if event.stage else None
    return (event.stage, event.person) if event.stage and event.person else None


def _concerned(spec: ClockSpec, course: _Course, event: Happened) -> tuple[int, ...]:
    """Return where the clocks are that an event may change."""
    if event.what == "closed" or _meets((*spec.reset, *spec.cancel, *spec.stop, *spec.pause), event):
        places = course.going
    elif spec.resumes(event):
        places = course.held
    else:
        return ()
    of = _named(spec, event)
    if of is not None:
        return (places[of],) if of in places else ()
    # It names no stage or no person, and is about all of them.
    return tuple(
        at
        for (stage, person), at in places.items()
        if event.stage in ("", stage) and (not person or event.person in ("", person))
    )


def _started(spec: ClockSpec, event: Happened, of: Whose, run: int, calendars: Calendars) -> Clock:
    stage, person = of
    own, calendar = _calendar(spec, person, calendars), _measured(spec, person, calendars)
    promised = _promised(spec, own, event.at)
    clock = Clock(
        spec=spec.id,
        name=spec.name,
        stage=stage,
        person=person,
        run=run,
        zone=own.zone,
        started_at=event.at,
        target=between(calendar, event.at, promised) if promised else None,
        promised=promised,
        periods=(Period(start=event.at, runs=True, began=event),),
    )
    return _aimed(spec, clock, calendar)


def _promised(spec: ClockSpec, calendar: Calendar, at: datetime) -> datetime | None:
    """Return when a clock that starts now is due if it never pauses."""
    match spec.target:
        case None:
            return None
        case By(time=time, days=days):
            return counted(calendar, lambda own: at_time(own, at, time, days), at + LONGEST)
        case span:
            return counted(calendar, lambda own: end(own, at, span), at + LONGEST)


def _moved(spec: ClockSpec, clock: Clock, event: Happened, calendars: Calendars) -> Clock:
    """Return a clock that has not ended after an event; of what this means to it, the strongest counts."""
    calendar = _measured(spec, clock.person, calendars)
    reset = _meets(spec.reset, event) and _named(spec, event) == _whose(clock)
    if reset or _meets(spec.cancel, event):
        return _ended(clock, event, calendar, "cancelled")
    if _meets(spec.stop, event):
        return _ended(clock, event, calendar, "stopped")
    if event.what == "closed":
        return _ended(clock, event, calendar, "cancelled")
    if _meets(spec.pause, event):
        return _held(clock, event, calendar)
    if clock.state == "paused" and spec.resumes(event):
        return _released(spec, clock, event, calendar)
    return clock


def _ended(clock: Clock, event: Happened, calendar: Calendar, state: State) -> Clock:
    over = _over(clock, event.at, calendar)
    return over.model_copy(update={"state": state, "stopped_at": over.periods[-1].end, "ended": event, "pauses": ()})


def _held(clock: Clock, event: Happened, calendar: Calendar) -> Clock:
    """Return the clock standing still for one reason more, unless it does for this one already."""
    if any((one.what, one.stage, one.person, one.about) == _reason(event) for one in clock.pauses):
        return clock
    pauses = {"pauses": (*clock.pauses, event)}
    if clock.state == "paused":
        return clock.model_copy(update=pauses)
    over = _over(clock, event.at, calendar)
    return _turned(over, event, runs=False).model_copy(update={**pauses, "due_at": over.breached_at})


def _released(spec: ClockSpec, clock: Clock, event: Happened, calendar: Calendar) -> Clock:
    """Return the clock without the reasons that are over; it runs again when none is left."""
    left = tuple(pause for pause in clock.pauses if not spec.frees(pause, event))
    if left:
        return clock.model_copy(update={"pauses": left})
    over = _over(clock, event.at, calendar).model_copy(update={"pauses": ()})
    return _aimed(spec, _turned(over, event, runs=True), calendar)


def _over(clock: Clock, at: datetime, calendar: Calendar) -> Clock:
    """Return the clock with its last period over."""
    *before, last = clock.periods
    at = max(at, last.start)
    over = last.model_copy(update={"end": at, "time": between(calendar, last.start, at)})
    return _seen(clock, calendar, at).model_copy(update={"periods": (*before, over), "ahead": ()})


def _turned(clock: Clock, event: Happened, *, runs: bool) -> Clock:
    """Return the clock with another period, which begins where the last one is over."""
    following = Period(start=clock.periods[-1].end, runs=runs, began=event)
    return clock.model_copy(update={"state": "running" if runs else "paused", "periods": (*clock.periods, following)})


def _aimed(spec: ClockSpec, clock: Clock, calendar: Calendar) -> Clock:
    """Return a clock that begins to run, with its marks; what is due moves on by the working time that was paused."""
    if clock.promised is None or clock.target is None or clock.breached_at:
        return clock
    start = clock.periods[-1].start
    moved = _later(calendar, clock.promised, clock.paused) if clock.paused else clock.promised
    due = max(moved, start)  # what is promised out of hours can pass while the clock stands still
    left = {percent: _share(clock.target, percent) - clock.elapsed for percent in spec.warn}
    warnings = (
        Mark(percent=percent, at=_later(calendar, start, time)) for percent, time in left.items() if time > _NONE
    )
    return clock.model_copy(update={"due_at": due, "ahead": (*warnings, Mark(percent=BREACH, at=due))})


def _later(calendar: Calendar, at: datetime, time: timedelta) -> datetime:
    return counted(calendar, lambda own: add(own, at, time), at + LONGEST)


def _seen(clock: Clock, calendar: Calendar, now: datetime) -> Clock:
    """Return the clock as it stands, if nothing has happened since its last event."""
    if clock.stopped_at:
        return clock
    *before, last = clock.periods
    spent = {True: _NONE, False: _NONE}
    for period in before:
        spent[period.runs] += period.time
    spent[last.runs] += between(calendar, last.start, max(now, last.start))
    passed = [mark for mark in clock.ahead if mark.at <= now]
    breached = clock.breached_at or next((mark.at for mark in passed if mark.percent == BREACH), None)
    return clock.model_copy(
        update={
            "elapsed": spent[True],
            "paused": spent[False],
            "percent": _percent(spent[True], clock.target, breached),
            "ahead": tuple(mark for mark in clock.ahead if mark.at > now),
            "warned": (*clock.warned, *(mark for mark in passed if mark.percent < BREACH)),
            "breached_at": breached,
        }
    )


def _share(target: timedelta, percent: int) -> timedelta:
    """Return the part of a target, rounded up to a microsecond: at its mark, the percentage is over."""
    return timedelta(microseconds=-(-target * percent // timedelta(microseconds=BREACH)))


def _percent(elapsed: timedelta, target: timedelta | None, breached: datetime | None) -> int:
    if not target:  # none, or no working time before the moment it is due
        return BREACH if breached else 0
    return elapsed * BREACH // target


def _meets(triggers: Triggers, event: Happened) -> bool:
    return any(trigger.meets(event) for trigger in triggers)


def _reason(event: Happened) -> tuple[str, str, str, str]:
    return event.what, event.stage, event.person, event.about


def _calendar(spec: ClockSpec, person: str, calendars: Calendars) -> Calendar:
    """Return the calendar that an author names, else the approver's, else the platform's."""
    names = (spec.calendar, person, "")
    return next((calendars[name] for name in names if name is not None and name in calendars), ALWAYS)


def _measured(spec: ClockSpec, person: str, calendars: Calendars) -> Calendar:
    """Return the calendar a clock is measured in: clock time counts always."""
    return ALWAYS if isinstance(spec.target, timedelta) else _calendar(spec, person, calendars)
