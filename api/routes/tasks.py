"""Tasks: what waits for one's decision, and work that waits to be done."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query

from api import intake, problems
from api.commands import Considering, Reduction, visible_task
from api.parts import OptionalKey, Parts, PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.routes.requests import LOOKED_UP, answered
from api.schemas.inbox import AccessOut, InboxOut, TaskShownOut, TasksQuery
from api.schemas.requests import CommandOut
from api.schemas.tasks import (
    ApproverIn,
    ConsultationIn,
    DecisionIn,
    DecisionsIn,
    DecisionsOut,
    DeclineIn,
    EvidenceIn,
    Look,
    ReassignmentIn,
    TextIn,
    WhyIn,
)
from catalog import rights
from catalog.access_diff import outlook
from catalog.journal import Entry
from catalog.model import digest
from catalog.people import Actor
from catalog.request import Amendment
from records.register import TaskView

router = APIRouter(prefix="/tasks", tags=["tasks"])

_WORK = declared(
    *SIGNED_IN,
    problems.NotApprover,
    problems.UnknownTask,
    problems.UnknownChoice,
    problems.AlreadyDecided,
    problems.Closed,
    problems.WorkflowGone,
    problems.IdempotencyConflict,
    problems.TooMany,
    problems.EngineUnavailable,
    problems.NoWorker,
)


@router.get("", responses=declared(*SIGNED_IN))
def list_tasks(query: Annotated[TasksQuery, Query()], parts: PartsIn, viewer: Viewer) -> InboxOut:
    """List what waits for you, the first that is due first; or what you were asked and is closed, newest first."""
    look = Look(viewer, parts.clock())
    return InboxOut.seen_by(look, parts.register.tasks(query.asked_by(viewer, look.at)))


@router.get("/{task_id}", responses=declared(*SIGNED_IN, problems.NotFound))
def show_task(task_id: str, parts: PartsIn, viewer: Viewer) -> TaskShownOut:
    """Show a task, the request it is about and, to who decides it, what helps to decide."""
    view = visible_task(parts.register, viewer, task_id)
    helps = rights.may_see_background(viewer, view.task)
    background = parts.register.background(view.request) if helps else None
    return TaskShownOut.in_full(Look(viewer, parts.clock()), view, background)


@router.get(
    "/{task_id}/access",
    responses=declared(
        *SIGNED_IN,
        problems.NotFound,
        problems.NotAllowed,
        problems.AlreadyDecided,
        problems.DirectoryUnavailable,
        problems.DirectoryRefuses,
    ),
)
def show_access(task_id: str, parts: PartsIn, viewer: Viewer) -> AccessOut:
    """Show what access the order would change, beside what its beneficiary has in the directory now."""
    view = visible_task(parts.register, viewer, task_id)
    if not rights.may_see_background(viewer, view.task):
        raise problems.NotAllowed("Only those who are asked to decide it, and operators, see what access it changes.")
    if view.task.decided is not None:
        raise problems.AlreadyDecided("What access somebody has is shown only while it is to be decided.")
    order, at = view.request.order, parts.clock()
    if not outlook(order, None, at):
        return AccessOut.of(order, None, at)
    held = parts.sources().profile(order.beneficiary, ("groups",)).groups
    return AccessOut.of(order, held, at)


_DECISION = (
    problems.SelfApproval,
    problems.NotApprover,
    problems.NotAllowed,
    problems.NoLongerAsked,
    problems.UnknownTask,
    problems.AlreadyDecided,
    problems.StageClosed,
    problems.StageNotOpen,
    problems.NotNow,
    problems.Closed,
    problems.WorkflowGone,
    problems.TooMany,
    problems.IdempotencyConflict,
    problems.EngineUnavailable,
    problems.NoWorker,
)
"""What decisions, and what is done about them, may answer."""


@router.post("/decisions", responses=declared(*SIGNED_IN))
async def decide_tasks(body: DecisionsIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None) -> DecisionsOut:
    """Decide several tasks, each for itself; says of each what came of it."""
    answers = await parts.commands.decide_all(viewer, body.decisions, key)
    return DecisionsOut.of([decision.task for decision in body.decisions], answers)


class Sender(NamedTuple):
    """Who sends a command about a task, and the key by which they can repeat it."""

    viewer: Actor
    key: str | None
    parts: Parts

    async def consider(
        self, task: str, act: Considering, text: str = "", *, person: str | None = None, instead_of: str | None = None
    ) -> CommandOut:
        """Do something about a decision short of deciding."""
        return await self.answered(
            self.parts.commands.consider(
                self.viewer, task, act, self.key, text=text, person=person, instead_of=instead_of
            )
        )

    async def work(self, task: str, act: Literal["claim", "release", "decline"], reason: str = "") -> CommandOut:
        """Do something about a piece of work short of completing it."""
        return await self.answered(self.parts.commands.work(self.viewer, task, act, reason, self.key))

    async def answered(self, command: Awaitable[Entry]) -> CommandOut:
        """Carry a command out; say what it caused, and where the request stands now."""
        return await answered(self.parts, self.viewer, await command)


async def _sender(viewer: Viewer, parts: PartsIn, key: OptionalKey = None) -> Sender:
    return Sender(viewer, key, parts)


SenderIn = Annotated[Sender, Depends(_sender)]


@router.post(
    "/{task_id}/decision",
    responses=declared(
        *SIGNED_IN,
        *_DECISION,
        problems.SubjectChanged,
        problems.AlreadyOpen,
        problems.UnknownChoice,
        problems.ReasonNeeded,
        *LOOKED_UP,
    ),
)
async def decide_task(task_id: str, body: DecisionIn, sender: SenderIn) -> CommandOut:
    """Decide a task; the answer comes when the decision is on record."""

    def reduced(view: TaskView) -> Amendment | None:
        parts = sender.parts
        return intake.reduce(
            view, body.answers, sender.viewer, at=parts.clock(), desk=parts.desk, register=parts.register
        )

    reduction = Reduction(digest(body.answers), reduced) if body.answers else None
    return await sender.answered(sender.parts.commands.decide(sender.viewer, task_id, body, sender.key, reduction))


_CONSIDERING = declared(*SIGNED_IN, *_DECISION, problems.UnknownChoice, problems.QuestionOpen)
_WITH_SOMEBODY = declared(
    *SIGNED_IN, *_DECISION, problems.UnknownChoice, problems.AlreadyAsked, problems.ReasonNeeded, *LOOKED_UP
)
_IN_WORDS = declared(
    *SIGNED_IN, *_DECISION, problems.UnknownChoice, problems.ReasonNeeded, problems.QuestionOpen, problems.NoQuestion
)


@router.post("/{task_id}/withdrawal", responses=_CONSIDERING | declared(*SIGNED_IN, *_DECISION, problems.NotVoted))
async def withdraw_vote(task_id: str, sender: SenderIn, body: WhyIn | None = None) -> CommandOut:
    """Take your vote back, to think again, while the stage is open."""
    return await sender.consider(task_id, "withdraw", (body or WhyIn()).reason)


@router.post("/{task_id}/reassignment", responses=_WITH_SOMEBODY)
async def reassign_task(task_id: str, body: ReassignmentIn, sender: SenderIn) -> CommandOut:
    """Have somebody else decide instead; operators can do that for anybody."""
    return await sender.consider(task_id, "reassign", body.reason, person=body.to, instead_of=body.instead_of)


@router.post("/{task_id}/approvers", responses=_WITH_SOMEBODY)
async def add_approver(task_id: str, body: ApproverIn, sender: SenderIn) -> CommandOut:
    """Want somebody else to approve as well."""
    return await sender.consider(task_id, "add", body.reason, person=body.person)


@router.post("/{task_id}/advice", responses=_WITH_SOMEBODY)
async def ask_advice(task_id: str, body: ConsultationIn, sender: SenderIn) -> CommandOut:
    """Ask somebody's advice before you decide; it binds nobody."""
    return await sender.consider(task_id, "consult", body.question, person=body.person)


