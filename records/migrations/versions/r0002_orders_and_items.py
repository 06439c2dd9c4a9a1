"""What an order can be and hold: published items, drafts, files, secrets, duplicate keys, children."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BATCH = 500
"""How many requests are read and written at once: their documents are in memory meanwhile."""

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns and tables, and fill in which item each request is for."""
    _requests()
    _name_items()
    _item_versions()
    _drafts()
    _files()
    _secrets()


def _requests() -> None:
    op.add_column("requests", sa.Column("item_id", sa.String))
    op.add_column("requests", sa.Column("duplicate_key", sa.String))
    # In so many words: SQLite cannot add a foreign key to a column that stands, and Alembic would not name it here.
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE requests ADD COLUMN parent_id {kind} CONSTRAINT fk_requests_parent_id REFERENCES requests (id)"
    )
    op.create_index("ix_requests_parent_id", "requests", ["parent_id"])
    holds_key = sa.text("status != 'closed' AND duplicate_key IS NOT NULL")
    op.create_index(
        "uq_requests_open_duplicate_key",
        "requests",
        ["duplicate_key"],
        unique=True,
        sqlite_where=holds_key,
        postgresql_where=holds_key,
    )


def _name_items() -> None:
    """Copy the item's id out of each order; the documents stay as they are."""
    connection = op.get_bind()
    requests = sa.table("requests", sa.column("id"), sa.column("order_document"), sa.column("item_id"))
    after = 0
    while True:
        batch = (
            sa.select(requests.c.id, requests.c.order_document)
            .where(requests.c.id > after)
            .order_by(requests.c.id)
            .limit(BATCH)
        )
        rows = connection.execute(batch).all()
        if not rows:
            return
        after = rows[-1].id
        connection.execute(
            sa.update(requests).where(requests.c.id == sa.bindparam("row")).values(item_id=sa.bindparam("item")),
            [{"row": row.id, "item": json.loads(row.order_document)["item"]["id"]} for row in rows],
        )


def _item_versions() -> None:
    op.create_table(
        "item_versions",
        sa.Column("item_id", sa.String, primary_key=True),
        sa.Column("version", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER item_versions_refuses_{change.lower()} BEFORE {change} ON item_versions "
                "BEGIN SELECT RAISE(ABORT, 'published items never change'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION item_versions_refuses_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'published items never change'; END $$"
    )
    op.execute(
        "CREATE TRIGGER item_versions_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON item_versions "
        "FOR EACH STATEMENT EXECUTE FUNCTION item_versions_refuses_change()"
    )


def _drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner_id", sa.String, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("ix_drafts_owner_id_updated_at", "drafts", ["owner_id", "updated_at"])


def _files() -> None:
    op.create_table(
        "blobs",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("owner_id", sa.String, nullable=False),
        sa.Column("digest", sa.String, sa.ForeignKey("blobs.digest"), nullable=False, index=True),
        sa.Column("uploaded_at", MOMENT, nullable=False, index=True),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "request_files",
        sa.Column("request_id", ID, sa.ForeignKey("requests.id"), primary_key=True, autoincrement=False),
        sa.Column("upload_id", sa.String, sa.ForeignKey("uploads.id"), primary_key=True, index=True),
    )


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("ref", sa.String, primary_key=True),
        sa.Column("owner_id", sa.String, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("request_id", ID, sa.ForeignKey("requests.id"), index=True),
    )
    unused = sa.text("request_id IS NULL")
    op.create_index("ix_secrets_unused", "secrets", ["created_at"], sqlite_where=unused, postgresql_where=unused)
