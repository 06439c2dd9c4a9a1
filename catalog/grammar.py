"""What an expression may look like: Jinja's syntax, and of it only what is named here.

`read` goes through the tree that Jinja's parser makes, refuses what does not exist in this language, notes the names
that are used, and puts our operations in the place of Jinja's. What the operations do stands in `expression` and
`filters`. Nothing is evaluated here.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import takewhile
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from catalog import filters
from catalog.filters import MAX_NUMBER

MAX_SOURCE = 2_000
"""Characters of a condition or formula."""
MAX_TEMPLATE = 20_000
"""Characters of a template."""
MAX_DEPTH = 40
"""How deep an expression may be nested; Python's own compiler gives up at about 100."""
MAX_NESTED_LOOPS = 2

RESULT = "_result"
"""The variable in which a program leaves what an expression gives."""
GET, LOOK, COMPARE, CONCAT, LOOP = "a part", "a part, if any", "a comparison", "a concatenation", "a loop"
"""Our operations; Jinja knows them as filters, under names that nobody can write."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_LOOP_PARTS = ("first", "index", "index0", "last", "length")
_NODES_AN_ENTRY = 10
"""Going through so many nodes in the body of a loop is as much work as going through one entry of a list."""
_SHOWN = 40

_SYNTAX = Environment(autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)  # noqa: S701  plain text, and it only parses


def read(source: str, *, template: bool) -> tuple[nodes.Template, frozenset[tuple[str, ...]]]:
    """Return a source as Jinja's tree with our operations in it, and the names it uses.

    Raises:
        ValueError: what is wrong and, after a semicolon, what to do.
    """
    limit = MAX_TEMPLATE if template else MAX_SOURCE
    if len(source) > limit:
        raise ValueError(f"this has {len(source):,} characters and {limit:,} are allowed; split it up")
    reader = _Reader()
    tree = reader.visit(_parsed(source, template=template))
    if not template:
        result = nodes.Name(RESULT, "store", lineno=1)
        tree = nodes.Template([nodes.Assign(result, tree, lineno=1)], lineno=1)
    return tree, frozenset(reader.references)


def _parsed(source: str, *, template: bool) -> nodes.Node:
    """Return the tree of a template, or that of an expression."""
    if not template and source.lstrip().startswith(("{{", "{%")):
        raise ValueError("a bare expression is expected here; leave out {{ }} and {% %}")
    try:
        _check_brackets(source, template=template)
        parser = Parser(_SYNTAX, source, state=None if template else "variable")
        tree: nodes.Node = parser.parse() if template else parser.parse_expression()
        if not parser.stream.eos:
            parser.fail("there is more after the end of the expression")
    except TemplateSyntaxError as error:
        where = f" in line {error.lineno}" if template else ""
        said = str(error.message).rstrip(".").replace(";", ",")
        raise ValueError(f"this cannot be read{where}: {said}; {_example(template=template)}") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _too_large() from None
    return tree


def _check_brackets(source: str, *, template: bool) -> None:
    """Refuse brackets nested too deep: Jinja's parser calls itself for each, and they leave no trace in the tree."""
    if sum(map(source.count, "([{")) <= MAX_DEPTH:
        return
    depth = 0
    for token in _SYNTAX.lexer.tokenize(source, state=None if template else "variable"):
        depth += (token.type in _OPENING) - (token.type in _CLOSING)
        if depth > MAX_DEPTH:
            raise RecursionError  # before the parser does


_OPENING = ("lparen", "lbracket", "lbrace")
_CLOSING = ("rparen", "rbracket", "rbrace")


def _example(*, template: bool) -> str:
    if template:
        return "write it like: Dear {{ requester.name }}, {% if form.laptop %}…{% endif %}"
    return "write it like: form.amount > 100 and requester.department == 'Finance'"


def _too_deep() -> ValueError:
    return ValueError(f"this is nested more than {MAX_DEPTH} levels deep; split it up, or use 'in' with a list")


def _too_large() -> ValueError:
    return ValueError("a number goes beyond 18 digits; write a smaller one")


