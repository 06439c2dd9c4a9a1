"""What access an order changes, as far as that can be told before it is carried out (feature row A19).

The same expressions that later give and take places in groups, evaluated with what the order says now. What other
systems change, what an item orders in turn and what ends badly is not foreseen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from catalog import names, plan
from catalog.data import fill, holds, texts
from catalog.expression import ExpressionError, references
from catalog.model import Model
from catalog.request import Order
from catalog.steps import (
    MAX_ENTRIES,
    MAX_LOOPED,
    ForEachStep,
    GrantStep,
    ParallelStep,
    RevokeStep,
    Step,
    walk,
)
from catalog.wording import called


class Change(Model):
    """A place in a group that somebody gets or loses.

    Attributes:
        login: whose.
        group: its name.
        gains: whether they get it; else they lose it.
        for_a_while: whether the same order takes that back in the end.
        already: whether it is so before; None if that is not known.
    """

    login: str
    group: str
    gains: bool
    for_a_while: bool = False
    already: bool | None = None


class Outlook(Model):
    """What an order changes.

    Attributes:
        changes: every place, in the order in which they are first touched.
        later: steps that give or take a place of which nobody can say yet which; by what they are called.
    """

    changes: tuple[Change, ...] = ()
    later: tuple[str, ...] = ()

    def gained(self, login: str) -> tuple[str, ...]:
        """Return the groups that somebody is in afterwards, or for a while, and is not in now."""
        return tuple(one.group for one in self.changes if one.login == login and one.gains and not one.already)

    def lost(self, login: str) -> tuple[str, ...]:
        """Return the groups that somebody is in now, and is not in afterwards or for a while."""
        return tuple(one.group for one in self.changes if one.login == login and not one.gains and not one.already)


class _Move(NamedTuple):
    """A step that gives or takes a place; where `group` is empty, it is known by its name only."""

    group: str
    login: str = ""
    gains: bool = False
    step: str = ""


def outlook(order: Order, held: Collection[str] | None, at: datetime) -> Outlook:
    """Return what an order changes.

    Args:
        order: as it stands.
        held: the groups that the beneficiary is directly in; None if that is not known.
        at: when it is looked at, which is what expressions see as ``today``.
    """
    moves = list(_Steps().moves(order.item.steps, names.of_order(order, at)))
    if order.item.entitlement is not None:
        moves.insert(0, _Move(order.item.entitlement.group, order.beneficiary.login, gains=True))
    places: dict[tuple[str, str], list[bool]] = {}
    for move in moves:
        if move.group:
            places.setdefault((move.login, move.group), []).append(move.gains)
    return Outlook(
        changes=tuple(
            Change(
                login=login,
                group=group,
                gains=gives[0],
                for_a_while=gives[0] != gives[-1],
                already=(group in held) == gives[0] if held is not None and login == order.beneficiary.login else None,
            )
            for (login, group), gives in places.items()
        ),
        later=tuple(dict.fromkeys(move.step for move in moves if not move.group)),
    )


class _Steps:
    """Goes through the steps of one order, as far as they can be told."""

    def __init__(self) -> None:
        self._looped = 0

    def moves(self, steps: tuple[Step, ...], known: Mapping[str, Any]) -> Iterator[_Move]:
        """Yield what steps give and take; of one that cannot be worked out yet, what in it would."""
        for step in steps:
            inside = [one for _, one in walk((step,)) if isinstance(one, GrantStep | RevokeStep)]
            try:
                found = list(self._of(step, known)) if inside else []
            except ExpressionError:
                found = [_Move("", step=called(one)) for one in inside]
            yield from found

    def _of(self, step: Step, known: Mapping[str, Any]) -> Iterator[_Move]:
        """Yield what a step gives and takes; raises ExpressionError where that cannot be worked out yet."""
        _told(step.when, template=False)
        if not holds(step.when, known):
            return
        match step:
            case GrantStep() | RevokeStep():
                _told(step.group, step.to)
                group = plan.word(fill(step.group, known))
                for login in plan.logins(fill(step.to, known)):
                    yield _Move(group, login, gains=isinstance(step, GrantStep))
            case ParallelStep():
                for branch in step.branches.values():
                    yield from self.moves(branch, known)
            case ForEachStep():
                _told(step.each)
                for at, entry in enumerate(self._entries(fill(step.each, known))):
                    yield from self.moves(step.steps, {**known, step.variable: entry, "position": at + 1})
            case _:
                pass

    def _entries(self, value: Any) -> list[Any]:
        """Return what a loop goes through; raises ExpressionError if it would not be gone through."""
        entries = [] if value is None else value
        if not isinstance(entries, list):
            raise ExpressionError("for_each goes through a list; this is none")
        self._looped += len(entries)
        if len(entries) > MAX_ENTRIES or self._looped > MAX_LOOPED:
            raise ExpressionError("these are more entries than loops go through")
        return entries


def _told(*written: Any, template: bool = True) -> None:
    """Raise ExpressionError if expressions name results: guarded, they could be read now, and would say nothing."""
    for text in texts(written):
        if any(path[0] == "results" for path in references(text, template=template)):
            raise ExpressionError("what earlier steps give is not there yet")
