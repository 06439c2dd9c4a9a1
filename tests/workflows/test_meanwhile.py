"""An order changes while something else is under way: nothing is forgotten (rows A5, A7, A11, A13, A22)."""

from __future__ import annotations

from datetime import timedelta

from support.asking import CHIEF, GUARDS
from support.builders import a_person, a_stage, an_actor, an_item
from support.world import Request, World, refusal

from activities.errors import Transient
from catalog.access import Membership
from catalog.fields import IntegerField, TextField
from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.request import Amendment, Outcome, Status, WaitKind
from catalog.stages import ByGroup, Escalation, Stage

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOBODYS = ByGroup(rule="group", group="wiki-readers")
FORM = (
    TextField(id="why", type="text", label="Why"),
    IntegerField(id="days", type="integer", label="Days", least=1),
)


def lent(*stages: Stage, owner: str = "olga") -> CatalogItem:
    """Return an item that is had for some days."""
    return an_item(form=FORM, approvals=stages, owner=owner)


async def borrow(world: World, *stages: Stage, days: int = 10, owner: str = "olga") -> Request:
    return await world.place(item=lent(*stages, owner=owner), answers={"why": "A trip.", "days": days})


async def test_a13_an_escalation_comes_although_the_order_changes_while_its_people_are_looked_up(world: World) -> None:
    level = Escalation(to=(CHIEF,), decide_within=DAY)
    request = await borrow(world, a_stage(concerns=(), decide_within=DAY, escalate=(level,)))
    await request.waits_for_people()
    world.directory.fail_next(Transient("down"), times=3)
    await request.passes(DAY + HOUR)
    await request.amend(days=3)
    await request.sees(Kind.ESCALATED)
    assert sorted(request.asked()) == ["mara", "rolf"]


async def test_a5_an_operator_is_asked_again_for_people_after_the_order_has_changed(world: World) -> None:
    stage = a_stage(concerns=(), approvers=(GUARDS,), quorum=2, fallback=(), decide_within=20 * DAY)
    request = await borrow(world, stage, owner="nobody")
    await request.waits_for_people()
    for one in ("id-grace", "id-mara"):
        world.directory.ensure_absent(Membership(person_id=one, group="guards"))
    await request.look_again("Grace Guard", "Mara Lind", rule="people.changed")
    await request.waits_for_operator()
    await request.amend(days=3)
    await request.reaches(
        lambda p: [task.decided for task in p.tasks if task.kind == "operator"] == ["cancelled", None]
    )
    assert any(waiting.kind is WaitKind.OPERATOR for waiting in request.now.waiting)


async def test_a5_no_operator_is_asked_for_people_of_a_stage_that_is_not_needed_any_more(world: World) -> None:
    special = a_stage(id="special", name="Special", approvers=(NOBODYS,), when="form.days > 5", fallback=())
    request = await borrow(world, special, a_stage(), owner="nobody")
    await request.waits_for_operator()
    await request.amend(days=2)
    await request.reaches(lambda p: p.status is Status.APPROVAL)
    assert [task.decided for task in request.now.tasks] == ["cancelled", None]
    await request.decide("Mara Lind", task=2)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a22_a_stage_that_is_open_is_still_seen_to_when_another_is_needed_as_well(world: World) -> None:
    chief = a_stage(id="chief", name="Chief", approvers=(CHIEF,), after=(), when="form.days > 5")
    request = await borrow(world, a_stage(concerns=(), decide_within=DAY), chief, days=2)
    await request.waits_for_people()
    await request.amend(days=10)
    await request.waits_for(WaitKind.PEOPLE, 2)
    await request.passes(DAY + HOUR)
    assert (await request.closes()).outcome is Outcome.EXPIRED


async def test_a11_who_makes_it_smaller_decides_although_the_vote_of_somebody_who_left_falls(world: World) -> None:
    request = await borrow(world, a_stage(approvers=(GUARDS,), quorum=2, may_reduce=("days",), when_nobody="reject"))
    await request.waits_for_people()
    await request.decide("Grace Guard")
    world.directory.ensure_absent(Membership(person_id="id-grace", group="guards"))
    await request.look_again("Grace Guard", "Mara Lind", rule="people.changed")
    await request.decide("Mara Lind", amendment=Amendment(answers={"why": "A trip.", "days": 5}))
    assert (await request.closes()).outcome is Outcome.REJECTED
    assert request.kinds.count(Kind.VOTE) == 2


async def test_a11_a_stage_in_which_it_is_made_smaller_ends_before_the_next_begins(world: World) -> None:
    automatic = ({"id": "short", "when": "form.days < 5", "because": "It is short."},)
    first = a_stage(approvers=(GUARDS,), quorum="all", may_reduce=("days",), auto_approve=automatic)
    request = await borrow(world, first, a_stage(id="chief", name="Chief", approvers=(CHIEF,)))
    await request.waits_for_people()
    await request.decide("Grace Guard", amendment=Amendment(answers={"why": "A trip.", "days": 2}))
    assert Kind.STAGE_CLOSED not in request.kinds
    await request.decide("Mara Lind")
    await request.reaches(lambda p: len(p.tasks) == 2)
    await request.decide("Rolf Chief", task=2)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a22_a_change_that_was_worked_out_from_an_older_order_is_refused(world: World) -> None:
    request = await borrow(world, a_stage())
    await request.waits_for_people()
    before = request.order.subject
    await request.amend(days=3)
    late = request.amend(why="Another trip.", days=10, of=before)
    assert await refusal(late) == "subject-changed"
    assert request.now.amendment is not None
    assert request.now.amendment.answers["days"] == 3


async def test_a7_an_operator_does_not_choose_who_decides_their_own_request(world: World) -> None:
    stage = a_stage(approvers=(GUARDS,), quorum="all", own=("requester",))
    request = await world.place(item=an_item(approvals=(stage,)), requester=a_person("Mara Lind").ref())
    await request.waits_for_people()
    mara = an_actor("Mara Lind", operator=True)
    handing = request.consider(mara, "reassign", person="Olga Owner", seat="id-grace")
    assert await refusal(handing) == "not-approver"