_STRUCTURE = {nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For}
_VALUES = {nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair}
_LOGIC = {nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.CondExpr, nodes.Test}
_OPERATIONS = {
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Neg,
    nodes.Concat,
    nodes.Filter,
}
_ALLOWED: set[type[nodes.Node]] = _STRUCTURE | _VALUES | _LOGIC | _OPERATIONS

_NOT_SET = "nothing can be set; write the value where it is used"
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: "nothing can be called; use a filter, such as: form.name | upper",
    nodes.Pow: "there are no powers; multiply",
    nodes.Pos: "there is no plus sign before a value; leave it out",
    nodes.Slice: "there are no parts of lists or texts; use 'first' or 'last'",
    nodes.Assign: _NOT_SET,
    nodes.AssignBlock: _NOT_SET,
    nodes.With: _NOT_SET,
    nodes.FilterBlock: "there are no filter blocks; put the filter behind each value",
}
_NO_SUCH_TAG = "this tag does not exist here; use {{ … }}, {% if %} and {% for %} only"


class _Reader(NodeTransformer):
    """Goes through a tree once: refuses what is not allowed, and puts our operations in the place of Jinja's.

    Attributes:
        references: the names used so far, with their paths.
    """

    def __init__(self) -> None:
        self.references: set[tuple[str, ...]] = set()
        self._depth = 0
        self._seen = 0
        self._scope: list[str] = []
        """The names that the loops around this place give."""

    def visit(self, node: nodes.Node, *_: Any, **__: Any) -> Any:
        """Return what a node becomes."""
        if type(node) not in _ALLOWED:
            raise ValueError(_REFUSED.get(type(node), _NO_SUCH_TAG))
        if self._depth > MAX_DEPTH:
            raise _too_deep()
        self._seen += 1
        self._depth += 1
        result = super().visit(node)
        self._depth -= 1
        return result

    def _visit_all(self, every: list[Any]) -> list[Any]:
        return [self.visit(node) for node in every]

    def visit_Const(self, node: nodes.Const) -> nodes.Node:
        """Make numbers with a point exact, and refuse what is too large."""
        if isinstance(node.value, int | float) and abs(node.value) > MAX_NUMBER:
            raise _too_large()
        if isinstance(node.value, float):
            return _operation("decimal", nodes.Const(f"{Decimal(repr(node.value)):f}", lineno=node.lineno))
        return node

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        """Read a name."""
        return self._path(node, GET)

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:
        """Read a path such as ``form.device``."""
        return self._path(node, GET)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        """Read a path such as ``form["device"]``."""
        return self._path(node, GET)

    def _path(self, node: nodes.Expr, operation: str) -> nodes.Node:
        """Put one operation in the place of a whole path, and note it as a reference."""
        keys: list[nodes.Expr] = []
        while isinstance(node, nodes.Getattr | nodes.Getitem):
            keys.insert(0, nodes.Const(node.attr) if isinstance(node, nodes.Getattr) else node.arg)
            node = node.node
        constant = [key.value if isinstance(key, nodes.Const) else None for key in keys]
        for key in constant:
            if isinstance(key, str):
                _check_underscore(key)
        if not isinstance(node, nodes.Name):
            return self._part_of(self.visit(node), operation, "(…)", constant, keys)
        _check_name(node.name)
        if node.name == "loop":
            return self._loop_part(node, constant)
        if node.name not in self._scope:
            self.references.add((node.name, *map(str, takewhile(_is_text, constant))))
        return self._part_of(node, operation, node.name, constant, keys)

    def _part_of(
        self, base: nodes.Expr, operation: str, name: str, constant: list[Any], keys: list[nodes.Expr]
    ) -> nodes.Node:
        labels = (name, *(f".{key}" if isinstance(key, str) else "[…]" for key in constant))
        return _operation(operation, base, nodes.Const(labels), *self._visit_all(keys))

    def _loop_part(self, node: nodes.Name, constant: list[Any]) -> nodes.Node:
        """Let Jinja read ``loop.index`` and the like."""
        if "loop" not in self._scope or len(constant) != 1 or constant[0] not in _LOOP_PARTS:
            known = ", ".join(f"loop.{part}" for part in _LOOP_PARTS)
            raise ValueError(f"this is nothing that 'loop' has; inside of a {{% for %}} use one of: {known}")
        return nodes.Getattr(node, constant[0], "load", lineno=node.lineno)

    def _optional(self, node: nodes.Expr) -> Any:
        """Read what may not exist."""
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            return self._path(node, LOOK)
        return self.visit(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        """Make a list of it: there is one kind of list."""
        return nodes.List(self._visit_all(node.items), lineno=node.lineno)

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:
        """Let what has no ``else`` give nothing."""
        node.expr2 = node.expr2 or nodes.Const(None)
        return self.generic_visit(node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        """Compare by our rules."""
        operands = [part for operand in node.ops for part in (nodes.Const(operand.op), self.visit(operand.expr))]
        return _operation(COMPARE, self.visit(node.expr), *operands)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """Put texts together by our rules."""
        return _operation(CONCAT, nodes.List(self._visit_all(node.nodes), lineno=node.lineno))

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        """Use a filter of ours with what it takes."""
        _check_use("filter", node, _FILTER_SIGNATURES)
        assert node.node is not None, "only filter blocks have none, and those are refused"
        node.node = self._optional(node.node) if node.name == "default" else self.visit(node.node)
        node.args = self._visit_all(node.args)
        for keyword in node.kwargs:
            keyword.value = self.visit(keyword.value)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        """Use a test of ours."""
        _check_use("test", node, _TEST_SIGNATURES)
        operand = self._optional(node.node) if node.name == "defined" else self.visit(node.node)
        return _operation(f"is {node.name}", operand)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """Count the steps of a loop; its variable is known in its body and its ``if``."""
        if node.recursive or not isinstance(node.target, nodes.Name) or node.target.name == "loop":
            raise ValueError(
                "a loop goes through one list under one name; write it like: {% for group in form.groups %}"
            )
        _check_name(node.target.name)
        if self._scope.count("loop") == MAX_NESTED_LOOPS:
            raise ValueError(f"loops are nested more than {MAX_NESTED_LOOPS} deep; take one out")
        around, seen = self._scope, self._seen
        values = self.visit(node.iter)
        self._scope = [*around, node.target.name]
        node.test = node.test and self.visit(node.test)
        self._scope = [*self._scope, "loop"]
        node.body = self._visit_all(node.body)
        self._scope = around
        node.iter = _operation(LOOP, values, nodes.Const((self._seen - seen) // _NODES_AN_ENTRY))
        node.else_ = self._visit_all(node.else_)
        return node


def _operation(name: str, value: nodes.Expr, *arguments: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(value, name, list(arguments), [], None, None, lineno=value.lineno)


def _is_text(key: Any) -> bool:
    return isinstance(key, str)


def _check_underscore(name: str) -> None:
    if name.startswith("_"):
        raise ValueError("names that begin with '_' do not exist here; use the names that are documented")


def _check_name(name: str) -> None:
    _check_underscore(name)
    if name == "self" or not _NAME.fullmatch(name):
        raise ValueError(f"{name[:_SHOWN]!r} is no name that can be used here; use the names that are documented")


_FILTER_SIGNATURES = {name: inspect.signature(function) for name, function in filters.FILTERS.items()}
_TEST_SIGNATURES = {name: inspect.signature(function) for name, function in filters.TESTS.items()}


def _check_use(kind: str, node: nodes.Filter | nodes.Test, known: Mapping[str, inspect.Signature]) -> None:
    """Check that there is such a filter or test, and that it takes what it is given."""
    signature = known.get(node.name)
    if signature is None:
        close = difflib.get_close_matches(node.name, known, n=1)
        remedy = f"use {close[0]!r}" if close else f"use one of: {', '.join(known)}"
        raise ValueError(f"there is no {kind} {node.name[:_SHOWN]!r}; {remedy}")
    named = [str(keyword.key) for keyword in node.kwargs]
    try:
        signature.bind(None, *node.args, **dict.fromkeys(named))
    except TypeError:
        fits = False
    else:
        fits = len(set(named)) == len(named) and node.dyn_args is None and node.dyn_kwargs is None
    if not fits:
        takes = ", ".join([*signature.parameters][1:])
        raise ValueError(f"{kind} {node.name!r} does not take this; write it as: {node.name}{takes and f'({takes})'}")
