"""Events: what happened outside that a request waits for."""

from __future__ import annotations

from fastapi import APIRouter

from api import problems
from api.parts import OptionalKey, PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.routes.requests import COMMAND, answered
from api.schemas.requests import CommandOut, EventIn

router = APIRouter(prefix="/requests", tags=["events"])


@router.post(
    "/{number}/events/{event}",
    status_code=201,
    responses=declared(*SIGNED_IN, *COMMAND, problems.NotAllowed, problems.UnknownChoice, problems.AlreadyDecided),
)
async def report_event(
    number: str, event: str, *, parts: PartsIn, viewer: Viewer, body: EventIn | None = None, key: OptionalKey = None
) -> CommandOut:
    """Report that something happened; for operators, and once for each event."""
    entry = await parts.commands.report(viewer, number, event, body or EventIn(), key)
    return await answered(parts, viewer, entry)
