"""Expressions: what they give, what they cannot reach, and how much they can cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from catalog import expression, filters, grammar
from catalog.expression import (
    FILTERS,
    TESTS,
    ExpressionError,
    check,
    evaluate,
    holds,
    references,
    render,
)

SECRET = "hunter2-of-a-user"  # a value that no message may hold
NAMES: dict[str, Any] = {
    "form": {
        "amount": 150,
        "price": Decimal("12.50"),
        "rate": 0.1,
        "device": "own device",
        "secret": SECRET,
        "open": None,
        "agreed": True,
        "on": date(2025, 3, 3),
        "at": datetime(2025, 3, 3, 12, tzinfo=UTC),
        "length": timedelta(days=21),
        "cost": {"amount": Decimal("9.90"), "currency": "EUR"},
        "boss": {"id": "p-2", "login": "ben", "name": "Ben Berg"},
        "people": [{"name": "Ada", "age": 41}, {"name": "Tim", "age": 23}],
        "groups": ["vpn", "mail", "vpn"],
        "items": "an answer",
        "numbers": [3, Decimal("1.5"), 2],
        "_hidden": 1,
    },
    "requester": {"name": "Tim", "department": "Finance"},
    "results": {"call_1": {"id": 7}},
}


def failure(source: str, run: Callable[[str, dict[str, Any]], Any] = evaluate) -> str:
    with pytest.raises(ExpressionError) as caught:
        run(source, NAMES)
    message = str(caught.value)
    assert SECRET not in message
    assert caught.value.__suppress_context__, "a traceback would show what Python said"
    return message


def refusal(source: str, *, template: bool = False) -> str:
    with pytest.raises(ValueError, match="; ") as caught:
        check(source, template=template)
    message, _, remedy = str(caught.value).partition("; ")
    assert message
    assert remedy
    return str(caught.value)


# What expressions give.


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


# What they say when they fail.


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


# What cannot be written.


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("form.name | uper", "there is no filter 'uper'; use 'upper'"),
        ("form.name | zzz", "use one of: abs, date"),
        ("form.name is emty", "there is no test 'emty'; use 'empty'"),
        ("form.name | round(1, 2)", "filter 'round' does not take this; write it as: round(places)"),
        ("form.name | upper(1)", "write it as: upper"),
        ("form.name | round(places=1, places=2)", "does not take this"),
        ("form.name | round(*form.x)", "does not take this"),
        ("form.name | round(**form.x)", "does not take this"),
        ("form.name is empty(1)", "test 'empty' does not take this; write it as: empty"),
        ("{{ form.name }}", "a bare expression is expected here; leave out {{ }}"),
        ("form.name == ", "this cannot be read"),
        ("form.a form.b", "there is more after the end"),
        ("", "this cannot be read"),
        ("1000000000000000001", "beyond 18 digits"),
        ("1e19", "beyond 18 digits"),
        ("loop.index", "inside of a {% for %}"),
        ("a" * 2_001, "2,001 characters and 2,000 are allowed"),
        ("ﬀ", "is no name that can be used here"),
    ],
)
def test_a_mistake_is_told_at_load(source: str, expected: str) -> None:
    assert expected in refusal(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("one\n{% if form.a %}", "in line 2"),
        ("{% fro g in form.groups %}", "unknown tag 'fro'"),
        ("{% for g, h in form.groups %}{% endfor %}", "under one name"),
        ("{% for g in form.groups recursive %}{% endfor %}", "under one name"),
        ("{% for loop in form.groups %}{% endfor %}", "under one name"),
        ("{% for _g in form.groups %}{% endfor %}", "begin with '_'"),
        ("{% for g in form.groups %}{{ loop }}{% endfor %}", "use one of: loop.first"),
        ("{% for g in form.groups %}{{ loop.cycle }}{% endfor %}", "use one of: loop.first"),
        ("{% for g in form.groups if loop.first %}{% endfor %}", "use one of: loop.first"),
        ("{% filter upper %}a{% endfilter %}", "there are no filter blocks"),
        ("{{ " + "1" * 5_000 + " }}", "beyond 18 digits"),
        ("a" * 20_001, "20,001 characters and 20,000 are allowed"),
        (
            "{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}",
            "loops are nested more than 2 deep",
        ),
    ],
)
def test_a_mistake_in_a_template_is_told_at_load(source: str, expected: str) -> None:
    assert expected in refusal(source, template=True)


REFUSED_ATTACKS = [
    "form.__class__",
    "form['__class__']",
    "''.__class__.__mro__[1].__subclasses__()",
    "form._hidden",
    "_",
    "form | attr('__class__')",
    "form.items()",
    "''.format(form)",
    "'{0.__class__}'.format(form)",
    "range(1000000000)",
    "lipsum(n=1000)",
    "cycler('a', 'b').next()",
    "joiner()",
    "namespace(a=1)",
    "dict(a=1)",
    "self",
    "self._TemplateReference__context",
    "2 ** 10 ** 10",
    "9999999999 * 9999999999999999999",
    "form.device[::-1]",
    "form | list",
    "form | pprint",
    "form | xmlattr",
    "'a' | center(1000000000)",
    "'a' | indent(1000000000)",
    "'a' | format(1)",
    "form.groups | random",
    "'%1000000000d' | format(1)",
    "form.people | map('upper') | select",
    "1 if (lambda: 1)() else 2",
    "form.x := 1",
    "import os",
    "(" * 200 + "1" + ")" * 200,
    "[" * 300 + "]" * 300,
    "not " * 450 + "1",
    "-" * 1_500 + "1",
    "1" + " + 1" * 400,
    "1" + " if 1 else 1" * 150,
    "a" + " | upper" * 200,
    "a[" * 300 + "1" + "]" * 300,
]
REFUSED_TEMPLATE_ATTACKS = [
    "{{ form.__class__ }}",
    "{% for i in range(1000000000) %}{% endfor %}",
    "{% set x = form.__class__ %}",
    "{% set x %}a{% endset %}",
    "{% with x = 1 %}{% endwith %}",
    "{% macro f() %}{{ f() }}{% endmacro %}",
    "{% call f() %}{% endcall %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'os' import system %}",
    "{% extends 'a' %}",
    "{% block a %}{% endblock %}",
    "{% autoescape true %}{% endautoescape %}",
    "{% do form.clear() %}",
    "{% trans %}{% endtrans %}",
    "{{ self }}",
    "{{ caller() }}",
    "{% if 1 %}" * 300 + "{% endif %}" * 300,
    "{% if 1 %}" * 1_000 + "{% endif %}" * 900,
    "{{ " + "(" * 5_000,
]


@pytest.mark.parametrize("source", REFUSED_ATTACKS, ids=lambda source: source[:40])
def test_an_attack_is_refused_at_load(source: str) -> None:
    refusal(source)


@pytest.mark.parametrize("source", REFUSED_TEMPLATE_ATTACKS, ids=lambda source: source[:40])
def test_an_attack_by_a_template_is_refused_at_load(source: str) -> None:
    refusal(source, template=True)


@pytest.mark.parametrize(
    "source",
    [
        "form.amount.real",
        "form.device.upper",
        "form.groups.append",
        "form.on.year",
        "form.keys",
        "form['_' ~ '_class__']",
        "''.format",
        "(form.people | first).get",
        "form.device['upper']",
        "form.device[0]",
        "form.groups['0']",
        "form.groups[true]",
        "range",
        "lipsum",
        "dict",
        "cycler",
        "joiner",
        "namespace",
        "context",
        "environment",
    ],
)
def test_nothing_of_python_can_be_reached(source: str) -> None:
    assert "is not known" in failure(source)


def test_an_answer_may_have_the_name_of_a_method() -> None:
    assert evaluate("form.items", NAMES) == "an answer"


# How much they can cost.

LONG = "x" * 60_000
MANY = list(range(5_000))
BIG: dict[str, Any] = {
    "text": LONG,
    "many": MANY,
    "texts": [LONG] * 50,
    "wide": ["x"] * 65_000,
    "nested": [[LONG] * 20] * 20,
}


@pytest.mark.parametrize(
    "source",
    [
        "text ~ text",
        "text + text",
        "texts | join",
        "texts | join(text)",
        "text | replace('x', 'xx')",
        "text | replace('x', text)",
        "texts | json",
        "nested | words",
        "[texts, texts] | words",
        "wide + wide",
        "wide + many",
        "text * 1000000000",
        "many * 1000000000",
        "text % 1",
        "1000000000000000000 + 1",
        "1000000000000000000 * 1000000000000000000",
        "1000000000000000000 / 0.0000000000000000000000000001",
        "nested == nested and nested == texts and " * 15 + "1",
        "many | sort | sort | sort | sort | sort == many and " * 10 + "1",
        "('ŉ' ~ text) | replace('x', 'ŉ') | upper",
    ],
    ids=lambda source: source[:40],
)
def test_an_expression_that_would_cost_much_is_stopped(source: str) -> None:
    check(source)
    with pytest.raises(ExpressionError, match=r"goes beyond|too much work|these kinds"):
        evaluate(source, BIG)


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in many %}{% for b in many %}{% endfor %}{% endfor %}",
        "{% for a in many %}{% for b in many %}{{ loop.length }}{% endfor %}{% endfor %}",
        "{% for a in many %}{% for b in many if false %}{% endfor %}{% endfor %}",
        "{% for a in many %}{% endfor %}{% for a in many %}{% endfor %}{% for a in many %}{% endfor %}",
        "{% for a in many %}xxxxxxxxxxxxxxxxxxxx{% endfor %}",
        "{% for a in many %}{{ 'xxxxxxxxxxxxxxxxxxxx' }}{% endfor %}",
        "{{ text }}{{ text }}",
        "{% for a in many %}{% if (many | sort | first) == -1 %}{% endif %}{% endfor %}",
        "{% for a in many %}{% if text == text ~ 'a' %}{% endif %}{% endfor %}",
        "{% for a in many %}{% if 'y' in text %}{% endif %}{% endfor %}",
        "{% for a in many %}{% if [" + "1, " * 5_000 + "] %}{% endif %}{% endfor %}",
        "{% for a in many %}{% if " + "-a < 0 and -a > 0 or " * 10 + "a %}{% endif %}{% endfor %}",
    ],
    ids=lambda source: source[:60],
)
def test_a_template_that_would_cost_much_is_stopped(source: str) -> None:
    check(source, template=True)
    with pytest.raises(ExpressionError, match=r"goes beyond|too much work|more than 10,000 entries"):
        render(source, BIG)


def test_a_loop_is_stopped_after_so_many_entries_even_if_it_puts_nothing_out() -> None:
    taken = 0

    class Entries(list[int]):
        def __iter__(self) -> Any:
            nonlocal taken
            for entry in super().__iter__():
                taken += 1
                yield entry

    with pytest.raises(ExpressionError, match="more than 10,000 entries"):
        render("{% for a in many %}{% endfor %}", {"many": Entries(range(1_000_000))})
    assert taken == expression.MAX_LOOPS + 1


def test_rendering_is_stopped_as_soon_as_the_text_is_too_long() -> None:
    rendered = 0

    class Value(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            nonlocal rendered
            rendered += 1
            return super().get(key, default)

    with pytest.raises(ExpressionError, match="beyond 65,536 characters"):
        render("{% for a in many %}{{ v.x }}{% endfor %}", {"many": MANY, "v": Value(x="x" * 1_000)})
    assert rendered == filters.MAX_LENGTH // 1_000 + 1


def test_values_nested_without_end_are_told_not_crashed_on() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    endless: list[Any] = []
    endless.append(endless)
    for value in (deep, endless):
        for source in ("x | json", "x ~ ''", "x == [x]", "x | length"):
            with pytest.raises(ExpressionError):
                evaluate(source, {"x": value})


@pytest.mark.parametrize(
    ("begin", "middle", "end", "template"),
    [
        ("(", "1", ")", False),
        ("[", "1", "]", False),
        ("{1:", "1", "}", False),
        ("-", "1", "", False),
        ("not ", "1", "", False),
        ("1 + (", "1", ")", False),
        ("1 ~ (", "1", ")", False),
        ("1 < (", "1", ")", False),
        ("1 and (", "1", ")", False),
        ("1 if (", "1", ") else 2", False),
        ("'a' | replace('b', ", "'c'", ")", False),
        ("x[", "0", "]", False),
        ("(", "1", " is none)", False),
        ("", "'a'", " | upper", False),
        ("{% if 1 %}", "{{ 1 }}", "{% endif %}", True),
        ("{{ 1 ~ (", "1", ") }}", True),
    ],
)
def test_whatever_is_let_through_compiles(begin: str, middle: str, end: str, template: bool) -> None:
    limit = grammar.MAX_DEPTH
    if template and begin.startswith("{{"):
        begin, end, head, tail = begin[3:], end[:-3], "{{ ", " }}"
    else:
        head, tail = "", ""
    compiled = 0
    for depth in range(limit // 2 - 2, limit + 2):
        source = head + begin * depth + middle + end * depth + tail
        try:
            check(source, template=template)
        except ValueError:
            continue
        compiled += 1
        try:
            (render if template else evaluate)(source, {"x": [0]})
        except ExpressionError:
            continue
    assert compiled


def test_every_filter_and_test_is_documented_in_a_sentence() -> None:
    assert set(FILTERS) == set(filters.FILTERS)
    assert set(TESTS) == set(filters.TESTS)
    for sentence in (*FILTERS.values(), *TESTS.values()):
        assert "\n" not in sentence
        assert sentence
