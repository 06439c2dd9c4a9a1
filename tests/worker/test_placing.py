"""The orders of requests: what the desk says, as the workflow hears it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.builders import NOON, a_new_order, a_person, an_item

from activities import plugins
from activities.connectors.memory import MemoryDirectory
from activities.errors import Rejected, Transient
from activities.intake import Desk
from activities.ordering import ChildOrder
from catalog.choices import Choices
from records.register import Register, RegisterUnavailable
from worker.placing import placing


@pytest.fixture
def register(tmp_path: Path) -> Iterator[Register]:
    with closing(Register(f"sqlite:///{tmp_path}/register.db")) as register:
        register.migrate()
        register.publish(an_item(id="badge", form=()), "badge.yaml", NOON)
        register.take(a_new_order())
        yield register


def place(register: Register, **child: Any) -> Any:
    directory = MemoryDirectory([a_person("Ada Byron"), a_person("Ben Bright")])
    desk = Desk(register=register, directory=directory, choose=lambda _: Choices(choices=()), known=plugins.known())
    plain = {"parent": "REQ-1001", "line": "1", "item": "badge", "requester": a_person().ref(), "beneficiary": "ben"}
    return placing(desk)(ChildOrder(**plain | child))


def test_an_order_is_on_record_and_a_repeat_answers_the_same(register: Register) -> None:
    first, again = place(register), place(register)
    assert first.order == again.order
    assert (first.order.parent, first.order.beneficiary.login) == ("REQ-1001", "ben")
    # The sweeper begins it should the worker not come to it.
    unstarted = register.unstarted(before=first.order.accepted_at + timedelta(days=1), limit=9)
    assert [order.number for order in unstarted] == ["REQ-1001", first.order.number]


def test_a_refusal_is_an_answer_in_words(register: Register) -> None:
    placed = place(register, item="nothing")
    assert placed.order is None
    assert placed.refused == "The catalog has no item of this id."


def test_with_the_register_away_it_is_tried_again(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise RegisterUnavailable("the disk is gone")

    monkeypatch.setattr(register, "take", away)
    with pytest.raises(Transient, match="the disk is gone"):
        place(register)


def test_the_part_of_a_request_that_is_not_on_record_is_for_an_operator(register: Register) -> None:
    with pytest.raises(Rejected, match="REQ-9999"):
        place(register, parent="REQ-9999")
