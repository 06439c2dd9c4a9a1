"""Delegations: who may decide in whose place (feature row A8). Nothing is deleted: one that is withdrawn says so.

Which of them count for a decision is `catalog.delegation`'s business. Each beginning and each end is kept as not
announced until everything it concerns was told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert, or_, select, update

from catalog.delegation import MAX_DEPTH, Delegation, refuse_beside
from catalog.model import Model
from catalog.request import Notice
from records.database import Database, one_at_a_time
from records.documents import document
from records.errors import DelegationRefused, KeyReused
from records.notices import owe
from records.tables import MAX_ID, delegations, is_key, number_of, task_assignees, task_is_open, tasks
from records.values import Page


class Turn(Model):
    """A delegation that has begun or is over, while what it concerns was not told."""

    delegation: Delegation
    what: Literal["begins", "ends"]


class Delegations(Database):
    """Keeps delegations; implements `activities.ports.Delegations`."""

    def set_delegation(self, new: Delegation, body_digest: str, owed: Sequence[Notice] = ()) -> Delegation:
        """Put a delegation on record, with the notices it causes; one that stands by its id is left as it is.

        Returns:
            The one that stands.

        Raises:
            KeyReused: its id stands for another body.
            DelegationRefused: it cannot be set beside the others of the same person.
        """
        row = {
            "delegation": new.id,
            "body_digest": body_digest,
            "person_id": new.person.id,
            "delegate_id": new.delegate.id,
            "begins": new.begins,
            "over_at": new.over_at,
            "document": document(new),
        }
        with self.write() as connection:
            one_at_a_time(connection, f"delegations of {new.person.id}")
            standing = _standing(connection, new.id, body_digest)
            if standing is None:
                refusal = refuse_beside(new, _by(connection, {new.person.id}, new.created_at))
                if refusal:
                    raise DelegationRefused(refusal)
                connection.execute(insert(delegations).values(row))
                owe(connection, owed)
        return standing or new

    def delegation_set(self, delegation_id: str, body_digest: str) -> Delegation | None:
        """Return the delegation that was set by this id before, if one was.

        Raises:
            KeyReused: it stands for another body.
        """
        with self.read() as connection:
            return _standing(connection, delegation_id, body_digest)

    def withdraw_delegation(self, delegation_id: str, at: datetime, owed: Sequence[Notice] = ()) -> bool:
        """Put on record that a delegation was withdrawn; return whether it was in force or to come until then.

        The notices are owed only if it was. One that had not begun has no end that anybody would have to be told of.
        """
        with self.write() as connection:
            query = select(delegations.c.document).where(
                delegations.c.delegation == delegation_id, delegations.c.over_at > at
            )
            text = connection.scalar(query.with_for_update())
            if text is None:
                return False
            withdrawn = Delegation.model_validate_json(text).model_copy(update={"withdrawn_at": at})
            columns: dict[str, str | datetime] = {"over_at": at, "document": document(withdrawn)}
            if at < withdrawn.begins:
                columns |= {"announced_begin_at": at, "announced_end_at": at}
            mine = delegations.c.delegation == delegation_id
            connection.execute(update(delegations).where(mine).values(columns))
            owe(connection, owed)
        return True

    def delegation(self, delegation_id: str) -> Delegation | None:
        """Return a delegation; None for an unknown or malformed id."""
        if not is_key(delegation_id):
            return None
        query = select(delegations.c.document).where(delegations.c.delegation == delegation_id)
        with self.read() as connection:
            text = connection.scalar(query)
        return None if text is None else Delegation.model_validate_json(text)

    def delegations(
        self,
        *,
        viewer: str | None,
        state: Literal["open", "closed"],
        at: datetime,
        after: int | None = None,
        limit: int = 50,
    ) -> Page[Delegation]:
        """Return delegations, newest first: those by and to the person; all if `viewer` is None.

        Open: in force at that moment, or to come. Closed: over or withdrawn.
        """
        is_open = delegations.c.over_at > at
        query = select(delegations.c.id, delegations.c.document).where(is_open if state == "open" else ~is_open)
        if viewer is not None:
            query = query.where(or_(delegations.c.person_id == viewer, delegations.c.delegate_id == viewer))
        if after is not None:
            query = query.where(delegations.c.id < min(max(after, 0), MAX_ID))
        with self.read() as connection:
            rows = connection.execute(query.order_by(delegations.c.id.desc()).limit(limit + 1)).all()
        found = tuple(Delegation.model_validate_json(row.document) for row in rows[:limit])
        return Page(items=found, next=rows[limit - 1].id if len(rows) > limit else None)

    def touching(self, person_ids: Collection[str], at: datetime) -> tuple[Delegation, ...]:
        """Return what these people have delegated and is in force at that moment or to come; see the port.

        Also what their delegates have, and theirs, as far as a chain goes: one query for each link of it.
        """
        found: dict[str, Delegation] = {}
        known, wanted = set[str](), set(person_ids)
        with self.read() as connection:
            for _ in range(MAX_DEPTH + 1):
                if not wanted:
                    break
                for one in _by(connection, wanted, at):
                    found[one.id] = one
                known |= wanted
                wanted = {one.delegate.id for one in found.values()} - known
        return tuple(found.values())

    def turning(self, until: datetime, limit: int) -> Sequence[Turn]:
        """Return the delegations that have begun or ended by that moment and were not announced, oldest first.

        One that is over by then has only an end, whether or not its beginning was announced.
        """
        due = or_(delegations.c.announced_begin_at.is_(None), delegations.c.over_at <= until)
        query = (
            select(delegations.c.document, delegations.c.over_at)
            .where(delegations.c.announced_end_at.is_(None), delegations.c.begins <= until, due)
            .order_by(delegations.c.begins, delegations.c.id)
            .limit(limit)
        )
        with self.read() as connection:
            rows = connection.execute(query).all()
        return [
            Turn(
                delegation=Delegation.model_validate_json(row.document),
                what="ends" if row.over_at <= until else "begins",
            )
            for row in rows
        ]

    def mark_announced(self, turn: Turn, at: datetime) -> None:
        """Note that everything it concerns was told."""
        column = "announced_begin_at" if turn.what == "begins" else "announced_end_at"
        mine = delegations.c.delegation == turn.delegation.id
        with self.write() as connection:
            connection.execute(update(delegations).where(mine).values({column: at}))

    def principals(self, person_id: str, at: datetime) -> frozenset[str]:
        """Return the ids of those whose chain may lead over this person at that moment or later, and the person's."""
        known, wanted = {person_id}, {person_id}
        with self.read() as connection:
            for _ in range(MAX_DEPTH):
                lead_here = select(delegations.c.person_id).where(
                    delegations.c.delegate_id.in_(sorted(wanted)), delegations.c.over_at > at
                )
                wanted = set(connection.scalars(lead_here)) - known
                if not wanted:
                    break
                known |= wanted
        return frozenset(known)

    def deciding(self, person_ids: Collection[str]) -> Sequence[str]:
        """Return the numbers of requests that one of them is asked to approve, oldest first.

        Also where their vote is there already: it may be taken back, and then others may stand in than before.
        """
        query = (
            select(tasks.c.request_id)
            .join(task_assignees, task_assignees.c.task == tasks.c.task)
            .where(
                task_assignees.c.person_id.in_(sorted(person_ids)),
                task_assignees.c.asked,
                tasks.c.kind == "approval",
                task_is_open,
            )
            .distinct()
            .order_by(tasks.c.request_id)
        )
        with self.read() as connection:
            return [number_of(request_id) for request_id in connection.scalars(query)]


def _standing(connection: Connection, delegation_id: str, body_digest: str) -> Delegation | None:
    """Return the delegation that stands by this id."""
    query = select(delegations.c.document, delegations.c.body_digest).where(delegations.c.delegation == delegation_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.body_digest != body_digest:
        raise KeyReused("This idempotency key already stands for another delegation; use a new key.")
    return Delegation.model_validate_json(row.document)


def _by(connection: Connection, person_ids: Collection[str], at: datetime) -> Iterator[Delegation]:
    """Yield what these people have delegated and is not over at that moment."""
    query = (
        select(delegations.c.document)
        .where(delegations.c.person_id.in_(sorted(person_ids)), delegations.c.over_at > at)
        .order_by(delegations.c.id)
    )
    return map(Delegation.model_validate_json, connection.scalars(query))
