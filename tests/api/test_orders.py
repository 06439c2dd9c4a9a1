from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import an_item
from support.waiting import until

from activities.errors import Transient
from catalog.model import digest
from catalog.request import Status
from records.register import RegisterUnavailable


def fields(body: dict[str, Any]) -> dict[str, str]:
    return {error["field"]: error["code"] for error in body["errors"]}


async def test_an_order_is_on_record_when_the_api_answers(world: ApiWorld) -> None:
    answer = await world.orders(answers={"why": "work", "buddy": "ben"})
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/requests/REQ-1001"
    body = answer.json()
    assert body["number"] == "REQ-1001"
    assert body["status"] == "accepted"
    assert [wait["kind"] for wait in body["waiting"]] == ["engine"]
    assert body["answers"] == {"why": "work", "buddy": {"id": "id-ben", "login": "ben", "name": "Ben Bright"}}
    assert body["requester"] == body["beneficiary"] == {"id": "id-ada", "login": "ada", "name": "Ada Byron"}
    assert (await world.get("ada", "/requests/REQ-1001")).status_code == 200


async def test_the_workflow_of_an_order_begins_right_after(world: ApiWorld) -> None:
    number = await world.placed()
    assert world.engine.starts == {number: 1}


async def test_the_item_is_pinned_as_it_was_when_ordered(world: ApiWorld) -> None:
    item = world.catalog.get("wiki-editor")
    assert item
    number = await world.placed()
    world.shelve(an_item(version="2.0.0", form=()))
    view = world.register.request(number)
    assert view
    assert view.order.item == item
    assert view.order.item_digest == digest(item)


async def test_an_order_for_somebody_else_names_them(world: ApiWorld) -> None:
    body = (await world.orders(beneficiary="ben")).json()
    assert (body["requester"]["login"], body["beneficiary"]["login"]) == ("ada", "ben")


async def test_every_field_that_is_wrong_is_listed_and_nothing_is_written(world: ApiWorld) -> None:
    answers = {"why": "x" * 101, "buddy": "nobody", "colour": "red"}
    answer = await world.orders(answers=answers, beneficiary="ines")
    body = expect_problem(answer, 422, "invalid")
    assert fields(body) == {"beneficiary": "value", "why": "length", "colour": "unknown", "buddy": "not-found"}
    assert world.count() == 0


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({}, {"why": "missing"}),
        ({"why": 7}, {"why": "type"}),
        ({"why": {"a": ["\ud800"]}}, {"why": "type"}),
        ({"why": "bell \a"}, {"why": "characters"}),
        ({"why": "half \ud800"}, {"why": "characters"}),
        ({"why": "w", "buddy": "ines"}, {"buddy": "value"}),
        ({"why": "w", "buddy": "*)(uid=*"}, {"buddy": "not-found"}),
    ],
)
async def test_wrong_answers_are_refused_field_by_field(
    world: ApiWorld, answers: dict[str, Any], wrong: dict[str, str]
) -> None:
    # httpx itself cannot write a lone surrogate
    content = json.dumps({"item": "wiki-editor", "answers": answers})
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = await world.send("ada", "POST", "/requests", content=content, headers=headers)
    assert fields(expect_problem(answer, 422, "invalid")) == wrong
    assert world.count() == 0


async def test_an_unknown_item_is_a_field_error(world: ApiWorld) -> None:
    assert fields(expect_problem(await world.orders(item="nothing"), 422, "invalid")) == {"item": "unknown"}


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\there", "ümlaut"])
async def test_an_order_needs_a_good_idempotency_key(world: ApiWorld, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")} if key else {}
    answer = await world.send("ada", "POST", "/requests", json={"item": "wiki-admin"}, headers=headers)
    assert "Idempotency-Key" in fields(expect_problem(answer, 422, "invalid"))
    assert world.count() == 0


async def test_the_same_key_and_body_give_the_first_answer_again(world: ApiWorld) -> None:
    first, second = await world.orders(), await world.orders()
    assert first.status_code == second.status_code == 201
    assert first.json()["number"] == second.json()["number"]
    assert first.headers["location"] == second.headers["location"]
    assert world.count() == 1


async def test_a_repeat_gets_the_first_answer_even_when_nobody_could_be_looked_up_any_more(world: ApiWorld) -> None:
    first = await world.orders(beneficiary="ben")
    world.directory.fail_next(Transient("connection refused"), times=99)
    second = await world.orders(beneficiary="ben")
    assert (second.status_code, second.json()["number"]) == (201, first.json()["number"])


async def test_the_same_key_with_another_body_is_a_conflict(world: ApiWorld) -> None:
    await world.orders()
    expect_problem(await world.orders(answers={"why": "other"}), 409, "idempotency-conflict")
    assert world.count() == 1


async def test_keys_of_different_people_do_not_meet(world: ApiWorld) -> None:
    first, second = await world.orders("ada"), await world.orders("ben")
    assert first.json()["number"] != second.json()["number"]


async def test_with_the_engine_down_an_order_is_taken_and_waits_for_it(world: ApiWorld) -> None:
    world.engine.down = True
    answer = await world.orders()
    assert answer.status_code == 201
    await until(lambda: world.engine.attempts)
    shown = (await world.get("ada", "/requests/REQ-1001")).json()
    assert shown["status"] == "accepted"
    assert [wait["kind"] for wait in shown["waiting"]] == ["engine"]
    world.engine.down = False
    world.clock.passes(timedelta(seconds=1))
    await world.parts.sweeper.sweep()
    assert world.status("REQ-1001") is Status.APPROVAL
    assert world.engine.starts == {"REQ-1001": 1}


async def test_with_the_directory_down_an_order_for_oneself_is_taken(world: ApiWorld) -> None:
    await world.token("ada")
    world.directory.fail_next(Transient("connection refused"), times=99)
    assert (await world.orders(beneficiary="ADA")).status_code == 201


@pytest.mark.parametrize("named", [{"beneficiary": "ben"}, {"answers": {"why": "w", "buddy": "ben"}}])
async def test_with_the_directory_down_an_order_that_names_somebody_is_not_taken(
    world: ApiWorld, named: dict[str, Any]
) -> None:
    await world.token("ada")
    world.directory.fail_next(Transient("connection refused"))
    answer = await world.orders(**named)
    expect_problem(answer, 503, "directory-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert world.count() == 0


async def test_with_the_database_down_nothing_is_half_written(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> None:
        raise RegisterUnavailable("the disk is gone, password=hidden")

    await world.token("ada")
    with monkeypatch.context() as patch:
        patch.setattr(world.register, "take", down)
        answer = await world.orders()
    body = expect_problem(answer, 503, "register-unavailable")
    assert "hidden" not in str(body)
    assert int(answer.headers["retry-after"]) > 0
    assert world.count() == 0
    assert (await world.orders()).status_code == 201


async def test_characters_that_mean_something_in_ldap_are_only_data(world: ApiWorld) -> None:
    odd = '*()\\,=+<>#;" ü 🚀'
    body = (await world.orders(answers={"why": odd})).json()
    assert body["answers"]["why"] == odd
    view = world.register.request(body["number"])
    assert view
    assert view.order.answers["why"] == odd
