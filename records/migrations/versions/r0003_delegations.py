"""Delegations: who may decide in whose place, and which of their beginnings and ends were announced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "delegations",
        sa.Column("id", ID, sa.Identity(), primary_key=True),
        sa.Column("delegation", sa.String, nullable=False, unique=True),
        sa.Column("body_digest", sa.String, nullable=False),
        sa.Column("person_id", sa.String, nullable=False),
        sa.Column("delegate_id", sa.String, nullable=False),
        sa.Column("begins", MOMENT, nullable=False),
        sa.Column("over_at", MOMENT, nullable=False),
        sa.Column("announced_begin_at", MOMENT),
        sa.Column("announced_end_at", MOMENT),
        sa.Column("document", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delegations_person_id_over_at", "delegations", ["person_id", "over_at"])
    op.create_index("ix_delegations_delegate_id_over_at", "delegations", ["delegate_id", "over_at"])
    to_announce = sa.text("announced_end_at IS NULL")
    op.create_index(
        "ix_delegations_to_announce",
        "delegations",
        ["begins"],
        sqlite_where=to_announce,
        postgresql_where=to_announce,
    )
