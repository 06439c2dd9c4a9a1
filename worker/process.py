"""The worker process: its wiring with settings and real connectors, and how it starts and stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from activities.connectors.ldap import LdapDirectory, LdapSettings
from activities.connectors.smtp import SmtpMail, SmtpSettings
from records.register import Register, RegisterUnavailable
from worker.dispatcher import Dispatcher
from worker.queues import workers
from worker.settings import WorkerSettings

log = logging.getLogger(__name__)


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
    dispatcher = _dispatcher(settings, register)
    try:
        client = await connect(settings.temporal_address, settings.temporal_namespace, stop)
        if client is None:
            return
        _warn_of_old_schema(register)
        if dispatcher:
            dispatcher.start()
        async with workers(
            client,
            directory=directory,
            journal=register,
            written=dispatcher.wake if dispatcher else lambda: None,
            directory_threads=settings.directory_threads,
            directory_rate=settings.directory_rate,
            graceful_stop=settings.graceful_stop,
            max_cached_workflows=settings.max_cached_workflows,
        ):
            log.info("the worker is ready")
            await stop.wait()
            log.info("the worker stops")
    finally:
        if dispatcher:
            dispatcher.stop()
        directory.close()
        register.close()


def _dispatcher(settings: WorkerSettings, register: Register) -> Dispatcher | None:
    """Return the sender of notices, if this worker is to send any."""
    if not settings.mail:
        return None
    return Dispatcher(register, SmtpMail(SmtpSettings()), settings.public_url, settings.operators_mail)


def _warn_of_old_schema(register: Register) -> None:
    """Say at once what would otherwise show only as failing writes; the database may still come up later."""
    try:
        register.check()
    except RegisterUnavailable as error:
        log.error("the register cannot be used yet: %s", error)  # noqa: TRY400  the message says it all


def main() -> None:
    """Run a worker with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(WorkerSettings()))
    # Without this, about one exit in ten of a process that ran a worker aborts while the interpreter finalizes
    # (temporalio 1.35): objects of the native core are collected too late. The work is done by then, but the exit
    # code would be lost.
    gc.collect()
