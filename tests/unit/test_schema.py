"""The JSON Schema of item files, as editors use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from support.items import FILE, PLAIN

from catalog.duration import parse as parse_duration
from catalog.schema import DIALECT, item_schema
from catalog.source import parse

SCHEMA = item_schema()
PARTS = {"item": SCHEMA, **SCHEMA["$defs"]}
OBJECTS = {name: part for name, part in PARTS.items() if part.get("type") == "object"}


def errors(item: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(item)]


def walk(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from walk(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from walk(value)


def test_it_is_a_schema_of_its_dialect() -> None:
    assert SCHEMA["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_an_item_with_every_part_of_the_language_fits() -> None:
    assert errors(parse(FILE.read_text(encoding="utf-8")).data) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"nmae": "x"},
        {"version": "1"},
        {"sla": {"targt": "5 days"}},
        {"form": [{"id": "a", "type": "tekst", "label": "A"}]},
        {"steps": [{"id": "a", "do": "grant"}]},
        {"icon": "rocket"},
    ],
    ids=str,
)
def test_a_mistake_shows_while_typing(wrong: dict[str, Any]) -> None:
    assert errors(PLAIN | wrong)


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_every_key_has_help(name: str) -> None:
    parts = OBJECTS[name]["properties"]
    assert [key for key, part in parts.items() if part["description"].rstrip(".").lower() == key] == []


@pytest.mark.parametrize("name", sorted(OBJECTS))
def test_every_object_says_what_it_is_and_knows_all_its_keys(name: str) -> None:
    assert OBJECTS[name]["description"]
    assert "Attributes:" not in OBJECTS[name]["description"]
    assert OBJECTS[name]["additionalProperties"] is False


def test_help_comes_from_what_the_classes_say_of_their_parts() -> None:
    stage = OBJECTS["Stage"]["properties"]
    assert stage["decide_within"]["description"].startswith("How long the stage stays open before the request expires")
    assert OBJECTS["TaskStep"]["description"].startswith("Work for a human")


def test_durations_are_text_as_authors_write_them() -> None:
    assert not [part for part in walk(SCHEMA) if part.get("format") == "duration"]
    examples = {text for part in walk(SCHEMA) if "examples" in part for text in part["examples"]}
    assert examples
    assert all(parse_duration(text) for text in examples)


def test_nothing_is_in_it_that_only_some_tools_know() -> None:
    assert not [part for part in walk(SCHEMA) if "discriminator" in part]
