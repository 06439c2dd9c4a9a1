from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON, a_new_order, a_person
from support.story import Story, a_task

from activities.connectors.memory import MemoryDelegations
from activities.ports import Delegations
from catalog.ballot import Verdict
from catalog.delegation import MOST, Delegation, Scope
from catalog.journal import Kind
from catalog.request import Assignee, Notice
from records.register import DelegationRefused, KeyReused, Register, Turn

DAY = timedelta(days=1)
BODY = "sha256:body"


def a_delegation(by: str = "Ada", to: str = "Ben", **other: Any) -> Delegation:
    """Return a delegation of the next week; its id says whose it is and to whom."""
    plain = {
        "id": f"dlg-{by}-{to}",
        "person": a_person(by).ref(),
        "delegate": a_person(to).ref(),
        "begins": NOON,
        "ends": NOON + 7 * DAY,
        "scope": Scope(items=("vpn-access",)),
        "reason": "Größe 🦊",
        "set_by": a_person(by).ref(),
        "created_at": NOON,
    }
    return Delegation(**plain | other)


def a_notice(about: Delegation, what: str = "set") -> Notice:
    return Notice(event=f"delegation:{about.id}/{what}", template=f"delegation-{what}", to=about.delegate)


def keep(register: Register, *delegations: Delegation) -> None:
    for one in delegations:
        register.set_delegation(one, BODY)


def ids(found: Any) -> list[str]:
    return [one.id for one in found]


def turns(register: Register, days: float) -> list[tuple[str, str]]:
    return [(turn.delegation.id, turn.what) for turn in register.turning(NOON + days * DAY, 100)]


def announce(register: Register, days: float) -> None:
    for turn in register.turning(NOON + days * DAY, 100):
        register.mark_announced(turn, NOON + days * DAY)


def test_a_delegation_is_read_back_as_it_was_set(register: Register) -> None:
    one = a_delegation()
    assert register.set_delegation(one, BODY) == one
    assert register.delegation(one.id) == one


@pytest.mark.parametrize("unknown", ["dlg-nobody", "no\x00id", "", "x" * 200])
def test_there_is_no_other(register: Register, unknown: str) -> None:
    assert register.delegation(unknown) is None


def test_set_again_by_its_id_it_stands_as_it_was_and_nobody_is_told_twice(register: Register) -> None:
    one = a_delegation()
    later = a_delegation(created_at=NOON + DAY)
    assert register.delegation_set(one.id, BODY) is None
    for new in (one, later):
        assert register.set_delegation(new, BODY, (a_notice(one),)) == one
    assert register.delegation_set(one.id, BODY) == one
    assert register.notice_counts()["pending"] == 1


def test_an_id_that_stands_for_another_body_is_refused_and_nobody_is_told(register: Register) -> None:
    one = a_delegation()
    register.set_delegation(one, BODY)
    with pytest.raises(KeyReused):
        register.set_delegation(one, "sha256:other", (a_notice(one),))
    with pytest.raises(KeyReused):
        register.delegation_set(one.id, "sha256:other")
    assert register.notice_counts()["pending"] == 0


def test_withdrawing_says_when_and_deletes_nothing_and_happens_once(register: Register) -> None:
    one = a_delegation()
    register.set_delegation(one, BODY)
    assert register.withdraw_delegation(one.id, NOON + DAY, (a_notice(one, "withdrawn"),))
    assert register.delegation(one.id) == one.model_copy(update={"withdrawn_at": NOON + DAY})
    assert not register.withdraw_delegation(one.id, NOON + 2 * DAY, (a_notice(one, "withdrawn"),))
    assert register.notice_counts()["pending"] == 1
    found = register.delegation(one.id)
    assert found
    assert found.over_at == NOON + DAY


def test_what_is_over_is_not_withdrawn_any_more(register: Register) -> None:
    one = a_delegation()
    register.set_delegation(one, BODY)
    assert not register.withdraw_delegation(one.id, one.ends)
    assert not register.withdraw_delegation("dlg-nobody", NOON)
    assert register.delegation(one.id) == one


