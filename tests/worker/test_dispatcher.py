"""The dispatcher on a real register: each owed mail goes out at most once, and what became of it is on record."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
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
    """A register that notes the pauses, and is down when told."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.postponed: list[datetime] = []
        self.down: list[str] = []

    def _fail(self, what: str) -> None:
        if what in self.down:
            self.down.remove(what)
            raise RegisterUnavailable("down")

    def claim_notice(self, now: datetime) -> OwedNotice | None:
        self._fail("claim")
        return super().claim_notice(now)

    def notice_sent(self, notice_id: int, at: datetime) -> None:
        self._fail("sent")
        super().notice_sent(notice_id, at)

    def notice_postponed(self, notice_id: int, until: datetime, why: str) -> None:
        self.postponed.append(until)
        super().notice_postponed(notice_id, until, why)


class Counting(Dispatcher):
    """A dispatcher that counts its rounds."""

    rounds = 0

    def _pause(self) -> None:
        self.rounds += 1
        super()._pause()


class Post:
    """A register with a request about which mails are owed, and dispatchers that look only when woken."""

    def __init__(self, register: Observed) -> None:
        self.register, self.mail, self.clock = register, Mailbox(), Clock()
        self.story = Story(register.take(a_new_order()).order.number)
        self.dispatchers: list[Counting] = []
        self.first = self.make()

    def make(self, operators_mail: str | None = None) -> Counting:
        """Return another dispatcher, not started yet."""
        made = Counting(self.register, self.mail, PORTAL, operators_mail, clock=self.clock)
        self.dispatchers.append(made)
        return made

    def stop(self) -> None:
        for dispatcher in self.dispatchers:
            dispatcher.stop()

    def owe(self, *, tasks: tuple[Task, ...] = (), **other: Any) -> Notice:
        plain = {"template": "closed", "to": a_person().ref(), "data": CLOSED}
        batch = self.story.batch(Kind.COMMENT, tasks=tasks)
        notice = Notice(**{"event": f"{self.story.number}/{batch.projection.seq}"} | plain | other)
        self.register.record(batch.model_copy(update={"notices": (notice,)}))
        return notice

    def owe_decision(self, template: str = "approval-needed", **data: Any) -> Notice:
        """Owe Ada a notice about a decision that waits for her."""
        task = a_task("REQ-1001", 1, "Ada Byron")
        data = CLOSED | {"task": task.id, "stage": "Owner", "answers": [], "due_at": None, "at_deadline": ""} | data
        return self.owe(template=template, data=data, tasks=(task,))

    def wish(self, **wishes: Any) -> None:
        """Let Ada have wishes about her mails."""
        self.register.set_preferences(a_person().id, Preferences.model_validate(wishes), NOON)

    def look(self) -> None:
        """Let the first dispatcher do all there is to do now."""
        before = self.first.rounds
        if self.first._thread.ident is None:
            self.first.start()
        else:
            self.first.wake()  # once: it rests when this round is over, so that nothing is done behind a test's back
        eventually(lambda: self.first.rounds > before)

    def counts(self) -> dict[str, int]:
        return {state: number for state, number in self.register.notice_counts().items() if number}


@pytest.fixture
def post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setattr(module, "POLL", timedelta(hours=1))
    register = Observed(f"sqlite:///{tmp_path / 'register.db'}")
    register.migrate()
    post = Post(register)
    yield post
    post.stop()
    register.close()


def test_an_owed_notice_goes_out_with_its_text_to_its_person(post: Post) -> None:
    notice = post.owe()
    post.look()
    (sent,) = post.mail.taken
    assert sent["to"] == "ada@example.org"
    assert sent["subject"] == "Wiki editor for Ada Byron: fulfilled (REQ-1001)"
    assert PORTAL in sent["body"]
    assert sent["message_id"] == message_id(notice, PORTAL)
    assert post.counts() == {"sent": 1}


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


def test_n2_a_mail_that_could_not_go_waits_longer_each_time_and_goes_once(post: Post) -> None:
    post.mail.troubles = [Transient("the relay is away")] * 12
    post.owe()
    pauses = []
    for _ in range(12):
        post.look()
        pauses.append((post.register.postponed[-1] - post.clock.now).total_seconds())
        post.clock.move(seconds=pauses[-1] - 0.001)
        attempts = post.mail.attempts
        post.look()
        assert post.mail.attempts == attempts, "it was tried before it was due"
        post.clock.move(seconds=0.001)
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    post.look()
    post.clock.move(days=1)
    post.look()
    assert (len(post.mail.taken), post.counts()) == (1, {"sent": 1})


def test_one_mail_that_waits_does_not_hold_up_the_others(post: Post) -> None:
    post.mail.troubles = [Transient("greylisted")]
    post.owe()
    post.owe()
    post.look()
    assert (len(post.mail.taken), post.counts()) == (1, {"pending": 1, "sent": 1})


