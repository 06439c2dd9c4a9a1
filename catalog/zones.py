"""Time zones: what their clocks show at a moment, and at which moment they show a time.

Moments are microseconds since 1970 in UTC. What a clock on the wall shows, "wall", is microseconds since midnight of
1 January 1970 there. Whole numbers make it exact, and quick. What is open when is `catalog.calendar`'s business.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
_FIRST, _LAST = -718_000 * DAY, 2_932_000 * DAY
"""Some time of the years 4 and 9997: a day more or less, in any zone, is within what Python can count."""


class OutOfRange(ValueError):
    """A moment is before the year 5 or after the year 9996."""


_ZONE = re.compile(r"UTC|[A-Z]\w*(?:/[A-Z][\w+-]*)+", re.ASCII)
"""Names of places, which mean the same on every machine; 'localtime' does not, and 'EST' has no summer time."""


def _read_zone(zone: str) -> str:
    with contextlib.suppress(ZoneInfoNotFoundError, OSError):  # what cannot be found is as wrong as any other name
        if _ZONE.fullmatch(zone):
            return ZoneInfo(zone).key
    known = sorted(name for name in available_timezones() if _ZONE.fullmatch(name))
    city = zone.strip().replace(" ", "_").casefold()
    near = [name for name in known if name.casefold().rpartition("/")[2] == city]
    near = near or difflib.get_close_matches(zone, known, n=1)
    help_ = f"did you mean {near[0]!r}?" if near else "write it like Europe/Berlin, or UTC"
    raise ValueError(f"there is no time zone {zone[:40]!r}; {help_}")


Zone = Annotated[str, AfterValidator(_read_zone)]
"""A time zone by its name in the IANA database: ``Europe/Berlin``."""


class Stretch(NamedTuple):
    """A time during which the clocks of a zone are not changed, and how far they are ahead of UTC."""

    begin: int
    until: int
    offset: int


def stretches(zone: str, begin: int, until: int) -> list[Stretch]:
    """Return the stretches that make up a time; clocks are looked at every day, so no change is missed.

    Raises:
        OutOfRange: some of it is too early or too late to be counted.
    """
    place = ZoneInfo(zone)
    found = []
    start, offset = begin, _offset(place, begin)
    for seen in (*range(begin + DAY, until, DAY), until):
        while offset != _offset(place, seen):
            change = _change(place, max(start, seen - DAY), seen, offset)
            found.append(Stretch(start, change, offset))
            start, offset = change, _offset(place, change)
    found.append(Stretch(start, until, offset))
    return found


def _offset(place: ZoneInfo, moment: int) -> int:
    if not _FIRST <= moment <= _LAST:
        raise OutOfRange("time is counted from the year 5 to the year 9996")
    ahead = datetime.fromtimestamp(moment // SECOND, place).utcoffset()
    assert ahead is not None  # a zone of the database has one at any moment
    return ahead // timedelta(microseconds=1)


def _change(place: ZoneInfo, before: int, after: int, offset: int) -> int:
    """Return the first moment at which the clocks are not that far ahead of UTC, given one of each kind."""
    low, high = before // SECOND, after // SECOND
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(place, middle * SECOND) == offset else (low, middle)
    return high * SECOND


def wall_of(zone: str, moment: int) -> int:
    """Return what the clocks of a zone show."""
    return moment + _offset(ZoneInfo(zone), moment)


def instant(zone: str, wall: int) -> int:
    """Return the first moment at which the clocks of a zone show a time, or would, if it were not left out."""
    around = stretches(zone, wall - 2 * DAY, wall + 2 * DAY)
    return next(max(one.begin, wall - one.offset) for one in around if wall < one.until + one.offset)


def gaps(zone: str, begin: int, until: int) -> list[tuple[int, int]]:
    """Return the times that the clocks of a zone leave out, each as the first of them and the first they show again."""
    around = stretches(zone, begin, until)
    return [
        (one.until + one.offset, other.begin + other.offset)
        for one, other in pairwise(around)
        if other.offset > one.offset
    ]
