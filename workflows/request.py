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
from workflows.carrying import Carried, Run, fits
from workflows.children import Children
from workflows.clocks import Clocks
from workflows.ending import Closure, Ended
from workflows.messages import (
    AMEND,
    CALL_OFF,
    CANCEL,
    CHILD_CLOSED,
    COMMENT,
    CONSIDER,
    DECIDE,
    LOOK_AGAIN,
    REPLACED,
    REPORT,
    WORK,
    Amend,
    Cancel,
    Comment,
    Consider,
    Decide,
    LookAgain,
    Replaced,
    Report,
    Work,
)
from workflows.operators import Operators
from workflows.patience import BY_ANOTHER, Patience
from workflows.record import Record
from workflows.saga import Saga, shielded
from workflows.targets import Targets, on_directory
from workflows.tasks import WorkDesk

with workflow.unsafe.imports_passed_through():
    from activities.approvers import ApproversQuery
    from activities.errors import Rejected
    from activities.identity import Identity, Standing, StandingQuery
    from activities.mapping import understood
    from catalog import amendment, message, names, plan, rights
    from catalog.access import Membership
    from catalog.ballot import StageStatus, Verdict
    from catalog.calendar import Calendar
    from catalog.data import fill
    from catalog.errors import Refused
    from catalog.expression import ExpressionError
    from catalog.journal import Entry, Kind
    from catalog.model import Model
    from catalog.people import Actor, PersonRef
    from catalog.plan import PlannedStage
    from catalog.request import Amendment, Order, Outcome, Status, Task
    from catalog.slate import Found, Rung

M = TypeVar("M", bound=Model)


