"""Why somebody is asked to decide, in words that a mail says to them (feature rows A8, A9, A13)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import NOON, a_person, a_slate, a_stage, after, approvals_of, cast, opening, stage_of
from support.deciders import deputed

from catalog import told
from catalog.ballot import Approvals, Escalate, Hand, Join, Tick
from catalog.people import Person
from catalog.slate import Seat
from catalog.stages import ByItemOwner, Escalation

MARA, KIM, ROLF, EVE = (a_person(name) for name in ("Mara Lind", "Kim Keller", "Rolf Chief", "Eve Ash"))
DAY = timedelta(days=1)
LATE = "It has come to you because it was not decided in time."


def why(state: Approvals, person: Person) -> str:
    return " ".join(told.why_you(stage_of(state))[person.id])


def opened(*people: Person | Seat, quorum: str = "any") -> Approvals:
    return after(approvals_of(a_stage(quorum=quorum)), opening(*people))


def escalated(*above: Person | Seat, how: str = "add", first: Person | Seat = MARA) -> Approvals:
    level = Escalation(to=(ByItemOwner(rule="item_owner"),), how=how, decide_within=DAY)
    state = after(approvals_of(a_stage(decide_within=DAY, escalate=(level,))), opening(first))
    late = NOON + DAY
    return after(state, Tick(stage="manager"), Escalate(stage="manager", slate=a_slate(*above)), at=late)


def test_whom_a_rule_names_is_told_nothing_more() -> None:
    assert (why(opened(MARA, KIM), MARA), why(opened(MARA), EVE)) == ("", "")


def test_a8_who_stands_in_learns_for_whom_and_who_is_stood_in_for_by_whom() -> None:
    state = opened(deputed(MARA, KIM))
    assert why(state, KIM) == "You are asked in the place of Mara Lind, by delegation."
    assert why(state, MARA) == "Kim Keller stands in for you and is asked as well; you may still decide yourself."


def test_a8_who_stands_in_and_is_asked_too_learns_both() -> None:
    state = opened(KIM, deputed(MARA, KIM), deputed(ROLF, KIM), quorum="all")
    assert why(state, KIM) == "You are asked for yourself, and in the place of Mara Lind and Rolf Chief, by delegation."
    decided = after(state, cast(MARA))
    assert why(decided, KIM) == "You are asked for yourself, and in the place of Rolf Chief, by delegation."


def test_a8_one_in_the_middle_of_a_chain_learns_of_both_its_ends() -> None:
    state = opened(deputed(MARA, KIM, EVE))
    assert why(state, EVE) == "You are asked in the place of Mara Lind, by delegation."
    said = "You are asked in the place of Mara Lind, by delegation. Eve Ash stands in for you and is asked as well; "
    assert why(state, KIM) == f"{said}you may still decide yourself."


def test_a8_several_who_stand_in_for_one_are_named_together() -> None:
    state = opened(deputed(MARA, KIM), deputed(ROLF, MARA, EVE), quorum="all")
    assert "Kim Keller and Eve Ash stand in for you and are asked as well; you may" in why(state, MARA)


@pytest.mark.parametrize("how", ["add", "replace"])
def test_a13_to_whom_it_was_escalated_learns_that_it_was_not_decided_in_time(how: str) -> None:
    state = escalated(deputed(ROLF, EVE), how=how)
    assert why(state, EVE) == f"You are asked in the place of Rolf Chief, by delegation. {LATE}"
    assert why(state, ROLF).endswith(f"you may still decide yourself. {LATE}")
    assert why(state, MARA) == ""


def test_a13_who_was_asked_before_it_was_escalated_is_not_told_that_it_came_to_them() -> None:
    state = escalated(deputed(ROLF, EVE), first=deputed(MARA, EVE))
    assert why(state, EVE) == "You are asked in the place of Mara Lind, by delegation."


def test_a13_who_no_longer_stands_in_for_whom_it_was_taken_from_learns_for_whom_they_do_now() -> None:
    state = escalated(deputed(ROLF, EVE), how="replace", first=deputed(MARA, EVE))
    assert why(state, EVE) == f"You are asked in the place of Rolf Chief, by delegation. {LATE}"


def test_a13_nobody_is_asked_once_no_seat_is_left() -> None:
    assert not told.why_you(stage_of(after(escalated(ROLF), cast(ROLF), at=NOON + DAY)))


def test_a9_to_whom_it_was_handed_on_learns_from_whom() -> None:
    state = after(opened(MARA), Hand(stage="manager", by=MARA.ref(), seat=MARA.id, to=KIM.ref()))
    assert why(state, KIM) == "The decision was handed on to you from Mara Lind."


def test_a9_whom_an_approver_asks_for_learns_that_it_was_wished() -> None:
    state = after(opened(MARA), Join(stage="manager", by=MARA.ref(), person=EVE.ref()))
    assert why(state, EVE) == "One of those who decide has asked that you approve it as well."
