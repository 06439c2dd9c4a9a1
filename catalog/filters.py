"""What an expression can do with values: reckon, compare, filter, and show them as people read them.

Pure functions on plain values: None, bool, int, Decimal, str, date, datetime, timedelta, lists and mappings. Each keeps
what it builds within `MAX_LENGTH` and `MAX_NUMBER`, and refuses before it builds more. The language itself, what may be
written and how much work one evaluation may be, is `expression`'s business.
"""

from __future__ import annotations

import json
import operator
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import (
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
    InvalidOperation,
    Overflow,
)
from typing import Any, TypeGuard
from urllib.parse import quote

from catalog import duration
from catalog import text as texts

MAX_LENGTH = 65_536
"""Characters of the longest text, entries of the longest list."""
MAX_NUMBER = 10**18
"""The largest amount, of either sign."""
MAX_PLACES = 9
"""How many digits after the point `round` can keep."""
_LONGEST_SLUG = 63

UNKNOWN = object()
"""What stands for a name that does not exist; only `default` and `is defined` ever see it."""

_EXACT = Context(prec=36, Emin=-36, Emax=36, rounding=ROUND_HALF_UP, traps=[InvalidOperation, Overflow])
"""Our own, so that no setting of the process changes a result; 36 digits hold every amount up to `MAX_NUMBER`."""


class ExpressionError(Exception):
    """An expression cannot be evaluated with these values, or would have gone over a bound.

    Its text is a sentence for the author of the item and holds no value that a user gave.
    """


NOT_GIVEN = "was not given"
"""What an error says of a value that is missing because it was not answered."""


def misfit(*values: Any) -> ExpressionError:
    """Return why these values cannot be used together."""
    if any(value is None for value in values):
        return ExpressionError(
            f"a value that {NOT_GIVEN} can be neither compared nor reckoned with; "
            "guard it, as in `form.amount and form.amount > 100`, or write `default` after it"
        )
    return ExpressionError("values of these kinds can be neither compared nor reckoned with each other")


def _unfit(value: Any, wanted: str) -> ExpressionError:
    if value is None:
        return ExpressionError(f"a value that {NOT_GIVEN} is no {wanted}; guard it, or write `default` before this")
    return ExpressionError(f"this value is no {wanted}")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit(value, "text")
    return value


def entries(value: Any) -> list[Any] | tuple[Any, ...]:
    """Return a value that is a list.

    Raises:
        ExpressionError: it is none.
    """
    if not _is_list(value):
        raise _unfit(value, "list")
    return value


class Encoded(str):
    """A text that `urlencode` gave: it goes into an address as it is."""

    __slots__ = ()


def _is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, list | tuple)


