"""What the memory directory adds to the port: faults on demand and the ledger."""

from __future__ import annotations

import pytest
from support.company import in_memory

from activities.connectors.memory import Change, MemoryDirectory, Write
from activities.errors import NotApplied, Rejected, Transient, UnknownOutcome
from catalog.access import Membership
from catalog.directory import GroupSpec


@pytest.fixture
def directory() -> MemoryDirectory:
    return in_memory()


@pytest.fixture
def bob(directory: MemoryDirectory) -> Membership:
    return Membership(person_id=directory.person_by_login("bob").id, group="vpn")


def test_an_ordered_failure_comes_as_often_as_ordered_and_changes_nothing(
    directory: MemoryDirectory, bob: Membership
) -> None:
    directory.fail_next(Transient("down"), times=2)
    for _ in range(2):
        with pytest.raises(Transient, match="down"):
            directory.ensure_member(bob)
    assert directory.ledger == []
    assert directory.ensure_member(bob).changed


def test_a_failure_of_one_operation_leaves_the_others_alone(directory: MemoryDirectory, bob: Membership) -> None:
    directory.fail_next(Rejected("no right"), on="ensure_member")
    directory.ping()
    assert not directory.is_member(bob)
    with pytest.raises(Rejected):
        directory.ensure_member(bob)


def test_a_role_changes_hands(directory: MemoryDirectory, bob: Membership) -> None:
    directory.put_role("Officer", [bob.person_id])
    assert [person.login for person in directory.occupants("officer")] == ["bob"]
    directory.put_role("officer", ())
    assert directory.occupants("officer") == ()


def test_a_configuration_item_changes_hands(directory: MemoryDirectory, bob: Membership) -> None:
    directory.put_ci("Web-01", [bob.person_id])
    assert [person.login for person in directory.ci_owners("web-01")] == ["bob"]
    directory.put_ci("web-01", ())
    assert directory.ci_owners("web-01") == ()


def test_a_lost_answer_leaves_the_change_made(directory: MemoryDirectory, bob: Membership) -> None:
    directory.lose_answers()
    with pytest.raises(Transient):
        directory.ensure_member(bob)
    assert not directory.ensure_member(bob).changed
    assert directory.ledger == [Write("add", bob)]


def test_a_swallowed_write_is_repeated_once(directory: MemoryDirectory, bob: Membership) -> None:
    directory.swallow_writes()
    assert directory.ensure_member(bob).changed
    assert directory.ledger == [Write("add", bob)]


def test_two_swallowed_writes_are_not_applied(directory: MemoryDirectory, bob: Membership) -> None:
    directory.swallow_writes(2)
    with pytest.raises(NotApplied):
        directory.ensure_member(bob)
    assert directory.ledger == []


def test_the_ledger_holds_effects_and_not_calls(directory: MemoryDirectory, bob: Membership) -> None:
    for _ in range(3):
        directory.ensure_member(bob)
    for _ in range(3):
        directory.ensure_absent(bob)
    assert directory.ledger == [Write("add", bob), Write("remove", bob)]


def test_faults_and_effects_of_other_changes_are_the_same(directory: MemoryDirectory) -> None:
    wiki = GroupSpec(name="wiki")
    directory.swallow_writes(2)
    with pytest.raises(NotApplied):
        directory.ensure_group(wiki)
    directory.lose_answers()
    with pytest.raises(UnknownOutcome):
        directory.ensure_group(wiki)
    assert not directory.ensure_group(wiki).changed
    directory.swallow_writes()
    with pytest.raises(NotApplied):
        directory.set_password(directory.person_by_login("bob").id, "a new one")
    assert directory.changes == [Change("ensure_group", "wiki")]
    assert directory.ledger == []


def test_a_person_can_change_while_something_waits(directory: MemoryDirectory) -> None:
    alice = directory.person_by_login("alice")
    directory.put_person(alice.model_copy(update={"active": False}))
    assert not directory.person(alice.id).active
    assert directory.authenticate("alice", "pass-alice") is None
