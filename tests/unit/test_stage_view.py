"""Who is asked to decide a stage, and why, as people see it (feature rows A8, A13, A20, W2)."""

from __future__ import annotations

from datetime import timedelta

from support.builders import NOON, a_person, a_slate, a_stage, after, approvals_of, cast, opening, stage_of

from catalog import stage_view
from catalog.ballot import Approvals, Escalate, Hand, Tick
from catalog.delegation import Deputy
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


def test_a8_who_decided_in_the_place_of_another_is_shown_with_them() -> None:
    deputy = Deputy(person=KIM.ref(), via=("d1",))
    seats = (Seat(person=MARA.ref(), deputies=(deputy,)), ROLF)
    state = after(approvals_of(a_stage(quorum="all")), opening(*seats), cast(KIM))
    assert seen(state) == {
        "mara": (True, False, [], "approve"),
        "kim": (False, False, ["mara"], "approve"),
        "rolf": (True, False, [], None),
    }


def escalated(how: str) -> Approvals:
    """Return a stage of Mara's that went to Rolf because she did not decide in time."""
    level = Escalation(to=(ByItemOwner(rule="item_owner"),), how=how, decide_within=DAY)
    state = after(approvals_of(a_stage(decide_within=DAY, escalate=(level,))), opening(MARA))
    state = after(state, Tick(stage="manager"), at=NOON + DAY)
    return after(state, Escalate(stage="manager", slate=a_slate(ROLF)), at=NOON + DAY)


def test_a13_who_it_was_escalated_to_is_told_apart_from_those_who_were_asked() -> None:
    assert seen(escalated("add")) == {"mara": (True, False, [], None), "rolf": (False, True, [], None)}
    assert seen(escalated("replace")) == {"rolf": (False, True, [], None)}


def test_a9_whoever_a_decision_is_handed_to_after_it_was_escalated_is_asked() -> None:
    hand = Hand(stage="manager", by=EVE.ref(), seat=MARA.id, to=KIM.ref(), operator=True)
    state = after(escalated("replace"), hand, at=NOON + DAY)
    assert seen(state) == {"kim": (True, False, [], None), "rolf": (False, True, [], None)}
