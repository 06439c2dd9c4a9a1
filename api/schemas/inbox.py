"""The inbox: tasks with the request they are about, and what helps to decide them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field

from api.schemas.base import In, Limit, Out, PersonOut
from api.schemas.journal import EntryOut
from api.schemas.requests import RequestSummaryOut
from api.schemas.tasks import Look, TaskOut, choices_of, task_facts
from catalog.access_diff import outlook
from catalog.fields import Field as FormField
from catalog.item import Risk
from catalog.journal import Kind
from catalog.people import Actor
from catalog.request import Assignee, Cost, Order, Outcome, Status, Task
from records.register import Background, Inbox, InboxQuery, Place, RequestView, TaskView
from records.values import Sort, Whose


class TasksQuery(In):
    """Which tasks: those that wait for oneself, or those one was asked that are closed.

    Attributes:
        sort: of open tasks: by when they are due, by age, by item, by cost, or by risk.
        whose: those one is asked in one's own right; of these, those that any of a group may do and nobody has taken;
            those one has only because they were delegated; or all.
        overdue: only those whose time is over.
    """

    state: Literal["open", "closed"] = "open"
    sort: Sort = "due"
    whose: Whose = "all"
    overdue: bool = False
    cursor: Annotated[str | None, Field(pattern=r"^[0-9]{1,19}(~.{0,100})?$", description="As elsewhere.")] = None
    limit: Limit = 50

    def asked_by(self, viewer: Actor, at: datetime) -> InboxQuery:
        """Return what is asked of the register."""
        row, _, key = (self.cursor or "").partition("~")
        return InboxQuery(
            person_id=viewer.person.id,
            operator=viewer.operator,
            state=self.state,
            sort=self.sort,
            whose=self.whose,
            overdue_at=at if self.overdue else None,
            after=Place(row=int(row), key=key) if row else None,
            limit=self.limit,
        )


class TaskInListOut(TaskOut):
    """A task with the request it is about."""

    request: RequestSummaryOut
    you_may: tuple[str, ...] = Field(description="The choices the viewer has now.")
    yours: Literal["own", "delegated", "escalated", "operator"] | None = Field(
        description="Why it is the viewer's: in their own right; because others have delegated it; because others did "
        "not decide in time; as an operator. Null if it is not."
    )
    on_behalf_of: tuple[PersonOut, ...] = Field(description="In whose place the viewer may decide, or has decided.")

    @classmethod
    def seen_by(cls, look: Look, view: TaskView) -> Self:
        """Return the task as this viewer sees it now."""
        return cls.model_validate(_in_list(look, view))


class EarlierOut(Out):
    """An earlier request, in short."""

    number: str
    accepted_at: datetime
    status: Status
    outcome: Outcome | None


class BackgroundOut(Out):
    """What helps to decide (feature row A19)."""

    cost: Cost | None
    risk: Risk = Field(description="How much harm a wrong approval does, as the item has it.")
    changes: int = Field(description="How often what was ordered has changed since.")
    history: tuple[EntryOut, ...] = Field(description="Votes, votes that fell, changes and advice, oldest first.")
    earlier: tuple[EarlierOut, ...] = Field(description="The beneficiary's newest earlier requests for the same item.")
    colleagues: int | None = Field(
        description="How many others of the beneficiary's department had it fulfilled; null if that is not known."
    )

    @classmethod
    def of(cls, view: RequestView, background: Background) -> Self:
        """Return what is known of a request."""
        history = [EntryOut.of(entry) for entry in background.entries]
        changes = sum(entry.kind is Kind.AMENDED for entry in background.entries)
        about = {"cost": view.order.cost, "risk": view.order.item.risk, "changes": changes, "history": history}
        return cls.model_validate(dict(background) | about)


class AccessChangeOut(Out):
    """A place in a group that somebody gets or loses."""

    login: str
    group: str
    gains: bool = Field(description="Whether they get it; else they lose it.")
    for_a_while: bool = Field(description="Whether the same order takes that back in the end.")
    perhaps: bool = Field(description="Whether only the work itself will tell if it comes to that.")
    already: bool | None = Field(
        description="Whether it is so before; null of others than the beneficiary, and without `has`."
    )


class AccessOut(Out):
    """What access an order would change, beside what there is (feature row A19)."""

    beneficiary: PersonOut
    has: tuple[str, ...] | None = Field(
        description="The groups the beneficiary is directly in now, by name. "
        "Null if the order changes none, or the directory has the beneficiary no more."
    )
    changes: tuple[AccessChangeOut, ...] = Field(description="In the order of the work.")
    later: tuple[str, ...] = Field(description="Steps that give or take a place of which it cannot be told yet which.")

    @classmethod
    def of(cls, order: Order, held: tuple[str, ...] | None, at: datetime) -> Self:
        """Return what an order changes for somebody who is in these groups."""
        has = None if held is None else sorted(held, key=str.casefold)
        found = outlook(order, held, at)
        return cls.model_validate({"beneficiary": order.beneficiary, "has": has} | dict(found))


class TaskShownOut(TaskInListOut):
    """A task with everything that helps to decide it."""

    context: BackgroundOut | None = Field(description="Of approvals, for those who are asked and operators.")
    may_reduce: tuple[FormField, ...] = Field(description="What the viewer may make smaller by approving it.")

    @classmethod
    def in_full(cls, look: Look, view: TaskView, background: Background | None) -> Self:
        """Return the task as this viewer sees it now."""
        context = BackgroundOut.of(view.request, background) if background else None
        seen = _in_list(look, view)
        return cls.model_validate(
            seen | {"context": context, "may_reduce": _may_reduce(view) if seen["you_may"] else ()}
        )


class InboxOut(BaseModel):
    """A part of an inbox; `next` is the place of the part after it, null at the end."""

    items: list[TaskInListOut]
    next: str | None = None

    @classmethod
    def seen_by(cls, look: Look, inbox: Inbox) -> Self:
        """Return a part of an inbox as its owner sees it now."""
        place = inbox.next
        following = None if place is None else f"{place.row}~{place.key}"
        return cls(items=[TaskInListOut.seen_by(look, view) for view in inbox.items], next=following)


def _in_list(look: Look, view: TaskView) -> dict[str, Any]:
    task, can = view.task, look.acts(view.request, view.task)
    mine = next((one for one in task.assignees if one.person.id == look.viewer.person.id), None)
    return task_facts(task, can) | {
        "request": RequestSummaryOut.of(view.request),
        "you_may": choices_of(task, can),
        "yours": _why(look.viewer, task, mine),
        "on_behalf_of": mine.on_behalf_of if mine else (),
    }


def _may_reduce(view: TaskView) -> list[FormField]:
    """Return the answers that those who decide a task may make smaller."""
    order, task = view.request.order, view.task
    named = {one for stage in order.stages if stage.id == task.stage for one in stage.may_reduce}
    return [field for field in order.item.form if task.kind == "approval" and field.id in named]


def _why(viewer: Actor, task: Task, mine: Assignee | None) -> str | None:
    if mine is None:
        return "operator" if viewer.operator and task.kind == "operator" else None
    return "own" if mine.own else "escalated" if mine.escalated else "delegated"
