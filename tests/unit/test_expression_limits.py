"""How much an expression or a template can cost."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import expression, filters, grammar
from catalog.expression import ExpressionError, check, evaluate, render

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
