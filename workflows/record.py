"""What a request will have written: its journal, its state and the notices it owes, and the one way to write them.

The workflow changes its state in memory and calls `flush` where it is about to wait or to end. One flush is one
activity and one transaction, whatever it carries: what is new, and of the tasks those that have changed. A register
that stands elsewhere than this record believes (an older backup; a step that the engine did not keep and did again)
asks for all of them, which is a second activity.

What a person's command led to is written only once the engine's history holds the command: an update that is being
worked on exists nowhere but in memory, and would be forgotten with a server that dies, while the register already
showed it. Everything else that moves a request (an activity's answer, a timer) is in the history before the
workflow sees it; it may be worked on twice, and then the register keeps the later version.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from workflows.options import JOURNAL, LOCAL_JOURNAL

with workflow.unsafe.imports_passed_through():
    from activities.journal import AllTasks, JournalWriter
    from catalog.journal import GENESIS, Chain, Entry, Kind
    from catalog.model import Model
    from catalog.people import Actor, PersonRef
    from catalog.request import Amendment, Batch, Notice, Order, Outcome, Projection, Status, Task, Template, Waiting


KEPT_WITHIN = timedelta(milliseconds=300)
"""How long a flush waits for the answer of a running attempt to make a command durable, before a timer does."""
KEPT_SOON = timedelta(milliseconds=1)
MOST_KEPT = 32 * 1024
"""What a batch comes to at most, in bytes, that travels through the engine: a vote among 500 approvers would fill its
history with the names of all of them."""
MOST_SENT = 1024 * 1024
"""The same, of requests that began under a release that knew no other limit than the engine's of 2 MiB."""


class RecordSoFar(Model):
    """What a run that ends hands to the one that goes on with the request.

    Attributes:
        seq, head: where the journal has come to.
        tasks: all it ever opened; those that are decided in brief, since there may be many, of hundreds of people.
        asked: who was asked by those that are decided, by id.
        waits: how many waits there were; their keys differ.
        steps: how long the histories of earlier runs were.
    """

    amendment: Amendment | None = None
    seq: int = 0
    head: str = GENESIS
    status: Status = Status.ACCEPTED
    tasks: tuple[Task, ...] = ()
    asked: tuple[str, ...] = ()
    waits: int = 0
    steps: int = 0


