"""Who is asked to decide a stage, and why, as people see it (feature rows A8, A13, A20, W2)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import NOON, a_person, a_slate, a_stage, after, an_order, approvals_of, cast, opening, stage_of

from catalog import stage_view
from catalog.ballot import Approvals, Escalate, Hand, Resolve, StageStatus, Tick
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
