"""The demo's story: one real order, from the catalog through a manager's approval into the directory.

It uses what everybody may use: the HTTP API for ordering and deciding, LDAP for looking at the group. What happens when
people are away, ask back and change their minds, `second_act` tells.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

from activities.connectors.ldap import LdapDirectory
from catalog.access import Membership
from catalog.people import Person
from cli.client import Client, at
from cli.demo.supervisor import DemoError, Supervisor
from cli.render import plain, request_panel

ITEM, GROUP = "vpn-access", "vpn-users"
MANAGER = "mara.lind"
TEAM = ("jonas.berg", "hana.suzuki", "leo.marchetti", "piotr.zielinski", "asa.ostrom")
"""People who report to her; each run of the demo lets the next of them order."""
PASSWORD = "demo"  # noqa: S105  everybody's, in a directory that only listens on this machine
PATIENCE = 30.0


def tell(url: str, directory: LdapDirectory, supervisor: Supervisor, console: Console) -> str:
    """Place the order, decide it, and show what became of it; return its number.

    Raises:
        DemoError: it did not come to the end it should come to.
    """
    orderer = _orderer(directory, console)
    people = {login: Client.sign_in(url, login, PASSWORD) for login in (orderer.login, MANAGER)}
    asks, decides = (Client(url, token=people[login]["token"]) for login in (orderer.login, MANAGER))

    show_step(console, f"The group {GROUP}, read over LDAP before")
    _show_group(console, directory, orderer)

    show_step(console, f"{orderer.name} orders {ITEM} over HTTP")
    answers = {"reason": "Working from the test site in Narvik this winter", "device": "company laptop"}
    number = asks.post("/requests", {"item": ITEM, "answers": answers})["number"]
    console.print(plain(f"POST /api/v1/requests → {number}"))

    waiting = until(asks, number, lambda request: request["status"] == "approval", supervisor)
    show_step(console, "It waits, and says for whom")
    console.print(request_panel(waiting, list(asks.pages(at("requests", number, "journal")))))

    task = next(decides.pages("/tasks"))
    show_step(console, f"{people[MANAGER]['person']['name']} finds {task['id']} in her inbox and approves")
    decides.post(at("tasks", task["id"], "decision"), {"choice": "approve", "reason": "Needed for the Narvik project"})

    closed = until(asks, number, lambda request: request["status"] == "closed", supervisor)
    show_step(console, f"The group {GROUP}, read over LDAP after")
    _show_group(console, directory, orderer)

    show_step(console, "The record")
    console.print(request_panel(closed, list(asks.pages(at("requests", number, "journal")))))
    seen = directory.is_member(Membership(person_id=orderer.id, group=GROUP))
    if closed["outcome"] != "fulfilled" or not seen:
        raise DemoError(f"{number} ended {closed['outcome']} ({closed['reason']}); a member: {seen}")
    return str(number)


def _orderer(directory: LdapDirectory, console: Console) -> Person:
    """Return who orders this time: the first of the team who does not have it yet."""
    members = {person.login for person in directory.members(GROUP)}
    for login in TEAM:
        if login not in members:
            return directory.person_by_login(login)
    person = directory.person_by_login(TEAM[0])
    directory.ensure_absent(Membership(person_id=person.id, group=GROUP))
    console.print(plain(f"The whole team has it from earlier runs; {person.name}'s place was taken back."), style="dim")
    return person


def _show_group(console: Console, directory: LdapDirectory, orderer: Person) -> None:
    names = [plain(p.name) for p in directory.members(GROUP)]
    there = directory.is_member(Membership(person_id=orderer.id, group=GROUP))
    console.print(Text(", ").join(names))
    sentence = plain(f"{orderer.name} is {'in it' if there else 'not in it'}.")
    console.print(sentence, style="green" if there else "yellow")


def until(
    client: Client, number: str, reached: Callable[[dict[str, Any]], bool], supervisor: Supervisor
) -> dict[str, Any]:
    """Return the request once it has come that far.

    Raises:
        DemoError: it did not in time, it closed on the way, or a process of the demo died.
    """
    deadline, pause = time.monotonic() + PATIENCE, threading.Event()
    while True:
        request = client.get(at("requests", number))
        if reached(request):
            return request
        if request["status"] in ("closed", "attention") or time.monotonic() > deadline:
            why = request["reason"] or "; ".join(waiting["what"] for waiting in request["waiting"])
            raise DemoError(f"{number} came to {request['outcome'] or request['status']} instead: {why}")
        supervisor.check()
        pause.wait(0.1)


def show_step(console: Console, title: str) -> None:
    """Begin a part of the story."""
    console.print()
    console.rule(plain(title), align="left")
