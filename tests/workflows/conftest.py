"""One dev server for all workflow tests, and a `World` per test."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator

import pytest
from support.temporal import start_environment
from support.world import World, served
from temporalio.testing import WorkflowEnvironment


@pytest.fixture(scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    environment = await start_environment()
    yield environment
    await environment.shutdown()
    gc.collect()


@pytest.fixture(params=[1000, 0], ids=["cached", "replayed"])
async def world(env: WorkflowEnvironment, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A world; once with requests kept in memory, once with every workflow task replayed from its history."""
    async with served(World(env), max_cached_workflows=request.param) as made:
        yield made
