"""What pydantic says of what an author wrote, in plain words: where, what is wrong, what to do.

What belongs at a place is read from the model's JSON Schema, so a new field needs nothing here. On which line the
place stands is `source`'s business.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from catalog.data import Data, When
from catalog.item import CatalogItem
from catalog.model import Misplaced, Model
from catalog.source import Fault, Place

_SHOWN = 40
"""How many characters of a value are enough to recognise it."""

Schema = dict[str, Any]


def explain(error: ValidationError, model: type[Model] = CatalogItem) -> list[Fault]:
    """Return the faults of what did not validate as a `model`, in the order of its fields."""
    schema = _schema(model)
    return [_explain(fault, schema) for fault in _relevant(error.errors(include_url=False))]


def said(value: Any) -> str:
    """Return how to name a value that somebody wrote."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…")
        case list() | tuple():
            return "a list"
        case dict():
            return "a group of fields"
        case _:
            return f"the number {str(value)[:_SHOWN]}"


def suggest(word: str, known: Iterable[str]) -> str:
    """Return a remedy for a word that is not among those known: the nearest of them, or all."""
    words = list(known)
    close = difflib.get_close_matches(word, words, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Write one of: {', '.join(words)}." if words else "Remove it: there is none here."


@cache
def _schema(model: type[Model]) -> Schema:
    return model.model_json_schema()


def _relevant(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what pydantic says of a list's length only because it dropped the entries that are wrong."""
    return [e for e in errors if e["type"] != "too_short" or len(e["input"]) < e["ctx"]["min_length"]]


def _explain(fault: ErrorDetails, root: Schema) -> Fault:
    """Return where a fault is, what is wrong and what to do, in plain words."""
    place, (schema, *_) = _locate(fault["loc"], root)
    context = fault.get("ctx", {})
    match fault["type"]:
        case "missing":
            return Fault("missing-key", place, "this field is missing", f"Add '{place[-1]}: …'.")
        case "extra_forbidden":
            _, around = _locate(fault["loc"][:-1], root)
            there = next(option["properties"] for option in around if "properties" in option)
            remedy = suggest(str(place[-1]), there)
            return Fault("unknown-key", place, "there is no such field", remedy)
        case "union_tag_not_found":
            union = schema["discriminator"]
            remedy = f"Add '{union['propertyName']}:' with one of: {', '.join(union['mapping'])}."
            return Fault("missing-key", (*place, union["propertyName"]), "this field is missing", remedy)
        case "union_tag_invalid":
            union = schema["discriminator"]
            message = f"{said(context['tag'])} is not known here"
            remedy = suggest(context["tag"], union["mapping"])
            return Fault("unknown-value", (*place, union["propertyName"]), message, remedy)
        case "literal_error":
            options = [str(option) for option in schema.get("enum") or [schema["const"]]]
            remedy = suggest(str(fault["input"]), options)
            return Fault("unknown-value", place, f"{said(fault['input'])} is not known here", remedy)
        case "value_error":
            return _refused(place, fault["input"], context["error"])
        case kind:
            return _explain_value(kind, fault["input"], context, place, schema)


def _refused(place: Place, given: Any, error: ValueError) -> Fault:
    """Return what a validator of ours said."""
    message, _, remedy = str(error).partition("; ")
    inside = error.place if isinstance(error, Misplaced) else ()
    rule = "bad-expression" if _is_about_an_expression(given, str(error)) else "wrong-value"
    end = "" if remedy.endswith("?") else "."
    return Fault(rule, (*place, *inside), message, f"{remedy[:1].upper()}{remedy[1:]}{end}")


_EXPRESSIONS: tuple[TypeAdapter[Any], ...] = (TypeAdapter(When), TypeAdapter(Data))


def _is_about_an_expression(given: Any, message: str) -> bool:
    """Return whether one of the validators of expressions says the same of the value."""
    for adapter in _EXPRESSIONS:
        try:
            adapter.validate_python(given)
        except ValidationError as error:
            if str(error.errors()[0]["ctx"]["error"]) == message:
                return True
    return False


def _explain_value(kind: str, given: Any, context: dict[str, Any], place: Place, schema: Schema) -> Fault:
    match kind:
        case "string_pattern_mismatch":
            return Fault("wrong-value", place, f"{said(given)} is not allowed here", f"Use {schema['description']}.")
        case "too_short" if given:
            message = f"{len(given)} {'entry is' if len(given) == 1 else 'entries are'} too few"
            return Fault("wrong-value", place, message, f"Write {context['min_length']} at least.")
        case "string_too_short" | "too_short":
            return Fault("wrong-value", place, "this is empty", f"Write at least {context['min_length']}.")
        case "too_long":
            message = f"{len(given)} entries are too many"
            return Fault("wrong-value", place, message, f"Write {context['max_length']} at most.")
        case "string_too_long":
            message = f"{len(given)} characters are too many"
            return Fault("wrong-value", place, message, f"Write {context['max_length']} at most.")
        case "greater_than_equal":
            return Fault("wrong-value", place, f"{said(given)} is too small", f"Write {context['ge']} or more.")
        case "less_than_equal":
            return Fault("wrong-value", place, f"{said(given)} is too large", f"Write {context['le']} or less.")
        case _:
            expected, remedy = _EXPECTED[schema.get("format") or schema.get("type", "object")]
            return Fault("wrong-type", place, f"this must be {expected}, not {said(given)}", remedy)


_EXPECTED = {
    "string": ("text", "Put text there; what looks like a number or a date needs quotes."),
    "integer": ("a whole number", "Write a number such as 10."),
    "number": ("a number", "Write a number such as 12.50."),
    "boolean": ("true or false", "Write true or false."),
    "array": ("a list", "Write one entry a line, each beginning with '- '."),
    "object": ("a group of fields", "Write 'field: value' lines below it, indented."),
    "date": ("a day", "Write it as YYYY-MM-DD."),
    "date-time": ("a moment", "Write it as YYYY-MM-DDThh:mm:ssZ."),
}
"""By the type or format of a JSON Schema: what belongs there, and how to write it."""


def _locate(loc: tuple[int | str, ...], root: Schema) -> tuple[Place, tuple[Schema, ...]]:
    """Return the place in the file that pydantic means, and the JSON Schemas of what may stand there.

    pydantic puts the tag of a union (``text``, ``manager``) into the location, and ``[key]`` after a key that is
    wrong itself; the file has no such levels.
    """
    options: tuple[Schema, ...] = (root,)
    around = options
    place: Place = ()
    for part in loc:
        union = next((option for option in options if "discriminator" in option), None)
        if union:
            options = _resolved({"$ref": union["discriminator"]["mapping"][part]}, root)
        elif part == "[key]":
            options = (around[0].get("propertyNames", {"type": "integer"}),)  # of text it says what it is like
        else:
            place = (*place, part)
            around, options = options, _resolved(_below(options, part), root)
    return place, options


def _below(options: Sequence[Schema], part: int | str) -> Schema:
    """Return the JSON Schema of an entry of a list, of a field, or of an entry of a mapping; empty if there is none."""
    for option in options:
        if isinstance(part, int):
            below = [option.get("items")]
        else:
            patterns = option.get("patternProperties", {})
            below = [option.get("properties", {}).get(part), *patterns.values(), option.get("additionalProperties")]
        found = next((one for one in below if isinstance(one, dict)), None)
        if found is not None:
            return found
    return {}


def _resolved(schema: Schema, root: Schema) -> tuple[Schema, ...]:
    """Return what may stand at a place, references followed; of an optional value first what it is when it is there."""
    if "anyOf" in schema:
        return tuple(inner for option in schema["anyOf"] for inner in _resolved(option, root))
    if "$ref" in schema:
        return (root["$defs"][schema["$ref"].removeprefix("#/$defs/")],)
    return (schema,)
