"""Working hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import Field

from api.schemas.base import In, Out
from catalog import calendar
from catalog.calendar_file import PublishedCalendar

MOST_DAYS = 62
"""Days of a calendar in one answer: two months."""


class CalendarDaysQuery(In):
    """Which days of a calendar: from one to another, both included, 62 at most; 31 if no end is given."""

    since: Annotated[date, Field(alias="from", ge=date(1970, 1, 1), le=date(2199, 12, 31))]
    until: date | None = None

    def days(self) -> list[date]:
        """Return the days; none if they end before they begin, or are too many."""
        until = self.until or self.since + timedelta(days=30)
        length = (until - self.since).days + 1
        return [self.since + timedelta(days=n) for n in range(length)] if length <= MOST_DAYS else []


class CalendarOut(Out):
    """Working hours; `mine` if your time is counted in them."""

    id: str
    name: str
    description: str
    zone: str
    default: bool = Field(description="Whether they are everybody's whom no other calendar names.")
    union: tuple[str, ...] = Field(description="The calendars of which always one is open while this is.")
    known_until: date | None = Field(description="The last day for which holidays are known; null without any.")
    mine: bool

    @classmethod
    def of(cls, one: PublishedCalendar, *, mine: bool) -> Self:
        """Return a calendar as its viewer sees it."""
        return cls.model_validate(dict(one.file) | {"known_until": one.calendar.known_until, "mine": mine})


class OpenOut(Out):
    """A time at which work is done, without its last moment; in the calendar's zone."""

    start: datetime
    end: datetime


class CalendarDayOut(Out):
    """What begins on a day; the hours after midnight belong to the day before."""

    day: date
    open: list[OpenOut]
    holiday: bool = Field(description="Closed, though its weekday is not.")


class CalendarDaysOut(Out):
    """When a calendar is open."""

    id: str
    name: str
    zone: str
    days: list[CalendarDayOut]

    @classmethod
    def of(cls, one: PublishedCalendar, days: Iterable[date]) -> Self:
        """Return when a calendar is open on these days."""
        own, zone = one.calendar, ZoneInfo(one.calendar.zone)
        shown = [
            CalendarDayOut(
                day=day,
                open=[
                    OpenOut(start=start.astimezone(zone), end=end.astimezone(zone))
                    for start, end in calendar.open_on(own, day)
                ],
                holiday=calendar.is_holiday(own, day),
            )
            for day in days
        ]
        return cls(id=own.id, name=own.name, zone=own.zone, days=shown)
