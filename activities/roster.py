"""The activity that looks whether open approvals still ask the people whom their rules name (feature row A5).

A directory tells nobody when somebody leaves, a group changes or a manager does. So it is asked again at intervals, as
it was when the stage began; what has changed is told to the requests, which look up for themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

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
from catalog.request import Order, Task

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

    def __init__(
        self, approvals: OpenApprovals, approvers: Approvers, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._approvals = approvals
        self._approvers = approvers
        self._clock = clock

    @activity.defn(name="roster.look", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def look(self, after: int | None) -> Looked:
        """Look at the next requests that wait for approval, oldest first; changes nothing."""
        found = self._approvals.open_approvals(after, AT_ONCE)
        changed = [
            ChangedPeople(number=one.order.number, stages=tuple(self._changed(one.order, one.tasks)))
            for one in found.items
        ]
        return Looked(changed=tuple(one for one in changed if one.stages), next=found.next)

    def _changed(self, order: Order, tasks: tuple[Task, ...]) -> Iterator[str]:
        """Yield the stages that would ask others; what cannot be worked out now is left to the request itself."""
        at = self._clock()
        known = names.of_order(order, at)
        stages = {stage.id: stage for stage in order.stages}
        for task in tasks:
            stage = stages.get(task.stage or "")
            if stage is None or not task.named:
                continue  # asked in the middle of the work, where rules may use results, or by an earlier release
            try:
                query = ApproversQuery.for_stage(order, stage, plan.wanted(stage, known), at)
                slate = slates.slate(stage, self._approvers.find(query), order.parties, at)
            except (ExpressionError, NotFound):
                continue
            if slate.fingerprint() != task.named:
                yield stage.id
