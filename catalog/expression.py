"""The one expression language of the catalog: conditions, formulas and templates (feature rows C3, K1).

The syntax is Jinja's, as far as `grammar` lets it through, run by Jinja's sandbox with our operations in the place of
its own: an expression reaches the entries of mappings and lists and nothing else of Python, and each evaluation has a
limited amount of work and output. What operations and filters do with values is `filters`' business. No clock, no
randomness: the same names give the same result.
"""

from __future__ import annotations

import inspect
import re
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, pass_context
from jinja2 import Template as Program
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from catalog import filters, grammar
from catalog.filters import NOT_GIVEN, UNKNOWN, ExpressionError

__all__ = [
    "FILTERS",
    "TESTS",
    "ExpressionError",
    "check",
    "evaluate",
    "holds",
    "references",
    "render",
]

MAX_LOOPS = 10_000
"""Entries that all loops of one rendering go through together."""
MAX_WORK = 100_000
"""What one evaluation may spend, by the measures below: less than 0.1 seconds."""
_OPERATION = 2
"""An operation is as much work as going through two entries of a list."""
_CHARACTERS_AN_ENTRY = 32
"""Going through so many characters of a text is as much work as going through one entry of a list."""

FILTERS: dict[str, str] = {name: inspect.getdoc(function) or "" for name, function in filters.FILTERS.items()}
"""Filter -> what it gives, in a sentence."""
TESTS: dict[str, str] = {name: inspect.getdoc(function) or "" for name, function in filters.TESTS.items()}
"""Test -> when ``value is test`` holds, in a sentence."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_SHOWN = 80


def evaluate(source: str, names: Mapping[str, Any]) -> Any:
    """Return the value of a formula.

    Args:
        source: what `check` lets through.
        names: name -> value: None, bool, int, Decimal, str, date, datetime, timedelta, and lists and mappings of them.

    Raises:
        ExpressionError: it cannot be evaluated with these names, or went over a bound.
    """
    program = _compiled(source, template=False)
    run = _new_run(program, names)
    try:
        deque(program.root_render_func(run), maxlen=0)
    except Exception as error:  # noqa: BLE001  whatever an author's expression runs into is told to the author
        raise _failure(" ".join(source.split()), error) from None
    return run.vars[grammar.RESULT]


def holds(source: str, names: Mapping[str, Any]) -> bool:
    """Return whether a condition holds: what it gives is neither false, nothing, zero nor empty.

    Raises:
        ExpressionError: it cannot be evaluated with these names, or went over a bound.
    """
    return bool(evaluate(source, names))


def render(source: str, names: Mapping[str, Any], shown: Callable[[Any], str] = filters.words) -> str:
    """Return the text of a template, with values as people read them; plain text, nothing is escaped.

    Args:
        source: what `check` lets through.
        names: as for `evaluate`.
        shown: gives what stands in the text for a value.

    Raises:
        ExpressionError: it cannot be rendered with these names, or went over a bound.
    """
    if "{" not in source:
        return source  # most texts are just text, and need no program
    program = _compiled(source, template=True)
    pieces: list[str] = []
    length = 0
    try:
        for piece in program.root_render_func(_new_run(program, names, shown)):
            length += len(piece)
            filters.check_length(length)
            pieces.append(piece)
    except Exception as error:  # noqa: BLE001  whatever an author's template runs into is told to the author
        raise _failure(_line_of(program, source, error), error) from None
    return "".join(pieces)


def check(source: str, *, template: bool = False) -> None:
    """Check that a source can be evaluated, whatever the names.

    Raises:
        ValueError: what is wrong and, after a semicolon, what to do.
    """
    references(source, template=template)


def references(source: str, *, template: bool = False) -> frozenset[tuple[str, ...]]:
    """Return every name that a source uses, with the path below it as far as it is constant: ``("form", "device")``.

    Raises:
        ValueError: as `check`.
    """
    return _references(source, template)


@lru_cache(maxsize=16_384)
def _references(source: str, template: bool) -> frozenset[tuple[str, ...]]:
    _, found = grammar.read(source, template=template)
    return found


class _Run(Context):
    """One evaluation, with what is left of its bounds, and how it shows values."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.work = MAX_WORK
        self.loops = MAX_LOOPS
        self.shown: Callable[[Any], str] = filters.words

    def spend(self, *values: Any) -> None:
        """Count an operation on these values."""
        self.work -= _OPERATION + sum(map(_size, values))
        if self.work < 0:
            raise ExpressionError("it is too much work; make it smaller, or go through fewer entries")


def _size(value: Any) -> int:
    """Return how much work it is to go through a value."""
    match value:
        case None | int() | Decimal():
            return 0
        case str():
            return len(value) // _CHARACTERS_AN_ENTRY
        case list() | tuple():
            return len(value) + sum(map(_size, value))
        case Mapping():
            return len(value) + sum(map(_size, value.values()))
        case _:
            return 0


