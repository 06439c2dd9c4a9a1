from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from support.builders import NOON, a_new_order, a_person
from support.story import Story, a_notice

from catalog.journal import Kind
from catalog.request import Notice
from records.register import OwedNotice, Register

LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def owe(register: Register) -> Callable[..., None]:
    story = Story(register.take(a_new_order()).order.number)

    def owe(*notices: Notice) -> None:
        register.record(story.batch(Kind.COMMENT, notices=notices))

    return owe


def the_claimed(register: Register) -> OwedNotice:
    owed = register.claim_notice(NOON)
    assert owed is not None
    return owed


def test_notices_are_claimed_oldest_first_and_once(register: Register, owe: Callable[..., None]) -> None:
    notices = [a_notice("REQ-1001", n, data={"answer": "Grüße 🦊"}) for n in (1, 2)]
    owe(*notices)
    claimed = [the_claimed(register) for _ in notices]
    assert [(owed.notice, owed.attempt) for owed in claimed] == [(notice, 1) for notice in notices]
    assert register.claim_notice(LATER) is None


def test_nothing_is_claimed_where_nothing_is_owed(register: Register) -> None:
    assert register.claim_notice(NOON) is None


def test_one_event_tells_one_person_once(register: Register, owe: Callable[..., None]) -> None:
    owe(a_notice("REQ-1001"), a_notice("REQ-1001", to=a_person("Bob").ref()))
    owe(a_notice("REQ-1001"), a_notice("REQ-1001", 2))
    assert register.notice_counts() == {"pending": 3, "sending": 0, "sent": 0, "failed": 0, "unknown": 0, "gathered": 0}


def test_a_sent_notice_is_never_due_again(register: Register, owe: Callable[..., None]) -> None:
    owe(a_notice("REQ-1001"))
    register.notice_sent(the_claimed(register).id, NOON)
    owe(a_notice("REQ-1001"))
    assert register.claim_notice(LATER) is None
    assert register.notice_counts()["sent"] == 1


def test_a_failed_notice_is_never_due_again(register: Register, owe: Callable[..., None]) -> None:
    owe(a_notice("REQ-1001"))
    register.notice_failed(the_claimed(register).id, NOON, "no such mailbox")
    assert register.claim_notice(LATER) is None
    assert register.notice_counts()["failed"] == 1


def test_a_postponed_notice_is_due_again_at_its_time_as_the_next_attempt(
    register: Register, owe: Callable[..., None]
) -> None:
    owe(a_notice("REQ-1001"))
    first = the_claimed(register)
    register.notice_postponed(first.id, LATER, "the relay is busy")
    assert register.claim_notice(LATER - timedelta(microseconds=1)) is None
    assert register.claim_notice(LATER) == first.model_copy(update={"attempt": 2})


def test_a_postponed_notice_does_not_hold_up_the_others(register: Register, owe: Callable[..., None]) -> None:
    owe(a_notice("REQ-1001", 1), a_notice("REQ-1001", 2))
    register.notice_postponed(the_claimed(register).id, LATER, "the relay is busy")
    assert the_claimed(register).notice.event == "REQ-1001/2"


def test_an_answer_for_a_notice_that_is_settled_or_unknown_to_the_register_changes_nothing(
    register: Register, owe: Callable[..., None]
) -> None:
    owe(a_notice("REQ-1001"))
    owed = the_claimed(register)
    register.notice_sent(owed.id, NOON)
    register.notice_postponed(owed.id, NOON, "late")
    register.notice_failed(owed.id, NOON, "late")
    register.notice_sent(owed.id + 1, NOON)
    assert register.notice_counts() == {"pending": 0, "sending": 0, "sent": 1, "failed": 0, "unknown": 0, "gathered": 0}


def test_a_notice_whose_sender_died_becomes_unknown_and_is_not_sent_again(
    register: Register, owe: Callable[..., None]
) -> None:
    owe(a_notice("REQ-1001"), a_notice("REQ-1001", 2))
    the_claimed(register)
    assert register.settle_lost_notices(NOON) == 0
    assert register.settle_lost_notices(LATER) == 1
    assert register.settle_lost_notices(LATER) == 0
    assert register.notice_counts() == {"pending": 1, "sending": 0, "sent": 0, "failed": 0, "unknown": 1, "gathered": 0}
    assert the_claimed(register).notice.event == "REQ-1001/2"
    assert register.claim_notice(LATER) is None


def test_a_slow_sender_may_still_say_how_it_ended(register: Register, owe: Callable[..., None]) -> None:
    owe(a_notice("REQ-1001"))
    owed = the_claimed(register)
    register.settle_lost_notices(LATER)
    register.notice_sent(owed.id, LATER)
    assert register.notice_counts()["sent"] == 1


def test_many_senders_claim_each_notice_once(connect: Callable[[], Register], owe: Callable[..., None]) -> None:
    owe(*(a_notice("REQ-1001", n) for n in range(40)))

    def drain(register: Register) -> list[str]:
        claimed = []
        while (owed := register.claim_notice(NOON)) is not None:
            claimed.append(owed.notice.event)
        return claimed

    with ThreadPoolExecutor(6) as threads:
        claimed = [event for part in threads.map(drain, [connect() for _ in range(6)]) for event in part]
    assert sorted(claimed) == sorted(f"REQ-1001/{n}" for n in range(40))
