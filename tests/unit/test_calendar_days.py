"""What a calendar shows of its days: when it is open, and which are holidays (feature row S2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from support.builders import a_person

from catalog.calendar import Calendar, between, is_holiday, open_on
from catalog.calendar_file import CalendarFile, calendar_of

CHRISTMAS, BOXING_DAY = date(2026, 12, 25), date(2026, 12, 26)
OFFICE = ["09:00-12:00", "13:00-17:00"]
BERLIN = Calendar.model_validate(
    {
        "id": "berlin",
        "name": "Berlin",
        "zone": "Europe/Berlin",
        "week": {"monday": OFFICE, "friday": OFFICE, "sunday": ["22:00-06:00"]},
        "days": {CHRISTMAS: [], BOXING_DAY: [], date(2026, 12, 28): ["09:00-12:00"]},
    }
)
NEW_YORK = Calendar.model_validate(
    {
        "id": "new-york",
        "name": "New York",
        "zone": "America/New_York",
        "week": {"monday": ["09:00-17:00"], "friday": ["09:00-17:00"]},
        "days": {CHRISTMAS: []},
    }
)
BOTH = Calendar(id="both", name="Both", parts=(BERLIN, NEW_YORK))


def utc(day: int, hour: int, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def test_a_day_shows_its_working_time_in_order() -> None:
    assert open_on(BERLIN, date(2026, 12, 18)) == ((utc(18, 8), utc(18, 11)), (utc(18, 12), utc(18, 16)))
    assert open_on(BERLIN, date(2026, 12, 28)) == ((utc(28, 8), utc(28, 11)),)
    assert open_on(BERLIN, CHRISTMAS) == ()


def test_the_hours_after_midnight_belong_to_the_day_they_begin_on_also_when_the_clocks_change() -> None:
    assert open_on(BERLIN, date(2026, 12, 20)) == ((utc(20, 21), utc(21, 5)),)
    assert open_on(BERLIN, date(2026, 3, 29)) == ((utc(29, 20, month=3), utc(30, 4, month=3)),)


def test_a_union_shows_the_working_time_of_all_its_parts() -> None:
    assert open_on(BOTH, date(2026, 12, 18)) == ((utc(18, 8), utc(18, 11)), (utc(18, 12), utc(18, 22)))


def test_all_days_together_show_all_the_working_time_there_is() -> None:
    days = (date(2026, 12, 1) + timedelta(days=n) for n in range(31))
    shown = sum((end - start for day in days for start, end in open_on(BERLIN, day)), timedelta(0))
    assert shown == between(BERLIN, utc(1, 0), datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("calendar", "day", "holiday"),
    [
        (BERLIN, CHRISTMAS, True),
        (BERLIN, BOXING_DAY, False),  # a Saturday, which is closed anyhow
        (BERLIN, date(2026, 12, 28), False),
        (BERLIN, date(2026, 12, 18), False),
        (BOTH, CHRISTMAS, True),
        (BOTH, date(2026, 12, 28), False),
        (BOTH, BOXING_DAY, False),
    ],
)
def test_a_holiday_is_a_day_that_is_closed_though_its_weekday_is_not(
    calendar: Calendar, day: date, *, holiday: bool
) -> None:
    assert is_holiday(calendar, day) is holiday


def test_a_chosen_calendar_comes_before_the_rules_as_long_as_it_is_there() -> None:
    hours = {"monday": ["09:00-17:00"]}
    files = [
        CalendarFile.model_validate({"id": "one", "name": "One", "hours": hours, "people": True}),
        CalendarFile.model_validate({"id": "two", "name": "Two", "hours": hours}),
    ]
    assert calendar_of(a_person(), files, "two") == "two"
    assert calendar_of(a_person(), files, "gone") == "one"
    assert calendar_of(a_person(), files) == "one"
