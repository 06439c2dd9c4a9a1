"""An item as a graph: what happens from the order to its end, and the way back when it goes wrong (feature row K7).

The graph is a value that `picture` draws and `mermaid` writes as text. It says what can happen, for every order of the
item; what a particular order needs is `plan`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from catalog.duration import words as lasting
from catalog.item import CatalogItem
from catalog.model import Model
from catalog.registry import Known
from catalog.stage_words import ends_badly
from catalog.stages import Stage, before
from catalog.steps import ApproveStep, ForEachStep, ParallelStep, Step, WaitStep
from catalog.text import listed, one_line
from catalog.wording import Words

NodeKind = Literal["form", "stage", "step", "deadline", "undo", "end"]
SHOWN = 6
"""How many questions of a form are named."""

FORM, FULFILLED, UNFULFILLED = "form", "fulfilled", "unfulfilled"
"""The ids of the nodes where it begins and ends."""


class Node(Model):
    """Something that happens.

    Attributes:
        title: what, in a line.
        caption: what kind of thing it is, in a word or two.
        lines: more about it, a sentence each.
        beside: id of the node that a deadline or an undo belongs to.
        repeated: whether it is done once for each entry of a list.
    """

    id: str
    kind: NodeKind
    title: str
    caption: str = ""
    lines: tuple[str, ...] = ()
    beside: str = ""
    repeated: bool = False


class Edge(Model):
    """What follows what.

    ``flow`` when all is well; ``refused`` after a refusal, or a deadline that ends the request; ``undo`` on the way
    back.
    """

    source: str
    target: str
    kind: Literal["flow", "refused", "undo"] = "flow"
    label: str = ""


class Graph(Model):
    """The whole of it; `description` says it in a few sentences for those who do not see it."""

    id: str
    title: str
    description: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


class _Loose(NamedTuple):
    """An end that the next node is tied to; `label` goes on the edge."""

    node: str
    label: str = ""


def graph(item: CatalogItem, known: Known | None = None, names: Mapping[str, str] | None = None) -> Graph:
    """Return the graph of an item; `known` gives actions and workflows their names, `names` other items by id."""
    words = Words(item, known, names)
    builder = _Builder(item, words)
    builder.build()
    return Graph(
        id=item.id,
        title=f"{one_line(item.name)} {item.version}",
        description=_description(item, words),
        nodes=tuple(builder.nodes),
        edges=tuple(builder.edges),
    )


def _description(item: CatalogItem, words: Words) -> str:
    stages = listed(one_line(stage.name) for stage in item.approvals)
    decided = f"decided by {stages}" if item.approvals else "decided by nobody"
    within = lasting(item.sla.target)
    if not item.lines:
        return f"An order is {decided}, then fulfilled within {within}."
    parts = listed(words.item(line.item) for line in item.lines)
    begun = f"An order is {decided}, then brings" if item.approvals else "An order brings"
    return f"{begun} {parts}; each part is decided by itself. All of it is fulfilled within {within}."


class _Builder:
    """Nodes and edges of an item, in the order in which they happen; the way back comes last."""

    def __init__(self, item: CatalogItem, words: Words) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._item = item
        self._words = words
        self._before: dict[str, frozenset[str]] = {}
        """What has happened before each node."""
        self._depth: dict[str, int] = {}
        """How many nodes lie between the beginning and each node, by the longest way."""
        self._loop: dict[str, str] = {}
        """The outermost loop around each node; empty without one."""
        self._undos: list[Node] = []
        self._refusals: list[_Loose] = []

    def build(self) -> None:
        loose = self._form()
        loose = self._stages(loose)
        loose = self._lines(loose) if self._item.lines else self._fulfilment(loose)
        partly = ("In part, if some of its parts were not.",) if self._item.lines else ()
        self._add(Node(id=FULFILLED, kind="end", title="Fulfilled", caption="end", lines=partly), loose)
        self._deadline(FULFILLED, f"promised within {lasting(self._item.sla.target)} of the order")
        if self._undos or self._refusals:
            self._way_back()

    def _add(self, node: Node, loose: Sequence[_Loose], loop: str = "") -> list[_Loose]:
        # A line of a bundle may come before those it waits for; nothing there is taken back.
        self.nodes.append(node)
        self.edges += [Edge(source=end.node, target=node.id, label=end.label) for end in loose]
        self._before[node.id] = frozenset(name for end in loose for name in (end.node, *self._before.get(end.node, ())))
        self._depth[node.id] = max((self._depth.get(end.node, 0) + 1 for end in loose), default=0)
        self._loop[node.id] = loop
        return [_Loose(node.id)]

    def _deadline(self, beside: str, title: str) -> None:
        self.nodes.append(Node(id=f"deadline-{beside}", kind="deadline", title=title, beside=beside))

    def _undo(self, beside: str, title: str) -> None:
        repeated = bool(self._loop[beside])
        undo = Node(id=f"undo-{beside}", kind="undo", title=title, caption="undo", beside=beside, repeated=repeated)
        self._undos.append(undo)

    def _way_back(self) -> None:
        """Add the undos, each leading to the one before it, and the end that they lead to.

        What is done side by side is taken back in no order of its own; here it is the one that lets the ways from the
        cards to their undos cross least.
        """
        self._undos.reverse()
        chain = sorted(self._undos, key=lambda undo: self._depth[undo.beside])
        self.nodes += chain
        back = UNFULFILLED
        for undo in chain:
            self.edges.append(Edge(source=undo.beside, target=undo.id, kind="undo", label="undo"))
            self.edges.append(Edge(source=undo.id, target=back, kind="undo"))
            back = undo.id
        for refusal in self._refusals:
            done = [undo.id for undo in chain if self._may_be_done(undo.beside, refusal.node)]
            target = done[-1] if done else UNFULFILLED
            self.edges.append(Edge(source=refusal.node, target=target, kind="refused", label=refusal.label))
        lines = (self._unfulfilled(), *(("What was done is taken back first.",) if chain else ()))
        self.nodes.append(Node(id=UNFULFILLED, kind="end", title="Not fulfilled", caption="end", lines=lines))

    def _may_be_done(self, step: str, when: str) -> bool:
        """Return whether a step may have been done when it ends at a node.

        What only follows the node has not, unless both are in a loop, which may have gone round before.
        """
        same = self._loop[step] and self._loop[step] == self._loop[when]
        return bool(same) or when not in self._before[step]

    def _unfulfilled(self) -> str:
        if not self._item.lines:
            return "Refused, too late or called off."
        first = "Refused, too late or called off, or" if self._item.approvals else "Called off, or"
        return f"{first} none of its parts was fulfilled."

    def _form(self) -> list[_Loose]:
        labels = [one_line(field.label) for field in self._item.form]
        more = (f"and {len(labels) - SHOWN} more",) if len(labels) > SHOWN else ()
        rules = len(self._item.eligibility)
        lines = [f"• {label}" for label in (*labels[:SHOWN], *more)]
        if rules:
            lines.append(f"{rules} {'rule says' if rules == 1 else 'rules say'} who may have it.")
        return self._add(
            Node(id=FORM, kind="form", title=one_line(self._item.name), caption="order", lines=tuple(lines)), []
        )

    def _stages(self, loose: list[_Loose]) -> list[_Loose]:
        """Add the stages, each after those it follows; the last are those that none follows."""
        earlier = before(self._item.approvals)
        ends: dict[str, list[_Loose]] = {}
        for stage in self._item.approvals:
            begun = [end for name in earlier[stage.id] for end in ends[name]] or loose
            ends[stage.id] = self._stage(f"stage-{stage.id}", stage, begun, self._words.stage(stage))
        followed = {name for names in earlier.values() for name in names}
        return [end for name, found in ends.items() if name not in followed for end in found] or loose

    def _stage(self, node: str, stage: Stage, loose: list[_Loose], lines: list[str], loop: str = "") -> list[_Loose]:
        title = self._words.text(stage.name)
        card = Node(id=node, kind="stage", title=title, caption="approval", lines=tuple(lines), repeated=bool(loop))
        after = self._add(card, loose, loop)
        self._deadline(node, self._words.deadline(stage))
        self._refusals.append(_Loose(node, "refused, too late" if ends_badly(stage) else "refused"))
        return after

    def _fulfilment(self, loose: list[_Loose]) -> list[_Loose]:
        if self._item.steps:
            return self._steps(self._item.steps, loose)
        node = Node(id="workflow", kind="step", title=self._words.workflow(), caption="fulfilment")
        after = self._add(node, loose)
        if self._item.entitlement:
            self._undo("workflow", "Take them out again")
        return after

    def _lines(self, loose: list[_Loose]) -> list[_Loose]:
        """Add the lines of a bundle: each after those it names, else at the beginning."""
        ids = {line.id for line in self._item.lines}
        needed = {name for line in self._item.lines for name in line.after}
        last = []
        for line in self._item.lines:
            # lint names what follows a line that there is not
            before = [_Loose(f"line-{name}") for name in line.after if name in ids] or loose
            lines = () if line.when is True else (f"Only if {self._words.condition(line.when)}.",)
            node = Node(
                id=f"line-{line.id}", kind="step", title=self._words.item(line.item), caption="order", lines=lines
            )
            self._add(node, before)
            if line.id not in needed:
                last.append(_Loose(node.id))
        fails = "all fail" if len(self._item.lines) > 1 else "fails"
        self._refusals += [_Loose(end.node, fails) for end in last]
        return last

    def _steps(self, steps: Sequence[Step], loose: list[_Loose], loop: str = "") -> list[_Loose]:
        for step in steps:
            loose = self._step(step, loose, loop)
        return loose

    def _step(self, step: Step, loose: list[_Loose], loop: str) -> list[_Loose]:
        node, lines = f"step-{step.id}", self._words.about(step)
        if isinstance(step, ApproveStep):
            return self._stage(node, step.stage, loose, lines, loop)
        title, caption = self._words.step(step), step.do.replace("_", " ")
        card = Node(id=node, kind="step", title=title, caption=caption, lines=tuple(lines), repeated=bool(loop))
        after = self._add(card, loose, loop)
        if within := self._words.within(step):
            self._deadline(node, within)
        if isinstance(step, WaitStep) and step.timeout and step.at_deadline == "cancel":
            self._refusals.append(_Loose(node, "too late"))
        if undoing := self._words.undoing(step):
            self._undo(node, undoing)
        match step:
            case ParallelStep():
                branches = step.branches.items()
                return [end for name, branch in branches for end in self._steps(branch, [_Loose(node, name)], loop)]
            case ForEachStep():
                return self._steps(step.steps, after, loop or node)
            case _:
                return after


_SHAPES = {"form": ("([", "])"), "end": ("([", "])"), "stage": ("{{", "}}"), "deadline": (">", "]"), "step": ("[", "]")}
_ARROWS = {"flow": "-->", "refused": "-.->", "undo": "-.->"}


def mermaid(drawn: Graph) -> str:
    """Return the graph as Mermaid text (flowchart syntax), for pages that render it."""
    ids = {node.id: f"n{at}" for at, node in enumerate(drawn.nodes)}
    lines = ["flowchart TD", f"  accTitle: {_escaped(drawn.title)}", f"  accDescr: {_escaped(drawn.description)}"]
    for node in drawn.nodes:
        before, after = _SHAPES.get(node.kind, ("[", "]"))
        title = f"each: {node.title}" if node.repeated else node.title
        text = "<br/>".join(_escaped(line) for line in (title, *node.lines))
        lines.append(f'  {ids[node.id]}{before}"{text}"{after}:::{node.kind}Node')
    lines += [f"  {ids[node.beside]} -.- {ids[node.id]}" for node in drawn.nodes if node.kind == "deadline"]
    for edge in drawn.edges:
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        lines.append(f"  {ids[edge.source]} {_ARROWS[edge.kind]}{label} {ids[edge.target]}")
    lines.append("  classDef undoNode stroke-dasharray: 4 3")
    lines.append("  classDef deadlineNode font-size:small")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Return text in Mermaid's own entity codes, so that nothing in it is syntax or markup."""
    return "".join(char if char.isalnum() or char in " .,:!?()/'-–—“”‹›•" else f"#{ord(char)};" for char in text)
