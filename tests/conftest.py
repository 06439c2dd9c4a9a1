"""What all tests share: their order, and an exit code that survives the end of the interpreter."""

from __future__ import annotations

import gc

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, so that parallel runners end together."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)


def pytest_unconfigure() -> None:
    # A process that ran a worker (temporalio 1.35) can abort while the interpreter finalizes, which would lose the
    # exit code, unless what the SDK holds is collected before.
    gc.collect()
