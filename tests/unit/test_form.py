"""Forms: every wrong answer is named, every right one is kept in its stored form."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from catalog.form import (
    ChoiceField,
    DateField,
    DurationField,
    Field,
    PersonField,
    TextField,
    YesNoField,
    check,
    has_control_characters,
    shown,
)

WHY = TextField(id="why", type="text", label="Why", max_length=20)
STORY = TextField(id="story", type="text", label="Story", multiline=True, required=False)
DEVICE = ChoiceField(id="device", type="choice", label="Device", choices=("laptop", "phone"))
TRAINED = YesNoField(id="trained", type="yes_no", label="Trained")
START = DateField(id="start", type="date", label="Start", earliest=date(2025, 1, 1), latest=date(2025, 12, 31))
DEPUTY = PersonField(id="deputy", type="person", label="Deputy")
TERM = DurationField(id="term", type="duration", label="Term", longest=timedelta(days=30))
FORM: tuple[Field, ...] = (WHY, STORY, DEVICE, TRAINED, START, DEPUTY, TERM)
RIGHT = {
    "why": "I must",
    "story": "Once\nupon\ta time",
    "device": "phone",
    "trained": False,
    "start": "2025-03-03",
    "deputy": "ada",
    "term": "2 weeks",
}

texts = st.text(st.characters(), max_size=30)  # also lone surrogates and control characters
almost = st.sampled_from(["", " ", "laptop", "2025-03-03", "20250303", "P10D", "0 days", "a\nb", "\ud800", "x" * 5000])
garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | almost,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
answers = st.dictionaries(st.sampled_from([field.id for field in FORM]) | texts, garbage, max_size=10)


def only_error(field: Field, answer: Any) -> tuple[str, str]:
    """Return code and message of the one thing wrong with an answer."""
    found = check((field,), {field.id: answer})
    assert found.answers == {}
    assert [error.field for error in found.errors] == [field.id]
    return found.errors[0].code, found.errors[0].message


def test_right_answers_are_kept_in_their_stored_form() -> None:
    found = check(FORM, RIGHT)
    assert found.errors == ()
    assert found.answers == {**RIGHT, "term": "P14D"}
    assert found.people == {"deputy": "ada"}


@pytest.mark.parametrize(
    ("field", "answer", "code", "hint"),
    [
        (WHY, 5, "type", "must be a string, not int"),
        (WHY, ["x"], "type", "must be a string, not list"),
        (WHY, "a\x00b", "characters", "control characters"),
        (WHY, "\ud800", "characters", "control characters"),
        (WHY, "x" * 21, "length", "21 characters are too many; write 20 at most"),
        (WHY, "one\ntwo", "characters", "on one line"),
        (WHY, "one\n", "characters", "on one line"),
        (WHY, "one\u2028two", "characters", "on one line"),
        (WHY, None, "missing", "an answer is needed"),
        (WHY, " \n", "missing", "an answer is needed"),
        (DEVICE, "tablet", "value", "choose one of: laptop, phone"),
        (DEVICE, "Phone", "value", "choose one of"),
        (TRAINED, "yes", "type", "true or false"),
        (TRAINED, 1, "type", "true or false"),
        (START, "tomorrow", "type", "YYYY-MM-DD"),
        (START, "2025-02-30", "type", "YYYY-MM-DD"),
        (START, "20250303", "type", "YYYY-MM-DD"),
        (START, "2024-12-31", "value", "2025-01-01 or later"),
        (START, "2026-01-01", "value", "2025-12-31 or earlier"),
        (DEPUTY, "a\tb", "value", "one login"),
        (DEPUTY, "x" * 129, "value", "one login"),
        (TERM, "soon", "type", "is not a duration"),
        (TERM, "31 days", "value", "at most 30 days"),
    ],
)
def test_a_wrong_answer_is_refused_with_the_reason(field: Field, answer: Any, code: str, hint: str) -> None:
    found, message = only_error(field, answer)
    assert found == code
    assert message.startswith(f"{field.label}: ")
    assert hint in message


def test_bounds_themselves_are_allowed() -> None:
    assert check((START,), {"start": "2025-01-01"}).errors == ()
    assert check((START,), {"start": "2025-12-31"}).errors == ()
    assert check((TERM,), {"term": "30 days"}).errors == ()
    assert check((WHY,), {"why": "x" * 20}).errors == ()


def test_a_field_without_bounds_takes_any_day_and_length() -> None:
    open_start = DateField(id="start", type="date", label="Start")
    open_term = DurationField(id="term", type="duration", label="Term")
    found = check((open_start, open_term), {"start": "0001-01-01", "term": "36000 days"})
    assert found.errors == ()


def test_directory_metacharacters_are_an_answer_like_any_other() -> None:
    evil = "*)(uid=*))(|(cn=\\2a"
    assert check((WHY,), {"why": evil}).answers == {"why": evil}
    assert check((DEPUTY,), {"deputy": evil}).people == {"deputy": evil}


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_an_optional_field_may_stay_unanswered(nothing: str | None) -> None:
    assert check((STORY,), {"story": nothing}) == check((STORY,), {})
    assert check((STORY,), {}).errors == ()


def test_an_answer_nobody_asked_for_is_named_with_what_is_asked() -> None:
    found = check((WHY, DEVICE), {"why": "x", "device": "phone", "wy": 1})
    assert [(error.field, error.code) for error in found.errors] == [("wy", "unknown")]
    assert "device, why" in found.errors[0].message
    assert "nothing" in check((), {"x": 1}).errors[0].message


def test_every_error_is_listed_in_the_order_of_the_form_unknown_answers_last() -> None:
    found = check(FORM, {"extra": 1, "term": "x", "why": 5, "trained": "no", "device": "phone"})
    assert [error.field for error in found.errors] == ["why", "trained", "start", "deputy", "term", "extra"]
    assert found.answers == {"device": "phone"}


@given(answers)
@example({"\ud800": 1})
def test_garbage_never_raises_and_every_field_is_judged_for_itself(given_answers: dict[str, Any]) -> None:
    found = check(FORM, given_answers)
    alone = [
        error
        for field in FORM
        for error in check((field,), {k: v for k, v in given_answers.items() if k == field.id}).errors
    ]
    known = [error for error in found.errors if error.code != "unknown"]
    unknown = [name for name in given_answers if name not in {field.id for field in FORM}]
    assert known == alone
    assert len(found.errors) - len(known) == len(unknown)
    wrong = {error.field for error in known}
    unanswered = {f.id for f in FORM if not f.required and f.id not in found.answers}
    assert set(found.answers) | wrong | unanswered == {field.id for field in FORM}
    assert found.model_dump_json(), "what was found can be told"


@given(answers)
def test_stored_answers_are_answers_again(given_answers: dict[str, Any]) -> None:
    stored = check(FORM, given_answers).answers
    again = check(FORM, stored)
    assert again.answers == stored
    assert {error.code for error in again.errors} <= {"missing"}


@pytest.mark.parametrize(
    ("field", "stored", "said"),
    [
        (WHY, "I must", "I must"),
        (STORY, "Once\nupon", "Once\nupon"),
        (DEVICE, "phone", "phone"),
        (TRAINED, True, "yes"),
        (TRAINED, False, "no"),
        (START, "2025-03-03", "3 March 2025"),
        (DEPUTY, {"id": "id-ada", "login": "ada", "name": "Ada Byron"}, "Ada Byron"),
        (TERM, "P14DT2H", "14 days 2 hours"),
    ],
)
def test_a_stored_answer_is_shown_as_people_read_it(field: Field, stored: Any, said: str) -> None:
    assert shown(field, stored) == said


def test_control_characters_are_told_from_line_ends_and_letters() -> None:
    assert has_control_characters("bell\x07")
    assert has_control_characters("half\udfff")
    assert not has_control_characters("tab\tline\r\nÅse 🙂")


def test_a_choice_cannot_be_offered_twice() -> None:
    with pytest.raises(ValidationError, match="two choices are the same"):
        ChoiceField(id="x", type="choice", label="X", choices=("a", "a"))
