"""The ways from the cards of a picture to its side: to the undos there, and to the end where nothing is fulfilled.

A way leaves its card to the right, or below its row where something stands beside the card. It goes straight into its
target, or by the rail of the target: one line beside the cards of the side, which all ways to that target share. So
two ways run on each other only if they lead to the same place. Where three lines or more meet, there is a dot; where
there is none, they only cross. How it looks is `picture`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from catalog.graph import Edge, Graph
from catalog.layout import Box, Layout

ENTRY = 27.0
"""How far below its upper edge a card at the side is entered: at the height of what a card beside it begins with."""
_ASIDE = 43.0
"""How far below its upper edge a card is left by a way that does not go straight into its target."""
_STUB = 18.0
"""How far from its right edge a card is left downwards."""
_FIRST, _RAILS = 18.0, 40.0
"""Between the side and the first rail, and the room for all rails."""
_RAIL = 12.0
"""Between two rails, if there is room."""
_CLEAR = 8.0
"""Between the end of one rail and the beginning of another in the same place."""

Point = tuple[float, float]


class Way(NamedTuple):
    """A way to the side: its corners, from the card to where it meets its target or its target's rail.

    Attributes:
        below: whether it leaves its card downwards.
    """

    edge: Edge
    points: tuple[Point, ...]
    below: bool


class WayBack(NamedTuple):
    """All that leads back.

    Attributes:
        ways: from the cards.
        rails: their lines; the last stretch into the target belongs to them.
        entries: where they go into cards at the side.
        chain: from each card at the side to the one above it.
        dots: where ways to the same target meet.
    """

    ways: tuple[Way, ...]
    rails: tuple[tuple[Point, ...], ...]
    entries: tuple[Point, ...]
    chain: tuple[tuple[Point, Point], ...]
    dots: tuple[Point, ...]


class _Rail(NamedTuple):
    """The rail of a target: where that is entered, and the heights of the ways that come to the rail."""

    entry: Point
    heights: tuple[float, ...]
    straight: bool
    """Whether another way goes straight into the target."""

    @property
    def top(self) -> float:
        return min(self.entry[1], *self.heights)

    @property
    def bottom(self) -> float:
        return max(self.entry[1], *self.heights)


def way_back(drawn: Graph, laid: Layout) -> WayBack:
    """Return the ways to the side of a picture."""
    side = {edge.target for edge in drawn.edges if edge.kind != "flow"}
    aside = [edge for edge in drawn.edges if edge.kind != "flow" and edge.source not in side]
    entries = {name: _entry(laid.boxes[name]) for name in side}
    heights = {edge.source: _height(edge, laid, entries[edge.target][1]) for edge in aside}
    rails = {}
    for target, entry in entries.items():
        coming = [heights[edge.source] for edge in aside if edge.target == target]
        if asked := tuple(height for height in coming if height != entry[1]):
            rails[target] = _Rail(entry, asked, straight=len(asked) < len(coming))
    places = _places(rails, laid)
    ways = []
    for edge in aside:
        height, entry = heights[edge.source], entries[edge.target]
        end = entry[0] if height == entry[1] else places[edge.target]
        ways.append(_way(edge, laid, height, end))
    return WayBack(
        tuple(ways),
        tuple(line for target, rail in rails.items() for line in _drawn(rail, places[target])),
        tuple(sorted({entries[edge.target] for edge in aside})),
        tuple(_link(laid.boxes[edge.source], laid.boxes[edge.target]) for edge in drawn.edges if edge.source in side),
        tuple(dot for target, rail in rails.items() for dot in _dots(rail, places[target])),
    )


def _entry(box: Box) -> Point:
    return box.x, box.y + ENTRY


def _height(edge: Edge, laid: Layout, entry: float) -> float:
    """Return the height at which a way goes to the side."""
    top = laid.boxes[edge.source].y
    return laid.tracks.get(edge.source, entry if top + ENTRY == entry else top + _ASIDE)


def _places(rails: dict[str, _Rail], laid: Layout) -> dict[str, float]:
    """Return where each rail stands: as near to the side as the others allow, that which comes from below first."""
    columns: list[list[_Rail]] = []
    column: dict[str, int] = {}
    for target, rail in sorted(rails.items(), key=lambda item: -item[1].bottom):
        free = (at for at, taken in enumerate(columns) if not any(_touch(rail, other) for other in taken))
        column[target] = next(free, len(columns))
        if column[target] == len(columns):
            columns.append([])
        columns[column[target]].append(rail)
    step = min(_RAIL, _RAILS / max(len(columns), 1))
    return {target: laid.boxes[target].x - _FIRST - step * at for target, at in column.items()}


def _touch(one: _Rail, other: _Rail) -> bool:
    return one.top < other.bottom + _CLEAR and other.top < one.bottom + _CLEAR


def _way(edge: Edge, laid: Layout, height: float, end: float) -> Way:
    card = laid.boxes[edge.source]
    right = card.x + card.width
    if edge.source in laid.tracks:
        return Way(edge, ((right - _STUB, card.bottom), (right - _STUB, height), (end, height)), below=True)
    return Way(edge, ((right, height), (end, height)), below=False)


def _drawn(rail: _Rail, x: float) -> Iterator[tuple[Point, ...]]:
    """Yield the lines of a rail: from one end into the target, and from the other end if the target is in between."""
    height = rail.entry[1]
    first, *rest = (end for end in (rail.bottom, rail.top) if end != height)
    yield (x, first), (x, height), rail.entry
    yield from (((x, end), (x, height)) for end in rest)


def _link(lower: Box, upper: Box) -> tuple[Point, Point]:
    return (lower.middle, lower.y), (upper.middle, upper.bottom)


def _dots(rail: _Rail, x: float) -> Iterator[Point]:
    """Yield where three lines or more meet on a rail."""
    for height in sorted({rail.entry[1], *rail.heights}):
        lines = (height > rail.top) + (height < rail.bottom)
        lines += rail.heights.count(height)
        lines += (1 + rail.straight) if height == rail.entry[1] else 0
        if lines > 2:  # noqa: PLR2004  two are a corner
            yield x, height
