"""Made-up values for everything an expression may name, so that it can be tried before any order is placed.

Answers are settled as a form settles them: what a condition hides is not answered, and with `sparse` neither is
anything that need not be. Nothing here looks at what the expressions are for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from catalog.data import holds
from catalog.expression import ExpressionError, references
from catalog.fields import Field, IntegerField
from catalog.item import CatalogItem
from catalog.names import of_item
from catalog.steps import (
    ApproveStep,
    CallStep,
    ForEachStep,
    GrantStep,
    HttpStep,
    RequestStep,
    RevokeStep,
    Step,
    TaskStep,
    WaitStep,
)

OPEN: Any = object()
"""Stands for data of which nobody knows in advance what it holds."""

MAX_FORMS = 40
"""How many ways of answering a form are tried at most."""

TODAY = date(2030, 1, 15)
_NOON = datetime(2030, 1, 15, 12, tzinfo=UTC)
_REF = {"id": "id-ada", "login": "ada", "name": "Ada Byron", "mail": "ada@example.org"}
PERSON = _REF | {
    "department": "Research",
    "title": "Engineer",
    "location": "London",
    "employee_type": "Employee",
    "groups": ["staff"],
}
BARE_PERSON: dict[str, Any] = {
    **dict.fromkeys(PERSON),
    "id": "id-ada",
    "login": "ada",
    "name": "Ada Byron",
    "groups": [],
}
"""Somebody of whom the directory says no more than it must."""

_COST = {"one_off": Decimal(100), "recurring": Decimal(10), "first_year": Decimal(220), "currency": "EUR"}
_OBSERVED = {"present": True, "changed": True, "ours": True, "where": "ldap", "at": "2030-01-15T12:00:00Z"}


def of_order(item: CatalogItem) -> dict[str, Any]:
    """Return what expressions about an item may name when it is ordered, besides ``form``."""
    return {"requester": PERSON, "beneficiary": PERSON, "item": of_item(item), "today": TODAY}


def of_request(item: CatalogItem) -> dict[str, Any]:
    """Return what they may name of a request, besides ``form``."""
    return of_order(item) | {"cost": _COST, "request": {"number": "REQ-1"}, "results": {}}


def bare(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names with people of whom hardly anything is known."""
    return {**names, "requester": BARE_PERSON, "beneficiary": BARE_PERSON}


_FILE = {"id": "1", "name": "plan.pdf", "media_type": "application/pdf", "size": 1000, "digest": "sha256:0"}
_TYPICAL: dict[str, tuple[Any, ...]] = {
    "text": ("text",),
    "paragraph": ("text\nmore text",),
    "yes_no": (True, False),
    "date": (TODAY,),
    "datetime": (_NOON,),
    "duration": (timedelta(days=10),),
    "email": ("ada@example.org",),
    "url": ("https://example.org/",),
    "ip": ("192.0.2.1",),
    "person": (_REF,),
    "people": ([_REF],),
    "attachment": ([_FILE],),
    "secret": ({"given": True},),
}
"""By the type of a field, answers as expressions see them."""


def answers(field: Field) -> tuple[Any, ...]:
    """Return some answers to a field, as expressions see them; to a choice all there are."""
    match field.type:
        case "integer":
            return _range(field.least, field.most, int)
        case "decimal":
            return _range(field.least, field.most, Decimal)
        case "money":
            amounts = _range(field.least, field.most, Decimal)
            return tuple({"amount": amount, "currency": field.currency} for amount in amounts)
        case "choice":
            return field.choices or ("choice",)
        case "multi_choice":
            return (list(field.choices or ("choice",)), list(field.choices[:1] or ("choice",)))
        case "rows":
            return ([{inner.id: answers(inner)[0] for inner in field.fields}],)
        case "group" | "entitlement" | "asset" | "ci":
            return ("choice",)
        case kind:
            return _TYPICAL[kind]


def around(field: IntegerField, numbers: Iterable[int]) -> tuple[int, ...]:
    """Return the answers to a field at, just below and just above some numbers, and at its bounds."""
    near = {number + by for number in numbers for by in (-1, 0, 1)}
    bounds = {bound for bound in (field.least, field.most) if bound is not None}
    low, high = min(bounds | near), max(bounds | near)
    least, most = low if field.least is None else field.least, high if field.most is None else field.most
    return tuple(sorted(number for number in near | bounds if least <= number <= most))


def _range(least: Any, most: Any, kind: type) -> tuple[Any, ...]:
    low = least if least is not None else min(kind(1), most if most is not None else kind(1))
    return (kind(low), kind(most if most is not None else max(low, kind(1000))))


