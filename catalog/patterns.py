"""Whether a regular expression of an author could keep the matcher busy for ever.

Python's `re` tries every way in which a pattern divides a text. What is found here is how many ways there can be, from
above and without a text; whether a text matches is `reading`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from re import _parser  # type: ignore[attr-defined]  # what `re` itself reads patterns with; it has no public name
from typing import Any, NamedTuple

MAX_WAYS = 1_000_000
"""Ways to divide a text that may be tried: some hundredths of a second."""

_Characters = frozenset[int]
_ALPHABET: _Characters = frozenset(range(0x3000))
"""Most letters and signs; what a pattern says of characters beyond is taken to mean any."""
_LAST = max(_ALPHABET)


class _Part(NamedTuple):
    """A part of a pattern: what it matches, whether it always matches something, and in how many lengths."""

    characters: _Characters
    required: bool
    lengths: int


def is_slow(pattern: str, longest: int) -> bool:
    """Return whether a text of that length may be divided in too many ways.

    Repetitions of the same characters share a text in many ways, unless something that is needed and that neither they
    nor anything between can match says where the one ends. Groups that are repeated are `fields`' business.
    """
    any_case = re.search(r"\(\?[a-zA-Z]*i", pattern) is not None
    seen: _Characters = frozenset()
    ways = 1
    for characters, required, lengths in _parts(_parser.parse(pattern), longest):
        found = _in_any_case(characters) if any_case else characters
        shared = not seen.isdisjoint(found)
        if required and not shared:
            seen, ways = frozenset(), 1
        ways = ways * lengths if shared else max(ways, lengths)
        seen |= found
        if ways > MAX_WAYS:
            return True
    return False


def _parts(parsed: Any, longest: int, *, required: bool = True) -> Iterator[_Part]:
    for op, value in parsed:
        match op.name:
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, repeated = value
                inner = list(_parts(repeated, longest))
                lengths = min(most, longest) - min(least, longest) + 1
                yield _Part(_union(inner), required and least > 0, lengths)
                yield from (part._replace(required=False) for part in inner if part.lengths > 1)
            case "SUBPATTERN":
                yield from _parts(value[-1], longest, required=required)
            case "ATOMIC_GROUP":
                yield from _parts(value, longest, required=required)
            case "ASSERT" | "ASSERT_NOT":
                yield from _parts(value[-1], longest, required=False)
            case "BRANCH":
                inner = [part for one in value[-1] for part in _parts(one, longest, required=False)]
                yield _Part(_union(inner), required=False, lengths=len(value[-1]))
                yield from inner
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
                yield _Part(_characters(op, value), required, 1)
            case "AT":
                pass  # matches no character
            case _:  # what depends on what another group has matched
                yield _Part(_ALPHABET, required=False, lengths=longest)


def _union(parts: Iterable[_Part]) -> _Characters:
    return frozenset().union(*(part.characters for part in parts)) or _ALPHABET


def _characters(op: Any, value: Any) -> _Characters:
    match op.name:
        case "LITERAL":
            found = _ALPHABET & {value}
        case "NOT_LITERAL":
            found = _ALPHABET - {value}
        case "RANGE":
            found = _ALPHABET & frozenset(range(value[0], min(value[1], _LAST) + 1))
        case "CATEGORY":
            found = _category(value.name)
        case "IN" if value[0][0].name == "NEGATE":
            found = _ALPHABET.difference(*(_characters(*one) for one in value[1:]))
        case "IN":
            found = frozenset().union(*(_characters(*one) for one in value))
        case _:
            found = _ALPHABET
    return found or _ALPHABET


_CATEGORIES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


@cache
def _category(name: str) -> _Characters:
    """Return the characters of a class such as ``CATEGORY_NOT_DIGIT``."""
    within = re.compile(_CATEGORIES[name.rpartition("_")[2]])
    found = frozenset(code for code in _ALPHABET if within.fullmatch(chr(code)))
    return _ALPHABET - found if "_NOT_" in name else found


def _in_any_case(characters: _Characters) -> _Characters:
    return characters | {ord(other) for code in characters if len(other := chr(code).swapcase()) == 1}
