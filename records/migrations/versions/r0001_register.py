"""The first register: requests, intake, journal, tasks, notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

FIRST_NUMBER = 1001

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and the triggers that keep the journal append-only."""
    _requests()
    _intake()
    _journal()
    _tasks()
    _notices()
    if op.get_bind().dialect.name == "sqlite":
        # SQLite numbers from 1 unless it believes to have given out the number before.
        op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('requests', {FIRST_NUMBER - 1})")  # noqa: S608 - our own number
        _seal_on_sqlite()
    else:
        _seal_on_postgresql()


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", ID, sa.Identity(start=FIRST_NUMBER), primary_key=True),
        sa.Column("requester_id", sa.String, nullable=False),
        sa.Column("beneficiary_id", sa.String, nullable=False),
        sa.Column("accepted_at", MOMENT, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("order_document", sa.Text, nullable=False),
        sa.Column("projection_document", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_requests_requester_id_id", "requests", ["requester_id", "id"])
    op.create_index("ix_requests_beneficiary_id_id", "requests", ["beneficiary_id", "id"])
    _partial_index("ix_requests_open", "requests", "id", where="status != 'closed'")


def _intake() -> None:
    op.create_table(
        "intake",
        sa.Column("request_id", ID, sa.ForeignKey("requests.id"), primary_key=True, autoincrement=False),
        sa.Column("actor_id", sa.String, nullable=False),
        sa.Column("idempotency_key", sa.String, nullable=False),
        sa.Column("body_digest", sa.String, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.UniqueConstraint("actor_id", "idempotency_key"),
    )
    _partial_index("ix_intake_not_started", "intake", "request_id", where="started_at IS NULL")


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("request_id", ID, sa.ForeignKey("requests.id"), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("actor_id", sa.String),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("command", sa.String),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.UniqueConstraint("request_id", "command"),
    )
    op.create_table(
        "journal_superseded",
        sa.Column("request_id", ID, sa.ForeignKey("requests.id"), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("superseded_at", MOMENT, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", ID, sa.Identity(), primary_key=True),
        sa.Column("request_id", ID, sa.ForeignKey("requests.id"), nullable=False, index=True),
        sa.Column("task", sa.String, nullable=False, unique=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("decided", sa.String),
        sa.Column("document", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    _partial_index("ix_tasks_operator", "tasks", "id", where="kind = 'operator' AND decided IS NULL")
    op.create_table(
        "task_assignees",
        sa.Column("person_id", sa.String, primary_key=True),
        sa.Column("task", sa.String, sa.ForeignKey("tasks.task"), primary_key=True, index=True),
        sa.Column("asked", sa.Boolean, nullable=False),
        sa.Column("verdict", sa.String),
    )


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", ID, sa.Identity(), primary_key=True),
        sa.Column("event", sa.String, nullable=False),
        sa.Column("recipient_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("claimed_at", MOMENT),
        sa.Column("settled_at", MOMENT),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.UniqueConstraint("event", "recipient_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_state_id", "notices", ["state", "id"])


def _partial_index(name: str, table: str, column: str, *, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


_SET_ASIDE = (
    "EXISTS (SELECT 1 FROM journal_superseded s "
    "WHERE s.request_id = OLD.request_id AND s.seq = OLD.seq AND s.digest = OLD.digest)"
)
"""The one way out of the journal: into the table of what was replaced. From there nothing leaves."""


def _seal_on_sqlite() -> None:
    for table in ("journal", "journal_superseded"):
        for change in ("UPDATE", "DELETE"):
            when = f"WHEN NOT {_SET_ASIDE}" if (table, change) == ("journal", "DELETE") else ""
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} {when} "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )


def _seal_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION journal_refuses_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$"
    )
    op.execute(
        "CREATE FUNCTION journal_refuses_loss() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {_SET_ASIDE} THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION 'the journal is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER journal_refuses_loss BEFORE DELETE ON journal "
        "FOR EACH ROW EXECUTE FUNCTION journal_refuses_loss()"
    )
    for table, changes in (("journal", "UPDATE OR TRUNCATE"), ("journal_superseded", "UPDATE OR DELETE OR TRUNCATE")):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE {changes} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses_change()"
        )
