"""The two sides that are compared, as the driver drives them: order, wait until somebody has to decide, decide.

Both are driven through the same client library from the same process. Ours takes the roads that the API takes: the
register's intake, then the gateway's start and command.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import func, select
from temporalio.client import Client, WorkflowHandle

from api.gateway import EngineUnavailable, NoWorker, TemporalGateway
from bench.handwritten.messages import QUEUE, Decision, Grant
from bench.handwritten.workflow import HandwrittenGrant
from bench.rig import company
from bench.rig.stage import Stage
from catalog import loader
from catalog.item import Entitlement
from catalog.model import digest
from catalog.people import Actor, PersonRef
from catalog.request import Outcome
from records.register import NewOrder, Register
from records.tables import tasks
from workflows.ending import Closure
from workflows.messages import DECIDE, Decide

FIRST_TASK = 4
"""Events of a history whose first workflow task is done; the hand-written workflow then waits for its decision."""


class Side(Protocol):
    """One of the two."""

    name: str
    process: str
    """The name of its worker process on the stage."""

    def begin(self, group: str) -> None:
        """Let the orders from now on be for this group."""

    async def order(self, person: PersonRef) -> str:
        """Order for that person; return the id of the workflow."""

    async def waits(self, ids: list[str]) -> bool:
        """Return whether all of these wait for a decision."""

    async def decide(self, workflow_id: str) -> None:
        """Approve, and return when the workflow has ended well."""


class Ours:
    """The platform: order on record, `AccessRequest`, journal, mail by the dispatcher."""

    name, process = "ours", "worker"

    def __init__(self, stage: Stage, client: Client) -> None:
        self._client = client
        self._gateway = TemporalGateway(stage.stack.environment["COMMISSARY_TEMPORAL_ADDRESS"], client.namespace)
        self._register = Register(stage.stack.database)
        self._manager = Actor(person=stage.manager)
        item = loader.load([stage.catalog]).get("bench")
        assert item
        self._item = item

    def begin(self, group: str) -> None:
        """See `Side`."""
        self._item = self._item.model_copy(update={"entitlement": Entitlement(group=group)})

    async def order(self, person: PersonRef) -> str:
        """See `Side`."""
        new = NewOrder(
            item=self._item,
            item_digest=digest(self._item),
            answers={"why": "for work"},
            requester=person,
            beneficiary=person,
            channel="api",
            auth="password",
            idempotency_key=uuid.uuid4().hex,
            body_digest="sha256:bench",
            accepted_at=datetime.now(UTC),
        )
        taken = await asyncio.to_thread(self._register.take, new)
        await _patiently(lambda: self._gateway.start(taken.order))
        return taken.order.number

    async def waits(self, ids: list[str]) -> bool:
        """See `Side`; the register knows."""
        with self._register.read() as connection:
            count = connection.scalar(select(func.count()).where(tasks.c.decided.is_(None)))
        return count == len(ids)

    async def decide(self, workflow_id: str) -> None:
        """See `Side`."""
        await self.vote(workflow_id, 1, self._manager)
        await self.ended(workflow_id)

    async def vote(self, workflow_id: str, task: int, by: Actor) -> None:
        """Approve a task of a request, the first being 1; return when that is on record."""
        command = Decide(actor=by, command=uuid.uuid4().hex, task=f"{workflow_id}.{task}", choice="approve")
        await _patiently(lambda: self._gateway.command(workflow_id, DECIDE, command))

    async def ended(self, workflow_id: str) -> None:
        """Return when the workflow has ended, well."""
        handle: WorkflowHandle[Any, Closure] = self._client.get_workflow_handle(workflow_id, result_type=Closure)
        closure = await handle.result()
        if closure.outcome is not Outcome.FULFILLED:
            raise RuntimeError(f"{workflow_id} ended as {closure.outcome}: {closure.reason}")


class Handwritten:
    """The hand-written workflow."""

    name = process = "handwritten"

    def __init__(self, client: Client) -> None:
        self._client = client
        self._group = "bench"

    def begin(self, group: str) -> None:
        """See `Side`."""
        self._group = group

    async def order(self, person: PersonRef) -> str:
        """See `Side`."""
        number = f"HAND-{uuid.uuid4()}"
        member, group = company.dn_of(person.login), company.group_dn(self._group)
        grant = Grant(number=number, person=member, group=group, mail=person.mail or "")
        await self._client.start_workflow(HandwrittenGrant.run, grant, id=number, task_queue=QUEUE)
        return number

    async def waits(self, ids: list[str]) -> bool:
        """See `Side`; the engine knows, and the last ones tell for all."""
        for workflow_id in ids[-16:]:
            described = await self._client.get_workflow_handle(workflow_id).describe()
            if described.history_length < FIRST_TASK:
                return False
        return True

    async def decide(self, workflow_id: str) -> None:
        """See `Side`."""
        handle = self._client.get_workflow_handle_for(HandwrittenGrant.run, workflow_id)
        await handle.execute_update(HandwrittenGrant.decide, Decision(by=company.MANAGER, approve=True))
        result = await handle.result()
        if result != "fulfilled":
            raise RuntimeError(f"{workflow_id} ended as {result}")


async def _patiently(call: Callable[[], Awaitable[object]]) -> None:
    """Repeat a call that an overloaded machine did not answer in time, as clients and sweeper do; repeats are safe."""
    while True:
        try:
            await call()
        except (EngineUnavailable, NoWorker):
            await asyncio.sleep(0.1)  # the pause before the next try
        else:
            return
