"""What Alembic runs: the migrations, on the connection and inside the transaction that `Database.migrate` opened.

SQLite can change its schema in a transaction too, so on both databases a migration happens whole or not at all.
"""

from __future__ import annotations

from alembic import context

from records.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
