"""The kinds of fields a form can have (feature rows C2, C3, C4).

Only what an author writes about a field stands here; `form` checks answers against it and `form_schema` describes it
to API clients. What all fields have in common is in `_Field`; its conditions are expressions over the names that
`catalog.names` documents.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic import Field as Constrained

from catalog.data import Data, When
from catalog.duration import Duration
from catalog.model import Model, Slug
from catalog.patterns import is_slow

MAX_TEXT = 4_000
MAX_ENTRIES = 200
"""The longest list an answer can be: rows, people, chosen values."""
MAX_PATTERN = 200
"""Characters of a regular expression."""
WRITTEN = "written"
"""The validation context of what an author writes now."""
MAX_DIGITS = 18
"""Digits that an author can write before the point of a number: as many as an expression reckons with."""
MAX_PLACES = 9
"""Digits that an author can write after the point of a number: as many as an answer has."""
MOST_DIGITS = 100
"""Digits of any number at all, before its point and after it: it must be possible to write them out."""
MAX_FILE = 10 * 1024 * 1024
"""Bytes of the largest attachment."""

_Exact = TypeVar("_Exact", Decimal, int)

Currency = Annotated[
    str, Constrained(pattern=r"^[A-Z]{3}$", description="three capital letters (ISO 4217), for example EUR")
]


def _number(value: Any) -> Any:
    """Read what YAML made a float by its shortest form: 0.1 means 0.1."""
    return str(value) if isinstance(value, float) else value


def is_short(number: Decimal | int, digits: int = MOST_DIGITS, places: int = MOST_DIGITS) -> bool:
    """Return whether a finite number, written out, has at most so many digits before its point and after it."""
    exact = Decimal(number)
    _, _, exponent = exact.as_tuple()
    assert isinstance(exponent, int), "it is finite"
    return exact.adjusted() < digits and -exponent <= places


def _short(number: _Exact, info: ValidationInfo) -> _Exact:
    # What was published, or is pinned in a request, by an earlier release stays readable; what was worked out is long.
    digits, places = (MAX_DIGITS, MAX_PLACES) if info.context == WRITTEN else (MOST_DIGITS, MOST_DIGITS)
    if not is_short(number, digits, places):
        raise ValueError(
            f"a number may have at most {digits} digits before its point and {places} after it; write a shorter one"
        )
    return number


Number = Annotated[
    Decimal,
    BeforeValidator(_number),
    AfterValidator(_short),
    PlainSerializer(str, return_type=str, when_used="json"),
]
"""A decimal number, written as text in JSON."""
Whole = Annotated[int, AfterValidator(_short)]
"""A whole number."""

_SIZE = re.compile(r"(\d{1,9})\s*(B|kB|KiB|MB|MiB)", re.ASCII)
_UNITS = {"B": 1, "kB": 1_000, "KiB": 1_024, "MB": 1_000_000, "MiB": 1_048_576}


def _bytes(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"{str(value)[:40]!r} is not a size; write it like '500 kB' or '5 MB'")
        size = int(match[1]) * _UNITS[match[2]]
    if not 0 < size <= MAX_FILE:
        raise ValueError(f"a file may have at most {MAX_FILE // 1_048_576} MiB; write a size up to that")
    return size


Size = Annotated[
    int,
    BeforeValidator(_bytes),
    WithJsonSchema({"type": ["integer", "string"], "description": "a size, for example 500 kB or 5 MB"}),
]
"""A number of bytes, read from ``5 MB`` or ``500 kB``."""


_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:P?<\w+>|<?[=!]|[a-zA-Z-]*:|>))?|(?:[*+?]|\{\d*,?\d*\})[?+]?|.", re.DOTALL
)
"""A regular expression's parts: an escape, a class, the beginning of a group, a quantifier, or one character."""
_REPEATS = re.compile(r"[*+].?|\{.+", re.DOTALL)


def _may_take_for_ever(pattern: str) -> bool:
    """Return whether a group is repeated that can itself match one text in several ways."""
    groups = [False]
    closed = False  # whether the part before was the end of such a group
    for part in _TOKEN.findall(pattern):
        if part.startswith("("):
            groups.append(False)
        elif part == ")":
            closed = len(groups) > 1 and groups.pop()  # in a comment of the pattern it closes nothing
            groups[-1] |= closed
            continue
        elif part == "|" or part[0] in "*+?" or (part[0] == "{" and len(part) > 1):
            if closed and _REPEATS.fullmatch(part):
                return True
            groups[-1] = True
        closed = False
    return False


