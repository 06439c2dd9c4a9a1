"""Children: requests that another request places, and whose end it may wait for.

A child is a request like any other, with a history, a number and a clock of its own; it is no child workflow of the
engine. It tells its parent when it ends, and is told when its parent is called off.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from workflows.ending import Closure, Ended
from workflows.messages import CALL_OFF, Cancel
from workflows.patience import Patience
from workflows.record import Record
from workflows.saga import shielded
from workflows.targets import Targets, on_orders

with workflow.unsafe.imports_passed_through():
    from activities.ordering import ChildOrder, Placed
    from catalog.journal import Kind
    from catalog.people import Actor
    from catalog.request import Order, Outcome, Status, Waiting, WaitKind
    from catalog.text import moment

ON_ITS_WAY = timedelta(minutes=1)
"""How long the last word of a child that has just ended can be under way."""


class Children:
    """The requests that one request has placed.

    Attributes:
        placed: how many orders it has tried to place.
        ended: number -> how it ended, as far as they have told.
    """

    def __init__(self, record: Record, patience: Patience, targets: Targets) -> None:
        self._record = record
        self._patience = patience
        self._targets = targets
        self.placed = 0
        self.ended: dict[str, Closure] = {}

    async def place(self, child: ChildOrder) -> Placed:
        """Put a child's order on record and have it begin; a refusal is an answer, not a failure."""
        self.placed += 1
        call = on_orders(child, f"Order {child.item} for {child.beneficiary}")
        placing = asyncio.ensure_future(self._targets.look_up(call, cancellable=False))
        cancelled: asyncio.CancelledError | None = None
        while not placing.done():
            try:
                await asyncio.shield(placing)
            except asyncio.CancelledError as cancel:
                cancelled = cancel  # what is being placed has to be known before it can be called off
        placed = placing.result()
        if placed.order:
            self._targets.begun = True
            facts = {"number": placed.order.number, "item": placed.order.item.name, "line": child.line}
            whom = placed.order.beneficiary.model_dump(mode="json")
            self._record.note(Kind.REQUEST_PLACED, {**facts, "beneficiary": whom}, status=Status.FULFILMENT)
        if cancelled:
            if placed.order:
                await shielded(self.call_off(placed.order.number))
            raise cancelled
        return placed

    async def closes(self, order: Order, then: str) -> Closure:
        """Return how a child ended that was placed; `then` says what comes after that.

        Raises:
            Ended: this request was called off; the child was told, and has ended by then.
        """
        number = order.number
        waiting = Waiting(
            kind=WaitKind.REQUESTS,
            what=f"{number} has to end: {order.item.name} for {order.beneficiary.name}",
            whom=f"whoever {number} waits for",
            since=workflow.now(),
            rule="frame.child",
            # No moment of its own ends this wait.
            at_deadline=f"{number} has deadlines of its own; it was promised by {moment(order.due_at.isoformat())}.",
            then=then,
        )
        try:
            await self._patience.wait(waiting, lambda: number in self.ended)
        except (Ended, asyncio.CancelledError) as ending:
            await shielded(self.call_off(number, ending.by if isinstance(ending, Ended) else None))
            raise
        closure = self.ended[number]
        facts = {"number": number, "item": order.item.name, "outcome": closure.outcome, "reason": closure.reason}
        self._record.note(Kind.REQUEST_CLOSED, facts)
        await self._record.flush()  # others may go on waiting for long
        return closure

    async def call_off(self, number: str, by: Actor | None = None) -> None:
        """Tell a child that it is called off, by whom if somebody did, and wait for its end."""
        actor = by or Actor(person=self._record.order.requester, channel="api", auth=self._record.order.auth)
        reason = f"{self._record.order.number}, which it is part of, was called off."
        child = workflow.get_external_workflow_handle(number)
        try:
            await child.signal(CALL_OFF, Cancel(actor=actor, command="", reason=reason))
        except FailureError:
            await self._hear(number)  # it has ended, or somebody stopped it in the engine
            return
        await workflow.wait_condition(lambda: number in self.ended)

    async def _hear(self, number: str) -> None:
        """Wait for the last word of a child that is no longer running; without one, it was stopped."""
        try:
            await workflow.wait_condition(lambda: number in self.ended, timeout=ON_ITS_WAY)
        except TimeoutError:
            reason = "It was stopped in the workflow engine."
            self.ended[number] = Closure(number=number, outcome=Outcome.CANCELLED, reason=reason)
