"""What holds of every form and all answers, however odd they are."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from catalog import form
from catalog.fields import Field
from catalog.form import Checked, Lookup, check
from catalog.form_schema import schema

read_form: TypeAdapter[tuple[Field, ...]] = TypeAdapter(tuple[Field, ...])
NAMES = {"requester": {"login": "ada"}}

KINDS: list[dict[str, Any]] = [
    {"type": "text", "max_length": 20},
    {"type": "text", "multiline": True, "pattern": "[a-z]*"},
    {"type": "paragraph"},
    {"type": "integer", "most": 5},
    {"type": "decimal", "least": "0.1"},
    {"type": "money", "currency": "EUR"},
    {"type": "yes_no"},
    {"type": "choice", "choices": ["laptop", "phone"]},
    {"type": "choice", "provider": "p"},
    {"type": "multi_choice", "choices": ["laptop", "phone"], "at_least": 1},
    {"type": "multi_choice", "provider": "p"},
    {"type": "date"},
    {"type": "datetime"},
    {"type": "duration", "longest": "30 days"},
    {"type": "email"},
    {"type": "url", "schemes": ["http", "https"]},
    {"type": "ip", "accept": "both"},
    {"type": "ip", "version": 4},
    {"type": "person"},
    {"type": "people", "at_most": 2},
    {"type": "group"},
    {"type": "asset"},
    {"type": "attachment", "media_types": ["image/*"], "at_most": 2},
    {"type": "secret"},
]
CONDITIONS = st.one_of(st.booleans(), st.sampled_from(["form.f0", "not form.f1", "form.f2 == 'x'", "1 / 0"]))
DEFAULTS = st.sampled_from([None, "x", 1, True, "{{ form.f0 }}", "{{ requester.login }}", ["x"], "{{ form.f1 + 1 }}"])

texts = st.text(st.characters(), max_size=12)  # also lone surrogates and control characters
almost = st.sampled_from([
    "", " ", "laptop", "2025-03-03", "20250303", "2025-03-03T09:00:00Z", "P10D", "0 days", "a\nb", "\ud800", "x" * 5000,
    "ada@example.org", "https://example.org", "http://[", "192.0.2.0/24", "192.0.2.1", "::1", "1.5", "-0.00", 3, 1.5,
    10**4_000, float("nan"), float("inf"), 1e300, ["laptop"], ["laptop", "phone"], ["x", "x"], {"secret": "secret:1"},
    {"login": "ada"}, {"amount": 1, "currency": "EUR"}, {"value": "x"}, {"id": "u"}, [{"id": "u"}],
])  # fmt: skip
garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | almost,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
conditions = st.fixed_dictionaries(
    {}, optional={"visible": CONDITIONS, "required": CONDITIONS, "read_only": CONDITIONS, "default": DEFAULTS}
)


@st.composite
def forms(draw: st.DrawFn) -> tuple[Field, ...]:
    """Draw a form whose fields depend on each other, one of them perhaps a group of rows."""
    chosen = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    asked = [kind | draw(conditions) | {"id": f"f{at}", "label": f"F{at}"} for at, kind in enumerate(chosen)]
    if draw(st.booleans()):
        inner = [kind | draw(conditions) | {"id": f"f{at}", "label": f"R{at}"} for at, kind in enumerate(chosen[:2])]
        asked.append({"id": "rows", "type": "rows", "label": "Rows", "fields": inner, "required": False})
    return read_form.validate_python(asked)


names = st.sampled_from(["f0", "f1", "f2", "f3", "f4"])
row = st.dictionaries(names, almost | garbage, max_size=3)
answers = st.dictionaries(names | texts, almost | garbage, max_size=6) | st.fixed_dictionaries(
    {"rows": st.lists(row, max_size=3)}, optional={"f0": almost, "f1": almost, "f2": almost}
)


def resolved(lookup: Lookup) -> Any:
    """Return what the source of each kind would say."""
    match lookup.kind:
        case "person":
            return {"id": f"id-{lookup.value}", "login": lookup.value, "name": lookup.value.title()}
        case "choice":
            return {"value": lookup.value, "label": lookup.value.upper()}
        case "file":
            file = {"name": "a.png", "media_type": "image/png", "size": 5, "digest": "sha256:1"}
            return {"id": lookup.value} | file
        case "secret":
            return True


def settled(asked: tuple[Field, ...], given_answers: dict[str, Any]) -> Checked:
    """Check answers until nothing is left to ask, as a caller does."""
    known: dict[Lookup, Any] = {}
    for _ in range(len(asked) * 10 + 10):
        found = check(asked, given_answers, NAMES, resolved=known)
        if not found.lookups:
            return found
        known |= {lookup: resolved(lookup) for lookup in found.lookups}
    raise AssertionError("there is always something left to ask")


@given(forms(), answers)
@example((), {"\ud800": 1})
def test_whatever_is_answered_the_outcome_can_be_told(asked: tuple[Field, ...], given_answers: dict[str, Any]) -> None:
    found = settled(asked, given_answers)
    assert found.model_dump_json()
    assert set(found.answers) <= {field.id for field in asked}
    assert not set(found.answers) & {error.field for error in found.errors}
    for field in asked:
        if field.id in found.answers:
            assert isinstance(form.shown(field, found.answers[field.id]), str)


@given(forms(), answers)
def test_stored_answers_are_answers_again(asked: tuple[Field, ...], given_answers: dict[str, Any]) -> None:
    found = settled(asked, given_answers)
    if not found.errors:
        assert settled(asked, found.answers) == found


@given(forms(), answers)
def test_what_is_hidden_is_never_kept(asked: tuple[Field, ...], given_answers: dict[str, Any]) -> None:
    hidden = tuple(field.model_copy(update={"visible": False}) for field in asked)
    found = settled(hidden, given_answers)
    assert found.answers == {}
    assert {error.code for error in found.errors} <= {"hidden", "unknown"}


@given(st.sampled_from(KINDS), almost | garbage)
def test_the_schema_takes_every_answer_that_the_server_takes(kind: dict[str, Any], answer: Any) -> None:
    asked = read_form.validate_python([kind | {"id": "it", "label": "It", "required": False}])
    found = settled(asked, {"it": answer})
    if found.answers:
        judge = Draft202012Validator(schema(asked), format_checker=Draft202012Validator.FORMAT_CHECKER)
        for accepted in ({"it": answer}, found.answers):
            assert list(judge.iter_errors(accepted)) == []


@given(forms(), answers)
def test_the_schema_of_a_form_takes_all_answers_that_are_kept(
    asked: tuple[Field, ...], given_answers: dict[str, Any]
) -> None:
    found = settled(asked, given_answers)
    if not found.errors:
        assert list(Draft202012Validator(schema(asked)).iter_errors(found.answers)) == []
