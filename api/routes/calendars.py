"""Calendars: the working hours there are, and when they are open (feature rows A12, S2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query

from activities.errors import NotFound
from api import problems
from api.parts import Parts, PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.schemas.base import PageOut
from api.schemas.calendars import MOST_DAYS, CalendarDaysOut, CalendarDaysQuery, CalendarOut
from catalog.calendar_file import PublishedCalendar, calendar_of
from catalog.form import FieldError
from catalog.people import Person, PersonRef

router = APIRouter(prefix="/calendars", tags=["calendars"])


@router.get("", responses=declared(*SIGNED_IN, problems.DirectoryUnavailable, problems.DirectoryRefuses))
def list_calendars(parts: PartsIn, viewer: Viewer) -> PageOut[CalendarOut]:
    """List the working hours there are, by name; `mine` are those in which your time is counted."""
    published = parts.register.calendars()
    chosen = parts.register.preferences(viewer.person.id).calendar
    mine = in_force(parts, viewer.person, chosen, published)
    shown = [CalendarOut.of(one, mine=one is mine) for one in published]
    return PageOut(items=sorted(shown, key=lambda one: (one.name.casefold(), one.id)), next=None)


@router.get("/{calendar_id}/days", responses=declared(*SIGNED_IN, problems.NotFound))
def list_days(
    calendar_id: str, query: Annotated[CalendarDaysQuery, Query()], parts: PartsIn, _viewer: Viewer
) -> CalendarDaysOut:
    """Say when a calendar is open, day by day: `from` a day `until` another."""
    found = next((one for one in parts.register.calendars() if one.file.id == calendar_id), None)
    if found is None:
        raise problems.NotFound("There is no such calendar.")
    days = query.days()
    if not days:
        wrong = FieldError(field="until", code="value", message=f"Write a day from 'from' on, {MOST_DAYS} at most.")
        raise problems.Invalid("These days cannot be shown.", errors=[wrong])
    return CalendarDaysOut.of(found, days)


def in_force(
    parts: Parts, person: PersonRef, chosen: str | None, published: Iterable[PublishedCalendar]
) -> PublishedCalendar | None:
    """Return the calendar in which somebody's time is counted; None if that is clock time.

    Raises:
        ConnectorError: the directory cannot say what decides it.
    """
    by_id = {one.file.id: one for one in published}
    try:
        known = parts.directory.person(person.id)
    except NotFound:
        known = Person(**dict(person))
    return by_id.get(calendar_of(known, [one.file for one in by_id.values()], chosen))
