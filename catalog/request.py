"""A request: the order it starts from, and what the record says of it at any moment.

These are values only. The workflow makes them, the register keeps them, the API shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from catalog import form
from catalog.approval import Verdict
from catalog.fields import Field, Number
from catalog.item import CatalogItem
from catalog.journal import GENESIS, Entry
from catalog.model import Model, digest
from catalog.people import PersonRef, Profile
from catalog.registry import ActionUse
from catalog.stages import Quorum, Stage


class Status(StrEnum):
    """Where a request stands."""

    ACCEPTED = "accepted"
    """Taken and on record; its workflow has not begun."""
    CHECKING = "checking"
    """People and their present access are being looked up."""
    APPROVAL = "approval"
    """Somebody has to decide."""
    FULFILMENT = "fulfilment"
    """The target is being changed and read back."""
    ATTENTION = "attention"
    """An operator has to decide how to go on."""
    ROLLBACK = "rollback"
    """What was done is being undone."""
    CLOSED = "closed"
    """Ended; the outcome says how."""


class Outcome(StrEnum):
    """How a request ended."""

    FULFILLED = "fulfilled"
    """The entitlement was seen in the target."""
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    INELIGIBLE = "ineligible"
    """A rule of the item or of the platform forbids it, for example an inactive beneficiary."""
    SKIPPED = "skipped"
    """An operator closed it without the effect, with a reason."""
    PARTIAL = "partial"
    """Some of its parts were fulfilled and some not; the reason names them."""
    UNFULFILLED = "unfulfilled"
    """None of its parts was fulfilled, for different reasons, which the reason names."""


class Cost(Model):
    """What an order costs, as computed when it was placed (feature row C8).

    Attributes:
        one_off, recurring: amounts in `currency`.
        every: how often `recurring` falls due.
    """

    one_off: Number = Decimal(0)
    recurring: Number = Decimal(0)
    every: Literal["month", "year"] = "month"
    currency: str = ""
    cost_centre: str = ""

    @property
    def first_year(self) -> Decimal:
        """What it costs in its first year."""
        return self.one_off + self.recurring * (12 if self.every == "month" else 1)


class OrderLine(Model):
    """One request that an order parent starts (feature rows C5, C6).

    Attributes:
        id: unique in the order.
        item, version: what is ordered, as published.
        beneficiary: who is to have it.
        answers: of a bundle's line, the data its answers are filled from; else the checked answers.
        after: the lines that must be fulfilled first.
    """

    id: str
    item: str
    version: str
    item_name: str
    beneficiary: PersonRef
    answers: dict[str, Any] = {}
    after: tuple[str, ...] = ()


class Order(Model):
    """What somebody ordered: the input of the workflow. The item travels with it, pinned.

    Attributes:
        number: the request's number, ``REQ-1001``; also the workflow's id.
        item: the definition as it was when ordered.
        item_digest: its digest.
        answers: the checked answers, in their stored form.
        requester: who ordered.
        beneficiary: who is to have it.
        channel, auth: the road the order came by and how the requester was known.
        accepted_at: when the register took it, UTC.
        requester_profile, beneficiary_profile: what the item's rules may ask about them, as of the order.
        cost: what it costs, computed when it was placed.
        lines: of an order parent, the requests it starts.
        parent, line: the order parent that started this request, and for which of its lines.
        follows: the request that this one was copied from after it ended.
        actions: what the workflow has to know of the actions the item calls, as registered when it was ordered.
    """

    number: str
    item: CatalogItem
    item_digest: str
    answers: dict[str, Any]
    requester: PersonRef
    beneficiary: PersonRef
    channel: str = "api"
    auth: str = "password"
    accepted_at: datetime
    requester_profile: Profile = Profile()
    beneficiary_profile: Profile = Profile()
    cost: Cost | None = None
    lines: tuple[OrderLine, ...] = ()
    parent: str = ""
    line: str = ""
    follows: str = ""
    actions: dict[str, ActionUse] = {}

    @property
    def workflow_type(self) -> str:
        """The workflow that carries the order out."""
        return "BundleRequest" if self.lines else self.item.workflow_type

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The approval stages of this very request: the parent of one item for several people has none of its own."""
        return () if any(line.item == self.item.id for line in self.lines) else self.item.approvals

    @property
    def due_at(self) -> datetime:
        """When the promise of the item's SLA is over."""
        return self.accepted_at + self.item.sla.target

    def headline(self) -> dict[str, str]:
        """Return what every message about the request begins with."""
        return {
            "number": self.number,
            "item": self.item.name,
            "requester": self.requester.name,
            "beneficiary": self.beneficiary.name,
        }

    def shown_answers(self) -> list[list[str]]:
        """Return the answers as people read them: pairs of label and value, in the form's order."""
        return [
            [field.label, form.shown(field, self.answers[field.id])]
            for field in self.item.form
            if field.id in self.answers
        ]

    @property
    def subject(self) -> str:
        """Digest of what approvers vote on: the item, the answers and for whom (feature row A22's ground)."""
        return digest({"item": self.item_digest, "answers": self.answers, "beneficiary": self.beneficiary.id})


