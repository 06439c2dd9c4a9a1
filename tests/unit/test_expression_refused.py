"""Expressions that cannot be written: mistakes, attacks, and whatever leads into Python."""

from __future__ import annotations

import pytest
from support.expressions import NAMES, failure

from catalog.expression import check, evaluate


def refusal(source: str, *, template: bool = False) -> str:
    with pytest.raises(ValueError, match="; ") as caught:
        check(source, template=template)
    message, _, remedy = str(caught.value).partition("; ")
    assert message
    assert remedy
    return str(caught.value)


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
    assert refusal(source)


@pytest.mark.parametrize("source", REFUSED_TEMPLATE_ATTACKS, ids=lambda source: source[:40])
def test_an_attack_by_a_template_is_refused_at_load(source: str) -> None:
    assert refusal(source, template=True)


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
