from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.api_world import ApiWorld
from support.live_api import LiveApi, live_api
from support.temporal import temporal_binary
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from records.register import Register


@pytest.fixture
def resting(empty_register: Path, tmp_path: Path) -> Iterator[ApiWorld]:
    """The API's parts at rest: nothing sweeps unless a test does."""
    path = shutil.copy(empty_register, tmp_path / "register.db")
    with closing(Register(f"sqlite:///{path}")) as register:
        yield ApiWorld(register)


@pytest.fixture
async def world(resting: ApiWorld) -> AsyncIterator[ApiWorld]:
    """The API, serving and sweeping."""
    async with resting.app.router.lifespan_context(resting.app), resting.http:
        yield resting


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    """A dev server whose time is everybody's time."""
    async with await _server() as env:
        yield env


@pytest.fixture
async def live(resting: ApiWorld) -> AsyncIterator[LiveApi]:
    """The API with the real workflows behind it, on a server of its own: every register begins with the same number."""
    async with await _server() as server, live_api(resting, server) as made:
        yield made


async def _server() -> WorkflowEnvironment:
    return await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary(),
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
    )
