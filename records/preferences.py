"""What people wish of the platform: their calendar, quiet hours, a digest (feature rows A12, N2).

What follows from a wish is `catalog.preferences`' business.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from catalog.preferences import Preferences
from records.database import Database, upsert
from records.documents import document
from records.tables import preferences


class Wishes(Database):
    """Keeps one document for each person who wishes anything."""

    def set_preferences(self, person_id: str, wishes: Preferences, at: datetime) -> None:
        """Put on record what somebody wishes, in the place of what they wished before."""
        row = {"calendar": wishes.calendar, "updated_at": at, "document": document(wishes)}
        with self.write() as connection:
            new = upsert(connection, preferences).values(person_id=person_id, **row)
            connection.execute(new.on_conflict_do_update(index_elements=["person_id"], set_=row))

    def preferences(self, person_id: str) -> Preferences:
        """Return what somebody wishes; what everybody has, if they have said nothing."""
        with self.read() as connection:
            text = wishes_of(connection, person_id)
        return Preferences() if text is None else Preferences.model_validate_json(text)

    def chosen(self, person_ids: Collection[str]) -> dict[str, str]:
        """Return the calendars that some of these people have chosen, by person; see the port."""
        query = select(preferences.c.person_id, preferences.c.calendar).where(
            preferences.c.person_id.in_(sorted(person_ids)), preferences.c.calendar.is_not(None)
        )
        with self.read() as connection:
            return {row.person_id: row.calendar for row in connection.execute(query)}


def wishes_of(connection: Connection, person_id: str) -> str | None:
    """Return the document of somebody's wishes, if they have said any."""
    return connection.scalar(select(preferences.c.document).where(preferences.c.person_id == person_id))
