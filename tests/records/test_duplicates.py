"""What may be open once: a second order for it is refused until the first is closed; and orders of orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from support.builders import NOON, a_new_order, a_person
from support.racing import raced
from support.story import Story

from catalog.journal import Kind
from catalog.request import Status
from records.register import AlreadyOpen, Register, UnknownRequest

VPN = "sha256:vpn-for-ada"


def take(register: Register, key: str = "a", duplicate_key: str | None = VPN) -> Story:
    return Story(register.take(a_new_order(key, duplicate_key=duplicate_key)).order.number)


def test_a_second_order_for_what_is_open_is_refused_with_the_number_of_the_first(register: Register) -> None:
    story = take(register)
    with pytest.raises(AlreadyOpen, match="REQ-1001 is already open for this") as raised:
        take(register, "b")
    assert raised.value.number == story.number == register.open_duplicate(VPN)
    assert len(register.requests(viewer=None).items) == 1


def test_the_same_order_sent_again_is_answered_with_the_order_that_stands(register: Register) -> None:
    assert take(register).number == take(register).number


def test_who_orders_makes_no_difference(register: Register) -> None:
    take(register)
    with pytest.raises(AlreadyOpen):
        register.take(a_new_order("b", requester=a_person("Bob").ref(), duplicate_key=VPN))


def test_other_things_and_orders_without_a_key_do_not_stand_in_the_way(register: Register) -> None:
    stories = [take(register), take(register, "b", "sha256:wiki"), take(register, "c", None), take(register, "d", None)]
    assert len({story.number for story in stories}) == 4
    assert register.open_duplicate("sha256:other") is None


def test_a_key_is_held_while_the_request_is_open_and_free_once_it_is_closed(register: Register) -> None:
    first = take(register)
    register.record(first.batch(Kind.OPENED))
    assert register.open_duplicate(VPN) == first.number
    register.record(first.batch(Kind.CLOSED, status=Status.CLOSED))
    assert register.open_duplicate(VPN) is None
    second = take(register, "b")
    assert register.open_duplicate(VPN) == second.number != first.number


def test_an_end_that_the_engine_did_not_keep_does_not_take_the_key_back(register: Register) -> None:
    story = take(register)
    kept = Story(story.number)
    register.record(story.batch(Kind.OPENED, Kind.CLOSED, status=Status.CLOSED))
    second = take(register, "b")
    register.record(kept.batch(Kind.OPENED, Kind.STAGE_OPENED, at=NOON + timedelta(seconds=1)))
    assert [view.order.number for view in register.requests(viewer=None, state="open").items] == [
        second.number,
        story.number,
    ]
    assert register.open_duplicate(VPN) == second.number


def test_of_many_threads_that_order_the_same_thing_one_is_served_and_the_others_are_told(
    connect: Callable[[], Register],
) -> None:
    registers = [connect() for _ in range(8)]
    taken, refused = raced(lambda n: take(registers[n % 8], f"key-{n}").number, 32, AlreadyOpen)
    (view,) = registers[0].requests(viewer=None).items
    assert (taken, [one.number for one in refused]) == ([view.order.number], [view.order.number] * 31)


def test_two_processes_that_order_the_same_things_take_each_once(
    run_twice: Callable[[str], list[list[str]]], register: Register
) -> None:
    program = """
        import os
        from support.builders import a_new_order
        for n in range(25):
            try:
                print(register.take(a_new_order(f"{os.getpid()}-{n}", duplicate_key=f"sha256:{n}")).order.number)
            except AlreadyOpen as refused:
                print(refused.number)
    """
    one, other = run_twice(program)
    assert one == other
    assert len(set(one)) == len(register.requests(viewer=None).items) == 25


def test_children_are_found_by_their_parent_oldest_first(register: Register) -> None:
    parent, unrelated = take(register, "a", None).number, take(register, "b", None).number
    children = [register.take(a_new_order(key, parent=parent, started=True)).order for key in "cde"]
    assert [view.order for view in register.children(parent)] == children
    assert {child.parent for child in children} == {parent}
    assert register.children(unrelated) == []
    assert register.children(children[0].number) == []


@pytest.mark.parametrize("number", ["", "nonsense", "REQ-9999", "REQ-1001\x00", "REQ-" + "9" * 50])
def test_an_unknown_or_malformed_number_has_no_children(register: Register, number: str) -> None:
    take(register)
    assert register.children(number) == []


@pytest.mark.parametrize("number", ["nonsense", "REQ-9999", "\x00"])
def test_a_child_of_an_unknown_parent_is_not_taken(register: Register, number: str) -> None:
    with pytest.raises(UnknownRequest, match="parent"):
        register.take(a_new_order(parent=number))
    assert not register.requests(viewer=None).items
