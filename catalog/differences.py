"""What differs between two values of any kind, in words, and which of two lists belong together.

For `diff`, which knows what the values mean; here nothing is known of items. No sentence shows a value as Python
writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, Protocol, TypeVar

from catalog.duration import Working
from catalog.duration import words as lasting
from catalog.model import Model
from catalog.text import one_line

_SHOWN = 60


class WithId(Protocol):
    """What has an id."""

    @property
    def id(self) -> str:
        """The id."""
        ...


Named = TypeVar("Named", bound=WithId)
Thing = TypeVar("Thing")


class Name(NamedTuple):
    """What a sentence is about: a part of something, for example ``body “size”`` of ``The step quota``."""

    subject: str
    part: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.part}"

    def entry(self, key: str) -> Name:
        """Return the name of an entry of the part."""
        return Name(self.subject, f"{self.part} “{one_line(key)}”")


def said(value: Any) -> str:
    """Return a value in a few words, in quotes unless they are ours."""
    match value:
        case dict() | list() | tuple() | str() | None if not value:
            return "nothing"
        case bool() | timedelta() | Working():
            return _words(value)
        case _:
            line = one_line(_words(value))
            return f"“{line if len(line) <= _SHOWN else f'{line[: _SHOWN - 1]}…'}”"


def _words(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case timedelta() | Working():
            return lasting(value)
        case tuple() | list():
            return ", ".join(map(_inner, value))
        case Mapping():
            return ", ".join(f"{key}: {_inner(one)}" for key, one in value.items())
        case Model():
            return _words({name.replace("_", " "): getattr(value, name) for name in sorted(value.model_fields_set)})
        case _:
            return str(value)


def _inner(value: Any) -> str:
    """Return a value inside of another: in brackets if it has entries of its own."""
    return f"({_words(value)})" if isinstance(value, (tuple, list, Mapping, Model)) else _words(value)


def differing(name: Name, old: Any, new: Any) -> Iterator[str]:
    """Yield in which way two values differ, entry by entry where they have entries."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _entries(name, old, new)
    elif isinstance(old, Model) and type(old) is type(new) and not isinstance(old, Working):
        for field in type(old).model_fields:
            part = Name(name.subject, f"{name.part}, {field.replace('_', ' ')}")
            yield from differing(part, getattr(old, field), getattr(new, field))
    elif said(old) != said(new):
        yield f"{name} was {said(old)}, now it is {said(new)}."
    else:
        yield f"{name} is written in another way."


def _entries(name: Name, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key, value in new.items():
        if key in old:
            yield from differing(name.entry(key), old[key], value)
        else:
            yield f"{name.entry(key)} is new: {said(value)}."
    yield from (f"{name.entry(key)} is gone; it was {said(value)}." for key, value in old.items() if key not in new)


def matched(old: Sequence[Named], new: Sequence[Named]) -> tuple[list[Named], list[Named], list[tuple[Named, Named]]]:
    """Return what was added, what was removed, and what stands in both, by id."""
    before, now = {one.id: one for one in old}, {one.id: one for one in new}
    added = [one for one in new if one.id not in before]
    removed = [one for one in old if one.id not in now]
    return added, removed, [(before[one.id], one) for one in new if one.id in before]


def reordered(both: Sequence[tuple[Named, Named]], old: Sequence[Named]) -> bool:
    """Return whether what stands in both comes in another order now."""
    kept = [before for before, _ in both]
    return kept != [one for one in old if one in kept]


def paired(
    old: Sequence[Thing], new: Sequence[Thing], *alike: Callable[[Thing], Any]
) -> tuple[list[Thing], list[Thing], list[tuple[Thing, Thing]]]:
    """Return what was added, what was removed, and what was changed, of things without an id.

    What stands in both as it is counts for nothing; of the rest, those belong together that are `alike`: by the first
    measure as far as it goes, then by the next.
    """
    removed = [one for one in old if one not in new]
    added = [one for one in new if one not in old]
    both = []
    for measure in alike:
        for one in list(added):
            twin = next((before for before in removed if measure(before) == measure(one)), None)
            if twin is not None:
                removed.remove(twin)
                added.remove(one)
                both.append((twin, one))
    return added, removed, both
