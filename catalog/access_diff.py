"""What access an order changes, as far as that can be told before it is carried out (feature row A19).

The same expressions that later give and take places in groups, evaluated with what the order says now. What other
systems change, what an item orders in turn and what ends badly is not foreseen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import dropwhile
from typing import Any, NamedTuple

from catalog import expression, names, plan
from catalog.data import fill, holds, needs_results
from catalog.expression import ExpressionError
from catalog.model import Model
from catalog.request import Order
from catalog.steps import MAX_LOOPED, ForEachStep, GrantStep, ParallelStep, RevokeStep, Step, walk
from catalog.wording import called


class Change(Model):
    """A place in a group that somebody gets or loses.

    Attributes:
        login: whose.
        group: its name.
        gains: whether they get it; else they lose it.
        for_a_while: whether the same order takes that back in the end.
        perhaps: whether only the work itself will tell if it comes to that.
        already: whether it is so before, and nothing changes; None if that is not known.
    """

    login: str
    group: str
    gains: bool
    for_a_while: bool = False
    perhaps: bool = False
    already: bool | None = None


class Outlook(Model):
    """What an order changes.

    Attributes:
        changes: every place, in the order in which they are first touched.
        later: steps that give or take a place of which it cannot be told yet which; by what they are called.
    """

    changes: tuple[Change, ...] = ()
    later: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.later)

    def gained(self, login: str) -> tuple[str, ...]:
        """Return the groups that somebody is not in now and will be: for good, for a while, or perhaps."""
        return tuple(one.group for one in self.changes if one.login == login and one.gains and not one.already)

    def lost(self, login: str) -> tuple[str, ...]:
        """Return the groups that somebody is in now and will not be: for good, for a while, or perhaps."""
        return tuple(one.group for one in self.changes if one.login == login and not one.gains and not one.already)


class _Move(NamedTuple):
    """What a step does to one place; without a group, it gives or takes one of which nobody can say yet which."""

    step: str
    login: str = ""
    group: str = ""
    gains: bool = False
    perhaps: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """What the same place has in common, however it is written."""
        return _key(self.login), _key(self.group)


def outlook(order: Order, held: Collection[str] | None, at: datetime) -> Outlook:
    """Return what an order changes.

    Args:
        order: as it stands.
        held: the groups that the beneficiary is directly in; None if that is not known.
        at: when it is looked at, which is what expressions see as ``today``.
    """
    item, whose = order.item, order.beneficiary.login
    moves = list(_Steps().moves(item.steps, names.of_order(order, at)))
    if item.workflow and item.entitlement:  # of an item made of steps it says only who owns what it gives
        moves.append(_Move(item.name, whose, item.entitlement.group, gains=True))
    theirs = None if held is None else {_key(group) for group in held}
    places: dict[tuple[str, str], list[_Move]] = defaultdict(list)
    for move in moves:
        if move.group:
            own = _key(move.login) == _key(whose)
            places[move.place].append(move._replace(login=whose) if own else move)
    changes = (
        _change(touched, None if theirs is None or login != _key(whose) else group in theirs)
        for (login, group), touched in places.items()
    )
    return Outlook(changes=tuple(changes), later=tuple(dict.fromkeys(move.step for move in moves if not move.group)))


def _change(touched: list[_Move], inside: bool | None) -> Change:
    """Return what comes of everything that is done to one place; `inside` says whether it is taken before."""
    # What is so already is nothing new; the first move that is not says what becomes of it.
    real = list(dropwhile(lambda move: move.gains == inside, touched))
    told = real or touched
    return Change(
        login=touched[0].login,
        group=touched[0].group,
        gains=told[0].gains,
        for_a_while=told[0].gains != told[-1].gains,
        perhaps=any(move.perhaps for move in real),
        already=None if inside is None else not real,
    )


class _Steps:
    """Goes through the steps of one order, as far as they can be told."""

    def __init__(self) -> None:
        self._looped = 0

    def moves(self, steps: tuple[Step, ...], known: Mapping[str, Any]) -> Iterator[_Move]:
        """Yield what steps give and take; of one that cannot be worked out yet, what in it perhaps would."""
        for step in steps:
            try:
                found = list(self._of(step, known))
            except ExpressionError:
                inside = (one for _, one in walk((step,)) if isinstance(one, GrantStep | RevokeStep))
                found = [_perhaps(one, known) for one in inside]
            yield from found

    def _of(self, step: Step, known: Mapping[str, Any]) -> Iterator[_Move]:
        """Yield what a step gives and takes; raises ExpressionError where that cannot be worked out yet."""
        if isinstance(step.when, str) and any(path[0] == "results" for path in expression.references(step.when)):
            raise ExpressionError("whether it is needed depends on what comes before")
        if not holds(step.when, known):
            return
        match step:
            case GrantStep() | RevokeStep():
                yield _move(step, known)
            case ParallelStep():
                yield from _at_once([list(self.moves(branch, known)) for branch in step.branches.values()])
            case ForEachStep():
                rounds = [
                    list(self.moves(step.steps, {**known, step.variable: entry, "position": at + 1}))
                    for at, entry in enumerate(self._entries(step, known))
                ]
                yield from _at_once(rounds) if step.at_once > 1 else (move for moves in rounds for move in moves)
            case _:
                pass

    def _entries(self, step: ForEachStep, known: Mapping[str, Any]) -> list[Any]:
        """Return what a loop goes through; raises ExpressionError if it would not be gone through."""
        if needs_results(step.each):
            raise ExpressionError("what it goes through depends on what comes before")
        entries = plan.entries(fill(step.each, known))
        if self._looped + len(entries) > MAX_LOOPED:
            raise ExpressionError("these are more entries than the loops of a request go through")
        self._looped += len(entries)
        return entries


def _move(step: GrantStep | RevokeStep, known: Mapping[str, Any]) -> _Move:
    """Return what a step does; raises ExpressionError if it cannot be worked out, or could not be carried out."""
    # Guarded, what depends on results could be worked out, and would say nothing.
    if needs_results((step.group, step.to)):
        raise ExpressionError("what earlier steps give is not there yet")
    group, whom = plan.word(fill(step.group, known)), plan.logins(fill(step.to, known))
    if len(whom) != 1 or not whom[0]:
        raise ExpressionError("a group is given to one person at a time")
    return _Move(called(step), whom[0], group, isinstance(step, GrantStep))


def _perhaps(step: GrantStep | RevokeStep, known: Mapping[str, Any]) -> _Move:
    """Return what a step does if it comes to that."""
    try:
        return _move(step, known)._replace(perhaps=True)
    except ExpressionError:
        return _Move(called(step))


def _at_once(lanes: Iterable[list[_Move]]) -> Iterator[_Move]:
    """Yield what is done side by side; what one lane gives and another takes, nobody can say how it ends."""
    lanes = list(lanes)
    doing: dict[tuple[str, str], set[tuple[bool, int]]] = defaultdict(set)
    for at, lane in enumerate(lanes):
        for move in lane:
            doing[move.place].add((move.gains, at))
    for at, lane in enumerate(lanes):
        for move in lane:
            against = any(gains != move.gains and other != at for gains, other in doing[move.place])
            yield _Move(move.step) if against else move


def _key(name: str) -> str:
    """Return a login or the name of a group as directories compare them."""
    return " ".join(name.split()).casefold()
