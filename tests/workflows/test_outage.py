"""What a request is told to do while the register takes no writes: it is done, on record, as soon as it takes them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from support.builders import a_stage, a_steps_item, an_item
from support.waiting import until
from support.world import GROUP, Request, World, served
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

import workflows.record
from activities.connectors.memory import MemoryJournal
from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.request import Batch, Outcome, WaitKind
from catalog.stages import ByGroup, ByOwner


class Stalling(MemoryJournal):
    """A journal that can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self._open = threading.Event()
        self._open.set()
        self.asked = threading.Event()

    def record(self, batch: Batch) -> bool:
        self.asked.set()
        assert self._open.wait(60)
        return super().record(batch)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        self._open.clear()
        self.asked.clear()
        try:
            yield
        finally:
            self._open.set()


@pytest.fixture
def journal() -> Stalling:
    return Stalling()


@pytest.fixture
async def slow(env: WorkflowEnvironment, journal: Stalling) -> AsyncIterator[World]:
    """A world whose register can be held up, and whose engine soon asks what becomes of a write."""
    made = World(env)
    made.journal = journal
    made.task_timeout = timedelta(seconds=2)
    async with served(made, max_cached_workflows=1000):
        yield made


async def happened(request: Request, kind: EventType.ValueType) -> None:
    """Wait until the engine has told the workflow of an event of a kind."""

    async def told() -> bool:
        kinds = [event.event_type async for event in request.handle.fetch_history_events()]
        done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        return kind in kinds and done in kinds[len(kinds) - kinds[::-1].index(kind) :]

    await until(told, within=30, pause=0.1)


def asked(journal: Stalling) -> bool:
    return journal.asked.wait(20)


async def test_cancelling_in_the_engine_while_a_write_stalls_calls_the_request_off(
    slow: World, journal: Stalling
) -> None:
    with journal.stalled():
        request = await slow.place()
        assert await asyncio.to_thread(asked, journal)
        await request.handle.cancel()
        await happened(request, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    assert (await request.closes()).outcome is Outcome.CANCELLED


async def test_cancelling_in_the_engine_while_a_write_stalls_takes_back_what_was_given(
    slow: World, journal: Stalling
) -> None:
    give = {"id": "give", "do": "grant", "group": GROUP}
    pause = {"id": "pause", "do": "wait", "duration": "3 days"}
    with ExitStack() as stalled:
        with slow.directory.held("ensure_member") as begun:
            request = await slow.place(item=a_steps_item(give, pause))
            assert await asyncio.to_thread(begun.wait, 10)
            stalled.enter_context(journal.stalled())
        assert await asyncio.to_thread(asked, journal)
        assert slow.is_member()
        await request.handle.cancel()
        await happened(request, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED)
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert not slow.is_member()


def side_by_side() -> CatalogItem:
    """Guards take long to be found; the owner has little time."""
    guards = a_stage(id="guards", name="Guards", approvers=(ByGroup(rule="group", group="guards"),), after=())
    little = timedelta(seconds=5)
    owner = a_stage(id="owner", name="Owner", approvers=(ByOwner(rule="owner"),), after=(), decide_within=little)
    return an_item(approvals=(a_stage(), guards, owner))


async def test_a_deadline_while_the_stage_beside_it_writes_that_it_opened_is_the_end_on_record(
    slow: World, journal: Stalling
) -> None:
    with ExitStack() as stalled:
        with slow.directory.held("members") as begun:
            request = await slow.place(item=side_by_side())
            assert await asyncio.to_thread(begun.wait, 10)
            await request.waits_for(WaitKind.PEOPLE, 2)
            stalled.enter_context(journal.stalled())
        assert await asyncio.to_thread(asked, journal)
        await happened(request, EventType.EVENT_TYPE_TIMER_FIRED)
    assert (await request.closes()).outcome is Outcome.EXPIRED


async def test_what_is_too_large_for_the_engine_is_written_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflows.record, "MOST_KEPT", 100)
    request = await world.place()
    await request.waits_for_people()
    await request.comment("Ada Byron", "Soon, please.")
    assert request.last(Kind.COMMENT).data["text"] == "Soon, please."
    scheduled = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        async for event in request.handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    ]
    assert "journal.record" not in scheduled
