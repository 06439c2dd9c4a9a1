"""Where the nodes of a graph stand in its picture: rows downwards, lanes side by side, the way back beside them.

A layered drawing (Sugiyama, Tagawa and Toda, 1981): rows by the longest way from the beginning, an order in each row
that keeps lanes apart, then places as near to their neighbours as the distances allow. Lengths are pixels; how things
look is `picture`'s business, which says how large each card is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import NamedTuple

from catalog.graph import UNFULFILLED, Edge, Graph

GAP_X, GAP_SIDE = 32.0, 112.0
"""Between cards of a row, and between the rows and the side."""
LANE = 16.0
"""The width that an edge takes up where it passes a row."""
TURN, LEAD = 38.0, 22.0
"""The height in which an edge goes from one lane to another, and in which it comes down to its target."""
WORDS, TRACK = 24.0, 9.0
"""The height of words below a card, and of a way to the side below them."""
_SWEEPS = 6


class Size(NamedTuple):
    """How large a card is."""

    width: float
    height: float


class Box(NamedTuple):
    """Where a card stands: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The middle from left to right."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height


class Line(NamedTuple):
    """An edge: the points it goes through; straight down from the first to the second, then a turn, and so on."""

    edge: Edge
    points: tuple[tuple[float, float], ...]


class Layout(NamedTuple):
    """Where everything stands.

    Attributes:
        boxes: by node; deadlines are part of their card.
        lines: the edges of the way forward.
        tracks: how far down the way from a card to the side goes, to pass what stands beside the card. A card that
            is not here has nothing beside it.
    """

    boxes: dict[str, Box]
    lines: tuple[Line, ...]
    tracks: dict[str, float]
    width: float
    height: float


class _Lanes(NamedTuple):
    """Rows of slots; a slot is a card, or a place that a long edge passes through."""

    rows: list[list[str]]
    above: dict[str, list[str]]
    beneath: dict[str, list[str]]
    ways: list[tuple[Edge, list[str]]]


def lay_out(drawn: Graph, sizes: Mapping[str, Size]) -> Layout:
    """Return where the cards of a graph stand; `sizes` has every node but the deadlines."""
    side = [node.id for node in drawn.nodes if node.kind == "undo" or node.id == UNFULFILLED]
    flow = _without_circles([edge for edge in drawn.edges if edge.kind == "flow"])
    cards = [node.id for node in drawn.nodes if node.kind != "deadline" and node.id not in side]
    ranks = _ranks(cards, flow)
    lanes = _ordered(_lanes(cards, flow, ranks))
    middles = _middles(lanes, {slot: _width(slot, sizes) for row in lanes.rows for slot in row})
    beside = {node.id: node.beside for node in drawn.nodes if node.kind == "undo"}
    stacks: dict[int, list[str]] = defaultdict(list)
    for name in side:
        stacks[ranks[beside[name]] if name in beside else 0].append(name)
    leaving = {edge.source for edge in drawn.edges if edge.kind != "flow"}
    return _placed(lanes, middles, sizes, stacks, leaving)


def _without_circles(flow: Sequence[Edge]) -> list[Edge]:
    """Return the edges but those that close a circle, which lint refuses."""
    kept: list[Edge] = []
    after: dict[str, list[str]] = defaultdict(list)
    for edge in flow:
        reached, ahead = set[str](), [edge.target]
        while ahead:
            node = ahead.pop()
            if node not in reached:
                reached.add(node)
                ahead += after[node]
        if edge.source not in reached:
            kept.append(edge)
            after[edge.source].append(edge.target)
    return kept


def _ranks(cards: Sequence[str], flow: Sequence[Edge]) -> dict[str, int]:
    """Return the row of each card: the longest way to it."""
    ranks = dict.fromkeys(cards, 0)
    for _ in cards:
        for edge in flow:
            ranks[edge.target] = max(ranks[edge.target], ranks[edge.source] + 1)
    return ranks


def _lanes(cards: Sequence[str], flow: Sequence[Edge], ranks: Mapping[str, int]) -> _Lanes:
    """Return the slots of each row in the order in which the graph names them."""
    rows: list[list[str]] = [[] for _ in range(max(ranks.values()) + 1)]
    lanes = _Lanes(rows, defaultdict(list), defaultdict(list), [])
    after: dict[str, list[Edge]] = defaultdict(list)
    for edge in flow:
        after[edge.source].append(edge)
    for card in cards:
        rows[ranks[card]].append(card)
        for at, edge in enumerate(after[card]):
            passed = [f"{card}>{edge.target}#{at}@{row}" for row in range(ranks[card] + 1, ranks[edge.target])]
            way = [card, *passed, edge.target]
            for slot in passed:
                rows[int(slot.rpartition("@")[2])].append(slot)
            for upper, lower in pairwise(way):
                lanes.beneath[upper].append(lower)
                lanes.above[lower].append(upper)
            lanes.ways.append((edge, way))
    return lanes


