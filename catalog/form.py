"""A whole form: which of its fields are asked, whether they are answered, and what the answers say (rows C1 to C4).

`check` lists every error at once and returns the answers in their stored form. How one answer of each kind is read is
`reading`'s business. Whom and what answers name (people, files, secrets, choices that only a provider knows) is asked
of its source by the caller: `check` returns what to look up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, NamedTuple

from catalog import data, duration, expression, reading, text
from catalog.expression import ExpressionError
from catalog.fields import AttachmentField, Field, RowsField
from catalog.item import CrossCheck
from catalog.model import Model
from catalog.reading import LIST_FIELDS, Code, Wrong, check_file, has_control_characters, is_blank

__all__ = [
    "Checked",
    "FieldError",
    "Lookup",
    "check",
    "check_file",
    "has_control_characters",
    "references",
    "shown",
    "typed",
    "values",
]

MAX_UNKNOWN = 100
"""How many answers that nobody asked for are named one by one."""
_SHOWN = 80


class FieldError(Model):
    """One thing wrong with one answer.

    Attributes:
        field: the field's id, or the name of the answer that no field asks for; inside lists and rows with its place,
            ``laptops[0].owner``; empty for a rule over several answers that belongs to none of them.
        code: a stable word. ``missing``, ``unknown``, ``type``, ``value``, ``characters``, ``length``, ``range`` (of
            numbers and of how many): the answer itself. ``not-found``, ``stale``, ``file``: what it names.
            ``hidden``, ``read-only``: it may not be answered. ``rule``: a rule of the form's author.
            ``not-eligible``, ``not-allowed``, ``already-open``: of an order as a whole; never found here.
        message: what is wrong and what to write instead.
    """

    field: str
    code: Code
    message: str


class Lookup(NamedTuple):
    """Something an answer names that has to be asked of its source.

    Attributes:
        kind: ``person``: `value` is a login, resolved to ``{"id", "login", "name", "mail"}``; ``choice``: a value of
            `provider`, resolved to ``{"value", "label"}``; ``file``: the id of an upload, resolved to ``{"id",
            "name", "media_type", "size", "digest"}``; ``secret``: its reference, resolved to anything.
        path: where in the answers, ``laptops[0].owner``.
    """

    kind: Literal["person", "choice", "file", "secret"]
    path: str
    value: str
    provider: str = ""


class Checked(Model):
    """What `check` found.

    Attributes:
        answers: field id -> stored answer, of the fields that are asked, answered and right. Text as given; numbers
            with decimals as text; an amount as ``{"amount", "currency"}``; a date as ``YYYY-MM-DD``; a moment in UTC
            and a duration as ISO 8601; a secret as ``{"secret": reference}``; what was looked up as it was resolved.
        lookups: what is still to be asked; `check` again with what came of it. Conditions that use such an answer
            are judged only then. The answers are final, and every rule was kept, once there are none and no errors.
        errors: every error, in the form's order, unknown answers last, then rules over several answers.
    """

    answers: dict[str, Any]
    lookups: tuple[Lookup, ...]
    errors: tuple[FieldError, ...]


def check(
    fields: tuple[Field, ...],
    answers: Mapping[str, Any],
    names: Mapping[str, Any],
    checks: Iterable[CrossCheck] = (),
    resolved: Mapping[Lookup, Any] | None = None,
) -> Checked:
    """Check the answers to a form; see `Checked`.

    Args:
        fields: the form.
        answers: as a client sent them: plain JSON.
        names: what conditions and defaults may use besides ``form`` and ``row``.
        checks: rules over several answers.
        resolved: what came of the lookups of an earlier check of the same answers.
    """
    sheet = _Sheet(fields, answers, names, resolved or {})
    sheet.fill_in()
    errors = sheet.all_errors()
    if not errors and not sheet.lookups:
        errors = [error for rule in checks for error in _broken(rule, sheet.names)]
    return Checked(answers=sheet.all_stored(), lookups=tuple(sheet.lookups), errors=tuple(errors))


def _broken(rule: CrossCheck, names: Mapping[str, Any]) -> Iterable[FieldError]:
    """Yield the error if the rule is broken, or cannot be judged."""
    try:
        if not data.holds(rule.check, names):
            yield FieldError(field=rule.at or "", code="rule", message=expression.render(rule.message, names))
    except ExpressionError as error:
        yield FieldError(field=rule.at or "", code="rule", message=_fault(error))


def _fault(what: object) -> str:
    return f"The form is at fault here: {str(what).rstrip('.')}; tell the item's owner."


class _Part(NamedTuple):
    """What came of one answer, or of a part of one."""

    stored: Any
    errors: Sequence[FieldError] = ()
    lookups: Sequence[Lookup] = ()


class _Sheet:
    """The answers to a form, or to the fields of one row, as far as they are checked.

    Attributes:
        names: what expressions may use; ``form`` (in a row: ``row``) fills as the answers are read.
        lookups: what is still to be asked.
    """

    def __init__(
        self,
        fields: tuple[Field, ...],
        given: Mapping[str, Any],
        names: Mapping[str, Any],
        resolved: Mapping[Lookup, Any],
        *,
        root: Literal["form", "row"] = "form",
        path: str = "",
    ) -> None:
        self._fields = fields
        self._given = given
        self._resolved = resolved
        self._root = root
        self._path = path
        self._values: dict[str, Any] = dict.fromkeys(field.id for field in fields)
        self._stored: dict[str, Any] = {}
        self._errors: dict[str, Sequence[FieldError]] = {}
        self._pending: set[str] = set()
        self.names = {**names, root: self._values}
        self.lookups: list[Lookup] = []

    def fill_in(self) -> None:
        """Read every answer, those first that the conditions and defaults of others use."""
        by_id = {field.id: field for field in self._fields}
        uses = {name: _uses(field, self._root) for name, field in by_id.items()}
        for name in _order(tuple(uses.items())):
            field = by_id[name]
            if self._pending and self._pending & uses[name]:
                self._pending.add(name)  # what it depends on has to be asked first
                continue
            self._take(field, self._judged(field))

    def all_stored(self) -> dict[str, Any]:
        """Return the stored answers, in the order of the fields."""
        return {field.id: self._stored[field.id] for field in self._fields if field.id in self._stored}

    def all_errors(self) -> list[FieldError]:
        """Return the errors, in the order of the fields, unknown answers last."""
        found = [error for field in self._fields for error in self._errors.get(field.id, ())]
        unknown = [name for name in self._given if name not in self._values]
        asked = ", ".join(sorted(self._values)) or "nothing"
        for name in unknown[:MAX_UNKNOWN]:
            known_as = name[:_SHOWN].encode(errors="replace").decode()  # half a character is no text to answer with
            message = f"The form asks no such thing; it asks {asked}."
            found.append(FieldError(field=self._path + known_as, code="unknown", message=message))
        return found

    def _take(self, field: Field, part: _Part) -> None:
        self.lookups += part.lookups
        if part.errors:
            self._errors[field.id] = part.errors
        elif part.stored is not None:
            self._stored[field.id] = part.stored
        if part.lookups:
            self._pending.add(field.id)
        elif field.id in self._stored:
            self._values[field.id] = typed(field, part.stored)

    def _judged(self, field: Field) -> _Part:
        """Return what comes of a field: asked or not, answered, filled in by itself, or missing."""
        path = self._path + field.id
        try:
            return self._judge(field, path)
        except Wrong as wrong:
            return _refused(field, path, wrong)
        except ExpressionError as error:
            return _refused(field, path, Wrong("rule", _fault(error)))

    def _judge(self, field: Field, path: str) -> _Part:
        given = self._given.get(field.id)
        answered = not is_blank(field, given)
        if not data.holds(field.visible, self.names):
            if answered:
                raise Wrong("hidden", "this is not asked here; leave it out.")
            return _Part(None)
        if data.holds(field.read_only, self.names):
            return self._kept(field, path, given if answered else None)
        part = self._read(field, given, path) if answered else self._default(field, path)
        if part.stored is None and not part.errors and data.holds(field.required, self.names):
            raise Wrong("missing", "an answer is needed.")
        return part

    def _kept(self, field: Field, path: str, given: Any) -> _Part:
        """Return the default of a field that people cannot change, nor be asked for; the same answer is no change."""
        part = self._default(field, path)
        if given is not None and not part.errors:
            other = self._read(field, given, path)
            if other.errors or other.stored != part.stored:
                raise Wrong("read-only", "this cannot be changed; leave it out.")
        return part

    def _default(self, field: Field, path: str) -> _Part:
        """Return what the author lets stand there; if that is no answer, it is the author's mistake."""
        if field.default is None:
            return _Part(None)
        value = data.plain(data.fill(field.default, self.names))
        if is_blank(field, value):
            return _Part(None)
        part = self._read(field, value, path)
        if part.errors:
            raise Wrong("rule", _fault(f"its default is no answer ({part.errors[0].message.rstrip('.')})"))
        return part

    def _read(self, field: Field, given: Any, path: str) -> _Part:
        if not isinstance(field, LIST_FIELDS):
            return self._entry(field, given, path)
        try:
            entries = reading.entries(field, given)
        except Wrong as wrong:
            return _refused(field, path, wrong)
        parts = [self._entry(field, entry, f"{path}[{at}]") for at, entry in enumerate(entries)]
        errors = [error for part in parts for error in part.errors]
        stored = [part.stored for part in parts]
        if not errors and not isinstance(field, RowsField):
            errors = [
                _error(field, f"{path}[{at}]", Wrong("value", "this stands here twice; give it once."))
                for at, entry in enumerate(stored)
                if entry in stored[:at]
            ]
        return _Part(stored, errors, [lookup for part in parts for lookup in part.lookups])

    def _entry(self, field: Field, given: Any, path: str) -> _Part:
        """Return an answer, or one entry of an answer that is a list."""
        try:
            if isinstance(field, RowsField):
                return self._row(field, given, path)
            stored = reading.read(field, given)
            lookup = _lookup(field, stored, path)
            if lookup is None:
                return _Part(stored)
            if lookup not in self._resolved:
                return _Part(stored, lookups=[lookup])
            return _Part(_settled(field, stored, self._resolved[lookup]))
        except Wrong as wrong:
            return _refused(field, path, wrong)

    def _row(self, field: RowsField, given: Any, path: str) -> _Part:
        if not isinstance(given, dict):
            raise Wrong("type", f"each entry must be an object, not {type(given).__name__}.")
        row = _Sheet(field.fields, given, self.names, self._resolved, root="row", path=f"{path}.")
        row.fill_in()
        return _Part(row.all_stored(), row.all_errors(), row.lookups)


