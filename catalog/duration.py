"""Lengths of time as people write them: ``10 days``, ``1 week 2 days``, ISO 8601 ``P10D``; or ``3 working days``.

Months and years are refused: they have no fixed length. How long working time lasts depends on a calendar, and is
`catalog.calendar`'s business.
"""

from __future__ import annotations

import difflib
import re
from datetime import timedelta
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, PlainSerializer, SerializationInfo, WithJsonSchema, model_validator

from catalog.model import Model

_UNITS = {
    "s": "seconds", "sec": "seconds", "second": "seconds", "seconds": "seconds",
    "m": "minutes", "min": "minutes", "minute": "minutes", "minutes": "minutes",
    "h": "hours", "hour": "hours", "hours": "hours",
    "d": "days", "day": "days", "days": "days",
    "w": "weeks", "week": "weeks", "weeks": "weeks",
}  # fmt: skip
_WORKING = ("working", "business")
"""What before a unit says that only working time counts."""
_PART = re.compile(r"(\d{1,6})\s*(?:([a-z]+)\s+)?([a-z]+)", re.ASCII)
_NUMBER = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_ISO = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})S)?)?",
    re.ASCII,
)
LONGEST = timedelta(days=36_525)
"""A hundred years: any time of this calendar can be moved by it, and every length up to it is written and read back."""
MOST_WORKING_DAYS = 10_000
"""How many days of working time can be counted, and how many times 24 hours of it."""
_MAX_TEXT = 100
_EXAMPLES = "write it like '10 days', '8 hours', '1 week 2 days' or 'P10D'"
_WORKING_EXAMPLES = "write it like '3 working days' or '4 working hours'"


class Working(Model):
    """A length of working time: so many working days, then so much time within working hours.

    Attributes:
        days: whole working days; how long each is depends on the calendar.
        time: working time in whole seconds.
    """

    days: Annotated[int, Field(ge=0, le=MOST_WORKING_DAYS)] = 0
    time: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=MOST_WORKING_DAYS))] = timedelta(0)

    @model_validator(mode="after")
    def _is_a_length(self) -> Working:
        if not self.days and not self.time:
            raise ValueError(f"a duration must be longer than zero; {_WORKING_EXAMPLES}")
        if self.time.microseconds:
            raise ValueError(f"working time is counted in whole seconds; {_WORKING_EXAMPLES}")
        return self

    def __str__(self) -> str:
        return " ".join(_worked(self))


def parse(text: str) -> timedelta:
    """Return the length that `text` names.

    Raises:
        ValueError: the text is not a duration, or it is zero or longer than `LONGEST`, or working time.
    """
    span = parse_span(text)
    if isinstance(span, Working):
        raise ValueError(f"{text.strip()!r} is working time, which does not count here; {_EXAMPLES}")  # noqa: TRY004  it is about the text
    return span


def parse_span(text: str) -> timedelta | Working:
    """Return the length that `text` names, of clock time or of working time.

    Raises:
        ValueError: the text is neither, or a mixture, or it is zero or too long.
    """
    if len(text) > _MAX_TEXT:
        raise _not_a_duration(text)
    if text.strip().startswith("P"):
        return _bounded(_parse_iso(text.strip()))
    parts = _parts(text)
    marks = {bool(part.mark) for part in parts}
    if marks == {False}:
        return _bounded(sum((part.length for part in parts), timedelta(0)))
    if marks == {True}:
        return _working(text, parts)
    raise ValueError(
        f"{text.strip()!r} mixes working time with other time; write 'working' before each unit, or nowhere"
    )


def _bounded(length: timedelta) -> timedelta:
    if length <= timedelta(0):
        raise ValueError(f"a duration must be longer than zero; {_EXAMPLES}")
    if length > LONGEST:
        raise ValueError(f"a duration must not exceed a hundred years; {_EXAMPLES}")
    return length


def _not_a_duration(value: object) -> ValueError:
    bare = str(value).strip()
    if _NUMBER.fullmatch(bare):
        end = "s" if bare != "1" else ""
        return ValueError(f"'{bare}' has no unit; write it like '{bare} day{end}' or '{bare} hour{end}'")
    return ValueError(f"{str(value)[:40]!r} is not a duration; {_EXAMPLES}")


class _Part(NamedTuple):
    """A number, what stands before the unit, and the unit: ``3``, ``working``, ``days``."""

    number: str
    mark: str
    unit: str

    @property
    def length(self) -> timedelta:
        return timedelta(**{_UNITS[self.unit]: int(self.number)})

    def known(self) -> bool:
        """Return whether this is spelt right."""
        return self.unit in _UNITS and self.mark in ("", *_WORKING)

    def meant(self) -> str:
        """Return what this must mean, as it is spelt; empty if that cannot be told."""
        mark, unit = self.mark, self.unit
        if not mark and unit.startswith("work"):
            mark, unit = "working", unit.removeprefix("work")
        unit = _UNITS.get(_nearest(unit, _UNITS), "")
        mark = _nearest(mark, _WORKING) if mark else " "
        return " ".join(f"{self.number} {mark} {_counted(unit, int(self.number))}".split()) if unit and mark else ""


