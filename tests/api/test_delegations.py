"""Delegations over HTTP (feature row A8): set, seen, withdrawn, told, and announced to what already waits."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response
from support.api_world import ApiWorld, expect_problem, ref
from support.builders import NOON, a_new_order
from support.story import Story, a_task
from support.waiting import until

from activities.errors import Transient
from api.announcer import Announcer
from catalog.journal import Kind
from catalog.mail import render
from catalog.request import Notice
from records.register import RegisterUnavailable
from workflows.messages import LookAgain

DAY = timedelta(days=1)


async def sets(world: ApiWorld, who: str = "mara", *, key: str = "", **other: Any) -> Response:
    """Let Ben decide in this person's place for a week from now on."""
    body = {"delegate": "ben", "ends": (world.clock.now + 7 * DAY).isoformat()}
    return await world.post(who, "/delegations", body | other, key=key)


async def is_set(world: ApiWorld, who: str = "mara", **other: Any) -> dict[str, Any]:
    answer = await sets(world, who, **other)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def listed(world: ApiWorld, who: str, query: str = "") -> list[str]:
    answer = await world.get(who, f"/delegations{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def later(world: ApiWorld, time: timedelta) -> None:
    """Let time go by, after which people have to sign in again."""
    world.clock.passes(time)
    world._tokens.clear()


def errors(answer: Response) -> dict[str, str]:
    return {one["field"]: one["message"] for one in expect_problem(answer, 422, "invalid")["errors"]}


def mails(world: ApiWorld) -> dict[str, Notice]:
    """Return what is owed, by the login of who is told."""
    owed = iter(lambda: world.register.claim_notice(world.clock.now), None)
    return {one.notice.to.login: one.notice for one in owed if one.notice.event.startswith("delegation:")}


# --- setting ---


async def test_a_delegation_begins_now_covers_everything_and_is_shown_to_both(world: ApiWorld) -> None:
    answer = await sets(world, reason="On leave")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["person"]["login"], body["delegate"]["login"], body["set_by"]["login"]) == ("mara", "ben", "mara")
    assert (body["state"], body["warnings"]) == ("in-force", [])
    assert body["scope"] == {"items": [], "categories": [], "up_to": None}
    shown = answer.headers["location"].removeprefix("/api/v1")
    for who in ("mara", "ben", "otto"):
        assert (await world.get(who, shown)).json() == {key: body[key] for key in body if key != "warnings"}
    expect_problem(await world.get("sam", shown), 404, "not-found")
    assert await listed(world, "mara") == await listed(world, "ben") == [body["id"]]
    assert await listed(world, "sam") == await listed(world, "otto") == []


async def test_a_delegation_can_be_about_some_things_and_times_only(world: ApiWorld) -> None:
    scope = {"items": ["wiki-editor"], "categories": ["access"], "up_to": {"amount": "5000.50", "currency": "EUR"}}
    begins = (NOON + DAY).isoformat()
    body = await is_set(world, begins=begins, scope=scope)
    assert body["state"] == "to-come"
    assert body["scope"] == scope
    assert body["begins"] == "2025-03-04T12:00:00.123456Z"
    later(world, DAY)
    assert (await world.get("ben", f"/delegations/{body['id']}")).json()["state"] == "in-force"


async def test_both_are_told_in_words_but_not_who_did_it(world: ApiWorld) -> None:
    set_by_mara = await is_set(world, reason="On leave")
    (told,) = mails(world).values()
    assert told.to == ref("Ben Bright")
    assert told.event == f"delegation:{set_by_mara['id']}/set"
    text = render(told, "https://desk.example")
    assert "Mara Lind has set that Ben Bright may decide in the place of Mara Lind." in text.body
    assert "10 March 2025, 12:00 UTC" in text.body
    await world.send("otto", "DELETE", f"/delegations/{set_by_mara['id']}")
    withdrawn = mails(world)
    assert set(withdrawn) == {"mara", "ben"}
    assert "Otto Operator has withdrawn" in render(withdrawn["mara"], "https://desk.example").body


