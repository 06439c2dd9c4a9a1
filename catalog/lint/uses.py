"""Every value of an item that holds expressions: where it stands, what it may name there, what it has to give.

The one place that knows which names each part of an item sees; `catalog.names` documents what they stand for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, assert_never

from catalog import data, expression
from catalog.fields import Field, RowsField
from catalog.item import CatalogItem, Notification
from catalog.lint import samples
from catalog.registry import Known
from catalog.source import Place
from catalog.stages import (
    ApproverRule,
    Asked,
    ByCiOwner,
    ByExpression,
    ByGroup,
    ByOwner,
    ByPerson,
    ByRole,
    Stage,
    leaves,
)
from catalog.steps import (
    ApproveStep,
    CallStep,
    CallWork,
    ForEachStep,
    GrantWork,
    HttpWork,
    NotifyWork,
    ParallelStep,
    RequestStep,
    RevokeWork,
    Step,
    TaskWork,
    WaitStep,
    Work,
)

Names = Mapping[str, Any]
Form = tuple[Field, ...]
Wanted = Literal["anything", "text", "title", "list", "number", "moment", "name", "person", "people", "recipients"]
TEXTS: tuple[Wanted, ...] = ("text", "title")
"""What people read; a title in one line."""


class Condition(NamedTuple):
    """When a step runs.

    Attributes:
        when: a condition over the same names.
        instead: its result if it does not run; None if there is none then.
    """

    when: bool | str
    instead: Mapping[str, Any] | None


class Use(NamedTuple):
    """One value with expressions in it.

    Attributes:
        value: a condition, or data.
        condition: which of the two it is.
        names: what it may name besides `root`, with made-up values.
        form: the fields whose answers it may name as `root`; None if it may name none.
        order: of evidence, the fields of the order, whose answers it may name as ``order``.
        wanted: what it has to give.
        guards: it is evaluated only where all of these hold,
        unless: and none of these does.
        conditional: the steps before it that may have been left out.
    """

    place: Place
    value: Any
    condition: bool
    names: Names
    form: Form | None = None
    root: Literal["form", "row"] = "form"
    order: Form | None = None
    wanted: Wanted = "anything"
    guards: tuple[bool | str, ...] = ()
    unless: tuple[bool | str, ...] = ()
    conditional: Mapping[str, Condition] = {}

    @property
    def has_expression(self) -> bool:
        """Whether there is one at all."""
        if self.condition:
            return isinstance(self.value, str)
        return any(map(is_template, data.texts(self.value)))

    @property
    def references(self) -> frozenset[tuple[str, ...]]:
        """The names it uses, with their paths."""
        return expression.references(self.value) if self.condition else data.references(self.value)

    def around(self, names: Names) -> Names:
        """Return names as the conditions of the steps around see them: in evidence, too, ``form`` is the order's."""
        return names if self.order is None else {**names, "form": names["order"]}

    def evaluate(self, names: Names) -> Any:
        """Return what it gives; raises ExpressionError if it gives nothing."""
        if self.condition:
            return data.holds(self.value, names)
        return data.fill_text(self.value, names) if self.wanted in TEXTS else data.fill(self.value, names)


class Found(NamedTuple):
    """What a path leads to: something `known`, something of which nothing is known beforehand, or nothing.

    Attributes:
        missing: how many parts of the path exist, if it leads to nothing; else None.
        there: what could be named instead of the first part that does not exist.
    """

    known: bool
    missing: int | None = None
    there: tuple[str, ...] = ()


def found(names: Names, path: tuple[str, ...]) -> Found:
    """Return what a path leads to."""
    value: Any = names
    for at, part in enumerate(path):
        if value is samples.OPEN:
            return Found(known=False)
        if not isinstance(value, Mapping) or part not in value:
            return Found(known=False, missing=at, there=tuple(value) if isinstance(value, Mapping) else ())
        value = value[part]
    return Found(known=value is not samples.OPEN)


def of_item(item: CatalogItem, known: Known) -> Iterator[Use]:
    """Yield every value of an item that may hold expressions; of data each text that does, with its own place."""
    for use in _of_item(item, known):
        if use.condition or use.wanted not in ("anything", *TEXTS):
            yield use
        else:
            yield from (use._replace(place=place, value=text) for place, text in _templates(use.value, use.place))


