"""Calendars over HTTP: whose they are, and when they are open (feature rows A12, S2)."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON, a_person, a_stage, an_item

from activities.errors import Transient
from catalog.calendar_file import PublishedCalendar
from catalog.duration import Working

WEEK = {"monday": ["09:00-12:00", "13:00-17:00"], "friday": ["22:00-06:00"]}


def a_calendar(name: str, **file: Any) -> PublishedCalendar:
    plain = {"id": name, "name": file.pop("called", name.title()), "zone": "Europe/Berlin"}
    worked_out = {"week": WEEK, "days": {"2026-12-25": []}, "known_until": "2031-12-31"}
    return PublishedCalendar.model_validate({"file": plain | {"hours": WEEK} | file, "calendar": plain | worked_out})


@pytest.fixture
def hours(world: ApiWorld) -> ApiWorld:
    """The world, with working hours; Ada works in Berlin."""
    world.directory.put_person(a_person("Ada Byron", manager_id="id-mara", location="Berlin"))
    calendars = [
        a_calendar("office", called="The office", default=True),
        a_calendar("germany", people="person.location == 'Berlin'"),
    ]
    world.register.publish_calendars(calendars, NOON, complete=True)
    return world


async def test_calendars_are_listed_by_name_and_say_whose_they_are(hours: ApiWorld) -> None:
    listed = (await hours.get("ada", "/calendars")).json()
    assert listed["items"][0] == {
        "id": "germany",
        "name": "Germany",
        "description": "",
        "zone": "Europe/Berlin",
        "default": False,
        "union": [],
        "known_until": "2031-12-31",
        "mine": True,
    }
    assert [(one["id"], one["mine"]) for one in listed["items"]] == [("germany", True), ("office", False)]
    listed = (await hours.get("ben", "/calendars")).json()
    assert [(one["id"], one["mine"]) for one in listed["items"]] == [("germany", False), ("office", True)]


async def test_where_there_are_none_the_list_is_empty(world: ApiWorld) -> None:
    assert (await world.get("ada", "/calendars")).json() == {"items": [], "next": None}


async def test_without_the_directory_it_cannot_be_said_whose_they_are(hours: ApiWorld) -> None:
    await hours.token("ada")
    hours.directory.fail_next(Transient("down"))
    expect_problem(await hours.get("ada", "/calendars"), 503, "directory-unavailable")


async def test_days_show_when_work_is_done_in_the_zone_of_the_calendar(hours: ApiWorld) -> None:
    answer = await hours.get("ben", "/calendars/germany/days?from=2026-12-14&until=2026-12-25")
    found = answer.json()
    assert (found["id"], found["name"], found["zone"]) == ("germany", "Germany", "Europe/Berlin")
    assert [one["day"] for one in found["days"]] == [f"2026-12-{day}" for day in range(14, 26)]
    monday, friday, christmas = (found["days"][n] for n in (0, 4, 11))
    assert monday == {
        "day": "2026-12-14",
        "open": [
            {"start": "2026-12-14T09:00:00+01:00", "end": "2026-12-14T12:00:00+01:00"},
            {"start": "2026-12-14T13:00:00+01:00", "end": "2026-12-14T17:00:00+01:00"},
        ],
        "holiday": False,
    }
    assert friday["open"] == [{"start": "2026-12-18T22:00:00+01:00", "end": "2026-12-19T06:00:00+01:00"}]
    assert christmas == {"day": "2026-12-25", "open": [], "holiday": True}


async def test_without_an_end_a_month_of_days_is_shown(hours: ApiWorld) -> None:
    found = (await hours.get("ben", "/calendars/office/days?from=2026-12-01")).json()
    assert [one["day"] for one in found["days"]][::30] == ["2026-12-01", "2026-12-31"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "from"),
        ("from=yesterday", "from"),
        ("from=1969-12-31", "from"),
        ("from=9999-12-31", "from"),
        ("from=2026-12-01&until=2026-11-30", "until"),
        ("from=2026-12-01&until=2027-02-01", "until"),
        ("from=2026-12-01&until=9999-12-31", "until"),
        ("from=2026-12-01&until=2026-12-02&zone=UTC", "zone"),
    ],
)
async def test_days_that_cannot_be_shown_are_refused(hours: ApiWorld, query: str, field: str) -> None:
    body = expect_problem(await hours.get("ada", f"/calendars/office/days?{query}"), 422, "invalid")
    assert [error["field"] for error in body["errors"]] == [field]


async def test_two_months_of_days_are_shown_at_most(hours: ApiWorld) -> None:
    found = (await hours.get("ben", "/calendars/office/days?from=2026-12-01&until=2027-01-31")).json()
    assert len(found["days"]) == 62


async def test_a_calendar_that_is_not_there_is_not_found(hours: ApiWorld) -> None:
    for name in ("mars", "Office", "office%20"):
        expect_problem(await hours.get("ada", f"/calendars/{name}/days?from=2026-12-01"), 404, "not-found")


async def test_only_who_is_signed_in_sees_them(hours: ApiWorld) -> None:
    expect_problem(await hours.http.get("/api/v1/calendars"), 401, "unauthenticated")
    expect_problem(await hours.http.get("/api/v1/calendars/office/days?from=2026-12-01"), 401, "unauthenticated")


async def test_what_an_order_would_take_is_foreseen_in_the_working_hours_of_who_decides(hours: ApiWorld) -> None:
    stage = a_stage(decide_within=Working(days=1))
    hours.shelve(an_item(id="badge", form=(), approvals=(stage,)))
    order = {"item": "badge", "answers": {}}
    (one,) = (await hours.post("ada", "/requests/preview", order)).json()["orders"]
    # Mara is in the office on Mondays and on Fridays from 22:00 on; it is Monday, 13:00 in Berlin.
    assert one["stages"][0]["due_at"] == "2025-03-07T21:00:00Z"
