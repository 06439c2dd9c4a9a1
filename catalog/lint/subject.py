"""An item as the rules look at it: its stages, steps and expressions with their places, and what each may name.

Nothing here says what is wrong; the rules do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice, product
from typing import Any, Literal, NamedTuple

from catalog import data, expression
from catalog.expression import ExpressionError
from catalog.fields import Field, IntegerField, RowsField
from catalog.item import CatalogItem
from catalog.lint import comparing, samples, uses
from catalog.lint.uses import Form, Names, Use, found
from catalog.loader import Loaded, Reading
from catalog.names import of_item
from catalog.registry import Known
from catalog.sketch import Company
from catalog.source import Place
from catalog.stages import Stage
from catalog.steps import ApproveStep, CallStep, Effect, HttpStep, RequestStep, Step, TaskWork, Work, walk

MAX_COMBINATIONS = 64
"""How many combinations of answers are gone through to find that a condition is constant."""
MAX_TRIALS = 1_000
"""How many combinations of evidence and order are gone through to find that an expression fails."""


class World(NamedTuple):
    """What the rules know besides the item.

    Attributes:
        published: (id, version) -> digest, of what the register has.
        company: who there is, with groups, roles and configuration items; None if nobody says.
        members, holders, owners: the logins of those who are in each group, have each role, own each CI.
        orders: item -> the items it orders, as lines or by steps.
    """

    reading: Reading
    known: Known
    published: Mapping[tuple[str, str], str]
    company: Company | None
    members: Mapping[str, frozenset[str]]
    holders: Mapping[str, frozenset[str]]
    owners: Mapping[str, frozenset[str]]
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
    """What came of trying a use: what it gave each time, or else the first error.

    Attributes:
        given: without what came of people and prices for which it would not be evaluated.
        left_out: the step without whose result it was tried.
    """

    use: Use
    given: tuple[Any, ...]
    error: str = ""
    left_out: str = ""


class Subject:
    """One item, and what is needed to judge it."""

    def __init__(self, loaded: Loaded[CatalogItem], world: World) -> None:
        self.loaded = loaded
        self.item = loaded.value
        self.world = world
        self._ways: dict[tuple[int, bool], list[dict[str, Any]]] = {}
        self._wholes: dict[int, dict[str, Any]] = {}
        self._asking: dict[int, bool] = {}

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

    def orders_for_good(self, step: Step) -> bool:
        """Return whether a step orders another item, waits for it and does not take it back."""
        return isinstance(step, RequestStep) and step.wait and step.undo is None

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

    def leaves_out(self, stage: Stage) -> bool:
        """Return whether no order of this item needs a stage; one of a shared policy can depend on the item's risk."""
        return self._always(stage.when, {"item": of_item(self.item)}) is False

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
        whole = (use for use in self.uses if self._all_known(use, use.references))
        return (*(self._tried(use) for use in whole), *self._trials_without_a_step)

    def names_of(self, use: Use) -> Names:
        """Return what a use may name, as if every question were answered."""
        if use.form is None:
            return use.names
        key = id(use.form)
        if key not in self._wholes:
            self._wholes[key] = samples.whole_form(use.form)
        return {**use.names, use.root: self._wholes[key]}

    def _all_known(self, use: Use, paths: Iterable[tuple[str, ...]]) -> bool:
        names = self.names_of(use)
        return all(found(names, path).known for path in paths)

    @cached_property
    def _trials_without_a_step(self) -> tuple[Trial, ...]:
        """What comes of uses where a step that they use the result of was left out; of each only the first error."""
        tried = (
            self._tried(use, left_out)
            for use in self.uses
            for left_out in sorted({path[1] for path in use.references if path[0] == "results" and path[1:]})
            if left_out in use.conditional
            and self._all_known(use, (path for path in use.references if path[:2] != ("results", left_out)))
        )
        failed = {trial.use.place: trial for trial in tried if trial.error}
        return tuple(failed.values())

    def _tried(self, use: Use, left_out: str = "") -> Trial:
        """Try a use with different answers and people, as if a step had been left out; stop at the first error."""
        given: list[Any] = []
        around = _without(use, left_out) if left_out else use.names
        conditions = (*use.guards, *use.unless, *((use.conditional[left_out].when,) if left_out else ()))
        paths = use.references.union(*(_names_around(use, when) for when in conditions))
        asks_people = any(path[0] in _PEOPLE for path in paths)
        for bare in (False, True) if asks_people or self._asks_people(use) else (False,):
            names = samples.bare(around) if bare else around
            for forms in self._answered(use, names, paths, bare=bare):
                known = {**names, **forms}
                against = _conditions_against(use, known)
                if any(map(_is_about_answers, against)) or (
                    left_out and (against or not _may_be_left_out(use, left_out, known))
                ):
                    continue
                try:
                    value = use.evaluate(known)
                except ExpressionError as error:
                    return Trial(use, tuple(given), str(error), left_out)
                given += [] if against else [value]
        return Trial(use, tuple(given))

    def _answered(
        self, use: Use, names: Names, paths: Iterable[tuple[str, ...]], *, bare: bool
    ) -> Iterator[dict[str, dict[str, Any]]]:
        """Yield ways of answering what a use may name: its form, and the order's if it names that."""
        own: list[dict[str, dict[str, Any]]] = [{}]
        if use.form is not None:
            forms = self._forms(use.form, names, use.root, _below(use.root, paths), bare=bare)
            own = [{use.root: form} for form in forms]
        in_order = _below("order", paths)
        if use.order is None or not in_order:
            yield from own
            return
        orders = self._forms(use.order, names, "form", in_order, bare=bare)
        yield from islice(({**one, "order": order} for order in orders for one in own), MAX_TRIALS)

    def _forms(
        self, form: Form, names: Names, root: str, named: Collection[str], *, bare: bool
    ) -> list[dict[str, Any]]:
        """Return ways of answering a form that differ in the answers that are named."""
        key = (id(form), bare and self._form_asks_people(form))
        if key not in self._ways:
            self._ways[key] = samples.forms(form, names, root)
        return samples.differing(self._ways[key], named)

    def _asks_people(self, use: Use) -> bool:
        """Return whether what is asked where a use stands depends on who asks or gets it."""
        return any(self._form_asks_people(form) for form in (use.form, use.order) if form)

    def _form_asks_people(self, form: Form) -> bool:
        if id(form) not in self._asking:
            conditions = (when for one in form for when in (one.visible, one.required))
            self._asking[id(form)] = any(path[0] in _PEOPLE for when in conditions for path in _names_in(when))
        return self._asking[id(form)]

    @cached_property
    def _own_fields(self) -> dict[str, Field]:
        return {field.id: field for field in self.item.form}

    def constantly(self, when: bool | str) -> bool | None:
        """Return what a condition always gives; None if it depends on something.

        That is proved, not guessed: only choices, yes-or-no questions and whole numbers of the form may be named, and
        every combination of their answers gives the same; of numbers those count at which a comparison may change.
        """
        return self._always(when, {})

    def _always(self, when: bool | str, known: Names) -> bool | None:
        """Return what a condition always gives, some names being known; see `constantly`."""
        if isinstance(when, bool):
            return when
        paths = [path for path in expression.references(when) if path[0] not in known]
        domains: dict[str, tuple[Any, ...]] = {}
        for path in paths:
            field = self._own_fields.get(path[1]) if path[0] == "form" and len(path) > 1 else None
            every = _every_answer(field, when) if field else ()
            if field is None or not every:
                return None
            unanswered = () if field.visible is True and field.required is True else (None,)
            domains[field.id] = (*every, *unanswered)
        return _constant(when, domains, known)


