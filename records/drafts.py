"""Drafts: orders that people have begun to write (feature row C9). Nothing in them is checked here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select

from records.database import Database, upsert
from records.documents import document
from records.errors import TooManyDrafts, UnknownDraft
from records.tables import drafts, is_key
from records.values import Draft

MAX_DRAFTS = 100
"""How many drafts a person may have."""


class Drafts(Database):
    """Keeps each person's drafts; nobody sees another's."""

    def save_draft(self, draft: Draft) -> None:
        """Keep a draft, in place of what was kept by this id.

        Raises:
            UnknownDraft: the id is that of somebody else's draft.
            TooManyDrafts: it is new, and its owner has `MAX_DRAFTS`. Saves at the same instant may each find the last
                place free; the limit is there against hoarding, and a few more do no harm.
        """
        with self.write() as connection:
            if not _stands(connection, draft) and _count(connection, draft.owner_id) >= MAX_DRAFTS:
                raise TooManyDrafts(f"You have {MAX_DRAFTS} drafts; delete one first.")
            row = upsert(connection, drafts).values(
                id=draft.id, owner_id=draft.owner_id, updated_at=draft.updated_at, document=document(draft)
            )
            kept = row.on_conflict_do_update(
                index_elements=["id"],
                set_={"updated_at": row.excluded.updated_at, "document": row.excluded.document},
                where=drafts.c.owner_id == draft.owner_id,
            )
            if connection.scalar(kept.returning(drafts.c.id)) is None:
                raise UnknownDraft(f"There is no draft {draft.id} of yours.")

    def drafts(self, owner_id: str) -> Sequence[Draft]:
        """Return a person's drafts, the one changed last first."""
        query = (
            select(drafts.c.document)
            .where(drafts.c.owner_id == owner_id)
            .order_by(drafts.c.updated_at.desc(), drafts.c.id.desc())
        )
        with self.read() as connection:
            return [Draft.model_validate_json(text) for text in connection.scalars(query)]

    def draft(self, owner_id: str, draft_id: str) -> Draft | None:
        """Return one of a person's drafts."""
        if not is_key(draft_id):
            return None
        query = select(drafts.c.document).where(drafts.c.id == draft_id, drafts.c.owner_id == owner_id)
        with self.read() as connection:
            text = connection.scalar(query)
        return None if text is None else Draft.model_validate_json(text)

    def delete_draft(self, owner_id: str, draft_id: str) -> bool:
        """Delete one of a person's drafts; return whether there was such a draft."""
        if not is_key(draft_id):
            return False
        with self.write() as connection:
            mine = delete(drafts).where(drafts.c.id == draft_id, drafts.c.owner_id == owner_id)
            return connection.execute(mine).rowcount == 1


def _stands(connection: Connection, draft: Draft) -> bool:
    """Return whether there is a draft of this id, whoever's it is."""
    return connection.scalar(select(drafts.c.id).where(drafts.c.id == draft.id)) is not None


def _count(connection: Connection, owner_id: str) -> int:
    return connection.scalar(select(func.count()).where(drafts.c.owner_id == owner_id)) or 0
