"""Requests: what is sent to change one, where it stands, and what it waits for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from api.limits import Plain, Text
from api.schemas.base import Cursor, In, Limit, Out, PersonOut, Reason
from api.schemas.journal import EntryOut
from api.schemas.tasks import Look, TaskOut, choices_of, task_facts
from catalog import answers, rights
from catalog.promise import Promise
from catalog.request import Cost, Order, OrderLine, Outcome, Status, Waiting, WaitKind
from records.register import RequestView
from workflows.messages import MAX_REASON

MAX_EVENT = 64 * 1024
"""Characters of an event's data, as JSON."""


class EventIn(In):
    """What is known of an event."""

    data: Plain = {}

    @field_validator("data")
    @classmethod
    def _bounded(cls, data: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(data)) > MAX_EVENT:
            raise PydanticCustomError("string_too_long", "The data is longer than 64 KiB")
        return data


class CancelIn(In):
    """The wish to call a request off."""

    reason: Reason = ""


class CommentIn(In):
    """Something to say on record."""

    text: Annotated[Text, Field(min_length=1, max_length=MAX_REASON)]


class AmendmentIn(In):
    """A change of what was ordered: the answers that are others now, null for one that is taken away."""

    answers: dict[Text, Any]
    reason: Reason = ""


class RequestsQuery(In):
    """Which requests; `all` is for operators: those of all people.

    Attributes:
        parts: also the parts of what one ordered oneself, which their parent shows.
    """

    state: Literal["open", "closed"] | None = None
    parts: bool = False
    all: bool = False
    cursor: Cursor = None
    limit: Limit = 50


class ItemRefOut(Out):
    """The item of a request, as it was when it was ordered."""

    id: str
    version: str
    name: str


class AwaitedOut(PersonOut):
    """Somebody who can end a wait."""

    on_behalf_of: tuple[PersonOut, ...] = Field(description="In whose place they are asked, if they are.")


class WaitingOut(Out):
    """One thing a request waits for (feature row W1)."""

    kind: WaitKind
    what: str
    who: tuple[AwaitedOut, ...]
    whom: str = Field(description="Who or what can end it, in words, where `who` names nobody: `the directory`.")
    since: datetime
    until: datetime | None
    calendar: str = Field(description="The name of the calendar in which that is counted; empty if it is clock time.")
    rule: str
    why: str = Field(description="Why these people are asked, and who is not and why; empty where that needs no word.")
    at_deadline: str
    then: str
    task: str | None
    event: str | None = Field(description="The event whose report ends it.")
    can: tuple[str, ...] = Field(description="What the viewer can do about it now.")


class PromiseOut(Out):
    """By when a request is likely to be done (feature row S8)."""

    p50: datetime = Field(description="As often as not it is done by then.")
    p90: datetime = Field(description="Nine times of ten it is done by then.")
    cases: int = Field(description="How many earlier requests that was read from, or too few of them.")
    basis: Literal["history", "sla"] = Field(description="`sla`: they tell nothing; both are what was promised.")
    outlasted: bool = Field(description="Whether they tell nothing because it has taken longer than all of them did.")


class PartOut(Out):
    """A part of a request: a request of its own, once it is ordered."""

    line: str
    number: str | None
    item: ItemRefOut
    beneficiary: PersonOut
    status: Status | None
    outcome: Outcome | None
    reason: str

    @classmethod
    def of(cls, view: RequestView) -> Self:
        """Return a part that is ordered."""
        return cls.model_validate(facts(view))

    @classmethod
    def ahead(cls, line: OrderLine) -> Self:
        """Return a part that is not ordered yet."""
        item = {"id": line.item, "version": line.version, "name": line.item_name}
        nothing = {"number": None, "status": None, "outcome": None, "reason": ""}
        return cls.model_validate({"line": line.id, "item": item, "beneficiary": line.beneficiary} | nothing)


class RequestSummaryOut(Out):
    """What a request is about."""

    number: str
    status: Status
    outcome: Outcome | None
    item: ItemRefOut
    answers: dict[str, Any]
    requester: PersonOut
    beneficiary: PersonOut
    accepted_at: datetime
    priority: int | None = Field(description="1 is the highest; null if the item gives none.")
    cost: Cost | None
    parent: str = Field(description="Number of the request that it is a part of, or empty.")
    follows: str = Field(description="Number of the request that it is a copy of, or empty.")
    replaces: str = Field(description="Number of the request whose place it takes, or empty.")

    @classmethod
    def of(cls, view: RequestView) -> Self:
        """Return what a request is about."""
        return cls.model_validate(facts(view))


