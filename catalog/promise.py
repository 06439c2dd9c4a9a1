"""By when an open request is likely to be done, from how long earlier requests of its item took (feature row S8).

A request stands at a milestone. Those before it that came to their end with what was ordered tell how long it took
from there; what has gone by already is known too, so that only those that lasted longer still say anything. With too
few of them, what stands is what was promised. Where the earlier ones are kept is the register's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from catalog.model import Model
from catalog.request import Order, Projection, Status

ENOUGH = 20
"""Fewer earlier requests tell nothing."""
NEWEST = 200
"""So many earlier requests are looked at: how an item is fulfilled changes with the years."""
ORDERED = "ordered"
"""The milestone of a request that nobody has been asked about yet."""

_MINUTE = timedelta(minutes=1)


class Promise(Model):
    """When a request is done: as often as not by `p50`, nine times of ten by `p90`; to the minute, rounded up.

    Attributes:
        cases: how many earlier requests it was read from, or too few of them.
        basis: ``history``, or ``sla``: what was promised, for want of enough earlier ones; then both moments are it.
    """

    p50: datetime
    p90: datetime
    cases: int
    basis: Literal["history", "sla"]


def promise(samples: Sequence[timedelta], now: datetime, since: datetime, fallback: datetime) -> Promise:
    """Return what earlier requests say of one that has been at its milestone since `since`.

    Only those count that took longer than it has taken yet, once there are `ENOUGH` to go by. When few of these are
    left, 90 % is the longest of them, the widest that was ever seen; when none is left, history has nothing to say.
    Neither moment lies before `now`. Percentiles are by the nearest rank: of n cases in order, the ⌈n·p/100⌉-th, so
    that each is a length that really occurred.

    Args:
        samples: how long earlier requests of the same item took from the same milestone to their end.
        now: aware, as the other moments are.
        since: when this one reached the milestone.
        fallback: by when it is promised otherwise.
    """
    passed = now - since
    longer = sorted(sample for sample in samples if sample > passed) if len(samples) >= ENOUGH else []
    if not longer:
        owed = _to_the_minute(max(fallback, now))
        return Promise(p50=owed, p90=owed, cases=0 if len(samples) >= ENOUGH else len(samples), basis="sla")
    p90 = nearest_rank(longer, 90) if len(longer) >= ENOUGH else longer[-1]
    return Promise(
        p50=_to_the_minute(since + nearest_rank(longer, 50)),
        p90=_to_the_minute(since + p90),
        cases=len(longer),
        basis="history",
    )


def nearest_rank(ordered: Sequence[timedelta], percent: int) -> timedelta:
    """Return a percentile of one or more lengths in ascending order: the smallest that `percent` % do not exceed."""
    return ordered[max(-(-len(ordered) * percent // 100), 1) - 1]


def _to_the_minute(at: datetime) -> datetime:
    """Return the next full minute: seconds would say more than is known, and differ with every look."""
    whole = at.replace(second=0, microsecond=0)
    return whole if whole == at else whole + _MINUTE


def milestone(projection: Projection) -> str | None:
    """Return where a request stands on its way: ``approval:<stage id>``, ``fulfilment`` …; None if it is not on it.

    Stages side by side are one milestone, ``approval:finance+security``: the way from there differs from either's.
    A request that is over, or being undone, has nothing to promise.
    """
    match projection.status:
        case Status.CLOSED | Status.ROLLBACK:
            return None
        case Status.ACCEPTED | Status.CHECKING:
            return ORDERED
        case Status.APPROVAL:
            return ":".join(("approval", *_open_stages(projection)))
        case _:
            return projection.status.value


def _open_stages(projection: Projection) -> tuple[str, ...]:
    """Return the stages that are open now, as one name; nothing if there is none."""
    tasks = (task for task in projection.tasks if task.kind == "approval" and task.decided is None)
    names = sorted({task.stage for task in tasks if task.stage})
    return ("+".join(names),) if names else ()


def kind_of(order: Order) -> str:
    """Return under what the history of such orders is kept: the item's id.

    The parent of one item for several people lasts as long as the slowest of them, and has a history of its own.
    """
    several = any(line.item == order.item.id for line in order.lines)
    return f"{order.item.id}/several" if several else order.item.id


def fallback(due_at: datetime, projection: Projection) -> datetime:
    """Return by when a request is promised without any history: its SLA, or the last deadline open now if later.

    Args:
        due_at: when the promise of the item's SLA is over.
        projection: where the request stands.
    """
    return max([due_at, *(waiting.until for waiting in projection.waiting if waiting.until)])
