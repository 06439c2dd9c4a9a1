"""Every test of the register runs twice: on SQLite and on PostgreSQL, each time on an empty, migrated database."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.postgres import Cluster, postgres

from records.register import Register


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_postgres(cluster: Cluster) -> str:
    name = cluster.create_database()
    _migrate(cluster.url(name))
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "register.db"
    _migrate(f"sqlite:///{path}")
    return path


def _migrate(url: str) -> None:
    register = Register(url)
    register.migrate()
    register.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create_database())


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database without rows."""
    if backend == "sqlite":
        path = tmp_path / "register.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        return f"sqlite:///{path}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create_database(request.getfixturevalue("migrated_postgres")))


@pytest.fixture
def connect(url: str) -> Iterator[Callable[[], Register]]:
    """Another register on the same database, as another process would have."""
    opened: list[Register] = []

    def open_another() -> Register:
        opened.append(Register(url))
        return opened[-1]

    yield open_another
    for register in opened:
        register.close()


@pytest.fixture
def register(connect: Callable[[], Register]) -> Register:
    return connect()


@pytest.fixture
def run_twice(url: str) -> Callable[[str], list[list[str]]]:
    """Run a program in two processes at once on the same database; return the lines that each of them printed.

    The program has `register`, and is let go when both stand ready.
    """

    def run(program: str) -> list[list[str]]:
        begin = "import sys\nfrom records.register import *\nregister = Register(sys.argv[1])\n"
        program = (
            f"{begin}print('ready', flush=True)\nsys.stdin.readline()\n{textwrap.dedent(program)}\nregister.close()"
        )
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program, url],
                env={"PYTHONPATH": ":".join(path for path in sys.path if path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=60) for process in processes]
        assert [process.returncode for process in processes] == [0, 0], answers
        return [out.splitlines() for out, _ in answers]

    return run
