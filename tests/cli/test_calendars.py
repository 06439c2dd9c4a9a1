"""`commissary calendar` and `commissary me`."""

from __future__ import annotations

import json
from datetime import date

import pytest
from support.api_world import ApiWorld
from support.builders import NOON
from support.terminal import Commissary

from catalog.calendar_file import PublishedCalendar
from catalog.preferences import Preferences
from cli.calendars import _month
from cli.client import Trouble

WEEK = {"monday": ["09:00-12:00", "13:00-17:00"], "friday": ["09:00-17:00"], "saturday": ["22:00-06:00"]}


@pytest.fixture(autouse=True)
def _hours(world: ApiWorld) -> None:
    germany = {"id": "germany", "name": "Germany", "zone": "Europe/Berlin"}
    office = {"id": "office", "name": "Office hours"}
    calendars = [
        PublishedCalendar.model_validate(
            {
                "file": germany | {"hours": WEEK},
                "calendar": germany | {"week": WEEK, "days": {"2026-12-25": []}, "known_until": "2031-12-31"},
            }
        ),
        PublishedCalendar.model_validate(
            {"file": office | {"hours": WEEK, "default": True}, "calendar": office | {"week": WEEK}}
        ),
    ]
    world.register.publish_calendars(calendars, NOON, complete=True)


def test_the_list_says_which_one_is_yours(commissary: Commissary) -> None:
    said = commissary("Ada Byron", "calendar", "list").text
    assert "germany Germany Europe/Berlin 31 Dec 2031" in said
    assert "office Office hours UTC yours, the default" in said


def test_where_there_are_none_the_list_says_what_that_means(world: ApiWorld, commissary: Commissary) -> None:
    world.register.publish_calendars([], NOON, complete=True)
    assert "counted around the clock" in commissary("Ada Byron", "calendar", "list").text


def test_a_month_is_shown_day_by_day_and_holidays_are_named(commissary: Commissary) -> None:
    said = commissary("Ada Byron", "calendar", "show", "germany", "--month", "2026-12").text
    assert said.startswith("Germany, December 2026, as clocks show it in Europe/Berlin Tue 1 Dec closed")
    assert "Mon 14 Dec 09:00-12:00, 13:00-17:00" in said
    assert "Fri 25 Dec closed, a holiday Sat 26 Dec 22:00-Sun 06:00 Sun 27 Dec closed" in said
    assert said.endswith("Thu 31 Dec closed")


def test_scripts_get_plain_json(commissary: Commissary) -> None:
    listed = json.loads(commissary("Ada Byron", "calendar", "list", "--json").text)
    assert [one["id"] for one in listed] == ["germany", "office"]
    shown = json.loads(commissary("Ada Byron", "calendar", "show", "office", "--month", "2026-02", "--json").text)
    assert len(shown["days"]) == 28
    assert json.loads(commissary("Ada Byron", "me", "show", "--json").text)["in_force"]["id"] == "office"


def test_without_a_month_it_is_this_one() -> None:
    first, last = _month(None)
    assert first.day == 1
    assert first <= date.today() <= last or date.today().day == 1  # noqa: DTZ011  # the reader's own day
    assert _month("2028-02") == (date(2028, 2, 1), date(2028, 2, 29))


@pytest.mark.parametrize("said", ["", "2026", "2026-13", "0000-01", "December"])
def test_what_is_no_month_is_refused(said: str) -> None:
    with pytest.raises(Trouble, match="write it like 2026-12"):
        _month(said)


def test_a_calendar_that_is_not_there_is_said_in_words(commissary: Commissary) -> None:
    assert commissary("Ada Byron", "calendar", "show", "mars") == (1, "Error: There is no such calendar.")


def test_who_has_said_nothing_sees_what_the_rules_give(commissary: Commissary) -> None:
    said = commissary("Ada Byron", "me", "show").text
    assert said == ("Calendar Office hours, by the company's rules Quiet hours none Digest off: each by itself")


def test_wishes_are_set_one_by_one_and_taken_back(world: ApiWorld, commissary: Commissary) -> None:
    said = commissary("Ada Byron", "me", "set", "--calendar", "germany", "--quiet", "20:00-07:00").text
    assert said.startswith("Calendar Germany, your choice Quiet hours 20:00-07:00 (Europe/Berlin)")
    said = commissary("Ada Byron", "me", "set", "--digest", "08:00").text
    assert said.endswith("Quiet hours 20:00-07:00 (Europe/Berlin) Digest daily at 08:00 (Europe/Berlin)")
    commissary("Ada Byron", "me", "set", "--quiet", "12:00-13:00", "--quiet", "20:00-07:00")
    assert len(world.register.preferences("id-ada").quiet) == 2
    for option in ("--calendar", "--quiet", "--digest"):
        assert commissary("Ada Byron", "me", "set", option, "off").code == 0
    assert world.register.preferences("id-ada") == Preferences()


def test_mistakes_are_said_in_words(commissary: Commissary) -> None:
    said = commissary("Ada Byron", "me", "set", "--quiet", "evening")
    assert said.code == 1
    assert "Error: Your preferences stay as they were. • quiet[0]: 'evening' is no time of a day" in said.text
