"""Runs a list of programs as one process tree on this machine: all of them, or none.

Each child has a session of its own, so that Ctrl-C reaches the supervisor only, which then stops them in order. If
the supervisor is killed, `cli.demo.warden` stops them. Which programs these are and what is done with them is
not said here. POSIX only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.request import ProxyHandler, build_opener

from cli.demo.warden import end

HOST = "127.0.0.1"
PROBE_TIMEOUT = 1.0
"""How long a child has to answer one readiness check, in seconds."""
# The shell names itself to the warden, then becomes the program; its standard error is the log.
_NAME_YOURSELF = 'echo $$; exec "$@" >&2'


class DemoError(Exception):
    """Something keeps the programs from running; the message is one line that says what to do."""


class PortTaken(DemoError):
    """Another program listens there."""


class AlreadyRunning(DemoError):
    """Another supervisor, or what it left behind, uses the same data folder."""


class MissingProgram(DemoError):
    """A program to start is not installed."""


class NotReady(DemoError):
    """A child did not get ready in time."""


class ChildDied(DemoError):
    """A child ended that was to stay."""


@dataclass(frozen=True)
class Child:
    """A program to run.

    Attributes:
        name: what messages and its log file call it.
        argv: the program and its arguments.
        ready: whether it does its work now; an OSError or HTTPException counts as no.
        env: added to the supervisor's environment.
        within: how long it may take to get ready, in seconds.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    env: Mapping[str, str] = field(default_factory=dict)
    within: float = 30.0


@dataclass(frozen=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    log: Path

    def died(self) -> str:
        """Return how it ended, in words."""
        code = self.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"{self.child.name} {how}; {last_words(self.log)}"


def port_free(port: int, option: str) -> None:
    """Return if nobody listens on that port of this machine.

    Args:
        port: a TCP port of 127.0.0.1.
        option: how the user chooses another one, for the message.

    Raises:
        PortTaken: somebody does, or it may not be used.
    """
    with socket.socket() as probe:
        # As servers do: what is left of closed connections is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = (
                "is taken by another program"
                if error.errno == errno.EADDRINUSE
                else f"cannot be used ({error.strerror})"
            )
            raise PortTaken(f"port {port} on {HOST} {why}; choose another with {option}") from error


def accepts(port: int) -> Callable[[], bool]:
    """Return a readiness check: connections to that port are accepted."""

    def check() -> bool:
        with socket.create_connection((HOST, port), PROBE_TIMEOUT):
            return True

    return check


def answers(url: str) -> Callable[[], bool]:
    """Return a readiness check: a GET of that URL of this machine succeeds."""
    # A proxy of the environment is not for loopback.
    opener = build_opener(ProxyHandler({}))

    def check() -> bool:
        with opener.open(url, timeout=PROBE_TIMEOUT) as response:
            return bool(response.status < 400)  # noqa: PLR2004  # RFC 9110: 4xx and 5xx are errors

    return check


def last_words(log: Path) -> str:
    """Return the last line of a log and where the rest is, in one line."""
    with log.open("rb") as text:
        text.seek(max(0, log.stat().st_size - 10_000))
        lines = [line.strip() for line in text.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return f"last line: {lines[-1][:300]!r}, all of it: {log}" if lines else f"it printed nothing ({log} is empty)"


@contextmanager
def supervised(data: Path, *, grace: float = 5.0) -> Iterator[Supervisor]:
    """Give a supervisor for the length of a block, and stop all it started at the end of it, whatever the end is.

    Args:
        data: folder for the lock and the logs (``data/logs/NAME.log``, of the last run); made if there is none.
        grace: how long each child has from SIGTERM to SIGKILL, in seconds.

    Raises:
        AlreadyRunning: another supervisor uses the folder, or what a killed one left behind is still being stopped.
        DemoError: the folder cannot be made or written to.
    """
    logs = data / "logs"
    try:
        logs.mkdir(parents=True, exist_ok=True)
        locked = _locked(data / "demo.lock")
    except OSError as error:
        raise DemoError(f"{data} cannot hold the demo's data: {error.strerror}; choose another with --data") from error
    with locked as lock:
        reading, writing = os.pipe()
        warden = _warden(reading, lock, grace)
        supervisor = Supervisor(logs, writing, grace)
        try:
            yield supervisor
        finally:
            # What this does not know of, or Ctrl-C keeps it from ending, the warden ends once the pipe does.
            try:
                supervisor.stop()
            finally:
                os.close(writing)
                warden.wait()


def _warden(reading: int, lock: IO[str], grace: float) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-I", str(Path(__file__).with_name("warden.py")), str(grace)],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # It holds the lock too: the folder is free again when what was left behind is gone.
            pass_fds=(lock.fileno(),),
            start_new_session=True,
        )
    finally:
        os.close(reading)


