"""Which timer of a request should fire first, and what the operators are told of one that did not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from support.builders import NOON

from catalog.mail import render
from catalog.people import OPERATORS
from catalog.request import Projection, Status, Waiting, WaitKind
from catalog.watch import LateTimer, Timer, next_timer, notice

HOUR = timedelta(hours=1)


def waiting_until(*untils: datetime | None) -> Projection:
    waits = tuple(
        Waiting(kind=WaitKind.PEOPLE, what=f"wait {n}", since=NOON, until=until, rule="r")
        for n, until in enumerate(untils)
    )
    return Projection(number="REQ-1001", seq=1, status=Status.APPROVAL, waiting=waits, updated_at=NOON)


@pytest.mark.parametrize("untils", [(), (None,), (None, None)])
def test_what_waits_without_end_has_no_timer(untils: tuple[None, ...]) -> None:
    assert next_timer(waiting_until(*untils)) is None


@pytest.mark.parametrize(
    ("untils", "first"),
    [((NOON,), "wait 0"), ((None, NOON + HOUR, NOON), "wait 2"), ((NOON + HOUR, NOON, NOON), "wait 1")],
)
def test_the_wait_that_should_end_first_is_the_earliest_of_those_that_end(
    untils: tuple[datetime | None, ...], first: str
) -> None:
    found = next_timer(waiting_until(*untils))
    assert found is not None
    assert found.what == first


@pytest.mark.parametrize(
    ("untils", "next_at", "first"),
    [
        ((NOON + HOUR,), NOON, Timer(NOON, "People are told about this: wait 0")),
        ((NOON + HOUR,), NOON + 2 * HOUR, Timer(NOON + HOUR, "wait 0")),
        ((None,), NOON, Timer(NOON, "People are told about this: wait 0")),
        ((NOON + HOUR, NOON), NOON + HOUR, Timer(NOON, "wait 1")),
    ],
)
def test_a_reminder_or_notice_may_come_before_any_wait_ends(
    untils: tuple[datetime | None, ...], next_at: datetime, first: Timer
) -> None:
    projection = waiting_until(*untils)
    reminded = projection.waiting[0].model_copy(update={"next_at": next_at})
    assert next_timer(projection.model_copy(update={"waiting": (reminded, *projection.waiting[1:])})) == first


def test_a_clock_may_come_to_something_before_anything_else_does() -> None:
    projection = waiting_until(NOON + HOUR).model_copy(update={"clock_at": NOON})
    assert next_timer(projection) == Timer(NOON, "One of its clocks warns or is breached")


def test_the_operators_are_told_once_per_late_timer() -> None:
    late = LateTimer(number="REQ-1001", what="Mara decides", until=NOON, seen_at=NOON + HOUR)
    told = notice(late, "Wiki editor")
    assert told.event == "watchdog:REQ-1001/2025-03-03T12:00:00.123456+00:00"
    assert notice(late.model_copy(update={"seen_at": NOON}), "Wiki editor").event == told.event
    assert told.to == OPERATORS
    text = render(told, "https://desk.example")
    assert text.subject == "A timer is late: REQ-1001, Wiki editor"
    assert "    Mara decides\n" in text.body