@pytest.mark.parametrize(
    ("notice", "trouble", "why"),
    [
        ({}, [Rejected("550 no such user")], "550 no such user"),
        ({"to": a_person(mail=None).ref()}, [], "there is no mail address"),
        ({"to": OPERATORS, "template": "operator-needed", "data": OPERATOR_NEEDED}, [], "there is no mail address"),
        ({"data": {}}, [], "the template closed failed: UndefinedError"),
    ],
)
def test_a_mail_that_can_never_go_is_given_up_with_one_line(
    post: Post, caplog: pytest.LogCaptureFixture, notice: dict[str, Any], trouble: list[Exception], why: str
) -> None:
    post.mail.troubles = trouble
    owed = post.owe(**notice)
    post.look()
    post.clock.move(days=1)
    post.look()
    assert (post.mail.taken, post.counts()) == ([], {"failed": 1})
    (line,) = [record.getMessage() for record in caplog.records if record.name == module.__name__]
    assert line.startswith(f"mail about {owed.event} to {owed.to.login}: it will not be sent: {why}")
    assert "\n" not in line


def test_operators_are_written_to_at_their_mailbox(post: Post) -> None:
    post.owe(to=OPERATORS, template="operator-needed", data=OPERATOR_NEEDED)
    post.make("operators@example.org").start()
    eventually(lambda: post.mail.taken)
    assert post.mail.taken[0]["to"] == "operators@example.org"


def test_n2_a_mail_that_may_have_gone_is_never_repeated(post: Post) -> None:
    post.mail.troubles = [UnknownOutcome("the relay went away before it confirmed")]
    post.owe()
    post.look()
    assert post.counts() == {"sending": 1}
    post.clock.move(minutes=2, seconds=1)
    post.look()
    post.clock.move(days=1)
    post.look()
    assert (post.mail.attempts, post.counts()) == (1, {"unknown": 1})


def test_n2_what_a_dead_sender_had_claimed_is_settled_at_the_start_and_not_sent(post: Post) -> None:
    post.owe()
    assert post.register.claim_notice(NOON) is not None
    post.clock.move(minutes=3)
    post.look()
    assert (post.mail.taken, post.counts()) == ([], {"unknown": 1})


def test_what_another_sender_has_in_hand_is_left_to_it(post: Post) -> None:
    post.owe()
    assert post.register.claim_notice(NOON) is not None
    post.clock.move(minutes=1, seconds=59)
    post.look()
    assert (post.mail.taken, post.counts()) == ([], {"sending": 1})


def test_it_goes_on_when_the_register_is_back(post: Post) -> None:
    post.owe()
    post.register.down = ["claim"]
    dispatcher = post.make()
    dispatcher.start()
    eventually(lambda: post.register.down == [])
    assert post.mail.taken == []
    dispatcher.wake()
    eventually(lambda: post.counts() == {"sent": 1})


def test_n2_a_mail_that_went_while_the_register_was_away_is_recorded_later_and_not_repeated(post: Post) -> None:
    post.owe()
    post.register.down = ["sent", "sent"]
    dispatcher = post.make()
    dispatcher.start()

    def is_recorded() -> bool:
        dispatcher.wake()
        return post.counts() == {"sent": 1}

    eventually(is_recorded)
    assert (len(post.mail.taken), post.register.down) == (1, [])


def test_a_fault_of_ours_costs_one_mail_not_the_dispatcher(post: Post) -> None:
    post.mail.troubles = [RuntimeError("a bug")]
    post.owe()
    post.owe()
    post.look()
    assert (post.mail.taken, post.counts()) == ([], {"sending": 1, "pending": 1})
    post.look()
    assert (len(post.mail.taken), post.counts()) == (1, {"sending": 1, "sent": 1})


