"""An item as the rules look at it: its stages, steps and expressions with their places, and what each may name.

Nothing here says what is wrong; the rules do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from itertools import product
from typing import Any, Literal, NamedTuple

from catalog import data, expression
from catalog.expression import ExpressionError
from catalog.fields import Field, RowsField
from catalog.item import CatalogItem
from catalog.lint import samples, uses
from catalog.lint.uses import Form, Names, Use, found
from catalog.loader import Loaded, Reading
from catalog.registry import Known
from catalog.source import Place
from catalog.stages import Stage
from catalog.steps import ApproveStep, CallStep, Effect, HttpStep, RequestStep, Step, TaskWork, Work, walk

MAX_COMBINATIONS = 64
"""How many combinations of answers are gone through to find that a condition is constant."""


class World(NamedTuple):
    """What the rules know besides the item.

    Attributes:
        published: (id, version) -> digest, of what the register has.
        group_sizes: group -> how many people are in it, as far as it is known.
        people: the logins that the directory knows; None without one.
        orders: item -> the items it orders, as lines or by steps.
    """

    reading: Reading
    known: Known
    published: Mapping[tuple[str, str], str]
    group_sizes: Mapping[str, int]
    people: Collection[str] | None
    orders: Mapping[str, tuple[str, ...]]


class FormAt(NamedTuple):
    """A form within an item: its own, that of a row, or the evidence of a task.

    Attributes:
        root: what its conditions call its answers.
        path: what everything else calls them.
    """

    place: Place
    fields: Form
    root: Literal["form", "row"]
    path: tuple[str, ...]


class Trial(NamedTuple):
    """What came of trying a use: what it gave each time, or else the first error."""

    use: Use
    given: tuple[Any, ...]
    error: str = ""


class Subject:
    """One item, and what is needed to judge it."""

    def __init__(self, loaded: Loaded[CatalogItem], world: World) -> None:
        self.loaded = loaded
        self.item = loaded.value
        self.world = world
        self._ways: dict[tuple[int, bool], list[dict[str, Any]]] = {}

    @cached_property
    def steps(self) -> tuple[tuple[Place, Step], ...]:
        """Every step with its place."""
        return tuple(walk(self.item.steps))

    @cached_property
    def works(self) -> tuple[tuple[Place, Work], ...]:
        """Everything that is done, in steps and to undo them, with its place."""
        found: list[tuple[Place, Any]] = []
        for place, step in self.steps:
            found.append((place, step))
            if undo := getattr(step, "undo", None):
                found.append(((*place, "undo"), undo))
        return tuple((place, one) for place, one in found if isinstance(one, Work))

    @cached_property
    def effects(self) -> tuple[tuple[Place, Effect], ...]:
        """Every step that may change something, with its place."""
        steps = ((place, step) for place, step in self.steps if isinstance(step, Effect))
        return tuple((place, step) for place, step in steps if self._changes(step))

    def _changes(self, step: Effect) -> bool:
        match step:
            case HttpStep():
                return step.method != "GET"
            case CallStep():
                action = self.world.known.actions.get(step.action)
                return action is None or action.changes
            case _:
                return True

    @cached_property
    def stages(self) -> tuple[tuple[Place, Stage], ...]:
        """Every approval stage with its place, those inside steps last."""
        own = tuple((("approvals", at), stage) for at, stage in enumerate(self.item.approvals))
        inside = tuple(((*place, "stage"), step.stage) for place, step in self.steps if isinstance(step, ApproveStep))
        return own + inside

    @cached_property
    def forms(self) -> tuple[FormAt, ...]:
        """Every form."""
        tops = [FormAt(("form",), self.item.form, "form", ("form",))]
        for place, work in self.works:
            if isinstance(work, TaskWork):
                step_id = getattr(work, "id", "")
                tops.append(FormAt((*place, "evidence"), work.evidence, "form", ("results", step_id)))
        rows = [
            FormAt((*top.place, at, "fields"), field.fields, "row", ("row",))
            for top in tops
            for at, field in enumerate(top.fields)
            if isinstance(field, RowsField)
        ]
        return (*tops, *rows)

    @cached_property
    def fields(self) -> tuple[tuple[Place, Field], ...]:
        """Every field of every form, with its place."""
        return tuple(((*form.place, at), field) for form in self.forms for at, field in enumerate(form.fields))

    @cached_property
    def other_items(self) -> tuple[tuple[Place, str], ...]:
        """The ids of other items that this one names, with their places; its successor last."""
        lines = [(("lines", at, "item"), line.item) for at, line in enumerate(self.item.lines)]
        steps = [((*place, "item"), step.item) for place, step in self.steps if isinstance(step, RequestStep)]
        after: list[tuple[Place, str]] = [(("successor",), self.item.successor)] if self.item.successor else []
        return (*lines, *steps, *after)

    def is_automatic(self, stage: Stage) -> bool:
        """Return whether there is always a reason to approve a stage without asking anybody."""
        return any(self.constantly(reason.when) is True for reason in stage.auto_approve)

    @cached_property
    def _all_uses(self) -> tuple[Use, ...]:
        return tuple(uses.of_item(self.item, self.world.known))

    @cached_property
    def literals(self) -> tuple[Use, ...]:
        """Every value without expressions that has to be of a certain kind."""
        return tuple(use for use in self._all_uses if use.wanted != "anything" and not use.has_expression)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every value with an expression in it."""
        return tuple(use for use in self._all_uses if use.has_expression)

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """What comes of every use whose names all exist and are known beforehand."""
        known = (use for use in self.uses if all(found(use.all_names, path).known for path in use.references))
        return tuple(self._tried(use) for use in known)

    def _tried(self, use: Use) -> Trial:
        """Try a use with different answers and people; stop at the first error."""
        given, seen = [], list[Any]()
        for bare in (False, True):
            names = samples.bare(use.names) if bare else use.names
            for form in self._forms(use, names, bare=bare):
                own = {path[1]: form[path[1]] for path in use.references if path[0] == use.root and path[1:]}
                if (bare, own) in seen:
                    continue
                seen.append((bare, own))
                try:
                    given.append(use.evaluate(names if use.form is None else {**names, use.root: form}))
                except ExpressionError as error:
                    return Trial(use, tuple(given), str(error))
        return Trial(use, tuple(given))

    def _forms(self, use: Use, names: Names, *, bare: bool) -> list[dict[str, Any]]:
        if use.form is None:
            return [{}]
        key = (id(use.form), bare)
        if key not in self._ways:
            self._ways[key] = samples.forms(use.form, names, use.root)
        return self._ways[key]

    def constantly(self, when: bool | str) -> bool | None:
        """Return what a condition always gives; None if it depends on something.

        That is proved, not guessed: only choices and yes-or-no questions of the form may be named, and every
        combination of their answers gives the same.
        """
        if isinstance(when, bool):
            return when
        paths = expression.references(when)
        fields = {field.id: field for field in self.item.form}
        domains: dict[str, tuple[Any, ...]] = {}
        for path in paths:
            field = fields.get(path[1]) if path[0] == "form" and len(path) > 1 else None
            if field is None or not (field.type == "yes_no" or (field.type == "choice" and field.choices)):
                return None
            unanswered = () if field.visible is True and field.required is True else (None,)
            domains[field.id] = (*samples.answers(field), *unanswered)
        return _constant(when, domains)


def _constant(when: str, domains: Mapping[str, tuple[Any, ...]]) -> bool | None:
    outcomes = set()
    for at, answers in enumerate(product(*domains.values())):
        try:
            outcomes.add(data.holds(when, {"form": dict(zip(domains, answers, strict=True))}))
        except ExpressionError:
            return None
        if len(outcomes) > 1 or at >= MAX_COMBINATIONS:
            return None
    return outcomes.pop()
