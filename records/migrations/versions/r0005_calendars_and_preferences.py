"""Working hours and what people wish: published calendars, preferences, notices that go out together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables, and to notices the moment at which they go out together."""
    op.create_table(
        "calendars",
        sa.Column("id", ID, sa.Identity(), primary_key=True),
        sa.Column("calendar", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT),
        sa.Column("document", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    stands = sa.text("retired_at IS NULL")
    op.create_index(
        "uq_calendars_standing", "calendars", ["calendar"], unique=True, sqlite_where=stands, postgresql_where=stands
    )
    op.create_table(
        "preferences",
        sa.Column("person_id", sa.String, primary_key=True),
        sa.Column("calendar", sa.String),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.add_column("notices", sa.Column("digest_at", MOMENT))
    awaits = sa.text("state = 'pending' AND digest_at IS NOT NULL")
    op.create_index("ix_notices_digest_at", "notices", ["digest_at"], sqlite_where=awaits, postgresql_where=awaits)
