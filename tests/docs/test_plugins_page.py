"""docs/plugins.md shows the example package as it is: its code, its files, its settings, and what a flow may use."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from support.example import EXAMPLES, PACKAGES
from support.pages import blocks, page, rows, section

from activities import plugins
from workflows.request import RequestFrame

PAGE = page("docs/plugins.md")
LOCKERS = EXAMPLES / "acme-lockers"
EXCERPTS = [block for language in ("python", "yaml", "toml") for block in blocks(PAGE, language)]


def file_of(block: str) -> str:
    return block.splitlines()[0].removeprefix("# ")


def missing(block: str, text: str) -> list[str]:
    """Return the pieces of a block that do not stand in a text, each after the one before."""
    lost = []
    # The formatter puts blank lines around the mark of what is left out, and indents it.
    for piece in re.split(r"^ *# …\n", block.partition("\n")[2], flags=re.MULTILINE):
        _, found, rest = text.partition(piece.strip("\n"))
        lost += [] if found else [piece]
        text = rest if found else text
    return lost


@pytest.mark.parametrize("block", EXCERPTS, ids=file_of)
def test_the_code_on_the_page_stands_in_the_file_it_names(block: str) -> None:
    assert missing(block, (EXAMPLES / file_of(block)).read_text(encoding="utf-8")) == []


def test_the_check_of_code_can_fail() -> None:
    assert missing("# a.py\nx = 1\n# …\ny = 2\n", "x = 1\nz = 3\ny = 2\n") == []
    assert missing("# a.py\ny = 2\n# …\nx = 1\n", "x = 1\nz = 3\ny = 2\n") == ["x = 1\n"]


def test_the_page_shows_every_entry_point_group() -> None:
    groups = {plugins.WORKFLOWS, plugins.ACTIONS, plugins.CONNECTORS, plugins.PROVIDERS}
    assert set(re.findall(r"^\|[^|]+\|[^|]+\| `([a-z.]+)` \|", PAGE, re.MULTILINE)) == groups


def test_the_page_names_every_module_of_the_package() -> None:
    named = set(re.findall(r"(\w+\.py)", blocks(PAGE, "text")[0]))
    assert named == {path.name for path in (LOCKERS / "acme_lockers").glob("*.py")}


def test_what_a_runbook_may_use_is_there() -> None:
    named = re.findall(r"`(?:await )?self\.(\w+)(?:\.(\w+))?", section(PAGE, "4. The workflow"))
    assert len(named) >= 10
    constructor = inspect.getsource(RequestFrame.__init__)
    for part, method in named:
        made = re.search(rf"self\.{part} = (\w+)", constructor)
        assert made or hasattr(RequestFrame, part), part
        if method:
            assert made
            kind = getattr(importlib.import_module("workflows.request"), made[1])
            assert hasattr(kind, method), f"{part}.{method}"


@pytest.mark.parametrize(
    ("package", "settings"),
    [("acme-lockers", "acme_lockers.system:LockerSettings"), ("acme-people", "acme_people:PeopleSettings")],
)
def test_the_readme_of_a_package_names_every_setting(
    monkeypatch: pytest.MonkeyPatch, package: str, settings: str
) -> None:
    monkeypatch.syspath_prepend(EXAMPLES / package)
    module, _, name = settings.partition(":")
    kind: Any = getattr(importlib.import_module(module), name)
    prefix = kind.model_config["env_prefix"]
    named = rows((EXAMPLES / package / "README.md").read_text(encoding="utf-8"))
    expected = {f"{prefix}{field}".upper() for field in kind.model_fields}
    assert {setting for setting in named if setting.startswith(prefix)} == expected


@pytest.mark.parametrize("package", PACKAGES)
def test_every_link_of_a_readme_leads_somewhere(package: str) -> None:
    text = (EXAMPLES / package / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)", text)
    assert targets
    assert all((EXAMPLES / package / Path(target)).exists() for target in targets)
