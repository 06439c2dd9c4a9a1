"""A record and the register: whatever happens between the two, the register comes to show what the record says."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from sqlite3 import connect
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.builders import NOON, a_new_order, a_person, a_steps_item, an_item, an_order
from support.story import Story, a_notice, a_task
from support.world import World
from temporalio.exceptions import ActivityError, CancelledError

from activities.connectors.memory import MemoryJournal
from activities.journal import JournalWriter
from activities.ports import Journal
from catalog.item import Notification
from catalog.journal import Kind, verify
from catalog.request import Batch, Order, Outcome, Projection, Status, Waiting, WaitKind
from records.register import Register
from workflows.record import Record

KIB = 1024

Fate = Literal["once", "twice", "repeated", "cancelled before", "cancelled after"]


def _cancelled() -> ActivityError:
    """Return what the SDK raises where the wait for a local activity is cancelled."""
    error = ActivityError(
        "Local Activity cancelled",
        scheduled_event_id=0,
        started_event_id=0,
        identity="",
        activity_type="journal.record",
        activity_id="1",
        retry_state=None,
    )
    error.__cause__ = CancelledError("cancelled")
    return error


class Engine:
    """What a record asks of the workflow engine, with all that can happen to a write.

    Attributes:
        fate: of the next write.
        sent: the batches of steps that the engine kept, and of the present one.
    """

    def __init__(self, *journals: Journal) -> None:
        self.length, self.at = 3, NOON
        self.fate: Fate = "once"
        self.sent: list[Batch] = []
        self.serve(*journals)

    def serve(self, *journals: Journal) -> None:
        """Write into these from now on."""
        self._writers = [JournalWriter(journal).record for journal in journals]

    def now(self) -> Any:
        return self.at

    def info(self) -> Any:
        return SimpleNamespace(get_current_history_length=lambda: self.length)

    async def execute_local_activity_method(self, _: Any, batch: Batch, **__: Any) -> Any:
        fate, self.fate = self.fate, "once"
        if fate == "repeated":  # attempts that had timed out come through after all
            for earlier in self.sent:
                self.deliver(earlier)
        self.sent.append(batch)
        if fate == "cancelled before":
            raise _cancelled()
        answer = self.deliver(batch)
        if fate == "twice":
            answer = self.deliver(batch)
        if fate == "cancelled after":
            raise _cancelled()
        return answer

    def deliver(self, batch: Batch) -> Any:
        """Hand a batch over as the engine would, as JSON; all journals have to answer the same."""
        sent = batch.model_dump_json()
        (answer,) = {write(Batch.model_validate_json(sent)) for write in self._writers}
        return answer


class Life:
    """The life of one request: what its steps do to its record, and which of them the engine keeps."""

    def __init__(self, order: Order, engine: Engine) -> None:
        self.number, self.engine, self.record = order.number, engine, Record(order)
        self.keep()

    def keep(self) -> None:
        """Let the engine keep the step; another begins."""
        self.engine.length += 3
        self.engine.at += timedelta(seconds=1)
        self._kept = (copy.deepcopy(self.record), tuple(self.engine.sent))

    def lose(self) -> None:
        """Let the engine lose the step: the request is again where it was, only later."""
        self.record = copy.deepcopy(self._kept[0])
        self.engine.sent = list(self._kept[1])
        self.engine.at += timedelta(seconds=1)

    def open(self) -> None:
        n = len(self.record.tasks) + 1
        self.record.open_task(a_task(self.number, n, "Bob", "Ada Byron"))
        self.record.note(Kind.TASK_OPENED, {"task": n}, status=Status.FULFILMENT)

    def change(self, which: int) -> None:
        """Change a task; not every change has an entry."""
        tasks = list(self.record.tasks)
        if tasks:
            task = tasks[which % len(tasks)]
            self.record.change_task(task, decided="cancelled" if which % 2 else None, reason=f"{self.engine.at}{which}")

    def note(self) -> None:
        self.record.note(Kind.COMMENT, {"text": f"{self.engine.at}"})

    async def flush(self, fate: Fate) -> None:
        self.engine.fate = fate
        with contextlib.suppress(asyncio.CancelledError):
            await self.record.flush()
        self.engine.fate = "once"

    async def close(self) -> None:
        self.record.end(Outcome.FULFILLED, "done")
        self.record.note(Kind.CLOSED, {}, status=Status.CLOSED)
        await self.flush("once")


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Begin lives, each on record in the same register and in a journal in memory: ``life, memory, register``."""
    keys = iter(range(1_000_000))
    with closing(Register(f"sqlite:///{tmp_path / 'register.db'}")) as register:
        register.migrate()

        def begin() -> tuple[Life, MemoryJournal, Register]:
            memory = MemoryJournal()
            engine = Engine(register, memory)
            monkeypatch.setattr("workflows.record.workflow", engine)
            return Life(register.take(a_new_order(f"key-{next(keys)}")).order, engine), memory, register

        yield begin


