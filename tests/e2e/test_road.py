"""The whole road over separate processes, and what each failure on it looks like from outside."""

from __future__ import annotations

import signal
from typing import Any

import httpx
from support import company
from support.postgres import Cluster
from support.slapd import GROUPS, SERVICE, SERVICE_PASSWORD, Change
from support.stack import Name, Person, Stack


async def people(stack: Stack, http: httpx.AsyncClient, *logins: str) -> list[Person]:
    found = [Person(stack, login) for login in logins]
    for person in found:
        await person.sign_in(http)
    return found


def waits_for_people(request: dict[str, Any]) -> bool:
    return any(waiting["kind"] == "people" for waiting in request["waiting"])


def closed(request: dict[str, Any]) -> bool:
    return bool(request["status"] == "closed")


def additions(stack: Stack, login: company.Employee = company.BOB) -> list[Change]:
    """Return the times the service account put this person into the group, by slapd's own log."""
    return [
        change
        for change in stack.slapd.changes(SERVICE)
        if change.kind == "add" and change.member == login.dn and change.group == company.VPN.dn
    ]


async def test_an_order_travels_from_the_api_into_the_directory(stack: Stack, http: httpx.AsyncClient) -> None:
    stack.up()
    bob, alice = await people(stack, http, "bob", "alice")
    assert company.BOB.dn not in stack.slapd.values(company.VPN.dn, "member")

    number = await bob.order(http)
    request = await bob.sees(http, number, waits_for_people)
    assert [person["login"] for person in request["waiting"][0]["who"]] == ["alice"]

    (task,) = (await alice.get(http, "/tasks"))["items"]
    answer = await alice.post(http, f"/tasks/{task['id']}/decision", {"choice": "approve"})
    assert answer.status_code == 200, answer.text
    ended = await bob.sees(http, number, closed)
    assert ended["outcome"] == "fulfilled"
    assert company.BOB.dn in stack.slapd.values(company.VPN.dn, "member")
    assert len(additions(stack)) == 1


async def test_with_the_engine_down_orders_are_taken_and_started_once_when_it_is_back(
    stack: Stack, http: httpx.AsyncClient
) -> None:
    stack.up()
    bob, alice = await people(stack, http, "bob", "alice")
    stack.kill("engine")
    response = await bob.post(http, "/requests", {"item": "vpn", "answers": {"why": "x"}}, patient=False)
    assert response.status_code == 201
    assert [waiting["kind"] for waiting in response.json()["waiting"]] == ["engine"]
    number = response.json()["number"]

    stack.start("engine")
    await bob.sees(http, number, waits_for_people)
    await alice.post(http, f"/tasks/{number}.1/decision", {"choice": "approve"})
    await bob.sees(http, number, closed)
    journal = await bob.journal(http, number)
    assert [entry["kind"] for entry in journal].count("opened") == 1
    assert len(additions(stack)) == 1


async def test_without_a_worker_a_decision_is_503_and_repeating_it_with_the_same_key_decides_once(
    stack: Stack, http: httpx.AsyncClient
) -> None:
    stack.up()
    bob, alice = await people(stack, http, "bob", "alice")
    number = await bob.order(http)
    await bob.sees(http, number, waits_for_people)
    stack.kill("worker")

    path, body = f"/tasks/{number}.1/decision", {"choice": "approve", "reason": "fine"}
    refused = await alice.post(http, path, body, "key-1", patient=False)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0

    stack.start("worker")
    answer = await alice.post(http, path, body, "key-1")
    assert answer.status_code == 200, answer.text
    again = await alice.post(http, path, body, "key-1")
    assert (answer.status_code, again.status_code) == (200, 200)
    assert answer.json()["entry"] == again.json()["entry"]
    await bob.sees(http, number, closed)
    assert [entry["kind"] for entry in await bob.journal(http, number)].count("vote") == 1


async def test_a_frozen_directory_is_waited_for_and_written_to_once(stack: Stack, http: httpx.AsyncClient) -> None:
    stack.up()
    bob, alice = await people(stack, http, "bob", "alice")
    number = await bob.order(http)
    await bob.sees(http, number, waits_for_people)
    with stack.slapd.frozen():
        answer = await alice.post(http, f"/tasks/{number}.1/decision", {"choice": "approve"})
        assert answer.status_code == 200
        request = await bob.sees(http, number, lambda r: bool(r["waiting"]) and r["status"] == "fulfilment")
        assert [waiting["kind"] for waiting in request["waiting"]] == ["system"]
    assert (await bob.sees(http, number, closed))["outcome"] == "fulfilled"
    assert len(additions(stack)) == 1


