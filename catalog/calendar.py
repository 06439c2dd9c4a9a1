"""Working hours: when a calendar is open, and how working time adds up (feature rows A12, S2, S4).

Pure: moments come in as arguments, and holidays stand in the calendar as dates; `activities.calendars` works them out
from what an author wrote (`catalog.calendar_file`).

One rule decides everything: a calendar is open at a moment exactly if a clock on the wall in its zone then shows a time
within its hours. So a segment over the hour that is left out in spring is an hour shorter, and what would begin in it
begins at the moment after; the hour that comes twice in autumn counts twice; and a date that a zone skipped has no
working time. A segment holds its beginning and not its end. One that goes over midnight belongs to the day on which it
begins: what closes that day closes all of it.

Moments are aware datetimes; answers are in UTC. Nothing is searched for without end: what is too far away raises
`NeverOpen`, and what is before the year 5 or after 9996 `catalog.zones.OutOfRange`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from catalog.duration import Working
from catalog.hours import MINUTES, WEEKDAYS, Days, Segment, Week
from catalog.model import Misplaced, Model, Slug
from catalog.zones import DAY, MINUTE, Stretch, Zone, instant, stretches, wall_of

MAX_PARTS = 16
"""How many calendars may be united into one."""


class NeverOpen(ValueError):
    """A calendar is closed for ten years, or has less working time in 400 years than is asked for."""


class Calendar(Model):
    """Working hours with holidays worked out: all that is needed to count working time.

    Attributes:
        zone: where the clock hangs that the hours are read from.
        week: working time by weekday.
        days: what single dates have instead: nothing on a holiday, other hours on half days and working Saturdays.
        known_until: the last date for which holidays are known; None if there are none to know.
        parts: it is open while any of these is, and has no hours of its own: a union that follows the sun. Its zone
            tells what time of the day it is.
    """

    id: Slug
    name: str
    zone: Zone = "UTC"
    week: Week = {}
    days: Days = {}
    known_until: date | None = None
    parts: Annotated[tuple[Calendar, ...], Field(max_length=MAX_PARTS)] = ()

    @model_validator(mode="after")
    def _has_working_time(self) -> Calendar:
        if self.parts and (self.week or self.days):
            raise ValueError("a union has no hours of its own; put them into one of its parts")
        for at, part in enumerate(self.parts):
            if part.parts:
                raise Misplaced(f"{part.id!r} is a union itself; name its parts instead", ("parts", at))
        if not self.parts and not any(self.week.values()) and not any(self.days.values()):
            raise ValueError("the calendar has no working time; write the hours of at least one day")
        return self

    def __hash__(self) -> int:
        """Return what equal calendars share, without going through all their days: hashes are asked for often."""
        return hash((self.id, self.zone, self.known_until, len(self.days), len(self.parts)))


ALWAYS = Calendar(id="always", name="Always", week={day: (Segment(0, MINUTES),) for day in WEEKDAYS})
"""The calendar that is open at any moment."""


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Return whether work is done at that moment; at the end of a segment it no longer is."""
    moment = _moment(at)
    block = _block(calendar, moment // _BLOCK)
    before = bisect_right(block.starts, moment)
    return before > 0 and moment < block.ends[before - 1]


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """Return the first moment, from `at` on, at which the calendar is open."""
    moment = _moment(at)
    for block in _blocks(calendar, moment, 1):
        coming = bisect_right(block.ends, moment)
        if coming < len(block.ends):
            return _datetime(max(moment, block.starts[coming]))
    raise _too_far(calendar)


def last_open(calendar: Calendar, at: datetime) -> datetime:
    """Return the last moment up to `at` at which work was done or had just been: `at` itself if it is open.

    Raises:
        NeverOpen: it was never open within as long as is looked back.
    """
    return _datetime(_last_open(_same(calendar), _moment(at)))


def add(calendar: Calendar, at: datetime, length: timedelta) -> datetime:
    """Return the earliest moment by which that much working time has passed since `at`; `at` itself for none.

    It may be the end of a segment, at which the calendar is just closed.

    Raises:
        ValueError: the length is negative.
    """
    moment, left = _moment(at), _length(length)
    if not left:
        return _datetime(moment)
    for block in _blocks(calendar, moment, 1):
        until = block.passed(moment) + left
        if until <= block.total:
            return _datetime(block.earliest(until))
        left = until - block.total
    raise _too_far(calendar)


def subtract(calendar: Calendar, at: datetime, length: timedelta) -> datetime:
    """Return the latest moment from which that much working time passes until `at`; `at` itself for none.

    For a positive length, `subtract` of what `add` gave is the next open moment from where that began: so the two
    invert each other where the calendar is open.

    Raises:
        ValueError: the length is negative.
    """
    moment, left = _moment(at), _length(length)
    if not left:
        return _datetime(moment)
    for block in _blocks(calendar, moment, -1):
        passed = block.passed(moment)
        if left <= passed:
            return _datetime(block.latest(passed - left))
        left -= passed
    raise _too_far(calendar)


def between(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Return how much working time lies between two moments; negative if the end comes first, so that it adds up."""
    first, last = _moment(start), _moment(end)
    if last < first:
        return -between(calendar, end, start)
    whole = sum(_block(calendar, number).total for number in range(first // _BLOCK, last // _BLOCK))
    begun = _block(calendar, first // _BLOCK).passed(first)
    return timedelta(microseconds=whole + _block(calendar, last // _BLOCK).passed(last) - begun)


def working_days(calendar: Calendar, at: datetime, days: int) -> datetime:
    """Return the moment so many working days later, at the same time of the day.

    It is counted from the next open moment. If the calendar is closed at the time of the day that is reached, it is
    the last moment at which work is done before it on that day, which is the end of a segment, or else the first.
    A working day is a date on which a segment begins, and the hours after midnight belong to it. A date is a
    working day of a union if it is one of any part, and what they all work on that date belongs to it.

    With a negative number it is that many working days earlier, counted from the last moment at which work was done.
    """
    calendar = _same(calendar)
    moment = _last_open(calendar, _moment(at)) if days < 0 else _moment(next_open(calendar, at))
    if not days:
        return _datetime(moment)
    first = day = _day_of(calendar, moment)
    for _ in range(abs(days)):
        day = _working_day(calendar, day, 1 if days > 0 else -1)
    target = instant(calendar.zone, wall_of(calendar.zone, moment) + (day - first) * DAY)
    hours = _hours_on(calendar, day)
    begun = [one for one in hours if one[0] <= target]
    return _datetime(min(target, begun[-1][1]) if begun else hours[0][0])


def at_time(calendar: Calendar, at: datetime, clock: time, days: int) -> datetime:
    """Return that time of the day, in the calendar's zone, on a working day (feature row S4).

    Args:
        calendar: says which days are working days.
        at: the moment from which on it is counted.
        clock: the time of the day; the calendar need not be open then. One that the zone leaves out in spring is the
            first moment after it, and of one that comes twice in autumn it is the first.
        days: how many working days after the date of `at`; 0 is the first moment, not before `at`, at which it is that
            time on a working day.
    """
    calendar, moment = _same(calendar), _moment(at)
    since = _micros(timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second))
    day = wall_of(calendar.zone, moment) // DAY
    if not days:
        day -= 1
    for _ in range(max(days, 1)):
        day = _working_day(calendar, day, 1)
    found = instant(calendar.zone, day * DAY + since)
    if not days and found < moment:
        found = instant(calendar.zone, _working_day(calendar, day, 1) * DAY + since)
    return _datetime(found)


def end(calendar: Calendar, at: datetime, span: timedelta | Working) -> datetime:
    """Return when a length that begins at that moment is over: of working time first the days, then the time."""
    if not isinstance(span, Working):
        return at.astimezone(UTC) + span
    reached = working_days(calendar, at, span.days) if span.days else at
    return add(calendar, reached, span.time)


def before(calendar: Calendar, at: datetime, span: timedelta | Working) -> datetime:
    """Return the moment from which a length lasts until `at`; of working time, first the time is taken off."""
    if not isinstance(span, Working):
        return at.astimezone(UTC) - span
    reached = subtract(calendar, at, span.time)
    return working_days(calendar, reached, -span.days) if span.days else reached


def open_on(calendar: Calendar, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """Return the working time that belongs to a date, as pairs of beginning and end: what begins on it, in order."""
    hours = _hours_on(_same(calendar), (day - date(1970, 1, 1)).days)
    return tuple((_datetime(start), _datetime(until)) for start, until in hours)


def is_holiday(calendar: Calendar, day: date) -> bool:
    """Return whether a date is closed although its weekday is not; a union is if all are that work on that weekday."""
    if calendar.parts:
        usual = [part for part in calendar.parts if part.week.get(WEEKDAYS[day.weekday()])]
        return bool(usual) and all(is_holiday(part, day) for part in usual) and not open_on(calendar, day)
    return calendar.days.get(day) == () and bool(calendar.week.get(WEEKDAYS[day.weekday()]))


# Below, moments and what clocks show are whole numbers, as in `catalog.zones`, and days are counted from 1970.

_BLOCK = 64 * DAY
"""Working time is worked out for so much time at once, and kept."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IDLE_BLOCKS = 1 + 3_653 // 64
"""Ten years."""
_MOST_BLOCKS = 1 + 146_097 // 64
"""400 years, after which all dates and weekdays repeat."""
_IDLE_DAYS = 3_653

_Interval = tuple[int, int]
"""Two moments; the first belongs to it, the second does not."""


def _micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _length(length: timedelta) -> int:
    if length < timedelta(0):
        raise ValueError("working time that is counted off is not negative")
    return _micros(length)


def _moment(at: datetime) -> int:
    return _micros(at - _EPOCH)


def _datetime(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)


def _too_far(calendar: Calendar) -> NeverOpen:
    return NeverOpen(
        f"the calendar {calendar.id!r} has too little working time: none for ten years, or less than asked"
    )


@lru_cache(maxsize=128)
def _same(calendar: Calendar) -> Calendar:
    """Return the first calendar seen that equals this: what is kept for it is found without comparing all its days."""
    return calendar


class _Block(NamedTuple):
    """The open intervals of a stretch of time, in order, and how much of it is open until each of them ends."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sums: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.sums[-1] if self.sums else 0

    def passed(self, moment: int) -> int:
        """Return how much of the block before a moment is open."""
        begun = bisect_right(self.starts, moment)
        return self.sums[begun - 1] - max(self.ends[begun - 1] - moment, 0) if begun else 0

    def earliest(self, passed: int) -> int:
        """Return the first moment by which so much has passed; more than nothing."""
        number = bisect_left(self.sums, passed)
        return self.ends[number] - (self.sums[number] - passed)

    def latest(self, passed: int) -> int:
        """Return the last moment by which no more has passed; less than all."""
        number = bisect_right(self.sums, passed)
        return self.ends[number] - (self.sums[number] - passed)


def _blocks(calendar: Calendar, moment: int, step: Literal[1, -1]) -> Iterator[_Block]:
    """Yield the block that holds a moment and those after it, or before it, as far as anything may be there."""
    idle = 0
    first = moment // _BLOCK
    for number in range(first, first + step * _MOST_BLOCKS, step):
        block = _block(calendar, number)
        idle = 0 if block.sums else idle + 1
        if idle > _IDLE_BLOCKS:
            return
        yield block


@lru_cache(maxsize=1_024)
def _block(calendar: Calendar, number: int) -> _Block:
    """Return the open intervals of a block: 0 begins with 1970."""
    begin, until = number * _BLOCK, (number + 1) * _BLOCK
    if calendar.parts:
        parts = [_block(part, number) for part in calendar.parts]
        found = [one for part in parts for one in zip(part.starts, part.ends, strict=True)]
    else:
        rules = _rules(calendar)
        found = []
        for stretch in stretches(calendar.zone, begin, until):
            first, last = (stretch.begin + stretch.offset) // DAY - 1, (stretch.until + stretch.offset) // DAY
            for day in range(first, last + 1):
                found += _shown(stretch, day, rules.hours(day))
    starts, ends, sums = [], [], []
    total = 0
    for one, other in _merged(found):
        total += other - one
        starts.append(one)
        ends.append(other)
        sums.append(total)
    return _Block(tuple(starts), tuple(ends), tuple(sums))


def _merged(intervals: Iterable[_Interval]) -> list[_Interval]:
    """Return intervals in order, those that meet as one."""
    found: list[_Interval] = []
    for start, until in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(until, found[-1][1])
        else:
            found.append((start, until))
    return found


def _shown(stretch: Stretch, day: int, hours: Iterable[Segment]) -> list[_Interval]:
    """Return when, within a stretch, the clocks show these hours of a day."""
    midnight = day * DAY - stretch.offset
    found = ((midnight + one.start * MINUTE, midnight + one.end * MINUTE) for one in hours)
    clipped = ((max(start, stretch.begin), min(until, stretch.until)) for start, until in found)
    return [(start, until) for start, until in clipped if start < until]


class _Rules(NamedTuple):
    """What a calendar says, by number of the weekday and of the day."""

    week: tuple[tuple[Segment, ...], ...]
    days: Mapping[int, tuple[Segment, ...]]

    def hours(self, day: int) -> tuple[Segment, ...]:
        """Return the segments that begin on a day."""
        found = self.days.get(day)
        return self.week[(day + 3) % 7] if found is None else found  # 1 January 1970 was a Thursday


@lru_cache(maxsize=128)
def _rules(calendar: Calendar) -> _Rules:
    week = tuple(calendar.week.get(day, ()) for day in WEEKDAYS)
    first = date(1970, 1, 1)
    return _Rules(week, {(day - first).days: hours for day, hours in calendar.days.items()})


@lru_cache(maxsize=16_384)
def _hours_on(calendar: Calendar, day: int) -> tuple[_Interval, ...]:
    """Return when a calendar is open on a day; nothing if that is no working day."""
    if calendar.parts:
        return tuple(_merged(one for part in calendar.parts for one in _hours_on(part, day)))
    hours = _rules(calendar).hours(day)
    if not hours:
        return ()
    around = stretches(calendar.zone, (day - 1) * DAY, (day + 3) * DAY)
    return tuple(_merged(one for stretch in around for one in _shown(stretch, day, hours)))


def _last_open(calendar: Calendar, moment: int) -> int:
    """Return the last moment at which work was done or had just been: `moment` itself if the calendar is open."""
    for block in _blocks(calendar, moment, -1):
        begun = bisect_right(block.starts, moment)
        if begun:
            return min(moment, block.ends[begun - 1])
    raise _too_far(calendar)


_NEAR = (0, 1, -1, 2, -2, -3, -4)
"""By how many days the date in a zone may differ from the working day: over midnight, around the world, after a day
that was skipped."""


def _day_of(calendar: Calendar, moment: int) -> int:
    """Return the working day that a moment of work, or its end, belongs to; if there are several, the nearest date."""
    within = moment if is_open(calendar, _datetime(moment)) else moment - 1
    today = wall_of(calendar.zone, within) // DAY
    days = (today + days for days in _NEAR)
    return next(day for day in days if any(a <= within < b for a, b in _hours_on(calendar, day)))


def _working_day(calendar: Calendar, day: int, step: Literal[1, -1]) -> int:
    """Return the next working day after a day, or before it."""
    for other in range(day + step, day + step * _IDLE_DAYS, step):
        if _hours_on(calendar, other):
            return other
    raise _too_far(calendar)
