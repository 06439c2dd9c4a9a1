"""What all tests share: their order, an empty register, and an exit code that survives the end of the interpreter."""

from __future__ import annotations

import gc
from contextlib import closing
from pathlib import Path

import pytest

from records.register import Register


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, so that parallel runners end together."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)


@pytest.fixture(scope="session")
def empty_register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema in it, to be copied: that is quicker than to migrate each time."""
    path = tmp_path_factory.mktemp("empty") / "register.db"
    with closing(Register(f"sqlite:///{path}")) as register:
        register.migrate()
    return path


def pytest_unconfigure() -> None:
    # A process that ran a worker (temporalio 1.35) can abort while the interpreter finalizes, which would lose the
    # exit code, unless what the SDK holds is collected before.
    gc.collect()
