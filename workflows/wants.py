"""People that have to be looked up for an open stage, and who was found; both only pass between desk and look-up."""

from __future__ import annotations

from typing import NamedTuple

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from catalog.people import PersonRef
    from catalog.slate import NOBODY, Named, Slate


class Want(NamedTuple):
    """People that have to be looked up for a stage.

    Attributes:
        kind: ``again``: its own, since they may have changed; ``escalate``: those of that level; ``nobody``: its own,
            once an operator has seen to it that there are enough.
        rule: why.
    """

    kind: str
    level: int = 0
    rule: str = ""


class LookedUp(NamedTuple):
    """Who was found for a stage that is open.

    Attributes:
        slate: whom its rules name.
        levels, above: of which levels of escalation people decide, and these; None if it was not escalated.
        others, beside: those whom no rule names as they were looked up, and who of them was found.
    """

    slate: Slate
    levels: tuple[int, int] | None = None
    above: Slate | None = None
    others: tuple[PersonRef, ...] = ()
    beside: Slate = NOBODY

    def gone(self) -> tuple[str, ...]:
        """Return who of the others is no longer there, by id."""
        there = {seat.person.id for seat in self.beside.seats}
        return tuple(person.id for person in self.others if person.id not in there)

    def named(self) -> Named:
        """Return what to compare with when people may have changed."""
        return Named(
            own=self.slate.fingerprint(),
            wanted=self.slate.wanted,
            levels=self.levels,
            above=self.above.fingerprint() if self.above else "",
            wanted_above=self.above.wanted if self.above else None,
            others=tuple(person.login for person in self.others),
            beside=self.beside.fingerprint() if self.others else "",
        )
