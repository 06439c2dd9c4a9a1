"""What goes into the register and what comes out of it, where `catalog` has no word for it. Values only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

from catalog.item import CatalogItem
from catalog.model import Model
from catalog.request import Notice, Order, Projection, Task

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
    """

    id: str
    owner_id: str
    item: str
    answers: dict[str, Any]
    beneficiary: str | None = None
    beneficiaries: tuple[str, ...] = ()
    skip_ineligible: bool = False
    follows: str | None = None
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
