"""Approving: opens one stage after the other, looks up whom to ask, waits, and says how it ended."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from workflows.approvals import ApprovalDesk
from workflows.ending import Ended
from workflows.operators import Operators
from workflows.patience import Patience
from workflows.saga import together
from workflows.targets import Targets, on_directory

with workflow.unsafe.imports_passed_through():
    from activities.approvers import ApproversQuery
    from activities.identity import Identity
    from catalog import approval, names, plan
    from catalog.approval import Rung, Slate, StageStatus
    from catalog.expression import ExpressionError
    from catalog.request import Outcome
    from catalog.stages import Stage


class Approving:
    """The approvals of one request, from the first stage to the outcome."""

    def __init__(self, desk: ApprovalDesk, patience: Patience, targets: Targets, operators: Operators) -> None:
        self._order = desk.order
        self._desk = desk
        self._patience = patience
        self._targets = targets
        self._operators = operators
        self._begun: set[str] = set()

    def query(self, stage: Stage, known: dict[str, Any] | None = None) -> ApproversQuery:
        """Return what to ask the directory for a stage's people; `known` are names besides those of the order.

        Raises:
            ExpressionError: whom a rule names cannot be worked out.
        """
        order = self._order
        rules = plan.concrete(stage.approvers, {**names.of_order(order, workflow.now()), **(known or {})})
        return ApproversQuery.of(order, rules)

    async def approved(self, ladder: tuple[Rung, ...] = (), known: dict[str, Any] | None = None) -> None:
        """Return once every stage has approved; `ladder` is the first stage's people, freshly looked up.

        Raises:
            Ended: it was refused, its time ran out, or it was called off.
        """
        await self._go_on(ladder, known)
        # Otherwise the frame is at fault, and nothing may be given on it: the workflow task fails loudly.
        assert self._desk.state.outcome is StageStatus.APPROVED, self._desk.state.outcome

    async def _go_on(self, ladder: tuple[Rung, ...], known: dict[str, Any] | None) -> None:
        """Have decided what may begin now, and what may begin then."""
        while ready := [one.stage for one in self._desk.state.ready() if one.stage.id not in self._begun]:
            self._begun.update(stage.id for stage in ready)
            if len(ready) == 1:
                await self._decide(ready[0], ladder, known)
            else:
                ladders = [ladder, *[()] * (len(ready) - 1)]
                await together([self._branch(*one, known) for one in zip(ready, ladders, strict=True)])
            ladder = ()  # a later stage begins later: its people are looked up then

    async def _branch(self, stage: Stage, ladder: tuple[Rung, ...], known: dict[str, Any] | None) -> None:
        """Have a stage decided that runs beside others, and then what waits for it alone."""
        await self._decide(stage, ladder, known)
        await self._go_on((), known)
        await self._desk.record.flush()  # the others may go on for long

    async def _decide(self, stage: Stage, ladder: tuple[Rung, ...], known: dict[str, Any] | None) -> None:
        slate = await self._slate(stage, ladder, known)
        self._end_if_over()  # one beside it may have been refused while the people were looked up
        self._desk.open(stage, slate)
        if self._desk.stage(stage.id).status is StageStatus.OPEN and not await self._decided(stage):
            self._desk.expire(stage.id)
        self._end_if_over()

    async def _slate(self, stage: Stage, ladder: tuple[Rung, ...], known: dict[str, Any] | None) -> Slate:
        """Return the people to ask; as long as there are not enough, an operator has to see to it."""
        what = f"Find who decides {stage.name}"
        while True:
            try:
                query = self.query(stage, known)
            except ExpressionError as error:
                await self._operators.ask(what, ITEM_AT_FAULT.format(error=error), ("retry", "cancel"))
                continue
            if not ladder:
                ladder = (await self._targets.look_up(on_directory(Identity.approvers, query, what))).rungs
            slate = approval.slate(ladder, self._order.requester.id, self._order.beneficiary.id)
            self._desk.find(stage, slate)
            if approval.enough(stage, len(slate.people)):
                return slate
            problem = TOO_FEW_DECIDE if slate.people else NOBODY_DECIDES
            await self._operators.ask(what, problem.format(stage=stage.name), ("retry", "cancel"))
            ladder = ()

    async def _decided(self, stage: Stage) -> bool:
        waiting = self._desk.waiting(stage.id)
        return await self._patience.wait(waiting, lambda: self._desk.stage(stage.id).status is not StageStatus.OPEN)

    def _end_if_over(self) -> None:
        for state in self._desk.state.stages:
            if state.status is StageStatus.REJECTED:
                last = state.votes[-1]
                raise Ended(Outcome.REJECTED, f"{last.voter.name}: {last.reason}", rule="approval.rejected")
            if state.status is StageStatus.EXPIRED:
                raise Ended(Outcome.EXPIRED, approval.said(state), rule="approval.expired")


NOBODY_DECIDES = (
    "Nobody may decide {stage!r}: the directory names no active manager, owner, group member or holder of a role "
    "besides the requester and the beneficiary. Correct the directory, then retry."
)
TOO_FEW_DECIDE = (
    "Fewer people may decide {stage!r} than must approve: the directory names too few who are active and neither the "
    "requester nor the beneficiary. Correct the directory, then retry."
)
ITEM_AT_FAULT = "The item is at fault: {error}. Tell its owner; this request keeps the version it was ordered with."
