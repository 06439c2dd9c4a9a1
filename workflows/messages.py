"""What is sent to a running request, and the names to send it by.

The input of every request workflow is `catalog.request.Order`; its id is the request's number. Each command is a
Temporal update whose update id is `command`, so a repeat returns the first answer. The answer is the journal
entry that the command caused, once it stands in the register.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from catalog.model import Model
from catalog.people import Actor

DECIDE = "decide"
CANCEL = "cancel"
COMMENT = "comment"
WORK = "work"
REPORT = "report"
CHILD_CLOSED = "child-closed"
"""A signal, from a request to its parent: it has ended, and how."""
CALL_OFF = "call-off"
"""A signal, from the parent of a request: what it is part of was called off."""

MAX_REASON = 4_000

TASK_QUEUE = "commissary"
"""Where request workflows and their journal writes run."""

DIRECTORY_QUEUE = "commissary-directory"
"""Where everything that talks to the directory runs."""

ORDERS_QUEUE = "commissary-orders"
"""Where requests place the orders of their parts."""


class Command(Model):
    """What all commands carry.

    Attributes:
        actor: who sends it, as the API knows them.
        command: id of the command, made from the actor and their idempotency key.
    """

    actor: Actor
    command: str


class Decide(Command):
    """Decide a task.

    Attributes:
        task: the task's id.
        choice: one of the task's choices.
        reason: why; needed to reject an approval and to skip or cancel as an operator.
        subject: digest of what the decider saw, if their client says so.
    """

    task: str
    choice: str
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""
    subject: str | None = None


class Cancel(Command):
    """Call the request off; what was done is undone."""

    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""


class Comment(Command):
    """Say something on record."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_REASON)]


class Work(Command):
    """Claim, release, complete or decline a piece of work.

    Attributes:
        task: the task's id.
        answers: the checked evidence, in its stored form, with ``complete``.
        reason: why it cannot be done, with ``decline``.
    """

    task: str
    act: Literal["claim", "release", "complete", "decline"]
    answers: dict[str, Any] = {}
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""


class Report(Command):
    """Something happened outside that a request waits for, or will; its data is plain JSON."""

    event: str
    data: dict[str, Any] = {}
