"""How requests end."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from catalog.model import Model
    from catalog.people import Actor
    from catalog.request import Outcome


class Closure(Model):
    """How a request ended: the result of its workflow."""

    number: str
    outcome: Outcome
    reason: str


class Ended(Exception):
    """The request is over: raised by whatever finds that out, taken by `RequestFrame.conduct`. Not a failure.

    Attributes:
        replaced_by: number of the request that takes its place, if one does.
    """

    def __init__(
        self, outcome: Outcome, reason: str, *, rule: str = "", by: Actor | None = None, replaced_by: str = ""
    ) -> None:
        super().__init__(reason)
        self.outcome, self.reason, self.rule, self.by, self.replaced_by = outcome, reason, rule, by, replaced_by
