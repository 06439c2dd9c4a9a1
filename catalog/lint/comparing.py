"""What expressions compare answers with, read from their syntax; nothing is evaluated here, nothing judged."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from jinja2 import Environment, nodes

_SYNTAX = Environment(autoescape=False)  # noqa: S701  it only parses

Comparison = tuple[tuple[str, str], str]
"""An answer, as ``("form", "device")``, and a text that it is compared with."""


@lru_cache(maxsize=8_192)
def texts(source: str, *, template: bool) -> frozenset[Comparison]:
    """Return the texts that answers are said to be, or not to be, or to be among.

    Args:
        source: an expression or a template that `expression.check` lets through.
        template: which of the two it is.
    """
    if "'" not in source and '"' not in source:
        return frozenset()  # no need to read it: a text stands in quotes
    return frozenset(one for node in _tree(source, template=template).find_all(nodes.Compare) for one in _texts(node))


def _tree(source: str, *, template: bool) -> nodes.Template:
    return _SYNTAX.parse(source if template else f"{{{{ ({source}\n) }}}}")


def _texts(node: nodes.Compare) -> Iterator[Comparison]:
    left = node.expr
    for operand in node.ops:
        if operand.op in ("eq", "ne", "in", "notin"):
            for one, other in ((left, operand.expr), (operand.expr, left)):
                path = _path(one)
                if path:
                    yield from ((path, text) for text in _constants(other))
        left = operand.expr


def _constants(node: nodes.Node) -> Iterator[str]:
    for one in node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]:
        if isinstance(one, nodes.Const) and isinstance(one.value, str):
            yield one.value


def _path(node: nodes.Node) -> tuple[str, str] | None:
    match node:
        case nodes.Getattr(node=nodes.Name(name=root), attr=str(key)):
            return root, key
        case nodes.Getitem(node=nodes.Name(name=root), arg=nodes.Const(value=str(key))):
            return root, key
        case _:
            return None


@lru_cache(maxsize=8_192)
def numbers(condition: str, path: tuple[str, str]) -> frozenset[int] | None:
    """Return the whole numbers at which a condition on an answer may change; None if it does more than compare it."""
    output = _tree(condition, template=False).find(nodes.Output)
    assert output is not None  # a bare expression becomes one
    try:
        return frozenset(_thresholds(output.nodes[0], path))
    except _OtherUseError:
        return None


class _OtherUseError(Exception):
    """An answer is not only compared with numbers."""


def _thresholds(node: nodes.Node, path: tuple[str, str]) -> Iterator[int]:
    match node:
        case _ if _path(node) == path:
            yield 0  # a condition holds unless it is zero
        case nodes.And() | nodes.Or():
            yield from _thresholds(node.left, path)
            yield from _thresholds(node.right, path)
        case nodes.Not():
            yield from _thresholds(node.node, path)
        case nodes.Compare(ops=[nodes.Operand(expr=nodes.Const(value=int(number)))]) if _path(node.expr) == path:
            yield number
        case nodes.Compare(expr=nodes.Const(value=int(number)), ops=[nodes.Operand(expr=other)]) if (
            _path(other) == path
        ):
            yield number
        case _ if any(_path(inner) == path for inner in node.find_all((nodes.Getattr, nodes.Getitem))):
            raise _OtherUseError
        case _:
            pass  # it is about other answers
