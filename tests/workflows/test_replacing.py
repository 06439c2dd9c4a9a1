"""An order that takes the place of an open one: what becomes of the request that it replaces."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from support.builders import NOON, a_person, an_actor, an_item, an_order
from support.world import Request, World, refused
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import Rejected, UnknownOutcome
from catalog import names
from catalog.calendar import ALWAYS
from catalog.item import CancelPolicy
from catalog.journal import Kind
from catalog.request import Outcome
from catalog.sla_history import measure
from catalog.sla_spec import ClockSpec
from catalog.stages import Stage
from catalog.terms import terms
from catalog.timeline import describe
from workflows.messages import REPLACED, Replaced


@pytest.fixture
async def old(world: World) -> Request:
    """A request that Olga placed for Ada, and that waits for Mara."""
    placed = await world.place(requester=a_person("Olga Owner").ref())
    await placed.waits_for_people()
    return placed


async def replacing(old: Request) -> Request:
    """Place an order that takes the place of another one."""
    same = {"item": old.order.item, "requester": old.order.requester, "beneficiary": old.order.beneficiary}
    return await old.world.place(replaces=old.number, **same)


async def says_it_is_replaced(old: Request, by: str = "REQ-2") -> None:
    """Tell a request at once that another one takes its place, whatever that one does."""
    told = Replaced(actor=an_actor(), command="", reason=f"{by} replaces it.", number=by)
    await old.handle.signal(REPLACED, told)


async def test_a_request_that_is_replaced_ends_superseded_and_names_what_replaces_it(old: Request) -> None:
    new = await replacing(old)
    closure = await old.closes()
    assert (closure.outcome, closure.reason) == (Outcome.SUPERSEDED, f"{new.number} replaces it.")
    closed = old.last(Kind.CLOSED)
    assert closed.data == {
        "outcome": "superseded",
        "reason": f"{new.number} replaces it.",
        "replaced_by": new.number,
    }
    assert (closed.rule, closed.actor and closed.actor.name) == ("request.replaced", "Olga Owner")
    called_off = old.last(Kind.CANCEL_REQUESTED)
    assert (called_off.rule, called_off.data["reason"]) == ("request.replaced", f"{new.number} replaces it.")
    assert old.world.directory.ledger == []


async def test_the_new_request_says_what_it_replaces_and_goes_its_own_way(old: Request) -> None:
    new = await replacing(old)
    await new.waits_for_people()
    assert new.entries[0].data["replaces"] == old.number
    assert describe(new.entries[0]).endswith(f", in place of {old.number}")
    await old.closes()
    await new.decide("Mara Lind")
    assert (await new.closes()).outcome is Outcome.FULFILLED
    assert Kind.REQUEST_CLOSED not in new.kinds


async def test_who_was_asked_sees_the_task_superseded_and_who_it_is_for_is_told_of_the_end(old: Request) -> None:
    await old.consider("Mara Lind", "ask", "What for?")
    await old.consider("Mara Lind", "consult", "Is this right?", person="Grace Guard")
    await replacing(old)
    await old.closes()
    assert {task.kind: task.decided for task in old.now.tasks} == {
        "approval": "superseded",
        "information": "cancelled",
        "advice": "cancelled",
    }
    stage = old.last(Kind.STAGE_CLOSED)
    assert (stage.data["status"], stage.rule) == ("superseded", "request.replaced")
    assert describe(stage) == ("Stage 'Manager' was superseded, because another request takes the place of this one")
    assert old.told("closed") == ["ada"], "who ordered anew knows"


async def test_a_stage_that_has_not_begun_is_never_seen(world: World) -> None:
    first, second = (stage(name) for name in ("first", "second"))
    old = await world.place(item=an_item(approvals=(first, second)))
    await old.waits_for_people()
    await replacing(old)
    await old.closes()
    assert [task.decided for task in old.now.tasks] == ["superseded"]
    assert [one.data["stage"] for one in old.entries if one.kind is Kind.STAGE_CLOSED] == ["first"]


def stage(name: str) -> Stage:
    (manager,) = an_item().approvals
    return manager.model_copy(update={"id": name, "name": name.title()})


async def test_a_vote_after_it_finds_the_request_closed(old: Request) -> None:
    await replacing(old)
    await old.closes()
    with pytest.raises(RPCError) as caught:
        await old.decide("Mara Lind")
    assert caught.value.status is RPCStatusCode.NOT_FOUND
    assert Kind.VOTE not in old.kinds


async def test_as_long_as_it_is_undone_it_is_said_what_replaces_it(world: World, old: Request) -> None:
    world.directory.fail_next(UnknownOutcome("lost"), on="ensure_member")
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    world.directory.fail_next(Rejected("still no"), on="ensure_absent")
    await old.decide("Mara Lind")
    await old.waits_for_operator()
    await says_it_is_replaced(old)
    await old.reaches(lambda p: len(p.tasks) == 3 and bool(p.waiting))
    said = await refused(old.cancel())
    assert said == ("closed", f"{old.number} was superseded: REQ-2 replaces it already.")
    await old.operate("skip", task=3)
    assert (await old.closes()).outcome is Outcome.SUPERSEDED


async def test_a_delegates_task_and_the_clocks_end_with_it(world: World) -> None:
    spec = ClockSpec.model_validate({"id": "each", "measures": "approver", "target": "4 days"})
    item = an_item(clocks=(spec,))
    world.delegates("Mara Lind", "Grace Guard", NOON - timedelta(days=1), NOON + timedelta(days=9_000))
    old = await world.place(item=item, terms=terms(item, names.of_order(an_order(item=item), NOON), {}))
    await old.waits_for_people()
    assert set(old.asked()) == {"mara", "grace"}
    await replacing(old)
    await old.closes()
    (task,) = old.now.tasks
    assert (task.decided, task.closed_at) == ("superseded", old.now.closed_at)
    found = measure(old.entries, old.order.terms, {"": ALWAYS}, {}, old.last(Kind.CLOSED).at + timedelta(days=9))
    assert {clock.state for _, clock in found.clocks} == {"cancelled"}
    assert old.now.waiting == ()


async def test_what_was_begun_is_undone_where_the_item_can_still_be_called_off(world: World) -> None:
    old = await world.place()
    await old.waits_for_people()
    with world.directory.held("ensure_member") as writing:
        await old.decide("Mara Lind")
        await asyncio.to_thread(writing.wait, 10)
        await says_it_is_replaced(old)
    assert (await old.closes()).outcome is Outcome.SUPERSEDED
    assert [write.kind for write in world.directory.ledger] == ["add", "remove"]
    assert not world.is_member()
    assert [task.decided for task in old.now.tasks] == ["approved"], "what was decided stays so"


async def test_what_is_carried_out_goes_on_where_the_item_can_no_longer_be_called_off(world: World) -> None:
    item = an_item(cancel=CancelPolicy(until="fulfilment"))
    old = await world.place(item=item)
    await old.waits_for_people()
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    await old.decide("Mara Lind")
    await old.waits_for_operator()
    await says_it_is_replaced(old)
    await old.operate("retry", task=2)
    assert (await old.closes()).outcome is Outcome.FULFILLED
    assert Kind.CANCEL_REQUESTED not in old.kinds


async def test_a_request_that_is_being_closed_keeps_its_outcome(world: World, old: Request) -> None:
    world.journal.fail_next = 5  # the closing is being written, again and again
    refusing = asyncio.ensure_future(old.decide("Mara Lind", "reject", "no"))
    while world.journal.fail_next == 5:
        await asyncio.sleep(0.005)  # between two looks
    await says_it_is_replaced(old)
    await refusing
    assert (await old.closes()).outcome is Outcome.REJECTED
    assert "replaced_by" not in old.last(Kind.CLOSED).data


async def test_a_request_that_was_called_off_is_not_superseded_as_well(world: World, old: Request) -> None:
    world.journal.fail_next = 5
    cancelling = asyncio.ensure_future(old.cancel())
    while world.journal.fail_next == 5:
        await asyncio.sleep(0.005)  # between two looks
    await says_it_is_replaced(old)
    await cancelling
    assert (await old.closes()).outcome is Outcome.CANCELLED
    assert old.kinds.count(Kind.CANCEL_REQUESTED) == 1


async def test_of_two_that_say_they_replace_it_the_first_one_does(world: World, old: Request) -> None:
    await says_it_is_replaced(old, "REQ-2")
    await asyncio.gather(says_it_is_replaced(old, "REQ-3"), return_exceptions=True)  # it may have ended by now
    assert (await old.closes()).reason == "REQ-2 replaces it."
    assert old.kinds.count(Kind.CANCEL_REQUESTED) == 1


async def test_a_refusal_and_a_replacement_in_the_same_moment_make_one_outcome(world: World, old: Request) -> None:
    vote, _ = await asyncio.gather(
        old.decide("Mara Lind", "reject", "no"), says_it_is_replaced(old), return_exceptions=True
    )
    closure = await old.closes()
    voted = not isinstance(vote, BaseException)
    assert closure.outcome is (Outcome.REJECTED if voted else Outcome.SUPERSEDED)
    assert [task.decided for task in old.now.tasks] == [closure.outcome]


async def test_one_that_has_ended_by_then_is_noted_and_replaced_by_nothing(world: World, old: Request) -> None:
    await old.cancel()
    await old.closes()
    written = old.entries
    new = await replacing(old)
    await new.waits_for_people()
    noted = new.last(Kind.REQUEST_CLOSED)
    assert noted.data["number"] == old.number
    assert describe(noted) == f"{old.number} ended: 'before {new.number} could replace it'"
    assert old.entries == written
    await new.decide("Mara Lind")
    assert (await new.closes()).outcome is Outcome.FULFILLED


async def test_a_request_that_replaces_another_can_be_replaced_itself(old: Request) -> None:
    second = await replacing(old)
    await second.waits_for_people()
    third = await replacing(second)
    await old.closes()
    closure = await second.closes()
    assert (closure.outcome, closure.reason) == (Outcome.SUPERSEDED, f"{third.number} replaces it.")
