"""The activity that looks whether open approvals still ask the people whom their rules name (feature row A5).

A directory tells nobody when somebody leaves, a group changes or a manager does. So it is asked again at intervals, as
it was when the stage began; what has changed is told to the requests, which look up for themselves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from temporalio import activity

from activities.approvers import Approvers, ApproversQuery
from activities.errors import NotFound
from activities.heartbeat import heartbeating
from activities.mapping import connector_errors
from activities.ports import OpenApprovals
from catalog import names, plan, steps
from catalog import slate as slates
from catalog.expression import ExpressionError
from catalog.model import Model
from catalog.plan import Wanted
from catalog.request import Order, Task
from catalog.slate import Named
from catalog.stages import Stage

AT_ONCE = 100
"""How many requests one attempt looks at."""


class ChangedPeople(Model):
    """A request, and the stages whose rules name other people now."""

    number: str
    stages: tuple[str, ...]


class Looked(Model):
    """What a look has found; `next` is where the next one begins, None when there is nothing left."""

    changed: tuple[ChangedPeople, ...] = ()
    next: int | None = None


class Roster:
    """Compares who is asked with who would be."""

    def __init__(self, approvals: OpenApprovals, approvers: Approvers) -> None:
        self._approvals = approvals
        self._approvers = approvers

    @activity.defn(name="roster.look", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def look(self, after: int | None) -> Looked:
        """Look at the next requests that wait for approval, oldest first; changes nothing."""
        at = activity.info().started_time
        found = self._approvals.open_approvals(after, AT_ONCE)
        changed = [
            ChangedPeople(number=one.order.number, stages=tuple(self._changed(one.order, one.tasks, at)))
            for one in found.items
        ]
        return Looked(changed=tuple(one for one in changed if one.stages), next=found.next)

    def _changed(self, order: Order, tasks: tuple[Task, ...], at: datetime) -> Iterator[str]:
        """Yield the stages that would ask others; what cannot be worked out now is left to the request itself."""
        known = names.of_order(order, at)
        first = {stage.id: stage for stage in order.stages}
        later = {stage.id: stage for stage in steps.stages(order.item.steps)}
        for task in tasks:
            stage_id = task.stage or ""
            stage = first.get(stage_id) or later.get(stage_id)
            if stage is None or task.named is None:
                continue  # asked by an earlier release
            with contextlib.suppress(ExpressionError, NotFound):
                looked_up = _of_work(task.named) if stage_id in later else _of_order(stage, task.named, known)
                if any(self._found(order, stage, one, at) != found for one, found in looked_up):
                    yield stage_id

    def _found(self, order: Order, stage: Stage, wanted: Wanted, at: datetime) -> str:
        """Return a digest of whom these rules name now."""
        found = self._approvers.find(ApproversQuery.for_stage(order, stage, wanted, at))
        return slates.slate(stage, found, order.parties, at).fingerprint()


def _of_order(stage: Stage, named: Named, known: Mapping[str, Any]) -> Iterator[tuple[Wanted, str]]:
    """Yield what was looked up for a stage of the order, its rules worked out as of now, and what was found.

    Raises:
        ExpressionError: whom a rule names cannot be worked out.
    """
    yield plan.wanted(stage, known), named.own
    if named.levels:
        yield plan.above(stage, named.levels, known), named.above
    yield from _besides(named)


def _of_work(named: Named) -> Iterator[tuple[Wanted, str]]:
    """Yield what was looked up for a stage in the middle of the work, and what was found.

    Its rules may use results that only the request knows, so they are taken as the request has worked them out.
    """
    if named.wanted:
        yield named.wanted, named.own
    if named.wanted_above:
        yield named.wanted_above, named.above
    yield from _besides(named)


def _besides(named: Named) -> Iterator[tuple[Wanted, str]]:
    """Yield those whom no rule of the stage names, and who of them was found."""
    if named.others:
        yield plan.these(named.others), named.beside
