"""What is shown of a wait: who or what ends it, and that an event can be reported by those who may (feature row W1)."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import NOON, a_person, a_steps_item, an_actor, an_order

from api.schemas.requests import RequestOut, WaitingOut
from api.schemas.tasks import Look
from catalog.people import Actor
from catalog.request import Projection, Status, Waiting, WaitKind
from records.values import RequestView

PARTS = {"id": "parts", "do": "wait", "event": "parts-arrived", "timeout": "10 days"}


def shown(viewer: Actor, **wait: Any) -> WaitingOut:
    """Return what somebody sees of the wait of a request that knows one event."""
    order = an_order(item=a_steps_item(PARTS))
    waiting = Waiting(**{"what": "It waits", "since": NOON, "rule": "r", **wait})
    now = Projection(
        number=order.number, seq=1, status=Status.FULFILMENT, waiting=(waiting,), due_at=NOON, updated_at=NOON
    )
    return RequestOut.seen_by(Look(viewer, NOON), RequestView(order=order, projection=now), None).waiting[0]


@pytest.mark.parametrize(
    ("wait", "whom"),
    [
        ({"kind": WaitKind.SYSTEM, "whom": "the directory"}, "the directory"),
        ({"kind": WaitKind.OPERATOR}, "an operator"),
        ({"kind": WaitKind.PEOPLE}, "nobody at present"),
        ({"kind": WaitKind.PEOPLE, "who": (a_person("Mara Lind").ref(),)}, ""),
    ],
)
def test_w1_where_no_people_are_named_it_is_said_who_or_what_ends_it(wait: dict[str, Any], whom: str) -> None:
    assert shown(an_actor("Ada Byron"), **wait).whom == whom


@pytest.mark.parametrize("kind", WaitKind)
def test_w1_each_kind_of_wait_is_ended_by_something_that_has_a_name(kind: WaitKind) -> None:
    assert shown(an_actor("Ada Byron"), kind=kind).whom


def test_w1_who_may_report_an_event_is_told_so() -> None:
    event = {"kind": WaitKind.EVENT, "event": "parts-arrived"}
    assert shown(an_actor("Otto Operator", operator=True), **event).can == ("report", "cancel")
    assert shown(an_actor("Ada Byron"), **event).can == ("cancel",)
    assert "report" not in shown(an_actor("Otto Operator", operator=True), kind=WaitKind.TIME).can
