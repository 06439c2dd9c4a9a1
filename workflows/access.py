"""Access: a person gets a place in a directory group, with the approvals its item asks for."""

from __future__ import annotations

from temporalio import workflow

from workflows.ending import Closure, Ended
from workflows.request import OperatorSaid, RequestFrame

with workflow.unsafe.imports_passed_through():
    from activities.identity import Identity
    from catalog.access import Membership
    from catalog.request import Order, Outcome


@workflow.defn(name="AccessRequest")
class AccessRequest(RequestFrame):
    """One person's order of one entitlement.

    1. Look the beneficiary up by their immutable id: still there, active, not yet a member.
    2. Ask whom the item's stages name; refusal or silence ends it.
    3. Make them a member and read it back; called off in between, it is undone.
    4. Tell requester and beneficiary, close.
    """

    @workflow.init
    def __init__(self, order: Order) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: Order) -> Closure:  # noqa: ARG002  the input is taken in __init__, before any message
        """See the class."""
        return await self.conduct(self.fulfil)

    async def fulfil(self) -> Ended:
        """Follow the runbook."""
        who, group = self.order.beneficiary, self.order.item.entitlement.group
        membership = Membership(person_id=who.id, group=group)

        standing = await self.standing(membership)
        if standing.person is None:
            return Ended(Outcome.INELIGIBLE, f"{who.name} is no longer in the directory.", rule="access.unknown-person")
        if not standing.person.active:
            return Ended(Outcome.INELIGIBLE, f"The account of {who.name} is not active.", rule="access.inactive-person")
        if standing.already_member:
            return Ended(Outcome.FULFILLED, f"{who.name} is in {group} already.", rule="access.already-member")

        await self.approved(standing.rungs)

        add, remove = f"Add {who.name} to {group}", f"Take {who.name} out of {group}"
        async with self.saga() as saga:
            saga.undo(lambda: self.undo(Identity.ensure_absent, membership, remove, of=add))
            result = await self.effect(Identity.ensure_member, membership, add)

        if isinstance(result, OperatorSaid):
            return Ended(Outcome.SKIPPED, f"{result.by.person.name} closed it without: {result.reason}", by=result.by)
        return Ended(Outcome.FULFILLED, f"{who.name} was seen in {group}.")
