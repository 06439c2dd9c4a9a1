"""Fifty random `kill -9` of worker, API, engine and slapd in the middle of requests (feature row O3).

Every order that was accepted is fulfilled exactly once: counted in slapd's own log and in the journal.
"""

from __future__ import annotations

import asyncio
import email
import os
import random
from collections import Counter
from typing import Any

import httpx
import pytest
from support import company
from support.slapd import SERVICE
from support.stack import Name, Person, Stack

from catalog.journal import Entry, verify

KILLS = int(os.environ.get("COMMISSARY_TEST_KILLS", "50"))
AT_ONCE = 6
VICTIMS: tuple[Name, ...] = ("worker", "api", "engine", "slapd")


class Traffic:
    """People who order and a manager who approves, for as long as the killing goes on."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self.stack, self.http = stack, http
        self.killing = True
        self.orders: dict[str, company.Employee] = {}
        self.approver = Person(stack, "alice")
        self._hired = 0

    async def keep_going(self) -> None:
        while self.killing:
            await self.one_request(self._hire())

    def _hire(self) -> company.Employee:
        """Return somebody new, so that every request has an effect of its own."""
        self._hired += 1
        return company.Employee(f"temp{self._hired:04d}", f"Temp {self._hired:04d}", manager="alice")

    async def one_request(self, employee: company.Employee) -> None:
        person = Person(self.stack, employee.login)
        await person.sign_in(self.http)
        number = await person.order(self.http)
        self.orders[number] = employee
        await person.sees(self.http, number, lambda request: bool(request["tasks"]))
        answer = await self.approver.post(self.http, f"/tasks/{number}.1/decision", {"choice": "approve"})
        assert answer.status_code == 200, answer.text
        await person.sees(self.http, number, lambda request: bool(request["status"] == "closed"))


async def killer(stack: Stack, dice: random.Random) -> Counter[str]:
    """Kill one after the other and start it again, never the same rhythm."""
    killed: Counter[str] = Counter()
    for _ in range(KILLS):
        await asyncio.sleep(dice.uniform(0.05, 0.8))  # the moment of the kill is the random input of the test
        victim = dice.choice(VICTIMS)
        await asyncio.to_thread(stack.kill, victim)
        await asyncio.sleep(dice.uniform(0, 0.3))  # so is how long it is gone
        await asyncio.to_thread(stack.start, victim)
        killed[victim] += 1
    return killed


@pytest.mark.timeout(900)
async def test_every_accepted_order_is_fulfilled_exactly_once(stack: Stack, http: httpx.AsyncClient) -> None:
    seed = int(os.environ.get("COMMISSARY_TEST_SEED", str(random.SystemRandom().randrange(2**32))))
    print(f"COMMISSARY_TEST_SEED={seed}")  # noqa: T201  repeats the run
    hire(stack, 400)
    stack.up()
    traffic = Traffic(stack, http)
    await traffic.approver.sign_in(http)
    lanes = [asyncio.create_task(traffic.keep_going()) for _ in range(AT_ONCE)]
    killed = await killer(stack, random.Random(seed))
    traffic.killing = False
    await asyncio.gather(*lanes)

    assert killed.total() == KILLS
    assert len(traffic.orders) >= AT_ONCE
    additions = Counter(
        change.member
        for change in stack.slapd.changes(SERVICE)
        if change.kind == "add" and change.group == company.VPN.dn
    )
    assert additions == Counter({employee.dn: 1 for employee in traffic.orders.values()})
    members = set(stack.slapd.values(company.VPN.dn, "member"))
    for number, employee in traffic.orders.items():
        check_journal(await whole_journal(stack, http, number, employee))
        assert employee.dn in members
    check_mails(stack)


def hire(stack: Stack, count: int) -> None:
    with stack.slapd.admin() as admin:
        for index in range(1, count + 1):
            employee = company.Employee(f"temp{index:04d}", f"Temp {index:04d}", manager="alice")
            admin.add(employee.dn, "inetOrgPerson", company._attributes(employee))  # type: ignore[no-untyped-call]  # the stubs


async def whole_journal(
    stack: Stack, http: httpx.AsyncClient, number: str, employee: company.Employee
) -> list[dict[str, Any]]:
    person = Person(stack, employee.login)
    await person.sign_in(http)
    request = await person.get(http, f"/requests/{number}")
    assert (request["status"], request["outcome"], request["waiting"]) == ("closed", "fulfilled", [])
    return await person.journal(http, number)


def check_journal(entries: list[dict[str, Any]]) -> None:
    assert verify(Entry.model_validate(entry) for entry in entries) == []
    kinds = Counter(entry["kind"] for entry in entries)
    for once in ("opened", "vote", "effect-observed", "closed"):
        assert kinds[once] == 1, kinds


def check_mails(stack: Stack) -> None:
    """No event told anybody twice (feature row N2)."""
    ids = Counter(email.message_from_bytes(mail.read_bytes())["Message-ID"] for mail in stack.mails.glob("*.eml"))
    assert ids
    assert set(ids.values()) == {1}