_PEOPLE = ("requester", "beneficiary")


def _below(root: str, paths: Iterable[tuple[str, ...]]) -> set[str]:
    """Return what paths name of a form."""
    return {path[1] for path in paths if path[0] == root and path[1:]}


def _names_around(use: Use, when: bool | str) -> frozenset[tuple[str, ...]]:
    """Return what the condition of a step around names, as the use itself would."""
    paths = _names_in(when)
    return paths if use.order is None else frozenset(("order", *p[1:]) if p[0] == "form" else p for p in paths)


def _names_in(when: bool | str) -> frozenset[tuple[str, ...]]:
    return expression.references(when) if isinstance(when, str) else frozenset()


def _without(use: Use, step: str) -> Names:
    """Return the names of a use if a step before it was left out."""
    instead = use.conditional[step].instead
    others = {name: result for name, result in use.names["results"].items() if name != step}
    return {**use.names, "results": others if instead is None else {**others, step: instead}}


def _conditions_against(use: Use, names: Names) -> list[bool | str]:
    """Return the conditions because of which a use is not evaluated with such names."""
    around = use.around(names)
    return [
        *(when for when in use.guards if not _holds(when, around, failing=True)),
        *(when for when in use.unless if _holds(when, around, failing=False)),
    ]


def _may_be_left_out(use: Use, step: str, names: Names) -> bool:
    """Return whether, with such names, a step may have been left out and a use after it not.

    What the condition of the step names besides answers may be otherwise than the samples are.
    """
    when = use.conditional[step].when
    if when in use.guards:
        return False
    return not (_is_about_answers(when) and _holds(when, use.around(names), failing=True))


def _is_about_answers(when: bool | str) -> bool:
    """Return whether a condition names nothing but answers."""
    return all(path[0] == "form" for path in _names_in(when))


def _holds(when: bool | str, names: Names, *, failing: bool) -> bool:
    """Return whether a condition holds; `failing` if it fails, which is said of the condition itself."""
    try:
        return data.holds(when, names)
    except ExpressionError:
        return failing


def _every_answer(field: Field, when: str) -> tuple[Any, ...]:
    """Return answers that stand for all there are, as far as the condition can tell; none if nobody can say."""
    if field.type == "yes_no" or (field.type == "choice" and field.choices):
        return samples.answers(field)
    if not isinstance(field, IntegerField):
        return ()
    numbers = comparing.numbers(when, ("form", field.id))
    return () if numbers is None else samples.around(field, numbers)


def _constant(when: str, domains: Mapping[str, tuple[Any, ...]], known: Names) -> bool | None:
    outcomes = set()
    for at, answers in enumerate(product(*domains.values())):
        try:
            outcomes.add(data.holds(when, {**known, "form": dict(zip(domains, answers, strict=True))}))
        except ExpressionError:
            return None
        if len(outcomes) > 1 or at >= MAX_COMBINATIONS:
            return None
    return outcomes.pop()
