"""Operators: those who decide how to go on where the platform cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from temporalio import workflow

from workflows.ending import Ended
from workflows.messages import Decide
from workflows.patience import Patience
from workflows.record import Record

with workflow.unsafe.imports_passed_through():
    from catalog.journal import Entry, Kind
    from catalog.people import OPERATORS, Actor
    from catalog.request import Outcome, Status, Task, Waiting, WaitKind
    from catalog.text import listed


_CHOICES = {"retry": "have it tried again", "skip": "leave it out", "cancel": "call the request off"}
"""What operators may decide, as whoever waits reads it."""


class OperatorSaid(NamedTuple):
    """How an operator decided a task."""

    choice: str
    reason: str
    by: Actor


class Operators:
    """Puts questions to the operators and takes their answers."""

    def __init__(self, record: Record, patience: Patience) -> None:
        self._record = record
        self._patience = patience
        self._said: dict[str, OperatorSaid] = {}

    async def ask(
        self, what: str, problem: str, choices: tuple[str, ...], *, then: str = "", cancellable: bool = True
    ) -> OperatorSaid:
        """Ask how to go on and return what one of them said; the `problem` is for their eyes only.

        `then` says what they do about it, if that is not plain from their choices.

        Raises:
            Ended: they called the request off, or its people did.
        """
        task = self._open(what, problem, choices)
        await self._wait(task, lambda: task.id in self._said, then=then, cancellable=cancellable)
        return self._answer(task)

    async def ask_while(
        self, wanted: Callable[[], bool], what: str, problem: str, choices: tuple[str, ...], why: str = ""
    ) -> OperatorSaid | None:
        """Ask how to go on as long as that has to be known; None if it has not to be any more.

        `why` tells everybody who sees the request what they are asked for.

        Raises:
            Ended: they called the request off, or its people did.
        """
        task = self._open(what, problem, choices)
        await self._wait(task, lambda: task.id in self._said or not wanted(), why=why)
        if task.id in self._said:
            return self._answer(task)
        self._close(task, "cancelled", None, "This has not to be known any more.")
        return None

    async def _wait(
        self, task: Task, done: Callable[[], bool], *, why: str = "", then: str = "", cancellable: bool = True
    ) -> None:
        waiting = Waiting(
            kind=WaitKind.OPERATOR,
            what=f"An operator has to see to this: {task.title}",
            since=task.opened_at,
            rule="frame.operator",
            why=why,
            then=then or f"They {listed((_CHOICES[choice] for choice in task.choices), 'or')}.",
            task=task.id,
        )
        try:
            await self._patience.wait(waiting, done, cancellable=cancellable)
        except (Ended, asyncio.CancelledError) as ending:
            self._close(task, "cancelled", ending.by if isinstance(ending, Ended) else None, str(ending))
            raise

    def _answer(self, task: Task) -> OperatorSaid:
        said = self._said[task.id]
        if said.choice == "cancel":
            raise Ended(Outcome.CANCELLED, f"{said.by.person.name} called it off: {said.reason}", by=said.by)
        return said

    def are_asked(self) -> bool:
        """Return whether an answer of theirs is awaited."""
        return any(task.kind == "operator" and task.decided is None for task in self._record.tasks.values())

    def decided(self, task: Task, command: Decide) -> Entry:
        """Carry out an operator's choice."""
        self._said[task.id] = OperatorSaid(command.choice, command.reason, command.actor)
        facts = {"task": task.id, "choice": command.choice, "reason": command.reason}
        self._close(task, command.choice, command.actor, command.reason)
        return self._record.note(Kind.OPERATOR_DECIDED, facts, actor=command.actor, command=command.command)

    def _open(self, what: str, problem: str, choices: tuple[str, ...]) -> Task:
        task = Task(
            id=self._record.next_task_id(),
            kind="operator",
            title=what,
            choices=choices,
            problem=problem,
            subject=self._record.order.subject,
            opened_at=workflow.now(),
        )
        self._record.open_task(task)
        facts = {"task": task.id, "choices": list(choices)}
        self._record.note(Kind.OPERATOR_ASKED, facts, status=Status.ATTENTION)
        self._record.owe(
            "operator-needed", OPERATORS, {**self._record.order.headline(), "problem": problem, "task": task.id}
        )
        return task

    def _close(self, task: Task, decided: str, by: Actor | None, reason: str) -> None:
        decided_by = (by.person,) if by else ()
        self._record.change_task(
            task.id, decided=decided, decided_by=decided_by, reason=reason, closed_at=workflow.now()
        )