def test_a_person_finds_what_they_delegated_and_what_was_delegated_to_them_newest_first(register: Register) -> None:
    past = a_delegation("Ada", "Cleo", begins=NOON - 9 * DAY, ends=NOON - DAY)
    coming = a_delegation("Cleo", "Ada", begins=NOON + DAY)
    keep(register, past, a_delegation("Ada", "Ben"), coming, a_delegation("Dan", "Eve"))

    def of(person: str | None, state: Any) -> list[str]:
        return ids(register.delegations(viewer=person, state=state, at=NOON).items)

    assert of("id-ada", "open") == ["dlg-Cleo-Ada", "dlg-Ada-Ben"]
    assert of("id-ada", "closed") == ["dlg-Ada-Cleo"]
    assert of("id-eve", "open") == ["dlg-Dan-Eve"]
    assert of(None, "open") == ["dlg-Dan-Eve", "dlg-Cleo-Ada", "dlg-Ada-Ben"]


def test_a_long_list_comes_in_parts(register: Register) -> None:
    keep(register, *(a_delegation(to=f"Ben{n}", id=f"dlg-{n}") for n in range(5)))
    found, cursor = [], None
    while True:
        page = register.delegations(viewer="id-ada", state="open", at=NOON, after=cursor, limit=2)
        found += ids(page.items)
        cursor = page.next
        if cursor is None:
            break
    assert found == ["dlg-4", "dlg-3", "dlg-2", "dlg-1", "dlg-0"]
    for far in (-1, 0, 2**70):
        register.delegations(viewer="id-ada", state="open", at=NOON, after=far)


@pytest.fixture(params=["register", "memory"])
def port(request: pytest.FixtureRequest, register: Register) -> Callable[..., Delegations]:
    """What implements the port, filled."""

    def fill(*known: Delegation) -> Delegations:
        if request.param == "memory":
            return MemoryDelegations(known)
        keep(register, *known)
        return register

    return fill


def test_touching_goes_along_the_chain_as_far_as_a_chain_goes(port: Callable[..., Delegations]) -> None:
    pairs = ("Ada", "Ben"), ("Ben", "Cleo"), ("Cleo", "Dan"), ("Dan", "Eve"), ("Eve", "Fay"), ("Gil", "Hal")
    found = port(*(a_delegation(*pair) for pair in pairs)).touching(["id-ada"], NOON)
    assert set(ids(found)) == {"dlg-Ada-Ben", "dlg-Ben-Cleo", "dlg-Cleo-Dan", "dlg-Dan-Eve"}


def test_touching_ends_where_a_circle_closes_and_names_each_once(port: Callable[..., Delegations]) -> None:
    found = port(a_delegation("Ada", "Ben"), a_delegation("Ben", "Ada")).touching(["id-ada", "id-ben"], NOON)
    assert sorted(ids(found)) == ["dlg-Ada-Ben", "dlg-Ben-Ada"]


def test_touching_knows_what_is_to_come_and_forgets_what_is_over(port: Callable[..., Delegations]) -> None:
    coming = a_delegation("Ada", "Ben", begins=NOON + DAY)
    over = a_delegation("Ada", "Cleo", begins=NOON - DAY, ends=NOON)
    withdrawn = a_delegation("Ada", "Dan", withdrawn_at=NOON)
    there = port(coming, over, withdrawn, a_delegation("Cleo", "Eve"))
    assert ids(there.touching(["id-ada"], NOON)) == ["dlg-Ada-Ben"]
    assert there.touching([], NOON) == ()


def test_what_has_begun_and_what_has_ended_is_announced_once_each(register: Register) -> None:
    keep(register, a_delegation(begins=NOON + DAY))
    assert turns(register, 0.9) == []
    assert turns(register, 1) == [("dlg-Ada-Ben", "begins")]
    assert turns(register, 1) == [("dlg-Ada-Ben", "begins")]
    announce(register, 1)
    assert turns(register, 6.9) == []
    assert turns(register, 7) == [("dlg-Ada-Ben", "ends")]
    announce(register, 7)
    assert turns(register, 100) == []


def test_what_began_and_ended_while_nothing_could_be_announced_is_announced_as_over(register: Register) -> None:
    keep(register, a_delegation())
    assert turns(register, 8) == [("dlg-Ada-Ben", "ends")]
    announce(register, 8)
    assert turns(register, 8) == []


