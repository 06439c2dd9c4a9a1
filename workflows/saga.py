"""Undoing: a stack of what to take back if a request ends after it has begun to change something.

An undo is registered *before* the effect it takes back, because a failed or unanswered attempt may have
half-succeeded. Undoing runs in reverse order and is shielded: once begun, no cancellation stops it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from temporalio import workflow

from workflows.ending import Ended

R = TypeVar("R")


class Saga:
    """A context in which effects belong together: at its end all of them stand, or none."""

    def __init__(self, commit: Callable[[], None]) -> None:
        """`commit` is called at a good end; it may still raise `Ended`."""
        self._commit = commit
        self._undo: list[Callable[[], Awaitable[None]]] = []

    def undo(self, step: Callable[[], Awaitable[None]]) -> None:
        """Register how to take the next effect back; `step` must succeed also when there is nothing to take back."""
        self._undo.append(step)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, or undo and let the ending go on."""
        if error is None:
            try:
                self._commit()
            except Ended:
                await shielded(self._roll_back())
                raise
        # Nothing but an ending undoes: any other exception is a fault in the code, which fails the workflow task;
        # the effects stay as they are until a corrected worker goes on.
        elif isinstance(error, (Ended, asyncio.CancelledError)):
            await shielded(self._roll_back())

    async def _roll_back(self) -> None:
        while self._undo:
            await self._undo.pop()()


async def shielded(work: Coroutine[Any, Any, R]) -> R:
    """Return what `work` returns, however often the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue  # cancelling again changes nothing: the request is ending already
    return task.result()


async def finished(tasks: list[asyncio.Task[None]]) -> None:
    """Return when all tasks have ended, however they did."""
    await workflow.wait_condition(lambda: all(task.done() for task in tasks))


async def _stopped(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await shielded(finished(tasks))


async def together(branches: list[Coroutine[Any, Any, None]]) -> None:
    """Return when all branches are through; when one ends the request, the others stop at their waits first."""
    tasks = [asyncio.create_task(branch) for branch in branches]
    if not tasks:
        return
    # Not in a `finally`: a workflow that is dropped from memory is closed there, where nothing can be awaited.
    try:
        await workflow.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    except asyncio.CancelledError:
        await _stopped(tasks)
        raise
    # What the others come to while they are stopped is not what ended them, so it is looked at before.
    failed = [error for task in tasks if task.done() and not task.cancelled() and (error := task.exception())]
    for error in failed:
        if not isinstance(error, Ended):
            # A fault in the code. To stop the others would stand in the history, where a mended worker finds it.
            raise error
    await _stopped(tasks)
    if failed:
        raise failed[0]
    if any(task.cancelled() for task in tasks):
        raise asyncio.CancelledError