async def test_a_repeat_with_its_key_is_answered_as_the_first_and_sets_nothing_new(world: ApiWorld) -> None:
    ends = (NOON + 7 * DAY).isoformat()
    first = await is_set(world, key="k-1", ends=ends)
    world.clock.passes(timedelta(minutes=1))
    assert await is_set(world, key="k-1", ends=ends) == first
    assert await listed(world, "mara") == [first["id"]]
    expect_problem(await sets(world, key="k-1", ends=ends, delegate="sam"), 409, "idempotency-conflict")
    assert (await is_set(world, "ada", key="k-1", ends=ends))["id"] != first["id"]


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"delegate": "nobody"}, "delegate", "Nobody signs in as 'nobody'."),
        ({"delegate": "ines"}, "delegate", "Ines Inactive has no active account"),
        ({"delegate": "mara"}, "delegate", "Nobody stands in for themselves"),
        ({"ends": "2025-03-03T11:00:00Z"}, "ends", "ends before it begins"),
        ({"begins": "2025-01-01T00:00:00Z", "ends": "2025-03-03T11:00:00Z"}, "ends", "ends in the past"),
        ({"ends": "2026-05-01T00:00:00Z"}, "ends", "longer than 400 days"),
        (
            {"begins": "9999-12-31T00:00:00Z", "ends": "9999-12-31T23:59:59.999999Z"},
            "ends",
            "It ends more than 5 years ahead; set it when it is nearer.",
        ),
        ({"ends": "2025-03-05T00:00:00"}, "ends", "timezone"),
        ({"ends": "9999-12-31T23:59:59-12:00"}, "ends", "no such time"),
        ({"ends": None}, "ends", "valid datetime"),
        ({"scope": {"up_to": {"amount": -1, "currency": "EUR"}}}, "scope/up_to/amount", "greater than or equal to 0"),
        ({"scope": {"up_to": {"amount": 1, "currency": "euro"}}}, "scope/up_to/currency", "pattern"),
        ({"scope": {"items": ["No Item"]}}, "scope/items/0", "pattern"),
        ({"scope": {"everything": True}}, "scope/everything", "Nothing of this name"),
        ({"reason": "\x00"}, "reason", "control characters"),
    ],
)
async def test_what_makes_no_sense_is_refused_field_by_field(
    world: ApiWorld, wrong: dict[str, Any], field: str, said: str
) -> None:
    found = errors(await sets(world, **wrong))
    assert said in found[field]
    assert await listed(world, "mara") == []


async def test_the_very_same_is_not_set_twice(world: ApiWorld) -> None:
    times = {"begins": NOON.isoformat(), "ends": (NOON + DAY).isoformat()}
    await is_set(world, **times)
    assert errors(await sets(world, **times)) == {"scope": "The very same is set already."}


async def test_what_is_allowed_but_odd_is_warned_of(world: ApiWorld) -> None:
    await is_set(world, "ben", delegate="mara")
    scope = {"items": ["wiki-editor", "vpn"], "categories": ["access", "seats"]}
    said = (await is_set(world, key="k", scope=scope))["warnings"]
    assert said == [
        "In this time Ben Bright delegates back to Mara Lind; such a circle ends there.",
        "There is no item 'vpn' now.",
        "No item is in category 'seats' now.",
    ]
    assert (await is_set(world, key="k", scope=scope))["warnings"] == said


async def test_operators_set_it_for_others_and_nobody_else_does(world: ApiWorld) -> None:
    expect_problem(await sets(world, "ada", person="mara"), 403, "not-allowed")
    body = await is_set(world, "otto", person="mara")
    assert (body["person"]["login"], body["set_by"]["login"]) == ("mara", "otto")
    assert set(mails(world)) == {"mara", "ben"}
    assert errors(await sets(world, "otto", person="nobody")) == {"person": "Nobody signs in as 'nobody'."}


async def test_with_the_directory_down_nothing_is_set(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.token("mara")

    def down(_login: str) -> None:
        raise Transient("unreachable")

    monkeypatch.setattr(world.directory, "person_by_login", down)
    expect_problem(await sets(world), 503, "directory-unavailable")
    assert await listed(world, "mara") == []


# --- seeing and withdrawing ---


async def test_operators_see_those_of_all_people_if_they_ask(world: ApiWorld) -> None:
    first, second = await is_set(world), await is_set(world, "ada")
    assert await listed(world, "otto", "?all=true") == [second["id"], first["id"]]
    expect_problem(await world.get("mara", "/delegations?all=true"), 403, "not-allowed")


async def test_a_list_comes_in_parts(world: ApiWorld) -> None:
    for minutes in range(3):
        await is_set(world, ends=(NOON + DAY + timedelta(minutes=minutes)).isoformat())
    page = (await world.get("mara", "/delegations?limit=2")).json()
    assert len(page["items"]) == 2
    rest = (await world.get("mara", f"/delegations?limit=2&cursor={page['next']}")).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)


async def test_what_is_over_is_listed_apart(world: ApiWorld) -> None:
    body = await is_set(world)
    later(world, 7 * DAY)
    assert await listed(world, "mara") == []
    assert await listed(world, "mara", "?state=closed") == [body["id"]]


