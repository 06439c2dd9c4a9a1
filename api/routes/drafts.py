"""Drafts: orders that are not finished. Nobody sees another's (feature row C9)."""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter, Response

from api import problems
from api.parts import Parts, PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.schemas.base import PageOut
from api.schemas.orders import DraftIn, DraftOut
from catalog.people import Actor
from records.register import Draft, TooManyDrafts, UnknownDraft

router = APIRouter(prefix="/drafts", tags=["drafts"])


@router.get("", responses=declared(*SIGNED_IN))
def list_drafts(parts: PartsIn, viewer: Viewer) -> PageOut[DraftOut]:
    """List your drafts, the one changed last first."""
    return PageOut(items=[DraftOut.model_validate(draft) for draft in parts.register.drafts(viewer.person.id)])


@router.post("", status_code=201, responses=declared(*SIGNED_IN, problems.TooManyDrafts))
def create_draft(body: DraftIn, response: Response, parts: PartsIn, viewer: Viewer) -> DraftOut:
    """Save an order for later; nothing of it is checked before it is ordered."""
    draft = _saved(parts, viewer, str(uuid4()), body)
    response.headers["Location"] = f"/api/v1/drafts/{draft.id}"
    return draft


@router.get("/{draft_id}", responses=declared(*SIGNED_IN, problems.NotFound))
def show_draft(draft_id: str, parts: PartsIn, viewer: Viewer) -> DraftOut:
    """Show a draft. To order it, send its content to /requests and delete it."""
    return DraftOut.model_validate(_mine(parts, viewer, draft_id))


@router.put("/{draft_id}", responses=declared(*SIGNED_IN, problems.NotFound))
def change_draft(draft_id: str, body: DraftIn, parts: PartsIn, viewer: Viewer) -> DraftOut:
    """Replace what a draft says."""
    return _saved(parts, viewer, _mine(parts, viewer, draft_id).id, body)


@router.delete("/{draft_id}", status_code=204, responses=declared(*SIGNED_IN, problems.NotFound))
def delete_draft(draft_id: str, parts: PartsIn, viewer: Viewer) -> None:
    """Delete a draft."""
    if not parts.register.delete_draft(viewer.person.id, draft_id):
        raise _no_such_draft()


def _mine(parts: Parts, viewer: Actor, draft_id: str) -> Draft:
    draft = parts.register.draft(viewer.person.id, draft_id)
    if draft is None:
        raise _no_such_draft()
    return draft


def _saved(parts: Parts, viewer: Actor, draft_id: str, body: DraftIn) -> DraftOut:
    draft = Draft(id=draft_id, owner_id=viewer.person.id, updated_at=parts.clock(), **body.model_dump())
    try:
        parts.register.save_draft(draft)
    except TooManyDrafts as error:
        raise problems.TooManyDrafts(str(error)) from error
    except UnknownDraft as error:
        raise _no_such_draft() from error
    return DraftOut.model_validate(draft)


def _no_such_draft() -> problems.NotFound:
    return problems.NotFound("You have no such draft.")