def _refused(field: Field, path: str, wrong: Wrong) -> _Part:
    return _Part(None, [_error(field, path, wrong)])


def _error(field: Field, path: str, wrong: Wrong) -> FieldError:
    return FieldError(field=path, code=wrong.code, message=f"{field.label}: {wrong.message}")


def _lookup(field: Field, stored: Any, path: str) -> Lookup | None:
    """Return what has to be asked about an answer."""
    match field.type:
        case "person" | "people":
            return Lookup("person", path, stored)
        case "attachment":
            return Lookup("file", path, stored)
        case "secret":
            return Lookup("secret", path, stored["secret"])
        case "choice" | "multi_choice" | "group" | "entitlement" | "asset" | "ci" if field.provider:
            return Lookup("choice", path, stored, field.provider)
        case _:
            return None


def _settled(field: Field, stored: Any, found: Any) -> Any:
    """Return what an answer is stored as, now that its source has spoken.

    Raises:
        Wrong: the file it names is not one that the field takes.
    """
    if isinstance(field, AttachmentField):
        fault = check_file(field, found["name"], found["media_type"], found["size"])
        if fault:
            raise Wrong("file", fault)
    return stored if field.type == "secret" else found


# In which order fields are judged.


@lru_cache(maxsize=1_024)
def _order(uses: tuple[tuple[str, frozenset[str]], ...]) -> tuple[str, ...]:
    """Return ids of fields, each after those it uses; as they stand if some use each other in a circle."""
    graph = dict(uses)
    try:
        return tuple(name for name in TopologicalSorter(graph).static_order() if name in graph)
    except CycleError:
        return tuple(graph)


