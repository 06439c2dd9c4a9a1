"""What happens to a stage while its people are being looked up again: nothing may wait for that."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.builders import a_person, a_stage, an_item
from support.world import Request, World

from activities.errors import Transient
from catalog.access import Membership
from catalog.directory import GroupSpec
from catalog.fields import TextField
from catalog.item import CatalogItem
from catalog.request import Outcome
from catalog.stages import ByGroup
from workflows.approving import Approving
from workflows.wants import Want

TWO_GUARDS = (ByGroup(rule="group", group="guards"),)


def two_guards() -> CatalogItem:
    return an_item(approvals=(a_stage(approvers=TWO_GUARDS, quorum=2, fallback=()),))


async def with_too_few_left(world: World) -> Request:
    """A request whose approvers have become too few, so that an operator is asked."""
    request = await world.place(item=two_guards())
    await request.waits_for_people()
    world.directory.put_person(a_person("Mara Lind", active=False))
    await request.look_again("Mara Lind", rule="people.changed")
    await request.waits_for_operator()
    return request


async def test_a_refusal_counts_although_an_operator_is_asked_for_more_people(world: World) -> None:
    request = await with_too_few_left(world)
    await request.decide("Grace Guard", "reject", "no")
    assert (await request.closes()).outcome is Outcome.REJECTED


async def test_an_amendment_is_taken_up_although_an_operator_is_asked_for_more_people(world: World) -> None:
    request = await with_too_few_left(world)
    world.directory.put_person(a_person("Mara Lind", manager_id="id-rolf"))
    await request.amend(why="I keep two handbooks.")
    shown = await request.reaches(lambda p: len(p.tasks) == 3, 10)
    assert [task.decided for task in shown.tasks] == ["superseded", "cancelled", None]
    assert request.asked(3) == ["grace", "mara"]


async def test_a_refusal_ends_the_request_while_the_directory_does_not_answer(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    world.directory.fail_next(Transient("down"), times=1000)
    await request.look_again("Mara Lind", rule="people.changed")
    await request.decide("Mara Lind", "reject", "no")
    async with asyncio.timeout(10):
        assert (await request.closes()).outcome is Outcome.REJECTED


async def test_the_deadline_is_kept_while_the_directory_does_not_answer(world: World) -> None:
    request = await world.place(item=an_item(approvals=(a_stage(decide_within=timedelta(seconds=2)),)))
    await request.waits_for_people()
    world.directory.fail_next(Transient("down"), times=1000)
    await request.look_again("Mara Lind", rule="people.changed")
    async with asyncio.timeout(10):
        assert (await request.closes()).outcome is Outcome.EXPIRED


async def test_who_was_looked_up_for_what_the_order_was_before_is_not_asked(world: World) -> None:
    form = (TextField(id="team", type="text", label="Team"),)
    item = an_item(form=form, approvals=(a_stage(approvers=(ByGroup(rule="group", group="{{ form.team }}"),)),))
    world.directory.ensure_group(GroupSpec(name="chiefs"))
    world.directory.ensure_member(Membership(person_id="id-rolf", group="chiefs"))
    with world.directory.held("members") as begun:
        request = await world.place(item=item, answers={"team": "guards"})
        assert await asyncio.to_thread(begun.wait, 10)
        await request.amend(team="chiefs")
    await request.waits_for_people()
    assert request.asked() == ["rolf"]


async def test_a_stage_that_is_dropped_from_memory_while_its_people_are_looked_up_waits_for_nothing() -> None:
    class Desk:
        amended, leaving, state = 0, False, None

        def is_open(self, _: str) -> bool:
            return True

        def stage(self, _: str) -> Any:
            return SimpleNamespace(next_at=None)

        def waiting(self, _: str) -> None:
            return None

        def next_want(self, _: str) -> Want:
            return Want("nobody")

    class Ever:
        async def wait(self, *_: Any, **__: Any) -> bool:
            return await asyncio.Event().wait()

        async def ask_while(self, *_: Any) -> None:
            await asyncio.Event().wait()

    approving = Approving(cast("Any", Desk()), cast("Any", Ever()), cast("Any", None), cast("Any", Ever()))
    before, dropped = asyncio.all_tasks(), approving._decide(a_stage(), None)
    dropped.send(None)
    with pytest.raises(GeneratorExit):  # it comes back at once: nothing else is awaited
        dropped.throw(GeneratorExit)
    (looking,) = asyncio.all_tasks() - before
    looking.cancel()
