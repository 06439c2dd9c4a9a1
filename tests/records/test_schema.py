from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, event, inspect, text
from support.builders import NOON, a_new_order, a_person, an_item
from support.story import Story, a_notice, a_task

from catalog.calendar_file import PublishedCalendar
from catalog.delegation import Delegation
from catalog.journal import Kind
from catalog.preferences import Preferences
from records import database
from records.register import Draft, InboxQuery, Place, Register, RegisterUnavailable
from records.tables import metadata

HEAD = str(database._scripts().get_current_head())
NEXT_RELEASE = f"""
from alembic import op
import sqlalchemy as sa
revision, down_revision = "9000", "{HEAD}"
def upgrade():
    op.create_table("added", sa.Column("id", sa.Integer, primary_key=True))
"""


HARMLESS = ("SCAN CONSTANT ROW", "SCAN newest")
"""Reading the values given, and reading what a limited query inside the query has found."""


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Make this process a later release, whose schema has one more revision."""

    def release(revision: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(Path(database.__file__).parent / "migrations", folder)
        (folder / "versions" / "r9000_later.py").write_text(revision)
        config = Config()
        config.set_main_option("script_location", str(folder))
        monkeypatch.setattr(database, "_alembic", lambda: config)
        database._scripts.cache_clear()

    yield release
    monkeypatch.undo()
    database._scripts.cache_clear()


def test_an_empty_database_is_migrated_and_migrating_again_changes_nothing(empty_url: str) -> None:
    register = Register(empty_url)
    with pytest.raises(RegisterUnavailable, match="empty; run `commissary migrate`"):
        register.check()
    register.migrate()
    register.check()
    register.take(a_new_order())
    register.migrate()
    assert register.request("REQ-1001") is not None
    register.close()


def test_many_processes_may_migrate_an_empty_database_at_once(empty_url: str) -> None:
    program = (
        "import sys; from records.register import Register as R; r = R(sys.argv[1]); r.migrate(); r.check(); r.close()"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", program, empty_url], env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, errors


def test_a_schema_of_an_older_release_is_to_be_migrated(register: Register, release: Callable[[str], None]) -> None:
    register.check()
    release(NEXT_RELEASE)
    with pytest.raises(RegisterUnavailable, match=rf"older release \(revision {HEAD}\); run `commissary migrate`"):
        register.check()
    register.migrate()
    register.check()


def test_a_schema_of_a_newer_release_is_neither_used_nor_changed(register: Register) -> None:
    with register.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for use in (register.check, register.migrate):
        with pytest.raises(RegisterUnavailable, match="newer release"):
            use()


def test_a_migration_that_fails_leaves_the_schema_as_it_was(register: Register, release: Callable[[str], None]) -> None:
    release(NEXT_RELEASE + "    op.execute('SELECT nonsense FROM nowhere')\n")
    with pytest.raises(Exception, match="nowhere"):
        register.migrate()
    with register.read() as connection:
        assert "added" not in inspect(connection).get_table_names()
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD


def test_alembic_sees_no_difference_between_the_migrations_and_the_tables(register: Register) -> None:
    with register.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_migrations_build_what_the_tables_say_to_the_last_name(register: Register, empty_url: str) -> None:
    """Alembic compares neither conditions of indexes nor names of keys."""
    engine = create_engine(empty_url)
    metadata.create_all(engine)
    with register.read() as migrated, engine.connect() as direct:
        assert {name: _table(migrated, name) for name in metadata.tables} == {
            name: _table(direct, name) for name in metadata.tables
        }
    engine.dispose()


def _table(connection: Connection, name: str) -> list[str]:
    look = inspect(connection)
    references: list[Any] = list(look.get_foreign_keys(name))
    if connection.dialect.name == "sqlite":
        # SQLAlchemy does not see the name of one that came with a later column.
        references = [reference | {"name": None} for reference in references]
    parts = [*look.get_columns(name), *references, *look.get_unique_constraints(name)]
    indexes = [
        index | {"dialect_options": {option: str(value) for option, value in index["dialect_options"].items()}}
        for index in look.get_indexes(name)
    ]
    return sorted(map(repr, [*parts, *indexes, look.get_pk_constraint(name)]))


def test_no_query_reads_a_whole_table(migrated_sqlite: Path, tmp_path: Path) -> None:
    """Shown on SQLite: PostgreSQL reads tables as small as a test's whole, whatever indexes there are."""
    register = Register(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'register.db')}")
    asked: list[tuple[str, Any]] = []

    def listen(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        asked.append((sql, values))

    event.listen(register._engine, "before_cursor_execute", listen)
    _use_everything(register)
    queries = [(sql, values) for sql, values in asked if "WHERE" in sql]
    with register.read() as connection:
        for sql, values in queries:
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values):
                scans = step.detail.startswith("SCAN") and step.detail not in HARMLESS
                assert not scans or " INDEX " in step.detail, f"{step.detail}: {sql}"
    assert len(queries) > 40
    register.close()


