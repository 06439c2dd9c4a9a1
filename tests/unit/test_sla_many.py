"""Clocks of hundreds of approvers: what they cost grows as they do, and not as their square."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.clocks import HOUR, ORDERED, a_spec, at, it, told
from support.counting import calls_in

from catalog import sla
from catalog.sla import Told, follow, read, runs_of
from catalog.sla_events import Happened
from catalog.sla_report import breakdown
from catalog.sla_spec import ClockSpec

EACH = ClockSpec.model_validate({"id": "approver", "measures": "approver", "target": "4 working hours"})
BEGIN = at("mon", "09:00")


def crowd(people: int, rounds: int = 3) -> tuple[Told, ...]:
    """Return what happens where many are asked, ask back, are answered and vote, and the order changes each time."""
    return told(event for number in range(rounds) for event in one_round(people, BEGIN + number * 8 * HOUR))


def one_round(people: int, begin: Any) -> Iterator[Happened]:
    names = [f"id-{number}" for number in range(people)]
    yield it("stage-opened", begin, stage="manager")
    for name in names:
        yield it("asked", begin, stage="manager", person=name)
    for number, name in enumerate(names):
        later = begin + (number + 1) * timedelta(seconds=1)
        yield it("information-requested", later, stage="manager", person=name)
        yield it("information-given", later, stage="manager")
        yield it("task-claimed", later)
    for name in names[: people // 2]:
        yield it("decided", begin + HOUR, stage="manager", person=name)
        yield it("vote-withdrawn", begin + HOUR, stage="manager", person=name)
    yield it("amended", begin + HOUR)
    yield it("stage-closed", begin + HOUR, stage="manager", status="superseded")


def read_back(history: tuple[Told, ...]) -> None:
    read(EACH, history, at("fri", "09:00"))


def held(history: tuple[Told, ...]) -> None:
    breakdown(history, at("fri", "09:00"))


def at_once(history: tuple[Told, ...]) -> None:
    follow(EACH, (), history)


@pytest.mark.parametrize("do", [read_back, held, at_once])
def test_twice_as_many_people_are_twice_the_work(do: Callable[[tuple[Told, ...]], None]) -> None:
    some, twice = (crowd(people) for people in (50, 100))
    assert len(twice) > 1.9 * len(some)
    assert calls_in(sla, lambda: do(twice)) < 2.2 * calls_in(sla, lambda: do(some))


def test_twice_as_many_rounds_are_twice_the_work() -> None:
    some, twice = (crowd(50, rounds) for rounds in (3, 6))
    assert calls_in(sla, lambda: read_back(twice)) < 2.2 * calls_in(sla, lambda: read_back(some))


def test_a_stage_that_an_amendment_ends_leaves_no_clock_running() -> None:
    clocks = follow(EACH, (), crowd(4))
    assert len(clocks) == 3 * (4 + 2)
    assert {clock.state for clock in clocks} == {"stopped", "cancelled"}


def test_a_clock_that_was_let_go_of_is_not_begun_again_but_reset() -> None:
    begun = follow(EACH, (), crowd(2, rounds=2))
    runs = runs_of(begun)
    assert runs == {("manager", "id-0"): 4, ("manager", "id-1"): 2}
    again = it("asked", at("thu", "09:00"), stage="manager", person="id-1")
    (clock,) = follow(EACH, (), told([again]), runs)
    assert clock.run == 3
    once = follow(a_spec(), (), told([ORDERED, it("fulfilled", at("mon", "10:00"))]))
    assert follow(a_spec(), (), told([ORDERED]), runs_of(once)) == ()


def test_the_last_run_counts_whichever_of_them_were_let_go_of() -> None:
    first, second, third = follow(EACH, (), crowd(1))
    assert runs_of([first], runs_of([second, third])) == runs_of([third], runs_of([first, second])) == runs_of([third])
