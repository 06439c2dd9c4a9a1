"""Steps: an item whose runbook is written in its file, carried out by the interpreter in `runner`."""

from __future__ import annotations

from temporalio import workflow

from workflows.carrying import Run
from workflows.ending import Closure, Ended
from workflows.request import RequestFrame
from workflows.runner import Runner, Scope

with workflow.unsafe.imports_passed_through():
    from catalog.request import Outcome


@workflow.defn(name="StepsRequest")
class StepsRequest(RequestFrame):
    """One person's order of an item made of steps.

    1. Look the beneficiary up by their immutable id: still there and active.
    2. Ask whom the item's stages name; refusal or silence ends it.
    3. Carry out the steps; called off in between, what was done is taken back in reverse.
    4. Tell requester and beneficiary, close.
    """

    after_approval = "The fulfilment begins."

    @workflow.init
    def __init__(self, order: Run) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: Run) -> Closure:  # noqa: ARG002  the input is taken in __init__, before any message
        """See the class."""
        return await self.conduct(self.fulfil)

    async def fulfil(self) -> Ended:
        """Follow the runbook."""
        standing = await self.standing()

        await self.approved(standing)

        async with self.saga() as saga:
            await Runner(self, saga).run(self.order.item.steps, Scope())
        return Ended(Outcome.FULFILLED, "Every step was carried out.")
