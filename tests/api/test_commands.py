from __future__ import annotations

from typing import Any, get_args

import httpx
import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON, a_new_order, an_actor
from support.waiting import until

from api.gateway import Exhausted, Refused
from api.problems import Closed
from api.schemas.requests import CancelIn
from catalog.ballot import Refusal
from catalog.errors import Refused as Code
from catalog.journal import Chain, Kind
from catalog.request import Batch, Outcome, Projection, Status
from records.register import RegisterUnavailable

APPROVE = {"choice": "approve"}


async def decide(
    world: ApiWorld, who: str, body: Any = APPROVE, *, task: str = "REQ-1001.1", key: str = ""
) -> httpx.Response:
    return await world.post(who, f"/tasks/{task}/decision", body, key=key)


async def test_a_decision_answers_with_its_entry_and_where_the_request_stands(world: ApiWorld) -> None:
    number = await world.placed()
    answer = await decide(world, "mara", {"choice": "approve", "reason": "fine"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["entry"]["kind"] == "vote"
    assert body["entry"]["actor"]["login"] == "mara"
    assert body["entry"]["data"]["reason"] == "fine"
    assert "Mara Lind" in body["entry"]["text"]
    assert (body["request"]["number"], body["request"]["outcome"]) == (number, "fulfilled")


async def test_the_workflow_is_told_who_decides_and_what_they_saw(world: ApiWorld) -> None:
    await world.placed()
    await decide(world, "mara", {"choice": "reject", "reason": "no need", "subject": "sha256:x"})
    (sent,) = world.engine.commands
    plain = sent.model_dump()
    assert plain["actor"]["person"]["id"] == "id-mara"
    assert (plain["task"], plain["choice"], plain["reason"], plain["subject"]) == (
        "REQ-1001.1",
        "reject",
        "no need",
        "sha256:x",
    )


@pytest.mark.parametrize(
    ("who", "status", "slug"),
    [
        ("ada", 403, "self-approval"),
        ("ben", 403, "self-approval"),
        ("sam", 403, "not-approver"),
        ("otto", 403, "not-approver"),
    ],
)
async def test_only_those_who_are_asked_decide(world: ApiWorld, who: str, status: int, slug: str) -> None:
    await world.placed(beneficiary="ben")
    expect_problem(await decide(world, who), status, slug)
    assert world.engine.commands == []


@pytest.mark.parametrize(
    ("who", "status", "slug"),
    [("ada", 403, "self-approval"), ("mara", 403, "not-allowed"), ("sam", 403, "not-allowed")],
)
async def test_only_operators_decide_for_operators(world: ApiWorld, who: str, status: int, slug: str) -> None:
    number = await world.placed()
    world.register.record(world.engine.ask_operator(number))
    expect_problem(await decide(world, who, {"choice": "retry"}, task=f"{number}.2"), status, slug)
    assert (await decide(world, "otto", {"choice": "retry"}, task=f"{number}.2")).status_code == 200


async def test_an_operator_does_not_decide_a_request_of_their_own(world: ApiWorld) -> None:
    number = await world.placed("otto")
    world.register.record(world.engine.ask_operator(number))
    expect_problem(await decide(world, "otto", {"choice": "retry"}, task=f"{number}.2"), 403, "self-approval")


@pytest.mark.parametrize("task", ["REQ-1001.9", "REQ-9999.1", "x", "REQ-1001"])
async def test_a_task_that_is_not_there_cannot_be_decided(world: ApiWorld, task: str) -> None:
    await world.placed()
    expect_problem(await decide(world, "mara", task=task), 404, "unknown-task")


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"choice": "maybe"}, "unknown-choice"),
        ({"choice": "reject"}, "reason-needed"),
        ({"choice": "reject", "reason": " "}, "reason-needed"),
        ({"choice": "approve", "reason": "x" * 4_001}, "invalid"),
        ({"choice": "approve", "colour": "red"}, "invalid"),
        ({"choice": "approve", "reason": "bell \a"}, "invalid"),
        ({}, "invalid"),
        ([], "invalid"),
        (None, "invalid"),
    ],
)
async def test_a_decision_that_says_nothing_good_is_refused(world: ApiWorld, body: Any, slug: str) -> None:
    await world.placed()
    expect_problem(await decide(world, "mara", body), 422, slug)
    assert world.engine.commands == []


async def test_a_second_decision_learns_how_it_was_decided_and_by_whom(world: ApiWorld) -> None:
    number = await world.placed()
    await decide(world, "mara")
    before = world.journal(number)
    detail = expect_problem(await decide(world, "mara", {"choice": "reject", "reason": "no"}), 409, "already-decided")[
        "detail"
    ]
    assert "approve" in detail
    assert "Mara Lind" in detail
    assert world.journal(number) == before


