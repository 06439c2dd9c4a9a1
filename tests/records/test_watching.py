"""Timers that should have fired: found from the record, told of once, and gone when they are."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from support.builders import NOON, a_new_order
from support.story import Story

from catalog.journal import Kind
from catalog.people import OPERATORS
from catalog.request import Batch, Status, Task, Waiting, WaitKind
from catalog.slate import Named
from catalog.watch import GRACE, LateTimer
from records import watching
from records.register import Register
from records.tables import late_timers, requests

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NAMED = Named(own="sha256:2")


@pytest.fixture
def story(register: Register) -> Story:
    return Story(register.take(a_new_order()).order.number)


def waits(
    story: Story, *untils: datetime | None, status: Status = Status.APPROVAL, next_at: datetime | None = None
) -> Batch:
    """Return the batch by which a request waits for something until each of these moments."""
    batch = story.batch(Kind.COMMENT, status=status)
    waiting = tuple(
        Waiting(kind=WaitKind.PEOPLE, what=f"wait {n}", since=NOON, until=until, next_at=next_at, rule="r")
        for n, until in enumerate(untils)
    )
    return batch.model_copy(update={"projection": batch.projection.model_copy(update={"waiting": waiting})})


def late(number: str, what: str, until: datetime, seen_at: datetime) -> LateTimer:
    return LateTimer(number=number, what=what, until=until, seen_at=seen_at)


def test_a_timer_is_late_once_its_grace_is_over(register: Register, story: Story) -> None:
    register.record(waits(story, NOON + HOUR))
    assert register.look_for_late_timers(NOON + HOUR + GRACE) == []
    now = NOON + HOUR + GRACE + SECOND
    found = register.look_for_late_timers(now)
    assert found == register.late_timers() == [late(story.number, "wait 0", NOON + HOUR, now)]


def test_the_timer_that_should_have_fired_first_stands_for_the_others(register: Register, story: Story) -> None:
    register.record(waits(story, None, NOON + 2 * HOUR, NOON + HOUR))
    (found,) = register.look_for_late_timers(NOON + 9 * HOUR)
    assert (found.what, found.until) == ("wait 2", NOON + HOUR)


def test_a_reminder_that_did_not_come_is_late_before_the_wait_is(register: Register, story: Story) -> None:
    register.record(waits(story, NOON + 5 * HOUR, next_at=NOON + HOUR))
    assert register.look_for_late_timers(NOON + HOUR + GRACE) == []
    (found,) = register.look_for_late_timers(NOON + 2 * HOUR)
    assert (found.what, found.until) == ("People are told about this: wait 0", NOON + HOUR)
    register.record(waits(story, NOON + 5 * HOUR))
    assert register.look_for_late_timers(NOON + 3 * HOUR) == []
    assert register.late_timers() == []


def test_what_waits_without_end_is_never_late(register: Register, story: Story) -> None:
    register.record(waits(story, None))
    register.take(a_new_order("key-2"))
    assert register.look_for_late_timers(NOON + timedelta(days=9_999)) == []


def test_a_look_up_that_never_answers_is_late_before_anything_else_is_written(register: Register, story: Story) -> None:
    register.mark_started(story.number, NOON)
    (found,) = register.look_for_late_timers(NOON + timedelta(days=2))
    assert found.until == NOON + timedelta(days=1)


def test_a_late_timer_is_found_and_told_of_once(register: Register, story: Story) -> None:
    register.record(waits(story, NOON))
    first = register.look_for_late_timers(NOON + HOUR)
    assert len(first) == 1
    assert register.look_for_late_timers(NOON + 2 * HOUR) == []
    assert register.late_timers() == first
    owed = register.claim_notice(NOON + HOUR)
    assert owed is not None
    assert (owed.notice.to, owed.notice.event) == (OPERATORS, f"watchdog:{story.number}/{NOON.isoformat()}")
    assert register.claim_notice(NOON + 3 * HOUR) is None


def test_a_timer_that_has_fired_at_last_is_gone(register: Register, story: Story) -> None:
    register.record(waits(story, NOON))
    register.look_for_late_timers(NOON + HOUR)
    register.record(waits(story, NOON + 5 * HOUR))
    assert register.look_for_late_timers(NOON + 2 * HOUR) == []
    assert register.late_timers() == []
    with register.read() as connection:
        row = connection.execute(select(late_timers)).one()
    assert (row.seen_at, row.gone_at) == (NOON + HOUR, NOON + 2 * HOUR)


def test_the_timers_of_a_request_that_closes_are_gone(register: Register, story: Story) -> None:
    register.record(waits(story, NOON))
    register.look_for_late_timers(NOON + HOUR)
    register.record(story.batch(Kind.CLOSED, status=Status.CLOSED))
    register.look_for_late_timers(NOON + 2 * HOUR)
    assert register.late_timers() == []


def test_the_next_timer_of_a_request_is_late_by_itself(register: Register, story: Story) -> None:
    register.record(waits(story, NOON, NOON + HOUR))
    register.look_for_late_timers(NOON + 3 * HOUR)
    register.record(waits(story, NOON + HOUR))
    (found,) = register.look_for_late_timers(NOON + 4 * HOUR)
    assert found.until == NOON + HOUR
    assert register.late_timers() == [found]


def test_a_timer_that_is_late_again_is_shown_again_and_not_told_of_again(register: Register, story: Story) -> None:
    register.record(waits(story, NOON))
    register.look_for_late_timers(NOON + HOUR)
    register.record(waits(story, None))
    register.look_for_late_timers(NOON + 2 * HOUR)
    register.record(waits(story, NOON))
    (found,) = register.look_for_late_timers(NOON + 3 * HOUR)
    assert register.late_timers() == [found]
    assert register.notice_counts()["pending"] == 1


def test_what_one_look_does_not_take_note_of_the_next_one_does(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MOST_AT_ONCE", 2)
    for n in range(5):
        story = Story(register.take(a_new_order(f"key-{n}")).order.number)
        register.record(waits(story, NOON - n * HOUR))
    looks = [register.look_for_late_timers(NOON + HOUR) for _ in range(4)]
    assert [[one.number for one in look] for look in looks] == [
        ["REQ-1005", "REQ-1004"],
        ["REQ-1003", "REQ-1002"],
        ["REQ-1001"],
        [],
    ]
    assert [one.number for one in register.late_timers(limit=3)] == ["REQ-1005", "REQ-1004", "REQ-1003"]


def test_an_end_forgets_the_timer(register: Register, story: Story) -> None:
    register.record(waits(story, NOON))
    register.record(story.batch(Kind.CLOSED, status=Status.CLOSED))
    with register.read() as connection:
        assert connection.scalar(select(requests.c.waits_until)) is None


def asking(story: Story, count: int = 1, *, decided: str | None = None) -> Batch:
    """Return the batch by which a request asks for so many approvals, and for some work."""
    batch = story.batch(Kind.COMMENT, status=Status.APPROVAL)
    plain = {"title": "Decide", "choices": ("approve",), "subject": "sha256:1", "opened_at": NOON}
    tasks = tuple(
        Task(id=f"{story.number}.{n + 1}", kind="approval", stage=f"s{n}", decided=decided, named=NAMED, **plain)
        for n in range(count)
    )
    work = Task(id=f"{story.number}.{count + 1}", kind="fulfilment", **plain)
    return batch.model_copy(update={"projection": batch.projection.model_copy(update={"tasks": (*tasks, work)})})


def test_requests_that_wait_for_approval_are_found_page_by_page(register: Register) -> None:
    stories = [Story(register.take(a_new_order(f"key-{n}")).order.number) for n in range(4)]
    for story, batch in zip(
        stories, (asking(stories[0], 2), asking(stories[1]), None, asking(stories[3])), strict=True
    ):
        register.record(batch or asking(story, decided="approved"))
    first = register.open_approvals(None, 2)
    assert [one.order.number for one in first.items] == [stories[0].number, stories[1].number]
    assert [task.stage for task in first.items[0].tasks] == ["s0", "s1"]
    second = register.open_approvals(first.next, 2)
    assert [one.order.number for one in second.items] == [stories[3].number]
    assert second.next is None
