"""Operators see which timers are late."""

from __future__ import annotations

from datetime import timedelta

from support.api_world import ApiWorld, expect_problem
from support.builders import NOON

from catalog.request import Waiting, WaitKind


async def late(world: ApiWorld, key: str) -> str:
    """Place a request that waits until now, and let two hours pass."""
    number = await world.placed(key=key)
    batch = world.engine.ask_operator(number)
    waiting = Waiting(kind=WaitKind.OPERATOR, what="Somebody decides", since=NOON, until=NOON, rule="r")
    projection = batch.projection.model_copy(update={"waiting": (waiting,)})
    world.register.record(batch.model_copy(update={"projection": projection}))
    world.register.look_for_late_timers(NOON + timedelta(hours=2))
    return number


async def test_an_operator_sees_what_is_late_since_when(world: ApiWorld) -> None:
    assert (await world.get("otto", "/operations/late")).json() == {"items": [], "next": None}
    number = await late(world, "key-1")
    (shown,) = (await world.get("otto", "/operations/late")).json()["items"]
    assert (shown["number"], shown["what"]) == (number, "Somebody decides")
    assert (shown["until"], shown["seen_at"]) == ("2025-03-03T12:00:00.123456Z", "2025-03-03T14:00:00.123456Z")


async def test_the_list_can_be_kept_short(world: ApiWorld) -> None:
    for key in ("one", "two"):
        await late(world, key)
    assert len((await world.get("otto", "/operations/late?limit=1")).json()["items"]) == 1


async def test_others_do_not_see_it(world: ApiWorld) -> None:
    expect_problem(await world.get("ada", "/operations/late"), 403, "not-allowed")
