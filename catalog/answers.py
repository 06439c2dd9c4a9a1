"""Stored answers in other forms: as a client would send them again, and as others see them (feature row C9).

How answers are checked and stored is `form`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalog.fields import Field, RowsField
from catalog.reading import LIST_FIELDS

_Entry = Callable[[Field, Any], Any]


def as_given(fields: tuple[Field, ...], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers as a client would send them: people by login, files by the id of their upload.

    Answers that a client sent stay as they are. Secrets are left out: each was given for one request only.
    """
    return _each(tuple(field for field in fields if field.type != "secret"), stored, as_given, _given)


def as_seen(fields: tuple[Field, ...], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return answers as others may see them: people without their address, of a secret only that it was given."""
    return _each(fields, stored, as_seen, _seen)


def _each(
    fields: tuple[Field, ...],
    stored: Mapping[str, Any],
    row: Callable[[tuple[Field, ...], Mapping[str, Any]], dict[str, Any]],
    entry: _Entry,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields:
        if field.id not in stored:
            continue
        value = stored[field.id]
        if isinstance(field, RowsField):
            found[field.id] = [row(field.fields, one) for one in value]
        elif isinstance(field, LIST_FIELDS):
            found[field.id] = [entry(field, one) for one in (value if isinstance(value, list) else [value])]
        else:
            found[field.id] = entry(field, value)
    return found


_NAMED_BY = {"person": "login", "people": "login", "attachment": "id"}


def _given(field: Field, stored: Any) -> Any:
    key = _NAMED_BY.get(field.type, "value")
    return stored[key] if isinstance(stored, dict) and key in stored else stored


def _seen(field: Field, stored: Any) -> Any:
    match field.type:
        case "person" | "people":
            return {key: stored[key] for key in ("id", "login", "name")}
        case "secret":
            return {"given": True}
        case _:
            return stored
