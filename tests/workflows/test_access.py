"""The access flow: each way a request can go, as the record and the directory show it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from support.builders import a_person, a_stage, an_item
from support.world import GROUP, World

from activities.errors import Rejected, Transient
from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.request import Outcome, Status, WaitKind
from catalog.stages import ByGroup, ByOwner, Stage


async def test_an_approved_request_puts_the_person_into_the_group_and_closes_fulfilled(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    assert not world.is_member()

    await request.decide("Mara Lind")
    closure = await request.closes()

    assert closure.outcome is Outcome.FULFILLED
    assert world.is_member()
    assert request.kinds == [
        Kind.OPENED,
        Kind.RESOLVED,
        Kind.STAGE_OPENED,
        Kind.VOTE,
        Kind.STAGE_CLOSED,
        Kind.EFFECT_INTENDED,
        Kind.EFFECT_OBSERVED,
        Kind.CLOSED,
    ]
    observed = request.last(Kind.EFFECT_OBSERVED).data
    assert (observed["present"], observed["changed"]) == (True, True)


async def test_a_waiting_request_says_on_whom_since_when_until_when_and_what_comes_then(world: World) -> None:
    request = await world.place()
    (waiting,) = (await request.waits_for_people()).waiting
    assert waiting.kind is WaitKind.PEOPLE
    assert [person.name for person in waiting.who] == ["Mara Lind"]
    assert waiting.until == waiting.since + timedelta(days=10)
    assert waiting.rule == "approver.manager"
    assert waiting.at_deadline == "The request expires."
    assert waiting.then == "The access is set up."
    assert waiting.task == f"{request.number}.1"


async def test_approver_requester_and_beneficiary_are_told(world: World) -> None:
    request = await world.place(requester=a_person("Rolf Chief").ref())
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.closes()
    told = [(notice.template, notice.to.login) for notice in world.journal.notices(request.number)]
    assert told == [("approval-needed", "mara"), ("closed", "rolf"), ("closed", "ada")]


async def test_a_refusal_closes_with_the_reason_and_changes_nothing(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind", "reject", "not your job")
    closure = await request.closes()
    assert (closure.outcome, closure.reason) == (Outcome.REJECTED, "Mara Lind: not your job")
    assert world.directory.ledger == []


async def test_a_stage_nobody_decides_expires(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    await request.passes(timedelta(days=9, hours=23))
    assert request.now.status is Status.APPROVAL
    await request.passes(timedelta(hours=2))
    closure = await request.closes()
    assert closure.outcome is Outcome.EXPIRED
    assert request.last(Kind.STAGE_CLOSED).rule == "approval.expired"
    assert world.directory.ledger == []


async def test_somebody_who_is_in_the_group_already_is_not_asked_for_approval(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.closes()

    again = await world.place()
    closure = await again.closes()
    assert closure.outcome is Outcome.FULFILLED
    assert again.last(Kind.CLOSED).rule == "access.already-member"
    assert Kind.STAGE_OPENED not in again.kinds
    assert len(world.directory.ledger) == 1


async def test_an_inactive_beneficiary_is_ineligible(world: World) -> None:
    request = await world.place(beneficiary=a_person("Ines Inactive").ref())
    closure = await request.closes()
    assert closure.outcome is Outcome.INELIGIBLE
    assert request.last(Kind.CLOSED).rule == "access.inactive-person"
    assert world.directory.ledger == []


async def test_a_beneficiary_who_is_gone_is_ineligible(world: World) -> None:
    request = await world.place(beneficiary=a_person("Nora Nobody").ref())
    assert (await request.closes()).outcome is Outcome.INELIGIBLE
    assert request.last(Kind.CLOSED).rule == "access.unknown-person"


async def test_a_beneficiary_who_became_inactive_while_people_decided_is_not_let_in(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    world.directory.put_person(a_person("Ada Byron", manager_id="id-mara", active=False))
    await request.decide("Mara Lind")
    attention = await request.waits_for_operator()
    assert "not active" in (attention.tasks[-1].problem or "")
    assert world.directory.ledger == []


async def test_stages_follow_each_other_and_later_people_are_looked_up_when_their_stage_begins(world: World) -> None:
    item = an_item(approvals=(a_stage(), a_stage(id="owner", name="Owner", approvers=(ByOwner(rule="owner"),))))
    request = await world.place(item=item)
    (waiting,) = (await request.waits_for_people()).waiting
    assert waiting.then == "Next decision: Owner."

    await request.decide("Mara Lind")
    second = await request.reaches(lambda p: bool(p.waiting) and p.waiting[0].task == f"{request.number}.2")
    assert [person.name for person in second.waiting[0].who] == ["Olga Owner"]
    assert not world.is_member()

    await request.decide("Olga Owner", task=2)
    assert (await request.closes()).outcome is Outcome.FULFILLED


def side_by_side(*more: Stage) -> CatalogItem:
    owner = a_stage(id="owner", name="Owner", approvers=(ByOwner(rule="owner"),), after=())
    return an_item(approvals=(a_stage(), owner, *more))


async def test_stages_side_by_side_open_together_and_what_follows_both_waits_for_both(world: World) -> None:
    guards = (ByGroup(rule="group", group="guards"),)
    last = a_stage(id="last", name="Guards", approvers=guards, after=("manager", "owner"))
    request = await world.place(item=side_by_side(last))
    both = await request.waits_for(WaitKind.PEOPLE, 2)
    assert {one.what: one.then for one in both.waiting} == {
        "Manager: a decision is needed": "Next decision: Guards, after the approval of Owner.",
        "Owner: a decision is needed": "Next decision: Guards, after the approval of Manager.",
    }
    await request.decide("Olga Owner", task=request.titled("Owner:"))
    assert [(one.what, one.then) for one in request.now.waiting] == [
        ("Manager: a decision is needed", "Next decision: Guards.")
    ]
    await request.decide("Mara Lind", task=request.titled("Manager:"))
    # Mara is one of the guards, and has approved already.
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a_stage_that_nothing_follows_says_who_decides_besides(world: World) -> None:
    request = await world.place(item=side_by_side())
    both = await request.waits_for(WaitKind.PEOPLE, 2)
    assert {one.then for one in both.waiting} == {
        "After the approval of Owner as well: The access is set up.",
        "After the approval of Manager as well: The access is set up.",
    }
    await request.decide("Olga Owner", task=request.titled("Owner:"))
    (manager,) = (await request.waits_for(WaitKind.PEOPLE, 1)).waiting
    assert "Owner" not in manager.then


async def test_a_refusal_of_one_stage_calls_off_the_one_beside_it(world: World) -> None:
    request = await world.place(item=side_by_side())
    await request.waits_for(WaitKind.PEOPLE, 2)
    manager, owner = request.titled("Manager:"), request.titled("Owner:")
    await request.decide("Olga Owner", "reject", "Not now.", task=owner)
    closed = await request.closes()
    assert (closed.outcome, closed.reason) == (Outcome.REJECTED, "Olga Owner: Not now.")
    assert {task.id.rpartition(".")[2]: task.decided for task in request.now.tasks} == {
        str(manager): "cancelled",
        str(owner): "rejected",
    }
    assert not world.is_member()


async def test_the_deadline_of_one_stage_calls_off_the_one_beside_it(world: World) -> None:
    request = await world.place(item=side_by_side())
    await request.waits_for(WaitKind.PEOPLE, 2)
    await request.passes(timedelta(days=11))
    assert (await request.closes()).outcome is Outcome.EXPIRED
    assert sorted(str(task.decided) for task in request.now.tasks) == ["cancelled", "expired"]


async def test_a_request_that_is_called_off_closes_all_its_open_stages(world: World) -> None:
    request = await world.place(item=side_by_side())
    await request.waits_for(WaitKind.PEOPLE, 2)
    await request.cancel()
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert [task.decided for task in request.now.tasks] == ["cancelled", "cancelled"]


async def test_a_refusal_ends_the_request_though_an_operator_looks_for_the_people_of_the_stage_beside_it(
    world: World,
) -> None:
    nobody = a_stage(id="owner", name="Owner", approvers=(ByGroup(rule="group", group="no-such-group"),), after=())
    request = await world.place(item=an_item(approvals=(a_stage(), nobody)))
    await request.waits_for(WaitKind.OPERATOR)
    await request.waits_for(WaitKind.PEOPLE)
    await request.decide("Mara Lind", "reject", "No.", task=request.titled("Manager:"))
    assert (await request.closes()).outcome is Outcome.REJECTED
    assert {task.kind: task.decided for task in request.now.tasks} == {"approval": "rejected", "operator": "cancelled"}


async def test_who_is_asked_on_two_stages_at_once_decides_both_with_one_vote(world: World) -> None:
    by_all = {"quorum": "all", "approvers": (ByGroup(rule="group", group="guards"),), "after": ()}
    request = await world.place(item=an_item(approvals=(a_stage(), a_stage(id="guards", name="Guards", **by_all))))
    await request.waits_for(WaitKind.PEOPLE, 2)
    await request.decide("Mara Lind", task=request.titled("Manager:"))
    (left,) = request.now.waiting
    assert ([person.name for person in left.who], left.what) == (
        ["Grace Guard"],
        "Guards: everybody asked must approve; 1 has",
    )
    assert request.last(Kind.VOTE).rule == "approval.already-approved"
    await request.decide("Grace Guard", task=request.titled("Guards:"))
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a_stage_that_an_earlier_vote_decides_is_on_record_though_the_one_beside_it_waits(world: World) -> None:
    guards = a_stage(id="guards", name="Guards", approvers=(ByGroup(rule="group", group="guards"),), after=("manager",))
    request = await world.place(item=side_by_side(guards))
    await request.waits_for(WaitKind.PEOPLE, 2)
    with world.directory.held("members") as begun:
        await request.decide("Mara Lind", task=request.titled("Manager:"))
        assert await asyncio.to_thread(begun.wait, 10)
        await request.waits_for(WaitKind.SYSTEM, 1)
    shown = await request.reaches(lambda p: len(p.tasks) == 3)
    assert [one.what for one in shown.waiting] == ["Owner: a decision is needed"]


async def test_who_approved_an_earlier_stage_is_not_asked_again(world: World) -> None:
    guards = a_stage(id="guards", name="Guards", approvers=(ByGroup(rule="group", group="guards"),))
    request = await world.place(item=an_item(approvals=(a_stage(), guards)))
    await request.waits_for_people()
    await request.decide("Mara Lind")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert request.last(Kind.VOTE).rule == "approval.already-approved"
    assert request.last(Kind.VOTE).actor is None


async def test_a_stage_of_all_waits_for_each_of_its_people_and_leaves_out_the_inactive(world: World) -> None:
    guards = a_stage(id="guards", name="Guards", quorum="all", approvers=(ByGroup(rule="group", group="guards"),))
    request = await world.place(item=an_item(approvals=(guards,)))
    await request.waits_for_people()
    skipped = request.last(Kind.APPROVER_SKIPPED)
    assert (skipped.data["person"]["name"], skipped.rule) == ("Ines Inactive", "approval.skip-inactive")

    await request.decide("Mara Lind")
    assert request.now.status is Status.APPROVAL
    assert [person.name for person in request.now.waiting[0].who] == ["Grace Guard"]
    await request.decide("Grace Guard")
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_when_the_requester_is_the_manager_the_managers_manager_is_asked(world: World) -> None:
    request = await world.place(requester=a_person("Mara Lind").ref())
    (waiting,) = (await request.waits_for_people()).waiting
    assert ([person.name for person in waiting.who], waiting.rule) == (["Rolf Chief"], "approver.manager-of-manager")
    assert request.last(Kind.APPROVER_SKIPPED).rule == "approval.skip-requester"


async def test_when_nobody_may_decide_an_operator_sees_to_it_and_the_lookup_is_repeated(world: World) -> None:
    request = await world.place(beneficiary=a_person("Rolf Chief").ref(), item=an_item(owner="nobody"))
    (waiting,) = (await request.waits_for_operator()).waiting
    assert waiting.kind is WaitKind.OPERATOR
    world.directory.put_person(a_person("Rolf Chief", manager_id="id-grace"))
    await request.operate("retry", task=1)
    await request.waits_for_people()
    await request.decide("Grace Guard", task=2)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a_target_that_is_down_for_a_while_is_tried_until_it_answers(world: World) -> None:
    world.directory.fail_next(Transient("connection refused"), 2, on="ensure_member")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    (waiting,) = (await request.reaches(lambda p: p.status is Status.FULFILMENT)).waiting
    assert waiting.kind is WaitKind.SYSTEM
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert Kind.EFFECT_FAILED not in request.kinds


async def test_a_write_whose_answer_was_lost_is_not_repeated(world: World) -> None:
    world.directory.lose_answers()
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert len(world.directory.ledger) == 1
    assert request.last(Kind.EFFECT_OBSERVED).data["changed"] is False


async def test_a_permanent_failure_asks_an_operator_who_retries(world: World) -> None:
    world.directory.fail_next(Rejected("the service account may not write"), on="ensure_member")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    attention = await request.waits_for_operator()
    task = attention.tasks[-1]
    assert (task.kind, task.choices) == ("operator", ("retry", "skip", "cancel"))
    assert task.problem == "the service account may not write"
    assert [n.to.login for n in world.journal.notices(request.number) if n.template == "operator-needed"] == [
        "operators"
    ]

    await request.operate("retry", task=2)
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert world.is_member()


async def test_an_acknowledged_write_that_is_not_to_be_seen_is_not_called_done(world: World) -> None:
    world.directory.swallow_writes(2)
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.waits_for_operator()
    assert request.last(Kind.EFFECT_FAILED).data["fault"] == "not-applied"
    assert Kind.EFFECT_OBSERVED not in request.kinds


async def test_an_operator_who_skips_closes_it_as_skipped_not_as_fulfilled(world: World) -> None:
    world.directory.fail_next(Rejected("no"), 99, on="ensure_member")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.waits_for_operator()
    await request.operate("skip", task=2, reason="done by hand elsewhere")
    closure = await request.closes()
    assert closure.outcome is Outcome.SKIPPED
    assert "done by hand elsewhere" in closure.reason


async def test_an_operator_who_cancels_has_it_undone(world: World) -> None:
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.waits_for_operator()
    await request.operate("cancel", task=2, reason="cannot be had")
    closure = await request.closes()
    assert (closure.outcome, closure.reason) == (Outcome.CANCELLED, "Otto Operator called it off: cannot be had")
    assert Kind.UNDO_INTENDED not in request.kinds  # a refused write left nothing to take back


async def test_what_another_request_gave_is_not_taken_away_by_undoing_this_one(world: World) -> None:
    first, second = await world.place(), await world.place()
    for request in (first, second):
        await request.waits_for_people()
    await first.decide("Mara Lind")
    await first.closes()
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    await second.decide("Mara Lind")
    await second.waits_for_operator()
    await second.operate("cancel", task=2)
    assert (await second.closes()).outcome is Outcome.CANCELLED
    assert world.is_member()


async def test_what_went_wrong_in_detail_is_for_operators_not_in_the_journal(world: World) -> None:
    world.directory.fail_next(Rejected("cn=secret-service at ldaps://10.0.0.1"), on="ensure_member")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    attention = await request.waits_for_operator()
    assert "secret-service" in (attention.tasks[-1].problem or "")
    assert not any("secret-service" in str(entry.data) for entry in request.entries)


async def test_a_lookup_that_fails_for_good_asks_an_operator(world: World) -> None:
    world.directory.fail_next(Rejected("wrong password of the service account"), on="person")
    request = await world.place()
    attention = await request.waits_for_operator()
    assert attention.tasks[0].choices == ("retry", "cancel")
    await request.operate("retry", task=1)
    await request.waits_for_people()


async def test_an_item_without_approvals_is_fulfilled_at_once(world: World) -> None:
    request = await world.place(item=an_item(approvals=()))
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert world.is_member()


async def test_group_names_travel_as_the_item_gives_them(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    assert request.last(Kind.RESOLVED).data["group"] == GROUP
