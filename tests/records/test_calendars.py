"""Published calendars: one of each id holds, and what held before stays on record (feature row S2)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from support.builders import NOON

from catalog.calendar_file import PublishedCalendar
from catalog.sla_history import Edition
from records.register import Register
from records.tables import calendars

LATER = NOON + timedelta(hours=1)


def a_calendar(name: str = "office", opens: str = "09:00", **file: Any) -> PublishedCalendar:
    week = {"monday": [f"{opens}-17:00"], "friday": ["22:00-06:00"]}
    days = {"2025-12-25": "closed", "2025-12-24": ["09:00-12:00"]}
    return PublishedCalendar.model_validate(
        {
            "file": {"id": name, "name": "Größe 🦊", "hours": week, "holidays": {"country": "DE"}} | file,
            "calendar": {"id": name, "name": "Größe 🦊", "week": week, "days": days, "known_until": "2030-12-31"},
        }
    )


def rows(register: Register) -> list[tuple[Any, ...]]:
    query = select(calendars.c.calendar, calendars.c.published_at, calendars.c.retired_at).order_by(calendars.c.id)
    with register.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_what_is_published_is_read_back_by_id(register: Register) -> None:
    night, office = a_calendar("night", people="person.location == 'Berlin'"), a_calendar(default=True)
    register.publish_calendars([office, night], NOON, complete=True)
    assert register.calendars() == (night, office)


def test_publishing_the_same_again_writes_nothing(register: Register) -> None:
    register.publish_calendars([a_calendar()], NOON, complete=True)
    register.publish_calendars([a_calendar()], LATER, complete=True)
    assert rows(register) == [("office", NOON, None)]


def test_one_that_changes_takes_the_place_of_the_old_which_says_until_when_it_held(register: Register) -> None:
    other = a_calendar("other")
    register.publish_calendars([a_calendar(), other], NOON, complete=True)
    changed = a_calendar(opens="10:00")
    register.publish_calendars([changed, other], LATER, complete=True)
    assert register.calendars() == (changed, other)
    assert rows(register) == [("office", NOON, LATER), ("other", NOON, None), ("office", LATER, None)]


def test_one_that_changes_back_holds_again(register: Register) -> None:
    for opens, at in (("09:00", NOON), ("10:00", LATER), ("09:00", LATER + timedelta(hours=1))):
        register.publish_calendars([a_calendar(opens=opens)], at, complete=True)
    assert register.calendars() == (a_calendar(),)
    assert len(rows(register)) == 3


def test_one_that_is_gone_holds_no_longer_but_only_if_all_there_are_are_known(register: Register) -> None:
    office, night = a_calendar(), a_calendar("night")
    register.publish_calendars([office, night], NOON, complete=True)
    register.publish_calendars([office], LATER, complete=False)
    assert register.calendars() == (night, office)
    register.publish_calendars([office], LATER, complete=True)
    assert register.calendars() == (office,)
    register.publish_calendars([office, night], LATER, complete=True)
    assert register.calendars() == (night, office)


def test_of_many_who_publish_at_once_one_of_each_id_stands(connect: Callable[[], Register]) -> None:
    registers = [connect() for _ in range(6)]

    def publish(register: Register, hour: int) -> None:
        register.publish_calendars([a_calendar(opens=f"0{hour}:00"), a_calendar("same")], NOON, complete=True)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(publish, registers * 3, [n % 9 for n in range(18)]))
    assert [one.file.id for one in registers[0].calendars()] == ["office", "same"]
    standing = [name for name, _, retired in rows(registers[0]) if retired is None]
    assert sorted(standing) == ["office", "same"]


def test_what_held_at_a_moment_can_be_asked_for(register: Register) -> None:
    first, changed = a_calendar(), a_calendar(opens="10:00")
    register.publish_calendars([first], NOON, complete=True)
    register.publish_calendars([changed], LATER, complete=True)
    assert register.calendars(NOON - timedelta(seconds=1)) == ()
    assert register.calendars(NOON) == register.calendars(LATER - timedelta(seconds=1)) == (first,)
    assert register.calendars(LATER) == register.calendars() == (changed,)
    register.publish_calendars([], LATER + timedelta(hours=1), complete=True)
    assert register.calendars(LATER + timedelta(hours=2)) == ()


def test_the_editions_of_a_calendar_are_known_the_oldest_first(register: Register) -> None:
    first, changed = a_calendar(), a_calendar(opens="10:00")
    register.publish_calendars([first, a_calendar("other")], NOON, complete=True)
    register.publish_calendars([changed], LATER, complete=True)
    assert register.editions({"office", "mars"}) == {
        "office": [Edition(NOON, first.calendar), Edition(LATER, changed.calendar)]
    }
    assert register.editions(()) == {}
