"""What is sent to a running request, and the names to send it by.

The input of every request workflow is `catalog.request.Order`; its id is the request's number. Each command is a
Temporal update whose update id is `command`, so a repeat returns the first answer. The answer is the journal
entry that the command caused, once it stands in the register.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from catalog.model import Model
from catalog.people import Actor, PersonRef
from catalog.request import Amendment

DECIDE = "decide"
CONSIDER = "consider"
AMEND = "amend"
CANCEL = "cancel"
COMMENT = "comment"
WORK = "work"
REPORT = "report"
CHILD_CLOSED = "child-closed"
"""A signal, from a request to its parent: it has ended, and how."""
CALL_OFF = "call-off"
"""A signal, from the parent of a request: what it is part of was called off."""
REPLACED = "replaced"
"""A signal, from a request to the one that it replaces; carries `Replaced`."""
LOOK_AGAIN = "look-again"
"""A signal, from the API: who may decide may have changed; carries `LookAgain`."""

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
        amendment: what they make of the order by deciding it: less than was asked for (feature row A11).
        not_for: in whose place they no longer decide, by id: a delegation was withdrawn (feature row A8).
    """

    task: str
    choice: str
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""
    subject: str | None = None
    amendment: Amendment | None = None
    not_for: tuple[str, ...] = ()


class Consider(Command):
    """Do something about a decision short of deciding (feature rows A9, A10, A21).

    Attributes:
        task: the task of the decision, of the question or of the advice.
        act: ``withdraw`` one's vote; ``reassign`` a seat; ``add`` an approver; ``consult`` somebody; ``ask`` the
            requester; ``advise`` and ``answer`` what one was asked; ``remind`` those who have not decided.
        person: to whom it goes.
        seat: by person id, whose seat is reassigned; the actor's own unless it says so.
        text: the question, the answer, or why.
        not_for: in whose place they no longer take a vote back, by id: see `Decide`.
    """

    task: str
    act: Literal["withdraw", "reassign", "add", "consult", "advise", "ask", "answer", "remind"]
    person: PersonRef | None = None
    seat: str = ""
    text: Annotated[str, Field(max_length=MAX_REASON)] = ""
    not_for: tuple[str, ...] = ()


class Amend(Command):
    """Change what was ordered while it is being approved; everything was checked as for a new order.

    Attributes:
        said: digest of what the client sent; another body with the same idempotency key is refused by it.
    """

    amendment: Amendment
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""
    said: str = ""


class Cancel(Command):
    """Call the request off; what was done is undone."""

    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""


class Replaced(Cancel):
    """Call the request off because another one takes its place: the one of that number."""

    number: str


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


class LookAgain(Model):
    """Who may decide is not what it was; telling it twice changes nothing.

    Attributes:
        people: the ids of those about whom something has changed.
        stages: the ids of the stages whose rules name other people now.
        rule: ``delegation.begins``, ``delegation.ends`` or ``people.changed``.
    """

    people: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    rule: str
