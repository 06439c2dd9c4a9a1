"""What goes into the register and what comes out of it, where `catalog` has no word for it. Values only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from catalog.item import CatalogItem, Risk
from catalog.journal import Entry
from catalog.model import Model
from catalog.request import Assignee, Cost, Notice, Order, Outcome, Projection, Status, Task

T = TypeVar("T")


class NewOrder(Order):
    """An order that was checked and is to be taken: all of an `Order` but its number, which the register gives.

    Attributes:
        idempotency_key: the client's; unique per requester.
        body_digest: digest of what the client sent; the same key with another body is refused.
        duplicate_key: what only one open request may stand for; None if any number may.
        uploads: ids of the requester's files that the answers name.
        secrets: references of the requester's secrets that the answers name.
        started: whether its workflow is begun by somebody else than the sweeper: a child's by its parent.
    """

    number: str = ""
    channel: str
    auth: str
    idempotency_key: str
    body_digest: str
    duplicate_key: str | None = None
    uploads: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    started: bool = False


class Taken(Model):
    """An order on record; `fresh` is false when the same key and body had been taken before."""

    order: Order
    fresh: bool


class RequestView(Model):
    """A request as the register has it."""

    order: Order
    projection: Projection


class TaskView(Model):
    """A task and the request it belongs to."""

    task: Task
    request: RequestView


Sort = Literal["due", "age", "item", "cost", "risk"]
Whose = Literal["mine", "group", "delegated", "all"]


class Place(Model):
    """A place in an inbox: after the task of that row, whose sort key was that when it was shown.

    It stays where it is, whatever becomes of that task.
    """

    row: int
    key: str = ""


class InboxQuery(Model):
    """Which tasks of somebody.

    Attributes:
        state: open: what waits for them; closed: what they were asked, newest first.
        sort: of open tasks: by when they are due, the first one first, then those that are never; the oldest first; by
            item, of each the oldest first; by what it costs in its first year, currency by currency, the dearest first;
            by its item's risk, the highest first.
        whose: those they are asked in their own right; of these, those of a group: see `is_shared`, and those of the
            operators; those they have only because somebody delegated them; or all.
        overdue_at: only those that were due before that moment.
    """

    person_id: str
    operator: bool = False
    state: Literal["open", "closed"] = "open"
    sort: Sort = "due"
    whose: Whose = "all"
    overdue_at: datetime | None = None
    after: Place | None = None
    limit: int = 50


class Inbox(Model):
    """A part of an inbox; `next` is the place of the part after it, None at the end."""

    items: tuple[TaskView, ...]
    next: Place | None = None


class Earlier(Model):
    """An earlier request, in short."""

    number: str
    accepted_at: datetime
    status: Status
    outcome: Outcome | None


class Background(Model):
    """What the register knows that helps to decide about a request (feature row A19).

    Attributes:
        entries: what was decided, advised and changed before, oldest first.
        earlier: the newest requests for the same item and the same person before this one.
        colleagues: how many others of the beneficiary's department had it fulfilled, among the newest orders of the
            item; None if their department is not known.
    """

    entries: tuple[Entry, ...]
    earlier: tuple[Earlier, ...]
    colleagues: int | None


class OwedNotice(Model):
    """A notice claimed for sending; `attempt` counts from 1."""

    id: int
    notice: Notice
    attempt: int


class Publication(Model):
    """A version of an item as it was published.

    Attributes:
        digest: the item's, as of then.
        source: the file it came from.
    """

    item: CatalogItem
    digest: str
    source: str
    published_at: datetime


class Draft(Model):
    """An order that somebody has begun to write; nothing of it is checked.

    Attributes:
        id: given by the caller.
        item: the item's id.
        beneficiary: the login, if somebody was named.
        beneficiaries: the logins, if several were; `skip_ineligible` leaves out those who may not have it.
        follows: number of the request that it is a copy of.
        replaces: number of the open request whose place it is to take.
    """

    id: str
    owner_id: str
    item: str
    answers: dict[str, Any]
    beneficiary: str | None = None
    beneficiaries: tuple[str, ...] = ()
    skip_ineligible: bool = False
    follows: str | None = None
    replaces: str | None = None
    updated_at: datetime


class Upload(Model):
    """A file that somebody has given to the register.

    Attributes:
        digest: ``sha256:<hex>`` of the content, by which it is kept.
        name, media_type: as the owner calls it; the register does not look inside.
        size: in bytes.
    """

    id: str
    owner_id: str
    digest: str
    name: str
    media_type: str
    size: int
    uploaded_at: datetime


class Page(Model, Generic[T]):
    """A part of a list, newest first; `next` is the cursor of the part after it, None at the end."""

    items: tuple[T, ...]
    next: int | None = None


def is_delegated(assignee: Assignee) -> bool:
    """Return whether somebody is asked only because others have delegated it to them."""
    return not assignee.own and not assignee.escalated


def is_shared(task: Task) -> bool:
    """Return whether several are asked in their own right, any of whom may do it, and nobody has taken it on.

    That is how a group, a role or several owners are asked. Where all have to decide, each has a decision of their own.
    """
    if task.kind not in ("approval", "fulfilment") or task.quorum in ("all", "responded") or task.claimed_by:
        return False
    return sum(not is_delegated(one) for one in task.assignees) > 1


FREE = "zzzz"
"""The rank of what costs nothing: it comes last."""


def cost_rank(cost: Cost | None) -> str:
    """Return a text by which what costs most comes first; currency by currency, for none is converted into another."""
    if cost is None or not cost.first_year:
        return FREE
    return f"{cost.currency}{max(10**18 - int(cost.first_year * 100), 0):019}"


MEDIUM = "1"
"""The rank of what is of medium risk, as every item is that says nothing of it."""


def risk_rank(risk: Risk) -> str:
    """Return a text by which what is riskiest comes first."""
    return {"high": "0", "medium": MEDIUM, "low": "2"}[risk]
