"""Rules on what is asked: the form, its conditions and its defaults, and on every expression by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from catalog import data, explain, expression, form, plan
from catalog.expression import ExpressionError
from catalog.fields import MAX_DIGITS, Field, MoneyField, is_short
from catalog.filters import NOT_GIVEN
from catalog.lint import comparing
from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject, Trial
from catalog.lint.uses import Use, Wanted, ancestors
from catalog.message import ROLES
from catalog.source import Place
from catalog.steps import ApproveStep, CallWork, HttpWork, TaskWork, Work


@rule("failing-expression", "error", "An expression can be evaluated, whatever is answered or left out.")
def failing_expression(subject: Subject) -> Iterator[Hit]:
    """Try every expression with made-up answers and people."""
    leaking = {use.place for use, _ in _secrets_used(subject)}
    for trial in subject.trials:
        if trial.error and trial.use.place not in leaking:
            yield Hit(trial.use.place, *_failing(trial))


def _failing(trial: Trial) -> tuple[str, str]:
    """Return what to tell of a use that fails, and what to do."""
    why = trial.error.rstrip(".")
    if trial.left_out:
        guard = f"not results.{trial.left_out}.skipped"
        remedy = f"Write '| default(none)' behind what may be missing, or 'when: {guard}'."
        return f"if the step {trial.left_out!r} is left out, this fails: {why}", remedy
    return f"with some answers this fails: {why}", _GUARD if NOT_GIVEN in why else "Correct the expression."


_GUARD = "Ask first whether it was answered, as in: form.amount and form.amount > 100."


@rule("wrong-result", "error", "An expression gives what is needed where it stands: a number, a time, a name, people.")
def wrong_result(subject: Subject) -> Iterator[Hit]:
    """Look at what the expressions gave when they were tried, and at what stands there without one."""
    for trial in subject.trials:
        for value in trial.given:
            if not _fits(value, trial.use.wanted):
                yield _wrong(trial.use, value)
                break
    for use in subject.literals:
        if not _fits(use.value, use.wanted) and not _is_blank(use):
            yield _wrong(use, use.value)


def _is_blank(use: Use) -> bool:
    """Return whether nothing stands where a name must, which other rules tell: `no-approver` and `no-group`."""
    return use.place[-1] in ("group", "role", "ci", "to") and not str(use.value or "").strip()


def _wrong(use: Use, value: Any) -> Hit:
    what, example, _ = _WANTED[use.wanted]
    if use.has_expression and value in (None, "", []):
        remedy = "Name a question that must be answered, or ask in 'when' whether it was."
        return Hit(use.place, f"with some answers this gives nothing instead of {what}", remedy)
    return Hit(use.place, f"this must give {what}", f"Write it like: {example}.")


def _fits(value: Any, wanted: Wanted) -> bool:
    if value is None:
        return wanted not in ("name", "person")
    kind = _WANTED.get(wanted)
    try:
        return kind is None or kind.fits(value)
    except (InvalidOperation, ValueError, ExpressionError):
        return False


def _is_recipient(value: Any) -> bool:
    match value:
        case None | "" | {"id": str(), "login": str(), "name": str()}:
            return True
        case str():
            return value in ROLES or "@" in value
        case list():
            return all(_is_recipient(one) for one in value)
        case _:
            return False


def _is_amount(value: Decimal) -> bool:
    return value.is_finite() and is_short(value, MAX_DIGITS)


class _Kind(NamedTuple):
    """What an expression may have to give; `fits` says whether it did, or raises what `_fits` knows if not."""

    what: str
    example: str
    fits: Callable[[Any], bool]


_WANTED: dict[Wanted, _Kind] = {
    "list": _Kind("a list", "{{ form.laptops }}", lambda value: isinstance(value, list)),
    "number": _Kind(
        "a number",
        "{{ form.seats * 12.50 }}",
        lambda value: not isinstance(value, bool) and _is_amount(Decimal(str(value))),
    ),
    "moment": _Kind(
        "a day or a moment", "{{ form.first_day }}", lambda value: bool(datetime.fromisoformat(str(value)))
    ),
    "name": _Kind(
        "the name of a group, role or configuration item", "{{ form.team }}", lambda value: bool(plan.word(value))
    ),
    "person": _Kind("one person", "{{ form.deputy }}", lambda value: len(plan.logins(value)) == 1),
    "people": _Kind("a person or several", "{{ form.deputy }}", lambda value: plan.logins(value) is not None),
    "recipients": _Kind(
        "requester, beneficiary, a person from an answer or a mail address", "{{ form.deputy }}", _is_recipient
    ),
}
"""What is not here may be anything."""


@rule("constant-condition", "warning", "A condition depends on something.")
def constant_condition(subject: Subject) -> Iterator[Hit]:
    """Check every condition that is written as an expression, those left out that have a rule of their own."""
    for use in subject.uses:
        if not use.condition or use.place[-1] == "check" or use.form not in (None, subject.item.form):
            continue
        always = subject.constantly(use.value)
        if always or (always is False and not (use.place[-1] == "when" and use.place[0] in ("approvals", "steps"))):
            word = "true" if always else "false"
            yield Hit(use.place, f"this is always {word}", f"Write '{word}', or mend the condition.")


@rule("check-never-fails", "warning", "A check over several answers can fail.")
def check_never_fails(subject: Subject) -> Iterator[Hit]:
    """Check `checks`."""
    for at, check in enumerate(subject.item.checks):
        if subject.constantly(check.check):
            yield Hit(("checks", at, "check"), "this never fails", "Mend the condition, or remove the check.")


@rule("check-never-holds", "warning", "A check over several answers can be passed.")
def check_never_holds(subject: Subject) -> Iterator[Hit]:
    """Check `checks`, as far as it can be proved."""
    for at, check in enumerate(subject.item.checks):
        if subject.constantly(check.check) is False:
            message = "this never holds, so every order is refused"
            yield Hit(("checks", at, "check"), message, "Mend the condition, or remove the check.")


@rule("unknown-choice", "warning", "What an answer is compared with is one of the choices there are.")
def unknown_choice(subject: Subject) -> Iterator[Hit]:
    """Check the comparisons with texts of every expression."""
    for use in subject.uses:
        if not isinstance(use.value, str) or use.form is None:
            continue
        compared = comparing.texts(use.value, template=not use.condition)
        if not compared or (use.condition and subject.constantly(use.value) is not None):
            continue  # that it is constant is told by another rule
        fields: dict[tuple[str, str], Field] = {(use.root, field.id): field for field in use.form}
        fields |= {("form", field.id): field for field in subject.item.form if use.root == "row"}
        fields |= {("order", field.id): field for field in use.order or ()}
        for path, text in sorted(compared):
            choices = getattr(fields.get(path), "choices", ())
            if choices and text not in choices:
                message = f"{'.'.join(path)} is never {text!r}"
                yield Hit(use.place, message, explain.suggest(text, choices))


@rule("condition-cycle", "error", "The conditions and defaults of a form do not depend on each other in a circle.")
def condition_cycle(subject: Subject) -> Iterator[Hit]:
    """Check every form: the item's, those of rows and those of evidence."""
    for one in subject.forms:
        after = {field.id: _named_by(field, one.root) for field in one.fields}
        for at, field in enumerate(one.fields):
            if field.id in ancestors(field.id, after):
                remedy = "Break the circle of conditions and defaults."
                yield Hit((*one.place, at), f"{field.id!r} depends on itself", remedy)
                break  # the others of the circle would say the same


