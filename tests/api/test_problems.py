from __future__ import annotations

import json
import logging
import re
from typing import Any

import httpx
import pytest
from support.api_world import ApiWorld, expect_problem

from api import problems
from api.limits import MAX_BODY

DECISION = "/tasks/REQ-1001.1/decision"


async def test_what_routing_refuses_is_a_problem_too(world: ApiWorld) -> None:
    expect_problem(await world.http.get("/nowhere"), 404, "not-found")
    answer = await world.http.delete("/api/v1/requests")
    expect_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"\xff\xfe\xfd", b'{"login": "a", "password": }', b"[" * 10_000, b'{"a":' * 3_000, b"1" * 5_000],
)
async def test_a_body_that_cannot_be_read_is_a_problem(world: ApiWorld, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await world.http.post("/api/v1/session", content=content, headers=headers)
    if content:
        expect_problem(answer, 400, "malformed-body")
    else:
        expect_problem(answer, 422, "invalid")


@pytest.mark.parametrize("depth", [100, 900])
async def test_answers_that_are_nested_deeply_are_refused_like_any_other_wrong_answer(
    world: ApiWorld, depth: int
) -> None:
    content = f'{{"item": "wiki-editor", "answers": {{"why": {"[" * depth}{"]" * depth}}}}}'
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = await world.send("ada", "POST", "/requests", content=content, headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    assert world.count() == 0


async def test_a_body_that_is_no_json_by_its_own_account_is_told_what_to_say(world: ApiWorld) -> None:
    answer = await world.http.post("/api/v1/session", content=b"login=a&password=b")
    (error,) = expect_problem(answer, 422, "invalid")["errors"]
    assert "application/json" in error["message"]


async def test_an_error_of_ours_says_nothing_but_where_it_is_in_the_log(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the secret is hunter2")

    await world.token("ada")
    monkeypatch.setattr(world.register, "request", broken)
    with caplog.at_level(logging.ERROR):
        body = expect_problem(await world.get("ada", "/requests/REQ-1001"), 500, "internal")
    assert "hunter2" not in json.dumps(body)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", body["instance"])
    assert body["instance"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_what_was_sent_is_not_repeated_in_an_error(world: ApiWorld) -> None:
    answer = await world.http.post("/api/v1/session", json={"login": "ada", "password": ["hunter2"]})
    assert "hunter2" not in json.dumps(expect_problem(answer, 422, "invalid"))


def chunked(size: int) -> Any:
    async def parts() -> Any:
        for _ in range(size // 65_536 + 1):
            yield b" " * 65_536

    return parts()


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_one_mebibyte_is_refused(world: ApiWorld, declared: bool) -> None:
    content = b" " * (MAX_BODY + 1) if declared else chunked(MAX_BODY)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = await world.send("ada", "POST", "/requests", content=content, headers=headers)
    expect_problem(answer, 413, "body-too-large")
    assert world.count() == 0


async def test_a_body_of_one_mebibyte_is_read(world: ApiWorld) -> None:
    body = b'{"item": "nothing"}'
    content = body + b" " * (MAX_BODY - len(body))
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    expect_problem(await world.send("ada", "POST", "/requests", content=content, headers=headers), 422, "invalid")


async def test_a_sign_in_which_anybody_may_send_is_short(world: ApiWorld) -> None:
    body = json.dumps({"login": "a", "password": "b"} | {str(n): 0 for n in range(5_000)})
    answer = await world.http.post(
        "/api/v1/session", content=body.encode(), headers={"Content-Type": "application/json"}
    )
    expect_problem(answer, 413, "body-too-large")


async def test_an_answer_does_not_grow_with_what_somebody_makes_up(world: ApiWorld) -> None:
    for body in (
        {"item": "wiki-editor", "answers": {str(n): 0 for n in range(5_000)}},
        {"item": "wiki-editor"} | {str(n): 0 for n in range(5_000)},
    ):
        answer = await world.send("ada", "POST", "/requests", json=body, headers={"Idempotency-Key": "k"})
        assert len(expect_problem(answer, 422, "invalid")["errors"]) <= problems.MOST_ERRORS


BAD = ["nul \0", "escape \x1b[2J", "half \ud800", "delete \x7f", "next \x85"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/session", {"login": "{}", "password": "p"}),
        ("/session", {"login": "ada", "password": "{}"}),
        ("/requests", {"item": "{}"}),
        ("/requests", {"item": "wiki-editor", "answers": {"why": "{}"}}),
        ("/requests", {"item": "wiki-editor", "answers": {"why": "w", "{}": "x"}}),
        ("/requests", {"item": "wiki-editor", "answers": {"why": "w"}, "beneficiary": "{}"}),
        ("/requests", {"item": "wiki-admin", "{}": "x"}),
        ("/requests/REQ-1001/cancel", {"reason": "{}"}),
        ("/requests/REQ-1001/comments", {"text": "{}"}),
        (DECISION, {"choice": "{}"}),
        (DECISION, {"choice": "approve", "reason": "{}"}),
        (DECISION, {"choice": "approve", "subject": "{}"}),
    ],
)
async def test_no_text_holds_control_characters(world: ApiWorld, path: str, body: Any) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    for bad in BAD:
        content = json.dumps(body).replace("{}", json.dumps(bad)[1:-1])
        answer = await world.send("ada", "POST", path, content=content, headers=headers)
        assert expect_problem(answer, 422, "invalid")["errors"]
    assert world.count() == 0


@pytest.mark.parametrize("address", ["/requests/REQ%001", "/requests?state=%00", "/requests?a%1b=b", "/tasks/%7f"])
async def test_no_address_holds_control_characters(world: ApiWorld, address: str) -> None:
    expect_problem(await world.get("ada", address), 422, "invalid")


def test_every_class_of_problem_is_documented_by_its_words() -> None:
    classes = all_problems()
    assert len({cls.slug for cls in classes}) == len(classes)
    for cls in classes:
        assert cls.__doc__
        assert cls.title
        assert cls.status >= 400
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.slug)
        assert f"{cls.__name__} {cls.status}" in re.sub(r"\s+", " ", problems.__doc__ or "")


def all_problems() -> list[type[problems.Problem]]:
    found: list[type[problems.Problem]] = []
    queue: list[type[problems.Problem]] = [problems.Problem]
    while queue:
        queue += queue.pop().__subclasses__()
        found = [cls for cls in {*found, *queue} if hasattr(cls, "slug")]
    return found


async def test_the_description_lists_every_problem_and_refers_to_what_is_there(world: ApiWorld) -> None:
    answer = await world.http.get("/openapi.json")
    text = answer.text
    schemas = answer.json()["components"]["schemas"]
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in schemas
    assert not re.findall(r'"#/\$defs/', text)
    routing = {problems.MethodNotAllowed}  # for addresses and methods that are not described
    for cls in all_problems():
        assert cls in routing or cls.type_uri() in text, cls


async def test_every_described_error_is_a_problem(world: ApiWorld) -> None:
    paths = (await world.http.get("/openapi.json")).json()["paths"]
    seen = 0
    for path, methods in paths.items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if status >= "400" and path != "/readyz":
                    seen += 1
                    assert list(answer["content"]) == [problems.MEDIA_TYPE], (path, method, status)
    assert seen > 50


async def test_the_root_names_where_to_go(world: ApiWorld) -> None:
    links = (await world.http.get("/")).json()
    assert links.pop("name") == "Commissary"
    for link in links.values():
        answer = await world.http.get(link)
        assert answer.status_code != 404, link


async def test_there_is_no_page_that_loads_scripts_from_elsewhere(world: ApiWorld) -> None:
    for path in ("/docs", "/redoc"):
        expect_problem(await world.http.get(path), 404, "not-found")


def test_a_problem_can_say_anything_about_text_that_is_none() -> None:
    answer = problems.NotFound("half \ud800").response()
    assert httpx.Response(404, content=bytes(answer.body)).json()["detail"] == "half \ud800"
