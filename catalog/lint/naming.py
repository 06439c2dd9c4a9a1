"""Rules on names: what an item refers to must exist, and what it hands over must fit."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator

from catalog import explain
from catalog.calendar import ALWAYS
from catalog.lint.fitting import misfits
from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
from catalog.lint.uses import Use, ancestors, found, rules_of
from catalog.source import Place
from catalog.stages import ByOwner
from catalog.steps import CallWork, GrantWork, TaskWork


@rule("unknown-workflow", "error", "The workflow of an item is one that is registered.")
def unknown_workflow(subject: Subject) -> Iterator[Hit]:
    """Check `workflow`."""
    name = subject.item.workflow
    if name:
        yield from _unknown(("workflow",), "workflow", name, subject.world.known.workflows)


def _unknown(place: Place, what: str, name: str, known: Collection[str]) -> Iterator[Hit]:
    if name not in known:
        yield Hit(place, f"there is no {what} {name!r}", explain.suggest(name, known))


@rule("workflow-parameters", "error", "The parameters of an item are those that its workflow takes.")
def workflow_parameters(subject: Subject) -> Iterator[Hit]:
    """Check `parameters`."""
    item = subject.item
    if item.workflow is None:
        if item.parameters:
            yield Hit(("parameters",), "only a workflow takes parameters", "Remove 'parameters'.")
    elif spec := subject.world.known.workflows.get(item.workflow):
        yield from misfits(item.parameters, spec.parameters, ("parameters",))


@rule("missing-entitlement", "error", "An item says what it gives if its workflow needs to know.")
def missing_entitlement(subject: Subject) -> Iterator[Hit]:
    """Check `entitlement`."""
    spec = subject.world.known.workflows.get(subject.item.workflow or "")
    if spec and spec.entitlement and subject.item.entitlement is None:
        message = f"{spec.id} has to know what the item gives"
        yield Hit(("workflow",), message, "Add 'entitlement:' with the name of a group.")


@rule("unused-entitlement", "warning", "What an item says it gives is given or asked about by something.")
def unused_entitlement(subject: Subject) -> Iterator[Hit]:
    """Check `entitlement`: a workflow needs it, a step gives it, or its owners are asked."""
    item, spec = subject.item, subject.world.known.workflows.get(subject.item.workflow or "")
    if item.entitlement is None or (item.workflow and (spec is None or spec.entitlement)):
        return
    given = any(isinstance(work, GrantWork) and work.group == item.entitlement.group for _, work in subject.works)
    rules = [rule_ for place, stage in subject.stages for _, those in rules_of(stage, place) for rule_ in those]
    rules += [rule_ for _, work in subject.works if isinstance(work, TaskWork) for rule_ in work.assign]
    asked = any(isinstance(one, ByOwner) and one.group is None for one in rules)
    if not given and not asked:
        yield Hit(("entitlement",), "nothing gives this and nobody's approval depends on it", "Remove 'entitlement'.")


@rule("unknown-action", "error", "A call names an action that is registered.")
def unknown_action(subject: Subject) -> Iterator[Hit]:
    """Check `action` of every call."""
    for place, call in _calls(subject):
        yield from _unknown((*place, "action"), "action", call.action, subject.world.known.actions)


@rule("action-input", "error", "A call hands over what its action takes.")
def action_input(subject: Subject) -> Iterator[Hit]:
    """Check `input` of every call."""
    for place, call in _calls(subject):
        if spec := subject.world.known.actions.get(call.action):
            yield from misfits(call.input, spec.input, (*place, "input"))


def _calls(subject: Subject) -> Iterator[tuple[Place, CallWork]]:
    yield from ((place, work) for place, work in subject.works if isinstance(work, CallWork))


@rule("unknown-provider", "error", "A field names a provider that is registered.")
def unknown_provider(subject: Subject) -> Iterator[Hit]:
    """Check `provider` of every field, those of rows and of evidence too."""
    for place, field in subject.fields:
        if name := vars(field).get("provider"):
            yield from _unknown((*place, "provider"), "provider", name, subject.world.known.providers)


@rule("unknown-item", "error", "An item that another one names exists.")
def unknown_item(subject: Subject) -> Iterator[Hit]:
    """Check lines, request steps and the successor; of an item whose file is broken, that file is told instead."""
    for place, name in subject.other_items:
        if name not in subject.world.reading.broken:
            yield from _unknown(place, "item", name, subject.world.reading.items)


@rule("retired-item", "error", "An item that another one needs is not retired.")
def retired_item(subject: Subject) -> Iterator[Hit]:
    """Check lines, request steps and the successor."""
    for place, name in subject.other_items:
        other = subject.world.reading.items.get(name)
        if other and other.value.lifecycle == "retired":
            successor = other.value.successor
            remedy = f"Use its successor {successor!r}." if successor else "Use another item."
            yield Hit(place, f"the item {name!r} is retired", remedy)


@rule("draft-item", "error", "A published item needs no drafts.")
def draft_item(subject: Subject) -> Iterator[Hit]:
    """Check lines, request steps and the successor of what is published."""
    if subject.item.lifecycle != "draft":
        for place, name in subject.other_items:
            other = subject.world.reading.items.get(name)
            if other and other.value.lifecycle == "draft":
                yield Hit(place, f"the item {name!r} is a draft", "Publish it first, or make this item a draft, too.")


@rule("item-cycle", "error", "No item orders itself, not even by way of others.")
def item_cycle(subject: Subject) -> Iterator[Hit]:
    """Check lines and request steps."""
    for place, name in subject.other_items:
        if place != ("successor",) and subject.item.id in {name, *ancestors(name, subject.world.orders)}:
            yield Hit(place, f"ordering {name!r} orders this item again, without end", "Remove one of the two.")


@rule("unknown-field", "error", "A field that an item names is in its form.")
def unknown_field(subject: Subject) -> Iterator[Hit]:
    """Check `distinct_by`, the place of each cross-field check, and what approvers decide on and may reduce."""
    item = subject.item
    asked = [field.id for field in item.form]
    for at, name in enumerate(item.distinct_by):
        yield from _unknown(("distinct_by", at), "field", name, asked)
    for at, check in enumerate(item.checks):
        if check.at:
            yield from _unknown(("checks", at, "at"), "field", check.at, asked)
    for place, stage in subject.stages:
        for key, names in (("concerns", stage.concerns or ()), ("may_reduce", stage.may_reduce)):
            for at, name in enumerate(names):
                yield from _unknown((*place, key, at), "field", name, asked)


_REDUCIBLE = ("integer", "decimal", "money", "date", "datetime", "duration")


@rule("irreducible-field", "error", "What approvers may reduce is a number, an amount, a date or a length of time.")
def irreducible_field(subject: Subject) -> Iterator[Hit]:
    """Check `may_reduce` of every stage."""
    types = {field.id: field.type for field in subject.item.form}
    for place, stage in subject.stages:
        for at, name in enumerate(stage.may_reduce):
            if name in types and types[name] not in _REDUCIBLE:
                message = f"the answer to {name!r} cannot be made smaller: its type is {types[name]}"
                yield Hit((*place, "may_reduce", at), message, "Remove it; others can be amended by who orders.")


@rule("unknown-calendar", "error", "A calendar that is named exists and can be used; in a union it is none itself.")
def unknown_calendar(subject: Subject) -> Iterator[Hit]:
    """Check the calendars of stages and clocks; those of unions are looked at where they are read.

    Of one whose file is broken, that file is told instead.
    """
    known = {ALWAYS.id, *subject.world.reading.calendars}
    named = [((*place, key), vars(stage)[key]) for place, stage in subject.stages for key in ("calendar", "acts_in")]
    named += [(("clocks", at, "calendar"), clock.calendar) for at, clock in enumerate(subject.item.clocks)]
    for place, name in named:
        if name is not None and name not in subject.world.reading.broken:
            yield from _unknown(place, "calendar", name, known)


@rule("unknown-line", "error", "A line of a bundle comes after lines that the bundle has.")
def unknown_line(subject: Subject) -> Iterator[Hit]:
    """Check `after`."""
    lines = [line.id for line in subject.item.lines]
    for at, line in enumerate(subject.item.lines):
        for after_at, name in enumerate(line.after):
            yield from _unknown(("lines", at, "after", after_at), "line", name, lines)


@rule("line-cycle", "error", "The lines of a bundle do not wait for each other in a circle.")
def line_cycle(subject: Subject) -> Iterator[Hit]:
    """Check `after`."""
    after = {line.id: line.after for line in subject.item.lines}
    for at, line in enumerate(subject.item.lines):
        if line.id in ancestors(line.id, after):
            yield Hit(("lines", at, "after"), f"{line.id!r} waits for itself", "Break the circle.")
            return  # the others of the circle would say the same


@rule("unknown-name", "error", "An expression names only what there is where it stands.")
def unknown_name(subject: Subject) -> Iterator[Hit]:
    """Check every expression, results of steps left out."""
    for use in subject.uses:
        for path in sorted(use.references):
            if path[0] != "results" or "results" not in use.names:
                yield from _unknown_path(subject, use, path)


@rule("unknown-result", "error", "An expression uses results only of steps that come before it.")
def unknown_result(subject: Subject) -> Iterator[Hit]:
    """Check ``results.<step>.<key>`` in every expression."""
    steps = {step.id for _, step in subject.steps} | {line.id for line in subject.item.lines}
    for use in subject.uses:
        for path in sorted(use.references):
            if path[0] != "results" or "results" not in use.names:
                continue
            if len(path) > 1 and path[1] in steps and path[1] not in use.names["results"]:
                message = f"{'.'.join(path)} is not known here: {path[1]!r} does not come before"
                yield Hit(use.place, message, "Use it in a later step of the same branch, or after the branches.")
            else:
                yield from _unknown_path(subject, use, path)


def _unknown_path(subject: Subject, use: Use, path: tuple[str, ...]) -> Iterator[Hit]:
    missing = found(subject.names_of(use), path)
    if missing.missing is None:
        return
    part = path[missing.missing]
    near = [name for name in missing.there if name.startswith(f"{part}-")]
    if near:
        remedy = f"A name with '-' is written in brackets: {'.'.join(path[: missing.missing])}[{near[0]!r}]."
    elif path[0] == "order" and path[1:] and missing.missing == 0 and "form" in missing.there:
        remedy = f"Outside the evidence of a task, write {'.'.join(('form', *path[1:]))}."
    elif missing.there:
        remedy = explain.suggest(part, missing.there)
    else:
        remedy = f"{'.'.join(path[: missing.missing]) or 'It'} has no parts; use it as it is."
    yield Hit(use.place, f"{'.'.join(path)} is not known here", remedy)


@rule("unknown-owner", "error", "The owner of an item is somebody whom the directory knows.")
def unknown_owner(subject: Subject) -> Iterator[Hit]:
    """Check `owner`, if it is known who there is."""
    company = subject.world.company
    if company is not None:
        yield from _unknown(("owner",), "person", subject.item.owner, company.people)


@rule("unknown-group", "warning", "A group that an item names is one of the company's.")
def unknown_group(subject: Subject) -> Iterator[Hit]:
    """Check every group that does not depend on the order, if it is known which there are."""
    given = subject.item.entitlement
    named = [(("entitlement", "group"), given.group)] if given else []
    if subject.world.company is not None:
        yield from _not_in(subject.world.company.groups, "group", [*_named(subject, "group"), *named])


@rule("unknown-role", "warning", "A role that an item names is one of the company's.")
def unknown_role(subject: Subject) -> Iterator[Hit]:
    """Check every role that does not depend on the order, if it is known which there are."""
    if subject.world.company is not None:
        yield from _not_in(subject.world.company.roles, "role", _named(subject, "role"))


@rule("unknown-ci", "warning", "A configuration item that an item names is one of the company's.")
def unknown_ci(subject: Subject) -> Iterator[Hit]:
    """Check every configuration item that does not depend on the order, if it is known which there are."""
    if subject.world.company is not None:
        yield from _not_in(subject.world.company.cis, "configuration item", _named(subject, "ci"))


def _named(subject: Subject, what: str) -> Iterator[tuple[Place, str]]:
    """Yield the groups, roles or configuration items that are named as they are."""
    names = (use for use in subject.literals if use.wanted == "name" and use.place[-1] == what)
    yield from ((use.place, use.value) for use in names if isinstance(use.value, str) and use.value.strip())


def _not_in(known: Collection[str], what: str, named: Iterable[tuple[Place, str]]) -> Iterator[Hit]:
    for place, name in named:
        if name.strip() not in known:
            close = difflib.get_close_matches(name, known, n=1)
            remedy = f"Did you mean {close[0]!r}?" if close else f"Correct its name, or add the {what} to the company."
            yield Hit(place, f"there is no {what} {name!r} in the company", remedy)