class Record:
    """The record of one request, as far as it has come.

    Attributes:
        order: whose record it is, as it stands now.
        waits: what the request waits for now, each under a key of its own; shown to people once flushed.
        tasks: all tasks it ever opened, by id.
        attempting: how many attempts on targets are running, whose answers will come by themselves.
        clock_at: when one of its clocks warns or is breached next.
    """

    def __init__(self, order: Order, carried: RecordSoFar | None = None) -> None:
        so_far = carried or RecordSoFar()
        self.amendment = so_far.amendment
        self.order = order.amended(so_far.amendment)
        self._chain = Chain(order.number, so_far.seq, so_far.head)
        self._entries: list[Entry] = []
        self._commander = ""  # whose command is carried out, by person id
        self._acted = ""  # who caused the newest entry
        self._followers: list[Callable[[Entry], None]] = []
        self._notices: list[Notice] = []
        self._kept = {task.id: task for task in so_far.tasks}  # the tasks as the register has them for certain
        self._flushing = asyncio.Lock()
        self._flushed = so_far.seq  # how far a flush has come, whether or not it was written
        self._closed_at: datetime | None = None
        self.status = so_far.status
        self.outcome: Outcome | None = None
        self.reason = ""
        self.waits: dict[str, Waiting] = {}
        self.tasks: dict[str, Task] = dict(self._kept)
        self._asked = set(so_far.asked)
        self.attempting = 0
        self.clock_at: datetime | None = None
        self._phase = so_far.status
        self._commanded_at = 0
        self._waits = so_far.waits
        self._steps = so_far.steps

    def so_far(self) -> RecordSoFar:
        """Return what another run has to know to go on with it; everything noted has been flushed."""
        return RecordSoFar(
            amendment=self.amendment,
            seq=self._chain.seq,
            head=self._chain.head,
            status=self.status,
            tasks=tuple(task.in_brief() for task in self.tasks.values()),
            asked=tuple(sorted(self._everybody_asked(decided=True))),
            waits=self._waits,
            steps=self._steps + workflow.info().get_current_history_length(),
        )

    def has_asked(self, person: PersonRef) -> bool:
        """Return whether somebody was ever asked to decide or to do something."""
        return person.id in self._everybody_asked()

    def _everybody_asked(self, *, decided: bool = False) -> set[str]:
        tasks = [task for task in self.tasks.values() if task.decided or not decided]
        return self._asked | {one.person.id for task in tasks for one in task.assignees}

    def obeys(self, actor: Actor) -> None:
        """Say that what is noted until `commanded` follows from a command of theirs, also where no entry names them."""
        self._commander = actor.person.id

    def commanded(self) -> None:
        """Say that a command was carried out that the history does not hold yet; what it leads to is noted now."""
        self._commander = ""
        self._commanded_at = workflow.info().get_current_history_length()

    def note(
        self,
        kind: Kind,
        data: dict[str, Any],
        *,
        status: Status | None = None,
        actor: Actor | None = None,
        on_behalf_of: PersonRef | None = None,
        rule: str = "",
        command: str = "",
    ) -> Entry:
        """Append an entry; `status` is the one it leads to, where it leads to another.

        As long as an operator is asked, that is where the request stands, whatever else goes on beside it.
        """
        if status and status is not Status.ATTENTION:
            self._phase = status
        before, self.status = self.status, self._standing()
        changed = before is not self.status
        entry = self._chain.append(
            kind,
            workflow.now(),
            actor=actor,
            on_behalf_of=on_behalf_of,
            rule=rule,
            from_status=before if changed else "",
            to_status=self.status if changed else "",
            data=data,
            command=command,
        )
        self._entries.append(entry)
        self._acted = actor.person.id if actor else self._commander
        for follow in self._followers:
            follow(entry)
        return entry

    def follows(self, follow: Callable[[Entry], None]) -> None:
        """Have every entry from now on told as it is noted."""
        self._followers.append(follow)

    def _standing(self) -> Status:
        asked = any(task.kind == "operator" and task.decided is None for task in self.tasks.values())
        return Status.ATTENTION if asked and self._phase is not Status.CLOSED else self._phase

    def owe(self, template: Template, to: PersonRef, data: dict[str, Any]) -> None:
        """Owe somebody a message about the newest entry; whoever caused that knows (feature row N3).

        What an item's author writes goes to whom it names. A second message to one person about the same entry has a
        key of its own, so that neither is taken for the other's repetition.
        """
        if to.id == self._acted and template != "message":
            return
        event = f"{self.order.number}/{self._chain.seq}"
        told = sum(one.to.id == to.id and one.event.partition("+")[0] == event for one in self._notices)
        self._notices.append(Notice(event=f"{event}+{told}" if told else event, template=template, to=to, data=data))

    def waits_for(self, waiting: Waiting) -> str:
        """Say that something is waited for, beside whatever else is; returns the key to `waited_for`."""
        self._waits += 1
        key = waiting.task or f"{self._waits}"  # two may wait for what is called the same
        self.waits[key] = waiting
        return key

    def waited_for(self, key: str) -> None:
        """Say that a wait is over."""
        self.waits.pop(key, None)

    def open_task(self, task: Task) -> None:
        """Put a task up for decision."""
        self.tasks[task.id] = task

    def change_task(self, task_id: str, **changes: Any) -> Task:
        """Change a task and return it as it now is; what its evidence names is kept until it is decided."""
        over: dict[str, Any] = {"known": {}} if changes.get("decided") else {}
        task = self.tasks[task_id].model_copy(update=changes | over)
        self.tasks[task_id] = task
        return task

    def next_task_id(self) -> str:
        """Return the id for the next task."""
        return f"{self.order.number}.{len(self.tasks) + 1}"

    def amend(self, amendment: Amendment) -> None:
        """Change what was ordered."""
        self.amendment = amendment
        self.order = self.order.amended(amendment)

    def end(self, outcome: Outcome, reason: str) -> None:
        """Set how the request ended; the closing entry follows."""
        self.outcome, self.reason, self._closed_at, self.waits = outcome, reason, workflow.now(), {}

    async def flush(self) -> None:
        """Return once everything noted so far stands in the register; retried for as long as that takes."""
        async with self._flushing:
            if self._volatile() and self.attempting:
                with contextlib.suppress(TimeoutError):
                    await workflow.wait_condition(lambda: not self._volatile(), timeout=KEPT_WITHIN)
            if not self._entries:
                return
            entries, notices, tasks = tuple(self._entries), tuple(self._notices), dict(self.tasks)
            batch = Batch(entries=entries, projection=self._projection(), notices=notices)
            # Where a flush that was cancelled got to write, the register has a state of this seq, and keeps it.
            first_of_its_seq = self._chain.seq > self._flushed
            self._flushed = self._chain.seq
            try:
                if await self._write(_changed(batch, self._kept)):
                    # Whatever it holds is in the history by now.
                    await workflow.execute_local_activity_method(JournalWriter.record, batch, **LOCAL_JOURNAL)
            except ActivityError as failure:
                # What the SDK makes of a wait that is cancelled; everybody above knows asyncio's word for it.
                if is_cancelled_exception(failure):
                    raise asyncio.CancelledError from failure
                raise
            # Only now: what was noted while the flush ran, or a flush that was cancelled, is written by the next.
            del self._entries[: len(entries)]
            del self._notices[: len(notices)]
            if first_of_its_seq:
                self._kept = tasks

    async def _write(self, batch: Batch) -> AllTasks | None:
        """Write a batch; returns whether it is wanted whole instead."""
        while self._volatile():
            if self._goes_through_the_engine(len(batch.model_dump_json())):
                # The engine hands this out only after it has put the command into the history.
                return await workflow.execute_activity_method(JournalWriter.record, batch, summary="Journal", **JOURNAL)
            await workflow.sleep(KEPT_SOON)  # a timer makes the command durable too
        # No input of this comes into the history, so that its size does not count.
        return await workflow.execute_local_activity_method(JournalWriter.record, batch, **LOCAL_JOURNAL)

    def _goes_through_the_engine(self, size: int) -> bool:
        """Return whether a batch is sent as the input of an activity, which stands in the history for ever."""
        # Histories of earlier releases hold larger ones.
        return size <= MOST_KEPT or (size <= MOST_SENT and not workflow.patched("small-batches"))

    def _volatile(self) -> bool:
        """Return whether a command came in this very workflow task: a later one begins only after it was kept."""
        return workflow.info().get_current_history_length() == self._commanded_at

    def _projection(self) -> Projection:
        return Projection(
            number=self.order.number,
            seq=self._chain.seq,
            step=self._steps + workflow.info().get_current_history_length(),
            status=self.status,
            outcome=self.outcome,
            reason=self.reason,
            waiting=tuple(self.waits.values()),
            tasks=tuple(self.tasks.values()),
            amendment=self.amendment,
            due_at=self.order.due_at,
            clock_at=self.clock_at,
            updated_at=workflow.now(),
            closed_at=self._closed_at,
        )


def _changed(batch: Batch, kept: dict[str, Task]) -> Batch:
    """Return the batch without the tasks that the register has; all of them would outgrow what the engine carries."""
    tasks = tuple(task for task in batch.projection.tasks if kept.get(task.id) is not task)
    projection = batch.projection.model_copy(update={"tasks": tasks})
    return batch.model_copy(update={"projection": projection, "whole": not kept})
