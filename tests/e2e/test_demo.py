"""`commissary demo` as a newcomer runs it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from support.ports import free_port
from support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


class Newcomer:
    """Runs the demo on ports of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = {name: free_port() for name in ("api", "engine", "engine-ui", "ldap", "mail")}
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("COMMISSARY_")}
        self.env |= {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}

    def command(self, *options: str) -> list[str]:
        ports = [f"--{name}-port={port}" for name, port in self.ports.items()]
        return [sys.executable, "-m", "cli.main", "demo", "--data", str(self.home / "demo"), *ports, *options]

    def run(self, *options: str, code: int = 0) -> str:
        done = subprocess.run(
            self.command(*options),
            env=self.env,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert self.left_behind() == []
        return done.stdout + done.stderr

    def left_behind(self) -> list[str]:
        """Return the command lines of processes that still use the demo's folder."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            if str(self.home) in line and process.pid != os.getpid():
                found.append(line)
        return found


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return Newcomer(tmp_path)


@pytest.mark.timeout(300)
def test_once_shows_a_fulfilled_order_and_a_second_run_finds_its_data(newcomer: Newcomer) -> None:
    first = newcomer.run("--once")
    told = ("Jonas Berg is not in it.", "Mara Lind", "Jonas Berg is in it.", "REQ-1001", "fulfilled", "REQ-1002")
    second_act = (
        "Noor Rahman asks before deciding",
        "gave the information asked for in stage 'Line manager'",
        "Stage 'Data protection' was not decided in time and went to Helen Park",
        "Mara Lind as line manager.",
        "as well for 1 day.",
        "Helen Park by escalation",
        "Noor Rahman on behalf of Mara Lind approved",
        "Helen Park approved stage",
        "What Noor Rahman decided in stage 'Line manager' no longer counts",
        "Anders Falk approved stage",
    )
    for part in (*told, *second_act):
        assert part in first
    assert "What Helen Park decided" not in first
    second = newcomer.run("--once")
    assert "Hana Suzuki is in it." in second
    assert "REQ-1003" in second
    assert "Jonas Berg" in second.split("read over LDAP before")[1]
    assert "REQ-1001" in newcomer.run("--once", "--reset")
    assert list((newcomer.home / "demo" / "mail").glob("*.eml"))


def test_a_taken_port_is_one_clear_line(newcomer: Newcomer) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        newcomer.ports["ldap"] = other.getsockname()[1]
        said = newcomer.run("--once", code=1)
    assert "is taken" in said
    assert "--ldap-port" in said


def test_a_dead_child_ends_the_demo_with_one_clear_line(newcomer: Newcomer) -> None:
    with subprocess.Popen(
        newcomer.command(),
        env=newcomer.env,
        cwd=newcomer.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "Ctrl-C stops everything" in line:
                break
        (engine,) = [c for c in psutil.Process(demo.pid).children(recursive=True) if "start-dev" in c.cmdline()]
        engine.send_signal(signal.SIGKILL)
        rest = demo.stdout.read()
        assert demo.wait(30) == 1
    assert "engine was killed by SIGKILL" in rest
    assert newcomer.left_behind() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_story_cut_short_does_not_pass_for_one_that_ended_well(
    newcomer: Newcomer, number: signal.Signals, code: int
) -> None:
    with subprocess.Popen(
        newcomer.command("--once"),
        env=newcomer.env,
        cwd=newcomer.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        log = newcomer.home / "demo" / "logs" / "engine.log"
        eventually(log.exists, timeout=60)  # it is starting up
        demo.send_signal(number)
        assert demo.stdout is not None
        assert "Stopped." in demo.stdout.read()
        assert demo.wait(30) == code
    assert newcomer.left_behind() == []


def test_a_folder_that_cannot_be_used_is_one_clear_line(newcomer: Newcomer) -> None:
    newcomer.home = Path("/dev/null")
    done = subprocess.run(
        newcomer.command("--once"), env=newcomer.env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: /dev/null/demo cannot hold the demo's data: Not a directory")
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_everything(newcomer: Newcomer) -> None:
    with subprocess.Popen(
        newcomer.command(),
        env=newcomer.env,
        cwd=newcomer.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "Ctrl-C stops everything" in line:
                break
        demo.send_signal(signal.SIGINT)
        assert "Stopped." in demo.stdout.read()
        assert demo.wait(30) == 0
    eventually(lambda: newcomer.left_behind() == [], timeout=10)
