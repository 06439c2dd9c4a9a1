"""Durations: what people write, what is stored, what is shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from catalog.duration import LONGEST, Duration, iso, parse, words

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
