"""Clocks, whatever happens: living through events, a stepper that looks every minute, and reading back all agree."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from support.clocks import step

from catalog import sla
from catalog.calendar import ALWAYS, Calendar, between
from catalog.sla import Clock, Due, Told, Whose, as_of, due_now, next_moment, reached
from catalog.sla_events import ENDS, OF_PEOPLE, OF_STAGES, Happened, What
from catalog.sla_spec import By, ClockSpec

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 25, 22, 0, tzinfo=UTC)
"""A Wednesday evening; on the Sunday after, the clocks go forward."""
MOST = 9 * 24 * 60
HOURS = {0: ((9, 12), (13, 17)), 1: ((9, 17),), 2: ((9, 17),), 3: ((9, 12), (14, 18)), 4: ((9, 13),), 6: ((1, 4),)}
"""Working hours by weekday, in whole hours; on Sunday at night, over the hour that is left out."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK: Any = {DAYS[day]: [f"{start:02}:00-{end:02}:00" for start, end in hours] for day, hours in HOURS.items()}
OFFICE = Calendar(id="office", name="Office", zone="Europe/Berlin", week=WEEK)
NIGHT = Calendar(
    id="night", name="Night", zone="Asia/Kathmandu", week={"friday": ["22:00-06:00"], "monday": WEEK["monday"]}
)
CALENDARS = {"": OFFICE, "night": NIGHT, "cleo": NIGHT}


def read(spec: ClockSpec, events: Iterable[Happened], now: datetime) -> tuple[Clock, ...]:
    return sla.read(spec, (Told(event, CALENDARS) for event in events), now)


CLOCKS: TypeAdapter[tuple[Clock, ...]] = TypeAdapter(tuple[Clock, ...])


def works(minute: int) -> bool:
    """Return whether the office works in a minute: what a clock on its wall shows decides."""
    wall = (BEGIN + minute * MINUTE).astimezone(BERLIN)
    return any(start <= wall.hour < end for start, end in HOURS.get(wall.weekday(), ()))


OPEN = [works(minute) for minute in range(MOST)]
SUMS = list(itertools.accumulate(OPEN, initial=0))
"""How many working minutes come before a minute."""

