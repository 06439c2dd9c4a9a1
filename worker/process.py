"""The worker process: which workflows and activities it serves, from which queues, and how it stops.

`workers` is the composition that tests and benchmarks share with `serve`; only `serve` knows about settings,
signals and real connectors.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.connectors.ldap import LdapDirectory, LdapSettings
from activities.connectors.smtp import SmtpMail, SmtpSettings
from activities.identity import Identity
from activities.journal import JournalWriter
from activities.ports import Directory, Journal
from records.register import Register
from worker.dispatcher import Dispatcher
from worker.sandbox import runner
from worker.settings import WorkerSettings
from workflows.access import AccessRequest
from workflows.messages import DIRECTORY_QUEUE, TASK_QUEUE

log = logging.getLogger(__name__)

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


async def connect(address: str, namespace: str, stop: asyncio.Event) -> Client | None:
    """Return a connected client, trying for as long as it takes; None if asked to stop first."""
    pause = 0.2
    while not stop.is_set():
        try:
            return await Client.connect(address, namespace=namespace, data_converter=pydantic_data_converter)
        except (RPCError, RuntimeError) as error:
            log.warning("the workflow engine at %s does not answer (%s); trying again in %.1f s", address, error, pause)
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            pause = min(pause * 2, 5.0)
    return None


async def serve(settings: WorkerSettings) -> None:
    """Run a worker until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    register = Register(settings.database_url)
    directory = LdapDirectory(LdapSettings())
    dispatcher = Dispatcher(register, SmtpMail(SmtpSettings()), settings.public_url, settings.operators_mail)
    try:
        client = await connect(settings.temporal_address, settings.temporal_namespace, stop)
        if client is None:
            return
        if settings.mail:
            dispatcher.start()
        async with workers(
            client,
            directory=directory,
            journal=register,
            written=dispatcher.wake,
            directory_threads=settings.directory_threads,
            directory_rate=settings.directory_rate,
            graceful_stop=settings.graceful_stop,
            max_cached_workflows=settings.max_cached_workflows,
        ):
            log.info("the worker is ready")
            await stop.wait()
            log.info("the worker stops")
    finally:
        dispatcher.stop()
        directory.close()
        register.close()


def main() -> None:
    """Run a worker with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(WorkerSettings()))
    # Without this, about one exit in ten of a process that ran a worker aborts while the interpreter finalizes
    # (temporalio 1.35): objects of the native core are collected too late. The work is done by then, but the exit
    # code would be lost.
    gc.collect()
