"""The gateway to the workflow engine: start an order's workflow, hand it a command, see who works.

The only module of the API that knows Temporal's client. Every call is bounded in time, so that an engine that is
down costs a client seconds, not a hanging connection. Whether a command may be sent is decided before, and decided
again by the workflow.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    ActivityFailureError,
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RetryConfig, RPCError, RPCStatusCode

from activities.actions import queue_of
from catalog.choices import Choices, ChoicesQuery
from catalog.journal import Entry
from catalog.request import Order
from workflows.messages import DIRECTORY_QUEUE, LOOK_AGAIN, TASK_QUEUE, Command, LookAgain
from workflows.starting import ORDERED, start_of

COMMAND_DEADLINE = timedelta(seconds=5)
"""How long a person waits for a worker to confirm what they did."""

CHOICES_DEADLINE = timedelta(seconds=10)
"""How long a person waits for what there is to choose."""

CALL_DEADLINE = timedelta(seconds=2)
"""How long any other call may take."""

POLL_AGE = timedelta(seconds=75)
"""A worker polls anew at least every 60 s; one that has not for longer than this is gone."""

# The client's own default would retry for ten seconds before it says that the engine is down.
_RETRY = RetryConfig(initial_interval_millis=50, max_elapsed_time_millis=500, max_retries=1)


_OUR_FAULT = (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.OUT_OF_RANGE)

# What a failure is called when the run ended while the update was in it.
_RUN_ENDED = "AcceptedUpdateCompletedWorkflow"


class EngineUnavailable(Exception):
    """The workflow engine cannot be reached or does not answer in time."""


class NoWorker(Exception):
    """Nobody confirmed the command in time; it may still be carried out."""


class NotRunning(Exception):
    """The request's workflow has not begun, or it has ended."""


class Exhausted(Exception):
    """The workflow has taken as many commands as the engine lets one take."""


class NumberTaken(Exception):
    """The engine has another order's workflow under this number; the register is likely an older backup."""


