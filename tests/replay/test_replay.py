"""Every recorded history replays on today's workflow code (feature row K4)."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

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
