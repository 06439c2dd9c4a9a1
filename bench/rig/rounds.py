"""Throughput: rounds of requests, one side after the other, and what each round cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from statistics import mean
from typing import TypeVar

from temporalio.client import Client

from bench.rig import company
from bench.rig.sides import Side
from bench.rig.stage import Stage

J = TypeVar("J")

CONCURRENCY = 16
PATIENCE = 120.0
"""Seconds until a round that does not end is given up."""
PAUSE = 0.03
"""Seconds between two looks at what cannot call back: short beside a round, and rare enough to cost nothing."""
LOOKED_AT = 20
"""How many histories of a round are counted."""


@dataclass(frozen=True)
class Round:
    """One round of one side.

    Attributes:
        requests_per_s: finished requests; finished is a request whose workflow has ended and whose mail has arrived.
        cpu_ms: processor time per request, by process; `worker` is that of the side's own worker.
        events: events per history.
    """

    requests_per_s: float
    cpu_ms: dict[str, float]
    events: float


async def run_round(stage: Stage, client: Client, side: Side, requests: int, group: str) -> Round:
    """Order `requests` times, wait until all wait for their decision, decide all, wait for the mails."""
    await asyncio.to_thread(company.new_group, stage.slapd, group)
    side.begin(group)
    ids: list[str] = []

    async def order(n: int) -> None:
        ids.append(await side.order(stage.people[n]))

    mails, cpu, began = stage.mails(), stage.cpu(), time.perf_counter()
    async with asyncio.timeout(PATIENCE):
        await each(range(requests), order)
        await until(stage, lambda: side.waits(ids))
        await each(ids, side.decide)
        await until(stage, lambda: _arrived(stage, mails + requests))
    seconds = time.perf_counter() - began
    used = {name: 1000 * (after - cpu[name]) / requests for name, after in stage.cpu().items()}
    events = [await _events(client, workflow_id) for workflow_id in ids[:: max(1, requests // LOOKED_AT)]]
    if stage.mails() != mails + requests:
        raise RuntimeError(f"{side.name} sent more than one mail per request")
    shares = {name: used[name] for name in ("engine", "slapd", "sink", "driver")}
    return Round(requests / seconds, shares | {"worker": used[side.process]}, mean(events))


async def each(jobs: Iterable[J], do: Callable[[J], Awaitable[None]]) -> None:
    """Do all jobs, so many at a time."""
    left = iter(jobs)

    async def slot() -> None:
        for job in left:
            await do(job)

    await asyncio.gather(*(slot() for _ in range(CONCURRENCY)))


async def until(stage: Stage, check: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until it is so."""
    while not await check():
        stage.check()
        await asyncio.sleep(PAUSE)


async def _arrived(stage: Stage, mails: int) -> bool:
    return stage.mails() >= mails


async def _events(client: Client, workflow_id: str) -> int:
    return len((await client.get_workflow_handle(workflow_id).fetch_history()).events)
