"""Working time as authors write it: segments of a day, by weekday and for single days.

What a zone's clocks make of it, and how it adds up, is `catalog.calendar`'s business.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from catalog.model import Misplaced

MAX_SEGMENTS = 24
"""How many segments of working time a day may have."""
MAX_DAYS = 5_000
"""How many days a calendar may have that are not like their weekday."""

MINUTES = 1_440
"""A day on the wall."""


class Segment(NamedTuple):
    """A time of the day within which work is done, in minutes since midnight; its end may lie on the next day."""

    start: int
    end: int

    def __str__(self) -> str:
        end = self.end - MINUTES if self.end > MINUTES else self.end
        return f"{_clock(self.start)}-{_clock(end)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


_SEGMENT = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*[-–]\s*(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
_HOURS_EXAMPLE = "write it like 09:00-17:00, or 22:00-06:00 over midnight"


def _segment(value: Any) -> Segment:
    if isinstance(value, Segment):
        return value
    found = _SEGMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{str(value)[:40]!r} is no time of a day; {_HOURS_EXAMPLE}")
    start = 60 * int(found[1]) + int(found[2])
    end = 60 * int(found[3]) + int(found[4]) if found[3] else MINUTES
    if end == start:
        raise ValueError(f"{value!r} begins and ends at once; write 00:00-24:00 for a whole day")
    return Segment(start, end if end > start else end + MINUTES)


def _read_hours(value: Any) -> tuple[Segment, ...]:
    if value == "closed":
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError("the hours of a day are a list, or 'closed'; write them like [09:00-12:30, 13:00-17:00]")  # noqa: TRY004  pydantic reports ValueError
    if len(value) > MAX_SEGMENTS:
        raise ValueError(f"a day has at most {MAX_SEGMENTS} segments; join some of them")
    segments: list[Segment] = []
    for at, one in enumerate(value):
        try:
            segments.append(_segment(one))
        except ValueError as error:
            raise Misplaced(str(error), (at,)) from None
    segments.sort()
    for one, other in pairwise(segments):
        if one.end > other.start:
            raise ValueError(f"{one} and {other} overlap; join them into one, or correct their times")
    return tuple(segments)


Hours = Annotated[
    tuple[Segment, ...],
    PlainValidator(_read_hours),
    PlainSerializer(lambda hours: [str(one) for one in hours], return_type=list[str], when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [{"type": "array", "items": {"type": "string"}, "maxItems": MAX_SEGMENTS}, {"const": "closed"}],
            "description": "when work is done: a list such as [09:00-12:30, 13:00-17:00], or 'closed'",
        }
    ),
]
"""The working time of a day, in order; empty if there is none."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


def _read_week(week: dict[Weekday, tuple[Segment, ...]]) -> dict[Weekday, tuple[Segment, ...]]:
    for number, day in enumerate(WEEKDAYS):
        following = WEEKDAYS[(number + 1) % 7]
        late, early = week.get(day), week.get(following)
        if late and early and late[-1].end - MINUTES > early[0].start:
            what = f"{late[-1]} goes on into {early[0]} of {following}; let one end where the other begins"
            raise Misplaced(what, (day,))
    return week


Week = Annotated[dict[Weekday, Hours], AfterValidator(_read_week)]
"""Working time by weekday; a day that is left out is closed."""

_DAY_TEXT = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _read_day(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and _DAY_TEXT.fullmatch(value)):
        return value
    raise ValueError(f"{str(value)[:40]!r} is no day; write it as YYYY-MM-DD")


Days = Annotated[dict[Annotated[date, BeforeValidator(_read_day)], Hours], Field(max_length=MAX_DAYS)]
"""Working time of single days, whatever their weekday says."""
