"""Several decisions in one go: each for itself, whatever becomes of the others (feature row A17)."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.waiting import until

from api.gateway import EngineUnavailable, NoWorker
from catalog.request import Status
from records.register import RegisterUnavailable

APPROVE = {"choice": "approve"}


async def placed(world: ApiWorld, count: int) -> list[str]:
    """Have so many requests wait for Mara; return the ids of their tasks."""
    return [f"{await world.placed(key=f'bulk-{n}')}.1" for n in range(count)]


async def decide(world: ApiWorld, *decisions: dict[str, Any], who: str = "mara", key: str = "") -> list[dict[str, Any]]:
    answer = await world.post(who, "/tasks/decisions", {"decisions": decisions}, key=key)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    assert [one["task"] for one in items] == [decision["task"] for decision in decisions]
    return items


def outcomes(items: list[dict[str, Any]]) -> list[str]:
    """Return what came of each: the kind of its entry, or the end of its problem's type."""
    return [one["entry"]["kind"] if one["entry"] else one["problem"]["type"].rpartition("/")[2] for one in items]


async def test_a17_several_tasks_are_decided_at_once_each_in_its_own_way(world: ApiWorld) -> None:
    first, second, third = await placed(world, 3)
    rejected = {"task": second, "choice": "reject", "reason": "too much"}
    items = await decide(world, {"task": first} | APPROVE, rejected, {"task": third} | APPROVE)
    assert outcomes(items) == ["vote", "vote", "vote"]
    assert [one["entry"]["data"]["choice"] for one in items] == ["approve", "reject", "approve"]
    views = [world.register.request(task.partition(".")[0]) for task in (first, second, third)]
    assert [view.projection.outcome for view in views if view] == ["fulfilled", "rejected", "fulfilled"]


async def test_a17_what_cannot_be_decided_is_told_and_keeps_nothing_else_back(world: ApiWorld) -> None:
    first, second, third, last = await placed(world, 4)
    await world.post("mara", f"/tasks/{second}/decision", APPROVE)
    items = await decide(
        world,
        {"task": first} | APPROVE,
        {"task": second} | APPROVE,
        {"task": third, "choice": "reject"},
        {"task": "REQ-9.1"} | APPROVE,
        {"task": last, "subject": "sha256:other"} | APPROVE,
    )
    assert outcomes(items)[:4] == ["vote", "already-decided", "reason-needed", "unknown-task"]
    told = items[1]["problem"]
    assert (told["status"], "approve by Mara Lind" in told["detail"]) == (409, True)
    assert world.status(first.partition(".")[0]) is Status.CLOSED
    assert world.status(third.partition(".")[0]) is Status.APPROVAL


async def test_a17_what_its_item_wants_decided_by_itself_is_refused_here_and_taken_there(world: ApiWorld) -> None:
    plain, risky = await placed(world, 2)
    run = world.engine._runs[risky.partition(".")[0]]
    run.tasks[risky] = run.tasks[risky].model_copy(update={"bulk": False})
    world.register.record(run.failing())
    assert (await world.get("mara", f"/tasks/{risky}")).json()["bulk"] is False
    items = await decide(world, {"task": risky} | APPROVE, {"task": plain} | APPROVE)
    assert outcomes(items) == ["decide-alone", "vote"]
    assert "decide this by itself" in items[0]["problem"]["detail"]
    assert (await world.post("mara", f"/tasks/{risky}/decision", APPROVE)).status_code == 200


async def test_a17_a_repeat_with_its_key_gives_the_same_answers_and_does_what_was_not_done(world: ApiWorld) -> None:
    tasks = await placed(world, 3)
    await world.token("mara")
    world.engine.fails = [NoWorker("nobody there")]
    decisions = [{"task": task} | APPROVE for task in tasks]
    first = await decide(world, *decisions, key="k")
    assert sorted(outcomes(first)) == ["no-worker", "vote", "vote"]
    again = await decide(world, *decisions, key="k")
    assert outcomes(again) == ["vote"] * 3
    assert [now for now, before in zip(again, first, strict=True) if before["entry"]] == [
        before for before in first if before["entry"]
    ]
    other = {"task": tasks[0], "choice": "reject", "reason": "no"}
    assert outcomes(await decide(world, other, key="k")) == ["idempotency-conflict"]


async def test_a17_with_the_engine_down_each_is_told_so(world: ApiWorld) -> None:
    tasks = await placed(world, 2)
    await world.token("mara")
    world.engine.fails = [EngineUnavailable("gone")]
    items = await decide(world, *({"task": task} | APPROVE for task in tasks))
    assert sorted(outcomes(items)) == ["engine-unavailable", "vote"]


async def test_a17_with_the_register_down_for_one_the_others_are_decided(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await placed(world, 2)
    await world.token("mara")
    look = world.register.task

    def down(task: str) -> Any:
        if task == first:
            raise RegisterUnavailable("gone")
        return look(task)

    monkeypatch.setattr(world.register, "task", down)
    items = await decide(world, {"task": first} | APPROVE, {"task": second} | APPROVE)
    assert outcomes(items) == ["register-unavailable", "vote"]


async def test_a17_the_same_task_twice_is_decided_once(world: ApiWorld) -> None:
    (task,) = await placed(world, 1)
    items = await decide(world, {"task": task} | APPROVE, {"task": task, "choice": "reject", "reason": "no"})
    assert sum(kind == "vote" for kind in outcomes(items)) == 1


async def test_a17_others_decide_nothing_here_either(world: ApiWorld) -> None:
    (task,) = await placed(world, 1)
    assert outcomes(await decide(world, {"task": task} | APPROVE, who="ada")) == ["self-approval"]
    assert outcomes(await decide(world, {"task": task} | APPROVE, who="sam")) == ["not-approver"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decisions": []},
        {"decisions": [{"task": "REQ-1.1"}]},
        {"decisions": [{"task": "REQ-1.1", "choice": "approve", "answers": {}}]},
        {"decisions": [{"task": f"REQ-1.{n}", "choice": "approve"} for n in range(101)]},
    ],
)
async def test_a_body_that_is_no_list_of_decisions_is_refused(world: ApiWorld, body: Any) -> None:
    expect_problem(await world.post("mara", "/tasks/decisions", body), 422, "invalid")


async def test_a17_a_hundred_are_decided_in_one_go(world: ApiWorld) -> None:
    tasks = await placed(world, 100)
    assert outcomes(await decide(world, *({"task": task} | APPROVE for task in tasks))) == ["vote"] * 100
    await until(lambda: all(world.status(task.partition(".")[0]) is Status.CLOSED for task in tasks))