def _uses(field: Field, root: str) -> frozenset[str]:
    """Return the ids of the fields that conditions and defaults of this field use."""
    used: frozenset[str] = frozenset()
    for when in (field.visible, field.required, field.read_only):
        if isinstance(when, str):
            used |= _answers_in(expression.references(when), root)
    if field.default is not None:
        used |= _answers_in(data.references(field.default), root)
    if isinstance(field, RowsField):
        for inner in field.fields:
            used |= _uses(inner, root)
    return used - {field.id}


def references(fields: Iterable[Field]) -> frozenset[tuple[str, ...]]:
    """Return the names that the conditions and defaults of fields use, those of rows too."""
    found: frozenset[tuple[str, ...]] = frozenset()
    for field in fields:
        found |= data.references(field.default)
        for when in (field.visible, field.required, field.read_only):
            if isinstance(when, str):
                found |= expression.references(when)
        if isinstance(field, RowsField):
            found |= references(field.fields)
    return found


@lru_cache(maxsize=4_096)
def _answers_in(references: frozenset[tuple[str, ...]], root: str) -> frozenset[str]:
    return frozenset(path[1] for path in references if path[0] == root and len(path) > 1)


# What stored answers say.


def values(fields: Iterable[Field], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``form`` stands for in expressions: field id -> its answer as `typed` gives it, None without one."""
    return {field.id: typed(field, stored[field.id]) if stored.get(field.id) is not None else None for field in fields}


def typed(field: Field, stored: Any) -> Any:
    """Return a stored answer as a value to reckon with in expressions.

    Numbers, dates, moments and durations as such; money as ``{"amount", "currency"}``; a person as ``{"id", "login",
    "name", "mail"}``; a file as ``{"id", "name", "media_type", "size", "digest"}``; rows as a list of mappings with
    None for what is not answered. Of a secret only that it was given: no expression reaches it or its reference.
    """
    if isinstance(field, RowsField):
        return [values(field.fields, row) for row in stored]
    convert = _TYPED.get(field.type)
    if convert is None:
        return stored
    return [convert(entry) for entry in stored] if isinstance(field, LIST_FIELDS) else convert(stored)


def _person(stored: dict[str, Any]) -> dict[str, Any]:
    return {key: stored.get(key) for key in ("id", "login", "name", "mail")}


def _file(stored: dict[str, Any]) -> dict[str, Any]:
    return {key: stored.get(key) for key in ("id", "name", "media_type", "size", "digest")}


def _value(stored: Any) -> Any:
    return stored["value"] if isinstance(stored, dict) else stored


_TYPED: dict[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    "money": lambda stored: {"amount": Decimal(stored["amount"]), "currency": stored["currency"]},
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "duration": duration.parse,
    "person": _person,
    "people": _person,
    "choice": _value,
    "multi_choice": _value,
    "group": _value,
    "entitlement": _value,
    "asset": _value,
    "ci": _value,
    "attachment": _file,
    "secret": lambda _: {"given": True},
}
"""By the type of a field, what is not stored as it is reckoned with; for lists, of one entry."""


def shown(field: Field, stored: Any) -> str:
    """Return a stored answer as people read it: ``yes``, ``3 March 2025``, ``21 days``, a person's name.

    Lists are joined with commas, rows with semicolons: ``Model: X1, Quantity: 2; Model: X2, Quantity: 1``.
    """
    if isinstance(field, RowsField):
        return "; ".join(_row_shown(field, row) for row in stored)
    if isinstance(field, LIST_FIELDS):
        return ", ".join(_entry_shown(field, entry) for entry in stored)
    return _entry_shown(field, stored)


def _row_shown(field: RowsField, row: Mapping[str, Any]) -> str:
    return ", ".join(f"{inner.label}: {shown(inner, row[inner.id])}" for inner in field.fields if inner.id in row)


def _entry_shown(field: Field, stored: Any) -> str:
    match field.type:
        case "yes_no":
            return "yes" if stored else "no"
        case "date":
            day = date.fromisoformat(stored)
            return f"{day.day} {day:%B %Y}"
        case "datetime":
            return text.moment(stored)
        case "duration":
            return duration.words(duration.parse(stored))
        case "money":
            return f"{stored['amount']} {stored['currency']}"
        case "person" | "people":
            return str(stored["name"])
        case "attachment":
            return f"{stored['name']} ({reading.size_words(stored['size'])})"
        case "secret":
            return "given"
        case "choice" | "multi_choice":
            return str(field.labels.get(_value(stored)) or _label(stored))
        case _:
            return str(_label(stored))


def _label(stored: Any) -> Any:
    return stored["label"] if isinstance(stored, dict) else stored
