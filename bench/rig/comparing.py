"""How a benchmark of the whole platform sets it beside something else: its sizes, rounds that take turns, its failure.

What is measured in a round is each benchmark's own.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, TypeVar


class Named(Protocol):
    """What is measured, beside others."""

    name: str


S = TypeVar("S", bound=Named)
R = TypeVar("R")


class Sizes(NamedTuple):
    """How many requests a round has, and how many rounds count."""

    requests: int
    rounds: int


def asked_for(about: str, default: Sizes, *, least: int = 1) -> Sizes:
    """Return the sizes that the command line asks for; it ends with how it is used if there are too few requests."""
    parser = argparse.ArgumentParser(description=about)
    each = "requests per round (default: %(default)s)"
    parser.add_argument("--requests", type=int, default=default.requests, help=each)
    counted = "rounds that count (default: %(default)s)"
    parser.add_argument("--rounds", type=int, default=default.rounds, help=counted)
    options = parser.parse_args()
    if options.requests < least or options.rounds < 1:
        parser.error(f"at least {least} request{'s' if least > 1 else ''} and 1 round are needed")
    return Sizes(options.requests, options.rounds)


@contextmanager
def or_say_why() -> Iterator[None]:
    """End the process with a line if it cannot be measured."""
    logging.getLogger("temporalio").setLevel(logging.ERROR)
    try:
        yield
    except (RuntimeError, TimeoutError, AssertionError) as trouble:
        sys.exit(f"could not measure: {trouble or type(trouble).__name__}")


async def in_turns(sides: Sequence[S], rounds: int, run: Callable[[S, int], Awaitable[R]]) -> dict[str, list[R]]:
    """Return the rounds of each side, which go first in turn; one more, which warms everything up, is left out."""
    ran: dict[str, list[R]] = {side.name: [] for side in sides}
    for n in range(rounds + 1):
        for side in sides if n % 2 else reversed(sides):
            ran[side.name].append(await run(side, n))
    return {name: of[1:] for name, of in ran.items()}
