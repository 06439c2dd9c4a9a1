"""What a worker serves, from which queues: the composition that tests and benchmarks share with the process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from typing import Any, NamedTuple

from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.worker import Interceptor, Worker, WorkerDeploymentConfig

from activities.approvers import ALONE, Approvers, Company
from activities.identity import Identity
from activities.journal import JournalWriter
from activities.ordering import ChildOrder, Ordering, Placed
from activities.plugins import WORKFLOWS as WORKFLOWS_GROUP
from activities.plugins import Plugins, Problem, attempt, watched
from activities.ports import Directory, Journal, OpenApprovals, Watch
from activities.roster import Roster
from activities.serving import Activity
from activities.watchdog import Watching
from catalog.request import Order
from worker.sandbox import check, runner
from workflows.access import AccessRequest
from workflows.bundle import BundleRequest
from workflows.messages import DIRECTORY_QUEUE, ORDERS_QUEUE, TASK_QUEUE
from workflows.roster import RosterRound
from workflows.starting import start_of
from workflows.steps import StepsRequest
from workflows.watchdog import Watchdog

WORKFLOWS: Sequence[type] = (AccessRequest, StepsRequest, BundleRequest, Watchdog, RosterRound)
"""The workflows of this distribution; plug-ins bring others."""


def brought(plugins: Plugins) -> tuple[list[type], list[Problem]]:
    """Return the workflows of plug-ins that a worker can run, and what is wrong with the others."""
    usable: list[type] = []
    problems: list[Problem] = []
    for name, kind in plugins.workflows.items():
        if kind in WORKFLOWS:
            continue
        with attempt(problems, WORKFLOWS_GROUP, name), watched(WORKFLOWS_GROUP, name):
            check(kind, name)
            usable.append(kind)
    return usable, problems


async def begin_request(client: Client, order: Order) -> None:
    """Start an order's workflow; one that has begun is left as it is."""
    with contextlib.suppress(WorkflowAlreadyStartedError):
        once = WorkflowIDReusePolicy.REJECT_DUPLICATE
        await client.start_workflow(order.workflow_type, order, **start_of(order), id_reuse_policy=once)


JOURNAL_THREADS = 16
"""Journals written at once."""
_WORKFLOW_WORKER: Mapping[str, Any] = {
    "max_concurrent_local_activities": JOURNAL_THREADS,
    # How long a request waits for the worker that has it in memory before another replays it.
    "sticky_queue_schedule_to_start_timeout": timedelta(seconds=5),
}
OTHER_THREADS = 4
"""Activities at once on each system besides the directory."""


def _release() -> WorkerDeploymentConfig:
    """Return by what name histories tell which release did what; it decides nothing.

    Without one the SDK makes it up from the code of every module that is loaded, which takes up to a second.
    """
    release = WorkerDeploymentVersion("commissary", version("commissary"))
    return WorkerDeploymentConfig(version=release, use_worker_versioning=False)


@asynccontextmanager
async def workers(
    client: Client,
    *,
    directory: Directory,
    company: Company = ALONE,
    journal: Journal,
    watch: Watch | None = None,
    awaiting: OpenApprovals | None = None,
    place: Callable[[ChildOrder], Placed],
    begin: Callable[[Order], Awaitable[None]] | None = None,
    served: Mapping[str, Sequence[Activity]] | None = None,
    more_workflows: Sequence[type] = (),
    written: Callable[[], None] = lambda: None,
    directory_threads: int = 6,
    directory_rate: float | None = None,
    graceful_stop: timedelta = timedelta(0),
    interceptors: Sequence[Interceptor] = (),
    **options: Any,
) -> AsyncIterator[None]:
    """Serve all workflows and activities while the context is open.

    Args:
        client: connected, with the pydantic data converter.
        directory: the directory activities talk to.
        company: what else is known of people.
        journal: where journals are written.
        watch: where late timers show; without one nobody looks for them.
        awaiting: where open approvals stand; without it nobody looks whether they still ask the right people.
        place: puts the order of a request's part on record.
        begin: starts the workflow of such an order; as everybody's order begins, unless a simulation has its own way.
        served: by task queue, the activities of actions, providers and HTTP; those of the directory join its own.
        more_workflows: of plug-ins; see `brought`.
        written: called after a write that owes notices.
        directory_threads: activities on the directory at once.
        directory_rate: calls per second to the directory, over all workers.
        graceful_stop: how long running activities may take to end.
        interceptors: of every worker.
        options: passed on to the workflow worker.
    """
    others = dict(served or {})
    on_directory = [*_on_directory(directory, company, awaiting), *others.pop(DIRECTORY_QUEUE, ())]
    others[ORDERS_QUEUE] = [Ordering(place, begin or partial(begin_request, client)).place]
    usable = {"workflows": [*WORKFLOWS, *more_workflows], "workflow_runner": runner(), **options}
    rate = {"max_task_queue_activities_per_second": directory_rate}
    queues = [
        _Queue(TASK_QUEUE, _on_record(journal, watch, written), JOURNAL_THREADS, {**_WORKFLOW_WORKER, **usable}),
        _Queue(DIRECTORY_QUEUE, on_directory, directory_threads, _at_once(directory_threads) | rate),
        *(_Queue(name, activities, OTHER_THREADS, _at_once(OTHER_THREADS)) for name, activities in others.items()),
    ]
    every = {"graceful_shutdown_timeout": graceful_stop, "interceptors": interceptors, "deployment_config": _release()}
    async with AsyncExitStack() as stack:
        for queue in queues:
            await _serve(client, queue, stack, every)
        yield


class _Queue(NamedTuple):
    """A task queue: what is served from it, by how many threads, and with which options of its worker."""

    name: str
    activities: Sequence[Activity]
    threads: int
    options: Mapping[str, Any]


def _at_once(threads: int) -> dict[str, Any]:
    return {"max_concurrent_activities": threads}


def _on_directory(directory: Directory, company: Company, awaiting: OpenApprovals | None) -> list[Activity]:
    """Return what is served from the directory's queue, so that its limits hold for all of it."""
    identity = Identity(directory, company)
    found: list[Activity] = [
        identity.standing,
        identity.approvers,
        identity.people,
        identity.ensure_member,
        identity.ensure_absent,
    ]
    return found + ([Roster(awaiting, Approvers(directory, company)).look] if awaiting else [])


def _on_record(journal: Journal, watch: Watch | None, written: Callable[[], None]) -> list[Activity]:
    """Return what is served beside the workflows: what goes to the register."""
    found: list[Activity] = [JournalWriter(journal, written).record]
    return found + ([Watching(watch, written).timers] if watch else [])


async def _serve(client: Client, queue: _Queue, stack: AsyncExitStack, options: Mapping[str, Any]) -> None:
    """Run the worker of a queue, with threads of its own, until the stack is closed."""
    pool = stack.enter_context(ThreadPoolExecutor(queue.threads, thread_name_prefix=queue.name))
    more = {**queue.options, **options}
    worker = Worker(client, task_queue=queue.name, activities=queue.activities, activity_executor=pool, **more)
    await stack.enter_async_context(worker)
