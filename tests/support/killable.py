"""A worker in a process of its own that can be killed at any moment, and a world that reads what it has written.

The processes are forked from one that has imported everything already, so that a new one serves within a moment.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.process import BaseProcess

from sqlalchemy import select
from support.world import World, served
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from catalog.journal import Entry
from catalog.request import Notice, Projection
from records.register import Register
from records.tables import notices

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload([__name__])


class Shown:
    """What the register shows, as a world asks its journal for it."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def entries(self, number: str) -> list[Entry]:
        return list(self._register.journal(number, limit=1000))

    def projection(self, number: str) -> Projection | None:
        view = self._register.request(number)
        return view.projection if view else None

    def notices(self, number: str) -> list[Notice]:
        query = select(notices.c.document).where(notices.c.event.startswith(f"{number}/")).order_by(notices.c.id)
        with self._register.read() as connection:
            return [Notice.model_validate_json(document) for document in connection.scalars(query)]


class Elsewhere(World):
    """A world whose worker is another process."""

    def __init__(self, env: WorkflowEnvironment, register: Register) -> None:
        super().__init__(env)
        self.journal = Shown(register)  # type: ignore[assignment]  # it is only read here


class Killable:
    """The worker of one engine and one register, in a process of its own."""

    def __init__(self, address: str, database: str) -> None:
        self._terms = (address, database)
        self._process: BaseProcess | None = None

    def start(self) -> None:
        """Start it; it serves a moment later."""
        self._process = FORKING.Process(target=_serve, args=self._terms, daemon=True)
        self._process.start()

    def kill(self) -> None:
        """End it with -9, if it runs; return when it is gone."""
        if self._process:
            self._process.kill()
            self._process.join(30)
            self._process = None


def _serve(address: str, database: str) -> None:
    asyncio.run(_work(address, database))


async def _work(address: str, database: str) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    world = World(WorkflowEnvironment.from_client(client))
    world.journal = Register(database)  # type: ignore[assignment]  # what a worker asks of it, both can do
    async with served(world, max_cached_workflows=1000):
        await asyncio.Event().wait()
