"""Calendar files: what an author may write, whose calendar is whose, how they are read, and what is unwise."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from support.builders import a_person, an_item

from catalog.calendar import ALWAYS, Calendar
from catalog.calendar_file import CalendarFile, PublicHolidays, calendar_of
from catalog.lint import RULES, Almanac, lint
from catalog.loader import Reading, load, read
from catalog.registry import Known
from catalog.zones import DAY, gaps

OFFICE = """\
id: office
name: Office
zone: Europe/Berlin
hours:
  monday: [09:00-12:30, 13:00-17:00]
  saturday: closed
holidays: {country: DE, region: BY}
days:
  2026-12-24: [09:00-12:00]
  2026-12-28: closed
people: person.location == 'Munich'
default: true
"""
NIGHT = "id: night\nname: Night\nhours: {sunday: [22:00-06:00]}\ndefault: true\n"
BOTH = "id: both\nname: Both\nunion: [office, night]\n"
TODAY = date(2026, 3, 12)


def a_file(**changes: Any) -> CalendarFile:
    said = {"id": "office", "name": "Office", "hours": {"monday": ["09:00-17:00"]}}
    return CalendarFile.model_validate(said | changes)


def reading_of(directory: Path, **files: str) -> Reading:
    """Read a catalog of one item and these calendars."""
    (directory / "items").mkdir()
    (directory / "calendars").mkdir()
    (directory / "items" / "wiki.yaml").write_text(an_item().model_dump_json(exclude_defaults=True))
    for name, text in files.items():
        (directory / "calendars" / f"{name}.yaml").write_text(text)
    return read([directory / "items"])


def problems(reading: Reading) -> list[tuple[str, int | None, str, str]]:
    return [(Path(one.file).name, one.line, one.path, one.rule) for one in reading.problems]


# --- what is written


def test_a_file_says_hours_holidays_days_and_whose_they_are(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, office=OFFICE)
    assert reading.problems == ()
    file = reading.calendars["office"].value
    assert file.holidays == (PublicHolidays(country="DE", region="BY"),)
    assert [str(one) for one in file.hours["monday"]] == ["09:00-12:30", "13:00-17:00"]
    assert file.days[date(2026, 12, 28)] == ()
    assert CalendarFile.model_validate_json(file.model_dump_json()) == file


def test_holidays_may_be_those_of_several_countries() -> None:
    countries = [{"country": "DE"}, {"country": "FR"}]
    assert [one.country for one in a_file(holidays=countries).holidays] == ["DE", "FR"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id": "always"}, "choose another id"),
        ({"hours": {}}, "no working time"),
        ({"hours": {"monday": "closed"}, "days": {"2026-12-24": "closed"}}, "no working time"),
        ({"union": ["a", "b"]}, "has no hours, days or holidays of its own"),
        ({"hours": {}, "union": ["a", "b", "a"]}, "'a' stands here twice"),
        ({"people": "person.mail == 'x'"}, "person.mail is not known here; write one of: person.location"),
        ({"people": "person"}, "person is not known here"),
        ({"people": "location =="}, "this cannot be read"),
    ],
)
def test_what_makes_no_calendar_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as error:
        a_file(**changes)
    assert what in str(error.value)


# --- whose it is


def test_a_person_has_the_first_calendar_that_names_them_or_the_default_or_works_around_the_clock() -> None:
    here = a_file(id="here", people="person.location == 'Bergen'")
    staff = a_file(id="staff", people="person.employee_type == 'external' or person.location == 'Bergen'")
    rest = a_file(id="a-rest", default=True)
    bob = a_person("Bob").model_copy(update={"location": "Bergen"})
    eve = a_person("Eve").model_copy(update={"employee_type": "external"})
    assert [calendar_of(one, (staff, rest, here)) for one in (bob, eve, a_person("Ada"))] == ["here", "staff", "a-rest"]
    assert calendar_of(a_person("Ada"), (staff, here)) == ALWAYS.id == calendar_of(bob, ())


def test_a_condition_on_what_is_not_known_of_a_person_does_not_hold() -> None:
    long = a_file(people="person.title | length > 3")
    assert calendar_of(a_person("Ada").model_copy(update={"title": None}), (long,)) == ALWAYS.id
    assert calendar_of(a_person("Ada").model_copy(update={"title": "Head"}), (long,)) == "office"


# --- how they are read


def test_a_catalog_has_the_calendars_of_its_folder(tmp_path: Path) -> None:
    reading_of(tmp_path, office=OFFICE, night=NIGHT, both=BOTH)
    assert sorted(load([tmp_path / "items"]).calendars) == ["both", "night", "office"]


def test_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    reading = reading_of(
        tmp_path,
        a=OFFICE.replace("13:00-17:00", "12:00-17:00"),
        b=NIGHT.replace("sunday", "someday"),
        c=NIGHT.replace("[22:00-06:00]", "[22:00-26:00]"),
        d=OFFICE.replace("Europe/Berlin", "Berlin"),
        e=OFFICE.replace("2026-12-28", "28.12.2026"),
    )
    assert problems(reading) == [
        ("a.yaml", 5, "hours.monday", "wrong-value"),
        ("b.yaml", 3, "hours.someday", "unknown-value"),
        ("c.yaml", 3, "hours.sunday[0]", "wrong-value"),
        ("d.yaml", 3, "zone", "wrong-value"),
        ("e.yaml", 10, "days.28.12.2026", "wrong-value"),
    ]
    assert "did you mean" in reading.problems[3].remedy.casefold()


def test_a_union_of_what_is_not_there_or_is_a_union_is_left_out(tmp_path: Path) -> None:
    reading = reading_of(
        tmp_path,
        night=NIGHT,
        both=BOTH.replace("office", "nigth"),
        twice="id: twice\nname: Twice\nunion: [both, office]\n",
    )
    assert problems(reading) == [
        ("both.yaml", 3, "union[0]", "unknown-calendar"),
        ("twice.yaml", 3, "union[0]", "unknown-calendar"),
        ("twice.yaml", 3, "union[1]", "unknown-calendar"),
    ]
    assert reading.problems[0].remedy == "Did you mean 'night'?"
    assert list(reading.calendars) == ["night"]


def test_an_id_stands_for_one_calendar(tmp_path: Path) -> None:
    assert problems(reading_of(tmp_path, a=NIGHT, b=NIGHT)) == [("b.yaml", 1, "id", "duplicate-id")]


# --- what is unwise


def hits(reading: Reading, almanac: Almanac | None = None) -> list[tuple[str, str, str]]:
    found = lint(reading, Known(), almanac=almanac)
    calendars = ("two-defaults", "no-default", "unknown-holidays", "holidays-end", "left-out-time")
    assert set(calendars) <= set(RULES)
    return [(Path(one.file).name, one.rule, one.path) for one in found if one.rule in calendars]


def test_one_calendar_is_the_default(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, a=NIGHT, b=OFFICE)
    assert hits(reading) == [("b.yaml", "two-defaults", "default")]


def test_where_there_are_calendars_one_is_the_default(tmp_path: Path) -> None:
    assert hits(reading_of(tmp_path, a=NIGHT.replace("default: true", ""))) == [("a.yaml", "no-default", "")]


def test_where_there_are_none_nothing_is_said(tmp_path: Path) -> None:
    assert hits(reading_of(tmp_path), Almanac(TODAY, {})) == []


@pytest.mark.parametrize(
    ("known_until", "said"), [(date(2026, 5, 10), True), (date(2026, 5, 11), False), (None, False)]
)
def test_holidays_that_are_soon_unknown_are_told(tmp_path: Path, known_until: date | None, said: bool) -> None:
    reading = reading_of(tmp_path, office=OFFICE)
    file = reading.calendars["office"].value
    office = Calendar(id="office", name="Office", week=file.hours, known_until=known_until)
    expected = [("office.yaml", "holidays-end", "holidays")] if said else []
    assert hits(reading, Almanac(TODAY, {"office": office})) == expected


def test_a_union_is_not_told_what_its_parts_are(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, office=OFFICE, night=NIGHT.replace("default: true", ""), both=BOTH)
    part = Calendar(id="office", name="Office", week=reading.calendars["office"].value.hours)
    both = Calendar(id="both", name="Both", parts=(part,), known_until=TODAY)
    assert hits(reading, Almanac(TODAY, {"both": both})) == []


def test_holidays_of_nowhere_are_told(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, office=OFFICE)
    almanac = Almanac(TODAY, {"office": "no holidays are known of the country 'XX'; did you mean 'DE'?"})
    assert hits(reading, almanac) == [("office.yaml", "unknown-holidays", "holidays")]
    found = lint(reading, Known(), almanac=almanac)
    assert [one.remedy for one in found if one.rule == "unknown-holidays"] == ["Did you mean 'DE'?"]


@pytest.mark.parametrize(
    ("hours", "paths"),
    [
        ("hours: {sunday: [02:00-06:00]}", ["hours.sunday[0]"]),
        ("hours: {sunday: [01:00-02:30, 05:00-06:00]}", ["hours.sunday[0]"]),
        ("hours: {sunday: [01:00-02:00, 03:00-06:00]}", []),
        ("hours: {monday: [02:30-06:00]}", []),
        ("hours: {saturday: [22:00-02:30]}", ["hours.saturday[0]"]),
        ("hours: {monday: [09:00-17:00]}\ndays: {2026-03-29: [02:15-04:00]}", ["days.2026-03-29[0]"]),
        ("hours: {sunday: [02:00-06:00]}\ndays: {2026-03-29: closed}", ["hours.sunday[0]"]),
    ],
)
def test_working_time_that_begins_or_ends_where_clocks_leave_time_out_is_told_once(
    tmp_path: Path, hours: str, paths: list[str]
) -> None:
    text = f"id: early\nname: Early\nzone: Europe/Berlin\ndefault: true\n{hours}\n"
    reading = reading_of(tmp_path, early=text)
    assert hits(reading, Almanac(TODAY, {})) == [("early.yaml", "left-out-time", path) for path in paths]


def test_the_gaps_of_a_zone_are_the_times_its_clocks_never_show() -> None:
    day = (TODAY - date(1970, 1, 1)).days
    first = (date(2026, 3, 29) - date(1970, 1, 1)).days * DAY
    hour = DAY // 24
    assert gaps("Europe/Berlin", day * DAY, (day + 300) * DAY) == [(first + 2 * hour, first + 3 * hour)]
    assert gaps("UTC", day * DAY, (day + 300) * DAY) == []
