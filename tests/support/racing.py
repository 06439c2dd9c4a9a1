"""Orders of the same thing that are placed at once, in threads: which are taken, and what the others are told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MOST_THREADS = 8
Refused = TypeVar("Refused", bound=Exception)


def raced(order: Callable[[int], str], times: int, refused: type[Refused]) -> tuple[list[str], list[Refused]]:
    """Order so many times, in up to eight threads that begin at the same moment.

    Args:
        order: place the order of this turn, counted from 0, and return its number.
        times: how often.
        refused: what it raises if it is not taken.

    Returns:
        The numbers of the orders that were taken, and what was raised for the others.
    """

    def attempt(turn: int) -> str | Refused:
        try:
            return order(turn)
        except refused as error:
            return error

    together = min(times, MOST_THREADS)
    with ThreadPoolExecutor(together, initializer=threading.Barrier(together, timeout=10).wait) as threads:
        answers = list(threads.map(attempt, range(times)))
    return [one for one in answers if isinstance(one, str)], [one for one in answers if not isinstance(one, str)]
