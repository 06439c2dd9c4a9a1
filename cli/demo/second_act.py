"""The demo's second act: an approval in which everything happens that keeps approvals from being easy.

Two stages run side by side. The manager is on leave, her delegate asks back and is answered, the other stage is not
decided in time, and the order is changed when both have approved: one vote falls, the other stays. After each turn the
request says what it waits for (feature rows A4, A8, A10, A13, A22, W1).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from activities.connectors.ldap import LdapDirectory
from catalog.access import Membership
from cli.client import Client, at
from cli.demo.story import MANAGER, PASSWORD, show_step, until
from cli.demo.supervisor import DemoError, Supervisor
from cli.render import plain, request_panel

ITEM, GROUP = "tender-room", "tender-archive"
ORDERER, DELEGATE, CHIEF, OWNER = "piotr.zielinski", "noor.rahman", "helen.park", "anders.falk"
Reached = Callable[[dict[str, Any]], bool]


class SecondAct:
    """One order, and the people who have to do with it."""

    def __init__(self, url: str, supervisor: Supervisor, console: Console) -> None:
        """Sign everybody in."""
        self._supervisor, self._console = supervisor, console
        people = {login: Client.sign_in(url, login, PASSWORD) for login in (ORDERER, MANAGER, DELEGATE, CHIEF, OWNER)}
        self._clients = {login: Client(url, token=one["token"]) for login, one in people.items()}
        self._names = {login: one["person"]["name"] for login, one in people.items()}
        self._number = ""

    def tell(self, directory: LdapDirectory) -> str:
        """Let it happen and show each turn; return the request's number.

        Raises:
            DemoError: it did not come to the end it should come to.
        """
        person = directory.person_by_login(ORDERER)
        directory.ensure_absent(Membership(person_id=person.id, group=GROUP))  # an earlier run may have given it
        delegation = self._goes_on_leave()
        try:
            self._asks_and_is_answered()
            self._falls_and_stays()
            closed = self._turn("The record", lambda request: request["status"] == "closed")
        finally:
            self._clients[MANAGER].delete(at("delegations", delegation))
        seen = directory.is_member(Membership(person_id=person.id, group=GROUP))
        if closed["outcome"] != "fulfilled" or not seen:
            raise DemoError(f"{self._number} ended {closed['outcome']} ({closed['reason']}); a member: {seen}")
        return self._number

    def _asks_and_is_answered(self) -> None:
        names = self._names
        self._order()
        self._turn(f"Two stages side by side; {names[MANAGER]} is away, {names[DELEGATE]} stands in", _two_wait)
        self._say(DELEGATE, "question", "Why 40 weeks? The tender ends in spring.")
        self._turn(f"{names[DELEGATE]} asks; her time stands still until the answer", _waits_for_an_answer)
        self._say(ORDERER, "answer", "To be on the safe side.")
        self._turn(f"{names[ORDERER]} answers; the stage goes on with the rest of its time", _two_wait)
        self._turn("Data protection has fifteen seconds in this demo, and does not answer", _asks(CHIEF))

    def _falls_and_stays(self) -> None:
        names = self._names
        self._decide(CHIEF, "Fine for this tender")
        self._decide(DELEGATE, "To be on the safe side, then")
        self._turn(f"Both have approved; {names[OWNER]} is next", _asks(OWNER))
        self._amend()
        self._turn(
            f"{names[ORDERER]} orders less: {names[DELEGATE]}'s vote on the weeks falls, {names[CHIEF]}'s stays",
            _asks(DELEGATE),
        )
        self._decide(DELEGATE, "Eight weeks will do")
        self._turn(f"Only {names[DELEGATE]} had to decide again; now {names[OWNER]} does", _asks(OWNER))
        self._decide(OWNER, "Welcome")

    def _goes_on_leave(self) -> str:
        ends = (datetime.now(UTC) + timedelta(days=14)).isoformat()
        body = {"delegate": DELEGATE, "ends": ends, "reason": "On leave"}
        return str(self._clients[MANAGER].post("/delegations", body)["id"])

    def _order(self) -> None:
        answers = {"purpose": "What did we ask for the Narvik turbines?", "weeks": 40}
        self._number = self._clients[ORDERER].post("/requests", {"item": ITEM, "answers": answers})["number"]

    def _say(self, login: str, what: str, text: str) -> None:
        self._clients[login].post(at("tasks", self._task(login), what), {"text": text})

    def _amend(self) -> None:
        self._clients[ORDERER].post(
            at("requests", self._number, "amendment"), {"answers": {"weeks": 8}, "reason": "Eight are enough, indeed."}
        )

    def _decide(self, login: str, reason: str) -> None:
        task = self._task(login)
        self._clients[login].post(at("tasks", task, "decision"), {"choice": "approve", "reason": reason})

    def _task(self, login: str) -> str:
        """Return the task of this request that waits for somebody."""
        mine = (task for task in self._clients[login].pages("/tasks") if task["request"]["number"] == self._number)
        return str(next(mine)["id"])

    def _turn(self, title: str, reached: Reached) -> dict[str, Any]:
        """Wait until it has come that far, and show it as who ordered it sees it."""
        client = self._clients[ORDERER]
        request = until(client, self._number, reached, self._supervisor)
        show_step(self._console, title)
        self._console.print(request_panel(request, list(client.pages(at("requests", self._number, "journal")))))
        return request


def _two_wait(request: dict[str, Any]) -> bool:
    return [waiting["kind"] for waiting in request["waiting"]] == ["people", "people"]


def _waits_for_an_answer(request: dict[str, Any]) -> bool:
    return any(waiting["kind"] == "information" for waiting in request["waiting"])


def _asks(login: str) -> Reached:
    def reached(request: dict[str, Any]) -> bool:
        return any(login in [person["login"] for person in waiting["who"]] for waiting in request["waiting"])

    return reached


def tell(url: str, directory: LdapDirectory, supervisor: Supervisor, console: Console) -> str:
    """Tell it; see `SecondAct.tell`."""
    console.print()
    console.print(plain("And one that is not so easy:"), style="bold")
    return SecondAct(url, supervisor, console).tell(directory)
