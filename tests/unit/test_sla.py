"""Clocks, by example: what they follow, when they are due, what they warn of, and what they tell afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError
from support.builders import NOON, a_person, an_actor

from catalog import sla
from catalog.calendar import ALWAYS, Calendar
from catalog.duration import Working
from catalog.journal import Chain, Entry, Kind
from catalog.model import Misplaced
from catalog.sla import Calendars, Clock, Told, as_of, due_now, next_moment, step
from catalog.sla_events import Happened, What, happened
from catalog.sla_report import Share, breakdown, explain
from catalog.sla_spec import STANDARD, By, ClockSpec, Target, Trigger

WEEK: Any = {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
OFFICE = Calendar(id="office", name="Office", zone="Europe/Berlin", week=WEEK)
NEW_YORK = Calendar(id="ny", name="New York", zone="America/New_York", week=WEEK)
CALENDARS = {"": OFFICE, "ny": NEW_YORK, "id-cleo": NEW_YORK}
HOUR = timedelta(hours=1)


def at(day: str, clock: str, zone: str = "Europe/Berlin") -> datetime:
    """Return a moment of the week from Monday, 2 March 2026; ``mon2`` is the Monday after."""
    number = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "mon2"].index(day)
    local = datetime.combine(datetime(2026, 3, 2 + number, tzinfo=UTC).date(), time.fromisoformat(clock))
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def it(what: What, when: datetime, **more: Any) -> Happened:
    return Happened(what=what, at=when, **more)


def a_spec(**other: Any) -> ClockSpec:
    plain = {"id": "own", "name": "Own", "start": "ordered", "stop": "fulfilled", "target": "8 working hours"}
    return ClockSpec.model_validate(plain | other)


def the(clocks: tuple[Clock, ...]) -> Clock:
    (clock,) = clocks
    return clock


def told(events: Iterable[Happened], calendars: Calendars = CALENDARS) -> tuple[Told, ...]:
    """Return a history of which the same working time was known throughout."""
    return tuple(Told(event, calendars) for event in events)


def read(spec: ClockSpec, events: Iterable[Happened], calendars: Calendars, now: datetime) -> tuple[Clock, ...]:
    return sla.read(spec, told(events, calendars), now)


def clock_of(spec: ClockSpec, *events: Happened, now: datetime | None = None) -> Clock:
    return the(read(spec, events, CALENDARS, now or events[-1].at))


ASKED = it("information-requested", at("tue", "10:00"), stage="manager", person="id-kim", by="Kim Lee", seq=3)
GIVEN = it("information-given", at("wed", "10:00"), stage="manager", by="Ada Byron", seq=4)
ORDERED = it("ordered", at("mon", "09:00"), by="Ada Byron", seq=1)


# What an author writes


def test_a_clock_reads_well() -> None:
    written = {
        "id": "delivery",
        "name": "Delivery",
        "start": {"event": "reported", "status": "shipped"},
        "pause": ["attention", {"event": "information-requested", "stage": "manager"}],
        "stop": "fulfilled",
        "target": "by 16:00 on the next working day",
        "by_priority": {"1": "4 working hours"},
        "warn": [75, 50, 75],
    }
    spec = ClockSpec.model_validate(written, extra="forbid")
    assert spec.start == (Trigger(event="reported", status="shipped"),)
    assert spec.pause == (Trigger(event="attention"), Trigger(event="information-requested", stage="manager"))
    assert (spec.target, spec.warn) == (By(time=time(16), days=1), (50, 75))
    assert spec.by_priority == {1: Working(time=4 * HOUR)}


@pytest.mark.parametrize("measures", STANDARD)
def test_a_usual_clock_needs_no_events(measures: str) -> None:
    spec = ClockSpec.model_validate({"id": "usual", "measures": measures, "name": "Ours", "target": "3 working days"})
    assert (spec.name, spec.warn) == ("Ours", (50, 75))
    assert spec.start
    assert spec.stop


def test_editors_know_how_a_clock_may_be_written() -> None:
    schema = ClockSpec.model_json_schema()
    valid = Draft202012Validator(schema).is_valid
    assert valid({"id": "usual", "measures": "decision", "target": "3 working days"})
    assert valid({"id": "own", "name": "Own", "start": "ordered", "stop": [{"event": "closed", "status": "fulfilled"}]})
    assert not valid({"id": "own", "start": "orderd"})


def test_a_clock_needs_a_beginning_and_an_end() -> None:
    with pytest.raises(ValidationError) as error:
        ClockSpec.model_validate({"id": "usual", "name": "Own", "measures": "pages", "start": []})
    assert {problem["loc"][0] for problem in error.value.errors()} == {"measures", "start", "stop"}


def test_a_clock_is_read_back_as_it_was_stored() -> None:
    spec = a_spec(target="by 09:30 in 3 working days", by_priority={1: "P1D", 2: "2 working days"}, pause="attention")
    assert ClockSpec.model_validate_json(spec.model_dump_json()) == spec


def test_a_clock_that_is_made_already_stays_as_it_is() -> None:
    spec = a_spec()
    assert ClockSpec.model_validate(spec) == spec


TARGETS: list[tuple[Any, Any, str]] = [
    ("10 days", timedelta(days=10), "P10D"),
    (timedelta(hours=8), timedelta(hours=8), "PT8H"),
    ("4 working hours", Working(time=4 * HOUR), "4 working hours"),
    ("by 16:00 on the next working day", By(time=time(16), days=1), "by 16:00 on the next working day"),
    ("By 16:00 in 1 working day", By(time=time(16), days=1), "by 16:00 on the next working day"),
    (" by 09:05  in 12 working days"[1:], By(time=time(9, 5), days=12), "by 09:05 in 12 working days"),
    (By(time=time(16), days=2), By(time=time(16), days=2), "by 16:00 in 2 working days"),
]


@pytest.mark.parametrize(("given", "target", "stored"), TARGETS)
def test_a_target_is_a_length_or_a_moment(given: Any, target: Any, stored: str) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Target)
    assert adapter.validate_python(given) == target
    assert adapter.dump_python(target, mode="json") == stored
    assert adapter.validate_python(stored) == target


@pytest.mark.parametrize("given", ["by 25:00 on the next working day", "by 16:00", "by 16:00 in 0 working days"])
def test_a_moment_that_cannot_be_read_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ValidationError, match="is no moment; write it like 'by 16:00 on the next working day'"):
        a_spec(target=given)


@pytest.mark.parametrize("target", ["soon", 5, None])
def test_a_target_is_not_guessed(target: Any) -> None:
    if target is None:
        assert a_spec(target=None).target is None
    else:
        with pytest.raises(ValidationError, match=r"is not a duration|has no unit"):
            a_spec(target=target)


MISPLACED: list[tuple[dict[str, Any], str, tuple[str | int, ...]]] = [
    ({"per": "stage"}, "'ordered' is about no stage; name one of asked, ", ("start", 0)),
    ({"per": "approver", "start": "stage-opened"}, "'stage-opened' is about no approver", ("start", 0)),
    ({"per": "stage", "start": "asked", "reset": ["asked", "closed"]}, "'closed' is about no stage", ("reset", 1)),
    (
        {"pause": ["attention", "stage-opened"]},
        "nothing says when 'stage-opened' is over; write 'resume'",
        ("pause", 1),
    ),
]


@pytest.mark.parametrize(("written", "message", "place"), MISPLACED)
def test_a_clock_that_could_not_work_is_refused_at_its_place(
    written: dict[str, Any], message: str, place: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as error:
        a_spec(**written)
    raised = error.value.errors()[0]["ctx"]["error"]
    assert isinstance(raised, Misplaced)
    assert message in str(raised)
    assert raised.place == place


@pytest.mark.parametrize("warn", [[0], [100], ["half"]])
def test_a_warning_comes_between_the_start_and_the_breach(warn: list[Any]) -> None:
    with pytest.raises(ValidationError):
        a_spec(warn=warn)


# S1: typed events


def entry(kind: Kind, data: dict[str, Any] | None = None, *, by: str = "", moves: tuple[str, str] = ("", "")) -> Entry:
    actor = an_actor(by) if by else None
    return Chain("REQ-1").append(kind, NOON, actor=actor, data=data or {}, from_status=moves[0], to_status=moves[1])


MARA, BEN = ({"id": f"id-{name.lower()}", "name": name, "login": name.lower()} for name in ("Mara", "Ben"))
STAGE = {"stage": "manager", "name": "Manager"}

READ: list[tuple[Entry, list[dict[str, str]]]] = [
    (entry(Kind.OPENED, by="Ada"), [{"what": "ordered", "by": "Ada"}]),
    (
        entry(Kind.STAGE_OPENED, {**STAGE, "approvers": [MARA, BEN, "odd", {}]}),
        [
            {"what": "stage-opened", "stage": "manager"},
            {"what": "asked", "stage": "manager", "person": "id-mara", "by": "Mara"},
            {"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"},
        ],
    ),
    (entry(Kind.STAGE_OPENED, {"approvers": "odd"}), [{"what": "stage-opened"}]),
    (
        entry(Kind.APPROVERS_CHANGED, {**STAGE, "asked": [BEN], "gone": [MARA, "Cleo"]}),
        [
            {"what": "relieved", "stage": "manager", "person": "id-mara", "by": "Mara"},
            {"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"},
        ],
    ),
    (
        entry(Kind.ESCALATED, {**STAGE, "people": [BEN]}),
        [{"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"}],
    ),
    (
        entry(Kind.APPROVER_ADDED, {**STAGE, "person": BEN}, by="Mara"),
        [{"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"}],
    ),
    (
        entry(Kind.HANDED_ON, {**STAGE, "seat": "id-mara", "person": BEN}, by="Mara"),
        [
            {"what": "relieved", "stage": "manager", "person": "id-mara"},
            {"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"},
        ],
    ),
    (
        entry(Kind.INFO_ASKED, {**STAGE, "text": "Why?"}, by="Mara"),
        [{"what": "information-requested", "stage": "manager", "person": "id-mara", "by": "Mara"}],
    ),
    (entry(Kind.INFO_ASKED, STAGE), [{"what": "information-requested", "stage": "manager"}]),
    (
        entry(Kind.INFO_GIVEN, {**STAGE, "text": "So"}, by="Ada"),
        [{"what": "information-given", "stage": "manager", "by": "Ada"}],
    ),
    (entry(Kind.INFO_MISSED, STAGE), [{"what": "information-missed", "stage": "manager"}]),
    (
        entry(Kind.VOTE_WITHDRAWN, STAGE, by="Mara"),
        [{"what": "vote-withdrawn", "stage": "manager", "person": "id-mara", "by": "Mara"}],
    ),
    (
        entry(Kind.VOTE_FALLEN, {**STAGE, "voter": MARA}),
        [{"what": "vote-withdrawn", "stage": "manager", "person": "id-mara", "by": "Mara"}],
    ),
    (entry(Kind.AMENDED, by="Ada"), [{"what": "amended", "by": "Ada"}]),
    (
        entry(Kind.VOTE, {**STAGE, "choice": "approve"}, by="Mara"),
        [{"what": "decided", "stage": "manager", "person": "id-mara", "status": "approve", "by": "Mara"}],
    ),
    (
        entry(Kind.VOTE, {**STAGE, "choice": "approve", "voter": MARA}),
        [{"what": "decided", "stage": "manager", "person": "id-mara", "status": "approve", "by": "Mara"}],
    ),
    (entry(Kind.VOTE, STAGE), []),
    (
        entry(Kind.STAGE_CLOSED, {**STAGE, "status": "approved"}),
        [{"what": "stage-closed", "stage": "manager", "status": "approved"}],
    ),
    (
        entry(Kind.TASK_OPENED, {"title": "Label"}, moves=("approval", "fulfilment")),
        [{"what": "fulfilment-began"}, {"what": "task-opened"}],
    ),
    (entry(Kind.TASK_CLAIMED, by="Ben"), [{"what": "task-claimed", "by": "Ben"}]),
    (entry(Kind.TASK_COMPLETED, by="Ben"), [{"what": "task-completed", "by": "Ben"}]),
    (entry(Kind.WAIT_BEGUN, {"what": "Delivery"}), [{"what": "waiting-for-others", "about": "Delivery"}]),
    (entry(Kind.WAIT_OVER, {"what": 7}), [{"what": "waiting-over"}]),
    (entry(Kind.EVENT_REPORTED, {"event": "shipped"}), [{"what": "reported", "status": "shipped"}]),
    (entry(Kind.OPERATOR_ASKED, moves=("fulfilment", "attention")), [{"what": "attention"}]),
    (
        entry(Kind.OPERATOR_DECIDED, moves=("attention", "fulfilment")),
        [{"what": "attention-over"}, {"what": "fulfilment-began"}],
    ),
    (entry(Kind.OPERATOR_ASKED), []),
    (entry(Kind.CANCEL_REQUESTED, by="Ada"), [{"what": "cancel-requested", "by": "Ada"}]),
    (
        entry(Kind.CLOSED, {"outcome": "fulfilled"}),
        [{"what": "fulfilled"}, {"what": "closed", "status": "fulfilled"}],
    ),
    (entry(Kind.CLOSED, {"outcome": "rejected"}), [{"what": "closed", "status": "rejected"}]),
    (entry(Kind.COMMENT, {"text": "Hm"}, by="Ada"), []),
]


@pytest.mark.parametrize(("given", "events"), READ)
def test_s1_an_entry_of_the_journal_says_what_happened(given: Entry, events: list[dict[str, str]]) -> None:
    assert happened(given) == tuple(Happened(at=NOON, seq=1, **event) for event in events)


@pytest.mark.parametrize("kind", Kind)
def test_an_entry_without_data_is_still_read(kind: Kind) -> None:
    assert all(event.at == NOON for event in happened(entry(kind)))


def test_who_stands_in_for_somebody_decides_for_both() -> None:
    vote = entry(Kind.VOTE, {**STAGE, "choice": "reject"}, by="Mara")
    vote = vote.model_copy(update={"on_behalf_of": a_person("Ben Okri").ref()})
    assert [(event.person, event.by) for event in happened(vote)] == [("id-ben", "Mara"), ("id-mara", "Mara")]


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
    for mark in the(clocks).ahead:
        assert the(as_of(spec, clocks, CALENDARS, mark.at)).percent == mark.percent


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


# S7, S9: what is told afterwards


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


@pytest.mark.parametrize("what", What.__args__)  # type: ignore[attr-defined]  # the kinds of a Literal
def test_s9_every_kind_of_event_is_told(what: What) -> None:
    started = clock_of(a_spec(), ORDERED)
    event = it(what, at("mon", "10:00"), stage="x\ny", by="{by}\n")
    (*_, said) = explain(started.model_copy(update={"stopped_at": event.at, "ended": event, "state": "stopped"}))
    assert said.startswith("Mon 2 March 2026, 10:00: stopped: ")
    assert "\n" not in said
