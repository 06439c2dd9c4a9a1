from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON
from support.workshop import Workshop

from activities.errors import Transient
from api.gateway import Exhausted, NoWorker, Refused
from catalog.journal import Kind
from workflows.messages import Work

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(30)
PIN = "quark-on-toast"
TAG = {"answers": {"tag": "L-7"}}


@pytest.fixture
def shop(world: ApiWorld) -> Workshop:
    """A request whose work Mara and Ben are asked to do."""
    return Workshop(world)


@pytest.fixture
def send(world: ApiWorld, shop: Workshop) -> Any:
    """Send a command about the work."""

    async def it(who: str, act: str, body: Any = None, key: str = "") -> httpx.Response:
        return await world.post(who, f"/tasks/{shop.task.id}/{act}", body, key=key)

    return it


async def upload(world: ApiWorld, who: str) -> str:
    headers = {"Content-Type": "image/png", "X-File-Name": "a.png"}
    answer = await world.send(who, "POST", "/files", content=PNG, headers=headers)
    return str(answer.json()["id"])


# Claim, release, decline.


async def test_who_claims_work_has_it_and_the_others_see_who(world: ApiWorld, shop: Workshop, send: Any) -> None:
    answer = await send("mara", "claim")
    assert answer.status_code == 200, answer.text
    assert answer.json()["entry"]["kind"] == "task-claimed"
    assert "Mara Lind" in answer.json()["entry"]["text"]
    (task,) = (await world.get("ben", "/tasks")).json()["items"]
    assert task["claimed_by"]["name"] == "Mara Lind"
    assert task["you_may"] == []
    (mine,) = (await world.get("mara", "/tasks")).json()["items"]
    assert mine["you_may"] == ["release", "complete", "decline"]
    assert (await world.get("mara", f"/requests/{shop.number}")).json()["you_may"] == [
        "comment",
        f"work:{shop.task.id}",
    ]


async def test_work_is_listed_with_how_it_is_done_and_what_it_asks_for(world: ApiWorld, shop: Workshop) -> None:
    (task,) = (await world.get("ben", "/tasks")).json()["items"]
    assert (task["kind"], task["instructions"]) == ("fulfilment", "Stick it on the lid.")
    assert [field["id"] for field in task["evidence"]] == [
        "tag",
        "witness",
        "colour",
        "photo",
        "pin",
        "why_grey",
        "handbook",
    ]
    assert task["you_may"] == ["claim", "complete", "decline"]
    assert shop.number == task["request"]["number"]


