"""Clocks while a request lives: warned and breached exactly on time, paused by questions (feature rows S1, S6)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON, a_person, an_item, an_order
from support.world import World

from catalog import names
from catalog.item import CatalogItem
from catalog.journal import Entry, Kind
from catalog.people import OPERATORS
from catalog.request import Order, Outcome, WaitKind
from catalog.sla_spec import ClockSpec
from catalog.terms import terms
from workflows.clocks import Clocks, ClocksSoFar
from workflows.record import Record

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def timed(**clock: Any) -> tuple[CatalogItem, dict[str, Any]]:
    """Return an item with a clock of its decision, and the terms of an order of it."""
    spec = ClockSpec.model_validate({"id": "decision", "measures": "decision", "target": "4 days"} | clock)
    item = an_item(clocks=(spec,))
    return item, {"item": item, "terms": terms(item, names.of_order(an_order(item=item), NOON), {})}


def percents(entries: list[Entry]) -> list[int]:
    kinds = (Kind.CLOCK_WARNED, Kind.CLOCK_BREACHED)
    return [entry.data["percent"] for entry in entries if entry.kind in kinds]


async def test_s6_a_decision_that_takes_long_is_warned_of_and_then_breached_each_once(world: World) -> None:
    _, order = timed()
    request = await world.place(**order)
    shown = await request.waits_for_people()
    opened = shown.waiting[0].since
    assert shown.clock_at == opened + 2 * DAY
    await request.passes(2 * DAY + HOUR)
    warned = await request.sees(Kind.CLOCK_WARNED)
    assert warned.data["percent"] == 50
    assert timedelta(0) <= warned.at - (opened + 2 * DAY) < timedelta(minutes=1)
    assert request.told("clock") == ["mara"]
    await request.passes(2 * DAY)
    breached = await request.sees(Kind.CLOCK_BREACHED)
    assert timedelta(0) <= breached.at - (opened + 4 * DAY) < timedelta(minutes=1)
    assert request.told("clock") == ["mara", "mara", "mara", "operators"]
    assert request.now.clock_at is None
    await request.decide("Mara Lind")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert percents(request.entries) == [50, 75, 100]


async def test_s1_a_question_stops_the_clock_until_the_answer(world: World) -> None:
    _, order = timed()
    request = await world.place(**order)
    await request.waits_for_people()
    await request.passes(DAY)
    await request.consider("Mara Lind", "ask", "What for?")
    assert (await request.waits_for(WaitKind.INFORMATION)).clock_at is None
    await request.passes(5 * DAY)
    assert percents(request.entries) == []
    await request.consider("Ada Byron", "answer", "The handbook.", task=2)
    await request.passes(DAY + HOUR)
    await request.sees(Kind.CLOCK_WARNED)
    await request.decide("Mara Lind")
    await request.closes()
    assert percents(request.entries) == [50]


async def test_s1_a_decision_in_time_is_not_spoken_of(world: World) -> None:
    _, order = timed()
    request = await world.place(**order)
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.closes()
    assert percents(request.entries) == []
    assert request.told("clock") == []


class Waiting(Clocks):
    """Clocks without a request, whose next moment is never reached."""

    def __init__(self) -> None:
        self._specs, self._over = timed()[0].clocks, False

    async def _run(self) -> None:
        await asyncio.Event().wait()


async def test_a_request_that_a_stopping_worker_drops_from_memory_waits_for_no_clock() -> None:
    async def request() -> None:
        async with Waiting().running():
            await asyncio.Event().wait()

    before, dropped = asyncio.all_tasks(), request()
    dropped.send(None)
    dropped.close()  # a RuntimeError, if it awaits anything now
    (clock,) = asyncio.all_tasks() - before
    assert not clock.done()
    clock.cancel()


def test_a_clock_that_ended_is_let_go_of_once_all_was_said_that_it_came_to(monkeypatch: pytest.MonkeyPatch) -> None:
    _, order = timed(warn=[50])
    now = [NOON]
    monkeypatch.setattr("temporalio.workflow.now", lambda: now[0])

    def begun(so_far: ClocksSoFar | None = None) -> tuple[Record, Clocks]:
        record = Record(an_order(**order))
        return record, Clocks(record, dict, lambda _: (), so_far)

    record, clocks = begun()
    for at in (NOON, NOON + DAY):  # the first of them ends in time, and the second as it is late
        now[0] = at
        record.note(Kind.STAGE_OPENED, {"stage": "manager", "name": "Manager", "approvers": []})
        now[0] += HOUR if at == NOON else 5 * DAY
        record.note(Kind.STAGE_CLOSED, {"stage": "manager", "name": "Manager", "status": "approved"})
    left = clocks.so_far()
    assert [(clock.run, clock.state) for clock in left.clocks["decision"]] == [(2, "stopped")]
    assert left.runs == {"decision": (("manager", "", 1),)}
    record, clocks = begun(left)
    for _ in range(2):  # the second time there is nothing
        clocks._say(clocks._unsaid_now())
        assert percents(record._entries) == [50, 100]
        assert clocks.so_far() == ClocksSoFar(clocks={"decision": ()}, runs={"decision": (("manager", "", 2),)})


class Recording(Record):
    """Notes what was said each time it is written down."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.written: list[list[int]] = []

    async def flush(self) -> None:
        self.written.append(percents(self._entries))


def test_s6_of_what_a_clock_comes_to_at_once_people_are_told_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    _, order = timed(warn=[50, 75])
    now = [NOON]
    monkeypatch.setattr("temporalio.workflow.now", lambda: now[0])
    record = Record(an_order(**order))
    clocks = Clocks(record, dict, lambda _: (a_person("Mara").ref(),))
    record.note(Kind.STAGE_OPENED, {"stage": "manager", "name": "Manager", "approvers": []})
    now[0] += 9 * DAY
    clocks._say(clocks._unsaid_now())
    assert percents(record._entries) == [50, 75, 100]
    assert [(notice.to.login, notice.data["percent"]) for notice in record._notices] == [
        ("mara", 100),
        (OPERATORS.login, 100),
    ]


@pytest.mark.parametrize(("later", "written"), [(0, []), (3, [[50]]), (9, [[50, 100]])])
async def test_s6_a_run_says_first_what_clocks_came_to_before_it_began(
    monkeypatch: pytest.MonkeyPatch, later: int, written: list[list[int]]
) -> None:
    _, order = timed(warn=[50])
    now = [NOON]
    monkeypatch.setattr("temporalio.workflow.now", lambda: now[0])
    monkeypatch.setattr("temporalio.workflow.patched", lambda _: True)
    before = Record(an_order(**order))
    clocks = Clocks(before, dict, lambda _: ())
    before.note(Kind.STAGE_OPENED, {"stage": "manager", "name": "Manager", "approvers": []})
    now[0] += later * DAY
    record = Recording(before.order)
    async with Clocks(record, dict, lambda _: (), clocks.so_far()).running():
        pass  # it does not come to waiting for anything
    assert record.written == written
