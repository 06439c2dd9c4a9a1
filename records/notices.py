"""The outbox of mail: which notices are owed, who is sending one, and how it ended.

``pending`` waits for a sender, ``sending`` has one; ``sent`` and ``failed`` are the ends. A sender that dies
between claim and answer leaves ``unknown``: the mail may have gone out, so it is not sent a second time.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, or_, select, update

from catalog.request import Notice
from records.database import Database
from records.tables import notices
from records.values import OwedNotice


class NoticeState(StrEnum):
    """Where a notice stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Notices(Database):
    """Hands each notice to one sender, and keeps what became of it."""

    def claim_notice(self, now: datetime) -> OwedNotice | None:
        """Mark the oldest due notice as being sent, for one sender only, and return it; None when none is due."""
        due = (
            select(notices.c.id, notices.c.document, notices.c.attempts)
            .where(notices.c.state == NoticeState.PENDING, or_(notices.c.due_at.is_(None), notices.c.due_at <= now))
            .order_by(notices.c.id)
            .limit(1)
            # On PostgreSQL a sender passes over the rows that others are claiming; on SQLite it waits for its turn.
            .with_for_update(skip_locked=True)
        )
        with self.write() as connection:
            row = connection.execute(due).one_or_none()
            if row is None:
                return None
            attempt = row.attempts + 1
            connection.execute(
                update(notices)
                .where(notices.c.id == row.id)
                .values(state=NoticeState.SENDING, attempts=attempt, claimed_at=now)
            )
        return OwedNotice(id=row.id, notice=Notice.model_validate_json(row.document), attempt=attempt)

    def notice_sent(self, notice_id: int, at: datetime) -> None:
        """Note that the relay took it."""
        self._answer(notice_id, state=NoticeState.SENT, settled_at=at, last_error="")

    def notice_postponed(self, notice_id: int, until: datetime, why: str) -> None:
        """Note that it was not handed over and is due again later."""
        self._answer(notice_id, state=NoticeState.PENDING, due_at=until, last_error=why)

    def notice_failed(self, notice_id: int, at: datetime, why: str) -> None:
        """Note that it will not be sent."""
        self._answer(notice_id, state=NoticeState.FAILED, settled_at=at, last_error=why)

    def _answer(self, notice_id: int, **columns: str | datetime) -> None:
        """Keep what a sender says of the notice it claimed; one that was given up for lost may still say it."""
        claimed = notices.c.state.in_([NoticeState.SENDING, NoticeState.UNKNOWN])
        with self.write() as connection:
            connection.execute(update(notices).where(notices.c.id == notice_id, claimed).values(**columns))

    def settle_lost_notices(self, claimed_before: datetime) -> int:
        """Mark notices whose sender died between claim and answer as ``unknown``; they are not sent again.

        Return how many.
        """
        statement = (
            update(notices)
            .where(notices.c.state == NoticeState.SENDING, notices.c.claimed_at < claimed_before)
            .values(
                state=NoticeState.UNKNOWN,
                settled_at=notices.c.claimed_at,
                last_error="The sender stopped before it answered; the mail may have gone out.",
            )
        )
        with self.write() as connection:
            return connection.execute(statement).rowcount

    def notice_counts(self) -> dict[str, int]:
        """Return how many notices are in each state; every state is named."""
        query = select(notices.c.state, func.count().label("times")).group_by(notices.c.state)
        with self.read() as connection:
            counted = {row.state: row.times for row in connection.execute(query)}
        return {state.value: counted.get(state, 0) for state in NoticeState}
