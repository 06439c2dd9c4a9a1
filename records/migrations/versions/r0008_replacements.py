"""Orders that replace an open one: which request takes the place of which."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; no order of an earlier release has replaced another."""
    # In so many words: SQLite cannot add a foreign key to a column that stands, and Alembic would not name it here.
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    named = "CONSTRAINT fk_requests_replaces_id REFERENCES requests (id)"
    op.execute(f"ALTER TABLE requests ADD COLUMN replaces_id {kind} {named}")
    op.create_index("uq_requests_replaces_id", "requests", ["replaces_id"], unique=True)
