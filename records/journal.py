"""The journal of every request, and the state it leads to: written together, in one transaction per batch.

What an entry says is `catalog.journal`'s business; it is kept here byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, case, delete, insert, literal, null, select, update
from sqlalchemy.exc import IntegrityError

from catalog.journal import Entry
from catalog.model import canonical
from catalog.request import Batch, Notice, Projection, Status, Task
from records.database import Database, upsert
from records.documents import document, view_from, views
from records.errors import Contradiction, UnknownRequest
from records.intake import note_started
from records.secrets import forget
from records.tables import (
    Moment,
    id_of,
    journal,
    notices,
    request_is_open,
    requests,
    superseded,
    task_assignees,
    tasks,
)


class Journal(Database):
    """Implements `activities.ports.Journal`, and reads what was written."""

    def record(self, batch: Batch) -> None:
        """Write entries, state and notices; see the port.

        An entry that stands with another content was written by a workflow task that the engine then did not keep,
        and did again: the later version takes its place, and the earlier one is kept aside.

        Raises:
            UnknownRequest: the request is not on record.
            Contradiction: an entry belongs elsewhere, or its command has caused another.
        """
        projection = batch.projection
        request_id = id_of(projection.number)
        with self.write() as connection:
            # The lock makes batches of one request wait for each other: a retry may overtake the first attempt.
            row = connection.execute(views().where(requests.c.id == request_id).with_for_update()).one_or_none()
            if request_id is None or row is None:
                raise UnknownRequest(
                    f"{projection.number[:40]!r} is not in the register; was it restored from an older backup?"
                )
            stood = view_from(row).projection
            changed = _first_changed(connection, request_id, batch)
            if changed is not None:
                if (projection.step, projection.updated_at) <= (stood.step, stood.updated_at):
                    return  # a late write of the task that was not kept
                _set_aside(connection, request_id, changed, projection)
            _append(connection, request_id, batch)
            _owe(connection, batch.notices)
            if stood.seq == 0:
                note_started(connection, request_id, projection.updated_at)
            if changed is not None or projection.seq > stood.seq:
                _project(connection, request_id, projection)

    def journal(self, number: str, *, after: int = 0, limit: int = 200) -> Sequence[Entry]:
        """Return the entries with a higher seq, in order."""
        query = (
            select(journal.c.document)
            .where(journal.c.request_id == id_of(number), journal.c.seq > after)
            .order_by(journal.c.seq)
            .limit(limit)
        )
        with self.read() as connection:
            documents = connection.scalars(query).all()
        return [Entry.model_validate_json(document) for document in documents]

    def entry_of(self, number: str, command: str) -> Entry | None:
        """Return the entry that this command caused, if it was carried out."""
        query = select(journal.c.document).where(journal.c.request_id == id_of(number), journal.c.command == command)
        with self.read() as connection:
            document = connection.scalar(query)
        return None if document is None else Entry.model_validate_json(document)


def _first_changed(connection: Connection, request_id: int, batch: Batch) -> int | None:
    """Return the seq of the first entry that stands with another content; None if all that stand are the same."""
    standing = _standing(connection, request_id, batch)
    changed = (entry.seq for entry in batch.entries if standing.get(entry.seq, entry.digest) != entry.digest)
    return min(changed, default=None)


def _set_aside(connection: Connection, request_id: int, seq: int, projection: Projection) -> None:
    """Move the entries from `seq` on out of the journal, and drop the tasks and unsent notices they came with."""
    gone = (journal.c.request_id == request_id, journal.c.seq >= seq)
    columns = ("request_id", "seq", "digest", "document")
    connection.execute(
        insert(superseded).from_select(
            [*columns, "superseded_at"],
            select(*(journal.c[name] for name in columns), literal(projection.updated_at, Moment)).where(*gone),
        )
    )
    events = [f"{projection.number}/{entry}" for entry in connection.scalars(select(journal.c.seq).where(*gone))]
    connection.execute(delete(notices).where(notices.c.event.in_(events), notices.c.state == "pending"))
    connection.execute(delete(journal).where(*gone))
    kept = [task.id for task in projection.tasks]
    dropped = select(tasks.c.task).where(tasks.c.request_id == request_id, tasks.c.task.not_in(kept))
    connection.execute(delete(task_assignees).where(task_assignees.c.task.in_(dropped)))
    connection.execute(delete(tasks).where(tasks.c.request_id == request_id, tasks.c.task.not_in(kept)))


def _standing(connection: Connection, request_id: int, batch: Batch) -> dict[int, str]:
    seqs = [entry.seq for entry in batch.entries]
    query = select(journal.c.seq, journal.c.digest).where(journal.c.request_id == request_id, journal.c.seq.in_(seqs))
    return {row.seq: row.digest for row in connection.execute(query)}


def _append(connection: Connection, request_id: int, batch: Batch) -> None:
    """Insert the entries that do not stand yet."""
    number = batch.projection.number
    standing = _standing(connection, request_id, batch)
    for entry in batch.entries:
        if entry.request != number:
            raise Contradiction(f"An entry of {entry.request} came in a batch of {number}.")
    fresh = [_entry_row(request_id, entry) for entry in batch.entries if entry.seq not in standing]
    if not fresh:
        return
    try:
        connection.execute(insert(journal), fresh)
    except IntegrityError as error:
        raise Contradiction(f"A command of {number} has already caused another entry: {error.orig}") from error


def _entry_row(request_id: int, entry: Entry) -> dict[str, object]:
    return {
        "request_id": request_id,
        "seq": entry.seq,
        "at": entry.at,
        "kind": entry.kind,
        "actor_id": entry.actor.id if entry.actor else None,
        "rule": entry.rule,
        "command": entry.command or None,
        "digest": entry.digest,
        "document": canonical(entry).decode(),
    }


def _owe(connection: Connection, owed: Sequence[Notice]) -> None:
    """Insert the notices that are not on record yet."""
    if not owed:
        return
    rows = [
        {
            "event": notice.event,
            "recipient_id": notice.to.id,
            "state": "pending",
            "attempts": 0,
            "last_error": "",
            "document": document(notice),
        }
        for notice in owed
    ]
    connection.execute(upsert(connection, notices).on_conflict_do_nothing(), rows)


def _project(connection: Connection, request_id: int, projection: Projection) -> None:
    """Replace the state of the request and of its tasks; with its end, forget what it was trusted with."""
    connection.execute(
        update(requests)
        .where(requests.c.id == request_id)
        .values(
            status=projection.status,
            seq=projection.seq,
            projection_document=document(projection),
            # What was closed does not get its key back if the engine did not keep its end: another may have it by now.
            duplicate_key=case((request_is_open, requests.c.duplicate_key), else_=null()),
        )
    )
    if projection.status is Status.CLOSED:
        forget(connection, request_id)
    if not projection.tasks:
        return
    statement = upsert(connection, tasks)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["task"],
            set_={"decided": statement.excluded.decided, "document": statement.excluded.document},
        ),
        [_task_row(request_id, task) for task in projection.tasks],
    )
    _assign(connection, projection.tasks)


def _task_row(request_id: int, task: Task) -> dict[str, object]:
    return {
        "request_id": request_id,
        "task": task.id,
        "kind": task.kind,
        "decided": task.decided,
        "document": document(task),
    }


def _assign(connection: Connection, changed: Sequence[Task]) -> None:
    """Replace who is asked; who was asked before stays on record as such."""
    ids = [task.id for task in changed]
    connection.execute(update(task_assignees).where(task_assignees.c.task.in_(ids)).values(asked=False))
    rows = [
        {"person_id": assignee.person.id, "task": task.id, "asked": True, "verdict": assignee.verdict}
        for task in changed
        for assignee in task.assignees
    ]
    if not rows:
        return
    statement = upsert(connection, task_assignees)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["person_id", "task"], set_={"asked": True, "verdict": statement.excluded.verdict}
        ),
        rows,
    )