class Refused(Exception):
    """The workflow refused the command; `code` is one of `catalog.errors.Refused` or `catalog.approval.Refusal`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class ChoicesUnavailable(Exception):
    """No worker said in time what there is to choose."""


class Gateway(Protocol):
    """What the API needs of the engine."""

    async def start(self, order: Order) -> None:
        """Start the order's workflow; one that was started before counts as started.

        Raises:
            NumberTaken: another order's was started under its number.
            EngineUnavailable: it is not known to have begun.
        """

    async def command(self, number: str, update: str, message: Command) -> Entry:
        """Hand a command to a request's workflow and return the entry it caused.

        A repeat with the same `message.command` returns the first answer.

        Raises:
            Refused: the workflow says no.
            NotRunning: there is no workflow to ask.
            Exhausted: it takes no more commands.
            NoWorker: nobody confirmed it in time; repeat it.
            EngineUnavailable: it was not handed over.
        """

    async def look_again(self, number: str, message: LookAgain) -> None:
        """Tell a request's workflow that who may decide may have changed; one that has ended need not know.

        Raises:
            EngineUnavailable: it is not known to have been told.
        """

    async def choices(self, query: ChoicesQuery) -> Choices:
        """Return what a provider answers; a worker asks it.

        Raises:
            ChoicesUnavailable: nobody answered.
        """

    async def pollers(self, queues: Collection[str] = ()) -> dict[str, int]:
        """Return how many workers poll the queues that every order needs, and these.

        Raises:
            EngineUnavailable: the engine does not answer.
        """


class TemporalGateway:
    """The gateway to a Temporal service."""

    def __init__(self, address: str, namespace: str, *, command_deadline: timedelta = COMMAND_DEADLINE) -> None:
        """Connect to nothing yet: the API runs, and takes orders, while the engine is down."""
        self._address, self._namespace, self._command_deadline = address, namespace, command_deadline
        self._client: Client | None = None

    async def start(self, order: Order) -> None:
        """See `Gateway`."""
        client = await self._connected()
        async with _bounded(CALL_DEADLINE):
            try:
                await client.start_workflow(
                    order.workflow_type,
                    order,
                    **start_of(order),
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    rpc_timeout=CALL_DEADLINE,
                )
            except WorkflowAlreadyStartedError:
                await self._same_order(client, order)

    async def _same_order(self, client: Client, order: Order) -> None:
        """Return if the workflow under the order's number is the order's own; its moment tells, to the microsecond."""
        running = await client.get_workflow_handle(order.number).describe(rpc_timeout=CALL_DEADLINE)
        if await running.memo_value(ORDERED, None) != order.accepted_at.isoformat():
            raise NumberTaken(
                f"the workflow engine has another order's workflow under {order.number}; was the register restored "
                "from an older backup? See docs/operations.md"
            )

    async def command(self, number: str, update: str, message: Command) -> Entry:
        """See `Gateway`."""
        client = await self._connected()
        handle = client.get_workflow_handle(number)
        async with _bounded(self._command_deadline):
            try:
                answer: Entry = await handle.execute_update(
                    update, message, id=message.command, result_type=Entry, rpc_timeout=self._command_deadline
                )
            except WorkflowUpdateFailedError as error:
                raise _refusal(error) from error
            except WorkflowUpdateRPCTimeoutOrCancelledError as error:
                raise NoWorker("no worker confirmed the command in time") from error
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise NotRunning(error.message) from error
                if error.status is RPCStatusCode.RESOURCE_EXHAUSTED:
                    raise Exhausted(error.message) from error
                raise
            return answer

    async def look_again(self, number: str, message: LookAgain) -> None:
        """See `Gateway`."""
        client = await self._connected()
        handle = client.get_workflow_handle(number)
        async with _bounded(CALL_DEADLINE):
            try:
                await handle.signal(LOOK_AGAIN, message, rpc_timeout=CALL_DEADLINE)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

    async def choices(self, query: ChoicesQuery) -> Choices:
        """See `Gateway`."""
        client = await self._connected()
        try:
            async with _bounded(CHOICES_DEADLINE):
                answer: Choices = await client.execute_activity(
                    "choices.list",
                    query,
                    id=f"choices-{uuid.uuid4().hex}",
                    task_queue=queue_of("choices"),
                    result_type=Choices,
                    schedule_to_close_timeout=CHOICES_DEADLINE,
                    schedule_to_start_timeout=self._command_deadline,
                    rpc_timeout=CALL_DEADLINE,
                )
        except ActivityFailureError as error:
            raise ChoicesUnavailable(f"{query.provider}: {error.cause or error}") from error
        except EngineUnavailable as error:
            raise ChoicesUnavailable(str(error)) from error
        return answer

    async def pollers(self, queues: Collection[str] = ()) -> dict[str, int]:
        """See `Gateway`."""
        activities = [DIRECTORY_QUEUE, *sorted(set(queues) - {DIRECTORY_QUEUE})]
        counts = await asyncio.gather(
            self._polling(TASK_QUEUE, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
            *(self._polling(queue, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY) for queue in activities),
        )
        return dict(zip((TASK_QUEUE, *activities), counts, strict=True))

    async def _polling(self, queue: str, kind: TaskQueueType.ValueType) -> int:
        client = await self._connected()
        question = DescribeTaskQueueRequest(
            namespace=self._namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
        async with _bounded(CALL_DEADLINE):
            answer = await client.workflow_service.describe_task_queue(question, timeout=CALL_DEADLINE)
        since = datetime.now(UTC) - POLL_AGE
        return sum(poller.last_access_time.ToDatetime(UTC) > since for poller in answer.pollers)

    async def _connected(self) -> Client:
        """Return the one client; lazy, so that this cannot fail and a lost connection is made anew."""
        if self._client is None:
            self._client = await Client.connect(
                self._address,
                namespace=self._namespace,
                data_converter=pydantic_data_converter,
                lazy=True,
                retry_config=_RETRY,
                connect_timeout=CALL_DEADLINE,
            )
        return self._client


@asynccontextmanager
async def _bounded(deadline: timedelta) -> AsyncIterator[None]:
    """Bound what is done inside, and say in our terms why it failed."""
    try:
        # A moment more than the call's own deadline, which ends it more cleanly.
        async with asyncio.timeout(deadline.total_seconds() + 0.5):
            yield
    except TimeoutError as error:
        raise EngineUnavailable("the workflow engine does not answer in time") from error
    except RPCError as error:
        if error.status in _OUR_FAULT:
            raise  # of this call alone: the engine is well
        raise EngineUnavailable(f"the workflow engine answers {error.status.name}: {error.message}") from error
    except RuntimeError as error:
        # A lazy client raises this when its first connection fails.
        raise EngineUnavailable(str(error)) from error


def _refusal(error: WorkflowUpdateFailedError) -> Exception:
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type is None:
        return error
    if cause.type == _RUN_ENDED:
        return NotRunning(cause.message)
    return Refused(cause.type, cause.message)
