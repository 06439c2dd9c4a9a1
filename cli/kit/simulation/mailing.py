"""Mailing: which mails of a world go out, and when, by what their recipients wish (feature rows A12, N2).

What the dispatcher does in earnest; what waits, and what comes together, the register decides in both. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from zoneinfo import ZoneInfo

from catalog.calendar_file import PublishedCalendar, calendar_of
from catalog.hours import MINUTES
from catalog.people import Person
from catalog.preferences import Preferences
from catalog.request import Notice
from catalog.sketch import PersonSketch
from records.register import Register


def wishes_of(sketch: PersonSketch, person: Person, calendars: tuple[PublishedCalendar, ...]) -> Preferences:
    """Return what somebody wishes, their times meant in the zone of their calendar unless they name another."""
    wishes = sketch.preferences
    if "zone" in wishes.model_fields_set:
        return wishes
    theirs = calendar_of(person, [one.file for one in calendars], wishes.calendar)
    zones = [one.calendar.zone for one in calendars if one.file.id == theirs]
    return wishes.model_copy(update={"zone": zones[0]}) if zones else wishes


class Post:
    """The mails of one world.

    Attributes:
        sent: those that have gone out, in their order.
    """

    def __init__(self, register: Register, wishes: Mapping[str, Preferences], began: datetime) -> None:
        """Put on record what people wish, by their ids; `began` is when the first mail can go."""
        self.sent: list[Notice] = []
        self._register = register
        self._wishes = [one for one in wishes.values() if one.quiet or one.digest]
        self._until = began
        self._lock = Lock()  # the requests of a bundle write at the same time
        for person_id, one in wishes.items():
            register.set_preferences(person_id, one, began)

    def deliver(self, now: datetime) -> None:
        """Let everything go out that is due by then, each at its own time."""
        with self._lock:
            for moment in sorted({*self._turns(now), now}):
                self._send(moment)
            self._until = max(self._until, now)

    def _turns(self, now: datetime) -> Iterator[datetime]:
        """Yield the moments at which quiet hours have ended, or a digest was due, since mail last went out."""
        for wishes in self._wishes:
            zone = ZoneInfo(wishes.zone)
            minutes = [one.end % MINUTES for one in wishes.quiet]
            minutes += [60 * wishes.digest.hour + wishes.digest.minute] if wishes.digest else []
            day = self._until.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
            while day <= now:
                turns = ((day + timedelta(minutes=one)).astimezone(UTC) for one in minutes)
                yield from (turn for turn in turns if self._until < turn < now)
                day += timedelta(days=1)

    def _send(self, at: datetime) -> None:
        while self._register.gather_notices(at):
            pass
        while owed := self._register.claim_notice(at):
            self.sent.append(owed.notice)
            self._register.notice_sent(owed.id, at)
