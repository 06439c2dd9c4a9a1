"""What operators look after beside tasks: timers that are late."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api import problems
from api.parts import PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.schemas.base import PageOut
from api.schemas.operations import LateTimerOut, LateTimersQuery

router = APIRouter(prefix="/operations", tags=["operations"])


@router.get("/late", responses=declared(*SIGNED_IN, problems.NotAllowed))
def list_late_timers(
    query: Annotated[LateTimersQuery, Query()], parts: PartsIn, viewer: Viewer
) -> PageOut[LateTimerOut]:
    """List the timers that should have fired and did not, the one that is longest so first; for operators."""
    if not viewer.operator:
        raise problems.NotAllowed("Only operators see which timers are late.")
    late = parts.register.late_timers(query.limit)
    return PageOut(items=[LateTimerOut.model_validate(timer) for timer in late])
