"""Who is asked to decide a stage, and why, as people see it (feature rows A8, A13, A20, W2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import NOON, a_person, a_slate, a_stage, after, an_order, approvals_of, cast, opening, stage_of

from catalog import stage_view
from catalog.ballot import Approvals, Escalate, Hand, Resolve, StageStatus, Tick, Verdict, Withdraw
from catalog.delegation import Deputy
from catalog.people import Person
from catalog.request import Waiting
from catalog.slate import Seat
from catalog.stages import ByItemOwner, Escalation

MARA, KIM, ROLF, EVE = (a_person(name) for name in ("Mara Lind", "Kim Keller", "Rolf Chief", "Eve Moss"))
DAY = timedelta(days=1)


def seen(state: Approvals) -> dict[str, tuple[bool, bool, list[str], str | None]]:
    """Return by login: own right, escalated, in whose place, and what they said."""
    return {
        one.person.login: (one.own, one.escalated, [who.login for who in one.on_behalf_of], one.verdict)
        for one in stage_view.assignees(stage_of(state))
    }


def test_a8_who_stands_in_is_not_asked_in_their_own_right_and_who_is_both_is() -> None:
    deputy = Deputy(person=KIM.ref(), via=("d1",))
    seats = (Seat(person=MARA.ref(), deputies=(deputy,)), Seat(person=ROLF.ref(), deputies=(deputy,)))
    state = after(approvals_of(a_stage(quorum="all")), opening(*seats))
    assert seen(state) == {
        "mara": (True, False, [], None),
        "kim": (False, False, ["mara", "rolf"], None),
        "rolf": (True, False, [], None),
    }
    both = after(approvals_of(a_stage(quorum="all")), opening(seats[0], KIM))
    assert seen(both)["kim"] == (True, False, ["mara"], None)


def test_a8_who_has_voted_and_now_stands_in_as_well_is_asked_again() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(MARA, KIM), cast(KIM))
    assert seen(state)["kim"] == (True, False, [], "approve")
    instead = Seat(person=MARA.ref(), deputies=(Deputy(person=KIM.ref(), via=("d1",)),))
    state = after(state, Resolve(stage="manager", slate=a_slate(instead, KIM)))
    assert seen(state)["kim"] == (False, False, ["mara"], None)
    state = after(state, cast(KIM))
    assert state.outcome is StageStatus.APPROVED


def test_a8_who_was_stood_in_for_is_still_asked_in_the_place_of_another() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(away(ROLF, MARA), away(MARA, KIM)), cast(KIM))
    assert seen(state)["mara"] == (False, False, ["rolf"], None)
    assert after(state, cast(MARA)).outcome is StageStatus.APPROVED


def test_a8_who_decided_in_the_place_of_another_and_is_named_later_is_asked_in_their_own_right() -> None:
    state = after(approvals_of(a_stage()), opening(away(MARA, KIM), ROLF), cast(KIM, Verdict.REJECT))
    state = after(state, Resolve(stage="manager", slate=a_slate(away(MARA, KIM), ROLF, KIM)))
    assert seen(state)["kim"] == (True, False, ["mara"], None)


def test_a8_who_decided_in_the_place_of_another_is_shown_with_them() -> None:
    deputy = Deputy(person=KIM.ref(), via=("d1",))
    seats = (Seat(person=MARA.ref(), deputies=(deputy,)), ROLF)
    state = after(approvals_of(a_stage(quorum="all")), opening(*seats), cast(KIM))
    assert seen(state) == {
        "mara": (True, False, [], "approve"),
        "kim": (False, False, ["mara"], "approve"),
        "rolf": (True, False, [], None),
    }


def escalated(how: str, seat: Seat | Person = MARA) -> Approvals:
    """Return a stage of Mara's that went to Rolf because she did not decide in time."""
    level = Escalation(to=(ByItemOwner(rule="item_owner"),), how=how, decide_within=DAY)
    state = after(approvals_of(a_stage(decide_within=DAY, escalate=(level,))), opening(seat))
    state = after(state, Tick(stage="manager"), at=NOON + DAY)
    return after(state, Escalate(stage="manager", slate=a_slate(ROLF)), at=NOON + DAY)


def test_a13_who_it_was_escalated_to_is_told_apart_from_those_who_were_asked() -> None:
    assert seen(escalated("add")) == {"mara": (True, False, [], None), "rolf": (False, True, [], None)}
    assert seen(escalated("replace")) == {"rolf": (False, True, [], None)}


def test_a9_whoever_a_decision_is_handed_to_after_it_was_escalated_is_asked() -> None:
    hand = Hand(stage="manager", by=EVE.ref(), seat=MARA.id, to=KIM.ref(), operator=True)
    state = after(escalated("replace"), hand, at=NOON + DAY)
    assert seen(state) == {"kim": (True, False, [], None), "rolf": (False, True, [], None)}


def late(state: Approvals) -> tuple[str, ...]:
    return stage_view.late(stage_of(state), stage_view.assignees(stage_of(state)))


