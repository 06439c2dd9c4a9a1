"""Where workflow code runs: the sandbox, and what passes through it.

Passed through means imported once per process instead of once per run: models and pure rules, whose cost would
be paid for every request, and the frame, which is the same for all of them. They lose the sandbox's determinism
guard; the lint bans of clocks and randomness in `catalog` and `workflows`, and the replay tests, take its place.
A module that defines a workflow is never passed through.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

PASSED_THROUGH = (
    "activities",
    "catalog",
    # compiles expressions, and imports parts of itself only then
    "jinja2",
    "markupsafe",
    "workflows.approvals",
    "workflows.approving",
    "workflows.carrying",
    "workflows.children",
    "workflows.clocks",
    "workflows.considering",
    "workflows.ending",
    "workflows.messages",
    "workflows.operators",
    "workflows.options",
    "workflows.patience",
    "workflows.questions",
    "workflows.record",
    "workflows.request",
    "workflows.runner",
    "workflows.saga",
    "workflows.targets",
    "workflows.tasks",
    "workflows.wants",
)


def runner() -> SandboxedWorkflowRunner:
    """Return the runner that workers and the replay tests use."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(
        restrictions=restrictions.with_import_notification_policy(
            SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
            | SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
        )
    )


def check(kind: type, name: str) -> None:
    """Load a workflow as a run of it would, so that what is wrong with it shows before a worker begins.

    Needs a running event loop, as a run does.

    Args:
        kind: the workflow's class, of whatever package.
        name: what items call it.

    Raises:
        ValueError: it is no workflow, or the engine would know it by another name.
        Exception: what loading it raises, for example for an import that should be passed through.
    """
    definition = workflow._Definition.must_from_class(kind)  # noqa: SLF001  the runner's public method takes it
    if definition.name != name:
        raise ValueError(f"@workflow.defn calls it {definition.name!r}, its spec {name!r}; give it one name")
    runner().prepare_workflow(definition)