class RequestFrame:
    """The state of one request and everything flows have in common.

    Attributes:
        after_approval: what people are told comes after the last approval.
    """

    after_approval = "It is carried out."

    def __init__(self, order: Order) -> None:
        carried = order.carried if isinstance(order, Run) else None
        self.record = Record(order, carried.record if carried else None)
        self.patience = Patience(self.record)
        self.operators = Operators(self.record, self.patience)
        self.targets = Targets(self.record, self.patience, self.operators)
        self.works = WorkDesk(self.record, self.patience, self.targets, self.operators)
        self.desk = ApprovalDesk(self.record, self._planned(), self.after_approval, carried.desk if carried else None)
        self.desks = [self.desk]
        self.approving = self.approvals_of(self.desk, self._continue)
        self.events: dict[str, Report] = dict(carried.events) if carried else {}
        self.clocks = Clocks(self.record, self._hours, self._expected, carried.clocks if carried else None)
        self.children = Children(self.record, self.patience, self.targets)
        self._past_return = False
        self._comments = carried.comments if carried else 0
        self._carried = carried is not None
        if not carried:
            self._note_opened()  # before any command can be noted

    def _continue(self) -> None:
        """Have another run go on with the request, if what it has to know is not too much.

        Nothing has been done yet that would have to be undone.
        """
        carried = Carried(
            record=self.record.so_far(),
            desk=self.desk.so_far(),
            clocks=self.clocks.so_far(),
            events=self.events,
            comments=self._comments,
        )
        run = Run(**{**dict(self.order), "carried": carried})
        if fits(run):
            workflow.continue_as_new(run)

    def _hours(self) -> dict[str, Calendar]:
        """Return the working time of everybody who is asked to decide something, by id."""
        slates = [state.slate for desk in self.desks for state in desk.state.stages]
        return {person: slate.calendar(person) for slate in slates for person in slate.hours}

    def _expected(self, stage_id: str) -> list[PersonRef]:
        """Return those who are expected to decide a stage."""
        states = [desk.state.stage(stage_id) for desk in self.desks]
        return [person for state in states if state for person in state.undecided()]

    @property
    def order(self) -> Order:
        """What was ordered, as it stands now."""
        return self.record.order

    def _planned(self, by_stage: str = "") -> tuple[PlannedStage, ...]:
        return plan.plan(self.order.stages, names.of_order(self.order, workflow.now()), by_stage)

    def approvals_of(self, desk: ApprovalDesk, leave: Callable[[], None] | None = None) -> Approving:
        """Return what carries a desk's stages out."""
        return Approving(desk, self.patience, self.targets, self.operators, leave)

    # ---------------------------------------------------------------- the life of a request

    async def conduct(self, runbook: Callable[[], Awaitable[Ended]]) -> Closure:
        """Follow the runbook to its end, close."""
        try:
            async with self.clocks.running():
                await self._replace()
                ended = await runbook()
        except Ended as ending:
            ended = ending
        except asyncio.CancelledError:
            # Somebody with access to the engine cancelled it there: the same as calling it off here.
            ended = Ended(Outcome.CANCELLED, "It was cancelled in the workflow engine.", rule="engine.cancel")
        return await shielded(self._close(ended))

    async def _replace(self) -> None:
        """Tell the request whose place this one takes; one that has ended by then is noted to have."""
        order = self.order
        if not order.replaces or self._carried:
            return
        by = Actor(person=order.requester, channel=order.channel, auth=order.auth)
        told = Replaced(actor=by, command="", reason=f"{order.number} replaces it.", number=order.number)
        try:
            await workflow.get_external_workflow_handle(order.replaces).signal(REPLACED, told)
        except FailureError:
            facts = {"number": order.replaces, "reason": f"before {order.number} could replace it"}
            self.record.note(Kind.REQUEST_CLOSED, facts)

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
        if order.replaces:
            facts["replaces"] = order.replaces
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
            desk.cancel(replaced=bool(ended.replaced_by))
        self.record.end(ended.outcome, ended.reason)
        facts: dict[str, str] = {"outcome": ended.outcome, "reason": ended.reason}
        facts |= {"replaced_by": ended.replaced_by} if ended.replaced_by else {}
        self.record.note(Kind.CLOSED, facts, status=Status.CLOSED, actor=ended.by, rule=ended.rule)
        for person in self.order.people:
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
        self.record.obeys(command.actor)
        task = self.record.tasks[command.task]
        desk = self._desk_of(command.task)
        if desk is None:
            return await self._written(self.operators.decided(task, command))
        if command.amendment:
            self._amended(command, command.amendment, task.stage or "")
            command = command.model_copy(update={"subject": None})  # it named what they saw before they changed it
        return await self._written(desk.vote(task, command))

    @decide.validator
    def _validate_decision(self, command: Decide) -> None:
        self._check_decision(command)
        self._check_not_called_off(command.task)

    @workflow.update(name=CONSIDER)
    async def consider(self, command: Consider) -> Entry:
        """Do something about a decision short of deciding."""
        self._check_considering(command)
        self.record.obeys(command.actor)
        desk = self._desk_of(command.task)
        assert desk is not None, "checked before"
        return await self._written(desk.consider(self.record.tasks[command.task], command))

    @consider.validator
    def _validate_considering(self, command: Consider) -> None:
        self._check_considering(command)
        self._check_not_called_off(command.task)

    @workflow.update(name=AMEND)
    async def amend(self, command: Amend) -> Entry:
        """Change what was ordered; who decides on what has changed is asked again."""
        self._check_amendment(command)
        self.record.obeys(command.actor)
        return await self._written(self._amended(command, command.amendment))

    @amend.validator
    def _validate_amendment(self, command: Amend) -> None:
        self._check_amendment(command)
        self._check_not_called_off()

    @workflow.signal(name=LOOK_AGAIN)
    def look_again(self, command: LookAgain) -> None:
        """Take note that who may decide may have changed."""
        for desk in self.desks:
            desk.look_again(command.people, command.stages, command.rule)

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
        self._check_not_refused()

    @workflow.signal(name=CHILD_CLOSED)
    def child_closed(self, closure: Closure) -> None:
        """Take note that a request which this one placed has ended."""
        self.children.ended[closure.number] = closure

    @workflow.signal(name=CALL_OFF)
    def call_off(self, command: Cancel) -> None:
        """Take note that the order this request is part of was called off; it is no command that gets an answer."""
        self._call_off(command, "bundle.cancel")

    @workflow.signal(name=REPLACED)
    def replaced(self, command: Replaced) -> None:
        """Take note that another request takes the place of this one, unless that comes too late."""
        late = self.targets.begun and self.order.item.cancel.until == "fulfilment"
        if not late and not self._ended_by_approvals():
            self._call_off(command, BY_ANOTHER)

    def _call_off(self, command: Cancel, rule: str) -> None:
        """Have the runbook stop at its wait, unless it is over already or past the point of no return."""
        if self.patience.called_off or self._past_return or self.record.outcome:
            return
        self.patience.called_off = command
        facts = {"reason": command.reason}
        self.record.note(Kind.CANCEL_REQUESTED, facts, actor=command.actor, rule=rule)

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

    # Of two commands in the same step of the engine the second comes while the runbook has not gone on yet. These two
    # checks are the validators' only, which are not asked again of what stands in a history: earlier releases had none.

    def _check_not_called_off(self, task_id: str = "") -> None:
        """Raise if the request was called off: only what is left behind is still decided, by operators."""
        if self.patience.called_off and (not task_id or self._desk_of(task_id)):
            raise _refused(Refused.CLOSED, f"{self._how_called_off(self.patience.called_off)}.")

    def _how_called_off(self, command: Cancel) -> str:
        if isinstance(command, Replaced):
            return f"{self.order.number} was superseded: {command.number} replaces it"
        return f"{self.order.number} was called off by {command.actor.person.name}"

    def _check_not_refused(self) -> None:
        """Raise if its approvals have ended the request already."""
        ended = self._ended_by_approvals()
        if ended:
            raise _refused(Refused.CLOSED, f"{self.order.number} can no longer be called off: it was {ended}.")

    def _ended_by_approvals(self) -> StageStatus | None:
        """Return how its approvals have ended the request, if they have."""
        outcomes = (desk.state.outcome for desk in self.desks)
        return next((outcome for outcome in outcomes if outcome not in _GOES_ON), None)

    def _check_decision(self, command: Decide) -> None:
        """Raise what the rules say against a decision now; asked by the validator and again by the handler."""
        task = self.record.tasks.get(command.task)
        if task is None:
            raise _refused(Refused.UNKNOWN_TASK, f"{self.order.number} has no task {command.task}.")
        refusal = rights.refuse_decision(command.actor, self.order, task, command.choice, command.reason)
        if refusal:
            raise _refused(refusal.code, refusal.message)
        self._check_open()  # only now: whoever comes too late learns who has decided
        desk = self._desk_of(command.task)
        against = desk.refuse(task, command) if desk else None
        if against:
            raise _refused(against.code, against.message)
        if command.amendment:
            self._check_reduction(task, command, command.amendment)

    def _check_reduction(self, task: Task, command: Decide, reduced: Amendment) -> None:
        """Raise what speaks against what somebody makes of the order by approving it (feature row A11)."""
        if command.choice != Verdict.APPROVE or not self.desk.has(task):
            raise _refused(Refused.NOT_ALLOWED, "Only who approves the order as a whole can make it smaller.")
        self._check_worked_out(reduced)
        stage = self.desk.stage(task.stage or "").stage
        errors = amendment.refuse_reduction(self.order.item, stage, self.order.answers, reduced.answers)
        if errors:
            raise _refused(Refused.NOT_ALLOWED, " ".join(error.message for error in errors))

    def _desk_of(self, task_id: str) -> ApprovalDesk | None:
        """Return the desk that a task belongs to, if it is about an approval."""
        task = self.record.tasks[task_id]
        return next((desk for desk in self.desks if desk.has(task)), None)

    def _check_considering(self, command: Consider) -> None:
        task = self.record.tasks.get(command.task)
        if task is None:
            raise _refused(Refused.UNKNOWN_TASK, f"{self.order.number} has no task {command.task}.")
        refusal = rights.refuse_considering(command.actor, self.order, task, command.act, command.text)
        if refusal:
            raise _refused(refusal.code, refusal.message)
        self._check_open()
        desk = self._desk_of(command.task)
        against = desk.refuse(task, command) if desk else None
        if desk is None or against:
            code, why = (against.code, against.message) if against else (Refused.CLOSED, "This is no longer open.")
            raise _refused(code, why)

    def _check_amendment(self, command: Amend) -> None:
        self._check_open()
        begun = self.targets.begun or self.desk.is_over()
        refusal = rights.refuse_amendment(command.actor, self.order, begun=begun)
        if refusal:
            raise _refused(refusal.code, refusal.message)
        self._check_worked_out(command.amendment)

    def _check_worked_out(self, found: Amendment) -> None:
        """Refuse a change that was worked out from what the order is no longer: it would undo another one."""
        if found.of and found.of != self.order.subject:
            raise _refused(Refused.SUBJECT_CHANGED, "The order was changed meanwhile; look at it again.")

    def _amended(self, command: Amend | Decide, amendment: Amendment, by_stage: str = "") -> Entry:
        """Change what was ordered, on record, and have decided again what depends on it."""
        before = self.order
        self.record.amend(amendment)
        facts = {"changed": self.order.changes_since(before), "reason": command.reason, "subject": self.order.subject}
        if isinstance(command, Amend) and command.said:
            facts["said"] = command.said
        # One command causes one entry that answers it: of a decision that is the vote.
        answers = "" if by_stage else command.command
        entry = self.record.note(Kind.AMENDED, facts, actor=command.actor, command=answers)
        told = {**self.order.headline(), "by": command.actor.person.name, "changed": facts["changed"]}
        for person in self.order.people:
            self.record.owe("amended", person, {**told, "reason": command.reason})
        self.desk.amend(self._planned(by_stage), by_stage)
        return entry

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
            raise _refused(Refused.CLOSED, f"{self._how_called_off(self.patience.called_off)} already.")
        if self._past_return:
            raise _refused(Refused.CLOSED, f"{self.order.number} can no longer be called off: it is being closed.")

    def _check_comment(self, command: Comment) -> None:
        if not rights.may_see(command.actor, self.order, asked=self.record.has_asked(command.actor.person)):
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

    async def approved(self, found: Found | tuple[Rung, ...] | None = None) -> None:
        """Return once every stage has approved.

        Args:
            found: the first stage's people, freshly looked up; flows of earlier releases hand over their ladder.

        Raises:
            Ended: it was refused, its time ran out, or it was called off.
        """
        if isinstance(found, tuple):
            found = Found(rungs=found)
        if not self._carried:
            self.desk.note_plan()
        # Meanwhile it may have become another order, which others decide.
        await self.approving.approved(None if self.desk.amended else found)
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
        if not self._carried:
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


_GOES_ON = (StageStatus.WAITING, StageStatus.APPROVED)
"""What its approvals can have come to while a request goes on."""
MAX_COMMENTS = 500
"""The engine takes 2,000 commands a run; chatter must not use up what decisions need."""


def _refused(code: str, message: str) -> ApplicationError:
    return ApplicationError(message, type=code)
