"""Expressions: what they give, what they say when they fail, and what they use."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from support.expressions import NAMES, failure

from catalog import filters
from catalog.expression import FILTERS, TESTS, ExpressionError, check, evaluate, holds, references, render


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("form.amount > 100 and requester.department == 'Finance'", True),
        ("form.amount", 150),
        ("form['amount']", 150),
        ("form.groups[0] ~ form.groups[-1]", "vpnvpn"),
        ("form['de' ~ 'vice']", "own device"),
        ("results.call_1.id", 7),
        ("(form.people | first).name", "Ada"),
        ("1 < 2 < 3", True),
        ("1 < 3 < 2", False),
        ("'vpn' in form.groups and 'ssh' not in form.groups", True),
        ("not form.agreed or form.open", None),
        ("'yes' if form.agreed else 'no'", "yes"),
        ("'yes' if not form.agreed", None),
        ("[1, (2, 3), {'a': 4}]", [1, [2, 3], {"a": 4}]),
        ("'a' ~ 1 ~ true ~ none ~ form.on", "a1yes3 March 2025"),
        ("-form.amount", -150),
        ("form.groups + ['ssh']", ["vpn", "mail", "vpn", "ssh"]),
        ("-form.length", timedelta(days=-21)),
        ("'amount' in form", True),
    ],
)
def test_an_expression_gives(source: str, expected: Any) -> None:
    check(source)
    assert evaluate(source, NAMES) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("0.1 + 0.2", "0.3"),
        ("form.rate + 0.2", "0.3"),
        ("form.price * 2", "25.00"),
        ("form.price * 0.1", "1.250"),
        ("10 / 4", "2.5"),
        ("10 / 5", "2"),
        ("-7 // 2", "-4"),
        ("-7.0 // 2", "-4"),
        ("-7 % 3", "2"),
        ("-7.5 % 3", "1.5"),
        ("7 - 0.5", "6.5"),
        ("-(2.5)", "-2.5"),
        ("1e-20 * 1e15", "0.00001"),
    ],
)
def test_numbers_are_exact(source: str, expected: str) -> None:
    assert evaluate(source, NAMES) == Decimal(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("form.on + form.length", date(2025, 3, 24)),
        ("form.on - form.length", date(2025, 2, 10)),
        ("form.at + ('2 hours' | duration)", datetime(2025, 3, 3, 14, tzinfo=UTC)),
        ("form.on + 7 | days", date(2025, 3, 10)),
        ("(form.on - ('2025-03-01' | date)) | days", 2),
        ("form.length * 2", timedelta(days=42)),
        ("form.length / (7 | days)", Decimal(3)),
        ("form.length > (20 | days)", True),
        ("form.on < ('2025-03-04' | date)", True),
    ],
)
def test_days_and_lengths_of_time_can_be_reckoned_with(source: str, expected: Any) -> None:
    assert evaluate(source, NAMES) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("' aB c ' | trim | upper", "AB C"),
        ("'AB' | lower", "ab"),
        ("'ada berg' | title", "Ada Berg"),
        ("'a\\n\\n b \\n' | lines", ["a", "b"]),
        ("'a-b-c' | replace('-', '..')", "a..b..c"),
        ("'Größe & Café 5' | slug", "grosse-cafe-5"),
        ("form.groups | length", 3),
        ("form | length > 3", True),
        ("form.groups | last", "vpn"),
        ("[] | first", None),
        ("[] | max", None),
        ("[1, true, form.on] | join(', ')", "1, yes, 3 March 2025"),
        ("['a', 'b'] | join", "ab"),
        ("form.people | map('name')", ["Ada", "Tim"]),
        ("form.people | map(attribute='age') | sum", 64),
        ("form.numbers | sum", Decimal("6.5")),
        ("[form.length, form.length] | sum", timedelta(days=42)),
        ("[] | sum", 0),
        ("form.numbers | min", Decimal("1.5")),
        ("form.numbers | max", 3),
        ("form.numbers | sort", [Decimal("1.5"), 2, 3]),
        ("form.groups | sort(reverse=true)", ["vpn", "vpn", "mail"]),
        ("form.groups | unique", ["vpn", "mail"]),
        ("form.open | default('none')", "none"),
        ("form.nothing | default('none')", "none"),
        ("form.nothing.below['it'] | default('none')", "none"),
        ("nothing | default('none')", "none"),
        ("form.amount | default(1)", 150),
        ("('a' ~ 'b') | default(1)", "ab"),
        ("2.345 | round(2)", Decimal("2.35")),
        ("2.5 | round", 3),
        ("-2.5 | round", -3),
        ("'12.9' | int", 12),
        ("12.9 | int", 12),
        ("' 12.50 ' | decimal", Decimal("12.50")),
        ("12 | decimal", 12),
        ("-1.5 | abs", Decimal("1.5")),
        ("(-form.length) | abs", timedelta(days=21)),
        ("3 | abs", 3),
        ("form.at | date", date(2025, 3, 3)),
        ("form.on | date", date(2025, 3, 3)),
        ("form.on | datetime", datetime(2025, 3, 3, tzinfo=UTC)),
        ("form.at | datetime", datetime(2025, 3, 3, 12, tzinfo=UTC)),
        ("'2025-03-03T12:00:00' | datetime", datetime(2025, 3, 3, 12, tzinfo=UTC)),
        ("'2025-03-03T12:00:00+01:00' | datetime", datetime(2025, 3, 3, 11, tzinfo=UTC)),
        ("form.length | duration", timedelta(days=21)),
        ("form.length | days", 21),
        ("form.on | iso", "2025-03-03"),
        ("form.at | iso", "2025-03-03T12:00:00+00:00"),
        ("form.length | iso", "P21D"),
        ("form.cost | words", "9.90 EUR"),
    ],
)
def test_a_filter_gives(source: str, expected: Any) -> None:
    assert evaluate(source, NAMES) == expected


def test_json_is_what_a_program_reads() -> None:
    text = evaluate("{'a': form.price, 'b': [12.0, form.on, form.length, none, 'ü']} | json", NAMES)
    assert json.loads(text) == {"a": 12.5, "b": [12, "2025-03-03", "P21D", None, "ü"]}
    assert '"ü"' in text
    assert json.loads(evaluate("names | json", {"names": MappingProxyType({"a": 1})})) == {"a": 1}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("form.amount is defined and form.open is defined", True),
        ("form.nothing is defined", False),
        ("form.open.below is defined", False),
        ("nothing is not defined", True),
        ("('a' | upper) is defined", True),
        ("form.open is none", True),
        ("form.amount is none", False),
        ("form.open is empty and '' is empty and [] is empty and {} is empty", True),
        ("0 is empty or form.groups is empty", False),
        ("form.amount is number and form.price is number", True),
        ("form.agreed is number", False),
        ("form.device is string and form.amount is not string", True),
    ],
)
def test_a_test_holds(source: str, expected: bool) -> None:
    assert evaluate(source, NAMES) is expected


@pytest.mark.parametrize(("source", "expected"), [("form.groups", True), ("form.open", False), ("'' or 0", False)])
def test_a_condition_holds_by_truth(source: str, expected: bool) -> None:
    assert holds(source, NAMES) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("no tags at all <b>\r\n", "no tags at all <b>\r\n"),
        ("Dear {{ requester.name }},\n\nbye\n", "Dear Tim,\n\nbye\n"),
        (
            "{{ form.on }}|{{ form.at }}|{{ form.length }}|{{ -form.length }}",
            "3 March 2025|3 March 2025, 12:00 UTC|21 days|minus 21 days",
        ),
        ("{{ form.agreed }}|{{ not form.agreed }}|{{ form.open }}|", "yes|no||"),
        ("{{ form.price }}|{{ form.rate }}|{{ 1000000.0 }}|{{ form.amount }}", "12.50|0.1|1000000.0|150"),
        ("{{ form.cost }}|{{ form.boss }}|{{ form.groups }}", "9.90 EUR|Ben Berg|vpn, mail, vpn"),
        ("{{ '<b>' }}", "<b>"),
        ("{% if form.open %}a{% elif form.agreed %}b{% else %}c{% endif %}", "b"),
        ("{% for p in form.people %}\n{{ loop.index }}. {{ p.name }}\n{% endfor %}\n", "1. Ada\n2. Tim\n"),
        ("{% for g in form.groups if g != 'mail' %}{{ g }}{% if not loop.last %}, {% endif %}{% endfor %}", "vpn, vpn"),
        ("{% for g in [] %}{{ g }}{% else %}nobody{% endfor %}", "nobody"),
        ("{% for a in [1, 2] %}{% for b in [3, 4] %}{{ a * b }} {% endfor %}{% endfor %}", "3 4 6 8 "),
        ("{% for r in [0.1] %}{{ r + 0.2 }}{% endfor %}", "0.3"),
        ("{# a remark #}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ loop_count | default(3) }}", "3"),
        ("{% for form in [1] %}{{ form }}{% endfor %}{{ form.amount }}", "1150"),
    ],
)
def test_a_template_reads(source: str, expected: str) -> None:
    check(source, template=True)
    assert render(source, NAMES) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("form.devcie == 1", "form.devcie is not known"),
        ("results.call_2.id", "results.call_2 is not known"),
        ("nothing.at.all", "nothing is not known"),
        ("form.groups[7]", "form.groups[…] is not known"),
        ("form[form.secret]", "form[…] is not known"),
        ("[form.devcie]", "form.devcie is not known"),
        ("1 in [] or form.devcie in []", "form.devcie is not known"),
        ("form.open.name", "form.open was not given, so nothing can be read from it"),
        ("form.open > 100", "`form.open > 100` failed: a value that was not given"),
        ("form.open + 1", "a value that was not given"),
        ("-form.open", "a value that was not given is no number"),
        ("form.secret > 100", "values of these kinds"),
        ("form.secret - 'a'", "values of these kinds"),
        ("form.on - 1", "values of these kinds"),
        ("form.at > form.on", "values of these kinds"),
        ("form.amount / 0", "divided by zero"),
        ("form.amount % 0.0", "divided by zero"),
        ("form.length / (0 * form.length)", "a length of time is divided by zero"),
        ("form.on + 999999 * form.length", "beyond the calendar"),
        ("form.open | upper", "a value that was not given is no text"),
        ("form.amount | upper", "this value is no text"),
        ("form.amount | length", "no text or list"),
        ("form.secret | sum", "no list"),
        ("form.groups | sum", "no number"),
        ("[1, 'a'] | sort", "values of these kinds"),
        ("[1, none] | max", "a value that was not given"),
        ("[form] | unique", "`unique` goes with"),
        ("form.people | map('secret')", "nothing under the name"),
        ("form.groups | map('secret')", "nothing under the name"),
        ("'a' | replace('', 'b')", "something to look for"),
        ("1 | round(10)", "keeps 0 to 9 places"),
        ("1 | round('1')", "keeps 0 to 9 places"),
        ("form.secret | int", "no number, such as"),
        ("form.secret | date", "no day"),
        ("form.secret | datetime", "no moment"),
        ("form.secret | duration", "no length of time"),
        ("9999999999 | days", "too many days"),
        ("form.amount | iso", "no day, moment or length of time"),
        ("form | words", "a group of values cannot be shown"),
        ("{[]: 1}", "it cannot be worked out with these values"),
        ("{'a': 1}[form.groups]", "it cannot be worked out with these values"),
    ],
)
def test_a_failure_says_what_is_wrong_without_a_value_of_a_user(source: str, expected: str) -> None:
    check(source)
    assert expected in failure(source)


def test_a_failure_names_the_line_of_a_template_and_no_more_of_it() -> None:
    message = failure("one {{ form.amount }}\r\n{{ 1 }}\n  {{ form.amount / 0 }}\nfour", render)
    assert message == "`{{ form.amount / 0 }}` failed: a number is divided by zero"
    message = failure(f"{'x' * 100}{{{{ form.amount / 0 }}}}", render)
    assert message.startswith(f"`{'x' * 80}…`")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), 10**18 + 1, 1e19])
def test_numbers_that_nobody_can_reckon_with_are_refused(value: Any) -> None:
    for source in ("x + 1", "x ~ ''", "x | abs", "[x] | sum"):
        with pytest.raises(ExpressionError):
            evaluate(source, {"x": value})


def test_the_precision_that_a_process_sets_changes_nothing() -> None:
    import decimal  # noqa: PLC0415  only here

    with decimal.localcontext(prec=3):
        assert evaluate("-(1.23456 + 1) / 4 | abs", {}) == Decimal("-0.55864")
        assert evaluate("-1.23456 | abs", {}) == Decimal("1.23456")


# What they use.


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("form.device", {("form", "device")}),
        ("form['device'].x", {("form", "device", "x")}),
        ("results.call_1.id > 0 and item", {("results", "call_1", "id"), ("item",)}),
        ("form[form.key].x", {("form",), ("form", "key")}),
        ("form.list[0].name", {("form", "list")}),
        ("(form.list | first).name", {("form", "list")}),
        ("form.x | default(form.y)", {("form", "x"), ("form", "y")}),
        ("form.x is defined", {("form", "x")}),
        ("'a' | replace(old=form.a, new=form.b)", {("form", "a"), ("form", "b")}),
        ("1 + 1", set()),
    ],
)
def test_references_of_an_expression(source: str, expected: set[tuple[str, ...]]) -> None:
    assert references(source) == expected


def test_references_of_a_template_leave_out_the_names_of_its_loops() -> None:
    source = "{% for g in form.groups if g.on %}{{ g.name }}{{ loop.index }}{{ h }}{% else %}{{ g }}{% endfor %}"
    assert references(source, template=True) == {("form", "groups"), ("h",), ("g",)}
    assert references("{% for a in a.b %}{{ a.c }}{% endfor %}", template=True) == {("a", "b")}


def test_every_filter_and_test_is_documented_in_a_sentence() -> None:
    assert set(FILTERS) == set(filters.FILTERS)
    assert set(TESTS) == set(filters.TESTS)
    for sentence in (*FILTERS.values(), *TESTS.values()):
        assert "\n" not in sentence
        assert sentence
