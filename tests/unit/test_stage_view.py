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
from catalog.journal import Chain, Kind
from catalog.people import Person
from catalog.request import Waiting, WaitKind
from catalog.slate import Seat
from catalog.stages import AllOf, AnyOf, Asked, ByGroup, ByItemOwner, ByManager, Escalation, Reminders, Stage
from catalog.timeline import describe

MARA, KIM, ROLF, EVE = (a_person(name) for name in ("Mara Lind", "Kim Keller", "Rolf Chief", "Eve Moss"))
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
RULES = (ByManager(rule="manager"),)
BOSS = Asked(approvers=RULES)
GUARDS = Asked(approvers=(ByGroup(rule="group", group="guards"),))
VETO = GUARDS.model_copy(update={"veto": True})
BIG = ByGroup(rule="group", group="guards", weight=3)
HEAVY = "the group guards (weighing 3 each), with a weight of 3 together"
BOTH = "Both of these must approve: one of the group guards; the line manager."


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


def test_a21_a_vote_shows_as_its_voters_also_if_another_decided_in_their_place_or_they_are_asked_again() -> None:
    eve = a_person("Eve")
    seats = (away(ROLF, MARA), away(MARA, KIM))
    state = after(approvals_of(a_stage(quorum="all")), opening(*seats, eve), cast(KIM), cast(MARA))
    assert seen(state)["mara"] == (True, False, ["rolf"], "approve")
    assert voted(state) == {"mara", "kim"}
    again = after(state, Resolve(stage="manager", slate=a_slate(*seats, away(eve, KIM))))
    assert seen(again)["kim"] == (False, False, ["mara", "eve"], None)
    assert voted(again) == {"mara", "kim"}


def voted(state: Approvals) -> set[str]:
    """Return by login who has a vote to take back."""
    return {one.person.login for one in stage_view.assignees(stage_of(state)) if one.voted}


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
        "manager": "After the approval of Privacy and Guards as well: The access is set up.",
        "privacy": "After the approval of Manager and Guards as well: The access is set up.",
        "guards": "After the approval of Manager and Privacy as well: The access is set up.",
    }
    state = after(state, cast(EVE, stage="guards"))
    assert what_follows(state)["manager"] == "After the approval of Privacy as well: The access is set up."
    state = after(state, cast(KIM, stage="privacy"))
    assert what_follows(state) == {"manager": "The access is set up."}


def test_w1_what_comes_after_another_stage_is_not_said_to_follow() -> None:
    later = a_stage(id="later", name="Later", after=("privacy",))
    stages = (a_stage(), a_stage(id="privacy", name="Privacy", after=()), later)
    state = after(approvals_of(*stages), opening(MARA), opening(KIM, stage="privacy"))
    assert what_follows(state) == {
        "manager": "After the approval of Privacy and Later as well: The access is set up.",
        "privacy": "Next decision: Later.",
    }


NEEDED = "a decision is needed"


def wait(state: Approvals) -> Waiting:
    return stage_view.waiting(state, stage_of(state), an_order(), "REQ-1001.1", "The access is set up.")


def test_w1_a_question_is_waited_for_with_those_who_are_to_answer_it() -> None:
    state = after(approvals_of(a_stage(unanswered="return")), opening(MARA))
    asked = wait(after(state, Ask(stage="manager", by=MARA.ref(), text="What for?")))
    assert asked.kind is WaitKind.INFORMATION
    assert asked.what == "Mara Lind asks before deciding “Manager”: What for?"
    assert asked.who == an_order().people
    assert (asked.rule, asked.calendar) == ("approval.question", "")
    assert (asked.at_deadline, asked.then) == (
        "It is decided without an answer.",
        "The decision is awaited again: Manager.",
    )


def test_w1_the_next_reminder_is_that_of_somebody_who_has_not_decided() -> None:
    remind = Reminders(after=DAY)
    state = after(approvals_of(a_stage(quorum="all", remind=remind)), opening(MARA, ROLF))
    state = after(state, Join(stage="manager", by=MARA.ref(), person=EVE.ref()), at=NOON + HOUR)
    assert wait(state).next_at == NOON + DAY
    state = after(state, cast(MARA), cast(ROLF), at=NOON + HOUR)
    assert wait(state).next_at == NOON + HOUR + DAY
    assert wait(after(approvals_of(a_stage()), opening(MARA))).next_at is None


def test_w1_the_next_reminder_of_a_question_is_that_of_those_who_are_to_answer_it() -> None:
    stage = a_stage(remind=Reminders(after=DAY), answer_within=4 * DAY)
    asked = after(after(approvals_of(stage), opening(MARA)), Ask(stage="manager", by=MARA.ref(), text="What for?"))
    question = stage_of(asked).question
    assert question is not None
    assert wait(asked).next_at == question.remind_at is not None


