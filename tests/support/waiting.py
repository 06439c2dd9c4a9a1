"""Waiting for a condition instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def eventually(check: Callable[[], T], timeout: float = 10, pause: float = 0.02) -> T:
    """Return the first true value of `check`; an AssertionError counts as not yet.

    Raises:
        AssertionError: it was not true within `timeout` seconds; the last failure of `check` is its cause.
    """
    deadline = time.monotonic() + timeout
    while True:
        failure: AssertionError | None = None
        value: T | None = None
        try:
            value = check()
        except AssertionError as error:
            failure = error
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout:g} s; last seen: {failure or value!r}") from failure
        threading.Event().wait(pause)


async def until(check: Callable[[], Any], within: float = 10, pause: float = 0.005) -> Any:
    """Return the first true value of `check`, which may be awaitable, polled while the event loop goes on.

    Raises:
        AssertionError: it was not true within so many seconds.
    """
    deadline = asyncio.get_running_loop().time() + within
    while True:
        value = check()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert asyncio.get_running_loop().time() < deadline, f"not within {within:g} s; last seen: {value!r}"
        await asyncio.sleep(pause)  # between two looks
