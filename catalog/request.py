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
from catalog.ballot import Verdict
from catalog.calendar import Calendar
from catalog.delegation import Matter
from catalog.fields import Field, Number
from catalog.item import CatalogItem
from catalog.journal import GENESIS, Entry
from catalog.model import Model, digest
from catalog.people import PersonRef, Profile
from catalog.registry import ActionUse
from catalog.slate import Named, Parties
from catalog.stages import Quorum, Stage, answers_in
from catalog.terms import Terms


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
    SUPERSEDED = "superseded"
    """Another order took its place before it was carried out."""
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


class Amendment(Model):
    """What an order became while it was being approved: all its answers, and what it costs now (feature row A22).

    Attributes:
        of: digest of the order that it was worked out from, so that of two changes at once neither undoes the other.
    """

    answers: dict[str, Any]
    cost: Cost | None = None
    of: str = ""


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
        replaces: the open request whose place this one takes.
        actions: what the workflow has to know of the actions the item calls, as registered when it was ordered.
        terms: its priority, and the clocks that measure it.
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
    replaces: str = ""
    actions: dict[str, ActionUse] = {}
    terms: Terms = Terms()

    def amended(self, amendment: Amendment | None) -> Order:
        """Return the order as it stands after it was changed."""
        if amendment is None:
            return self
        return self.model_copy(update={"answers": amendment.answers, "cost": amendment.cost})

    @property
    def workflow_type(self) -> str:
        """The workflow that carries the order out."""
        return "BundleRequest" if self.lines else self.item.workflow_type

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The approval stages of this very request: the parent of one item for several people has none of its own."""
        return () if any(line.item == self.item.id for line in self.lines) else self.item.approvals

    @property
    def people(self) -> tuple[PersonRef, ...]:
        """Who ordered it and who is to have it, each once."""
        return tuple({person.id: person for person in (self.requester, self.beneficiary)}.values())

    @property
    def parties(self) -> Parties:
        """Whose request it is, and what is decided on."""
        cost = self.cost or Cost()
        return Parties(
            requester_id=self.requester.id,
            beneficiary_id=self.beneficiary.id,
            matter=Matter(
                item=self.item.id,
                category=self.item.category,
                first_year=cost.first_year if self.cost else None,
                currency=cost.currency,
            ),
        )

    @property
    def stands_for(self) -> str | None:
        """Digest of what only one open request may be for; None where any number may (feature row C12)."""
        if self.item.duplicates == "allow":
            return None
        same = {name: self.answers.get(name) for name in self.item.distinct_by}
        return digest({"item": self.item.id, "beneficiary": self.beneficiary.id, "answers": same})

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

    def changes_since(self, before: Order) -> list[list[str]]:
        """Return the answers that differ, as people read them: label, before, now; empty where there is none."""
        changed = (field for field in self.item.form if before.answers.get(field.id) != self.answers.get(field.id))
        return [[field.label, *(_shown(field, order.answers) for order in (before, self))] for field in changed]

    @property
    def subject(self) -> str:
        """Digest of what approvers vote on: the item, the answers and for whom (feature row A22's ground)."""
        return self._subject(self.answers)

    def subject_of(self, stage: Stage) -> str:
        """Return the digest of what one stage votes on: without the answers that do not concern it."""
        if stage.concerns is None:
            return self.subject
        depends = {*stage.concerns, *answers_in(stage)}
        cost = self.cost.model_dump(mode="json") if self.cost else None
        return self._subject({field: answer for field, answer in self.answers.items() if field in depends}, cost=cost)

    def _subject(self, answers: dict[str, Any], **other: Any) -> str:
        return digest({"item": self.item_digest, "answers": answers, "beneficiary": self.beneficiary.id, **other})


def _shown(field: Field, answers: Mapping[str, Any]) -> str:
    return form.shown(field, answers[field.id]) if field.id in answers else ""


class WaitKind(StrEnum):
    """What kind of thing a request waits for."""

    ENGINE = "engine"
    """The workflow engine has not begun it."""
    PEOPLE = "people"
    SYSTEM = "system"
    OPERATOR = "operator"
    TASK = "task"
    """Somebody has to do some work."""
    INFORMATION = "information"
    """Who ordered it has to answer a question."""
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
        whom: who or what can end it where that is nobody by name, in words; see `by_whom`.
        on_behalf_of: by the id of one of them, in whose place they are asked, if they are (feature row A8).
        since: when the wait began.
        until: when it ends by itself, if it does.
        next_at: when people are next reminded of it, or told that its end comes near, if they are.
        calendar: the name of the calendar in which that was counted; empty if it is clock time.
        rule: the id of the rule that put it there, or of several: ``approver.manager & approval.joined``.
        why: why these people, and who was passed over and why not, in words; empty where that needs no word.
        at_deadline: what happens at `until`, in words.
        then: what comes after it, in words.
        task: the task whose decision ends it.
        event: the name of the event whose report ends it.
    """

    kind: WaitKind
    what: str
    who: tuple[PersonRef, ...] = ()
    whom: str = ""
    on_behalf_of: dict[str, tuple[PersonRef, ...]] = {}
    since: datetime
    until: datetime | None = None
    next_at: datetime | None = None
    calendar: str = ""
    rule: str
    why: str = ""
    at_deadline: str = ""
    then: str = ""
    task: str | None = None
    event: str | None = None

    def by_whom(self) -> str:
        """Return who or what can end it, in words; empty where `who` names people."""
        return "" if self.who else self.whom or _WHOM[self.kind]


_WHOM = {
    WaitKind.ENGINE: "the workflow engine",
    WaitKind.PEOPLE: "nobody at present",
    WaitKind.SYSTEM: "another system",
    WaitKind.OPERATOR: "an operator",
    WaitKind.TASK: "nobody at present",
    WaitKind.INFORMATION: "nobody at present",
    WaitKind.TIME: "nobody, only time",
    WaitKind.EVENT: "an operator, or a system that reports it",
    WaitKind.REQUESTS: "whoever that request waits for",
}
"""Who or what ends a wait of a kind, where nothing more is known."""


class Assignee(Model):
    """Somebody asked to decide a task, and what they said.

    Attributes:
        verdict: what they said; None as long as they are asked, be it once more in the place of others.
        by: who said it in their place.
        on_behalf_of: whose decision they may take, or have taken, beside their own.
        own: whether they are asked in their own right; if not, only in the place of others.
        escalated: whether it came to them because others did not decide in time.
        voted: whether a vote of theirs counts, which they may take back; also if another decided in their own place,
            or they are asked once more.
    """

    person: PersonRef
    verdict: Verdict | None = None
    at: datetime | None = None
    by: PersonRef | None = None
    on_behalf_of: tuple[PersonRef, ...] = ()
    own: bool = True
    escalated: bool = False
    voted: bool = False


class Task(Model):
    """Something a human has to decide or to do.

    Attributes:
        id: ``<request number>.<n>``.
        kind: ``approval``: the assignees decide; ``operator``: any operator decides; ``fulfilment``: one of the
            assignees claims it, does the work and completes it; ``information`` and ``advice``: one of the assignees
            answers a question of somebody who decides.
        title: what is asked, in a line.
        stage: the approval stage it stands for.
        quorum: of the stage; None where an approval expression says who must approve.
        needs: what must be approved, in sentences; empty where one of those asked is enough.
        assignees: who is asked.
        choices: the decisions there are, for example ``approve``, ``reject``.
        problem: what went wrong and what can be done, for an operator.
        instructions: how the work is done.
        evidence: what has to be filled in to complete it; `answers` is what was.
        known: what the evidence names that the order does not tell; see `names.for_evidence`.
        claimed_by: who has taken it.
        removed: who was asked once and is no longer, by id.
        late: who could once decide it and comes too late, because others have in their place, by id.
        named: of an approval, what was found when its people were last looked up.
        subject: digest of what is decided on.
        bulk: whether it may be decided together with others in one go (feature row A17).
        acts_in: the working time in which alone it is decided (feature row A24).
        nudged_at: when who waits for it last asked for a decision.
        decided: how it ended: a choice, ``expired``, ``cancelled`` or ``superseded``; None while open.
        decided_by: the humans whose decisions count, last one last.
        reason: what the last of them said.
        brief: whether this holds only that it was decided: the register has the rest.
    """

    id: str
    kind: Literal["approval", "operator", "fulfilment", "information", "advice"]
    title: str
    stage: str | None = None
    quorum: Quorum | None = "any"
    needs: str = ""
    assignees: tuple[Assignee, ...] = ()
    choices: tuple[str, ...]
    problem: str | None = None
    instructions: str = ""
    evidence: tuple[Field, ...] = ()
    known: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    claimed_by: PersonRef | None = None
    removed: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    named: Named | None = None
    subject: str
    bulk: bool = True
    acts_in: Calendar | None = None
    nudged_at: datetime | None = None
    opened_at: datetime
    due_at: datetime | None = None
    decided: str | None = None
    decided_by: tuple[PersonRef, ...] = ()
    reason: str = ""
    closed_at: datetime | None = None
    brief: bool = False

    def in_brief(self) -> Task:
        """Return what has to be remembered of it once it is decided; as it is while it is open."""
        if self.decided is None:
            return self
        return Task(
            id=self.id,
            kind=self.kind,
            title=self.title,
            stage=self.stage,
            choices=self.choices,
            subject=self.subject,
            opened_at=self.opened_at,
            decided=self.decided,
            closed_at=self.closed_at,
            brief=True,
        )


class Projection(Model):
    """What the register shows of a request as of journal entry `seq`.

    Attributes:
        step: how long the engine's history was when it was made: a later step is never older. A step that was done
            again can have the same length; then `updated_at` tells which is the later one.
        amendment: what the order became, if it was changed since it was placed.
        clock_at: when one of its clocks warns or is breached next, if nothing happens before.
    """

    number: str
    seq: int
    step: int = 0
    status: Status
    outcome: Outcome | None = None
    reason: str = ""
    waiting: tuple[Waiting, ...] = ()
    tasks: tuple[Task, ...] = ()
    amendment: Amendment | None = None
    due_at: datetime | None = None
    clock_at: datetime | None = None
    updated_at: datetime
    closed_at: datetime | None = None


Template = Literal[
    "approval-needed",
    "reminder",
    "deadline-near",
    "question",
    "answered",
    "advice-needed",
    "amended",
    "clock",
    "operator-needed",
    "work-needed",
    "message",
    "closed",
    "late-timer",
    "delegation-set",
    "delegation-withdrawn",
    "digest",
]
"""The messages there are: the names of the files in catalog/templates."""


class Notice(Model):
    """A message that somebody is owed because something happened (feature row N2).

    Attributes:
        event: ``<request number>/<seq>``: the journal entry it comes from, with ``+1`` … if it is a further one about
            it; ``delegation:<id>/<set|withdrawn>`` if it is about a delegation; ``digest:<event>`` of one that was put
            together from several, the event being that of the first. With the recipient it is the key: one event
            tells one person at most once.
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
        standing = {task.id: task for task in tasks}
        brought = {task.id: standing.get(task.id, task) if task.brief else task for task in self.projection.tasks}
        merged = brought if self.whole else standing | brought
        return self.projection.model_copy(update={"tasks": tuple(merged.values())})
