"""One dev server for all workflow tests, another whose histories are short, and a `World` per test."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import AsyncIterator

import pytest
from support.temporal import start_environment
from support.world import World, served
from temporalio.testing import WorkflowEnvironment


@contextlib.asynccontextmanager
async def running(*settings: str) -> AsyncIterator[WorkflowEnvironment]:
    """Run a dev server with these settings for the length of a block."""
    environment = await start_environment(settings=settings)
    yield environment
    await environment.shutdown()
    gc.collect()


@pytest.fixture(scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    async with running() as environment:
        yield environment


@pytest.fixture(scope="module")
async def short() -> AsyncIterator[WorkflowEnvironment]:
    """A server on which a request outgrows its history after a few commands."""
    async with running("limit.historyCount.suggestContinueAsNew=60") as environment:
        yield environment


@pytest.fixture
def server(env: WorkflowEnvironment) -> WorkflowEnvironment:
    """The server on which a world's requests live; modules may choose another."""
    return env


@pytest.fixture(params=[1000, 0], ids=["cached", "replayed"])
async def world(server: WorkflowEnvironment, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A world; once with requests kept in memory, once with every workflow task replayed from its history."""
    async with served(World(server), max_cached_workflows=request.param) as made:
        yield made
