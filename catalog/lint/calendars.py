"""Rules on calendars: what makes working hours unwise though they can be read (feature row S2).

Pure: the day, and the calendars with their holidays worked out, are passed in. A calendar without working time is
refused where it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from catalog.calendar import Calendar
from catalog.calendar_file import CalendarFile
from catalog.hours import WEEKDAYS, Segment
from catalog.lint.rules import Hit, Rule, enter
from catalog.loader import Loaded
from catalog.source import Fault, Finding, Place, finding
from catalog.zones import DAY, MINUTE, gaps

SOON = timedelta(days=60)
"""How long before the end of what is known of holidays this is said."""
AHEAD = timedelta(days=5 * 365)
"""For how long clocks are looked at."""
_FIRST_DAY = date(1970, 1, 1)
"""The day from which on `catalog.zones` counts."""


class Almanac(NamedTuple):
    """What the rules know besides the files.

    Attributes:
        today: the day on which they are looked at.
        calendars: by id, each with its holidays worked out, or why they could not be.
    """

    today: date
    calendars: Mapping[str, Calendar | str]


TWO_DEFAULTS = enter("two-defaults", "error", "One calendar at most is everybody's whom no other names.")
NO_DEFAULT = enter("no-default", "warning", "Where there are calendars, one is everybody's whom no other names.")
UNKNOWN_HOLIDAYS = enter("unknown-holidays", "error", "The country and the region of holidays are known.")
HOLIDAYS_END = enter("holidays-end", "warning", "Holidays are known for longer than the next 60 days.")
LEFT_OUT = enter("left-out-time", "warning", "No working time begins or ends within an hour that the clocks leave out.")


def check(files: Mapping[str, Loaded[CalendarFile]], almanac: Almanac | None = None) -> Iterator[Finding]:
    """Yield what is unwise about calendars; without an almanac, what can be told without knowing the day."""
    yield from _defaults(files)
    if almanac is None:
        return
    for name, loaded in files.items():
        for rule, hit in (*_holidays(almanac, almanac.calendars.get(name)), *_boundaries(loaded.value, almanac.today)):
            yield _finding(loaded, rule, hit)


def _finding(loaded: Loaded[CalendarFile], rule: Rule, hit: Hit) -> Finding:
    return finding(loaded.file, Fault(rule.id, *hit), loaded.positions, rule.severity)


def _defaults(files: Mapping[str, Loaded[CalendarFile]]) -> Iterator[Finding]:
    defaults = [loaded for loaded in files.values() if loaded.value.default]
    for other in defaults[1:]:
        message = f"{defaults[0].value.id!r} is the default already, in {defaults[0].file}"
        yield _finding(other, TWO_DEFAULTS, Hit(("default",), message, "Keep one of the two."))
    if files and not defaults:
        message = "no calendar is the default, so whom none names works around the clock"
        hit = Hit((), message, "Write 'default: true' into one of them.")
        yield _finding(next(iter(files.values())), NO_DEFAULT, hit)


def _holidays(almanac: Almanac, calendar: Calendar | str | None) -> Iterator[tuple[Rule, Hit]]:
    """Yield what is wrong with holidays; a union has none of its own."""
    if isinstance(calendar, str):
        message, _, remedy = calendar.partition("; ")
        yield UNKNOWN_HOLIDAYS, Hit(("holidays",), message, f"{remedy[:1].upper()}{remedy[1:]}")
    elif calendar and not calendar.parts and calendar.known_until and calendar.known_until - almanac.today < SOON:
        message = f"holidays are known until {calendar.known_until} only, and every day after that counts as any other"
        remedy = "Update the package 'holidays', or write the days that follow under 'days'."
        yield HOLIDAYS_END, Hit(("holidays",), message, remedy)


def _boundaries(file: CalendarFile, today: date) -> Iterator[tuple[Rule, Hit]]:
    """Yield the segments that begin or end at a time that the clocks leave out in the years to come, once each."""
    begin = (today - _FIRST_DAY).days * DAY
    said = set()
    for first, again in gaps(file.zone, begin, begin + AHEAD.days * DAY):
        for day in (_FIRST_DAY + timedelta(days=first // DAY - n) for n in (0, 1)):
            for place, segment in _segments(file, day):
                start, end = ((day - _FIRST_DAY).days * DAY + clock * MINUTE for clock in segment)
                if place not in said and (first <= start < again or first < end < again):
                    said.add(place)
                    yield LEFT_OUT, _left_out(place, segment, _FIRST_DAY + timedelta(days=first // DAY))


def _segments(file: CalendarFile, day: date) -> Iterator[tuple[Place, Segment]]:
    weekday = WEEKDAYS[day.weekday()]
    around: Place = ("days", day.isoformat()) if day in file.days else ("hours", weekday)
    hours = file.days.get(day, file.hours.get(weekday, ()))
    yield from (((*around, at), segment) for at, segment in enumerate(hours))


def _left_out(place: Place, segment: Segment, day: date) -> Hit:
    message = f"on {day} the clocks leave out a time at which {segment} begins or ends; it will be shorter then"
    return Hit(place, message, "Choose another time, unless that is meant.")