def test_a21_a_deputy_is_late_once_it_was_decided_and_until_that_is_taken_back() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(away(MARA, KIM), ROLF))
    assert late(state) == ()
    voted = after(state, cast(MARA))
    assert late(voted) == (KIM.id,)
    assert late(after(voted, Withdraw(stage="manager", voter=MARA.ref()))) == ()
    assert late(after(voted, cast(ROLF))) == (KIM.id,)


def test_a21_whoever_is_asked_or_has_decided_is_not_late() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(away(MARA, KIM), away(ROLF, KIM)), cast(MARA))
    assert late(state) == ()
    assert late(after(state, cast(KIM))) == ()


def test_a21_who_it_was_escalated_to_is_late_once_it_was_decided() -> None:
    assert late(escalated("add")) == ()
    assert late(after(escalated("add"), cast(MARA), at=NOON + DAY)) == (ROLF.id,)
    assert late(after(escalated("add"), cast(ROLF), at=NOON + DAY)) == ()


def test_a22_a_vote_that_falls_says_why() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(MARA, ROLF), cast(MARA))
    (vote,) = stage_of(state).votes
    stage = stage_of(state)
    changed = stage.model_copy(update={"subject": "sha256:2"})
    assert stage_view.why_fallen(changed, vote) == "approval.amended"
    assert stage_view.why_fallen(None, vote) == "approval.not-needed"
    assert stage_view.why_fallen(changed.model_copy(update={"rule": "auto.cheap"}), vote) == "approval.not-needed"
    assert stage_view.why_fallen(stage, vote) == "approval.not-carried"


def stood_in_for(state: Approvals) -> dict[str, list[str]]:
    """Return by login who is waited for, and in whose place."""
    waiting = stage_view.waiting(state, stage_of(state), an_order(), "REQ-1001.1", "")
    places = waiting.on_behalf_of
    assert set(places) <= {person.id for person in waiting.who}
    return {person.login: [one.login for one in places.get(person.id, ())] for person in waiting.who}


def away(person: Person, *deputies: Person) -> Seat:
    return Seat(person=person.ref(), deputies=tuple(Deputy(person=one.ref(), via=("d1",)) for one in deputies))


def test_w1_a_wait_says_in_whose_place_somebody_is_asked() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(away(MARA, KIM, EVE), away(ROLF, EVE), KIM))
    assert stood_in_for(state) == {"eve": ["mara", "rolf"], "kim": []}


def test_w1_nobody_stands_in_any_more_for_who_has_decided() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(away(MARA, EVE), away(ROLF, EVE)), cast(MARA))
    assert stood_in_for(state) == {"eve": ["rolf"]}


@pytest.mark.parametrize(("how", "seen"), [("add", {"kim": ["mara"], "rolf": []}), ("replace", {"rolf": []})])
def test_w1_who_it_was_escalated_to_stands_in_for_nobody(how: str, seen: dict[str, list[str]]) -> None:
    assert stood_in_for(escalated(how, away(MARA, KIM))) == seen


def test_w1_a_wait_that_was_noted_before_that_was_known_is_read() -> None:
    wait = stage_view.waiting(escalated("add"), stage_of(escalated("add")), an_order(), "REQ-1001.1", "")
    assert Waiting.model_validate_json(wait.model_dump_json(exclude={"on_behalf_of"})) == wait


def what_follows(state: Approvals, then: str = "The access is set up.") -> dict[str, str]:
    """Return by the ids of the open stages what each says comes after it."""
    stages = [one for one in state.stages if one.status is StageStatus.OPEN]
    waits = {
        one.stage.id: stage_view.waiting(state, one, an_order(), f"REQ-1001.{one.stage.id}", then) for one in stages
    }
    return {name: wait.then for name, wait in waits.items()}


def test_w1_stages_side_by_side_do_not_come_after_each_other() -> None:
    stages = [a_stage(id=name.lower(), name=name, after=()) for name in ("Manager", "Privacy", "Guards")]
    state = after(approvals_of(*stages), opening(MARA), opening(KIM, stage="privacy"), opening(EVE, stage="guards"))
    assert what_follows(state) == {
        "manager": "Once Privacy and Guards have decided too: The access is set up.",
        "privacy": "Once Manager and Guards have decided too: The access is set up.",
        "guards": "Once Manager and Privacy have decided too: The access is set up.",
    }
    state = after(state, cast(EVE, stage="guards"))
    assert what_follows(state)["manager"] == "Once Privacy has decided too: The access is set up."
    state = after(state, cast(KIM, stage="privacy"))
    assert what_follows(state) == {"manager": "The access is set up."}


def test_w1_what_comes_after_another_stage_is_not_said_to_follow() -> None:
    later = a_stage(id="later", name="Later", after=("privacy",))
    stages = (a_stage(), a_stage(id="privacy", name="Privacy", after=()), later)
    state = after(approvals_of(*stages), opening(MARA), opening(KIM, stage="privacy"))
    assert what_follows(state) == {
        "manager": "Once Privacy and Later have decided too: The access is set up.",
        "privacy": "Later decides.",
    }
