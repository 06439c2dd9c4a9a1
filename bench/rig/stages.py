"""Rounds of requests that several people decide, one after the other, and what each round cost the engine."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from bench.handwritten.approval import HandwrittenApproval
from bench.handwritten.messages import QUEUE, Decision, Stages
from bench.rig import company, sides
from bench.rig.rounds import CONCURRENCY, LOOKED_AT, PATIENCE, each, until
from bench.rig.stage import Stage
from catalog.people import Actor

STAGES = len(company.DECIDERS)
_STAGE = """\
  - id: {login}
    name: Stage {login}
    approvers: [{{rule: person, person: {login}}}]
    decide_within: 10 days
    remind: {{after: 2 days}}
"""
ITEM = f"""\
id: bench
version: 1.0.0
name: Four decisions
description: What four people decide, one after the other.
category: Access
duplicates: allow
owner: boss
form:
  - {{id: why, type: text, label: Why}}
approvals:
{"".join(_STAGE.format(login=login) for login in company.DECIDERS)}
steps:
  - {{id: tell, do: notify, to: [requester], subject: Decided, text: Everybody has approved.}}
sla: {{target: 50 days}}
"""
"""The directory is not changed, and who orders it has no mail address: nearly all that happens is deciding."""

REST = 0.5
"""Seconds over which the engine is watched for whether it rests."""
AT_REST = 0.05
"""How much of a processor it then uses at most."""


class Side(Protocol):
    """One of those that are compared."""

    name: str
    process: str
    """The name of its worker process on the stage."""

    async def order(self) -> str:
        """Order; return the id of the workflow."""

    async def waits(self, ids: list[str]) -> bool:
        """Return whether all of these wait for a decision."""

    async def approve(self, workflow_id: str, at: int) -> None:
        """Have the stage approved, the first being 0; return when that is answered."""

    async def ended(self, workflow_id: str) -> None:
        """Return when the workflow has ended, well."""


class Ours(sides.Ours):
    """The platform."""

    def __init__(self, stage: Stage, client: Client) -> None:
        super().__init__(stage, client)
        self._boss = stage.manager
        self._deciders = [Actor(person=person) for person in stage.deciders]

    async def order(self) -> str:  # type: ignore[override]  # nobody else is ordered for
        """See `Side`."""
        return await super().order(self._boss)

    async def approve(self, workflow_id: str, at: int) -> None:
        """See `Side`."""
        await self.vote(workflow_id, at + 1, self._deciders[at])


class Handwritten:
    """The hand-written workflow; `record`: with every decision on record before it is answered."""

    process = "handwritten"

    def __init__(self, client: Client, *, record: bool) -> None:
        self.name = "recording" if record else "bare"
        self._client, self._record = client, record
        self._begun: set[str] = set()

    async def order(self) -> str:
        """See `Side`."""
        stages = Stages(number=f"HAND-{uuid.uuid4()}", approvers=list(company.DECIDERS), record=self._record)
        await self._client.start_workflow(HandwrittenApproval.run, stages, id=stages.number, task_queue=QUEUE)
        return stages.number

    async def waits(self, ids: list[str]) -> bool:
        """See `Side`: a stage is open when the vote before is answered, the first after the first workflow task.

        Only the last ones are looked at, and once, so that looking costs the engine next to nothing.
        """
        for workflow_id in set(ids[-CONCURRENCY:]) - self._begun:
            described = await self._client.get_workflow_handle(workflow_id).describe()
            if described.history_length < sides.FIRST_TASK:
                return False
            self._begun.add(workflow_id)
        return True

    async def approve(self, workflow_id: str, at: int) -> None:
        """See `Side`."""
        handle = self._client.get_workflow_handle_for(HandwrittenApproval.run, workflow_id)
        await handle.execute_update(HandwrittenApproval.decide, Decision(by=company.DECIDERS[at], approve=True))

    async def ended(self, workflow_id: str) -> None:
        """See `Side`."""
        result = await self._client.get_workflow_handle_for(HandwrittenApproval.run, workflow_id).result()
        if result != "approved":
            raise RuntimeError(f"{workflow_id} ended as {result}")


@dataclass(frozen=True)
class Round:
    """One round of one side.

    Attributes:
        engine_ms, worker_ms: processor time per request; the worker is the side's own.
        events: how many of each type a history has for each stage.
    """

    engine_ms: float
    worker_ms: float
    events: dict[str, float]


async def run_round(stage: Stage, client: Client, side: Side, requests: int) -> Round:
    """Order `requests` times, then have everybody decide all of them, one stage after the other."""
    ids: list[str] = []

    async def order(_: int) -> None:
        ids.append(await side.order())

    await _rests(stage)
    before = stage.cpu()
    async with asyncio.timeout(PATIENCE):
        await each(range(requests), order)
        for at in range(STAGES):
            await until(stage, lambda: side.waits(ids))
            await each(ids, lambda workflow_id, at=at: side.approve(workflow_id, at))  # type: ignore[misc]  # bound
        await each(ids, side.ended)
    await _rests(stage)
    used = {name: 1000 * (after - before[name]) / requests for name, after in stage.cpu().items()}
    looked_at = ids[:: max(1, requests // LOOKED_AT)]
    histories = [await client.get_workflow_handle(workflow_id).fetch_history() for workflow_id in looked_at]
    counts = sum((Counter(_types(_since_opening(history.events))) for history in histories), Counter[str]())
    events = {kind: count / len(histories) / STAGES for kind, count in counts.items()}
    return Round(used["engine"], used[side.process], events)


async def _rests(stage: Stage) -> None:
    """Return once the engine has come to rest: what it does behind its answers is charged to who caused it."""
    async with asyncio.timeout(PATIENCE):
        before, now = 0.0, stage.cpu()["engine"]
        while now - before > AT_REST * REST:
            await asyncio.sleep(REST)  # what is measured is how much it does in that time
            before, now = now, stage.cpu()["engine"]


def _since_opening(events: Iterable[HistoryEvent]) -> list[HistoryEvent]:
    """Return the events from the opening of the first stage to the end.

    A stage that opens starts the first timer. What the same workflow task has led to belongs to it, from the first
    event after that task was completed.
    """
    found = list(events)
    timer = next(at for at, event in enumerate(found) if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED)
    task = max(
        at for at in range(timer) if found[at].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )  # fmt: skip
    return found[task + 1 :]


def _types(events: Iterable[HistoryEvent]) -> list[str]:
    """Return the types of events as the engine's page shows them, such as TimerStarted."""
    names = (EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events)
    return [name.title().replace("_", "") for name in names]
