"""What people look up: requests, tasks, and who has to do with them. Who may see what is the API's decision."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Row, Select, and_, false, or_, select, true

from catalog.request import Task
from records.database import Database
from records.documents import view_from, views
from records.tables import (
    MAX_ID,
    id_of,
    request_is_open,
    requests,
    task_assignees,
    task_awaits_operator,
    task_is_open,
    tasks,
)
from records.values import Page, RequestView, TaskView

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

    def tasks(
        self,
        *,
        person_id: str,
        operator: bool,
        state: Literal["open", "closed"] = "open",
        after: int | None = None,
        limit: int = 50,
    ) -> Page[TaskView]:
        """Return tasks, newest first.

        Open: approvals that this person has not voted on yet, work they are asked to do and, for operators, operator
        tasks. Closed: the closed ones they were asked to decide or to do.
        """
        wanted = _to_decide(person_id, operator=operator) if state == "open" else _was_decided(person_id)
        query = _task_views().where(wanted, _is_before(tasks.c.id, after)).order_by(tasks.c.id.desc()).limit(limit + 1)
        with self.read() as connection:
            rows = connection.execute(query).all()
        return _page(rows, limit, lambda row: row.task_row, _task_view)


def _task_views() -> Select[tuple[int, str, str, int, str]]:
    """Return the query for what `_task_view` needs; the caller says of which tasks."""
    columns = (tasks.c.id.label("task_row"), tasks.c.document.label("task_document"))
    return views().add_columns(*columns).join(tasks, tasks.c.request_id == requests.c.id)


def _task_view(row: Row[Any]) -> TaskView:
    return TaskView(task=Task.model_validate_json(row.task_document), request=view_from(row))


def _belongs_to(person_id: str) -> ColumnElement[bool]:
    return or_(requests.c.requester_id == person_id, requests.c.beneficiary_id == person_id)


def _to_decide(person_id: str, *, operator: bool) -> ColumnElement[bool]:
    unvoted = select(task_assignees.c.task).where(
        task_assignees.c.person_id == person_id, task_assignees.c.asked, task_assignees.c.verdict.is_(None)
    )
    mine = and_(tasks.c.kind != "operator", tasks.c.task.in_(unvoted), task_is_open)
    return or_(mine, task_awaits_operator) if operator else mine


def _was_decided(person_id: str) -> ColumnElement[bool]:
    asked = select(task_assignees.c.task).where(task_assignees.c.person_id == person_id)
    return and_(tasks.c.task.in_(asked), ~task_is_open)


def _is_before(column: ColumnElement[int], cursor: int | None) -> ColumnElement[bool]:
    """Return the condition for what comes after a cursor, newest first; a cursor may be any number a client sent."""
    return true() if cursor is None else column < min(max(cursor, 0), MAX_ID)


def _page(
    rows: Sequence[Row[Any]], limit: int, id_in: Callable[[Row[Any]], int], make: Callable[[Row[Any]], T]
) -> Page[T]:
    """Return a page of `limit` from rows of which one more was asked for, to see whether there is a next page."""
    shown = rows[:limit]
    return Page(items=tuple(make(row) for row in shown), next=id_in(shown[-1]) if len(rows) > limit else None)
