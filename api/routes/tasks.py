"""Tasks: what waits for one's decision, and work that waits to be done."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from api import problems
from api.commands import visible_task
from api.parts import OptionalKey, PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.routes.requests import command_answer
from api.schemas import CommandOut, DecisionIn, DeclineIn, EvidenceIn, PageOut, TaskInListOut, TasksQuery

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
def list_tasks(query: Annotated[TasksQuery, Query()], parts: PartsIn, viewer: Viewer) -> PageOut[TaskInListOut]:
    """List what waits for you, newest first; or what you were asked and is closed."""
    page = parts.register.tasks(
        person_id=viewer.person.id,
        operator=viewer.operator,
        state=query.state,
        after=query.cursor,
        limit=query.limit,
    )
    return PageOut(items=[TaskInListOut.seen_by(viewer, view) for view in page.items], next=page.next)


@router.get("/{task_id}", responses=declared(*SIGNED_IN, problems.NotFound))
def show_task(task_id: str, parts: PartsIn, viewer: Viewer) -> TaskInListOut:
    """Show a task and the request it is about."""
    return TaskInListOut.seen_by(viewer, visible_task(parts.register, viewer, task_id))


@router.post(
    "/{task_id}/decision",
    responses=declared(
        *SIGNED_IN,
        problems.SelfApproval,
        problems.NotApprover,
        problems.NotAllowed,
        problems.UnknownTask,
        problems.AlreadyDecided,
        problems.StageClosed,
        problems.StageNotOpen,
        problems.SubjectChanged,
        problems.Closed,
        problems.IdempotencyConflict,
        problems.UnknownChoice,
        problems.ReasonNeeded,
        problems.EngineUnavailable,
        problems.NoWorker,
    ),
)
async def decide_task(
    task_id: str, body: DecisionIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Decide a task; the answer comes when the decision is on record."""
    entry = await parts.commands.decide(viewer, task_id, body, key)
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
