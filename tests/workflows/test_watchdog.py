"""The watchdog on a real engine: a request whose timer is overdue on record is reported, once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from support.builders import a_new_order, a_person, a_stage, an_item
from support.story import Story
from support.waiting import until
from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    ScheduleHandle,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.testing import WorkflowEnvironment

from activities.connectors.memory import Group, MemoryDirectory
from activities.ordering import ChildOrder, Placed
from catalog.journal import Kind
from catalog.request import Batch, Order, Status, Waiting, WaitKind
from catalog.stages import Reminders
from catalog.watch import GRACE, next_timer
from records.register import Register, RegisterUnavailable
from worker.queues import workers
from worker.scheduling import WATCHDOG, schedule_rounds
from workflows.messages import TASK_QUEUE

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    with closing(Register(f"sqlite:///{tmp_path}/register.db")) as register:
        register.migrate()
        yield register


@pytest.fixture
def written() -> Event:
    """Set when notices are owed."""
    return Event()


def nothing(_: ChildOrder) -> Placed:
    raise AssertionError("no request runs here")


@pytest.fixture
async def schedule(env: WorkflowEnvironment, register: Register, written: Event) -> AsyncIterator[ScheduleHandle]:
    """The schedule, made as a worker makes it, with a worker that serves it."""
    client: Client = env.client
    async with workers(
        client, directory=MemoryDirectory([]), journal=register, watch=register, place=nothing, written=written.set
    ):
        await schedule_rounds(client)
        handle = client.get_schedule_handle(WATCHDOG)
        yield handle
        await handle.delete()


async def looks(env: WorkflowEnvironment, schedule: ScheduleHandle) -> WorkflowHandle[object, int]:
    """Have the watchdog look now, and return its run once it has ended."""
    before = (await schedule.describe()).info.num_actions
    await schedule.trigger()
    deadline = asyncio.get_running_loop().time() + 20
    while (info := (await schedule.describe()).info).num_actions == before or not info.recent_actions:
        assert asyncio.get_running_loop().time() < deadline, f"nothing was started: {info}"
        await asyncio.sleep(0.05)  # polls the engine, which has no way to call back
    action = info.recent_actions[-1].action
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)
    handle: WorkflowHandle[object, int] = env.client.get_workflow_handle(
        action.workflow_id, run_id=action.first_execution_run_id, result_type=int
    )
    await asyncio.wait_for(handle.result(), 30)
    return handle


def waits_until(story: Story, until: datetime) -> Batch:
    batch = story.batch(Kind.COMMENT)
    waiting = Waiting(kind=WaitKind.PEOPLE, what="Mara decides", since=until - HOUR, until=until, rule="r")
    return batch.model_copy(update={"projection": batch.projection.model_copy(update={"waiting": (waiting,)})})


async def test_a_timer_that_did_not_fire_is_reported_once_and_gone_when_it_has(
    env: WorkflowEnvironment,
    schedule: ScheduleHandle,
    register: Register,
    written: Event,
    caplog: pytest.LogCaptureFixture,
) -> None:
    story, since = Story(register.take(a_new_order()).order.number), datetime.now(UTC) - HOUR
    fine = Story(register.take(a_new_order("key-2")).order.number)
    register.record(waits_until(story, since))
    register.record(waits_until(fine, since + 2 * HOUR))

    with caplog.at_level(logging.WARNING, logger="activities.watchdog"):
        assert await (await looks(env, schedule)).result() == 1
    (late,) = register.late_timers()
    assert (late.number, late.until) == (story.number, since)
    assert written.is_set()
    (record,) = caplog.records
    for told in (story.number, "Mara decides", since.isoformat(timespec="seconds")):
        assert told in record.getMessage()

    written.clear()
    assert await (await looks(env, schedule)).result() == 0
    assert register.late_timers() == [late]
    assert not written.is_set()
    assert register.notice_counts()["pending"] == 1

    register.record(story.batch(Kind.CLOSED, status=Status.CLOSED))
    assert await (await looks(env, schedule)).result() == 0
    assert register.late_timers() == []


async def test_a_look_is_short(env: WorkflowEnvironment, schedule: ScheduleHandle) -> None:
    run = await looks(env, schedule)
    history = await run.fetch_history()
    assert len(history.events) <= 11
    assert (await run.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_a_register_that_is_away_for_a_moment_is_looked_at_again(
    env: WorkflowEnvironment, schedule: ScheduleHandle, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, tries = register.look_for_late_timers, iter([RegisterUnavailable("the disk is gone")])

    def away_once(now: datetime) -> object:
        for trouble in tries:
            raise trouble
        return really(now)

    monkeypatch.setattr(register, "look_for_late_timers", away_once)
    assert await (await looks(env, schedule)).result() == 0
    assert next(tries, None) is None


REMINDED = a_stage(remind=Reminders(after=DAY, every=DAY, at_most=2), notice=DAY, decide_within=4 * DAY)
"""A stage that has four timers: two reminders, the notice that its deadline comes near, and the deadline."""


def next_at(register: Register, order: Order) -> datetime | None:
    """Return when the next timer of a request fires, as its record shows it."""
    view = register.request(order.number)
    timer = next_timer(view.projection) if view else None
    return timer.at if timer else None


def reminded_at(register: Register, order: Order) -> datetime | None:
    """Return when people are next told something about the only wait of a request."""
    view = register.request(order.number)
    return view.projection.waiting[0].next_at if view and view.projection.waiting else None


def has_gone_on(register: Register, order: Order, at: datetime) -> bool:
    """Return whether a request's record no longer shows that moment as the next one."""
    return next_at(register, order) != at


async def test_each_reminder_and_notice_is_late_if_it_does_not_come_and_not_if_it_does(
    env: WorkflowEnvironment, register: Register
) -> None:
    order = register.take(a_new_order(item=an_item(approvals=(REMINDED,)))).order
    people = [a_person(manager_id="id-mara"), a_person("Mara Lind")]
    directory = MemoryDirectory(people, groups=[Group("wiki-editors")])
    async with workers(env.client, directory=directory, journal=register, place=nothing):
        run = await env.client.start_workflow(order.workflow_type, order, id=order.number, task_queue=TASK_QUEUE)
        begun: datetime = await until(lambda: reminded_at(register, order)) - DAY
        for days in (1, 2, 3, 4):
            at = next_at(register, order)
            assert at
            assert (
                timedelta() <= at - (begun + days * DAY) < HOUR
            )  # a reminder is counted from when the one before came
            assert register.look_for_late_timers(at + GRACE) == []
            (late,) = register.look_for_late_timers(at + GRACE + HOUR)
            assert (late.number, late.until) == (order.number, at)

            await env.fast_forward(run, DAY + HOUR if days == 1 else DAY)
            await until(partial(has_gone_on, register, order, at))
            assert register.look_for_late_timers(at + 2 * HOUR) == []
            assert register.late_timers() == []
        await asyncio.wait_for(run.result(), 30)
