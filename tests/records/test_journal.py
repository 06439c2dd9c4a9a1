from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from support.builders import NOON, a_new_order, a_person
from support.story import Story, a_notice, a_task

from catalog.journal import Kind, verify
from catalog.model import digest
from catalog.request import Assignee, Batch, Status, Task
from records.register import Contradiction, InboxQuery, Register, UnknownRequest
from records.tables import superseded


@pytest.fixture
def story(register: Register) -> Story:
    return Story(register.take(a_new_order()).order.number)


def test_entries_come_back_in_order_and_the_chain_holds(register: Register, story: Story) -> None:
    batches = [story.batch(Kind.OPENED, Kind.RESOLVED), story.batch(Kind.VOTE)]
    for batch in batches:
        register.record(batch)
    entries = register.journal(story.number)
    assert entries == [entry for batch in batches for entry in batch.entries]
    assert verify(entries) == []


def test_the_journal_is_read_in_parts(register: Register, story: Story) -> None:
    register.record(story.batch(Kind.OPENED, Kind.RESOLVED, Kind.STAGE_OPENED, Kind.VOTE))
    assert [entry.seq for entry in register.journal(story.number, limit=2)] == [1, 2]
    assert [entry.seq for entry in register.journal(story.number, after=2)] == [3, 4]
    assert not register.journal(story.number, after=4)


def test_a_batch_changes_the_state_of_the_request(register: Register, story: Story) -> None:
    batch = story.batch(Kind.OPENED, status=Status.CHECKING)
    register.record(batch)
    view = register.request(story.number)
    assert view is not None
    assert view.projection == batch.projection


def test_repeating_a_batch_changes_nothing(register: Register, story: Story) -> None:
    batch = story.batch(Kind.OPENED, tasks=(a_task(story.number, 1, "Bob"),), notices=(a_notice(story.number),))
    for _ in range(3):
        register.record(batch)
    assert len(register.journal(story.number)) == 1
    assert len(register.tasks(InboxQuery(person_id="id-bob")).items) == 1
    assert register.notice_counts()["pending"] == 1


def test_an_older_batch_that_comes_late_adds_its_entries_but_not_its_state(register: Register, story: Story) -> None:
    older = story.batch(Kind.OPENED, tasks=(a_task(story.number, 1, "Bob"),))
    said_no = Assignee.model_validate({"person": a_person("Bob").ref(), "verdict": "reject", "at": NOON})
    task = a_task(story.number, 1, said_no, decided="reject")
    newer = story.batch(Kind.VOTE, status=Status.CLOSED, tasks=(task,))
    register.record(newer)
    register.record(older)
    assert verify(register.journal(story.number)) == []
    view, kept = register.request(story.number), register.task(task.id)
    assert view is not None
    assert view.projection == newer.projection
    assert kept is not None
    assert kept.task == task
    assert not register.tasks(InboxQuery(person_id="id-bob")).items


def test_batches_that_overlap_are_joined(register: Register, story: Story) -> None:
    first, second = story.batch(Kind.OPENED), story.batch(Kind.RESOLVED)
    register.record(first)
    register.record(second.model_copy(update={"entries": first.entries + second.entries}))
    assert [entry.seq for entry in register.journal(story.number)] == [1, 2]


def redone(story: Story, *, later: timedelta) -> tuple[Batch, Batch]:
    """Return two versions of the same step: a workflow task that was not kept, and the one that did it again."""
    first = Story(story.number)
    first.batch(Kind.OPENED)
    lost = first.batch(
        Kind.STAGE_OPENED,
        Kind.STAGE_CLOSED,
        tasks=(a_task(story.number, 1, "Bob"), a_task(story.number, 2, "Bob")),
        notices=(a_notice(story.number, 3), a_notice(story.number, 2)),
    )
    second = Story(story.number)
    second.batch(Kind.OPENED)
    kept = second.batch(
        Kind.STAGE_OPENED,
        at=NOON + later,
        tasks=(a_task(story.number, 1, "Bob"),),
        notices=(a_notice(story.number, 2),),
    )
    return lost, kept


