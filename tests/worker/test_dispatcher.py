"""The dispatcher on a real register: each owed mail goes out at most once, and what became of it is on record."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.builders import NOON, a_new_order, a_person
from support.story import Story, a_task
from support.waiting import eventually

from activities.errors import Rejected, Transient, UnknownOutcome
from catalog.journal import Kind
from catalog.people import OPERATORS
from catalog.preferences import Preferences
from catalog.request import Notice, Task
from records.register import OwedNotice, Register, RegisterUnavailable
from worker import dispatcher as module
from worker.dispatcher import Dispatcher, message_id

PORTAL = "https://portal.example"
CLOSED = {
    "number": "REQ-1001",
    "item": "Wiki editor",
    "requester": "Ada Byron",
    "beneficiary": "Ada Byron",
    "outcome": "fulfilled",
    "reason": "",
}
OPERATOR_NEEDED = {**CLOSED, "problem": "the directory refuses", "task": "REQ-1001.2"}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Mailbox:
    """Implements `activities.ports.Mail`: keeps what it takes, and raises the given troubles first."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.troubles: list[Exception] = []
        self.attempts = 0

    def send(self, **mail: str) -> None:
        self.attempts += 1
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append(mail)


class Observed(Register):
    """A register that counts who looks, notes the pauses, and is down when told."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.looks = 0
        self.postponed: list[datetime] = []
        self.down: list[str] = []

    def _fail(self, what: str) -> None:
        if what in self.down:
            self.down.remove(what)
            raise RegisterUnavailable("down")

    def claim_notice(self, now: datetime) -> OwedNotice | None:
        self._fail("claim")
        owed = super().claim_notice(now)
        # Counted once nothing is due: everything before it has been dealt with.
        self.looks += owed is None
        return owed

    def notice_sent(self, notice_id: int, at: datetime) -> None:
        self._fail("sent")
        super().notice_sent(notice_id, at)

    def notice_postponed(self, notice_id: int, until: datetime, why: str) -> None:
        self.postponed.append(until)
        super().notice_postponed(notice_id, until, why)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mail() -> Mailbox:
    return Mailbox()


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Observed]:
    register = Observed(f"sqlite:///{tmp_path / 'register.db'}")
    register.migrate()
    yield register
    register.close()


@pytest.fixture
def owe(register: Observed) -> Callable[..., Notice]:
    story = Story(register.take(a_new_order()).order.number)

    def owe(*, tasks: tuple[Task, ...] = (), **other: Any) -> Notice:
        plain = {"template": "closed", "to": a_person().ref(), "data": CLOSED}
        batch = story.batch(Kind.COMMENT, tasks=tasks)
        notice = Notice(**{"event": f"{story.number}/{batch.projection.seq}"} | plain | other)
        register.record(batch.model_copy(update={"notices": (notice,)}))
        return notice

    return owe


@pytest.fixture
def make(
    register: Observed, mail: Mailbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Dispatcher]]:
    """Make a dispatcher that looks only when woken."""
    monkeypatch.setattr(module, "POLL", timedelta(hours=1))
    made: list[Dispatcher] = []

    def make(operators_mail: str | None = None) -> Dispatcher:
        made.append(Dispatcher(register, mail, PORTAL, operators_mail, clock=clock))
        return made[-1]

    yield make
    for dispatcher in made:
        dispatcher.stop()


@pytest.fixture
def look(make: Callable[..., Dispatcher], register: Observed) -> Callable[[], None]:
    """Let a dispatcher do all there is to do now."""
    dispatcher = make()

    def look() -> None:
        before = register.looks
        if dispatcher._thread.ident is None:
            dispatcher.start()

        def has_looked() -> bool:
            dispatcher.wake()
            return register.looks >= before + 2  # what ends first may have begun before

        eventually(has_looked)

    return look


def counts(register: Observed) -> dict[str, int]:
    return {state: number for state, number in register.notice_counts().items() if number}


def test_an_owed_notice_goes_out_with_its_text_to_its_person(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox
) -> None:
    notice = owe()
    look()
    (sent,) = mail.taken
    assert sent["to"] == "ada@example.org"
    assert sent["subject"] == "Wiki editor for Ada Byron: fulfilled (REQ-1001)"
    assert PORTAL in sent["body"]
    assert sent["message_id"] == message_id(notice, PORTAL)
    assert counts(register) == {"sent": 1}


def test_the_same_event_and_person_have_the_same_message_id_and_no_others() -> None:
    ada, bob = a_person().ref(), a_person("Bob Brown").ref()
    notices = [
        Notice(event=event, template="closed", to=to) for event in ("REQ-1001/1", "REQ-1001/2") for to in (ada, bob)
    ]
    ids = {message_id(notice, PORTAL) for notice in notices}
    assert len(ids) == 4
    assert message_id(notices[0].model_copy(update={"data": {"later": "more"}}), PORTAL) in ids
    assert all(one.startswith("<") and one.endswith("@portal.example>") for one in ids)


@pytest.mark.parametrize("url", ["", "http://", "http://nördlys.example"])
def test_a_message_id_is_ascii_whatever_the_portal_is_called(url: str) -> None:
    made = message_id(Notice(event="REQ-1001/1", template="closed", to=a_person().ref()), url)
    assert made.endswith("@commissary.invalid>")


def test_a_mail_that_could_not_go_waits_longer_each_time_and_goes_once(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox, clock: Clock
) -> None:
    mail.troubles = [Transient("the relay is away")] * 12
    owe()
    pauses = []
    for _ in range(12):
        look()
        pauses.append((register.postponed[-1] - clock.now).total_seconds())
        clock.move(seconds=pauses[-1] - 0.001)
        attempts = mail.attempts
        look()
        assert mail.attempts == attempts, "it was tried before it was due"
        clock.move(seconds=0.001)
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    look()
    clock.move(days=1)
    look()
    assert (len(mail.taken), counts(register)) == (1, {"sent": 1})


def test_one_mail_that_waits_does_not_hold_up_the_others(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox
) -> None:
    mail.troubles = [Transient("greylisted")]
    owe()
    owe()
    look()
    assert (len(mail.taken), counts(register)) == (1, {"pending": 1, "sent": 1})


@pytest.mark.parametrize(
    ("notice", "trouble", "why"),
    [
        ({}, [Rejected("550 no such user")], "550 no such user"),
        ({"to": a_person(mail=None).ref()}, [], "there is no mail address"),
        ({"to": OPERATORS, "template": "operator-needed", "data": OPERATOR_NEEDED}, [], "there is no mail address"),
        ({"data": {}}, [], "the template closed failed: UndefinedError"),
    ],
)
def test_a_mail_that_can_never_go_is_given_up_with_one_line(  # noqa: PLR0917  # pytest passes them by name
    look: Callable[[], None],
    owe: Callable[..., Notice],
    register: Observed,
    mail: Mailbox,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    notice: dict[str, Any],
    trouble: list[Exception],
    why: str,
) -> None:
    mail.troubles = trouble
    owed = owe(**notice)
    look()
    clock.move(days=1)
    look()
    assert (mail.taken, counts(register)) == ([], {"failed": 1})
    (line,) = [record.getMessage() for record in caplog.records if record.name == module.__name__]
    assert line.startswith(f"mail about {owed.event} to {owed.to.login}: it will not be sent: {why}")
    assert "\n" not in line


def test_operators_are_written_to_at_their_mailbox(
    make: Callable[..., Dispatcher], owe: Callable[..., Notice], mail: Mailbox
) -> None:
    owe(to=OPERATORS, template="operator-needed", data=OPERATOR_NEEDED)
    make("operators@example.org").start()
    eventually(lambda: mail.taken)
    assert mail.taken[0]["to"] == "operators@example.org"


def test_a_mail_that_may_have_gone_is_never_repeated(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox, clock: Clock
) -> None:
    mail.troubles = [UnknownOutcome("the relay went away before it confirmed")]
    owe()
    look()
    assert counts(register) == {"sending": 1}
    clock.move(minutes=2, seconds=1)
    look()
    clock.move(days=1)
    look()
    assert (mail.attempts, counts(register)) == (1, {"unknown": 1})


def test_what_a_dead_sender_had_claimed_is_settled_at_the_start_and_not_sent(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox, clock: Clock
) -> None:
    owe()
    assert register.claim_notice(NOON) is not None
    clock.move(minutes=3)
    look()
    assert (mail.taken, counts(register)) == ([], {"unknown": 1})


def test_what_another_sender_has_in_hand_is_left_to_it(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox, clock: Clock
) -> None:
    owe()
    assert register.claim_notice(NOON) is not None
    clock.move(minutes=1, seconds=59)
    look()
    assert (mail.taken, counts(register)) == ([], {"sending": 1})


def test_it_goes_on_when_the_register_is_back(
    look: Callable[[], None],
    make: Callable[..., Dispatcher],
    owe: Callable[..., Notice],
    register: Observed,
    mail: Mailbox,
) -> None:
    owe()
    register.down = ["claim"]
    dispatcher = make()
    dispatcher.start()
    eventually(lambda: register.down == [])
    assert mail.taken == []
    dispatcher.wake()
    eventually(lambda: counts(register) == {"sent": 1})


def test_a_mail_that_went_while_the_register_was_away_is_recorded_later_and_not_repeated(
    make: Callable[..., Dispatcher], owe: Callable[..., Notice], register: Observed, mail: Mailbox
) -> None:
    owe()
    register.down = ["sent", "sent"]
    dispatcher = make()
    dispatcher.start()

    def is_recorded() -> bool:
        dispatcher.wake()
        return counts(register) == {"sent": 1}

    eventually(is_recorded)
    assert (len(mail.taken), register.down) == (1, [])


def test_a_fault_of_ours_costs_one_mail_not_the_dispatcher(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox
) -> None:
    mail.troubles = [RuntimeError("a bug")]
    owe()
    owe()
    look()
    assert (len(mail.taken), counts(register)) == (1, {"sending": 1, "sent": 1})


def test_notices_are_found_without_being_woken(
    make: Callable[..., Dispatcher],
    owe: Callable[..., Notice],
    register: Observed,
    mail: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "POLL", timedelta(milliseconds=20))
    make().start()
    eventually(lambda: register.looks)
    owe()
    eventually(lambda: mail.taken)


def test_several_senders_send_each_mail_once(
    make: Callable[..., Dispatcher], owe: Callable[..., Notice], register: Observed, mail: Mailbox
) -> None:
    for _ in range(30):
        owe()
    for _ in range(3):
        make().start()
    eventually(lambda: counts(register) == {"sent": 30})
    assert len({one["message_id"] for one in mail.taken}) == len(mail.taken) == 30


def asked(owe: Callable[..., Notice], template: str = "approval-needed", **data: Any) -> Notice:
    """Owe Ada a notice about a decision that waits for her."""
    task = a_task("REQ-1001", 1, "Ada Byron")
    data = CLOSED | {"task": task.id, "stage": "Owner", "answers": [], "due_at": None, "at_deadline": ""} | data
    return owe(template=template, data=data, tasks=(task,))


def wish(register: Observed, **wishes: Any) -> None:
    register.set_preferences(a_person().id, Preferences.model_validate(wishes), NOON)


def test_a_mail_waits_until_its_persons_quiet_hours_are_over_and_goes_once(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox, clock: Clock
) -> None:
    wish(register, quiet=["11:00-14:00"])
    owe()
    look()
    clock.move(minutes=119)
    look()
    assert (mail.taken, counts(register)) == ([], {"pending": 1})
    clock.move(minutes=1)
    look()
    clock.move(days=1)
    look()
    assert (len(mail.taken), counts(register)) == (1, {"sent": 1})


def test_what_is_urgent_goes_out_in_quiet_hours(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox
) -> None:
    wish(register, quiet=["11:00-14:00"], digest="15:00")
    asked(owe, due_at=(NOON + timedelta(hours=9)).isoformat())
    owe(template="answered", data=CLOSED | {"task": "REQ-1001.1", "stage": "Owner", "answer": "Yes", "by": "Bob"})
    look()
    assert len(mail.taken) == 2


def test_a_digest_is_one_mail_at_its_time_and_what_is_no_decision_goes_at_once(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox, clock: Clock
) -> None:
    wish(register, digest="15:00")
    asked(owe)
    owe()
    look()
    asked(owe, "reminder")
    look()
    assert [one["subject"] for one in mail.taken] == ["Wiki editor for Ada Byron: fulfilled (REQ-1001)"]
    clock.move(hours=3)
    look()
    clock.move(days=2)
    look()
    (_, digest) = mail.taken
    assert digest["subject"] == "1 decision waits for you"
    assert "Wiki editor for Ada Byron (REQ-1001, Owner): you were reminded" in digest["body"]
    assert counts(register) == {"sent": 2, "gathered": 2}


def test_a_digest_that_cannot_go_is_tried_again_and_goes_once(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox, clock: Clock
) -> None:
    wish(register, digest="15:00")
    asked(owe)
    look()
    mail.troubles = [Transient("the relay is away")]
    clock.move(hours=3)
    look()
    assert (mail.taken, counts(register)) == ([], {"pending": 1, "gathered": 1})
    clock.move(seconds=2)
    look()
    assert (len(mail.taken), counts(register)) == (1, {"sent": 1, "gathered": 1})


def test_a_digest_whose_making_was_cut_off_is_made_again(  # noqa: PLR0917  # pytest passes them by name
    look: Callable[[], None],
    owe: Callable[..., Notice],
    register: Observed,
    mail: Mailbox,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wish(register, digest="15:00")
    asked(owe)
    look()
    clock.move(hours=3)
    with monkeypatch.context() as patch:
        patch.setattr("records.notices.owe", lambda *_: register._fail("owe"))
        register.down = ["owe"]
        with pytest.raises(RegisterUnavailable):
            register.gather_notices(clock.now)
    assert counts(register) == {"pending": 1}
    look()
    assert (len(mail.taken), counts(register)) == (1, {"sent": 1, "gathered": 1})


def test_a_digest_whose_sender_died_is_unknown_and_not_sent_again(
    look: Callable[[], None], owe: Callable[..., Notice], register: Observed, mail: Mailbox, clock: Clock
) -> None:
    wish(register, digest="15:00")
    asked(owe)
    look()
    clock.move(hours=3)
    register.gather_notices(clock.now)
    assert register.claim_notice(clock.now) is not None
    clock.move(minutes=3)
    look()
    assert (mail.taken, counts(register)) == ([], {"unknown": 1, "gathered": 1})


def test_several_senders_send_one_digest(  # noqa: PLR0917  # pytest passes them by name
    look: Callable[[], None],
    make: Callable[..., Dispatcher],
    owe: Callable[..., Notice],
    register: Observed,
    mail: Mailbox,
    clock: Clock,
) -> None:
    wish(register, digest="15:00")
    for _ in range(10):
        asked(owe)
    look()
    clock.move(hours=3)
    for _ in range(3):
        make().start()
    eventually(lambda: counts(register) == {"sent": 1, "gathered": 10})
    assert len(mail.taken) == 1


def test_a_stop_ends_after_the_mail_in_hand_and_leaves_the_rest_owed(
    make: Callable[..., Dispatcher], owe: Callable[..., Notice], register: Observed, mail: Mailbox
) -> None:
    sending, go_on = threading.Event(), threading.Event()

    def send(**one: str) -> None:
        sending.set()
        go_on.wait(10)
        mail.taken.append(one)

    mail.send = send  # type: ignore[method-assign]  # a relay that takes its time
    owe()
    owe()
    dispatcher = make()
    dispatcher.start()
    assert sending.wait(10)
    stopping = threading.Thread(target=dispatcher.stop)
    stopping.start()
    eventually(dispatcher._stopping.is_set)
    go_on.set()
    stopping.join(10)
    assert not dispatcher._thread.is_alive()
    assert (len(mail.taken), counts(register)) == (1, {"sent": 1, "pending": 1})


def test_a_stop_needs_no_start(make: Callable[..., Dispatcher]) -> None:
    make().stop()


def test_a_stop_does_not_wait_for_a_register_that_is_away(
    make: Callable[..., Dispatcher], owe: Callable[..., Notice], register: Observed, caplog: pytest.LogCaptureFixture
) -> None:
    owe()
    register.down = ["sent"] * 1_000
    dispatcher = make()
    dispatcher.start()
    eventually(lambda: len(register.down) < 1_000)
    dispatcher.stop()
    assert [record.levelno for record in caplog.records if "fate" in record.getMessage()] == [logging.WARNING]
