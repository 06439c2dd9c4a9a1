"""What names new groups and accounts may have, and what an undo is given."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from catalog.directory import Label, NewLogin, OneLine
from catalog.http import HttpCall
from catalog.registry import ActionSpec


@pytest.mark.parametrize("text", ["wiki", "R&D (Δ) *()", "two words"])
def test_a_label_is_any_text_of_one_line(text: str) -> None:
    assert TypeAdapter(Label).validate_python(text) == text
    assert TypeAdapter(OneLine).validate_python("") == ""


@pytest.mark.parametrize("text", ["", " wiki", "two  words", "two\nlines", "nul\0", "\ud800", "x" * 65])
def test_a_label_that_nobody_could_type_again_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Label).validate_python(text)


@pytest.mark.parametrize("login", ["A", "svc backup", "1st", "-x", "x", "svc,ou=people", "x" * 64, "svc-ü", "svc-x\n"])
def test_a_new_login_is_plain(login: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(NewLogin).validate_python(login)


def test_a_request_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        HttpCall.model_validate({"url": "https://example.com/", "colour": "red"})


def test_an_undo_is_given_what_its_input_names_of_the_call_and_its_result() -> None:
    schema: dict[str, Any] = {"properties": {"login": {}, "earlier": {}}}
    undo = ActionSpec(id="x.undo", summary="Undo.", input=schema, result={}, idempotent=True)
    assert undo.use().taken_from({"login": "ada", "title": "x"}, {"login": "bob", "earlier": [1]}) == {
        "login": "ada",
        "earlier": [1],
    }
    bare = undo.model_copy(update={"input": {}})
    assert bare.use().taken_from({"login": "ada"}, {}) == {}
    assert bare.system == "x"
