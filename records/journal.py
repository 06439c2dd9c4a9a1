"""The journal of every request, and the state it leads to: written together, in one transaction per batch.

What an entry says is `catalog.journal`'s business; it is kept here byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, case, delete, insert, literal, null, or_, select, update
from sqlalchemy.exc import IntegrityError

from catalog.journal import Entry
from catalog.model import canonical
from catalog.request import Assignee, Batch, Projection, Status, Task
from catalog.watch import next_timer
from records.database import Database, upsert
from records.documents import document, order_from, view_from, views
from records.errors import Contradiction, UnknownRequest
from records.intake import note_started, stand_for
from records.milestones import forget_milestones, note_milestone
from records.notices import owe
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
from records.values import is_delegated, is_shared


class Journal(Database):
    """Implements `activities.ports.Journal`, and reads what was written."""

    def record(self, batch: Batch) -> bool:
        """Write entries, state and notices; see the port.

        An entry that stands with another content was written by a workflow task that the engine then did not keep,
        and did again: the later version takes its place, and the earlier one is kept aside. What its tasks were like
        before is not known here, so that only a whole batch can do that.

        Returns:
            False if nothing was written, and the batch is wanted whole.

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
            view = view_from(row)
            stood = view.projection
            standing = _standing(connection, request_id, batch)
            changed = batch.first_changed(standing)
            if changed and (projection.step, projection.updated_at) <= (stood.step, stood.updated_at):
                return True  # a late write of the task that was not kept
            if not batch.fits(standing):
                return False
            if changed:
                _set_aside(connection, request_id, changed, projection)
            _append(connection, request_id, batch)
            owe(connection, batch.notices)
            if stood.seq == 0:
                note_started(connection, request_id, projection.updated_at)
            if changed or projection.seq > stood.seq:
                now = _project(connection, request_id, batch)
                if now.amendment != stood.amendment:
                    stand_for(connection, request_id, order_from(request_id, row.order_document).amended(now.amendment))
                note_milestone(connection, request_id, view.order, None if changed else stood, now)
            return True

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


def _set_aside(connection: Connection, request_id: int, seq: int, projection: Projection) -> None:
    """Move the entries from `seq` on out of the journal, and drop the tasks, milestones and unsent mail after them."""
    gone = (journal.c.request_id == request_id, journal.c.seq >= seq)
    columns = ("request_id", "seq", "digest", "document")
    connection.execute(
        insert(superseded).from_select(
            [*columns, "superseded_at"],
            select(*(journal.c[name] for name in columns), literal(projection.updated_at, Moment)).where(*gone),
        )
    )
    first = select(journal.c.at).where(journal.c.request_id == request_id, journal.c.seq == seq)
    forget_milestones(connection, request_id, since=connection.execute(first).scalar_one())
    events = [f"{projection.number}/{entry}" for entry in connection.scalars(select(journal.c.seq).where(*gone))]
    more = (notices.c.event.startswith(f"{event}+", autoescape=True) for event in events)  # see `Record.owe`
    about = or_(notices.c.event.in_(events), *more)
    connection.execute(delete(notices).where(about, notices.c.state == "pending"))
    connection.execute(delete(journal).where(*gone))
    kept = [task.id for task in projection.tasks]
    dropped = select(tasks.c.task).where(tasks.c.request_id == request_id, tasks.c.task.not_in(kept))
    connection.execute(delete(task_assignees).where(task_assignees.c.task.in_(dropped)))
    connection.execute(delete(tasks).where(tasks.c.request_id == request_id, tasks.c.task.not_in(kept)))


def _standing(connection: Connection, request_id: int, batch: Batch) -> dict[int, str]:
    """Return the digests of those entries that stand, and of the one before them, by seq."""
    seqs = {seq for entry in batch.entries for seq in (entry.seq - 1, entry.seq)}
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


def _project(connection: Connection, request_id: int, batch: Batch) -> Projection:
    """Replace the state of the request and of the tasks that came, and return it, with all tasks.

    With its end, forget what it was trusted with.
    """
    projection, whole = batch.projection, batch.over(_tasks(connection, request_id))
    timer = next_timer(projection)
    connection.execute(
        update(requests)
        .where(requests.c.id == request_id)
        .values(
            status=projection.status,
            seq=projection.seq,
            projection_document=document(whole),
            waits_until=timer.at if timer else None,
            # What was closed does not get its key back if the engine did not keep its end: another may have it by now.
            duplicate_key=case((request_is_open, requests.c.duplicate_key), else_=null()),
        )
    )
    if projection.status is Status.CLOSED:
        forget(connection, request_id)
    if not projection.tasks:
        return whole
    statement = upsert(connection, tasks)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["task"],
            set_={name: statement.excluded[name] for name in ("decided", "due_at", "document")},
        ),
        [_task_row(request_id, task) for task in projection.tasks],
    )
    _assign(connection, projection.tasks)
    return whole


def _tasks(connection: Connection, request_id: int) -> Iterator[Task]:
    """Yield the tasks that stand, in the order they were opened."""
    query = select(tasks.c.document).where(tasks.c.request_id == request_id).order_by(tasks.c.id)
    return map(Task.model_validate_json, connection.scalars(query))


def _task_row(request_id: int, task: Task) -> dict[str, object]:
    return {
        "request_id": request_id,
        "task": task.id,
        "kind": task.kind,
        "decided": task.decided,
        "due_at": task.due_at,
        "document": document(task),
    }


def _assign(connection: Connection, changed: Sequence[Task]) -> None:
    """Replace who is asked; who was asked before stays on record as such."""
    ids = [task.id for task in changed]
    connection.execute(update(task_assignees).where(task_assignees.c.task.in_(ids)).values(asked=False, shared=False))
    shared = {task.id: is_shared(task) for task in changed}
    rows = [_assignee_row(task, assignee, shared[task.id]) for task in changed for assignee in task.assignees]
    if not rows:
        return
    statement = upsert(connection, task_assignees)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["person_id", "task"],
            set_={name: statement.excluded[name] for name in ("asked", "verdict", "delegated", "shared")},
        ),
        rows,
    )


def _assignee_row(task: Task, assignee: Assignee, shared: bool) -> dict[str, object]:
    delegated = is_delegated(assignee)
    return {
        "person_id": assignee.person.id,
        "task": task.id,
        "asked": True,
        "verdict": assignee.verdict,
        "delegated": delegated,
        "shared": shared and not delegated,
    }
