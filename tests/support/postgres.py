"""A throw-away PostgreSQL cluster for tests: on a free port of 127.0.0.1, in a directory that goes with it.

PostgreSQL refuses to run as root; root runs it as the user ``postgres``, which its package creates.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from support.ports import free_port

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
# Nothing here has to survive a power cut, but what was committed has to survive `Cluster.stop`.
_QUICK = "-c fsync=off -c full_page_writes=off"


class Cluster:
    """A PostgreSQL server with a data directory of its own."""

    def __init__(self, directory: Path, programs: Path) -> None:
        self._directory, self._programs = directory, programs
        self._names = itertools.count(1)
        self.port = free_port()
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    @property
    def _data(self) -> str:
        return str(self._directory / "data")

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= {_QUICK}"
        log = str(self._directory / "log")
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "30", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop the server at once, as `kill -9` would; every connection breaks."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def create_database(self, template: str = "template1") -> str:
        """Return the name of a new database, a copy of `template`."""
        name = f"test{next(self._names)}"
        with psycopg.connect(self.url("postgres", driver="postgresql"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return name

    def url(self, database: str, *, driver: str = "postgresql+psycopg") -> str:
        """Return the address of a database, for SQLAlchemy unless another driver is named."""
        return f"{driver}://postgres@127.0.0.1:{self.port}/{database}"

    def _run(self, program: str, *arguments: str) -> None:
        is_root = os.geteuid() == 0
        # The server inherits the output of pg_ctl: a pipe would never end, so errors go to a file.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [self._programs / program, *arguments],
                cwd=self._directory,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                user="postgres" if is_root else None,
                group="postgres" if is_root else None,
                extra_groups=[] if is_root else None,
            )
            output.seek(0)
            assert done.returncode == 0, f"{program} failed:\n{output.read().decode()}"


@contextmanager
def postgres() -> Iterator[Cluster]:
    """Run a cluster for the length of the block; skip the test where PostgreSQL is not installed, fail in CI."""
    if not _BINARIES:
        reason = "PostgreSQL is not installed: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    directory = Path(tempfile.mkdtemp(prefix="commissary-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        cluster = Cluster(directory, _BINARIES[-1])
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(directory)
