from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta

import pytest
from support.api_world import ApiWorld
from support.builders import NOON, a_person, an_item
from support.waiting import until

from api.sweeper import BATCH, Sweeper
from catalog.model import digest
from catalog.request import Order, Status
from records.register import NewOrder, RegisterUnavailable

LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def world(resting: ApiWorld) -> ApiWorld:
    return resting


def accept(world: ApiWorld, count: int = 1) -> list[Order]:
    item, ada = an_item(), a_person().ref()
    return [
        world.register.take(
            NewOrder(
                item=item,
                item_digest=digest(item),
                answers={},
                requester=ada,
                beneficiary=ada,
                channel="api",
                auth="password",
                idempotency_key=f"key-{n}",
                body_digest="sha256:x",
                accepted_at=NOON,
            )
        ).order
        for n in range(count)
    ]


def a_sweeper(world: ApiWorld, every: float = 60) -> Sweeper:
    return Sweeper(world.register, world.engine, lambda: LATER, every=timedelta(seconds=every))


def waiting(world: ApiWorld) -> list[str]:
    return [order.number for order in world.register.unstarted(before=LATER, limit=1_000)]


async def test_every_accepted_order_is_started_oldest_first(world: ApiWorld) -> None:
    orders = accept(world, 7)
    await a_sweeper(world).sweep()
    assert list(world.engine.starts) == [order.number for order in orders]
    assert waiting(world) == []


async def test_many_sweepers_start_an_order_exactly_once(world: ApiWorld) -> None:
    orders = accept(world, 9)
    await asyncio.gather(*(a_sweeper(world).sweep() for _ in range(8)))
    assert world.engine.starts == {order.number: 1 for order in orders}
    assert world.engine.attempts > len(orders)
    assert waiting(world) == []


async def test_an_order_whose_start_was_not_noted_is_noted_the_next_time(world: ApiWorld) -> None:
    (order,) = accept(world)
    world.engine.quiet = True
    await world.engine.start(order)
    assert waiting(world) == [order.number]
    await a_sweeper(world).sweep()
    assert waiting(world) == []
    assert world.engine.starts == {order.number: 1}


async def test_while_the_engine_is_down_one_order_is_tried_and_one_line_is_logged(
    world: ApiWorld, caplog: pytest.LogCaptureFixture
) -> None:
    accept(world, 9)
    sweeper = a_sweeper(world)
    world.engine.down = True
    with caplog.at_level(logging.INFO, logger="api.sweeper"):
        for _ in range(3):
            await sweeper.sweep()
        assert world.engine.attempts == 3
        assert len(waiting(world)) == 9
        world.engine.down = False
        await sweeper.sweep()
        await sweeper.sweep()
    assert waiting(world) == []
    assert sorted(world.engine.starts.values()) == [1] * 9
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "wait" in lines[0]
    assert "again" in lines[1]


async def test_an_order_that_cannot_be_started_does_not_keep_the_others_waiting(
    world: ApiWorld, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = accept(world, 2)
    world.engine.fails = [ValueError("this one is odd")]
    await a_sweeper(world).sweep()
    assert waiting(world) == [first.number]
    assert second.number in world.engine.starts
    assert first.number in caplog.text


async def test_with_the_database_down_the_sweeper_goes_on_when_it_is_back(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise RegisterUnavailable("gone")

    accept(world, 2)
    sweeper = a_sweeper(world)
    for method in ("unstarted", "mark_started"):
        with monkeypatch.context() as patch:
            patch.setattr(world.register, method, down)
            await sweeper.sweep()
        assert waiting(world)
    await sweeper.sweep()
    assert waiting(world) == []
    assert set(world.engine.starts.values()) == {1}


async def test_the_sweeper_outlives_what_it_does_not_expect(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(world.register, "unstarted", broken)
        await a_sweeper(world).sweep()
    assert "ZeroDivisionError" in caplog.text


async def test_young_orders_are_left_to_the_process_that_took_them(world: ApiWorld) -> None:
    accept(world)
    await Sweeper(world.register, world.engine, lambda: NOON + timedelta(seconds=0.5)).sweep()
    assert world.engine.attempts == 0


async def test_more_orders_than_are_read_at_a_time_are_all_started_in_the_end(world: ApiWorld) -> None:
    accept(world, BATCH + 5)
    sweeper = a_sweeper(world)
    await sweeper.sweep()
    assert len(waiting(world)) == 5
    await sweeper.sweep()
    assert waiting(world) == []


async def test_a_running_sweeper_starts_fresh_orders_at_once_and_missed_ones_in_time(world: ApiWorld) -> None:
    missed, fresh = accept(world, 2)
    sweeper = a_sweeper(world, every=0.01)
    world.engine.down = True
    running = asyncio.create_task(sweeper.run())
    await until(lambda: world.engine.attempts)
    sweeper.nudge(fresh)
    world.engine.down = False
    await until(lambda: waiting(world) == [])
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert world.engine.starts == {missed.number: 1, fresh.number: 1}


async def test_a_nudge_starts_an_order_without_waiting_for_the_next_look(world: ApiWorld) -> None:
    sweeper = a_sweeper(world, every=3_600)
    running = asyncio.create_task(sweeper.run())
    await until(lambda: sweeper._tidied)  # it has looked once, at nothing
    (order,) = accept(world)
    sweeper.nudge(order)
    await until(lambda: world.status(order.number) is Status.APPROVAL)
    assert waiting(world) == []
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_more_nudges_than_there_is_room_for_are_left_to_the_sweep(world: ApiWorld) -> None:
    (order,) = accept(world)
    sweeper = a_sweeper(world)
    for _ in range(1_500):
        sweeper.nudge(order)
    await sweeper.sweep()
    assert world.engine.starts == {order.number: 1}