async def test_a_decision_after_cancel_learns_who_called_it_off(world: ApiWorld) -> None:
    number = await world.placed()
    await world.post("ada", f"/requests/{number}/cancel", {"reason": "changed my mind"})
    before = world.journal(number)
    detail = expect_problem(await decide(world, "mara"), 409, "closed")["detail"]
    assert "cancelled" in detail
    assert "Ada Byron" in detail
    assert world.journal(number) == before


async def test_who_called_it_off_is_found_at_the_end_of_a_long_journal(resting: ApiWorld) -> None:
    """An order for many people, or one of many steps, has more entries than were ever read at once."""
    number = resting.register.take(a_new_order()).order.number
    chain, actor = Chain(number), an_actor("Ada Byron")
    for _ in range(21):
        entries = tuple(chain.append(Kind.COMMENT, NOON, actor=actor) for _ in range(500))
        resting.register.record(Batch(entries=entries, projection=a_projection(number, chain.seq)))
    closing = chain.append(Kind.CLOSED, NOON, actor=actor)
    closed = {"status": Status.CLOSED, "outcome": Outcome.CANCELLED, "closed_at": NOON}
    resting.register.record(
        Batch(entries=(closing,), projection=a_projection(number, chain.seq).model_copy(update=closed))
    )
    refusal = resting.parts.commands.cancel(actor, number, CancelIn(reason="late"), None)
    with pytest.raises(Closed, match="cancelled, decided by Ada Byron"):
        await refusal


def a_projection(number: str, seq: int) -> Projection:
    return Projection(number=number, seq=seq, status=Status.APPROVAL, updated_at=NOON)


@pytest.mark.parametrize(("path", "body"), [("cancel", {}), ("comments", {"text": "hello"})])
async def test_after_the_end_there_is_no_cancelling_and_no_commenting(world: ApiWorld, path: str, body: Any) -> None:
    number = await world.placed()
    await decide(world, "mara")
    detail = expect_problem(await world.post("ada", f"/requests/{number}/{path}", body), 409, "closed")["detail"]
    assert "fulfilled" in detail
    assert "Mara Lind" in detail


@pytest.mark.parametrize("who", ["ada", "ben", "otto"])
async def test_requester_beneficiary_and_operators_cancel(world: ApiWorld, who: str) -> None:
    number = await world.placed(beneficiary="ben")
    answer = await world.post(who, f"/requests/{number}/cancel", {"reason": "not needed"})
    assert answer.status_code == 200
    assert answer.json()["entry"]["data"] == {"reason": "not needed"}
    assert answer.json()["request"]["outcome"] == Outcome.CANCELLED


async def test_an_approver_does_not_cancel(world: ApiWorld) -> None:
    number = await world.placed()
    expect_problem(await world.post("mara", f"/requests/{number}/cancel", {}), 403, "not-allowed")


@pytest.mark.parametrize("who", ["ada", "ben", "mara", "otto"])
async def test_whoever_sees_a_request_comments_on_it(world: ApiWorld, who: str) -> None:
    number = await world.placed(beneficiary="ben")
    answer = await world.post(who, f"/requests/{number}/comments", {"text": "hello"})
    assert answer.status_code == 201
    assert world.journal(number)[-1] is Kind.COMMENT


@pytest.mark.parametrize("text", ["", "x" * 4_001, "nul \0", 7, None])
async def test_an_odd_comment_is_refused(world: ApiWorld, text: Any) -> None:
    number = await world.placed()
    expect_problem(await world.post("ada", f"/requests/{number}/comments", {"text": text}), 422, "invalid")


async def test_repeating_a_command_with_its_key_gives_the_first_answer(world: ApiWorld) -> None:
    number = await world.placed()
    first = await decide(world, "mara", key="k")
    second = await decide(world, "mara", key="k")
    assert second.status_code == 200
    assert second.json()["entry"] == first.json()["entry"]
    assert world.journal(number).count(Kind.VOTE) == 1
    assert len(world.engine.commands) == 1


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        ("/tasks/REQ-1001.1/decision", APPROVE, {"choice": "reject", "reason": "no"}),
        ("/tasks/REQ-1001.1/decision", APPROVE, {"choice": "approve", "reason": "well"}),
        ("/requests/REQ-1001/cancel", {"reason": "a"}, {"reason": "b"}),
        ("/requests/REQ-1001/comments", {"text": "a"}, {"text": "b"}),
    ],
)
async def test_the_same_key_for_other_words_is_a_conflict(world: ApiWorld, path: str, first: Any, second: Any) -> None:
    number = await world.placed()
    who = "mara" if "decision" in path else "ada"
    assert (await world.post(who, path, first, key="k")).is_success
    before = world.journal(number)
    expect_problem(await world.post(who, path, second, key="k"), 409, "idempotency-conflict")
    assert world.journal(number) == before