class WaitKind(StrEnum):
    """What kind of thing a request waits for."""

    ENGINE = "engine"
    """The workflow engine has not begun it."""
    PEOPLE = "people"
    SYSTEM = "system"
    OPERATOR = "operator"
    TASK = "task"
    """Somebody has to do some work."""
    TIME = "time"
    """A moment has to come."""
    EVENT = "event"
    """Something outside has to be reported."""
    REQUESTS = "requests"
    """Other requests have to end."""


class Waiting(Model):
    """One thing an open request waits for (feature row W1).

    Attributes:
        what: in words, for the requester.
        who: the people who can end the wait; empty when it is a system or a role.
        since: when the wait began.
        until: when it ends by itself, if it does.
        rule: the id of the rule that put it there.
        at_deadline: what happens at `until`, in words.
        then: what comes after it, in words.
        task: the task whose decision ends it.
    """

    kind: WaitKind
    what: str
    who: tuple[PersonRef, ...] = ()
    since: datetime
    until: datetime | None = None
    rule: str
    at_deadline: str = ""
    then: str = ""
    task: str | None = None


class Assignee(Model):
    """Somebody asked to decide a task, and what they said."""

    person: PersonRef
    verdict: Verdict | None = None
    at: datetime | None = None


class Task(Model):
    """Something a human has to decide or to do.

    Attributes:
        id: ``<request number>.<n>``.
        kind: ``approval``: the assignees decide; ``operator``: any operator decides; ``fulfilment``: one of the
            assignees claims it, does the work and completes it.
        title: what is asked, in a line.
        stage: the approval stage it stands for.
        quorum: of the stage.
        assignees: who is asked.
        choices: the decisions there are, for example ``approve``, ``reject``.
        problem: what went wrong and what can be done, for an operator.
        instructions: how the work is done.
        evidence: what has to be filled in to complete it; `answers` is what was.
        known: what the evidence names that the order does not tell; see `names.for_evidence`.
        claimed_by: who has taken it.
        subject: digest of what is decided on.
        decided: how it ended: a choice, ``expired`` or ``cancelled``; None while open.
        decided_by: the humans whose decisions count, last one last.
        reason: what the last of them said.
    """

    id: str
    kind: Literal["approval", "operator", "fulfilment"]
    title: str
    stage: str | None = None
    quorum: Quorum = "any"
    assignees: tuple[Assignee, ...] = ()
    choices: tuple[str, ...]
    problem: str | None = None
    instructions: str = ""
    evidence: tuple[Field, ...] = ()
    known: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    claimed_by: PersonRef | None = None
    subject: str
    opened_at: datetime
    due_at: datetime | None = None
    decided: str | None = None
    decided_by: tuple[PersonRef, ...] = ()
    reason: str = ""
    closed_at: datetime | None = None


class Projection(Model):
    """What the register shows of a request as of journal entry `seq`.

    Attributes:
        step: how long the engine's history was when it was made: a later step is never older. A step that was done
            again can have the same length; then `updated_at` tells which is the later one.
    """

    number: str
    seq: int
    step: int = 0
    status: Status
    outcome: Outcome | None = None
    reason: str = ""
    waiting: tuple[Waiting, ...] = ()
    tasks: tuple[Task, ...] = ()
    due_at: datetime | None = None
    updated_at: datetime
    closed_at: datetime | None = None


Template = Literal["approval-needed", "operator-needed", "work-needed", "message", "closed"]
"""The messages there are: the names of the files in catalog/templates."""


class Notice(Model):
    """A message that somebody is owed because something happened (feature row N2).

    Attributes:
        event: ``<request number>/<seq>``: the journal entry it comes from. With the recipient it is the key:
            one event tells one person at most once.
        template: the name of the template in catalog/templates.
        to: who is told.
        data: what the template needs; plain JSON.
    """

    event: str
    template: Template
    to: PersonRef
    data: dict[str, Any] = {}


class Batch(Model):
    """What one flush writes, in one transaction: entries, the state they lead to, and the notices they cause.

    A request may open many tasks, so a batch usually brings only those that changed, to be laid over those that stand.

    Attributes:
        whole: whether the projection holds all tasks the request ever opened. If not, those that have changed since
            the entry before the first one here; what was made by a release that knew no other is whole.
    """

    entries: tuple[Entry, ...]
    projection: Projection
    notices: tuple[Notice, ...] = ()
    whole: bool = True

    def first_changed(self, standing: Mapping[int, str]) -> int | None:
        """Return the seq of the first entry that stands with another content; None if all that stand are the same.

        Args:
            standing: the digests of entries that stand, by seq.
        """
        changed = (entry.seq for entry in self.entries if standing.get(entry.seq, entry.digest) != entry.digest)
        return min(changed, default=None)

    def fits(self, standing: Mapping[int, str]) -> bool:
        """Return whether the tasks that stand are those it was made over; one that is whole needs none.

        Args:
            standing: the digests of entries that stand, by seq, from the one before its first entry on.
        """
        if self.whole:
            return True
        first = self.entries[0]
        return first.previous == standing.get(first.seq - 1, GENESIS) and self.first_changed(standing) is None

    def over(self, tasks: Iterable[Task]) -> Projection:
        """Return the state it leads to, with all tasks; `tasks` are those that stand, in the order they were opened."""
        if self.whole:
            return self.projection
        merged = {task.id: task for task in (*tasks, *self.projection.tasks)}
        return self.projection.model_copy(update={"tasks": tuple(merged.values())})