def forms(fields: tuple[Field, ...], names: Mapping[str, Any], root: str = "form") -> list[dict[str, Any]]:
    """Return several ways in which a form can be answered; where two have the same answer, it is the same object.

    Args:
        fields: the form, or the fields of a row.
        names: what its conditions may name besides.
        root: what its own answers are called there.
    """
    conditions = _Conditions(names, root)
    settled = [_settled(fields, way, conditions, sparse=sparse) for way in _ways(fields) for sparse in (False, True)]
    return [form for at, form in enumerate(settled) if form not in settled[:at]]


def differing(ways: Iterable[dict[str, Any]], fields: Collection[str]) -> list[dict[str, Any]]:
    """Return, of the ways in which a form can be answered, those that differ in the answers to some of its fields."""
    kept: dict[tuple[int, ...], dict[str, Any]] = {}
    for way in ways:
        kept.setdefault(tuple([id(way.get(field)) for field in fields]), way)
    return list(kept.values())


def _ways(fields: tuple[Field, ...]) -> list[dict[str, Any]]:
    """Return combinations of answers in which every answer to a choice comes up."""
    known = {field.id: answers(field) for field in fields}
    first = {name: those[0] for name, those in known.items()}
    last = {name: those[-1] for name, those in known.items()}
    others = [{**first, name: one} for name, those in known.items() for one in those[1:]]
    return [first, last, *others][:MAX_FORMS]


class _Conditions:
    """The conditions of a form, each evaluated once for the same answers: those are the same objects in every way."""

    def __init__(self, names: Mapping[str, Any], root: str) -> None:
        self._names = names
        self._root = root
        self._known: dict[tuple[object, ...], bool] = {}

    def surely(self, when: bool | str, form: Mapping[str, Any]) -> bool:
        """Return whether a condition holds, or fails: what is wrong with it is said of the condition."""
        if isinstance(when, bool):
            return when
        named = _answers_named(when, self._root)
        key = (when, *(id(form.get(name)) for name in (form if named is None else named)))
        if key not in self._known:
            try:
                self._known[key] = holds(when, {**self._names, self._root: form})
            except ExpressionError:
                self._known[key] = True
        return self._known[key]


@lru_cache(maxsize=8_192)
def _answers_named(when: str, root: str) -> tuple[str, ...] | None:
    """Return the fields whose answers a condition names; None if it names the form as a whole."""
    paths = [path for path in references(when) if path[0] == root]
    return None if (root,) in paths else tuple(sorted({path[1] for path in paths}))


def _settled(
    fields: tuple[Field, ...], way: Mapping[str, Any], conditions: _Conditions, *, sparse: bool
) -> dict[str, Any]:
    """Return the answers of those fields that are asked; with `sparse` of those only that need one."""
    form = dict(way)
    depends = any(isinstance(field.visible, str) or isinstance(field.required, str) for field in fields)
    for _ in range(2 if depends else 1):  # a condition may look at a field further down
        for field in fields:
            asked = conditions.surely(field.visible, form)
            needed = not sparse or field.default is not None or conditions.surely(field.required, form)
            form[field.id] = way[field.id] if asked and needed else None
    return form


def whole_form(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Return an answer to every field there is, asked or not."""
    return {field.id: answers(field)[0] for field in fields}


def result_of(step: Step, action_result: Mapping[str, Any] | None) -> Any:
    """Return what a step gives to those after it."""
    match step:
        case TaskStep():
            return whole_form(step.evidence) | {"by": _REF}
        case GrantStep() | RevokeStep():
            return _OBSERVED
        case CallStep():
            return OPEN if action_result is None else of_schema(action_result, action_result)
        case HttpStep():
            return {"status": 200, "body": OPEN}
        case WaitStep():
            return OPEN if step.event else {}
        case ApproveStep():
            return {"by": ["Ada Byron"]}
        case RequestStep():
            ended = {"outcome": "fulfilled", "reason": ""} if step.wait else {}
            return {"number": "REQ-2"} | ended
        case ForEachStep():
            return []
        case _:
            return {}


def of_schema(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """Return a value that a JSON Schema describes; `OPEN` where it does not say enough."""
    if "$ref" in schema:
        return of_schema(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" and "properties" in schema:
        return {name: of_schema(inner, root) for name, inner in schema["properties"].items()}
    return _OF_TYPE.get(str(schema.get("type")), OPEN)


_OF_TYPE: dict[str, Any] = {"string": "text", "integer": 1, "number": 1, "boolean": True, "array": []}
