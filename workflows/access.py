"""Access: a person gets a place in a directory group, with the approvals its item asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from temporalio import workflow

from workflows.carrying import Run
from workflows.ending import Closure, Ended
from workflows.operators import OperatorSaid
from workflows.request import RequestFrame
from workflows.targets import on_directory

with workflow.unsafe.imports_passed_through():
    from activities.identity import Identity
    from catalog.access import Membership
    from catalog.registry import WorkflowSpec
    from catalog.request import Outcome


@workflow.defn(name="AccessRequest")
class AccessRequest(RequestFrame):
    """One person's order of one entitlement.

    1. Look the beneficiary up by their immutable id: still there, active, not yet a member.
    2. Ask whom the item's stages name; refusal or silence ends it.
    3. Make them a member and read it back; called off in between, it is undone.
    4. Tell requester and beneficiary, close.
    """

    spec: ClassVar = WorkflowSpec(
        id="AccessRequest", summary="Give the beneficiary a place in a directory group.", entitlement=True
    )

    after_approval = "The access is set up."

    @workflow.init
    def __init__(self, order: Run) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: Run) -> Closure:  # noqa: ARG002  the input is taken in __init__, before any message
        """See the class."""
        return await self.conduct(self.fulfil)

    async def fulfil(self) -> Ended:
        """Follow the runbook."""
        order = self.order
        assert order.item.entitlement is not None, "lint and intake see to it"
        who, group = order.beneficiary, order.item.entitlement.group
        membership = Membership(person_id=who.id, group=group)

        standing = await self.standing(group)
        if standing.already_member:
            return Ended(Outcome.FULFILLED, f"{who.name} is in {group} already.", rule="access.already-member")

        await self.approved(standing)

        add = on_directory(Identity.ensure_member, membership, f"Add {who.name} to {group}")
        add = replace(add, then="The request is fulfilled.")
        remove = on_directory(Identity.ensure_absent, membership, f"Take {who.name} out of {group}")
        async with self.saga() as saga:
            saga.undo(lambda: self.targets.undo(remove, of=add.what))
            result = await self.targets.effect(add)

        if isinstance(result, OperatorSaid):
            return Ended(Outcome.SKIPPED, f"{result.by.person.name} closed it without: {result.reason}", by=result.by)
        return Ended(Outcome.FULFILLED, f"{who.name} was seen in {group}.")
