"""The catalog is pure: it imports pydantic, Jinja and the standard library, and a reader of YAML in one place."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "catalog").rglob("*.py"))
ALLOWED = {*sys.stdlib_module_names, "catalog", "jinja2", "pydantic", "pydantic_core"}
TOUCHES = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "tempfile", "threading", "time"}
"""What of the standard library reaches the clock, the environment, chance or other processes."""


def imported(path: Path) -> Iterator[str]:
    """Yield what a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports here name the whole path"
            yield str(node.module).partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_of_the_catalog_imports_only_what_is_pure(path: Path) -> None:
    reader = {"yaml"} if path.relative_to(ROOT) == Path("catalog/source.py") else set()
    assert set(imported(path)) - (ALLOWED - TOUCHES) <= reader


def test_the_modules_are_there_and_one_of_them_reads_yaml() -> None:
    assert [path.name for path in MODULES if "yaml" in set(imported(path))] == ["source.py"]
