"""Free ports of 127.0.0.1 that stay free until they are used.

A port that the system picks comes from the range of outgoing connections, and any of those may take it again before
the server under test does. These come from below that range, and each parallel test runner has a part of its own.
"""

from __future__ import annotations

import itertools
import os
import random
import socket

_FIRST, _EACH = 14_000, 2_000
_part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
_offsets = itertools.count(random.SystemRandom().randrange(_EACH))


def free_port() -> int:
    """Return a port that nobody listens on, and that this process gives out once."""
    for offset in _offsets:
        port = _FIRST + _part * _EACH + offset % _EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("the count never ends")
