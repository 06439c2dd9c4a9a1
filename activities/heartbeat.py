"""Heartbeats of blocking activities: how the engine learns that a worker died in the middle of one.

Without them an attempt on a killed worker is only given up when its whole time-out is over. The thread starts
beating after the first interval, so that short calls cost nothing at the server. An attempt holds a lease for less
than the time-out, so that one that was given up begins no write any more. What an attempt leaves for the next one
travels in its heartbeats too, so each repeats what was left last.
"""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from temporalio import activity

from activities.lease import lease

P = ParamSpec("P")
R = TypeVar("R")

# Three beats may get lost or late before the engine gives the attempt up.
BEATS_PER_TIMEOUT = 4

# What this attempt has left so far; the thread that beats sees the same list.
_left: ContextVar[list[Any] | None] = ContextVar("left_for_the_next_attempt", default=None)


def heartbeating(call: Callable[P, R]) -> Callable[P, R]:
    """Let a blocking activity beat while it runs, as often as its heartbeat time-out asks."""

    @functools.wraps(call)
    def beating(*args: P.args, **kwargs: P.kwargs) -> R:
        timeout = activity.info().heartbeat_timeout if activity.in_activity() else None
        if not timeout:
            return call(*args, **kwargs)
        over = threading.Event()
        token = _left.set(left_before())
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
            _left.reset(token)

    return beating


def leave(*details: Any) -> None:
    """Leave plain values for the next attempt, in place of what was left before; nothing outside an activity."""
    left = _left.get()
    if left is not None:
        left[:] = details
    if activity.in_activity():
        activity.heartbeat(*details)


def left_before() -> list[Any]:
    """Return what earlier attempts left; empty on the first."""
    return list(activity.info().heartbeat_details) if activity.in_activity() else []


def is_repeated() -> bool:
    """Return whether this is not the first attempt."""
    return activity.in_activity() and activity.info().attempt > 1


def _beat(over: threading.Event, interval: float) -> None:
    while not over.wait(interval):
        activity.heartbeat(*(_left.get() or ()))
