"""The inbox: by when a task is due, and who is asked only in the place of others."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BATCH = 500
"""How many tasks are read and written at once: their documents are in memory meanwhile."""

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns, and take from each task by when it is due; nobody stands in for others yet."""
    op.add_column("tasks", sa.Column("due_at", MOMENT))
    op.add_column("task_assignees", sa.Column("delegated", sa.Boolean, nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    tasks = sa.table("tasks", sa.column("id"), sa.column("document"), sa.column("due_at", MOMENT))
    due = sa.update(tasks).where(tasks.c.id == sa.bindparam("row")).values(due_at=sa.bindparam("due"))
    after = 0
    while True:
        query = sa.select(tasks.c.id, tasks.c.document).where(tasks.c.id > after).order_by(tasks.c.id).limit(BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        after = rows[-1].id
        found = [{"row": row.id, "due": at} for row in rows if (at := _due_at(row.document))]
        if found:
            connection.execute(due, found)


def _due_at(document: str) -> datetime | None:
    iso = json.loads(document).get("due_at")
    return datetime.fromisoformat(iso).astimezone(UTC) if iso else None