def _named_by(field: Field, root: str) -> tuple[str, ...]:
    """Return the fields of its form that the conditions and the default of a field name."""
    paths = data.references(field.default)
    for when in (field.visible, field.required, field.read_only):
        paths |= expression.references(when) if isinstance(when, str) else frozenset()
    return tuple(sorted(path[1] for path in paths if path[0] == root and path[1:]))


@rule("bad-default", "error", "A default is a right answer to its field.")
def bad_default(subject: Subject) -> Iterator[Hit]:
    """Check every default without expressions, and what the others gave when they were tried.

    What an expression gives for made-up answers may be too large or too long though it is right for real ones; that it
    is of another type is told if it always is.
    """
    for place, field in subject.fields:
        if field.default is not None and not Use((), field.default, False, {}).has_expression:
            for error in _errors(field, field.default):
                yield _no_answer(place, error)
    fields = dict(subject.fields)
    for trial in subject.trials:
        values = [value for value in trial.given if value is not None]
        if trial.use.place[-1] == "default" and values and trial.use.place[:-1] in fields:
            errors = [error for value in values for error in _errors(fields[trial.use.place[:-1]], value)]
            certain = [error for error in errors if error.code == "type" or not trial.use.references]
            if len(certain) == len(values):
                yield _no_answer(trial.use.place[:-1], certain[0])


def _errors(field: Field, value: Any) -> tuple[form.FieldError, ...]:
    """Return what is wrong with an answer to a field by itself: the first thing, or nothing."""
    alone = field.model_copy(update={"required": False, "visible": True, "read_only": False, "default": None})
    return tuple(form.check((alone,), {field.id: value}, {}).errors[:1])


def _no_answer(place: Place, error: form.FieldError) -> Hit:
    message = f"the default is no answer: {error.message.rstrip('.')}"
    return Hit((*place, "default"), message, "Correct or remove it.")


_RANGES = (
    ("min_length", "max_length"), ("least", "most"), ("at_least", "at_most"),
    ("earliest", "latest"), ("shortest", "longest"),
)  # fmt: skip


