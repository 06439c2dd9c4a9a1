"""Clocks, by example: what they follow, when they are due, and what they warn of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.clocks import (
    ASKED,
    CALENDARS,
    GIVEN,
    HOUR,
    OFFICE,
    ORDERED,
    a_spec,
    at,
    clock_of,
    it,
    read,
    step,
    the,
)

from catalog.calendar import ALWAYS, Calendar
from catalog.duration import LONGEST
from catalog.sla import as_of, due_now, next_moment
from catalog.sla_events import Happened
from catalog.sla_spec import ClockSpec

# S1: start, pause, resume, stop, reset, cancel


def test_s1_a_clock_starts_pauses_resumes_and_stops() -> None:
    spec = a_spec(pause="information-requested")
    running = clock_of(spec, ORDERED)
    assert (running.state, running.started_at, running.due_at) == ("running", at("mon", "09:00"), at("mon", "17:00"))
    events = [ORDERED, ASKED.model_copy(update={"at": at("mon", "13:00")})]
    paused = clock_of(spec, *events, now=at("tue", "09:00"))
    assert (paused.state, paused.due_at, paused.elapsed, paused.paused) == ("paused", None, 4 * HOUR, 4 * HOUR)
    events.append(GIVEN.model_copy(update={"at": at("tue", "11:00")}))
    resumed = clock_of(spec, *events)
    assert (resumed.state, resumed.due_at, resumed.paused) == ("running", at("tue", "15:00"), 6 * HOUR)
    stopped = clock_of(spec, *events, it("fulfilled", at("tue", "13:00")), now=at("fri", "09:00"))
    assert (stopped.state, stopped.stopped_at) == ("stopped", at("tue", "13:00"))
    assert (stopped.elapsed, stopped.percent, stopped.breached_at) == (6 * HOUR, 75, None)
    assert (stopped.ahead, stopped.pauses, stopped.due_at) == ((), (), at("tue", "15:00"))


def test_s1_a_reset_begins_anew_and_leaves_on_record_what_was() -> None:
    spec = a_spec(reset="stage-opened", target="4 working hours")
    events = (ORDERED, it("stage-opened", at("tue", "09:00")))
    first, second = read(spec, events, CALENDARS, at("tue", "10:00"))
    assert (first.run, first.state, first.breached_at) == (1, "cancelled", at("mon", "13:00"))
    assert (second.run, second.state, second.due_at, second.elapsed) == (2, "running", at("tue", "13:00"), HOUR)


def test_s1_a_reset_starts_even_what_was_stopped() -> None:
    spec = a_spec(reset="stage-opened")
    events = (ORDERED, it("fulfilled", at("mon", "10:00")), it("stage-opened", at("tue", "09:00")))
    assert [clock.state for clock in read(spec, events, CALENDARS, at("tue", "10:00"))] == ["stopped", "running"]


def test_s1_a_cancelled_clock_is_neither_met_nor_late() -> None:
    spec = a_spec(cancel={"event": "stage-closed", "status": "rejected"})
    approved = it("stage-closed", at("mon", "10:00"), stage="manager", status="approved")
    rejected = it("stage-closed", at("mon", "11:00"), stage="data", status="rejected")
    clock = clock_of(spec, ORDERED, approved, rejected, now=at("fri", "09:00"))
    assert (clock.state, clock.stopped_at, clock.breached_at) == ("cancelled", at("mon", "11:00"), None)


def test_the_end_of_a_request_cancels_what_still_runs_and_starts_nothing() -> None:
    closed = it("closed", at("mon", "10:00"), status="rejected")
    assert clock_of(a_spec(reset="closed"), ORDERED, closed).state == "cancelled"
    assert clock_of(a_spec(), ORDERED, closed).state == "cancelled"
    assert read(a_spec(start="closed"), (ORDERED, closed), CALENDARS, at("fri", "09:00")) == ()


@pytest.mark.parametrize(
    "event",
    [
        it("fulfilled", at("mon", "08:00")),
        it("information-given", at("mon", "08:00")),
        it("closed", at("mon", "08:00")),
        it("stage-opened", at("mon", "08:00")),
    ],
)
def test_what_comes_before_the_start_changes_nothing(event: Happened) -> None:
    spec = a_spec(pause="information-requested", reset="stage-opened")
    assert clock_of(spec, event, ORDERED) == clock_of(spec, ORDERED)


def test_what_is_out_of_place_changes_nothing() -> None:
    spec = a_spec(pause="information-requested")
    running = read(spec, (ORDERED,), CALENDARS, at("mon", "09:00"))
    assert step(spec, running, GIVEN, CALENDARS) == running
    assert step(spec, running, ORDERED, CALENDARS) == running
    paused = step(spec, running, ASKED, CALENDARS)
    assert step(spec, paused, ASKED, CALENDARS) == paused
    stopped = step(spec, paused, it("fulfilled", at("thu", "09:00")), CALENDARS)
    for event in (ORDERED, ASKED, GIVEN, it("closed", at("fri", "09:00"))):
        assert step(spec, stopped, event, CALENDARS) == stopped


def test_an_event_said_to_have_happened_earlier_counts_with_the_last_one() -> None:
    spec = a_spec(pause="information-requested")
    late = it("fulfilled", at("mon", "10:00"))
    clock = clock_of(spec, ORDERED, ASKED, late, now=ASKED.at)
    assert (clock.stopped_at, clock.paused) == (ASKED.at, timedelta(0))


def test_two_pauses_beside_each_other_both_have_to_end() -> None:
    spec = a_spec(pause=["information-requested", "attention"], target="40 working hours")
    trouble = it("attention", at("tue", "11:00"))
    held = clock_of(spec, ORDERED, ASKED, trouble, GIVEN)
    assert (held.state, [pause.what for pause in held.pauses]) == ("paused", ["attention"])
    clock = clock_of(spec, ORDERED, ASKED, trouble, GIVEN, it("attention-over", at("thu", "10:00")))
    assert (clock.state, clock.paused) == ("running", 16 * HOUR)


def test_who_asked_and_decides_without_the_answer_waits_no_longer() -> None:
    spec = a_spec(pause="information-requested")
    other = it("decided", at("tue", "11:00"), stage="manager", person="id-ben")
    assert clock_of(spec, ORDERED, ASKED, other).state == "paused"
    assert clock_of(spec, ORDERED, ASKED, other.model_copy(update={"person": "id-kim"})).state == "running"
    assert clock_of(spec, ORDERED, ASKED, it("information-missed", at("tue", "11:00"))).state == "running"


def test_two_stages_that_ask_are_answered_each() -> None:
    spec = a_spec(pause="information-requested")
    also = ASKED.model_copy(update={"stage": "data"})
    assert clock_of(spec, ORDERED, ASKED, also, GIVEN).state == "paused"
    assert clock_of(spec, ORDERED, ASKED, also, GIVEN, GIVEN.model_copy(update={"stage": "data"})).state == "running"


def test_a_pause_ends_only_with_what_the_author_says_if_they_do() -> None:
    spec = a_spec(pause="information-requested", resume="information-given")
    missed = it("information-missed", at("tue", "11:00"), stage="manager")
    assert clock_of(spec, ORDERED, ASKED, missed).state == "paused"
    assert clock_of(spec, ORDERED, ASKED, missed, GIVEN).state == "running"


def test_a_pause_without_an_end_of_its_own_ends_as_the_author_says() -> None:
    spec = a_spec(pause="stage-opened", resume={"event": "stage-closed", "status": "approved"})
    opened = it("stage-opened", at("mon", "10:00"), stage="manager")
    closed = it("stage-closed", at("mon", "11:00"), stage="manager", status="approved")
    assert clock_of(spec, ORDERED, opened, closed).state == "running"
    assert clock_of(spec, ORDERED, opened, closed.model_copy(update={"status": "expired"})).state == "paused"


def test_a_clock_of_each_stage_follows_its_own_events() -> None:
    spec = ClockSpec.model_validate({"id": "d", "measures": "decision", "target": "8 working hours"})
    events = (
        it("stage-opened", at("mon", "09:00"), stage="manager"),
        it("stage-opened", at("mon", "10:00"), stage="data"),
        it("information-requested", at("mon", "11:00"), stage="data", person="id-ben"),
        it("stage-closed", at("mon", "12:00"), stage="manager", status="approved"),
        it("stage-opened", at("mon", "13:00")),
    )
    clocks = read(spec, events, CALENDARS, at("mon", "13:00"))
    assert [(clock.stage, clock.state, clock.elapsed) for clock in clocks] == [
        ("manager", "stopped", 3 * HOUR),
        ("data", "paused", HOUR),
    ]


def test_s7_each_approver_has_a_clock_in_their_own_calendar() -> None:
    spec = ClockSpec.model_validate({"id": "a", "measures": "approver", "target": "4 working hours"})
    events = (
        it("asked", at("mon", "12:00"), stage="manager", person="id-ben"),
        it("asked", at("mon", "12:00"), stage="manager", person="id-cleo"),
        it("asked", at("mon", "12:00"), stage="manager"),
        it("information-requested", at("mon", "13:00"), stage="manager", person="id-ben"),
        it("decided", at("mon", "20:00"), stage="manager", person="id-cleo"),
        it("stage-closed", at("mon", "20:00"), stage="manager"),
    )
    ben, cleo = read(spec, events, CALENDARS, at("tue", "09:00"))
    assert (ben.person, ben.zone, ben.state, ben.elapsed) == ("id-ben", "Europe/Berlin", "cancelled", HOUR)
    assert (cleo.person, cleo.zone, cleo.state, cleo.elapsed) == ("id-cleo", "America/New_York", "stopped", 5 * HOUR)
    assert cleo.breached_at == at("mon", "13:00", "America/New_York")


# S2, S4: calendars and targets


def test_s2_the_calendar_is_the_one_written_or_the_platforms_or_none() -> None:
    spec = a_spec(calendar="ny")
    assert clock_of(spec, ORDERED).due_at == at("mon", "17:00", "America/New_York")
    assert the(read(spec, [ORDERED], {"": OFFICE}, ORDERED.at)).due_at == at("mon", "17:00")
    assert the(read(spec, [ORDERED], {}, ORDERED.at)).zone == ALWAYS.zone


OVER = Calendar.model_validate(
    {"id": "over", "name": "Over", "zone": "Europe/Berlin", "days": {"1990-01-02": ["09:00-17:00"]}}
)
RARE = Calendar.model_validate({"id": "rare", "name": "Rare", "week": {"saturday": ["10:00-10:05"]}})


@pytest.mark.parametrize("target", ["2 days", "16 working hours", "2 working days", "by 16:00 on the next working day"])
@pytest.mark.parametrize("own", [OVER, RARE], ids=lambda own: own.id)
def test_s2_a_clock_is_due_some_time_whatever_became_of_the_calendar(target: str, own: Calendar) -> None:
    spec = a_spec(target=target, pause="information-requested", warn=[50])
    answered = it("information-given", at("wed", "10:00"), stage="manager", seq=4)
    due_at = the(read(spec, (ORDERED, ASKED, answered), {"": own}, answered.at)).due_at
    assert due_at
    assert ORDERED.at < due_at <= ORDERED.at + 2 * LONGEST


def test_s2_time_is_counted_by_the_clock_in_a_calendar_that_has_come_to_its_end() -> None:
    spec = a_spec(target="16 working hours")
    assert the(read(spec, [ORDERED], {"": OVER}, ORDERED.at)).due_at == ORDERED.at + 16 * HOUR
    rare = the(read(a_spec(target="2000 working hours"), [ORDERED], {"": RARE}, ORDERED.at))
    assert rare.due_at == ORDERED.at + LONGEST


def test_clock_time_counts_at_night_too() -> None:
    clock = clock_of(a_spec(target="2 days"), ORDERED, now=at("tue", "21:00"))
    assert (clock.due_at, clock.percent, clock.zone) == (at("wed", "09:00"), 75, "Europe/Berlin")


def test_working_days_end_at_the_same_time_of_day() -> None:
    clock = clock_of(a_spec(target="3 working days"), it("ordered", at("thu", "10:30")))
    assert clock.due_at == at("mon2", "10:30") + timedelta(days=1)
    assert clock.target == 24 * HOUR


BY_FOUR = a_spec(target="by 16:00 on the next working day", pause="information-requested")


def test_s4_a_moment_relative_to_the_start() -> None:
    clock = clock_of(BY_FOUR, it("ordered", at("fri", "15:00")))
    assert (clock.due_at, clock.target) == (at("mon2", "16:00"), 9 * HOUR)


def test_s4_a_relative_moment_moves_on_by_the_working_time_that_was_paused() -> None:
    events = (
        it("ordered", at("wed", "15:00")),
        it("information-requested", at("wed", "16:00")),
        it("information-given", at("thu", "11:00")),
    )
    clock = clock_of(BY_FOUR, *events)
    assert (clock.promised, clock.due_at, clock.paused) == (at("thu", "16:00"), at("fri", "11:00"), 3 * HOUR)


def test_a_pause_out_of_hours_moves_nothing() -> None:
    events = (
        it("ordered", at("wed", "15:00")),
        it("information-requested", at("wed", "18:00")),
        it("information-given", at("thu", "08:00")),
    )
    assert clock_of(BY_FOUR, *events).due_at == at("thu", "16:00")


def test_what_is_promised_out_of_hours_and_passes_in_a_pause_is_late_when_the_clock_runs_again() -> None:
    spec = a_spec(target="by 20:00 on the next working day", pause="information-requested")
    events = (
        it("ordered", at("wed", "09:00")),
        it("information-requested", at("thu", "19:00")),
        it("information-given", at("thu", "21:00")),
    )
    clock = clock_of(spec, *events)
    assert (clock.percent, clock.breached_at) == (100, at("thu", "21:00"))


def test_a_target_without_working_time_warns_of_nothing_and_is_breached_in_time() -> None:
    spec = a_spec(target="by 08:00 on the next working day")
    events = (it("ordered", at("wed", "18:00")),)
    waiting = clock_of(spec, *events, now=at("thu", "07:59"))
    assert (waiting.target, waiting.percent, waiting.breached_at) == (timedelta(0), 0, None)
    late = clock_of(spec, *events, now=at("thu", "08:00"))
    assert (late.percent, late.warned, late.breached_at) == (100, (), at("thu", "08:00"))


def test_a_clock_without_a_target_only_measures() -> None:
    clock = clock_of(a_spec(target=None, pause="information-requested"), ORDERED, ASKED, GIVEN, now=at("fri", "17:00"))
    assert (clock.due_at, clock.target, clock.percent, clock.ahead) == (None, None, 0, ())
    assert (clock.elapsed, clock.paused) == (32 * HOUR, 8 * HOUR)


# S3, S5: history


def test_s3_pauses_that_lie_before_the_definition_count() -> None:
    history = (ORDERED, ASKED, GIVEN)
    assert clock_of(a_spec(), *history).breached_at == at("mon", "17:00")
    patient = a_spec(target="10 working hours", pause="information-requested")
    assert clock_of(patient, *history, now=at("wed", "10:30")).due_at == at("wed", "11:00")


def test_s5_a_corrected_definition_is_as_if_it_had_been_so_from_the_start() -> None:
    history, now = (ORDERED, ASKED, GIVEN), at("wed", "10:30")
    wrong, right = a_spec(), a_spec(pause="information-requested", target="12 working hours")
    lived = step(right, step(right, step(right, (), ORDERED, CALENDARS), ASKED, CALENDARS), GIVEN, CALENDARS)
    assert read(right, history, CALENDARS, now) == as_of(right, lived, CALENDARS, now)
    assert read(wrong, history, CALENDARS, now) != read(right, history, CALENDARS, now)


def test_what_happens_later_is_left_out() -> None:
    assert clock_of(a_spec(), ORDERED, it("fulfilled", at("tue", "09:00")), now=at("mon", "10:00")).state == "running"


# S6: what is warned of


def test_s6_warnings_and_the_breach_come_exactly_at_their_percentages() -> None:
    spec = a_spec(warn=[25, 50, 75])
    clocks = step(spec, (), ORDERED, CALENDARS)
    now, seen = ORDERED.at, []
    while moment := next_moment(clocks, now):
        now = moment
        seen.append((now, the(as_of(spec, clocks, CALENDARS, now)).percent))
    hours = ((at("mon", "11:00"), 25), (at("mon", "13:00"), 50), (at("mon", "15:00"), 75), (at("mon", "17:00"), 100))
    assert tuple(seen) == hours
    assert [(due.at, due.percent) for due in due_now(clocks, at("mon", "14:00"))] == list(hours[:2])
    late = as_of(spec, clocks, CALENDARS, at("fri", "09:00"))
    assert due_now(late, at("fri", "09:00")) == due_now(clocks, at("fri", "09:00"))
    assert [(due.at, due.percent) for due in due_now(late, at("fri", "09:00"))] == list(hours)


def test_s6_the_percentage_is_true_even_of_odd_lengths() -> None:
    spec = a_spec(target="by 16:00 on the next working day", warn=[1, 33, 67, 99])
    start = it("ordered", at("mon", "09:00") + timedelta(microseconds=7))
    clocks = step(spec, (), start, CALENDARS)
    ahead = the(clocks).ahead
    assert [mark.percent for mark in ahead] == [1, 33, 67, 99, 100]
    assert [the(as_of(spec, clocks, CALENDARS, mark.at)).percent for mark in ahead] == [1, 33, 67, 99, 100]


def test_a_stop_at_the_moment_it_is_due_is_late_and_one_before_is_not() -> None:
    due = at("mon", "17:00")
    assert clock_of(a_spec(), ORDERED, it("fulfilled", due)).breached_at == due
    assert clock_of(a_spec(), ORDERED, it("fulfilled", due - timedelta(microseconds=1))).breached_at is None


def test_a_warning_is_given_once_although_the_clock_pauses() -> None:
    spec = a_spec(pause="information-requested", target="16 working hours")
    clocks = read(spec, (ORDERED, ASKED, GIVEN), CALENDARS, GIVEN.at)
    assert [(mark.percent, mark.at) for mark in the(clocks).warned] == [(50, at("mon", "17:00"))]
    assert next_moment(clocks, GIVEN.at) == at("wed", "13:00")


def test_what_was_breached_stays_due_when_it_was() -> None:
    spec = a_spec(pause="information-requested")
    for events in ((ORDERED, ASKED), (ORDERED, ASKED, GIVEN)):
        clock = clock_of(spec, *events)
        assert clock.due_at == clock.breached_at == at("mon", "17:00")
        assert next_moment([clock], clock.periods[-1].start) is None


def test_a_clock_that_is_looked_at_too_early_has_not_run_yet() -> None:
    clocks = step(a_spec(), (), it("ordered", at("mon", "10:00")), CALENDARS)
    assert the(as_of(a_spec(), clocks, CALENDARS, at("mon", "09:00"))).elapsed == timedelta(0)
