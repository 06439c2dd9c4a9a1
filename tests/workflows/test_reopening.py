"""A stage that begins once more asks whoever is enough for it then, with the votes that still count (A5, A22)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from support.builders import a_stage, an_actor, an_item
from support.world import Request, World

from catalog.access import Membership
from catalog.request import Outcome, WaitKind
from catalog.stages import ByGroup, ByPerson, Stage

GUARDS = (ByGroup(rule="group", group="guards"),)
DAY = timedelta(days=1)
SOON = (datetime.now(UTC) + 5 * DAY).date()


def stages() -> tuple[Stage, ...]:
    """Return three side by side; the first is not needed for an order that is changed a few days later."""
    common = {"concerns": (), "after": (), "decide_within": 30 * DAY}
    grace, rolf = (ByPerson(rule="person", person=login) for login in ("grace", "rolf"))
    return (
        a_stage(id="one", name="One", approvers=(grace,), when=f"today < ('{SOON}' | date)", **common),
        a_stage(id="two", name="Two", approvers=GUARDS, quorum=2, **common),
        a_stage(id="last", name="Last", approvers=(rolf,), **common),
    )


async def closed_by_carrying(world: World, who: str = "Mara Lind", *, handed: bool = False) -> Request:
    """Return a request whose second stage was decided by somebody and by an approval of the first."""
    request = await world.place(item=an_item(approvals=stages()))
    await request.waits_for(WaitKind.PEOPLE, 3)
    if handed:
        await request.consider("Mara Lind", "reassign", task=request.titled("Two"), person=who)
    await request.decide(who, task=request.titled("Two"))
    await request.decide("Grace Guard", task=request.titled("One"))
    await request.reaches(lambda p: sum(task.decided == "approved" for task in p.tasks) == 2)
    return request


def joins(world: World, *people: str) -> None:
    for person in people:
        world.directory.ensure_member(Membership(person_id=person, group="guards"))


def leaves(world: World, *people: str) -> None:
    for person in people:
        world.directory.ensure_absent(Membership(person_id=person, group="guards"))


async def test_a22_a_vote_that_still_counts_makes_enough_of_those_who_are_left(world: World) -> None:
    request = await closed_by_carrying(world)
    leaves(world, "id-mara", "id-ines")
    await request.passes(6 * DAY)
    await request.amend(why="Two handbooks.")
    await request.waits_for(WaitKind.PEOPLE, 2)
    assert request.told("operator-needed") == []
    await request.decide("Grace Guard", task=request.titled("Two"))
    await request.decide("Rolf Chief", task=request.titled("Last"))
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a5_an_operator_is_asked_where_a_seat_that_was_handed_on_leaves_too_few(world: World) -> None:
    request = await closed_by_carrying(world, "Olga Owner", handed=True)
    joins(world, "id-olga")
    leaves(world, "id-grace", "id-ines")  # who is left is Olga, once in her own right and once for Mara
    await request.passes(6 * DAY)
    await request.amend(why="Two handbooks.")
    await request.waits_for(WaitKind.OPERATOR)
    joins(world, "id-rolf")
    await request.decide(an_actor("Olga Owner", operator=True), "retry", task=request.titled("Find who decides Two"))
    await request.waits_for(WaitKind.PEOPLE, 2)
    assert request.asked(request.titled("Two")) == ["rolf"]
