"""The schedules of the rounds: made once, by whoever is first, and brought up to date by a later release."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from support.temporal import temporal_binary
from temporalio.client import Client, ScheduleIntervalSpec, ScheduleOverlapPolicy, ScheduleSpec, ScheduleUpdate
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from worker import scheduling
from worker.scheduling import ROSTER, WATCHDOG, schedule_rounds


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    env = await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary(), dev_server_log_level="error"
    )
    yield env
    await env.shutdown()
    gc.collect()


@pytest.fixture
async def client(server: WorkflowEnvironment) -> AsyncIterator[Client]:
    yield server.client
    for schedule in (WATCHDOG, ROSTER):
        await server.client.get_schedule_handle(schedule).delete()


async def described(client: Client) -> Any:
    return (await client.get_schedule_handle(WATCHDOG).describe()).schedule


async def updates(client: Client) -> Any:
    return (await client.get_schedule_handle(WATCHDOG).describe()).info.last_updated_at


async def test_it_looks_every_five_minutes_and_never_twice_at_once(client: Client) -> None:
    await schedule_rounds(client)
    schedule = await described(client)
    assert [interval.every for interval in schedule.spec.intervals] == [timedelta(minutes=5)]
    assert schedule.policy.overlap == ScheduleOverlapPolicy.SKIP
    assert (schedule.action.workflow, schedule.action.task_queue) == ("Watchdog", "commissary")


async def test_who_is_asked_is_looked_at_every_hour(client: Client) -> None:
    await schedule_rounds(client)
    schedule: Any = (await client.get_schedule_handle(ROSTER).describe()).schedule
    assert [interval.every for interval in schedule.spec.intervals] == [timedelta(hours=1)]
    assert (schedule.action.workflow, schedule.action.task_queue) == ("Roster", "commissary")


async def test_workers_that_start_together_make_one(client: Client) -> None:
    await asyncio.gather(*(schedule_rounds(client) for _ in range(5)))
    assert (await described(client)).state.paused is False


async def test_one_that_is_as_it_should_be_is_left_alone(client: Client) -> None:
    await schedule_rounds(client)
    await schedule_rounds(client)
    assert await updates(client) is None


async def test_one_of_another_release_is_brought_up_to_date_and_stays_paused_if_it_was(client: Client) -> None:
    await schedule_rounds(client)
    handle = client.get_schedule_handle(WATCHDOG)
    await handle.pause(note="Olga is looking into it")
    hourly = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))])
    await handle.update(lambda found: ScheduleUpdate(replace(found.description.schedule, spec=hourly)))
    await schedule_rounds(client)
    schedule = await described(client)
    assert [interval.every for interval in schedule.spec.intervals] == [timedelta(minutes=5)]
    assert (schedule.state.paused, schedule.state.note) == (True, "Olga is looking into it")


async def test_an_engine_that_refuses_keeps_no_worker_from_serving(
    server: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(*_: object) -> None:
        raise RPCError("schedules are not for you", RPCStatusCode.PERMISSION_DENIED, b"")

    monkeypatch.setattr(Client, "create_schedule", refuse)
    with caplog.at_level(logging.WARNING, logger=scheduling.__name__):
        await schedule_rounds(server.client)
    assert "schedules are not for you" in caplog.text
