"""What an author can write about a field, and what is refused when the item is read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from catalog.fields import WRITTEN, AttachmentField, DecimalField, Field, TextField
from catalog.request import Cost
from catalog.sketch import Limit

read_field: TypeAdapter[Field] = TypeAdapter(Field)


def ask(type_: str, **other: Any) -> Field:
    """Return a field of a type."""
    return read_field.validate_python({"id": "it", "type": type_, "label": "It"} | other)


@pytest.mark.parametrize(
    ("type_", "other", "said"),
    [
        ("choice", {"choices": ["a", "a"]}, "two choices are the same"),
        ("choice", {}, "write either 'choices:' or 'provider:'"),
        ("choice", {"choices": ["a"], "provider": "p"}, "write either 'choices:' or 'provider:'"),
        ("multi_choice", {"choices": ["a"], "labels": {"b": "B"}}, "the label of 'b' belongs to no choice"),
        ("text", {"pattern": "["}, "is not a regular expression"),
        ("text", {"pattern": "a{99999999999}"}, "is not a regular expression"),
        ("text", {"pattern": "a" * 201}, "200 characters at most"),
        ("text", {"pattern": "(a+)+b"}, "could take for ever"),
        ("text", {"pattern": "(a|a)*b"}, "could take for ever"),
        ("text", {"pattern": "(?:a?b?){20}"}, "could take for ever"),
        ("text", {"pattern": "((a*)b)*?"}, "could take for ever"),
        ("text", {"visible": "form."}, "cannot be read"),
        ("text", {"required": 5}, "a condition is true, false or an expression"),
        ("text", {"default": "{{ form. }}"}, "cannot be read"),
        ("text", {"default": ["{{ a", "b"]}, "cannot be read"),
        ("money", {"currency": "euro"}, "should match pattern"),
        ("attachment", {"media_types": []}, "at least 1 item"),
        ("attachment", {"media_types": ["pdf"]}, "should match pattern"),
        ("attachment", {"media_types": ["a/b"], "max_size": "5 parsecs"}, "is not a size"),
        ("attachment", {"media_types": ["a/b"], "max_size": True}, "is not a size"),
        ("attachment", {"media_types": ["a/b"], "max_size": "11 MB"}, "at most 10 MiB"),
        ("attachment", {"media_types": ["a/b"], "max_size": 0}, "at most 10 MiB"),
        ("datetime", {"earliest": "2025-01-01T00:00:00"}, "timezone"),
        ("rows", {"fields": []}, "at least 1 item"),
    ],
)
def test_what_makes_no_sense_is_refused(type_: str, other: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        ask(type_, **other)


@pytest.mark.parametrize(
    "pattern",
    [
        "[A-Z]{2}-[0-9]+", "(foo|bar)?x", r"\(a+\)+", "[+*]+", "[]a+]+", "(?:[0-9]{3})-x*", "(?P<a>abc)+", "a|b+",
        "{x}", "(?x)a # )", "(?#()a", "(abc){3}",
    ],
)  # fmt: skip
def test_a_pattern_that_comes_to_an_end_is_taken(pattern: str) -> None:
    field = ask("text", pattern=pattern)
    assert isinstance(field, TextField)
    assert field.pattern == pattern


@pytest.mark.parametrize(
    ("size", "read"),
    [("500 kB", 500_000), ("5MB", 5_000_000), ("2 MiB", 2_097_152), ("7 B", 7), (9, 9), (" 1 KiB ", 1_024)],
)
def test_a_size_is_read_with_its_unit(size: Any, read: int) -> None:
    field = ask("attachment", media_types=["a/b"], max_size=size)
    assert isinstance(field, AttachmentField)
    assert field.max_size == read


def test_a_decimal_limit_means_what_is_written() -> None:
    field = ask("decimal", least=0.1, most=5)
    assert isinstance(field, DecimalField)
    assert (field.least, field.most) == (Decimal("0.1"), Decimal(5))
    assert read_field.validate_json(read_field.dump_json(field)) == field


TOO_LONG = ["1E+999999999", "-1E+999999999", "1E-999999999", "0E-999999999", 1e18, 0.0000000001, "1" * 19]


@pytest.mark.parametrize("key", ["least", "most"])
@pytest.mark.parametrize("limit", TOO_LONG)
def test_a_limit_that_an_author_writes_is_one_that_can_be_written_out(key: str, limit: Any) -> None:
    column = {"id": "it", "type": "decimal", "label": "It", key: limit}
    rows = {"id": "all", "type": "rows", "label": "All", "fields": [column]}
    for field in (column, column | {"type": "money", "currency": "EUR"}, rows):
        with pytest.raises(ValidationError, match="at most 18 digits before its point and 9 after it"):
            read_field.validate_python(field, context=WRITTEN)


@pytest.mark.parametrize("limit", [10**18, -(10**18), 10**4_000])
def test_a_whole_limit_that_an_author_writes_is_not_longer_either(limit: int) -> None:
    with pytest.raises(ValidationError, match="at most 18 digits before its point"):
        read_field.validate_python({"id": "it", "type": "integer", "label": "It", "most": limit}, context=WRITTEN)


@pytest.mark.parametrize("limit", ["Infinity", "-Infinity", "NaN", "sNaN", float("inf"), float("nan")])
def test_what_is_no_number_is_no_limit(limit: Any) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        ask("decimal", most=limit)


@pytest.mark.parametrize("limit", ["999999999999999999", "-999999999999999999.999999999", "1E+17", "0.000000001"])
def test_a_limit_may_be_longer_than_any_answer(limit: str) -> None:
    written = {"id": "it", "type": "decimal", "label": "It", "most": limit}
    assert read_field.validate_python(written, context=WRITTEN) == ask("decimal", most=limit)


@pytest.mark.parametrize("limit", ["1E+25", "9" * 100, f"0.{'3' * 100}"])
def test_a_longer_limit_that_was_published_stays_readable(limit: str) -> None:
    field = ask("decimal", most=limit)
    assert isinstance(field, DecimalField)
    assert field.most == Decimal(limit)
    assert read_field.validate_json(read_field.dump_json(field)) == field


@pytest.mark.parametrize("limit", ["1E+999999999", "1E+100", "1E-101"])
def test_what_nobody_could_ever_write_out_is_not_read_either(limit: str) -> None:
    with pytest.raises(ValidationError, match="at most 100 digits before its point and 100 after it"):
        ask("decimal", most=limit)
    with pytest.raises(ValidationError, match="at most 100 digits"):
        Limit(amount=Decimal(limit), currency="EUR")
    with pytest.raises(ValidationError, match="at most 100 digits"):
        Cost(recurring=Decimal(limit))
