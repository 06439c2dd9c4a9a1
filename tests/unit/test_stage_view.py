"""Who is asked to decide a stage, and why, as people see it (feature rows A8, A13, A20, W2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import (
    NOON,
    a_person,
    a_slate,
    a_stage,
    after,
    an_order,
    approvals_of,
    cast,
    opening,
    refused,
    stage_of,
)

from catalog import stage_view
from catalog.ballot import Approvals, Ask, Escalate, Hand, Join, Open, Resolve, StageStatus, Tick, Verdict, Withdraw
from catalog.calendar import ALWAYS
from catalog.delegation import Deputy
from catalog.people import Person
from catalog.request import Waiting, WaitKind
from catalog.slate import Seat
from catalog.stages import AllOf, Asked, ByItemOwner, ByManager, Escalation

MARA, KIM, ROLF, EVE = (a_person(name) for name in ("Mara Lind", "Kim Keller", "Rolf Chief", "Eve Moss"))
DAY = timedelta(days=1)
RULES = (ByManager(rule="manager"),)


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


def test_a8_who_stands_in_for_those_it_was_escalated_to_is_shown_with_them() -> None:
    level = Escalation(to=(ByItemOwner(rule="item_owner"),), how="replace", decide_within=DAY)
    state = after(approvals_of(a_stage(decide_within=DAY, escalate=(level,))), opening(MARA))
    state = after(state, Tick(stage="manager"), at=NOON + DAY)
    state = after(state, Escalate(stage="manager", slate=a_slate(away(ROLF, KIM))), at=NOON + DAY)
    assert seen(state) == {"rolf": (False, True, [], None), "kim": (False, False, ["rolf"], None)}


def test_a9_a_decision_handed_on_is_nobodys_whom_a_rule_names() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(MARA, ROLF))
    assert stage_of(state).others() == ()
    state = after(state, Hand(stage="manager", by=MARA.ref(), seat=MARA.id, to=KIM.ref()))
    state = after(state, Join(stage="manager", by=ROLF.ref(), person=EVE.ref()))
    assert stage_of(state).others() == (KIM.ref(), EVE.ref())


def test_a9_whoever_a_decision_is_handed_to_after_it_was_escalated_is_asked() -> None:
    hand = Hand(stage="manager", by=EVE.ref(), seat=MARA.id, to=KIM.ref(), operator=True)
    state = after(escalated("replace"), hand, at=NOON + DAY)
    assert seen(state) == {"kim": (True, False, [], None), "rolf": (False, True, [], None)}


def test_a13_whose_seat_others_fill_alone_never_had_a_vote_and_is_not_shown() -> None:
    state = after(escalated("replace"), Resolve(stage="manager", slate=a_slate(KIM)), at=NOON + DAY)
    decided = after(state, cast(ROLF), at=NOON + DAY)
    assert seen(decided) == {"rolf": (False, False, ["kim"], "approve")}
    assert KIM.id not in late(decided)
    assert refused(decided, cast(KIM), at=NOON + DAY).code == "not-approver"


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


def wait(state: Approvals) -> Waiting:
    return stage_view.waiting(state, stage_of(state), an_order(), "REQ-1001.1", "The access is set up.")


def test_w1_a_question_is_waited_for_with_those_who_are_to_answer_it() -> None:
    state = after(approvals_of(a_stage(unanswered="return")), opening(MARA))
    asked = wait(after(state, Ask(stage="manager", by=MARA.ref(), text="What for?")))
    assert asked.kind is WaitKind.INFORMATION
    assert asked.what == "Mara Lind asks before deciding Manager: What for?"
    assert asked.who == an_order().people
    assert (asked.rule, asked.calendar) == ("approval.question", "")
    assert (asked.at_deadline, asked.then) == ("They decide without an answer.", "Manager decides.")


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        ({"quorum": "any"}, "Manager decides"),
        ({"quorum": "all"}, "Manager decides: everybody asked must approve"),
        ({"quorum": 2}, "Manager decides: 2 of 3 must approve"),
        ({"approvers": (), "decide": Asked(approvers=RULES, weight=2)}, "Manager decides: their votes are weighed"),
        (
            {"approvers": (), "decide": AllOf(all=(Asked(approvers=RULES), Asked(approvers=RULES)))},
            "Manager decides: several groups of people",
        ),
    ],
)
def test_w1_how_many_must_approve_is_said_where_one_is_not_enough(terms: dict[str, Any], what: str) -> None:
    stage = a_stage(**terms)
    groups = dict.fromkeys(range(len(stage.groups)), 1)
    seats = (Seat(person=one.ref(), groups=groups) for one in (MARA, KIM, ROLF))
    state = after(approvals_of(stage), opening(*seats))
    assert wait(state).what == what


def test_a_stage_that_begins_is_put_on_record_with_whoever_decides_and_their_working_time() -> None:
    office = ALWAYS.model_copy(update={"id": "office"})
    slate = a_slate(away(MARA, KIM), ROLF, hours={ROLF.id: "office"}, calendars={"office": office})
    state = after(approvals_of(a_stage(quorum="all")), Open(stage="manager", slate=slate))
    stage = stage_of(state)
    facts = stage_view.facts(stage)
    assert [one["login"] for one in facts["approvers"]] == ["mara", "rolf"]
    assert facts["deputies"] == {"Mara Lind": "Kim Keller"}
    assert facts["hours"] == {ROLF.id: "office"}
    assert (facts["stage"], facts["quorum"], facts["rule"]) == ("manager", "all", slate.rule)
    assert "round" not in facts
    assert stage_view.facts(stage.model_copy(update={"round": 2}))["round"] == 2
    alone = after(approvals_of(a_stage()), opening(MARA))
    assert stage_view.facts(stage_of(alone)).keys().isdisjoint({"deputies", "hours"})
