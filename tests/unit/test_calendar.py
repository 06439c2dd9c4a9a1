"""Working hours by example: what is written, what is open, and how working time adds up."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from catalog.calendar import (
    ALWAYS,
    Calendar,
    NeverOpen,
    TooLong,
    add,
    at_time,
    before,
    between,
    end,
    is_open,
    next_open,
    subtract,
    working_days,
)
from catalog.duration import Working
from catalog.hours import WEEKDAYS, Segment
from catalog.zones import OutOfRange

WEEK = {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}
HOUR = timedelta(hours=1)


def a_calendar(week: dict[str, Any] | None = None, **changes: Any) -> Calendar:
    """Return a calendar in UTC, Monday to Friday from nine to five unless something else is said."""
    said = {"id": "office", "name": "Office", "week": WEEK if week is None else week}
    return Calendar.model_validate(said | changes)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def every_day(*hours: str, **changes: Any) -> Calendar:
    return a_calendar({day: list(hours) for day in WEEKDAYS}, **changes)


OFFICE = a_calendar()
"""12 March 2026 is a Thursday."""


# --- what is written


def test_hours_are_read_in_order_and_written_as_they_were() -> None:
    calendar = a_calendar({"monday": ["13:00 - 17:00", "09:00-12:30"], "saturday": "closed", "sunday": ["22:00-06:00"]})
    assert calendar.week["monday"] == (Segment(540, 750), Segment(780, 1020))
    assert json.loads(calendar.model_dump_json())["week"] == {
        "monday": ["09:00-12:30", "13:00-17:00"],
        "saturday": [],
        "sunday": ["22:00-06:00"],
    }


@pytest.mark.parametrize("text", ["00:00-24:00", "22:00-24:00", "00:00-00:05", "23:59-23:58", "22:00-06:00"])
def test_a_segment_is_written_as_it_is_read(text: str) -> None:
    assert [str(one) for one in a_calendar({"monday": [text]}).week["monday"]] == [text]


def test_what_ends_at_midnight_ends_with_the_day() -> None:
    assert a_calendar({"monday": ["22:00-00:00"]}) == a_calendar({"monday": ["22:00-24:00"]})


def test_a_calendar_reads_back_equal_with_the_same_hash() -> None:
    calendar = a_calendar(days={"2026-12-24": ["09:00-12:00"], "2026-12-25": "closed"}, known_until="2031-12-31")
    again = Calendar.model_validate_json(calendar.model_dump_json())
    assert again == calendar
    assert hash(again) == hash(calendar)
    assert again.days[date(2026, 12, 25)] == ()


def test_a_copy_with_other_hours_counts_by_those() -> None:
    assert is_open(OFFICE, at("2026-03-12 10:00"))
    changed = OFFICE.model_copy(update={"days": {date(2026, 3, 12): ()}})
    assert not is_open(changed, at("2026-03-12 10:00"))


def test_eight_years_of_holidays_are_small() -> None:
    days = {date(2025 + n // 14, 1 + n % 12, 1 + n % 28).isoformat(): "closed" for n in range(8 * 14)}
    assert len(a_calendar(days=days).model_dump_json()) < 3_000


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"week": {"monday": ["9-17"]}}, "'9-17' is no time of a day; write it like 09:00-17:00"),
        ({"week": {"monday": [9]}}, "'9' is no time of a day"),
        ({"week": {"monday": ["25:00-26:00"]}}, "no time of a day"),
        ({"week": {"monday": ["24:00-06:00"]}}, "no time of a day"),
        ({"week": {"monday": ["09:00-09:00"]}}, "begins and ends at once; write 00:00-24:00"),
        ({"week": {"monday": "09:00-17:00"}}, "a list, or 'closed'"),
        ({"week": {"monday": ["09:00-12:00", "11:00-17:00"]}}, "09:00-12:00 and 11:00-17:00 overlap"),
        ({"week": {"monday": ["09:00-12:00", "09:00-12:00"]}}, "overlap"),
        ({"week": {"monday": ["22:00-06:00"], "tuesday": ["05:00-09:00"]}}, "goes on into 05:00-09:00 of tuesday"),
        ({"week": {"sunday": ["22:00-06:00"], "monday": ["05:59-09:00"]}}, "goes on into 05:59-09:00 of monday"),
        ({"week": {"monday": [f"{n // 6:02}:{n % 6}0-{n // 6:02}:{n % 6}5" for n in range(25)]}}, "at most 24"),
        ({"week": {"someday": ["09:00-17:00"]}}, "'monday'"),
        ({"week": {"monday": "closed"}}, "no working time"),
        ({"week": {}}, "no working time"),
        ({"days": {"24.12.2026": "closed"}}, "'24.12.2026' is no day; write it as YYYY-MM-DD"),
        ({"days": {"2026-12-24T00:00:00": "closed"}}, "is no day"),
        ({"days": {"2026-02-30": "closed"}}, "day value is outside expected range"),
        ({"zone": "Berlin"}, "no time zone 'Berlin'; did you mean 'Europe/Berlin'?"),
        ({"zone": "new york"}, "did you mean 'America/New_York'?"),
        ({"zone": "Europe/Berln"}, "did you mean 'Europe/Berlin'?"),
        ({"zone": "Europe/../Berlin"}, "there is no time zone"),
        ({"zone": "America/Argentina"}, "there is no time zone"),
        ({"zone": "localtime"}, "there is no time zone"),
        ({"zone": "1"}, "write it like Europe/Berlin, or UTC"),
    ],
)
def test_what_makes_no_calendar_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as error:
        a_calendar(**changes)
    assert what in str(error.value)


def test_a_union_has_parts_and_nothing_else() -> None:
    union = {"id": "all", "name": "All", "parts": [OFFICE]}
    assert Calendar.model_validate(union).parts == (OFFICE,)
    with pytest.raises(ValidationError, match="no hours of its own"):
        Calendar.model_validate(union | {"week": WEEK})
    with pytest.raises(ValidationError, match="'all' is a union itself"):
        Calendar.model_validate(union | {"parts": [union]})
    with pytest.raises(ValidationError, match="too_long"):
        Calendar.model_validate(union | {"parts": [OFFICE] * 17})


def test_a_calendar_that_is_open_on_single_days_only_is_one() -> None:
    fair = a_calendar({}, days={"2026-03-14": ["10:00-12:00"]})
    assert add(fair, at("2026-01-01"), 2 * HOUR) == at("2026-03-14 12:00")


# --- open and closed


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-03-12 08:59:59.999999", False),
        ("2026-03-12 09:00", True),
        ("2026-03-12 16:59:59.999999", True),
        ("2026-03-12 17:00", False),
        ("2026-03-14 10:00", False),
    ],
)
def test_a_segment_holds_its_beginning_and_not_its_end(moment: str, opens: bool) -> None:
    assert is_open(OFFICE, at(moment)) is opens


def test_the_next_open_moment_is_this_one_or_the_next_morning_or_after_the_weekend() -> None:
    assert next_open(OFFICE, at("2026-03-12 10:30:15.5")) == at("2026-03-12 10:30:15.5")
    assert next_open(OFFICE, at("2026-03-12 17:00")) == at("2026-03-13 09:00")
    assert next_open(OFFICE, at("2026-03-13 20:00")) == at("2026-03-16 09:00")


def test_moments_may_be_of_any_zone_and_answers_are_in_utc() -> None:
    kathmandu = a_calendar(zone="Asia/Kathmandu")
    asked = datetime.fromisoformat("2026-03-12T08:00:00-05:00")
    assert is_open(OFFICE, asked)
    found = next_open(kathmandu, asked)
    assert (found.isoformat(), found.tzinfo) == ("2026-03-13T03:15:00+00:00", UTC)


def test_a_naive_moment_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        is_open(OFFICE, datetime(2026, 3, 12, 10))  # noqa: DTZ001  that is the mistake


def test_holidays_half_days_and_working_saturdays_take_the_place_of_their_weekday() -> None:
    days = {"2026-12-24": ["09:00-12:00"], "2026-12-25": "closed", "2026-12-26": ["10:00-11:00"]}
    calendar = a_calendar(days=days)
    assert between(calendar, at("2026-12-24"), at("2026-12-27")) == 4 * HOUR
    assert add(calendar, at("2026-12-24 11:00"), 2 * HOUR) == at("2026-12-26 11:00")


def test_a_night_shift_goes_over_midnight_and_is_closed_by_the_day_it_begins_on() -> None:
    nights = a_calendar({"thursday": ["22:00-06:00"], "friday": ["22:00-06:00"]}, days={"2026-03-13": "closed"})
    assert is_open(nights, at("2026-03-13 05:59")), "the shift of Thursday goes on"
    assert not is_open(nights, at("2026-03-13 23:00"))
    assert not is_open(nights, at("2026-03-14 01:00"))


def test_a_union_is_open_while_any_part_is_and_counts_no_time_twice() -> None:
    sun = Calendar(
        id="sun",
        name="Sun",
        parts=(every_day("08:00-16:00"), every_day("12:00-20:00"), every_day("20:00-21:00")),
    )
    assert between(sun, at("2026-03-12"), at("2026-03-13")) == 13 * HOUR
    assert add(sun, at("2026-03-12 07:00"), 13 * HOUR) == at("2026-03-12 21:00")


def test_always_is_always_open() -> None:
    moment = at("2026-03-14 03:14:15.926535")
    assert is_open(ALWAYS, moment)
    assert end(ALWAYS, moment, Working(days=2, time=HOUR)) == moment + timedelta(days=2, hours=1)
    assert add(ALWAYS, moment, timedelta(days=5_000)) == moment + timedelta(days=5_000)
    assert subtract(ALWAYS, moment, timedelta(days=5_000)) == moment - timedelta(days=5_000)


# --- adding up


def test_time_goes_on_the_next_morning() -> None:
    assert add(OFFICE, at("2026-03-12 16:00"), 2 * HOUR) == at("2026-03-13 10:00")
    assert subtract(OFFICE, at("2026-03-13 10:00"), 2 * HOUR) == at("2026-03-12 16:00")


def test_time_that_is_used_up_at_the_end_of_a_day_ends_there() -> None:
    assert add(OFFICE, at("2026-03-12 09:00"), 8 * HOUR) == at("2026-03-12 17:00")
    assert subtract(OFFICE, at("2026-03-13 09:00"), 8 * HOUR) == at("2026-03-12 09:00")


def test_no_time_at_all_leads_nowhere_even_where_it_is_closed() -> None:
    assert add(OFFICE, at("2026-03-14 12:00"), timedelta(0)) == at("2026-03-14 12:00")
    assert subtract(OFFICE, at("2026-03-14 12:00"), timedelta(0)) == at("2026-03-14 12:00")


@pytest.mark.parametrize("count", [add, subtract])
def test_a_negative_length_is_a_mistake(count: Callable[[Calendar, datetime, timedelta], datetime]) -> None:
    with pytest.raises(ValueError, match="not negative"):
        count(OFFICE, at("2026-03-12"), -HOUR)


def test_between_is_negative_backwards() -> None:
    assert between(OFFICE, at("2026-03-13 10:00"), at("2026-03-12 16:00")) == -2 * HOUR


def test_twenty_years_are_counted_day_by_day() -> None:
    # 1 January 2020 is a Wednesday; the 20 years have 7,305 days, of which 5,218 are Monday to Friday
    assert between(OFFICE, at("2020-01-01"), at("2040-01-01")) == 5_218 * 8 * HOUR


def test_a_leap_day_is_a_day() -> None:
    assert between(every_day("09:00-17:00"), at("2028-02-28"), at("2028-03-02")) == 3 * 8 * HOUR


# --- clocks that are changed


def test_the_hour_that_is_left_out_does_not_count() -> None:
    early = every_day("02:00-06:00", zone="Europe/Berlin")
    assert between(early, at("2026-03-28 12:00"), at("2026-03-29 12:00")) == 3 * HOUR
    assert between(early, at("2026-03-27 12:00"), at("2026-03-28 12:00")) == 4 * HOUR


def test_what_begins_in_the_hour_that_is_left_out_begins_right_after_it() -> None:
    early = every_day("02:30-06:00", zone="Europe/Berlin")
    assert next_open(early, at("2026-03-28 12:00")) == at("2026-03-29 01:00")


def test_the_hour_that_comes_twice_counts_twice() -> None:
    early = every_day("02:00-06:00", zone="Europe/Berlin")
    assert between(early, at("2026-10-24 12:00"), at("2026-10-25 12:00")) == 5 * HOUR


def test_a_segment_that_ends_within_the_hour_that_comes_twice_is_open_twice() -> None:
    early = every_day("01:00-02:30", zone="Europe/Berlin")  # 00:00 UTC is 02:00, and so is 01:00 UTC
    opens = [is_open(early, at(f"2026-10-25 {clock}")) for clock in ("00:29", "00:30", "00:59", "01:00", "01:29")]
    assert opens == [True, False, False, True, True]
    assert not is_open(early, at("2026-10-25 01:30"))


def test_lord_howe_changes_its_clocks_by_half_an_hour() -> None:
    night = every_day("01:00-03:00", zone="Australia/Lord_Howe")
    assert between(night, at("2026-04-04 00:00"), at("2026-04-05 00:00")) == 2.5 * HOUR
    assert between(night, at("2026-10-03 00:00"), at("2026-10-04 00:00")) == 1.5 * HOUR


def test_a_date_that_a_zone_skipped_has_no_working_time() -> None:
    apia = every_day("09:00-17:00", zone="Pacific/Apia")
    before_it, after_it = at("2011-12-30 03:00"), at("2011-12-30 19:00")
    assert add(apia, before_it, HOUR) == after_it + HOUR
    assert working_days(apia, at("2011-12-29 20:00"), 1) == at("2011-12-30 20:00"), "the 31st follows the 29th"


# --- working days


@pytest.mark.parametrize(
    ("moment", "days", "reached"),
    [
        ("2026-03-12 10:30", 1, "2026-03-13 10:30"),
        ("2026-03-12 10:30", 2, "2026-03-16 10:30"),
        ("2026-03-12 10:30", 0, "2026-03-12 10:30"),
        ("2026-03-14 10:30", 0, "2026-03-16 09:00"),
        ("2026-03-14 10:30", 1, "2026-03-17 09:00"),
        ("2026-03-12 17:00", 1, "2026-03-16 09:00"),
        ("2026-03-12 10:30", -1, "2026-03-11 10:30"),
        ("2026-03-16 10:30", -1, "2026-03-13 10:30"),
        ("2026-03-12 17:00", -1, "2026-03-11 17:00"),
        ("2026-03-16 08:00", -1, "2026-03-12 17:00"),
    ],
)
def test_working_days_are_counted_from_work_to_work(moment: str, days: int, reached: str) -> None:
    assert working_days(OFFICE, at(moment), days) == at(reached)


@pytest.mark.parametrize(
    ("hours", "reached"),
    [
        (["09:00-12:00"], "12:00"),
        (["14:00-16:00"], "14:00"),
        (["08:00-12:00", "13:00-15:00", "16:00-17:00"], "13:30"),
        (["08:00-13:00", "15:00-16:00"], "13:00"),
    ],
)
def test_where_it_is_closed_at_that_time_the_last_moment_of_work_before_it_counts_or_the_first(
    hours: list[str], reached: str
) -> None:
    calendar = a_calendar(days={"2026-03-13": hours})
    assert working_days(calendar, at("2026-03-12 13:30"), 1) == at(f"2026-03-13 {reached}")


def test_the_hours_after_midnight_belong_to_the_day_before() -> None:
    nights = a_calendar({day: ["22:00-06:00"] for day in WEEKDAYS[:5]})
    assert working_days(nights, at("2026-03-13 02:00"), 1) == at("2026-03-14 02:00")
    assert working_days(nights, at("2026-03-14 02:00"), 1) == at("2026-03-17 02:00")


def test_a_working_day_later_may_be_a_time_that_is_left_out_or_comes_twice() -> None:
    always = every_day("00:00-24:00", zone="Europe/Berlin")
    assert working_days(always, at("2026-03-28 01:30"), 1) == at("2026-03-29 01:00")
    assert working_days(always, at("2026-10-24 00:30"), 1) == at("2026-10-25 00:30"), "the first of the two"


def test_a_day_whose_hours_are_all_left_out_is_no_working_day() -> None:
    early = every_day("02:00-03:00", zone="Europe/Berlin")
    assert working_days(early, at("2026-03-28 01:15"), 1) == at("2026-03-30 00:15")


def test_a_date_is_a_working_day_of_a_union_if_it_is_one_of_a_part() -> None:
    auckland = a_calendar(id="auckland", zone="Pacific/Auckland")
    sun = Calendar(id="sun", name="Sun", parts=(OFFICE, auckland))
    assert is_open(sun, at("2026-03-15 21:00")), "it is Monday in Auckland"
    assert working_days(sun, at("2026-03-15 21:00"), 1) == at("2026-03-16 21:00")
    assert working_days(sun, at("2026-03-13 16:00"), 1) == at("2026-03-16 16:00"), "after Friday comes Monday"


def test_days_come_before_time_and_go_after_it() -> None:
    span = Working(days=1, time=2 * HOUR)
    assert end(OFFICE, at("2026-03-12 16:00"), span) == at("2026-03-16 10:00")
    assert before(OFFICE, at("2026-03-16 10:00"), span) == at("2026-03-12 16:00")
    assert end(OFFICE, at("2026-03-12 16:00"), Working(time=2 * HOUR)) == at("2026-03-13 10:00")
    assert before(OFFICE, at("2026-03-13 10:00"), Working(time=2 * HOUR)) == at("2026-03-12 16:00")


def test_clock_time_goes_on_while_it_is_closed() -> None:
    moment = datetime.fromisoformat("2026-03-13T18:00:00+01:00")
    assert end(OFFICE, moment, timedelta(days=1)) == at("2026-03-14 17:00")
    assert before(OFFICE, moment, timedelta(days=1)) == at("2026-03-12 17:00")


# --- a time of the day


@pytest.mark.parametrize(
    ("moment", "days", "reached"),
    [
        ("2026-03-12 10:00", 1, "2026-03-13 16:00"),
        ("2026-03-12 20:00", 1, "2026-03-13 16:00"),
        ("2026-03-13 10:00", 1, "2026-03-16 16:00"),
        ("2026-03-14 10:00", 1, "2026-03-16 16:00"),
        ("2026-03-12 10:00", 3, "2026-03-17 16:00"),
        ("2026-03-12 10:00", 0, "2026-03-12 16:00"),
        ("2026-03-12 16:00", 0, "2026-03-12 16:00"),
        ("2026-03-12 16:01", 0, "2026-03-13 16:00"),
        ("2026-03-14 10:00", 0, "2026-03-16 16:00"),
    ],
)
def test_by_four_on_a_working_day(moment: str, days: int, reached: str) -> None:
    assert at_time(OFFICE, at(moment), time(16), days) == at(reached)


def test_the_time_of_the_day_is_that_of_the_zone_and_may_be_one_that_is_left_out() -> None:
    berlin = every_day("09:00-17:00", zone="Europe/Berlin")
    assert at_time(berlin, at("2026-03-12 23:30"), time(16), 1) == at("2026-03-14 15:00"), "it is the 13th in Berlin"
    assert at_time(berlin, at("2026-03-28 12:00"), time(2, 30), 1) == at("2026-03-29 01:00")
    assert at_time(berlin, at("2026-10-24 12:00"), time(2, 30), 1) == at("2026-10-25 00:30")


# --- what is never open


PAST = a_calendar({}, days={"1990-01-02": ["09:00-17:00"]})


@pytest.mark.parametrize(
    "ask",
    [
        lambda: next_open(PAST, at("2026-03-12")),
        lambda: add(PAST, at("1990-01-02"), 9 * HOUR),
        lambda: subtract(PAST, at("1990-01-02"), HOUR),
        lambda: at_time(PAST, at("2026-03-12"), time(16), 1),
        lambda: working_days(PAST, at("1990-01-02"), 1),
        lambda: working_days(PAST, at("1989-01-02"), -1),
    ],
)
def test_what_would_be_searched_for_without_end_is_refused(ask: Callable[[], datetime]) -> None:
    with pytest.raises(NeverOpen, match="too little working time: none for ten years"):
        ask()


def test_a_union_follows_the_clocks_of_each_part_when_they_change() -> None:
    """Berlin's clocks went forward on 29 March 2026, New York's on 8 March."""
    berlin, york = (every_day("09:00-10:00", zone=zone) for zone in ("Europe/Berlin", "America/New_York"))
    both = Calendar(id="both", name="Both", parts=(berlin, york))
    opens = {day: next_open(both, at(f"2026-03-{day}")) for day in ("07", "08", "28", "29")}
    assert opens == {day: at(f"2026-03-{day}") + hour * HOUR for day, hour in zip(opens, (8, 8, 8, 7), strict=True)}
    later = {day: next_open(both, at(f"2026-03-{day}T12:00")) for day in ("07", "08")}
    assert later == {"07": at("2026-03-07T14:00"), "08": at("2026-03-08T13:00")}


RARE = a_calendar({"monday": ["09:00-10:00"]})
CENTURY = timedelta(days=36_525)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: add(RARE, at("2026-03-12"), 5_300 * HOUR),
        lambda: subtract(RARE, at("2026-03-12"), 5_300 * HOUR),
        lambda: working_days(RARE, at("2026-03-12"), 5_300),
        lambda: working_days(RARE, at("2026-03-12"), -5_300),
        lambda: end(RARE, at("2026-03-12"), Working(days=5_300)),
    ],
)
def test_what_takes_longer_than_a_hundred_years_is_refused(ask: Callable[[], datetime]) -> None:
    with pytest.raises(TooLong, match="too little working time: less in a hundred years than is asked"):
        ask()


def test_what_takes_nearly_a_hundred_years_is_counted() -> None:
    weeks = timedelta(weeks=5_199)
    assert add(RARE, at("2026-03-09"), 5_200 * HOUR) == at("2026-03-09") + weeks + 10 * HOUR
    assert subtract(RARE, at("2026-03-10"), 5_200 * HOUR) == at("2026-03-09") - weeks + 9 * HOUR
    assert working_days(RARE, at("2026-03-09"), 5_199) == at("2026-03-09") + weeks + 9 * HOUR


def test_time_before_it_was_open_is_none() -> None:
    assert between(PAST, at("1980-01-01"), at("2026-03-12")) == 8 * HOUR


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_all_time_are_out_of_range(moment: datetime) -> None:
    with pytest.raises(OutOfRange):
        is_open(OFFICE, moment)
    with pytest.raises(OutOfRange):
        at_time(a_calendar(zone="America/New_York"), moment, time(9), 1)
