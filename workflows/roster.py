"""The roster: whether open approvals still ask the people whom their rules name, looked at once an hour.

A Temporal Schedule starts it (`worker/scheduling.py`). It is no flow of requests: it has no frame and no journal.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows.messages import DIRECTORY_QUEUE, LOOK_AGAIN, LookAgain
from workflows.options import ROSTER

with workflow.unsafe.imports_passed_through():
    from activities.roster import ChangedPeople, Roster


BEATS = timedelta(seconds=10)


@workflow.defn(name="Roster")
class RosterRound:
    """One look at all requests that wait for an approval.

    1. Ask, so many at a time, which of them would ask other people by now.
    2. Tell these to look up again.
    """

    @workflow.run
    async def run(self) -> int:
        """See the class; returns how many were told."""
        told = 0
        after: int | None = None
        while True:
            looked = await workflow.execute_activity_method(
                Roster.look,
                after,
                task_queue=DIRECTORY_QUEUE,
                summary="Look who is asked",
                heartbeat_timeout=BEATS,
                **ROSTER,
            )
            for changed in looked.changed:
                await self._tell(changed)
            told += len(looked.changed)
            after = looked.next
            if after is None:
                return told

    async def _tell(self, changed: ChangedPeople) -> None:
        request = workflow.get_external_workflow_handle(changed.number)
        with contextlib.suppress(FailureError):  # it has ended meanwhile
            await request.signal(LOOK_AGAIN, LookAgain(stages=changed.stages, rule="people.changed"))
