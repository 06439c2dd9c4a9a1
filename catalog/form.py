"""Form fields and answers: what an item asks, and whether what came back is an answer (feature row C1).

`check` lists every error at once and returns the answers in their stored form. Whether a named person exists is
asked of the directory by the caller: `check` returns which logins to look up.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field as Constrained
from pydantic import model_validator

from catalog import duration
from catalog.duration import Duration
from catalog.model import Model

Slug = Annotated[
    str,
    Constrained(
        pattern=r"^[a-z][a-z0-9_-]{0,62}$",
        description="lower-case letters, digits, '-' and '_', beginning with a letter, 63 characters at most",
    ),
]
"""An id: lower-case letters, digits, ``-`` and ``_``, starting with a letter, 63 characters at most."""

MAX_TEXT = 4_000
LOGIN = re.compile(r"[^\x00-\x1f\x7f]{1,128}")


class _Field(Model):
    id: Slug
    label: str
    help: str = ""
    required: bool = True


class TextField(_Field):
    """One line or a paragraph of text; `max_length` counts characters."""

    type: Literal["text"]
    max_length: Annotated[int, Constrained(ge=1, le=MAX_TEXT)] = 500
    multiline: bool = False


class ChoiceField(_Field):
    """One of the listed values."""

    type: Literal["choice"]
    choices: Annotated[tuple[str, ...], Constrained(min_length=1)]

    @model_validator(mode="after")
    def _choices_differ(self) -> ChoiceField:
        if len(set(self.choices)) != len(self.choices):
            raise ValueError("two choices are the same; give each choice once")
        return self


class YesNoField(_Field):
    """Yes or no, as JSON true or false."""

    type: Literal["yes_no"]


class DateField(_Field):
    """A calendar day, ``YYYY-MM-DD``."""

    type: Literal["date"]
    earliest: date | None = None
    latest: date | None = None


class PersonField(_Field):
    """A person of the directory, given by login."""

    type: Literal["person"]


class DurationField(_Field):
    """A length of time, such as ``30 days``."""

    type: Literal["duration"]
    longest: Duration | None = None


Field = Annotated[
    TextField | ChoiceField | YesNoField | DateField | PersonField | DurationField, Constrained(discriminator="type")
]


class FieldError(Model):
    """One thing wrong with one answer.

    Attributes:
        field: the field's id, or the name of the answer that no field asks for.
        code: a stable word: ``missing``, ``unknown``, ``type``, ``value``, ``characters``, ``length``, ``not-found``.
        message: what is wrong and what to write instead.
    """

    field: str
    code: Literal["missing", "unknown", "type", "value", "characters", "length", "not-found"]
    message: str


class Checked(Model):
    """What `check` found.

    Attributes:
        answers: field id -> stored answer. Text as given, choice as its value, yes/no as a bool, a date as
            ``YYYY-MM-DD``, a duration as ISO 8601, a person still as the login given.
        people: field id -> login to look up.
        errors: every error, in the form's order, unknown answers last.
    """

    answers: dict[str, Any]
    people: dict[str, str]
    errors: tuple[FieldError, ...]


def has_control_characters(text: str) -> bool:
    """Return whether text holds control characters (other than tab and line ends) or lone surrogates."""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r" for c in text)


def shown(field: Field, answer: Any) -> str:
    """Return a stored answer as people read it: ``yes``, ``3 March 2025``, ``21 days``, a person's name.

    Args:
        field: what was asked.
        answer: the answer in its stored form; a person's is ``{"id": …, "login": …, "name": …}``.
    """
    match field:
        case YesNoField():
            return "yes" if answer else "no"
        case DateField():
            day = date.fromisoformat(answer)
            return f"{day.day} {day:%B %Y}"
        case DurationField():
            return duration.words(duration.parse(answer))
        case PersonField():
            return str(answer["name"])
        case TextField() | ChoiceField():
            return str(answer)
        case _:
            assert_never(field)


def check(fields: tuple[Field, ...], answers: dict[str, Any]) -> Checked:
    """Check the answers to a form; see `Checked`."""
    kept: dict[str, Any] = {}
    people: dict[str, str] = {}
    errors: list[FieldError] = []
    for field in fields:
        given = answers.get(field.id)
        if given is None or (isinstance(given, str) and not given.strip()):
            if field.required:
                errors.append(
                    FieldError(field=field.id, code="missing", message=f"{field.label}: an answer is needed.")
                )
            continue
        stored = _read(field, given)
        if isinstance(stored, FieldError):
            errors.append(stored)
            continue
        kept[field.id] = stored
        if isinstance(field, PersonField):
            people[field.id] = stored
    known = {field.id for field in fields}
    for name in answers:
        if name not in known:
            asked = ", ".join(sorted(known)) or "nothing"
            unknown = name[:80].encode(errors="replace").decode()  # half a character is no text to answer with
            errors.append(
                FieldError(field=unknown, code="unknown", message=f"The form asks no such thing; it asks {asked}.")
            )
    return Checked(answers=kept, people=people, errors=tuple(errors))


def _read(field: Field, given: Any) -> Any:
    """Return the stored form of one answer, or what is wrong with it."""
    if isinstance(field, YesNoField):
        return given if isinstance(given, bool) else _wrong(field, "type", "answer true or false.")
    if not isinstance(given, str):
        return _wrong(field, "type", f"the answer must be a string, not {type(given).__name__}.")
    if has_control_characters(given):
        return _wrong(field, "characters", "the answer holds control characters; remove them.")
    match field:
        case TextField():
            return _read_text(field, given)
        case ChoiceField():
            return (
                given
                if given in field.choices
                else _wrong(field, "value", f"choose one of: {', '.join(field.choices)}.")
            )
        case DateField():
            return _read_date(field, given)
        case PersonField():
            return (
                given if LOGIN.fullmatch(given) else _wrong(field, "value", "give one login of at most 128 characters.")
            )
        case DurationField():
            return _read_duration(field, given)
        case _:
            assert_never(field)


def _read_text(field: TextField, given: str) -> str | FieldError:
    if len(given) > field.max_length:
        return _wrong(field, "length", f"{len(given)} characters are too many; write {field.max_length} at most.")
    if not field.multiline and given.splitlines() != [given]:
        return _wrong(field, "characters", "write it on one line.")
    return given


def _read_date(field: DateField, given: str) -> str | FieldError:
    try:
        day = date.fromisoformat(given)
    except ValueError:
        day = None
    if day is None or day.isoformat() != given:  # Python also reads 20260531 and 2026-W22-7
        return _wrong(field, "type", "write a day as YYYY-MM-DD.")
    if field.earliest and day < field.earliest:
        return _wrong(field, "value", f"the day must be {field.earliest.isoformat()} or later.")
    if field.latest and day > field.latest:
        return _wrong(field, "value", f"the day must be {field.latest.isoformat()} or earlier.")
    return day.isoformat()


def _read_duration(field: DurationField, given: str) -> str | FieldError:
    try:
        length = duration.parse(given)
    except ValueError as error:
        return _wrong(field, "type", f"{error}.")
    if field.longest and length > field.longest:
        return _wrong(field, "value", f"at most {duration.words(field.longest)}.")
    return duration.iso(length)


def _wrong(field: Field, code: Literal["type", "value", "characters", "length"], message: str) -> FieldError:
    return FieldError(field=field.id, code=code, message=f"{field.label}: {message}")
