"""What people look up: requests, tasks, and who has to do with them. Who may see what is the API's decision."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, false, func, literal, or_, select, true, union_all

from catalog.journal import Entry, Kind
from catalog.promise import NEWEST, ORDERED, kind_of
from catalog.request import Order, Task
from records.database import Database
from records.documents import view_from, views
from records.tables import (
    MAX_ID,
    Moment,
    id_of,
    journal,
    milestone_has_ended,
    milestones,
    request_is_open,
    requests,
    task_assignees,
    task_awaits_operator,
    task_is_open,
    tasks,
)
from records.values import Background, Earlier, Inbox, InboxQuery, Page, Place, RequestView, Sort, TaskView

T = TypeVar("T")

_TASK_ID = re.compile(r"REQ-[1-9][0-9]{0,18}\.[1-9][0-9]{0,8}")


class Queries(Database):
    """Reads requests and tasks as of the last batch."""

    def request(self, number: str) -> RequestView | None:
        """Return a request; None for an unknown or malformed number."""
        with self.read() as connection:
            row = connection.execute(views().where(requests.c.id == id_of(number))).one_or_none()
        return None if row is None else view_from(row)

    def is_party(self, number: str, person_id: str) -> bool:
        """Return whether the person is its requester or beneficiary, or is or was asked to decide it."""
        asked = (
            select(tasks.c.id)
            .join(task_assignees, task_assignees.c.task == tasks.c.task)
            .where(tasks.c.request_id == requests.c.id, task_assignees.c.person_id == person_id)
        )
        query = select(requests.c.id).where(
            requests.c.id == id_of(number), or_(_belongs_to(person_id), asked.correlate(requests).exists())
        )
        with self.read() as connection:
            return connection.scalar(query) is not None

    def requests(
        self,
        *,
        viewer: str | None,
        state: Literal["open", "closed"] | None = None,
        top_level: bool = False,
        after: int | None = None,
        limit: int = 50,
    ) -> Page[RequestView]:
        """Return requests, newest first: those the person is requester or beneficiary of; all if `viewer` is None.

        Children are among them unless `top_level` is set: then only those that the viewer has by somebody else's order.
        """
        query = views().where(_is_before(requests.c.id, after)).order_by(requests.c.id.desc()).limit(limit + 1)
        if viewer is not None:
            query = query.where(_belongs_to(viewer))
        if state is not None:
            query = query.where(request_is_open if state == "open" else ~request_is_open)
        if top_level:
            by_others = false() if viewer is None else requests.c.requester_id != viewer
            query = query.where(or_(requests.c.parent_id.is_(None), by_others))
        with self.read() as connection:
            rows = connection.execute(query).all()
        return _page(rows, limit, lambda row: row.id, view_from)

    def children(self, number: str) -> Sequence[RequestView]:
        """Return the requests that this one is the parent of, oldest first (feature rows C5, C6)."""
        parent_id = id_of(number)
        if parent_id is None:
            return []
        with self.read() as connection:
            rows = connection.execute(views().where(requests.c.parent_id == parent_id).order_by(requests.c.id)).all()
        return [view_from(row) for row in rows]

    def task(self, task_id: str) -> TaskView | None:
        """Return a task by its id; None for an unknown or malformed one."""
        if not _TASK_ID.fullmatch(task_id):
            return None
        with self.read() as connection:
            row = connection.execute(_task_views().where(tasks.c.task == task_id)).one_or_none()
        return None if row is None else _task_view(row)

    def tasks(self, asked: InboxQuery) -> Inbox:
        """Return tasks of somebody (feature row W2).

        Open: approvals that this person has not voted on yet, questions put to them, work they are asked to do and, for
        operators, operator tasks. Closed: the closed ones they were asked to decide or to do.
        """
        newest_first = asked.state == "closed"
        key = literal("") if newest_first else _SORTS[asked.sort]
        query = (
            _task_views()
            .add_columns(key.label("task_key"))
            .where(*_wanted(asked), _comes_after(asked, key))
            .order_by(*([tasks.c.id.desc()] if newest_first else [key, tasks.c.id]))
            .limit(asked.limit + 1)
        )
        with self.read() as connection:
            rows = connection.execute(query).all()
        shown, more = rows[: asked.limit], len(rows) > asked.limit
        place = Place(row=shown[-1].task_row, key=_written(shown[-1].task_key)) if more else None
        return Inbox(items=tuple(_task_view(row) for row in shown), next=place)

    def background(self, view: RequestView) -> Background:
        """Return what helps to decide about a request (feature row A19)."""
        order, request_id = view.order, id_of(view.order.number)
        entries = (
            select(journal.c.document)
            .where(journal.c.request_id == request_id, journal.c.kind.in_(_TELLING))
            .order_by(journal.c.seq)
            .limit(MOST_ENTRIES)
        )
        earlier = (
            views()
            .where(
                requests.c.beneficiary_id == order.beneficiary.id,
                requests.c.item_id == order.item.id,
                requests.c.id < request_id,
            )
            .order_by(requests.c.id.desc())
            .limit(MOST_EARLIER)
        )
        with self.read() as connection:
            told = connection.scalars(entries).all()
            before = [view_from(row) for row in connection.execute(earlier)]
            colleagues = _colleagues(connection, order)
        return Background(
            entries=tuple(Entry.model_validate_json(document) for document in told),
            earlier=tuple(_earlier(one) for one in before),
            colleagues=colleagues,
        )


MOST_ENTRIES = 200
"""How many entries of a journal the background of a decision shows."""
MOST_EARLIER = 5
_TELLING = (Kind.VOTE, Kind.VOTE_FALLEN, Kind.VOTE_WITHDRAWN, Kind.AMENDED, Kind.ADVICE_GIVEN)

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When a task is due that is not."""
_SORTS: dict[Sort, ColumnElement[Any]] = {
    "due": func.coalesce(tasks.c.due_at, literal(NEVER, Moment)),
    "age": literal(""),
    "item": func.coalesce(requests.c.item_id, ""),
    "cost": requests.c.cost_rank,
    "risk": requests.c.risk_rank,
}
"""What open tasks are sorted by before their age."""


