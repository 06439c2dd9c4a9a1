"""Published calendars: the working hours that hold now, and those that held (feature rows A12, S2).

What files say, and which dates their holidays are, was worked out before. One that changes gets a new row, and the old
one says until when it held; a request that runs keeps those that it looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from catalog.calendar_file import PublishedCalendar
from catalog.model import digest
from catalog.sla_history import Edition
from records.database import Database, upsert
from records.documents import document
from records.tables import calendar_stands, calendars


class Calendars(Database):
    """Keeps calendars; with `records.preferences`, implements `activities.ports.Calendars`."""

    def publish_calendars(self, published: Iterable[PublishedCalendar], at: datetime, *, complete: bool) -> None:
        """Put on record which calendars hold from now on; what stands with the same content stays as it is.

        Args:
            published: each id once.
            at: now.
            complete: whether these are all there are: then any other that stands holds no longer.
        """
        now = {one.file.id: one for one in published}
        digests = {name: digest(one) for name, one in now.items()}
        with self.write() as connection:
            query = select(calendars.c.calendar, calendars.c.digest).where(calendar_stands)
            standing = {row.calendar: row.digest for row in connection.execute(query)}
            changed = sorted(name for name in now if standing.get(name) != digests[name])
            gone = sorted(standing.keys() - now.keys()) if complete else []
            _retire(connection, [*changed, *gone], at)
            rows = [
                {"calendar": name, "digest": digests[name], "published_at": at, "document": document(now[name])}
                for name in changed
            ]
            if rows:
                # Another process may just have published it.
                connection.execute(upsert(connection, calendars).on_conflict_do_nothing(), rows)

    def calendars(self, at: datetime | None = None) -> tuple[PublishedCalendar, ...]:
        """Return the calendars that hold now, or held at a moment, by id."""
        held = calendar_stands if at is None else _held(at)
        query = select(calendars.c.document).where(held).order_by(calendars.c.calendar)
        with self.read() as connection:
            return tuple(map(PublishedCalendar.model_validate_json, connection.scalars(query)))

    def editions(self, names: Collection[str]) -> dict[str, list[Edition]]:
        """Return what the calendars of these ids ever were, the oldest first; an unknown id is left out."""
        columns = (calendars.c.calendar, calendars.c.published_at, calendars.c.document)
        query = select(*columns).where(calendars.c.calendar.in_(sorted(names))).order_by(calendars.c.id)
        found: dict[str, list[Edition]] = {}
        with self.read() as connection:
            for name, since, text in connection.execute(query):
                calendar = PublishedCalendar.model_validate_json(text).calendar
                found.setdefault(name, []).append(Edition(since, calendar))
        return found


def _held(at: datetime) -> ColumnElement[bool]:
    return and_(calendars.c.published_at <= at, or_(calendar_stands, calendars.c.retired_at > at))


def _retire(connection: Connection, names: list[str], at: datetime) -> None:
    if names:
        named = calendars.c.calendar.in_(names)
        connection.execute(update(calendars).where(calendar_stands, named).values(retired_at=at))
