"""How long things take, and timers that are late: milestones of requests, when a request's first wait should end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BATCH = 500
"""How many requests are read and written at once: their documents are in memory meanwhile."""

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables and the column, and fill in what the requests that stand say of them."""
    _requests()
    _milestones()
    _late_timers()
    _fill()


def _requests() -> None:
    op.add_column("requests", sa.Column("waits_until", MOMENT))
    has_timer = sa.text("status != 'closed' AND waits_until IS NOT NULL")
    op.create_index(
        "ix_requests_open_waits_until",
        "requests",
        ["waits_until"],
        sqlite_where=has_timer,
        postgresql_where=has_timer,
    )


def _milestones() -> None:
    op.create_table(
        "milestones",
        sa.Column("request_id", ID, sa.ForeignKey("requests.id"), primary_key=True, autoincrement=False),
        sa.Column("milestone", sa.String, primary_key=True),
        sa.Column("order_kind", sa.String, nullable=False),
        sa.Column("reached_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
    )
    ended = sa.text("ended_at IS NOT NULL")
    op.create_index(
        "ix_milestones_ended",
        "milestones",
        ["order_kind", "milestone", "ended_at"],
        sqlite_where=ended,
        postgresql_where=ended,
    )


def _late_timers() -> None:
    op.create_table(
        "late_timers",
        sa.Column("request_id", ID, sa.ForeignKey("requests.id"), primary_key=True, autoincrement=False),
        sa.Column("until", MOMENT, primary_key=True),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("gone_at", MOMENT),
    )
    late = sa.text("gone_at IS NULL")
    op.create_index("ix_late_timers_late", "late_timers", ["until"], sqlite_where=late, postgresql_where=late)


def _fill() -> None:
    """Take from each request when its first wait should end and, if it was not in vain, when it was ordered and done.

    What it came through in between, its documents do not say.
    """
    connection = op.get_bind()
    columns = ("id", "accepted_at", "order_document", "projection_document", "waits_until")
    requests = sa.table("requests", *(sa.column(name, MOMENT if name in _MOMENTS else None) for name in columns))
    ordered = sa.table("milestones", *(sa.column(name, MOMENT if name in _MOMENTS else None) for name in _ORDERED))
    waits = sa.update(requests).where(requests.c.id == sa.bindparam("row")).values(waits_until=sa.bindparam("until"))
    after = 0
    while True:
        query = sa.select(*list(requests.c)[:4]).where(requests.c.id > after).order_by(requests.c.id).limit(BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        after = rows[-1].id
        now = {row.id: json.loads(row.projection_document) for row in rows}
        untils = [{"row": row.id, "until": until} for row in rows if (until := _first_until(now[row.id]))]
        reached = [found for row in rows if (found := _ordered(row, now[row.id]))]
        if untils:
            connection.execute(waits, untils)
        if reached:
            connection.execute(sa.insert(ordered), reached)


_MOMENTS = ("accepted_at", "waits_until", "reached_at", "ended_at")
_ORDERED = ("request_id", "milestone", "order_kind", "reached_at", "ended_at")


def _first_until(projection: dict[str, Any]) -> datetime | None:
    return min((_moment(one["until"]) for one in projection.get("waiting", ()) if one.get("until")), default=None)


def _ordered(row: sa.Row[Any], projection: dict[str, Any]) -> dict[str, Any] | None:
    """Return the first milestone of a request that is open or was fulfilled."""
    closed = projection["status"] == "closed"
    if closed and projection.get("outcome") != "fulfilled":
        return None
    order = json.loads(row.order_document)
    item = order["item"]["id"]
    several = any(line["item"] == item for line in order.get("lines", ()))
    return {
        "request_id": row.id,
        "milestone": "ordered",
        "order_kind": f"{item}/several" if several else item,
        "reached_at": row.accepted_at,
        "ended_at": _moment(projection["closed_at"]) if closed else None,
    }


def _moment(iso: str) -> datetime:
    return datetime.fromisoformat(iso).astimezone(UTC)
