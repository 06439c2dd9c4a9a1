"""The benchmarks run alone, print a table for people and end with one JSON line. What they measure is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.slapd import require_slapd

ROOT = Path(__file__).resolve().parents[2]


def run(name: str, *arguments: str, cwd: Path) -> tuple[str, dict[str, Any]]:
    """Run a benchmark from another folder; return what it printed for people, and its closing line."""
    command = [sys.executable, str(ROOT / "bench" / f"{name}.py"), *arguments]
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=110, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    *shown, last = ran.stdout.splitlines()
    assert not [line for line in shown if line.startswith("{")]
    closing: dict[str, Any] = json.loads(last)
    return "\n".join(shown), closing


def check_closing(closing: dict[str, Any], name: str) -> None:
    assert list(closing) == ["bench", "figures", "targets", "met"]
    assert closing["bench"] == name
    missed = [
        target
        for target, ends in closing["targets"].items()
        if not ends.get("min", 0) <= closing["figures"][target] <= ends.get("max", float("inf"))
    ]
    assert closing["met"] is not bool(missed)


def test_the_overhead_benchmark_compares_both_sides(tmp_path: Path) -> None:
    require_slapd()
    shown, closing = run("overhead", "--requests", "2", "--rounds", "1", cwd=tmp_path)
    check_closing(closing, "overhead")
    assert set(closing["targets"]) == {"throughput_ratio", "history_ratio", "post_ratio"}
    for side in ("ours", "handwritten"):
        figures = closing["figures"][side]
        assert figures["requests_per_s"] > 0
        assert figures["history_events"] > 20
        assert figures["worker_cpu_ms"] > 0
    assert "history events" in shown
    assert "POST /requests" in shown


def test_the_approvals_benchmark_compares_with_both_hand_written_workflows(tmp_path: Path) -> None:
    require_slapd()
    shown, closing = run("approvals", "--requests", "2", "--rounds", "1", cwd=tmp_path)
    check_closing(closing, "approvals")
    assert set(closing["targets"]) == {"cpu_ratio", "events_per_stage"}
    figures = closing["figures"]
    for side in ("ours", "bare", "recording"):
        assert figures[side]["engine_cpu_ms"] > 0
        assert figures[side]["events_per_stage"] == pytest.approx(sum(figures[side]["events"].values()), abs=0.1)
        assert figures[side]["events"]["WorkflowExecutionUpdateAccepted"] == 1  # of each stage, one vote
        assert figures[side]["events"]["TimerStarted"] >= 1  # and a timer
    assert figures["bare"]["events_per_stage"] < figures["recording"]["events_per_stage"]
    assert "engine CPU" in shown
    assert "TimerStarted" in shown


def test_the_reducer_benchmark_compares_with_a_copy(tmp_path: Path) -> None:
    shown, closing = run("reducer", cwd=tmp_path)
    check_closing(closing, "reducer")
    assert closing["figures"]["apply_us"] > closing["figures"]["copy_us"] > 0
    assert "approval.apply" in shown


def test_the_calendars_benchmark_compares_with_going_day_by_day(tmp_path: Path) -> None:
    shown, closing = run("calendars", cwd=tmp_path)
    check_closing(closing, "calendars")
    figures = closing["figures"]
    assert figures["first_us"] > figures["add_us"] > 0
    assert figures["days_us"] > figures["day_by_day_us"] > 0
    assert "day by day" in shown


@pytest.mark.parametrize("arguments", [("--requests", "1"), ("--rounds", "0"), ("--requests", "many")])
def test_the_overhead_benchmark_refuses_sizes_it_cannot_measure(arguments: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="usage"):
        run("overhead", *arguments, cwd=tmp_path)


def test_the_language_benchmark_compares_with_pydantic_alone(tmp_path: Path) -> None:
    shown, closing = run("language", "--items", "20", "--rounds", "1", cwd=tmp_path)
    check_closing(closing, "language")
    figures = closing["figures"]
    assert figures["load_and_lint_s"] > figures["pydantic_s"] > 0
    assert figures["check_ms"] > figures["pydantic_check_ms"] > 0
    assert "pydantic alone" in shown


def test_the_simulation_benchmark_compares_with_an_empty_workflow(tmp_path: Path) -> None:
    shown, closing = run("simulation", "--rounds", "1", "--without-shipped", cwd=tmp_path)
    check_closing(closing, "simulation")
    assert closing["figures"]["scenario_s"] > 0
    assert closing["figures"]["empty_s"] > 0
    assert "an empty workflow" in shown
