"""An item as a graph: what happens from the order to its end, and the way back when it goes wrong (feature row K7).

The graph is a value that `picture` draws and `mermaid` writes as text. It says what can happen, for every order of the
item; what a particular order needs is `plan`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from catalog.duration import words as lasting
from catalog.item import CatalogItem
from catalog.model import Model
from catalog.registry import Known
from catalog.stages import Stage, before
from catalog.steps import ApproveStep, ForEachStep, ParallelStep, Step, WaitStep
from catalog.text import one_line
from catalog.wording import Words, listed

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


def graph(item: CatalogItem, known: Known | None = None) -> Graph:
    """Return the graph of an item; `known` gives actions and workflows their names."""
    builder = _Builder(item, Words(item, known))
    builder.build()
    return Graph(
        id=item.id,
        title=f"{one_line(item.name)} {item.version}",
        description=_description(item),
        nodes=tuple(builder.nodes),
        edges=tuple(builder.edges),
    )


def _description(item: CatalogItem) -> str:
    stages = listed(one_line(stage.name) for stage in item.approvals)
    decided = f"decided by {stages}" if item.approvals else "decided by nobody"
    within = lasting(item.sla.target)
    if not item.lines:
        return f"An order is {decided}, then fulfilled within {within}."
    parts = listed(line.item for line in item.lines)
    begun = f"An order is {decided}, then brings" if item.approvals else "An order brings"
    return f"{begun} {parts}; each part is decided by itself. All of it is fulfilled within {within}."


class _Builder:
    """Nodes and edges of an item, in the order in which they happen."""

    def __init__(self, item: CatalogItem, words: Words) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._item = item
        self._words = words
        self._back = UNFULFILLED
        """Where the way back goes on: the undo before, or the end."""

    def build(self) -> None:
        loose = self._form()
        loose = self._stages(loose)
        loose = self._lines(loose) if self._item.lines else self._fulfilment(loose)
        partly = ("In part, or not at all, if parts of it were not.",) if self._item.lines else ()
        self._add(Node(id=FULFILLED, kind="end", title="Fulfilled", caption="end", lines=partly), loose)
        self._deadline(FULFILLED, f"promised within {lasting(self._item.sla.target)} of the order")
        if any(edge.target == UNFULFILLED for edge in self.edges):
            undo = ("What was done is taken back first.",) if self._back != UNFULFILLED else ()
            lines = ("Refused, too late or called off.", *undo)
            self.nodes.append(Node(id=UNFULFILLED, kind="end", title="Not fulfilled", caption="end", lines=lines))

    def _add(self, node: Node, loose: Sequence[_Loose]) -> list[_Loose]:
        self.nodes.append(node)
        self.edges += [Edge(source=end.node, target=node.id, label=end.label) for end in loose]
        return [_Loose(node.id)]

    def _deadline(self, beside: str, title: str) -> None:
        self.nodes.append(Node(id=f"deadline-{beside}", kind="deadline", title=title, beside=beside))

    def _undo(self, beside: str, title: str) -> None:
        node = Node(id=f"undo-{beside}", kind="undo", title=title, caption="undo", beside=beside)
        self.nodes.append(node)
        self.edges.append(Edge(source=beside, target=node.id, kind="undo", label="undo"))
        self.edges.append(Edge(source=node.id, target=self._back, kind="undo"))
        self._back = node.id

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

    def _stage(
        self, node: str, stage: Stage, loose: list[_Loose], lines: list[str], *, repeated: bool = False
    ) -> list[_Loose]:
        title, about = self._words.text(stage.name), tuple(lines)
        card = Node(id=node, kind="stage", title=title, caption="approval", lines=about, repeated=repeated)
        after = self._add(card, loose)
        self._deadline(node, f"{lasting(stage.decide_within)}, then the request expires")
        self.edges.append(Edge(source=node, target=self._back, kind="refused", label="refused, too late"))
        return after

    def _fulfilment(self, loose: list[_Loose]) -> list[_Loose]:
        if self._item.steps:
            return self._steps(self._item.steps, loose, repeated=False)
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
            node = Node(id=f"line-{line.id}", kind="step", title=line.item, caption="order", lines=lines)
            self._add(node, before)
            if line.id not in needed:
                last.append(_Loose(node.id))
        return last

    def _steps(self, steps: Sequence[Step], loose: list[_Loose], *, repeated: bool) -> list[_Loose]:
        for step in steps:
            loose = self._step(step, loose, repeated=repeated)
        return loose

    def _step(self, step: Step, loose: list[_Loose], *, repeated: bool) -> list[_Loose]:
        if isinstance(step, ApproveStep):
            about = self._words.about(step)
            return self._stage(f"step-{step.id}", step.stage, loose, about, repeated=repeated)
        node = f"step-{step.id}"
        caption = step.do.replace("_", " ")
        lines = tuple(self._words.about(step))
        title = self._words.step(step)
        card = Node(id=node, kind="step", title=title, caption=caption, lines=lines, repeated=repeated)
        after = self._add(card, loose)
        if within := self._words.within(step):
            self._deadline(node, within)
        if isinstance(step, WaitStep) and step.timeout and step.at_deadline == "cancel":
            self.edges.append(Edge(source=node, target=self._back, kind="refused", label="too late"))
        if undoing := self._words.undoing(step):
            self._undo(node, undoing)
        match step:
            case ParallelStep():
                branches = step.branches.items()
                return [
                    end
                    for name, branch in branches
                    for end in self._steps(branch, [_Loose(node, name)], repeated=repeated)
                ]
            case ForEachStep():
                return self._steps(step.steps, after, repeated=True)
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
