"""Counting: what the votes on a stage come to. Only `approval` asks; who may vote at all is settled before.

A stage asks groups of people, put together by an approval expression (feature rows A1, A2). Nothing here depends on
the order of votes: a group is told by what its seats were filled with, an expression by its groups. What is asked twice
is whether the votes suffice, and whether they still could if everybody who is left approved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

from catalog.stages import Asked, Requirement, least_of, parts_of


class Count(NamedTuple):
    """How one group stands.

    Attributes:
        seats: how many people are asked.
        humans: who approved, for one seat or for several: each counts once.
        open: the seats that nobody has filled, by the person they belong to.
        approved: how many seats were filled with an approval.
        above: how many of these by somebody it was escalated to: they stand for everybody they decide instead of.
        weight, open_weight: what the approved and the open seats weigh.
    """

    seats: int
    humans: frozenset[str]
    open: frozenset[str]
    approved: int
    above: int
    weight: int
    open_weight: int


def needed(asked: Asked, seats: int) -> int:
    """Return how many people of a group of that size must approve: at least one, whatever share of whomever it is."""
    match asked.quorum:
        case "all":
            return seats
        case int(number):
            return number
        case str(share) if share.endswith("%"):
            return max(-(-seats * int(share[:-1]) // 100), 1)
        case _:
            return 1


def approves(asked: Asked, count: Count, *, hoping: bool = False) -> bool:
    """Return whether a group approves; with `hoping`, whether it still could."""
    could = len(count.open) if hoping else 0
    if asked.weight is not None:
        return count.weight + (count.open_weight if hoping else 0) >= asked.weight
    if asked.quorum == "all":
        return 0 < count.seats == count.approved + could
    if asked.quorum == "responded" and count.open and not hoping:
        return False
    return len(count.humans) + count.above + could >= needed(asked, count.seats)


def suffices(requirement: Requirement, counts: Sequence[Count], *, distinct: bool, hoping: bool = False) -> bool:
    """Return whether the votes fulfil an expression; with `hoping`, whether they still could.

    Args:
        requirement: the expression.
        counts: how its groups stand, from left to right.
        distinct: whether one human counts for one group only; then it is enough that they can be shared out so.
        hoping: whether all open seats count as approving.
    """
    left = iter(counts)
    if not distinct:
        return _holds(requirement, left, hoping)
    at = iter(range(len(counts)))
    groups: dict[int, Asked] = {}
    for choice in _choices(requirement, at, groups):
        if all(approves(groups[one], counts[one], hoping=hoping) for one in choice):
            wanted = {one: _wanted(groups[one], counts[one], hoping) for one in choice}
            if _shared_out({one: _voters(counts[one], hoping) for one in choice}, wanted):
                return True
    return False


def met(requirement: Requirement, counts: Sequence[Count]) -> list[bool]:
    """Return of each part of an expression whether the votes fulfil it, taken by itself."""
    left = iter(counts)
    return [_holds(part, left, hoping=False) for part in parts_of(requirement)]


def _holds(requirement: Requirement, left: Iterator[Count], hoping: bool) -> bool:
    """Return whether an expression holds; takes the counts of its groups, all of them."""
    if isinstance(requirement, Asked):
        return approves(requirement, next(left), hoping=hoping)
    # A list: every group has to take its count, also when what came before is enough.
    return sum([_holds(part, left, hoping) for part in parts_of(requirement)]) >= least_of(requirement)


def _choices(requirement: Requirement, at: Iterator[int], groups: dict[int, Asked]) -> list[tuple[int, ...]]:
    """Return the sets of groups any of which is enough, by their positions; `groups` learns which stands where."""
    if isinstance(requirement, Asked):
        position = next(at)
        groups[position] = requirement
        return [(position,)]
    inner = [_choices(part, at, groups) for part in parts_of(requirement)]
    chosen = (product(*some) for some in combinations(inner, least_of(requirement)))
    return [tuple(one for choice in mix for one in choice) for mixes in chosen for mix in mixes]


def _voters(count: Count, hoping: bool) -> frozenset[str]:
    return count.humans | count.open if hoping else count.humans


def _wanted(asked: Asked, count: Count, hoping: bool) -> int:
    """Return how many humans a group needs for itself."""
    if asked.quorum == "all":
        return len(_voters(count, hoping))
    return max(needed(asked, count.seats) - count.above, 0)


def _shared_out(voters: Mapping[int, frozenset[str]], wanted: Mapping[int, int]) -> bool:
    """Return whether each group can have as many voters of its own as it needs (bipartite matching, Kuhn 1955).

    A voter moves to another group only if theirs finds somebody else, so a search goes no deeper than there are groups.
    """
    taken: dict[str, int] = {}

    def give(group: int, tried: set[int]) -> bool:
        tried.add(group)
        for human in voters[group]:
            if human not in taken:
                taken[human] = group
                return True
        for human in voters[group]:
            if taken[human] not in tried and give(taken[human], tried):
                taken[human] = group
                return True
        return False

    return all(give(group, set()) for group, number in wanted.items() for _ in range(number))