class Supervisor:
    """Starts children one after the other, watches them and stops them together; made by `supervised`."""

    def __init__(self, logs: Path, warden: int, grace: float) -> None:
        """Start nothing yet; `warden` is the writing end of the warden's pipe."""
        self._logs = logs
        self._warden = warden
        self._grace = grace
        self._running: list[_Running] = []

    def start(self, child: Child) -> None:
        """Start a program and wait until it is ready, watching the others meanwhile.

        Raises:
            MissingProgram: it is not installed.
            NotReady: it took too long.
            ChildDied: it, or another one, ended.
        """
        env = {**os.environ, "PYTHONUNBUFFERED": "1", **child.env}
        if shutil.which(child.argv[0], path=env.get("PATH")) is None:
            self.stop()
            raise MissingProgram(
                f"{child.name} needs the program {child.argv[0]}, which is not installed; run make setup"
            )
        log = self._logs / f"{child.name}.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                ["/bin/sh", "-c", _NAME_YOURSELF, child.name, *child.argv],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=self._warden,
                stderr=errors,
                start_new_session=True,
            )
        self._running.append(_Running(child, process, log))
        self._await(child, log)

    def _await(self, child: Child, log: Path) -> None:
        deadline = time.monotonic() + child.within
        pause = threading.Event()
        while True:
            self.check()
            with suppress(OSError, HTTPException):
                if child.ready():
                    return
            if time.monotonic() > deadline:
                self.stop()
                raise NotReady(f"{child.name} did not get ready within {child.within:g} s; {last_words(log)}")
            pause.wait(0.05)

    def check(self) -> None:
        """Return if all children run; else stop the others.

        Raises:
            ChildDied: one ended; the message says which, how, its last line and where its log is.
        """
        dead = next((one for one in self._running if one.process.poll() is not None), None)
        if dead is not None:
            self.stop()
            raise ChildDied(dead.died())

    def watch(self, until: threading.Event | None = None) -> None:
        """Block until the event is set, or for good; raises as `check` does, and KeyboardInterrupt at Ctrl-C."""
        until = until or threading.Event()
        while not until.wait(0.2):
            self.check()

    def stop(self) -> None:
        """End all children, the last one first: SIGTERM, and SIGKILL to what is left after the grace; reap them."""
        while self._running:
            process = self._running[-1].process
            if process.poll() is None:
                end(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(self._grace)
            # To the whole group: also to what the child started and left behind.
            end(process.pid, signal.SIGKILL)
            process.wait()
            # The warden is to leave it alone: the system may give the number to another process.
            with suppress(BrokenPipeError):  # if somebody killed the warden, there is nobody to tell
                os.write(self._warden, f"-{process.pid}\n".encode())
            # Only now: a stop that Ctrl-C cut short goes on where it was.
            self._running.pop()


def _locked(path: Path) -> IO[str]:
    """Return the open lock file; it is free again when all processes that hold it have ended."""
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise AlreadyRunning(
            f"{path.parent} is in use by another demo (process {owner}); stop that one, or choose another folder"
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
