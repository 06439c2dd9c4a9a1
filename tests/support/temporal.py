"""The Temporal dev server for tests, with a clock per workflow, as simulations use it."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from cli.kit.engine import start_environment, temporal_binary

__all__ = ["events_of", "start_environment", "temporal_binary"]


async def events_of(handle: WorkflowHandle[Any, Any], kind: str) -> int:
    """Return how many events of a kind (``UPDATE_ACCEPTED``) a workflow's history has."""
    wanted = EventType.Value(f"EVENT_TYPE_WORKFLOW_EXECUTION_{kind}")
    return sum(event.event_type == wanted for event in (await handle.fetch_history()).events)