def test_a_step_done_again_takes_the_place_of_the_one_the_engine_did_not_keep(register: Register, story: Story) -> None:
    opened = story.batch(Kind.OPENED)
    lost, kept = redone(story, later=timedelta(seconds=10))
    for batch in (opened, lost, kept):
        register.record(batch)
    entries = register.journal(story.number)
    assert entries == [*opened.entries, *kept.entries]
    assert verify(entries) == []
    view = register.request(story.number)
    assert view is not None
    assert view.projection == kept.projection
    assert [view.task.id for view in register.tasks(InboxQuery(person_id="id-bob")).items] == ["REQ-1001.1"]
    with register.read() as connection:
        aside = connection.scalars(select(superseded.c.digest).order_by(superseded.c.seq)).all()
    assert aside == [entry.digest for entry in lost.entries]


def test_which_version_is_later_is_told_by_the_history_not_by_a_clock_that_was_set_back(
    register: Register, story: Story
) -> None:
    opened = story.batch(Kind.OPENED)
    lost, kept = redone(story, later=timedelta(seconds=-10))
    kept = kept.model_copy(update={"projection": kept.projection.model_copy(update={"step": 9})})
    for batch in (opened, lost, kept):
        register.record(batch)
    assert register.journal(story.number) == [*opened.entries, *kept.entries]


def test_what_was_not_kept_is_not_told_if_it_was_not_told_yet(register: Register, story: Story) -> None:
    opened = story.batch(Kind.OPENED)
    lost, kept = redone(story, later=timedelta(seconds=10))
    for batch in (opened, lost, kept):
        register.record(batch)
    claimed = register.claim_notice(NOON + timedelta(days=1))
    assert claimed is not None
    assert claimed.notice.event == f"{story.number}/2"
    assert register.claim_notice(NOON + timedelta(days=1)) is None


def test_what_was_told_is_not_told_again_when_its_step_is_done_again(register: Register, story: Story) -> None:
    opened = story.batch(Kind.OPENED)
    lost, kept = redone(story, later=timedelta(seconds=10))
    register.record(opened)
    register.record(lost)
    while (claimed := register.claim_notice(NOON)) is not None:
        register.notice_sent(claimed.id, NOON)
    register.record(kept)
    assert register.claim_notice(NOON) is None


def test_a_late_write_of_a_step_that_was_not_kept_changes_nothing(register: Register, story: Story) -> None:
    opened = story.batch(Kind.OPENED)
    lost, kept = redone(story, later=timedelta(seconds=10))
    for batch in (opened, kept, lost):
        register.record(batch)
    assert register.journal(story.number) == [*opened.entries, *kept.entries]
    assert register.notice_counts()["pending"] == 1


def changes_only(batch: Batch) -> Batch:
    """Return the batch as one whose tasks are only those that have changed."""
    return batch.model_copy(update={"whole": False})


def tasks_shown(register: Register, story: Story) -> list[Task]:
    view = register.request(story.number)
    assert view is not None
    for task in view.projection.tasks:
        kept = register.task(task.id)
        assert kept is not None
        assert kept.task == task
    return list(view.projection.tasks)


def test_tasks_that_have_changed_are_laid_over_those_that_stand(register: Register, story: Story) -> None:
    first, second, third = (a_task(story.number, n, "Bob") for n in (1, 2, 3))
    assert register.record(story.batch(Kind.OPENED, tasks=(first, second)))
    decided = first.model_copy(update={"decided": "approve"})
    assert register.record(changes_only(story.batch(Kind.VOTE, tasks=(decided, third))))
    assert tasks_shown(register, story) == [decided, second, third]
    assert register.record(changes_only(story.batch(Kind.COMMENT)))
    assert tasks_shown(register, story) == [decided, second, third]


