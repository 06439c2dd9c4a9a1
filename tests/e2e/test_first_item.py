"""docs/authoring.md's tutorial, typed as it stands into a shell beside the running demo: ends in a fulfilled order.

The demo is started once, before; it is neither told of the item nor started again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support.pages import ROOT, page
from support.ports import free_port
from support.waiting import eventually

PART = re.compile(r"^```(?P<kind>sh|yaml|text)\n(?P<text>.*?)^```", re.DOTALL | re.MULTILINE)
FILE = "items/tender-archive.yaml"
LOGIN = 'commissary() { if [ "$1" = login ]; then echo demo | command commissary login "$2" --password-stdin; '
LOGIN += 'else command commissary "$@"; fi; }'
"""A person types the password; here it comes from a pipe."""


class Author:
    """Somebody at a terminal in a folder of their own, where the demo runs beside."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = {name: free_port() for name in ("api", "engine", "engine-ui", "ldap", "mail")}
        self.url = f"http://127.0.0.1:{self.ports['api']}"
        bin_ = home / "bin"
        bin_.mkdir()
        command = bin_ / "commissary"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m cli.main "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("COMMISSARY_")}
        self.env |= {"PATH": f"{bin_}:{self.env['PATH']}", "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        self.env |= {"COMMISSARY_URL": self.url, "XDG_STATE_HOME": str(home / "state")}

    def demo(self, output: Path) -> subprocess.Popen[bytes]:
        ports = [f"--{name}-port={port}" for name, port in self.ports.items()]
        with output.open("wb") as file:
            return subprocess.Popen(
                ["commissary", "demo", *ports], cwd=self.home, env=self.env, stdout=file, stderr=file
            )

    def types(self, script: str) -> str:
        """Run lines in a shell; return what was printed."""
        done = subprocess.run(
            ["bash", "-c", f"set -eu -o pipefail\n{LOGIN}\n{script}"],
            cwd=self.home,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def offers(self, item: str) -> bool:
        """Return whether the version that stands in the file can be ordered."""
        version = re.search(r"^version: (.+)$", (self.home / FILE).read_text(encoding="utf-8"), re.MULTILINE)
        assert version
        return f" {version[1]} " in self.types(f"commissary catalog show {item} --as jonas.berg")


@pytest.fixture
def author(tmp_path: Path) -> Iterator[Author]:
    made, output = Author(tmp_path), tmp_path / "demo.log"
    process = made.demo(output)

    def is_up() -> bool:
        said = output.read_text(encoding="utf-8")
        assert process.poll() is None, said
        return "Ctrl-C stops everything" in said

    try:
        eventually(is_up, timeout=90)
        yield made
    finally:
        process.terminate()
        process.wait(30)


def parts() -> list[tuple[str, str]]:
    """Return the tutorial's blocks, from the scaffold on: their language and text."""
    text = page("docs/authoring.md")
    tutorial = text[text.index("**2. ") : text.index("## The files of a catalog")]
    return [(part["kind"], part["text"]) for part in PART.finditer(tutorial)]


def squeezed(line: str) -> str:
    """Return a line as it can be looked for: no frame, no numbers of moments, one space where there are several."""
    return " ".join(re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "", line.strip("│ \n")).split())


def follow(author: Author, text: str) -> str:
    """Type what a block says, and let things happen that a person would see happen; return what was printed."""
    if "commissary task" in text:
        # Tasks come a moment later than the decision before them; a line that fails is typed again.
        return "".join(eventually(partial(author.types, line), timeout=30) or "" for line in text.splitlines())
    if "request show" in text:
        return eventually(lambda: (shown := author.types(text)) and "Ending" in shown and shown, timeout=30) or ""
    printed = author.types(text)
    if "cp items" in text:
        eventually(partial(author.offers, "tender-archive"), timeout=30)
    return printed


@pytest.mark.timeout(400)
def test_following_the_page_ends_with_a_fulfilled_order(author: Author) -> None:
    author.types("commissary login jonas.berg")
    printed = ""
    for kind, text in parts():
        match kind:
            case "sh":
                printed = follow(author, text)
            case "yaml":
                (author.home / FILE).write_text(text, encoding="utf-8")
            case _:
                seen = [squeezed(line) for line in printed.splitlines()]
                for line in text.splitlines():
                    assert any(squeezed(line) in one for one in seen), f"{line}\n\nwas not printed, but:\n{printed}"
