"""docs/scenarios.md: its examples are played, and together they show everything that can be written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from catalog.scenario import Expected, Scenario, ScenarioFile
from catalog.scenario_events import Sees
from catalog.sketch import DelegationSketch
from catalog.source import parse
from cli.kit.simulation import read_stories, simulate

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+)\n")


def blocks(language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(PAGE) if kind == language]


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """Return the folder of the page's items, with their scenarios."""
    for text in blocks("yaml"):
        name = FILE.match(text)
        assert name, f"an example does not begin with the name of its file: {text[:40]}"
        path = tmp_path / name[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "items"


def scenarios() -> list[dict[str, Any]]:
    return [one for text in blocks("yaml") for one in parse(text).data.get("scenarios", ())]


def test_every_scenario_of_the_page_passes(examples: Path) -> None:
    assert [str(verdict) for verdict in simulate(examples) if not verdict.passed] == []


def test_every_event_is_shown_and_in_the_table() -> None:
    shown = {event["do"] for scenario in scenarios() for event in scenario.get("events", ())}
    table = set(re.findall(r"`([a-z-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))))
    known = all_events()
    assert (shown, known - table) == (known, set())


def test_every_expectation_and_every_part_of_a_scenario_is_explained() -> None:
    explained = set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))))
    assert set(Expected.model_fields) <= explained
    assert set(Scenario.model_fields) <= explained
    parts = {*Sees.model_fields, *DelegationSketch.model_fields} - {"do", "at", "part"}
    assert parts <= set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"^\| .*$", PAGE, re.MULTILINE))))
    shown = {name for scenario in scenarios() for name in scenario["expect"]}
    assert set(Expected.model_fields) == shown


def all_events() -> set[str]:
    definitions = ScenarioFile.model_json_schema()["$defs"]
    return set(definitions["Scenario"]["properties"]["events"]["items"]["discriminator"]["mapping"])


@pytest.mark.parametrize("example", blocks("python"))
def test_the_tests_of_the_page_run_and_find_nothing(examples: Path, example: str) -> None:
    (examples.parent / "test_items.py").write_text(example)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "test_items.py"],
        cwd=examples.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_reads_without_problems(examples: Path) -> None:
    assert read_stories([examples]).problems == ()
