"""Why these people decide, and who was passed over, in words (feature rows A5, A6, A8, A9, A13, W1)."""

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
    an_item,
    an_order,
    approvals_of,
    cast,
    opening,
    stage_of,
)

from catalog import stage_view, why
from catalog.ballot import Approvals, Escalate, Event, Hand, Join, Resolve, Tick
from catalog.delegation import Deputy
from catalog.people import Person
from catalog.request import Waiting
from catalog.slate import Seat, Skipped
from catalog.stages import (
    AllOf,
    Asked,
    ByCiOwner,
    ByExpression,
    ByGroup,
    ByItemOwner,
    ByManager,
    ByOwner,
    ByPerson,
    ByRole,
    Escalation,
    Stage,
)

ADA, MARA, KIM, ROLF, EVE = (a_person(name) for name in ("Ada Byron", "Mara Lind", "Kim Keller", "Rolf Chief", "Eve"))
DAY = timedelta(days=1)
TOO_FEW = "Too few are left to approve it; operators"
MANAGER, OWNER = ByManager(rule="manager"), ByItemOwner(rule="item_owner")
GUARDS = ByGroup(rule="group", group="guards")


def wait_of(state: Approvals, **item: Any) -> Waiting:
    return stage_view.waiting(state, stage_of(state), an_order(item=an_item(**item)), "REQ-1001.1", "")


def opened(stage: Stage, *people: Person | Seat, **slate: Any) -> Approvals:
    return after(approvals_of(stage), opening(*people, **slate))


@pytest.mark.parametrize(
    ("rule", "role"),
    [
        (MANAGER, "line manager"),
        (ByManager(rule="manager", levels=2), "manager 2 levels up"),
        (ByOwner(rule="owner"), "owner of what is given"),
        (ByOwner(rule="owner", group="vpn"), "owner of vpn"),
        (OWNER, "owner of the item"),
        (ByCiOwner(rule="ci_owner", ci="web-01"), "owner of web-01"),
        (ByCiOwner(rule="ci_owner", ci="{{ form.why }}"), "owner of “Why”"),
        (GUARDS, "member of guards"),
        (ByGroup(rule="group", group="team-{{ form.why }}"), "member of team-“Why”"),
        (ByRole(rule="role", role="ciso"), "holder of the role ciso"),
        (ByPerson(rule="person", person="mara"), "named by the item"),
    ],
)
def test_w1_a_wait_says_as_what_people_are_asked(rule: Any, role: str) -> None:
    state = opened(a_stage(approvers=(rule,)), MARA, rule=f"approver.{rule.rule}")
    assert wait_of(state).why == f"Mara Lind as {role}."


def test_w1_whom_an_expression_names_is_named_by_the_item() -> None:
    stage = a_stage(approvers=(ByExpression(rule="expression", people="{{ form.why }}"),))
    state = opened(stage, MARA, KIM, rule="approver.person+approver.person")
    assert wait_of(state).why == "Mara Lind and Kim Keller as named by the item."


def test_w1_of_many_who_are_asked_for_the_same_reason_few_are_named() -> None:
    people = [a_person(f"P{n}") for n in range(500)]
    state = opened(a_stage(approvers=(MANAGER, GUARDS)), *people, rule="approver.manager+approver.group")
    assert wait_of(state).why == "P0, P1, P2 and 497 more as line managers or members of guards."


def test_w1_people_of_several_groups_are_told_apart() -> None:
    decide = AllOf(all=(Asked(approvers=(MANAGER,)), Asked(approvers=(GUARDS,))))
    seats = (
        Seat(person=MARA.ref()),
        Seat(person=KIM.ref(), groups={1: 1}),
        Seat(person=EVE.ref(), groups={0: 1, 1: 1}),
    )
    stage = a_stage(approvers=(), decide=decide)
    assert wait_of(opened(stage, *seats, rule="approver.manager & approver.group")).why == (
        "Mara Lind as line manager; Kim Keller as member of guards; Eve as line manager or as member of guards."
    )
    alike = opened(stage, *seats, rule="approver.item-owner")
    assert wait_of(alike).why == (
        "Mara Lind, Kim Keller and Eve as owner of the item, the fallback for the line manager and the group guards."
    )


