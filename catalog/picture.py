"""The picture of an item: its graph as SVG 1.1 that reads in light and in dark, on a screen and on paper.

The text is wrapped by an estimate of its width, for what draws it later has fonts of its own; the estimate is on the
wide side. The same graph gives the same bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from catalog.graph import UNFULFILLED, Graph, Node
from catalog.layout import Box, Layout, Line, Size, lay_out
from catalog.text import one_line
from catalog.ways import Point, Way, WayBack, way_back

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
_TIP = 7.0
"""How far before its target the line of an arrow ends, below its tip."""

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
    back = way_back(drawn, laid)
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
        *_backward(back),
        *(part for name, card in cards.items() for part in _drawn(card, laid.boxes[name])),
        *_labels(laid, back.ways),
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
    height += _STACKED if node.repeated else 0
    return _Card(node, Size(width, round(height, 1)), title, lines, badge)


def _drawn(card: _Card, box: Box) -> Iterator[str]:
    kinds = f"{card.node.kind} unfulfilled" if card.node.id == UNFULFILLED else card.node.kind
    yield f'<g class="{kinds}" transform="translate({_n(box.x)} {_n(box.y)})">'
    height = box.height - (_STACKED if card.node.repeated else 0)
    frame = f'width="{_n(box.width)}" height="{_n(height)}" rx="9"'
    if card.node.repeated:
        yield f'<rect class="card" x="{_n(_STACKED)}" y="{_n(_STACKED)}" {frame}/>'
    yield f'<rect class="card" {frame}/>'
    yield f'<rect class="bar" x="0" y="{_n(_PAD)}" width="4" height="{_n(height - 2 * _PAD)}" rx="2"/>'
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
        x, y = line.points[-1]
        yield f'<path class="tip" d="M{_n(x)} {_n(y - 1)}l-4.5 -8h9z"/>'


def _road(line: Line) -> str:
    """Return the path of an edge: straight down, then a turn, and so on."""
    (x, y), *rest = line.points
    path, straight = [f"M{_n(x)} {_n(y)}"], True
    for to_x, to_y in rest:
        end = to_y - (_TIP if (to_x, to_y) == line.points[-1] else 0)
        if straight or to_x == x:
            path.append(f"L{_n(to_x)} {_n(end)}")
        else:
            half = (y + end) / 2
            path.append(f"C{_n(x)} {_n(half)} {_n(to_x)} {_n(half)} {_n(to_x)} {_n(end)}")
        straight, x, y = not straight, to_x, to_y
    return "".join(path)


def _backward(back: WayBack) -> Iterator[str]:
    """Yield the way back: from the cards to the side, by the rails, and from each undo to the one above it."""
    for *points, (x, y) in (*(way.points for way in back.ways), *back.rails):
        yield _dashed((*points, (x - _TIP if (x, y) in back.entries else x, y)))
    for below, (x, y) in back.chain:
        yield _dashed((below, (x, y + _TIP)))
        yield f'<path class="back-tip" d="M{_n(x)} {_n(y + 1)}l-4.5 8h9z"/>'
    for x, y in back.entries:
        yield f'<path class="back-tip" d="M{_n(x)} {_n(y)}l-8 -4.5v9z"/>'
    for x, y in back.dots:
        yield f'<circle class="back-tip" cx="{_n(x)}" cy="{_n(y)}" r="2.6"/>'


def _dashed(points: Sequence[Point]) -> str:
    return f'<path class="back" d="M{"L".join(f"{_n(x)} {_n(y)}" for x, y in points)}"/>'


def _labels(laid: Layout, ways: Sequence[Way]) -> Iterator[str]:
    """Yield the words on edges: where no other edge runs.

    Those of a branch stand at its target, where branches are apart and go straight down; those of the way back where
    it leaves its card.
    """
    for line in laid.lines:
        if line.edge.label:
            x, y = line.points[-1]
            yield _text("label", x + 8, y - 9, _fitted(line.edge.label, WIDTH / 2 - 16))
    for way in ways:
        (x, y), *_ = way.points
        if way.below:
            yield _text("label before", x - 5, y + _SMALL + 3, way.edge.label)
        else:
            above, _, beneath = way.edge.label.partition(", ")
            yield _text("label", x + _STACKED + 4, y - 5, above)
            if beneath:
                yield _text("label", x + _STACKED + 4, y + _SMALL + 2, beneath)


def _fitted(text: str, width: float) -> str:
    """Return a text on one line, cut with an ellipsis if it is too wide."""
    first, *more = wrapped(text, width, _SMALL)
    return f"{first[:-1]}…" if more else first
