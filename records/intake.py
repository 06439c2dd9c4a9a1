"""Intake: the outbox of orders. An order is on record before its workflow begins, and known to have begun or not."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from catalog.request import Order, Projection, Status, Waiting, WaitKind
from records.database import Database
from records.documents import document, order_from, view_from, views
from records.errors import AlreadyOpen, KeyReused, UnknownRequest
from records.files import attach
from records.secrets import bind
from records.tables import id_of, intake, number_of, request_is_open, requests
from records.values import NewOrder, Taken, cost_rank, risk_rank

LOOK_UP_WITHIN = timedelta(days=1)
"""How long the look-up that a request begins with is tried."""


class Intake(Database):
    """Takes orders, and says which of them wait for their workflow."""

    def take(self, new: NewOrder) -> Taken:
        """Put an order on record and number it, with status ACCEPTED, waiting for the engine, seq 0.

        The order, its files and its secrets are on record together, or nothing is.

        Raises:
            KeyReused: the key stands for another body.
            AlreadyOpen: an open request holds the duplicate key, other than the one that it replaces; or another one
                has replaced that.
            UnknownRequest: its parent, or the request that it replaces, is not on record.
            UnknownUpload: a file is not the requester's.
            UnknownSecret: a secret is not the requester's, or was given for another order.
        """
        try:
            return self._take(new)
        except IntegrityError:
            # Another process took an order with one of our keys between our look and our write. Now it stands.
            return self._take(new)

    def taken(self, requester_id: str, idempotency_key: str, body_digest: str) -> Order | None:
        """Return the order that this person's key already stands for, if it does.

        Raises:
            KeyReused: the key stands for another body.
        """
        with self.read() as connection:
            return _standing(connection, requester_id, idempotency_key, body_digest)

    def open_duplicate(self, duplicate_key: str | None, replaces: str = "") -> str | None:
        """Return the number of the request that stands in the way of an order, if one does (feature row C12).

        Args:
            duplicate_key: what no other open request may stand for.
            replaces: the number of the request that it is to replace, if any.
        """
        with self.read() as connection:
            return _in_the_way(connection, duplicate_key, id_of(replaces))

    def replaced_by(self, number: str) -> str:
        """Return the number of the request that was ordered in the place of this one; empty if none was."""
        with self.read() as connection:
            return _replacing(connection, id_of(number)) or ""

    def _take(self, new: NewOrder) -> Taken:
        with self.write() as connection:
            standing = _standing(connection, new.requester.id, new.idempotency_key, new.body_digest)
            if standing is not None:
                return Taken(order=standing, fresh=False)
            replaced_id = _make_way(connection, new)
            number = _in_the_way(connection, new.duplicate_key, replaced_id)
            if number is not None:
                raise AlreadyOpen(number)
            parent_id = _parent(connection, new.parent)
            order = Order.model_validate(dict(new))  # no dump: its durations do not read back
            request_id = _insert(connection, new, order, {"parent_id": parent_id, "replaces_id": replaced_id})
            attach(connection, new.requester.id, new.uploads, request_id)
            bind(connection, new.requester.id, new.secrets, request_id, parent_id)
        return Taken(order=order.model_copy(update={"number": number_of(request_id)}), fresh=True)

    def add_evidence(self, number: str, owner_id: str, uploads: Collection[str], secrets: Collection[str]) -> None:
        """Give a request files and secrets of somebody who works on it; safe to repeat.

        Raises:
            UnknownRequest: it is not on record.
            UnknownUpload: a file is not this person's.
            UnknownSecret: a secret is not this person's, or was given for another request.
        """
        with self.write() as connection:
            request_id: int | None = connection.scalar(select(requests.c.id).where(requests.c.id == id_of(number)))
            if request_id is None:
                raise UnknownRequest(f"{number[:40]!r} is not in the register.")
            attach(connection, owner_id, uploads, request_id)
            bind(connection, owner_id, secrets, request_id, request_id)

    def unstarted(self, *, before: datetime, limit: int) -> Sequence[Order]:
        """Return orders accepted before that moment whose workflow is not known to have begun, oldest first."""
        query = (
            select(requests.c.id, requests.c.order_document)
            .join(intake, intake.c.request_id == requests.c.id)
            .where(intake.c.started_at.is_(None), requests.c.accepted_at < before)
            .order_by(intake.c.request_id)
            .limit(limit)
        )
        with self.read() as connection:
            rows = connection.execute(query).all()
        return [order_from(row.id, row.order_document) for row in rows]

    def mark_started(self, number: str, at: datetime) -> None:
        """Note that the order's workflow has begun; the first such moment stands.

        Until the workflow itself writes, the request is shown as waiting for the look-up it begins with.
        """
        with self.write() as connection:
            request_id = id_of(number)
            note_started(connection, request_id, at)
            row = connection.execute(
                views().where(requests.c.id == request_id, requests.c.seq == 0).with_for_update()
            ).one_or_none()
            if row is None:
                return
            projection = _looking_up(view_from(row).projection, at)
            connection.execute(
                update(requests)
                .where(requests.c.id == request_id)
                .values(
                    status=projection.status,
                    waits_until=at + LOOK_UP_WITHIN,
                    projection_document=document(projection),
                )
            )


def note_started(connection: Connection, request_id: int | None, at: datetime) -> None:
    """Note that a request's workflow has begun, inside the caller's transaction."""
    connection.execute(
        update(intake).where(intake.c.request_id == request_id, intake.c.started_at.is_(None)).values(started_at=at)
    )


def _in_the_way(connection: Connection, duplicate_key: str | None, replaced_id: int | None) -> str | None:
    """Return the number of the open request that holds the key, or of the one that has replaced the same one."""
    replacing = _replacing(connection, replaced_id)
    if replacing is not None or duplicate_key is None:
        return replacing
    holding = select(requests.c.id).where(requests.c.duplicate_key == duplicate_key, request_is_open)
    request_id = connection.scalar(holding)
    return None if request_id in (None, replaced_id) else number_of(request_id)


def _replacing(connection: Connection, replaced_id: int | None) -> str | None:
    """Return the number of the request that was ordered in the place of another."""
    if replaced_id is None:
        return None
    request_id = connection.scalar(select(requests.c.id).where(requests.c.replaces_id == replaced_id))
    return None if request_id is None else number_of(request_id)


def _make_way(connection: Connection, new: NewOrder) -> int | None:
    """Take from the request that is replaced what the new one is to stand for; return its row id, if there is one.

    Who replaces the same one waits here until this transaction ends, and then finds it replaced.
    """
    if not new.replaces:
        return None
    request_id = _row_of(connection, new.replaces, "request to replace", lock=True)
    same = (requests.c.id == request_id, requests.c.duplicate_key == new.duplicate_key)
    connection.execute(update(requests).where(*same).values(duplicate_key=None))
    return request_id


def stand_for(connection: Connection, request_id: int, order: Order) -> None:
    """Let a request stand for what its order has become, and cost that, inside the caller's transaction.

    If another open request came to hold that meanwhile, this one stands for nothing: that is found out when the change
    is asked for, and what is on its way now must not get stuck on it.
    """
    mine = requests.c.id == request_id
    connection.execute(update(requests).where(mine).values(duplicate_key=None, cost_rank=cost_rank(order.cost)))
    key = order.stands_for
    if key is None:
        return
    with contextlib.suppress(IntegrityError), connection.begin_nested():
        connection.execute(update(requests).where(mine, request_is_open).values(duplicate_key=key))


def _parent(connection: Connection, number: str) -> int | None:
    """Return the row id of the order's parent; None for an order without one."""
    return _row_of(connection, number, "parent") if number else None


