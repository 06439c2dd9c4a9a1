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
from catalog import names, plan
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
        stages = {stage.id: stage for stage in order.stages}
        for task in tasks:
            stage = stages.get(task.stage or "")
            if stage is None or task.named is None:
                continue  # asked in the middle of the work, where rules may use results, or by an earlier release
            with contextlib.suppress(ExpressionError, NotFound):
                wanted = _looked_up(stage, task.named, known)
                if any(self._found(order, stage, one, at) != found for one, found in wanted):
                    yield stage.id

    def _found(self, order: Order, stage: Stage, wanted: Wanted, at: datetime) -> str:
        """Return a digest of whom these rules name now."""
        found = self._approvers.find(ApproversQuery.for_stage(order, stage, wanted, at))
        return slates.slate(stage, found, order.parties, at).fingerprint()


def _looked_up(stage: Stage, named: Named, known: Mapping[str, Any]) -> Iterator[tuple[Wanted, str]]:
    """Yield what was looked up for a stage, and what was found.

    Raises:
        ExpressionError: whom a rule names cannot be worked out.
    """
    yield plan.wanted(stage, known), named.own
    if named.levels:
        yield plan.above(stage, named.levels, known), named.above
    if named.others:
        yield plan.these(named.others), named.beside
