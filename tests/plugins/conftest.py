"""The example packages, installed once for all tests of plug-ins."""

from __future__ import annotations

import pytest
from support.example import Example


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    return Example(tmp_path_factory.mktemp("outside"))
