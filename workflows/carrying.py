"""What one run of a request hands to the next, when its history has become too long (feature row A25)."""

from __future__ import annotations

import base64
import zlib
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer
from temporalio import workflow

from workflows.approvals import DeskSoFar
from workflows.clocks import ClocksSoFar
from workflows.messages import Report
from workflows.record import RecordSoFar

with workflow.unsafe.imports_passed_through():
    from catalog.model import Model
    from catalog.request import Order

MOST_BEGUN_WITH = 2_000_000
"""Bytes of what a run begins with at most: the engine takes 2 MiB, and fails a step that hands it more."""


class Carried(Model):
    """What a run has to know that goes on with a request."""

    record: RecordSoFar
    desk: DeskSoFar
    clocks: ClocksSoFar = ClocksSoFar()
    events: dict[str, Report] = {}
    comments: int = 0


def _packed(carried: Carried) -> str:
    """Return it compressed: hundreds of people are named again and again in it."""
    return base64.b64encode(zlib.compress(carried.model_dump_json().encode())).decode()


def _unpacked(value: Any) -> Any:
    return Carried.model_validate_json(zlib.decompress(base64.b64decode(value))) if isinstance(value, str) else value


class Run(Order):
    """What a run begins with: the order, and what another run knew that began with it."""

    carried: Annotated[Carried, BeforeValidator(_unpacked), PlainSerializer(_packed, return_type=str)] | None = None


def fits(run: Run) -> bool:
    """Return whether the engine takes what a run begins with; else the request has to go on in the run it is in."""
    return len(run.model_dump_json().encode()) <= MOST_BEGUN_WITH
