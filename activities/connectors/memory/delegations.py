"""Delegations in memory, for simulations and unit tests; keeps what the register would, by the same rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from catalog.delegation import MAX_DEPTH, Delegation


class MemoryDelegations:
    """Who may decide in whose place.

    Attributes:
        known: every delegation that was set; a test may add some.
    """

    def __init__(self, known: Iterable[Delegation] = ()) -> None:
        self.known = list(known)

    def touching(self, person_ids: Collection[str], at: datetime) -> tuple[Delegation, ...]:
        """Return what these people and their delegates have delegated; see the port."""
        people, found = set(person_ids), list[Delegation]()
        for _ in range(MAX_DEPTH + 1):
            found = [one for one in self.known if one.person.id in people and one.over_at > at]
            people |= {one.delegate.id for one in found}
        return tuple(found)
