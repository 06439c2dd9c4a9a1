"""What one decision costs in the pure rules: `catalog.approval.apply` beside a bare copy of the same state.

Run it as ``python bench/reducer.py``; docs/benchmarks.md says how it is measured. The last line is JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from timeit import timeit

ROOT = Path(__file__).resolve().parents[1]
# So that it runs alone.
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from rich.console import Console
from rich.table import Table
from support.builders import NOON, a_person, a_stage

from bench.rig.report import Target, conclude
from catalog.approval import apply, begin
from catalog.ballot import Approvals, Cast, Change, Event, Open, Verdict
from catalog.plan import plan
from catalog.slate import Slate

TIMES, ROUNDS = 2_000, 15
TARGETS = {"ratio": Target(max=20.0)}


def next_state(state: Approvals, event: Event) -> Approvals:
    """Return the state after an event that counts."""
    change = apply(state, event, NOON)
    assert isinstance(change, Change), change
    return change.state


def prepared() -> tuple[Approvals, Cast]:
    """Return a plan of three stages with three approvers each, at its last, and the vote that decides it."""
    stages = tuple(a_stage(id=f"stage-{n}", quorum="any") for n in range(3))
    state = begin(plan(stages, {}), "id-ada", "id-tim", "sha256:1")
    votes = []
    for n in range(3):
        people = tuple(a_person(f"Approver{n}{m}").ref() for m in range(3))
        votes.append(Cast(stage=f"stage-{n}", voter=people[0], verdict=Verdict.APPROVE))
        state = next_state(state, Open(stage=f"stage-{n}", slate=Slate(people=people, rule="approver.group")))
        if n < 2:
            state = next_state(state, votes[n])
    return state, votes[-1]


def microseconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    return 1e6 * timeit(call, number=TIMES) / TIMES


def main() -> None:
    """Measure and print."""
    state, vote = prepared()
    pairs = [(microseconds(lambda: apply(state, vote, NOON)), microseconds(state.model_copy)) for _ in range(ROUNDS)]
    applied, copied = (median(column) for column in zip(*pairs, strict=True))
    ratio = median(one / other for one, other in pairs)
    made = Table(title=f"a plan of three stages, {ROUNDS} rounds of {TIMES} calls")
    for heading in ("approval.apply, µs", "model_copy of the state, µs", "ratio", "target"):
        made.add_column(heading, justify="right")
    made.add_row(f"{applied:.1f}", f"{copied:.1f}", f"{ratio:.1f}", f"<= {TARGETS['ratio'].max:g}")
    Console(width=110).print(made)
    figures = {"apply_us": round(applied, 2), "copy_us": round(copied, 2), "ratio": round(ratio, 2)}
    conclude("reducer", figures, TARGETS)


if __name__ == "__main__":
    main()
