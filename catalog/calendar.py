"""Working hours: when a calendar is open, and how working time adds up (feature rows A12, S2, S4).

Pure: moments come in as arguments, and holidays stand in the calendar as dates; `activities.calendars` works them out
from what an author wrote (`catalog.calendar_file`).

One rule decides everything: a calendar is open at a moment exactly if a clock on the wall in its zone then shows a time
within its hours. So a segment over the hour that is left out in spring is an hour shorter, and what would begin in it
begins at the moment after; the hour that comes twice in autumn counts twice; and a date that a zone skipped has no
working time. A segment holds its beginning and not its end. One that goes over midnight belongs to the day on which it
begins: what closes that day closes all of it.

Moments are aware datetimes; answers are in UTC. Nothing is searched for without end: what is too far away raises
`NeverOpen` or `TooLong`, and what is before the year 5 or after 9996 `catalog.zones.OutOfRange`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, NamedTuple, TypeVar

from pydantic import Field, model_validator

from catalog.duration import Working
from catalog.hours import MINUTES, WEEKDAYS, Days, Segment, Week
from catalog.model import Misplaced, Model, Slug
from catalog.zones import DAY, MINUTE, Stretch, Zone, instant, stretches, wall_of

MAX_PARTS = 16
"""How many calendars may be united into one."""


class NeverOpen(ValueError):
    """A calendar is closed for ten years: it has come to its end, or has not begun."""


class TooLong(ValueError):
    """A calendar goes on, but has less working time in a hundred years than is asked for."""


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
    return _block(calendar, moment // _BLOCK).is_open(moment)


def next_open(calendar: Calendar, at: datetime) -> datetime:
    """Return the first moment, from `at` on, at which the calendar is open.

    Raises:
        NeverOpen: there is none within ten years.
    """
    moment = _moment(at)
    blocks = _kept(calendar, moment // _BLOCK, 1, _block)
    return _datetime(next(found for block in blocks if (found := block.next_open(moment)) is not None))


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
        NeverOpen: the calendar comes to its end before.
        TooLong: it takes more than a hundred years.
    """
    moment, left = _moment(at), _length(length)
    if not left:
        return _datetime(moment)
    for block in _kept(calendar, moment // _BLOCK, 1, _block):
        until = block.passed(moment) + left
        if until <= block.total:
            return _datetime(block.earliest(until))
        left = until - block.total
    raise _too_long(calendar)


def subtract(calendar: Calendar, at: datetime, length: timedelta) -> datetime:
    """Return the latest moment from which that much working time passes until `at`; `at` itself for none.

    For a positive length, `subtract` of what `add` gave is the next open moment from where that began: so the two
    invert each other where the calendar is open.

    Raises:
        ValueError: the length is negative.
        NeverOpen: the calendar had not begun.
        TooLong: it takes more than a hundred years.
    """
    moment, left = _moment(at), _length(length)
    if not left:
        return _datetime(moment)
    for block in _kept(calendar, moment // _BLOCK, -1, _block):
        passed = block.passed(moment)
        if left <= passed:
            return _datetime(block.latest(passed - left))
        left -= passed
    raise _too_long(calendar)


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

    Raises:
        NeverOpen: the calendar comes to its end before, or had not begun.
        TooLong: it takes more than a hundred years.
    """
    calendar = _same(calendar)
    moment = _last_open(calendar, _moment(at)) if days < 0 else _moment(next_open(calendar, at))
    if not days:
        return _datetime(moment)
    first = _day_of(calendar, moment)
    day = _working_day(calendar, first, days)
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
    day = _working_day(calendar, day, days) if days else _working_day(calendar, day - 1, 1)
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

_BLOCK_DAYS = 63
"""Working time is worked out for so much time at once, and kept. These are whole weeks, so that all blocks are alike
in which the clocks are not changed and no day is special."""
_BLOCK = _BLOCK_DAYS * DAY
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IDLE_BLOCKS = 1 + 3_653 // _BLOCK_DAYS
"""Ten years."""
_MOST_BLOCKS = 1 + 36_525 // _BLOCK_DAYS
"""A hundred years, as long as any length of time may be."""
_KEPT = 8_192
"""How many blocks are kept of all calendars: a hundred years of a dozen of them."""

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


def _too_long(calendar: Calendar) -> TooLong:
    return TooLong(f"the calendar {calendar.id!r} has too little working time: less in a hundred years than is asked")


@lru_cache(maxsize=128)
def _same(calendar: Calendar) -> Calendar:
    """Return the first calendar seen that equals this: what is kept for it is found without comparing all its days."""
    return calendar


class _Pattern(NamedTuple):
    """Open intervals within a block, from its beginning, in order; and how much is open until each of them ends."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    sums: tuple[int, ...]


class _Block(NamedTuple):
    """A stretch of time that begins at a moment, and the pattern of its open intervals."""

    begin: int
    pattern: _Pattern

    def __bool__(self) -> bool:
        """Return whether any of it is open."""
        return bool(self.pattern.sums)

    @property
    def total(self) -> int:
        return self.pattern.sums[-1] if self else 0

    def is_open(self, moment: int) -> bool:
        begun = bisect_right(self.pattern.starts, moment - self.begin)
        return begun > 0 and moment - self.begin < self.pattern.ends[begun - 1]

    def next_open(self, moment: int) -> int | None:
        """Return the first open moment from one on; None if there is none in it."""
        coming = bisect_right(self.pattern.ends, moment - self.begin)
        if coming == len(self.pattern.ends):
            return None
        return max(moment, self.begin + self.pattern.starts[coming])

    def last_open(self, moment: int) -> int | None:
        """Return the last moment up to one at which it was open or had just been; None if it never was."""
        begun = bisect_right(self.pattern.starts, moment - self.begin)
        return min(moment, self.begin + self.pattern.ends[begun - 1]) if begun else None

    def passed(self, moment: int) -> int:
        """Return how much of the block before a moment is open."""
        _, ends, sums = self.pattern
        begun = bisect_right(self.pattern.starts, moment - self.begin)
        return sums[begun - 1] - max(ends[begun - 1] - (moment - self.begin), 0) if begun else 0

    def earliest(self, passed: int) -> int:
        """Return the first moment by which so much has passed; more than nothing."""
        _, ends, sums = self.pattern
        number = bisect_left(sums, passed)
        return self.begin + ends[number] - (sums[number] - passed)

    def latest(self, passed: int) -> int:
        """Return the last moment by which no more has passed; less than all."""
        _, ends, sums = self.pattern
        number = bisect_right(sums, passed)
        return self.begin + ends[number] - (sums[number] - passed)


_K = TypeVar("_K", bound="_Block | tuple[int, ...]")


def _kept(calendar: Calendar, first: int, step: int, look_up: Callable[[Calendar, int], _K]) -> Iterator[_K]:
    """Yield what is kept of a block and of those after it, or before it, for a hundred years.

    Raises:
        NeverOpen: there is nothing for ten years.
    """
    calendar = _same(calendar)
    idle = 0
    for number in range(first, first + step * _MOST_BLOCKS, step):
        kept = look_up(calendar, number)
        idle = 0 if kept else idle + 1
        if idle > _IDLE_BLOCKS:
            raise NeverOpen(f"the calendar {calendar.id!r} has too little working time: none for ten years")
        yield kept


@lru_cache(maxsize=_KEPT)
def _block(calendar: Calendar, number: int) -> _Block:
    """Return the open intervals of a block: 0 begins with 1970."""
    begin = number * _BLOCK
    offsets = tuple(_usual(part, number) for part in calendar.parts or (calendar,))
    known = tuple(offset for offset in offsets if offset is not None)
    if len(known) == len(offsets):
        return _Block(begin, _usually(calendar, known))
    if calendar.parts:
        blocks = [_block(part, number) for part in calendar.parts]
        found = [
            (block.begin + one, block.begin + other)
            for block in blocks
            for one, other in zip(block.pattern.starts, block.pattern.ends, strict=True)
        ]
    else:
        found = [
            one
            for stretch in _clocks(calendar.zone, number)
            for one in _shown_in(stretch, begin, _rules(calendar).hours)
        ]
    return _Block(begin, _pattern((one - begin, other - begin) for one, other in found))


def _usual(calendar: Calendar, number: int) -> int | None:
    """Return how far clocks are ahead in a block; None if they are changed around it, or a day has hours of its own."""
    clocks = _clocks(calendar.zone, number)
    special = _rules(calendar).special
    first = bisect_left(special, number * _BLOCK_DAYS - _AROUND)
    last = bisect_left(special, (number + 1) * _BLOCK_DAYS + _AROUND)
    return clocks[0].offset if len(clocks) == 1 and first == last else None


@lru_cache(maxsize=1_024)
def _usually(calendar: Calendar, offsets: tuple[int, ...]) -> _Pattern:
    """Return the pattern of a block of usual weeks, given how far the clocks are ahead: in each part of a union."""
    if not calendar.parts:
        stretch = Stretch(-_AROUND * DAY, _BLOCK + _AROUND * DAY, offsets[0])
        return _pattern(_shown_in(stretch, 0, _rules(calendar).usual))
    patterns = [_usually(part, (offset,)) for part, offset in zip(calendar.parts, offsets, strict=True)]
    return _pattern(one for pattern in patterns for one in zip(pattern.starts, pattern.ends, strict=True))


def _shown_in(stretch: Stretch, begin: int, hours: Callable[[int], Iterable[Segment]]) -> Iterator[_Interval]:
    """Yield when, within a stretch and the block that begins at a moment, the clocks show the hours of any day."""
    within = Stretch(max(stretch.begin, begin), min(stretch.until, begin + _BLOCK), stretch.offset)
    first, last = (within.begin + within.offset) // DAY - 1, (within.until + within.offset) // DAY
    for day in range(first, last + 1):
        yield from _shown(within, day, hours(day))


_AROUND = 3
"""How many days around a block can matter to it: dates of other zones, and what goes on over midnight."""


@lru_cache(maxsize=_KEPT)
def _clocks(zone: str, number: int) -> tuple[Stretch, ...]:
    """Return the stretches of a block and the days around it."""
    begin, until = number * _BLOCK - _AROUND * DAY, (number + 1) * _BLOCK + _AROUND * DAY
    return tuple(stretches(zone, begin, until))


def _pattern(intervals: Iterable[_Interval]) -> _Pattern:
    """Return open intervals, which may overlap, as a pattern."""
    starts, ends, sums = [], [], []
    total = 0
    for one, other in _merged(intervals):
        total += other - one
        starts.append(one)
        ends.append(other)
        sums.append(total)
    return _Pattern(tuple(starts), tuple(ends), tuple(sums))


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
    """What a calendar says, by number of the weekday and of the day; `special` has the days of the latter in order."""

    week: tuple[tuple[Segment, ...], ...]
    days: Mapping[int, tuple[Segment, ...]]
    special: tuple[int, ...]

    def hours(self, day: int) -> tuple[Segment, ...]:
        """Return the segments that begin on a day."""
        found = self.days.get(day)
        return self.usual(day) if found is None else found

    def usual(self, day: int) -> tuple[Segment, ...]:
        """Return those that begin on such a weekday."""
        return self.week[(day + 3) % 7]  # 1 January 1970 was a Thursday


@lru_cache(maxsize=128)
def _rules(calendar: Calendar) -> _Rules:
    week = tuple(calendar.week.get(day, ()) for day in WEEKDAYS)
    first = date(1970, 1, 1)
    days = {(day - first).days: hours for day, hours in calendar.days.items()}
    return _Rules(week, days, tuple(sorted(days)))


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
    blocks = _kept(calendar, moment // _BLOCK, -1, _block)
    return next(found for block in blocks if (found := block.last_open(moment)) is not None)


_NEAR = (0, 1, -1, 2, -2, -3, -4)
"""By how many days the date in a zone may differ from the working day: over midnight, around the world, after a day
that was skipped."""


def _day_of(calendar: Calendar, moment: int) -> int:
    """Return the working day that a moment of work, or its end, belongs to; if there are several, the nearest date."""
    within = moment if is_open(calendar, _datetime(moment)) else moment - 1
    today = wall_of(calendar.zone, within) // DAY
    days = (today + days for days in _NEAR)
    return next(day for day in days if any(a <= within < b for a, b in _hours_on(calendar, day)))


def _working_day(calendar: Calendar, day: int, count: int) -> int:
    """Return the how many-th working day after a day, or before it if that is negative; it is not zero."""
    left = abs(count)
    for days in _kept(calendar, day // _BLOCK_DAYS, 1 if count > 0 else -1, _days):
        coming = days[bisect_right(days, day) :] if count > 0 else days[: bisect_left(days, day)][::-1]
        if left <= len(coming):
            return coming[left - 1]
        left -= len(coming)
    raise _too_long(calendar)


@lru_cache(maxsize=_KEPT)
def _days(calendar: Calendar, number: int) -> tuple[int, ...]:
    """Return the working days of a block of dates, as the calendar's zone counts them."""
    if calendar.parts:
        return tuple(sorted({day for part in calendar.parts for day in _days(part, number)}))
    hours = _rules(calendar).hours
    begin = number * _BLOCK_DAYS
    # Where clocks leave time out, it may be all the hours of a day.
    doubtful = {
        day
        for one, other in pairwise(_clocks(calendar.zone, number))
        for day in range((one.until + one.offset) // DAY - 1, (other.begin + other.offset) // DAY + 1)
    }
    written = (day for day in range(begin, begin + _BLOCK_DAYS) if hours(day))
    return tuple(day for day in written if day not in doubtful or _hours_on(calendar, day))


def counted(own: Calendar, count: Callable[[Calendar], datetime], furthest: datetime) -> datetime:
    """Return what counting in a calendar gives; by the clock if it has come to its end, `furthest` if it takes longer.

    For times that are counted while a request runs: somebody has to be waited for, whatever became of their calendar.
    """
    try:
        return count(own)
    except NeverOpen:
        return count(ALWAYS)
    except TooLong:
        return furthest