class RequestOut(RequestSummaryOut):
    """A request: where it stands, what it waits for, and what the viewer can do about it now."""

    shown_answers: list[list[str]] = Field(description="The answers as people read them: pairs of label and value.")
    item_digest: str
    seq: int = Field(description="The newest journal entry this state comes from.")
    reason: str
    waiting: tuple[WaitingOut, ...]
    tasks: tuple[TaskOut, ...]
    parts: tuple[PartOut, ...] = Field(description="In the list of requests always empty.")
    replaced_by: str = Field("", description="Number of the request that has taken its place; not in the list.")
    you_may: tuple[str, ...] = Field(description="`cancel`, `comment`, `decide:<task>`, `work:<task>`.")
    due_at: datetime | None
    promise: PromiseOut | None = Field(description="Null once it is closed, or being undone.")
    updated_at: datetime
    closed_at: datetime | None

    @classmethod
    def seen_by(
        cls,
        look: Look,
        view: RequestView,
        promise: Promise | None,
        children: Iterable[RequestView] = (),
        replaced_by: str = "",
    ) -> Self:
        """Return the request as this viewer sees it now."""
        can = {task.id: look.acts(view, task) for task in view.projection.tasks}
        as_a_whole = rights.acts_on_request(look.viewer, view.order, view.projection)
        seen = {
            "tasks": [task_facts(task, can[task.id]) for task in view.projection.tasks if look.sees(task)],
            "waiting": [
                _waiting(one, view, can, (*_reporting(one, look, view), *as_a_whole)) for one in view.projection.waiting
            ],
            "you_may": _you_may(view, can, as_a_whole),
            "shown_answers": view.order.shown_answers(),
            "parts": _parts(view.order, children),
            "promise": promise,
            "replaced_by": replaced_by,
        }
        return cls.model_validate(facts(view) | seen)


class CommandOut(Out):
    """What a command caused, and where the request stands after it."""

    entry: EntryOut
    request: RequestOut


def facts(view: RequestView) -> dict[str, Any]:
    """Return what everybody who sees a request is shown of it."""
    order = view.order
    seen = {"answers": answers.as_seen(order.item.form, order.answers), "priority": order.terms.priority}
    return dict(order) | dict(view.projection) | seen


def _waiting(
    one: Waiting, view: RequestView, can: Mapping[str, tuple[str, ...]], besides: Iterable[str]
) -> dict[str, Any]:
    """Return a wait with what the viewer can do about it: about its task, what is asked because of it, and besides."""
    tasks = view.projection.tasks
    stage = next((task.stage for task in tasks if task.id == one.task), None)
    asked = [task.id for task in tasks if stage and task.stage == stage and task.kind in ("information", "advice")]
    acts = [act for task in (one.task, *asked) if task for act in can.get(task, ())]
    who = [dict(person) | {"on_behalf_of": one.on_behalf_of.get(person.id, ())} for person in one.who]
    return dict(one) | {"who": who, "whom": one.by_whom(), "can": tuple(dict.fromkeys((*acts, *besides)))}


def _reporting(one: Waiting, look: Look, view: RequestView) -> tuple[str, ...]:
    """Return what the viewer can do about a wait for an event."""
    if one.event is None or rights.refuse_report(look.viewer, view.order, one.event):
        return ()
    return ("report",)


def _parts(order: Order, children: Iterable[RequestView]) -> list[PartOut]:
    """Return the parts of a request: those its order names in their order, then those that its steps have ordered."""
    ordered = {child.order.line: PartOut.of(child) for child in children}
    named = [ordered.pop(line.id) if line.id in ordered else PartOut.ahead(line) for line in order.lines]
    return [*named, *ordered.values()]


def _you_may(view: RequestView, can: Mapping[str, tuple[str, ...]], as_a_whole: tuple[str, ...]) -> tuple[str, ...]:
    if view.projection.status is Status.CLOSED:
        return ()
    cancel = tuple(act for act in as_a_whole if act == "cancel")
    tasks = [task for task in view.projection.tasks if choices_of(task, can[task.id])]
    return (*cancel, "comment", *(f"{'work' if task.kind == 'fulfilment' else 'decide'}:{task.id}" for task in tasks))
