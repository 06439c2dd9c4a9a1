"""Durations as people write them: ``10 days``, ``8 h``, ``1 week 2 days``, or ISO 8601 ``P10D``.

Months and years are refused: they have no fixed length.
"""

from __future__ import annotations

import difflib
import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {
    "s": "seconds", "sec": "seconds", "second": "seconds", "seconds": "seconds",
    "m": "minutes", "min": "minutes", "minute": "minutes", "minutes": "minutes",
    "h": "hours", "hour": "hours", "hours": "hours",
    "d": "days", "day": "days", "days": "days",
    "w": "weeks", "week": "weeks", "weeks": "weeks",
}  # fmt: skip
_PART = re.compile(r"(\d{1,6})\s*([a-z]+)", re.ASCII)
_NUMBER = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_ISO = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,6})S)?)?",
    re.ASCII,
)
LONGEST = timedelta(days=36_525)
"""A hundred years: any time of this calendar can be moved by it, and every length up to it is written and read back."""
_MAX_TEXT = 100
_EXAMPLES = "write it like '10 days', '8 hours', '1 week 2 days' or 'P10D'"


def parse(text: str) -> timedelta:
    """Return the length that `text` names.

    Raises:
        ValueError: the text is not a duration, or it is zero or longer than `LONGEST`.
    """
    if len(text) > _MAX_TEXT:
        raise _not_a_duration(text)
    return _bounded(_parse_iso(text.strip()) if text.strip().startswith("P") else _parse_words(text))


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


_CLOSE = 0.7
"""How much alike a misspelt unit and a real one are, from 0 to 1; month and minute are not."""


def _misspelt(text: str, parts: list[tuple[str, str]]) -> ValueError:
    """Return the error for units that there are not, with the nearest there are if each has one."""
    near = [difflib.get_close_matches(unit, _UNITS, n=1, cutoff=_CLOSE) for _, unit in parts]
    if not all(near):
        return _not_a_duration(text)
    units = (_UNITS[close[0]] for close in near)
    meant = " ".join(
        f"{number} {unit if int(number) != 1 else unit.removesuffix('s')}"
        for (number, _), unit in zip(parts, units, strict=True)
    )
    return ValueError(f"{text[:40]!r} is not a duration; did you mean {meant!r}?")


def _parse_iso(text: str) -> timedelta:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        raise _not_a_duration(text)
    return timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})


def _parse_words(text: str) -> timedelta:
    rest = text.strip().lower()
    parts = _PART.findall(rest)
    if not parts or _PART.sub("", rest).strip(" ,"):
        raise _not_a_duration(text)
    if any(unit not in _UNITS for _, unit in parts):
        raise _misspelt(text, parts)
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta(0))


def iso(length: timedelta) -> str:
    """Return the ISO 8601 form of a whole number of seconds, for example ``P10D`` or ``PT8H``."""
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    days = f"{length.days}D" if length.days else ""
    return f"P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"


def words(length: timedelta) -> str:
    """Return the length in words for people, in at most two units: ``3 days 4 hours``."""
    seconds = int(length.total_seconds())
    parts = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {unit}{'s' if number != 1 else ''}")
    return " ".join(parts[:2]) or "0 seconds"


def _read(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return _bounded(value)
    if isinstance(value, str):
        return parse(value)
    raise _not_a_duration(value)  # a bare number has no unit


Duration = Annotated[timedelta, BeforeValidator(_read), PlainSerializer(iso, return_type=str, when_used="json")]
"""A timedelta that is read from words or ISO 8601 and written as ISO 8601."""
