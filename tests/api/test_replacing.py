"""Ordering anew in the place of an open request: what is taken, what is refused, and what is shown of both."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON, a_new_order, a_stage, an_item
from support.live_api import LiveApi
from support.racing import raced
from support.waiting import until

from api.problems import AlreadyOpen
from api.schemas.orders import OrderIn
from catalog.item import CancelPolicy, Line
from catalog.journal import Kind
from catalog.request import Outcome, Status
from catalog.stages import ByGroup

GUARDS = ByGroup(rule="group", group="guards")
ONCE = an_item(id="laptop", name="Laptop")
"""An item of which a person may have one open order."""
GUARDED = an_item(id="guarded", approvals=(a_stage(approvers=(GUARDS,), quorum="all"),))
NOT_FOUND = ("not-found", "There is no such request, or you may not see it.")


@pytest.fixture(autouse=True)
def shelf(resting: ApiWorld) -> None:
    line = Line(id="laptop", item="laptop", answers={"why": "kit"})
    kit = an_item(id="kit", name="Kit", form=(), workflow=None, entitlement=None, approvals=(), lines=(line,))
    locked = an_item(id="locked", name="Locked", cancel=CancelPolicy(by=()))
    resting.shelve(*resting.catalog, ONCE, kit, locked)


async def old(world: ApiWorld, **body: Any) -> str:
    """Order a laptop, and return the number once its manager is asked."""
    return await world.placed(**{"item": "laptop"} | body)


async def anew(world: ApiWorld, replaces: str, who: str = "ada", *, key: str = "anew", **body: Any) -> Any:
    answers = {"why": "a bigger one"}
    return await world.orders(who, key=key, **{"item": "laptop", "answers": answers, "replaces": replaces} | body)


async def refused(answer: Any) -> tuple[str, str]:
    """Return what an order is not taken for, and what is said of it."""
    (error,) = expect_problem(answer, 422, "invalid")["errors"]
    assert error["field"] == "replaces"
    return error["code"], error["message"]


async def test_an_order_takes_the_place_of_an_open_one(world: ApiWorld) -> None:
    number = await old(world)
    answer = await anew(world, number)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["replaces"], shown["replaced_by"], shown["follows"]) == (number, "", "")
    assert world.register.replaced_by(number) == shown["number"]
    listed = (await world.get("ada", "/requests")).json()["items"]
    assert [(one["number"], one["replaces"]) for one in listed] == [(shown["number"], number), (number, "")]


async def test_without_saying_so_the_open_one_stands_in_the_way(world: ApiWorld) -> None:
    number = await old(world)
    problem = expect_problem(await anew(world, ""), 409, "already-open")
    assert problem["detail"] == f"{number} is already open for this."


async def test_nothing_is_told_of_what_one_may_not_see(world: ApiWorld) -> None:
    number = await old(world)
    for unknown in ("REQ-9999", "nonsense", "REQ-1001\u0660", number):
        assert await refused(await anew(world, unknown, "sam")) == NOT_FOUND
    assert world.count() == 1


async def test_naming_a_request_that_one_may_not_see_does_not_tell_whether_it_is_the_open_one(world: ApiWorld) -> None:
    number = await old(world)
    for unknown in ("REQ-9999", number):
        answer = await anew(world, unknown, "sam", beneficiary="ada")
        errors = expect_problem(answer, 422, "invalid")["errors"]
        assert {error["field"]: error["message"] for error in errors} == {
            "replaces": NOT_FOUND[1],
            "beneficiary": "A request is already open for this.",
        }


async def test_who_may_see_it_but_not_cancel_it_does_not_replace_it(world: ApiWorld) -> None:
    number = await old(world)
    code, words = await refused(await anew(world, number, "mara", beneficiary="ada"))
    assert (code, words) == ("not-allowed", "Only who may cancel it replaces it.")
    locked = await world.placed(item="locked", key="locked")
    assert (await refused(await anew(world, locked, item="locked")))[0] == "not-allowed"
    answer = await anew(world, locked, "otto", item="locked", beneficiary="ada")
    assert answer.status_code == 201, answer.text


async def test_another_item_and_another_person_are_no_replacement(world: ApiWorld) -> None:
    number = await old(world)
    assert "is of another item" in (await refused(await anew(world, number, item="locked")))[1]
    assert "is for somebody else" in (await refused(await anew(world, number, beneficiary="ben")))[1]


async def test_orders_for_several_people_and_of_several_things_replace_nothing(world: ApiWorld) -> None:
    number = await old(world)
    code, words = await refused(await anew(world, number, beneficiaries=["ada", "ben"]))
    assert (code, "for several people" in words) == ("value", True)
    kit = await world.orders(item="kit", answers={}, beneficiary="ben", key="kit")
    assert kit.status_code == 201, kit.text
    answer = await anew(world, kit.json()["number"], item="kit", answers={}, beneficiary="ben")
    assert "order of several things" in (await refused(answer))[1]


async def test_a_part_of_another_order_is_not_replaced(world: ApiWorld) -> None:
    parent = await world.placed(key="parent")
    new = a_new_order("part", item=ONCE, parent=parent, line="1")
    part = world.register.take(new).order.number
    assert f"is a part of {parent}" in (await refused(await anew(world, part)))[1]


async def test_what_is_closed_or_carried_out_or_has_not_begun_is_not_replaced(world: ApiWorld) -> None:
    closed = await old(world)
    await world.post("ada", f"/requests/{closed}/cancel")
    assert await refused(await anew(world, closed)) == ("value", f"{closed} is closed: cancelled.")
    failing = await old(world, key="failing")
    world.register.record(world.engine.ask_operator(failing))
    assert "its status is attention" in (await refused(await anew(world, failing)))[1]
    world.engine.down = True
    waiting = (await world.orders(item="laptop", beneficiary="ben", key="waiting")).json()["number"]
    answer = await anew(world, waiting, beneficiary="ben")
    assert "its status is accepted" in (await refused(answer))[1]


async def test_the_same_key_orders_once_and_stands_for_what_was_replaced(world: ApiWorld) -> None:
    number = await old(world)
    first, again = [await anew(world, number) for _ in range(2)]
    assert (first.status_code, first.json()["number"]) == (201, again.json()["number"])
    assert world.count() == 2
    expect_problem(await anew(world, ""), 409, "idempotency-conflict")
    await world.post("ada", f"/requests/{number}/cancel")
    assert (await anew(world, number)).json()["number"] == first.json()["number"], "whatever has become of it since"


@pytest.mark.parametrize("item", ["laptop", "wiki-editor"])
async def test_it_is_replaced_once_also_where_any_number_may_be_open(world: ApiWorld, item: str) -> None:
    number = await old(world, item=item)
    new = (await anew(world, number, item=item)).json()["number"]
    problem = expect_problem(await anew(world, number, item=item, key="third"), 409, "already-open")
    assert problem["detail"] == f"{new} is already open for this."


def test_of_two_that_replace_it_at_once_one_does_and_the_other_learns_which(resting: ApiWorld) -> None:
    order = a_new_order(item=ONCE)
    number = resting.register.take(order.model_copy(update={"duplicate_key": order.stands_for})).order.number
    resting.register.mark_started(number, NOON)
    body = OrderIn(item="laptop", answers={"why": "again"}, replaces=number)
    [one], [refused] = raced(lambda n: resting.take(f"anew-{n}", body), 2, AlreadyOpen)
    assert refused.detail == f"{one} is already open for this."
    assert resting.register.replaced_by(number) == one


async def test_a_preview_says_whether_it_would_be_replaced(world: ApiWorld) -> None:
    number = await old(world)
    body = {"item": "laptop", "answers": {"why": "again"}, "replaces": number}
    assert (await world.post("ada", "/requests/preview", body)).json()["may_be_ordered"]
    errors = (await world.post("ada", "/requests/preview", body | {"replaces": "REQ-9"})).json()["errors"]
    assert {error["field"]: error["code"] for error in errors} == {
        "replaces": "not-found",
        "beneficiary": "already-open",
    }
    await anew(world, number)
    answer = (await world.post("ada", "/requests/preview", body)).json()
    assert not answer["may_be_ordered"]


async def test_a_draft_keeps_what_it_is_to_replace(world: ApiWorld) -> None:
    draft = (await world.post("ada", "/drafts", {"item": "laptop", "replaces": "REQ-7"})).json()
    assert (await world.get("ada", f"/drafts/{draft['id']}")).json()["replaces"] == "REQ-7"


# ---------------------------------------------------------------- with the real workflows


async def test_both_requests_name_each_other_and_a_late_vote_is_told_the_outcome(live: LiveApi) -> None:
    number = await live.placed(GUARDED, beneficiary="ben")
    await live.does("rolf", f"/tasks/{number}.1/decision", {"choice": "approve"})
    new = await live.placed(GUARDED, answers={"why": "more"}, beneficiary="ben", replaces=number)
    view = await live.closes(number)
    assert (view.projection.outcome, view.projection.reason) == (Outcome.SUPERSEDED, f"{new} replaces it.")
    before, after = [await live.sees("ada", f"/requests/{one}") for one in (number, new)]
    assert (before["outcome"], before["replaced_by"], before["replaces"]) == ("superseded", new, "")
    assert (after["replaces"], after["replaced_by"], after["status"]) == (number, "", "approval")
    assert before["you_may"] == []
    late = await live.post("grace", f"/tasks/{number}.1/decision", {"choice": "approve"})
    problem = expect_problem(late, 409, "closed")
    assert problem["detail"] == f"{number} is closed: superseded, decided by Ada Byron. {new} replaces it."
    inbox = await live.sees("grace", "/tasks")
    assert [task["id"] for task in inbox["items"]] == [f"{new}.1"]
    for guard in ("rolf", "grace"):
        await live.does(guard, f"/tasks/{new}.1/decision", {"choice": "approve"})
    assert (await live.closes(new)).projection.outcome is Outcome.FULFILLED


async def test_who_voted_on_the_old_one_is_asked_anew_about_the_new_one(live: LiveApi) -> None:
    number = await live.placed(GUARDED)
    await live.does("rolf", f"/tasks/{number}.1/decision", {"choice": "approve"})
    new = await live.placed(GUARDED, replaces=number)
    await until(lambda: live.view(number).projection.status is Status.CLOSED, within=30)
    asked = {one.person.login: one.verdict for one in live.view(new).projection.tasks[0].assignees}
    assert asked == {"rolf": None, "grace": None}
    assert Kind.VOTE not in live.kinds(new)
