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
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from workflows.approvals import ApprovalDesk
from workflows.approving import ITEM_AT_FAULT, Approving
from workflows.children import Children
from workflows.ending import Closure, Ended
from workflows.messages import (
    CALL_OFF,
    CANCEL,
    CHILD_CLOSED,
    COMMENT,
    DECIDE,
    REPORT,
    WORK,
    Cancel,
    Comment,
    Decide,
    Report,
    Work,
)
from workflows.operators import Operators
from workflows.patience import Patience
from workflows.record import Record
from workflows.saga import Saga, shielded
from workflows.targets import Targets, on_directory
from workflows.tasks import WorkDesk

with workflow.unsafe.imports_passed_through():
    from activities.approvers import ApproversQuery
    from activities.errors import Rejected
    from activities.identity import Identity, Standing, StandingQuery
    from activities.mapping import understood
    from catalog import message, names, plan, rights
    from catalog.access import Membership
    from catalog.approval import Rung
    from catalog.data import fill
    from catalog.errors import Refused
    from catalog.expression import ExpressionError
    from catalog.journal import Entry, Kind
    from catalog.model import Model
    from catalog.people import Actor
    from catalog.request import Order, Outcome, Status

M = TypeVar("M", bound=Model)


class RequestFrame:
    """The state of one request and everything flows have in common.

    Attributes:
        after_approval: what people are told comes after the last approval.
    """

    after_approval = "It is carried out."

    def __init__(self, order: Order) -> None:
        self.order = order
        self.record = Record(order)
        self.patience = Patience(self.record)
        self.operators = Operators(order, self.record, self.patience)
        self.targets = Targets(self.record, self.patience, self.operators)
        self.works = WorkDesk(order, self.record, self.patience, self.targets, self.operators)
        planned = plan.plan(order.stages, names.of_order(order, workflow.now()))
        self.desk = ApprovalDesk(order, self.record, planned, self.after_approval)
        self.desks = [self.desk]
        self.approving = self.approvals_of(self.desk)
        self.events: dict[str, Report] = {}
        self.children = Children(order, self.record, self.patience, self.targets)
        self._past_return = False
        self._comments = 0
        self._note_opened()  # before any command can be noted

    def approvals_of(self, desk: ApprovalDesk) -> Approving:
        """Return what carries a desk's stages out."""
        return Approving(desk, self.patience, self.targets, self.operators)

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

    def saga(self) -> Saga:
        """Return a context whose effects are undone if the request is called off before its end."""
        return Saga(self._pass_point_of_no_return)

    def _pass_point_of_no_return(self) -> None:
        """From here on the request can no longer be called off."""
        self.patience.stop_if_called_off()
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
        if order.cost:
            facts["cost"] = order.cost.model_dump(mode="json")
        if order.follows:
            facts["follows"] = order.follows
        if order.parent:
            facts["parent"] = order.parent
        self.record.note(Kind.OPENED, facts, status=Status.CHECKING, actor=orderer)
        self.announce("opened")

    def announce(self, event: str, facts: dict[str, str] | None = None) -> None:
        """Owe the messages that the item itself sends at this event."""
        for to, text in message.own(self.order, event, workflow.now(), facts or {}):
            self.record.owe("message", to, {**self.order.headline(), **text})

    async def _close(self, ended: Ended) -> Closure:
        self._past_return = True
        for desk in self.desks:
            desk.cancel()
        self.record.end(ended.outcome, ended.reason)
        facts: dict[str, str] = {"outcome": ended.outcome, "reason": ended.reason}
        self.record.note(Kind.CLOSED, facts, status=Status.CLOSED, actor=ended.by, rule=ended.rule)
        told = {person.id: person for person in (self.order.requester, self.order.beneficiary)}
        if ended.by:
            told.pop(ended.by.person.id, None)  # who ended it knows
        for person in told.values():
            self.record.owe("closed", person, {**self.order.headline(), **facts})
        self.announce("closed", facts)
        await self.record.flush()
        closure = Closure(number=self.order.number, outcome=ended.outcome, reason=ended.reason)
        if self.order.parent:
            await self._tell_parent(closure)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return closure

    async def _tell_parent(self, closure: Closure) -> None:
        parent = workflow.get_external_workflow_handle(self.order.parent)
        with contextlib.suppress(FailureError):  # a parent that has ended has nothing left to do with it
            await parent.signal(CHILD_CLOSED, closure)

    # ---------------------------------------------------------------- commands of people

    @workflow.update(name=DECIDE)
    async def decide(self, command: Decide) -> Entry:
        """Decide a task; answers with the entry once it stands in the register."""
        self._check_decision(command)
        task = self.record.tasks[command.task]
        desk = self._desk_of(command.task)
        if desk:
            return await self._written(desk.vote(task, command))
        return await self._written(self.operators.decided(task, command))

    @decide.validator
    def _validate_decision(self, command: Decide) -> None:
        self._check_decision(command)

    @workflow.update(name=CANCEL)
    async def cancel(self, command: Cancel) -> Entry:
        """Call the request off; the runbook stops at its wait and what was done is undone."""
        self._check_cancel(command)
        self.patience.called_off = command
        facts = {"reason": command.reason}
        entry = self.record.note(Kind.CANCEL_REQUESTED, facts, actor=command.actor, command=command.command)
        return await self._written(entry)

    @cancel.validator
    def _validate_cancel(self, command: Cancel) -> None:
        self._check_cancel(command)

    @workflow.signal(name=CHILD_CLOSED)
    def child_closed(self, closure: Closure) -> None:
        """Take note that a request which this one placed has ended."""
        self.children.ended[closure.number] = closure

    @workflow.signal(name=CALL_OFF)
    def call_off(self, command: Cancel) -> None:
        """Take note that the order this request is part of was called off; it is no command that gets an answer."""
        if self.patience.called_off or self._past_return or self.record.outcome:
            return
        self.patience.called_off = command
        facts = {"reason": command.reason}
        self.record.note(Kind.CANCEL_REQUESTED, facts, actor=command.actor, rule="bundle.cancel")

    @workflow.update(name=WORK)
    async def work(self, command: Work) -> Entry:
        """Claim, release, complete or decline a piece of work."""
        self._check_work(command)
        return await self._written(self.works.handle(self.record.tasks[command.task], command))

    @work.validator
    def _validate_work(self, command: Work) -> None:
        self._check_work(command)

    @workflow.update(name=REPORT)
    async def report(self, command: Report) -> Entry:
        """Take note of something that happened outside and that the request waits for, or will."""
        self._check_report(command)
        self.events[command.event] = command
        facts = {"event": command.event, "data": command.data}
        entry = self.record.note(Kind.EVENT_REPORTED, facts, actor=command.actor, command=command.command)
        return await self._written(entry)

    @report.validator
    def _validate_report(self, command: Report) -> None:
        self._check_report(command)

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
        desk = self._desk_of(command.task)
        against = desk.refuse(task, command) if desk else None
        if against:
            raise _refused(against.code, against.message)

    def _desk_of(self, task_id: str) -> ApprovalDesk | None:
        """Return the desk that counts the votes on a task, if it is an approval."""
        task = self.record.tasks[task_id]
        return next((desk for desk in self.desks if desk.has(task)), None) if task.kind == "approval" else None

    def _check_work(self, command: Work) -> None:
        self._check_open()
        task = self.record.tasks.get(command.task)
        if task is None:
            raise _refused(Refused.UNKNOWN_TASK, f"{self.order.number} has no task {command.task}.")
        refusal = rights.refuse_work(command.actor, task, command.act, command.reason)
        if refusal:
            raise _refused(refusal.code, refusal.message)

    def _check_report(self, command: Report) -> None:
        refusal = rights.refuse_report(command.actor, self.order, command.event)
        if refusal:
            raise _refused(refusal.code, refusal.message)
        self._check_open()
        if command.event in self.events:
            raise _refused(Refused.ALREADY_DECIDED, f"{self.order.number} knows already of {command.event!r}.")

    def _check_cancel(self, command: Cancel) -> None:
        refusal = rights.refuse_cancel(command.actor, self.order, command.reason, begun=self.targets.begun)
        if refusal:
            raise _refused(refusal.code, refusal.message)
        if self.patience.called_off:
            by = self.patience.called_off.actor.person.name
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

    # ---------------------------------------------------------------- what flows use

    async def parameters(self, model: type[M]) -> M:
        """Return what the item tells its workflow, as the workflow's own model, with expressions worked out.

        As long as it does not fit the model, an operator has to see to it.

        Raises:
            Ended: the request was called off, by its people or by an operator.
        """
        item = self.order.item
        while True:
            try:
                given = fill(item.parameters, names.of_order(self.order, workflow.now()))
                return understood(model, given, item.workflow_type)
            except (ExpressionError, Rejected) as error:
                what = f"Read the parameters of {item.name}"
                await self.operators.ask(what, ITEM_AT_FAULT.format(error=error), ("retry", "cancel"))

    async def approved(self, ladder: tuple[Rung, ...]) -> None:
        """Return once every stage has approved; `ladder` is the first stage's people, freshly looked up.

        Raises:
            Ended: it was refused, its time ran out, or it was called off.
        """
        self.desk.note_plan()
        await self.approving.approved(ladder)
        self.announce("approved")

    async def standing(self, group: str = "") -> Standing:
        """Return how the beneficiary stands now, towards a group if one is named, with the first stage's people.

        Raises:
            Ended: they are no longer there, or their account is not active: nobody like that is given anything.
        """
        who = self.order.beneficiary
        membership = Membership(person_id=who.id, group=group)
        query = StandingQuery(membership=membership, approvers=self._first_approvers())
        call = on_directory(Identity.standing, query, f"Look up {who.name} in the directory")
        standing = await self.targets.look_up(call)
        facts = {
            "person": standing.person.ref().model_dump(mode="json") if standing.person else None,
            "group": group,
            "already_member": standing.already_member,
        }
        self.record.note(Kind.RESOLVED, facts)
        if standing.person is None:
            gone = f"{who.name} is no longer in the directory."
            raise Ended(Outcome.INELIGIBLE, gone, rule="access.unknown-person")
        if not standing.person.active:
            closed = f"The account of {who.name} is not active."
            raise Ended(Outcome.INELIGIBLE, closed, rule="access.inactive-person")
        return standing

    def _first_approvers(self) -> ApproversQuery | None:
        ready = self.desk.state.ready()
        if not ready:
            return None
        try:
            return self.approving.query(ready[0].stage)
        except ExpressionError:
            return None  # told when the stage opens


MAX_COMMENTS = 500
"""The engine takes 2,000 commands a run; chatter must not use up what decisions need."""


def _refused(code: str, message: str) -> ApplicationError:
    return ApplicationError(message, type=code)
