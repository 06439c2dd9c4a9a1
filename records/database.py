"""The connection to the database: engines, transactions, schema revision, and which failures mean "not available".

What is asked and written inside a transaction is the business of the modules beside this one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, make_url, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry

from records.errors import RegisterUnavailable

BUSY_SECONDS = 5
"""How long to wait for another writer, for a connection, and for the server to take one."""

STATEMENT_SECONDS = 15
"""How long PostgreSQL may work on one statement; migrations are exempt."""

_MIGRATION_LOCK = 0x436F6D6D  # any fixed number that nobody else locks in this database

_SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


class Database:
    """One database, used by any number of threads and processes."""

    def __init__(self, url: str) -> None:
        """Open nothing yet; `url` is a SQLAlchemy URL (``sqlite:///…`` or ``postgresql+psycopg://…``).

        Raises:
            ValueError: the URL names another kind of database, or SQLite without a file: every thread and process
                would then see a database of its own.
        """
        self._url = make_url(url)
        match self._url.get_backend_name():
            case "sqlite" if self._url.database and self._url.database != ":memory:":
                self._engine = _sqlite(self._url)
            case "postgresql":
                self._engine = _postgresql(self._url)
            case _:
                raise ValueError("the register lives in sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE")
        self._writing = self._engine.execution_options(writes=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for one transaction that only reads."""
        with self._reachable(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection for one transaction; it is committed at the end of the block, or not at all."""
        with self._reachable(), self._writing.begin() as connection:
            yield connection

    def migrate(self) -> None:
        """Bring the schema up to date (Alembic). Safe to call from several processes at once.

        Raises:
            RegisterUnavailable: the database does not answer, or a newer release has already changed the schema.
        """
        with self.write() as connection:
            if connection.dialect.name == "postgresql":
                # A migration may take its time, and so may the one that another process is busy with.
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            _refuse_newer(_revision(connection))
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def check(self) -> None:
        """Return if the database answers and its schema is current; raises `RegisterUnavailable` with the reason."""
        with self.read() as connection:
            revision = _revision(connection)
        _refuse_newer(revision)
        if revision is None:
            raise RegisterUnavailable("The register's database is empty; run `commissary migrate`.")
        if revision != _scripts().get_current_head():
            raise RegisterUnavailable(
                f"The register's schema is of an older release (revision {revision}); run `commissary migrate`."
            )

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        """Say `RegisterUnavailable` for failures of the database, and let failures of ours through."""
        try:
            yield
        except PoolTimeoutError as error:
            raise RegisterUnavailable(f"No connection to {self._url!r} came free in {BUSY_SECONDS} s.") from error
        except DBAPIError as error:
            if _is_ours(error):
                raise
            raise RegisterUnavailable(f"{self._url!r} does not serve: {error.orig}{self._hint()}") from error

    def _hint(self) -> str:
        """Return what to do about it, where that can be seen from here."""
        if self._url.get_backend_name() != "sqlite":
            return ""
        folder = Path(self._url.database or "").absolute().parent
        return "" if folder.is_dir() else f"; the directory {folder} does not exist, create it"


def upsert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return an insert that can say ON CONFLICT; the two databases mean the same by it, SQLAlchemy types it twice."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _is_ours(error: DBAPIError) -> bool:
    """Return whether the statement is at fault rather than the database.

    SQLite reports a misspelt table and a locked file by the same class; the code behind it tells them apart.
    """
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return code & 0xFF not in _SQLITE_UNAVAILABLE
    return not isinstance(error, OperationalError | InterfaceError)


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS}, pool_size=5, max_overflow=15, pool_timeout=BUSY_SECONDS
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions on its own; `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # An order that was answered with 201 must outlive a power cut too, not only a killed process. Compared with
    # NORMAL this costs each write one more wait for the disk: below 1 ms where measured, on a solid-state disk.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def one_at_a_time(connection: Connection, what: str) -> None:
    """Have all that is done about the same, in transactions that write, be done one after the other."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(what, 0))))


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then wants to write fails at once if somebody wrote in between. One that
    # takes the write lock first waits for its turn.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "connect_timeout": BUSY_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={BUSY_SECONDS}s -c timezone=UTC",
            # A server that vanished from the network is noticed in seconds instead of hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 1000 * STATEMENT_SECONDS,
        },
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=BUSY_SECONDS,
    )


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", "records:migrations")
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_alembic())


def _revision(connection: Connection) -> str | None:
    """Return the revision of the schema; None for an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision is not None and revision not in known:
        raise RegisterUnavailable(
            f"The register's schema (revision {revision}) is of a newer release than this one; upgrade Commissary."
        )
