from __future__ import annotations

from typing import Any

import pytest

from catalog import answers
from catalog.fields import (
    AttachmentField,
    ChoiceField,
    Field,
    GroupField,
    MoneyField,
    PeopleField,
    PersonField,
    RowsField,
    SecretField,
    TextField,
)

ADA = {"id": "id-ada", "login": "ada", "name": "Ada Byron", "mail": "ada@example.org"}
FILE = {"id": "u-1", "name": "a.pdf", "media_type": "application/pdf", "size": 3, "digest": "sha256:0"}
FORM: tuple[Field, ...] = (
    TextField(id="why", type="text", label="Why"),
    PersonField(id="buddy", type="person", label="Buddy"),
    PeopleField(id="team", type="people", label="Team"),
    AttachmentField(id="plan", type="attachment", label="Plan", media_types=("application/pdf",)),
    SecretField(id="pin", type="secret", label="PIN"),
    GroupField(id="group", type="group", label="Group"),
    ChoiceField(id="colour", type="choice", label="Colour", choices=("red", "blue")),
    MoneyField(id="budget", type="money", label="Budget", currency="EUR"),
    RowsField(
        id="rows",
        type="rows",
        label="Rows",
        fields=(
            PersonField(id="owner", type="person", label="Owner"),
            TextField(id="login", type="text", label="Login"),
            SecretField(id="key", type="secret", label="Key"),
        ),
    ),
)
STORED: dict[str, Any] = {
    "why": "work",
    "buddy": ADA,
    "team": [ADA],
    "plan": [FILE],
    "pin": {"secret": "secret:1"},
    "group": {"value": "wiki", "label": "The wiki"},
    "colour": "red",
    "budget": {"amount": "5.00", "currency": "EUR"},
    "rows": [{"owner": ADA, "login": "x", "key": {"secret": "secret:2"}}],
}
GIVEN: dict[str, Any] = {
    "why": "work",
    "buddy": "ada",
    "team": ["ada"],
    "plan": ["u-1"],
    "group": "wiki",
    "colour": "red",
    "budget": {"amount": "5.00", "currency": "EUR"},
    "rows": [{"owner": "ada", "login": "x"}],
}


def test_stored_answers_are_given_back_as_a_client_would_send_them_without_secrets() -> None:
    assert answers.as_given(FORM, STORED) == GIVEN


@pytest.mark.parametrize("given", [GIVEN, GIVEN | {"pin": {"secret": "secret:1"}}, {**GIVEN, "team": ["ada"]}])
def test_answers_that_a_client_sent_stay_as_they_are_but_for_secrets(given: dict[str, Any]) -> None:
    assert answers.as_given(FORM, given) == GIVEN


def test_one_entry_of_a_list_that_was_sent_by_itself_becomes_a_list() -> None:
    assert answers.as_given(FORM, {"plan": "u-1"}) == {"plan": ["u-1"]}


def test_others_see_no_addresses_of_people_and_no_references_of_secrets() -> None:
    seen = answers.as_seen(FORM, STORED)
    ada = {"id": "id-ada", "login": "ada", "name": "Ada Byron"}
    assert seen["buddy"] == seen["team"][0] == ada
    assert seen["pin"] == {"given": True}
    assert seen["rows"] == [{"owner": ada, "login": "x", "key": {"given": True}}]
    assert seen["group"] == STORED["group"]


def test_what_was_not_answered_is_left_out() -> None:
    assert answers.as_seen(FORM, {}) == answers.as_given(FORM, {}) == {}