@pytest.mark.parametrize(
    ("rung", "fallback", "role"),
    [
        ("approver.manager-of-manager", None, "manager of the line manager"),
        ("approver.item-owner", None, "owner of the item"),
        ("fallback.group", (OWNER, GUARDS), "member of guards"),
    ],
)
def test_a5_a_fallback_is_called_one(rung: str, fallback: Any, role: str) -> None:
    state = opened(a_stage(fallback=fallback), ROLF, rule=rung)
    assert wait_of(state).why == f"Rolf Chief as {role}, the fallback for the line manager."


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("approval.skip-requester", "Mara Lind is not asked: who ordered does not decide."),
        ("approval.skip-beneficiary", "Mara Lind is not asked: nobody decides what is for themselves."),
        ("approval.skip-inactive", "Mara Lind is not asked: the account is not active."),
        ("delegation.skip-inactive", "Mara Lind does not stand in: the account is not active."),
        ("delegation.too-deep", "Mara Lind does not stand in: the chain of delegations is too long."),
        ("delegation.loop", "The delegations come back to Mara Lind; nobody further stands in."),
        ("approver.manager-circle", "The managers above Mara Lind go in a circle; nobody further up is found."),
        ("later.rule", "Mara Lind is not asked: later.rule."),
        ("", "Mara Lind is not asked."),
    ],
)
def test_a6_who_was_passed_over_is_said_with_why(rule: str, said: str) -> None:
    skipped = (Skipped(person=MARA.ref(), rule=rule),)
    state = opened(a_stage(), ROLF, rule="approver.manager-of-manager", skipped=skipped)
    assert wait_of(state).why.endswith(f"line manager. {said}")


def test_a6_of_many_who_were_passed_over_few_are_named() -> None:
    skipped = tuple(Skipped(person=a_person(f"P{n}").ref(), rule="approval.skip-inactive") for n in range(9))
    assert wait_of(opened(a_stage(), ROLF, skipped=skipped)).why.endswith("6 more are not asked.")


def test_a8_who_stands_in_is_told_by_whose_decision_it_is() -> None:
    seat = Seat(person=MARA.ref(), deputies=(Deputy(person=KIM.ref(), via=("d1",)),))
    assert wait_of(opened(a_stage(), seat)).why == "Mara Lind as line manager. Mara Lind may still decide."


def test_a8_everybody_on_the_way_to_who_stands_in_may_still_decide() -> None:
    kim, rolf = (Deputy(person=one.ref(), via=("d1",)) for one in (KIM, ROLF))
    seats = (Seat(person=MARA.ref(), deputies=(kim, rolf)), Seat(person=EVE.ref(), deputies=(kim,)), KIM)
    state = opened(a_stage(approvers=(GUARDS,), quorum="all"), *seats, rule="approver.group")
    said = wait_of(state)
    assert [one.login for one in said.who] == ["rolf", "kim"]
    assert said.why == "Mara Lind, Eve and Kim Keller as members of guards. Mara Lind and Eve may still decide."


def hand(seat: Person, to: Person) -> Event:
    return Hand(stage="manager", by=EVE.ref(), seat=seat.id, to=to.ref(), operator=True)


def test_a9_whoever_it_was_handed_to_and_was_asked_for_is_told_as_such() -> None:
    join = Join(stage="manager", by=MARA.ref(), person=EVE.ref())
    state = after(opened(a_stage(quorum="all"), MARA, ROLF), hand(ROLF, KIM), join)
    wait = wait_of(state)
    assert wait.why == (
        "Mara Lind as line manager; Kim Keller, handed on from Rolf Chief; Eve, because an approver asked for it."
    )
    assert wait.rule == "approver.manager & approval.handed-on & approval.joined"
    left = wait_of(after(state, cast(MARA), cast(EVE)))
    assert (left.why, left.rule) == ("Kim Keller, handed on from Rolf Chief.", "approval.handed-on")


def test_a9_of_many_decisions_that_were_handed_on_few_are_told() -> None:
    first, then = ([a_person(f"{name}{n}") for n in range(5)] for name in ("P", "Q"))
    state = opened(a_stage(quorum="all"), *first)
    state = after(state, *(hand(one, two) for one, two in zip(first, then, strict=True)))
    assert wait_of(state).why.endswith("Q2, handed on from P2; 2 more handed on.")


def escalated(how: str, to: Any = OWNER) -> Approvals:
    level = Escalation(to=(to,), how=how, decide_within=DAY)
    stage = a_stage(decide_within=DAY, escalate=(level, level))
    state = after(opened(stage, MARA), Tick(stage="manager"), at=NOON + DAY)
    return after(state, Escalate(stage="manager", slate=a_slate(ROLF)), at=NOON + DAY)