Doing = Callable[[Life], None]
FATES: tuple[Fate, ...] = ("once", "once", "twice", "repeated", "cancelled before", "cancelled after")
doings: st.SearchStrategy[Doing] = st.sampled_from([Life.open, Life.note]) | st.builds(
    lambda which: lambda life: life.change(which), st.integers(0, 7)
)
ends: st.SearchStrategy[Doing] = st.sampled_from([Life.keep, Life.lose, lambda _: None])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flushes=st.lists(st.tuples(st.lists(doings, max_size=3), st.sampled_from(FATES), ends), max_size=12))
def test_whatever_happens_the_register_ends_up_showing_what_the_request_says(
    lives: Any, flushes: list[tuple[list[Doing], Fate, Doing]]
) -> None:
    life, memory, register = lives()

    async def live() -> None:
        for doings, fate, end in flushes:
            for do in doings:
                do(life)
            await life.flush(fate)
            end(life)
        await life.close()

    asyncio.run(live())
    wanted = life.record._projection()
    for _ in range(2):
        assert shown(register, life) == wanted
        assert memory.projection(life.number) == wanted
        assert verify(register.journal(life.number)) == []
        assert register.journal(life.number) == memory.entries(life.number)
        for task in wanted.tasks:
            view = register.task(task.id)
            assert view is not None
            assert view.task == task
        for batch in life.engine.sent:  # nothing opens it again, nor changes it
            life.engine.deliver(batch)


def shown(register: Register, life: Life) -> Projection:
    view = register.request(life.number)
    assert view is not None
    return view.projection


async def test_a_flush_brings_only_the_tasks_that_have_changed(lives: Any) -> None:
    life, memory, _ = lives()
    for _ in range(3):
        life.open()
        await life.flush("once")
    life.change(1)
    life.note()
    await life.flush("once")
    brought = [[task.id.rpartition(".")[2] for task in batch.projection.tasks] for batch in memory.batches]
    assert brought == [["1"], ["2"], ["3"], ["2"]]


async def test_a_flush_that_was_cancelled_is_made_good_by_the_next(lives: Any) -> None:
    life, _, register = lives()
    life.open()
    await life.flush("once")
    life.open()
    await life.flush("cancelled before")
    life.note()
    await life.flush("once")
    assert shown(register, life) == life.record._projection()


async def test_a_change_without_an_entry_is_not_lost_though_the_register_keeps_the_first_state_of_a_seq(
    lives: Any,
) -> None:
    life, _, register = lives()
    life.open()
    life.keep()
    await life.flush("cancelled after")
    life.change(1)
    await life.flush("once")
    life.note()
    await life.flush("once")
    assert shown(register, life).tasks[0].decided == "cancelled"
    assert shown(register, life) == life.record._projection()


async def test_a_task_changed_in_a_step_that_the_engine_did_not_keep_is_again_as_it_was(lives: Any) -> None:
    life, memory, register = lives()
    life.open()
    life.open()
    await life.flush("once")
    life.keep()
    life.change(1)
    life.open()
    await life.flush("once")
    assert len(shown(register, life).tasks) == 3
    life.lose()
    life.note()
    await life.flush("once")
    assert [task.decided for task in shown(register, life).tasks] == [None, None]
    assert shown(register, life) == life.record._projection() == memory.projection(life.number)
    assert [batch.whole for batch in memory.batches] == [True, False, True]


async def test_a_register_that_has_come_back_from_an_older_backup_is_given_all_tasks(
    lives: Any, tmp_path: Path
) -> None:
    life, memory, _ = lives()
    life.open()
    await life.flush("once")
    with closing(connect(tmp_path / "register.db")) as source, closing(connect(tmp_path / "backup.db")) as target:
        source.backup(target)
    life.open()
    life.change(1)
    await life.flush("once")
    with closing(Register(f"sqlite:///{tmp_path / 'backup.db'}")) as backup:
        life.engine.serve(backup)
        life.note()
        await life.flush("once")
        assert shown(backup, life) == life.record._projection()
        life.open()
        await life.flush("once")
        assert shown(backup, life) == life.record._projection()
    assert [batch.whole for batch in memory.batches] == [True, False]


