"""The register: the one door to the database (SQLite by default, PostgreSQL for real use).

Every method is one transaction. A database that cannot be reached raises `RegisterUnavailable`; nothing is then
half-written. Requests are numbered ``REQ-1001``, ``REQ-1002`` …; gaps may occur, doubles not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from catalog.item import CatalogItem
from catalog.journal import Entry
from catalog.model import Model
from catalog.people import PersonRef
from catalog.request import Batch, Notice, Order, Projection, Task

T = TypeVar("T")


class RegisterUnavailable(Exception):
    """The database cannot be reached or does not answer in time; try again."""


class KeyReused(Exception):
    """The idempotency key was used before by this person, for another order."""


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


class Register:
    """See the module. Safe to use from several threads and processes."""

    def __init__(self, url: str) -> None:
        """Open nothing yet; `url` is a SQLAlchemy URL (``sqlite:///…`` or ``postgresql+psycopg://…``)."""

    def migrate(self) -> None:
        """Bring the schema up to date (Alembic)."""

    def check(self) -> None:
        """Return if the database answers and its schema is current; raises `RegisterUnavailable` with the reason."""

    def close(self) -> None:
        """Give all connections back."""

    # --- intake: the outbox of orders
    def take(self, new: NewOrder) -> Taken:
        """Put an order on record and number it, with status ACCEPTED, waiting for the engine, seq 0.

        Raises:
            KeyReused: the key stands for another body.
        """

    def unstarted(self, *, before: datetime, limit: int) -> Sequence[Order]:
        """Return orders accepted before that moment whose workflow is not known to have begun, oldest first."""

    def mark_started(self, number: str, at: datetime) -> None:
        """Note that the order's workflow has begun."""

    # --- the journal (implements activities.ports.Journal)
    def record(self, batch: Batch) -> None:
        """Write entries, state and notices; see the port."""

    def journal(self, number: str, *, after: int = 0, limit: int = 200) -> Sequence[Entry]:
        """Return the entries with a higher seq, in order."""

    def entry_of(self, number: str, command: str) -> Entry | None:
        """Return the entry that this command caused, if it was carried out."""

    # --- queries
    def request(self, number: str) -> RequestView | None:
        """Return a request; None for an unknown or malformed number."""

    def is_party(self, number: str, person_id: str) -> bool:
        """Return whether the person is its requester or beneficiary, or is or was asked to decide it."""

    def requests(
        self,
        *,
        viewer: str | None,
        state: Literal["open", "closed"] | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> Page[RequestView]:
        """Return requests, newest first: those the person is requester or beneficiary of; all if `viewer` is None."""

    def task(self, task_id: str) -> TaskView | None:
        """Return a task by its id."""

    def tasks(
        self,
        *,
        person_id: str,
        operator: bool,
        state: Literal["open", "closed"] = "open",
        after: int | None = None,
        limit: int = 50,
    ) -> Page[TaskView]:
        """Return tasks, newest first.

        Open: approvals that this person has not voted on yet and, for operators, operator tasks.
        Closed: the closed ones they were asked to decide.
        """

    # --- notices: the outbox of mail
    def claim_notice(self, now: datetime) -> OwedNotice | None:
        """Mark the oldest due notice as being sent, for one sender only, and return it; None when none is due."""

    def notice_sent(self, notice_id: int, at: datetime) -> None:
        """Note that the relay took it."""

    def notice_postponed(self, notice_id: int, until: datetime, why: str) -> None:
        """Note that it was not handed over and is due again later."""

    def notice_failed(self, notice_id: int, at: datetime, why: str) -> None:
        """Note that it will not be sent."""

    def settle_lost_notices(self, claimed_before: datetime) -> int:
        """Mark notices whose sender died between claim and answer as ``unknown``; they are not sent again. Return how many."""
