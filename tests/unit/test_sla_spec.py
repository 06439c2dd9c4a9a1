"""Clocks as authors write them: what is read, what is refused and where."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError
from support.clocks import (
    HOUR,
    a_spec,
)

from catalog.duration import Working
from catalog.model import Misplaced
from catalog.sla_spec import STANDARD, By, ClockSpec, Target, Trigger


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


@pytest.mark.parametrize("target", ["soon", 5])
def test_a_target_is_not_guessed(target: Any) -> None:
    with pytest.raises(ValidationError, match=r"is not a duration|has no unit"):
        a_spec(target=target)


def test_a_clock_may_have_no_target() -> None:
    assert a_spec(target=None).target is None


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