def seats_of(stage: Stage) -> list[Seat]:
    """Return Mara, who weighs 2 and is in the last group only, and Kim, Rolf and Eve, who are in all of them."""
    groups = range(len(stage.groups))
    return [Seat(person=MARA.ref(), groups={groups[-1]: 2})] + [
        Seat(person=one.ref(), groups=dict.fromkeys(groups, 1)) for one in (KIM, ROLF, EVE)
    ]


@pytest.mark.parametrize(
    ("terms", "before", "then"),
    [
        ({"quorum": "any"}, "", ""),
        ({"quorum": "all"}, "everybody asked must approve", "everybody asked must approve; 1 has"),
        ({"quorum": 4}, "everybody asked must approve", "everybody asked must approve; 1 has"),
        ({"quorum": 3}, "3 of 4 must approve", "3 of 4 must approve; 1 has"),
        ({"quorum": "60%"}, "60 % = 3 of 4 must approve", "60 % = 3 of 4 must approve; 1 has"),
        ({"quorum": "20%"}, "", ""),
        (
            {"quorum": "responded"},
            "one approval is enough once all 4 have answered",
            "one approval is enough once all 4 have answered; 1 has",
        ),
        (
            {"decide": Asked(approvers=RULES, weight=4)},
            "weights must come to 4",
            "weights must come to 4; 2 so far",
        ),
        ({"decide": Asked(approvers=RULES, quorum=2)}, "2 of 4 must approve", "2 of 4 must approve; 1 has"),
        (
            {"decide": AllOf(all=(GUARDS, BOSS))},
            "both of these must approve: one of the group guards; the line manager",
            "both of these must approve: one of the group guards; the line manager (has approved)",
        ),
        (
            {"decide": AllOf(all=(AllOf(all=(GUARDS, BOSS)),)), "distinct": True},
            "both of these must approve: one of the group guards; the line manager",
            "both of these must approve: one of the group guards; the line manager",
        ),
        (
            {"decide": Asked(approvers=(*GUARDS.approvers, *RULES), quorum=2, each=True)},
            "both of these must approve: 2 of the group guards; 2 of the line manager",
            "both of these must approve: 2 of the group guards; 2 of the line manager",
        ),
    ],
)
def test_w1_what_is_needed_and_how_much_of_it_is_there_is_said(terms: dict[str, Any], before: str, then: str) -> None:
    stage = a_stage(**({"approvers": ()} if "decide" in terms else {}) | terms)
    state = after(approvals_of(stage), opening(*seats_of(stage)))
    assert wait(state).what == f"Manager: {before or NEEDED}"
    voted = after(state, cast(MARA))
    if then:  # else that was enough
        assert wait(voted).what == f"Manager: {then}"
    assert (stage_of(voted).status is StageStatus.OPEN) == bool(then)


def test_w1_several_who_have_approved_are_counted() -> None:
    state = after(approvals_of(a_stage(quorum=3)), opening(MARA, KIM, ROLF, EVE), cast(MARA), cast(EVE))
    assert wait(state).what == "Manager: 3 of 4 must approve; 2 have"


def test_w1_one_who_has_approved_for_several_counts_once_where_humans_are_counted() -> None:
    opened = opening(away(MARA, KIM), away(ROLF, KIM), EVE)
    two = after(approvals_of(a_stage(quorum=2)), opened, cast(KIM))
    assert wait(two).what == "Manager: 2 of 3 must approve; 1 has"
    every = after(approvals_of(a_stage(quorum="all")), opened, cast(KIM))
    assert wait(every).what == "Manager: everybody asked must approve; 2 have"


def test_w1_whoever_is_asked_alone_is_not_counted() -> None:
    assert wait(after(approvals_of(a_stage(quorum="all")), opening(MARA))).what == f"Manager: {NEEDED}"


@pytest.mark.parametrize(
    ("quorum", "what"),
    [
        ("any", "one of the others must approve; besides, Eve Moss must"),
        (2, "2 of 3 must approve; 1 has; besides, Eve Moss must"),
        ("all", "everybody asked must approve; 1 has"),
    ],
)
def test_a9_who_was_asked_for_must_approve_besides(quorum: Any, what: str) -> None:
    join = Join(stage="manager", by=MARA.ref(), person=EVE.ref())
    state = after(approvals_of(a_stage(quorum=quorum)), opening(MARA, KIM, ROLF), join)
    voted = state if quorum == "any" else after(state, cast(MARA))
    assert wait(voted).what == f"Manager: {what}"


