"""Waiting: always on record, and over as soon as the request is called off."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime

from temporalio import workflow

from workflows.ending import Ended
from workflows.messages import Cancel, Replaced
from workflows.record import Record

with workflow.unsafe.imports_passed_through():
    from catalog.request import Outcome, Waiting

BY_ANOTHER = "request.replaced"
"""The rule by which a request ends because another one takes its place."""


class Patience:
    """The one way a request waits for people and for time.

    Attributes:
        called_off: the command by which the request was called off, once it was.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self.called_off: Cancel | None = None

    def stop_if_called_off(self) -> None:
        """Raise `Ended` if somebody called the request off, or ordered another one in its place."""
        if isinstance(self.called_off, Replaced):
            by, new = self.called_off.actor, self.called_off.number
            reason = self.called_off.reason
            raise Ended(Outcome.SUPERSEDED, reason, rule=BY_ANOTHER, by=by, replaced_by=new)
        if self.called_off:
            actor = self.called_off.actor
            reason = self.called_off.reason or f"{actor.person.name} called it off."
            raise Ended(Outcome.CANCELLED, reason, by=actor)

    async def wait(
        self, waiting: Waiting, done: Callable[[], bool], *, cancellable: bool = True, wake_at: datetime | None = None
    ) -> bool:
        """Say what is waited for, then wait; false if time came first: `wake_at`, or else `waiting.until`.

        Raises:
            Ended: the request was called off meanwhile.
        """

        def over() -> bool:
            return done() or (cancellable and self.called_off is not None)

        key = self._record.waits_for(waiting)
        try:
            await self._record.flush()
            until = wake_at or waiting.until
            left = until - workflow.now() if until else None
            # When time and a decision fall into the same moment, `done` tells which of them counted.
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(over, timeout=left, timeout_summary=waiting.at_deadline or None)
        finally:
            self._record.waited_for(key)
        if not done() and cancellable:
            self.stop_if_called_off()
        return done()
