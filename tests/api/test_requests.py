from __future__ import annotations

import json

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import a_person

from catalog.journal import Entry, verify

PATHS = ("/requests/{0}", "/requests/{0}/journal", "/tasks/{0}.1")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["ada", "ben", "mara", "otto"])
async def test_whoever_has_to_do_with_a_request_sees_it(world: ApiWorld, who: str, path: str) -> None:
    number = await world.placed(beneficiary="ben")
    assert (await world.get(who, path.format(number))).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_a_strangers_request_looks_like_one_that_does_not_exist(world: ApiWorld, path: str) -> None:
    number = await world.placed()
    real, made_up = await world.get("sam", path.format(number)), await world.get("sam", path.format("REQ-9999"))
    assert expect_problem(real, 404, "not-found") == expect_problem(made_up, 404, "not-found")


@pytest.mark.parametrize("command", ["cancel", "comments"])
async def test_a_stranger_can_do_nothing_to_a_request_they_do_not_see(world: ApiWorld, command: str) -> None:
    number = await world.placed()
    body = {"text": "hello"} if command == "comments" else {}
    expect_problem(await world.post("sam", f"/requests/{number}/{command}", body), 404, "not-found")
    assert world.engine.commands == []


@pytest.mark.parametrize("number", ["REQ-9999", "REQ-0", "REQ-99999999999999999999999", "x", "REQ-1001'--", "%00", "ü"])
async def test_an_odd_number_names_nothing(world: ApiWorld, number: str) -> None:
    answer = await world.get("otto", f"/requests/{number}")
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("ada", ["cancel", "comment"]),
        ("ben", ["cancel", "comment"]),
        ("mara", ["comment", "decide:REQ-1001.1"]),
        ("otto", ["cancel", "comment"]),
    ],
)
async def test_a_request_says_what_its_viewer_may_do(world: ApiWorld, who: str, may: list[str]) -> None:
    number = await world.placed(beneficiary="ben")
    assert (await world.get(who, f"/requests/{number}")).json()["you_may"] == may


async def test_a_closed_request_offers_nothing(world: ApiWorld) -> None:
    number = await world.placed()
    await world.post("ada", f"/requests/{number}/cancel")
    body = (await world.get("ada", f"/requests/{number}")).json()
    assert (body["status"], body["outcome"], body["you_may"]) == ("closed", "cancelled", [])


async def test_a_request_says_whom_it_waits_for(world: ApiWorld) -> None:
    number = await world.placed()
    (waiting,) = (await world.get("ada", f"/requests/{number}")).json()["waiting"]
    assert waiting["who"] == [{"id": "id-mara", "login": "mara", "name": "Mara Lind", "on_behalf_of": []}]
    assert waiting["rule"] == "approver.manager"


async def test_w1_a_wait_says_in_whose_place_somebody_is_asked_and_not_their_address(world: ApiWorld) -> None:
    number = await world.placed()
    batch = world.engine.ask_operator(number)
    absent = {"id-mara": (a_person("Rolf Chief").ref(),)}
    waiting = tuple(one.model_copy(update={"on_behalf_of": absent}) for one in batch.projection.waiting)
    now = batch.projection.model_copy(update={"waiting": waiting})
    world.register.record(batch.model_copy(update={"projection": now}))
    (shown,) = (await world.get("ada", f"/requests/{number}")).json()["waiting"]
    (mara,) = shown["who"]
    assert (mara["login"], mara["on_behalf_of"]) == ("mara", [{"id": "id-rolf", "login": "rolf", "name": "Rolf Chief"}])
    assert "example.org" not in json.dumps(shown)


async def test_what_went_wrong_in_a_target_is_shown_to_operators_only(world: ApiWorld) -> None:
    number = await world.placed()
    world.register.record(world.engine.ask_operator(number))
    seen = {
        who: [task["kind"] for task in (await world.get(who, f"/requests/{number}")).json()["tasks"]]
        for who in ("ada", "mara", "otto")
    }
    assert seen == {"ada": ["approval"], "mara": ["approval"], "otto": ["approval", "operator"]}
    expect_problem(await world.get("ada", f"/tasks/{number}.2"), 404, "not-found")
    assert (await world.get("otto", f"/tasks/{number}.2")).json()["problem"] == "insufficientAccessRights"