def test_a13_who_it_was_escalated_to_is_told_as_such() -> None:
    added, replaced = wait_of(escalated("add")), wait_of(escalated("replace"))
    assert added.why == "Mara Lind as line manager; Rolf Chief by escalation, as owner of the item."
    assert added.rule == "approver.manager & approval.escalated"
    assert (replaced.why, replaced.rule) == ("Rolf Chief by escalation, as owner of the item.", "approval.escalated")


def test_a13_several_to_whom_it_was_escalated_are_told_together() -> None:
    level = Escalation(to=(GUARDS,), decide_within=DAY)
    state = after(opened(a_stage(decide_within=DAY, escalate=(level,)), MARA), Tick(stage="manager"), at=NOON + DAY)
    state = after(state, Escalate(stage="manager", slate=a_slate(ROLF, KIM)), at=NOON + DAY)
    assert wait_of(state).why.endswith("; Rolf Chief and Kim Keller by escalation, as members of guards.")


def test_a13_what_was_escalated_can_be_handed_on() -> None:
    wait = wait_of(after(escalated("replace"), hand(ROLF, KIM), at=NOON + DAY))
    assert (wait.why, wait.rule) == ("Kim Keller, handed on from Rolf Chief.", "approval.handed-on")


def test_a5_while_too_few_are_left_to_ask_nobody_is_said_to_be_asked() -> None:
    state = opened(a_stage(quorum=2), MARA, KIM, rule="approver.manager")
    state = after(state, cast(MARA), Resolve(stage="manager", slate=a_slate(MARA)))
    wait = wait_of(state)
    assert (wait.who, wait.why, wait.rule) == ((), f"{TOO_FEW} see to that.", "approver.manager")
    assert TOO_FEW not in wait_of(opened(a_stage(quorum=2), MARA, KIM)).why


def test_a5_why_operators_are_asked_for_people_is_told_with_who_was_passed_over() -> None:
    skipped = [Skipped(person=one.ref(), rule="approval.skip-inactive") for one in (MARA, KIM, ROLF, EVE)]
    nobody = why.too_few(a_stage(), a_slate(skipped=tuple(skipped)))
    assert nobody == (
        "Nobody who decides “Manager” could be found. Mara Lind is not asked: the account is not active. "
        "Kim Keller is not asked: the account is not active. Rolf Chief is not asked: the account is not active. "
        "1 more are not asked."
    )
    assert why.too_few(a_stage(), a_slate(MARA)) == "Of those who decide “Manager” too few could be found."


def test_w1_people_whom_an_item_names_by_login_are_called_by_name_once_that_is_known() -> None:
    rolf = ByPerson(rule="person", person="rolf")
    assert "It goes to rolf as well" in wait_of(opened(a_stage(escalate=escalations(rolf)), MARA)).at_deadline
    assert "It goes to Rolf Chief as well" in wait_of(escalated("add", rolf)).at_deadline
    ada = ByPerson(rule="person", person="ada")
    assert "It goes to Ada Byron as well" in wait_of(opened(a_stage(escalate=escalations(ada)), MARA)).at_deadline


def test_w1_whom_a_later_level_names_is_called_by_name_before_they_are_asked() -> None:
    stage = a_stage(escalate=escalations(ByPerson(rule="person", person="rolf")))
    called = wait_of(opened(stage, MARA, called={"rolf": "Rolf Chief"}))
    assert "It goes to Rolf Chief as well" in called.at_deadline


@pytest.mark.parametrize(("owner", "name"), [("mara", "Mara Lind"), ("olga", "olga")])
def test_w1_the_owner_of_an_item_is_called_by_name_once_that_is_known(owner: str, name: str) -> None:
    state = opened(a_stage(escalate=escalations(OWNER)), MARA)
    assert f"It goes to {name}, who answers for the item as well" in wait_of(state, owner=owner).at_deadline


def escalations(to: Any) -> tuple[Escalation, ...]:
    return (Escalation(to=(to,), decide_within=DAY),)


def test_w1_a_wait_that_was_noted_before_reasons_were_is_read() -> None:
    wait = wait_of(opened(a_stage(), MARA))
    old = Waiting.model_validate_json(wait.model_dump_json(exclude={"why"}))
    assert old == wait.model_copy(update={"why": ""})
