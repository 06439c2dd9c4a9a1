"""The activity that writes a request's journal and state into the register."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from temporalio import activity

from activities.ports import Journal
from catalog.request import Batch

AllTasks = Literal["all-tasks"]


class JournalWriter:
    """Writes batches; tells `written` after each, so that notices go out without delay."""

    def __init__(self, journal: Journal, written: Callable[[], None] = lambda: None) -> None:
        self._journal = journal
        self._written = written

    @activity.defn(name="journal.record")
    def record(self, batch: Batch) -> AllTasks | None:
        """Write one batch; idempotent, so it may be repeated after any failure.

        Returns:
            None once it is written, as in every release; else that nothing was, and the same is wanted whole.
        """
        if not self._journal.record(batch):
            return "all-tasks"
        if batch.notices:
            self._written()
        return None
