"""Priority: from impact and urgency to a number, and from that to a clock's target."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from catalog.expression import ExpressionError
from catalog.model import Misplaced
from catalog.priority import Matrix, Priority, Ranked, priority, target_of
from catalog.sla_spec import ClockSpec

LEVELS = ("high", "medium", "low")
BY_FORM = Priority(impact="{{ form.impact }}", urgency="{% if form.outage %}high{% else %}low{% endif %}")


def names(impact: Any, outage: bool = False) -> dict[str, Any]:
    return {"form": {"impact": impact, "outage": outage}}


def test_the_shipped_matrix_is_that_of_itil() -> None:
    numbers = [Matrix().priorities[impact][urgency] for impact, urgency in product(LEVELS, LEVELS)]
    assert numbers == [1, 2, 3, 2, 3, 4, 3, 4, 5]


def test_an_order_has_the_priority_of_its_impact_and_urgency() -> None:
    assert priority(BY_FORM, names("high", outage=True)) == Ranked(1, "high", "high")
    assert priority(BY_FORM, names(" medium ")) == Ranked(4, "medium", "low")


def test_a_level_may_stand_there_as_it_is() -> None:
    assert priority(Priority(impact="low", urgency="medium"), {}).number == 4


def test_an_author_may_have_levels_of_their_own() -> None:
    matrix = {
        "impact": ["site", "desk"],
        "urgency": ["now", "soon", "whenever"],
        "priorities": {"site": {"now": 1, "soon": 2, "whenever": 2}, "desk": {"now": 2, "soon": 3, "whenever": 9}},
    }
    spec = Priority.model_validate({"impact": "desk", "urgency": "whenever", "matrix": matrix}, extra="forbid")
    assert priority(spec, {}) == Ranked(9, "desk", "whenever")
    assert Priority.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("given", "came"),
    [
        (None, "came out empty"),
        ("", "came out empty"),
        ("huge", "came out as 'huge'"),
        (3, "came out as '3'"),
        ("x" * 99, f"came out as '{'x' * 40}'"),
    ],
)
def test_what_is_no_level_is_said_and_not_guessed(given: Any, came: str) -> None:
    with pytest.raises(ExpressionError) as error:
        priority(BY_FORM, names(given))
    assert str(error.value) == f"the impact {came}; its levels are high, medium, low"


def test_an_expression_that_fails_is_told_to_the_caller() -> None:
    with pytest.raises(ExpressionError):
        priority(BY_FORM, {"form": {}})


def test_an_expression_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValidationError):
        Priority(impact="{{ form. }}", urgency="low")


BROKEN: list[tuple[dict[str, Any], str, tuple[str | int, ...]]] = [
    ({"impact": ["high", "low", "high"]}, "the level 'high' stands here twice", ("impact", 2)),
    ({"urgency": ["now", "now"]}, "the level 'now' stands here twice", ("urgency", 1)),
    (
        {"impact": ["high", "medium", "low", "none"]},
        "no priority for impact 'none' with urgency 'high'; write a number from 1 to 9",
        ("priorities",),
    ),
    (
        {"urgency": ["high", "medium", "low", "none"]},
        "no priority for impact 'high' with urgency 'none'",
        ("priorities", "high"),
    ),
    ({"impact": ["high", "low"]}, "'medium' is no level; the levels are high, low", ("priorities", "medium")),
    (
        {"urgency": ["high", "medium"]},
        "'low' is no level; the levels are high, medium",
        ("priorities", "high", "low"),
    ),
]


@pytest.mark.parametrize(("written", "message", "place"), BROKEN)
def test_a_matrix_with_a_hole_or_too_much_is_refused_at_its_place(
    written: dict[str, Any], message: str, place: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as error:
        Matrix.model_validate(written)
    raised = error.value.errors()[0]["ctx"]["error"]
    assert isinstance(raised, Misplaced)
    assert message in str(raised)
    assert raised.place == place


@pytest.mark.parametrize(
    "written", [{"impact": ["high"]}, {"urgency": list("abcdef")}, {"priorities": {"high": {"high": 0}}}]
)
def test_a_matrix_has_two_to_five_levels_and_numbers_from_one_to_nine(written: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Matrix.model_validate(written)


def test_the_target_of_a_clock_follows_the_priority() -> None:
    spec = ClockSpec.model_validate(
        {"id": "response", "measures": "response", "target": "8 hours", "by_priority": {1: "1 hour"}}
    )
    hours = [target_of(spec, number) for number in (1, 2, None)]
    assert hours == [timedelta(hours=1), timedelta(hours=8), timedelta(hours=8)]
