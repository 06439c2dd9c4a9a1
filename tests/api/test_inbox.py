"""The inbox, as its owner sees it: sorted, of whom, and what helps to decide (feature rows W2, A19)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON, a_new_order, a_person, an_item
from support.story import Story, a_task

from activities.errors import Transient
from catalog.access import Membership
from catalog.directory import GroupSpec
from catalog.journal import Kind
from catalog.people import Profile
from catalog.request import Assignee, Cost, Status

HOUR = timedelta(hours=1)
MARA, EVE = a_person("Mara Lind").ref(), a_person("Eve").ref()


def waits(
    world: ApiWorld,
    key: str,
    due: int | None = None,
    *besides: str | Assignee,
    item: str = "wiki-editor",
    risk: str = "medium",
    order: dict[str, Any] | None = None,
    task: dict[str, Any] | None = None,
    **asked: Any,
) -> str:
    """Put a task before Mara, and others `besides`, that is due so many hours after noon; return its id."""
    taken = world.register.take(a_new_order(key, item=an_item(id=item, risk=risk), started=True, **order or {}))
    story = Story(taken.order.number)
    due_at = None if due is None else NOON + due * HOUR
    said = {"stage": "manager", "due_at": due_at} | (task or {})
    made = a_task(story.number, 1, Assignee(person=MARA, **asked), *besides, **said)
    world.register.record(story.batch(Kind.OPENED, Kind.STAGE_OPENED, tasks=(made,)))
    return made.id


async def listed(world: ApiWorld, query: str = "", who: str = "mara") -> list[str]:
    """Return the ids of somebody's tasks, read in parts of two."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": 2, **dict(pair.split("=") for pair in query.split("&") if pair)}
        answer = await world.get(who, "/tasks", params=params | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found += [task["id"] for task in answer.json()["items"]]
        cursor = answer.json()["next"]
    return found


async def test_w2_the_inbox_begins_with_what_is_due_first(world: ApiWorld) -> None:
    never, late, soon = (waits(world, f"k{n}", due) for n, due in enumerate((None, 9, 1)))
    assert await listed(world) == [soon, late, never]
    assert await listed(world, "sort=due") == [soon, late, never]
    assert await listed(world, "sort=age") == [never, late, soon]


async def test_w2_the_inbox_can_be_sorted_by_item(world: ApiWorld) -> None:
    found = [waits(world, f"k{n}", item=item) for n, item in enumerate(("vpn", "badge", "vpn"))]
    assert await listed(world, "sort=item") == [found[1], found[0], found[2]]


async def test_w2_the_inbox_can_be_sorted_by_cost(world: ApiWorld) -> None:
    monthly = Cost(recurring=Decimal(10), currency="EUR")  # 120 in the first year
    costs = (None, Cost(one_off=Decimal(90), currency="EUR"), monthly, Cost(one_off=Decimal(1), currency="CHF"), Cost())
    free, cheap, dear, other, nothing = (waits(world, f"k{n}", order={"cost": cost}) for n, cost in enumerate(costs))
    assert await listed(world, "sort=cost") == [other, dear, cheap, free, nothing]


async def test_w2_the_inbox_can_be_sorted_by_risk(world: ApiWorld) -> None:
    risks = ("low", "high", "medium", "high")
    low, high, medium, as_high = (waits(world, f"k{n}", risk=risk) for n, risk in enumerate(risks))
    assert await listed(world, "sort=risk") == [high, as_high, medium, low]


async def test_w2_what_is_overdue_is_shown_alone(world: ApiWorld) -> None:
    past, _ = waits(world, "a", 0), waits(world, "b", 1)
    assert await listed(world, "overdue=true") == []
    world.clock.passes(HOUR / 2)
    assert await listed(world, "overdue=true") == [past]


async def test_w2_each_task_says_why_it_is_mine(world: ApiWorld) -> None:
    own = waits(world, "a", 1)
    stands_in = waits(world, "b", 2, own=False, on_behalf_of=(EVE,))
    escalated = waits(world, "c", 3, own=False, escalated=True)
    items = (await world.get("mara", "/tasks")).json()["items"]
    assert [(one["id"], one["yours"], [who["name"] for who in one["on_behalf_of"]]) for one in items] == [
        (own, "own", []),
        (stands_in, "delegated", ["Eve"]),
        (escalated, "escalated", []),
    ]
    assert await listed(world, "whose=mine") == [own, escalated]
    assert await listed(world, "whose=delegated") == [stands_in]
    assert await listed(world, "whose=all") == [own, stands_in, escalated]


async def test_w2_what_any_of_a_group_may_do_and_nobody_has_taken_is_shown_alone(world: ApiWorld) -> None:
    work = {"kind": "fulfilment", "choices": ("done",)}
    waits(world, "a", 1)
    group = waits(world, "b", 2, "Eve")
    waits(world, "c", 3, "Eve", task={"quorum": "all"})
    waits(world, "d", 4, Assignee(person=EVE, own=False))  # she only stands in
    untaken = waits(world, "e", 5, "Eve", task=work)
    waits(world, "f", 6, "Eve", task=work | {"claimed_by": EVE})
    waits(world, "g", 7, "Eve", task={"kind": "information"})
    assert await listed(world, "whose=group") == [group, untaken]
    assert len(await listed(world, "whose=mine")) == 7


async def test_w2_what_is_for_operators_says_so(world: ApiWorld) -> None:
    number = await world.placed()
    world.register.record(world.engine.ask_operator(number))
    (task,) = (await world.get("otto", "/tasks?whose=group")).json()["items"]
    assert (task["yours"], task["can"]) == ("operator", ["decide"])
    seen = (await world.get("otto", f"/tasks/{number}.1")).json()
    assert (seen["yours"], seen["can"]) == (None, ["reassign", "remind"])


@pytest.mark.parametrize(
    "query", ["sort=size", "whose=nobody", "overdue=perhaps", "cursor=x", "cursor=-1", "cursor=1~" + "x" * 101, "sort="]
)
async def test_a_question_that_the_inbox_does_not_know_is_refused(world: ApiWorld, query: str) -> None:
    expect_problem(await world.get("mara", f"/tasks?{query}"), 422, "invalid")


@pytest.mark.parametrize("cursor", ["0", "0~", "0~x", f"{10**18}~9999-12-31T00:00:00+00:00", "9" * 19])
async def test_any_cursor_that_looks_like_one_is_answered(world: ApiWorld, cursor: str) -> None:
    waits(world, "a", 1)
    for sort in ("due", "age", "item", "cost", "risk"):
        assert (await world.get("mara", "/tasks", params={"cursor": cursor, "sort": sort})).status_code == 200


# ---------------------------------------------------------------- what helps to decide (A19)


async def test_a19_who_decides_sees_what_is_known(world: ApiWorld) -> None:
    ben = {"beneficiary": a_person("Ben Bright").ref(), "beneficiary_profile": Profile(department="IT")}
    sam = {"beneficiary": a_person("Sam").ref(), "beneficiary_profile": Profile(department="IT")}
    earlier = []
    for key, whose in (("a", ben), ("b", sam)):
        story = Story(world.register.take(a_new_order(key, started=True, **whose)).order.number)
        world.register.record(story.batch(Kind.OPENED))
        world.register.record(story.batch(Kind.CLOSED, status=Status.CLOSED))
        earlier.append(story.number)
    cost = Cost(one_off=70, currency="EUR")
    story = Story(world.register.take(a_new_order("c", started=True, cost=cost, **ben)).order.number)
    task = a_task(story.number, 1, Assignee(person=MARA), stage="manager")
    world.register.record(story.batch(Kind.OPENED, Kind.AMENDED, Kind.VOTE, tasks=(task,), data={"reason": "fine"}))

    context = (await world.get("mara", f"/tasks/{task.id}")).json()["context"]
    assert (context["cost"]["one_off"], context["changes"], context["colleagues"]) == ("70", 1, 1)
    assert context["risk"] == "medium"
    assert [(one["number"], one["outcome"]) for one in context["earlier"]] == [(earlier[0], "fulfilled")]
    assert [(one["kind"], "'fine'" in one["text"]) for one in context["history"]] == [("amended", True), ("vote", True)]


async def test_a19_who_ordered_it_does_not_see_what_is_known_of_others(world: ApiWorld) -> None:
    number = await world.placed(beneficiary="ben")
    for who, sees in (("ada", False), ("ben", False), ("mara", True), ("otto", True)):
        task = (await world.get(who, f"/tasks/{number}.1")).json()
        assert (task["context"] is not None) is sees, who


async def test_a19_who_decides_sees_what_access_it_would_change(world: ApiWorld) -> None:
    world.directory.ensure_group(GroupSpec(name="wiki-editors"))
    world.directory.ensure_group(GroupSpec(name="Staff"))
    for group in ("commissary-operators", "Staff"):
        world.directory.ensure_member(Membership(person_id="id-ben", group=group))
    number = await world.placed(beneficiary="ben")
    change = {"login": "ben", "group": "wiki-editors", "gains": True}
    change |= {"for_a_while": False, "perhaps": False, "already": False}
    seen = {
        "beneficiary": {"id": "id-ben", "login": "ben", "name": "Ben Bright"},
        "has": ["commissary-operators", "Staff"],
        "changes": [change],
        "later": [],
    }
    for who in ("mara", "otto"):
        assert (await world.get(who, f"/tasks/{number}.1/access")).json() == seen
    world.directory.ensure_member(Membership(person_id="id-ben", group="wiki-editors"))
    found = (await world.get("mara", f"/tasks/{number}.1/access")).json()
    assert (found["has"][-1], found["changes"]) == ("wiki-editors", [change | {"already": True}])


async def test_a19_who_may_not_decide_is_told_nothing_of_access(world: ApiWorld) -> None:
    number = await world.placed(beneficiary="ben")
    for who in ("ada", "ben"):
        expect_problem(await world.get(who, f"/tasks/{number}.1/access"), 403, "not-allowed")
    expect_problem(await world.get("sam", f"/tasks/{number}.1/access"), 404, "not-found")
    expect_problem(await world.get("mara", f"/tasks/{number}.9/access"), 404, "not-found")


async def test_a19_with_the_directory_away_the_task_is_shown_and_its_access_is_not(world: ApiWorld) -> None:
    number = await world.placed()
    await world.token("mara")
    world.directory.fail_next(Transient("connection refused"))
    assert (await world.get("mara", f"/tasks/{number}.1")).status_code == 200
    expect_problem(await world.get("mara", f"/tasks/{number}.1/access"), 503, "directory-unavailable")
    assert (await world.get("mara", f"/tasks/{number}.1/access")).status_code == 200


async def test_a19_of_somebody_who_is_in_the_directory_no_more_nothing_is_said_to_be_there(world: ApiWorld) -> None:
    taken = world.register.take(a_new_order("gone", started=True, beneficiary=a_person("Gone Girl").ref()))
    story = Story(taken.order.number)
    task = a_task(story.number, 1, Assignee(person=MARA), stage="manager")
    world.register.record(story.batch(Kind.OPENED, Kind.STAGE_OPENED, tasks=(task,)))
    found = (await world.get("mara", f"/tasks/{task.id}/access")).json()
    assert found["has"] is None
    assert [(one["group"], one["already"]) for one in found["changes"]] == [("wiki-editors", None)]


async def test_a19_once_it_is_decided_nobody_looks_up_what_access_somebody_has(world: ApiWorld) -> None:
    number = await world.placed()
    answer = await world.post("mara", f"/tasks/{number}.1/decision", {"choice": "approve"}, key="approve")
    assert answer.status_code == 200, answer.text
    for who in ("mara", "otto"):
        expect_problem(await world.get(who, f"/tasks/{number}.1/access"), 409, "already-decided")


async def test_a19_of_an_order_that_changes_no_access_the_directory_is_not_asked(world: ApiWorld) -> None:
    item = an_item(id="laptop", workflow="LaptopRequest", entitlement=None)
    story = Story(world.register.take(a_new_order("laptop", item=item, started=True)).order.number)
    task = a_task(story.number, 1, Assignee(person=MARA), stage="manager")
    world.register.record(story.batch(Kind.OPENED, Kind.STAGE_OPENED, tasks=(task,)))
    await world.token("mara")
    world.directory.fail_next(Transient("connection refused"))
    found = (await world.get("mara", f"/tasks/{task.id}/access")).json()
    assert (found["has"], found["changes"], found["later"]) == (None, [], [])
