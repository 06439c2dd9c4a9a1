"""What clocks tell afterwards: who held a request how long, and why a target was missed."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from support.clocks import (
    ASKED,
    GIVEN,
    HOUR,
    ORDERED,
    a_spec,
    at,
    clock_of,
    it,
    told,
)

from catalog.sla_events import What
from catalog.sla_report import Share, breakdown, explain


def test_s7_the_working_time_of_each_stage_and_approver() -> None:
    events = (
        it("stage-opened", at("mon", "09:00"), stage="manager"),
        it("asked", at("mon", "09:00"), stage="manager", person="id-kim"),
        ASKED,
        GIVEN,
        it("decided", at("wed", "12:00"), stage="manager", person="id-kim"),
        it("stage-closed", at("wed", "12:00"), stage="manager"),
        it("stage-opened", at("wed", "12:00"), stage="data"),
        it("stage-opened", at("wed", "13:00"), stage="manager"),
    )
    assert breakdown(iter(told(events)), at("wed", "14:00")) == (
        Share(stage="manager", held=12 * HOUR, waited=8 * HOUR),
        Share(stage="data", held=2 * HOUR, waited=timedelta(0)),
        Share(stage="manager", person="id-kim", held=11 * HOUR, waited=8 * HOUR),
    )


def test_s7_who_gives_their_decision_away_holds_it_no_longer() -> None:
    events = (
        it("asked", at("mon", "09:00"), stage="manager", person="id-kim"),
        it("relieved", at("mon", "11:00"), stage="manager", person="id-kim"),
        it("asked", at("mon", "11:00"), stage="manager", person="id-ben"),
        it("decided", at("mon", "12:00"), stage="manager", person="id-ben"),
        it("vote-withdrawn", at("mon", "15:00"), stage="manager", person="id-ben"),
    )
    assert [(share.person, share.held) for share in breakdown(told(events), at("mon", "16:00"))] == [
        ("id-kim", 2 * HOUR),
        ("id-ben", 2 * HOUR),
    ]


def test_s9_why_a_clock_was_breached_is_told_in_words() -> None:
    spec = a_spec(pause="information-requested", target="16 working hours", warn=[75])
    clock = clock_of(spec, ORDERED, ASKED, GIVEN, it("fulfilled", at("fri", "09:30")))
    assert explain(clock) == (
        "Mon 2 March 2026, 09:00: it began to run: Ada Byron ordered.",
        "Tue 3 March 2026, 10:00: paused: Kim Lee asked for information.",
        "Wed 4 March 2026, 10:00: it ran again: Ada Byron gave the information.",
        "Wed 4 March 2026, 13:00: 75 % of its time was over.",
        "Wed 4 March 2026, 17:00: breached: 100 % of its time was over.",
        "Fri 6 March 2026, 09:30: stopped: it was fulfilled.",
    )


def test_s9_what_the_clock_had_come_to_is_told_before_what_happened_then() -> None:
    clock = clock_of(a_spec(warn=[]), ORDERED, it("closed", at("mon", "17:00")), now=at("tue", "09:00"))
    assert [line.partition(": ")[2] for line in explain(clock)] == [
        "it began to run: Ada Byron ordered.",
        "breached: 100 % of its time was over.",
        "cancelled: the request was closed.",
    ]


def test_a_clock_that_runs_is_told_as_far_as_it_has_come() -> None:
    assert len(explain(clock_of(a_spec(), ORDERED))) == 1


@pytest.mark.parametrize("what", get_args(What))
def test_s9_every_kind_of_event_is_told(what: What) -> None:
    started = clock_of(a_spec(), ORDERED)
    event = it(what, at("mon", "10:00"), stage="x\ny", by="{by}\n")
    (*_, said) = explain(started.model_copy(update={"stopped_at": event.at, "ended": event, "state": "stopped"}))
    assert said.startswith("Mon 2 March 2026, 10:00: stopped: ")
    assert "\n" not in said
