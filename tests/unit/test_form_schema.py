"""The JSON Schema of a form: clients read from it what an answer may be, and the portal how to draw it."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from catalog import fields as kinds
from catalog.fields import Field
from catalog.form import check
from catalog.form_schema import DIALECT, KEYWORD, schema

read_form: TypeAdapter[tuple[Field, ...]] = TypeAdapter(tuple[Field, ...])

FORM = read_form.validate_python(
    [
        {"id": "why", "type": "text", "label": "Why", "help": "In short.", "min_length": 2, "pattern": "[a-z ]+"},
        {"id": "seats", "type": "integer", "label": "Seats", "least": 1, "most": 20, "default": 2},
        {"id": "hours", "type": "decimal", "label": "Hours", "least": "0.5", "required": False},
        {"id": "price", "type": "money", "label": "Price", "currency": "EUR", "required": "form.seats > 5"},
        {
            "id": "device",
            "type": "choice",
            "label": "Device",
            "choices": ["laptop", "phone"],
            "labels": {"phone": "A phone"},
            "visible": "form.seats > 1",
        },
        {"id": "group", "type": "group", "label": "Group"},
        {"id": "host", "type": "ip", "label": "Host", "version": 6, "default": "{{ '::1' }}"},
        {"id": "team", "type": "people", "label": "Team", "at_least": 1, "at_most": 9, "required": False},
        {"id": "plans", "type": "attachment", "label": "Plans", "media_types": ["image/*"], "at_most": 2},
        {"id": "key", "type": "secret", "label": "Key", "required": False},
        {"id": "number", "type": "text", "label": "Number", "read_only": True, "default": "K-1"},
        {
            "id": "rows",
            "type": "rows",
            "label": "Rows",
            "at_least": 1,
            "fields": [
                {"id": "model", "type": "text", "label": "Model"},
                {"id": "until", "type": "date", "label": "Until", "required": False},
            ],
        },
    ]
)
SCHEMA = schema(FORM)


def drawn(name: str) -> dict[str, Any]:
    return {key: value for key, value in SCHEMA["properties"][name].items() if key != KEYWORD}


def test_it_is_a_schema_of_the_current_dialect_that_takes_no_other_answers() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT
    assert (SCHEMA["type"], SCHEMA["additionalProperties"]) == ("object", False)
    assert list(SCHEMA["properties"]) == [field.id for field in FORM]


def test_only_what_is_always_needed_from_the_client_is_required() -> None:
    assert SCHEMA["required"] == ["why", "group", "plans", "rows"]
    assert SCHEMA["properties"]["rows"]["items"]["required"] == ["model"]


def test_each_answer_is_described_as_far_as_it_stands_for_itself() -> None:
    number = {"type": ["number", "string"], "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$"}
    assert drawn("why") == {
        "title": "Why",
        "description": "In short.",
        "type": "string",
        "minLength": 2,
        "maxLength": 500,
        "pattern": "^(?:[a-z ]+)$",
    }
    assert drawn("seats") == {"title": "Seats", "type": "integer", "minimum": 1, "maximum": 20, "default": 2}
    assert drawn("hours") == {"title": "Hours", **number, "minimum": 0.5}
    assert drawn("price") == {
        "title": "Price",
        "type": ["object", "number", "string"],
        "pattern": number["pattern"],
        "minimum": 0,
        "properties": {"amount": {**number, "minimum": 0}, "currency": {"const": "EUR"}},
        "required": ["amount", "currency"],
        "additionalProperties": False,
    }
    assert drawn("device") == {"title": "Device", "enum": ["laptop", "phone"]}
    assert drawn("host") == {"title": "Host", "type": "string", "format": "ipv6"}
    assert drawn("number")["readOnly"] is True
    assert drawn("number")["default"] == "K-1"
    assert drawn("key")["writeOnly"] is True
    assert (drawn("team")["minItems"], drawn("team")["maxItems"], drawn("team")["uniqueItems"]) == (1, 9, True)
    assert (drawn("plans")["minItems"], drawn("plans")["maxItems"]) == (1, 2)
    assert drawn("rows")["items"]["additionalProperties"] is False


def test_the_portal_finds_everything_the_author_wrote_beside_it() -> None:
    found = SCHEMA["properties"]["device"][KEYWORD]
    assert found == {
        "kind": "choice",
        "order": 4,
        "help": "",
        "required": True,
        "visible": "form.seats > 1",
        "read_only": False,
        "default": None,
        "choices": ["laptop", "phone"],
        "labels": {"phone": "A phone"},
        "provider": None,
    }
    assert SCHEMA["properties"]["group"][KEYWORD]["provider"] == "groups"
    assert SCHEMA["properties"]["host"][KEYWORD]["default"] == "{{ '::1' }}"
    assert SCHEMA["properties"]["plans"][KEYWORD]["media_types"] == ["image/*"]
    assert SCHEMA["properties"]["rows"]["items"]["properties"]["until"][KEYWORD]["kind"] == "date"


def test_a_pattern_that_only_python_may_know_is_left_to_the_server() -> None:
    (field,) = read_form.validate_python([{"id": "x", "type": "text", "label": "X", "pattern": "(?P<a>b)"}])
    assert "pattern" not in schema((field,))["properties"]["x"]
    assert schema((field,))["properties"]["x"][KEYWORD]["pattern"] == "(?P<a>b)"


NEEDED: dict[str, dict[str, Any]] = {
    "money": {"currency": "EUR"},
    "attachment": {"media_types": ["a/b"]},
    "rows": {"fields": [{"id": "a", "type": "text", "label": "A"}]},
    "choice": {"provider": "p"},
    "multi_choice": {"choices": ["a"]},
}
WORDS = [get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(kinds.Field)[0])]


@pytest.mark.parametrize("word", WORDS)
def test_every_kind_of_field_has_a_schema(word: str) -> None:
    form = read_form.validate_python([{"id": "it", "type": word, "label": "It"} | NEEDED.get(word, {})])
    Draft202012Validator.check_schema(schema(form))
    property_ = schema(form)["properties"]["it"]
    assert property_[KEYWORD]["kind"] == word
    assert set(property_) & {"type", "enum"}


RIGHT = {
    "why": "i must",
    "seats": 3,
    "hours": "1.5",
    "price": 12,
    "device": "phone",
    "group": "wiki",
    "host": "2001:db8::1",
    "team": ["ada"],
    "plans": ["u-1"],
    "key": {"secret": "secret:1"},
    "number": "K-1",
    "rows": [{"model": "X1", "until": "2025-03-03"}],
}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("why", "X"),
        ("why", 5),
        ("seats", 21),
        ("seats", "3"),
        ("hours", 0.1),
        ("hours", "x"),
        ("price", {"amount": 1, "currency": "USD"}),
        ("price", {"amount": 1}),
        ("device", "tablet"),
        ("group", {}),
        ("team", []),
        ("team", ["ada"] * 2),
        ("plans", ["1", "2", "3"]),
        ("key", "hunter2"),
        ("rows", [{}]),
        ("rows", [{"model": "X1", "x": 1}]),
        ("extra", 1),
    ],
)
def test_schema_and_server_refuse_the_same(name: str, answer: Any) -> None:
    judge = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert judge.is_valid(RIGHT)
    assert check(FORM, RIGHT, {}).errors == ()
    assert not judge.is_valid(RIGHT | {name: answer})
    # An empty list is how a client leaves a list unanswered; the schema has it left out.
    assert check(FORM, RIGHT | {name: answer}, {}).errors or answer == []
