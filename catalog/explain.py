"""What pydantic says of a catalog item, in plain words: where, what is wrong, what to do.

What belongs at a place is read from the item's JSON Schema, so a new field needs nothing here. On which line the
place stands is `loader`'s business.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from catalog.item import CatalogItem

Place = tuple[str | int, ...]
"""Where something stands in an item: names of fields and positions in lists, from the top."""

_SHOWN = 40
"""How many characters of a value are enough to recognise it."""

_SCHEMA = CatalogItem.model_json_schema()


class Explained(NamedTuple):
    """One fault: `message` says what is wrong, `remedy` in a sentence what to do."""

    place: Place
    message: str
    remedy: str


def explain(error: ValidationError) -> list[Explained]:
    """Return the faults of a `CatalogItem` that did not validate, in the order of its fields."""
    return [Explained(*_explain(fault)) for fault in _relevant(error.errors(include_url=False))]


def said(value: Any) -> str:
    """Return how to name a value that somebody wrote."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")
        case list():
            return "a list"
        case dict():
            return "a group of fields"
        case _:
            return f"the number {str(value)[:_SHOWN]}"


def _relevant(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what pydantic says of a list's length only because it dropped the entries that are wrong."""
    return [e for e in errors if e["type"] != "too_short" or len(e["input"]) < e["ctx"]["min_length"]]


def _explain(fault: ErrorDetails) -> tuple[Place, str, str]:
    """Return where a fault is, what is wrong and what to do, in plain words."""
    place, schema = _locate(fault["loc"])
    context = fault.get("ctx", {})
    match fault["type"]:
        case "missing":
            return place, "this field is missing", f"Add '{place[-1]}: …'."
        case "extra_forbidden":
            _, around = _locate(fault["loc"][:-1])
            return place, "there is no such field", _suggest(str(place[-1]), list(around["properties"]))
        case "union_tag_not_found":
            union = schema["discriminator"]
            remedy = f"Add '{union['propertyName']}:' with one of: {', '.join(union['mapping'])}."
            return (*place, union["propertyName"]), "this field is missing", remedy
        case "union_tag_invalid":
            union = schema["discriminator"]
            message = f"{said(context['tag'])} is not known here"
            return (*place, union["propertyName"]), message, _suggest(context["tag"], list(union["mapping"]))
        case "literal_error":
            options = schema.get("enum") or [schema["const"]]
            return place, f"{said(fault['input'])} is not known here", _suggest(str(fault["input"]), options)
        case "value_error":
            message, _, remedy = str(context["error"]).partition("; ")
            return place, message, f"{remedy[:1].upper()}{remedy[1:]}."
        case kind:
            return place, *_explain_value(kind, fault["input"], context, schema)


def _explain_value(kind: str, given: Any, context: dict[str, Any], schema: dict[str, Any]) -> tuple[str, str]:
    match kind:
        case "string_pattern_mismatch":
            return f"{said(given)} is not allowed here", f"Use {schema['description']}."
        case "string_too_short" | "too_short":
            return "this is empty", f"Write at least {context['min_length']}."
        case "string_too_long":
            return f"{len(given)} characters are too many", f"Write {context['max_length']} at most."
        case "greater_than_equal":
            return f"{said(given)} is too small", f"Write {context['ge']} or more."
        case "less_than_equal":
            return f"{said(given)} is too large", f"Write {context['le']} or less."
        case _:
            expected, remedy = _EXPECTED[schema.get("format") or schema.get("type", "object")]
            return f"this must be {expected}, not {said(given)}", remedy


_EXPECTED = {
    "string": ("text", "Put text there; what looks like a number or a date needs quotes."),
    "integer": ("a whole number", "Write a number such as 10."),
    "boolean": ("true or false", "Write true or false."),
    "array": ("a list", "Write one entry a line, each beginning with '- '."),
    "object": ("a group of fields", "Write 'field: value' lines below it, indented."),
    "date": ("a day", "Write it as YYYY-MM-DD."),
}
"""By the type or format of a JSON Schema: what belongs there, and how to write it."""


def _locate(loc: tuple[int | str, ...]) -> tuple[Place, dict[str, Any]]:
    """Return the place in the file that pydantic means, and the JSON Schema of what belongs there.

    pydantic puts the tag of a union (``text``, ``manager``) into the location; the file has no such level.
    """
    schema = _SCHEMA
    place: Place = ()
    for part in loc:
        if "discriminator" in schema:
            schema = _resolved({"$ref": schema["discriminator"]["mapping"][part]})
            continue
        place = (*place, part)
        schema = _resolved(schema["items"] if isinstance(part, int) else schema["properties"].get(part, {}))
    return place, schema


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference; of an optional value take what it is when it is there."""
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return dict(_SCHEMA["$defs"][name])
    return schema


def _suggest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Write one of: {', '.join(known)}."
