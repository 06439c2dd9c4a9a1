"""The outbox of mail: which notices are owed, who is sending one, and how it ended.

``pending`` waits for a sender, ``sending`` has one; ``sent`` and ``failed`` are the ends. A sender that dies
between claim and answer leaves ``unknown``: the mail may have gone out, so it is not sent a second time. What is to
come together with others stays ``pending`` until its time, and is then ``gathered``: a notice of its own says it, or it
needed to be said no more. So ends, too, what was put off and asks for a decision that nobody awaits by then.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select, update

from catalog.preferences import GATHERED, Preferences, hold, together
from catalog.request import Notice
from records.database import Database, upsert
from records.documents import document
from records.preferences import wishes_of
from records.tables import notice_awaits_digest, notices, task_assignees, task_is_open, tasks
from records.values import OwedNotice

_log = logging.getLogger(__name__)


class NoticeState(StrEnum):
    """Where a notice stands."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    GATHERED = "gathered"


MOST_GATHERED = 500
"""How many notices become one at once; what is more becomes another."""


class Notices(Database):
    """Hands each notice to one sender, and keeps what became of it."""

    def claim_notice(self, now: datetime) -> OwedNotice | None:
        """Mark the oldest due notice as being sent, for one sender only, and return it; None when none is due.

        One that waits for its recipient's quiet hours or digest is due later: it is put off here, so that it is never
        in the hands of a sender that does not send it. Nor is one that was put off for longer than it was of use.
        """
        while True:
            with self.write() as connection:
                row = connection.execute(_due(now)).one_or_none()
                if row is None:
                    return None
                kept = _kept(connection, row, now)
                claimed = {"state": NoticeState.SENDING, "attempts": row.attempts + 1, "claimed_at": now}
                connection.execute(update(notices).where(notices.c.id == row.id).values(kept or claimed))
            if not kept:
                notice = Notice.model_validate_json(row.document)
                return OwedNotice(id=row.id, notice=notice, attempt=row.attempts + 1)

    def gather_notices(self, now: datetime) -> bool:
        """Make one notice of all that somebody is to be told together by now; return whether there was anybody.

        One transaction: each is gathered once, and what they become is owed as any other notice, or nothing is
        written. Decisions that no longer wait for this person are left out, and if none does, nothing is owed.
        """
        due = notice_awaits_digest & (notices.c.digest_at <= now)
        with self.read() as connection:
            whose = connection.scalar(select(notices.c.recipient_id).where(due).order_by(notices.c.digest_at).limit(1))
        if whose is None:
            return False
        query = select(notices.c.id, notices.c.document).where(due, notices.c.recipient_id == whose)
        with self.write() as connection:
            # Another sender may be at the same: on PostgreSQL the second waits, and then finds none of them.
            rows = connection.execute(query.order_by(notices.c.id).limit(MOST_GATHERED).with_for_update()).all()
            if rows:
                told = [Notice.model_validate_json(row.document) for row in rows]
                one = together(told, _awaited(connection, whose, {notice.data["task"] for notice in told}))
                owe(connection, [one] if one else [])
                mine = notices.c.id.in_([row.id for row in rows])
                connection.execute(update(notices).where(mine).values(state=NoticeState.GATHERED, settled_at=now))
        return True

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


def _due(now: datetime) -> Select[tuple[int, str, str, int, datetime | None]]:
    """Return the query for the oldest notice that may be sent by itself."""
    return (
        select(notices.c.id, notices.c.recipient_id, notices.c.document, notices.c.attempts, notices.c.due_at)
        .where(
            notices.c.state == NoticeState.PENDING,
            notices.c.digest_at.is_(None),
            or_(notices.c.due_at.is_(None), notices.c.due_at <= now),
        )
        .order_by(notices.c.id)
        .limit(1)
        # On PostgreSQL a sender passes over the rows that others are claiming; on SQLite it waits for its turn.
        .with_for_update(skip_locked=True)
    )


_ASKING = (*GATHERED, "deadline-near")
"""What is of use only as long as a decision is awaited."""


def _kept(connection: Connection, row: Row[Any], now: datetime) -> dict[str, Any]:
    """Return what becomes of a due notice that is not sent now, as columns; nothing if it is."""
    wishes = wishes_of(connection, row.recipient_id)
    if wishes is None and row.due_at is None:
        return {}
    try:
        notice = Notice.model_validate_json(row.document)
        held = hold(notice, Preferences() if wishes is None else Preferences.model_validate_json(wishes), now)
    except Exception:  # noqa: BLE001  whatever is the matter with this one, the others must not wait for it
        _log.exception("what the recipient of a notice wishes cannot be followed")
        return {}
    # What earlier releases have owed may name another task than the one that is decided; it says not why it asks.
    asks = row.due_at is not None and notice.template in _ASKING and "asked" in notice.data and notice.data.get("task")
    if asks and not _awaited(connection, row.recipient_id, {asks}):
        return {"state": NoticeState.GATHERED, "settled_at": now}
    return {"digest_at" if held.gathered else "due_at": held.until} if held else {}


def _awaited(connection: Connection, person_id: str, named: Collection[str]) -> frozenset[str]:
    """Return those of some tasks that still wait for a decision of this person."""
    query = (
        select(tasks.c.task)
        .join(task_assignees, task_assignees.c.task == tasks.c.task)
        .where(
            tasks.c.task.in_(sorted(named)),
            task_is_open,
            task_assignees.c.person_id == person_id,
            task_assignees.c.asked,
            task_assignees.c.verdict.is_(None),
        )
    )
    return frozenset(connection.scalars(query))


def owe(connection: Connection, owed: Sequence[Notice]) -> None:
    """Insert the notices that are not on record yet, inside the caller's transaction."""
    if not owed:
        return
    rows = [
        {
            "event": notice.event,
            "recipient_id": notice.to.id,
            "state": NoticeState.PENDING,
            "attempts": 0,
            "last_error": "",
            "document": document(notice),
        }
        for notice in owed
    ]
    connection.execute(upsert(connection, notices).on_conflict_do_nothing(), rows)
