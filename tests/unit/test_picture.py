"""The picture of an item keeps apart what does not belong together, for every item there can be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, count, pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.items import MANAGER, plain, project, steps

from catalog.graph import UNFULFILLED, Graph, Node, graph
from catalog.item import CatalogItem
from catalog.layout import Box, Size, lay_out
from catalog.picture import WIDTH, svg, text_width
from catalog.ways import ENTRY, Point, way_back

SVG = "{http://www.w3.org/2000/svg}"
SMOOTH = 24
"""Into how many straight stretches a curve is taken apart."""
LABEL = 11.0
APART = 0.1
"""What coordinates in a picture may be rounded by."""

KINDS: dict[str, dict[str, Any]] = {
    "ask": {"do": "approve", "stage": MANAGER},
    "give": {"do": "grant", "group": "x"},
    "wait": {"do": "wait", "event": "go", "timeout": "1 day", "at_deadline": "cancel"},
    "tell": {"do": "notify", "to": ["ada"], "subject": "Hello", "text": "Hello"},
}
SINGLE = st.sampled_from(sorted(KINDS))
FLOWS = st.recursive(
    st.lists(SINGLE, min_size=1, max_size=3),
    lambda inner: st.lists(
        SINGLE
        | st.tuples(st.just("parallel"), st.lists(inner, min_size=2, max_size=3))
        | st.tuples(st.just("for_each"), inner),
        min_size=1,
        max_size=3,
    ),
    max_leaves=9,
)
"""Steps of every shape: words for single ones, pairs for those that hold others."""


def step(name: str, kind: str) -> dict[str, Any]:
    """Return a step as an author writes it."""
    parts = KINDS[kind]
    return {"id": name, **parts} | ({"stage": MANAGER | {"id": name}} if kind == "ask" else {})


def written(flow: list[Any], numbers: Iterator[int]) -> list[dict[str, Any]]:
    """Return steps as an author writes them."""
    found = []
    for one in flow:
        name = f"s{next(numbers)}"
        if isinstance(one, str):
            found.append(step(name, one))
        elif one[0] == "parallel":
            branches = {
                f"a-branch-with-a-rather-long-name-{at}": written(branch, numbers) for at, branch in enumerate(one[1])
            }
            found.append({"id": name, "do": "parallel", "branches": branches})
        else:
            found.append({"id": name, "do": "for_each", "each": "{{ ['a'] }}", "steps": written(one[1], numbers)})
    return found


@st.composite
def items(draw: st.DrawFn) -> CatalogItem:
    """Return an item with stages in any order and steps of any shape."""
    names = "abcde"[: draw(st.integers(0, 5))]
    after = {name: draw(st.none() | st.lists(st.sampled_from(names[:at]), unique=True) if at else st.none())
             for at, name in enumerate(names)}  # fmt: skip
    stages = [MANAGER | {"id": name} | ({} if before is None else {"after": before}) for name, before in after.items()]
    return steps(*written(draw(FLOWS), count()), approvals=stages)


def bundle(lines: int) -> CatalogItem:
    """Return a bundle whose parts begin together but for the last, which follows the first."""
    parts: list[dict[str, Any]] = [{"id": f"p{at}", "item": f"part-{at}"} for at in range(lines)]
    parts[-1]["after"] = ["p0"]
    return plain(workflow=None, entitlement=None, lines=parts)


class Drawn:
    """What stands where in a picture; numbers are those of the file."""

    def __init__(self, drawn: Graph) -> None:
        """Read the picture of a graph."""
        (group,) = ET.fromstring(svg(drawn)).findall(f"{SVG}g")
        self.cards = [_card(inner) for inner in group.findall(f"{SVG}g")]
        self.words = [_words(text) for text in group.findall(f"{SVG}text")]
        paths = [(one.get("class"), one.get("d", "")) for one in group.findall(f"{SVG}path")]
        self.solid = [stretches(path) for style, path in paths if style == "way"]
        self.dashed = [stretches(path) for style, path in paths if style == "back"]


def _card(group: ET.Element) -> Box:
    x, y = map(float, re.findall(r"[-\d.]+", group.get("transform", "")))
    *_, rectangle = [one for one in group.findall(f"{SVG}rect") if one.get("class") == "card"]
    return Box(x, y, float(rectangle.get("width", "0")), float(rectangle.get("height", "0")))


def _words(text: ET.Element) -> Box:
    x, y, width = float(text.get("x", "0")), float(text.get("y", "0")), text_width(text.text or "", LABEL)
    return Box(x - width if "before" in text.get("class", "") else x, y - 9, width, LABEL)


def stretches(path: str) -> list[Box]:
    """Return a path as the boxes around its straight stretches; curves are taken apart."""
    corners: list[Point] = []
    for kind, numbers in re.findall(r"([MLC])([-\d. ]+)", path):
        values = list(map(float, numbers.split()))
        points = list(zip(values[::2], values[1::2], strict=True))
        if kind == "C":
            start, (one, two, end) = corners[-1], points
            corners += [_on_curve(at / SMOOTH, start, one, two, end) for at in range(1, SMOOTH + 1)]
        else:
            corners += points
    return [Box(min(x, to_x), min(y, to_y), abs(to_x - x), abs(to_y - y)) for (x, y), (to_x, to_y) in pairwise(corners)]


def _on_curve(at: float, *points: Point) -> Point:
    """Return a point of a cubic Bézier curve."""
    weights = ((1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, points, strict=True)) for axis in (0, 1))
    return x, y


def overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes share more than their borders; a line may be a box without width or height."""
    return (
        one.x < other.x + other.width and other.x < one.x + one.width and one.y < other.bottom and other.y < one.bottom
    )