def _wanted(asked: InboxQuery) -> list[ColumnElement[bool]]:
    """Return the conditions for the tasks of an inbox."""
    found = [_was_decided(asked) if asked.state == "closed" else _to_decide(asked)]
    return found if asked.overdue_at is None else [*found, tasks.c.due_at < asked.overdue_at]


def _comes_after(asked: InboxQuery, key: ColumnElement[Any]) -> ColumnElement[bool]:
    place = asked.after
    if place is None:
        return true()
    row = min(max(place.row, 0), MAX_ID)
    if asked.state == "closed":
        return tasks.c.id < row
    value = literal(_read(place.key), Moment) if asked.sort == "due" else literal(place.key)
    return or_(key > value, and_(key == value, tasks.c.id > row))


def _written(key: datetime | str) -> str:
    return key.isoformat() if isinstance(key, datetime) else key


def _read(key: str) -> datetime:
    """Return the moment in a place; before everything if a client sends what is none."""
    try:
        return datetime.fromisoformat(key).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)


def _earlier(view: RequestView) -> Earlier:
    order, now = view.order, view.projection
    return Earlier(number=order.number, accepted_at=order.accepted_at, status=now.status, outcome=now.outcome)


def _colleagues(connection: Connection, order: Order) -> int | None:
    """Return how many others of the beneficiary's department had the item fulfilled, of its newest orders."""
    department = order.beneficiary_profile.department
    if not department:
        return None
    newest = (
        select(milestones.c.request_id)
        .where(milestones.c.order_kind == kind_of(order), milestones.c.milestone == ORDERED, milestone_has_ended)
        .order_by(milestones.c.ended_at.desc())
        .limit(NEWEST)
        .subquery("newest")
    )
    had = select(requests.c.order_document).join(newest, newest.c.request_id == requests.c.id)
    people = (json.loads(document) for document in connection.scalars(had))
    ids = {one["beneficiary"]["id"] for one in people if one["beneficiary_profile"].get("department") == department}
    return len(ids - {order.beneficiary.id})


def _task_views() -> Select[tuple[int, str, str, int, str]]:
    """Return the query for what `_task_view` needs; the caller says of which tasks."""
    columns = (tasks.c.id.label("task_row"), tasks.c.document.label("task_document"))
    return views().add_columns(*columns).join(tasks, tasks.c.request_id == requests.c.id)


def _task_view(row: Row[Any]) -> TaskView:
    return TaskView(task=Task.model_validate_json(row.task_document), request=view_from(row))


def _belongs_to(person_id: str) -> ColumnElement[bool]:
    return or_(requests.c.requester_id == person_id, requests.c.beneficiary_id == person_id)


def _to_decide(asked: InboxQuery) -> ColumnElement[bool]:
    unvoted = _asked_of(asked).where(task_assignees.c.asked, task_assignees.c.verdict.is_(None))
    if not asked.operator or asked.whose == "delegated":
        return and_(tasks.c.kind != "operator", tasks.c.task.in_(unvoted), task_is_open)
    # By their ids: each half has an index of its own, and joined by "or" they would have none.
    mine = select(tasks.c.task).where(tasks.c.kind != "operator", tasks.c.task.in_(unvoted), task_is_open)
    theirs = select(tasks.c.task).where(task_awaits_operator)
    return tasks.c.task.in_(union_all(mine.correlate(None), theirs.correlate(None)))


def _was_decided(asked: InboxQuery) -> ColumnElement[bool]:
    return and_(tasks.c.task.in_(_asked_of(asked)), ~task_is_open)


def _asked_of(asked: InboxQuery) -> Select[tuple[str]]:
    found = select(task_assignees.c.task).where(task_assignees.c.person_id == asked.person_id)
    match asked.whose:
        case "mine":
            return found.where(~task_assignees.c.delegated)
        case "group":
            return found.where(task_assignees.c.shared)
        case "delegated":
            return found.where(task_assignees.c.delegated)
        case "all":
            return found


def _is_before(column: ColumnElement[int], cursor: int | None) -> ColumnElement[bool]:
    """Return the condition for what comes after a cursor, newest first; a cursor may be any number a client sent."""
    return true() if cursor is None else column < min(max(cursor, 0), MAX_ID)


def _page(
    rows: Sequence[Row[Any]], limit: int, id_in: Callable[[Row[Any]], int], make: Callable[[Row[Any]], T]
) -> Page[T]:
    """Return a page of `limit` from rows of which one more was asked for, to see whether there is a next page."""
    shown = rows[:limit]
    return Page(items=tuple(make(row) for row in shown), next=id_in(shown[-1]) if len(rows) > limit else None)
