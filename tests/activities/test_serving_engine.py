"""Actions on a real engine: what one attempt leaves reaches the next, and what is rejected is not tried again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from support.builders import a_person
from support.temporal import start_environment
from temporalio import workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.connectors.memory import MemoryDirectory, MemorySecrets
from activities.directory_actions import ACTIONS, DirectoryActions
from activities.errors import Transient
from activities.serving import as_activity

QUEUE = "commissary-directory"


@workflow.defn(name="CallOnce", sandboxed=False)
class CallOnce:
    """Call one action, as often as it takes."""

    @workflow.run
    async def run(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = await workflow.execute_activity(
            action,
            given,
            result_type=dict[str, Any],
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
        )
        return result


async def run(directory: MemoryDirectory, action: str, given: dict[str, Any]) -> dict[str, Any]:
    owner = DirectoryActions(directory, MemorySecrets())
    activities = [as_activity(one, owner) for one in ACTIONS.actions()]
    async with await start_environment() as env:
        with ThreadPoolExecutor(2) as threads:
            async with Worker(
                env.client,
                task_queue=QUEUE,
                workflows=[CallOnce],
                activities=activities,
                activity_executor=threads,
                workflow_runner=UnsandboxedWorkflowRunner(),
            ):
                return await env.client.execute_workflow(
                    CallOnce.run, args=[action, given], id="call", task_queue=QUEUE
                )


async def test_values_from_before_an_unknown_outcome_reach_the_result() -> None:
    directory = MemoryDirectory([a_person(title="Clerk")])
    directory.lose_answers()
    given = {"login": "ada", "attributes": {"title": "Boss"}}
    result = await run(directory, "directory.set_attributes", given)
    assert directory.person("id-ada").title == "Boss"
    assert (result["changed"], result["ours"], result["earlier"]) == (False, True, {"title": ["Clerk"]})


async def test_what_an_attempt_that_wrote_nothing_finds_later_is_not_ours() -> None:
    directory = MemoryDirectory([a_person(title="Boss")])
    directory.fail_next(Transient("down"), on="ensure_attributes")
    result = await run(directory, "directory.set_attributes", {"login": "ada", "attributes": {"title": "Boss"}})
    assert (result["changed"], result["ours"]) == (False, False)


async def test_an_input_that_does_not_fit_fails_at_once() -> None:
    with pytest.raises(WorkflowFailureError) as caught:
        await run(MemoryDirectory(), "directory.create_group", {"colour": "red"})
    assert isinstance(caught.value.cause, ActivityError)
    assert isinstance(caught.value.cause.cause, ApplicationError)
    assert caught.value.cause.cause.type == "rejected"
