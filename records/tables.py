"""The tables of the register, and how a request's number and its row id turn into each other.

A row holds the whole value as a JSON document, which is what is read back, and beside it only the columns that
queries search or sort by. Documents are text, not the database's JSON type: a journal entry must come back byte
for byte, and PostgreSQL's jsonb refuses characters that JSON allows. The migrations build these tables; a test
holds the two together.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    literal_column,
)

from catalog.request import Status
from records.values import FREE, MEDIUM

FIRST_NUMBER = 1001
MAX_ID = 2**63 - 1
"""The largest row id both databases can hold."""

_NUMBER = re.compile(r"REQ-([1-9][0-9]{0,18})")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}")


def number_of(request_id: int) -> str:
    """Return the number people know a request by."""
    return f"REQ-{request_id}"


def id_of(number: str) -> int | None:
    """Return the row id that a request's number stands for; None if it is not one this register can have given."""
    match = _NUMBER.fullmatch(number)
    if match is None or int(match[1]) > MAX_ID:
        return None
    return int(match[1])


def is_key(text: str) -> bool:
    """Return whether text can be the id, version, reference or digest of something that is kept here.

    What is looked up may come from a client, and PostgreSQL refuses text with a NUL instead of not finding it.
    """
    return _KEY.fullmatch(text) is not None


class Moment(TypeDecorator[datetime]):
    """An instant with microseconds, kept and returned in UTC. SQLite has no time zones, so none is stored there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Refuse a time without a zone: it could mean any instant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; the register keeps instants")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite gives out row ids by itself only for columns of exactly the type INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _row_id() -> Column[int]:
    """Return the id by which a table's rows are numbered as they come."""
    return Column("id", _Id, Identity(), primary_key=True)


def _of_request() -> Column[int]:
    """Return the part of a key that says to which request a row belongs."""
    return Column("request_id", _Id, ForeignKey("requests.id"), primary_key=True, autoincrement=False)


def _document() -> Column[str]:
    """Return the whole value, as JSON."""
    return Column("document", Text, nullable=False)


def _index(name: str, *columns: Column[Any], where: ColumnElement[bool], unique: bool = False) -> None:
    """Give a table an index over the rows of which something holds, on either database."""
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


requests = Table(
    "requests",
    metadata,
    Column("id", _Id, Identity(start=FIRST_NUMBER), primary_key=True),
    Column("requester_id", String, nullable=False),
    Column("beneficiary_id", String, nullable=False),
    Column("accepted_at", Moment, nullable=False),
    Column("status", String, nullable=False),
    # How far the journal had come when the projection was made; an older projection never replaces a newer one.
    Column("seq", Integer, nullable=False),
    # Both documents are kept without the number, which is known only once the row stands.
    Column("order_document", Text, nullable=False),
    Column("projection_document", Text, nullable=False),
    Column("item_id", String),
    # What only one open request may stand for; NULL where any number may.
    Column("duplicate_key", String),
    Column("parent_id", _Id, ForeignKey("requests.id"), index=True),
    # The request whose place it takes; no two take the same.
    Column("replaces_id", _Id, ForeignKey("requests.id")),
    # When the first of its waits should end by itself; NULL if none does.
    Column("waits_until", Moment),
    # Its place among others by what it costs: see `values.cost_rank`.
    Column("cost_rank", String, nullable=False, server_default=FREE),
    # The same by its item's risk: see `values.risk_rank`.
    Column("risk_rank", String, nullable=False, server_default=MEDIUM),
    sqlite_autoincrement=True,
)
# Literal, not a parameter: a partial index serves only queries that say its condition in so many words.
request_is_open = requests.c.status != literal_column(f"'{Status.CLOSED}'")
_holds_key = request_is_open & requests.c.duplicate_key.is_not(None)
Index(None, requests.c.requester_id, requests.c.id)
Index(None, requests.c.beneficiary_id, requests.c.id)
request_has_timer = request_is_open & requests.c.waits_until.is_not(None)
_index("ix_requests_open_waits_until", requests.c.waits_until, where=request_has_timer)
_index("ix_requests_open", requests.c.id, where=request_is_open)
Index("uq_requests_replaces_id", requests.c.replaces_id, unique=True)
_index("uq_requests_open_duplicate_key", requests.c.duplicate_key, where=_holds_key, unique=True)

intake = Table(
    "intake",
    metadata,
    _of_request(),
    Column("actor_id", String, nullable=False),
    Column("idempotency_key", String, nullable=False),
    Column("body_digest", String, nullable=False),
    Column("started_at", Moment),
    UniqueConstraint("actor_id", "idempotency_key"),
)
_not_started = intake.c.started_at.is_(None)
_index("ix_intake_not_started", intake.c.request_id, where=_not_started)

journal = Table(
    "journal",
    metadata,
    _of_request(),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", String, nullable=False),
    Column("actor_id", String),
    Column("rule", String, nullable=False),
    # NULL when no command caused the entry, so that the constraint holds only where one did.
    Column("command", String),
    Column("digest", String, nullable=False),
    _document(),
    UniqueConstraint("request_id", "command"),
)

# Entries that were replaced: written by a workflow task that the engine did not keep and did again.
superseded = Table(
    "journal_superseded",
    metadata,
    _of_request(),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("digest", String, primary_key=True),
    Column("superseded_at", Moment, nullable=False),
    _document(),
)

