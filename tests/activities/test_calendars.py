"""Calendars worked out: public holidays become dates, and what nobody knows is said."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.calendars import UnknownHolidays, expand
from catalog.calendar import Calendar, between, is_open
from catalog.calendar_file import CalendarFile
from catalog.hours import WEEKDAYS
from catalog.lint import Almanac, calendars
from catalog.loader import read

TODAY = date(2026, 3, 12)
WEEK = {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}
ITEMS = Path(__file__).parents[2] / "catalog" / "items"


def a_file(**changes: Any) -> CalendarFile:
    said = {"id": "office", "name": "Office", "zone": "Europe/Berlin", "hours": WEEK}
    return CalendarFile.model_validate(said | changes)


def expanded(today: date = TODAY, **changes: Any) -> Calendar:
    return expand(a_file(**changes), {}, today)


def test_a_calendar_without_holidays_knows_them_for_ever() -> None:
    calendar = expanded()
    assert (calendar.days, calendar.known_until) == ({}, None)
    assert calendar.week == a_file().hours


def test_the_holidays_of_a_region_are_closed_from_last_year_to_the_fifth_from_now() -> None:
    bavaria = expanded(holidays={"country": "DE", "region": "BY"})
    assert bavaria.days[date(2026, 6, 4)] == (), "Corpus Christi, which Berlin works through"
    assert date(2026, 6, 4) not in expanded(holidays={"country": "DE", "region": "BE"}).days
    assert {day.year for day in bavaria.days} == set(range(2025, 2032))
    assert bavaria.known_until == date(2031, 12, 31)
    assert not is_open(bavaria, datetime(2026, 12, 25, 12, tzinfo=UTC))


def test_holidays_on_days_that_are_closed_anyway_take_no_room() -> None:
    days = expanded(holidays={"country": "DE"}).days
    assert all(day.weekday() < 5 for day in days)
    assert date(2026, 10, 3) not in days, "a Saturday"


def test_days_of_its_own_stand_above_holidays() -> None:
    calendar = expanded(holidays={"country": "DE"}, days={"2026-12-25": ["09:00-12:00"], "2026-12-28": "closed"})
    day = datetime(2026, 12, 25, tzinfo=UTC)
    assert between(calendar, day, day + timedelta(days=4)) == timedelta(hours=3)


def test_it_is_closed_on_the_holidays_of_every_country() -> None:
    days = expanded(holidays=[{"country": "DE"}, {"country": "FR"}]).days
    assert {date(2026, 5, 8), date(2026, 4, 3)} <= set(days), "Victory Day and Good Friday"


def test_what_is_known_ends_where_the_shortest_list_ends() -> None:
    calendar = expanded(today=date(2024, 3, 1), holidays=[{"country": "DE"}, {"country": "LK"}])
    assert calendar.known_until is not None
    assert date(2025, 12, 31) <= calendar.known_until < date(2029, 12, 31), "Sri Lanka proclaims them year by year"


def test_a_union_has_its_parts_worked_out_and_knows_what_all_of_them_know() -> None:
    office, night = a_file(holidays={"country": "DE"}), a_file(id="night", hours={"sunday": ["22:00-06:00"]})
    union = CalendarFile(id="both", name="Both", union=("office", "night"))
    calendar = expand(union, {"office": office, "night": night}, TODAY)
    assert [part.id for part in calendar.parts] == ["office", "night"]
    assert calendar.known_until == date(2031, 12, 31)
    assert is_open(calendar, datetime(2026, 3, 15, 23, tzinfo=UTC))


def test_letters_of_a_country_may_be_small() -> None:
    assert expanded(holidays={"country": "de"}) == expanded(holidays={"country": "DE"})


@pytest.mark.parametrize(
    ("holidays", "what"),
    [
        ({"country": "Germany"}, "no holidays are known of the country 'Germany'; did you mean 'DE'?"),
        ({"country": "united states"}, "did you mean 'US'?"),
        ({"country": "DEX"}, "did you mean 'DE'?"),
        ({"country": "DE", "region": "Augsberg"}, "with holidays of its own; did you mean 'Augsburg'?"),
        ({"country": "DE", "region": "XX"}, "DE has no region 'XX' with holidays of its own; write one of: BB, BE, BW"),
        ({"country": "VA", "region": "BX"}, "remove it: there is none here"),
    ],
)
def test_countries_and_regions_that_are_not_known_are_refused_with_the_nearest(
    holidays: dict[str, str], what: str
) -> None:
    with pytest.raises(UnknownHolidays) as error:
        expanded(holidays=holidays)
    assert what in str(error.value)


def test_the_shipped_calendars_are_small_and_nothing_is_wrong_with_them() -> None:
    reading = read([ITEMS])
    files = {name: loaded.value for name, loaded in reading.calendars.items()}
    made = {name: expand(file, files, TODAY) for name, file in files.items()}
    assert {"office-hours", "germany", "follow-the-sun"} <= set(made)
    assert list(calendars.check(reading.calendars, Almanac(TODAY, made))) == []
    assert all(len(one.model_dump_json()) < 3_000 for one in made.values() if not one.parts)
    assert is_open(made["follow-the-sun"], datetime(2026, 3, 12, 2, tzinfo=UTC)), "it is morning in Singapore"


def test_eight_years_of_the_longest_list_are_small() -> None:
    assert len(expanded(holidays={"country": "LB"}).model_dump_json()) < 3_000