def test_notices_are_found_without_being_woken(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL", timedelta(milliseconds=20))
    dispatcher = post.make()
    dispatcher.start()
    eventually(lambda: dispatcher.rounds)
    post.owe()
    assert eventually(lambda: post.mail.taken)


def test_n2_several_senders_send_each_mail_once(post: Post) -> None:
    for _ in range(30):
        post.owe()
    for _ in range(3):
        post.make().start()
    eventually(lambda: post.counts() == {"sent": 30})
    assert len({one["message_id"] for one in post.mail.taken}) == len(post.mail.taken) == 30


def test_n2_a_mail_waits_until_its_persons_quiet_hours_are_over_and_goes_once(post: Post) -> None:
    post.wish(quiet=["11:00-14:00"])
    post.owe()
    post.look()
    post.clock.move(minutes=119)
    post.look()
    assert (post.mail.taken, post.counts()) == ([], {"pending": 1})
    post.clock.move(minutes=1)
    post.look()
    post.clock.move(days=1)
    post.look()
    assert (len(post.mail.taken), post.counts()) == (1, {"sent": 1})


def test_n2_what_is_urgent_goes_out_in_quiet_hours(post: Post) -> None:
    post.wish(quiet=["11:00-14:00"], digest="15:00")
    post.owe_decision(due_at=(NOON + timedelta(hours=9)).isoformat())
    post.owe(template="answered", data=CLOSED | {"task": "REQ-1001.1", "stage": "Owner", "answer": "Yes", "by": "Bob"})
    post.look()
    assert len(post.mail.taken) == 2


def test_n2_a_digest_is_one_mail_at_its_time_and_what_is_no_decision_goes_at_once(post: Post) -> None:
    post.wish(digest="15:00")
    post.owe_decision()
    post.owe()
    post.look()
    post.owe_decision("reminder")
    post.look()
    assert [one["subject"] for one in post.mail.taken] == ["Wiki editor for Ada Byron: fulfilled (REQ-1001)"]
    post.clock.move(hours=3)
    post.look()
    post.clock.move(days=2)
    post.look()
    (_, digest) = post.mail.taken
    assert digest["subject"] == "1 decision waits for you"
    assert "Wiki editor for Ada Byron (REQ-1001, Owner): you were reminded" in digest["body"]
    assert post.counts() == {"sent": 2, "gathered": 2}


def test_n2_a_digest_that_cannot_go_is_tried_again_and_goes_once(post: Post) -> None:
    post.wish(digest="15:00")
    post.owe_decision()
    post.look()
    post.mail.troubles = [Transient("the relay is away")]
    post.clock.move(hours=3)
    post.look()
    assert (post.mail.taken, post.counts()) == ([], {"pending": 1, "gathered": 1})
    post.clock.move(seconds=2)
    post.look()
    assert (len(post.mail.taken), post.counts()) == (1, {"sent": 1, "gathered": 1})


def test_n2_a_digest_whose_making_was_cut_off_is_made_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.wish(digest="15:00")
    post.owe_decision()
    post.look()

    def cut_off(*_: object) -> None:
        raise RegisterUnavailable("cut off")

    with monkeypatch.context() as patch:
        patch.setattr("records.notices.owe", cut_off)
        post.clock.move(hours=3)
        with pytest.raises(RegisterUnavailable):
            post.register.gather_notices(post.clock.now)
        assert post.counts() == {"pending": 1}
    post.look()
    assert (len(post.mail.taken), post.counts()) == (1, {"sent": 1, "gathered": 1})


def test_n2_a_digest_whose_sender_died_is_unknown_and_not_sent_again(post: Post) -> None:
    post.wish(digest="15:00")
    post.owe_decision()
    post.look()
    post.clock.move(hours=3)
    post.register.gather_notices(post.clock.now)
    assert post.register.claim_notice(post.clock.now) is not None
    post.clock.move(minutes=3)
    post.look()
    assert (post.mail.taken, post.counts()) == ([], {"unknown": 1, "gathered": 1})


def test_n2_several_senders_send_one_digest(post: Post) -> None:
    post.wish(digest="15:00")
    for _ in range(10):
        post.owe_decision()
    post.look()
    post.clock.move(hours=3)
    for _ in range(3):
        post.make().start()
    eventually(lambda: post.counts() == {"sent": 1, "gathered": 10})
    assert len(post.mail.taken) == 1


def test_a_stop_ends_after_the_mail_in_hand_and_leaves_the_rest_owed(post: Post) -> None:
    sending, go_on = threading.Event(), threading.Event()

    def send(**one: str) -> None:
        sending.set()
        go_on.wait(10)
        post.mail.taken.append(one)

    post.mail.send = send  # type: ignore[method-assign]  # a relay that takes its time
    post.owe()
    post.owe()
    dispatcher = post.make()
    dispatcher.start()
    assert sending.wait(10)
    stopping = threading.Thread(target=dispatcher.stop)
    stopping.start()
    eventually(dispatcher._stopping.is_set)
    go_on.set()
    stopping.join(10)
    assert not dispatcher._thread.is_alive()
    assert (len(post.mail.taken), post.counts()) == (1, {"sent": 1, "pending": 1})


def test_a_stop_needs_no_start_and_a_later_start_sends_nothing(post: Post) -> None:
    post.owe()
    dispatcher = post.make()
    dispatcher.stop()
    dispatcher.start()
    dispatcher._thread.join(10)
    assert not dispatcher._thread.is_alive()
    assert (post.mail.taken, post.counts()) == ([], {"pending": 1})


def test_a_stop_does_not_wait_for_a_register_that_is_away(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.owe()
    post.register.down = ["sent"] * 1_000
    dispatcher = post.make()
    dispatcher.start()
    eventually(lambda: len(post.register.down) < 1_000)
    dispatcher.stop()
    assert [record.levelno for record in caplog.records if "fate" in record.getMessage()] == [logging.WARNING]