def test_changes_that_come_twice_or_late_change_nothing(register: Register, story: Story) -> None:
    task = a_task(story.number, 1, "Bob")
    batches = [story.batch(Kind.OPENED, tasks=(task,))]
    for reason in ("first", "second"):
        task = task.model_copy(update={"reason": reason})
        batches.append(changes_only(story.batch(Kind.COMMENT, tasks=(task,))))
    for batch in (*batches, *reversed(batches), *batches):
        assert register.record(batch)
    assert tasks_shown(register, story) == [task]


def test_changes_of_what_is_not_on_record_are_wanted_whole(register: Register, story: Story) -> None:
    register.record(story.batch(Kind.OPENED, tasks=(a_task(story.number, 1, "Bob"),)))
    story.batch(Kind.COMMENT)  # is lost
    tasks = tuple(a_task(story.number, n, "Bob") for n in (1, 2, 3))
    batch = story.batch(Kind.VOTE, tasks=tasks[2:], notices=(a_notice(story.number),))
    assert not register.record(changes_only(batch))
    assert tasks_shown(register, story) == [tasks[0]]
    assert (len(register.journal(story.number)), register.notice_counts()["pending"]) == (1, 0)
    assert register.record(
        batch.model_copy(update={"projection": batch.projection.model_copy(update={"tasks": tasks})})
    )
    assert tasks_shown(register, story) == list(tasks)


def test_a_step_done_again_is_wanted_whole_and_takes_back_what_the_first_did_to_tasks(
    register: Register, story: Story
) -> None:
    task = a_task(story.number, 1, "Bob")
    opened = story.batch(Kind.OPENED, tasks=(task,))
    lost, kept = redone(story, later=timedelta(seconds=10))
    lost_tasks = (task.model_copy(update={"decided": "approve"}), a_task(story.number, 2, "Bob"))
    lost = lost.model_copy(update={"projection": lost.projection.model_copy(update={"tasks": lost_tasks})})
    assert register.record(opened)
    assert register.record(changes_only(lost))
    assert tasks_shown(register, story) == list(lost_tasks)
    assert not register.record(changes_only(kept))
    assert register.journal(story.number) == [*opened.entries, *lost.entries]
    assert register.record(kept)
    assert tasks_shown(register, story) == [task]
    assert register.record(changes_only(lost)), "a late write of the first is taken, and changes nothing"
    assert tasks_shown(register, story) == [task]
    assert register.task(f"{story.number}.2") is None


def test_what_the_release_before_wrote_is_whole_and_stands_under_changes(register: Register, story: Story) -> None:
    tasks = tuple(a_task(story.number, n, "Bob") for n in (1, 2))
    released = story.batch(Kind.OPENED, tasks=tasks).model_dump(mode="json", exclude={"whole"})
    assert register.record(Batch.model_validate(released))
    decided = tasks[1].model_copy(update={"decided": "approve"})
    # One of its workers takes what has changed for all there is; the next write shows the rest again.
    register.record(story.batch(Kind.VOTE, tasks=(decided,)))
    assert tasks_shown(register, story) == [decided]
    register.record(changes_only(story.batch(Kind.COMMENT)))
    assert tasks_shown(register, story) == [tasks[0], decided]


def test_a_command_that_already_caused_an_entry_cannot_cause_another(register: Register, story: Story) -> None:
    register.record(story.batch(Kind.COMMENT, command="c-1"))
    with pytest.raises(Contradiction, match="command"):
        register.record(story.batch(Kind.COMMENT, command="c-1"))
    assert len(register.journal(story.number)) == 1


def test_entries_without_a_command_and_the_same_command_on_two_requests_are_no_contradiction(
    register: Register, story: Story
) -> None:
    register.record(story.batch(Kind.OPENED, Kind.COMMENT, command="c-1"))
    register.record(Story(register.take(a_new_order("key-2")).order.number).batch(Kind.COMMENT, command="c-1"))
    assert len(register.journal("REQ-1001")) == 2
    assert len(register.journal("REQ-1002")) == 1


