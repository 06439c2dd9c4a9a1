"""The rounds that are made at intervals: scheduled by whichever worker comes first, and renewed by a later release."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError

from workflows.messages import TASK_QUEUE

log = logging.getLogger(__name__)

WATCHDOG, ROSTER = "commissary-watchdog", "commissary-roster"
"""The schedules' ids, and how the ids of their workflows begin."""


def wanted() -> dict[str, Schedule]:
    """Return the schedules as this release wants them, by id."""
    minutes = timedelta(minutes=1)
    return {
        WATCHDOG: _schedule(WATCHDOG, "Watchdog", 5 * minutes, "Looks for timers that should have fired."),
        ROSTER: _schedule(ROSTER, "Roster", 60 * minutes, "Looks whether approvals still ask the right people."),
    }


def _schedule(schedule: str, workflow: str, every: timedelta, note: str) -> Schedule:
    """Return a schedule; a round for which no worker could be had in time is given up: the next one finds the same."""
    action = ScheduleActionStartWorkflow(
        workflow, id=schedule, task_queue=TASK_QUEUE, execution_timeout=every - timedelta(minutes=1)
    )
    return Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        # What was missed while the engine was away is not made up for: one look finds all there is.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
        state=ScheduleState(note=note),
    )


async def schedule_rounds(client: Client) -> None:
    """Make the schedules unless they are there as wanted; any number of workers may do so at once.

    One that somebody has paused stays so. If the engine refuses, the log says it: requests do not need them.
    """
    for name, schedule in wanted().items():
        try:
            await _make(client, name, schedule)
        except RPCError as error:
            log.warning("%s cannot be scheduled; nobody makes these rounds until a worker starts: %s", name, error)


async def _make(client: Client, name: str, schedule: Schedule) -> None:
    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(partial(_renewed, schedule))


def _renewed(wanted: Schedule, found: ScheduleUpdateInput) -> ScheduleUpdate | None:
    """Return what to make of the schedule that is there; None to leave it."""
    there = found.description.schedule
    if _essence(there) == _essence(wanted):
        return None
    return ScheduleUpdate(schedule=replace(wanted, state=there.state))


def _essence(schedule: Schedule) -> tuple[object, ...]:
    """Return what of a schedule tells releases apart: a description has more in it than was given."""
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    every = tuple(interval.every for interval in schedule.spec.intervals)
    return action.workflow, action.task_queue, action.execution_timeout, every, schedule.policy