async def test_withdrawing_may_be_repeated_and_keeps_the_record(world: ApiWorld) -> None:
    body = await is_set(world)
    mails(world)
    later(world, DAY)
    for _ in range(2):
        assert (await world.send("mara", "DELETE", f"/delegations/{body['id']}")).status_code == 204
        later(world, DAY)
    shown = (await world.get("mara", f"/delegations/{body['id']}")).json()
    assert (shown["state"], shown["withdrawn_at"]) == ("withdrawn", "2025-03-04T12:00:00.123456Z")
    assert set(mails(world)) == {"ben"}


async def test_only_whose_it_is_and_operators_withdraw_it(world: ApiWorld) -> None:
    path = f"/delegations/{(await is_set(world))['id']}"
    expect_problem(await world.send("ben", "DELETE", path), 403, "not-allowed")
    expect_problem(await world.send("sam", "DELETE", path), 404, "not-found")
    expect_problem(await world.send("mara", "DELETE", "/delegations/dlg-nobody"), 404, "not-found")
    assert (await world.get("mara", path)).json()["state"] == "in-force"
    assert (await world.send("otto", "DELETE", path)).status_code == 204


# --- what already waits ---


async def test_what_already_waits_is_told_at_once_when_it_is_set_and_when_it_is_withdrawn(world: ApiWorld) -> None:
    number = await world.placed()
    body = await is_set(world)
    begins = (number, LookAgain(people=("id-mara",), rule="delegation.begins"))
    await until(lambda: world.engine.told == [begins], within=1)
    await world.send("mara", "DELETE", f"/delegations/{body['id']}")
    ends = (number, LookAgain(people=("id-mara",), rule="delegation.ends"))
    await until(lambda: world.engine.told == [begins, ends], within=1)


def waiting(world: ApiWorld, *asked: str) -> str:
    """Return the number of a request that waits for these people's votes."""
    number = world.register.take(a_new_order(f"key-{asked}")).order.number
    world.register.record(Story(number).batch(Kind.OPENED, tasks=(a_task(number, 1, *asked),)))
    return number


async def test_with_the_engine_down_it_is_set_all_the_same_and_told_later(resting: ApiWorld) -> None:
    number = waiting(resting, "Mara Lind")
    resting.engine.down = True
    await is_set(resting)
    await resting.parts.announcer.announce()
    assert resting.engine.told == []
    resting.engine.down = False
    await resting.parts.announcer.announce()
    assert [told for told, _ in resting.engine.told] == [number]


async def test_beginnings_and_ends_are_announced_when_their_time_comes_once(resting: ApiWorld) -> None:
    mine, _ = waiting(resting, "Mara Lind"), waiting(resting, "Ada Byron")
    await is_set(resting, begins=(NOON + DAY).isoformat())
    announcer = resting.parts.announcer
    for told in (0, 1, 1):
        await announcer.announce()
        assert len(resting.engine.told) == told
        resting.clock.passes(DAY)
    resting.clock.passes(7 * DAY)
    for _ in range(2):
        await announcer.announce()
    assert [(number, message.rule) for number, message in resting.engine.told] == [
        (mine, "delegation.begins"),
        (mine, "delegation.ends"),
    ]


async def test_those_whose_chain_leads_over_somebody_are_told_of_their_delegations_too(resting: ApiWorld) -> None:
    number = waiting(resting, "Ada Byron")
    await is_set(resting, "ada", delegate="mara")
    await resting.parts.announcer.announce()
    resting.engine.told.clear()
    await is_set(resting, "mara", delegate="ben")
    await resting.parts.announcer.announce()
    assert resting.engine.told == [(number, LookAgain(people=("id-ada", "id-mara"), rule="delegation.begins"))]


async def test_while_the_engine_is_down_one_line_is_logged(resting: ApiWorld, caplog: pytest.LogCaptureFixture) -> None:
    waiting(resting, "Mara Lind")
    await is_set(resting)
    resting.engine.down = True
    with caplog.at_level(logging.WARNING, logger="api.announcer"):
        for _ in range(3):
            await resting.parts.announcer.announce()
    assert [record.getMessage() for record in caplog.records] == [
        "delegations wait to be announced: connection refused"
    ]


@pytest.mark.parametrize("trouble", [RegisterUnavailable("gone"), ValueError("odd")])
async def test_the_announcer_goes_on_after_whatever_it_meets(
    resting: ApiWorld, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    number = waiting(resting, "Mara Lind")
    await is_set(resting)
    asked = resting.register.deciding
    troubles = [trouble]

    def once(people: frozenset[str]) -> Any:
        if troubles:
            raise troubles.pop()
        return asked(people)

    monkeypatch.setattr(resting.register, "deciding", once)
    announcer = Announcer(resting.register, resting.engine, resting.clock, every=timedelta(milliseconds=1))
    running = asyncio.create_task(announcer.run())
    await until(lambda: resting.engine.told)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert [told for told, _ in resting.engine.told] == [number]
