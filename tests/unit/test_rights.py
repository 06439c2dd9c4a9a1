"""Rights: who sees, cancels and decides, and the words for those who may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON, a_person, an_actor, an_item, an_order

from catalog import rights
from catalog.ballot import (
    Verdict,
)
from catalog.calendar import Calendar
from catalog.delegation import Delegation
from catalog.errors import Refused
from catalog.hours import Segment
from catalog.item import CancelPolicy
from catalog.people import Actor, PersonRef
from catalog.request import Assignee, Order, OrderLine, Projection, Status, Task
from catalog.steps import WaitStep

ADA, BEN, CLEO, MARA = (an_actor(name) for name in ("Ada Byron", "Ben Okri", "Cleo Moss", "Mara Lind"))
OLGA = an_actor("Olga Reyes", operator=True)
ORDER = an_order(beneficiary=a_person("Ben Okri").ref())
"""Ada orders for Ben."""


def task(kind: str = "approval", *assignees: Actor, **other: Any) -> Task:
    plain = {
        "id": "REQ-1001.1",
        "kind": kind,
        "title": "Line manager: Wiki editor for Ben Okri",
        "assignees": tuple(Assignee(person=actor.person) for actor in assignees),
        "choices": ("approve", "reject") if kind == "approval" else ("retry", "skip", "cancel"),
        "subject": "sha256:1",
        "opened_at": NOON,
    }
    return Task(**plain | other)


def code(refusal: rights.Refusal | None) -> Refused | None:
    return refusal.code if refusal else None


@pytest.mark.parametrize(
    ("actor", "asked", "sees"),
    [(ADA, False, True), (BEN, False, True), (OLGA, False, True), (MARA, True, True), (CLEO, False, False)],
)
def test_a_request_is_seen_by_its_two_people_the_asked_and_operators(actor: Actor, asked: bool, sees: bool) -> None:
    assert rights.may_see(actor, ORDER, asked=asked) is sees


def test_what_went_wrong_is_for_operators_only() -> None:
    assert rights.may_see_task(ADA, task())
    assert not rights.may_see_task(ADA, task("operator"))
    assert rights.may_see_task(OLGA, task("operator"))


@pytest.mark.parametrize(("actor", "refused"), [(ADA, None), (BEN, None), (OLGA, None), (MARA, Refused.NOT_ALLOWED)])
def test_a_request_is_called_off_by_its_two_people_and_operators(actor: Actor, refused: Refused | None) -> None:
    assert code(rights.refuse_cancel(actor, ORDER)) is refused


@pytest.mark.parametrize(
    ("actor", "asked_for", "refused"),
    [
        (MARA, task("approval", MARA), None),
        (CLEO, task("approval", MARA), Refused.NOT_APPROVER),
        (OLGA, task("approval", MARA), Refused.NOT_APPROVER),
        (ADA, task("approval", MARA), Refused.SELF_APPROVAL),
        (BEN, task("approval", MARA), Refused.SELF_APPROVAL),
        (ADA, task("approval", ADA), None),  # the stage says that she may; otherwise it would not have asked her
        (OLGA, task("operator"), None),
        (MARA, task("operator"), Refused.NOT_ALLOWED),
        (an_actor("Ada Byron", operator=True), task("operator"), Refused.SELF_APPROVAL),
    ],
)
def test_a_task_is_decided_by_those_it_asks_and_never_by_those_it_is_for(
    actor: Actor, asked_for: Task, refused: Refused | None
) -> None:
    assert code(rights.refuse_decider(actor, ORDER, asked_for)) is refused
    assert rights.may_decide(actor, ORDER, asked_for) is (refused is None)


@pytest.mark.parametrize(
    ("asked", "choice", "reason", "refused"),
    [
        (task(), "approve", "", None),
        (task(), "reject", "too much", None),
        (task(), "reject", " ", Refused.REASON_NEEDED),
        (task(), "retry", "", Refused.UNKNOWN_CHOICE),
        (task("operator"), "retry", "", None),
        (task("operator"), "skip", "", Refused.REASON_NEEDED),
        (task("operator"), "cancel", "", Refused.REASON_NEEDED),
    ],
)
def test_a_choice_is_one_of_those_offered_and_explained_where_it_takes_something_away(
    asked: Task, choice: str, reason: str, refused: Refused | None
) -> None:
    assert code(rights.refuse_choice(asked, choice, reason)) is refused


def test_a_decision_that_was_made_is_named_with_who_made_it() -> None:
    decided = task("approval", MARA, decided="approved", decided_by=(MARA.person,))
    found = rights.refuse_late(MARA, decided)
    assert code(found) is Refused.ALREADY_DECIDED
    assert found is not None
    assert "approved by Mara Lind" in found.message
    assert not rights.may_decide(MARA, ORDER, decided)


def test_a_task_that_ended_without_a_decision_says_how() -> None:
    found = rights.refuse_late(MARA, task("approval", MARA, decided="expired"))
    assert code(found) is Refused.CLOSED
    assert found is not None
    assert "expired" in found.message


def test_a_second_decision_of_the_same_person_is_refused_while_others_are_awaited() -> None:
    voted = Assignee(person=MARA.person, verdict=Verdict.APPROVE, at=NOON)
    asked = task(assignees=(voted, Assignee(person=CLEO.person)))
    found = rights.refuse_late(MARA, asked)
    assert code(found) is Refused.ALREADY_DECIDED
    assert found is not None
    assert "approve by Mara Lind" in found.message
    assert rights.refuse_late(CLEO, asked) is None


def test_a8_who_was_stood_in_for_is_told_who_decided_on_their_behalf() -> None:
    stood_in = Assignee(person=MARA.person, verdict=Verdict.APPROVE, at=NOON, by=CLEO.person)
    found = rights.refuse_late(MARA, task(assignees=(stood_in,)))
    assert code(found) is Refused.ALREADY_DECIDED
    assert found is not None
    assert "Cleo Moss has already decided on your behalf: approve." in found.message


def delegated(by: Actor, **other: Any) -> Delegation:
    """Return a delegation to Cleo that stands."""
    plain = {"id": by.person.id, "person": by.person, "delegate": CLEO.person, "set_by": by.person}
    times = {"created_at": NOON, "begins": NOON, "ends": NOON + timedelta(days=1)}
    return Delegation(**plain | times | other)


@pytest.mark.parametrize(
    ("mine", "act", "missing"),
    [
        ({"own": False}, "decide", "Mara Lind and Olga Reyes"),
        ({"own": False}, "ask", "Mara Lind and Olga Reyes"),
        ({"own": False}, "remind", ""),  # who waits reminds, in nobody's place
        ({"own": True}, "decide", ""),
        ({"own": False, "escalated": True}, "decide", ""),
        ({"own": False, "verdict": Verdict.APPROVE}, "ask", ""),
    ],
)
def test_a8_who_only_stands_in_does_nothing_once_that_was_withdrawn(
    mine: dict[str, Any], act: str, missing: str
) -> None:
    asked = task(assignees=(Assignee(person=CLEO.person, on_behalf_of=(MARA.person, OLGA.person), **mine),))
    found = rights.refuse_deputy(CLEO, asked, act, over(asked, act))
    assert code(found) is (Refused.NO_LONGER_ASKED if missing else None)
    assert found is None or f"you no longer stand in for {missing}; so far: no decision." in found.message
    standing = (delegated(MARA), delegated(OLGA))
    assert rights.refuse_deputy(CLEO, asked, act, over(asked, act, *standing)) is None
    assert over(asked, act, *standing) == ()
    assert rights.refuse_deputy(BEN, asked, act, over(asked, act)) is None


def over(asked: Task, act: str, *known: Delegation) -> tuple[PersonRef, ...]:
    """Return in whose place Cleo no longer is, as these delegations stand."""
    return rights.no_longer_for(CLEO, ORDER, asked, act, delegations=known, at=NOON)


@pytest.mark.parametrize("own", [True, False])
def test_a8_who_stands_in_for_two_goes_on_for_the_one_who_has_not_withdrawn_that(*, own: bool) -> None:
    asked = task(assignees=(Assignee(person=CLEO.person, own=own, on_behalf_of=(MARA.person, OLGA.person)),))
    known = (delegated(MARA), delegated(OLGA, withdrawn_at=NOON))
    assert over(asked, "decide", *known) == (OLGA.person,)
    assert rights.refuse_deputy(CLEO, asked, "decide", over(asked, "decide", *known)) is None


def test_a21_who_comes_too_late_to_stand_in_is_told_how_it_stands_and_who_has_decided() -> None:
    voted = Assignee(person=MARA.person, verdict=Verdict.APPROVE, at=NOON)
    stood_in = Assignee(person=OLGA.person, verdict=Verdict.APPROVE, at=NOON, by=MARA.person)
    open_ = task(assignees=(voted, stood_in, Assignee(person=BEN.person)), late=(CLEO.person.id,))
    assert rights.refuse_decider(CLEO, ORDER, open_) is None
    found = rights.refuse_decision(CLEO, ORDER, open_, "approve", "")
    assert code(found) is Refused.ALREADY_DECIDED
    assert found is not None
    assert found.message.endswith("others have decided this in your place; so far: Mara Lind (approve).")
    assert not rights.may_decide(CLEO, ORDER, open_)

    closed = open_.model_copy(update={"decided": "approved", "decided_by": (MARA.person,)})
    found = rights.refuse_decision(CLEO, ORDER, closed, "approve", "")
    assert code(found) is Refused.ALREADY_DECIDED
    assert found is not None
    assert found.message.endswith("approved by Mara Lind.")


def test_a21_who_is_no_longer_asked_is_told_how_it_stands_and_how_it_ended() -> None:
    gone: dict[str, Any] = {"removed": (CLEO.person.id,)}
    voted = Assignee(person=MARA.person, verdict=Verdict.APPROVE, at=NOON)
    for asked, stands in (
        (task("approval", MARA, **gone), "so far: no decision."),
        (task(assignees=(voted, Assignee(person=OLGA.person)), **gone), "so far: Mara Lind (approve)."),
        (task("approval", MARA, decided="rejected", decided_by=(MARA.person,), **gone), "was rejected by Mara Lind."),
        (task("approval", MARA, decided="expired", **gone), "it was expired."),
    ):
        found = rights.refuse_decision(CLEO, ORDER, asked, "approve", "")
        assert code(found) is Refused.NO_LONGER_ASKED
        assert found is not None
        assert found.message.endswith(stands)


def test_a_requester_who_could_decide_once_is_told_that_they_no_longer_can() -> None:
    assert code(rights.refuse_decider(ADA, ORDER, task(removed=(ADA.person.id,)))) is Refused.NO_LONGER_ASKED
    assert code(rights.refuse_late(ADA, task(late=(ADA.person.id,)))) is Refused.ALREADY_DECIDED


# ---------------------------------------------------------------- cancel policies


def an_order_of(**item: Any) -> Order:
    return an_order(item=an_item(**item), beneficiary=a_person("Ben Okri").ref())


def test_an_item_says_who_may_cancel() -> None:
    order = an_order_of(cancel=CancelPolicy(by=("requester",)))
    assert code(rights.refuse_cancel(ADA, order)) is None
    assert code(rights.refuse_cancel(OLGA, order)) is None
    refusal = rights.refuse_cancel(BEN, order)
    assert refusal == rights.Refusal(code=Refused.NOT_ALLOWED, message="Only the requester and operators cancel it.")


def test_an_item_that_only_operators_cancel_says_so() -> None:
    refusal = rights.refuse_cancel(ADA, an_order_of(cancel=CancelPolicy(by=())))
    assert refusal == rights.Refusal(code=Refused.NOT_ALLOWED, message="Only operators cancel it.")


def test_an_item_can_be_cancelled_until_its_fulfilment_begins_and_later_by_operators() -> None:
    order = an_order_of(cancel=CancelPolicy(until="fulfilment"))
    assert code(rights.refuse_cancel(ADA, order)) is None
    assert code(rights.refuse_cancel(ADA, order, begun=True)) is Refused.CLOSED
    assert code(rights.refuse_cancel(OLGA, order, begun=True)) is None
    assert code(rights.refuse_cancel(ADA, an_order_of(), begun=True)) is None


def test_an_item_can_ask_for_a_reason_to_cancel() -> None:
    order = an_order_of(cancel=CancelPolicy(reason=True))
    assert code(rights.refuse_cancel(ADA, order, " ")) is Refused.REASON_NEEDED
    assert code(rights.refuse_cancel(ADA, order, "Not needed")) is None


# ---------------------------------------------------------------- events and work


def test_events_are_reported_by_operators_and_only_those_that_are_waited_for() -> None:
    wait = WaitStep(id="came", do="wait", event="delivered")
    order = an_order_of(workflow=None, entitlement=None, steps=(wait,))
    assert code(rights.refuse_report(OLGA, order, "delivered")) is None
    assert code(rights.refuse_report(ADA, order, "delivered")) is Refused.NOT_ALLOWED
    refusal = rights.refuse_report(OLGA, order, "stolen")
    assert refusal
    assert refusal.code is Refused.UNKNOWN_CHOICE
    assert "it knows: delivered" in refusal.message
    assert "it knows: none" in (rights.refuse_report(OLGA, ORDER, "stolen") or refusal).message


WORK = task("fulfilment", MARA, CLEO)
TAKEN = task("fulfilment", MARA, CLEO, claimed_by=MARA.person)
DONE = task("fulfilment", MARA, CLEO, decided="completed", decided_by=(MARA.person,))


@pytest.mark.parametrize(
    ("actor", "on", "act", "refused"),
    [
        (MARA, task("approval", MARA), "claim", Refused.UNKNOWN_CHOICE),
        (MARA, WORK, "claim", None),
        (MARA, WORK, "complete", None),
        (BEN, WORK, "claim", Refused.NOT_APPROVER),
        (OLGA, WORK, "complete", Refused.NOT_APPROVER),
        (CLEO, TAKEN, "claim", Refused.ALREADY_DECIDED),
        (CLEO, TAKEN, "complete", Refused.ALREADY_DECIDED),
        (CLEO, TAKEN, "release", Refused.ALREADY_DECIDED),
        (MARA, TAKEN, "claim", Refused.ALREADY_DECIDED),
        (MARA, TAKEN, "release", None),
        (OLGA, TAKEN, "release", None),
        (MARA, TAKEN, "complete", None),
        (MARA, WORK, "release", Refused.CLOSED),
        (MARA, WORK, "decline", Refused.REASON_NEEDED),
        (MARA, DONE, "complete", Refused.CLOSED),
    ],
)
def test_work_is_done_by_those_asked_one_at_a_time(actor: Actor, on: Task, act: str, refused: Refused | None) -> None:
    assert code(rights.refuse_work(actor, on, act, "")) is refused


def test_work_that_ended_says_how_and_by_whom() -> None:
    assert "completed by Mara Lind" in (rights.refuse_work(MARA, DONE, "claim", "") or ORDER_REFUSED).message
    expired = task("fulfilment", MARA, decided="expired")
    assert (rights.refuse_work(MARA, expired, "claim", "") or ORDER_REFUSED).message.endswith("this was expired.")


def test_work_can_be_declined_with_a_reason() -> None:
    assert rights.refuse_work(MARA, WORK, "decline", "No labels") is None


def test_work_is_no_decision() -> None:
    assert code(rights.refuse_decider(MARA, ORDER, WORK)) is Refused.UNKNOWN_CHOICE


ORDER_REFUSED = rights.Refusal(code=Refused.CLOSED, message="")


# ---------------------------------------------------------------- what can be done now (W1)

ASKED = ["decide", "ask", "consult", "add", "reassign"]
QUESTION = task("information", ADA, BEN, id="REQ-1001.2", stage="manager", choices=("answer",))


def stage_task(*assignees: Assignee | Actor, **other: Any) -> Task:
    people = tuple(one if isinstance(one, Assignee) else Assignee(person=one.person) for one in assignees)
    return task("approval", assignees=people, **{"stage": "manager"} | other)


def can(actor: Actor, asked: Task, *beside: Task) -> list[str]:
    return list(rights.acts(actor, ORDER, asked, (asked, *beside), NOON))


def test_w1_who_is_asked_can_do_everything_but_ask_twice() -> None:
    assert can(MARA, stage_task(MARA)) == ASKED
    assert can(MARA, stage_task(MARA), QUESTION) == [act for act in ASKED if act != "ask"]
    answered = QUESTION.model_copy(update={"decided": "answered"})
    elsewhere = QUESTION.model_copy(update={"stage": "finance"})
    assert can(MARA, stage_task(MARA), answered, elsewhere) == ASKED


def test_w1_who_has_decided_can_take_it_back_and_who_was_stood_in_for_cannot() -> None:
    said = {"verdict": Verdict.APPROVE, "at": NOON}
    assert can(MARA, stage_task(Assignee(person=MARA.person, voted=True, **said), CLEO)) == ["withdraw"]
    assert can(MARA, stage_task(Assignee(person=MARA.person, by=CLEO.person, **said), CLEO)) == []
    both = Assignee(person=MARA.person, by=CLEO.person, voted=True, **said)  # they decided in the place of another
    assert can(MARA, stage_task(both, CLEO)) == ["withdraw"]
    again = Assignee(person=MARA.person, own=False, voted=True)
    assert can(MARA, stage_task(again, CLEO)) == ["decide", "ask", "consult", "add", "withdraw"]


def test_w1_who_waits_can_remind_unless_it_is_their_turn_or_they_just_did() -> None:
    assert can(ADA, stage_task(MARA)) == ["remind"]
    assert can(BEN, stage_task(MARA)) == ["remind"]
    assert can(ADA, stage_task(MARA), QUESTION) == []
    assert can(ADA, stage_task(MARA, nudged_at=NOON - timedelta(hours=23))) == []
    assert can(ADA, stage_task(MARA, nudged_at=NOON - timedelta(days=1))) == ["remind"]


def test_w1_operators_hand_on_what_is_not_their_own_and_remind() -> None:
    assert can(OLGA, stage_task(MARA)) == ["reassign", "remind"]
    assert can(an_actor("Ada Byron", operator=True), stage_task(MARA)) == ["remind"]
    stands_in = Assignee(person=OLGA.person, own=False, on_behalf_of=(MARA.person,))
    assert can(OLGA, stage_task(MARA, stands_in)) == ["decide", "ask", "consult", "add", "reassign", "remind"]
    assert can(OLGA, stage_task(Assignee(person=MARA.person, verdict=Verdict.APPROVE))) == ["remind"]


def test_w1_others_can_do_nothing_and_nobody_anything_about_what_is_decided() -> None:
    assert can(CLEO, stage_task(MARA)) == []
    for actor in (MARA, ADA, OLGA):
        assert can(actor, stage_task(MARA, decided="approved")) == []


def test_w1_who_ordered_it_and_may_decide_it_themselves_can_do_both() -> None:
    assert can(ADA, stage_task(ADA)) == [*ASKED, "remind"]


@pytest.mark.parametrize(("day", "offered"), [("monday", True), ("tuesday", False)])
def test_a24_deciding_is_offered_in_the_working_time_of_the_stage_only(day: Any, offered: bool) -> None:
    hours = Calendar(id="office", name="Office", week={day: (Segment(9 * 60, 17 * 60),)})
    assert ("decide" in can(MARA, stage_task(MARA, acts_in=hours))) is offered


def test_w1_questions_are_answered_by_those_who_are_asked() -> None:
    assert can(ADA, QUESTION) == ["answer"]
    assert can(MARA, QUESTION) == []
    advice = task("advice", CLEO, choices=("answer",))
    assert can(CLEO, advice) == ["advise"]
    assert can(MARA, advice) == []


def test_w1_work_and_operator_tasks_are_offered_to_those_who_do_them() -> None:
    assert can(MARA, WORK) == ["claim", "complete", "decline"]
    assert can(MARA, TAKEN) == ["release", "complete", "decline"]
    assert can(CLEO, TAKEN) == []
    assert can(OLGA, task("operator")) == ["decide"]
    assert can(MARA, task("operator")) == []


def projected(*tasks: Task, status: Status = Status.APPROVAL) -> Projection:
    return Projection(number="REQ-1001", seq=1, status=status, tasks=tasks, updated_at=NOON)


def test_w1_a_request_is_changed_while_its_stages_are_decided_and_called_off_until_it_is_undone() -> None:
    asked = projected(stage_task(MARA))
    assert rights.acts_on_request(ADA, ORDER, asked) == ("amend", "cancel")
    assert rights.acts_on_request(BEN, ORDER, asked) == ("cancel",)
    assert rights.acts_on_request(MARA, ORDER, asked) == ()
    over = (stage_task(MARA, decided="approved"), task("approval", MARA, stage="in-the-middle"))
    assert rights.acts_on_request(ADA, ORDER, projected(*over, status=Status.FULFILMENT)) == ("cancel",)
    for status in (Status.ROLLBACK, Status.CLOSED):
        assert rights.acts_on_request(ADA, ORDER, projected(*over, status=status)) == ()


def test_w1_what_is_called_off_until_its_fulfilment_only_is_not_offered_to_be_after() -> None:
    order = an_order_of(cancel=CancelPolicy(until="fulfilment"))
    assert rights.acts_on_request(ADA, order, projected()) == ("cancel",)
    assert rights.acts_on_request(ADA, order, projected(status=Status.FULFILMENT)) == ()


def test_a22_only_who_ordered_it_changes_it_and_only_one_thing_at_a_time_and_not_too_late() -> None:
    assert rights.refuse_amendment(ADA, ORDER) is None
    assert code(rights.refuse_amendment(BEN, ORDER)) is Refused.NOT_ALLOWED
    line = OrderLine(id="1", item="vpn", version="1.0.0", item_name="VPN", beneficiary=BEN.person)
    assert code(rights.refuse_amendment(ADA, ORDER.model_copy(update={"lines": (line,)}))) is Refused.NOT_ALLOWED
    assert code(rights.refuse_amendment(ADA, ORDER, begun=True)) is Refused.CLOSED


@pytest.mark.parametrize(
    ("actor", "asked", "act", "text", "refused"),
    [
        (MARA, stage_task(MARA), "ask", "Why?", None),
        (MARA, stage_task(MARA), "ask", " ", Refused.REASON_NEEDED),
        (MARA, stage_task(MARA), "consult", "", Refused.REASON_NEEDED),
        (MARA, stage_task(MARA), "add", "", None),
        (MARA, stage_task(MARA), "answer", "x", Refused.UNKNOWN_CHOICE),
        (ADA, stage_task(MARA), "ask", "Why?", Refused.SELF_APPROVAL),
        (ADA, stage_task(MARA), "remind", "", None),
        (CLEO, stage_task(MARA), "remind", "", Refused.NOT_APPROVER),
        (CLEO, stage_task(MARA, removed=(CLEO.person.id,)), "withdraw", "", Refused.NO_LONGER_ASKED),
        (CLEO, stage_task(MARA, late=(CLEO.person.id,)), "ask", "Why?", Refused.ALREADY_DECIDED),
        (OLGA, stage_task(MARA), "reassign", "", None),
        (OLGA, stage_task(MARA), "ask", "Why?", Refused.NOT_APPROVER),
        (ADA, QUESTION, "answer", "Because", None),
        (ADA, QUESTION, "answer", "", Refused.REASON_NEEDED),
        (MARA, QUESTION, "answer", "x", Refused.NOT_APPROVER),
        (MARA, stage_task(MARA, decided="approved", decided_by=(CLEO.person,)), "ask", "Why?", Refused.CLOSED),
    ],
)
def test_a9_what_is_done_about_a_decision_is_for_those_whose_it_is(
    actor: Actor, asked: Task, act: str, text: str, refused: Refused | None
) -> None:
    assert code(rights.refuse_considering(actor, ORDER, asked, act, text)) is refused


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (rights.refuse_considering(MARA, ORDER, stage_task(MARA), "answer", "x"), "a decision; approve or reject it"),
        (rights.refuse_considering(ADA, ORDER, QUESTION, "ask", "x"), "a question; answer it"),
        (rights.refuse_considering(CLEO, ORDER, task("advice", CLEO), "add", "x"), "a request for advice; give it"),
        (rights.refuse_considering(OLGA, ORDER, task("operator"), "ask", "x"), "for operators to decide; choose how"),
        (rights.refuse_work(MARA, stage_task(MARA), "claim", ""), "a decision; approve or reject it"),
        (rights.refuse_decider(MARA, ORDER, WORK), "work; claim, complete or decline it"),
    ],
)
def test_what_is_not_done_with_a_task_is_refused_with_what_is(refusal: rights.Refusal | None, said: str) -> None:
    assert refusal is not None
    assert refusal.code is Refused.UNKNOWN_CHOICE
    assert refusal.message.startswith(f"This is {said}"), "whoever knows the id of a task learns no more of it"


def test_a19_what_helps_to_decide_is_seen_by_those_who_do_and_operators() -> None:
    asked = stage_task(MARA)
    seen = [rights.may_see_background(actor, asked) for actor in (MARA, OLGA, ADA, BEN, CLEO)]
    assert seen == [True, True, False, False, False]
    assert not rights.may_see_background(ADA, QUESTION)
