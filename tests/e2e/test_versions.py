"""An item is edited while requests of it run: they finish on their version, new ones take the new one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from support import company
from support.stack import Person, Stack
from support.waiting import until

OWNER_TOO = """\
  - id: owner
    name: Owner of the network
    approvers: [{rule: owner}]
"""


def edited(text: str) -> str:
    """Return the next version: another group, and one more stage."""
    text = text.replace("version: 1.0.0", "version: 1.1.0").replace("group: vpn}", f"group: {company.EMPTY.name}}}")
    return text.replace("workflow:", f"{OWNER_TOO}workflow:")


async def offered(http: httpx.AsyncClient, person: Person, version: str) -> None:
    """Wait until the shelf, which looks at its files by itself, has found a version."""

    async def found() -> bool:
        return bool((await person.get(http, "/catalog/items/vpn"))["version"] == version)

    await until(found, within=20, pause=0.1)


def diff(old: Path, new: Path) -> str:
    """Return what `commissary catalog diff` says."""
    command = [sys.executable, "-m", "cli.main", "catalog", "diff", str(old), str(new)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def closed(request: dict[str, Any]) -> bool:
    return bool(request["status"] == "closed")


async def test_running_requests_finish_on_their_version(
    stack: Stack, catalog: Path, tmp_path: Path, http: httpx.AsyncClient
) -> None:
    stack.up()
    bob, carol, alice = Person(stack, "bob"), Person(stack, "carol"), Person(stack, "alice")
    for person in (bob, carol, alice):
        await person.sign_in(http)
    before = await bob.order(http)
    await bob.sees(http, before, lambda request: bool(request["tasks"]))

    text = (catalog / "vpn.yaml").read_text()
    (tmp_path / "old.yaml").write_text(text)
    (catalog / "vpn.yaml").write_text(edited(text))
    await offered(http, carol, "1.1.0")
    stack.kill("worker")  # whatever a worker had in memory of the first is gone
    stack.start("worker")
    after = await carol.order(http)

    for number in (before, after):
        await alice.sees(http, number, lambda request: bool(request["tasks"]))
        answer = await alice.post(http, f"/tasks/{number}.1/decision", {"choice": "approve"})
        assert answer.status_code == 200, answer.text

    first = await bob.sees(http, before, closed)
    assert (first["outcome"], first["item"]["version"], len(first["tasks"])) == ("fulfilled", "1.0.0", 1)
    assert company.BOB.dn in stack.slapd.values(company.VPN.dn, "member")
    assert company.BOB.dn not in stack.slapd.values(company.EMPTY.dn, "member")

    second = await carol.sees(http, after, lambda request: len(request["tasks"]) == 2)
    assert second["item"]["version"] == "1.1.0"
    assert company.CAROL.dn not in stack.slapd.values(company.VPN.dn, "member")

    told = await asyncio.to_thread(diff, tmp_path / "old.yaml", catalog / "vpn.yaml")
    assert "1.0.0" in told
    assert "1.1.0" in told
    assert company.EMPTY.name in told
    assert "Owner of the network" in told