async def test_comments_without_a_key_are_all_kept(world: ApiWorld) -> None:
    number = await world.placed()
    for _ in range(2):
        await world.post("ada", f"/requests/{number}/comments", {"text": "again"})
    assert world.journal(number).count(Kind.COMMENT) == 2


async def test_the_same_key_serves_for_different_things_and_people(world: ApiWorld) -> None:
    number = await world.placed()
    for who in ("ada", "mara"):
        assert (await world.post(who, f"/requests/{number}/comments", {"text": "hello"}, key="k")).status_code == 201
    assert (await decide(world, "mara", key="k")).status_code == 200
    assert world.journal(number).count(Kind.COMMENT) == 2


async def test_without_a_worker_a_decision_is_asked_for_again_and_repeating_is_safe(world: ApiWorld) -> None:
    number = await world.placed()
    world.engine.worker = False
    answer = await decide(world, "mara", key="k")
    expect_problem(answer, 503, "no-worker")
    assert int(answer.headers["retry-after"]) > 0
    world.engine.worker = True
    assert (await decide(world, "mara", key="k")).status_code == 200
    assert world.journal(number).count(Kind.VOTE) == 1
    assert len({command.command for command in world.engine.commands}) == 1


async def test_with_the_engine_down_a_decision_is_asked_for_again(world: ApiWorld) -> None:
    await world.placed()
    world.engine.down = True
    answer = await decide(world, "mara")
    expect_problem(answer, 503, "engine-unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_request_that_has_not_begun_cannot_be_cancelled_yet(world: ApiWorld) -> None:
    world.engine.down = True
    await world.orders()
    await until(lambda: world.engine.attempts)
    world.engine.down = False
    expect_problem(await world.post("ada", "/requests/REQ-1001/cancel", {}), 503, "engine-unavailable")


async def test_a_workflow_that_has_ended_meanwhile_answers_closed(world: ApiWorld) -> None:
    await world.placed()
    world.engine.lose_all()
    expect_problem(await decide(world, "mara"), 409, "workflow-gone")


async def test_a_workflow_that_is_behind_the_register_is_told_again(world: ApiWorld) -> None:
    """As after a kill between the register's write and the engine's: the task shows, the workflow does not know it."""
    await world.placed()
    world.engine.fails = [Refused("unknown-task", "no such task"), Refused("unknown-task", "no such task")]
    answer = await decide(world, "mara")
    assert answer.status_code == 200


async def test_a_workflow_that_stays_behind_is_503_not_404(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.commands.BEHIND", (0.0, 0.0))
    await world.placed()
    world.engine.fails = [Refused("unknown-task", "no such task")] * 2
    answer = await decide(world, "mara")
    expect_problem(answer, 503, "no-worker")
    assert answer.headers["retry-after"]


async def test_a_request_that_takes_no_more_commands_says_so(world: ApiWorld) -> None:
    await world.placed()
    world.engine.fails = [Exhausted("limit of updates")]
    expect_problem(await decide(world, "mara"), 429, "too-many")


STATUS_OF = {
    "self-approval": 403,
    "not-approver": 403,
    "not-allowed": 403,
    "too-many": 429,
    "unknown-choice": 422,
    "reason-needed": 422,
    "already-decided": 409,
    "closed": 409,
    "stage-closed": 409,
    "stage-not-open": 409,
    "subject-changed": 409,
    "no-longer-asked": 409,
    "not-now": 409,
    "nothing-due": 409,
    "not-voted": 409,
    "already-asked": 409,
    "question-open": 409,
    "no-question": 409,
    "unknown-stage": 404,
}
SLUG_OF = {"unknown-stage": "unknown-task", "nothing-due": "not-now"}


@pytest.mark.parametrize("code", sorted(STATUS_OF))
async def test_what_the_workflow_refuses_is_said_as_it_says_it(world: ApiWorld, code: str) -> None:
    await world.placed()
    world.engine.fails = [Refused(code, "for a reason")]
    said = expect_problem(await decide(world, "mara"), STATUS_OF[code], SLUG_OF.get(code, code))
    assert said["detail"] == "for a reason"


def test_every_code_a_workflow_can_refuse_with_is_known() -> None:
    of_reducer = get_args(Refusal.model_fields["code"].annotation)
    # Too few people are named only as a stage begins, which nobody asks for.
    assert {*Code, *of_reducer} == {*STATUS_OF, "unknown-task", "too-few"}


async def test_with_the_database_down_a_decision_is_asked_for_again(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise RegisterUnavailable("gone")

    number = await world.placed()
    await world.token("mara")
    monkeypatch.setattr(world.register, "task", down)
    expect_problem(await decide(world, "mara"), 503, "register-unavailable")
    assert world.status(number) is Status.APPROVAL
