"""The JSON Schema of item files, as editors use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter
from support.items import CLOCKS, FILE, GROUPS, MANAGER, PLAIN, PRIORITY, TERMS

import catalog
from catalog.schema import DIALECT, Kind, file_schema
from catalog.sla_spec import Target as AnyTarget
from catalog.source import parse

SCHEMA = file_schema(Kind.ITEM)
Target: TypeAdapter[Any] = TypeAdapter(AnyTarget)
SCHEMAS = {kind: file_schema(kind) for kind in Kind}
PARTS = {
    name: part for kind, schema in SCHEMAS.items() for name, part in {kind.value: schema, **schema["$defs"]}.items()
}
CATALOG = Path(catalog.__file__).parent
OBJECTS = {name: part for name, part in PARTS.items() if part.get("type") == "object"}


def errors(item: dict[str, Any], schema: dict[str, Any] = SCHEMA) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(item)]


def walk(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from walk(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from walk(value)


@pytest.mark.parametrize("kind", Kind)
def test_it_is_a_schema_of_its_dialect_with_a_name_of_its_own(kind: Kind) -> None:
    assert SCHEMAS[kind]["$schema"] == DIALECT
    assert SCHEMAS[kind]["$id"].endswith(f"/{kind}.json")
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


WRITTEN = [
    (kind, file)
    for kind, folder in (
        (Kind.POLICY, "policies"),
        (Kind.CALENDAR, "calendars"),
        (Kind.SCENARIO, "items/scenarios"),
        (Kind.ITEM, "items"),
    )
    for file in sorted((CATALOG / folder).glob("*.yaml"))
    if file.name != "company.yaml"
]


@pytest.mark.parametrize(("kind", "file"), WRITTEN, ids=[f"{kind}-{file.stem}" for kind, file in WRITTEN])
def test_what_is_shipped_fits(kind: Kind, file: Path) -> None:
    assert errors(parse(file.read_text(encoding="utf-8")).data, SCHEMAS[kind]) == []


def test_each_kind_of_file_is_shipped() -> None:
    assert {kind for kind, _ in WRITTEN} == set(Kind)


def test_an_item_with_every_part_of_the_language_fits() -> None:
    assert errors(parse(FILE.read_text(encoding="utf-8")).data) == []


@pytest.mark.parametrize(
    "right",
    [
        {"approvals": [MANAGER | TERMS]},
        {"approvals": [{"id": "a", "name": "A", "decide": GROUPS}]},
        {"approvals": [MANAGER | {"quorum": "60%"}, MANAGER | {"id": "b", "quorum": "responded"}]},
        {"clocks": [CLOCKS[0], CLOCKS[1] | {"by_priority": {"1": "4 hours"}}], "priority": PRIORITY},
    ],
    ids=["terms", "expression", "quorums", "clocks"],
)
def test_stages_with_every_term_clocks_and_priority_fit(right: dict[str, Any]) -> None:
    assert errors(PLAIN | right) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"approvals": [MANAGER | {"remind": {"aftr": "1 day"}}]},
        {"approvals": [MANAGER | {"quorum": "60 per cent"}]},
        {"approvals": [{"id": "a", "name": "A", "decide": {"all": [{"approver": [{"rule": "manager"}]}]}}]},
        {"clocks": [{"measures": "decision"}]},
        {"clocks": [{"id": "a", "start": {"evnt": "ordered"}, "stop": "closed"}]},
        {"priority": {"impact": "high"}},
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


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (Kind.POLICY, {"id": "two", "name": "Two", "stages": []}),
        (Kind.POLICY, {"id": "two", "name": "Two", "stages": [{"id": "a", "name": "A", "approvers": [{"rule": "x"}]}]}),
        (Kind.CALENDAR, {"id": "a", "name": "A", "hours": {"moonday": ["09:00-17:00"]}}),
        (Kind.SCENARIO, {"item": "wiki", "scenarios": []}),
        (Kind.SCENARIO, {"item": "wiki", "scenarios": [
            {"name": "a", "order": {"by": "ada"}, "expect": {"outcom": "fulfilled"}},
        ]}),
        (Kind.SCENARIO, {"item": "wiki", "scenarios": [
            {"name": "a", "order": {"by": "ada"}, "expect": {}, "events": [{"at": "day 1", "do": "dance"}]},
        ]}),
    ],
    ids=str,
)  # fmt: skip
def test_a_mistake_in_another_file_shows_while_typing(kind: Kind, wrong: dict[str, Any]) -> None:
    assert errors(wrong, SCHEMAS[kind])


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
    assert stage["decide_within"]["description"].startswith("How long those asked have, in the working time")
    assert OBJECTS["TaskStep"]["description"].startswith("Work for a human")


def test_durations_are_text_as_authors_write_them() -> None:
    assert not [part for part in walk(SCHEMAS) if part.get("format") == "duration"]
    examples = {text for part in walk(SCHEMAS) if "examples" in part for text in part["examples"]}
    assert examples
    assert all(Target.validate_python(text) for text in examples)


def test_nothing_is_in_it_that_only_some_tools_know() -> None:
    assert not [part for part in walk(SCHEMAS) if "discriminator" in part]
