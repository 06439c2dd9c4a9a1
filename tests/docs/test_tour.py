"""The README's excerpt and the tour of docs/api.md, on the demo as a newcomer starts it."""

from __future__ import annotations

import calendar
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.ports import free_port
from support.waiting import eventually

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"^```sh\n(?P<shell>.*?)^```\n(?:\n```json\n(?P<answer>.*?)^```)?", re.DOTALL | re.MULTILINE)


@dataclass
class Demo:
    """A demo that is up; `said` is what it has printed."""

    api_port: int
    said: str


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    ports = {name: free_port() for name in ("api", "engine", "engine-ui", "ldap", "mail")}
    options = [f"--{name}-port={port}" for name, port in ports.items()]
    command = [sys.executable, "-m", "cli.main", "demo", f"--data={tmp_path / 'demo'}", *options]
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file, env={**os.environ, "COLUMNS": "120"})
    try:

        def is_up() -> str | None:
            said = output.read_text(encoding="utf-8")
            assert process.poll() is None, said
            return said if "Ctrl-C stops everything" in said else None

        yield Demo(ports["api"], eventually(is_up, timeout=90) or "")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


CALENDAR = {*calendar.day_abbr, *calendar.month_abbr, "day", "days", "hour", "hours"}


def words(line: str) -> str:
    """Return what of a line is the same in every run: no numbers, no frames, no days and months."""
    return " ".join(word for word in re.findall(r"[^\W\d]+", line) if word not in CALENDAR)


def unlike_the_readme(said: str) -> list[str]:
    """Return the lines of the README's excerpt that the demo did not print."""
    shown = re.search(r"^```text\n(.*?)^```", page("README.md"), re.DOTALL | re.MULTILINE)
    assert shown
    printed = {words(line) for line in said.splitlines()}
    return [line for line in shown[1].splitlines() if not any(one.startswith(words(line)) for one in printed)]


def holds(answer: Any, excerpt: Any) -> bool:
    """Return whether the excerpt is a part of the answer; ``…`` stands for any text."""
    if isinstance(excerpt, dict):
        return isinstance(answer, dict) and all(k in answer and holds(answer[k], v) for k, v in excerpt.items())
    if isinstance(excerpt, list):
        long_enough = isinstance(answer, list) and len(answer) >= len(excerpt) and bool(answer) == bool(excerpt)
        return long_enough and all(holds(a, e) for a, e in zip(answer, excerpt, strict=False))
    return bool(answer) if excerpt == "…" else bool(answer == excerpt)


@dataclass
class Shell:
    """Runs one block after the other; variables and functions stay."""

    state: Path

    def run(self, block: str) -> str:
        state = shlex.quote(str(self.state))
        keep = f"{{ declare -p API JSON HANA MARA ORDER NUMBER || true; declare -f field; }} >{state} 2>/dev/null"
        script = f"set -eu -o pipefail\n. {state}\n{block}\n{keep}"
        done = subprocess.run(["bash", "-c", script], check=False, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shows(self, block: str, excerpt: Any) -> bool:
        return holds(json.loads(self.run(block)), excerpt)


def test_a_newcomer_sees_what_the_readme_and_the_tour_of_the_api_show(demo: Demo, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        missing = "curl is missing: apt install curl"
        assert os.environ.get("CI") != "true", missing
        pytest.skip(missing)
    assert unlike_the_readme(demo.said) == []
    text = page("docs/api.md").replace("127.0.0.1:8000", f"127.0.0.1:{demo.api_port}")
    steps = [(step["shell"], step["answer"]) for step in STEP.finditer(text)]
    assert sum(answer is not None for _, answer in steps) >= 7
    shell = Shell(tmp_path / "state")
    shell.state.touch()
    for block, answer in steps:
        excerpt = json.loads(answer) if answer else None
        if excerpt is None or " -d " in block:
            printed = shell.run(block)
            assert excerpt is None or holds(json.loads(printed), excerpt), printed
        else:
            # Looking again changes nothing, and what it shows comes a moment later.
            eventually(partial(shell.shows, block, excerpt), timeout=20)
