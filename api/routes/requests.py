"""Requests: order, look, cancel, comment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from activities.intake import Received
from api import intake, problems
from api.commands import visible_request
from api.parts import Key, OptionalKey, Parts, PartsIn, Viewer, tagged
from api.problems import SIGNED_IN, declared
from api.schemas.base import PageOut
from api.schemas.journal import EntryOut, JournalQuery
from api.schemas.orders import CopyOut, LeftOutOut, OrderedOut, OrderIn, PreviewOut
from api.schemas.requests import AmendmentIn, CancelIn, CommandOut, CommentIn, RequestOut, RequestsQuery
from api.schemas.tasks import Look
from catalog.journal import Entry
from catalog.people import Actor
from catalog.request import Amendment, Outcome
from records.register import RequestView

router = APIRouter(prefix="/requests", tags=["requests"])

COMMAND = (
    problems.NotFound,
    problems.Closed,
    problems.WorkflowGone,
    problems.TooMany,
    problems.IdempotencyConflict,
    problems.EngineUnavailable,
    problems.NoWorker,
)
"""What any command to a request may answer."""


LOOKED_UP = (problems.DirectoryUnavailable, problems.DirectoryRefuses, problems.ChoicesUnavailable)
"""What may be answered where people or things are looked up."""


@router.post(
    "",
    status_code=201,
    responses=declared(*SIGNED_IN, problems.IdempotencyConflict, problems.AlreadyOpen, *LOOKED_UP),
)
async def create_request(body: OrderIn, key: Key, response: Response, parts: PartsIn, viewer: Viewer) -> OrderedOut:
    """Order an item. It is on record when this answers; its workflow begins right after, or when the engine is back."""
    received, shown = await run_in_threadpool(_take, parts, viewer, body, key)
    if received.taken.fresh:
        parts.sweeper.nudge(received.taken.order)
    response.headers["Location"] = f"/api/v1/requests/{shown.number}"
    return shown


@router.post("/preview", responses=declared(*SIGNED_IN, *LOOKED_UP))
def preview_request(body: OrderIn, parts: PartsIn, viewer: Viewer) -> PreviewOut:
    """Say what would become of an order: who would decide, what it costs, what is wrong; nothing is written."""
    return intake.look(body, viewer, at=parts.clock(), desk=parts.desk, register=parts.register)


@router.get("", responses=declared(*SIGNED_IN, problems.NotAllowed))
def list_requests(query: Annotated[RequestsQuery, Query()], parts: PartsIn, viewer: Viewer) -> PageOut[RequestOut]:
    """List requests by or for oneself, newest first; for operators those of all people with `all`."""
    if query.all and not viewer.operator:
        raise problems.NotAllowed("Only operators see the requests of all people.")
    whose = None if query.all else viewer.person.id
    page = parts.register.requests(
        viewer=whose, state=query.state, top_level=not query.parts, after=query.cursor, limit=query.limit
    )
    promises = parts.register.promises(page.items, parts.clock())
    look = Look(viewer, parts.clock())
    shown = [RequestOut.seen_by(look, view, promises.get(view.order.number)) for view in page.items]
    return PageOut(items=shown, next=page.next)


@router.get("/{number}", response_model=RequestOut, responses=declared(*SIGNED_IN, problems.NotFound))
def show_request(number: str, request: Request, parts: PartsIn, viewer: Viewer) -> Response:
    """Show where a request stands, what it waits for, and what you can do about it."""
    view = visible_request(parts.register, viewer, number)
    return tagged(request, _seen(parts, viewer, view))


@router.get("/{number}/copy", responses=declared(*SIGNED_IN, problems.NotFound))
def copy_request(number: str, parts: PartsIn, viewer: Viewer) -> CopyOut:
    """Give the order by which its requester can order the same again."""
    return intake.copy(visible_request(parts.register, viewer, number), viewer)


@router.get("/{number}/journal", responses=declared(*SIGNED_IN, problems.NotFound))
def show_journal(
    number: str, query: Annotated[JournalQuery, Query()], parts: PartsIn, viewer: Viewer
) -> PageOut[EntryOut]:
    """Show what has happened to a request, in order; every entry carries the digest of the one before."""
    visible_request(parts.register, viewer, number)
    entries = parts.register.journal(number, after=query.cursor or 0, limit=query.limit)
    following = entries[-1].seq if len(entries) == query.limit else None
    return PageOut(items=[EntryOut.of(entry) for entry in entries], next=following)


@router.post("/{number}/cancel", responses=declared(*SIGNED_IN, problems.NotAllowed, *COMMAND))
async def cancel_request(
    number: str, parts: PartsIn, viewer: Viewer, body: CancelIn | None = None, key: OptionalKey = None
) -> CommandOut:
    """Call a request off; what was done for it is undone."""
    entry = await parts.commands.cancel(viewer, number, body or CancelIn(), key)
    return await answered(parts, viewer, entry)


@router.post(
    "/{number}/amendment",
    responses=declared(
        *SIGNED_IN, problems.NotAllowed, problems.NothingChanged, problems.AlreadyOpen, *COMMAND, *LOOKED_UP
    ),
)
async def amend_request(
    number: str, body: AmendmentIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Change what was ordered while it is being approved; who decides on what has changed is asked again."""

    def amended(view: RequestView) -> Amendment:
        return intake.amend(view, body, viewer, at=parts.clock(), desk=parts.desk, register=parts.register)

    entry = await parts.commands.amend(viewer, number, body, key, amended)
    return await answered(parts, viewer, entry)


@router.post("/{number}/comments", status_code=201, responses=declared(*SIGNED_IN, *COMMAND))
async def comment_on_request(
    number: str, body: CommentIn, parts: PartsIn, viewer: Viewer, key: OptionalKey = None
) -> CommandOut:
    """Put a comment on record."""
    entry = await parts.commands.comment(viewer, number, body, key)
    return await answered(parts, viewer, entry)


async def answered(parts: Parts, viewer: Actor, entry: Entry) -> CommandOut:
    """Return what a command caused and where the request stands now."""
    request = await run_in_threadpool(_shown, parts, viewer, entry.request)
    return CommandOut(entry=EntryOut.of(entry), request=request)


def _take(parts: Parts, viewer: Actor, body: OrderIn, key: str) -> tuple[Received, OrderedOut]:
    received = intake.take(body, key, viewer, at=parts.clock(), desk=parts.desk, register=parts.register)
    shown = _shown(parts, viewer, received.taken.order.number)
    left_out = [LeftOutOut.model_validate(one) for one in received.left_out]
    return received, OrderedOut.model_validate(dict(shown) | {"left_out": left_out})


def _shown(parts: Parts, viewer: Actor, number: str) -> RequestOut:
    view = parts.register.request(number)
    assert view is not None, f"{number} was on record a moment ago"
    return _seen(parts, viewer, view)


def _seen(parts: Parts, viewer: Actor, view: RequestView) -> RequestOut:
    number, at = view.order.number, parts.clock()
    promise = parts.register.promises([view], at).get(number)
    superseded = view.projection.outcome is Outcome.SUPERSEDED
    replaced_by = parts.register.replaced_by(number) if superseded else ""
    return RequestOut.seen_by(Look(viewer, at), view, promise, parts.register.children(number), replaced_by)
