"""What people wish, and what the outbox makes of it: notices wait, and come together (feature rows A12, N2)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from support.builders import NOON, a_new_order, a_person
from support.story import Story, a_task

from catalog.journal import Kind
from catalog.preferences import Preferences
from catalog.request import Assignee, Notice, Task
from records.register import OwedNotice, Register
from records.tables import notices, preferences

BOB = a_person("Bob Brown").ref()
MORNING = (NOON + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
DIGEST = Preferences.model_validate({"digest": "08:00"})
QUIET = Preferences.model_validate({"quiet": ["11:00-13:30"]})
AFTERNOON = MORNING - timedelta(hours=18, minutes=30)


class Desk:
    """A request that asks Bob, and what it owes him."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.story = Story(register.take(a_new_order()).order.number)
        self.tasks: dict[str, Task] = {}

    def asks(self, template: Any = "approval-needed", task: int = 1, **data: Any) -> str:
        """Owe Bob a notice about a task; return its event."""
        one = a_task(self.story.number, task, "Bob Brown")
        self.tasks.setdefault(one.id, one)
        headline = {"number": self.story.number, "item": "VPN", "requester": "Ada", "beneficiary": "Ada"}
        batch = self.story.batch(Kind.COMMENT, tasks=tuple(self.tasks.values()))
        event = f"{self.story.number}/{batch.projection.seq}"
        notice = Notice(event=event, template=template, to=BOB, data=headline | {"task": one.id, "asked": []} | data)
        self.register.record(batch.model_copy(update={"notices": (notice,)}))
        return event

    def decided(self, task: int, **changes: Any) -> None:
        """Put on record that a task has changed."""
        number = f"{self.story.number}.{task}"
        self.tasks[number] = self.tasks[number].model_copy(update=changes)
        self.register.record(self.story.batch(Kind.VOTE, tasks=tuple(self.tasks.values())))

    def claimed(self, at: datetime) -> list[OwedNotice]:
        """Return everything that may go out at that moment."""
        while self.register.gather_notices(at):
            pass
        found = []
        while (owed := self.register.claim_notice(at)) is not None:
            found.append(owed)
        return found

    def counts(self) -> dict[str, int]:
        return {state: number for state, number in self.register.notice_counts().items() if number}


@pytest.fixture
def desk(register: Register) -> Desk:
    return Desk(register)


def test_who_has_said_nothing_wishes_nothing(register: Register) -> None:
    assert register.preferences("id-bob") == Preferences()
    assert register.chosen(["id-bob"]) == {}


def test_what_somebody_wishes_takes_the_place_of_what_they_wished(register: Register) -> None:
    one = Preferences.model_validate(
        {"calendar": "germany", "zone": "Europe/Berlin", "quiet": ["20:00-07:00"], "digest": "08:00"}
    )
    register.set_preferences("id-bob", one, NOON)
    assert register.preferences("id-bob") == one
    register.set_preferences("id-bob", QUIET, NOON)
    assert register.preferences("id-bob") == QUIET


def test_the_calendars_that_people_chose_are_found_and_of_nobody_else(register: Register) -> None:
    for person, calendar in (("id-bob", "germany"), ("id-eve", "japan"), ("id-ada", None)):
        register.set_preferences(person, Preferences(calendar=calendar), NOON)
    assert register.chosen(["id-bob", "id-ada", "id-nobody"]) == {"id-bob": "germany"}
    assert register.chosen([]) == {}


def test_a_notice_waits_for_quiet_hours_and_is_then_claimed_for_the_first_time(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, QUIET, NOON)
    event = desk.asks()
    assert desk.claimed(NOON) == []
    assert desk.counts() == {"pending": 1}
    over = NOON.replace(hour=13, minute=30, second=0, microsecond=0)
    assert desk.claimed(over - timedelta(microseconds=1)) == []
    assert [(one.notice.event, one.attempt) for one in desk.claimed(over)] == [(event, 1)]


def test_what_waits_does_not_hold_up_others(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, QUIET, NOON)
    desk.asks()
    event = desk.asks("answered")
    assert [one.notice.event for one in desk.claimed(NOON)] == [event]


def test_quiet_hours_are_kept_by_a_mail_that_could_not_go_before_too(desk: Desk) -> None:
    desk.asks()
    (owed,) = desk.claimed(NOON)
    desk.register.notice_postponed(owed.id, NOON, "the relay is busy")
    desk.register.set_preferences(BOB.id, QUIET, NOON)
    assert desk.claimed(NOON) == []
    assert [one.attempt for one in desk.claimed(AFTERNOON)] == [2]


