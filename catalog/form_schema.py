"""The JSON Schema of a form's answers, for API clients, and what a portal needs to draw the form (feature row C2).

The schema says what can be said of an answer by itself; what depends on other answers or on a source stands as the
author wrote it under `KEYWORD`, and is judged by `form.check`. Every answer that `check` accepts is valid here, in the
form it was given and in the form it is stored; what is not answered is left out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from catalog import data, reading
from catalog.fields import (
    AttachmentField,
    ChoiceField,
    DecimalField,
    Field,
    IntegerField,
    IpField,
    MoneyField,
    MultiChoiceField,
    ParagraphField,
    PeopleField,
    RowsField,
    TextField,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KEYWORD = "x-commissary"
"""The keyword under which each field says how it is drawn: its `kind`, its place in the form's `order`, and everything
its author wrote about it, conditions as they were written."""

Json = dict[str, Any]


def schema(fields: tuple[Field, ...]) -> Json:
    """Return the JSON Schema (2020-12) of the object that holds the answers to a form."""
    return {"$schema": DIALECT, **_object(fields)}


def _object(fields: tuple[Field, ...]) -> Json:
    return {
        "type": "object",
        "properties": {field.id: _property(field, order) for order, field in enumerate(fields)},
        "required": [field.id for field in fields if _always_needed(field)],
        "additionalProperties": False,
    }


def _always_needed(field: Field) -> bool:
    """Return whether an order without an answer is wrong, whatever else it holds."""
    return field.required is True and field.visible is True and field.read_only is False and field.default is None


def _property(field: Field, order: int) -> Json:
    found: Json = {"title": field.label}
    if field.help:
        found["description"] = field.help
    found |= _answer(field)
    if field.default is not None and not any("{{" in text or "{%" in text for text in data.texts(field.default)):
        found["default"] = data.plain(field.default)
    if field.read_only is True:
        found["readOnly"] = True
    drawn = field.model_dump(mode="json", exclude={"id", "type", "label", "fields"})
    return found | {KEYWORD: {"kind": field.type, "order": order} | drawn}


def _answer(field: Field) -> Json:
    match field:
        case RowsField():
            return _list(_object(field.fields), field.at_least, field.at_most)
        case MultiChoiceField() | PeopleField():
            return _list(_entry(field), field.at_least, field.at_most) | {"uniqueItems": True}
        case AttachmentField():
            return _list(_entry(field), 1, field.at_most) | {"uniqueItems": True}
        case _:
            return _entry(field)


def _list(entry: Json, least: int, most: int) -> Json:
    return {"type": "array", "items": entry, "minItems": least, "maxItems": most}


def _entry(field: Field) -> Json:
    """Return the schema of an answer, or of one entry of an answer that is a list."""
    match field:
        case TextField() | ParagraphField():
            return _text(field)
        case IntegerField():
            most = 10**reading.MAX_DIGITS
            return {"type": "integer", "minimum": -most, "maximum": most} | _limits(field)
        case DecimalField():
            return _NUMBER | _limits(field)
        case MoneyField():
            return _money(field)
        case ChoiceField() | MultiChoiceField() if field.choices:
            return {"enum": list(field.choices)}
        case IpField(accept="address", version=4 | 6):
            return {"type": "string", "format": f"ipv{field.version}"}
        case _:
            return dict(_ENTRIES[field.type])


def _text(field: TextField | ParagraphField) -> Json:
    found: Json = {"type": "string", "minLength": max(field.min_length, 1), "maxLength": field.max_length}
    if isinstance(field, TextField) and field.pattern and "(?" not in field.pattern:  # some that only Python knows
        found["pattern"] = f"^(?:{field.pattern})$"
    return found


def _limits(field: IntegerField | DecimalField | MoneyField) -> Json:
    both = {"minimum": field.lowest if isinstance(field, MoneyField) else field.least, "maximum": field.most}
    return {word: _json_number(limit) for word, limit in both.items() if limit is not None}


def _json_number(limit: int | Decimal) -> int | float:
    return int(limit) if limit == int(limit) else float(limit)


def _money(field: MoneyField) -> Json:
    amount = _NUMBER | _limits(field)
    return amount | {
        "type": ["object", *_NUMBER["type"]],
        "properties": {"amount": amount, "currency": {"const": field.currency}},
        "required": ["amount", "currency"],
        "additionalProperties": False,
    }


def _named(key: str) -> Json:
    """Return the schema of what is named by a text, or by an object as it is stored with that text under `key`."""
    name = {"type": "string", "minLength": 1}
    return name | {"type": ["string", "object"], "properties": {key: name}, "required": [key]}


_NUMBER: Json = {"type": ["number", "string"], "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"}
_ENTRIES: dict[str, Json] = {
    "yes_no": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "duration": {"type": "string", "minLength": 1},
    "email": {"type": "string", "format": "email", "maxLength": reading.MAX_MAIL},
    "url": {"type": "string", "format": "uri", "maxLength": reading.MAX_URL},
    "ip": {"type": "string", "minLength": 1},
    "person": _named("login"),
    "people": _named("login"),
    "choice": _named("value"),
    "multi_choice": _named("value"),
    "group": _named("value"),
    "entitlement": _named("value"),
    "asset": _named("value"),
    "ci": _named("value"),
    "attachment": _named("id"),
    "secret": {
        "type": "object",
        "properties": {"secret": {"type": "string", "minLength": 1}},
        "required": ["secret"],
        "additionalProperties": False,
        "writeOnly": True,
    },
}
"""By the type of a field, what is the same for all fields of it."""