# --- the activity ---


def test_who_sends_notices_is_told_of_those_that_were_written_only() -> None:
    told: list[str] = []
    story, journal = Story("REQ-1001"), MemoryJournal()
    writer = JournalWriter(journal, lambda: told.append("told"))
    first = story.batch(Kind.OPENED)
    second = story.batch(Kind.COMMENT, notices=(a_notice("REQ-1001"),)).model_copy(update={"whole": False})
    assert writer.record(second) == "all-tasks"
    assert not told
    assert not journal.batches
    assert writer.record(first) is None
    assert not told
    assert writer.record(second) is None
    assert told == ["told"]


# --- the size ---

TEAM = tuple(a_person(name).ref() for name in ("Grace Guard", "Mara Lind", "Rolf Chief"))
TASKS, AT_ONCE = 500, 20


def work_on(record: Record, n: int) -> str:
    """Put a piece of work before three people, as the frame does."""
    task = a_task("REQ-1001", n, *(person.name for person in TEAM), kind="fulfilment", instructions="Label it. " * 50)
    record.open_task(task)
    facts = {"task": task.id, "title": task.title, "people": [{"id": one.id, "name": one.name} for one in TEAM]}
    record.note(Kind.TASK_OPENED, facts, status=Status.FULFILMENT)
    for person in TEAM:
        record.owe("work-needed", person, {**facts, "instructions": task.instructions})
    return record.waits_for(
        Waiting(kind=WaitKind.TASK, what="A label", who=TEAM, since=NOON, rule="work", task=task.id)
    )


async def test_the_biggest_batch_of_a_request_with_500_tasks_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(MemoryJournal())
    monkeypatch.setattr("workflows.record.workflow", engine)
    record = Record(an_order())
    for n in range(1, TASKS + 1):
        work_on(record, n)
        await record.flush()
        if n > AT_ONCE:
            done = f"REQ-1001.{n - AT_ONCE}"
            record.change_task(done, decided="completed", decided_by=TEAM[:1], answers={"tag": "A-17"})
            record.waited_for(done)
            record.note(Kind.TASK_COMPLETED, {"task": done})
            await record.flush()
    sizes = [len(batch.model_dump_json()) for batch in engine.sent]
    whole = len(record._projection().model_dump_json())
    assert max(sizes) <= 64 * KIB
    assert whole > 400 * KIB, "else this shows nothing"


async def test_the_inputs_of_journal_activities_do_not_grow_with_the_tasks_a_request_has_had(world: World) -> None:
    tasks = 12
    work = {
        "id": "label",
        "do": "task",
        "title": "Label {{ each }}",
        "assign": [{"rule": "group", "group": "guards"}],
        "irreversible": "A label stays.",
        "instructions": "Stick it on. " * 100,
    }
    loop = {
        "id": "all",
        "do": "for_each",
        "each": f"{{{{ {list(range(tasks))} }}}}",
        "steps": [work],
    }
    request = await world.place(item=a_steps_item(loop), answers={"why": "Handbook"})
    for n in range(1, tasks + 1):
        await request.reaches(partial(waits_for_work, n))
        await request.work("Grace Guard", "complete", task=n)
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert len(request.now.tasks) == tasks
    history = await request.handle.fetch_history()
    sizes = [
        event.activity_task_scheduled_event_attributes.input.ByteSize()
        for event in history.events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "journal.record"
    ]
    assert len(sizes) >= tasks
    assert max(sizes) < 2 * min(sizes)


def waits_for_work(n: int, shown: Projection) -> bool:
    return len(shown.tasks) == n and any(one.kind is WaitKind.TASK for one in shown.waiting)


async def test_n3_who_acts_is_not_told_and_two_messages_about_one_entry_have_keys_of_their_own(world: World) -> None:
    called_off = await world.place()
    await called_off.waits_for_people()
    await called_off.cancel("Ada Byron")
    await called_off.closes()
    assert called_off.told("closed") == []

    own = Notification(on="closed", to=("{{ requester }}",), subject="Ready", text="It is done.")
    request = await world.place(item=an_item(notifications=(own,)))
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.closes()
    owed = [(one.template, one.event.rpartition("/")[2]) for one in world.journal.notices(request.number)][1:]
    last = request.entries[-1].seq
    assert owed == [("closed", f"{last}"), ("message", f"{last}+1")]
