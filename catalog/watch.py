"""What is looked after while requests wait: timers that should have fired, and who is asked to approve.

Whatever a request waits for until a moment, a durable timer ends; before that, others have people reminded. If the
record still shows such a moment as the next one after it is over, the timer has not fired or what it led to did not
reach the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from catalog.model import Model
from catalog.people import OPERATORS
from catalog.request import Notice, Order, Projection, Task

GRACE = timedelta(minutes=2)
"""How long a timer may take to be seen on record: workers are busy, and a register that was away is waited for."""


class LateTimer(Model):
    """A timer of an open request that has not been seen to fire.

    Attributes:
        what: what the request waits for, or what people should have been told about.
        until: when it should have fired; the earliest such moment of the request.
        seen_at: when it was first noticed.
    """

    number: str
    what: str
    until: datetime
    seen_at: datetime


class Awaiting(Model):
    """A request that waits for approval: its order as it stands now, and the tasks of its open stages."""

    order: Order
    tasks: tuple[Task, ...]


class AwaitingPage(Model):
    """So many of them; `next` is the cursor of those after it, None when there are no more."""

    items: tuple[Awaiting, ...]
    next: int | None = None


class Timer(NamedTuple):
    """When a timer of a request fires, and what it is about."""

    at: datetime
    what: str


def next_timer(projection: Projection) -> Timer | None:
    """Return which of a request's timers should fire first; None if it has none."""
    return min(_timers(projection), key=lambda timer: timer.at, default=None)


def _timers(projection: Projection) -> Iterator[Timer]:
    if projection.clock_at:
        yield Timer(projection.clock_at, "One of its clocks warns or is breached")
    for waiting in projection.waiting:
        if waiting.until:
            yield Timer(waiting.until, waiting.what)
        if waiting.next_at:
            yield Timer(waiting.next_at, f"People are told about this: {waiting.what}")


def notice(late: LateTimer, item: str) -> Notice:
    """Return what the operators are told about a late timer, once."""
    return Notice(
        event=f"watchdog:{late.number}/{late.until.isoformat()}",
        template="late-timer",
        to=OPERATORS,
        data={"number": late.number, "item": item, "what": late.what, "until": late.until.isoformat()},
    )