@router.post("/{task_id}/question", responses=_IN_WORDS)
async def ask_requester(task_id: str, body: TextIn, sender: SenderIn) -> CommandOut:
    """Ask who ordered it before you decide; your time stands still until they answer."""
    return await sender.consider(task_id, "ask", body.text)


@router.post("/{task_id}/answer", responses=_IN_WORDS)
async def answer_question(task_id: str, body: TextIn, sender: SenderIn) -> CommandOut:
    """Answer what you were asked: the question about an order, or for advice."""
    return await sender.consider(task_id, "answer", body.text)


@router.post("/{task_id}/reminder", responses=_CONSIDERING)
async def remind_approvers(task_id: str, sender: SenderIn) -> CommandOut:
    """Remind those who have not decided; once a day, by who waits for it and by operators."""
    return await sender.consider(task_id, "remind")


@router.post("/{task_id}/claim", responses=_WORK)
async def claim_task(task_id: str, sender: SenderIn) -> CommandOut:
    """Take a piece of work on: the others who were asked see that you do it."""
    return await sender.work(task_id, "claim")


@router.post("/{task_id}/release", responses=_WORK)
async def release_task(task_id: str, sender: SenderIn) -> CommandOut:
    """Give a piece of work back that you took on; operators can do that for anybody."""
    return await sender.work(task_id, "release")


@router.post(
    "/{task_id}/decline", responses=_WORK | declared(*SIGNED_IN, problems.UnknownChoice, problems.ReasonNeeded)
)
async def decline_task(task_id: str, body: DeclineIn, sender: SenderIn) -> CommandOut:
    """Say that a piece of work cannot be done, and why; an operator is asked how to go on."""
    return await sender.work(task_id, "decline", body.reason)


@router.post(
    "/{task_id}/complete",
    responses=_WORK | declared(*SIGNED_IN, problems.DirectoryUnavailable, problems.DirectoryRefuses),
)
async def complete_task(task_id: str, sender: SenderIn, body: EvidenceIn | None = None) -> CommandOut:
    """Complete a piece of work with the evidence it asks for; nobody needs to have claimed it before."""
    answers = (body or EvidenceIn()).answers
    return await sender.answered(sender.parts.commands.complete(sender.viewer, task_id, answers, sender.key))
