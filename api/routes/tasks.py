"""Tasks: what waits for one's decision."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from api import problems
from api.commands import visible_task
from api.parts import OptionalKey, PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.routes.requests import command_answer
from api.schemas import CommandOut, DecisionIn, PageOut, TaskInListOut, TasksQuery

router = APIRouter(prefix="/tasks", tags=["tasks"])


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
