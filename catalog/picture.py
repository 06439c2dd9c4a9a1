"""The picture of an item: its graph as SVG 1.1 that reads in light and in dark, on a screen and on paper.

The text is wrapped by an estimate of its width, for what draws it later has fonts of its own; the estimate is on the
wide side. The same graph gives the same bytes.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from catalog.graph import UNFULFILLED, Edge, Graph, Node
from catalog.layout import Box, Layout, Line, Size, lay_out
from catalog.text import one_line

WIDTH, SIDE_WIDTH = 264.0, 212.0
"""Of a card, and of one at the side."""
_MARGIN, _PAD, _BADGE = 24.0, 16.0, 18.0
_TITLE, _BODY, _SMALL = 14.0, 12.5, 11.0
_LEADING = 1.38
"""The height of a line, in font sizes."""
_AIR = 4.0
"""Between the title and what follows."""
_STACKED = 5.0
"""How far the second card shows behind one that is done several times."""
_TRACK = 16.0
"""How far apart ways to the side run below a row: so that their words stand between them."""
_STUB = 28.0
"""How far from its right edge a way to the side leaves a card downwards."""

_NARROW, _WIDE = frozenset("iljtfrI.,:;'|!()[]{}/ ·•-"), frozenset("mwMWGOQ@%—…")

STYLE = """
.cg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif }
.cg .title { font-size: 14px; font-weight: 600; fill: #1c2530 }
.cg .line { font-size: 12.5px; fill: #4a5665 }
.cg .caption { font-size: 10px; font-weight: 600; letter-spacing: .08em; fill: #66727f }
.cg .paper { fill: #ffffff }
.cg .card { fill: #ffffff; stroke: #cfd6de }
.cg .form .bar { fill: #2f6fdd }
.cg .stage .bar { fill: #8a4fd0 }
.cg .step .bar { fill: #14857a }
.cg .end .bar { fill: #2e8540 }
.cg .unfulfilled .bar { fill: #b3403a }
.cg .undo .bar { fill: #b3867f }
.cg .undo .card, .cg .unfulfilled .card { stroke-dasharray: 5 4; stroke: #b3867f }
.cg .badge { fill: #fdf1d7; stroke: #e5c985 }
.cg .clock { fill: none; stroke: #8a6100; stroke-width: 1.4; stroke-linecap: round }
.cg .badge-text { font-size: 11px; fill: #6b4c00 }
.cg .way { fill: none; stroke: #8593a2; stroke-width: 1.6 }
.cg .tip { fill: #8593a2 }
.cg .back { fill: none; stroke: #b3746c; stroke-width: 1.4; stroke-dasharray: 5 4 }
.cg .back-tip { fill: #b3746c }
.cg .label { font-size: 11px; fill: #4a5665; stroke: #ffffff; stroke-width: 4px; paint-order: stroke }
.cg .before { text-anchor: end }
@media (prefers-color-scheme: dark) {
.cg .title { fill: #e8edf3 }
.cg .line { fill: #b4bfcb }
.cg .caption { fill: #93a0ae }
.cg .paper { fill: #12181f }
.cg .card { fill: #1d2630; stroke: #3b4856 }
.cg .form .bar { fill: #6ea2ff }
.cg .stage .bar { fill: #b98cf0 }
.cg .step .bar { fill: #3fb8ab }
.cg .end .bar { fill: #57b36a }
.cg .unfulfilled .bar { fill: #e0766f }
.cg .undo .bar { fill: #8d6a65 }
.cg .undo .card, .cg .unfulfilled .card { stroke: #8d6a65 }
.cg .badge { fill: #3a3018; stroke: #6b5722 }
.cg .clock { stroke: #e9c46a }
.cg .badge-text { fill: #f0d898 }
.cg .way { stroke: #6f7d8c }
.cg .tip { fill: #6f7d8c }
.cg .back { stroke: #a9736c }
.cg .back-tip { fill: #a9736c }
.cg .label { fill: #b4bfcb; stroke: #12181f }
}
""".strip()


class _Card(NamedTuple):
    """A node ready to draw: its text in lines, and its deadline's."""

    node: Node
    size: Size
    title: list[str]
    lines: list[str]
    badge: list[str]


def svg(drawn: Graph) -> str:
    """Return the picture of a graph."""
    cards = {node.id: _card(node, drawn) for node in drawn.nodes if node.kind != "deadline"}
    laid = lay_out(drawn, {name: card.size for name, card in cards.items()})
    asides = _asides(drawn, laid)
    width, height = laid.width + 2 * _MARGIN, laid.height + 2 * _MARGIN + _STACKED
    frame = f'width="{_n(width)}" height="{_n(height)}"'
    view = f"0 0 {_n(width)} {_n(height)}"
    by = f"aria-labelledby={quoteattr(f'{drawn.id}-title {drawn.id}-desc')}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cg" role="img" {by} {frame} viewBox="{view}">',
        f"<title id={quoteattr(f'{drawn.id}-title')}>{escape(drawn.title)}</title>",
        f"<desc id={quoteattr(f'{drawn.id}-desc')}>{escape(drawn.description)}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" {frame}/>',
        f'<g transform="translate({_n(_MARGIN)} {_n(_MARGIN)})">',
        *_forward(laid),
        *_backward(laid, asides),
        *(part for name, card in cards.items() for part in _drawn(card, laid.boxes[name])),
        *_labels(laid, asides),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _n(number: float) -> str:
    return f"{round(number, 1):g}"


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is at a font size, in pixels: rather more than less."""
    return sum(_em(char) for char in text) * size


def _em(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 1.0
    if char in _NARROW:
        return 0.37
    if char in _WIDE:
        return 0.92
    return 0.7 if char.isupper() else 0.6


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Return a text in lines that are no wider than `width` at a font size; a word that is too long is cut."""
    lines, line = [], ""
    for word in one_line(text).split(" "):
        both = f"{line} {word}".strip()
        if text_width(both, size) <= width:
            line = both
            continue
        if line:
            lines.append(line)
        line = word
        while text_width(line, size) > width:
            cut = _cut(line, width, size)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line] if line else lines


def _cut(word: str, width: float, size: float) -> int:
    """Return how much of a long word fits on a line; rather up to a mark in its second half than within a name."""
    fits = next((at for at in range(len(word) - 1, 1, -1) if text_width(word[:at], size) <= width), 1)
    return next((at for at in range(fits, fits // 2, -1) if word[at - 1] in "/.-_@"), fits)


def _card(node: Node, drawn: Graph) -> _Card:
    width = SIDE_WIDTH if node.kind == "undo" or node.id == UNFULFILLED else WIDTH
    inner = width - 2 * _PAD
    deadlines = [one.title for one in drawn.nodes if one.kind == "deadline" and one.beside == node.id]
    title = wrapped(node.title, inner, _TITLE)
    lines = [part for line in node.lines for part in wrapped(line, inner, _BODY)]
    badge = [part for line in deadlines for part in wrapped(line, inner - 2 * _BADGE, _SMALL)]
    height = 2 * _PAD + _SMALL + (len(title) * _TITLE + len(lines) * _BODY) * _LEADING
    height += _AIR if lines else 0
    height += len(badge) * _SMALL * _LEADING + 16 if badge else 0
    return _Card(node, Size(width, round(height, 1)), title, lines, badge)


def _drawn(card: _Card, box: Box) -> Iterator[str]:
    kinds = f"{card.node.kind} unfulfilled" if card.node.id == UNFULFILLED else card.node.kind
    yield f'<g class="{kinds}" transform="translate({_n(box.x)} {_n(box.y)})">'
    if card.node.repeated:
        yield (
            f'<rect class="card" x="{_n(_STACKED)}" y="{_n(_STACKED)}" width="{_n(box.width)}" '
            f'height="{_n(box.height)}" rx="9"/>'
        )
    yield f'<rect class="card" width="{_n(box.width)}" height="{_n(box.height)}" rx="9"/>'
    yield f'<rect class="bar" x="0" y="{_n(_PAD)}" width="4" height="{_n(box.height - 2 * _PAD)}" rx="2"/>'
    y = _PAD + _SMALL - 2
    yield _text("caption", _PAD, y, f"{card.node.caption}{', each' if card.node.repeated else ''}".upper())
    for style, size, lines in (("title", _TITLE, card.title), ("line", _BODY, card.lines)):
        y += _AIR if style == "line" and lines else 0
        for line in lines:
            y += size * _LEADING
            yield _text(style, _PAD, y, line)
    if card.badge:
        yield from _badge(card.badge, y + 10)
    yield "</g>"


def _text(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{_n(x)}" y="{_n(y)}">{escape(text)}</text>'


def _badge(lines: list[str], y: float) -> Iterator[str]:
    """Yield a deadline: a clock and its words."""
    height = len(lines) * _SMALL * _LEADING + 8
    width = max(text_width(line, _SMALL) for line in lines) + 2 * _BADGE
    frame = f'x="{_n(_PAD)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
    yield f'<rect class="badge" {frame} rx="{_n(min(height / 2, 11))}"/>'
    face = f"M{_n(_PAD + 7)} {_n(y + height / 2)}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0"
    hands = f"M{_n(_PAD + 12)} {_n(y + height / 2 - 2.8)}v2.8l2 1.4"
    yield f'<path class="clock" d="{face}{hands}"/>'
    for at, line in enumerate(lines):
        yield _text("badge-text", _PAD + 23, y + 4 + _SMALL + at * _SMALL * _LEADING, line)


def _forward(laid: Layout) -> Iterator[str]:
    for line in laid.lines:
        yield f'<path class="way" d="{_road(line)}"/>'
        yield _tip("tip", *line.points[-1])


def _road(line: Line) -> str:
    """Return the path of an edge: straight inside a row, curved from one row to the next."""
    (x, y), *rest = line.points
    path, straight = [f"M{_n(x)} {_n(y)}"], True
    for to_x, to_y in rest:
        end = to_y - (7 if (to_x, to_y) == line.points[-1] else 0)
        if straight or to_x == x:
            path.append(f"L{_n(to_x)} {_n(end)}")
        else:
            half = (y + end) / 2
            path.append(f"C{_n(x)} {_n(half)} {_n(to_x)} {_n(half)} {_n(to_x)} {_n(end)}")
        straight, x, y = not straight, to_x, to_y
    return "".join(path)


def _tip(style: str, x: float, y: float) -> str:
    """Return the tip of an arrow that points down to a place."""
    return f'<path class="{style}" d="M{_n(x)} {_n(y - 1)}l-4.5 -8h9z"/>'


def _labels(laid: Layout, asides: Sequence[_Aside]) -> Iterator[str]:
    """Yield the words on edges, over everything else.

    Those of a branch stand near its target, where branches are apart; those of the way back where it leaves its card.
    """
    for line in laid.lines:
        if line.edge.label:
            x, y = line.points[-1]
            yield _text("label", x + 8, y - 10, one_line(line.edge.label))
    for aside in asides:
        if aside.below is None:
            x = aside.card.x + aside.card.width + _STACKED + 4
            above, _, beneath = aside.edge.label.partition(", ")
            yield _text("label", x, aside.y - 5, above)
            if beneath:
                yield _text("label", x, aside.y + _SMALL + 2, beneath)
        else:
            yield _text("label before", aside.bend - 6, aside.below - 4, aside.edge.label)


class _Aside(NamedTuple):
    """A way from a card to the side: to a card there, or to the rail, on which it goes up to the end.

    Attributes:
        x, y: where it ends.
        tip: whether it ends at a card.
        below: how far down it goes to pass the cards beside its own; None if nothing stands between.
        bend: where it goes up again then.
    """

    edge: Edge
    card: Box
    x: float
    y: float
    tip: bool
    below: float | None = None
    bend: float = 0


def _asides(drawn: Graph, laid: Layout) -> list[_Aside]:
    """Return the ways to the side; those that have to go below their row have a track each there, and a bend."""
    found, under = [], defaultdict(list)
    edges = [edge for edge in drawn.edges if edge.kind != "flow" and edge.source in laid.last]
    for edge in edges:
        aside = _aside(edge, laid)
        if laid.last[edge.source] and aside.card.y <= aside.y <= aside.card.bottom:
            found.append(aside)
        else:
            under[laid.below[edge.source]].append(aside)
    bends = 0
    for bottom, ways in under.items():
        # The one farthest to the right on top: so the ways down cross none of them.
        for track, aside in enumerate(sorted(ways, key=lambda one: -one.card.x)):
            down = bottom + 20 + track * min(_TRACK, 34 / len(ways))
            found.append(aside._replace(below=down, bend=aside.x - 14 - 6 * (bends % 10)))
            bends += 1
    return found


def _aside(edge: Edge, laid: Layout) -> _Aside:
    card = laid.boxes[edge.source]
    if edge.kind == "undo":
        undo = laid.boxes[edge.target]
        return _Aside(edge, card, undo.x, undo.y + undo.height / 2, tip=True)
    end, y = laid.boxes[UNFULFILLED], card.y + _PAD + _SMALL
    # Where a card stands on the rail, what it takes back comes first.
    met = next((box for box in laid.boxes.values() if box.x == end.x and box.y <= y <= box.bottom), None)
    return _Aside(edge, card, met.x, y, tip=True) if met else _Aside(edge, card, end.middle, y, tip=False)


def _backward(laid: Layout, asides: Sequence[_Aside]) -> Iterator[str]:
    """Yield the way back: from each stage and each step to the side, and up there to the end."""
    if UNFULFILLED not in laid.boxes:
        return
    end = laid.boxes[UNFULFILLED]
    stops = [box for box in laid.boxes.values() if box.x == end.x]
    for aside in asides:
        yield f'<path class="back" d="{_way_aside(aside)}"/>'
        if aside.tip:
            yield f'<path class="back-tip" d="M{_n(aside.x)} {_n(aside.y)}l-8 -4.5v9z"/>'
        else:
            stops.append(Box(aside.x, aside.y, 0, 0))
    yield from _rail(sorted(stops, key=lambda box: (box.y, box.x)), end.middle)


def _way_aside(aside: _Aside) -> str:
    """Return the path of a way to the side."""
    x, y = aside.x - (7 if aside.tip else 0), aside.y
    right = aside.card.x + aside.card.width
    if aside.below is None:
        return f"M{_n(right)} {_n(y)}L{_n(x)} {_n(y)}"
    return f"M{_n(right - _STUB)} {_n(aside.card.bottom)}V{_n(aside.below)}H{_n(aside.bend)}V{_n(y)}H{_n(x)}"


def _rail(stops: list[Box], x: float) -> Iterator[str]:
    """Yield the way up along the side, from each stop to the one above it."""
    for upper, lower in pairwise(stops):
        tip = 8 if upper.height else 0
        yield f'<path class="back" d="M{_n(x)} {_n(lower.y)}V{_n(upper.bottom + tip)}"/>'
        if tip:
            yield f'<path class="back-tip" d="M{_n(x)} {_n(upper.bottom + 1)}l-4.5 8h9z"/>'
