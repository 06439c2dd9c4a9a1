"""What people wish, over HTTP: their calendar, quiet hours, a digest (feature rows A12, N2)."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON, a_person

from catalog.calendar_file import PublishedCalendar

PATH = "/me/preferences"


@pytest.fixture
def hours(world: ApiWorld) -> ApiWorld:
    """The world, with two calendars."""
    week = {"monday": ["09:00-17:00"]}
    calendars = [
        PublishedCalendar.model_validate(
            {
                "file": {"id": name, "name": name.title(), "zone": zone, "hours": week, "default": default},
                "calendar": {"id": name, "name": name.title(), "zone": zone, "week": week},
            }
        )
        for name, zone, default in (("germany", "Europe/Berlin", False), ("office", "America/New_York", True))
    ]
    world.register.publish_calendars(calendars, NOON, complete=True)
    return world


async def put(world: ApiWorld, body: Any, who: str = "ada") -> Any:
    return await world.send(who, "PUT", PATH, json=body)


async def test_who_has_said_nothing_has_what_the_rules_give(hours: ApiWorld) -> None:
    shown = (await hours.get("ada", PATH)).json()
    assert shown["in_force"].pop("id") == "office"
    assert shown.pop("in_force")["mine"]
    assert shown == {"calendar": None, "quiet": [], "digest": None, "zone": "UTC"}


async def test_what_is_wished_is_kept_and_shown_with_the_zone_of_the_calendar(hours: ApiWorld) -> None:
    said = {"calendar": "germany", "quiet": ["20:00-07:00", "12:00-13:00"], "digest": "08:00"}
    answer = await put(hours, said)
    assert answer.status_code == 200
    shown = (await hours.get("ada", PATH)).json()
    assert answer.json() == shown
    assert shown.pop("in_force")["id"] == "germany"
    assert shown == said | {"quiet": ["12:00-13:00", "20:00-07:00"], "zone": "Europe/Berlin"}


async def test_quiet_hours_are_meant_in_the_zone_of_the_rules_calendar_if_none_is_chosen(hours: ApiWorld) -> None:
    assert (await put(hours, {"quiet": ["20:00-07:00"]})).json()["zone"] == "America/New_York"


async def test_what_is_left_out_is_no_longer_wished(hours: ApiWorld) -> None:
    await put(hours, {"calendar": "germany", "quiet": ["20:00-07:00"], "digest": "08:00"})
    shown = (await put(hours, {"digest": "09:30"})).json()
    assert (shown["calendar"], shown["quiet"], shown["digest"]) == (None, [], "09:30")


async def test_a_chosen_calendar_is_ones_own_in_the_list_and_that_of_nobody_else(hours: ApiWorld) -> None:
    await put(hours, {"calendar": "germany"})
    for who, mine in (("ada", ["germany"]), ("ben", ["office"])):
        listed = (await hours.get(who, "/calendars")).json()["items"]
        assert [one["id"] for one in listed if one["mine"]] == mine
    assert (await hours.get("ben", PATH)).json()["calendar"] is None


async def test_a_chosen_calendar_that_goes_away_leaves_it_to_the_rules(hours: ApiWorld) -> None:
    await put(hours, {"calendar": "germany"})
    kept = [one for one in hours.register.calendars() if one.file.id == "office"]
    hours.register.publish_calendars(kept, NOON, complete=True)
    shown = (await hours.get("ada", PATH)).json()
    assert (shown["calendar"], shown["in_force"]["id"]) == ("germany", "office")


async def test_where_there_are_no_calendars_time_is_clock_time(world: ApiWorld) -> None:
    shown = (await put(world, {"quiet": ["20:00-07:00"]})).json()
    assert (shown["in_force"], shown["zone"]) == (None, "UTC")


async def test_somebody_the_directory_no_longer_knows_has_the_default(hours: ApiWorld) -> None:
    await hours.token("ada")
    hours.directory.put_person(a_person("Ada Byron", id="id-other"))
    del hours.directory._people["id-ada"]
    assert (await hours.get("ada", PATH)).json()["in_force"]["id"] == "office"


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        ({"calendar": "mars"}, "calendar", "no such calendar"),
        ({"calendar": "No id"}, "calendar", ""),
        ({"quiet": ["20-7"]}, "quiet[0]", "no time of a day"),
        ({"quiet": ["00:00-24:00"]}, "quiet", "leave no time"),
        ({"quiet": ["20:00-07:00"], "digest": "05:00"}, "digest", "in the quiet hours"),
        ({"quiet": [f"{n:02}:00-{n:02}:30" for n in range(7)]}, "quiet", "6"),
        ({"quiet": "20:00-07:00"}, "quiet", ""),
        ({"digest": "25:00"}, "digest", ""),
        ({"digest": "28800"}, "digest", ""),
        ({"digest": "08:00Z"}, "digest", ""),
        ({"zone": "Europe/Berlin"}, "zone", ""),
        ({"loud": True}, "loud", ""),
    ],
)
async def test_what_cannot_be_wished_is_refused_and_changes_nothing(
    hours: ApiWorld, body: Any, field: str, why: str
) -> None:
    await put(hours, {"digest": "09:30"})
    told = expect_problem(await put(hours, body), 422, "invalid")
    assert [(error["field"], why in error["message"]) for error in told["errors"]] == [(field, True)]
    assert (await hours.get("ada", PATH)).json()["digest"] == "09:30"


async def test_only_who_is_signed_in_has_wishes(hours: ApiWorld) -> None:
    expect_problem(await hours.http.get(f"/api/v1{PATH}"), 401, "unauthenticated")
    expect_problem(await hours.http.put(f"/api/v1{PATH}", json={}), 401, "unauthenticated")