kinds = st.sampled_from(get_args(What))
minutes = st.integers(0, MOST // 2)


@st.composite
def specs(draw: st.DrawFn) -> ClockSpec:
    """Draw any definition that an author could write."""
    per = draw(st.sampled_from(("request", "stage", "approver")))
    first = {
        "request": kinds,
        "stage": st.sampled_from(sorted(OF_STAGES)),
        "approver": st.sampled_from(sorted(OF_PEOPLE)),
    }[per]
    targets = st.sampled_from(("3 hours", "1 day", "4 working hours", "90 working minutes", "2 working days", None))
    moments = st.builds(
        By, time=st.sampled_from((time(0, 30), time(2, 30), time(16), time(20))), days=st.integers(1, 3)
    )
    resume = draw(st.lists(kinds, max_size=2))
    return ClockSpec.model_validate(
        {
            "id": "own",
            "name": "Own",
            "per": per,
            "start": draw(st.lists(first, min_size=1, max_size=2)),
            "pause": draw(st.lists(kinds if resume else st.sampled_from(sorted(ENDS)), max_size=3)),
            "resume": resume,
            "stop": draw(st.lists(kinds, min_size=1, max_size=2)),
            "reset": draw(st.lists(first, max_size=1)),
            "cancel": draw(st.lists(kinds, max_size=1)),
            "target": draw(targets | moments),
            "calendar": draw(st.none() | st.just("night")),
            "warn": draw(st.lists(st.integers(1, 99), max_size=3)),
        }
    )


def histories(spec: ClockSpec) -> st.SearchStrategy[list[Happened]]:
    """Return histories in which what the definition names comes often, in any order."""
    named = {trigger.event for key in ("start", "pause", "resume", "stop", "reset") for trigger in getattr(spec, key)}
    often = sorted(named | {end for what in named for end in ENDS.get(what, ())})
    events = st.builds(
        Happened,
        what=st.sampled_from(often) | kinds,
        at=minutes.map(lambda minute: BEGIN + minute * MINUTE),
        stage=st.sampled_from(("", "manager", "data")),
        person=st.sampled_from(("", "ben", "cleo")),
        about=st.sampled_from(("", "delivery")),
    )
    return st.lists(events, max_size=12)


def in_order(events: list[Happened]) -> list[Happened]:
    return sorted(events, key=lambda event: event.at)


class Living:
    """A workflow as far as clocks go: it is told of events, sleeps until the next moment, and records what is due."""

    def __init__(self, spec: ClockSpec) -> None:
        self.spec = spec
        self.clocks: tuple[Clock, ...] = ()
        self.now = BEGIN - MINUTE
        self.recorded: list[Due] = []

    def sleep(self, until: datetime) -> None:
        while (moment := next_moment(self.clocks, self.now)) and moment <= until:
            self.now = moment
            self.record()
        self.now = until
        self.record()

    def record(self) -> None:
        self.recorded += [due for due in due_now(self.clocks, self.now) if due not in self.recorded]

    def look(self) -> None:
        """Bring the clocks up to date, and store and read them."""
        self.clocks = as_of(self.spec, self.clocks, CALENDARS, self.now)
        self.clocks = CLOCKS.validate_json(CLOCKS.dump_json(self.clocks))

    def tell(self, event: Happened) -> None:
        self.sleep(event.at)
        self.clocks = step(self.spec, self.clocks, event, CALENDARS)
        self.record()


@given(st.data())
def test_s3_s5_living_through_events_is_the_same_as_reading_them_back(data: st.DataObject) -> None:
    spec = data.draw(specs())
    events = in_order(data.draw(histories(spec)))
    looks = sorted(data.draw(st.lists(minutes, max_size=8)))
    live = Living(spec)
    moments = [(event.at, 0, event) for event in events] + [(BEGIN + look * MINUTE, 1, None) for look in looks]
    for moment, _, event in sorted(moments, key=lambda one: one[:2]):
        if event:
            live.tell(event)
        else:
            live.sleep(moment)
            live.look()
    now = BEGIN + data.draw(st.integers(MOST // 2, MOST)) * MINUTE
    live.sleep(now)
    live.look()
    back = read(spec, events, now)
    assert live.clocks == back
    assert live.recorded == list(due_now(back, now))


@given(st.data())
def test_every_event_in_every_state_has_an_answer(data: st.DataObject) -> None:
    spec = data.draw(specs())
    clocks: tuple[Clock, ...] = ()
    for event in data.draw(histories(spec)):  # in no order of time
        after = step(spec, clocks, event, CALENDARS)
        assert len(after) - len(clocks) in (0, 1)
        for old, new in itertools.zip_longest(clocks, after):
            check(spec, new)
            if old and old.stopped_at:
                assert new == old, "a clock that had ended moved"
        keys = [(clock.stage, clock.person, clock.run) for clock in after]
        assert len(keys) == len(set(keys))
        clocks = after


@given(st.data())
def test_who_lets_go_of_clocks_that_have_ended_goes_on_as_if_they_were_there(data: st.DataObject) -> None:
    spec = data.draw(specs())
    whole: tuple[Clock, ...] = ()
    kept: tuple[Clock, ...] = ()
    runs: dict[Whose, int] = {}
    for event in data.draw(histories(spec)):
        whole = step(spec, whole, event, CALENDARS)
        kept = sla.follow(spec, kept, (Told(event, CALENDARS),), runs)
        over = [clock for clock in kept if clock.stopped_at and data.draw(st.booleans())]
        kept, runs = tuple(clock for clock in kept if clock not in over), sla.runs_of(over, runs)
        assert [clock for clock in kept if not clock.stopped_at] == [clock for clock in whole if not clock.stopped_at]
        assert sla.runs_of(kept, runs) == sla.runs_of(whole)


def check(spec: ClockSpec, clock: Clock) -> None:
    """Check what holds of every clock."""
    calendar = ALWAYS if isinstance(spec.target, timedelta) else CALENDARS.get(spec.calendar or clock.person, OFFICE)
    first, last = clock.periods[0], clock.periods[-1]
    assert (first.start, last.end) == (clock.started_at, clock.stopped_at)
    for one, other in itertools.pairwise(clock.periods):
        assert one.end == other.start
        assert one.runs is not other.runs
    assert (clock.state == "paused") == bool(clock.pauses)
    assert clock.stopped_at or last.runs == (clock.state == "running")
    assert clock.elapsed + clock.paused == between(calendar, clock.started_at, clock.stopped_at or last.start)
    marks = [mark.percent for mark in (*reached(clock), *clock.ahead)]
    assert marks == sorted(set(marks))
    assert not clock.ahead or clock.state == "running"
    if clock.promised and clock.state == "running" and not clock.breached_at:
        assert clock.due_at == clock.ahead[-1].at >= clock.promised
        assert clock.percent <= 100


@dataclass
class Stepper:
    """A clock of the whole request that knows nothing of calendars: it looks at the wall every minute."""

    spec: ClockSpec
    target: int = 0
    promised: int = 0
    always: bool = False
    state: str = ""
    pauses: set[tuple[What, str, str, str]] = field(default_factory=set)
    elapsed: int = 0
    paused: int = 0
    marks: dict[int, int] = field(default_factory=dict)

    def look(self, minute: int) -> None:
        """See what the clock has come to."""
        if self.state != "running":
            return
        for percent in self.spec.warn:
            if self.target and self.elapsed * 100 >= self.target * percent:
                self.marks.setdefault(percent, minute)
        if minute >= self.promised and self.working(self.promised, minute) >= self.paused:
            self.marks.setdefault(100, minute)

    def begin(self, minute: int) -> None:
        """Work out by when it should have stopped, and how much working time that is."""
        self.promised = promised(self.spec, minute)
        self.target = self.working(minute, self.promised)

    def working(self, start: int, end: int) -> int:
        """Return how many minutes between two count."""
        return end - start if self.always else SUMS[end] - SUMS[start]

    def hear(self, event: Happened) -> None:
        means = {key for key in ("start", "pause", "stop", "cancel") if self.named(key, event.what)}
        if self.state == "" and "start" in means and event.what != "closed":
            self.state = "running"
        elif self.state in ("running", "paused"):
            self.hear_on(event, means)

    def hear_on(self, event: Happened, means: set[str]) -> None:
        if "cancel" in means:
            self.state = "cancelled"
        elif "stop" in means:
            self.state = "stopped"
        elif event.what == "closed":
            self.state = "cancelled"
        elif "pause" in means:
            self.pauses.add((event.what, event.stage, event.person, event.about))
            self.state = "paused"
        elif self.state == "paused":
            self.pauses = {pause for pause in self.pauses if not self.over(pause, event)}
            self.state = "paused" if self.pauses else "running"

    def over(self, pause: tuple[What, str, str, str], event: Happened) -> bool:
        what, *about = pause
        same = zip(about, (event.stage, event.person, event.about), strict=True)
        return event.what in ENDS[what] and all(one == other or "" in (one, other) for one, other in same)

    def named(self, key: str, what: What) -> bool:
        return any(trigger.event == what for trigger in getattr(self.spec, key))

    def tick(self, minute: int) -> None:
        counts = self.always or OPEN[minute]
        self.elapsed += counts and self.state == "running"
        self.paused += counts and self.state == "paused"


def promised(spec: ClockSpec, start: int) -> int:
    """Return the minute in which a clock is due that begins to run and never pauses."""
    match spec.target:
        case timedelta() as clock_time:
            return start + clock_time // MINUTE
        case By() as by:
            return in_days(by, start)
        case working:
            assert working
            return SUMS.index(SUMS[start] + working.time // MINUTE)


def in_days(by: By, start: int) -> int:
    """Return the minute of that time of the day on a later working day."""
    day = (BEGIN + start * MINUTE).astimezone(BERLIN).date()
    for _ in range(by.days):
        day += timedelta(days=1)
        while day.weekday() not in HOURS:
            day += timedelta(days=1)
    return (datetime.combine(day, by.time, BERLIN) - BEGIN) // MINUTE


@st.composite
def plain_specs(draw: st.DrawFn) -> ClockSpec:
    """Draw a definition for the whole request, whose targets and warnings fall on whole minutes."""
    targets = st.sampled_from(("3 hours", "1 day", "4 working hours", "20 working minutes"))
    moments = st.builds(By, time=st.sampled_from((time(3), time(11), time(13), time(20))), days=st.integers(1, 2))
    return ClockSpec.model_validate(
        {
            "id": "own",
            "name": "Own",
            "start": draw(st.lists(kinds, min_size=1, max_size=2)),
            "pause": draw(st.lists(st.sampled_from(sorted(ENDS)), max_size=3)),
            "stop": draw(st.lists(kinds, min_size=1, max_size=2)),
            "cancel": draw(st.lists(kinds, max_size=1)),
            "target": draw(targets | moments),
            "warn": (50, 75),
        }
    )


def stepped(spec: ClockSpec, events: list[Happened], last: int) -> Stepper:
    """Live through every minute."""
    stepper = Stepper(spec, always=isinstance(spec.target, timedelta))
    coming = {
        minute: list(found) for minute, found in itertools.groupby(events, lambda event: (event.at - BEGIN) // MINUTE)
    }
    for minute in range(last + 1):
        stepper.look(minute)
        for event in coming.get(minute, ()):
            began = stepper.state
            stepper.hear(event)
            if not began and stepper.state:
                stepper.begin(minute)
        if minute < last:
            stepper.tick(minute)
    return stepper


@given(st.data())
def test_a_clock_agrees_with_one_that_looks_every_minute(data: st.DataObject) -> None:
    spec = data.draw(plain_specs())
    events = in_order(data.draw(histories(spec)))
    last = data.draw(st.integers(0, MOST - 1))
    events = [event for event in events if event.at <= BEGIN + last * MINUTE]
    expected = stepped(spec, events, last)
    now = BEGIN + last * MINUTE
    clocks = read(spec, events, now)
    assert bool(clocks) == bool(expected.state)
    for clock in clocks:
        assert (clock.state, clock.elapsed, clock.paused) == (
            expected.state,
            expected.elapsed * MINUTE,
            expected.paused * MINUTE,
        )
        seen = {mark.percent: -((BEGIN - mark.at) // MINUTE) for mark in reached(clock)}  # in the minute that is next
        assert seen == expected.marks


def definitions() -> Iterator[ClockSpec]:
    """Yield the same clock with its triggers written in every order."""
    for pause in itertools.permutations(("attention", "information-requested", "waiting-for-others")):
        yield ClockSpec.model_validate(
            {"id": "own", "name": "Own", "start": "ordered", "pause": pause, "stop": "fulfilled", "target": "1 day"}
        )


@given(st.data())
def test_the_order_in_which_triggers_are_written_means_nothing(data: st.DataObject) -> None:
    first, *others = definitions()
    events = in_order(data.draw(histories(first)))
    now = BEGIN + MOST * MINUTE
    assert all(read(other, events, now) == read(first, events, now) for other in others)
