"""Which order may take the place of which open request."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import NOON, a_person, an_actor, an_item, an_order
from support.story import a_task

from catalog import rights
from catalog.item import CancelPolicy
from catalog.journal import Chain, Kind
from catalog.people import Actor
from catalog.request import Order, OrderLine, Outcome, Projection, Status, Task
from catalog.timeline import describe

BEN = a_person("Ben Bright").ref()
LINE = OrderLine(id="1", item="badge", version="1.0.0", item_name="Badge", beneficiary=BEN)


def now(status: Status = Status.APPROVAL, *tasks: Task, **other: Any) -> Projection:
    return Projection(number="REQ-1001", seq=1, status=status, tasks=tasks, updated_at=NOON, **other)


def refusal(
    actor: Actor | None = None, *, old: Order | None = None, stands: Projection | None = None, **new: Any
) -> str:
    """Return why Ada's order is not replaced by another one; empty if it is."""
    by = an_order("", **new)
    error = rights.refuse_replacing(actor or an_actor(), old or an_order(), stands or now(), [by])
    assert error is None or error.field == "replaces"
    return f"{error.code}: {error.message}" if error else ""


@pytest.mark.parametrize("status", [Status.CHECKING, Status.APPROVAL])
def test_an_order_replaces_one_of_the_same_item_for_the_same_person(status: Status) -> None:
    task = a_task("REQ-1001", 1, "Mara Lind", stage="manager")
    assert refusal(stands=now(status, task), item=an_item(version="2.0.0"), answers={"why": "other"}) == ""


def test_only_who_may_cancel_it_replaces_it() -> None:
    told = "not-allowed: Only who may cancel it replaces it."
    assert refusal(an_actor("Mara Lind")) == told
    assert refusal(an_actor("Otto Operator", operator=True)) == ""
    for_operators = an_order(item=an_item(cancel=CancelPolicy(by=())))
    assert refusal(old=for_operators) == told
    assert refusal(an_actor("Otto Operator", operator=True), old=for_operators) == ""


def test_the_order_itself_is_the_reason_where_one_is_needed() -> None:
    assert refusal(old=an_order(item=an_item(cancel=CancelPolicy(reason=True)))) == ""


def test_what_is_closed_is_not_replaced_and_its_outcome_is_told() -> None:
    closed = now(Status.CLOSED, outcome=Outcome.EXPIRED)
    assert refusal(stands=closed) == "value: REQ-1001 is closed: expired."


def test_another_item_and_another_person_are_another_order() -> None:
    assert refusal(item=an_item(id="wiki-admin")).startswith("value: REQ-1001 is of another item")
    assert refusal(beneficiary=BEN).startswith("value: REQ-1001 is for somebody else")


def test_neither_parts_nor_orders_of_several_things_are_replaced() -> None:
    part = an_order(parent="REQ-1")
    assert refusal(old=part).startswith("value: REQ-1001 is a part of REQ-1, which waits for it")
    told = "value: An order of several things neither replaces another nor is replaced"
    assert refusal(old=an_order(lines=(LINE,))).startswith(told)
    assert refusal(lines=(LINE,)).startswith(told)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.FULFILMENT, Status.ATTENTION, Status.ROLLBACK])
def test_it_is_replaced_only_while_it_is_checked_or_approved(status: Status) -> None:
    told = "value: REQ-1001 can be replaced only while it is being checked or approved; its status is "
    assert refusal(stands=now(status)) == f"{told}{status}."


def test_an_approval_in_the_middle_of_the_work_is_too_late() -> None:
    task = a_task("REQ-1001", 2, "Mara Lind", stage="step.ask")
    assert refusal(stands=now(Status.APPROVAL, task)) == (
        "value: REQ-1001 can no longer be replaced: it is being carried out."
    )


def test_whoever_orders_for_nobody_that_is_known_is_told_of_that_alone() -> None:
    assert rights.refuse_replacing(an_actor(), an_order(), now(), []) is None


def test_a_timeline_says_what_an_order_replaces_and_that_another_has_ended_before() -> None:
    chain, ada = Chain("REQ-2"), a_person().ref().model_dump(mode="json")
    opened = chain.append(
        Kind.OPENED,
        NOON,
        data={"item": "Wiki editor", "requester": ada, "beneficiary": ada, "replaces": "REQ-1"},
    )
    assert describe(opened) == "Ada Byron ordered 'Wiki editor' for themselves, in place of REQ-1"
    ended = chain.append(Kind.REQUEST_CLOSED, NOON, data={"number": "REQ-1", "reason": "before REQ-2 could replace it"})
    assert describe(ended) == "REQ-1 ended: 'before REQ-2 could replace it'"
