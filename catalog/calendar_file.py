"""Calendars as an author writes them: whose working hours these are, in which zone, with whose holidays.

Pure. Holidays stand here as a country and a region; which dates those are, `activities.calendars` works out, and makes
of each file the `catalog.calendar.Calendar` that counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from catalog import data, expression
from catalog.calendar import ALWAYS, MAX_PARTS, Calendar
from catalog.data import When
from catalog.expression import ExpressionError
from catalog.hours import Days, Week
from catalog.model import Misplaced, Model, Slug
from catalog.people import Person
from catalog.zones import Zone

ASKED = ("location", "department", "title", "employee_type", "login")
"""What of a person the condition of a calendar may ask, as ``person.<…>``."""


class PublicHolidays(Model):
    """The public holidays of a country, or of one region of it.

    Attributes:
        country: by the two letters of ISO 3166-1: DE.
        region: by its code in ISO 3166-2, without the country: BY.
    """

    country: Annotated[str, Field(min_length=1, max_length=60)]
    region: Annotated[str, Field(max_length=60)] | None = None


def _read_holidays(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Holidays = Annotated[
    tuple[PublicHolidays, ...],
    BeforeValidator(_read_holidays, json_schema_input_type=PublicHolidays | tuple[PublicHolidays, ...]),
    Field(max_length=MAX_PARTS),
]
"""Those of one country, or of several."""


class CalendarFile(Model):
    """Working hours; a file in catalog/calendars.

    Attributes:
        id: what stages, targets and other calendars call it.
        name: what people call it.
        description: whose it is, and why.
        zone: the time zone in which the hours are meant: Europe/Berlin.
        hours: the working time of each weekday; one that is left out is closed.
        holidays: the public holidays on which it is closed, of one country or several.
        days: single days that are not like their weekday, or are no holiday here.
        union: ids of calendars, instead of hours: it is open while any of them is.
        people: whose calendar this is, by what the directory says of them; of several, the first by id counts.
        default: whether it is the calendar of everybody whom no other names.
    """

    id: Slug
    name: str
    description: str = ""
    zone: Zone = "UTC"
    hours: Week = {}
    holidays: Holidays = ()
    days: Days = {}
    union: Annotated[tuple[Slug, ...], Field(max_length=MAX_PARTS)] = ()
    people: When = False
    default: bool = False

    @model_validator(mode="after")
    def _has_working_time(self) -> CalendarFile:
        if self.id == ALWAYS.id:
            raise Misplaced(f"{ALWAYS.id!r} is the calendar that is always open; choose another id", ("id",))
        if self.union and (self.hours or self.days or self.holidays):
            raise ValueError("a union has no hours, days or holidays of its own; put them into one of its calendars")
        if not self.union and not any(self.hours.values()) and not any(self.days.values()):
            raise ValueError("the calendar has no working time; write the hours of at least one day")
        for at, part in enumerate(self.union):
            if part in self.union[:at]:
                raise Misplaced(f"{part!r} stands here twice; write it once", ("union", at))
        return self

    @model_validator(mode="after")
    def _asks_what_is_known_of_people(self) -> CalendarFile:
        asked = expression.references(self.people) if isinstance(self.people, str) else frozenset()
        known = {("person", name) for name in ASKED}
        if other := sorted(asked - known):
            what = f"{'.'.join(other[0])} is not known here; write one of: {', '.join(f'person.{n}' for n in ASKED)}"
            raise Misplaced(what, ("people",))
        return self


class PublishedCalendar(Model):
    """A calendar as its author wrote it, and with its holidays worked out."""

    file: CalendarFile
    calendar: Calendar


def by_id(published: Collection[PublishedCalendar]) -> dict[str, Calendar]:
    """Return the working time of calendars by id, and under ``""`` that of the default, if there is one."""
    default = [("", one.calendar) for one in published if one.file.default]
    return dict([*((one.calendar.id, one.calendar) for one in published), *default])


def calendar_of(person: Person, files: Iterable[CalendarFile], chosen: Slug | None = None) -> Slug:
    """Return the id of a person's calendar: the one they chose, if it is there, else the rules' one.

    That is the first whose condition holds, else the default, else `ALWAYS`. A condition that asks for what the
    directory does not say of them does not hold.
    """
    inorder = sorted(files, key=lambda file: file.id)
    if chosen and chosen in {file.id for file in inorder}:
        return chosen
    names = {"person": {name: getattr(person, name) for name in ASKED}}
    theirs = (file.id for file in inorder if _holds(file.people, names))
    return next(theirs, next((file.id for file in inorder if file.default), ALWAYS.id))


def _holds(people: bool | str, names: dict[str, Any]) -> bool:
    try:
        return data.holds(people, names)
    except ExpressionError:
        return False
