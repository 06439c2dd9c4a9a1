"""A worker in a process of its own that can be killed at any moment, and a world that reads what it has written.

Processes are forked from one that has imported everything already, so that a new one serves within a moment.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Iterator
from multiprocessing.process import BaseProcess

from sqlalchemy import select
from support.world import World
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.connectors.memory import MemoryDirectory
from catalog.journal import Entry
from catalog.request import Notice, Projection
from records.register import Register
from records.tables import notices
from worker.queues import workers

_processes = multiprocessing.get_context("forkserver")


class Shown:
    """What the register shows, in the words in which a world asks its journal."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def entries(self, number: str) -> list[Entry]:
        return list(self._register.journal(number, limit=1000))

    def projection(self, number: str) -> Projection | None:
        view = self._register.request(number)
        return view.projection if view and view.projection.seq else None

    def notices(self, number: str) -> list[Notice]:
        query = select(notices.c.document).where(notices.c.event.startswith(f"{number}/")).order_by(notices.c.id)
        with self._register.read() as connection:
            return [Notice.model_validate_json(document) for document in connection.scalars(query)]


class Elsewhere(World):
    """A world whose worker is another process; what happens shows in the register."""

    def __init__(self, env: WorkflowEnvironment, register: Register) -> None:
        super().__init__(env)
        self.journal = Shown(register)  # type: ignore[assignment]  # read only, as the tests do


class Killable:
    """A worker that serves an engine from a process of its own, one at a time."""

    def __init__(self, address: str, database: str, directory: MemoryDirectory) -> None:
        self._terms = (address, database, directory)
        self._process: BaseProcess | None = None

    def start(self) -> None:
        self._process = _processes.Process(target=_serve, args=self._terms, daemon=True)
        self._process.start()

    def kill(self) -> None:
        """End it with -9; returns when it is gone."""
        if self._process:
            self._process.kill()
            self._process.join(30)
            self._process = None


def ready_to_fork() -> Iterator[None]:
    """Have the process that others are forked from import everything first."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    _processes.set_forkserver_preload([__name__])
    yield
    del os.environ["PYTHONPATH"]
    if before is not None:
        os.environ["PYTHONPATH"] = before


def _serve(address: str, database: str, directory: MemoryDirectory) -> None:
    asyncio.run(_work(address, database, directory))


async def _work(address: str, database: str, directory: MemoryDirectory) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    register = Register(database)
    # Without a cache, so that no task waits for the process that was killed to take it up again.
    serving = workers(
        client, directory=directory, journal=register, place=register.place_nothing, max_cached_workflows=0
    )
    async with serving:
        await asyncio.Event().wait()