def test_a_digest_gathers_what_is_owed_until_its_time_into_one_notice(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    first = desk.asks(task=1)
    desk.asks(task=2)
    at_once = desk.asks("closed")
    assert [one.notice.event for one in desk.claimed(NOON)] == [at_once]
    desk.asks("reminder", task=1)
    assert desk.claimed(MORNING - timedelta(microseconds=1)) == []
    (owed,) = desk.claimed(MORNING)
    assert (owed.notice.event, owed.notice.template, owed.notice.to) == (f"digest:{first}", "digest", BOB)
    listed = [(entry["task"], entry["reminded"]) for entry in owed.notice.data["entries"]]
    assert listed == [("REQ-1001.1", True), ("REQ-1001.2", False)]
    assert desk.counts() == {"sending": 2, "gathered": 3}
    assert desk.claimed(MORNING + timedelta(days=9)) == []


def test_what_comes_after_the_digest_comes_in_the_next(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    for day in range(3):
        event = desk.asks(task=day + 1)
        assert desk.claimed(NOON + timedelta(days=day)) == []
        assert [one.notice.event for one in desk.claimed(MORNING + timedelta(days=day))] == [f"digest:{event}"]


def test_a_notice_put_off_in_the_moment_of_a_digest_is_not_lost(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    first = desk.asks(task=1)
    assert desk.claimed(MORNING - timedelta(seconds=1)) == []
    second = desk.asks(task=2)
    assert desk.register.gather_notices(MORNING)
    assert [one.notice.event for one in desk.claimed(MORNING)] == [f"digest:{first}"]
    assert [one.notice.event for one in desk.claimed(MORNING)] == [f"digest:{second}"]


def test_an_event_that_was_gathered_is_not_owed_again(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    event = desk.asks()
    desk.claimed(NOON)
    assert len(desk.claimed(MORNING)) == 1
    again = Notice(event=event, template="approval-needed", to=BOB, data={"task": "REQ-1001.1"})
    desk.register.record(desk.story.batch(Kind.COMMENT, notices=(again,)))
    assert desk.claimed(MORNING + timedelta(days=2)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"decided": "approve", "closed_at": NOON},
        {"assignees": (Assignee(person=a_person("Eve").ref()),)},
        {"assignees": (Assignee(person=BOB, verdict="approve", at=NOON),)},
    ],
    ids=["decided", "somebody else is asked", "he has voted"],
)
def test_what_no_longer_waits_for_its_recipient_is_left_out_of_the_digest(desk: Desk, changes: dict[str, Any]) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    desk.asks(task=1)
    desk.asks(task=2)
    assert desk.claimed(NOON) == []
    desk.decided(1, **changes)
    (owed,) = desk.claimed(MORNING)
    assert [entry["task"] for entry in owed.notice.data["entries"]] == ["REQ-1001.2"]


def test_if_nothing_waits_any_more_there_is_no_digest(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    desk.asks()
    assert desk.claimed(NOON) == []
    desk.decided(1, decided="approve", closed_at=NOON)
    assert desk.claimed(MORNING) == []
    assert desk.counts() == {"gathered": 1}


@pytest.mark.parametrize("template", ["approval-needed", "reminder", "deadline-near"])
def test_what_no_longer_waits_for_its_recipient_after_their_quiet_hours_is_not_sent(desk: Desk, template: str) -> None:
    desk.register.set_preferences(BOB.id, QUIET, NOON)
    desk.asks(template, task=1)
    other = desk.asks(template, task=2)
    assert desk.claimed(NOON) == []
    desk.decided(1, closed_at=NOON, decided="reject")
    assert [one.notice.event for one in desk.claimed(AFTERNOON)] == [other]
    assert desk.counts() == {"sending": 1, "gathered": 1}
    assert desk.claimed(MORNING) == []


def test_what_no_longer_waits_for_its_recipient_once_the_relay_answers_is_not_sent(desk: Desk) -> None:
    desk.asks()
    (owed,) = desk.claimed(NOON)
    desk.register.notice_postponed(owed.id, AFTERNOON, "the relay is busy")
    desk.decided(1, assignees=())
    assert desk.claimed(AFTERNOON) == []
    assert desk.counts() == {"gathered": 1}


def test_what_asks_for_no_decision_is_sent_after_the_quiet_hours_whatever_has_happened(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, QUIET, NOON)
    events = [desk.asks("clock"), desk.asks("closed"), desk.asks(task=2)]
    assert desk.claimed(NOON) == []
    desk.decided(1, closed_at=NOON, decided="reject")
    assert [one.notice.event for one in desk.claimed(AFTERNOON)] == events


def test_what_an_earlier_release_has_owed_is_sent_for_it_may_name_the_task_of_a_question(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, QUIET, NOON)
    event = desk.asks(task=1)
    with desk.register.write() as connection:
        document = connection.scalars(select(notices.c.document)).one().replace(',"asked":[]', "")
        connection.execute(update(notices).values(document=document))
    assert desk.claimed(NOON) == []
    desk.decided(1, closed_at=NOON, decided="answered")
    assert [one.notice.event for one in desk.claimed(AFTERNOON)] == [event]


def test_who_turns_the_digest_off_gets_what_was_gathered_at_its_time_and_the_rest_at_once(desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    desk.asks(task=1)
    assert desk.claimed(NOON) == []
    desk.register.set_preferences(BOB.id, Preferences(), NOON)
    event = desk.asks(task=2)
    assert [one.notice.event for one in desk.claimed(NOON)] == [event]
    assert [one.notice.template for one in desk.claimed(MORNING)] == ["digest"]


def test_wishes_that_cannot_be_read_keep_no_mail_back(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    with desk.register.write() as connection:
        connection.execute(update(preferences).values(document='{"zone": "Atlantis/Capital"}'))
    event = desk.asks()
    assert [one.notice.event for one in desk.claimed(NOON)] == [event]
    assert "cannot be followed" in caplog.text


def test_many_senders_make_one_digest(connect: Callable[[], Register], desk: Desk) -> None:
    desk.register.set_preferences(BOB.id, DIGEST, NOON)
    for task in range(1, 21):
        desk.asks(task=task)
    assert desk.claimed(NOON) == []

    def gather(register: Register) -> list[OwedNotice]:
        while register.gather_notices(MORNING):
            pass
        found = []
        while (owed := register.claim_notice(MORNING)) is not None:
            found.append(owed)
        return found

    with ThreadPoolExecutor(6) as threads:
        claimed = [owed for part in threads.map(gather, [connect() for _ in range(6)]) for owed in part]
    (owed,) = claimed
    assert len(owed.notice.data["entries"]) == 20
    assert desk.counts() == {"sending": 1, "gathered": 20}
