"""The packages of docs/examples, installed outside the repository, and processes that have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PACKAGES = ("acme-lockers", "acme-people")


class Example:
    """A copy of the packages, and where they are installed; nothing is fetched from anywhere.

    Attributes:
        site: the folder that makes them importable.
        items: the catalog of the lockers.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.site = home, home / "site"
        for name in PACKAGES:
            shutil.copytree(EXAMPLES / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.items = home / "acme-lockers" / "items"
        self.people = home / "acme-people" / "people.yaml"
        sources = [str(home / name) for name in PACKAGES]
        offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet")
        subprocess.run(
            [sys.executable, "-m", "pip", "install", *offline, "--target", str(self.site), *sources],
            check=True,
            cwd=home,
        )

    def environment(self, settings: dict[str, str], *more: Path, plugged: bool = True) -> dict[str, str]:
        """Return the environment of a process that has the packages, and what stands in `more`, too."""
        path = [*map(str, more), *([str(self.site)] if plugged else []), str(ROOT)]
        return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1", **settings}

    def run(self, *words: str, plugged: bool = True, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `commissary` with these words to its end."""
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *words],
            env=self.environment({"COLUMNS": "200", **settings}, plugged=plugged),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