def _ordered(lanes: _Lanes) -> _Lanes:
    """Return the lanes with the slots of each row ordered by where their neighbours are, which avoids crossings."""
    place = {slot: float(at) for row in lanes.rows for at, slot in enumerate(row)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        near = lanes.above if down else lanes.beneath
        for row in lanes.rows if down else reversed(lanes.rows):
            row.sort(key=lambda slot: _mean([place[one] for one in near[slot]], place[slot]))
            place.update({slot: float(at) for at, slot in enumerate(row)})
    return lanes


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _middles(lanes: _Lanes, widths: Mapping[str, float]) -> dict[str, float]:
    """Return the middle of every slot: rows begin side by side, then slots move towards their neighbours."""
    middles: dict[str, float] = {}
    for row in lanes.rows:
        middles.update(zip(row, _apart([0.0] * len(row), [widths[slot] for slot in row]), strict=True))
    for sweep in range(_SWEEPS * 2 + 1):
        down = sweep % 2 == 0  # the last one too, which puts cards straight below each other
        for row in lanes.rows if down else reversed(lanes.rows):
            near = lanes.above if down else lanes.beneath
            wanted = [_mean([middles[one] for one in near[slot]], middles[slot]) for slot in row]
            middles.update(zip(row, _apart(wanted, [widths[slot] for slot in row]), strict=True))
    return middles


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return places in this order, far enough apart and as near as possible (least squares) to the wanted ones.

    Pool adjacent violators: neighbours that come too near move together, around the mean of what they want.
    """
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + GAP_X)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, size = want - offset, 1
        while pools and pools[-1][0] > mean:
            before, many = pools.pop()
            mean, size = (before * many + mean * size) / (many + size), many + size
        pools.append((mean, size))
    shifts = [mean for mean, size in pools for _ in range(size)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]


def _placed(
    lanes: _Lanes,
    middles: Mapping[str, float],
    sizes: Mapping[str, Size],
    stacks: Mapping[int, list[str]],
    leaving: AbstractSet[str],
) -> Layout:
    """Return the cards in their places; `leaving` are those from which a way leads to the side."""
    left = min(middle - _width(slot, sizes) / 2 for slot, middle in middles.items())
    right = max(middle + _width(slot, sizes) / 2 for slot, middle in middles.items()) - left
    boxes: dict[str, Box] = {}
    rows: dict[str, _Row] = {}
    tracks: dict[str, float] = {}
    top = 0.0
    for at, slots in enumerate(lanes.rows):
        cards = [slot for slot in slots if slot in sizes]
        placed = {card: Box(middles[card] - _width(card, sizes) / 2 - left, top, *sizes[card]) for card in cards}
        placed |= _stacked(stacks.get(at, []), right + GAP_SIDE, top, sizes)
        boxes |= placed
        bottom = max(box.bottom for box in placed.values())
        # The one farthest to the right on top: so none crosses the way down of another.
        under = [card for card in reversed(cards) if card in leaving and card != slots[-1]]
        tracks |= {card: bottom + WORDS + TRACK * track for track, card in enumerate(under)}
        row = _Row(top, bottom + (WORDS + TRACK * len(under) if under else 0))
        rows |= dict.fromkeys(slots, row)
        top = row.end + TURN + LEAD
    lines = []
    for edge, way in lanes.ways:
        passed = [(middles[slot] - left, rows[slot]) for slot in way[1:-1]]
        lines.append(Line(edge, tuple(_points(boxes[way[0]], rows[way[0]], passed, boxes[way[-1]]))))
    width = max(box.x + box.width for box in boxes.values())
    height = max(box.bottom for box in boxes.values())
    return Layout(boxes, tuple(lines), tracks, width, height)


def _width(slot: str, sizes: Mapping[str, Size]) -> float:
    return sizes[slot].width if slot in sizes else LANE


class _Row(NamedTuple):
    """From where to where a row reaches, with the ways to the side below it."""

    top: float
    end: float


def _stacked(names: Sequence[str], x: float, top: float, sizes: Mapping[str, Size]) -> dict[str, Box]:
    """Return the places of cards at the side, one below the other."""
    boxes: dict[str, Box] = {}
    for name in names:
        boxes[name] = Box(x, top, *sizes[name])
        top = boxes[name].bottom + (TURN + LEAD) / 2
    return boxes


def _points(source: Box, row: _Row, passed: Sequence[tuple[float, _Row]], target: Box) -> list[tuple[float, float]]:
    """Return the points of an edge; where it passes a row it goes straight down, so that it touches nothing there."""
    points = [(source.middle, source.bottom), (source.middle, row.end)]
    for x, between in passed:
        points += [(x, between.top - LEAD), (x, between.end)]
    return [*points, (target.middle, target.y - LEAD), (target.middle, target.y)]
