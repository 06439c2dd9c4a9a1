"""What goes over HTTP: the bodies that are read, strictly, and those that are sent.

A model of an answer is made from a value of the catalog or the register by `of`; what a viewer may see and do is
asked of `catalog.rights`, never decided here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.limits import Text
from catalog import rights, timeline
from catalog.approval import Verdict
from catalog.form import Field as FormField
from catalog.item import CatalogItem, Entitlement, Sla, Stage
from catalog.journal import Entry
from catalog.people import Actor
from catalog.request import Outcome, Status, Task, WaitKind
from records.register import RequestView, TaskView
from workflows.messages import MAX_REASON

T = TypeVar("T")

Cursor = Annotated[int | None, Field(ge=0, le=2**63 - 1, description="`next` of the part before.")]
Limit = Annotated[int, Field(ge=1, le=200, description="Length of the part.")]
Reason = Annotated[Text, Field(max_length=MAX_REASON)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SessionIn(_In):
    """A sign-in."""

    login: Annotated[Text, Field(min_length=1, max_length=128)]
    password: Annotated[Text, Field(max_length=1_024, repr=False)]


class OrderIn(_In):
    """An order; for oneself if no beneficiary is named."""

    item: Annotated[Text, Field(min_length=1, max_length=63)]
    answers: dict[Text, Any] = {}
    beneficiary: Annotated[Text, Field(min_length=1, max_length=128)] | None = None


class CancelIn(_In):
    """The wish to call a request off."""

    reason: Reason = ""


class CommentIn(_In):
    """Something to say on record."""

    text: Annotated[Text, Field(min_length=1, max_length=MAX_REASON)]


class DecisionIn(_In):
    """A decision; `subject` is the task's, as the decider saw it."""

    choice: Annotated[Text, Field(max_length=63)]
    reason: Reason = ""
    subject: Annotated[Text, Field(max_length=100)] | None = None


class JournalQuery(_In):
    """Which part of a journal."""

    cursor: Cursor = None
    limit: Limit = 200


class RequestsQuery(_In):
    """Which requests; `all` is for operators: those of all people."""

    state: Literal["open", "closed"] | None = None
    all: bool = False
    cursor: Cursor = None
    limit: Limit = 50


class TasksQuery(_In):
    """Which tasks: those that wait for oneself, or those one was asked that are closed."""

    state: Literal["open", "closed"] = "open"
    cursor: Cursor = None
    limit: Limit = 50


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PersonOut(_Out):
    """A person as others see them."""

    id: str
    login: str
    name: str


class SessionOut(_Out):
    """A token and whom it speaks for."""

    token: str
    expires_at: datetime
    person: PersonOut
    operator: bool


class ItemSummaryOut(_Out):
    """An item in the list."""

    id: str
    version: str
    name: str
    description: str
    category: str


class ItemOut(ItemSummaryOut):
    """An item with what it asks and who decides."""

    owner: str
    form: tuple[FormField, ...]
    approvals: tuple[Stage, ...]
    entitlement: Entitlement
    sla: Sla
    digest: str

    @classmethod
    def of(cls, item: CatalogItem, digest: str) -> Self:
        """Return the item as it is shown."""
        return cls.model_validate(item.model_dump() | {"digest": digest})


class ItemRefOut(_Out):
    """The item of a request, as it was when it was ordered."""

    id: str
    version: str
    name: str


class WaitingOut(_Out):
    """One thing a request waits for (feature row W1)."""

    kind: WaitKind
    what: str
    who: tuple[PersonOut, ...]
    since: datetime
    until: datetime | None
    rule: str
    at_deadline: str
    then: str
    task: str | None


class AssigneeOut(_Out):
    """Somebody asked, and what they said."""

    person: PersonOut
    verdict: Verdict | None
    at: datetime | None


class TaskOut(_Out):
    """Something a human has to decide."""

    id: str
    kind: Literal["approval", "operator"]
    title: str
    stage: str | None
    quorum: Literal["any", "all"]
    assignees: tuple[AssigneeOut, ...]
    choices: tuple[str, ...]
    problem: str | None
    subject: str
    opened_at: datetime
    due_at: datetime | None
    decided: str | None
    decided_by: tuple[PersonOut, ...]
    reason: str
    closed_at: datetime | None


class RequestSummaryOut(_Out):
    """What a request is about."""

    number: str
    status: Status
    outcome: Outcome | None
    item: ItemRefOut
    answers: dict[str, Any]
    requester: PersonOut
    beneficiary: PersonOut
    accepted_at: datetime

    @classmethod
    def of(cls, view: RequestView) -> Self:
        """Return what a request is about."""
        return cls.model_validate(_facts(view))


class RequestOut(RequestSummaryOut):
    """A request: where it stands, what it waits for, and what the viewer can do about it now."""

    shown_answers: list[list[str]] = Field(description="The answers as people read them: pairs of label and value.")
    item_digest: str
    seq: int = Field(description="The newest journal entry this state comes from.")
    reason: str
    waiting: tuple[WaitingOut, ...]
    tasks: tuple[TaskOut, ...]
    you_may: tuple[str, ...] = Field(description="`cancel`, `comment`, `decide:<task>`.")
    due_at: datetime | None
    updated_at: datetime
    closed_at: datetime | None

    @classmethod
    def seen_by(cls, viewer: Actor, view: RequestView) -> Self:
        """Return the request as this viewer sees it."""
        tasks = [task for task in view.projection.tasks if rights.may_see_task(viewer, task)]
        answers = view.order.shown_answers()
        seen = {"tasks": tasks, "you_may": _you_may(viewer, view), "shown_answers": answers}
        return cls.model_validate(_facts(view) | seen)


class TaskInListOut(TaskOut):
    """A task with the request it is about."""

    request: RequestSummaryOut
    you_may: tuple[str, ...] = Field(description="The choices the viewer has now.")

    @classmethod
    def seen_by(cls, viewer: Actor, view: TaskView) -> Self:
        """Return the task as this viewer sees it."""
        task = view.task
        choices = task.choices if rights.may_decide(viewer, view.request.order, task) else ()
        return cls.model_validate(dict(task) | {"request": RequestSummaryOut.of(view.request), "you_may": choices})


class EntryOut(Entry):
    """An entry exactly as it was sealed, so that a reader can check the chain, and what it says in words."""

    text: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Return the entry with its text."""
        return cls.model_validate(dict(entry) | {"text": timeline.describe(entry)})


class CommandOut(_Out):
    """What a command caused, and where the request stands after it."""

    entry: EntryOut
    request: RequestOut


class PageOut(BaseModel, Generic[T]):
    """A part of a list; `next` is the cursor of the part after it, null at the end."""

    items: list[T]
    next: int | None = None


def _facts(view: RequestView) -> dict[str, Any]:
    return dict(view.order) | dict(view.projection)


def _you_may(viewer: Actor, view: RequestView) -> tuple[str, ...]:
    if view.projection.status is Status.CLOSED:
        return ()
    cancel = () if rights.refuse_cancel(viewer, view.order) else ("cancel",)
    tasks: list[Task] = [task for task in view.projection.tasks if rights.may_decide(viewer, view.order, task)]
    return (*cancel, "comment", *(f"decide:{task.id}" for task in tasks))
