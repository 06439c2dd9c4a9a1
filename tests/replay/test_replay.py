"""Every recorded history replays on today's workflow code (feature row K4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import (
    HandleUpdateInput,
    Interceptor,
    Replayer,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from catalog.journal import Entry
from catalog.request import Outcome
from worker.queues import WORKFLOWS
from worker.sandbox import runner
from workflows.access import AccessRequest
from workflows.carrying import Run
from workflows.ending import Closure, Ended

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))


def test_histories_are_there() -> None:
    assert len(HISTORIES) >= 30
    assert {path.stem.partition("-")[0] for path in HISTORIES} == {"access", "steps", "bundle"}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=runner(), data_converter=pydantic_data_converter)
    replayed = await replayer.replay_workflow(history(path), raise_on_replay_failure=False)
    assert replayed.replay_failure is None


class Answers(Interceptor):
    """Notes what a workflow answers to commands: the entries of its journal that they caused."""

    given: ClassVar[dict[str, Entry]] = {}

    def workflow_interceptor_class(self, _input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return _Noting


class _Noting(WorkflowInboundInterceptor):
    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002  it is called so there
        Answers.given[input.id] = await super().handle_update_handler(input)
        return Answers.given[input.id]


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_what_a_request_has_put_on_record_comes_out_the_same(path: Path) -> None:
    """An entry seals all before it, so a journal that goes on elsewhere than it stands in the register would show."""
    Answers.given = {}
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=UnsandboxedWorkflowRunner(),  # so that what is noted is seen here
        data_converter=pydantic_data_converter,
        interceptors=[Answers()],
    )
    recorded = history(path)
    await replayer.replay_workflow(recorded)
    assert {update: entry.digest for update, entry in Answers.given.items()} == entries_of(recorded)


def entries_of(recorded: WorkflowHistory) -> dict[str, str]:
    """Return the digests of the entries with which a request has answered commands, by the ids of these."""
    ended = (event.workflow_execution_update_completed_event_attributes for event in recorded.events)
    return {
        one.meta.update_id: json.loads(payload.data)["digest"]
        for one in ended
        for payload in one.outcome.success.payloads
    }


@workflow.defn(name="AccessRequest", sandboxed=False)
class Forgetful(AccessRequest):
    """A flow that forgets to look the beneficiary up."""

    @workflow.init
    def __init__(self, order: Run) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: Run) -> Closure:
        return await self.conduct(self.hurry)

    async def hurry(self) -> Ended:
        await self.approved()
        return Ended(Outcome.FULFILLED, "without a look")


async def test_a_changed_order_of_steps_is_found() -> None:
    replayer = Replayer(workflows=[Forgetful], data_converter=pydantic_data_converter)
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(history(next(p for p in HISTORIES if p.stem == "access-approved")))
