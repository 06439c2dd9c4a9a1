"""What goes into the register and what comes out of it, where `catalog` has no word for it. Values only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

from catalog.item import CatalogItem
from catalog.model import Model
from catalog.people import PersonRef
from catalog.request import Notice, Order, Projection, Task

T = TypeVar("T")


class NewOrder(Model):
    """An order that was checked and is to be taken.

    Attributes:
        idempotency_key: the client's; unique per requester.
        body_digest: digest of what the client sent; the same key with another body is refused.
        The rest as in `catalog.request.Order`.
    """

    item: CatalogItem
    item_digest: str
    answers: dict[str, Any]
    requester: PersonRef
    beneficiary: PersonRef
    channel: str
    auth: str
    idempotency_key: str
    body_digest: str
    accepted_at: datetime


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


class Page(Model, Generic[T]):
    """A part of a list, newest first; `next` is the cursor of the part after it, None at the end."""

    items: tuple[T, ...]
    next: int | None = None
