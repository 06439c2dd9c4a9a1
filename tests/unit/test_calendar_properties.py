"""Calendars against a stepper that goes through every minute and looks at a clock on the wall and the written hours.

The stepper knows nothing of how `catalog.calendar` counts. Calendars are drawn with several segments a day, over
midnight, holidays, half days and unions; moments mostly near a change of the clocks, from 2020 to 2040.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.trying import examples

from catalog.calendar import Calendar, add, before, between, end, is_open, next_open, subtract, working_days
from catalog.duration import Working
from catalog.hours import WEEKDAYS

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 12, 31, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP = timedelta(minutes=5)
DAY = timedelta(days=1)
APIA_SKIPS = datetime(2011, 12, 30, 10, tzinfo=UTC)
"""The end of 29 December 2011 in Apia, after which the 31st began."""


# --- the stepper


def shown(zone: str, at: datetime) -> datetime:
    """Return what a clock on the wall shows."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@cache
def minutes(text: str) -> tuple[int, int]:
    """Return the first minute of a segment and the first after it, as written, from midnight."""
    first, last = (60 * int(clock[:2]) + int(clock[3:]) for clock in text.split("-"))
    return first, last if last > first else last + 1440


class Wall:
    """A calendar as its JSON says it."""

    def __init__(self, calendar: Calendar) -> None:
        said: dict[str, Any] = calendar.model_dump(mode="json")
        self.zone: str = said["zone"]
        self.week: dict[str, list[str]] = said["week"]
        self.days: dict[str, list[str]] = said["days"]
        self.parts = [Wall(part) for part in calendar.parts]

    def hours(self, day: date) -> list[str]:
        return self.days.get(day.isoformat(), self.week.get(WEEKDAYS[day.weekday()], []))

    def is_within(self, day: date, at: datetime) -> bool:
        """Return whether the hours that begin on a day go on at a moment."""
        wall = shown(self.zone, at)
        minute = (wall.date() - day).days * 1440 + wall.hour * 60 + wall.minute
        return any(first <= minute < last for first, last in map(minutes, self.hours(day)))

    def is_open(self, at: datetime) -> bool:
        if self.parts:
            return any(part.is_open(at) for part in self.parts)
        today = shown(self.zone, at).date()
        return self.is_within(today, at) or self.is_within(today - DAY, at)

    def on(self, day: date) -> list[datetime]:
        """Return the steps of a working day; none if it is not one; a union has those of its parts."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        steps = [midnight - DAY + n * STEP for n in range(4 * 288)]
        if self.parts:
            return sorted({at for part in self.parts for at in part.on(day)})
        return [at for at in steps if self.is_within(day, at)]

    def first_showing(self, wall: datetime) -> datetime:
        """Return the first step at which the clock shows a time, or a later one if it leaves that out."""
        start = wall.replace(tzinfo=UTC) - 2 * DAY
        return next(at for at in (start + n * STEP for n in range(4 * 288)) if shown(self.zone, at) >= wall)


# --- what is drawn


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """Return the days before the clocks are changed."""
    days = [FIRST + n * DAY for n in range((LAST - FIRST).days)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in (*days, LAST)]
    return tuple(day for day, one, other in zip(days, offsets, offsets[1:], strict=False) if one != other)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def segments(cuts: list[int]) -> list[str]:
    """Return segments between pairs of minutes, at most a day long; the last may go over midnight."""
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return [f"{clock(one % 1440)}-{clock(min(other, one + 1435) % 1440)}" for one, other in pairs]


def some_cuts(last: int, most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, last // 5).map(lambda n: 5 * n), min_size=2, max_size=most, unique=True).map(sorted)


OFFICE = {day: ["09:00-12:30", "13:00-17:00"] for day in WEEKDAYS[:5]}
NIGHT = {day: ["22:00-06:00"] for day in WEEKDAYS[:5]}
EARLY = {day: ["01:30-02:30", "02:45-03:15"] for day in WEEKDAYS}
ALL_DAY = {day: ["00:00-24:00"] for day in WEEKDAYS}


@st.composite
def some_week(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw hours: cuts through the whole week, each pair a segment of the day on which it begins."""
    cuts = draw(some_cuts(7 * 1440 - 10, 30))
    week: dict[str, list[str]] = {}
    for one, other in zip(cuts[::2], cuts[1::2], strict=False):
        week.setdefault(WEEKDAYS[one // 1440], []).extend(segments([one, other]))
    return week


weeks = st.sampled_from((OFFICE, NIGHT, EARLY, ALL_DAY)) | some_week()
hours_of_a_day: st.SearchStrategy[list[str]] = st.just([]) | some_cuts(1435, 6).map(segments)


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    """Draw a moment, mostly near a change of the clocks."""
    at = draw(st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None))).replace(tzinfo=UTC)
    near = draw(st.sampled_from((*changes(zone)[:40], APIA_SKIPS, None)))
    at = near + draw(st.integers(-288, 288)) * STEP if near else at
    return at.replace(minute=at.minute // 5 * 5, second=0, microsecond=0)


@st.composite
def leaves(draw: st.DrawFn, at: datetime, zone: str) -> Calendar:
    days = draw(st.dictionaries(st.integers(-3, 5).map(lambda n: (at + n * DAY).date()), hours_of_a_day, max_size=4))
    return Calendar.model_validate({"id": "drawn", "name": "Drawn", "zone": zone, "week": draw(weeks), "days": days})


@st.composite
def cases(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """Draw a calendar, one of three a union, and a moment."""
    zone = draw(st.sampled_from(ZONES))
    at = draw(moments(zone))
    if draw(st.integers(0, 2)):
        return draw(leaves(at, zone)), at
    parts = [draw(leaves(at, draw(st.sampled_from(ZONES)))) for _ in range(draw(st.integers(1, 3)))]
    return Calendar(id="union", name="Union", zone=zone, parts=tuple(parts)), at


lengths = st.integers(0, 60 * 24 * 40).map(lambda n: n * MINUTE) | st.timedeltas(timedelta(0), timedelta(days=40))
positive = lengths.filter(bool)


# --- what holds


@examples(150)
@given(cases(), st.data())
def test_every_minute_is_open_or_closed_and_counts_as_the_clock_on_the_wall_says(
    case: tuple[Calendar, datetime], data: st.DataObject
) -> None:
    calendar, at = case
    wall, count = Wall(calendar), 2 * 1440
    opened = [wall.is_open(at + n * MINUTE) for n in range(count)]
    assert [is_open(calendar, at + n * MINUTE) for n in range(count)] == opened
    total = sum(opened)
    assert between(calendar, at, at + count * MINUTE) == total * MINUTE
    if not total:
        return
    assert next_open(calendar, at) == at + opened.index(True) * MINUTE
    working = [n for n, flag in enumerate(opened) if flag]
    length = data.draw(st.integers(1, total))
    assert add(calendar, at, length * MINUTE) == at + (working[length - 1] + 1) * MINUTE
    assert subtract(calendar, at + count * MINUTE, length * MINUTE) == at + working[-length] * MINUTE


@examples(70)
@given(cases(), st.integers(1, 2))
def test_working_days_end_where_a_stepper_ends(case: tuple[Calendar, datetime], days: int) -> None:
    calendar, at = case
    wall = Wall(calendar)
    start = next_open(calendar, at)
    today = shown(wall.zone, start).date()
    owner = next(day for day in (today + n * DAY for n in (0, 1, -1, 2, -2, -3)) if start in wall.on(day))
    steps: list[datetime] = []
    day = owner
    for _ in range(days):
        steps = []
        while not steps:
            day += DAY
            steps = wall.on(day)
    target = wall.first_showing(shown(wall.zone, start) + (day - owner))
    earlier = [step for step in steps if step < target]
    expected = target if target in steps else max(earlier) + STEP if earlier else min(steps)
    assert working_days(calendar, at, days) == expected


@given(cases(), positive)
def test_what_is_added_lies_between(case: tuple[Calendar, datetime], length: timedelta) -> None:
    calendar, at = case
    later = add(calendar, at, length)
    assert later > at
    assert between(calendar, at, later) == length
    assert between(calendar, at, later - timedelta(microseconds=1)) < length, "and not a moment earlier"


@given(cases(), positive)
def test_what_is_subtracted_lies_between(case: tuple[Calendar, datetime], length: timedelta) -> None:
    calendar, at = case
    earlier = subtract(calendar, at, length)
    assert earlier < at
    assert between(calendar, earlier, at) == length
    assert between(calendar, earlier + timedelta(microseconds=1), at) < length, "and not a moment later"


@given(cases(), positive)
def test_subtracting_what_was_added_leads_back_to_the_next_open_moment(
    case: tuple[Calendar, datetime], length: timedelta
) -> None:
    calendar, at = case
    assert subtract(calendar, add(calendar, at, length), length) == next_open(calendar, at)


@given(cases(), positive)
def test_adding_what_was_subtracted_leads_back_to_the_last_moment_of_work(
    case: tuple[Calendar, datetime], length: timedelta
) -> None:
    calendar, at = case
    back = add(calendar, subtract(calendar, at, length), length)
    assert back <= at
    assert between(calendar, back, at) == timedelta(0)
    assert is_open(calendar, back - timedelta(microseconds=1))


@given(cases(), st.lists(lengths, min_size=2, max_size=2))
def test_between_adds_up_in_any_order(case: tuple[Calendar, datetime], steps: list[timedelta]) -> None:
    calendar, one = case
    other, third = one - steps[0], one + steps[1]
    whole = between(calendar, one, other) + between(calendar, other, third)
    assert between(calendar, one, third) == whole
    assert between(calendar, third, one) == -whole


@given(cases(), lengths, lengths)
def test_adding_in_two_steps_is_adding_at_once(
    case: tuple[Calendar, datetime], one: timedelta, other: timedelta
) -> None:
    calendar, at = case
    assert add(calendar, add(calendar, at, one), other) == add(calendar, at, one + other)


@given(cases())
def test_the_next_open_moment_is_open_and_nothing_before_it_is(case: tuple[Calendar, datetime]) -> None:
    calendar, at = case
    found = next_open(calendar, at)
    assert found >= at
    assert is_open(calendar, found)
    assert between(calendar, at, found) == timedelta(0)


spans = st.builds(Working, days=st.integers(0, 5), time=st.integers(1, 900).map(lambda n: n * MINUTE))


@given(cases(), spans, lengths)
def test_what_begins_later_ends_no_earlier(case: tuple[Calendar, datetime], span: Working, wait: timedelta) -> None:
    calendar, at = case
    assert end(calendar, at, span) <= end(calendar, at + wait, span)


@given(cases(), st.integers(1, 5))
def test_working_days_end_within_working_time_or_at_its_end(case: tuple[Calendar, datetime], days: int) -> None:
    calendar, at = case
    for found in (working_days(calendar, at, days), before(calendar, at, Working(days=days))):
        assert is_open(calendar, found) or is_open(calendar, found - timedelta(microseconds=1))
    assert working_days(calendar, at, days) > at
    assert before(calendar, at, Working(days=days)) < at


@pytest.mark.parametrize("zone", ZONES)
def test_the_zones_that_are_drawn_from_change_their_clocks_or_never_do(zone: str) -> None:
    assert bool(changes(zone)) == (zone not in ("Asia/Kolkata", "Asia/Kathmandu"))
