"""By when a request is likely to be done, as its people see it (feature row S8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from support.api_world import ApiWorld
from support.builders import NOON, a_stage, an_item
from support.clocked import a_calendar

from catalog.duration import Working
from catalog.item import Sla
from catalog.stages import MOST_STAGES
from records.tables import milestones

DAY = timedelta(days=1)
DUE = (NOON + 5 * DAY).replace(second=0, microsecond=0) + timedelta(minutes=1)
"""What the item's SLA says, rounded up to the minute as earlier orders' lengths are."""


async def fulfilled(world: ApiWorld, times: int, *, took: timedelta = DAY) -> None:
    """Have so many orders fulfilled; how long they took is written over, for the fake engine's clock stands still."""
    for n in range(times):
        number = await world.placed(key=f"earlier-{n}")
        await world.post("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    with world.register.write() as connection:
        connection.execute(update(milestones).values(ended_at=NOON + took))


def moments(promise: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(promise["p50"]), datetime.fromisoformat(promise["p90"])


async def test_with_few_earlier_orders_the_sla_is_promised(world: ApiWorld) -> None:
    await fulfilled(world, 3)
    number = await world.placed()
    promise = (await world.get("ada", f"/requests/{number}")).json()["promise"]
    assert (promise["basis"], promise["cases"], moments(promise)) == ("sla", 3, (NOON + 5 * DAY, NOON + 5 * DAY))


async def test_s8_with_enough_earlier_orders_their_history_is(world: ApiWorld) -> None:
    await fulfilled(world, 20, took=2 * DAY)
    number = await world.placed()
    expected = {"cases": 20, "basis": "history"}
    for shown in (
        (await world.get("ada", f"/requests/{number}")).json(),
        (await world.get("ada", "/requests?state=open")).json()["items"][0],
        (await world.post("ada", f"/requests/{number}/comments", {"text": "hello"})).json()["request"],
    ):
        assert shown["number"] == number
        assert expected.items() <= shown["promise"].items()
        assert moments(shown["promise"])[1] == DUE - 3 * DAY


async def test_s8_an_order_is_promised_something_before_and_when_it_is_placed(world: ApiWorld) -> None:
    await fulfilled(world, 20, took=2 * DAY)
    order = {"item": "wiki-editor", "answers": {"why": "work"}}
    (planned,) = (await world.post("ada", "/requests/preview", order)).json()["orders"]
    placed = (await world.orders()).json()
    assert planned["promise"] == placed["promise"]
    assert planned["promise"]["cases"] == 20
    assert moments(planned["promise"])[0] == DUE - 3 * DAY


async def test_a_preview_without_history_promises_the_end_of_the_last_approval_if_that_is_later(
    world: ApiWorld,
) -> None:
    order = {"item": "wiki-editor", "answers": {"why": "work"}}
    (planned,) = (await world.post("ada", "/requests/preview", order)).json()["orders"]
    assert planned["promise"]["basis"] == "sla"
    assert moments(planned["promise"])[1] == datetime.fromisoformat(planned["decided_by"])


async def test_a_request_that_has_outlasted_all_earlier_ones_says_so(world: ApiWorld) -> None:
    await fulfilled(world, 20)
    number = await world.placed()
    world.clock.passes(2 * DAY)
    world._tokens.clear()  # they are good for an hour
    promise = (await world.get("ada", f"/requests/{number}")).json()["promise"]
    assert (promise["basis"], promise["cases"], promise["outlasted"]) == ("sla", 0, True)


async def test_s8_without_history_the_stages_of_a_preview_and_of_its_request_add_up_alike(world: ApiWorld) -> None:
    world.engine.quiet = True  # nobody is asked yet
    world.register.publish_calendars([a_calendar("office", default=True)], NOON, complete=True)
    stages = (a_stage(decide_within=5 * DAY), a_stage(id="owner", decide_within=Working(days=5), calendar="office"))
    world.shelve(an_item(id="slow", approvals=stages, sla=Sla(target=6 * DAY)))
    order = {"item": "slow", "answers": {"why": "work"}}
    (planned,) = (await world.post("ada", "/requests/preview", order)).json()["orders"]
    placed = (await world.orders(item="slow")).json()
    assert planned["promise"] == placed["promise"]
    assert moments(planned["promise"])[1] > NOON + 11 * DAY  # there is a weekend in the five working days


async def test_a_closed_request_is_promised_nothing(world: ApiWorld) -> None:
    await fulfilled(world, 1)
    (shown,) = (await world.get("ada", "/requests")).json()["items"]
    assert shown["promise"] is None
    assert (await world.get("ada", f"/requests/{shown['number']}")).json()["promise"] is None


async def test_a_request_whose_promise_is_over_changes_once_a_minute_at_most(world: ApiWorld) -> None:
    number = await world.placed()
    world.clock.passes(DAY * 6)
    world._tokens.clear()  # they are good for an hour
    tag = (await world.get("ada", f"/requests/{number}")).headers["etag"]
    world.clock.passes(timedelta(seconds=1))
    again = await world.get("ada", f"/requests/{number}", headers={"If-None-Match": tag})
    assert again.status_code == 304


async def test_s8_an_order_with_as_many_stages_as_there_may_be_each_as_long_as_any_is_taken(world: ApiWorld) -> None:
    stages = tuple(a_stage(id=f"s{n}", name=f"S{n}", decide_within="36525 days") for n in range(MOST_STAGES))
    item = an_item(id="long", form=(), approvals=stages)
    world.shelve(item)
    order = {"item": item.id, "answers": {}}
    preview = await world.post("ada", "/requests/preview", order)
    assert (preview.status_code, preview.json()["may_be_ordered"]) == (200, True)
    placed = await world.post("ada", "/requests", order, key="long")
    assert placed.status_code == 201
    shown = await world.get("ada", f"/requests/{placed.json()['number']}")
    assert moments(shown.json()["promise"])[1] > NOON + 29 * 36_525 * DAY
