"""Waiting for a condition instead of sleeping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

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
