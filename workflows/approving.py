"""Approving: opens stages, looks up whom to ask, waits, sees to what time brings, and says how it ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from temporalio import workflow

from workflows.approvals import ApprovalDesk
from workflows.ending import Ended
from workflows.operators import Operators
from workflows.patience import Patience
from workflows.saga import together
from workflows.targets import Targets, on_directory
from workflows.wants import LookedUp, Want

with workflow.unsafe.imports_passed_through():
    from activities.approvers import ApproversQuery
    from activities.identity import Identity
    from catalog import names, plan, standing, why
    from catalog import slate as slates
    from catalog.ballot import StageState, StageStatus
    from catalog.expression import ExpressionError
    from catalog.plan import Wanted
    from catalog.request import Outcome
    from catalog.slate import Found, Slate
    from catalog.stages import Stage

Names = dict[str, Any]

MOST_EVENTS = 500
"""How long a history grows. The engine would let it grow longer, but a worker that does not have it in memory has to
replay it within a workflow task's ten seconds, and every vote among hundreds of people takes its time."""


class Approving:
    """The approvals of one request, from the first stage to the outcome."""

    def __init__(
        self,
        desk: ApprovalDesk,
        patience: Patience,
        targets: Targets,
        operators: Operators,
        leave: Callable[[], None] | None = None,
    ) -> None:
        """Make it; `leave` has another run go on with the request, where that can be while these are decided.

        It returns if it cannot be now.
        """
        self._leave_now = leave
        self._stays_until = 0
        self._desk = desk
        self._patience = patience
        self._targets = targets
        self._operators = operators
        self._begun: set[str] = set()
        self._amended = 0
        self._known: Names = {}

    def query(self, stage: Stage) -> ApproversQuery:
        """Return what to ask the directory for a stage's people.

        Raises:
            ExpressionError: whom a rule names cannot be worked out.
        """
        return self._asking(stage, plan.wanted(stage, self._names()))

    def _asking(self, stage: Stage, wanted: Wanted) -> ApproversQuery:
        return ApproversQuery.for_stage(self._desk.record.order, stage, wanted, workflow.now())

    def _names(self) -> Names:
        return {**names.of_order(self._desk.record.order, workflow.now()), **self._known}

    async def approved(self, found: Found | None = None, known: Names | None = None) -> None:
        """Return once every stage has approved.

        Args:
            found: the first stage's people, freshly looked up.
            known: names that rules may use besides those of the order.

        Raises:
            Ended: it was refused, its time ran out, or it was called off.
        """
        self._known = known or {}
        while not self._desk.is_over():
            self._amended = self._desk.amended
            self._begun.clear()
            with contextlib.suppress(_Changed):
                await self._go_on(found)
            found = None
            self._end_if_over()
            assert self._desk.is_over() or self._desk.leaving or self._has_changed(), "nobody waits"
            await self._leave()
        # Otherwise the frame is at fault, and nothing may be given on it: the workflow task fails loudly.
        assert self._desk.state.outcome is StageStatus.APPROVED, self._desk.state.outcome

    async def _leave(self) -> None:
        """Hand the request to another run if this one is to end, and nothing has been decided meanwhile."""
        while self._desk.leaving:
            await workflow.wait_condition(workflow.all_handlers_finished)
            self._desk.leaving = False
            await self._desk.record.flush()
            if self._leave_now and self._outgrown() and workflow.all_handlers_finished() and not self._desk.is_over():
                self._leave_now()
                self._stays_until = workflow.info().get_current_history_length() + MOST_EVENTS

    async def _go_on(self, found: Found | None = None) -> None:
        """Have decided what may begin now, and what may begin then."""
        while ready := self._ready():
            self._begun.update(stage.id for stage in ready)
            if len(ready) == 1:
                await self._decide(ready[0], found)
            else:
                first = [found, *[None] * (len(ready) - 1)]
                await together([self._branch(*one) for one in zip(ready, first, strict=True)])
            found = None  # a later stage begins later: its people are looked up then

    def _ready(self) -> list[Stage]:
        """Return the stages to see to: those that may begin, and those that have begun before an amendment.

        After another one, all of them are seen to anew.
        """
        if self._desk.leaving or self._has_changed():
            return []
        state = self._desk.state
        open_ = [one for one in state.stages if one.status is StageStatus.OPEN]
        return [one.stage for one in (*open_, *state.ready()) if one.stage.id not in self._begun]

    def _has_changed(self) -> bool:
        """Return whether what is decided on was changed since its stages were seen to: any may look different now."""
        return self._amended != self._desk.amended

    async def _branch(self, stage: Stage, found: Found | None) -> None:
        """Have a stage decided that runs beside others, and then what waits for it alone."""
        with contextlib.suppress(_Changed):
            await self._decide(stage, found)
            await self._go_on()
        await self._desk.record.flush()  # the others may go on for long

    async def _decide(self, stage: Stage, found: Found | None) -> None:
        if not self._desk.is_open(stage.id):
            await self._open(stage, found)
        looking = _Looking(self._desk, stage.id)
        try:
            while self._desk.is_open(stage.id) and not self._has_changed() and not self._desk.leaving:
                looking.begin(lambda want: self._see_to(stage, want))
                await self._something_happens(stage, looking)
                looking.take()
        except GeneratorExit:
            looking.forget()  # dropped from memory, as by a worker that stops: nothing can be awaited any more
            raise
        finally:
            await looking.give_up()
        self._end_if_over()

    async def _something_happens(self, stage: Stage, looking: _Looking) -> None:
        """Wait until a stage is decided, or something has to be done about it; see to what time demands."""
        wake_at = self._desk.stage(stage.id).next_at

        def happened() -> bool:
            return (
                self._has_changed()
                or self._desk.leaving
                or self._outgrown()
                or not self._desk.is_open(stage.id)
                or looking.has_news()
                or self._desk.stage(stage.id).next_at != wake_at
            )

        if not await self._patience.wait(self._desk.waiting(stage.id), happened, wake_at=wake_at) and wake_at:
            self._desk.tick(stage.id, max(wake_at, workflow.now()))
        self._desk.leaving = self._desk.leaving or self._outgrown()

    def _outgrown(self) -> bool:
        """Return whether another run should go on with the request.

        Not as long as operators are asked something, nor once it is called off: the next run would not know that.
        """
        info = workflow.info()
        return (
            self._leave_now is not None
            and info.get_current_history_length() > self._stays_until
            and (info.is_continue_as_new_suggested() or info.get_current_history_length() > MOST_EVENTS)
            and not self._operators.are_asked()
            and self._patience.called_off is None
        )

    # ---------------------------------------------------------------- people

    async def _open(self, stage: Stage, found: Found | None) -> None:
        """Begin a stage, unless what is decided on changes meanwhile; while there are too few people, ask operators."""
        what = f"Find who decides {stage.name}"
        while True:
            query = await self._worked_out(what, lambda: self.query(stage))
            if found is None or not found.rungs:
                found = await self._targets.look_up(on_directory(Identity.approvers, query, what))
            slate = self._slate(stage, found, query)
            self._desk.find(stage, slate)
            self._end_if_over()  # one beside it may have been refused while the people were looked up
            if self._has_changed() or self._desk.open(stage, slate):
                return
            problem = TOO_FEW_DECIDE if slate.people else NOBODY_DECIDES
            await self._ask(what, problem.format(stage=stage.name), why.too_few(stage, slate))
            found = None

    async def _ask(self, what: str, problem: str, reason: str) -> None:
        """Have an operator mend something; everybody who sees the request is told the reason.

        Raises:
            _Changed: what is decided on has changed meanwhile, so that it may not have to be mended any more.
        """
        choices = ("retry", "cancel")
        if await self._operators.ask_while(lambda: not self._has_changed(), what, problem, choices, reason) is None:
            raise _Changed

    async def _see_to(self, stage: Stage, want: Want) -> None:
        """Look people up for a stage that is open, as far as it still is."""
        what = f"Find who decides {stage.name}"
        if want.kind == "nobody":
            slate = self._desk.stage(stage.id).slate
            await self._ask(what, NOBODY_DECIDES.format(stage=stage.name), why.too_few(stage, slate))
        if want.kind == "escalate":
            level = (want.level - 1, want.level)
            slate = await self._looked_up(stage, lambda: plan.above(stage, level, self._names()))
            if self._desk.is_open(stage.id):
                self._desk.escalate(stage.id, slate)
            return
        slate = await self._looked_up(stage, lambda: plan.wanted(stage, self._names()))
        found = LookedUp(slate)
        if self._desk.is_open(stage.id) and (levels := self._desk.stage(stage.id).levels()):
            above = await self._looked_up(stage, lambda: plan.above(stage, levels, self._names()))
            found = found._replace(levels=levels, above=above)
        if self._desk.is_open(stage.id) and (people := self._desk.stage(stage.id).others()):
            beside = await self._looked_up(stage, lambda: plan.these(person.login for person in people))
            found = found._replace(others=people, beside=beside)
        if self._desk.is_open(stage.id):
            self._desk.resolve(stage.id, found, want.rule or "approval.nobody")

    async def _looked_up(self, stage: Stage, wanted: Callable[[], Wanted]) -> Slate:
        """Return who decides, as the directory has them now."""
        what = f"Find who decides {stage.name}"
        query = await self._worked_out(what, lambda: self._asking(stage, wanted()))
        found = await self._targets.look_up(on_directory(Identity.approvers, query, what))
        return self._slate(stage, found, query)

    def _slate(self, stage: Stage, found: Found, query: ApproversQuery) -> Slate:
        """Return who of the people that the directory has named decides."""
        return slates.slate(stage, found, self._desk.record.order.parties, workflow.now(), query.wanted)

    async def _worked_out(self, what: str, query: Callable[[], ApproversQuery]) -> ApproversQuery:
        """Return what to ask the directory; as long as the item's rules cannot be worked out, operators are asked."""
        while True:
            try:
                return query()
            except ExpressionError as error:
                await self._ask(what, ITEM_AT_FAULT.format(error=error), "A rule of the item cannot be worked out.")

    # ---------------------------------------------------------------- ends

    def _end_if_over(self) -> None:
        ends = (StageStatus.REJECTED, StageStatus.EXPIRED, StageStatus.CANCELLED)
        for state in self._desk.state.stages:
            if state.status in ends and state.status is self._desk.state.outcome:
                raise _ending(state)


