"""What came of a story: whether it is as expected, and everything that happened, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from cli.kit.simulation.stories import Story

Sort = Literal["entry", "problem", "told", "wait", "deed", "fault", "attempt"]
"""``entry``: of the journal; ``problem``: why an operator is asked in the entry before; ``told``: a message; ``wait``:
what is waited for until the next; ``deed``: what people and the company do besides; ``fault``: what goes wrong, as the
scenario has it; ``attempt``: of an activity."""


class Happening(NamedTuple):
    """One line of a timeline; `request` is empty if it is not about a request in particular."""

    at: datetime
    sort: Sort
    text: str
    request: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came of a story.

    Attributes:
        unmet: what is not as expected, as sentences; empty if the story passed.
        outcome: how the request ended or where it stands; ``refused`` if the order was not taken.
        timeline: what happened.
        took: seconds of real time.
    """

    story: Story
    unmet: tuple[str, ...]
    outcome: str = ""
    timeline: tuple[Happening, ...] = ()
    took: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.unmet

    def __str__(self) -> str:
        return "\n".join([f"{'✓' if self.passed else '✗'} {self.story.title} ({self.outcome})", *self.unmet])

    def as_json(self) -> dict[str, Any]:
        """Return it for scripts; times in UTC."""
        return {
            "file": self.story.file,
            "line": self.story.line,
            "item": self.story.item.id,
            "scenario": self.story.scenario.name,
            "passed": self.passed,
            "unmet": list(self.unmet),
            "outcome": self.outcome,
            "took": round(self.took, 3),
            "timeline": [{**one._asdict(), "at": one.at.isoformat()} for one in self.timeline],
        }
