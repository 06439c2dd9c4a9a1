"""Work for humans inside a request: asked of several, taken by one, completed with evidence.

The rules of who may do what are in `catalog.rights`; how evidence is checked is the API's and `catalog.form`'s
business: what arrives here has been.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from temporalio import workflow

from workflows.ending import Ended
from workflows.messages import Work
from workflows.operators import Operators, OperatorSaid
from workflows.patience import Patience
from workflows.record import Record
from workflows.targets import Targets, on_directory

with workflow.unsafe.imports_passed_through():
    from activities.approvers import PeopleQuery
    from activities.identity import Identity
    from catalog.fields import Field
    from catalog.journal import Entry, Kind
    from catalog.people import OPERATORS, PersonRef
    from catalog.request import Assignee, Status, Task, Waiting, WaitKind
    from catalog.stages import ApproverRule
    from catalog.text import listed
    from catalog.wording import Words


class Job(NamedTuple):
    """What is to be done, worked out for one request.

    Attributes:
        due: how soon; then the operators are told.
        within: how long at all; then they are asked.
        known: what the evidence names that the order does not tell.
        then: what comes after it, as a sentence.
    """

    title: str
    instructions: str
    rules: tuple[ApproverRule, ...]
    evidence: tuple[Field, ...]
    due: timedelta | None
    within: timedelta | None
    known: Mapping[str, Any] = MappingProxyType({})
    then: str = "The request goes on."


class Completed(NamedTuple):
    """How work was completed, and by whom."""

    answers: dict[str, Any]
    by: PersonRef


class WorkDesk:
    """The pieces of work of one request."""

    def __init__(self, record: Record, patience: Patience, targets: Targets, operators: Operators) -> None:
        self._record = record
        self._patience = patience
        self._targets = targets
        self._operators = operators
        self._jobs: dict[str, Job] = {}  # by the id of their task

    async def done(self, job: Job, *, cancellable: bool = True) -> Completed | OperatorSaid:
        """Return how the work was completed, or what the operator said who went on without it.

        Raises:
            Ended: the request was called off, by its people or by an operator.
        """
        choices = ("retry", "skip", "cancel") if cancellable else ("retry", "skip")
        while True:
            people = await self._people(job, choices, cancellable=cancellable)
            if isinstance(people, OperatorSaid):
                return people
            # Work that cannot be called off is there to take something back.
            task = self._open(job, people, Status.FULFILMENT if cancellable else Status.ROLLBACK)
            problem = await self._worked_on(job, task, cancellable=cancellable)
            task = self._record.tasks[task.id]
            if problem is None:
                return Completed(task.answers, task.decided_by[-1])
            said = await self._operators.ask(job.title, problem, choices, cancellable=cancellable)
            if said.choice == "skip":
                return said

    def handle(self, task: Task, command: Work) -> Entry:
        """Carry out what somebody does with a piece of work."""
        person, at = command.actor.person, workflow.now()
        kind = _WORK[command.act]
        changes: dict[str, Any]
        facts: dict[str, Any] = {"task": task.id, "title": task.title}
        match command.act:
            case "claim":
                changes = {"claimed_by": person}
            case "release":
                changes = {"claimed_by": None}
            case "complete":
                facts["answers"] = command.answers
                self._targets.begun = True
                changes = {"decided": "completed", "answers": command.answers, "claimed_by": person}
            case "decline":
                facts["reason"] = command.reason
                changes = {"decided": "declined", "reason": command.reason}
        if "decided" in changes:
            changes |= {"decided_by": (person,), "closed_at": at}
        changed = self._record.change_task(task.id, **changes)
        entry = self._record.note(kind, facts, actor=command.actor, command=command.command)
        if changed.decided is None:
            self._record.waits_for(self._waiting(changed))
        return entry

    async def _people(
        self, job: Job, choices: tuple[str, ...], *, cancellable: bool
    ) -> tuple[PersonRef, ...] | OperatorSaid:
        """Return who can do it; as long as there is nobody, an operator has to see to it."""
        while True:
            found = await self._named(job, cancellable=cancellable)
            if found:
                return found
            said = await self._operators.ask(_finding(job), NOBODY_WORKS, choices, cancellable=cancellable)
            if said.choice == "skip":
                return said

    async def _named(self, job: Job, *, cancellable: bool) -> tuple[PersonRef, ...]:
        """Return whom the rules name now."""
        query = PeopleQuery.of(self._record.order, job.rules)
        call = on_directory(Identity.people, query, _finding(job))
        return (await self._targets.look_up(call, cancellable=cancellable)).people[:MOST_ASKED]

    def _open(self, job: Job, people: tuple[PersonRef, ...], status: Status) -> Task:
        at = workflow.now()
        task = Task(
            id=self._record.next_task_id(),
            kind="fulfilment",
            title=job.title,
            instructions=job.instructions,
            assignees=tuple(Assignee(person=person) for person in people),
            choices=("claim", "release", "complete", "decline"),
            evidence=job.evidence,
            known=dict(job.known),
            subject=self._record.order.subject,
            opened_at=at,
            due_at=self._due(job, at),
        )
        self._jobs[task.id] = job
        self._record.open_task(task)
        facts = {
            "task": task.id,
            "title": task.title,
            "people": [{"id": person.id, "name": person.name} for person in people],
            "due_at": task.due_at.isoformat() if task.due_at else None,
        }
        self._record.note(Kind.TASK_OPENED, facts, status=status)
        self._tell(task, people)
        return task

    def _tell(self, task: Task, people: tuple[PersonRef, ...]) -> None:
        due = task.due_at.isoformat() if task.due_at else None
        about = {"task": task.id, "title": task.title, "due_at": due, "instructions": task.instructions}
        for person in people:
            self._record.owe(
                "work-needed",
                person,
                {**self._record.order.headline(), **about, "answers": self._record.order.shown_answers()},
            )

    def _ask_also(self, task_id: str, people: tuple[PersonRef, ...]) -> None:
        """Ask those who have come since the work was put up, and no longer those who are gone."""
        task = self._record.tasks[task_id]
        before = {assignee.person.id for assignee in task.assignees}
        if task.decided is not None or before == {person.id for person in people}:
            return
        changes: dict[str, Any] = {"assignees": tuple(Assignee(person=person) for person in people)}
        if task.claimed_by and task.claimed_by.id not in {person.id for person in people}:
            changes["claimed_by"] = None
        changed = self._record.change_task(task_id, **changes)
        facts = {
            "task": task_id,
            "title": task.title,
            "people": [{"id": person.id, "name": person.name} for person in people],
        }
        self._record.note(Kind.TASK_REASSIGNED, facts, rule="frame.task-overdue")
        self._tell(changed, tuple(person for person in people if person.id not in before))

    def _due(self, job: Job, at: datetime) -> datetime | None:
        """Return when the work should be done: as its author says, else when the whole request is promised."""
        if job.due:
            return at + job.due
        return self._record.order.due_at if self._record.order.due_at > at else None

    async def _worked_on(self, job: Job, task: Task, *, cancellable: bool) -> str | None:
        """Wait for the work; return None once it is done, else why it was not."""
        over = task.opened_at + job.within if job.within else None
        people: tuple[PersonRef, ...] = ()
        try:
            if task.due_at and (over is None or task.due_at < over):
                await self._ended(task, task.due_at, "The operators are told that it is overdue.", cancellable)
                if self._record.tasks[task.id].decided is None:
                    people = await self._named(job, cancellable=cancellable)
                if self._record.tasks[task.id].decided is None:
                    self._overdue(task)
                    self._ask_also(task.id, people)
                    if not people:
                        self._close(task, "expired")
                        return f"Nobody who could do this is there any more: {task.title}"
            if self._record.tasks[task.id].decided is None:
                await self._ended(task, over, "An operator is asked how to go on." if over else IT_STAYS, cancellable)
        except (Ended, asyncio.CancelledError):
            self._close(task, "cancelled")
            raise
        now = self._record.tasks[task.id]
        if now.decided == "completed":
            return None
        if now.decided is None:
            self._close(task, "expired")
            return f"Nobody has done this in time: {task.title}"
        return f"{now.decided_by[-1].name} says that it cannot be done: {now.reason}"

    async def _ended(self, task: Task, until: datetime | None, at_deadline: str, cancellable: bool) -> None:
        waiting = self._waiting(self._record.tasks[task.id], until, at_deadline)
        await self._patience.wait(
            waiting, lambda: self._record.tasks[task.id].decided is not None, cancellable=cancellable
        )

    def _waiting(self, task: Task, until: datetime | None = None, at_deadline: str = "") -> Waiting:
        before, job = self._record.waits.get(task.id), self._jobs[task.id]
        asked = Words(self._record.order.item, called={one.person.login: one.person.name for one in task.assignees})
        taken = f"{task.claimed_by.name} works on it" if task.claimed_by else "to be taken by one of those asked"
        return Waiting(
            kind=WaitKind.TASK,
            what=f"{task.title}: {taken}",
            who=(task.claimed_by,) if task.claimed_by else tuple(assignee.person for assignee in task.assignees),
            since=task.opened_at,
            until=until or (before.until if before else None),
            rule="frame.task",
            why=f"Work for {_few(job.rules, asked)}.",
            at_deadline=at_deadline or (before.at_deadline if before else ""),
            then=job.then,
            task=task.id,
        )

    def _overdue(self, task: Task) -> None:
        self._record.note(Kind.TASK_OVERDUE, {"task": task.id, "title": task.title}, rule="frame.task-overdue")
        problem = f"This is overdue: {task.title}. It stays open; who was asked can still do it."
        self._record.owe(
            "operator-needed", OPERATORS, {**self._record.order.headline(), "problem": problem, "task": task.id}
        )

    def _close(self, task: Task, decided: str) -> None:
        self._record.change_task(task.id, decided=decided, closed_at=workflow.now())


def _few(rules: Sequence[ApproverRule], words: Words) -> str:
    """Return whom rules name, of many those of the first ones: an expression may name a hundred people."""
    more = len(rules) - MOST_NAMED
    named = [words.approver(rule) for rule in rules[:MOST_NAMED]]
    return listed([*named, f"{more} more"] if more > 0 else named)


MOST_NAMED = 3
"""Of how many rules it is said whom they name."""
IT_STAYS = "It stays open until it is done."
"""What happens to work that is given no end."""
MOST_ASKED = 100
"""How many people one piece of work is put before: everybody sees who else is asked."""


def _finding(job: Job) -> str:
    return f"Find who does this: {job.title}"


_WORK: dict[str, Kind] = {
    "claim": Kind.TASK_CLAIMED,
    "release": Kind.TASK_RELEASED,
    "complete": Kind.TASK_COMPLETED,
    "decline": Kind.TASK_DECLINED,
}

NOBODY_WORKS = (
    "The directory names nobody active who could do this. Correct the directory, then retry; or skip it with a reason."
)
