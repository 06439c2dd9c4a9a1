"""The worker process: its wiring with settings and real connectors, and how it starts and stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Iterable
from contextlib import ExitStack, closing

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from activities.connectors.sealed import SealedSecrets, SealedSettings
from activities.errors import Transient
from activities.intake import Desk
from activities.plugins import Plugins, Problem, discover
from activities.ports import Ports
from activities.serving import serving
from catalog.item import CatalogItem
from records.register import Register, RegisterUnavailable
from worker.company import company
from worker.dispatcher import Dispatcher
from worker.placing import placing
from worker.queues import brought, workers
from worker.scheduling import schedule_rounds
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
    """Run a worker until SIGTERM or SIGINT.

    Raises:
        UnknownName: the settings choose a connector that there is not.
    """
    plugins = discover()  # before signals are handled: one that hangs at import can be ended all the same
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with ExitStack() as stack:
        register = stack.enter_context(closing(Register(settings.database_url)))
        ports = _ports(settings, plugins, register, stack)
        dispatcher = _dispatcher(settings, plugins, register, stack)
        served = stack.enter_context(serving(plugins, ports))
        more_workflows, unusable = brought(plugins)
        _tell((*plugins.problems, *served.problems, *unusable))
        client = await connect(settings.temporal_address, settings.temporal_namespace, stop)
        if client is None:
            return
        _warn_of_old_schema(register)
        if dispatcher:
            dispatcher.start()
        desk = Desk(register=register, directory=ports.directory, choose=served.choosing.choices, known=plugins.known())
        async with workers(
            client,
            directory=ports.directory,
            company=company(register),
            journal=register,
            watch=register,
            awaiting=register,
            place=placing(desk),
            served=served.by_queue,
            more_workflows=more_workflows,
            written=dispatcher.wake if dispatcher else lambda: None,
            directory_threads=settings.directory_threads,
            directory_rate=settings.directory_rate,
            graceful_stop=settings.graceful_stop,
            max_cached_workflows=settings.max_cached_workflows,
        ):
            log.info("the worker is ready")
            await schedule_rounds(client)
            await stop.wait()
            log.info("the worker stops")


def _ports(settings: WorkerSettings, plugins: Plugins, register: Register, stack: ExitStack) -> Ports:
    """Open what actions and providers are made from; `stack` closes it."""
    return Ports(
        directory=stack.enter_context(plugins.connector("directory", settings.directory).open()),
        secrets=SealedSecrets(register, SealedSettings().each()),
        http=stack.enter_context(plugins.connector("http", settings.http).open()),
        published=lambda: _published(register),
    )


def _published(register: Register) -> list[CatalogItem]:
    """Return the newest version of every item that is offered; raises Transient while the register is away."""
    try:
        return [item for item in register.newest().values() if item.lifecycle == "published"]
    except RegisterUnavailable as error:
        raise Transient(f"the register does not answer: {error}") from error


def _dispatcher(settings: WorkerSettings, plugins: Plugins, register: Register, stack: ExitStack) -> Dispatcher | None:
    """Return the sender of notices, if this worker is to send any; `stack` stops it."""
    if not settings.mail:
        return None
    mail = stack.enter_context(plugins.connector("mail", settings.mailer).open())
    dispatcher = Dispatcher(register, mail, settings.public_url, settings.operators_mail)
    stack.callback(dispatcher.stop)
    return dispatcher


def _tell(problems: Iterable[Problem]) -> None:
    """Say what is registered and cannot be used."""
    for problem in problems:
        log.error("%s", problem.message)


def _warn_of_old_schema(register: Register) -> None:
    """Say at once what would otherwise show only as failing writes; the database may still come up later."""
    try:
        register.check()
    except RegisterUnavailable as error:
        log.error("the register cannot be used yet: %s", error)  # noqa: TRY400  the message says it all


def main() -> None:
    """Run a worker with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every look at the schema
    asyncio.run(serve(WorkerSettings()))
    # Without this, about one exit in ten of a process that ran a worker aborts while the interpreter finalizes
    # (temporalio 1.35): objects of the native core are collected too late. The work is done by then, but the exit
    # code would be lost.
    gc.collect()