def test_an_entry_of_another_request_is_refused(register: Register, story: Story) -> None:
    stray = Story("REQ-1002").batch(Kind.OPENED).entries
    with pytest.raises(Contradiction, match="REQ-1002"):
        register.record(story.batch(Kind.OPENED).model_copy(update={"entries": stray}))


@pytest.mark.parametrize("number", ["REQ-1002", "nonsense"])
def test_a_batch_for_a_request_that_is_not_on_record_is_refused(register: Register, number: str) -> None:
    with pytest.raises(UnknownRequest, match=number):
        register.record(Story(number).batch(Kind.OPENED, notices=(a_notice(number),)))
    assert register.notice_counts()["pending"] == 0


def test_the_entry_of_a_command_is_found(register: Register, story: Story) -> None:
    batch = story.batch(Kind.OPENED, Kind.VOTE, command="c-1")
    register.record(batch)
    assert register.entry_of(story.number, "c-1") == batch.entries[1]
    assert register.entry_of(story.number, "c-2") is None
    assert register.entry_of("REQ-1002", "c-1") is None
    assert register.entry_of(story.number, "") is None


def test_many_threads_writing_one_request_leave_a_whole_journal(
    connect: Callable[[], Register], register: Register, story: Story
) -> None:
    batches = [
        story.batch(Kind.COMMENT, tasks=(a_task(story.number, 1, "Bob"),), notices=(a_notice(story.number, n),))
        for n in range(1, 13)
    ]
    registers = [connect() for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        # Every batch is written six times, by registers that start at different places.
        orders = [batches[n:] + batches[:n] for n in range(0, 12, 2)]
        list(
            threads.map(lambda each: [each[0].record(batch) for batch in each[1]], zip(registers, orders, strict=True))
        )
    view = register.request(story.number)
    assert view is not None
    assert view.projection == batches[-1].projection
    assert verify(register.journal(story.number)) == []
    assert len(register.journal(story.number)) == 12
    assert register.notice_counts()["pending"] == 12


@pytest.mark.parametrize("statement", ["UPDATE journal SET rule = 'x'", "DELETE FROM journal"])
def test_the_database_refuses_to_change_the_journal(register: Register, story: Story, statement: str) -> None:
    register.record(story.batch(Kind.OPENED))
    with pytest.raises(DatabaseError, match="append-only"), register.write() as connection:
        connection.execute(text(statement))
    assert verify(register.journal(story.number)) == []
    assert len(register.journal(story.number)) == 1


def test_entries_keep_microseconds_zones_and_every_character(register: Register, story: Story) -> None:
    east = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    data = {
        "text": "Ünï 日本 🦊 \u0000 \u2028 \\ '\"",
        "number": 0.1 + 0.2,
        "big": 2**70,
        "none": None,
        "list": [1, "1"],
    }
    batch = story.batch(Kind.COMMENT, at=east, data=data)
    register.record(batch)
    (entry,) = register.journal(story.number)
    assert entry == batch.entries[0]
    assert entry.at == east
    assert verify([entry]) == []


_keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_plain: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.dictionaries(_keys, _plain, max_size=4),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_any_answers_and_any_instant_come_back_as_they_were(
    register: Register, answers: dict[str, Any], at: datetime
) -> None:
    # One database for all examples: each takes an order with a key of its own.
    key = digest({"answers": answers, "at": at.isoformat()})
    order = register.take(a_new_order(key, answers=answers, accepted_at=at)).order
    batch = Story(order.number).batch(Kind.COMMENT, at=at, data=answers)
    register.record(batch)
    view, entries = register.request(order.number), register.journal(order.number)
    assert view is not None
    assert (view.order, view.projection) == (order, batch.projection)
    assert entries == list(batch.entries)
    assert verify(entries) == []
