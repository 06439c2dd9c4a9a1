"""Expressions, whatever is written and whatever the values are: a result or a refusal, and never beyond a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from catalog import expression, filters
from catalog.expression import ExpressionError, check, evaluate, references, render

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(("", "vpn", "12.50", "2025-03-03", "30 days")),
    st.dates(),
    st.datetimes(timezones=st.sampled_from((None, UTC, timezone(timedelta(hours=14))))),
    st.timedeltas(),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(("a", "b", "name")), inner, max_size=3),
    max_leaves=8,
)
namings = st.fixed_dictionaries({"x": values, "y": values, "many": st.lists(values, max_size=5)})

PLAIN = """
    x y many x.a y.b.a many[0] x[y] nothing form.a none true 1 0 2.5 1e-9 999999999999999999 'vpn' '' '-' [] {} [x,y]
    (1,x) {'a':y,x:1}
""".split()  # noqa: SIM905  a list of quoted quotes would be hard to read
BINARY = ("+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or")
ARGUMENTS = {"default": ("(x)",), "join": ("", "(x)", "(', ')"), "map": ("('a')", "(y)"), "replace": ("('v', x)",)}
FILTERS = [f"| {name}{given}" for name in filters.FILTERS for given in ARGUMENTS.get(name, ("",))]
USES = [
    *FILTERS,
    *(f"is {name}" for name in filters.TESTS),
    "| round(2)",
    "| round(x)",
    "| sort(y)",
    ".a",
    "[0]",
    "[x]",
]

literals = st.sampled_from(PLAIN)
binary = st.sampled_from(BINARY)
uses = st.sampled_from(USES)
sources = st.recursive(
    literals,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, binary, inner),
        st.builds("({} {})".format, inner, uses),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds("(-{})".format, inner),
    ),
    max_leaves=10,
)
pieces = st.recursive(
    st.one_of(
        st.builds("{{{{ {} }}}}".format, sources), st.sampled_from(("text\n", "{# remark #}", "{{ loop.index }}"))
    ),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, sources, inner, inner),
        st.builds("{{% for x in {} if {} %}}{}{{% endfor %}}".format, sources, sources, inner),
    ),
    max_leaves=5,
)


def allowed(source: str, *, template: bool) -> bool:
    """Return whether a source is let through; if not, that it was refused as agreed."""
    try:
        check(source, template=template)
    except ValueError as refused:
        message, semicolon, remedy = str(refused).partition("; ")
        assert message
        assert semicolon
        assert remedy
        return False
    return True


@given(sources, namings)
def test_an_evaluation_gives_a_result_or_says_why_not(source: str, names: dict[str, Any]) -> None:
    assert allowed(source, template=False)
    with suppress(ExpressionError):
        first = evaluate(source, names)
        assert repr(evaluate(source, names)) == repr(first), "the same names gave another result"


@given(pieces, namings)
def test_a_rendering_gives_a_bounded_text_or_says_why_not(source: str, names: dict[str, Any]) -> None:
    if allowed(source, template=True):
        with suppress(ExpressionError):
            assert len(render(source, names)) <= filters.MAX_LENGTH


SYNTAX = r"""
    {{ }} {% %} {# #} if endif for in endfor set macro raw endraw else x loop self _x __class__ form and not is none |
    upper ( ) [ ] { } . , : ~ * ** - + = == ' " \\ 1 1e999 é ; {%- -%}
""".split()  # noqa: SIM905  as above
syntax = st.lists(st.sampled_from([*SYNTAX, "\n"]), max_size=25).map(" ".join)


@given(st.text(max_size=60) | syntax, st.booleans(), namings)
@example("{{ '\\d' }}", True, {})
@example("'\ud800' ~ x", False, {"x": 1})
@example("{{ x }", True, {})
def test_whatever_text_it_is_it_is_refused_or_it_runs(source: str, template: bool, names: Mapping[str, Any]) -> None:
    if allowed(source, template=template):
        assert outcome(source, names, render if template else evaluate), "it was refused without a word"


@given(sources, namings)
def test_what_an_expression_does_not_refer_to_does_not_change_it(source: str, names: dict[str, Any]) -> None:
    used = {path[0] for path in references(source)}
    kept = {name: value for name, value in names.items() if name in used}
    assert outcome(source, kept) == outcome(source, names)


def outcome(source: str, names: Mapping[str, Any], run: Callable[[str, Mapping[str, Any]], object] = evaluate) -> str:
    """Return what comes of it, or what is said if nothing does."""
    try:
        return repr(run(source, names))
    except ExpressionError as error:
        return str(error)


@given(st.text(alphabet="0123456789.", min_size=12, max_size=12), sources)
def test_no_message_holds_a_value_that_a_user_gave(secret: str, source: str) -> None:
    told = outcome(f"{source} | date", {"x": f"s{secret}", "y": {"a": f"s{secret}"}, "many": [f"s{secret}"]})
    assert told.startswith("`")
    assert secret not in told.partition("` failed: ")[2]


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9), st.integers(0, 6))
def test_dividing_with_rest_agrees_for_whole_and_decimal_numbers(left: int, right: int, places: int) -> None:
    names = {"a": Decimal(left).scaleb(-places), "b": Decimal(right).scaleb(-places), "i": left, "j": right}
    assert evaluate("a // b == i // j", names)
    assert evaluate("(a // b) * b + a % b == a", names)
    assert evaluate("0 <= a % b and a % b < b", names)


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(-1000, 1000))
def test_days_added_can_be_measured_again(day: date, number: int) -> None:
    names = {"day": day, "at": datetime(2025, 3, 3, tzinfo=UTC), "n": number}
    assert evaluate("((day + (n | days)) - day) | days", names) == number
    assert evaluate("((at + (n | days)) - at) | days", names) == number
    assert evaluate("day | iso | date == day", names)


@given(st.lists(values, max_size=30))
def test_the_work_that_is_counted_grows_with_the_values(entries: list[Any]) -> None:
    assert expression._size(entries) >= len(entries)
    assert expression._size([*entries, entries]) > expression._size(entries)
