"""Orders that take the place of an open one: what may be open once passes from the old to the new in one step."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from support.builders import NOON, a_new_order, an_item, an_order
from support.racing import raced
from support.story import Story

from catalog.journal import Kind
from catalog.request import Amendment, Batch, Order, Status
from records.register import AlreadyOpen, Register, UnknownRequest

VPN = "sha256:vpn-for-ada"


def take(register: Register, key: str, duplicate_key: str | None = VPN, replaces: str = "") -> Order:
    return register.take(a_new_order(key, duplicate_key=duplicate_key, replaces=replaces)).order


def end(register: Register, number: str) -> None:
    story = Story(number)
    register.record(story.batch(Kind.OPENED, Kind.CLOSED, status=Status.CLOSED))


def test_the_new_order_stands_for_what_the_old_one_did_at_once(register: Register) -> None:
    old = take(register, "a")
    assert register.open_duplicate(VPN, old.number) is None
    new = take(register, "b", replaces=old.number)
    assert new.replaces == old.number
    assert register.open_duplicate(VPN) == new.number
    assert (register.replaced_by(old.number), register.replaced_by(new.number)) == (new.number, "")
    with pytest.raises(AlreadyOpen, match=new.number):
        take(register, "c")


def test_the_end_of_the_old_one_leaves_the_claim_of_the_new_one_alone(register: Register) -> None:
    old = take(register, "a")
    new = take(register, "b", replaces=old.number)
    end(register, old.number)
    assert register.open_duplicate(VPN) == new.number
    end(register, new.number)
    assert register.open_duplicate(VPN) is None


def test_a_late_change_of_the_old_one_does_not_take_the_claim_back(register: Register) -> None:
    item = an_item(distinct_by=("why",))
    key = an_order(item=item).stands_for
    old = register.take(a_new_order("a", item=item, duplicate_key=key)).order
    new = register.take(a_new_order("b", item=item, duplicate_key=key, replaces=old.number)).order
    batch = Story(old.number).batch(Kind.OPENED, Kind.AMENDED)
    amended = batch.projection.model_copy(update={"amendment": Amendment(answers=old.answers)})
    register.record(Batch(entries=batch.entries, projection=amended))
    assert register.open_duplicate(str(key)) == new.number


def test_an_old_one_that_stands_for_something_else_keeps_it_until_it_ends(register: Register) -> None:
    old = take(register, "a")
    new = take(register, "b", "sha256:wiki", replaces=old.number)
    assert register.open_duplicate(VPN) == old.number
    assert register.open_duplicate("sha256:wiki") == new.number
    end(register, old.number)
    assert register.open_duplicate(VPN) is None


def test_what_a_third_request_stands_for_is_not_had_by_replacing_another(register: Register) -> None:
    third, old = take(register, "a"), take(register, "b", "sha256:wiki")
    with pytest.raises(AlreadyOpen, match=third.number):
        take(register, "c", replaces=old.number)
    assert register.replaced_by(old.number) == ""
    assert register.open_duplicate("sha256:wiki") == old.number


@pytest.mark.parametrize("duplicate_key", [VPN, None])
def test_nothing_is_replaced_twice(register: Register, duplicate_key: str | None) -> None:
    old = take(register, "a", duplicate_key)
    new = take(register, "b", duplicate_key, old.number)
    assert register.open_duplicate(duplicate_key, old.number) == new.number
    with pytest.raises(AlreadyOpen, match=new.number):
        take(register, "c", duplicate_key, old.number)
    assert register.replaced_by(old.number) == new.number


def test_the_same_order_sent_again_is_answered_with_the_order_that_stands(register: Register) -> None:
    old = take(register, "a")
    assert take(register, "b", replaces=old.number) == take(register, "b", replaces=old.number)
    assert len(register.requests(viewer=None).items) == 2


@pytest.mark.parametrize("number", ["nonsense", "REQ-9999", "\x00"])
def test_what_is_not_on_record_is_not_replaced(register: Register, number: str) -> None:
    with pytest.raises(UnknownRequest, match="to replace"):
        take(register, "a", replaces=number)
    assert not register.requests(viewer=None).items
    assert register.replaced_by(number) == ""


@pytest.mark.parametrize("duplicate_key", [VPN, None])
def test_of_many_threads_that_replace_the_same_one_is_served_and_the_others_are_told(
    connect: Callable[[], Register], duplicate_key: str | None
) -> None:
    registers = [connect() for _ in range(8)]
    old = take(registers[0], "old", duplicate_key)

    def order(n: int) -> str:
        return take(registers[n % 8], f"key-{n}", duplicate_key, old.number).number

    taken, refused = raced(order, 32, AlreadyOpen)
    new = registers[0].replaced_by(old.number)
    assert (taken, [one.number for one in refused]) == ([new], [new] * 31)
    assert len(registers[0].requests(viewer=None).items) == 2


def test_who_orders_it_anew_and_who_replaces_it_at_once_are_told_of_each_other(connect: Callable[[], Register]) -> None:
    registers = [connect() for _ in range(8)]
    old = take(registers[0], "old")

    def order(n: int) -> str:
        return take(registers[n % 8], f"key-{n}", replaces=old.number if n % 2 else "").number

    taken, refused = raced(order, 32, AlreadyOpen)
    new = registers[0].replaced_by(old.number)
    assert taken == [new]
    assert {one.number for one in refused} <= {new, old.number}
    assert registers[0].open_duplicate(VPN) == new


def test_a_replacement_and_the_end_of_the_old_one_at_once_leave_the_new_one_its_claim(
    connect: Callable[[], Register],
) -> None:
    one, other = connect(), connect()
    for n in range(10):
        key = f"sha256:{n}"
        old = take(one, f"old-{n}", key)
        story = Story(old.number)
        one.record(story.batch(Kind.OPENED))
        ending = story.batch(Kind.CLOSED, status=Status.CLOSED, at=NOON + timedelta(seconds=1))
        with ThreadPoolExecutor(2) as threads:
            closed = threads.submit(one.record, ending)
            new = threads.submit(take, other, f"new-{n}", key, old.number)
        assert closed.result()
        assert one.open_duplicate(key) == new.result().number
