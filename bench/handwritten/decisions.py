"""Where a hand-written workflow puts decisions on record: one table of its own, in the register's database."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table

from bench.handwritten.messages import Recorded
from records.database import Database, upsert

_metadata = MetaData()
_decisions = Table(
    "handwritten_decisions",
    _metadata,
    Column("number", String, primary_key=True),
    Column("stage", Integer, primary_key=True),
    Column("by", String, nullable=False),
    Column("approve", Boolean, nullable=False),
)


class Decisions(Database):
    """Keeps decisions."""

    def create(self) -> None:
        """Make the table."""
        with self.write() as connection:
            _metadata.create_all(connection)

    def record(self, recorded: Recorded) -> None:
        """Commit one row; it may be repeated."""
        row = {"number": recorded.number, "stage": recorded.stage, **recorded.decision.model_dump()}
        with self.write() as connection:
            connection.execute(upsert(connection, _decisions).on_conflict_do_nothing(), [row])
