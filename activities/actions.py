"""Actions: what a step may `call`, declared with its models, so that its kind can be known without running it.

An action is a method, marked with `action`, of a class whose instances hold the ports it needs; an `ActionSet` names
the class and how an instance is made. Shipped sets and those of other packages are declared alike and found by
`activities.plugins`. How an action becomes an activity is `activities.serving`'s business: nothing here knows the
workflow engine.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeGuard, TypeVar, get_type_hints

from pydantic import ConfigDict

from activities.ports import Ports
from catalog.access import Observed
from catalog.model import Model
from catalog.registry import ActionSpec

F = TypeVar("F", bound=Callable[..., Model])

_MARK = "__action__"


def queue_of(system: str) -> str:
    """Return the task queue on which a system's activities run."""
    return f"commissary-{system}"


class ActionInput(Model):
    """The base of what an action takes: people write it, so an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Found(Model):
    """The base of what a look-up gives: nothing of it is a request's doing."""

    ours: Literal[False] = False


@dataclass(frozen=True)
class Action:
    """What is known of an action without making it.

    Attributes:
        method: the name of the method that does it.
        input: the model of what it takes.
    """

    spec: ActionSpec
    method: str
    input: type[Model]


@dataclass(frozen=True)
class ActionSet:
    """The actions on one system.

    Attributes:
        system: its name, the part of the ids before the dot; its task queue follows from it.
        kind: the class whose methods they are.
        open: makes an instance, from its own settings or from the ports that are there; closed when the worker ends.
    """

    system: str
    kind: type
    open: Callable[[Ports], AbstractContextManager[Any]]

    def actions(self) -> tuple[Action, ...]:
        """Return the actions that the class declares.

        Raises:
            TypeError: one of them is not declared as it should be; the message says how.
        """
        found = _declared(self.kind)
        for one in found:
            if one.spec.system != self.system:
                raise TypeError(f"the action {one.spec.id!r} must be called '{self.system}.<verb>', as its set is")
        if not found:
            raise TypeError(f"{self.kind.__qualname__} has no method that is marked as an action")
        return found


def action(name: str, *, undo: str | None = None, changes: bool = True, idempotent: bool = True) -> Callable[[F], F]:
    """Declare a method ``(self, input) -> result`` an action; its docstring begins with the summary.

    The input is a `catalog.model.Model`, best an `ActionInput`. The result is a `catalog.access.Observed` with values
    of its own, or a `Found` if the action only looks.

    Args:
        name: ``<system>.<verb>``.
        undo: the action that takes it back; it gets what its input names of this one's result and input.
        changes: false if it only looks.
        idempotent: whether it may simply be tried again after an unknown outcome.
    """

    def mark(method: F) -> F:
        setattr(method, _MARK, {"id": name, "undo": undo, "changes": changes, "idempotent": idempotent})
        return method

    return mark


@cache  # what a class declares stays; its JSON Schemas take a while
def _declared(kind: type) -> tuple[Action, ...]:
    methods = inspect.getmembers(kind, inspect.isfunction)
    return tuple(_action(name, one, getattr(one, _MARK)) for name, one in methods if hasattr(one, _MARK))


def _action(name: str, method: Callable[..., Any], marked: dict[str, Any]) -> Action:
    given, result = _models(method, Observed if marked["changes"] else Found)
    spec = ActionSpec(
        **marked,
        summary=(inspect.getdoc(method) or "").partition("\n")[0],
        input=given.model_json_schema(),
        result=result.model_json_schema(mode="serialization"),
    )
    if not spec.summary:
        raise TypeError(f"the action {spec.id!r} needs a docstring: its first line is what authors read")
    return Action(spec=spec, method=name, input=given)


def _models(method: Callable[..., Any], gives: type[Model]) -> tuple[type[Model], type[Model]]:
    hints = get_type_hints(method)
    result = hints.pop("return", None)
    given = next(iter(hints.values()), None)
    if len(hints) != 1 or not _is(given, Model) or not _is(result, gives):
        raise TypeError(f"{method.__qualname__} must take one catalog.model.Model and return a {gives.__name__}")
    return given, result


def _is(kind: Any, base: type[Model]) -> TypeGuard[type[Model]]:
    return isinstance(kind, type) and issubclass(kind, base)
