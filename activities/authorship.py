"""Whose doing a change is: an undo takes back only what is, or may be, this request's own.

An attempt that finds things as they should be did not make them so; but an earlier attempt may have, unless each of
them is known to have ended before its write. What an attempt knows of this, and what stood there before it wrote,
it leaves for the next one in its heartbeats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from activities.errors import ConnectorError
from activities.heartbeat import is_repeated, leave, left_before
from catalog.access import Observed

R = TypeVar("R", bound=Observed)

_UNTOUCHED = "untouched"
"""Left for the next attempt: so far no attempt came to writing."""
_BEFORE = "before"
"""Left for the next attempt, with what stood there before the first write."""


def authored(change: Callable[[], R]) -> R:
    """Make a change and say whether its being there is, or may be, this request's doing.

    An attempt that was killed says nothing, so it may have written.
    """
    left = left_before()
    untouched = not is_repeated() or left == [_UNTOUCHED]
    if is_repeated() and left[:1] != [_BEFORE]:
        leave()  # until this attempt has ended, nobody knows
    try:
        observed = change()
    except ConnectorError as error:
        error.ours = error.ours or not untouched
        if not error.ours:
            leave(_UNTOUCHED)
        raise
    return observed.model_copy(update={"ours": observed.changed or not untouched})


def before(look: Callable[[], Mapping[Any, Any]]) -> dict[Any, Any]:
    """Return what stood there before any attempt of this call wrote, and leave it for the next one.

    Args:
        look: reads it now, as plain JSON; asked only if no earlier attempt left it.
    """
    match left_before():
        case [str(kind), dict(seen)] if kind == _BEFORE:
            return seen
        case _:
            now = dict(look())
            leave(_BEFORE, now)
            return now
