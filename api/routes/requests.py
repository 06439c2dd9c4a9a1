"""Requests: order, look, cancel, comment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import intake, problems
from api.commands import visible_request
from api.parts import Key, OptionalKey, Parts, PartsIn, Viewer, tagged
from api.problems import SIGNED_IN, declared
from api.schemas import (
    CancelIn,
    CommandOut,
    CommentIn,
    EntryOut,
    JournalQuery,
    OrderIn,
    PageOut,
    RequestOut,
    RequestsQuery,
)
from catalog.journal import Entry
from catalog.people import Actor
from records.register import Taken

router = APIRouter(prefix="/requests", tags=["requests"])

_COMMAND = (
    problems.NotFound,
    problems.Closed,
    problems.WorkflowGone,
    problems.TooMany,
    problems.IdempotencyConflict,
    problems.EngineUnavailable,
    problems.NoWorker,
)


@router.post(
    "",
    status_code=201,
    responses=declared(
        *SIGNED_IN, problems.IdempotencyConflict, problems.DirectoryUnavailable, problems.DirectoryRefuses
    ),
)
async def create_request(body: OrderIn, key: Key, response: Response, parts: PartsIn, viewer: Viewer) -> RequestOut:
    """Order an item. It is on record when this answers; its workflow begins right after, or when the engine is back."""
    taken, shown = await run_in_threadpool(_take, parts, viewer, body, key)
    if taken.fresh:
        parts.sweeper.nudge(taken.order)
    response.headers["Location"] = f"/api/v1/requests/{taken.order.number}"
    return shown


@router.get("", responses=declared(*SIGNED_IN, problems.NotAllowed))
def list_requests(query: Annotated[RequestsQuery, Query()], parts: PartsIn, viewer: Viewer) -> PageOut[RequestOut]:
    """List requests by or for oneself, newest first; for operators those of all people with `all`."""
    if query.all and not viewer.operator:
        raise problems.NotAllowed("Only operators see the requests of all people.")
    whose = None if query.all else viewer.person.id
    page = parts.register.requests(viewer=whose, state=query.state, after=query.cursor, limit=query.limit)
    return PageOut(items=[RequestOut.seen_by(viewer, view) for view in page.items], next=page.next)


@router.get("/{number}", response_model=RequestOut, responses=declared(*SIGNED_IN, problems.NotFound))
def show_request(number: str, request: Request, parts: PartsIn, viewer: Viewer) -> Response:
    """Show where a request stands, what it waits for, and what you can do about it."""
    view = visible_request(parts.register, viewer, number)
    return tagged(request, RequestOut.seen_by(viewer, view))


@router.get("/{number}/journal", responses=declared(*SIGNED_IN, problems.NotFound))
def show_journal(
    number: str, query: Annotated[JournalQuery, Query()], parts: PartsIn, viewer: Viewer
) -> PageOut[EntryOut]:
    """Show what has happened to a request, in order; every entry carries the digest of the one before."""
    visible_request(parts.register, viewer, number)
    entries = parts.register.journal(number, after=query.cursor or 0, limit=query.limit)
    following = entries[-1].seq if len(entries) == query.limit else None
    return PageOut(items=[EntryOut.of(entry) for entry in entries], next=following)


@router.post("/{number}/cancel", responses=declared(*SIGNED_IN, problems.NotAllowed, *_COMMAND))
async def cancel_request(
    number: str, parts: PartsIn, viewer: Viewer, body: CancelIn | None = None, key: OptionalKey = None
) -> CommandOut:
    """Call a request off; what was done for it is undone."""
    entry = await parts.commands.cancel(viewer, number, body or CancelIn(), key)
    return await run_in_threadpool(command_answer, parts, viewer, number, entry)


@router.post("/{number}/comments", status_code=201, responses=declared(*SIGNED_IN, *_COMMAND))
async def comment_on_request(
    number: str, body: CommentIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Put a comment on record."""
    entry = await parts.commands.comment(viewer, number, body, key)
    return await run_in_threadpool(command_answer, parts, viewer, number, entry)


def command_answer(parts: Parts, viewer: Actor, number: str, entry: Entry) -> CommandOut:
    """Return what a command caused and where the request stands now."""
    return CommandOut(entry=EntryOut.of(entry), request=_shown(parts, viewer, number))


def _take(parts: Parts, viewer: Actor, body: OrderIn, key: str) -> tuple[Taken, RequestOut]:
    taken = intake.take(
        body,
        key,
        viewer,
        at=parts.clock(),
        catalog=parts.catalog,
        directory=parts.directory,
        register=parts.register,
    )
    return taken, _shown(parts, viewer, taken.order.number)


def _shown(parts: Parts, viewer: Actor, number: str) -> RequestOut:
    view = parts.register.request(number)
    assert view is not None, f"{number} was on record a moment ago"
    return RequestOut.seen_by(viewer, view)