@pytest.mark.parametrize(
    ("how", "what"), [("add", "everybody asked must approve; or one to whom it was escalated"), ("replace", "")]
)
def test_a13_one_to_whom_it_was_escalated_is_enough(how: str, what: str) -> None:
    level = Escalation(to=(ByItemOwner(rule="item_owner"),), how=how, decide_within=DAY)
    state = after(approvals_of(a_stage(quorum="all", decide_within=DAY, escalate=(level,))), opening(MARA, KIM))
    state = after(state, Tick(stage="manager"), at=NOON + DAY)
    state = after(state, Escalate(stage="manager", slate=a_slate(ROLF)), at=NOON + DAY)
    assert wait(state).what == f"Manager: {what or NEEDED}"
    assert after(state, cast(ROLF), at=NOON + DAY).outcome is StageStatus.APPROVED


@pytest.mark.parametrize(
    ("terms", "quorum", "needs", "rule"),
    [
        ({"quorum": "any"}, "any", "", "approval.any"),
        ({"quorum": "all"}, "all", "All of them must approve.", "approval.all"),
        ({"quorum": 2}, 2, "2 of them must approve.", "approval.2"),
        ({"quorum": "60%"}, "60%", "60 % of them must approve.", "approval.60%"),
        (
            {"quorum": "responded"},
            "responded",
            "One approval is enough, once all of them have answered.",
            "approval.responded",
        ),
        (
            {"decide": Asked(approvers=(BIG,), weight=3)},
            None,
            "Asks the group guards (weighing 3 each). Those who approve must weigh 3 together.",
            "approval.weight",
        ),
        (
            {"decide": AllOf(all=(VETO, BOSS)), "distinct": True},
            None,
            f"{BOTH} A rejection by the group guards is final. One person counts for one of these groups only.",
            "approval.expression",
        ),
        (
            {"decide": AnyOf(any=(Asked(approvers=(BIG,), weight=3), BOSS))},
            None,
            f"One of these must approve: {HEAVY}; the line manager.",
            "approval.expression",
        ),
        (
            {"decide": Asked(approvers=(*GUARDS.approvers, *RULES), quorum=2, each=True)},
            None,
            "2 each of the group guards and the line manager must approve.",
            "approval.expression",
        ),
        ({"decide": Asked(approvers=RULES, quorum="all")}, None, "All of them must approve.", "approval.expression"),
    ],
)
def test_w1_what_must_be_approved_is_told_when_a_stage_begins_and_by_which_rule_it_closes(
    terms: dict[str, Any], quorum: Any, needs: str, rule: str
) -> None:
    stage = a_stage(**({"approvers": ()} if "decide" in terms else {}) | terms)
    state = after(approvals_of(stage), opening(*seats_of(stage)))
    assert stage_view.needs(state, stage_of(state), an_order()) == needs
    assert stage_view.quorum(stage) == quorum
    assert stage_view.by_votes(stage) == rule
    facts = facts_of(state)
    # What releases before expressions put on record stays as it was, entry by entry.
    plain = quorum in ("any", "all", 2)
    assert (facts["quorum"], facts.get("needs")) == (quorum, None if plain else needs)
    said = describe(Chain("REQ-1").append(Kind.STAGE_OPENED, NOON, data=facts))
    assert said.endswith("12:00 UTC" if plain else f"12:00 UTC. {needs.rstrip('.')}")
    assert ("one of them is enough" in said) == (quorum == "any")


def facts_of(state: Approvals) -> dict[str, Any]:
    return stage_view.facts(state, stage_of(state), an_order())


def test_a_formula_is_not_shown_to_those_who_see_a_request() -> None:
    rule = ByGroup(rule="group", group="{{ 'big' if form.cost > 500 else 'small' }}")
    stage = a_stage(approvers=(), decide=AllOf(all=(Asked(approvers=(rule,)), BOSS)))
    state = after(approvals_of(stage), opening(*seats_of(stage), rule="approver.group & approver.manager"))
    said = (wait(state).what, wait(state).why, facts_of(state)["needs"])
    assert "one of the group whom the order decides on" in said[0]
    assert not any("500" in one for one in said)


def test_a_stage_that_begins_is_put_on_record_with_whoever_decides_and_their_working_time() -> None:
    office = ALWAYS.model_copy(update={"id": "office"})
    slate = a_slate(away(MARA, KIM), ROLF, hours={ROLF.id: "office"}, calendars={"office": office})
    state = after(approvals_of(a_stage(quorum="all")), Open(stage="manager", slate=slate))
    stage = stage_of(state)
    facts = facts_of(state)
    assert [one["login"] for one in facts["approvers"]] == ["mara", "rolf"]
    assert facts["deputies"] == {"Mara Lind": "Kim Keller"}
    assert facts["hours"] == {ROLF.id: "office"}
    assert (facts["stage"], facts["quorum"], facts["rule"]) == ("manager", "all", slate.rule)
    assert "round" not in facts
    assert stage_view.facts(state, stage.model_copy(update={"round": 2}), an_order())["round"] == 2
    alone = after(approvals_of(a_stage()), opening(MARA))
    assert facts_of(alone).keys().isdisjoint({"deputies", "hours"})
