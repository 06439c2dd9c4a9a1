from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from support.builders import NOON, a_new_order, an_item
from support.postgres import Cluster
from support.story import Story

from catalog.journal import Kind, verify
from catalog.request import Status
from records import database
from records.register import Register, RegisterUnavailable


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers opened from now on wait one second instead of five."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 1)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://u:p@h/d"])
def test_a_database_that_processes_cannot_share_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///FILE or postgresql"):
        Register(url)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    register = Register(f"sqlite:///{tmp_path}/nowhere/register.db")
    with pytest.raises(RegisterUnavailable, match=f"the directory {tmp_path}/nowhere does not exist"):
        register.check()
    register.close()


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "register.db").write_text("Dear diary, " * 100)
    register = Register(f"sqlite:///{tmp_path}/register.db")
    with pytest.raises(RegisterUnavailable, match="not a database"):
        register.check()
    register.close()


def test_a_server_that_is_not_there_is_reported_without_the_password(cluster: Cluster) -> None:
    register = Register("postgresql://someone:secret@127.0.0.1:1/register")
    with pytest.raises(RegisterUnavailable) as raised:
        register.take(a_new_order())
    assert "127.0.0.1" in str(raised.value)
    assert "secret" not in str(raised.value)
    register.close()


def test_a_wrong_statement_is_not_mistaken_for_an_unavailable_database(register: Register) -> None:
    with pytest.raises(DBAPIError, match="nowhere"), register.read() as connection:
        connection.execute(text("SELECT nonsense FROM nowhere"))
    with pytest.raises(IntegrityError), register.write() as connection:
        connection.execute(text("INSERT INTO intake VALUES (1, 'a', 'k', 'b', NULL)"))


def test_a_transaction_that_fails_leaves_nothing(register: Register) -> None:
    number = register.take(a_new_order()).order.number

    class Interrupted(Exception):
        pass

    def fail_halfway() -> None:
        with register.write() as connection:
            connection.execute(text("UPDATE requests SET status = 'closed'"))
            raise Interrupted

    with pytest.raises(Interrupted):
        fail_halfway()
    assert [view.order.number for view in register.requests(viewer=None, state="open").items] == [number]


def test_another_writer_that_does_not_end_makes_the_register_unavailable_until_it_does(
    impatient: None, register: Register, url: str, backend: str
) -> None:
    story = Story(register.take(a_new_order()).order.number)
    with ExitStack() as stack:
        if backend == "sqlite":
            other = stack.enter_context(closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)))
            other.execute("BEGIN IMMEDIATE")
        else:
            server = stack.enter_context(psycopg.connect(url.replace("+psycopg", "")))
            server.execute("SELECT * FROM requests FOR UPDATE")
        batch = story.batch(Kind.OPENED)
        with pytest.raises(RegisterUnavailable, match=r"database is locked|lock timeout"):
            register.record(batch)
        assert register.request(story.number) is not None, "who only reads need not wait"
    register.record(batch)
    assert len(register.journal(story.number)) == 1


def test_who_reads_for_long_holds_up_nobody_who_writes(impatient: None, register: Register) -> None:
    with register.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM requests")) == 0
        assert register.take(a_new_order()).fresh
    assert register.request("REQ-1001") is not None


def test_when_all_connections_are_taken_the_register_is_unavailable_until_one_is_free(
    impatient: None, register: Register
) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(register.read())
        with pytest.raises(RegisterUnavailable, match="came free"):
            register.request("REQ-1001")
    assert register.request("REQ-1001") is None


def test_a_server_that_stops_makes_the_register_unavailable_until_it_is_back(cluster: Cluster) -> None:
    register = Register(cluster.url(cluster.create_database()))
    register.migrate()
    story = Story(register.take(a_new_order()).order.number)
    batch = story.batch(Kind.OPENED)
    cluster.stop()
    try:
        for use in (
            register.check,
            lambda: register.record(batch),
            lambda: register.take(a_new_order("key-2")),
            lambda: register.children(story.number),
            lambda: register.open_duplicate("sha256:vpn"),
            lambda: register.publish(an_item(), "wiki.yaml", NOON),
            register.newest,
            lambda: register.drafts("id-ada"),
            lambda: register.delete_draft("id-ada", "d-1"),
            lambda: register.keep_file("id-ada", "offer.pdf", "application/pdf", b"%PDF", NOON),
            lambda: register.content("sha256:offer"),
            lambda: register.drop_unattached(NOON),
            lambda: register.keep_secret("id-ada", b"", NOON),
            lambda: register.secret("secret:none"),
        ):
            with pytest.raises(RegisterUnavailable):
                use()
    finally:
        cluster.start()
    register.check()
    register.record(batch)
    assert verify(register.journal(story.number)) == []
    assert len(register.requests(viewer=None).items) == 1
    assert register.publish(an_item(), "wiki.yaml", NOON)
    register.close()


def test_a_server_that_was_restarted_between_two_calls_is_not_noticed(cluster: Cluster) -> None:
    register = Register(cluster.url(cluster.create_database()))
    register.migrate()
    cluster.stop()
    cluster.start()
    register.check()
    assert list(register.requests(viewer=None).items) == []
    register.close()


def test_a_connection_that_breaks_in_a_transaction_makes_the_register_unavailable(cluster: Cluster) -> None:
    register = Register(cluster.url(cluster.create_database()))

    def die() -> None:
        with register.write() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(RegisterUnavailable):
        die()
    with register.read() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    register.close()


WRITER = """
    import sys
    from support.builders import a_new_order
    from support.story import Story, a_notice, a_task
    from catalog.journal import Kind
    from catalog.request import Status
    from records.register import Register

    register = Register(sys.argv[1])
    for n in range(100_000):
        number = register.take(a_new_order(f"{sys.argv[2]}-{n}")).order.number
        story = Story(number)
        register.record(story.batch(Kind.OPENED, Kind.STAGE_OPENED, tasks=(a_task(number, 1, "Bob"),)))
        task = a_task(number, 1, "Bob", decided="approve")
        notices = tuple(a_notice(number, seq) for seq in (3, 4, 5))
        kinds = (Kind.VOTE, Kind.EFFECT_OBSERVED, Kind.CLOSED)
        register.record(story.batch(*kinds, status=Status.CLOSED, tasks=(task,), notices=notices))
        print(number, flush=True)
"""


def test_a_process_killed_while_it_writes_leaves_whole_transactions_and_all_it_was_told_of(
    url: str, register: Register
) -> None:
    done = [number for life in range(4) for number in _write_until_killed(url, life, after=5 + 3 * life)]
    seen = register.requests(viewer=None, limit=1000).items
    by_number = {view.order.number: view.projection for view in seen}
    assert all(by_number[number].status is Status.CLOSED for number in done)
    for number, projection in by_number.items():
        entries = register.journal(number)
        assert verify(entries) == []
        assert projection.seq == len(entries)
        assert projection.seq in (0, 2, 5)
        task = register.task(f"{number}.1")
        assert (task.task if task else None) == (projection.tasks[0] if projection.tasks else None)
    closed = sum(projection.status is Status.CLOSED for projection in by_number.values())
    assert register.notice_counts()["pending"] == 3 * closed
    register.check()


def _write_until_killed(url: str, life: int, *, after: int) -> list[str]:
    """Return the numbers that the process had reported as written when it died."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), url, str(life)],
        env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(after)]
    process.kill()
    lines += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    return [line.strip() for line in lines if line.endswith("\n")]