def test_what_is_withdrawn_ends_then_and_has_no_end_if_it_had_not_begun(register: Register) -> None:
    begun, coming = a_delegation(), a_delegation("Cleo", "Dan", begins=NOON + 2 * DAY)
    keep(register, begun, coming)
    announce(register, 0)
    for one in (begun, coming):
        register.withdraw_delegation(one.id, NOON + DAY)
    assert turns(register, 100) == [(begun.id, "ends")]


def test_what_turned_is_read_oldest_first_and_in_parts(register: Register) -> None:
    keep(register, *(a_delegation(id=f"dlg-{n}", begins=NOON - n * DAY) for n in range(3)))
    first, second = register.turning(NOON, 2)
    assert isinstance(first, Turn)
    assert [first.delegation.id, second.delegation.id] == ["dlg-2", "dlg-1"]


def test_the_principals_of_a_person_are_those_whose_chain_may_lead_over_them(register: Register) -> None:
    keep(
        register,
        *(a_delegation(*pair) for pair in (("Ada", "Ben"), ("Ben", "Cleo"), ("Cleo", "Dan"), ("Dan", "Eve"))),
        a_delegation("Fay", "Cleo", begins=NOON + DAY),
        a_delegation("Gil", "Cleo", begins=NOON - DAY, ends=NOON),
    )
    assert register.principals("id-cleo", NOON) == {"id-cleo", "id-ben", "id-ada", "id-fay"}
    assert register.principals("id-eve", NOON) == {"id-eve", "id-dan", "id-cleo", "id-ben", "id-fay"}
    assert register.principals("id-zoe", NOON) == {"id-zoe"}


def test_requests_that_are_decided_are_found_by_who_is_asked_also_if_they_have_voted(register: Register) -> None:
    numbers = [register.take(a_new_order(f"key-{n}")).order.number for n in range(6)]
    voted = Assignee(person=a_person("Ben").ref(), verdict=Verdict.APPROVE)
    tasks = [
        [a_task(numbers[0], 1, "Ben"), a_task(numbers[0], 2, "Ben")],
        [a_task(numbers[1], 1, "Cleo")],
        [a_task(numbers[2], 1, voted, "Dan")],
        [a_task(numbers[3], 1, "Ben", decided="approve")],
        [a_task(numbers[4], 1, "Ben", kind="fulfilment")],
        [a_task(numbers[5], 1, "Ben", "Cleo")],
    ]
    for number, opened in zip(numbers, tasks, strict=True):
        register.record(Story(number).batch(Kind.OPENED, tasks=tuple(opened)))
    assert register.deciding({"id-ben"}) == [numbers[0], numbers[2], numbers[5]]
    assert register.deciding({"id-ben", "id-cleo"}) == [numbers[0], numbers[1], numbers[2], numbers[5]]
    assert register.deciding({"id-zoe"}) == []


def test_two_processes_that_set_the_same_at_once_set_one(run_twice: Callable[[str], list[list[str]]]) -> None:
    one = a_delegation().model_dump_json()
    program = f"""
    from catalog.delegation import Delegation
    one = Delegation.model_validate_json({one!r})
    print(register.set_delegation(one, "sha256:body").id)
    print(len(register.delegations(viewer="id-ada", state="open", at=one.begins).items))
    """
    assert run_twice(program) == [["dlg-Ada-Ben", "1"]] * 2


def at_once(register: Register, *wanted: Delegation) -> list[str]:
    """Set delegations at the same time; returns why those were refused that were."""

    def set_one(one: Delegation) -> str:
        try:
            register.set_delegation(one, BODY)
        except DelegationRefused as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(12) as threads:
        return [why for why in threads.map(set_one, wanted) if why]


def test_of_many_that_are_set_at_once_no_more_stand_than_may(register: Register) -> None:
    wanted = [a_delegation(id=f"dlg-{n}", ends=NOON + (n + 1) * DAY) for n in range(MOST + 12)]
    assert len(at_once(register, *wanted)) == 12
    assert len(register.touching(["id-ada"], NOON)) == MOST


def test_the_same_that_is_set_several_times_at_once_stands_once(register: Register) -> None:
    refused = at_once(register, *(a_delegation(id=f"dlg-{n}") for n in range(6)))
    assert refused == ["The very same is set already."] * 5
