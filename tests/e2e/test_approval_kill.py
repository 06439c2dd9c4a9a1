"""A worker is killed at every event of an approval in four stages (issue 4, fault table).

Whenever it is killed, the journal comes to be the same, and nobody is told anything twice or not at all.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.builders import a_new_order, a_stage, an_item
from support.killable import Elsewhere, Killable
from support.temporal import start_environment
from support.world import Request

from catalog.journal import Kind, verify
from catalog.request import Outcome
from catalog.stages import ByGroup, ByOwner, ByPerson, Escalation, Reminders
from records.register import Register
from workflows.ending import Closure
from workflows.starting import start_of

LANES = 12
"""How many installations there are, each with one request at a time: after a kill one mostly waits for time-outs."""
PATIENCE = 90.0
"""Seconds for each step of the story; the longest time-out after a kill is 20 s (workflows/options.py)."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SOON = timedelta(seconds=2)
"""After how long the engine gives up a step that a killed worker had begun, instead of ten seconds."""
DAILY = Reminders(after=DAY)
CHIEF = ByPerson(rule="person", person="rolf")
ITEM = an_item(
    approvals=(
        a_stage(remind=DAILY),
        a_stage(
            id="owner",
            name="Owner",
            approvers=(ByOwner(rule="owner"),),
            remind=DAILY,
            decide_within=2 * DAY,
            escalate=(Escalation(to=(CHIEF,), decide_within=2 * DAY),),
        ),
        a_stage(
            id="guards", name="Guards", approvers=(ByGroup(rule="group", group="guards"),), quorum="all", remind=DAILY
        ),
        a_stage(id="last", name="Last", approvers=(ByPerson(rule="person", person="olga"),), remind=DAILY),
    )
)


class Told(NamedTuple):
    """Who was told what, about which entry."""

    seq: str
    template: str
    to: str


class Record(NamedTuple):
    """What is left of a request, times and numbers aside."""

    journal: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    notices: list[Told]


async def story(request: Request) -> None:
    """Four stages: each has a reminder, the second is escalated, in the third a question is asked."""

    async def opens(task: int) -> None:
        await request.reaches(lambda p: len(p.tasks) == task, PATIENCE)

    async def happens(kind: Kind, count: int, after: timedelta) -> None:
        await request.passes(after)
        await request.reaches(lambda _: request.kinds.count(kind) == count, PATIENCE)

    await opens(1)
    await happens(Kind.APPROVERS_REMINDED, 1, DAY + HOUR)
    await request.decide("Mara Lind")
    await opens(2)
    await happens(Kind.APPROVERS_REMINDED, 2, DAY + HOUR)
    await happens(Kind.ESCALATED, 1, DAY)
    await request.decide("Rolf Chief", task=2)
    await opens(3)
    await happens(Kind.APPROVERS_REMINDED, 3, DAY + HOUR)
    await request.consider("Grace Guard", "ask", "What for?", task=3)
    await request.consider("Ada Byron", "answer", "For the handbook.", task=4)
    await request.decide("Grace Guard", task=3)
    await opens(5)
    await happens(Kind.APPROVERS_REMINDED, 4, DAY + HOUR)
    await request.decide("Olga Owner", task=5)
    async with asyncio.timeout(PATIENCE):
        assert (await request.handle.result()).outcome is Outcome.FULFILLED


class Lane:
    """An engine, a register and a worker: one request after the other."""

    def __init__(self, world: Elsewhere, register: Register, worker: Killable) -> None:
        self._world, self._register, self._worker = world, register, worker

    async def goes_through(self, kill_at: int | None = None) -> tuple[Request, bool]:
        """Have a request go through the story, the worker killed once its history has so many events; was it?"""
        order = self._register.take(a_new_order(f"key-{kill_at}", item=ITEM)).order
        handle = await self._world.env.client.start_workflow(
            order.workflow_type, order, **start_of(order), task_timeout=SOON, result_type=Closure
        )
        request = Request(self._world, order, handle)
        self._worker.start()  # anew for each request: its directory remembers whom it let in
        async with asyncio.TaskGroup() as both:
            killing = both.create_task(self._kill(request, kill_at))
            await story(request)
        self._worker.kill()
        return request, killing.result()

    async def _kill(self, request: Request, at: int | None) -> bool:
        """Kill the worker at an event, and start another; false if the request has ended before."""
        if at is None:
            return False
        async for event in request.handle.fetch_history_events(wait_new_event=True):
            if event.event_id >= at:
                self._worker.kill()
                self._worker.start()
                return True
        return False


def record(request: Request) -> Record:
    """Return what is left of a request that has ended; its journal is whole."""
    entries, number = request.entries, request.number
    assert verify(entries, last=request.now.seq) == []
    aside = {"at", "digest", "previous", "command", "request"}
    owed = request.world.journal.notices(number)
    return Record(
        [timeless(entry.model_dump(mode="json", exclude=aside), number) for entry in entries],
        [timeless(task.model_dump(mode="json"), number) for task in request.now.tasks],
        sorted(Told(notice.event.removeprefix(f"{number}/"), notice.template, notice.to.login) for notice in owed),
    )


MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")


def timeless(value: Any, number: str) -> Any:
    """Return plain JSON without the request's number and the moments in it."""
    if isinstance(value, dict):
        return {key: timeless(one, number) for key, one in value.items()}
    if isinstance(value, list):
        return [timeless(one, number) for one in value]
    return MOMENT.sub("…", value.replace(number, "REQ")) if isinstance(value, str) else value


@asynccontextmanager
async def installed(home: Path, name: str) -> AsyncIterator[Lane]:
    database = f"sqlite:///{home / name}.db"
    register = Register(database)
    register.migrate()
    env = await start_environment()
    worker = Killable(env.client.service_client.config.target_host, database)
    yield Lane(Elsewhere(env, register), register, worker)
    worker.kill()
    await env.shutdown()
    register.close()


@pytest.fixture
async def lanes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Lane]]:
    # The process that workers are forked from is told in no other way where to import from.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(installed(tmp_path, f"{number}")) for number in range(LANES)]
    gc.collect()


@pytest.mark.timeout(900)
async def test_a_worker_killed_at_every_event_changes_nothing(lanes: list[Lane]) -> None:
    quiet, _ = await lanes[0].goes_through()
    expected = record(quiet)
    assert len([notice for notice in expected.notices if notice.template == "reminder"]) == 4
    events = (await quiet.handle.describe()).history_length
    left = iter(range(1, events + 1))
    killed: Counter[bool] = Counter()

    async def follow(one: Lane) -> None:
        for at in left:
            request, was_killed = await one.goes_through(kill_at=at)
            killed[was_killed] += 1
            assert record(request) == expected, f"killed at event {at}"

    async with asyncio.TaskGroup() as running:
        for one in lanes:
            running.create_task(follow(one))
    assert killed.total() == events
    assert killed[True] > 0.9 * events, "a history may be a few events shorter than the first one was"
