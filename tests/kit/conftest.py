"""The engine on which scenarios are played, one for each module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.simulated import Stage, office

from cli.kit.simulation import Simulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as made:
        yield made


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path) -> Stage:
    return office(simulator, tmp_path)
