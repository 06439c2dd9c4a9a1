"""The clock of one scenario: lets time go by for all of its workflows together, and says when nothing moves any more.

Each workflow has a clock of its own at the engine. A single request is moved in one leap; its timers fire in their
order on the way. Workflows that talk to each other are moved from one due moment to the next, those that are due last,
so that each hears from the others at the right time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from cli.kit.simulation.world import Run, World

LEAP_TIMEOUT = 30
"""How long a leap may take, in seconds of real time."""
QUIET_TIMEOUT = 40
"""How long a workflow may be busy at one moment, in seconds of real time."""
_PAUSE = 0.01
_STEP = timedelta(seconds=1)
"""How far past a due moment clocks are moved. The engine's are not exact within a fifth of a second of a timer."""
_FAR_TOO_FAR = timedelta(minutes=1)
_NEVER = datetime(9000, 1, 1, tzinfo=UTC)


class Misled(Exception):
    """The engine moved a clock much further than asked, or not at all (a fault of its experimental clocks); try again.

    Its text is the workflow whose clock it is, and what the engine said of it.
    """


class Stuck(Exception):
    """A workflow is busy and does not get anywhere."""


class Clock:
    """Moves the clocks of a world's workflows."""

    def __init__(self, env: WorkflowEnvironment, world: World) -> None:
        self._env, self._world = env, world
        self._ended: set[str] = set()
        self.now = world.story.scenario.began.astimezone(UTC)

    def open(self) -> list[Run]:
        """Return the workflows that have not ended."""
        every = (*self._world.requests, *self._world.rounds)
        return [running for running in every if running.number not in self._ended]

    @property
    def _together(self) -> bool:
        """Whether a workflow may hear from another one that is open."""
        return self._world.story.has_parts or any(one in self._world.rounds for one in self.open())

    async def to(self, moment: datetime) -> None:
        """Let time go by until that moment, or until every workflow has ended; then all of them are at rest.

        Raises:
            Misled: a clock is wrong.
            Stuck: something does not come to rest.
        """
        await self._settle()
        while self.now < moment and self.open():
            if self._together:
                await self._step(moment)
            else:
                await self._move(self.open(), moment)
                self.now = moment
            await self._settle()

    async def _step(self, moment: datetime) -> None:
        """Go on to the next moment at which something is due."""
        due = {running.number: await self._due(running) for running in self.open()}
        at = min(due.values())
        stop = min(moment, at + _STEP)
        listeners = [running for running in self.open() if due[running.number] > stop]
        others = [running for running in self.open() if due[running.number] <= stop]
        await self._move(listeners, min(stop, at))
        await self._move(others, stop)
        await self._move(listeners, stop)
        self.now = max(self.now, stop)

    async def _settle(self) -> None:
        """Return when every workflow is at rest, those that were started meanwhile, too."""
        while True:
            known = self.open()
            for running in known:
                await self._rest(running)
            await self._move([running for running in self.open() if running in known], self.now)
            if len(self.open()) == len(known) and all([await self._is_at_rest(running) for running in self.open()]):
                return

    async def _move(self, those: Iterable[Run], moment: datetime) -> None:
        await asyncio.gather(*(self._move_one(running, moment) for running in those))

    async def _move_one(self, running: Run, moment: datetime) -> None:
        try:
            ahead = moment - await self._env.get_current_time(running.handle)
            if ahead <= timedelta(0):
                return
            if not await asyncio.wait_for(self._env.fast_forward(running.handle, ahead), LEAP_TIMEOUT):
                await self._see_ended(running)
                return
            landed = await self._env.get_current_time(running.handle)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                self._ended.add(running.number)
                return
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            await self._see_ended(running, f" ({error.message})")
            return
        except TimeoutError as error:
            raise Stuck(f"{running.number} does not get to {moment:%d %B, %H:%M}") from error
        if landed > moment + _FAR_TOO_FAR:
            raise Misled(running.number)

    async def _see_ended(self, running: Run, why: str = "") -> None:
        """Note that a workflow has ended whose clock does not move, the engine says why; `Misled` if it has not."""
        described = await running.handle.describe()
        if described.status == WorkflowExecutionStatus.RUNNING:
            raise Misled(running.number + why)
        self._ended.add(running.number)

    async def _rest(self, running: Run) -> None:
        """Return when a workflow waits for time or for people."""
        deadline = asyncio.get_running_loop().time() + QUIET_TIMEOUT
        while not await self._is_at_rest(running):
            if asyncio.get_running_loop().time() > deadline:
                raise Stuck(f"{running.number} is busy and does not come to rest")
            await asyncio.sleep(_PAUSE)

    async def _is_at_rest(self, running: Run) -> bool:
        described = await running.handle.describe()
        if described.status != WorkflowExecutionStatus.RUNNING:
            self._ended.add(running.number)
            return True
        raw = described.raw_description
        if raw.HasField("pending_workflow_task"):
            return False
        tried = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
        if not all(one.state == tried and one.attempt > 1 for one in raw.pending_activities):
            return False
        return not self._together or not await self._speaks(running)

    async def _speaks(self, running: Run) -> bool:
        """Return whether a word of this workflow to another is under way."""
        said = heard = 0
        async for event in running.handle.fetch_history_events():
            said += event.event_type == EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED
            heard += event.event_type in _HEARD
        return said > heard

    async def _due(self, running: Run) -> datetime:
        """Return when the workflow goes on by itself; `_NEVER` if only others can move it."""
        timers: dict[int, datetime] = {}
        begun = False
        async for event in running.handle.fetch_history_events():
            match event.event_type:
                case EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
                    begun = True
                case EventType.EVENT_TYPE_TIMER_STARTED:
                    lasts = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
                    timers[event.event_id] = _instant(event.event_time) + lasts
                case EventType.EVENT_TYPE_TIMER_FIRED:
                    timers.pop(event.timer_fired_event_attributes.started_event_id, None)
                case EventType.EVENT_TYPE_TIMER_CANCELED:
                    timers.pop(event.timer_canceled_event_attributes.started_event_id, None)
        described = await running.handle.describe()
        due = list(timers.values())
        if not begun and described.execution_time:
            due.append(described.execution_time)
        due += (
            _instant(pending.next_attempt_schedule_time)
            for pending in described.raw_description.pending_activities
            if pending.HasField("next_attempt_schedule_time")
        )
        return min(due, default=_NEVER)


_HEARD = (
    EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED,
)


def _instant(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)
