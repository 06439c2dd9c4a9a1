"""How much harm a wrong approval of each request does: by it the inbox is sorted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; items of earlier releases say nothing of it, and so are of medium risk."""
    op.add_column("requests", sa.Column("risk_rank", sa.String, nullable=False, server_default="1"))
