"""What both sides of a benchmark run on: one engine, one slapd, one mail sink, and a worker process for each side.

Everything is a process of its own on 127.0.0.1, with its data in a temporary folder; at the end of the block all of
them are gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from support.slapd import Slapd, require_slapd, running_slapd
from support.stack import Stack
from support.waiting import eventually

from bench.rig import company
from catalog.people import PersonRef

ITEM = """\
id: bench
version: 1.0.0
name: Team folder
description: Read and write the folder of the team.
category: Access
duplicates: allow
owner: boss
form:
  - {id: why, type: text, label: Why}
approvals:
  - id: manager
    name: Manager
    approvers: [{rule: manager}]
workflow: AccessRequest
entitlement: {group: bench}
sla: {target: 2 days}
"""

DRIVER = "driver"


@dataclass(frozen=True)
class Stage:
    """The running processes.

    Attributes:
        manager: who decides about the people.
        deciders: others who decide.
        people: who orders, for themselves.
        catalog: a folder with the one item that is ordered.
        processes: by what their share of the processor time is called.
    """

    stack: Stack
    slapd: Slapd
    manager: PersonRef
    deciders: list[PersonRef]
    people: list[PersonRef]
    catalog: Path
    processes: dict[str, psutil.Process]

    def cpu(self) -> dict[str, float]:
        """Return the seconds of processor time that each process has used since it began."""
        used = {name: process.cpu_times() for name, process in self.processes.items()}
        return {name: times.user + times.system for name, times in used.items()}

    def mails(self) -> int:
        """Return how many mails have arrived at the sink."""
        return (self.stack.home / "mails").stat().st_size

    def check(self) -> None:
        """Raise RuntimeError if a process has ended."""
        for name, process in self.processes.items():
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                raise RuntimeError(f"the {name} process has died")


@contextmanager
def staged(people: int, item: str = ITEM) -> Iterator[Stage]:
    """Start everything but our API; `people` is the size of the company, `item` what can be ordered.

    Raises:
        RuntimeError: slapd is not installed.
    """
    try:
        require_slapd()
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        raise RuntimeError(str(missing)) from missing
    with ExitStack() as end:
        home = Path(end.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        slapd = end.enter_context(running_slapd(home))
        manager, deciders, staff = company.seed(slapd, people)
        shelf = home / "items"
        shelf.mkdir()
        (shelf / "bench.yaml").write_text(item)
        stack = Stack(home, slapd, catalog=shelf)
        end.callback(stack.down)
        processes = {DRIVER: psutil.Process(), "slapd": _known(slapd.process)}
        with _noticed(processes, "engine"):
            stack.up("engine")
        with _noticed(processes, "worker"):
            stack.start("worker")
        processes["sink"] = _run(end, stack, "bench.rig.sink", str(stack.mail_port), str(home / "mails"))
        processes["handwritten"] = _run(end, stack, "bench.handwritten.worker")
        eventually((home / "mails").exists, timeout=20)
        yield Stage(stack, slapd, manager, deciders, staff, shelf, processes)


@contextmanager
def _noticed(processes: dict[str, psutil.Process], name: str) -> Iterator[None]:
    """Note the one process that is started within the block."""
    before = set(psutil.Process().children())
    yield
    (processes[name],) = set(psutil.Process().children()) - before


def _known(process: subprocess.Popen[bytes] | None) -> psutil.Process:
    assert process is not None
    return psutil.Process(process.pid)


def _run(end: ExitStack, stack: Stack, module: str, *arguments: str) -> psutil.Process:
    """Run a module of ours until the end."""
    environment = stack.environment | {"PYTHONPATH": os.pathsep.join(sys.path[:2])}
    with (stack.home / f"{module}.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment, stdout=log, stderr=log)
    end.callback(process.wait, 20)
    end.callback(process.kill)
    return psutil.Process(process.pid)