def _pattern(value: str, info: ValidationInfo) -> str:
    if len(value) > MAX_PATTERN:
        raise ValueError(f"the pattern is too long; use {MAX_PATTERN} characters at most")
    try:
        re.compile(value)
    except (re.error, OverflowError) as error:
        raise ValueError(f"{value[:40]!r} is not a regular expression ({error}); correct it") from None
    if _may_take_for_ever(value):
        raise ValueError(
            "the pattern repeats a group that itself holds a repetition or alternatives, which could take for ever; "
            "write a class of characters instead, such as '[a-z-]+'"
        )
    # What was published, or is pinned in a request, by an earlier release stays readable.
    if info.context == WRITTEN and is_slow(value, MAX_TEXT):
        raise ValueError(
            "the pattern repeats the same characters several times without anything else between, which could take for "
            "ever; say how many there may be, such as '[a-z]{1,40}', or write one repetition"
        )
    return value


class _Field(Model):
    """What all fields have.

    Attributes:
        id: the name of the answer.
        label: the question.
        help: a hint beside it.
        required: whether an answer is needed; may depend on other answers.
        visible: whether it is asked at all; a hidden field must not be answered.
        read_only: whether people see the default and cannot change it.
        default: what stands there before anybody answers; an answer in the field's own form, or ``{{ … }}``.
    """

    id: Slug
    label: str
    help: str = ""
    required: When = True
    visible: When = True
    read_only: When = False
    default: Data = None


class TextField(_Field):
    """One line of text; `pattern` must match the whole of it, `pattern_help` says so in words."""

    type: Literal["text"]
    min_length: Annotated[int, Constrained(ge=0, le=MAX_TEXT)] = 0
    max_length: Annotated[int, Constrained(ge=1, le=MAX_TEXT)] = 500
    multiline: bool = False
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    pattern_help: str = ""


class ParagraphField(_Field):
    """Text of several lines."""

    type: Literal["paragraph"]
    min_length: Annotated[int, Constrained(ge=0, le=MAX_TEXT)] = 0
    max_length: Annotated[int, Constrained(ge=1, le=MAX_TEXT)] = MAX_TEXT


class IntegerField(_Field):
    """A whole number."""

    type: Literal["integer"]
    least: Whole | None = None
    most: Whole | None = None


class DecimalField(_Field):
    """A decimal number with at most `places` digits after the point."""

    type: Literal["decimal"]
    least: Number | None = None
    most: Number | None = None
    places: Annotated[int, Constrained(ge=0, le=9)] = 2


class MoneyField(_Field):
    """An amount of money in one currency; below zero only if `least` says so."""

    type: Literal["money"]
    currency: Currency
    least: Number | None = None
    most: Number | None = None

    @property
    def lowest(self) -> Decimal:
        """The smallest amount; a default of `least` itself would change the digests of what is published."""
        return Decimal(0) if self.least is None else self.least


class YesNoField(_Field):
    """Yes or no, as JSON true or false."""

    type: Literal["yes_no"]


class _Choices(_Field):
    """Values to choose from: listed here, or asked of a provider.

    Attributes:
        choices: the values.
        labels: what people read instead of a value.
        provider: the id of a registered provider that knows the values at the moment.
    """

    choices: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    provider: str | None = None

    @model_validator(mode="after")
    def _choices_stand(self) -> _Choices:
        if bool(self.choices) == bool(self.provider):
            raise ValueError("choices come from one place; write either 'choices:' or 'provider:'")
        if len(set(self.choices)) != len(self.choices):
            raise ValueError("two choices are the same; give each choice once")
        strange = sorted(set(self.labels) - set(self.choices))
        if strange and not self.provider:
            raise ValueError(f"the label of {strange[0]!r} belongs to no choice; correct or remove it")
        return self


class ChoiceField(_Choices):
    """One of several values."""

    type: Literal["choice"]


