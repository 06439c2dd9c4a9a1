"""The least that somebody would write on Temporal to ask several people, one after the other, with reminders.

No look-up of people, no inbox, no delegation, no escalation, no explanation of what is waited for, no cancelling. It is
what the cost of our approvals is measured against: bare, or with every decision on record before it is answered.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from bench.handwritten.activities import Effects
    from bench.handwritten.messages import Decision, Mail, Recorded, Stages

REMIND_AFTER, DECIDE_WITHIN = timedelta(days=2), timedelta(days=10)
PATIENCE = timedelta(seconds=60)


@workflow.defn
class HandwrittenApproval:
    """Wait for each decision; remind once, give up at the deadline."""

    @workflow.init
    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._decisions: list[Decision] = []

    @workflow.run
    async def run(self, stages: Stages) -> str:
        """See the class."""
        for at, approver in enumerate(stages.approvers):
            if not await self._decided(at, REMIND_AFTER):
                mail = Mail(number=stages.number, to=approver, text=f"{stages.number} waits for you")
                await workflow.execute_activity_method(Effects.send_mail, mail, start_to_close_timeout=PATIENCE)
                if not await self._decided(at, DECIDE_WITHIN - REMIND_AFTER):
                    return "expired"
            if not self._decisions[at].approve:
                return await self._ended("rejected")
        return await self._ended("approved")

    async def _decided(self, at: int, within: timedelta) -> bool:
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: len(self._decisions) > at, timeout=within)
        return len(self._decisions) > at

    async def _ended(self, how: str) -> str:
        await workflow.wait_condition(workflow.all_handlers_finished)
        return how

    @workflow.update
    async def decide(self, decision: Decision) -> str:
        """Take a decision."""
        self._decisions.append(decision)
        if self._stages.record:
            recorded = Recorded(number=self._stages.number, stage=len(self._decisions), decision=decision)
            await workflow.execute_activity_method(Effects.record_decision, recorded, start_to_close_timeout=PATIENCE)
        return "taken"

    @decide.validator
    def _validate(self, decision: Decision) -> None:
        waiting = self._stages.approvers[len(self._decisions) :]
        if not waiting or decision.by != waiting[0]:
            raise ApplicationError(f"{decision.by} is not asked now.")