def _member(value: Any, key: Any) -> Any:
    """Return an entry of a mapping or a list; nothing else of a value can be reached."""
    if isinstance(value, Mapping):
        return value.get(key, UNKNOWN)
    if isinstance(value, list | tuple) and type(key) is int and -len(value) <= key < len(value):
        return value[key]
    return UNKNOWN


def _exact(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else value


@pass_context
def _get(run: _Run, value: Any, labels: tuple[str, ...], *keys: Any) -> Any:
    """Return what stands under a path."""
    run.spend()
    if isinstance(value, Undefined):
        raise ExpressionError(f"{labels[0]} is not known")
    for count, key in enumerate(keys, 1):
        if value is None:
            raise ExpressionError(f"{''.join(labels[:count])} {NOT_GIVEN}, so nothing can be read from it")
        value = _member(value, key)
        if value is UNKNOWN:
            raise ExpressionError(f"{''.join(labels[: count + 1])} is not known")
    return _exact(value)


@pass_context
def _look(run: _Run, value: Any, _: tuple[str, ...], *keys: Any) -> Any:
    """Return what stands under a path, if anything does."""
    run.spend()
    value = UNKNOWN if isinstance(value, Undefined) else value
    for key in keys:
        value = _member(value, key)
    return _exact(value)


@pass_context
def _compare(run: _Run, left: Any, *rest: Any) -> bool:
    """Return whether ``left kind right``, and ``right kind right2`` and so on, hold."""
    run.spend(left, *rest)
    for kind, right in zip(rest[::2], rest[1::2], strict=True):
        if not filters.compare(kind, left, right):
            return False
        left = right
    return True


@pass_context
def _steps(run: _Run, values: Any, weight: int) -> Iterator[Any]:
    """Yield the entries that a loop goes through, and count them."""
    for value in filters.entries(values):
        run.loops -= 1
        run.work -= weight
        if run.loops < 0:
            raise ExpressionError(f"its loops go through more than {MAX_LOOPS:,} entries")
        run.spend()
        yield value


@pass_context
def _shown(run: _Run, value: Any) -> str:
    """Return what stands in a text for a value."""
    run.spend(value)
    return run.shown(value)


def _charged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that counts its work and keeps its result within the bounds."""

    @pass_context
    def operation(run: _Run, *args: Any, **kwargs: Any) -> Any:
        run.spend(*args, *kwargs.values())
        return filters.within(function(*args, **kwargs))

    return operation


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with our arithmetic."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%"))
    intercepted_unops = frozenset("-")
    context_class = _Run

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return ``left operator right``."""
        context.spend(left, right)
        return filters.calculate(operator, left, right)

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:  # noqa: ARG002  there is only one
        """Return the value with the other sign."""
        context.spend()
        return filters.negate(arg)


_ENVIRONMENT = _Environment(
    undefined=StrictUndefined,
    autoescape=False,  # plain text: escapes would show
    optimized=False,  # nothing is evaluated at load
    finalize=_shown,
)
_ENVIRONMENT.globals = {}
_ENVIRONMENT.filters = {
    **{name: _charged(function) for name, function in filters.FILTERS.items()},
    **{f"is {name}": _charged(function) for name, function in filters.TESTS.items()},
    grammar.GET: _get,
    grammar.LOOK: _look,
    grammar.COMPARE: _compare,
    grammar.CONCAT: _charged(filters.concat),
    grammar.LOOP: _steps,
}


@lru_cache(maxsize=4_096)
def _compiled(source: str, *, template: bool) -> Program:
    """Return a source as a program; kept, because workflows replay and forms are checked often."""
    tree, _ = grammar.read(source, template=template)
    return _ENVIRONMENT.from_string(tree)


def _new_run(program: Program, names: Mapping[str, Any], shown: Callable[[Any], str] = filters.words) -> _Run:
    run = _Run(_ENVIRONMENT, dict(names), program.name, program.blocks)  # as `new_context` does, without globals
    run.shown = shown
    return run


def _failure(excerpt: str, error: Exception) -> ExpressionError:
    """Return what an author is told; what Python says may hold values of users and is left out."""
    reason = error if isinstance(error, ExpressionError) else "it cannot be worked out with these values"
    shown = excerpt if len(excerpt) <= _SHOWN else f"{excerpt[:_SHOWN]}…"
    return ExpressionError(f"`{shown}` failed: {reason}")


def _line_of(program: Program, source: str, error: Exception) -> str:
    """Return the line of a template at which an error came up."""
    stack = traceback.walk_tb(error.__traceback__)
    places = [line for frame, line in stack if frame.f_code.co_filename == program.filename]
    number = program.get_corresponding_lineno(places[-1]) if places else 1
    return _LINE_END.split(source)[number - 1].strip()