def is_number(value: Any) -> TypeGuard[int | float | Decimal]:
    """Return whether a value is a number; true and false are none."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _number(value: Any) -> int | Decimal:
    """Return a number that can be reckoned with; a float counts as what it is written as."""
    if not is_number(value):
        raise _unfit(value, "number")
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and not value.is_finite():
        raise _too_large()
    if not -MAX_NUMBER <= value <= MAX_NUMBER:
        raise _too_large()
    return value if isinstance(value, int) else _EXACT.plus(value)


def within(value: Any) -> Any:
    """Return a value that was worked out, with floats made exact.

    Raises:
        ExpressionError: it is too long or too large.
    """
    if is_number(value):
        return _number(value)
    if isinstance(value, str | list | tuple):
        check_length(len(value))
    return value


def _too_large() -> ExpressionError:
    return ExpressionError("a number goes beyond 18 digits")


def check_length(length: int) -> None:
    """Refuse a text or a list of so many characters or entries, before it is built.

    Raises:
        ExpressionError: it would be too long.
    """
    if length > MAX_LENGTH:
        raise ExpressionError(f"the result goes beyond {MAX_LENGTH:,} characters or entries")


def _joined(parts: Iterable[str], separator: str = "") -> str:
    """Join texts, and stop as soon as the result would be too long."""
    kept: list[str] = []
    length = -len(separator)
    for part in parts:
        length += len(separator) + len(part)
        check_length(length)
        kept.append(part)
    return separator.join(kept)


# What operators do.


def calculate(symbol: str, left: Any, right: Any) -> Any:
    """Return ``left symbol right`` for one of ``+ - * / // %``.

    Numbers are exact. Texts and lists can be put together with ``+``; dates and lengths of time can be added,
    subtracted, and lengths multiplied with and divided by whole numbers or each other.

    Raises:
        ExpressionError: the values do not go together, or the result is too long or too large.
    """
    if is_number(left) and is_number(right):
        return _reckon(symbol, _number(left), _number(right))
    if symbol == "+" and isinstance(left, str) and isinstance(right, str):
        return _joined((left, right))
    if symbol == "+" and _is_list(left) and _is_list(right):
        check_length(len(left) + len(right))
        return [*left, *right]
    if isinstance(left, date | timedelta) or isinstance(right, date | timedelta):
        return _move(symbol, left, right)
    raise misfit(left, right)


def _reckon(symbol: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    """Calculate with numbers; `//` and `%` round down for every kind of number."""
    if not right and symbol in ("/", "//", "%"):
        raise ExpressionError("a number is divided by zero")
    if isinstance(left, int) and isinstance(right, int) and symbol != "/":
        return _number(_PLAIN[symbol](left, right))
    a, b = Decimal(left), Decimal(right)
    try:
        return _number(_DECIMAL[symbol](a, b))
    except DecimalException:
        raise _too_large() from None


def _floored(left: Decimal, right: Decimal) -> Decimal:
    return _EXACT.divide(left, right).to_integral_value(ROUND_FLOOR)


def _rest(left: Decimal, right: Decimal) -> Decimal:
    return _EXACT.subtract(left, _EXACT.multiply(right, _floored(left, right)))


_DECIMAL: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _EXACT.add,
    "-": _EXACT.subtract,
    "*": _EXACT.multiply,
    "/": _EXACT.divide,
    "//": _floored,
    "%": _rest,
}
_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def _move(symbol: str, left: Any, right: Any) -> Any:
    """Calculate with dates and lengths of time."""
    try:
        return within(_PLAIN[symbol](left, right))
    except TypeError:
        raise misfit(left, right) from None
    except OverflowError:
        raise ExpressionError("a date goes beyond the calendar, or a length of time beyond its range") from None
    except ZeroDivisionError:
        raise ExpressionError("a length of time is divided by zero") from None


def negate(value: Any) -> Any:
    """Return a number or a length of time with the other sign."""
    return -value if isinstance(value, timedelta) else _reckon("-", 0, _number(value))


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
    "in": lambda left, right: left in right,
    "notin": lambda left, right: left not in right,
}


def compare(kind: str, left: Any, right: Any) -> bool:
    """Return whether a comparison holds, by the name that Jinja gives it.

    Raises:
        ExpressionError: the values cannot be compared.
    """
    try:
        return bool(_COMPARISONS[kind](left, right))
    except (TypeError, DecimalException):
        raise misfit(left, right) from None


# How people read values.


def words(value: Any) -> str:
    """The value as people read it: ``yes``, ``3 March 2025``, ``21 days``, ``12.50 EUR``, a person's name."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float() | Decimal():
            return _amount(_number(value))
        case str():
            return value
        case datetime():
            return texts.moment(value.isoformat())
        case date():
            return f"{value.day} {value:%B %Y}"
        case timedelta():
            return _length_of_time(value)
        case list() | tuple():
            return _joined(map(words, value), ", ")
        case _:
            return _group(value)


def _group(value: Any) -> str:
    match value:
        case {"amount": amount, "currency": currency}:
            return f"{words(amount)} {words(currency)}"
        case {"name": name}:
            return words(name)
        case _:
            raise ExpressionError("a group of values cannot be shown; name the part of it that is meant")


def _amount(number: int | Decimal) -> str:
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def _length_of_time(length: timedelta) -> str:
    return duration.words(length) if length >= timedelta(0) else f"minus {duration.words(-length)}"


def concat(parts: list[Any]) -> str:
    """Return values put together as people read them: the operator ``~``."""
    return _joined(map(words, parts))


