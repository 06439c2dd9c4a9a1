"""Packages beside ours that register something: one in memory, and ones that are really there."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path


class Package(Distribution):
    """An installed package of which only the metadata exist."""

    def __init__(self, name: str) -> None:
        self.registers = ""
        self._name = name

    def read_text(self, filename: str) -> str | None:
        """Return what such a file of the metadata holds."""
        return {"METADATA": f"Name: {self._name}\n", "entry_points.txt": self.registers}.get(filename)

    def locate_file(self, path: object) -> Path:
        """Return where a file of the package would stand."""
        return Path("nowhere", str(path))


def install(site: Path, name: str, registers: str, code: str = "") -> None:
    """Put a package into a folder, as an installer would: its metadata, and a module of its name."""
    about = site / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(registers, encoding="utf-8")
    (site / f"{name}.py").write_text(code, encoding="utf-8")