async def test_a_directory_that_is_down_is_waited_for(stack: Stack, http: httpx.AsyncClient) -> None:
    stack.up()
    bob, alice = await people(stack, http, "bob", "alice")
    stack.kill("slapd")
    # for oneself nobody has to be looked up: the order is taken
    response = await bob.post(http, "/requests", {"item": "vpn", "answers": {"why": "x"}}, patient=False)
    assert response.status_code == 201
    # for a colleague somebody has to be: nothing is taken
    other = {"item": "vpn", "answers": {"why": "x"}, "beneficiary": "carol"}
    assert (await bob.post(http, "/requests", other, patient=False)).status_code == 503
    number = response.json()["number"]
    request = await bob.sees(http, number, lambda r: r["waiting"] and r["waiting"][0]["kind"] == "system")
    assert "directory" in request["waiting"][0]["what"]

    stack.start("slapd")
    await bob.sees(http, number, waits_for_people)
    await alice.post(http, f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert (await bob.sees(http, number, closed))["outcome"] == "fulfilled"


async def test_a_wrong_password_of_the_service_account_asks_an_operator_who_retries(
    stack: Stack, http: httpx.AsyncClient
) -> None:
    stack.slapd.add(f"cn=commissary-operators,{GROUPS}", "groupOfNames",
                    {"cn": "commissary-operators", "member": company.CAROL.dn})  # fmt: skip
    stack.up()
    bob, alice, carol = await people(stack, http, "bob", "alice", "carol")
    number = await bob.order(http)
    await bob.sees(http, number, waits_for_people)
    stack.slapd.set_value(SERVICE, "userPassword", "changed-meanwhile")
    stack.kill("worker", signal.SIGTERM)  # a new one has no open connections with the old password
    stack.start("worker")
    await alice.post(http, f"/tasks/{number}.1/decision", {"choice": "approve"})
    await bob.sees(http, number, lambda request: request["status"] == "attention")

    (task,) = (await carol.get(http, "/tasks"))["items"]
    assert "COMMISSARY_LDAP_BIND_PASSWORD" in task["problem"]
    assert SERVICE_PASSWORD not in task["problem"]
    stack.slapd.set_value(SERVICE, "userPassword", SERVICE_PASSWORD)
    await carol.post(http, f"/tasks/{task['id']}/decision", {"choice": "retry"})
    assert (await bob.sees(http, number, closed))["outcome"] == "fulfilled"
    assert len(additions(stack)) == 1


async def test_with_the_database_down_nothing_is_taken_and_the_worker_writes_later(
    postgres_stack: Stack, cluster: Cluster, http: httpx.AsyncClient
) -> None:
    stack = postgres_stack
    stack.up()
    bob, alice = await people(stack, http, "bob", "alice")
    number = await bob.order(http)
    await bob.sees(http, number, waits_for_people)
    with stack.slapd.frozen():  # keeps the request busy until the database is down
        await alice.post(http, f"/tasks/{number}.1/decision", {"choice": "approve"})
        cluster.stop()
        response = await bob.post(http, "/requests", {"item": "vpn", "answers": {"why": "x"}}, "k", patient=False)
        assert response.status_code == 503
        assert response.json()["type"].endswith("/register-unavailable")
    cluster.start()
    assert (await bob.sees(http, number, closed))["outcome"] == "fulfilled"
    requests = (await bob.get(http, "/requests"))["items"]
    assert [request["number"] for request in requests] == [number]


async def test_everything_killed_at_once_goes_on_to_the_same_end(stack: Stack, http: httpx.AsyncClient) -> None:
    stack.up()
    bob, alice = await people(stack, http, "bob", "alice")
    number = await bob.order(http)
    await bob.sees(http, number, waits_for_people)
    everything: tuple[Name, ...] = ("slapd", "engine", "worker", "api")
    for name in reversed(everything):
        stack.kill(name)
    for name in everything:
        stack.start(name)
    await alice.post(http, f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert (await bob.sees(http, number, closed))["outcome"] == "fulfilled"
    assert len(additions(stack)) == 1
