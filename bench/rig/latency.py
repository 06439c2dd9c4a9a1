"""Latency: how long a client waits for ``POST /requests``, beside a bare start of a workflow, one after the other."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

import httpx
from sqlalchemy import func, select
from temporalio.client import Client

from bench.rig import company
from bench.rig.sides import Handwritten
from bench.rig.stage import Stage
from records.register import Register
from records.tables import tasks

WARM_UP = 5


async def measure(stage: Stage, client: Client, times: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each POST and of each bare start; they take turns, and each is let settle."""
    stage.stack.start("api")
    await asyncio.to_thread(company.new_group, stage.slapd, "bench")
    bare, starts, posts = Handwritten(client), list[float](), list[float]()
    async with httpx.AsyncClient(base_url=f"{stage.stack.url}/api/v1", timeout=20) as http:
        await asyncio.to_thread(stage.stack.ready)
        api = _Api(http, stage)
        await api.sign_in()
        for n in range(WARM_UP + times):
            person = stage.people[n % len(stage.people)]
            milliseconds, started = await _timed(lambda person=person: bare.order(person))  # type: ignore[misc]  # bound
            await _settled(lambda started=started: bare.waits([started]))  # type: ignore[misc]  # bound
            starts.append(milliseconds)
            milliseconds, _ = await _timed(api.order)
            await _settled(api.waits)
            posts.append(milliseconds)
    return posts[WARM_UP:], starts[WARM_UP:]


class _Api:
    """Somebody who orders for themselves, over one connection."""

    def __init__(self, http: httpx.AsyncClient, stage: Stage) -> None:
        self._http, self._login = http, stage.people[0].login
        self._register = Register(stage.stack.database)
        self._ordered = 0

    async def sign_in(self) -> None:
        body = {"login": self._login, "password": company.password_of(self._login)}
        answer = await self._http.post("/session", json=body)
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    async def order(self) -> str:
        body = {"item": "bench", "answers": {"why": "for work"}}
        answer = await self._http.post("/requests", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        answer.raise_for_status()
        self._ordered += 1
        number: str = answer.json()["number"]
        return number

    async def waits(self) -> bool:
        """Return whether everything ordered waits for its decision."""
        with self._register.read() as connection:
            return connection.scalar(select(func.count()).where(tasks.c.decided.is_(None))) == self._ordered


async def _timed(call: Callable[[], Awaitable[str]]) -> tuple[float, str]:
    began = time.perf_counter()
    answer = await call()
    return 1000 * (time.perf_counter() - began), answer


async def _settled(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until nothing of the last call goes on, so that it does not weigh on the next."""
    async with asyncio.timeout(20):
        while not await check():
            await asyncio.sleep(0.005)  # between two looks at what cannot call back
