"""The activity that writes a request's journal and state into the register."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import activity

from activities.ports import Journal
from catalog.request import Batch


class JournalWriter:
    """Writes batches; tells `written` after each, so that notices go out without delay."""

    def __init__(self, journal: Journal, written: Callable[[], None] = lambda: None) -> None:
        self._journal = journal
        self._written = written

    @activity.defn(name="journal.record")
    def record(self, batch: Batch) -> None:
        """Write one batch; idempotent, so it may be repeated after any failure."""
        self._journal.record(batch)
        if batch.notices:
            self._written()
