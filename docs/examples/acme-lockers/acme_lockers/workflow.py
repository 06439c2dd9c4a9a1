"""A locker for somebody, with a waiting list: what steps in an item cannot say is a loop, so it is a workflow."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from temporalio import workflow

from workflows.ending import Closure, Ended
from workflows.operators import OperatorSaid
from workflows.request import RequestFrame
from workflows.targets import on_system
from workflows.tasks import Job

# The sandbox loads this file anew for each run, and everything else that it imports once for all of them. For modules
# of other packages that has to be said; without it the worker leaves the workflow out.
with workflow.unsafe.imports_passed_through():
    from acme_lockers.terms import Terms
    from catalog.registry import WorkflowSpec
    from catalog.request import Order, Outcome, Waiting, WaitKind
    from catalog.stages import ByGroup

DAY = timedelta(days=1)


@workflow.defn(name="LockerRequest")
class LockerRequest(RequestFrame):
    """One person's order of a locker.

    1. Look the beneficiary up by their immutable id: still there and active.
    2. Ask whom the item's stages name; refusal or silence ends it.
    3. Wait until a locker is free, as many days as the item says.
    4. Assign it and read it back; called off from here on, it is taken back.
    5. Have the key handed over.
    6. Tell requester and beneficiary, close.
    """

    spec: ClassVar = WorkflowSpec(
        id="LockerRequest",
        summary="Give the beneficiary a locker as soon as one is free.",
        parameters=Terms.model_json_schema(),
    )

    after_approval = "A free locker is looked for."

    @workflow.init
    def __init__(self, order: Order) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: Order) -> Closure:  # noqa: ARG002  the input is taken in __init__, before any message
        """See the class."""
        return await self.conduct(self.fulfil)

    async def fulfil(self) -> Ended:
        """Follow the runbook."""
        who = self.order.beneficiary
        terms = await self.parameters(Terms)

        standing = await self.standing()

        await self.approved(standing.rungs)

        await self.one_is_free(terms)

        place = {"area": terms.area, "holder": who.login}
        assign = on_system("lockers.assign", place, f"Assign a locker in {terms.area} to {who.name}")
        release = on_system("lockers.release", place, f"Take the locker in {terms.area} back from {who.name}")
        async with self.saga() as saga:
            saga.undo(lambda: self.targets.undo(release, of=assign.what))
            locker = await self.targets.effect(assign)
            if isinstance(locker, OperatorSaid):
                reason = f"{locker.by.person.name} closed it without: {locker.reason}"
                return Ended(Outcome.SKIPPED, reason, by=locker.by)
            await self.works.done(self.handover(terms, locker["number"]))
        return Ended(Outcome.FULFILLED, f"{who.name} has the locker {locker['number']}.", rule="lockers.assigned")

    async def one_is_free(self, terms: Terms) -> None:
        """Look once a day whether a locker is free; return when one is.

        Raises:
            Ended: none came free in time, or the request was called off.
        """
        look = on_system("lockers.free", {"area": terms.area}, f"Look for a free locker in {terms.area}")
        began = workflow.now()
        last = began + terms.patience * DAY
        while not (await self.targets.look_up(look))["free"]:
            if workflow.now() >= last:
                reason = f"No locker in {terms.area} came free within {terms.patience} days."
                raise Ended(Outcome.EXPIRED, reason, rule="lockers.none-free")
            waiting = Waiting(
                kind=WaitKind.TIME,
                what=f"No locker in {terms.area} is free. It is looked for one every day until {last:%Y-%m-%d}.",
                since=began,
                until=min(workflow.now() + DAY, last),
                rule="lockers.waiting-list",
                at_deadline="It is looked for a free one again.",
            )
            await self.patience.wait(waiting, lambda: False)

    def handover(self, terms: Terms, number: str) -> Job:
        """Return the work of handing a key over."""
        return Job(
            title=f"Hand the key of locker {number} to {self.order.beneficiary.name}",
            instructions="Ask for the company card. The key hangs in the cabinet behind the desk.",
            rules=(ByGroup(rule="group", group=terms.reception),),
            evidence=(),
            due=2 * DAY,
            within=None,
        )
