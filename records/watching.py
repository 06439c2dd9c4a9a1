"""Which timers are late, as the record shows it: found, told of once, and noted when they are late no more.

What a late timer is, and what the operators are told of it, is `catalog.watch`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, exists, select, update

from catalog.request import Task
from catalog.watch import GRACE, Awaiting, AwaitingPage, LateTimer, next_timer, notice
from records.database import Database, upsert
from records.documents import view_from, views
from records.notices import owe
from records.tables import (
    id_of,
    late_timers,
    number_of,
    request_has_timer,
    request_is_open,
    requests,
    task_is_open,
    tasks,
    timer_is_late,
)
from records.values import RequestView

MOST_AT_ONCE = 500
"""How many late timers one look takes note of; the looks after it find the others."""


class Watching(Database):
    """Implements `activities.ports.Watch`, and says what is late."""

    def look_for_late_timers(self, now: datetime) -> Sequence[LateTimer]:
        """Take note of the timers that have become late, and of those that are late no more; see the port.

        Of each request the one that should have fired first stands for all of them.
        """
        with self.write() as connection:
            _note_gone(connection, now)
            overdue = _overdue(connection, now)
            found = [_late(view, now) for view in overdue]
            if not found:
                return []
            statement = upsert(connection, late_timers)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["request_id", "until"],
                    set_={"what": statement.excluded.what, "seen_at": statement.excluded.seen_at, "gone_at": None},
                ),
                [{"request_id": id_of(late.number), **late.model_dump(exclude={"number"})} for late in found],
            )
            owe(connection, [notice(late, view.order.item.name) for late, view in zip(found, overdue, strict=True)])
        return found

    def open_approvals(self, after: int | None, limit: int) -> AwaitingPage:
        """Return the next requests that wait for approval; see `activities.ports.OpenApprovals`."""
        asked = select(tasks.c.request_id).where(tasks.c.kind == "approval", task_is_open)
        query = views().where(request_is_open, requests.c.id.in_(asked), requests.c.id > (after or 0))
        with self.read() as connection:
            rows = connection.execute(query.order_by(requests.c.id).limit(limit + 1)).all()
        found = [view_from(row) for row in rows[:limit]]
        items = tuple(Awaiting(order=view.order, tasks=tuple(_approvals(view))) for view in found)
        return AwaitingPage(items=items, next=rows[limit - 1].id if len(rows) > limit else None)

    def late_timers(self, limit: int = 200) -> Sequence[LateTimer]:
        """Return the timers that are late, the one that is longest so first."""
        query = select(late_timers).where(timer_is_late).order_by(late_timers.c.until).limit(limit)
        with self.read() as connection:
            rows = connection.execute(query).all()
        return [
            LateTimer(number=number_of(row.request_id), what=row.what, until=row.until, seen_at=row.seen_at)
            for row in rows
        ]


def _approvals(view: RequestView) -> Iterator[Task]:
    """Yield the tasks of a request's open stages."""
    return (task for task in view.projection.tasks if task.kind == "approval" and task.decided is None)


def _note_gone(connection: Connection, now: datetime) -> None:
    """Mark the timers as gone whose request has none left that should have fired by then."""
    still = exists().where(
        requests.c.id == late_timers.c.request_id, request_has_timer, requests.c.waits_until <= late_timers.c.until
    )
    connection.execute(update(late_timers).where(timer_is_late, ~still).values(gone_at=now))


def _overdue(connection: Connection, now: datetime) -> list[RequestView]:
    """Return the requests whose first timer has become late, those first that are latest."""
    known = exists().where(
        late_timers.c.request_id == requests.c.id, late_timers.c.until == requests.c.waits_until, timer_is_late
    )
    query = (
        views()
        .where(request_has_timer, requests.c.waits_until < now - GRACE, ~known)
        .order_by(requests.c.waits_until, requests.c.id)
        .limit(MOST_AT_ONCE)
    )
    return [view_from(row) for row in connection.execute(query)]


def _late(view: RequestView, now: datetime) -> LateTimer:
    timer = next_timer(view.projection)
    assert timer is not None, "the column that was searched by is written with the document"
    return LateTimer(number=view.order.number, what=timer.what, until=timer.at, seen_at=now)
