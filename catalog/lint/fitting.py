"""Whether data fits a JSON Schema, as far as that can be said before its expressions are evaluated.

Only what the schemas of registered actions and workflows use is looked at: types, fields, entries, choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.explain import said, suggest
from catalog.lint.rules import Hit
from catalog.source import Place

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}
_WORDS = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a group of fields", "null": "nothing",
}  # fmt: skip


def misfits(
    value: Any, schema: Mapping[str, Any], place: Place, root: Mapping[str, Any] | None = None
) -> Iterator[Hit]:
    """Yield where data does not fit a schema; a text with an expression in it may become anything."""
    root = root or schema
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        return
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        if all(any(True for _ in misfits(value, one, place, root)) for one in schema["anyOf"]):
            yield from misfits(value, schema["anyOf"][0], place, root)
        return
    kind = schema.get("type")
    if kind in _TYPES and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield Hit(place, f"this must be {_WORDS[kind]}, not {said(value)}", f"Write {_WORDS[kind]} there.")
    elif "enum" in schema and value not in schema["enum"]:
        yield Hit(place, f"{said(value)} is not known here", suggest(str(value), map(str, schema["enum"])))
    elif isinstance(value, dict):
        yield from _fields(value, schema, place, root)
    elif isinstance(value, list | tuple):
        for at, entry in enumerate(value):
            yield from misfits(entry, schema.get("items", {}), (*place, at), root)


def _fields(value: dict[str, Any], schema: Mapping[str, Any], place: Place, root: Mapping[str, Any]) -> Iterator[Hit]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Hit((*place, name), "this field is missing", f"Add '{name}: …'.")
    for name, one in value.items():
        if name in known:
            yield from misfits(one, known[name], (*place, name), root)
        elif schema.get("additionalProperties") is False:
            yield Hit((*place, name), "there is no such field", suggest(name, known))
