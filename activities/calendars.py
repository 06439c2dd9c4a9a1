"""Calendars worked out: the public holidays of an author's file become dates, for as many years as they are known.

The `holidays` package knows them. What a calendar then counts is `catalog.calendar`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import holidays as public

from catalog.calendar import Calendar
from catalog.calendar_file import CalendarFile, PublicHolidays
from catalog.explain import suggest
from catalog.hours import WEEKDAYS, Segment

YEARS_BACK, YEARS_AHEAD = 1, 5
"""For which years, around this one, holidays are worked out."""


class UnknownHolidays(ValueError):
    """There is no such country, or region of it; the message says which there are."""


def expand(file: CalendarFile, others: Mapping[str, CalendarFile], today: date) -> Calendar:
    """Return the calendar that a file describes, with its holidays from last year to the fifth year from now.

    Args:
        file: what an author wrote.
        others: by id, the files that a union names; `catalog.loader` has checked that they are there.
        today: decides which years.

    Raises:
        UnknownHolidays: the country or region of a file is not known.
    """
    if file.union:
        parts = tuple(expand(others[name], others, today) for name in file.union)
        known = min((part.known_until for part in parts if part.known_until), default=None)
        return Calendar(id=file.id, name=file.name, zone=file.zone, parts=parts, known_until=known)
    closed: set[date] = set()
    known = None
    for one in file.holidays:
        found, until = _days(one, today)
        closed |= found
        known = min(known or until, until)
    holidays: dict[date, tuple[Segment, ...]] = {
        day: () for day in sorted(closed) if file.hours.get(WEEKDAYS[day.weekday()])
    }
    return Calendar(
        id=file.id, name=file.name, zone=file.zone, week=file.hours, days=holidays | file.days, known_until=known
    )


def worked_out(files: Mapping[str, CalendarFile], today: date) -> dict[str, Calendar | str]:
    """Return each calendar of a catalog by id, or why its holidays cannot be worked out."""
    found: dict[str, Calendar | str] = {}
    for name, file in files.items():
        try:
            found[name] = expand(file, files, today)
        except UnknownHolidays as error:
            found[name] = str(error)
    return found


def _days(one: PublicHolidays, today: date) -> tuple[set[date], date]:
    """Return the holidays around now, and the last date for which they are known."""
    regions = public.list_supported_countries(include_aliases=True)
    country = one.country.upper()
    if country not in regions:
        raise UnknownHolidays(f"no holidays are known of the country {one.country!r}; {_nearest_country(one.country)}")
    if one.region is not None and one.region not in regions[country]:
        near = _near(one.region, regions[country])
        raise UnknownHolidays(f"{country} has no region {one.region!r} with holidays of its own; {near}")
    known = public.country_holidays(country, subdiv=one.region)
    last = min(today.year + YEARS_AHEAD, known.end_year)
    years = range(today.year - YEARS_BACK, last + 1)
    found = public.country_holidays(country, subdiv=one.region, years=years)
    return {day for day in found if day.year in years}, date(last, 12, 31)


def _nearest_country(written: str) -> str:
    """Return what to write instead: the code of the country that is named, or the codes that look alike."""
    codes = {names[0].casefold(): names[1] for names in public.registry.COUNTRIES.values()}
    name = written.casefold().replace(" ", "")
    return f"did you mean {codes[name]!r}?" if name in codes else _near(written.upper(), sorted(codes.values()))


def _near(written: str, known: list[str]) -> str:
    remedy = suggest(written, known)
    return f"{remedy[:1].lower()}{remedy[1:]}"
