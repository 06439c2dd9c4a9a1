"""What somebody wishes about their time and their notices."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from api.limits import Text
from api.schemas.base import In, Out
from api.schemas.calendars import CalendarOut
from catalog.calendar_file import PublishedCalendar
from catalog.model import Slug
from catalog.preferences import Preferences


class PreferencesIn(In):
    """What you wish, all of it; what is left out is as the company's rules have it.

    Attributes:
        calendar: the id of the calendar in which your time is counted.
        quiet: times of the day at which you are sent nothing, such as 20:00-07:00.
        digest: at which time of the day you are told together of the decisions that wait for you.
    """

    calendar: Slug | None = None
    quiet: tuple[Annotated[Text, Field(max_length=20)], ...] = ()
    digest: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["08:00"])] | None = None


class PreferencesOut(Out):
    """What you wish.

    Attributes:
        calendar: the calendar you chose; null for the one that the company's rules give you.
        zone: the zone in which `quiet` and `digest` are meant: that of your calendar when you set them.
        in_force: the calendar in which your time is counted; null if it is clock time.
    """

    calendar: str | None
    quiet: list[str]
    digest: str | None
    zone: str
    in_force: CalendarOut | None

    @classmethod
    def of(cls, wishes: Preferences, in_force: PublishedCalendar | None) -> Self:
        """Return somebody's wishes, and what calendar they have."""
        return cls(
            calendar=wishes.calendar,
            quiet=[str(one) for one in wishes.quiet],
            digest=f"{wishes.digest:%H:%M}" if wishes.digest else None,
            zone=wishes.zone,
            in_force=CalendarOut.of(in_force, mine=True) if in_force else None,
        )