class _Changed(Exception):
    """What is decided on has changed: its stages are seen to anew."""


class _Looking:
    """The look-ups of one open stage, one after the other, beside everything else that happens to it.

    Nothing waits for them: neither a vote nor a deadline has to, while a directory does not answer or an operator is
    asked for more people.
    """

    def __init__(self, desk: ApprovalDesk, stage_id: str) -> None:
        self._desk = desk
        self._stage = stage_id
        self._want: Want | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, see_to: Callable[[Want], Coroutine[Any, Any, None]]) -> None:
        """Begin the next look-up, if one is wanted and none is under way."""
        if self._task is None:
            self._want = self._desk.next_want(self._stage)
            self._task = asyncio.create_task(see_to(self._want)) if self._want else None

    def has_news(self) -> bool:
        """Return whether one has come to its end, or can begin."""
        return self._task.done() if self._task else self._desk.wants(self._stage)

    def take(self) -> None:
        """Take note of one that has come to its end; raises what it raised."""
        if self._task and self._task.done():
            task, self._task = self._task, None
            try:
                task.result()
            except _Changed:
                self._put_back()
                raise

    def forget(self) -> None:
        """Leave the one under way alone."""
        self._task = None

    async def give_up(self) -> None:
        """End the one under way: the stage is decided, looks different now, or goes on in another run."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        try:
            await task
        except (asyncio.CancelledError, Ended, _Changed):
            self._put_back()

    def _put_back(self) -> None:
        """See to it that what has not been looked up is looked up later, if the stage is still open then."""
        if self._want and self._desk.is_open(self._stage):
            self._desk.want(self._stage, self._want)


def _ending(state: StageState) -> Ended:
    """Return how a request ends with a stage."""
    if refusal := standing.refusal(state):
        return Ended(Outcome.REJECTED, f"{refusal.voter.name}: {refusal.reason}", rule="approval.rejected")
    outcome = {
        StageStatus.REJECTED: Outcome.REJECTED,
        StageStatus.EXPIRED: Outcome.EXPIRED,
        StageStatus.CANCELLED: Outcome.CANCELLED,
    }[state.status]
    rule = "approval.expired" if state.status is StageStatus.EXPIRED else state.rule
    return Ended(outcome, standing.said(state), rule=rule)


NOBODY_DECIDES = (
    "Nobody may decide {stage!r}: the directory names no active manager, owner, group member or holder of a role "
    "besides the requester and the beneficiary. Correct the directory, then retry."
)
TOO_FEW_DECIDE = (
    "Fewer people may decide {stage!r} than must approve: the directory names too few who are active and neither the "
    "requester nor the beneficiary. Correct the directory, then retry."
)
ITEM_AT_FAULT = "The item is at fault: {error}. Tell its owner; this request keeps the version it was ordered with."
