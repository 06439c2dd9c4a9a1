"""What four decisions one after the other cost the engine, beside a hand-written workflow that takes four updates.

Run it as ``python bench/approvals.py``; docs/benchmarks.md says what is compared and how. The last line is JSON.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# So that it runs alone, and its child processes with it.
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from rich.console import Console
from rich.table import Table
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.rig.comparing import Sizes, asked_for, in_turns, or_say_why
from bench.rig.report import Target, conclude
from bench.rig.rounds import CONCURRENCY
from bench.rig.stage import Stage, staged
from bench.rig.stages import ITEM, STAGES, Handwritten, Ours, Round, Side, run_round

TARGETS = {"cpu_ratio": Target(max=1.3), "events_per_stage": Target(max=8.0)}
SIDES = {"ours": "ours", "bare": "hand-written", "recording": "the same, on record"}


async def measure(stage: Stage, sizes: Sizes) -> dict[str, Any]:
    """Return all figures."""
    address = stage.stack.environment["COMMISSARY_TEMPORAL_ADDRESS"]
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    sides: list[Side] = [Ours(stage, client), Handwritten(client, record=False), Handwritten(client, record=True)]
    counted = await in_turns(sides, sizes.rounds, lambda side, _: run_round(stage, client, side, sizes.requests))
    figures: dict[str, Any] = {name: _summary(of) for name, of in counted.items()}
    return {
        **sizes._asdict(),
        "concurrency": CONCURRENCY,
        **figures,
        **_ratios("cpu_ratio", counted["ours"], counted["bare"]),
        **_ratios("recording_cpu_ratio", counted["ours"], counted["recording"]),
        "events_per_stage": figures["ours"]["events_per_stage"],
    }


def _summary(rounds: list[Round]) -> dict[str, Any]:
    engine = [one.engine_ms for one in rounds]
    kinds = sorted({kind for one in rounds for kind in one.events})
    events = {kind: round(median(one.events.get(kind, 0.0) for one in rounds), 2) for kind in kinds}
    return {
        "engine_cpu_ms": round(median(engine), 2),
        "engine_cpu_ms_min": round(min(engine), 2),
        "engine_cpu_ms_max": round(max(engine), 2),
        "worker_cpu_ms": round(median(one.worker_ms for one in rounds), 2),
        "events_per_stage": round(median(sum(one.events.values()) for one in rounds), 2),
        "events": {kind: count for kind, count in events.items() if count},
    }


def _ratios(name: str, ours: list[Round], theirs: list[Round]) -> dict[str, float]:
    """Return the median of the ratios of neighbouring rounds, the lowest and the highest."""
    ratios = [one.engine_ms / other.engine_ms for one, other in zip(ours, theirs, strict=True)]
    found = {name: median(ratios), f"{name}_min": min(ratios), f"{name}_max": max(ratios)}
    return {what: round(value, 3) for what, value in found.items()}


def cost(figures: dict[str, Any]) -> Table:
    """Return what a request costs."""
    made = Table(title=f"{figures['requests']} requests a round, {figures['rounds']} rounds, median (min to max)")
    made.add_column(f"per request of {STAGES} stages")
    for heading in SIDES.values():
        made.add_column(heading, justify="right")
    of = [figures[name] for name in SIDES]
    spans = (f"{s['engine_cpu_ms']:.1f} ({s['engine_cpu_ms_min']:.1f} to {s['engine_cpu_ms_max']:.1f})" for s in of)
    made.add_row("engine CPU, ms", *spans)
    ratios = (
        f"{figures[name]:.2f} ({figures[f'{name}_min']:.2f} to {figures[f'{name}_max']:.2f})"
        for name in ("cpu_ratio", "recording_cpu_ratio")
    )
    made.add_row("ratio; target <= 1.3", "", *ratios)
    made.add_row("worker CPU, ms", *(f"{side['worker_cpu_ms']:.1f}" for side in of))
    return made


def events(figures: dict[str, Any]) -> Table:
    """Return where the events of a history go."""
    made = Table(title="events of a history per stage, from the opening of the first to the end")
    made.add_column("type")
    for heading in SIDES.values():
        made.add_column(heading, justify="right")
    for kind in sorted({kind for name in SIDES for kind in figures[name]["events"]}):
        made.add_row(kind, *(f"{figures[name]['events'].get(kind, 0):.2f}" for name in SIDES))
    made.add_section()
    made.add_row("together; target of ours <= 8", *(f"{figures[name]['events_per_stage']:.2f}" for name in SIDES))
    return made


def main() -> None:
    """Measure and print."""
    sizes = asked_for("What decisions cost beside a hand-written workflow.", Sizes(requests=40, rounds=5))
    with or_say_why(), staged(people=0, item=ITEM) as stage:
        figures = asyncio.run(measure(stage, sizes))
    console = Console(width=110)
    console.print(cost(figures))
    console.print(events(figures))
    conclude("approvals", figures, TARGETS)


if __name__ == "__main__":
    main()
