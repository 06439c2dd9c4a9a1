"""Where workflow code runs: the sandbox, and what passes through it.

Passed through means imported once per process instead of once per run: models and pure rules, whose cost would
be paid for every request, and the frame, which is the same for all of them. They lose the sandbox's determinism
guard; the lint bans of clocks and randomness in `catalog` and `workflows`, and the replay tests, take its place.
A module that defines a workflow is never passed through.
"""

from __future__ import annotations

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

PASSED_THROUGH = (
    "activities",
    "catalog",
    "workflows.approvals",
    "workflows.ending",
    "workflows.messages",
    "workflows.options",
    "workflows.record",
    "workflows.request",
    "workflows.saga",
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
