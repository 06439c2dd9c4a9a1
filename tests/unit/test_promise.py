"""By when a request is likely to be done: percentiles, what counts, and where a request stands (feature row S8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOON, a_person, a_stage, an_item, an_order
from support.story import a_task

from catalog.calendar import Calendar
from catalog.duration import Working
from catalog.hours import MINUTES, WEEKDAYS, Segment
from catalog.item import Sla
from catalog.preview import preview
from catalog.promise import ENOUGH, ORDERED, Promise, fallback, kind_of, milestone, nearest_rank, promise
from catalog.request import Order, OrderLine, Projection, Status, Task, Waiting, WaitKind
from catalog.slate import Found, Rung
from catalog.stages import AutoApproval
from catalog.terms import Terms, terms

AT = NOON.replace(second=0, microsecond=0)
HOUR = timedelta(hours=1)
LATER = AT + timedelta(days=30)


def hours(*numbers: int) -> list[timedelta]:
    return [number * HOUR for number in numbers]


# --- percentiles ---


@pytest.mark.parametrize(
    ("count", "percent", "rank"),
    [(1, 50, 1), (1, 90, 1), (2, 50, 1), (3, 50, 2), (10, 90, 9), (20, 50, 10), (20, 90, 18), (21, 90, 19), (5, 0, 1)],
)
def test_a_percentile_is_the_nearest_rank(count: int, percent: int, rank: int) -> None:
    assert nearest_rank(hours(*range(1, count + 1)), percent) == rank * HOUR


def test_a_fresh_request_is_promised_what_earlier_ones_took() -> None:
    found = promise(hours(*range(1, 101)), AT, AT, LATER)
    assert found == Promise(p50=AT + 50 * HOUR, p90=AT + 90 * HOUR, cases=100, basis="history")


def test_the_order_of_the_earlier_ones_does_not_matter() -> None:
    samples = hours(*range(1, 41))
    assert promise(samples[::-1], AT, AT, LATER) == promise(samples, AT, AT, LATER)


@pytest.mark.parametrize("count", [0, 1, ENOUGH - 1])
def test_with_too_few_earlier_ones_the_sla_stands(count: int) -> None:
    found = promise([HOUR] * count, AT, AT, LATER)
    assert found == Promise(p50=LATER, p90=LATER, cases=count, basis="sla")


def test_twenty_earlier_ones_are_enough() -> None:
    found = promise([HOUR] * ENOUGH, AT, AT, LATER)
    assert found == Promise(p50=AT + HOUR, p90=AT + HOUR, cases=20, basis="history")


def test_only_those_count_that_took_longer_than_it_has_taken() -> None:
    found = promise(hours(*range(1, 101)), AT + 60 * HOUR, AT, LATER)
    assert found == Promise(p50=AT + 80 * HOUR, p90=AT + 96 * HOUR, cases=40, basis="history")


def test_when_few_took_longer_the_longest_of_them_is_promised() -> None:
    found = promise(hours(*range(1, 101)), AT + 81 * HOUR, AT, LATER)
    assert found == Promise(p50=AT + 91 * HOUR, p90=AT + 100 * HOUR, cases=19, basis="history")


def test_one_that_takes_longer_than_any_before_is_promised_what_the_sla_says() -> None:
    found = promise([HOUR] * 30, AT + HOUR, AT, LATER)
    assert found == Promise(p50=LATER, p90=LATER, cases=0, basis="sla", outlasted=True)


def test_without_any_earlier_one_it_has_outlasted_none() -> None:
    assert not promise([], AT, AT, LATER).outlasted


def test_what_was_promised_is_said_as_it_was_promised() -> None:
    owed = LATER + timedelta(seconds=10)
    assert promise([], AT, AT, owed).p90 == owed


def test_an_sla_that_is_over_promises_nothing_in_the_past() -> None:
    now = LATER + timedelta(seconds=10)
    assert promise([], now, AT, LATER).p90 == LATER + timedelta(minutes=1)


def test_promises_are_to_the_minute_rounded_up() -> None:
    since = AT + timedelta(microseconds=1)
    found = promise([HOUR] * ENOUGH, since, since, LATER)
    assert found.p50 == AT + HOUR + timedelta(minutes=1)


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)).map(lambda at: at.replace(tzinfo=AT.tzinfo))  # noqa: DTZ001 - hypothesis takes bounds without a zone
LENGTHS = st.lists(st.timedeltas(timedelta(0), timedelta(days=400)), max_size=60)


@given(LENGTHS, MOMENTS, st.timedeltas(timedelta(days=-1), timedelta(days=500)), MOMENTS)
def test_no_promise_lies_in_the_past_or_turns_round(
    samples: list[timedelta], since: datetime, passed: timedelta, owed: datetime
) -> None:
    now = since + passed
    found = promise(samples, now, since, owed)
    assert now <= found.p50 <= found.p90
    assert found.p90 == owed or found.p90.second == found.p90.microsecond == 0
    assert (found.basis == "history") == (len(samples) >= ENOUGH and any(sample > passed for sample in samples))


# --- where a request stands ---


def standing(status: Status, *tasks: Any, **other: Any) -> Projection:
    return Projection(number="REQ-1001", seq=1, status=status, tasks=tasks, updated_at=NOON, **other)


def approval(n: int, stage: str | None, **other: Any) -> Any:
    return a_task("REQ-1001", n, "Bob", stage=stage, **other)


@pytest.mark.parametrize(
    ("projection", "expected"),
    [
        (standing(Status.ACCEPTED), ORDERED),
        (standing(Status.CHECKING), ORDERED),
        (standing(Status.FULFILMENT), "fulfilment"),
        (standing(Status.ATTENTION), "attention"),
        (standing(Status.ROLLBACK), None),
        (standing(Status.CLOSED), None),
        (standing(Status.APPROVAL), "approval"),
        (standing(Status.APPROVAL, approval(1, "manager")), "approval:manager"),
        (standing(Status.APPROVAL, approval(1, "manager", decided="approve")), "approval"),
        (standing(Status.APPROVAL, approval(1, "manager", decided="approve"), approval(2, "owner")), "approval:owner"),
        (standing(Status.APPROVAL, approval(1, "security"), approval(2, "finance")), "approval:finance+security"),
        (standing(Status.APPROVAL, approval(1, "owner"), approval(2, "owner")), "approval:owner"),
        (standing(Status.APPROVAL, approval(1, None)), "approval"),
        (standing(Status.APPROVAL, approval(1, "owner"), approval(2, "x", kind="fulfilment")), "approval:owner"),
    ],
)
def test_where_a_request_stands_is_its_milestone(projection: Projection, expected: str | None) -> None:
    assert milestone(projection) == expected


def test_the_history_of_an_order_is_its_items() -> None:
    assert kind_of(an_order(item=an_item(id="vpn"))) == "vpn"


@pytest.mark.parametrize(("ordered", "kind"), [("wiki-editor", "wiki-editor/several"), ("badge", "wiki-editor")])
def test_an_order_for_several_people_has_a_history_of_its_own(ordered: str, kind: str) -> None:
    line = OrderLine(id="1", item=ordered, version="1.0.0", item_name="x", beneficiary=a_person().ref())
    assert kind_of(an_order(lines=(line,))) == kind


def waiting(until: datetime | None) -> Waiting:
    return Waiting(kind=WaitKind.PEOPLE, what="w", since=NOON, until=until, rule="r")


@pytest.mark.parametrize(
    ("untils", "owed"),
    [((), AT), ((None,), AT), ((AT - HOUR,), AT), ((None, AT + HOUR, AT + 2 * HOUR), AT + 2 * HOUR)],
)
def test_without_history_the_sla_is_promised_or_the_last_deadline(
    untils: tuple[datetime | None, ...], owed: datetime
) -> None:
    order = an_order(item=an_item(approvals=(), sla=Sla(target=DAY)), accepted_at=AT - DAY)
    assert fallback(order, standing(Status.FULFILMENT, waiting=tuple(map(waiting, untils))), AT) == owed


# --- the sum of the stages' time ---

DAY = timedelta(days=1)


def staged(*stages: dict[str, Any], target: int = 6, **other: Any) -> Order:
    """Return an order whose stages have five days each if they do not say otherwise; it is promised in six."""
    written = [a_stage(**{"id": f"s{n}", "decide_within": 5 * DAY} | one) for n, one in enumerate(stages)]
    return an_order(item=an_item(approvals=tuple(written), sla=Sla(target=target * DAY)), accepted_at=AT, **other)


def owed(order: Order, *tasks: Task, status: Status = Status.APPROVAL, days: float = 0, **other: Any) -> float:
    """Return in how many days after it was placed an order is promised, so many days after it was placed."""
    found = fallback(order, standing(status, *tasks, **other), AT + days * DAY)
    return (found - AT) / DAY


def stage_task(n: int, due: float, **other: Any) -> Task:
    return a_task("REQ-1001", n, "Bob", stage=f"s{n}", due_at=AT + due * DAY, **other)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.CHECKING])
def test_s8_before_anybody_is_asked_the_stages_add_up(status: Status) -> None:
    assert owed(staged({}, {}), status=status) == 10
    assert owed(staged({}, {}, target=12), status=status) == 12
    assert owed(staged({}, {}), status=status, days=2) == 12


def test_s8_what_is_left_of_an_open_stage_counts_and_all_of_those_to_come() -> None:
    assert owed(staged({}, {}), stage_task(0, 5), days=3) == 10
    assert owed(staged({}, {}), stage_task(0, 1, decided="approved"), stage_task(1, 6)) == 6
    assert owed(staged({}, {}, {}), stage_task(0, 1, decided="skipped"), days=2) == 12


def test_s8_stages_side_by_side_count_once() -> None:
    assert owed(staged({}, {"after": ()}, {"after": ("s0", "s1"), "decide_within": DAY})) == 6
    beside = staged({"decide_within": 9 * DAY}, {"after": ()}, {"after": ("s1",)})
    assert owed(beside, stage_task(0, 9), stage_task(1, 5)) == 10


def test_s8_what_an_order_does_not_need_takes_no_time() -> None:
    auto = (AutoApproval(id="known", when="true", because="It is known."),)
    assert owed(staged({}, {"when": "form.why == 'no'"}, {"auto_approve": auto}, {"decide_within": 2 * DAY})) == 7


def test_s8_time_that_is_over_is_over_now() -> None:
    assert owed(staged({}, {}), stage_task(0, 5), days=7) == 12


def test_s8_a_stage_that_nobody_was_asked_about_before_one_that_is_open_is_over() -> None:
    assert owed(staged({"decide_within": 20 * DAY}, {}), stage_task(1, 5)) == 6


def test_s8_a_stage_that_is_asked_again_because_the_order_changed_takes_its_time_again() -> None:
    assert owed(staged({}), stage_task(0, 5, decided="superseded"), days=3) == 8


def test_s8_once_the_work_has_begun_no_stage_is_to_come() -> None:
    assert owed(staged({}, {}), status=Status.FULFILMENT) == 6


def test_s8_a_question_stops_the_time_of_the_stage_that_asks_it() -> None:
    asked, answered_by = AT + 4 * DAY, AT + 9 * DAY
    wait = Waiting(
        kind=WaitKind.INFORMATION, what="w", since=asked, until=answered_by, rule="r", task=approval(0, "s0").id
    )
    assert owed(staged({}, {}), stage_task(0, 5), days=4, waiting=(wait,)) == 15
    endless = wait.model_copy(update={"until": None})
    assert owed(staged({}, {}), stage_task(0, 5), days=4, waiting=(endless,)) == 10


@pytest.mark.parametrize(("calendar", "days"), [(None, 7), ("shop", 8), ("lost", 5)])
def test_s8_working_time_of_a_stage_to_come_is_that_of_its_calendar_or_the_companys(
    calendar: str | None, days: int
) -> None:
    office, shop = (
        Calendar(id=name, name=name, week={day: (Segment(0, MINUTES),) for day in WEEKDAYS[:days_a_week]})
        for name, days_a_week in (("office", 5), ("shop", 4))
    )
    stage = {"decide_within": Working(days=5), "calendar": calendar}
    order = staged(stage, target=1, terms=Terms(calendars={"": office, "shop": shop}))
    assert owed(order) == days


def test_s8_an_order_keeps_the_calendars_of_stages_to_come() -> None:
    office = Calendar(id="office", name="Office", week={WEEKDAYS[0]: (Segment(0, MINUTES),)})
    known = dict.fromkeys(("", "office", "shop"), office)
    stages = (a_stage(), a_stage(id="b", decide_within=Working(days=1), calendar="shop"))
    assert terms(an_item(approvals=stages), {}, known).calendars.keys() == {"shop"}
    assert terms(an_item(approvals=(a_stage(decide_within=Working(days=1)),)), {}, known).calendars.keys() == {""}
    assert terms(an_item(), {}, known).calendars == {}


def test_s8_a_preview_and_the_request_that_follows_are_promised_the_same() -> None:
    steps: tuple[dict[str, Any], ...] = ({}, {"after": ()}, {"decide_within": 3 * DAY, "after": ("s0", "s1")}, {})
    order = staged(*steps, target=1)
    planned = preview(order, lambda _stage, _wanted: Found(rungs=(Rung(rule="r", people=(a_person("Bob"),)),)))
    assert planned.decided_by
    assert owed(order, status=Status.ACCEPTED) == (planned.decided_by - AT) / DAY == 13


def test_a_promise_of_stages_to_come_differs_once_a_minute_at_most() -> None:
    order, second = staged({}, {}), timedelta(seconds=1)
    at = AT + 2 * DAY
    now = [fallback(order, standing(Status.CHECKING), at + n * second) for n in (0, 59, 60)]
    assert [found - now[0] for found in now] == [0 * second, 0 * second, 60 * second]
