"""What activities are told of the company: from the register, calendars no older than half a minute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.builders import NOON

from activities.errors import Transient
from catalog.calendar_file import PublishedCalendar
from catalog.preferences import Preferences
from records.register import Register
from worker.company import FRESH, Known, company


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    with closing(Register(f"sqlite:///{tmp_path / 'register.db'}")) as register:
        register.migrate()
        yield register


def publish(register: Register, *names: str) -> None:
    week = {"monday": ["09:00-17:00"]}
    calendars = [
        PublishedCalendar.model_validate(
            {"file": {"id": name, "name": name, "hours": week}, "calendar": {"id": name, "name": name, "week": week}}
        )
        for name in names
    ]
    register.publish_calendars(calendars, NOON, complete=True)


def test_calendars_are_read_again_after_a_while(register: Register) -> None:
    now = 1000.0
    known = Known(register, lambda: now)
    publish(register, "office")
    assert [one.file.id for one in known.calendars()] == ["office"]
    publish(register, "night", "office")
    now += FRESH - 0.1
    assert [one.file.id for one in known.calendars()] == ["office"]
    now += 0.1
    assert [one.file.id for one in known.calendars()] == ["night", "office"]


def test_what_people_chose_is_known_at_once(register: Register) -> None:
    known = company(register).calendars
    assert known is not None
    assert known.chosen(["id-ada"]) == {}
    register.set_preferences("id-ada", Preferences(calendar="office"), NOON)
    assert known.chosen(["id-ada"]) == {"id-ada": "office"}


def test_a_register_that_is_away_is_asked_again_later(tmp_path: Path) -> None:
    with closing(Register(f"sqlite:///{tmp_path / 'nowhere' / 'register.db'}")) as register:
        known = Known(register)
        for ask in (known.calendars, lambda: known.chosen(["a"]), lambda: known.touching(["a"], NOON)):
            with pytest.raises(Transient, match="the register does not answer"):
                ask()
