"""What an item may name that is code: workflows, actions, providers.

The code itself registers in the rooms that run it; this is what the catalog has to know of it, so that lint can check
a name, the API can check an input, and the documentation can list everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.model import Model


class WorkflowSpec(Model):
    """A registered workflow type.

    Attributes:
        parameters: JSON Schema of what an item may write under `parameters`.
        entitlement: whether the item must say what it gives.
    """

    id: str
    summary: str
    parameters: dict[str, Any] = {"type": "object", "additionalProperties": False}
    entitlement: bool = False


class ActionUse(Model):
    """What a running request has to know of an action; it travels with the order.

    Attributes:
        idempotent: whether it may simply be tried again after an unknown outcome.
        undo: id of the action that takes it back.
        changes: whether it changes anything; what only looks needs no undo.
        takes: the names of its input.
    """

    idempotent: bool = True
    undo: str | None = None
    changes: bool = True
    takes: tuple[str, ...] = ()

    def taken_from(self, given: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
        """Return its input as the undo of a call with that input and result: what it takes of the two.

        What the call was given comes before what it gave.
        """
        return {key: value for key, value in {**result, **given}.items() if key in self.takes}


class ActionSpec(Model):
    """A registered action: what `call` names.

    Attributes:
        id: ``<system>.<verb>``; it runs on the task queue of its system.
        input, result: JSON Schemas of what it takes and gives.
        idempotent, undo, changes: see `ActionUse`.
    """

    id: str
    summary: str
    input: dict[str, Any]
    result: dict[str, Any]
    idempotent: bool = True
    undo: str | None = None
    changes: bool = True

    @property
    def system(self) -> str:
        """The system it runs on."""
        return self.id.partition(".")[0]

    def use(self) -> ActionUse:
        """Return what a running request has to know of it."""
        takes = tuple(self.input.get("properties", {}))
        return ActionUse(idempotent=self.idempotent, undo=self.undo, changes=self.changes, takes=takes)


class ProviderSpec(Model):
    """A registered provider of choices."""

    id: str
    summary: str


class Known(Model):
    """Everything that is registered, by id."""

    workflows: dict[str, WorkflowSpec] = {}
    actions: dict[str, ActionSpec] = {}
    providers: dict[str, ProviderSpec] = {}
