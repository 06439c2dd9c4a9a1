"""The journal of a request."""

from __future__ import annotations

from typing import Self

from api.schemas.base import Cursor, In, Limit
from catalog import timeline
from catalog.journal import Entry


class JournalQuery(In):
    """Which part of a journal."""

    cursor: Cursor = None
    limit: Limit = 200


class EntryOut(Entry):
    """An entry exactly as it was sealed, so that a reader can check the chain, and what it says in words."""

    text: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return the entry with its text."""
        return cls.model_validate(dict(entry) | {"text": timeline.describe(entry)})
