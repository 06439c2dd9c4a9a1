"""The command line as people use it, against a running installation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import company
from support.slapd import GROUPS
from support.stack import Stack
from support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


class Shell:
    """A terminal: its own home, its own kept sessions."""

    def __init__(self, stack: Stack, home: Path) -> None:
        self.home = home
        kept = {key: value for key, value in os.environ.items() if not key.startswith("COMMISSARY_")}
        self._env = kept | {
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": str(home),
            "COMMISSARY_URL": stack.url,
            "COLUMNS": "160",
            "TZ": "Europe/Oslo",
        }

    def run(self, *arguments: str, typed: str = "", code: int = 0) -> str:
        """Return what a command printed; its exit code must be `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env=self._env,
            cwd=self.home,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def login(self, login: str) -> str:
        return self.run("login", login, "--password-stdin", typed=f"pass-{login}\n")


@pytest.fixture
def shell(stack: Stack, tmp_path: Path) -> Shell:
    stack.slapd.add(
        f"cn=commissary-operators,{GROUPS}", "groupOfNames", {"cn": "commissary-operators", "member": company.CAROL.dn}
    )
    stack.up()
    home = tmp_path / "home"
    home.mkdir()
    return Shell(stack, home)


def test_order_show_decide_and_verify(shell: Shell) -> None:
    assert "Signed in as Bob Brown" in shell.login("bob")
    assert "vpn" in shell.run("catalog", "list")
    assert "why" in shell.run("catalog", "show", "vpn")
    assert "REQ-1001" in shell.run("request", "order", "vpn", "-a", "why=for work", "--key", "first")
    assert "REQ-1001" in shell.run("request", "order", "vpn", "-a", "why=for work", "--key", "first")
    eventually(lambda: "Alice Adams" in shell.run("request", "show", "REQ-1001"), timeout=30)
    shown = shell.run("request", "show", "REQ-1001")
    for part in ("approval", "Waits for", "Manager: a decision is needed", "The request expires.", "REQ-1001.1"):
        assert part in shown
    assert "Alice Adams" in shell.run("request", "list")

    assert "Signed in as Alice Adams" in shell.login("alice")
    assert "REQ-1001.1" in shell.run("task", "list")
    assert "approved" in shell.run("task", "decide", "REQ-1001.1", "approve", "-r", "fine")
    assert "Nothing waits for you." in shell.run("task", "list")
    closed = shell.run("task", "list", "--closed")
    assert "Outcome" in closed
    assert "REQ-1001.1" in closed
    assert "approved" in closed
    assert "Due" not in closed

    followed = shell.run("request", "show", "REQ-1001", "--follow", "--as", "bob")
    assert "fulfilled" in followed
    assert "is whole" in shell.run("request", "verify", "REQ-1001", "--as", "bob")
    shell.run("request", "export", "REQ-1001", "journal.json", "--as", "bob")
    assert "is whole" in shell.run("request", "verify", "journal.json")
    forged = shell.home / "journal.json"
    forged.write_text(forged.read_text().replace("fine", "fake"))
    assert "was changed after it was written" in shell.run("request", "verify", "journal.json", code=1)
    assert json.loads(shell.run("request", "list", "--json", "--as", "bob"))[0]["outcome"] == "fulfilled"


def test_what_goes_wrong_is_said_in_a_line(shell: Shell) -> None:
    assert "Nobody is signed in" in shell.run("request", "list", code=1)
    assert "Error:" in shell.run("login", "bob", "--password-stdin", typed="wrong\n", code=1)
    shell.login("bob")
    wrong = shell.run("request", "order", "vpn", "-a", "why=", "-a", "colour=red", "--for", "nobody", code=1)
    for field in ("why:", "colour:", "beneficiary:"):
        assert field in wrong
    assert "no such request" in shell.run("request", "show", "REQ-1001?x=1", code=1)
    assert "FIELD=VALUE" in shell.run("request", "order", "vpn", "-a", "why", code=1)
    assert "no such request" in shell.run("request", "show", "REQ-4711", code=1)
    assert "does not answer" in shell.run("login", "bob", "--password-stdin", "--url", "http://127.0.0.1:9", code=1)


def test_an_order_can_be_called_off(shell: Shell) -> None:
    shell.login("bob")
    shell.run("request", "order", "vpn", "-a", "why=for work")
    eventually(lambda: "Alice Adams" in shell.run("request", "show", "REQ-1001"), timeout=30)
    assert "cancelled" in shell.run("request", "cancel", "REQ-1001", "--reason", "changed my mind")
    assert "changed my mind" in shell.run("request", "show", "REQ-1001")


def test_operators_see_all_requests_others_do_not(shell: Shell) -> None:
    shell.login("bob")
    shell.run("request", "order", "vpn", "-a", "why=for work")
    assert "Only operators" in shell.run("request", "list", "--all", code=1)
    assert "an operator" in shell.login("carol")
    assert "REQ-1001" in shell.run("request", "list", "--all")
