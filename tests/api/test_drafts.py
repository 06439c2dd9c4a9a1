from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem

from records.drafts import MAX_DRAFTS
from records.register import Draft

BODY = {
    "item": "not-in-the-catalog",
    "answers": {"why": 7, "rows": [{"half": None}]},
    "beneficiary": "ben",
    "beneficiaries": [],
}


async def saved(world: ApiWorld, who: str = "ada", **other: Any) -> str:
    answer = await world.post(who, "/drafts", BODY | other)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_draft_is_kept_as_it_is_without_being_checked(world: ApiWorld) -> None:
    answer = await world.post("ada", "/drafts", BODY)
    assert answer.status_code == 201
    shown = await world.send("ada", "GET", answer.headers["location"].removeprefix("/api/v1"))
    assert shown.json() == answer.json()
    assert {name: shown.json()[name] for name in BODY} == BODY
    assert world.count() == 0


async def test_a_draft_of_an_order_for_many_names_them(world: ApiWorld) -> None:
    draft = await saved(world, beneficiary=None, beneficiaries=["ben", "sam"])
    assert (await world.get("ada", f"/drafts/{draft}")).json()["beneficiaries"] == ["ben", "sam"]


async def test_the_draft_changed_last_comes_first(world: ApiWorld) -> None:
    first = await saved(world)
    world.clock.passes(timedelta(minutes=1))
    second = await saved(world)
    assert [draft["id"] for draft in (await world.get("ada", "/drafts")).json()["items"]] == [second, first]
    world.clock.passes(timedelta(minutes=1))
    await world.send("ada", "PUT", f"/drafts/{first}", json=BODY)
    assert [draft["id"] for draft in (await world.get("ada", "/drafts")).json()["items"]] == [first, second]


async def test_changing_a_draft_twice_the_same_is_changing_it_once(world: ApiWorld) -> None:
    draft = await saved(world)
    changed = {"item": "vpn", "answers": {"why": "travel"}}
    answers = [await world.send("ada", "PUT", f"/drafts/{draft}", json=changed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json() == (await world.get("ada", f"/drafts/{draft}")).json()
    assert (answers[0].json()["item"], answers[0].json()["beneficiary"]) == ("vpn", None)


async def test_a_deleted_draft_is_gone(world: ApiWorld) -> None:
    draft = await saved(world)
    assert (await world.send("ada", "DELETE", f"/drafts/{draft}")).status_code == 204
    for method in ("GET", "PUT", "DELETE"):
        expect_problem(await world.send("ada", method, f"/drafts/{draft}", json=BODY), 404, "not-found")


@pytest.mark.parametrize("who", ["ben", "otto"])
async def test_nobody_sees_or_touches_the_draft_of_another(world: ApiWorld, who: str) -> None:
    draft = await saved(world)
    for method in ("GET", "PUT", "DELETE"):
        expect_problem(await world.send(who, method, f"/drafts/{draft}", json={"item": "x"}), 404, "not-found")
    assert (await world.get(who, "/drafts")).json()["items"] == []
    assert (await world.get("ada", f"/drafts/{draft}")).json()["item"] == BODY["item"]


@pytest.mark.parametrize("draft", ["x", "%00", "%ED%A0%80", "a" * 5_000])
async def test_an_odd_id_is_no_draft(world: ApiWorld, draft: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert (await world.send("ada", method, f"/drafts/{draft}", json=BODY)).status_code in (404, 422)


async def test_one_has_so_many_drafts_and_no_more(world: ApiWorld) -> None:
    for n in range(MAX_DRAFTS):
        world.register.save_draft(
            Draft(id=f"d-{n}", owner_id="id-ada", item="vpn", answers={}, updated_at=world.clock())
        )
    expect_problem(await world.post("ada", "/drafts", BODY), 409, "too-many-drafts")
    assert (await world.send("ada", "PUT", "/drafts/d-7", json=BODY)).status_code == 200
    await world.send("ada", "DELETE", "/drafts/d-8")
    assert (await world.post("ada", "/drafts", BODY)).status_code == 201


@pytest.mark.parametrize(
    "answers",
    [
        '{"a": "\\ud800"}',
        '{"\\ud800": 1}',
        '{"a": [{"b": "\\u0000"}]}',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": ' + "[" * 40 + "]" * 40 + "}",
        "[]",
        '"text"',
    ],
)
async def test_what_cannot_be_kept_is_no_draft(world: ApiWorld, answers: str) -> None:
    content = f'{{"item": "vpn", "answers": {answers}}}'
    answer = await world.send("ada", "POST", "/drafts", content=content, headers={"Content-Type": "application/json"})
    expect_problem(answer, 422, "invalid")


@pytest.mark.parametrize("body", [{}, {"item": ""}, {"item": "x" * 64}, {"item": "x", "colour": "red"}, [], None])
async def test_a_body_that_is_no_order_is_no_draft(world: ApiWorld, body: Any) -> None:
    expect_problem(await world.post("ada", "/drafts", body), 422, "invalid")
