"""What a simulated scenario costs, beside an empty workflow on the same ephemeral engine.

Run it as ``python bench/simulation.py``; docs/benchmarks.md says what is compared. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
# So that it runs alone.
sys.path.insert(0, str(ROOT))

from rich.console import Console
from rich.table import Table

from bench.rig.report import Target, conclude

ROUNDS = 3
TARGETS = {"scenario_s": Target(max=5.0), "shipped_s": Target(max=60.0)}

COMPANY = """\
people:
  ada: {name: Ada Byron, manager: mara}
  mara: {name: Mara Lind}
groups: {wiki: {owners: [mara]}}
"""
ITEM = """\
id: wiki
version: 1.0.0
name: Wiki
description: Edit the wiki.
category: Bench
owner: mara
approvals:
  - {id: manager, name: Line manager, approvers: [{rule: manager}], decide_within: 50 days}
workflow: AccessRequest
entitlement: {group: wiki}
sla: {target: 50 days}
"""
SCENARIO = """\
item: wiki
scenarios:
  - name: Six weeks
    order: {by: ada}
    events: [{at: day 43 09:00, do: approve, by: mara}]
    expect: {outcome: fulfilled, has: {wiki: [ada]}, not_before: 41 days}
"""
EMPTY = """\
import asyncio, gc
from datetime import timedelta
from temporalio import workflow
from temporalio.worker import Worker
from cli.kit.engine import start_environment

@workflow.defn(sandboxed=False)
class Empty:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=42))

async def main() -> None:
    env = await start_environment()
    try:
        async with Worker(env.client, task_queue="empty", workflows=[Empty]):
            handle = await env.client.start_workflow(Empty.run, id="empty", task_queue="empty")
            await env.fast_forward(handle, timedelta(days=42, seconds=1))
            await handle.result()
    finally:
        await env.shutdown()

asyncio.run(main())
gc.collect()
"""
"""Six weeks of nothing: engine, worker and one timer, in a process of its own."""


def keeping(bytecode: str) -> dict[str, str]:
    """Return an environment in which Python keeps what it has compiled, as it does unless ours forbids it."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**ours, "PYTHONPYCACHEPREFIX": bytecode}


def run(*command: str, env: dict[str, str]) -> tuple[float, str]:
    """Return how long a process takes, in seconds, and what it says."""
    begun = perf_counter()
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    took = perf_counter() - begun
    if ran.returncode:
        raise SystemExit(f"{command}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return took, ran.stdout


def six_weeks(rounds: int, env: dict[str, str]) -> tuple[float, float]:
    """Return the seconds of a scenario of 42 days and those of an empty workflow, server start included.

    The first round of each compiles and does not count.
    """
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "scenarios").mkdir()
        (directory / "wiki.yaml").write_text(ITEM)
        (directory / "scenarios" / "company.yaml").write_text(COMPANY)
        (directory / "scenarios" / "wiki.yaml").write_text(SCENARIO)
        ours, theirs = [], []
        for _ in range(1 + rounds):
            ours.append(run(sys.executable, "-m", "cli.main", "catalog", "simulate", folder, env=env)[0])
            theirs.append(run(sys.executable, "-c", EMPTY, env=env)[0])
    return median(ours[1:]), median(theirs[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--without-shipped", action="store_true", help="leave out the scenarios of the shipped catalog")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("rounds are at least 1")
    with tempfile.TemporaryDirectory() as bytecode:
        measure(options.rounds, keeping(bytecode), shipped=not options.without_shipped)


def measure(rounds: int, env: dict[str, str], *, shipped: bool) -> None:
    """Measure and print; the scenarios of the shipped catalog if asked for."""
    scenario, empty = six_weeks(rounds, env)
    figures: dict[str, float | int] = {"scenario_s": round(scenario, 2), "empty_s": round(empty, 2)}
    targets = {"scenario_s": TARGETS["scenario_s"]}
    made = Table(title=f"server start included; {rounds} rounds, medians")
    for heading in ("", "ours", "an empty workflow", "target"):
        made.add_column(heading, justify="right" if heading else "left")
    made.add_row("a scenario of 42 days", f"{scenario:.1f} s", f"{empty:.1f} s", "<= 5 s")
    if shipped:
        took, said = run(sys.executable, "-m", "cli.main", "catalog", "simulate", "--json", env=env)
        count = len(json.loads(said))
        figures |= {"shipped": count, "shipped_s": round(took, 1)}
        targets |= TARGETS
        made.add_row(f"all {count} shipped scenarios, once", f"{took:.1f} s", "", "<= 60 s")
    Console(width=110).print(made)
    conclude("simulation", figures, targets)


if __name__ == "__main__":
    main()
