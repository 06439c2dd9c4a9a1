"""What a worker serves, from which queues: the composition that tests and benchmarks share with the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from activities.identity import Identity
from activities.journal import JournalWriter
from activities.ports import Directory, Journal
from worker.sandbox import runner
from workflows.access import AccessRequest
from workflows.messages import DIRECTORY_QUEUE, TASK_QUEUE

WORKFLOWS: Sequence[type] = (AccessRequest,)


@asynccontextmanager
async def workers(
    client: Client,
    *,
    directory: Directory,
    journal: Journal,
    written: Callable[[], None] = lambda: None,
    directory_threads: int = 6,
    directory_rate: float | None = None,
    graceful_stop: timedelta = timedelta(0),
    **options: Any,
) -> AsyncIterator[None]:
    """Serve all workflows and activities while the context is open.

    Args:
        client: connected, with the pydantic data converter.
        directory: the directory activities talk to.
        journal: where journals are written.
        written: called after a write that owes notices.
        directory_threads: activities on the directory at once.
        directory_rate: calls per second to the directory, over all workers.
        graceful_stop: how long running activities may take to end.
        options: passed on to the workflow worker.
    """
    identity = Identity(directory)
    async with AsyncExitStack() as stack:
        journal_pool = stack.enter_context(ThreadPoolExecutor(16, thread_name_prefix="journal"))
        directory_pool = stack.enter_context(ThreadPoolExecutor(directory_threads, thread_name_prefix="directory"))
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=TASK_QUEUE,
                workflows=WORKFLOWS,
                activities=[JournalWriter(journal, written).record],
                activity_executor=journal_pool,
                max_concurrent_local_activities=16,
                workflow_runner=runner(),
                graceful_shutdown_timeout=graceful_stop,
                # How long a request waits for the worker that has it in memory before another replays it.
                sticky_queue_schedule_to_start_timeout=timedelta(seconds=5),
                **options,
            )
        )
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=DIRECTORY_QUEUE,
                activities=[identity.standing, identity.approvers, identity.ensure_member, identity.ensure_absent],
                activity_executor=directory_pool,
                max_concurrent_activities=directory_threads,
                max_task_queue_activities_per_second=directory_rate,
                graceful_shutdown_timeout=graceful_stop,
            )
        )
        yield
