"""The catalog as people see it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api import problems
from api.parts import PartsIn, Viewer, tagged
from api.problems import SIGNED_IN, declared
from api.schemas import ItemOut, ItemSummaryOut, PageOut

router = APIRouter(prefix="/catalog/items", tags=["catalog"])


@router.get("", responses=declared(*SIGNED_IN))
async def list_items(parts: PartsIn, _viewer: Viewer) -> PageOut[ItemSummaryOut]:
    """List what can be ordered, by name."""
    return PageOut(items=[ItemSummaryOut.model_validate(item) for item in parts.catalog])


@router.get("/{item_id}", response_model=ItemOut, responses=declared(*SIGNED_IN, problems.NotFound))
async def show_item(item_id: str, request: Request, parts: PartsIn, _viewer: Viewer) -> Response:
    """Show an item with what it asks; the ETag is the digest of its definition."""
    item = parts.catalog.get(item_id)
    if item is None:
        raise problems.NotFound("There is no such item.")
    digest = parts.catalog.digest_of(item_id)
    return tagged(request, ItemOut.of(item, digest), digest)
