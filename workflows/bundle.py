"""Bundles: one order of several things, or for several people, carried out as one request for each (rows C5, C6)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from temporalio import workflow

from workflows.carrying import Run
from workflows.ending import Closure, Ended
from workflows.messages import Cancel
from workflows.request import RequestFrame
from workflows.saga import finished, shielded

with workflow.unsafe.imports_passed_through():
    from activities.ordering import ChildOrder
    from catalog import names
    from catalog.data import fill
    from catalog.expression import ExpressionError
    from catalog.people import Actor
    from catalog.request import OrderLine, Outcome
    from catalog.text import listed

AT_ONCE = 20
"""How many lines are worked on at the same time: each is a request with a history of its own."""


@workflow.defn(name="BundleRequest")
class BundleRequest(RequestFrame):
    """The parent of several requests.

    1. Ask whom the bundle's own stages name, if it has any; the parts have their own.
    2. Place each part as soon as those it needs are fulfilled, and wait for its end.
    3. Called off, tell the parts that are still open, and wait for them too.
    4. Say plainly what became of each part, close.
    """

    after_approval = "The parts are ordered."

    @workflow.init
    def __init__(self, order: Run) -> None:
        super().__init__(order)
        self._ended: dict[str, Closure] = {}

    @workflow.run
    async def run(self, order: Run) -> Closure:  # noqa: ARG002  the input is taken in __init__, before any message
        """See the class."""
        return await self.conduct(self.fulfil)

    async def fulfil(self) -> Ended:
        """Follow the runbook."""
        await self.approved()
        gate = asyncio.Semaphore(AT_ONCE)
        tasks = [asyncio.create_task(self._line(line, gate)) for line in self.order.lines]
        try:
            await finished(tasks)
        except asyncio.CancelledError:
            # Cancelled in the workflow engine: the same as calling it off here, for every part.
            actor = Actor(person=self.order.requester, channel="api", auth=self.order.auth)
            reason = "It was cancelled in the workflow engine."
            self.patience.called_off = Cancel(actor=actor, command="", reason=reason)
            await shielded(finished(tasks))
        for task in tasks:
            task.result()
        return self._ending()

    async def _line(self, line: OrderLine, gate: asyncio.Semaphore) -> None:
        """See one part through; whatever becomes of it, it is noted and the others go on."""
        await workflow.wait_condition(
            lambda: self.patience.called_off is not None or all(one in self._ended for one in line.after)
        )
        missing = [one for one in line.after if one in self._ended and not _fulfilled(self._ended[one])]
        if missing:
            self._ended[line.id] = _not_ordered(f"it needs {', '.join(missing)}, which was not fulfilled")
            return
        async with gate:
            try:
                self.patience.stop_if_called_off()
                self._ended[line.id] = await self._ordered(line)
            except ExpressionError as error:
                self._ended[line.id] = _not_ordered(f"the bundle is at fault: {error}")
            except Ended as ended:
                self._ended[line.id] = Closure(number="", outcome=ended.outcome, reason=ended.reason)

    async def _ordered(self, line: OrderLine) -> Closure:
        child = ChildOrder(
            parent=self.order.number,
            line=line.id,
            item=line.item,
            version=line.version,
            requester=self.order.requester,
            beneficiary=line.beneficiary.login,
            answers=self._answers(line),
            channel=self.order.channel,
            auth=self.order.auth,
        )
        placed = await self.children.place(child)
        if placed.order is None:
            return _not_ordered(placed.refused)
        return await self.children.closes(placed.order, self._then(line))

    def _then(self, line: OrderLine) -> str:
        """Say what comes after a part."""
        needing = [_title(one) for one in self.order.lines if line.id in one.after]
        if needing:
            return f"Once it is fulfilled, what needs it is ordered: {listed(needing)}."
        return "Once every part has ended, this request ends."

    def _answers(self, line: OrderLine) -> dict[str, Any]:
        """Return the answers of a part: a bundle works them out from its own, else they were given."""
        written = next((one.answers for one in self.order.item.lines if one.id == line.id), None)
        if written is None:
            return line.answers
        results = {
            name: {"number": closure.number, "outcome": closure.outcome} for name, closure in self._ended.items()
        }
        answers: dict[str, Any] = fill(written, names.of_order(self.order, workflow.now(), results))
        return answers

    def _ending(self) -> Ended:
        told = "; ".join(f"{_title(line)}: {_said(self._ended[line.id])}" for line in self.order.lines)
        outcomes = Counter(self._ended[line.id].outcome for line in self.order.lines)
        done = outcomes[Outcome.FULFILLED]
        by = self.patience.called_off.actor if self.patience.called_off else None
        if done == len(self.order.lines):
            return Ended(Outcome.FULFILLED, "Every part was fulfilled.")
        if done:
            return Ended(Outcome.PARTIAL, f"{done} of {len(self.order.lines)} parts were fulfilled. {told}", by=by)
        outcome = next(iter(outcomes)) if len(outcomes) == 1 else Outcome.UNFULFILLED
        return Ended(outcome, f"No part was fulfilled. {told}", by=by)


def _fulfilled(closure: Closure) -> bool:
    return closure.outcome is Outcome.FULFILLED


def _not_ordered(why: str) -> Closure:
    return Closure(number="", outcome=Outcome.INELIGIBLE, reason=why)


def _title(line: OrderLine) -> str:
    return f"{line.item_name} for {line.beneficiary.name}"


def _said(closure: Closure) -> str:
    number = f"{closure.number} " if closure.number else "not ordered, "
    return f"{number}{closure.outcome} ({closure.reason})"
