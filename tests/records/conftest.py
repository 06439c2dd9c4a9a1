"""Every test of the register runs twice: on SQLite and on PostgreSQL, each time on an empty, migrated database."""

from __future__ import annotations

import shutil
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