def is_template(text: str) -> bool:
    """Return whether there is an expression in a text."""
    return "{{" in text or "{%" in text


def _templates(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    match value:
        case str():
            if is_template(value):
                yield place, value
        case dict():
            for key, one in value.items():
                yield from _templates(one, (*place, key))
        case list() | tuple():
            for at, one in enumerate(value):
                yield from _templates(one, (*place, at))
        case _:
            pass  # numbers and the like hold no expressions


def _of_item(item: CatalogItem, known: Known) -> Iterator[Use]:
    asked = samples.of_order(item)
    running = samples.of_request(item)
    yield from _fields(item.form, ("form",), asked)
    for at, check in enumerate(item.checks):
        yield Use(("checks", at, "check"), check.check, True, asked, item.form)
        yield Use(("checks", at, "message"), check.message, False, asked, item.form, wanted="text")
    yield from _offer(item, asked)
    for at, stage in enumerate(item.approvals):
        yield from _stage(stage, ("approvals", at), running, item.form)
    yield from _measured(item, running)
    yield Use(("parameters",), item.parameters, False, running, item.form)
    yield from _Steps(item.form, known).of(item.steps, ("steps",), running)
    yield from _lines(item, running)
    told = running | {"outcome": "fulfilled", "reason": ""}
    for at, notice in enumerate(item.notifications):
        place: Place = ("notifications", at)
        yield Use((*place, "when"), notice.when, True, told, item.form)
        yield from _message(notice, place, told, item.form)
        yield from _recipients(notice.to, (*place, "to"), told, item.form)


def _data(thing: Any, place: Place, keys: tuple[str, ...], names: Names, form: Form | None) -> Iterator[Use]:
    for key in keys:
        yield Use((*place, key), getattr(thing, key), False, names, form)


def _message(one: Notification | NotifyWork, place: Place, names: Names, form: Form | None) -> Iterator[Use]:
    yield Use((*place, "subject"), one.subject, False, names, form, wanted="title")
    yield Use((*place, "text"), one.text, False, names, form, wanted="text")


def _recipients(to: tuple[Any, ...], place: Place, names: Names, form: Form | None) -> Iterator[Use]:
    """Yield the recipients that have to be worked out; what is wrong with the others needs no trying."""
    uses = (Use((*place, at), one, False, names, form, wanted="recipients") for at, one in enumerate(to))
    return (use for use in uses if use.has_expression)


def _fields(fields: tuple[Field, ...], place: Place, names: Names) -> Iterator[Use]:
    """Yield the conditions and defaults of a form."""
    for at, field in enumerate(fields):
        here = (*place, at)
        yield from _field(field, here, Use((), None, False, names, fields))
        if isinstance(field, RowsField):
            around = {**names, "form": samples.whole_form(fields)}
            for inner_at, inner in enumerate(field.fields):
                yield from _field(inner, (*here, "fields", inner_at), Use((), None, False, around, field.fields, "row"))


def _field(field: Field, place: Place, use: Use) -> Iterator[Use]:
    for key in ("visible", "required", "read_only"):
        if isinstance(when := getattr(field, key), str):  # most are true or false
            yield use._replace(place=(*place, key), value=when, condition=True)
    if field.default is not None:
        yield use._replace(place=(*place, "default"), value=field.default)


def _offer(item: CatalogItem, asked: Names) -> Iterator[Use]:
    """Yield what decides who may have the item, and its price."""
    viewing = {key: value for key, value in asked.items() if key != "beneficiary"}
    for key, rules, names in (("visibility", item.visibility, viewing), ("eligibility", item.eligibility, asked)):
        for at, rule in enumerate(rules):
            yield Use((key, at, "when"), rule.when, True, names)
            yield Use((key, at, "why_not"), rule.why_not, False, names, wanted="text")
    yield Use(("order_for", "others"), item.order_for.others, True, asked)
    yield Use(("order_for", "why_not"), item.order_for.why_not, False, asked, wanted="text")
    if item.price:
        for key in ("one_off", "recurring"):
            yield Use(("price", key), getattr(item.price, key), False, asked, item.form, wanted="number")
        yield Use(("price", "cost_centre"), item.price.cost_centre, False, asked, item.form, wanted="text")


def _measured(item: CatalogItem, running: Names) -> Iterator[Use]:
    """Yield what decides which clocks an order has, and its priority."""
    for at, clock in enumerate(item.clocks):
        yield Use(("clocks", at, "when"), clock.when, True, running, item.form)
    if item.priority:
        for key in ("impact", "urgency"):
            yield Use(("priority", key), getattr(item.priority, key), False, running, item.form)


def _stage(stage: Stage, place: Place, names: Names, form: Form | None) -> Iterator[Use]:
    yield Use((*place, "when"), stage.when, True, names, form)
    for at, reason in enumerate(stage.auto_approve):
        yield Use((*place, "auto_approve", at, "when"), reason.when, True, names, form)
    reasons = tuple(reason.when for reason in stage.auto_approve)
    for there, rules in rules_of(stage, place):
        for use in _people(rules, there, names, form):
            yield use._replace(guards=() if stage.when is True else (stage.when,), unless=reasons)


def groups_of(stage: Stage, place: Place) -> Iterator[tuple[Place, Asked]]:
    """Yield the groups of people that a stage asks as its author wrote them, with their places."""
    if stage.decide is None:
        yield place, Asked.model_construct(approvers=stage.approvers, quorum=stage.quorum)
    else:
        yield from leaves(stage.decide, (*place, "decide"))


def rules_of(stage: Stage, place: Place) -> Iterator[tuple[Place, tuple[ApproverRule, ...]]]:
    """Yield every list of rules by which a stage finds people, with its place: its own, instead of them, after them."""
    for there, group in groups_of(stage, place):
        yield (*there, "approvers"), group.approvers
    if stage.fallback:
        yield (*place, "fallback"), stage.fallback
    for at, level in enumerate(stage.escalate):
        yield (*place, "escalate", at, "to"), level.to


def _people(rules: tuple[ApproverRule, ...], place: Place, names: Names, form: Form | None) -> Iterator[Use]:
    for at, rule in enumerate(rules):
        match rule:
            case ByGroup() | ByOwner(group=str()):
                yield Use((*place, at, "group"), rule.group, False, names, form, wanted="name")
            case ByCiOwner():
                yield Use((*place, at, "ci"), rule.ci, False, names, form, wanted="name")
            case ByRole():
                yield Use((*place, at, "role"), rule.role, False, names, form, wanted="name")
            case ByPerson():
                yield Use((*place, at, "person"), rule.person, False, names, form, wanted="people")
            case ByExpression():
                yield Use((*place, at, "people"), rule.people, False, names, form, wanted="people")
            case _:
                pass  # nothing of it is written by the author


def _lines(item: CatalogItem, running: Names) -> Iterator[Use]:
    """Yield the values of a bundle; a line knows the results of those it comes after."""
    after = {line.id: line.after for line in item.lines}
    for at, line in enumerate(item.lines):
        before = dict.fromkeys(ancestors(line.id, after), samples.OPEN)
        names = {**running, "results": before}
        yield Use(("lines", at, "when"), line.when, True, names, item.form)
        yield Use(("lines", at, "answers"), line.answers, False, names, item.form)


def ancestors(name: str, after: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Return everything that comes before, through any number of others; itself, too, if it goes round in a circle."""
    reached: set[str] = set()
    ahead = list(after.get(name, ()))
    while ahead:
        one = ahead.pop()
        if one not in reached:
            reached.add(one)
            ahead += after.get(one, ())
    return frozenset(reached)


def _conditional(step: Step) -> dict[str, Condition]:
    """Return which results may be missing once a step is over, as far as its condition says; by the steps' ids."""
    inside: dict[str, Condition] = {}
    if isinstance(step, ParallelStep):
        for inner in (inner for branch in step.branches.values() for inner in branch):
            inside |= _conditional(inner)
            if step.when is not True:
                inside[inner.id] = Condition(step.when, None)
    return inside if step.when is True else {**inside, step.id: Condition(step.when, {"skipped": True})}


class _Steps:
    """Goes through steps in their order; each knows the results of those before it."""

    def __init__(self, form: Form, known: Known) -> None:
        self._form = form
        self._known = known
        self._order = samples.whole_form(form)

    def of(self, steps: tuple[Step, ...], place: Place, names: Names) -> Iterator[Use]:
        """Yield the values of the steps of one list."""
        results = dict(names["results"])
        conditional: dict[str, Condition] = {}
        for at, step in enumerate(steps):
            here = (*place, at)
            for use in self._step(step, here, {**names, "results": dict(results)}):
                guard = () if step.when is True or use.place == (*here, "when") else (step.when,)
                before = {**conditional, **use.conditional}
                yield use._replace(guards=(*guard, *use.guards), conditional=before) if guard or before else use
            results |= self._results(step)
            conditional |= _conditional(step)

    def _results(self, step: Step) -> dict[str, Any]:
        """Return what can be named once a step is done; of a loop only its own result."""
        result = samples.result_of(step, self._action_result(step))
        given = {step.id: result | {"skipped": False} if isinstance(result, dict) else result}
        if isinstance(step, ParallelStep):
            for branch in step.branches.values():
                for inner in branch:
                    given |= self._results(inner)
        return given

    def _action_result(self, step: Step) -> Mapping[str, Any] | None:
        action = self._known.actions.get(step.action) if isinstance(step, CallStep) else None
        return action.result if action else None

    def _step(self, step: Step, place: Place, names: Names) -> Iterator[Use]:
        yield Use((*place, "when"), step.when, True, names, self._form)
        match step:
            case ParallelStep():
                for name, branch in step.branches.items():
                    yield from self.of(branch, (*place, "branches", name), names)
            case ForEachStep():
                yield Use((*place, "each"), step.each, False, names, self._form, wanted="list")
                within = {**names, step.variable: samples.OPEN, "position": 1}
                yield from self.of(step.steps, (*place, "steps"), within)
            case ApproveStep():
                yield Use((*place, "stage", "name"), step.stage.name, False, names, self._form, wanted="title")
                yield from _stage(step.stage, (*place, "stage"), names, self._form)
            case WaitStep():
                yield Use((*place, "until"), step.until, False, names, self._form, wanted="moment")
            case RequestStep():
                yield from _data(step, place, ("answers",), names, self._form)
                yield Use((*place, "beneficiary"), step.beneficiary, False, names, self._form, wanted="person")
            case _:
                yield from self._work(step, place, names)
                yield from self._undo(step, place, names)

    def _undo(self, step: Step, place: Place, names: Names) -> Iterator[Use]:
        if undo := getattr(step, "undo", None):
            result = samples.result_of(step, self._action_result(step))
            yield from self._work(undo, (*place, "undo"), {**names, "result": result})

    def _work(self, work: Work, place: Place, names: Names) -> Iterator[Use]:
        match work:
            case TaskWork():
                yield Use((*place, "title"), work.title, False, names, self._form, wanted="title")
                yield Use((*place, "instructions"), work.instructions, False, names, self._form, wanted="text")
                yield from _people(work.assign, (*place, "assign"), names, self._form)
                yield from self._evidence(work, (*place, "evidence"), names)
            case GrantWork() | RevokeWork():
                yield Use((*place, "group"), work.group, False, names, self._form, wanted="name")
                yield Use((*place, "to"), work.to, False, names, self._form, wanted="person")
            case CallWork():
                yield from _data(work, place, ("input",), names, self._form)
            case HttpWork():
                yield from _data(work, place, ("url", "headers", "body"), names, self._form)
            case NotifyWork():
                yield from _message(work, place, names, self._form)
                yield from _recipients(work.to, (*place, "to"), names, self._form)
            case _:
                assert_never(work)

    def _evidence(self, work: TaskWork, place: Place, names: Names) -> Iterator[Use]:
        """Yield the conditions and defaults of evidence, where ``form`` is the evidence itself."""
        known = {name: value for name, value in names.items() if name != "result"}
        known["order"] = self._order
        yield from (use._replace(order=self._form) for use in _fields(work.evidence, place, known))
