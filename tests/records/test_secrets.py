from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from support.builders import NOON, a_new_order, a_person
from support.story import Story

from catalog.journal import Kind
from catalog.request import Status
from records.register import Register, TooManySecrets, UnknownSecret
from records.secrets import MAX_UNUSED

LATER = NOON + timedelta(hours=1)
CIPHERTEXT = bytes(range(256))


def keep(register: Register, owner_id: str = "id-ada") -> str:
    return register.keep_secret(owner_id, CIPHERTEXT, NOON)


def test_a_secret_is_found_by_its_reference_only(register: Register) -> None:
    ref = keep(register)
    assert re.fullmatch(r"secret:[0-9a-f-]{36}", ref)
    assert register.secret(ref) == CIPHERTEXT
    for nothing in ("", "secret:", ref[:-1], f"{ref}\x00", "\ud800"):
        assert register.secret(nothing) is None


def test_the_secrets_of_a_request_are_forgotten_when_it_closes_and_no_others(register: Register) -> None:
    mine, also_mine, other, unused = (keep(register) for _ in range(4))
    number = register.take(a_new_order("a", secrets=(mine, also_mine))).order.number
    register.take(a_new_order("b", secrets=(other,)))
    story = Story(number)
    register.record(story.batch(Kind.OPENED))
    assert register.secret(mine) == CIPHERTEXT
    register.record(story.batch(Kind.CLOSED, status=Status.CLOSED))
    found = [register.secret(ref) for ref in (mine, also_mine, other, unused)]
    assert found == [None, None, CIPHERTEXT, CIPHERTEXT]


def test_secrets_that_no_order_names_are_dropped_once_they_are_old(register: Register) -> None:
    unused, used = keep(register), keep(register)
    register.take(a_new_order(secrets=(used,)))
    assert register.drop_unused_secrets(NOON) == 0
    assert register.drop_unused_secrets(LATER) == 1
    assert [register.secret(ref) for ref in (unused, used)] == [None, CIPHERTEXT]


def test_nobody_hoards_secrets_that_no_request_names(register: Register) -> None:
    first, *_ = [keep(register) for _ in range(MAX_UNUSED)]
    with pytest.raises(TooManySecrets, match="You have given 50 secrets"):
        keep(register)
    keep(register, "id-eve")
    register.take(a_new_order(secrets=(first,)))
    keep(register)
    with pytest.raises(TooManySecrets):
        keep(register)


@pytest.mark.parametrize("stranger", ["", "secret:nothing", "\x00", "\ud800"])
def test_an_order_that_names_an_unknown_secret_is_not_taken(register: Register, stranger: str) -> None:
    ref = keep(register)
    with pytest.raises(UnknownSecret, match="enter it again"):
        register.take(a_new_order(secrets=(ref, stranger)))
    assert not register.requests(viewer=None).items
    assert register.drop_unused_secrets(LATER) == 1, "nothing of the order was written"


def test_an_order_that_names_the_secret_of_another_is_not_taken(register: Register) -> None:
    ref = keep(register)
    with pytest.raises(UnknownSecret):
        register.take(a_new_order(requester=a_person("Eve").ref(), secrets=(ref,)))


def test_a_secret_given_for_one_order_cannot_be_given_for_another(register: Register) -> None:
    ref = keep(register)
    register.take(a_new_order("a", secrets=(ref,)))
    assert not register.take(a_new_order("a", secrets=(ref,))).fresh
    with pytest.raises(UnknownSecret):
        register.take(a_new_order("b", secrets=(ref,)))


def test_a_child_may_name_its_parents_secret_which_stays_the_parents(register: Register) -> None:
    ref = keep(register)
    parent = register.take(a_new_order("a", secrets=(ref,))).order.number
    children = [register.take(a_new_order(key, parent=parent, secrets=(ref,))).order.number for key in "bc"]
    register.record(Story(children[0]).batch(Kind.CLOSED, status=Status.CLOSED))
    assert register.secret(ref) == CIPHERTEXT
    register.record(Story(parent).batch(Kind.CLOSED, status=Status.CLOSED))
    assert register.secret(ref) is None


def test_whoever_works_on_a_request_can_give_it_secrets_and_repeat_it(register: Register) -> None:
    ref = keep(register, "id-eve")
    number = register.take(a_new_order()).order.number
    for _ in range(2):
        register.add_evidence(number, "id-eve", (), (ref,))
    assert register.drop_unused_secrets(LATER) == 0
    other = register.take(a_new_order("b")).order.number
    with pytest.raises(UnknownSecret):
        register.add_evidence(other, "id-eve", (), (ref,))


def test_of_many_orders_that_name_a_secret_at_once_one_is_taken(connect: Callable[[], Register]) -> None:
    registers = [connect() for _ in range(8)]
    ref = keep(registers[0])

    def take(n: int) -> bool:
        try:
            return registers[n].take(a_new_order(f"key-{n}", secrets=(ref,))).fresh
        except UnknownSecret:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(8))) == 1
    assert len(registers[0].requests(viewer=None).items) == 1