async def test_an_unchanged_request_is_not_sent_twice(world: ApiWorld) -> None:
    number = await world.placed()
    first = await world.get("ada", f"/requests/{number}")
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = await world.get("ada", f"/requests/{number}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await world.post("ada", f"/requests/{number}/comments", {"text": "hello"})
    await world.post("ada", f"/requests/{number}/cancel")
    changed = await world.get("ada", f"/requests/{number}", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_the_journal_can_be_checked_by_its_reader_and_read_as_text(world: ApiWorld) -> None:
    number = await world.placed()
    await world.post("ada", f"/requests/{number}/comments", {"text": "soon, please"})
    items = (await world.get("ada", f"/requests/{number}/journal")).json()["items"]
    assert verify([Entry.model_validate(item) for item in items]) == []
    assert "soon, please" in items[-1]["text"]


async def test_the_journal_comes_in_parts(world: ApiWorld) -> None:
    number = await world.placed()
    for text in ("one", "two", "three"):
        await world.post("ada", f"/requests/{number}/comments", {"text": text})
    seqs: list[list[int]] = []
    cursor: int | None = 0
    while cursor is not None:
        page = (await world.get("ada", f"/requests/{number}/journal?limit=2&cursor={cursor}")).json()
        seqs.append([item["seq"] for item in page["items"]])
        cursor = page["next"]
    assert [seq for part in seqs for seq in part] == [1, 2, 3, 4]
    assert max(len(part) for part in seqs) == 2


async def test_the_list_of_requests_comes_in_parts_newest_first(world: ApiWorld) -> None:
    for n in range(5):
        await world.orders(key=f"key-{n}")
    await world.orders("ben")
    numbers: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await world.get("ada", f"/requests?limit=2{cursor}")).json()
        numbers += [item["number"] for item in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert numbers == ["REQ-1005", "REQ-1004", "REQ-1003", "REQ-1002", "REQ-1001"]


async def test_one_lists_what_is_by_or_for_oneself(world: ApiWorld) -> None:
    mine = await world.placed("ada")
    for_me = await world.placed("ben", beneficiary="ada")
    await world.placed("sam")
    items = (await world.get("ada", "/requests")).json()["items"]
    assert [item["number"] for item in items] == [for_me, mine]


async def test_requests_are_listed_by_state(world: ApiWorld) -> None:
    done, running = await world.placed(key="a"), await world.placed(key="b")
    await world.post("ada", f"/requests/{done}/cancel")
    for state, number in (("open", running), ("closed", done)):
        items = (await world.get("ada", f"/requests?state={state}")).json()["items"]
        assert [item["number"] for item in items] == [number]


async def test_only_operators_list_the_requests_of_all(world: ApiWorld) -> None:
    await world.placed("ada")
    await world.placed("ben")
    assert len((await world.get("otto", "/requests?all=true")).json()["items"]) == 2
    assert (await world.get("otto", "/requests")).json()["items"] == []
    expect_problem(await world.get("ada", "/requests?all=true"), 403, "not-allowed")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=-1", "state=odd", "other=1"])
@pytest.mark.parametrize("path", ["/requests", "/tasks"])
async def test_an_odd_query_is_refused(world: ApiWorld, path: str, query: str) -> None:
    body = expect_problem(await world.get("ada", f"{path}?{query}"), 422, "invalid")
    assert [error["field"] for error in body["errors"]] == [query.split("=", maxsplit=1)[0]]


async def test_tasks_are_listed_for_those_who_are_asked(world: ApiWorld) -> None:
    number = await world.placed()
    (task,) = (await world.get("mara", "/tasks")).json()["items"]
    assert (task["id"], task["you_may"]) == (f"{number}.1", ["approve", "reject"])
    assert task["request"]["number"] == number
    assert task["request"]["answers"] == {"why": "work"}
    for other in ("ada", "sam", "otto"):
        assert (await world.get(other, "/tasks")).json()["items"] == []
    await world.post("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert (await world.get("mara", "/tasks")).json()["items"] == []
    (closed,) = (await world.get("mara", "/tasks?state=closed")).json()["items"]
    assert (closed["decided"], closed["you_may"]) == ("approve", [])


async def test_an_operator_is_not_offered_a_task_of_their_own_request(world: ApiWorld) -> None:
    number = await world.placed("otto")
    world.register.record(world.engine.ask_operator(number))
    assert (await world.get("otto", f"/tasks/{number}.2")).json()["you_may"] == []


async def test_the_catalog_is_listed_by_name(world: ApiWorld) -> None:
    items = (await world.get("ada", "/catalog/items")).json()["items"]
    assert [item["id"] for item in items] == ["wiki-admin", "wiki-editor"]


async def test_an_item_is_shown_with_its_form_and_digest_and_not_sent_twice(world: ApiWorld) -> None:
    answer = await world.get("ada", "/catalog/items/wiki-editor")
    body = answer.json()
    assert [field["id"] for field in body["form"]] == ["why", "buddy"]
    assert body["digest"] == world.catalog.digest_of("wiki-editor")
    again = await world.get("ada", "/catalog/items/wiki-editor", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    expect_problem(await world.get("ada", "/catalog/items/nothing"), 404, "not-found")