@rule("impossible-range", "error", "A field can be answered: its lower bound is not above the upper one.")
def impossible_range(subject: Subject) -> Iterator[Hit]:
    """Check the bounds of every field."""
    for place, field in subject.fields:
        bounds = vars(field)
        for low_name, high_name in _RANGES:
            low, high = bounds.get(low_name), bounds.get(high_name)
            if low is not None and high is not None and low > high:
                yield Hit((*place, low_name), f"this is more than '{high_name}' allows", "Exchange or correct the two.")
        if (
            isinstance(field, MoneyField)
            and field.least is None
            and field.most is not None
            and field.most < field.lowest
        ):
            message = "an amount is zero at least, unless 'least' says otherwise"
            yield Hit((*place, "most"), message, "Add 'least:', or raise 'most'.")


@rule("duplicate-label", "warning", "No two fields of a form ask the same question.")
def duplicate_label(subject: Subject) -> Iterator[Hit]:
    """Check the labels of each form."""
    seen: dict[tuple[Place, str], str] = {}
    for place, field in subject.fields:
        other = seen.setdefault((place[:-1], field.label.casefold().strip()), field.id)
        if other != field.id:
            yield Hit((*place, "label"), f"{other!r} is asked with the same words", "Say how the two differ.")


@rule("unused-field", "warning", "What is asked is read by somebody or used by something.")
def unused_field(subject: Subject) -> Iterator[Hit]:
    """Check the form of items without code of their own.

    Approvers, and those who work on a task, see all answers; a workflow in Python may use any. So a field is unused if
    there is nobody of that kind and no expression names it.
    """
    item = subject.item
    seen = any(isinstance(step, ApproveStep | TaskWork) for _, step in subject.steps)
    if item.workflow or seen or any(not subject.is_automatic(stage) for stage in item.approvals):
        return
    named = {path[1] for use in subject.uses for path in use.references if path[0] in ("form", "order") and path[1:]}
    for at, field in enumerate(item.form):
        if field.id not in named | set(item.distinct_by):
            yield Hit(("form", at), f"nobody sees the answer to {field.id!r}, and nothing uses it", "Use or remove it.")


@rule("secret-in-template", "error", "A secret goes into no text; only the input of an action may hand it over.")
def secret_in_template(subject: Subject) -> Iterator[Hit]:
    """Check every expression; ``form.<secret>.given`` is allowed everywhere."""
    for use, name in _secrets_used(subject):
        if not _is_http(subject, use) and not _is_handed_over(subject, use, name):
            message = f"the secret {name} would become readable here"
            yield Hit(use.place, message, f"Hand it to an action, as all of an input: '{{{{ {name} }}}}'.")


@rule("secret-in-http", "error", "A secret is sent to no address that an item names.")
def secret_in_http(subject: Subject) -> Iterator[Hit]:
    """Check every HTTP request."""
    for use, name in _secrets_used(subject):
        if _is_http(subject, use):
            message = f"the secret {name} would be sent away"
            yield Hit(use.place, message, "Use 'credential:', or an action that knows how to keep it.")


@rule("secret-in-evidence", "error", "Nobody who works on a task is asked for a secret.")
def secret_in_evidence(subject: Subject) -> Iterator[Hit]:
    """Check the evidence of every task: no step could hand over what stands in it."""
    for place, field in subject.fields:
        if field.type == "secret" and "evidence" in place:
            remedy = "Hand a secret in with the order, or keep it where the work is done."
            yield Hit(place, "a secret cannot be evidence", remedy)


def _secrets_used(subject: Subject) -> Iterator[tuple[Use, str]]:
    secrets = {(*one.path, field.id) for one in subject.forms for field in one.fields if field.type == "secret"}
    secrets |= {("order", field.id) for field in subject.item.form if field.type == "secret"}
    if not secrets:
        return
    for use in subject.uses:
        for path in sorted(use.references & secrets):
            yield use, ".".join(path)


def _work_around(subject: Subject, place: Place) -> Work | None:
    """Return the innermost work that a place is part of."""
    works = dict(subject.works)
    return next((works[place[:n]] for n in range(len(place), 0, -1) if place[:n] in works), None)


def _is_http(subject: Subject, use: Use) -> bool:
    return use.place[-1] != "when" and isinstance(_work_around(subject, use.place), HttpWork)


def _is_handed_over(subject: Subject, use: Use, secret: str) -> bool:
    """Return whether the use is part of the input of an action, and the secret is all of it."""
    whole = re.compile(rf"\s*{{{{\s*{re.escape(secret)}\s*}}}}\s*")
    called = isinstance(_work_around(subject, use.place), CallWork)
    return called and not use.condition and whole.fullmatch(use.value) is not None
