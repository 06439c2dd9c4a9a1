"""Durations: what people write, what is stored, what is shown."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from catalog.duration import LONGEST, Duration, Span, Working, iso, parse, parse_span, words, written
from catalog.model import Model, canonical

lengths = st.integers(min_value=1, max_value=int(LONGEST.total_seconds())).map(lambda n: timedelta(seconds=n))


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("10 days", timedelta(days=10)),
        ("8 h", timedelta(hours=8)),
        ("1 week 2 days", timedelta(days=9)),
        ("1 Week, 2 Days", timedelta(days=9)),
        (" 90min ", timedelta(minutes=90)),
        ("1d1d", timedelta(days=2)),
        ("45 seconds", timedelta(seconds=45)),
        ("P10D", timedelta(days=10)),
        ("P1W", timedelta(weeks=1)),
        ("PT8H30M5S", timedelta(hours=8, minutes=30, seconds=5)),
        ("P1DT1S", timedelta(days=1, seconds=1)),
    ],
)
def test_words_and_iso_8601_are_read(text: str, length: timedelta) -> None:
    assert parse(text) == length


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "PT", "P1DT", "P1M", "P1Y", "P-1D", "P1.5D"),
        *("days", "ten days", "-5 days", "1.5 days", "5 days!", "10 fortnights", "1 month"),
        *("1234567 days", "٣ days", "1 day " * 50),
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration; write it like '10 days'"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "meant"), [("3 wekks", "3 weeks"), ("1 wek", "1 week"), ("2 h 10 minuts", "2 hours 10 minutes")]
)
def test_the_nearest_unit_is_offered_for_one_that_there_is_not(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is not a duration; did you mean '{meant}'\\?"):
        parse(text)


@pytest.mark.parametrize(("text", "meant"), [("2", "2 days"), (" 1 ", "1 day"), (10, "10 days")])
def test_of_a_bare_number_it_is_said_that_the_unit_is_missing(text: object, meant: str) -> None:
    with pytest.raises(ValidationError, match=f"has no unit; write it like '{meant}' or"):
        TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize("text", ["0 days", "P0D", "PT0S", "0h 0m"])
def test_no_time_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than zero"):
        parse(text)


@pytest.mark.parametrize("text", ["36526 days", "999999 weeks", "P999999W", "P36525DT1S"])
def test_more_than_a_hundred_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a hundred years"):
        parse(text)


@given(lengths)
def test_what_is_written_as_iso_8601_is_read_back(length: timedelta) -> None:
    assert parse(iso(length)) == length


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(1, 50))
def test_parts_add_up(weeks: int, days: int, hours: int, minutes: int) -> None:
    text = f"{weeks} weeks {days} days {hours} hours {minutes} minutes"
    assert parse(text) == timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


@given(lengths)
def test_words_name_at_most_two_units_and_never_more_time_than_there_is(length: timedelta) -> None:
    shown = words(length)
    assert len(shown.split()) <= 4
    assert timedelta(0) <= length - parse(shown) < timedelta(days=1)


@given(st.text() | st.from_regex(r"\AP?[0-9 ]{0,8}[a-zWDTHMS]{0,8}\Z"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert timedelta(0) < parse(text) <= LONGEST
    except ValueError as error:
        assert any(words in str(error) for words in ("write it like", "did you mean"))  # noqa: PT017  both ends are right; the reason must help


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(0), "0 seconds"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=3, hours=4, minutes=5), "3 days 4 hours"),
        (timedelta(minutes=1, seconds=1), "1 minute 1 second"),
    ],
)
def test_words_are_for_people(length: timedelta, shown: str) -> None:
    assert words(length) == shown


def test_zero_is_written_in_iso_8601_too() -> None:
    assert iso(timedelta(0)) == "PT0S"


def test_a_field_of_a_model_is_written_as_iso_8601_and_read_back() -> None:
    field: TypeAdapter[timedelta] = TypeAdapter(Duration)
    written = field.dump_json(timedelta(days=10))
    assert written == b'"P10D"'
    assert field.validate_json(written) == timedelta(days=10)


@pytest.mark.parametrize("value", [10, 1.5, None, ["10 days"], timedelta(0), timedelta(days=-1), timedelta.max])
def test_a_field_of_a_model_takes_no_bare_number_and_no_length_out_of_range(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(value)


# --- working time

worked = st.builds(
    lambda days, seconds: Working(days=days, time=timedelta(seconds=seconds)),
    st.integers(1, 10_000),
    st.integers(0, 10_000 * 86_400),
)


@pytest.mark.parametrize(
    ("text", "length", "canonical_text"),
    [
        ("3 working days", Working(days=3), "3 working days"),
        ("1 business day", Working(days=1), "1 working day"),
        ("4 Working Hours", Working(time=timedelta(hours=4)), "4 working hours"),
        ("90 working minutes", Working(time=timedelta(minutes=90)), "1 working hour 30 working minutes"),
        ("30 working min", Working(time=timedelta(minutes=30)), "30 working minutes"),
        (
            "1 working day, 4 business hours",
            Working(days=1, time=timedelta(hours=4)),
            "1 working day 4 working hours",
        ),
        ("1 working day 26 working hours", Working(days=1, time=timedelta(hours=26)), "1 working day 26 working hours"),
        ("5 working seconds", Working(time=timedelta(seconds=5)), "5 working seconds"),
    ],
)
def test_working_time_is_read_and_written_in_words(text: str, length: Working, canonical_text: str) -> None:
    assert parse_span(text) == length
    assert written(length) == str(length) == canonical_text


@pytest.mark.parametrize("text", ["10 days", "1 week 2 days", "P10D", "PT8H"])
def test_other_lengths_stay_what_they_are(text: str) -> None:
    assert parse_span(text) == parse(text)


@given(worked)
def test_what_is_written_of_working_time_is_read_back(length: Working) -> None:
    assert parse_span(written(length)) == length


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 working day 4 hours", "mixes working time with other time; write 'working' before each unit, or nowhere"),
        ("2 working weeks", "may be more days or fewer; write how many working days"),
        ("0 working days", "longer than zero; write it like '3 working days'"),
        ("10001 working days", "must not exceed 10,000 days"),
        ("240001 working hours", "must not exceed 10,000 days"),
        ("3 workign days", "did you mean '3 working days'?"),
        ("1 bussiness day", "did you mean '1 business day'?"),
        ("3 workdays", "did you mean '3 working days'?"),
        ("4 working houres", "did you mean '4 working hours'?"),
        ("3 working", "'3 working' is not a duration"),
        ("3 sunny days", "'3 sunny days' is not a duration"),
        ("3 working months", "'3 working months' is not a duration"),
    ],
)
def test_what_is_no_working_time_is_refused_with_what_to_write(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_span(text)


def test_where_working_time_does_not_count_that_is_said() -> None:
    with pytest.raises(ValueError, match="'3 working days' is working time, which does not count here; write it like"):
        parse("3 working days")


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (Working(days=1, time=timedelta(hours=4, minutes=30)), "1 working day 4 working hours"),
        (Working(time=timedelta(minutes=1)), "1 working minute"),
    ],
)
def test_words_of_working_time_are_for_people_too(length: Working, shown: str) -> None:
    assert words(length) == shown


@pytest.mark.parametrize(
    "given_", [{}, {"days": -1}, {"days": 10_001}, {"time": timedelta(seconds=-1)}, {"time": timedelta(microseconds=1)}]
)
def test_working_time_is_some_time_in_whole_seconds(given_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Working(**given_)


class Waits(Model):
    within: Span = timedelta(days=10)


class Waited(Model):
    within: Duration = timedelta(days=10)


def test_a_span_of_other_time_is_stored_as_a_duration_is() -> None:
    for text in ("3 days", "PT8H", "10 days"):
        assert canonical(Waits.model_validate({"within": text})) == canonical(Waited.model_validate({"within": text}))


@pytest.mark.parametrize("length", [timedelta(days=3), Working(days=3), Working(time=timedelta(hours=1))])
def test_a_field_holds_either_and_reads_back_equal(length: timedelta | Working) -> None:
    waits = Waits(within=length)
    assert waits.within == length
    assert Waits.model_validate_json(waits.model_dump_json()) == waits
    assert Waits.model_validate(waits.model_dump()) == waits


@pytest.mark.parametrize("value", [10, None, timedelta(0), timedelta.max, "3 working"])
def test_a_field_of_either_takes_nothing_else(value: object) -> None:
    with pytest.raises(ValidationError):
        Waits.model_validate({"within": value})


def test_in_a_schema_it_is_text() -> None:
    assert Waits.model_json_schema()["properties"]["within"]["type"] == "string"
