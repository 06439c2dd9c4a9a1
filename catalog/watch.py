"""What is looked after while requests wait: timers that should have fired, and who is asked to approve.

Whatever a request waits for until a moment, a durable timer ends. If the record still shows the wait after that
moment, the timer has not fired or what it led to did not reach the record.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from catalog.model import Model
from catalog.people import OPERATORS
from catalog.request import Notice, Order, Projection, Task, Waiting

GRACE = timedelta(minutes=2)
"""How long a timer may take to be seen on record: workers are busy, and a register that was away is waited for."""


class LateTimer(Model):
    """A timer of an open request that has not been seen to fire.

    Attributes:
        what: what the request waits for.
        until: when that should have ended; the earliest such moment of the request.
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


def next_wait(projection: Projection) -> Waiting | None:
    """Return which of a request's waits should end first; None if none ends by itself."""
    ending = [(waiting.until, place) for place, waiting in enumerate(projection.waiting) if waiting.until]
    return projection.waiting[min(ending)[1]] if ending else None


def notice(late: LateTimer, item: str) -> Notice:
    """Return what the operators are told about a late timer, once."""
    return Notice(
        event=f"watchdog:{late.number}/{late.until.isoformat()}",
        template="late-timer",
        to=OPERATORS,
        data={"number": late.number, "item": item, "what": late.what, "until": late.until.isoformat()},
    )
