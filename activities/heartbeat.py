"""Heartbeats of blocking activities: how the engine learns that a worker died in the middle of one.

Without them an attempt on a killed worker is only given up when its whole time-out is over. The thread starts
beating after the first interval, so that short calls cost nothing at the server. An attempt holds a lease for less
than the time-out, so that one that was given up begins no write any more.
"""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from temporalio import activity

from activities.lease import lease

P = ParamSpec("P")
R = TypeVar("R")

# Three beats may get lost or late before the engine gives the attempt up.
BEATS_PER_TIMEOUT = 4


def heartbeating(call: Callable[P, R]) -> Callable[P, R]:
    """Let a blocking activity beat while it runs, as often as its heartbeat time-out asks."""

    @functools.wraps(call)
    def beating(*args: P.args, **kwargs: P.kwargs) -> R:
        timeout = activity.info().heartbeat_timeout if activity.in_activity() else None
        if not timeout:
            return call(*args, **kwargs)
        over = threading.Event()
        context = contextvars.copy_context()  # says to `activity.heartbeat` which activity beats
        interval = timeout.total_seconds() / BEATS_PER_TIMEOUT
        beater = threading.Thread(target=context.run, args=(_beat, over, interval), daemon=True)
        beater.start()
        try:
            # one beat less: the engine counts from the last beat it got, which may have been the first moment
            with lease(timeout.total_seconds() - interval):
                return call(*args, **kwargs)
        finally:
            over.set()
            beater.join()

    return beating


def _beat(over: threading.Event, interval: float) -> None:
    while not over.wait(interval):
        activity.heartbeat()
