"""Tasks: what waits for one's decision, and work that waits to be done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from api import intake, problems
from api.commands import Reduction, visible_task
from api.parts import OptionalKey, PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.routes.requests import LOOKED_UP, command_answer
from api.schemas import (
    ApproverIn,
    CommandOut,
    ConsultationIn,
    DecisionIn,
    DecisionsIn,
    DecisionsOut,
    DeclineIn,
    EvidenceIn,
    InboxOut,
    Look,
    ReassignmentIn,
    TaskShownOut,
    TasksQuery,
    TextIn,
    WhyIn,
)
from catalog import rights
from catalog.model import digest
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
async def decide_task(
    task_id: str, body: DecisionIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Decide a task; the answer comes when the decision is on record."""

    def reduced(view: TaskView) -> Amendment | None:
        return intake.reduce(view, body.answers, viewer, at=parts.clock(), desk=parts.desk, register=parts.register)

    reduction = Reduction(digest(body.answers), reduced) if body.answers else None
    entry = await parts.commands.decide(viewer, task_id, body, key, reduction)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


_CONSIDERING = declared(*SIGNED_IN, *_DECISION, problems.UnknownChoice, problems.QuestionOpen)
_WITH_SOMEBODY = declared(
    *SIGNED_IN, *_DECISION, problems.UnknownChoice, problems.AlreadyAsked, problems.ReasonNeeded, *LOOKED_UP
)
_IN_WORDS = declared(
    *SIGNED_IN, *_DECISION, problems.UnknownChoice, problems.ReasonNeeded, problems.QuestionOpen, problems.NoQuestion
)


@router.post("/{task_id}/withdrawal", responses=_CONSIDERING | declared(*SIGNED_IN, *_DECISION, problems.NotVoted))
async def withdraw_vote(
    task_id: str, parts: PartsIn, viewer: Viewer, body: WhyIn | None = None, key: OptionalKey = None
) -> CommandOut:
    """Take your vote back, to think again, while the stage is open."""
    entry = await parts.commands.consider(viewer, task_id, "withdraw", key, text=(body or WhyIn()).reason)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post("/{task_id}/reassignment", responses=_WITH_SOMEBODY)
async def reassign_task(
    task_id: str, body: ReassignmentIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Have somebody else decide instead; operators can do that for anybody."""
    entry = await parts.commands.consider(
        viewer, task_id, "reassign", key, text=body.reason, person=body.to, instead_of=body.instead_of
    )
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post("/{task_id}/approvers", responses=_WITH_SOMEBODY)
async def add_approver(
    task_id: str, body: ApproverIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Want somebody else to approve as well."""
    entry = await parts.commands.consider(viewer, task_id, "add", key, text=body.reason, person=body.person)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post("/{task_id}/advice", responses=_WITH_SOMEBODY)
async def ask_advice(
    task_id: str, body: ConsultationIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Ask somebody's advice before you decide; it binds nobody."""
    entry = await parts.commands.consider(viewer, task_id, "consult", key, text=body.question, person=body.person)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post("/{task_id}/question", responses=_IN_WORDS)
async def ask_requester(
    task_id: str, body: TextIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Ask who ordered it before you decide; your time stands still until they answer."""
    entry = await parts.commands.consider(viewer, task_id, "ask", key, text=body.text)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post("/{task_id}/answer", responses=_IN_WORDS)
async def answer_question(
    task_id: str, body: TextIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Answer what you were asked: the question about an order, or for advice."""
    entry = await parts.commands.consider(viewer, task_id, "answer", key, text=body.text)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post("/{task_id}/reminder", responses=_CONSIDERING)
async def remind_approvers(task_id: str, parts: PartsIn, viewer: Viewer, key: OptionalKey = None) -> CommandOut:
    """Remind those who have not decided; once a day, by who waits for it and by operators."""
    entry = await parts.commands.consider(viewer, task_id, "remind", key)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post("/{task_id}/claim", responses=_WORK)
async def claim_task(task_id: str, parts: PartsIn, viewer: Viewer, key: OptionalKey = None) -> CommandOut:
    """Take a piece of work on: the others who were asked see that you do it."""
    entry = await parts.commands.work(viewer, task_id, "claim", "", key)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post("/{task_id}/release", responses=_WORK)
async def release_task(task_id: str, parts: PartsIn, viewer: Viewer, key: OptionalKey = None) -> CommandOut:
    """Give a piece of work back that you took on; operators can do that for anybody."""
    entry = await parts.commands.work(viewer, task_id, "release", "", key)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post(
    "/{task_id}/decline", responses=_WORK | declared(*SIGNED_IN, problems.UnknownChoice, problems.ReasonNeeded)
)
async def decline_task(
    task_id: str, body: DeclineIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Say that a piece of work cannot be done, and why; an operator is asked how to go on."""
    entry = await parts.commands.work(viewer, task_id, "decline", body.reason, key)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)


@router.post(
    "/{task_id}/complete",
    responses=_WORK | declared(*SIGNED_IN, problems.DirectoryUnavailable, problems.DirectoryRefuses),
)
async def complete_task(
    task_id: str, parts: PartsIn, viewer: Viewer, body: EvidenceIn | None = None, key: OptionalKey = None
) -> CommandOut:
    """Complete a piece of work with the evidence it asks for; nobody needs to have claimed it before."""
    entry = await parts.commands.complete(viewer, task_id, (body or EvidenceIn()).answers, key)
    return await run_in_threadpool(command_answer, parts, viewer, entry.request, entry)
