"""What the platform costs beside a hand-written Temporal workflow that does the same to the outside.

Run it as ``python bench/overhead.py``; docs/benchmarks.md says what is compared and how. The last line is JSON.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from statistics import median, quantiles
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# So that it runs alone, and its child processes with it.
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from rich.console import Console
from rich.table import Table
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.rig import latency
from bench.rig.comparing import Sizes, asked_for, in_turns, or_say_why
from bench.rig.report import Target, conclude
from bench.rig.rounds import CONCURRENCY, Round, run_round
from bench.rig.sides import Handwritten, Ours, Side
from bench.rig.stage import Stage, staged

TARGETS = {"throughput_ratio": Target(min=0.8), "history_ratio": Target(max=1.3), "post_ratio": Target(max=2.0)}


async def measure(stage: Stage, sizes: Sizes) -> dict[str, Any]:
    """Return all figures."""
    address = stage.stack.environment["COMMISSARY_TEMPORAL_ADDRESS"]
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    sides: list[Side] = [Ours(stage, client), Handwritten(client)]
    counted = await in_turns(
        sides, sizes.rounds, lambda side, n: run_round(stage, client, side, sizes.requests, f"{side.name}-{n}")
    )
    ours, theirs = counted["ours"], counted["handwritten"]
    pairs = [one.requests_per_s / other.requests_per_s for one, other in zip(ours, theirs, strict=True)]
    posts, starts = await latency.measure(stage, client, sizes.requests)
    return {
        **sizes._asdict(),
        "concurrency": CONCURRENCY,
        "ours": _summary(ours),
        "handwritten": _summary(theirs),
        "throughput_ratio": round(median(pairs), 3),
        "throughput_ratio_min": round(min(pairs), 3),
        "throughput_ratio_max": round(max(pairs), 3),
        "history_ratio": round(median(r.events for r in ours) / median(r.events for r in theirs), 3),
        "post_ms": _latency(posts),
        "start_workflow_ms": _latency(starts),
        "post_ratio": round(median(posts) / median(starts), 3),
    }


def _summary(rounds: list[Round]) -> dict[str, float]:
    speeds = [one.requests_per_s for one in rounds]
    figures = {
        "requests_per_s": median(speeds),
        "requests_per_s_min": min(speeds),
        "requests_per_s_max": max(speeds),
        "history_events": median(one.events for one in rounds),
    }
    figures |= {f"{name}_cpu_ms": median(one.cpu_ms[name] for one in rounds) for name in rounds[0].cpu_ms}
    return {name: round(value, 2) for name, value in figures.items()}


def _latency(milliseconds: list[float]) -> dict[str, float]:
    return {"p50": round(median(milliseconds), 2), "p95": round(quantiles(milliseconds, n=20)[-1], 2)}


def table(figures: dict[str, Any]) -> Table:
    """Return the figures for people."""
    made = Table(
        title=f"{figures['requests']} requests a round, {figures['rounds']} rounds, {figures['concurrency']} at a time"
    )
    made.add_column("per request")
    for heading in ("ours", "hand-written", "ratio", "target"):
        made.add_column(heading, justify="right")
    ours, theirs = figures["ours"], figures["handwritten"]
    made.add_row(
        "requests/s, median (min to max)",
        *(
            f"{side['requests_per_s']:.1f} ({side['requests_per_s_min']:.1f} to {side['requests_per_s_max']:.1f})"
            for side in (ours, theirs)
        ),
        f"{figures['throughput_ratio']:.2f}",
        ">= 0.8",
    )
    _add(made, "history events", ours["history_events"], theirs["history_events"], "<= 1.3")
    for name in ("engine", "worker", "driver", "slapd", "sink"):
        _add(made, f"{name} CPU, ms", ours[f"{name}_cpu_ms"], theirs[f"{name}_cpu_ms"])
    made.add_section()
    post, start = figures["post_ms"], figures["start_workflow_ms"]
    _add(made, "POST /requests / start_workflow, p50 ms", post["p50"], start["p50"], "<= 2")
    _add(made, "the same, p95 ms", post["p95"], start["p95"])
    return made


def _add(made: Table, what: str, ours: float, theirs: float, target: str = "") -> None:
    ratio = f"{ours / theirs:.2f}" if theirs else ""
    made.add_row(what, f"{ours:.2f}", f"{theirs:.2f}", ratio, target)


def main() -> None:
    """Measure and print."""
    about = (
        "What the platform costs beside a hand-written workflow; what one POST costs, as often as a round has requests."
    )
    sizes = asked_for(about, Sizes(requests=100, rounds=4), least=2)
    with or_say_why(), staged(people=sizes.requests) as stage:
        figures = asyncio.run(measure(stage, sizes))
    Console(width=110).print(table(figures))
    conclude("overhead", figures, TARGETS)


if __name__ == "__main__":
    main()
