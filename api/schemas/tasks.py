"""Tasks: what is sent to decide or do one, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field

from api.limits import Text
from api.problems import DecideAlone, Problem, ProblemBody
from api.schemas.base import In, Login, Out, PersonOut, Reason
from api.schemas.journal import EntryOut
from catalog import answers, rights
from catalog.ballot import Verdict
from catalog.fields import Field as FormField
from catalog.journal import Entry
from catalog.people import Actor
from catalog.request import Status, Task
from catalog.stages import Quorum
from records.register import RequestView


class ChoiceIn(In):
    """What somebody decides; `subject` is the task's, as the decider saw it."""

    choice: Annotated[Text, Field(max_length=63)]
    reason: Reason = ""
    subject: Annotated[Text, Field(max_length=100)] | None = None


class DecisionIn(ChoiceIn):
    """A decision; `answers` are what an approver makes smaller by approving it (feature row A11)."""

    answers: dict[Text, Any] = {}


class DecisionOfIn(ChoiceIn):
    """One decision of several."""

    task: Annotated[Text, Field(max_length=60)]


class DecisionsIn(In):
    """Several decisions in one go (feature row A17)."""

    decisions: Annotated[tuple[DecisionOfIn, ...], Field(min_length=1, max_length=100)]


class WhyIn(In):
    """Why something is done."""

    reason: Reason = ""


class ReassignmentIn(WhyIn):
    """To whom a decision goes; whose it was, if it is not one's own."""

    to: Login
    instead_of: Login | None = Field(None, alias="from")


class ApproverIn(WhyIn):
    """Who is to approve as well."""

    person: Login


class ConsultationIn(In):
    """Whose advice is asked, and on what."""

    person: Login
    question: Reason


class TextIn(In):
    """A question, or an answer to one."""

    text: Reason


class EvidenceIn(In):
    """What a piece of work asks for when it is done."""

    answers: dict[Text, Any] = {}


class DeclineIn(In):
    """Why a piece of work cannot be done."""

    reason: Reason = ""


class AssigneeOut(Out):
    """Somebody asked, and what they said."""

    person: PersonOut
    verdict: Verdict | None
    at: datetime | None
    by: PersonOut | None = Field(description="Who said it in their place.")
    on_behalf_of: tuple[PersonOut, ...] = Field(description="In whose place they may decide, or have decided.")
    own: bool = Field(description="Whether they are asked in their own right.")
    escalated: bool = Field(description="Whether it came to them because others did not decide in time.")


class TaskOut(Out):
    """Something a human has to decide or to do."""

    id: str
    kind: Literal["approval", "operator", "fulfilment", "information", "advice"]
    title: str
    stage: str | None
    quorum: Quorum | None = Field(description="How many must approve; null where an expression says it: see `needs`.")
    needs: str = Field(description="What must be approved, in sentences; empty where one of those asked is enough.")
    assignees: tuple[AssigneeOut, ...]
    choices: tuple[str, ...]
    problem: str | None
    instructions: str
    evidence: tuple[FormField, ...]
    answers: dict[str, Any]
    claimed_by: PersonOut | None
    subject: str
    opened_at: datetime
    due_at: datetime | None
    decided: str | None
    decided_by: tuple[PersonOut, ...]
    reason: str
    closed_at: datetime | None
    bulk: bool = Field(description="Whether it may be decided together with others.")
    can: tuple[str, ...] = Field(description="What the viewer can do about it now.")


class Look(NamedTuple):
    """Who looks, and when."""

    viewer: Actor
    at: datetime

    def sees(self, task: Task) -> bool:
        """Return whether somebody who sees the request sees this task of it."""
        return rights.may_see_task(self.viewer, task)

    def acts(self, view: RequestView, task: Task) -> tuple[str, ...]:
        """Return what the viewer can do about a task now."""
        if view.projection.status is Status.CLOSED:
            return ()
        return rights.acts(self.viewer, view.order, task, view.projection.tasks, self.at)


class DecidedOut(Out):
    """What became of one decision of several: the entry it caused, or the problem with it."""

    task: str
    entry: EntryOut | None = None
    problem: ProblemBody | None = Field(
        None, description=f"As the decision alone would have answered, or `{DecideAlone.type_uri()}`."
    )

    @classmethod
    def of(cls, task: str, answer: Entry | Problem) -> Self:
        """Return what came of deciding a task."""
        if isinstance(answer, Problem):
            return cls(task=task, problem=answer.body())
        return cls(task=task, entry=EntryOut.of(answer))


class DecisionsOut(Out):
    """What became of several decisions, in their order."""

    items: tuple[DecidedOut, ...]

    @classmethod
    def of(cls, tasks: Iterable[str], answers: Iterable[Entry | Problem]) -> Self:
        """Return the answers to decisions of these tasks."""
        return cls(items=tuple(DecidedOut.of(task, answer) for task, answer in zip(tasks, answers, strict=True)))


def task_facts(task: Task, can: tuple[str, ...]) -> dict[str, Any]:
    """Return what is shown of a task to somebody who can do this about it."""
    return dict(task) | {"answers": answers.as_seen(task.evidence, task.answers), "can": can}


def choices_of(task: Task, can: tuple[str, ...]) -> tuple[str, ...]:
    """Return the choices that somebody has who can do this about a task."""
    if task.kind == "fulfilment":
        return can
    return task.choices if "decide" in can else ()