# When each request came to each milestone, and when it ended if it brought what was ordered: how long things take.
milestones = Table(
    "milestones",
    metadata,
    _of_request(),
    Column("milestone", String, primary_key=True),
    # Under what the history of such orders is kept: see `catalog.promise.kind_of`.
    Column("order_kind", String, nullable=False),
    Column("reached_at", Moment, nullable=False),
    Column("ended_at", Moment),
)
milestone_has_ended = milestones.c.ended_at.is_not(None)
_index(
    "ix_milestones_ended",
    milestones.c.order_kind,
    milestones.c.milestone,
    milestones.c.ended_at,
    where=milestone_has_ended,
)

# Timers that were not seen to fire: see `catalog.watch`.
late_timers = Table(
    "late_timers",
    metadata,
    _of_request(),
    Column("until", Moment, primary_key=True),
    Column("what", Text, nullable=False),
    Column("seen_at", Moment, nullable=False),
    # NULL while it is late.
    Column("gone_at", Moment),
)
timer_is_late = late_timers.c.gone_at.is_(None)
_index("ix_late_timers_late", late_timers.c.until, where=timer_is_late)

tasks = Table(
    "tasks",
    metadata,
    _row_id(),
    Column("request_id", _Id, ForeignKey(requests.c.id), nullable=False, index=True),
    Column("task", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("decided", String),
    Column("due_at", Moment),
    _document(),
    sqlite_autoincrement=True,
)
task_is_open = tasks.c.decided.is_(None)
task_awaits_operator = (tasks.c.kind == literal_column("'operator'")) & task_is_open
_index("ix_tasks_operator", tasks.c.id, where=task_awaits_operator)

task_assignees = Table(
    "task_assignees",
    metadata,
    Column("person_id", String, primary_key=True),
    Column("task", String, ForeignKey(tasks.c.task), primary_key=True, index=True),
    # False once somebody else was asked instead: the row stays, because who was asked may still look.
    Column("asked", Boolean, nullable=False),
    Column("verdict", String),
    # Whether they are asked only in the place of others.
    Column("delegated", Boolean, nullable=False, server_default=false()),
    # Whether they are asked as one of several, any of whom may do it, and nobody has taken it on.
    Column("shared", Boolean, nullable=False, server_default=false()),
)

notices = Table(
    "notices",
    metadata,
    _row_id(),
    Column("event", String, nullable=False),
    Column("recipient_id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    # NULL: at once. The workflow's clock, which knows when it was owed, need not be the sender's.
    Column("due_at", Moment),
    # When it goes out as one with whatever else its recipient is owed by then; NULL: by itself.
    Column("digest_at", Moment),
    Column("claimed_at", Moment),
    Column("settled_at", Moment),
    Column("last_error", Text, nullable=False),
    _document(),
    UniqueConstraint("event", "recipient_id"),
    sqlite_autoincrement=True,
)
Index(None, notices.c.state, notices.c.id)
notice_awaits_digest = (notices.c.state == literal_column("'pending'")) & notices.c.digest_at.is_not(None)
_index("ix_notices_digest_at", notices.c.digest_at, where=notice_awaits_digest)

# Append-only, as the journal is: orders refer to an item by id, version and digest for as long as there is a record.
item_versions = Table(
    "item_versions",
    metadata,
    Column("item_id", String, primary_key=True),
    Column("version", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("source", Text, nullable=False),
    Column("published_at", Moment, nullable=False),
    _document(),
)

# Nothing is changed but when a calendar was replaced or taken away: what a request looked up can be looked at later.
calendars = Table(
    "calendars",
    metadata,
    _row_id(),
    Column("calendar", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("published_at", Moment, nullable=False),
    # NULL for the one that stands.
    Column("retired_at", Moment),
    _document(),
    sqlite_autoincrement=True,
)
calendar_stands = calendars.c.retired_at.is_(None)
_index("uq_calendars_standing", calendars.c.calendar, where=calendar_stands, unique=True)

preferences = Table(
    "preferences",
    metadata,
    Column("person_id", String, primary_key=True),
    # The calendar they chose; NULL for the one that the rules give them.
    Column("calendar", String),
    Column("updated_at", Moment, nullable=False),
    _document(),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner_id", String, nullable=False),
    Column("updated_at", Moment, nullable=False),
    _document(),
)
Index(None, drafts.c.owner_id, drafts.c.updated_at)

delegations = Table(
    "delegations",
    metadata,
    _row_id(),
    Column("delegation", String, nullable=False, unique=True),
    Column("body_digest", String, nullable=False),
    Column("person_id", String, nullable=False),
    Column("delegate_id", String, nullable=False),
    Column("begins", Moment, nullable=False),
    # Its end, or when it was withdrawn.
    Column("over_at", Moment, nullable=False),
    # When everything open that it concerns was told of its beginning and of its end.
    Column("announced_begin_at", Moment),
    Column("announced_end_at", Moment),
    _document(),
    sqlite_autoincrement=True,
)
_to_announce = delegations.c.announced_end_at.is_(None)
Index(None, delegations.c.person_id, delegations.c.over_at)
Index(None, delegations.c.delegate_id, delegations.c.over_at)
_index("ix_delegations_to_announce", delegations.c.begins, where=_to_announce)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String, primary_key=True),
    Column("owner_id", String, nullable=False),
    Column("digest", String, ForeignKey(blobs.c.digest), nullable=False, index=True),
    Column("uploaded_at", Moment, nullable=False, index=True),
    _document(),
)

request_files = Table(
    "request_files",
    metadata,
    _of_request(),
    Column("upload_id", String, ForeignKey(uploads.c.id), primary_key=True, index=True),
)

secrets = Table(
    "secrets",
    metadata,
    Column("ref", String, primary_key=True),
    Column("owner_id", String, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("request_id", _Id, ForeignKey(requests.c.id), index=True),
)
_is_unused = secrets.c.request_id.is_(None)
_index("ix_secrets_unused", secrets.c.created_at, where=_is_unused)
