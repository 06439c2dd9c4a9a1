"""The least that somebody would write on Temporal to have access approved, given, seen and told: nothing more.

No journal, no register, no look-up of people, no explanation of what is waited for, no cancelling, no deadline, no
undo, no operator. It is what the cost of the platform is measured against.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from bench.handwritten.activities import Effects
    from bench.handwritten.messages import Decision, Grant, Mail

PATIENCE = timedelta(seconds=60)


@workflow.defn
class HandwrittenGrant:
    """Wait for the decision, change the directory, tell the person."""

    def __init__(self) -> None:
        self._decision: Decision | None = None

    @workflow.run
    async def run(self, grant: Grant) -> str:
        """See the class."""
        await workflow.wait_condition(lambda: self._decision is not None)
        if not self._decision or not self._decision.approve:
            return "rejected"
        await workflow.execute_activity_method(Effects.add_member, grant, start_to_close_timeout=PATIENCE)
        mail = Mail(number=grant.number, to=grant.mail, text=f"{grant.number} is done")
        await workflow.execute_activity_method(Effects.send_mail, mail, start_to_close_timeout=PATIENCE)
        return "fulfilled"

    @workflow.update
    def decide(self, decision: Decision) -> str:
        """Take the decision."""
        self._decision = decision
        return "taken"

    @decide.validator
    def _validate(self, decision: Decision) -> None:
        if self._decision:
            raise ApplicationError(f"{self._decision.by} has decided before {decision.by}.")
