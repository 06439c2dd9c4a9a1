"""Changing what was ordered while it is being approved: by who ordered it, and to less by who decides (A11, A22)."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON, a_new_order, a_stage, an_item
from support.live_api import LiveApi
from support.waiting import until

from activities.errors import Transient
from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.request import Amendment, Batch, Outcome, Status
from catalog.stages import ByGroup
from workflows.messages import Decide

GUARDS = ByGroup(rule="group", group="guards")
FORM = [
    {"id": "why", "type": "text", "label": "Why", "max_length": 100},
    {"id": "days", "type": "integer", "label": "Days", "least": 1, "required": False},
    {"id": "budget", "type": "money", "label": "Budget", "currency": "EUR", "required": False},
    {"id": "buddy", "type": "person", "label": "Buddy", "required": False},
    {"id": "offer", "type": "attachment", "label": "Offer", "media_types": ["image/*"], "required": False},
    {"id": "pin", "type": "secret", "label": "PIN", "required": False},
    {"id": "weekend", "type": "yes_no", "label": "Weekend?", "visible": "(form.days or 0) > 6", "required": False},
    {"id": "until", "type": "text", "label": "Ends", "read_only": True, "default": "after {{ form.days or 0 }} days"},
]
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(30)


def desk(**other: Any) -> CatalogItem:
    """Return an item that costs ten euros a day, and whose manager may grant fewer days and less money."""
    plain = an_item().model_dump() | {
        "id": "desk",
        "form": FORM,
        "duplicates": "allow",
        "price": {"one_off": "{{ (form.days or 0) * 10 }}", "currency": "EUR"},
        "checks": [{"check": "form.days != 13", "message": "Nobody has it for 13 days.", "at": "days"}],
        "eligibility": [{"id": "short", "when": "(form.days or 0) < 100", "why_not": "That is too long."}],
        "approvals": [a_stage(may_reduce=("days", "budget")).model_dump()],
    }
    return CatalogItem.model_validate(plain | other)


ORDERED = {"why": "work", "days": 10, "budget": {"amount": "500", "currency": "EUR"}}


async def placed(live: LiveApi, **other: Any) -> str:
    return await live.placed(desk(**other), answers=ORDERED)


async def amend(live: LiveApi, number: str, who: str = "ada", **answers: Any) -> Any:
    return await live.post(who, f"/requests/{number}/amendment", {"answers": answers, "reason": "less will do"})


# ---------------------------------------------------------------- who ordered it


async def test_a22_a_request_is_changed_with_its_price_and_who_decided_is_asked_again(live: LiveApi) -> None:
    item = desk(approvals=[a_stage(approvers=(GUARDS,), quorum="all").model_dump()])
    number = await live.placed(item, answers=ORDERED)
    await live.does("rolf", f"/tasks/{number}.1/decision", {"choice": "approve"})
    before = (await live.sees("ada", f"/requests/{number}"))["tasks"][0]["subject"]
    answer = await amend(live, number, days=5)
    assert answer.status_code == 200, answer.text
    entry = answer.json()["entry"]
    assert entry["text"] == (
        "Ada Byron changed what was ordered: Days is now '5'; Ends is now 'after 5 days': 'less will do'"
    )
    request = answer.json()["request"]
    assert (request["answers"]["days"], request["answers"]["why"], request["cost"]["one_off"]) == (5, "work", "50")
    assert ["Days", "5"] in request["shown_answers"]
    assert live.kinds(number).count(Kind.VOTE_FALLEN) == 1

    await until(lambda: len(live.view(number).projection.tasks) == 2)
    expect_problem(
        await live.post("grace", f"/tasks/{number}.2/decision", {"choice": "approve", "subject": before}),
        409,
        "subject-changed",
    )
    for who in ("rolf", "grace"):
        await live.does(who, f"/tasks/{number}.2/decision", {"choice": "approve"})
    assert (await live.closes(number)).projection.outcome is Outcome.FULFILLED
    context = (await live.sees("otto", f"/tasks/{number}.2"))["context"]
    assert context["changes"] == 1
    assert [one["kind"] for one in context["history"]] == ["vote", "amended", "vote-fallen", "vote", "vote"]


async def test_a22_an_answer_is_taken_away_and_what_is_no_longer_asked_goes_with_it(live: LiveApi) -> None:
    number = await live.placed(desk(), answers=ORDERED | {"weekend": True, "buddy": "ben"})
    assert (await amend(live, number, days=5, buddy=None)).status_code == 200
    assert live.view(number).order.answers == {
        "why": "work",
        "days": 5,
        "budget": {"amount": "500.00", "currency": "EUR"},
        "until": "after 5 days",
    }


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({"days": 0}, [("days", "range")]),
        ({"days": 13}, [("days", "rule")]),
        ({"days": 100}, [("beneficiary", "not-eligible")]),
        ({"height": 3}, [("height", "unknown")]),
        ({"weekend": True, "days": 2}, [("weekend", "hidden")]),
        ({"until": "for ever"}, [("until", "read-only")]),
        ({"why": None}, [("why", "missing")]),
        ({"buddy": "nobody"}, [("buddy", "not-found")]),
        ({"offer": ["nothing"]}, [("offer[0]", "not-found")]),
        ({"pin": {"secret": "secret:x"}}, [("pin", "not-found")]),
    ],
)
async def test_a22_a_change_is_checked_as_a_new_order_is(
    world: ApiWorld, answers: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    number = await ordered(world, desk())
    body = expect_problem(
        await world.post("ada", f"/requests/{number}/amendment", {"answers": answers}), 422, "invalid"
    )
    assert [(error["field"], error["code"]) for error in body["errors"]] == wrong
    assert world.engine.commands == []


async def ordered(world: ApiWorld, item: CatalogItem, **body: Any) -> str:
    """Order with the fake engine behind it, which takes no amendments."""
    world.shelve(item)
    return await world.placed(item=item.id, **{"answers": ORDERED} | body)


@pytest.mark.parametrize("answers", [{}, {"days": 10}, {"buddy": None}, {"budget": {"amount": 500, "currency": "EUR"}}])
async def test_a22_a_change_that_changes_nothing_is_refused(world: ApiWorld, answers: dict[str, Any]) -> None:
    number = await ordered(world, desk())
    expect_problem(
        await world.post("ada", f"/requests/{number}/amendment", {"answers": answers}), 422, "nothing-changed"
    )


async def test_a22_only_who_ordered_it_changes_it(world: ApiWorld) -> None:
    number = await ordered(world, desk(), beneficiary="ben")
    for who in ("ben", "mara", "otto"):
        expect_problem(
            await world.post(who, f"/requests/{number}/amendment", {"answers": {"days": 5}}), 403, "not-allowed"
        )
    expect_problem(await world.post("sam", f"/requests/{number}/amendment", {"answers": {"days": 5}}), 404, "not-found")


async def test_a22_it_is_too_late_to_change_what_is_being_carried_out(world: ApiWorld) -> None:
    number = await ordered(world, desk())
    body = {"answers": {"days": 5}}
    carried_out(world, number)
    assert (
        "carried out"
        in expect_problem(await world.post("ada", f"/requests/{number}/amendment", body), 409, "closed")["detail"]
    )
    await world.post("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert (
        "is closed"
        in expect_problem(await world.post("ada", f"/requests/{number}/amendment", body), 409, "closed")["detail"]
    )


def carried_out(world: ApiWorld, number: str) -> None:
    """Have the register show that approvals are over."""
    run = world.engine._runs[number]
    batch: Batch = run._batch(run.chain.append(Kind.EFFECT_INTENDED, NOON), status=Status.FULFILMENT)
    world.register.record(batch)


async def test_a22_the_workflow_itself_refuses_to_change_what_is_decided(live: LiveApi) -> None:
    number = await placed(live)
    await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "reject", "reason": "no"})
    expect_problem(await amend(live, number, days=5), 409, "closed")


async def test_a22_files_and_secrets_of_a_change_belong_to_the_request(live: LiveApi) -> None:
    world = live.world
    first, second = (world.parts.secrets.seal("id-ada", pin, world.parts.clock()) for pin in ("one", "two"))
    number = await live.placed(desk(), answers=ORDERED | {"pin": {"secret": first}})
    headers = {"Content-Type": "image/png", "X-File-Name": "a.png"}
    upload = (await world.send("ada", "POST", "/files", content=PNG, headers=headers)).json()["id"]
    assert (await amend(live, number, offer=[upload])).status_code == 200
    assert live.view(number).order.answers["pin"] == {"secret": first}
    assert (await world.get("mara", f"/requests/{number}/files/{upload}")).content == PNG
    assert (await amend(live, number, pin={"secret": second})).status_code == 200
    expect_problem(
        await world.orders(key="k2", item="desk", answers=ORDERED | {"pin": {"secret": second}}), 422, "invalid"
    )


async def test_a22_a_part_is_changed_that_names_a_secret_of_the_whole(world: ApiWorld) -> None:
    register, item = world.register, desk()
    ref = world.parts.secrets.seal("id-ada", "one", NOON)
    answers = ORDERED | {"budget": {"amount": "500.00", "currency": "EUR"}, "pin": {"secret": ref}}
    whole = register.take(a_new_order("whole", item=item, answers=answers, secrets=(ref,), started=True)).order
    part = a_new_order("part", item=item, answers=answers, secrets=(ref,), parent=whole.number, started=True)
    number = register.take(part).order.number
    view = register.request(number)
    assert view
    await world.engine.start(view.order)
    answer = await world.post("ada", f"/requests/{number}/amendment", {"answers": {"days": 5}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["request"]["answers"]["days"] == 5


async def test_a22_repeating_a_change_with_its_key_gives_the_first_answer(live: LiveApi) -> None:
    number = await placed(live)
    path, body = f"/requests/{number}/amendment", {"answers": {"days": 5, "buddy": "ben"}}
    first = await live.does("ada", path, body, key="k")
    live.world.directory.fail_next(Transient("connection refused"), times=100, on="person_by_login")
    assert await live.does("ada", path, body, key="k") == first
    expect_problem(await live.post("ada", path, {"answers": {"days": 4}}, key="k"), 409, "idempotency-conflict")
    expect_problem(await live.post("ada", path, {"answers": {"buddy": "mara"}}), 503, "directory-unavailable")
    assert live.kinds(number).count(Kind.AMENDED) == 1


async def test_a22_a_change_to_what_another_open_request_is_for_is_refused(live: LiveApi) -> None:
    item = desk(duplicates="refuse", distinct_by=("why",))
    first = await live.placed(item, answers=ORDERED)
    second = await live.placed(item, answers=ORDERED | {"why": "play"})
    expect_problem(await amend(live, second, why="work"), 409, "already-open")
    assert (await amend(live, first, why="rest")).status_code == 200
    assert (await amend(live, second, why="work")).status_code == 200
    for why, number in (("rest", first), ("work", second)):
        again = await live.world.orders(key=why, item="desk", answers=ORDERED | {"why": why})
        assert number in expect_problem(again, 409, "already-open")["detail"]


async def test_a22_an_order_of_several_things_is_changed_in_its_parts(world: ApiWorld) -> None:
    world.shelve(desk())
    answer = await world.orders(item="desk", answers=ORDERED, beneficiaries=["ada", "ben"])
    number = answer.json()["number"]
    body = expect_problem(
        await world.post("ada", f"/requests/{number}/amendment", {"answers": {"days": 5}}), 403, "not-allowed"
    )
    assert "its parts" in body["detail"]


@pytest.mark.parametrize("body", [{}, {"answers": []}, {"answers": {}, "why": "x"}, [], "text"])
async def test_a_body_that_is_no_change_is_refused(world: ApiWorld, body: Any) -> None:
    number = await ordered(world, desk())
    expect_problem(await world.post("ada", f"/requests/{number}/amendment", body), 422, "invalid")


# ---------------------------------------------------------------- who decides it


async def test_a11_an_approver_grants_less_than_was_asked_for(live: LiveApi) -> None:
    number = await placed(live)
    subject = (await live.sees("mara", f"/tasks/{number}.1"))["subject"]
    body = {"choice": "approve", "reason": "a week is enough", "subject": subject}
    body |= {"answers": {"days": 7, "budget": {"amount": 200, "currency": "EUR"}}}
    entry = await live.does("mara", f"/tasks/{number}.1/decision", body, key="k")
    assert entry["kind"] == "vote"
    view = await live.closes(number)
    assert view.projection.outcome is Outcome.FULFILLED
    assert (view.order.answers["days"], view.order.answers["until"]) == (7, "after 7 days")
    assert view.order.cost
    assert view.order.cost.one_off == 70
    kinds = live.kinds(number)
    assert kinds.index(Kind.AMENDED) < kinds.index(Kind.VOTE)
    assert await live.does("mara", f"/tasks/{number}.1/decision", body, key="k") == entry
    other = body | {"answers": {"days": 6}}
    expect_problem(await live.post("mara", f"/tasks/{number}.1/decision", other, key="k"), 409, "already-decided")


async def test_a11_who_decides_beside_them_is_asked_about_what_is_left(live: LiveApi) -> None:
    stage = a_stage(approvers=(GUARDS,), quorum="all", may_reduce=("days",)).model_dump()
    number = await live.placed(desk(approvals=[stage]), answers=ORDERED)
    await live.does("grace", f"/tasks/{number}.1/decision", {"choice": "approve"})
    await live.does("rolf", f"/tasks/{number}.1/decision", {"choice": "approve", "answers": {"days": 3}})
    task = await live.sees("grace", f"/tasks/{number}.1")
    assert task["decided"] is None
    assert "decide" in task["can"]
    await live.does("grace", f"/tasks/{number}.1/decision", {"choice": "approve", "subject": task["subject"]})
    assert (await live.closes(number)).order.answers["days"] == 3


async def test_a11_an_approver_who_makes_an_order_so_small_that_they_are_not_needed_still_decides_it(
    live: LiveApi,
) -> None:
    stage = a_stage(when="cost.one_off > 50", may_reduce=("days",)).model_dump()
    number = await live.placed(desk(approvals=[stage]), answers=ORDERED)
    await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "approve", "answers": {"days": 2}})
    assert (await live.closes(number)).projection.outcome is Outcome.FULFILLED


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        ({"days": 11}, [("days", "range")]),
        ({"days": 0}, [("days", "range")]),
        ({"why": "play"}, [("why", "not-allowed")]),
        ({"days": None}, [("days", "not-allowed")]),
        ({"height": 1}, [("height", "unknown")]),
        ({"budget": {"amount": "600", "currency": "EUR"}, "days": 11}, [("days", "range"), ("budget", "range")]),
    ],
)
async def test_a11_nothing_is_granted_that_is_more_or_other_than_was_asked_for(
    world: ApiWorld, answers: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    number = await ordered(world, desk())
    body = {"choice": "approve", "answers": answers}
    found = expect_problem(await world.post("mara", f"/tasks/{number}.1/decision", body), 422, "invalid")
    assert [(error["field"], error["code"]) for error in found["errors"]] == wrong
    assert world.engine.commands == []


async def test_a11_only_by_approving_is_anything_made_smaller(world: ApiWorld) -> None:
    number = await ordered(world, desk())
    body = {"choice": "reject", "reason": "no", "answers": {"days": 5}}
    found = expect_problem(await world.post("mara", f"/tasks/{number}.1/decision", body), 422, "invalid")
    assert [error["field"] for error in found["errors"]] == ["answers"]
    world.register.record(world.engine.ask_operator(number))
    body = {"choice": "approve", "answers": {"days": 5}}
    for who, status in (("otto", 422), ("ben", 403)):
        assert (await world.post(who, f"/tasks/{number}.2/decision", body)).status_code == status


async def test_a11_granting_what_was_asked_for_is_approving_it(world: ApiWorld) -> None:
    number = await ordered(world, desk())
    answer = await world.post("mara", f"/tasks/{number}.1/decision", {"choice": "approve", "answers": {"days": 10}})
    assert answer.status_code == 200, answer.text
    (sent,) = world.engine.commands
    assert isinstance(sent, Decide)
    assert sent.amendment is None


async def test_a11_the_workflow_asks_the_same_rule_again(live: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await placed(live)
    more = Amendment(answers=live.view(number).order.answers | {"days": 11})
    monkeypatch.setattr("api.intake.reduce", lambda *_, **__: more)
    body = {"choice": "approve", "answers": {"days": 11}}
    found = expect_problem(await live.post("mara", f"/tasks/{number}.1/decision", body), 403, "not-allowed")
    assert "less than 10" in found["detail"]
    assert live.view(number).order.answers["days"] == 10
