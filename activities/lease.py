"""How long an attempt may still begin a write: a worker that lost touch with the engine must not act late.

The engine gives an attempt up when its heartbeats stay away, and lets another worker try. The first worker may only be
slow, frozen or cut off: what it writes after that, nobody expects any more. So a connector asks `may_write` right
before each write.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from activities.errors import Transient

# Goes on while the machine is suspended, where the system has such a clock.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_ends: ContextVar[float | None] = ContextVar("lease_ends", default=None)


@contextmanager
def lease(seconds: float) -> Iterator[None]:
    """Let writes begin for that long, in this thread."""
    token = _ends.set(time.clock_gettime(_CLOCK) + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def may_write() -> None:
    """Return if a write may begin now.

    Raises:
        Transient: this attempt has taken so long that another may have begun.
    """
    ends = _ends.get()
    if ends is not None and time.clock_gettime(_CLOCK) > ends:
        raise Transient("this attempt took too long to begin a write; it is left to the next one")