async def test_of_two_who_claim_at_once_one_learns_the_name_of_the_other(shop: Workshop, send: Any) -> None:
    answers = await asyncio.gather(send("mara", "claim"), send("ben", "claim"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert shop.task.claimed_by
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert shop.task.claimed_by.name in expect_problem(loser, 409, "already-decided")["detail"]


async def test_work_that_somebody_has_is_not_for_others(shop: Workshop, send: Any) -> None:
    await send("mara", "claim")
    for act, body in (("claim", None), ("release", None), ("complete", TAG), ("decline", {"reason": "no"})):
        assert "Mara Lind" in expect_problem(await send("ben", act, body), 409, "already-decided")["detail"]
    assert len(shop.commands) == 1


async def test_released_work_can_be_taken_by_another(shop: Workshop, send: Any) -> None:
    await send("mara", "claim")
    assert (await send("mara", "release")).json()["entry"]["kind"] == "task-released"
    assert (await send("ben", "claim")).status_code == 200
    assert shop.task.claimed_by
    assert shop.task.claimed_by.login == "ben"


async def test_an_operator_gives_back_what_somebody_sits_on(shop: Workshop, send: Any) -> None:
    await send("mara", "claim")
    expect_problem(await send("otto", "claim"), 403, "not-approver")
    assert (await send("otto", "release")).status_code == 200
    assert shop.task.claimed_by is None


async def test_what_nobody_has_cannot_be_released(send: Any) -> None:
    assert "nobody has taken" in expect_problem(await send("mara", "release"), 409, "closed")["detail"]


async def test_work_is_declined_with_a_reason(shop: Workshop, send: Any) -> None:
    for body in ({}, {"reason": " "}):
        expect_problem(await send("mara", "decline", body), 422, "reason-needed")
    answer = await send("mara", "decline", {"reason": "no label fits"})
    assert answer.json()["entry"]["data"]["reason"] == "no label fits"
    assert shop.task.decided == "declined"


@pytest.mark.parametrize("who", ["ada", "sam", "otto"])
async def test_only_those_who_are_asked_work(shop: Workshop, send: Any, who: str) -> None:
    for act, body in (("claim", None), ("complete", TAG), ("decline", {"reason": "no"})):
        expect_problem(await send(who, act, body), 403, "not-approver")
    assert shop.commands == []


async def test_work_is_not_decided(world: ApiWorld, shop: Workshop) -> None:
    answer = await world.post("mara", f"/tasks/{shop.task.id}/decision", {"choice": "claim"})
    expect_problem(answer, 422, "unknown-choice")


@pytest.mark.parametrize("task", ["REQ-1001.9", "REQ-9999.1", "x"])
@pytest.mark.usefixtures("shop")
async def test_a_task_that_is_not_there_is_not_worked_on(world: ApiWorld, task: str) -> None:
    for act, body in (("claim", None), ("release", None), ("complete", TAG), ("decline", {"reason": "no"})):
        expect_problem(await world.post("mara", f"/tasks/{task}/{act}", body), 404, "unknown-task")


# Evidence.


async def test_work_is_completed_with_its_evidence_as_it_is_stored(world: ApiWorld, shop: Workshop, send: Any) -> None:
    photo = await upload(world, "mara")
    pin = world.parts.secrets.seal("id-mara", PIN, NOON)
    answers = {"tag": "L-7", "witness": "ada", "colour": "red", "photo": [photo], "pin": {"secret": pin}}
    answer = await send("mara", "complete", {"answers": answers})
    assert answer.status_code == 200, answer.text
    stored = answer.json()["entry"]["data"]["answers"]
    assert stored["tag"] == "L-7"
    assert stored["witness"]["id"] == "id-ada"
    assert stored["colour"] == {"value": "red", "label": "Red"}
    assert stored["photo"][0]["name"] == "a.png"
    assert stored["pin"] == {"secret": pin}
    assert PIN not in answer.text
    assert (await world.get("ada", f"/requests/{shop.number}/files/{photo}")).content == PNG
    assert shop.task.decided == "completed"


async def test_evidence_may_depend_on_the_order_and_on_earlier_results(send: Any) -> None:
    answer = await send("mara", "complete", {"answers": {"tag": "L-7", "handbook": True}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["entry"]["data"]["answers"] == {"tag": "L-7", "handbook": True}


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({}, [("tag", "missing")]),
        ({"tag": "x" * 21}, [("tag", "length")]),
        ({"tag": "x", "height": 3}, [("height", "unknown")]),
        ({"tag": "x", "witness": "nobody"}, [("witness", "not-found")]),
        ({"tag": "x", "witness": "ines"}, [("witness", "value")]),
        ({"tag": "x", "colour": "mauve"}, [("colour", "stale")]),
        ({"tag": "x", "photo": ["nothing"]}, [("photo[0]", "not-found")]),
        ({"tag": "x", "pin": {"secret": "secret:x"}}, [("pin", "not-found")]),
        ({"tag": "x", "pin": PIN}, [("pin", "type")]),
        ({"tag": "x", "why_grey": "fog"}, [("why_grey", "hidden")]),
        ({"tag": "grey"}, [("why_grey", "missing")]),
        ({"tag": "bell \x07", "witness": "nobody"}, [("tag", "characters"), ("witness", "not-found")]),
    ],
)
async def test_evidence_that_is_none_is_told_field_by_field(
    shop: Workshop, send: Any, answers: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    body = expect_problem(await send("mara", "complete", {"answers": answers}), 422, "invalid")
    assert [(error["field"], error["code"]) for error in body["errors"]] == wrong
    assert PIN not in str(body)
    assert shop.commands == []
    assert shop.task.decided is None


async def test_files_and_secrets_of_another_are_no_evidence(world: ApiWorld, shop: Workshop, send: Any) -> None:
    photo = await upload(world, "ben")
    body = expect_problem(await send("mara", "complete", {"answers": {"tag": "x", "photo": [photo]}}), 422, "invalid")
    assert [(error["field"], error["code"]) for error in body["errors"]] == [("photo[0]", "not-found")]
    pin = world.parts.secrets.seal("id-ben", PIN, NOON)
    answers = {"tag": "x", "pin": {"secret": pin}}
    body = expect_problem(await send("mara", "complete", {"answers": answers}), 422, "invalid")
    assert [error["code"] for error in body["errors"]] == ["not-found"]
    assert shop.commands == []


async def test_with_the_directory_down_evidence_that_names_somebody_waits(
    world: ApiWorld, shop: Workshop, send: Any
) -> None:
    await world.token("mara")
    world.directory.fail_next(Transient("connection refused"), times=100, on="person_by_login")
    answers = {"tag": "x", "witness": "ada"}
    expect_problem(await send("mara", "complete", {"answers": answers}), 503, "directory-unavailable")
    assert shop.task.decided is None
    assert (await send("mara", "complete", TAG)).status_code == 200


@pytest.mark.parametrize("body", [{"answers": []}, {"answers": {}, "reason": "x"}, [], "text"])
async def test_a_body_that_is_no_evidence_is_refused(send: Any, body: Any) -> None:
    expect_problem(await send("mara", "complete", body), 422, "invalid")


# Again, late, and at the end.


async def test_completing_twice_tells_who_did(send: Any) -> None:
    await send("mara", "complete", TAG)
    for who in ("mara", "ben"):
        assert "completed by Mara Lind" in expect_problem(await send(who, "complete", TAG), 409, "closed")["detail"]


async def test_completing_again_with_its_key_gives_the_first_answer(world: ApiWorld, shop: Workshop, send: Any) -> None:
    first = await send("mara", "complete", TAG, key="k")
    world.directory.fail_next(Transient("connection refused"), times=100, on="person_by_login")
    again = await send("mara", "complete", TAG, key="k")
    assert again.status_code == 200
    assert again.json()["entry"] == first.json()["entry"]
    assert len(shop.commands) == 1
    expect_problem(await send("mara", "complete", {"answers": {"tag": "other"}}, key="k"), 409, "closed")


async def test_the_same_key_with_another_reason_is_a_conflict(send: Any) -> None:
    assert (await send("mara", "decline", {"reason": "a"}, key="k")).status_code == 200
    assert (await send("mara", "decline", {"reason": "a"}, key="k")).status_code == 200
    expect_problem(await send("mara", "decline", {"reason": "b"}, key="k"), 409, "idempotency-conflict")


async def test_the_same_key_serves_for_different_acts(shop: Workshop, send: Any) -> None:
    for act in ("claim", "release"):
        assert (await send("mara", act, key="k")).status_code == 200
    assert [(type(sent), sent.model_dump()["act"]) for sent in shop.commands] == [(Work, "claim"), (Work, "release")]


async def test_nothing_is_worked_on_once_the_request_is_closed(world: ApiWorld, shop: Workshop, send: Any) -> None:
    shop.close()
    for act, body in (("claim", None), ("release", None), ("complete", TAG), ("decline", {"reason": "no"})):
        detail = expect_problem(await send("mara", act, body), 409, "closed")["detail"]
        assert f"{shop.number} is closed" in detail
    expect_problem(await world.post("otto", f"/requests/{shop.number}/events/delivered", {}), 409, "closed")
    assert (await world.get("mara", "/tasks")).json()["items"] == []
    assert shop.commands == []


async def test_without_a_worker_completing_is_asked_for_again_and_repeating_is_safe(
    world: ApiWorld, shop: Workshop, send: Any
) -> None:
    shop.fails = [NoWorker("nobody there")]
    expect_problem(await send("mara", "complete", TAG, key="k"), 503, "no-worker")
    assert (await send("mara", "complete", TAG, key="k")).status_code == 200
    assert world.journal(shop.number).count(Kind.TASK_COMPLETED) == 1


async def test_a_workflow_that_is_behind_the_register_is_told_again(shop: Workshop, send: Any) -> None:
    shop.fails = [Refused("unknown-task", "no such task")]
    assert (await send("mara", "claim")).status_code == 200


async def test_a_workflow_that_takes_no_more_commands_says_so(shop: Workshop, send: Any) -> None:
    shop.fails = [Exhausted("limit of updates")]
    expect_problem(await send("mara", "claim"), 429, "too-many")


# Events.


async def test_an_operator_reports_an_event_with_what_is_known_of_it(world: ApiWorld, shop: Workshop) -> None:
    answer = await world.post("otto", f"/requests/{shop.number}/events/delivered", {"data": {"place": "desk"}})
    assert answer.status_code == 201, answer.text
    assert answer.json()["entry"]["data"] == {"event": "delivered", "data": {"place": "desk"}}


async def test_an_event_needs_no_data(world: ApiWorld, shop: Workshop) -> None:
    answer = await world.send("otto", "POST", f"/requests/{shop.number}/events/delivered")
    assert answer.json()["entry"]["data"]["data"] == {}


async def test_only_operators_report_events(world: ApiWorld, shop: Workshop) -> None:
    for who in ("ada", "mara"):
        expect_problem(await world.post(who, f"/requests/{shop.number}/events/delivered", {}), 403, "not-allowed")
    expect_problem(await world.post("sam", f"/requests/{shop.number}/events/delivered", {}), 404, "not-found")


@pytest.mark.parametrize("event", ["Delivered", "x", "delivered ", "a" * 3_000])
async def test_an_event_nobody_waits_for_is_refused_naming_those_there_are(
    world: ApiWorld, shop: Workshop, event: str
) -> None:
    answer = await world.post("otto", f"/requests/{shop.number}/events/{event}", {})
    assert "delivered" in expect_problem(answer, 422, "unknown-choice")["detail"]


async def test_an_event_is_reported_once(world: ApiWorld, shop: Workshop) -> None:
    path = f"/requests/{shop.number}/events/delivered"
    first = await world.post("otto", path, {"data": {"n": 1}}, key="k")
    expect_problem(await world.post("otto", path, {"data": {"n": 1}}), 409, "already-decided")
    assert (await world.post("otto", path, {"data": {"n": 1}}, key="k")).json()["entry"] == first.json()["entry"]
    expect_problem(await world.post("otto", path, {"data": {"n": 2}}, key="k"), 409, "idempotency-conflict")
    assert world.journal(shop.number).count(Kind.EVENT_REPORTED) == 1


@pytest.mark.parametrize(
    "data", ['{"a": NaN}', '{"a": "\\ud800"}', '{"\\u0007": 1}', "[]", '{"a": "' + "x" * 66_000 + '"}']
)
async def test_data_that_cannot_be_kept_is_refused(world: ApiWorld, shop: Workshop, data: str) -> None:
    path = f"/requests/{shop.number}/events/delivered"
    headers = {"Content-Type": "application/json"}
    answer = await world.send("otto", "POST", path, content=f'{{"data": {data}}}', headers=headers)
    expect_problem(answer, 422, "invalid")
    assert shop.commands == []
