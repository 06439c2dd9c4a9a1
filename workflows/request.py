"""The frame every request shares: people's commands, waiting, effects, approvals, operators, closure.

A flow derives from `RequestFrame` and writes only its runbook. The frame sees to it that

* every wait says what it waits for, and a request that was called off stops at its next wait;
* a person's command is checked by the pure rules, carried out once, and answered after it stands in the register;
* a target that fails for good opens an operator task instead of failing the request;
* a request closes exactly once, and never over something it left behind unsaid.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.approvals import ApprovalDesk
from workflows.ending import Closure, Ended
from workflows.messages import CANCEL, COMMENT, DECIDE, Cancel, Comment, Decide
from workflows.options import DIRECTORY
from workflows.record import Record
from workflows.saga import Saga, shielded

with workflow.unsafe.imports_passed_through():
    from activities.identity import ApproversQuery, Identity, Standing, StandingQuery
    from catalog import approval, rights
    from catalog.access import Membership, Observed
    from catalog.approval import Rung, Slate, StageStatus
    from catalog.errors import Refused
    from catalog.item import Stage
    from catalog.journal import Entry, Kind
    from catalog.people import OPERATORS, Actor
    from catalog.request import Order, Outcome, Status, Task, Waiting, WaitKind

A = TypeVar("A")
R = TypeVar("R")


class OperatorSaid(NamedTuple):
    """How an operator decided a task."""

    choice: str
    reason: str
    by: Actor


class RequestFrame:
    """The state of one request and everything flows have in common."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.record = Record(order)
        self.desk = ApprovalDesk(order, self.record)
        self._called_off: Cancel | None = None
        self._past_return = False
        self._said: dict[str, OperatorSaid] = {}
        self._before_attention = Status.CHECKING
        self._comments = 0
        self._may_be_ours: dict[str, bool] = {}
        self._flushing: asyncio.Future[None] | None = None  # held so that it is not collected while it runs
        self._note_opened()  # before any command can be noted

    # ---------------------------------------------------------------- the life of a request

    async def conduct(self, runbook: Callable[[], Awaitable[Ended]]) -> Closure:
        """Follow the runbook to its end, close."""
        try:
            ended = await runbook()
        except Ended as ending:
            ended = ending
        except asyncio.CancelledError:
            # Somebody with access to the engine cancelled it there: the same as calling it off here.
            ended = Ended(Outcome.CANCELLED, "It was cancelled in the workflow engine.", rule="engine.cancel")
        return await shielded(self._close(ended))

    def stop_if_called_off(self) -> None:
        """Raise `Ended` if somebody called the request off."""
        if self._called_off:
            actor = self._called_off.actor
            reason = self._called_off.reason or f"{actor.person.name} called it off."
            raise Ended(Outcome.CANCELLED, reason, by=actor)

    def saga(self) -> Saga:
        """Return a context whose effects are undone if the request is called off before its end."""
        return Saga(self._pass_point_of_no_return)

    def _pass_point_of_no_return(self) -> None:
        """From here on the request can no longer be called off."""
        self.stop_if_called_off()
        self._past_return = True

    def _note_opened(self) -> None:
        order = self.order
        facts = {
            "item": order.item.name,
            "version": order.item.version,
            "item_digest": order.item_digest,
            "requester": order.requester.model_dump(mode="json"),
            "beneficiary": order.beneficiary.model_dump(mode="json"),
            "accepted_at": order.accepted_at.isoformat(),
        }
        orderer = Actor(person=order.requester, channel=order.channel, auth=order.auth)
        self.record.note(Kind.OPENED, facts, status=Status.CHECKING, actor=orderer)

    async def _close(self, ended: Ended) -> Closure:
        self._past_return = True
        self.desk.cancel()
        self.record.end(ended.outcome, ended.reason)
        facts = {"outcome": ended.outcome, "reason": ended.reason}
        self.record.note(Kind.CLOSED, facts, status=Status.CLOSED, actor=ended.by, rule=ended.rule)
        told = {person.id: person for person in (self.order.requester, self.order.beneficiary)}
        if ended.by:
            told.pop(ended.by.person.id, None)  # who ended it knows
        for person in told.values():
            self.record.owe("closed", person, {**self.order.headline(), **facts})
        await self.record.flush()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return Closure(number=self.order.number, outcome=ended.outcome, reason=ended.reason)

    # ---------------------------------------------------------------- commands of people

    @workflow.update(name=DECIDE)
    async def decide(self, command: Decide) -> Entry:
        """Decide a task; answers with the entry once it stands in the register."""
        self._check_decision(command)
        task = self.record.tasks[command.task]
        if task.kind == "approval":
            return await self._written(self.desk.vote(task, command))
        return await self._written(self._operate(task, command))

    @decide.validator
    def _validate_decision(self, command: Decide) -> None:
        self._check_decision(command)

    @workflow.update(name=CANCEL)
    async def cancel(self, command: Cancel) -> Entry:
        """Call the request off; the runbook stops at its wait and what was done is undone."""
        self._check_cancel(command)
        self._called_off = command
        facts = {"reason": command.reason}
        entry = self.record.note(Kind.CANCEL_REQUESTED, facts, actor=command.actor, command=command.command)
        return await self._written(entry)

    @cancel.validator
    def _validate_cancel(self, command: Cancel) -> None:
        self._check_cancel(command)

    @workflow.update(name=COMMENT)
    async def comment(self, command: Comment) -> Entry:
        """Put a remark on record."""
        self._check_comment(command)
        self._comments += 1
        facts = {"text": command.text}
        return await self._written(self.record.note(Kind.COMMENT, facts, actor=command.actor, command=command.command))

    @comment.validator
    def _validate_comment(self, command: Comment) -> None:
        self._check_comment(command)

    def _check_decision(self, command: Decide) -> None:
        """Raise what the rules say against a decision now; asked by the validator and again by the handler."""
        self._check_open()
        task = self.record.tasks.get(command.task)
        if task is None:
            raise _refused(Refused.UNKNOWN_TASK, f"{self.order.number} has no task {command.task}.")
        refusal = (
            rights.refuse_decider(command.actor, self.order, task)
            or rights.refuse_late(command.actor, task)
            or rights.refuse_choice(task, command.choice, command.reason)
        )
        if refusal:
            raise _refused(refusal.code, refusal.message)
        against = self.desk.refuse(task, command) if task.kind == "approval" else None
        if against:
            raise _refused(against.code, against.message)

    def _check_cancel(self, command: Cancel) -> None:
        refusal = rights.refuse_cancel(command.actor, self.order)
        if refusal:
            raise _refused(refusal.code, refusal.message)
        if self._called_off:
            by = self._called_off.actor.person.name
            raise _refused(Refused.CLOSED, f"{self.order.number} was called off by {by} already.")
        if self._past_return:
            raise _refused(Refused.CLOSED, f"{self.order.number} can no longer be called off: it is being closed.")

    def _check_comment(self, command: Comment) -> None:
        asked = any(
            assignee.person.id == command.actor.person.id
            for task in self.record.tasks.values()
            for assignee in task.assignees
        )
        if not rights.may_see(command.actor, self.order, asked=asked):
            raise _refused(Refused.NOT_ALLOWED, f"You have no part in {self.order.number}.")
        self._check_open()
        if self._comments >= MAX_COMMENTS:
            raise _refused(Refused.TOO_MANY, f"{self.order.number} has {MAX_COMMENTS} comments; it takes no more.")

    def _check_open(self) -> None:
        if self.record.outcome:
            raise _refused(Refused.CLOSED, f"{self.order.number} is closed: {self.record.outcome}.")

    async def _written(self, entry: Entry) -> Entry:
        """Return the entry once it stands in the register."""
        self.record.commanded()
        # Let the runbook react first, so that one flush carries both: the first turn wakes it, and the second comes
        # when it has gone as far as it can.
        for _ in range(2):
            await workflow.wait_condition(lambda: True)
        await self.record.flush()
        return entry

    # ---------------------------------------------------------------- waiting

    async def wait(self, waiting: Waiting, done: Callable[[], bool], *, cancellable: bool = True) -> bool:
        """Say what is waited for, then wait; false if `waiting.until` came first.

        Raises:
            Ended: the request was called off meanwhile.
        """

        def over() -> bool:
            return done() or (cancellable and self._called_off is not None)

        self.record.waiting = (waiting,)
        await self.record.flush()
        left = waiting.until - workflow.now() if waiting.until else None
        # When time and a decision fall into the same moment, `done` tells which of them counted.
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(over, timeout=left, timeout_summary=waiting.at_deadline or None)
        self.record.waiting = ()
        if not done() and cancellable:
            self.stop_if_called_off()
        return done()

    # ---------------------------------------------------------------- approvals

    async def approved(self, ladder: tuple[Rung, ...]) -> None:
        """Return once every stage has approved; `ladder` is the first stage's people, freshly looked up.

        Raises:
            Ended: it was refused, its time ran out, or it was called off.
        """
        while following := self.desk.state.next_stage():
            stage = following.stage
            slate = await self._slate(stage, ladder)
            ladder = ()  # a later stage begins later: its people are looked up then
            self.desk.open(stage, slate)
            if self.desk.stage(stage.id).status is StageStatus.OPEN and not await self._decided(stage):
                self.desk.expire(stage.id)
        self._end_unless_approved()

    async def _slate(self, stage: Stage, ladder: tuple[Rung, ...]) -> Slate:
        """Return the people to ask; as long as there are none, an operator has to see to it."""
        what = f"Find who decides {stage.name}"
        while True:
            if not ladder:
                ladder = (await self._look_up(Identity.approvers, self._approvers_query(stage), what)).rungs
            slate = approval.slate(ladder, self.order.requester.id, self.order.beneficiary.id)
            self.desk.find(stage, slate)
            if slate.people:
                return slate
            await self._ask_operator(what, NOBODY_DECIDES.format(stage=stage.name), ("retry", "cancel"))
            ladder = ()

    async def _decided(self, stage: Stage) -> bool:
        waiting = self.desk.waiting(stage.id)
        return await self.wait(waiting, lambda: self.desk.stage(stage.id).status is not StageStatus.OPEN)

    def _approvers_query(self, stage: Stage) -> ApproversQuery:
        item, beneficiary = self.order.item, self.order.beneficiary
        return ApproversQuery(
            stage=stage,
            requester_id=self.order.requester.id,
            beneficiary_id=beneficiary.id,
            group=item.entitlement.group,
            item_owner=item.owner,
        )

    def _end_unless_approved(self) -> None:
        for state in self.desk.state.stages:
            if state.status is StageStatus.REJECTED:
                last = state.votes[-1]
                raise Ended(Outcome.REJECTED, f"{last.voter.name}: {last.reason}", rule="approval.rejected")
            if state.status is StageStatus.EXPIRED:
                raise Ended(Outcome.EXPIRED, approval.said(state), rule="approval.expired")

    # ---------------------------------------------------------------- targets

    async def standing(self, membership: Membership) -> Standing:
        """Return how the beneficiary stands towards the entitlement now, with the first stage's people."""
        stages = self.order.item.approvals
        query = StandingQuery(membership=membership, approvers=self._approvers_query(stages[0]) if stages else None)
        what = f"Look up {self.order.beneficiary.name} in the directory"
        standing = await self._look_up(Identity.standing, query, what)
        facts = {
            "person": standing.person.ref().model_dump(mode="json") if standing.person else None,
            "group": membership.group,
            "already_member": standing.already_member,
        }
        self.record.note(Kind.RESOLVED, facts)
        return standing

    async def effect(
        self, activity: Callable[[Identity, A], Observed], target: A, what: str
    ) -> Observed | OperatorSaid:
        """Change a target and return what was seen of it, or what the operator said who went on without it.

        Raises:
            Ended: the request was called off, by its people or by an operator.
        """
        ours = False
        while True:
            self.stop_if_called_off()
            self.record.note(Kind.EFFECT_INTENDED, {"effect": what}, status=Status.FULFILMENT)
            self._may_be_ours[what] = True  # until an answer says otherwise
            result = await self._attempt(activity, target, what, rule="frame.effect")
            ours = self._may_be_ours[what] = ours or _is_ours(result)
            if isinstance(result, Observed):
                self.record.note(Kind.EFFECT_OBSERVED, {"effect": what, **result.model_dump(mode="json")})
                self.stop_if_called_off()
                return result
            self._note_failure(what, result)
            said = await self._ask_operator(what, result, ("retry", "skip", "cancel"))
            if said.choice == "skip":
                return said

    async def undo(self, activity: Callable[[Identity, A], Observed], target: A, what: str, *, of: str) -> None:
        """Take the effect `of` back, however long that takes, if it may be there because of this request.

        What others gave is left alone. Only an operator leaves something of ours behind, with a reason.
        """
        if not self._may_be_ours.get(of, False):
            return
        while True:
            self.record.note(Kind.UNDO_INTENDED, {"effect": what}, status=Status.ROLLBACK)
            result = await self._attempt(activity, target, what, rule="frame.undo", cancellable=False)
            if isinstance(result, Observed):
                self.record.note(Kind.UNDO_OBSERVED, {"effect": what, **result.model_dump(mode="json")})
                return
            self._note_failure(what, result, cancellable=False)
            said = await self._ask_operator(what, result, ("retry", "skip"), cancellable=False)
            if said.choice == "skip":
                return

    async def _look_up(self, activity: Callable[[Identity, A], R], query: A, what: str) -> R:
        """Ask the directory, as often as it takes."""
        while True:
            result = await self._attempt(activity, query, what, rule="frame.look-up")
            if not isinstance(result, ActivityError):
                self.stop_if_called_off()  # before anybody is asked to decide
                return result
            self._note_failure(what, result)
            await self._ask_operator(what, result, ("retry", "cancel"))

    async def _attempt(
        self, activity: Callable[[Identity, A], R], argument: A, what: str, *, rule: str, cancellable: bool = True
    ) -> R | ActivityError:
        """Run an activity, on record as waiting for it; return its failure once it has failed for good.

        When the request is called off, the attempt under way is awaited first, so that undoing cannot overtake it.
        """
        self._explain(what, rule)
        running = workflow.start_activity_method(activity, argument, summary=what, **DIRECTORY)
        self.record.attempting = True
        self._flush_meanwhile()
        cancelled: asyncio.CancelledError | None = None
        try:
            await workflow.wait_condition(lambda: running.done() or (cancellable and self._called_off is not None))
        except asyncio.CancelledError as cancel:
            cancelled = cancel
        if not running.done():
            running.cancel()
        try:
            result: R | ActivityError = await running
        except ActivityError as failure:
            result = failure
        self.record.attempting = False
        self.record.waiting = ()
        if cancelled:
            raise cancelled
        return result

    def _note_failure(self, what: str, failure: ActivityError, *, cancellable: bool = True) -> None:
        """Put a failure on record, unless it only failed because the request was called off.

        What exactly went wrong stands in the operators' task: it may name servers and accounts.
        """
        if cancellable:
            self.stop_if_called_off()
        self.record.note(Kind.EFFECT_FAILED, {"effect": what, "fault": _cause(failure)[0]})

    def _explain(self, what: str, rule: str) -> None:
        """State that a system is waited for."""
        waiting = Waiting(
            kind=WaitKind.SYSTEM,
            what=f"{what}. While the directory does not answer, it is tried again.",
            since=workflow.now(),
            until=workflow.now() + DIRECTORY["schedule_to_close_timeout"],
            rule=rule,
            at_deadline="An operator is asked how to go on.",
        )
        self.record.waiting = (waiting,)

    def _flush_meanwhile(self) -> None:
        """Begin to write what was noted while an attempt runs, so that an outage shows in the register."""
        # While it is checking, the register says by itself that people are looked up: nothing to write yet.
        if self.record.status is not Status.CHECKING:
            self._flushing = asyncio.ensure_future(self.record.flush())

    # ---------------------------------------------------------------- operators

    async def _ask_operator(
        self, what: str, problem: ActivityError | str, choices: tuple[str, ...], *, cancellable: bool = True
    ) -> OperatorSaid:
        """Ask the operators how to go on and return what one of them said.

        Raises:
            Ended: they called the request off, or its people did.
        """
        task = self._open_operator_task(what, problem if isinstance(problem, str) else _cause(problem)[1], choices)
        waiting = Waiting(
            kind=WaitKind.OPERATOR,
            what=f"An operator has to see to this: {what}",
            since=task.opened_at,
            rule="frame.operator",
            task=task.id,
        )
        try:
            await self.wait(waiting, lambda: task.id in self._said, cancellable=cancellable)
        except (Ended, asyncio.CancelledError) as ending:
            self._close_task(task, "cancelled", ending.by if isinstance(ending, Ended) else None, str(ending))
            raise
        said = self._said[task.id]
        if said.choice == "cancel":
            raise Ended(Outcome.CANCELLED, f"{said.by.person.name} called it off: {said.reason}", by=said.by)
        return said

    def _open_operator_task(self, what: str, problem: str, choices: tuple[str, ...]) -> Task:
        task = Task(
            id=self.record.next_task_id(),
            kind="operator",
            title=what,
            choices=choices,
            problem=problem,
            subject=self.order.subject,
            opened_at=workflow.now(),
        )
        self._before_attention = self.record.status
        facts = {"task": task.id, "choices": list(choices)}
        self.record.note(Kind.OPERATOR_ASKED, facts, status=Status.ATTENTION)
        self.record.open_task(task)
        self.record.owe("operator-needed", OPERATORS, {**self.order.headline(), "problem": problem, "task": task.id})
        return task

    def _operate(self, task: Task, command: Decide) -> Entry:
        """Carry out an operator's choice."""
        self._said[task.id] = OperatorSaid(command.choice, command.reason, command.actor)
        facts = {"task": task.id, "choice": command.choice, "reason": command.reason}
        self._close_task(task, command.choice, command.actor, command.reason)
        return self.record.note(
            Kind.OPERATOR_DECIDED,
            facts,
            status=self._before_attention,
            actor=command.actor,
            command=command.command,
        )

    def _close_task(self, task: Task, decided: str, by: Actor | None, reason: str) -> None:
        decided_by = (by.person,) if by else ()
        self.record.change_task(
            task.id, decided=decided, decided_by=decided_by, reason=reason, closed_at=workflow.now()
        )


MAX_COMMENTS = 500
"""The engine takes 2,000 commands a run; chatter must not use up what decisions need."""

NOBODY_DECIDES = (
    "Nobody may decide {stage!r}: the directory names no active manager, owner or group member besides the requester "
    "and the beneficiary. Correct the directory, then retry."
)


def _refused(code: str, message: str) -> ApplicationError:
    return ApplicationError(message, type=code)


def _cause(failure: ActivityError) -> tuple[str, str]:
    """Return the fault and what went wrong in the connector's own words; the failure around it says neither."""
    cause = failure.cause
    if isinstance(cause, ApplicationError):
        return cause.type or "", cause.message
    return "timeout", f"The directory did not answer in time ({cause or failure})."


def _is_ours(result: Observed | ActivityError) -> bool:
    """Return whether a change may be there because of this attempt; without an answer, it may."""
    if isinstance(result, Observed):
        return result.ours
    cause = result.cause
    return bool(cause.details[0]) if isinstance(cause, ApplicationError) and cause.details else True
