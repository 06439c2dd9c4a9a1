"""What requests cost, and who is asked as one of several: by these the inbox is sorted and divided."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BATCH = 500
"""How many rows are read and written at once: their documents are in memory meanwhile."""


def upgrade() -> None:
    """Add the columns, and fill in what the open requests and tasks say of them."""
    op.add_column("requests", sa.Column("cost_rank", sa.String, nullable=False, server_default="zzzz"))
    op.add_column("task_assignees", sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()))
    _costs(op.get_bind())
    _groups(op.get_bind())


def _costs(connection: sa.Connection) -> None:
    names = ("id", "status", "order_document", "projection_document", "cost_rank")
    requests = sa.table("requests", *map(sa.column, names))
    of_row = requests.c.id == sa.bindparam("row")
    ranks = sa.update(requests).where(of_row).values(cost_rank=sa.bindparam("rank"))
    query = sa.select(*list(requests.c)[:4]).where(requests.c.status != "closed").order_by(requests.c.id).limit(BATCH)
    after = 0
    while rows := connection.execute(query.where(requests.c.id > after)).all():
        after = rows[-1].id
        found = [{"row": row.id, "rank": _rank(cost)} for row in rows if (cost := _cost(row))]
        if found:
            connection.execute(ranks, found)


def _cost(row: sa.Row[Any]) -> dict[str, Any] | None:
    """Return what a request costs as it stands now, if it costs anything."""
    ordered: dict[str, Any] = json.loads(row.projection_document).get("amendment") or json.loads(row.order_document)
    cost: dict[str, Any] | None = ordered.get("cost")
    return cost if cost and _first_year(cost) else None


def _first_year(cost: dict[str, Any]) -> Decimal:
    return Decimal(cost["one_off"]) + Decimal(cost["recurring"]) * (12 if cost["every"] == "month" else 1)


def _rank(cost: dict[str, Any]) -> str:
    """Return the text by which the dearest of each currency comes first."""
    return f"{cost['currency']}{max(10**18 - int(_first_year(cost) * 100), 0):019}"


def _groups(connection: sa.Connection) -> None:
    tasks = sa.table("tasks", *map(sa.column, ("id", "task", "kind", "decided", "document")))
    assignees = sa.table("task_assignees", *map(sa.column, ("task", "asked", "delegated", "shared")))
    of_task = (assignees.c.task == sa.bindparam("of"), assignees.c.asked.is_(sa.true()))
    own = sa.update(assignees).where(*of_task, assignees.c.delegated.is_(sa.false())).values(shared=sa.true())
    theirs = tasks.c.kind.in_(("approval", "fulfilment")) & tasks.c.decided.is_(None)
    query = sa.select(tasks.c.id, tasks.c.task, tasks.c.document).where(theirs).order_by(tasks.c.id).limit(BATCH)
    after = 0
    while rows := connection.execute(query.where(tasks.c.id > after)).all():
        after = rows[-1].id
        shared = [{"of": row.task} for row in rows if _is_shared(json.loads(row.document))]
        if shared:
            connection.execute(own, shared)


def _is_shared(task: dict[str, Any]) -> bool:
    """Return whether several are asked, any of whom may do it, and nobody has taken it on."""
    own = [one for one in task.get("assignees", ()) if one.get("own", True) or one.get("escalated")]
    return len(own) > 1 and not task.get("claimed_by") and task.get("quorum", "any") not in ("all", "responded")
