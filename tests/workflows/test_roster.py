"""The roster on a real engine: people leave, join and delegate, and open approvals learn of it (feature row A5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.asking import GUARDS
from support.builders import a_person, a_stage, a_steps_item, an_item
from support.world import World, served
from temporalio.testing import WorkflowEnvironment

from catalog.access import Membership
from catalog.journal import Kind
from catalog.request import WaitKind
from catalog.stages import ByItemOwner, Escalation
from catalog.watch import Awaiting, AwaitingPage
from workflows.messages import TASK_QUEUE
from workflows.roster import RosterRound


class Open:
    """The requests of a world that wait for approval, a few at a time."""

    def __init__(self) -> None:
        self.world: World | None = None

    def open_approvals(self, after: int | None, limit: int) -> AwaitingPage:
        """See the port; pages of two, so that there are several."""
        assert self.world is not None
        assert limit > 2
        begin = after or 0
        known = [(order, self.world.journal.projection(order.number)) for order in self.world.placed]
        found = [
            Awaiting(order=order, tasks=tuple(t for t in state.tasks if t.kind == "approval" and not t.decided))
            for order, state in known
            if state
        ]
        more = len(found) > begin + 2
        return AwaitingPage(items=tuple(found[begin : begin + 2]), next=begin + 2 if more else None)


@pytest.fixture
async def world(env: WorkflowEnvironment) -> AsyncIterator[World]:
    awaiting = Open()
    awaiting.world = World(env)
    async with served(awaiting.world, max_cached_workflows=100, awaiting=awaiting) as made:
        yield made


async def round_of(world: World) -> int:
    told: int = await world.env.client.execute_workflow(
        RosterRound.run, id=f"roster-{datetime.now(UTC).timestamp()}", task_queue=TASK_QUEUE
    )
    return told


async def test_who_left_joined_or_delegated_since_is_noticed_once(world: World) -> None:
    requests = [await world.place() for _ in range(3)]
    guarded = await world.place(item=an_item(approvals=(a_stage(approvers=(GUARDS,)),)))
    for request in (*requests, guarded):
        await request.waits_for_people()
    assert await round_of(world) == 0

    world.directory.ensure_member(Membership(person_id="id-rolf", group="guards"))
    assert await round_of(world) == 1
    changed = await guarded.sees(Kind.APPROVERS_CHANGED)
    assert [one["login"] for one in changed.data["asked"]] == ["rolf"]
    assert changed.rule == "people.changed"

    since = datetime.now(UTC) - timedelta(hours=1)
    world.delegates("Mara Lind", "Grace Guard", since, since + timedelta(days=1))
    assert await round_of(world) == 4
    for request in requests:
        await request.sees(Kind.APPROVERS_CHANGED)
        assert request.asked() == ["mara", "grace"]
    assert await round_of(world) == 0

    world.directory.put_person(a_person("Mara Lind", manager_id="id-rolf", active=False))
    assert await round_of(world) == 4
    for request in requests:
        await request.sees(Kind.APPROVERS_CHANGED, 2)
        assert request.asked() == ["rolf"]


async def test_a_group_that_is_gone_is_left_to_the_request(world: World) -> None:
    request = await world.place(item=an_item(approvals=(a_stage(approvers=(GUARDS,)),)))
    await request.waits_for_people()
    world.directory.ensure_no_group("guards", even_with_members=True)
    assert await round_of(world) == 0


DAY = timedelta(days=1)


async def test_who_was_handed_a_decision_and_leaves_is_noticed(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    await request.consider("Mara Lind", "reassign", person="Grace Guard")
    await request.reaches(lambda p: p.tasks[0].named is not None and len(p.tasks[0].named.others) == 1)
    await request.consider("Grace Guard", "add", person="Rolf Chief")
    await request.reaches(lambda p: p.tasks[0].named is not None and len(p.tasks[0].named.others) == 2)
    assert await round_of(world) == 0
    for name in ("Grace Guard", "Rolf Chief"):
        world.directory.put_person(a_person(name, active=False))
    assert await round_of(world) == 1
    await request.sees(Kind.APPROVERS_CHANGED, 3)  # it was looked up after each command
    assert request.asked() == ["mara"]
    assert await round_of(world) == 0


async def test_who_it_was_escalated_to_and_leaves_is_noticed(world: World) -> None:
    levels = tuple(Escalation(to=(to,), decide_within=3 * DAY) for to in (ByItemOwner(rule="item_owner"), GUARDS))
    request = await world.place(item=an_item(owner="rolf", approvals=(a_stage(decide_within=DAY, escalate=levels),)))
    await request.waits_for_people()
    await request.passes(DAY + timedelta(hours=1))
    await request.sees(Kind.ESCALATED)
    assert await round_of(world) == 0
    world.directory.put_person(a_person("Rolf Chief", active=False))
    assert await round_of(world) == 1
    await request.sees(Kind.APPROVERS_CHANGED)
    assert request.asked() == ["mara"]
    assert await round_of(world) == 0


def decided_by(group: str, **stage: Any) -> dict[str, Any]:
    """Return a step in which that group decides."""
    approvers = ({"rule": "group", "group": group},)
    return {
        "id": "ask",
        "do": "approve",
        "stage": {"id": "late", "name": f"Ask {group}", "approvers": approvers} | stage,
    }


async def test_who_decides_in_the_middle_of_the_work_is_looked_at_as_well(world: World) -> None:
    evidence = ({"id": "team", "type": "text", "label": "Team"},)
    assign = ({"rule": "group", "group": "guards"},)
    chosen = {"id": "choose", "do": "task", "title": "Choose a team", "assign": assign, "evidence": evidence}
    steps = (chosen | {"irreversible": "It was chosen."}, decided_by("{{ results.choose.team }}"))
    request = await world.place(item=a_steps_item(*steps))
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1, team="guards")
    await request.waits_for(WaitKind.PEOPLE)
    assert await round_of(world) == 0

    world.directory.ensure_member(Membership(person_id="id-rolf", group="guards"))
    world.directory.put_person(a_person("Grace Guard", active=False))
    assert await round_of(world) == 1
    changed = await request.sees(Kind.APPROVERS_CHANGED)
    assert [one["login"] for one in changed.data["asked"]] == ["rolf"]
    assert [one["login"] for one in changed.data["gone"]] == ["grace"]
    assert request.asked(task=2) == ["mara", "rolf"]
    assert request.told("approval-needed") == ["grace", "mara", "rolf"]
    assert await round_of(world) == 0


async def test_of_a_loop_those_are_asked_anew_whose_own_group_has_changed(world: World) -> None:
    world.directory.ensure_member(Membership(person_id="id-mara", group="wiki-readers"))
    groups = "{{ ['guards', 'wiki-readers'] }}"
    each = {"id": "all", "do": "for_each", "each": groups, "variable": "group", "at_once": 2}
    request = await world.place(item=a_steps_item(each | {"steps": (decided_by("{{ group }}"),)}))
    await request.waits_for(WaitKind.PEOPLE, 2)
    readers, guards = request.titled("Ask wiki-readers"), request.titled("Ask guards")
    world.directory.ensure_member(Membership(person_id="id-rolf", group="wiki-readers"))
    assert await round_of(world) == 1
    await request.sees(Kind.APPROVERS_CHANGED)
    assert sorted(request.asked(readers)) == ["mara", "rolf"]
    assert sorted(request.asked(guards)) == ["grace", "mara"]
    assert await round_of(world) == 0


async def test_who_it_was_escalated_to_in_the_middle_of_the_work_is_looked_at_as_well(world: World) -> None:
    world.directory.ensure_member(Membership(person_id="id-rolf", group="wiki-readers"))
    to = ({"rule": "group", "group": "wiki-{{ group }}"},)
    levels = ({"to": to, "decide_within": 3 * DAY}, {"to": ({"rule": "item_owner"},), "decide_within": 3 * DAY})
    inner = decided_by("guards", decide_within=DAY, escalate=levels)
    each = {"id": "all", "do": "for_each", "each": "{{ ['readers'] }}", "variable": "group", "steps": (inner,)}
    request = await world.place(item=a_steps_item(each, owner="olga"))
    await request.waits_for(WaitKind.PEOPLE)
    await request.passes(DAY + timedelta(hours=1))
    await request.sees(Kind.ESCALATED)
    assert await round_of(world) == 0
    world.directory.ensure_member(Membership(person_id="id-olga", group="wiki-readers"))
    assert await round_of(world) == 1
    changed = await request.sees(Kind.APPROVERS_CHANGED)
    assert [one["login"] for one in changed.data["asked"]] == ["olga"]
    assert await round_of(world) == 0