def _use_everything(register: Register) -> None:
    number = register.take(a_new_order()).order.number
    story = Story(number)
    register.record(story.batch(Kind.OPENED, tasks=(a_task(number, 1, "Bob"),), notices=(a_notice(number),)))
    register.unstarted(before=NOON, limit=1)
    register.mark_started(number, NOON)
    register.journal(number)
    register.entry_of(number, "c-1")
    register.request(number)
    register.is_party(number, "id-bob")
    register.task(f"{number}.1")
    for state in ("open", "closed"):
        register.requests(viewer="id-ada", state=state)
    register.requests(viewer=None, state="open")
    _use_inbox(register, number)
    _use_what_tells_of_time(register, number)
    register.claim_notice(NOON)
    register.notice_sent(1, NOON)
    register.settle_lost_notices(NOON)
    _use_what_orders_hold(register, number)
    _use_delegations(register)
    _use_wishes(register, story)


def _use_inbox(register: Register, number: str) -> None:
    asked = InboxQuery(person_id="id-bob", operator=True, after=Place(row=99, key=NOON.isoformat()))
    ways: list[dict[str, Any]] = [{"sort": sort} for sort in ("due", "age", "item", "cost", "risk")]
    ways += [{"state": "closed"}, {"whose": "mine", "overdue_at": NOON}, {"whose": "group"}]
    for changes in ways:
        register.tasks(asked.model_copy(update=changes))
    view = register.request(number)
    assert view is not None
    known = view.order.beneficiary_profile.model_copy(update={"department": "IT"})
    register.background(view.model_copy(update={"order": view.order.model_copy(update={"beneficiary_profile": known})}))


def _use_wishes(register: Register, story: Story) -> None:
    hours = {"monday": ["09:00-17:00"]}
    office = {"id": "office", "name": "Office"}
    published = PublishedCalendar.model_validate(
        {"file": office | {"hours": hours}, "calendar": office | {"week": hours}}
    )
    register.publish_calendars([published], NOON, complete=True)
    register.publish_calendars([], NOON, complete=True)
    register.calendars()
    register.set_preferences("id-bob", Preferences(digest=time(8)), NOON)
    register.preferences("id-bob")
    register.chosen(["id-bob", "id-ada"])
    asked = a_notice(story.number, 9, a_person("Bob").ref(), template="reminder", data={"task": f"{story.number}.1"})
    register.record(story.batch(Kind.COMMENT, notices=(asked,)))
    register.claim_notice(NOON)
    assert register.gather_notices(NOON + timedelta(days=1))


def _use_delegations(register: Register) -> None:
    ada, bob = a_person().ref(), a_person("Bob").ref()
    one = Delegation(
        id="dlg-1",
        person=ada,
        delegate=bob,
        begins=NOON,
        ends=NOON + timedelta(days=1),
        set_by=ada,
        created_at=NOON,
    )
    register.delegation_set(one.id, "sha256:body")
    register.set_delegation(one, "sha256:body")
    register.delegation(one.id)
    register.touching([ada.id], NOON)
    register.principals(bob.id, NOON)
    register.deciding({ada.id, bob.id})
    for state in ("open", "closed"):
        register.delegations(viewer=ada.id, state=state, at=NOON)
        register.delegations(viewer=None, state=state, at=NOON, after=9)
    for turn in register.turning(NOON, 9):
        register.mark_announced(turn, NOON)
    register.withdraw_delegation(one.id, NOON)


def _use_what_tells_of_time(register: Register, number: str) -> None:
    view = register.request(number)
    assert view is not None
    register.promises([view], NOON)
    register.lengths([view.order])
    register.look_for_late_timers(NOON)
    register.late_timers()


def _use_what_orders_hold(register: Register, parent: str) -> None:
    register.publish(an_item(), "wiki.yaml", NOON)
    register.publish(an_item(), "wiki.yaml", NOON)
    register.newest()
    register.newest(["wiki-editor"])
    register.versions("wiki-editor")
    register.published("wiki-editor", "1.0.0")
    register.save_draft(Draft(id="d-1", owner_id="id-ada", item="wiki-editor", answers={}, updated_at=NOON))
    register.drafts("id-ada")
    register.draft("id-ada", "d-1")
    register.delete_draft("id-ada", "d-1")
    dropped, kept = (register.keep_file("id-ada", "offer.pdf", "application/pdf", b"%PDF", NOON) for _ in range(2))
    register.keep_secret("id-ada", b"", NOON)
    secret = register.keep_secret("id-ada", b"", NOON)
    order = a_new_order("child", parent=parent, duplicate_key="sha256:vpn", uploads=(kept.id,), secrets=(secret,))
    child = register.take(order).order.number
    register.drop_unattached(NOON + timedelta(seconds=1))
    register.upload(dropped.id)
    register.content(kept.digest)
    register.drop_unused_secrets(NOON)
    register.secret(secret)
    register.add_evidence(child, "id-ada", (kept.id,), (secret,))
    register.file_of(child, kept.id)
    register.open_duplicate("sha256:vpn")
    register.take(a_new_order("anew", duplicate_key="sha256:vpn", replaces=child))
    register.replaced_by(child)
    register.children(parent)
    register.requests(viewer="id-ada", top_level=True)
