"""Ends what the supervisor started, if the supervisor itself is gone, however it ended.

Run by the supervisor as a file, with the reading end of a pipe as standard input. Every child writes its process id
into the pipe before it becomes what it is to be, and nobody but the supervisor keeps the writing end. So the pipe
ends when the supervisor does, ``kill -9`` included, and by then every child has been named. A stop in good order
ends the warden before the pipe. It only needs the standard library and any POSIX system.
"""

from __future__ import annotations

import os
import signal
import sys
import time
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


def main() -> None:
    """Wait for the pipe to end, then end every named group: the last first, by SIGKILL after a grace in seconds."""
    grace = float(sys.argv[1])
    groups = [int(line) for line in sys.stdin]
    for group in reversed(groups):
        end(group, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(_is_there(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        end(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
