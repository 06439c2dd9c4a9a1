"""Ends what the supervisor started and did not end itself, however the supervisor ended.

Run by the supervisor as a file, with the reading end of a pipe as standard input. Every child writes its process id
into the pipe before it becomes what it is to be, and nobody but the supervisor keeps the writing end. So the pipe
ends when the supervisor does, ``kill -9`` included, and by then every child has been named. The supervisor writes the
same number with a minus for each child it has ended. It only needs the standard library and any POSIX system.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress


def end(group: int, number: signal.Signals) -> None:
    """Send a signal to all processes of a group, if there are any left."""
    # A group of none but zombies is refused by some systems rather than not found.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def left(numbers: Iterable[int]) -> list[int]:
    """Return the groups that were named and not ended, in the order they were named."""
    groups: dict[int, None] = {}
    for number in numbers:
        if number > 0:
            groups[number] = None
        else:
            groups.pop(-number, None)
    return list(groups)


def main() -> None:
    """Wait for the pipe to end, then end every group that is left: the last first, by SIGKILL after a grace."""
    grace = float(sys.argv[1])
    groups = left(int(line) for line in sys.stdin)
    for group in reversed(groups):
        end(group, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(_is_there(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        end(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
