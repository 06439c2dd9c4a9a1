"""How long requests take: when each came to each milestone and was done, and what that says of those still open.

What a milestone is and what follows from earlier ones is `catalog.promise`'s business (feature row S8).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, delete, select, union_all, update

from catalog.promise import NEWEST, ORDERED, Promise, fallback, kind_of, milestone, promise
from catalog.request import Order, Outcome, Projection, Status
from records.database import Database, upsert
from records.tables import id_of, milestone_has_ended, milestones
from records.values import RequestView

Course = tuple[str, str]
"""What earlier requests must share with one: the kind of order, and the milestone."""


class Milestones(Database):
    """Says by when requests are likely to be done."""

    def promises(self, views: Collection[RequestView], now: datetime) -> dict[str, Promise]:
        """Return by number what is promised of those that are on their way; one query for all of them."""
        standing = [(view, at) for view in views if (at := milestone(view.projection))]
        if not standing:
            return {}
        courses = {(kind_of(view.order), at) for view, at in standing}
        ids = [id_of(view.order.number) for view, _ in standing]
        with self.read() as connection:
            reached, samples = _look(connection, courses, ids)
        found = {}
        for request_id, (view, at) in zip(ids, standing, strict=True):
            since = reached.get((request_id, at), _began(view))
            owed = fallback(view.order, view.projection, now)
            found[view.order.number] = promise(samples[kind_of(view.order), at], now, since, owed)
        return found

    def lengths(self, orders: Collection[Order]) -> dict[str, Sequence[timedelta]]:
        """Return, by `kind_of`, how long the newest earlier requests of these orders' kinds took from order to end."""
        courses = {(kind_of(order), ORDERED) for order in orders}
        if not courses:
            return {}
        with self.read() as connection:
            _, samples = _look(connection, courses, ())
        return {kind: samples[kind, at] for kind, at in courses}


def note_milestone(
    connection: Connection, request_id: int, order: Order, stood: Projection | None, projection: Projection
) -> None:
    """Keep the milestone that a request has come to, or its end, inside the caller's transaction; safe to repeat.

    `projection` is where it stands now, `stood` where it stood before; None if nothing is to be concluded from that.
    """
    of_request = milestones.c.request_id == request_id
    closed = projection.status is Status.CLOSED
    if closed and projection.outcome is not Outcome.FULFILLED:
        connection.execute(delete(milestones).where(of_request))
        return
    rows = [
        {"request_id": request_id, "milestone": name, "order_kind": kind_of(order), "reached_at": when}
        for name, when in _reached(order, stood, projection).items()
    ]
    if rows:
        # Who comes back to a milestone has been on the way from there since the first time.
        connection.execute(upsert(connection, milestones).on_conflict_do_nothing(), rows)
    if closed or stood is None or stood.status is Status.CLOSED:  # an end that the engine did not keep is none
        connection.execute(update(milestones).where(of_request).values(ended_at=projection.closed_at))


def _reached(order: Order, stood: Projection | None, projection: Projection) -> dict[str, datetime]:
    """Return the milestones that may not be on record yet, and when they were reached."""
    at = milestone(projection)
    reached = {ORDERED: order.accepted_at} if stood is None or stood.seq == 0 else {}
    if at is not None and (stood is None or at != milestone(stood)):
        reached.setdefault(at, projection.updated_at)
    return reached


def forget_milestones(connection: Connection, request_id: int, since: datetime) -> None:
    """Drop the milestones reached since a moment: the engine did not keep what led to them."""
    connection.execute(
        delete(milestones).where(milestones.c.request_id == request_id, milestones.c.reached_at >= since)
    )


def _began(view: RequestView) -> datetime:
    """Return since when a request has been where it stands, if that was never written: it stands at its beginning."""
    return view.order.accepted_at if view.projection.seq == 0 else view.projection.updated_at


def _look(
    connection: Connection, courses: Collection[Course], ids: Collection[int | None]
) -> tuple[dict[tuple[int | None, str], datetime], dict[Course, list[timedelta]]]:
    """Return when these requests reached their milestones, and how long earlier ones took on these courses.

    One statement, however many there are: the newest of each course, and the requests' own rows.
    """
    own = [select(milestones).where(milestones.c.request_id.in_(ids), ~milestone_has_ended)] if ids else []
    rows = connection.execute(union_all(*own, *(_newest(course) for course in sorted(courses)))).all()
    reached: dict[tuple[int | None, str], datetime] = {}
    samples: dict[Course, list[timedelta]] = defaultdict(list)
    for row in rows:
        if row.ended_at is None:
            reached[row.request_id, row.milestone] = row.reached_at
        else:
            samples[row.order_kind, row.milestone].append(row.ended_at - row.reached_at)
    return reached, samples


def _newest(course: Course) -> Select[tuple[int, str, str, datetime, datetime | None]]:
    kind, at = course
    newest = (
        select(milestones)
        .where(milestones.c.order_kind == kind, milestones.c.milestone == at, milestone_has_ended)
        .order_by(milestones.c.ended_at.desc())
        .limit(NEWEST)
        .subquery("newest")
    )
    return select(newest)
