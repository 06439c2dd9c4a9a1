"""The journal port in memory: keeps what the register would, by the same rules."""

from __future__ import annotations

import threading

from activities.errors import Transient
from catalog.journal import Entry
from catalog.request import Batch, Notice, Projection


class MemoryJournal:
    """See the module.

    Attributes:
        fail_next: how many of the next writes fail as if the database were down.
        batches: every batch that was written, in order.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, dict[int, Entry]] = {}
        self._projections: dict[str, Projection] = {}
        self._notices: dict[tuple[str, str], Notice] = {}
        self.fail_next = 0
        self.batches: list[Batch] = []

    def record(self, batch: Batch) -> bool:
        """Write a batch; see `activities.ports.Journal`."""
        with self._lock:
            if self.fail_next > 0:
                self.fail_next -= 1
                raise Transient("the database is down")
            number, projection = batch.projection.number, batch.projection
            kept, stood = self._entries.setdefault(number, {}), self._projections.get(number)
            standing = {seq: entry.digest for seq, entry in kept.items()}
            changed = batch.first_changed(standing)
            if changed and stood and (projection.step, projection.updated_at) <= (stood.step, stood.updated_at):
                return True
            if not batch.fits(standing):
                return False
            self.batches.append(batch)
            if changed:
                # done again because the engine did not keep the first version: the later one takes its place
                self._entries[number] = kept = {seq: entry for seq, entry in kept.items() if seq < changed}
            for entry in batch.entries:
                kept.setdefault(entry.seq, entry)
            if changed or stood is None or stood.seq < projection.seq:
                self._projections[number] = batch.over(stood.tasks if stood else ())
            for notice in batch.notices:
                self._notices.setdefault((notice.event, notice.to.id), notice)
            return True

    def entries(self, number: str) -> list[Entry]:
        """Return a request's entries, in order."""
        with self._lock:
            return [entry for _, entry in sorted(self._entries.get(number, {}).items())]

    def projection(self, number: str) -> Projection | None:
        """Return what is shown of a request, if anything was written yet."""
        with self._lock:
            return self._projections.get(number)

    def notices(self, number: str) -> list[Notice]:
        """Return the notices a request owes or owed, in order."""
        with self._lock:
            return [notice for (event, _), notice in self._notices.items() if event.startswith(f"{number}/")]
