"""What people send to a running request: who may, when it counts, and what calling off undoes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from support.builders import a_person, a_stage, an_actor, an_item
from support.temporal import events_of
from support.waiting import until
from support.world import Request, World, refusal
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import Rejected, Transient, UnknownOutcome
from catalog.journal import Kind
from catalog.request import Outcome, Status
from catalog.stages import ByGroup


@pytest.fixture
async def request_(world: World) -> Request:
    """A request that waits for Mara."""
    placed = await world.place()
    await placed.waits_for_people()
    return placed


async def test_nobody_decides_their_own_request_or_one_for_themselves(world: World) -> None:
    placed = await world.place(requester=a_person("Mara Lind").ref())
    await placed.waits_for_people()
    written = len(placed.entries)
    assert await refusal(placed.decide("Mara Lind")) == "self-approval"
    assert await refusal(placed.decide("Ada Byron")) == "self-approval"
    assert len(placed.entries) == written


async def test_an_operator_is_no_approver(request_: Request) -> None:
    assert await refusal(request_.operate("approve", task=1)) == "not-approver"


async def test_somebody_who_is_not_asked_does_not_decide(request_: Request) -> None:
    assert await refusal(request_.decide("Olga Owner")) == "not-approver"


async def test_an_operator_task_is_for_operators_only(world: World, request_: Request) -> None:
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    await request_.decide("Mara Lind")
    await request_.waits_for_operator()
    assert await refusal(request_.decide("Mara Lind", "retry", task=2)) == "not-allowed"
    requester = an_actor("Ada Byron", operator=True)
    assert await refusal(request_.decide(requester, "skip", task=2)) == "self-approval"


async def test_a_second_decision_is_refused_and_leaves_the_journal_as_it_was(world: World) -> None:
    both = a_stage(quorum="all", approvers=(ByGroup(rule="group", group="guards"),))
    placed = await world.place(item=an_item(approvals=(both,)))
    await placed.waits_for_people()
    await placed.decide("Mara Lind")
    written = placed.entries
    assert await refusal(placed.decide("Mara Lind", "reject")) == "already-decided"
    assert placed.entries == written


async def test_a_decision_on_a_closed_stage_is_refused(world: World, request_: Request) -> None:
    world.directory.fail_next(Rejected("no"), on="ensure_member")  # keeps the request open
    await request_.decide("Mara Lind")
    await request_.waits_for_operator()
    assert await refusal(request_.decide("Mara Lind", "reject")) == "already-decided"


async def test_two_decisions_at_once_make_one_outcome(request_: Request) -> None:
    answers = await asyncio.gather(
        request_.decide("Mara Lind", "approve"), request_.decide("Mara Lind", "reject"), return_exceptions=True
    )
    assert sorted(isinstance(answer, Exception) for answer in answers) == [False, True]
    await request_.closes()
    assert request_.kinds.count(Kind.VOTE) == 1


async def test_the_same_command_twice_gets_the_first_answer(request_: Request) -> None:
    first = await request_.decide("Mara Lind", command="key-1")
    again = await request_.decide("Mara Lind", command="key-1")
    assert first == again
    assert first.command == "key-1"
    await request_.closes()
    assert request_.kinds.count(Kind.VOTE) == 1


async def test_a_decision_on_something_else_than_was_shown_is_refused(request_: Request) -> None:
    assert await refusal(request_.decide("Mara Lind", subject="sha256:other")) == "subject-changed"
    await request_.decide("Mara Lind", subject=request_.order.subject)
    await request_.closes()


async def test_an_unknown_task_choice_or_a_rejection_without_reason_is_refused(request_: Request) -> None:
    assert await refusal(request_.decide("Mara Lind", task=7)) == "unknown-task"
    assert await refusal(request_.decide("Mara Lind", "perhaps")) == "unknown-choice"
    assert await refusal(request_.decide("Mara Lind", "reject", " ")) == "reason-needed"


async def test_a_decision_answers_only_after_it_stands_in_the_register(world: World, request_: Request) -> None:
    world.journal.fail_next = 3
    entry = await request_.decide("Mara Lind")
    assert world.journal.fail_next == 0
    assert entry in request_.entries


async def test_cancel_while_people_decide_closes_cancelled(world: World, request_: Request) -> None:
    await request_.cancel(reason="changed my mind")
    closure = await request_.closes()
    assert (closure.outcome, closure.reason) == (Outcome.CANCELLED, "changed my mind")
    assert [task.decided for task in request_.now.tasks] == ["cancelled"]
    assert world.directory.ledger == []
    # who acted is not told; the beneficiary is the same person
    assert "closed" not in [notice.template for notice in world.journal.notices(request_.number)]


async def test_a_stranger_may_not_cancel(request_: Request) -> None:
    assert await refusal(request_.cancel("Olga Owner")) == "not-allowed"


async def test_a_decision_after_cancel_finds_the_request_closed(request_: Request) -> None:
    await request_.cancel()
    with pytest.raises(RPCError) as caught:
        await request_.decide("Mara Lind")
    assert caught.value.status is RPCStatusCode.NOT_FOUND
    assert (await request_.closes()).outcome is Outcome.CANCELLED
    assert Kind.VOTE not in request_.kinds


async def test_a_cancel_and_a_decision_in_the_same_moment_make_one_outcome(request_: Request) -> None:
    await asyncio.gather(request_.cancel(), request_.decide("Mara Lind"), return_exceptions=True)
    closure = await request_.closes()
    assert closure.outcome in {Outcome.CANCELLED, Outcome.FULFILLED}
    assert request_.world.is_member() == (closure.outcome is Outcome.FULFILLED)


async def test_cancel_while_the_target_is_down_undoes_what_may_have_been_done(world: World, request_: Request) -> None:
    world.directory.lose_answers(1)  # the write happens, the answer does not arrive …
    world.directory.fail_next(Transient("still down"), 1, on="ensure_member")
    await request_.decide("Mara Lind")
    await request_.reaches(lambda p: p.status is Status.FULFILMENT)
    await request_.cancel()
    closure = await request_.closes()
    assert closure.outcome is Outcome.CANCELLED
    assert request_.last(Kind.UNDO_OBSERVED).data["present"] is False
    assert not world.is_member()


async def test_cancel_while_an_operator_is_asked_closes_that_task(world: World, request_: Request) -> None:
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    await request_.decide("Mara Lind")
    await request_.waits_for_operator()
    await request_.cancel()
    assert (await request_.closes()).outcome is Outcome.CANCELLED
    assert [task.decided for task in request_.now.tasks] == ["approved", "cancelled"]


async def test_undoing_waits_for_the_write_under_way(world: World, request_: Request) -> None:
    with world.directory.held("ensure_member") as writing:
        await request_.decide("Mara Lind")
        await asyncio.to_thread(writing.wait, 10)
        await request_.cancel()
        assert Kind.UNDO_INTENDED not in request_.kinds
    assert (await request_.closes()).outcome is Outcome.CANCELLED
    assert [write.kind for write in world.directory.ledger] == ["add", "remove"]
    assert not world.is_member()


async def test_a_cancel_while_people_are_looked_up_asks_nobody(world: World) -> None:
    with world.directory.held("person") as looking:
        placed = await world.place()
        await asyncio.to_thread(looking.wait, 10)
        await placed.cancel()
    assert (await placed.closes()).outcome is Outcome.CANCELLED
    assert Kind.STAGE_OPENED not in placed.kinds
    assert placed.kinds[0] is Kind.OPENED


async def test_when_it_is_being_closed_it_can_no_longer_be_called_off(world: World, request_: Request) -> None:
    world.journal.fail_next = 5  # the closing is being written, again and again
    refusing = asyncio.ensure_future(request_.decide("Mara Lind", "reject", "no"))
    await until(lambda: world.journal.fail_next < 5)
    assert await refusal(request_.cancel()) == "closed"
    await refusing
    assert (await request_.closes()).outcome is Outcome.REJECTED
    assert request_.kinds[-1] is Kind.CLOSED


async def test_a_refused_command_is_not_kept_in_the_history(request_: Request) -> None:
    await refusal(request_.decide("Olga Owner"))
    await refusal(request_.decide("Mara Lind", "perhaps"))
    assert await events_of(request_.handle, "UPDATE_ACCEPTED") == 0


async def test_an_operators_task_closes_with_the_request(world: World, request_: Request) -> None:
    world.directory.fail_next(UnknownOutcome("lost"), on="ensure_member")
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    world.directory.fail_next(Rejected("still no"), on="ensure_absent")
    await request_.decide("Mara Lind")
    await request_.waits_for_operator()
    await request_.cancel()
    await request_.reaches(lambda p: len(p.tasks) == 3 and bool(p.waiting))
    assert await refusal(request_.operate("skip", task=2)) in {"closed", "already-decided"}
    await request_.operate("skip", task=3)
    await request_.closes()


async def test_chatter_leaves_room_for_decisions(request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.request.MAX_COMMENTS", 2)
    for text in ("one", "two"):
        await request_.comment("Ada Byron", text)
    assert await refusal(request_.comment("Ada Byron", "three")) == "too-many"
    await request_.decide("Mara Lind")
    await request_.closes()


async def test_an_undo_that_fails_for_good_is_left_only_by_an_operator_with_a_reason(
    world: World, request_: Request
) -> None:
    world.directory.fail_next(UnknownOutcome("lost"), on="ensure_member")
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    world.directory.fail_next(Rejected("still no"), on="ensure_absent")
    await request_.decide("Mara Lind")
    await request_.waits_for_operator()
    await request_.cancel()
    attention = await request_.reaches(lambda p: len(p.tasks) == 3 and bool(p.waiting))
    assert attention.tasks[2].choices == ("retry", "skip")
    assert attention.status is Status.ATTENTION
    await request_.operate("retry", task=3)
    assert (await request_.closes()).outcome is Outcome.CANCELLED


async def test_a_second_cancel_is_refused_naming_who_cancelled(world: World, request_: Request) -> None:
    world.directory.fail_next(UnknownOutcome("lost"), on="ensure_member")
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    world.directory.fail_next(Rejected("still no"), on="ensure_absent")
    await request_.decide("Mara Lind")
    await request_.waits_for_operator()
    await request_.cancel()
    assert await refusal(request_.cancel()) == "closed"


async def test_a_cancel_in_the_engine_counts_as_cancelled_and_is_undone(world: World, request_: Request) -> None:
    world.directory.fail_next(UnknownOutcome("lost"), on="ensure_member")
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    await request_.decide("Mara Lind")
    await request_.waits_for_operator()
    await request_.handle.cancel()
    closure = await request_.closes()
    assert closure.outcome is Outcome.CANCELLED
    assert request_.last(Kind.CLOSED).rule == "engine.cancel"
    assert Kind.UNDO_OBSERVED in request_.kinds


async def test_comments_of_those_who_see_the_request_are_on_record(request_: Request) -> None:
    entry = await request_.comment("Mara Lind", "For the audit?")
    assert entry in request_.entries
    assert (entry.kind, entry.actor.name if entry.actor else "") == (Kind.COMMENT, "Mara Lind")
    assert await refusal(request_.comment("Olga Owner", "Let me in")) == "not-allowed"


async def test_a_comment_does_not_disturb_the_wait(request_: Request) -> None:
    before = request_.now.waiting
    await request_.comment("Ada Byron", "Please hurry")
    assert request_.now.waiting == before


async def test_the_record_outlives_an_outage_of_the_database(world: World) -> None:
    world.journal.fail_next = 5
    placed = await world.place()
    await placed.waits_for_people()
    await placed.decide("Mara Lind")
    assert (await placed.closes()).outcome is Outcome.FULFILLED


async def test_forty_days_of_a_two_stage_request_pass_in_seconds(world: World) -> None:
    patient = timedelta(days=60)
    stages = (
        a_stage(decide_within=patient),
        a_stage(
            id="again",
            name="Again",
            decide_within=patient,
            approvers=(ByGroup(rule="group", group="guards"),),
            quorum="all",
        ),
    )
    placed = await world.place(item=an_item(approvals=stages))
    await placed.waits_for_people()
    await placed.passes(timedelta(days=20))
    await placed.decide("Mara Lind")
    await placed.reaches(lambda p: len(p.tasks) == 2)
    await placed.passes(timedelta(days=20))
    await placed.decide("Grace Guard", task=2)
    closure = await placed.closes()
    assert closure.outcome is Outcome.FULFILLED
    opened, closed = placed.entries[0].at, placed.entries[-1].at
    assert closed - opened >= timedelta(days=40)