_CLOSE = 0.7
"""How much alike a misspelt word and a real one are, from 0 to 1; month and minute are not."""


def _nearest(word: str, known: Any) -> str:
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=_CLOSE)), "")


def _counted(unit: str, number: int) -> str:
    return unit if number != 1 else unit.removesuffix("s")


def _parts(text: str) -> list[_Part]:
    """Return the parts of a length in words; raise, with the nearest words there are, if some are misspelt."""
    rest = text.strip().lower()
    parts = [_Part(*found) for found in _PART.findall(rest)]
    if not parts or _PART.sub("", rest).strip(" ,"):
        raise _not_a_duration(text)
    if all(part.known() for part in parts):
        return parts
    meant = [part.meant() for part in parts]
    if not all(meant):
        raise _not_a_duration(text)
    raise ValueError(f"{text[:40]!r} is not a duration; did you mean {' '.join(meant)!r}?")


def _working(text: str, parts: list[_Part]) -> Working:
    if any(_UNITS[part.unit] == "weeks" for part in parts):
        raise ValueError(f"{text.strip()!r} may be more days or fewer; write how many working days")
    days = sum(int(part.number) for part in parts if _UNITS[part.unit] == "days")
    time = sum((part.length for part in parts if _UNITS[part.unit] != "days"), timedelta(0))
    if not days and not time:
        raise ValueError(f"a duration must be longer than zero; {_WORKING_EXAMPLES}")
    if max(days, time / timedelta(days=1)) > MOST_WORKING_DAYS:
        raise ValueError(f"working time must not exceed {MOST_WORKING_DAYS:,} days; {_WORKING_EXAMPLES}")
    return Working(days=days, time=time)


def _parse_iso(text: str) -> timedelta:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        raise _not_a_duration(text)
    return timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})


def iso(length: timedelta) -> str:
    """Return the ISO 8601 form of a whole number of seconds, for example ``P10D`` or ``PT8H``."""
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    days = f"{length.days}D" if length.days else ""
    return f"P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"


def written(span: timedelta | Working) -> str:
    """Return a length as it is stored: clock time in ISO 8601, working time in all its words."""
    return str(span) if isinstance(span, Working) else iso(span)


def words(span: timedelta | Working) -> str:
    """Return the length in words for people, in at most two units: ``3 days 4 hours``, ``1 working day``."""
    if isinstance(span, Working):
        return " ".join(_worked(span)[:2])
    parts = _units(int(span.total_seconds()), ("days", "hours", "minutes", "seconds"))
    return " ".join(f"{number} {unit}" for number, unit in parts[:2]) or "0 seconds"


_SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def _units(seconds: int, units: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return how many of each unit there are in a time, from the largest, without those of which there are none."""
    found = []
    for unit in units:
        number, seconds = divmod(seconds, _SECONDS[unit])
        if number:
            found.append((number, _counted(unit, number)))
    return found


def _worked(length: Working) -> list[str]:
    days = [(length.days, _counted("days", length.days))] if length.days else []
    time = _units(int(length.time.total_seconds()), ("hours", "minutes", "seconds"))
    return [f"{number} working {unit}" for number, unit in (*days, *time)]


def _read(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return _bounded(value)
    if isinstance(value, str):
        return parse(value)
    raise _not_a_duration(value)  # a bare number has no unit


def _read_span(value: Any) -> timedelta | Working:
    if isinstance(value, Working):
        return value
    return parse_span(value) if isinstance(value, str) else _read(value)


def _write_span(span: timedelta | Working, info: SerializationInfo) -> Any:
    """Return a length as it is stored; in Python, a timedelta stays one, and working time is text that reads back."""
    return written(span) if info.mode == "json" or isinstance(span, Working) else span


Duration = Annotated[timedelta, BeforeValidator(_read), PlainSerializer(iso, return_type=str, when_used="json")]
"""A timedelta that is read from words or ISO 8601 and written as ISO 8601."""

Span = Annotated[
    timedelta | Working,
    BeforeValidator(_read_span),
    PlainSerializer(_write_span),
    WithJsonSchema(
        {
            "type": "string",
            "description": "a length of time: '10 days', '8 hours' or 'P10D'; of working time: '3 working days', "
            "'4 working hours'",
            "examples": ["10 days", "3 working days", "4 working hours"],
        }
    ),
]
"""A length of clock time, or of working time; clock time is written as a `Duration` is, so that what was stored as one
reads and writes the same."""