def together(one: Box, other: Box) -> bool:
    """Return whether two straight stretches run on each other for more than a point."""
    left, right = max(one.x, other.x), min(one.x + one.width, other.x + other.width)
    top, bottom = max(one.y, other.y), min(one.bottom, other.bottom)
    return (right - left > APART and top == bottom) or (bottom - top > APART and left == right)


def check_that_nothing_overlaps(item: CatalogItem) -> None:
    drawn = Drawn(graph(item))
    lines = [line for way in (*drawn.solid, *drawn.dashed) for line in way]
    assert not [pair for pair in combinations(drawn.words, 2) if overlap(*pair)]
    assert not [(one, card) for one in drawn.words for card in drawn.cards if overlap(one, card)]
    assert not [(one, line) for one in drawn.words for line in lines if overlap(one, line)]
    inner = [Box(card.x + 1, card.y + 1, card.width - 2, card.height - 2) for card in drawn.cards]
    assert not [(line, card) for line in lines for card in inner if overlap(line, card)]
    for one, other in combinations(drawn.dashed, 2):
        if any(together(line, another) for line in one for another in other):
            # Only the last stretch into one and the same target is common.
            end, same = one[-1], other[-1]
            assert not end.height
            assert (end.y, end.x + end.width) == (same.y, same.x + same.width)
            assert not [pair for pair in ((a, b) for a in one[:-1] for b in other[:-1]) if together(*pair)]


@given(items())
@settings(max_examples=60, deadline=None)
def test_words_and_ways_of_any_item_keep_apart_from_what_is_not_theirs(item: CatalogItem) -> None:
    check_that_nothing_overlaps(item)


@pytest.mark.parametrize("item", [project(), plain(approvals=[MANAGER]), bundle(2), bundle(5)])
def test_words_and_ways_keep_apart_from_what_is_not_theirs(item: CatalogItem) -> None:
    assert Drawn(graph(item)).words
    check_that_nothing_overlaps(item)


@given(items())
@settings(max_examples=60, deadline=None)
def test_every_way_back_leads_to_the_tip_at_its_target(item: CatalogItem) -> None:
    drawn = graph(item)
    laid = lay_out(drawn, {one.id: Size(WIDTH, 100) for one in drawn.nodes if one.kind != "deadline"})
    back = way_back(drawn, laid)
    expected = [edge for edge in drawn.edges if edge.kind != "flow" and not edge.source.startswith("undo-")]
    assert [way.edge for way in back.ways] == expected
    for way in back.ways:
        target = laid.boxes[way.edge.target]
        tip = (target.x, target.y + ENTRY)
        assert tip in back.entries
        assert way.points[-1] == tip or tip in _reached(way.points[-1], back.rails)
    for lower, upper in back.chain:
        assert lower[0] == upper[0]
        assert upper[1] < lower[1]


def _reached(point: Point, rails: tuple[tuple[Point, ...], ...]) -> set[Point]:
    """Return where the rail ends that a point is on: the line that holds it, or goes on where that ends."""
    ends = {rail[-1] for rail in rails if _holds(rail, point)}
    return ends | {rail[-1] for rail in rails for end in ends if end != rail[-1] and _holds(rail, end)}


def _holds(rail: tuple[Point, ...], point: Point) -> bool:
    x, y = point
    return any(
        min(a[0], b[0]) <= x <= max(a[0], b[0]) and min(a[1], b[1]) <= y <= max(a[1], b[1]) for a, b in pairwise(rail)
    )


@given(items())
@settings(max_examples=60, deadline=None)
def test_all_that_is_taken_back_leads_to_the_other_end(item: CatalogItem) -> None:
    drawn = graph(item)
    onward = {edge.source: edge.target for edge in drawn.edges if edge.kind == "undo" and not edge.label}
    for start in onward:
        here, passed = start, set[str]()
        while here != UNFULFILLED:
            assert here not in passed
            passed.add(here)
            here = onward[here]


def test_a_dot_stands_where_ways_meet_and_none_where_they_cross() -> None:
    alone, both = svg(graph(plain(entitlement=None, approvals=[MANAGER]))), svg(graph(bundle(4)))
    assert alone.count("<circle") == 0
    assert both.count("<circle") == 2
    assert svg(graph(steps(step("a", "give"), step("b", "ask")))).count("<circle") == 1


def test_a_rail_goes_on_beyond_its_target_where_ways_come_from_both_sides() -> None:
    inner = [step("ask", "ask"), step("give", "give")]
    loop = {"id": "all", "do": "for_each", "each": "{{ ['a'] }}", "steps": inner}
    drawn = graph(steps(loop, step("late", "ask")))
    laid = lay_out(drawn, {one.id: Size(WIDTH, 100) for one in drawn.nodes if one.kind != "deadline"})
    (into, beyond) = way_back(drawn, laid).rails
    assert into[-1] in way_back(drawn, laid).entries
    assert beyond[-1] == into[1]
    assert beyond[0][1] < into[1][1] < into[0][1]


def test_a_long_name_of_a_branch_is_cut() -> None:
    branches = {"a" * 60: [step("a", "tell")], "short": [step("b", "tell")]}
    told = re.findall(
        r'class="label"[^>]*>([^<]+)<', svg(graph(steps({"id": "p", "do": "parallel", "branches": branches})))
    )
    assert told[1] == "short"
    assert re.fullmatch("a+…", told[0])


def test_a_graph_without_a_way_back_has_none() -> None:
    drawn = Graph(id="x", title="X", description="", nodes=(Node(id="form", kind="form", title="X"),), edges=())
    assert not Drawn(drawn).dashed
