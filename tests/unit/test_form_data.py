"""Data with expressions in it, and the names they may use."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from support.builders import NOON, an_item, an_order

from catalog import data, names
from catalog.data import Data, When
from catalog.expression import ExpressionError
from catalog.fields import Field, SecretField
from catalog.lint import samples
from catalog.people import PersonRef, Profile
from catalog.request import Cost

NAMES = {
    "form": {"seats": 3, "price": Decimal(100), "start": date(2025, 3, 3), "team": [{"login": "ada"}], "note": None},
    "term": timedelta(days=3),
    "at": datetime(2025, 3, 3, 12, tzinfo=UTC),
}
read_when: TypeAdapter[Any] = TypeAdapter(When)
read_data: TypeAdapter[Any] = TypeAdapter(Data)


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("plain", "plain"),
        (5, 5),
        (None, None),
        ("{{ form.seats }}", 3),
        (" {{ form.seats + 1 }} ", 4),
        ("{{ form.seats }} seats", "3 seats"),
        ("{{ form.seats }}{{ form.seats }}", "33"),
        ("{{ form.note }}", None),
        ("{{ form.price * 10 }}", "1000"),
        ("{{ form.start }}", "2025-03-03"),
        ("{{ at }}", "2025-03-03T12:00:00+00:00"),
        ("{{ term }}", "P3D"),
        ({"who": "{{ form.team }}", "n": ["{{ form.seats }}", True]}, {"who": [{"login": "ada"}], "n": [3, True]}),
        (("a", "{{ form.seats }}"), ["a", 3]),
    ],
)
def test_data_is_filled_as_plain_json(written: Any, filled: Any) -> None:
    assert data.fill(read_data.validate_python(written), NAMES) == filled


def test_a_number_is_never_written_with_an_exponent() -> None:
    assert data.plain([Decimal("1E+3"), Decimal("1E-7")]) == ["1000", "0.0000001"]


ODD = {"form": {"name": "../a b?x=1&y=2#z/ü%2F", "way": ["a", "b"], "dots": "..", "none": None, "url": "https://x/a?b"}}


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("https://x/a?b=c", "https://x/a?b=c"),
        ("https://x/../a", "https://x/../a"),
        ("https://x/{{ form.name }}/end", "https://x/..%2Fa%20b%3Fx%3D1%26y%3D2%23z%2F%C3%BC%252F/end"),
        ("https://x/?q={{ form.name | upper }}", "https://x/?q=..%2FA%20B%3FX%3D1%26Y%3D2%23Z%2F%C3%9C%252F"),
        ("https://x/{{ form.name | urlencode }}", "https://x/..%2Fa%20b%3Fx%3D1%26y%3D2%23z%2F%C3%BC%252F"),
        ("https://x/{% for one in form.way %}{{ one }}/{% endfor %}", "https://x/a/b/"),
        ("https://x/{{ 'a' ~ '/' ~ 'b' }}", "https://x/a%2Fb"),
        ("https://x/a?q={{ form.none }}&r=..", "https://x/a?q=&r=.."),
        ("https://x/a.{{ form.dots }}?r={{ form.dots }}", "https://x/a...?r=.."),
        ("{{ form.url }}", "https://x/a?b"),
    ],
)
def test_a_value_in_an_address_is_one_part_of_it(written: str, filled: str) -> None:
    assert data.fill_url(written, ODD) == filled


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("https://x/people/{{ form.none }}", "empty"),
        ("https://x/{{ '' }}/people?all", "empty"),
        ("https://{{ '' }}x/people", "empty"),
        ("https://x/people/{{ form.dots }}", r"'\.\.'"),
        ("https://x/people/.{{ '.' }}/a", r"'\.\.'"),
        ("https://x/people/{{ '.' }}?a", r"'\.\.'"),
        ("https://x/{{ form.unknown }}", "not known"),
        ("{{ form.none }}", "text"),
    ],
)
def test_a_value_that_would_make_another_address_is_refused(written: str, hint: str) -> None:
    with pytest.raises(ExpressionError, match=hint):
        data.fill_url(written, ODD)


@pytest.mark.parametrize(
    ("when", "holds"), [(True, True), (False, False), ("form.seats > 2", True), ("form.note", False)]
)
def test_a_condition_holds_or_not(when: bool | str, holds: bool) -> None:
    assert data.holds(read_when.validate_python(when), NAMES) is holds


def test_what_is_no_condition_is_refused_with_an_example() -> None:
    with pytest.raises(ValidationError, match="write it like: form"):
        read_when.validate_python(5)
    with pytest.raises(ValidationError, match="cannot be read"):
        read_when.validate_python("form.seats >")


def test_a_mistake_deep_in_data_is_found_when_it_is_read() -> None:
    with pytest.raises(ValidationError, match="cannot be read"):
        read_data.validate_python({"a": [{"b": "{{ form. }}"}]})


def test_the_names_that_data_uses_are_known() -> None:
    written = {"a": "{{ form.seats }}", "b": ["For {{ requester.name }}", 5]}
    assert data.references(written) == {("form", "seats"), ("requester", "name")}


def test_a_running_request_gives_every_name_but_that_of_a_row() -> None:
    order = an_order(
        requester=PersonRef(id="id-ada", login="ada", name="Ada Byron"),
        requester_profile=Profile(department="Finance", groups=("staff",)),
        cost=Cost(one_off=Decimal(5), recurring=Decimal(2), currency="EUR"),
    )
    found = names.of_order(order, NOON, {"call": {"id": 1}})
    assert set(found) == set(names.NAMES) - {"row", "order"}
    assert set(found["requester"]) == set(names.PERSON)
    assert set(found["item"]) == set(names.ITEM)
    assert set(found["cost"]) == set(names.COST)
    assert found["requester"]["groups"] == ["staff"]
    assert found["cost"]["first_year"] == 29
    assert (found["form"], found["results"]) == ({"why": "I keep the handbook."}, {"call": {"id": 1}})
    assert (found["request"], found["today"]) == ({"number": "REQ-1001"}, date(2025, 3, 3))


def test_what_is_free_costs_nothing() -> None:
    free = names.of_cost(None)
    assert (free["one_off"], free["currency"]) == (0, "")
    assert names.of_item(an_item())["tags"] == []


def test_a_name_that_is_not_known_is_told_to_the_author() -> None:
    with pytest.raises(ExpressionError, match=r"form\.seat"):
        data.fill("{{ form.seat }}", NAMES)


def test_what_must_go_through_no_template_takes_the_place_of_a_whole_expression() -> None:
    form = (
        SecretField(id="token", type="secret", label="Token"),
        SecretField(id="other", type="secret", label="Other"),
    )
    order = an_order(item=an_item(form=form), answers={"token": {"secret": "ref-{{ 1 }}"}})
    secrets = names.secrets_of(order)
    assert secrets == {"form.token": "ref-{{ 1 }}"}
    known = {"form": {"token": {"given": True}}}
    written = {
        "secret": " {{ form.token }} ",
        "given": "{{ form.token.given }}",
        "note": "it is {{ form.token.given }}",
    }
    assert data.fill(written, known, secrets) == {"secret": "ref-{{ 1 }}", "given": True, "note": "it is yes"}


@pytest.mark.parametrize(
    ("written", "later"),
    [
        ("{{ results.laptop.number }}", True),
        (["plain", {"deep": "after {{ results.build.by }}"}], True),
        ("{{ form.results }}", False),
        ("results.laptop.number", False),
        (None, False),
    ],
)
def test_data_that_names_results_waits_for_what_comes_before(written: Any, later: bool) -> None:
    assert data.needs_results(written) is later


FIELDS: tuple[dict[str, Any], ...] = (
    {"type": "money", "currency": "EUR"},
    {"type": "choice", "choices": ["new", "used"]},
    {"type": "multi_choice", "choices": ["new", "used"]},
    {"type": "asset", "provider": "assets"},
    {"type": "ci", "provider": "cis"},
    {"type": "attachment", "media_types": ["application/pdf"]},
    *({"type": kind} for kind in ("text", "paragraph", "integer", "decimal", "yes_no", "date", "datetime", "duration")),
    *({"type": kind} for kind in ("email", "url", "ip", "person", "people", "group", "entitlement")),
)
read_field: TypeAdapter[Any] = TypeAdapter(Field)


def test_every_type_of_field_is_among_those_that_are_tried() -> None:
    not_shown = {"rows", "secret"}
    assert {field["type"] for field in FIELDS} | not_shown == set(
        TypeAdapter(Field).json_schema()["discriminator"]["mapping"]
    )


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field["type"])
def test_people_read_the_same_words_whether_or_not_a_text_is_one_expression(field: dict[str, Any]) -> None:
    one = read_field.validate_python(field | {"id": "x", "label": "X"})
    for answer in (None, *samples.answers(one)):
        known = {"form": {"x": answer}}
        mixed = data.fill("<{{ form.x }}>", known)
        assert f"<{data.fill_text('{{ form.x }}', known)}>" == mixed
        assert not any(odd in mixed for odd in ("None", "True", "False", "{", "["))


@pytest.mark.parametrize("text", ["{{ form.x }}", "For {{ form.x }}"])
@pytest.mark.parametrize("answer", [[{"model": "X1"}], {"given": True}], ids=["rows", "secret"])
def test_what_has_no_words_is_refused_in_any_text(text: str, answer: Any) -> None:
    with pytest.raises(ExpressionError, match="cannot be shown"):
        data.fill_text(text, {"form": {"x": answer}})


def test_what_is_written_as_no_text_is_words_too() -> None:
    assert [data.fill_text(value, {}) for value in (4711, None, True)] == ["4711", "", "yes"]


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("For {{ form.start }}", "For 3 March 2025"),
        ("{{ form.note }}", "Hand over"),
        ("{{ form.typo }}", "Hand over"),
        (" \n ", "Hand over"),
        ("two\nlines  \x1b[31m{{ form.seats }}", "two lines [31m3"),
        ("long " * 100, f"{'long ' * 23}long…"),
    ],
)
def test_a_title_is_one_short_line_that_says_something(written: str, title: str) -> None:
    assert data.fill_title(written, NAMES, "Hand over") == title
