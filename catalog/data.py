"""Data with expressions in it: how an author writes a value that depends on a request.

A text is a template. As data, a text that is nothing but one ``{{ … }}`` keeps the value's own type, so that
``{{ form.seats }}`` is a number (`fill`); where people read it, it is words like any other (`fill_text`). Conditions
are bare expressions, or true or false. What an expression is, and how its cost is bounded, is `expression`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from catalog import duration, expression, filters
from catalog.filters import ExpressionError
from catalog.text import title


def _read_when(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        expression.check(value)
        return value
    raise ValueError("a condition is true, false or an expression; write it like: form.device == 'own device'")


When = Annotated[
    bool | str,
    PlainValidator(_read_when),
    WithJsonSchema({"type": ["boolean", "string"], "description": "true, false or an expression"}),
]
"""A condition: true, false or an expression."""


def holds(when: bool | str, names: Mapping[str, Any]) -> bool:
    """Return whether a condition holds.

    Raises:
        ExpressionError: it cannot be evaluated with these names.
    """
    return when if isinstance(when, bool) else expression.holds(when, names)


def _whole(text: str) -> str | None:
    """Return the expression of a text that is nothing but one ``{{ … }}``."""
    stripped = text.strip()
    if not (stripped.startswith("{{") and stripped.endswith("}}")):
        return None
    inner = stripped[2:-2]
    return None if "{{" in inner or "}}" in inner else inner.strip()


def texts(value: Any) -> Iterator[str]:
    """Yield every text in data, keys left out."""
    match value:
        case str():
            yield value
        case list() | tuple():
            for one in value:
                yield from texts(one)
        case dict():
            for one in value.values():
                yield from texts(one)


def check(value: Any) -> Any:
    """Return data whose expressions can be read; raises ValueError if one of them cannot."""
    for text in texts(value):
        whole = _whole(text)
        expression.check(text if whole is None else whole, template=whole is None)
    return value


Data = Annotated[Any, AfterValidator(check)]
"""Plain JSON whose texts are templates."""


def fill(value: Any, names: Mapping[str, Any], instead: Mapping[str, Any] | None = None) -> Any:
    """Return data with its expressions evaluated, as plain JSON.

    `instead` says, by its expression, what to put in the place of a text that is nothing else: what must go through
    no template.

    Raises:
        ExpressionError: one of them cannot be evaluated with these names.
    """
    match value:
        case str():
            whole = _whole(value)
            if instead and whole is not None and whole in instead:
                return instead[whole]
            return expression.render(value, names) if whole is None else plain(expression.evaluate(whole, names))
        case list() | tuple():
            return [fill(one, names, instead) for one in value]
        case dict():
            return {key: fill(one, names, instead) for key, one in value.items()}
        case _:
            return value


def fill_text(written: Any, names: Mapping[str, Any]) -> str:
    """Return a text for people with its expressions evaluated: every value as people read it, even one that is all.

    Raises:
        ExpressionError: an expression cannot be evaluated with these names, or gives what cannot be shown.
    """
    return expression.render(written, names) if isinstance(written, str) else filters.words(written)


def fill_title(written: Any, names: Mapping[str, Any], otherwise: str) -> str:
    """Return a text for people as a title (see `text.title`); `otherwise`, if it fails or comes out empty."""
    try:
        filled = title(fill_text(written, names))
    except ExpressionError:
        filled = ""
    return filled or title(otherwise)


def fill_url(template: str, names: Mapping[str, Any]) -> str:
    """Return a web address with its expressions evaluated, each value as one part of it: `filters.urlencode`.

    So no answer changes which host, path or query a request goes to. Only a template that is nothing but one
    ``{{ … }}`` stands for a whole address, and is taken as it comes out.

    Raises:
        ExpressionError: an expression cannot be evaluated with these names; the whole address is no text; or a value
            would leave out a step of the path, or go up in it.
    """
    whole = _whole(template)
    if whole is not None:
        address = expression.evaluate(whole, names)
        if not isinstance(address, str):
            raise ExpressionError("an address came out as something else than text")
        return address
    address = expression.render(template, names, _part_of_url)
    path = re.split("[?#]", address, maxsplit=1)[0]
    if _NOTHING in path:
        raise ExpressionError("a value in the path of an address is empty, so the address would be another")
    if template != address and not _UPWARDS.isdisjoint(path.split("/")):
        raise ExpressionError("a value in the path of an address is '.' or '..', so the address would be another")
    return address.replace(_NOTHING, "")


def _part_of_url(value: Any) -> str:
    return filters.urlencode(value) or _NOTHING


_NOTHING = "\0"
"""Where an empty value stands while an address is made; it can stand in no template."""
_UPWARDS = {".", ".."}
"""What means another step of a path than it says (RFC 3986, 3.3 and 5.2.4)."""


def plain(value: Any) -> Any:
    """Return what an expression gave as plain JSON: the form in which answers are stored."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return duration.iso(value)
        case Decimal():
            return f"{value:f}"  # never with an exponent: people and forms write 100, not 1E+2
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case _:
            return value


def references(value: Any) -> frozenset[tuple[str, ...]]:
    """Return the names that data uses; see `expression.references`."""
    return frozenset(path for text in texts(value) for path in _references(text))


def needs_results(value: Any) -> bool:
    """Return whether data can be filled only with the results of something that comes before."""
    return any(path[0] == "results" for path in references(value))


@lru_cache(maxsize=8_192)
def _references(text: str) -> frozenset[tuple[str, ...]]:
    whole = _whole(text)
    return expression.references(text if whole is None else whole, template=whole is None)
