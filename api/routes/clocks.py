"""The clocks of a request: how far they are, and who held it how long (feature rows S1-S9)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api import problems
from api.commands import visible_request
from api.measuring import measure
from api.parts import PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.schemas.clocks import ClocksOut, ClocksQuery

router = APIRouter(prefix="/requests", tags=["requests"])


@router.get("/{number}/clocks", responses=declared(*SIGNED_IN, problems.NotFound))
def show_clocks(number: str, query: Annotated[ClocksQuery, Query()], parts: PartsIn, viewer: Viewer) -> ClocksOut:
    """Show what is measured of a request, worked out from its journal by the clocks it has or its item has now."""
    view = visible_request(parts.register, viewer, number)
    return ClocksOut.of(measure(parts, view.order, query.definition))
