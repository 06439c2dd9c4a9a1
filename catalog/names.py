"""The names that conditions and templates of an item may use, and what they stand for at a given moment.

One documented set (`NAMES`); every place gives those that make sense there, and lint checks against the same table.
Work that people do is completed long after its step began, with no workflow at hand: what its evidence names is put on
record with the task.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalog import form
from catalog.data import plain
from catalog.fields import Field, SecretField
from catalog.item import CatalogItem
from catalog.people import PersonRef, Profile
from catalog.request import Cost, Order, Task
from catalog.steps import ForEachStep, Step, TaskStep, walk

NAMES = {
    "form": "the answers: `form.<field>`; none while it is not answered or not asked",
    "row": "in the fields of a group of rows: the answers of the same row, as `form`",
    "order": "in the evidence of a task, where `form` is the evidence: the answers of the order",
    "requester": "who orders: `id`, `login`, `name`, `mail`, `department`, `title`, `location`, `employee_type`, "
    "`groups`",
    "beneficiary": "whom it is for; as `requester`",
    "item": "`id`, `version`, `name`, `category`, `owner`, `tags`, `risk`",
    "cost": "`one_off`, `recurring`, `first_year`, `currency`; zero for what is free",
    "results": "what earlier steps gave: `results.<step>.<key>`",
    "request": "`number` of the request; empty before it is placed",
    "today": "the day of the evaluation, in UTC",
}
"""Name -> what it stands for."""

PERSON = ("id", "login", "name", "mail", "department", "title", "location", "employee_type", "groups")
ITEM = ("id", "version", "name", "category", "owner", "tags", "risk")
COST = ("one_off", "recurring", "first_year", "currency")


def of_person(person: PersonRef, profile: Profile) -> dict[str, Any]:
    """Return what a person's name stands for."""
    known = {"id": person.id, "login": person.login, "name": person.name, "mail": person.mail}
    return known | profile.model_dump() | {"groups": list(profile.groups or ())}


def of_item(item: CatalogItem) -> dict[str, Any]:
    """Return what `item` stands for."""
    return {key: getattr(item, key) for key in ITEM} | {"tags": list(item.tags)}


def of_cost(cost: Cost | None) -> dict[str, Any]:
    """Return what `cost` stands for."""
    cost = cost or Cost()
    return {key: getattr(cost, key) for key in COST}


def of_order(order: Order, at: datetime, results: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return all names as they stand for a running request."""
    return {
        "form": form.values(order.item.form, order.answers),
        "requester": of_person(order.requester, order.requester_profile),
        "beneficiary": of_person(order.beneficiary, order.beneficiary_profile),
        "item": of_item(order.item),
        "cost": of_cost(order.cost),
        "results": dict(results or {}),
        "request": {"number": order.number},
        "today": at.date(),
    }


def for_evidence(fields: tuple[Field, ...], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what evidence names that the order alone does not tell: results, and the variables of loops around.

    Only what is named, as plain JSON: it travels with the task.
    """
    named = {path for path in form.references(fields) if path[0] == "results" or path[0] not in NAMES}
    # Of a result whole answers: a part of one, such as the amount of money, could not be read back.
    kept: dict[str, Any] = plain(_only(known, {path[:3] if path[0] == "results" else path[:1] for path in named}))
    return kept


def _only(value: Any, paths: set[tuple[str, ...]]) -> Any:
    """Return of a value only what the paths lead to."""
    if () in paths or not isinstance(value, Mapping):
        return value
    first = {path[0] for path in paths}
    return {
        key: _only(inner, {path[1:] for path in paths if path[0] == key})
        for key, inner in value.items()
        if key in first
    }


def of_evidence(order: Order, task: Task, at: datetime) -> dict[str, Any]:
    """Return the names that the evidence of a task may use besides its own ``form``."""
    known = of_order(order, at)
    results = _typed(task.known.get("results", {}), {step.id: step for _, step in walk(order.item.steps)})
    return {**known, **task.known, "results": results, "order": known["form"]}


def _typed(results: Mapping[str, Any], steps: Mapping[str, Step]) -> dict[str, Any]:
    """Return results from the record as steps know them: what people handed in is of the type of its field again."""
    found = dict(results)
    for name, result in results.items():
        step = steps.get(name)
        if isinstance(step, TaskStep):
            found[name] = result | form.values((field for field in step.evidence if field.id in result), result)
        elif isinstance(step, ForEachStep) and isinstance(result, list):
            found[name] = [_typed(one, steps) for one in result]
    return found


def secrets_of(order: Order) -> dict[str, str]:
    """Return the references of the secrets that were given, by the expression that stands for each.

    They take the place of that expression where it is the whole input of an action; everywhere else it says only
    that there is one.
    """
    return {
        f"form.{field.id}": order.answers[field.id]["secret"]
        for field in order.item.form
        if isinstance(field, SecretField) and order.answers.get(field.id)
    }
