"""The schedule of the watchdog: made by whichever worker comes first, and brought up to date by a later release."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

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

SCHEDULE = "commissary-watchdog"
"""The schedule's id, and how the ids of its workflows begin."""
EVERY = timedelta(minutes=5)
RUN_WITHIN = timedelta(minutes=4)
"""When a look is given up for which no worker could be had: the next one finds the same."""


def watchdog_schedule() -> Schedule:
    """Return the schedule as this release wants it."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            "Watchdog", id=SCHEDULE, task_queue=TASK_QUEUE, execution_timeout=RUN_WITHIN
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        # What was missed while the engine was away is not made up for: one look finds all there is.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=EVERY),
        state=ScheduleState(note="Looks for timers that should have fired."),
    )


async def schedule_watchdog(client: Client) -> None:
    """Make the schedule unless it is there as wanted; any number of workers may do so at once.

    One that somebody has paused stays so. If the engine refuses, the log says it: requests do not need the watchdog.
    """
    try:
        try:
            await client.create_schedule(SCHEDULE, watchdog_schedule())
        except ScheduleAlreadyRunningError:
            await client.get_schedule_handle(SCHEDULE).update(_renewed)
    except RPCError as error:
        log.warning("the watchdog cannot be scheduled; nobody looks for late timers until a worker starts: %s", error)


def _renewed(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
    """Return what to make of the schedule that is there; None to leave it."""
    there, wanted = found.description.schedule, watchdog_schedule()
    if _essence(there) == _essence(wanted):
        return None
    return ScheduleUpdate(schedule=replace(wanted, state=there.state))


def _essence(schedule: Schedule) -> tuple[object, ...]:
    """Return what of a schedule tells releases apart: a description has more in it than was given."""
    action = schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    every = tuple(interval.every for interval in schedule.spec.intervals)
    return action.workflow, action.task_queue, action.execution_timeout, every, schedule.policy