# Filters, by the name authors use. The first line of each is what the documentation says.


def _upper(text: Any) -> str:
    """The text in capital letters."""
    return _text(text).upper()


def _lower(text: Any) -> str:
    """The text in small letters."""
    return _text(text).lower()


def _title(text: Any) -> str:
    """The text with each word beginning with a capital letter."""
    return _text(text).title()


def _trim(text: Any) -> str:
    """The text without spaces at its ends."""
    return _text(text).strip()


def _lines(text: Any) -> list[str]:
    """The lines of a text as a list, without empty ones and without spaces at their ends."""
    return [line.strip() for line in _text(text).splitlines() if line.strip()]


def _replace(text: Any, old: Any, new: Any) -> str:
    """The text with `new` wherever it has `old`."""
    whole, old, new = _text(text), _text(old), _text(new)
    if not old:
        raise ExpressionError("`replace` needs something to look for")
    check_length(len(whole) + whole.count(old) * (len(new) - len(old)))
    return whole.replace(old, new)


def _slug(text: Any) -> str:
    """The text as an id of 63 characters at most: small letters without accents, digits, ``-`` for everything else."""
    plain = unicodedata.normalize("NFKD", _text(text).casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_SLUG].rstrip("-")


def _length(value: Any) -> int:
    """How many characters a text, or how many entries a list has."""
    if not isinstance(value, str | list | tuple | Mapping):
        raise _unfit(value, "text or list")
    return len(value)


def _first(values: Any) -> Any:
    """The first entry of a list; nothing if it is empty."""
    return next(iter(entries(values)), None)


def _last(values: Any) -> Any:
    """The last entry of a list; nothing if it is empty."""
    return next(reversed(entries(values)), None)


def _join(values: Any, separator: Any = "") -> str:
    """The entries of a list as one text, as people read them, with `separator` in between."""
    return _joined(map(words, entries(values)), _text(separator))


def _map(values: Any, attribute: Any) -> list[Any]:
    """The list of what each entry has under a name: `form.people | map("name")`."""
    every = entries(values)
    if not all(isinstance(entry, Mapping) and attribute in entry for entry in every):
        raise ExpressionError("an entry of the list has nothing under the name that `map` was given")
    return [entry[attribute] for entry in every]


def _sum(values: Any) -> Any:
    """The sum of a list of numbers or of lengths of time; 0 if it is empty."""
    total: Any = None
    for value in entries(values):
        if not (is_number(value) or isinstance(value, timedelta)):
            raise _unfit(value, "number")
        total = value if total is None else calculate("+", total, value)
    return 0 if total is None else total


def _min(values: Any) -> Any:
    """The smallest entry of a list; nothing if it is empty."""
    return _first(_sort(values))


def _max(values: Any) -> Any:
    """The largest entry of a list; nothing if it is empty."""
    return _last(_sort(values))


def _sort(values: Any, reverse: Any = False) -> list[Any]:
    """The list in order, smallest first; the other way round with `reverse=true`."""
    ordered = list(entries(values))
    try:
        return sorted(ordered, reverse=bool(reverse))
    except (TypeError, DecimalException):
        raise misfit(*ordered) from None


def _unique(values: Any) -> list[Any]:
    """The list without what it has already had."""
    try:
        return list(dict.fromkeys(entries(values)))
    except TypeError:
        raise ExpressionError("`unique` goes with lists of texts, numbers and dates only") from None


def _default(value: Any, fallback: Any) -> Any:
    """The value, or `fallback` if it is not given or not known."""
    return fallback if value is None or value is UNKNOWN else value


def _round(value: Any, places: Any = 0) -> Decimal:
    """The number rounded to so many places after the point, half away from zero."""
    if type(places) is not int or not 0 <= places <= MAX_PLACES:
        raise ExpressionError(f"`round` keeps 0 to {MAX_PLACES} places")
    return Decimal(_number(value)).quantize(Decimal(1).scaleb(-places), context=_EXACT)