def _row_of(connection: Connection, number: str, what: str, *, lock: bool = False) -> int:
    """Return the row id of a request that an order names; `lock` keeps others from it until the transaction ends."""
    query = select(requests.c.id).where(requests.c.id == id_of(number))
    request_id: int | None = connection.scalar(query.with_for_update() if lock else query)
    if request_id is None:
        raise UnknownRequest(f"The order's {what} {number[:40]!r} is not in the register.")
    return request_id


def _insert(connection: Connection, new: NewOrder, order: Order, related: dict[str, int | None]) -> int:
    """Write the order's rows and return the id they were given; `related` are the columns that name other requests."""
    row = insert(requests).values(
        requester_id=order.requester.id,
        beneficiary_id=order.beneficiary.id,
        accepted_at=order.accepted_at,
        status=Status.ACCEPTED,
        seq=0,
        order_document=document(order),
        projection_document=document(_first_projection(order)),
        item_id=order.item.id,
        duplicate_key=new.duplicate_key,
        cost_rank=cost_rank(order.cost),
        risk_rank=risk_rank(order.item.risk),
        **related,
    )
    request_id: int = connection.execute(row.returning(requests.c.id)).scalar_one()
    connection.execute(
        insert(intake).values(
            request_id=request_id,
            actor_id=order.requester.id,
            idempotency_key=new.idempotency_key,
            body_digest=new.body_digest,
            started_at=order.accepted_at if new.started else None,
        )
    )
    return request_id


def _standing(connection: Connection, requester_id: str, idempotency_key: str, body_digest: str) -> Order | None:
    """Return the order that the key already stands for."""
    row = connection.execute(
        select(requests.c.id, requests.c.order_document, intake.c.body_digest)
        .join(intake, intake.c.request_id == requests.c.id)
        .where(intake.c.actor_id == requester_id, intake.c.idempotency_key == idempotency_key)
    ).one_or_none()
    if row is None:
        return None
    if row.body_digest != body_digest:
        raise KeyReused(
            f"This idempotency key already stands for {number_of(row.id)}, which was another order; use a new key."
        )
    return order_from(row.id, row.order_document)


def _looking_up(projection: Projection, at: datetime) -> Projection:
    waiting = Waiting(
        kind=WaitKind.SYSTEM,
        what="A worker looks the people concerned up in the directory. While it does not answer, it is tried again.",
        whom="the directory",
        since=at,
        until=at + LOOK_UP_WITHIN,
        rule="intake.started",
        at_deadline="An operator is asked how to go on.",
        then="Those who decide are asked.",
    )
    return projection.model_copy(update={"status": Status.CHECKING, "waiting": (waiting,), "updated_at": at})


def _first_projection(order: Order) -> Projection:
    at = order.accepted_at
    waiting = Waiting(
        kind=WaitKind.ENGINE,
        what="The order is on record; its processing has not begun yet.",
        since=at,
        rule="intake.outbox",
        then="It begins by itself as soon as the workflow engine answers.",
    )
    return Projection(
        number=order.number,
        seq=0,
        status=Status.ACCEPTED,
        waiting=(waiting,),
        due_at=at + order.item.sla.target,
        updated_at=at,
    )
