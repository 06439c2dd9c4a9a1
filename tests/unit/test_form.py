"""Forms: what is asked, what is wrong with the answers, and what they are kept as."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from catalog import form
from catalog.fields import Field
from catalog.form import Checked, FieldError, Lookup, check, shown, typed
from catalog.item import CrossCheck

NAMES: dict[str, Any] = {
    "requester": {"id": "id-ada", "login": "ada", "department": "Finance", "manager": None},
    "today": date(2025, 3, 3),
}
ADA = {"id": "id-ada", "login": "ada", "name": "Ada Byron", "mail": "ada@example.org"}
BOB = {"id": "id-bob", "login": "bob", "name": "Bob Kahn"}
PLAN = {"id": "u-1", "name": "plan.pdf", "media_type": "application/pdf", "size": 120_000, "digest": "sha256:1"}
WIKI = {"value": "wiki", "label": "The wiki"}

read_field: TypeAdapter[Field] = TypeAdapter(Field)


def ask(type_: str, id_: str = "it", **other: Any) -> Field:
    """Return a field of a type."""
    return read_field.validate_python({"id": id_, "type": type_, "label": id_.title()} | other)


def fields(*asked: Field) -> tuple[Field, ...]:
    return asked


def codes(found: Checked) -> list[tuple[str, str]]:
    return [(error.field, error.code) for error in found.errors]


WHY = ask("text", "why", max_length=20)
STORY = ask("text", "story", multiline=True, required=False)
DEVICE = ask("choice", "device", choices=("laptop", "phone"))
ROWS = ask(
    "rows",
    "laptops",
    at_most=3,
    fields=[
        {"id": "model", "type": "text", "label": "Model"},
        {"id": "count", "type": "integer", "label": "Quantity", "default": 1},
        {"id": "owner", "type": "person", "label": "Owner", "required": False},
        {"id": "size", "type": "integer", "label": "Size", "visible": "row.model == 'big' and form.device == 'laptop'"},
    ],
)


# Which fields are asked.


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_an_optional_field_may_stay_unanswered(nothing: str | None) -> None:
    assert check((STORY,), {"story": nothing}, NAMES) == check((STORY,), {}, NAMES)
    assert check((STORY,), {}, NAMES).errors == ()


def test_an_answer_nobody_asked_for_is_named_with_what_is_asked() -> None:
    found = check((WHY, DEVICE), {"why": "x", "device": "phone", "wy": 1}, NAMES)
    assert codes(found) == [("wy", "unknown")]
    assert "device, why" in found.errors[0].message
    assert "nothing" in check((), {"x": 1}, NAMES).errors[0].message


def test_half_a_character_in_a_name_can_be_told() -> None:
    assert check((), {"\ud800": 1}, NAMES).model_dump_json()


def test_of_very_many_unknown_answers_the_first_hundred_are_named() -> None:
    assert len(check((), {f"x{n}": 1 for n in range(5_000)}, NAMES).errors) == 100


def test_every_error_is_listed_in_the_order_of_the_form_unknown_answers_last() -> None:
    asked = fields(ask("integer", "b", visible="form.a == 1"), WHY, ask("integer", "a"), DEVICE)
    found = check(asked, {"extra": 1, "a": 1, "b": "x", "device": "phone"}, NAMES)
    assert codes(found) == [("b", "type"), ("why", "missing"), ("extra", "unknown")]
    assert found.answers == {"a": 1, "device": "phone"}


def test_a_field_is_asked_when_its_condition_holds_of_another_that_stands_below_it() -> None:
    asked = fields(ask("text", "number", visible="form.device == 'phone'"), DEVICE)
    assert codes(check(asked, {"device": "phone"}, NAMES)) == [("number", "missing")]
    assert check(asked, {"device": "laptop"}, NAMES).answers == {"device": "laptop"}


def test_a_hidden_field_must_not_be_answered_and_is_not_kept() -> None:
    asked = fields(DEVICE, ask("text", "number", visible="form.device == 'phone'", default="112"))
    found = check(asked, {"device": "laptop", "number": "110"}, NAMES)
    assert codes(found) == [("number", "hidden")]
    assert found.answers == {"device": "laptop"}
    assert check(asked, {"device": "laptop", "number": ""}, NAMES).errors == ()


def test_what_is_hidden_counts_as_unanswered_for_others() -> None:
    asked = fields(
        ask("yes_no", "a"),
        ask("yes_no", "b", visible="form.a", default=True),
        ask("text", "c", required="form.b"),
    )
    assert check(asked, {"a": False}, NAMES).errors == ()
    assert codes(check(asked, {"a": True}, NAMES)) == [("c", "missing")]


def test_a_field_can_be_required_by_who_asks() -> None:
    asked = fields(ask("text", required="requester.department == 'Finance'"))
    assert codes(check(asked, {}, NAMES)) == [("it", "missing")]
    assert check(asked, {}, {"requester": {"department": "IT"}}).errors == ()


def test_fields_that_depend_on_each_other_in_a_circle_are_judged_as_they_stand() -> None:
    asked = fields(
        ask("yes_no", "a", visible="not form.b", required=False),
        ask("yes_no", "b", visible="not form.a", required=False),
    )
    assert check(asked, {"a": True}, NAMES).errors == ()
    assert codes(check(asked, {"a": True, "b": True}, NAMES)) == [("b", "hidden")]


def test_a_field_may_speak_of_itself_and_of_what_the_form_does_not_ask() -> None:
    assert check((ask("text", required="not form.it"),), {"it": "x"}, NAMES).errors == ()
    assert codes(check((ask("text", visible="form.other"),), {}, NAMES)) == [("it", "rule")]
    assert codes(check((ask("text", visible="form"), WHY), {}, NAMES)) == [("it", "missing"), ("why", "missing")]


# What stands there by itself.


def test_a_default_stands_where_nothing_is_answered() -> None:
    asked = fields(
        ask("integer", "seats", default=2),
        ask("decimal", "hours", default="{{ form.seats * 1.5 }}"),
        ask("date", "start", default="{{ today }}"),
        ask("text", "title", default="For {{ requester.department }}"),
        ask("duration", "term", default="{{ '2 weeks' | duration }}"),
        ask("text", "note", default="{{ requester.manager }}", required=False),
        ask("money", "price", currency="EUR", default=100.5),
    )
    assert check(asked, {}, NAMES).answers == {
        "seats": 2,
        "hours": "3",
        "start": "2025-03-03",
        "title": "For Finance",
        "term": "P14D",
        "price": {"amount": "100.50", "currency": "EUR"},
    }
    assert check(asked, {"seats": 4}, NAMES).answers["hours"] == "6"


def test_a_required_field_whose_default_is_empty_is_missing() -> None:
    assert codes(check((ask("text", default="{{ requester.manager }}"),), {}, NAMES)) == [("it", "missing")]


def test_a_read_only_field_keeps_its_default() -> None:
    asked = (ask("decimal", read_only=True, default="1.5"),)
    assert check(asked, {}, NAMES).answers == {"it": "1.5"}
    assert check(asked, {"it": 1.50}, NAMES).answers == {"it": "1.5"}
    for answer in (2, "x"):
        found = check(asked, {"it": answer}, NAMES)
        assert (codes(found), found.answers) == ([("it", "read-only")], {})


def test_a_field_can_be_read_only_for_some_and_needs_no_default() -> None:
    asked = (ask("text", read_only="requester.department == 'Finance'"),)
    assert codes(check(asked, {"it": "x"}, NAMES)) == [("it", "read-only")]
    assert check(asked, {}, NAMES).errors == ()
    assert check(asked, {"it": "x"}, {"requester": {"department": "IT"}}).answers == {"it": "x"}


def test_a_read_only_person_is_compared_by_what_was_looked_up() -> None:
    asked = (ask("person", read_only=True, default="{{ requester.login }}"),)
    lookup = Lookup("person", "it", "ada")
    assert check(asked, {}, NAMES).lookups == (lookup,)
    assert check(asked, {"it": "ada"}, NAMES, resolved={lookup: ADA}).answers == {"it": ADA}
    for resolved in ({}, {lookup: ADA}):
        assert codes(check(asked, {"it": "bob"}, NAMES, resolved=resolved)) == [("it", "read-only")]


# When the author is at fault.


@pytest.mark.parametrize(
    "fault",
    [
        {"visible": "requester.shoe == 1"},
        {"required": "cost.one_off > 1"},
        {"read_only": "1 / 0"},
        {"default": "{{ requester.shoe }}"},
        {"default": "one\ntwo"},
        {"default": 5},
        {"default": 5, "read_only": True},
    ],
)
def test_a_fault_of_the_author_is_told_as_one_and_raises_nothing(fault: dict[str, Any]) -> None:
    found = check((ask("text", **fault), DEVICE), {"device": "phone"}, NAMES)
    assert codes(found) == [("it", "rule")]
    assert found.errors[0].message.startswith("It: The form is at fault here: ")
    assert found.errors[0].message.endswith("; tell the item's owner.")
    assert found.answers == {"device": "phone"}


# Rules over several answers.

CHECKS = (
    CrossCheck(check="form.most >= form.least", message="At least {{ form.least }}.", at="most"),
    CrossCheck(check="form.least != 7", message="Not seven."),
)
BOTH = fields(ask("integer", "least"), ask("integer", "most"))


def test_rules_over_several_answers_are_judged_when_each_is_right() -> None:
    assert check(BOTH, {"least": 1, "most": 2}, NAMES, CHECKS).errors == ()
    found = check(BOTH, {"least": 7, "most": 2}, NAMES, CHECKS)
    assert found.errors == (
        FieldError(field="most", code="rule", message="At least 7."),
        FieldError(field="", code="rule", message="Not seven."),
    )
    assert codes(check(BOTH, {"least": 7}, NAMES, CHECKS)) == [("most", "missing")]


def test_a_rule_that_cannot_be_judged_is_the_authors_fault() -> None:
    rules = (
        CrossCheck(check="form.nothing", message="x", at="most"),
        CrossCheck(check=False, message="{{ form.nothing }}"),
    )
    found = check(BOTH, {"least": 1, "most": 2}, NAMES, rules)
    assert codes(found) == [("most", "rule"), ("", "rule")]
    assert all("The form is at fault here" in error.message for error in found.errors)


# What has to be looked up.


def test_whatever_an_answer_names_is_to_be_looked_up() -> None:
    asked = fields(
        ask("person", "deputy"),
        ask("people", "team"),
        ask("group", "group"),
        ask("entitlement", "right", provider="rights"),
        ask("asset", "asset"),
        ask("ci", "ci"),
        ask("choice", "model", provider="models"),
        ask("multi_choice", "colours", provider="colours"),
        ask("attachment", "plans", media_types=["application/pdf"], at_most=2),
        ask("secret", "password"),
        ROWS,
        DEVICE,
    )
    answers = {
        "deputy": "ada",
        "team": ["ada", "bob"],
        "group": "wiki",
        "right": "vpn",
        "asset": "A-1",
        "ci": "db",
        "model": "X1",
        "colours": ["red"],
        "plans": ["u-1"],
        "password": {"secret": "secret:1"},
        "laptops": [{"model": "X1"}, {"model": "X2", "owner": "bob"}],
        "device": "phone",
    }
    found = check(asked, answers, NAMES)
    assert found.errors == ()
    assert found.lookups == (
        Lookup("person", "deputy", "ada"),
        Lookup("person", "team[0]", "ada"),
        Lookup("person", "team[1]", "bob"),
        Lookup("choice", "group", "wiki", "groups"),
        Lookup("choice", "right", "vpn", "rights"),
        Lookup("choice", "asset", "A-1", "assets"),
        Lookup("choice", "ci", "db", "cis"),
        Lookup("choice", "model", "X1", "models"),
        Lookup("choice", "colours[0]", "red", "colours"),
        Lookup("file", "plans[0]", "u-1"),
        Lookup("secret", "password", "secret:1"),
        Lookup("person", "laptops[1].owner", "bob"),
    )


def test_what_was_looked_up_is_kept_and_nothing_is_left_to_ask() -> None:
    asked = fields(
        ask("people", "team"),
        ask("group", "group"),
        ask("attachment", "plans", media_types=["application/*"]),
        ask("secret", "password"),
    )
    answers = {"team": ["bob"], "group": "wiki", "plans": ["u-1"], "password": {"secret": "secret:1"}}
    found = {"team[0]": BOB, "group": WIKI, "plans[0]": PLAN, "password": True}
    resolved = {lookup: found[lookup.path] for lookup in check(asked, answers, NAMES).lookups}
    settled = check(asked, answers, NAMES, resolved=resolved)
    assert (settled.errors, settled.lookups) == ((), ())
    assert settled.answers == {"team": [BOB], "group": WIKI, "plans": [PLAN], "password": {"secret": "secret:1"}}
    again = check(asked, settled.answers, NAMES, resolved=resolved)
    assert again == settled, "what is stored is an answer again"


def test_conditions_wait_for_the_person_they_are_about() -> None:
    asked = fields(
        ask("person", "owner"),
        ask("text", "why", visible="form.owner.id != requester.id"),
        ask("text", "how", required="form.why"),
    )
    rules = (CrossCheck(check="form.owner.id != 'id-ada'", message="Somebody else."),)
    for login, person, expected in (("ADA", ADA, [("why", "hidden")]), ("bob", BOB, [("how", "missing")])):
        answers = {"owner": login, "why": "because"}
        found = check(asked, answers, NAMES, rules)
        assert (found.errors, found.lookups) == ((), (Lookup("person", "owner", login),))
        assert codes(check(asked, answers, NAMES, rules, {found.lookups[0]: person})) == expected
    resolved = {Lookup("person", "owner", "ADA"): ADA}
    assert codes(check(asked, {"owner": "ADA"}, NAMES, rules, resolved)) == [("", "rule")]


def test_only_the_login_of_a_stored_person_is_believed() -> None:
    asked = (ask("person"),)
    assert check(asked, {"it": ADA | {"id": "id-boss"}}, NAMES).lookups == (Lookup("person", "it", "ada"),)


def test_one_person_under_two_logins_stands_twice() -> None:
    asked = (ask("people"),)
    assert codes(check(asked, {"it": ["ada", "bob", "ada"]}, NAMES)) == [("it[2]", "value")]
    resolved = {Lookup("person", "it[0]", "ada"): ADA, Lookup("person", "it[1]", "ADA"): ADA}
    assert codes(check(asked, {"it": ["ada", "ADA"]}, NAMES, resolved=resolved)) == [("it[1]", "value")]


def test_a_file_that_the_field_does_not_take_is_refused_once_it_is_known() -> None:
    asked = (ask("attachment", media_types=["image/*"], max_size="100 kB"),)
    lookup = Lookup("file", "it[0]", "u-1")
    for known, said in (({"size": 100_001}, "100 kB at most"), ({"media_type": "text/html"}, "image/*")):
        file = PLAN | {"media_type": "image/png", "size": 5} | known
        found = check(asked, {"it": ["u-1"]}, NAMES, resolved={lookup: file})
        assert codes(found) == [("it[0]", "file")]
        assert said in found.errors[0].message


# Lists and rows.


def test_each_wrong_entry_of_a_list_is_named() -> None:
    asked = (ask("multi_choice", choices=["a", "b"]),)
    assert codes(check(asked, {"it": ["a", "x", 3]}, NAMES)) == [("it[1]", "value"), ("it[2]", "type")]
    assert check(asked, {"it": ["b", "a"]}, NAMES).answers == {"it": ["b", "a"]}
    assert codes(check(asked, {"it": []}, NAMES)) == [("it", "missing")]
    assert codes(check(asked, {"it": "a"}, NAMES)) == [("it", "type")]


def test_each_row_is_checked_as_a_form_of_its_own() -> None:
    rows = [{"model": "small"}, {"model": "big", "size": 17}, {"model": "small", "size": 3, "x": 1}]
    found = check((DEVICE, ROWS), {"device": "laptop", "laptops": rows}, NAMES)
    assert codes(found) == [("laptops[2].size", "hidden"), ("laptops[2].x", "unknown")]
    assert found.answers == {"device": "laptop"}
    found = check((ROWS, DEVICE), {"device": "laptop", "laptops": rows[:2]}, NAMES)
    assert found.answers["laptops"] == [{"model": "small", "count": 1}, {"model": "big", "count": 1, "size": 17}]


@pytest.mark.parametrize(
    ("rows", "where", "code"),
    [
        ([], "laptops", "missing"),
        ({}, "laptops", "type"),
        (["x"], "laptops[0]", "type"),
        ([{}], "laptops[0].model", "missing"),
        ([{"model": "a"}] * 4, "laptops", "range"),
    ],
)
def test_wrong_rows_are_named(rows: Any, where: str, code: str) -> None:
    assert codes(check((ROWS, DEVICE), {"device": "phone", "laptops": rows}, NAMES)) == [(where, code)]


def test_two_rows_may_be_equal() -> None:
    found = check((ROWS, DEVICE), {"device": "phone", "laptops": [{"model": "a"}, {"model": "a"}]}, NAMES)
    assert found.errors == ()


def test_in_a_row_a_condition_waits_for_the_person_of_the_same_row() -> None:
    asked = ask(
        "rows",
        fields=[
            {"id": "owner", "type": "person", "label": "Owner"},
            {"id": "why", "type": "text", "label": "Why", "required": "row.owner.id != requester.id"},
        ],
    )
    found = check((asked,), {"it": [{"owner": "ada"}, {"owner": "bob"}]}, NAMES)
    assert found.errors == ()
    resolved = {lookup: {"ada": ADA, "bob": BOB}[lookup.value] for lookup in found.lookups}
    assert codes(check((asked,), {"it": [{"owner": "ada"}, {"owner": "bob"}]}, NAMES, resolved=resolved)) == [
        ("it[1].why", "missing")
    ]


# What stored answers say.


@pytest.mark.parametrize(
    ("field", "stored", "value", "said"),
    [
        (WHY, "I must", "I must", "I must"),
        (STORY, "Once\nupon", "Once\nupon", "Once\nupon"),
        (DEVICE, "phone", "phone", "phone"),
        (ask("choice", choices=["a"], labels={"a": "An A"}), "a", "a", "An A"),
        (ask("choice", provider="p"), WIKI, "wiki", "The wiki"),
        (ask("multi_choice", choices=["a", "b"], labels={"a": "An A"}), ["a", "b"], ["a", "b"], "An A, b"),
        (ask("multi_choice", provider="p"), [WIKI], ["wiki"], "The wiki"),
        (ask("group"), WIKI, "wiki", "The wiki"),
        (ask("yes_no"), True, True, "yes"),
        (ask("yes_no"), False, False, "no"),
        (ask("integer"), 1_500, 1_500, "1500"),
        (ask("decimal"), "12.5", Decimal("12.5"), "12.5"),
        (
            ask("money", currency="EUR"),
            {"amount": "12.50", "currency": "EUR"},
            {"amount": Decimal("12.50"), "currency": "EUR"},
            "12.50 EUR",
        ),
        (ask("date"), "2025-03-03", date(2025, 3, 3), "3 March 2025"),
        (
            ask("datetime"),
            "2025-03-03T07:00:00+00:00",
            datetime(2025, 3, 3, 7, tzinfo=UTC),
            "3 March 2025, 07:00 UTC",
        ),
        (ask("duration"), "P14DT2H", timedelta(days=14, hours=2), "14 days 2 hours"),
        (ask("person"), BOB, BOB | {"mail": None}, "Bob Kahn"),
        (ask("people"), [ADA, BOB], [ADA, BOB | {"mail": None}], "Ada Byron, Bob Kahn"),
        (ask("attachment", media_types=["a/b"]), [PLAN], [PLAN], "plan.pdf (120 kB)"),
        (ask("secret"), {"secret": "secret:1"}, {"given": True}, "given"),
        (
            ROWS,
            [{"model": "X1", "count": 2, "owner": BOB}, {"model": "X2", "count": 1}],
            [
                {"model": "X1", "count": 2, "owner": BOB | {"mail": None}, "size": None},
                {"model": "X2", "count": 1, "owner": None, "size": None},
            ],
            "Model: X1, Quantity: 2, Owner: Bob Kahn; Model: X2, Quantity: 1",
        ),
    ],
)
def test_a_stored_answer_is_reckoned_with_and_shown(field: Field, stored: Any, value: Any, said: str) -> None:
    assert typed(field, stored) == value
    assert type(typed(field, stored)) is type(value)
    assert shown(field, stored) == said


def test_what_is_not_answered_is_nothing_to_expressions() -> None:
    assert form.values((WHY, DEVICE), {"why": "x"}) == {"why": "x", "device": None}
