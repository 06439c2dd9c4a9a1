"""Which workflows of other packages a worker takes: those the sandbox can load, under the name that items use."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from activities.plugins import Plugins
from worker.queues import WORKFLOWS, brought

FLOW = """
from temporalio import workflow
from catalog.registry import WorkflowSpec
from workflows.request import RequestFrame
{first}

@workflow.defn(name="{name}")
class Flow(RequestFrame):
    spec = WorkflowSpec(id="Flow", summary="Do it.")

    @workflow.run
    async def run(self, order: dict) -> None: ...
"""
PASSED = "with workflow.unsafe.imports_passed_through():\n    from {package}.terms import DAYS"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An importable package with a name of its own, in which there is one module."""
    folder = tmp_path / f"flows_{abs(hash(request.node.nodeid))}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "terms.py").write_text("DAYS = 30\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def load(package: Path, text: str) -> type:
    (package / "flow.py").write_text(text, "utf-8")
    kind: type = importlib.import_module(f"{package.name}.flow").Flow
    return kind


async def test_a_workflow_that_passes_its_imports_through_is_taken(package: Path) -> None:
    flow = load(package, FLOW.format(name="Flow", first=PASSED.format(package=package.name)))
    assert brought(Plugins(workflows={"Flow": flow})) == ([flow], [])


async def test_shipped_workflows_are_not_taken_twice() -> None:
    assert brought(Plugins(workflows={one.__name__: one for one in WORKFLOWS})) == ([], [])


@pytest.mark.parametrize(
    ("name", "first", "said"),
    [
        ("Other", "", "@workflow.defn calls it 'Other', its spec 'Flow'"),
        ("Flow", "from {package}.terms import DAYS", "{package}.terms"),
        ("Flow", "import random; random.random()", "random"),
    ],
)
async def test_one_that_cannot_run_is_told_and_leaves_the_others_alone(
    package: Path, name: str, first: str, said: str
) -> None:
    flow = load(package, FLOW.format(name=name, first=first.format(package=package.name)))
    usable, (problem,) = brought(Plugins(workflows={"Flow": flow}))
    assert usable == []
    assert problem.message.startswith("the workflow 'Flow' is left out: ")
    assert said.format(package=package.name) in problem.message


async def test_what_is_no_workflow_is_told(package: Path) -> None:
    flow = load(package, "class Flow: ...\n")
    _, (problem,) = brought(Plugins(workflows={"Flow": flow}))
    assert "was it decorated with @workflow.defn?" in problem.message
