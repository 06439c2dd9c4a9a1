"""Priority: how soon an order has to be seen to, from its impact and its urgency (feature row A3; ITIL's matrix).

An author says how impact and urgency follow from an order, and may bring a matrix of their own. What a priority means
for the clocks is `target_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, NamedTuple

from pydantic import Field as Constrained
from pydantic import model_validator

from catalog.data import Data, fill
from catalog.expression import ExpressionError
from catalog.model import Misplaced, Model, Slug
from catalog.sla_spec import ClockSpec, Target
from catalog.text import quoted

Levels = Annotated[tuple[Slug, ...], Constrained(min_length=2, max_length=5)]
"""Names of levels, the gravest first."""
Number = Annotated[int, Constrained(ge=1, le=9)]
"""A priority: 1 is seen to first."""
Level = Annotated[Data, Constrained(json_schema_extra={"type": "string"})]
"""The name of a level, or ``{{ … }}`` that gives one."""

_SHOWN = 40


class Matrix(Model):
    """Which priority follows from which impact and urgency.

    Attributes:
        impact, urgency: the levels, the gravest first.
        priorities: by the level of impact, by the level of urgency; every pair of levels has one.
    """

    impact: Levels = ("high", "medium", "low")
    urgency: Levels = ("high", "medium", "low")
    priorities: dict[Slug, dict[Slug, Number]] = {
        "high": {"high": 1, "medium": 2, "low": 3},
        "medium": {"high": 2, "medium": 3, "low": 4},
        "low": {"high": 3, "medium": 4, "low": 5},
    }

    @model_validator(mode="after")
    def _levels_differ(self) -> Matrix:
        for key, levels in (("impact", self.impact), ("urgency", self.urgency)):
            for at, level in enumerate(levels):
                if level in levels[:at]:
                    raise Misplaced(f"the level {level!r} stands here twice; write it once", (key, at))
        return self

    @model_validator(mode="after")
    def _every_pair_has_one(self) -> Matrix:
        for impact, row in self.priorities.items():
            _known(impact, self.impact, ("priorities", impact))
            for urgency in row:
                _known(urgency, self.urgency, ("priorities", impact, urgency))
        for impact, urgency in product(self.impact, self.urgency):
            if urgency not in self.priorities.get(impact, {}):
                what = f"no priority for impact {impact!r} with urgency {urgency!r}; write a number from 1 to 9"
                raise Misplaced(what, ("priorities", impact) if impact in self.priorities else ("priorities",))
        return self


def _known(level: str, levels: tuple[str, ...], place: tuple[str | int, ...]) -> None:
    if level not in levels:
        raise Misplaced(f"{level!r} is no level; the levels are {', '.join(levels)}", place)


class Priority(Model):
    """How an item's orders get their priority.

    Attributes:
        impact: how much depends on the order: a level of the matrix.
        urgency: how soon it does: a level of the matrix.
        matrix: what follows from the two.
    """

    impact: Level
    urgency: Level
    matrix: Matrix = Matrix()


class Ranked(NamedTuple):
    """A priority, and what it follows from."""

    number: int
    impact: str
    urgency: str


def priority(spec: Priority, names: Mapping[str, Any]) -> Ranked:
    """Return the priority of an order.

    Raises:
        ExpressionError: impact or urgency cannot be worked out with these names, or comes out as no level.
    """
    impact = _level("impact", fill(spec.impact, names), spec.matrix.impact)
    urgency = _level("urgency", fill(spec.urgency, names), spec.matrix.urgency)
    return Ranked(spec.matrix.priorities[impact][urgency], impact, urgency)


def _level(what: str, value: Any, levels: tuple[str, ...]) -> str:
    if isinstance(value, str) and value.strip() in levels:
        return value.strip()
    came = "empty" if value in (None, "") else f"as {quoted(str(value)[:_SHOWN])}"
    raise ExpressionError(f"the {what} came out {came}; its levels are {', '.join(levels)}")


def target_of(spec: ClockSpec, priority: int | None) -> Target | None:
    """Return the target of a clock for orders of that priority; None: of orders that have none."""
    return spec.target if priority is None else spec.by_priority.get(priority, spec.target)
