"""The kit's commands, run in an empty directory, and the engine on which scenarios are played, one for each module."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.authoring import PEOPLE, WIKI, Run
from support.simulated import Stage, office
from support.terminal import exit_code, without_settings

from catalog.loader import read
from cli.kit.simulation import Simulator
from records.register import Register


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as made:
        yield made


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path) -> Stage:
    return office(simulator, tmp_path)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `commissary catalog …` in an empty directory; return its exit code and what it said."""
    without_settings(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def it(*arguments: str) -> tuple[int, str]:
        code = exit_code(monkeypatch, "catalog", *arguments)
        said = capsys.readouterr()
        return code, said.out + said.err

    return it


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """A directory with one item, and people beside it."""
    directory = tmp_path / "items"
    directory.mkdir()
    (directory / "wiki.yaml").write_text(WIKI)
    (tmp_path / "people.yaml").write_text(PEOPLE)
    return directory


@pytest.fixture
def published(items: Path, tmp_path: Path) -> str:
    """The URL of a register in which the item was published."""
    url = f"sqlite:///{tmp_path / 'register.db'}"
    register = Register(url)
    register.migrate()
    register.publish(read([items]).items["wiki"].value, "wiki.yaml", datetime(2026, 3, 2, 12, tzinfo=UTC))
    register.close()
    return url