def _int(value: Any) -> int:
    """The whole number that a text says, or that a number is without what stands after its point."""
    if isinstance(value, str):
        value = _decimal(value)
    return int(Decimal(_number(value)).to_integral_value(ROUND_DOWN))


def _decimal(value: Any) -> Decimal:
    """The number that a text says, such as ``12.50``; it keeps every digit."""
    if isinstance(value, str):
        if not _NUMERAL.fullmatch(value.strip()):
            raise ExpressionError("this text is no number, such as 12 or 12.50")
        value = Decimal(value.strip())
    return Decimal(_number(value))


_NUMERAL = re.compile(r"-?\d{1,19}(\.\d+)?", re.ASCII)


def _abs(value: Any) -> Any:
    """The number or the length of time without its sign."""
    if isinstance(value, timedelta):
        return abs(value)
    return negate(value) if _number(value) < 0 else _number(value)


def _date(value: Any) -> date:
    """The day that a text such as ``2025-03-03`` says, or on which a moment (in UTC) is."""
    if isinstance(value, datetime):
        return _datetime(value).date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise ExpressionError("this text is no day, such as 2025-03-03") from None


def _datetime(value: Any) -> datetime:
    """The moment that an ISO 8601 text says, or with which a day begins; in UTC, as what names no offset."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ExpressionError("this text is no moment, such as 2025-03-03T12:00:00Z") from None


def _duration(value: Any) -> timedelta:
    """The length of time that a text such as ``30 days`` says."""
    if isinstance(value, timedelta):
        return value
    try:
        return duration.parse(_text(value))
    except ValueError:
        raise ExpressionError("this text is no length of time, such as 30 days") from None


def _days(value: Any) -> int | timedelta:
    """The whole days of a length of time; or the length that a number of days is."""
    if isinstance(value, timedelta):
        return value // timedelta(days=1)
    try:
        return timedelta(days=_int(value))
    except OverflowError:
        raise ExpressionError("these are too many days") from None


def _iso(value: Any) -> str:
    """The day, the moment or the length of time as ISO 8601, for programs: ``2025-03-03``, ``P30D``."""
    if isinstance(value, timedelta):
        return duration.iso(value)
    if isinstance(value, date):
        return value.isoformat()
    raise _unfit(value, "day, moment or length of time")


def _json(value: Any) -> str:
    """The value as JSON, for programs; dates, lengths of time and moments as ISO 8601 texts."""
    return _joined(_ENCODER.iterencode(value))


def _json_of(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if _number(value) == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    return _iso(value)


def urlencode(value: Any) -> str:
    """The value as one part of a web address: all but ``A-Z a-z 0-9 - . _ ~`` is written as ``%…`` (RFC 3986)."""
    return value if isinstance(value, Encoded) else Encoded(quote(words(value), safe=""))


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_json_of)

FILTERS: dict[str, Callable[..., Any]] = {
    "abs": _abs,
    "date": _date,
    "datetime": _datetime,
    "days": _days,
    "decimal": _decimal,
    "default": _default,
    "duration": _duration,
    "first": _first,
    "int": _int,
    "iso": _iso,
    "join": _join,
    "json": _json,
    "last": _last,
    "length": _length,
    "lines": _lines,
    "lower": _lower,
    "map": _map,
    "max": _max,
    "min": _min,
    "replace": _replace,
    "round": _round,
    "slug": _slug,
    "sort": _sort,
    "sum": _sum,
    "title": _title,
    "trim": _trim,
    "unique": _unique,
    "upper": _upper,
    "urlencode": urlencode,
    "words": words,
}


def _is_defined(value: Any) -> bool:
    """There is such a name, whether or not it has a value."""
    return value is not UNKNOWN


def _is_none(value: Any) -> bool:
    """It has no value: it was not answered."""
    return value is None


def _is_empty(value: Any) -> bool:
    """It has no value, or is an empty text or list."""
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)


def _is_string(value: Any) -> bool:
    """It is text."""
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    """It is a number."""
    return is_number(value)


TESTS: dict[str, Callable[[Any], bool]] = {
    "defined": _is_defined,
    "empty": _is_empty,
    "none": _is_none,
    "number": _is_number,
    "string": _is_string,
}
