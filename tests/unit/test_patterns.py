from __future__ import annotations

import re
import time

import pytest
from pydantic import TypeAdapter, ValidationError

from catalog.fields import MAX_TEXT, WRITTEN, TextField
from catalog.patterns import is_slow

read_field: TypeAdapter[TextField] = TypeAdapter(TextField)


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z]*[a-z0-9]*[a-z-]*[a-z]*!", ".*.*!", "a+?a+", "[a-z]*[0-9]*[a-z]*!", r"\w+x\w+", "(a*b)?a*", "(a*|b)a*",
        "(?:a|bc)+.*x|a*a*", "(?i)[a-z]+[A-Z]+", "(?x)a*  a*!", "[^a]+[^b]+", r"[^\d]*\D*", "[一-龥]*[一-龥]*!",
        "[^一]*一*", "(?=.*a).*b", r"(a*)b\1b*", "(a)?(?(1)b|c)a*", "a?" * 25, "(?:ab|c)" * 25,
        "[a-z]{0,39}" * 5, "(?>a*)a*", "a*+a*", "(?s).*\\s*!", "[a-z]*()+[a-z]*!",
    ],
)  # fmt: skip
def test_repetitions_that_share_a_text_in_many_ways_are_slow(pattern: str) -> None:
    assert is_slow(pattern, MAX_TEXT)


@pytest.mark.parametrize(
    "pattern",
    [
        "[A-Z]{2}-[0-9]+", "[a-z][a-z0-9-]{2,39}", "svc-[a-z0-9-]{2,24}", "[a-z]+@[a-z]+", ".*", "(foo|bar)?x+",
        r"[a-z]+\.[a-z.]+", "[a-z]*[0-9]+[a-z]*", r"\d+\s\d+", r"[a-z.-]{1,60}\.[a-z]{2,20}", "(?!admin)[a-z]+", "^a+$",
        "(?:[0-9]{3})-x*", r"[^@]+@[^@]+", r"\d*\D*", "(ab)+-(ab)+", "é+à+", "(?:ab)*",
    ],
)  # fmt: skip
def test_other_patterns_are_not(pattern: str) -> None:
    assert not is_slow(pattern, MAX_TEXT)


def test_whatever_is_not_slow_is_matched_in_a_moment() -> None:
    pattern = r"[a-z.-]{0,240}[a-z]*!"
    assert not is_slow(pattern, MAX_TEXT)
    began = time.perf_counter()
    assert not re.fullmatch(pattern, "a" * MAX_TEXT)
    assert time.perf_counter() - began < 2


def test_a_slow_pattern_cannot_be_written_any_more_but_what_is_published_can_be_read() -> None:
    field = {"id": "it", "type": "text", "label": "It", "pattern": ".*.*!"}
    assert read_field.validate_python(field).pattern == ".*.*!"
    with pytest.raises(ValidationError, match="say how many there may be"):
        read_field.validate_python(field, context=WRITTEN)
    assert read_field.validate_python(field | {"pattern": "[a-z]+"}, context=WRITTEN).pattern == "[a-z]+"
