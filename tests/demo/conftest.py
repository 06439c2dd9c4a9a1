"""The demo's own servers, each as the process that `commissary demo` starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support import ports
from support.waiting import eventually

from cli.demo.supervisor import accepts

ROOT = Path(__file__).parents[2]


Serve = Callable[[str, int], "subprocess.Popen[bytes]"]
"""Start ``python -m cli.demo.MODULE`` on a port and wait until it accepts, or ends."""


@contextmanager
def serving(data: Path) -> Iterator[Serve]:
    """Give a way to start servers that keep their data and logs in `data`; end them with the block."""
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"cli.demo.{module}", "--port", str(port), "--data", str(data)]
        with (data / f"{module}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        started.append(process)

        def is_up_or_gone() -> bool:
            with suppress(OSError):
                return accepts(port)()
            return process.poll() is not None

        eventually(is_up_or_gone, timeout=30)
        return process

    try:
        yield start
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture
def free_port() -> int:
    return ports.free_port()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with serving(tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def directory_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A directory that tests share; who changes it leaves it as it was."""
    port = ports.free_port()
    with serving(tmp_path_factory.mktemp("directory")) as start:
        start("directory_server", port)
        yield port
