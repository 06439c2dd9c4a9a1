"""What an event costs in the pure rules: `catalog.approval.apply` beside a bare copy of the same state.

The mean over a whole life: a plan of three stages with three approvers each, from the first that opens over votes and
time to the last vote. Run it as ``python bench/reducer.py``; docs/benchmarks.md says how it is measured. The last line
is JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from timeit import timeit

ROOT = Path(__file__).resolve().parents[1]
# So that it runs alone.
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from rich.console import Console
from rich.table import Table
from support.builders import NOON, a_person, a_slate, a_stage, approvals_of, cast, changed

from bench.rig.report import Target, conclude
from catalog.approval import apply
from catalog.ballot import Approvals, Event, Open, StageStatus, Tick
from catalog.stages import Reminders

ROUNDS = 2_000
"""One life each: so short that what else the machine does disturbs few of them."""
TARGETS = {"apply_us": Target(max=50.0), "ratio": Target(max=36.0)}

Step = tuple[Approvals, Event, datetime]
"""A state, what happens to it, and when."""


def lived() -> list[Step]:
    """Return every step of a life: each stage opens, reminds its people, and is approved by two of the three."""
    remind = Reminders(after=timedelta(days=1))
    stages = tuple(a_stage(id=f"stage-{n}", quorum="60%", remind=remind) for n in range(3))
    state = approvals_of(*stages, beneficiary=a_person("Tim"))
    steps: list[Step] = []
    for n, stage in enumerate(stages):
        people = [a_person(f"Approver{n}{m}") for m in range(3)]
        events: tuple[Event, ...] = (
            Open(stage=stage.id, slate=a_slate(*people)),
            cast(people[0], stage=stage.id),
            Tick(stage=stage.id),
            cast(people[1], stage=stage.id),
        )
        at = NOON + timedelta(days=10 * n)
        for event in events:
            at += timedelta(days=1) if isinstance(event, Tick) else timedelta(0)
            steps.append((state, event, at))
            state = changed(state, event, at).state
    assert state.outcome is StageStatus.APPROVED
    return steps


def microseconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    return 1e6 * timeit(call, number=1)


def main() -> None:
    """Measure and print."""
    steps = lived()

    def live() -> None:
        for state, event, at in steps:
            apply(state, event, at)

    def copy() -> None:
        for state, _, _ in steps:
            state.model_copy()

    pairs = [(microseconds(live) / len(steps), microseconds(copy) / len(steps)) for _ in range(ROUNDS)]
    applied, copied = (median(column) for column in zip(*pairs, strict=True))
    ratio = median(one / other for one, other in pairs)
    undisturbed = quantiles([one for one, _ in pairs], n=20)[0]
    made = Table(title=f"{len(steps)} events of three stages, {ROUNDS} lives")
    for heading in (
        "approval.apply, µs",
        "target",
        "its fastest 5 %, µs",
        "model_copy of the state, µs",
        "ratio",
        "target",
    ):
        made.add_column(heading, justify="right")
    goals = (f"<= {TARGETS[name].max:g}" for name in ("apply_us", "ratio"))
    made.add_row(f"{applied:.1f}", next(goals), f"{undisturbed:.1f}", f"{copied:.1f}", f"{ratio:.1f}", next(goals))
    Console(width=110).print(made)
    figures = {"apply_us": applied, "undisturbed_us": undisturbed, "copy_us": copied, "ratio": ratio}
    conclude("reducer", {name: round(figure, 2) for name, figure in figures.items()}, TARGETS)


if __name__ == "__main__":
    main()
