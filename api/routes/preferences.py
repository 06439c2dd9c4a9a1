"""What the one who asks wishes of the platform: their calendar, quiet hours, a digest (feature rows A12, N2)."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import ValidationError

from api import problems
from api.parts import PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.routes.calendars import in_force
from api.schemas.preferences import PreferencesIn, PreferencesOut
from catalog.explain import explain
from catalog.form import FieldError
from catalog.preferences import Preferences
from catalog.source import path_of

router = APIRouter(prefix="/me/preferences", tags=["preferences"])
_DIRECTORY = (problems.DirectoryUnavailable, problems.DirectoryRefuses)


@router.get("", responses=declared(*SIGNED_IN, *_DIRECTORY))
def show_preferences(parts: PartsIn, viewer: Viewer) -> PreferencesOut:
    """Show what you wish, and in which calendar your time is counted."""
    wishes = parts.register.preferences(viewer.person.id)
    return PreferencesOut.of(wishes, in_force(parts, viewer.person, wishes.calendar, parts.register.calendars()))


@router.put("", responses=declared(*SIGNED_IN, *_DIRECTORY))
def set_preferences(body: PreferencesIn, parts: PartsIn, viewer: Viewer) -> PreferencesOut:
    """Say what you wish, all of it. It holds for whom is asked from now on; what runs keeps its deadlines."""
    published = parts.register.calendars()
    if body.calendar and body.calendar not in {one.file.id for one in published}:
        raise _invalid([FieldError(field="calendar", code="not-found", message="There is no such calendar.")])
    mine = in_force(parts, viewer.person, body.calendar, published)
    said = body.model_dump() | ({"zone": mine.calendar.zone} if mine else {})
    try:
        wishes = Preferences.model_validate(said)
    except ValidationError as error:
        faults = explain(error, Preferences)
        raise _invalid(
            [FieldError(field=path_of(fault.place), code="value", message=fault.message) for fault in faults]
        ) from error
    parts.register.set_preferences(viewer.person.id, wishes, parts.clock())
    return PreferencesOut.of(wishes, mine)


def _invalid(errors: list[FieldError]) -> problems.Invalid:
    return problems.Invalid("Your preferences stay as they were.", errors=errors)
