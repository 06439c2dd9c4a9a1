"""By when an open request is likely to be done, from how long earlier requests of its item took (feature row S8).

A request stands at a milestone. Those before it that came to their end with what was ordered tell how long it took
from there; what has gone by already is known too, so that only those that lasted longer still say anything. With too
few of them, what stands is what was promised. Where the earlier ones are kept is the register's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from catalog import agenda, names
from catalog.ballot import StageStatus
from catalog.calendar import ALWAYS, Calendar
from catalog.model import Model
from catalog.plan import PlannedStage, plan
from catalog.request import Order, Projection, Status, Task, WaitKind
from catalog.stages import Stage

ENOUGH = 20
"""Fewer earlier requests tell nothing."""
NEWEST = 200
"""So many earlier requests are looked at: how an item is fulfilled changes with the years."""
ORDERED = "ordered"
"""The milestone of a request that nobody has been asked about yet."""

_MINUTE = timedelta(minutes=1)


class Promise(Model):
    """When a request is done: as often as not by `p50`, nine times of ten by `p90`.

    Attributes:
        p50, p90: to the minute, rounded up, if earlier requests say so; of what was promised the very moment.
        cases: how many earlier requests it was read from, or too few of them.
        basis: ``history``, or ``sla``: what was promised, because history has nothing to say; then both moments are it.
        outlasted: whether it has nothing to say because this one has taken longer than all earlier ones did.
    """

    p50: datetime
    p90: datetime
    cases: int
    basis: Literal["history", "sla"]
    outlasted: bool = False


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
    enough = len(samples) >= ENOUGH
    longer = sorted(sample for sample in samples if sample > passed) if enough else []
    if not longer:
        owed = fallback if fallback >= now else _to_the_minute(now)
        return Promise(p50=owed, p90=owed, cases=0 if enough else len(samples), basis="sla", outlasted=enough)
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


def in_turn(
    planned: Iterable[PlannedStage], start: datetime, end: Callable[[PlannedStage, datetime], datetime]
) -> dict[str, datetime]:
    """Return by its id when each stage is over, if each begins as soon as those before it are.

    Args:
        planned: the stages in their order, those that nobody is asked about included.
        start: when those begin that come after no other.
        end: gives when a stage is over that begins at a moment.
    """
    over: dict[str, datetime] = {}
    for one in planned:
        over[one.stage.id] = end(one, max((over[name] for name in one.after), default=start))
    return over


def fallback(order: Order, projection: Projection, now: datetime) -> datetime:
    """Return by when a request is promised without any history: its SLA, or the sum of its stages' time if later.

    Everybody who decides is given all their time: where they are asked already what is left of it, then that of each
    stage that comes after. Who decides a stage to come is not known yet, so that working time is counted in the
    stage's own calendar or the company's, as of the order.

    Args:
        order: as it stands now.
        projection: where the request stands.
        now: aware.
    """
    begin = max(order.accepted_at, now.replace(second=0, microsecond=0))  # so that it differs once a minute at most
    over = _stages_over(order, projection, begin) if projection.status in _BEFORE_THE_WORK else {}
    ends = (waiting.until for waiting in projection.waiting if waiting.until)
    return max((order.due_at, *ends, *over.values()))


_BEFORE_THE_WORK = (Status.ACCEPTED, Status.CHECKING, Status.APPROVAL, Status.ATTENTION)
"""Where a request may still have stages before it; operators may be asked for the people of one."""
_CALLED_OFF = (StageStatus.CANCELLED, StageStatus.SUPERSEDED)
"""How the task of a stage ends that is asked once more after a change of the order."""


def _stages_over(order: Order, projection: Projection, begin: datetime) -> dict[str, datetime]:
    """Return when each stage of an order is over, `begin` if it is so already."""
    planned = plan(order.stages, names.of_order(order, order.accepted_at))
    asked = {task.stage: task for task in projection.tasks if task.kind == "approval"}
    tasks = {name: task for name, task in asked.items() if task.decided not in _CALLED_OFF}
    passed = {before for one in planned if one.stage.id in tasks for before in one.after}

    def end(one: PlannedStage, at: datetime) -> datetime:
        task = tasks.get(one.stage.id)
        if task and task.decided is None:
            return max(_end_of(task, projection), begin)
        if task or one.stage.id in passed:
            return begin
        return agenda.end(_calendar(order, one.stage), at, one.stage.decide_within) if one.asks else at

    return in_turn(planned, begin, end)


def _end_of(task: Task, projection: Projection) -> datetime:
    """Return when the time of an open stage is over; while a question stops it, that begins again with the answer."""
    wait = next((one for one in projection.waiting if one.task == task.id), None)
    due = task.due_at or task.opened_at
    if wait is None or wait.kind is not WaitKind.INFORMATION:
        return due
    return (wait.until or wait.since) + max(due - wait.since, timedelta(0))


def _calendar(order: Order, stage: Stage) -> Calendar:
    return order.terms.calendars.get(stage.calendar or "", ALWAYS)