class MultiChoiceField(_Choices):
    """Some of several values."""

    type: Literal["multi_choice"]
    at_least: Annotated[int, Constrained(ge=0, le=MAX_ENTRIES)] = 0
    at_most: Annotated[int, Constrained(ge=1, le=MAX_ENTRIES)] = MAX_ENTRIES


class DateField(_Field):
    """A calendar day, ``YYYY-MM-DD``."""

    type: Literal["date"]
    earliest: date | None = None
    latest: date | None = None


class DatetimeField(_Field):
    """A moment, ISO 8601 with its offset from UTC."""

    type: Literal["datetime"]
    earliest: AwareDatetime | None = None
    latest: AwareDatetime | None = None


class DurationField(_Field):
    """A length of time, such as ``30 days``."""

    type: Literal["duration"]
    shortest: Duration | None = None
    longest: Duration | None = None


class EmailField(_Field):
    """A mail address; of one of `domains`, if they are given."""

    type: Literal["email"]
    domains: tuple[str, ...] = ()


class UrlField(_Field):
    """A web address."""

    type: Literal["url"]
    schemes: tuple[Literal["https", "http"], ...] = ("https",)


class IpField(_Field):
    """An IP address or a network in CIDR notation (RFC 4632, RFC 4291)."""

    type: Literal["ip"]
    accept: Literal["address", "network", "both"] = "address"
    version: Literal[4, 6] | None = None


class PersonField(_Field):
    """A person of the directory, given by login."""

    type: Literal["person"]


class PeopleField(_Field):
    """Several people of the directory, given by login."""

    type: Literal["people"]
    at_least: Annotated[int, Constrained(ge=0, le=MAX_ENTRIES)] = 0
    at_most: Annotated[int, Constrained(ge=1, le=MAX_ENTRIES)] = 50


class GroupField(_Field):
    """A group of the directory, by name; one that `provider` names."""

    type: Literal["group"]
    provider: str = "groups"


class EntitlementField(_Field):
    """Something that can be had through the catalog, by the id of the item that gives it."""

    type: Literal["entitlement"]
    provider: str = "entitlements"


class AssetField(_Field):
    """A single asset; `provider` knows which there are."""

    type: Literal["asset"]
    provider: str = "assets"


class CiField(_Field):
    """A configuration item (CI); `provider` knows which there are."""

    type: Literal["ci"]
    provider: str = "cis"


class AttachmentField(_Field):
    """Files, kept outside the request's history and named by their content (feature row C10).

    Attributes:
        media_types: what is accepted, for example ``application/pdf`` or ``image/*``.
        max_size: of each file.
        at_most: how many.
    """

    type: Literal["attachment"]
    media_types: Annotated[
        tuple[Annotated[str, Constrained(pattern=r"^[a-z]+/[a-z0-9.+*-]+$", description="a media type")], ...],
        Constrained(min_length=1),
    ]
    max_size: Size = 5_000_000
    at_most: Annotated[int, Constrained(ge=1, le=20)] = 1


class SecretField(_Field):
    """Something that nobody may read on its way: the answer holds a reference, never the value."""

    type: Literal["secret"]
    max_length: Annotated[int, Constrained(ge=1, le=MAX_TEXT)] = 1_000


_Plain = (
    TextField
    | ParagraphField
    | IntegerField
    | DecimalField
    | MoneyField
    | YesNoField
    | ChoiceField
    | MultiChoiceField
    | DateField
    | DatetimeField
    | DurationField
    | EmailField
    | UrlField
    | IpField
    | PersonField
    | PeopleField
    | GroupField
    | EntitlementField
    | AssetField
    | CiField
    | AttachmentField
    | SecretField
)

RowField = Annotated[_Plain, Constrained(discriminator="type")]
"""A field inside a row: any but a group of rows."""


class RowsField(_Field):
    """The same few questions, answered once for each of several things (feature row C4)."""

    type: Literal["rows"]
    fields: Annotated[tuple[RowField, ...], Constrained(min_length=1)]
    at_least: Annotated[int, Constrained(ge=0, le=MAX_ENTRIES)] = 0
    at_most: Annotated[int, Constrained(ge=1, le=MAX_ENTRIES)] = 20


Field = Annotated[_Plain | RowsField, Constrained(discriminator="type")]
