"""Approvals that outgrow one history: another run goes on with the request, and nobody notices (feature row A25)."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta

import pytest
from support.builders import a_person, a_stage, an_item
from support.world import Request, World, served
from temporalio.testing import WorkflowEnvironment

from catalog.access import Membership
from catalog.directory import GroupSpec
from catalog.journal import Kind
from catalog.request import Outcome, WaitKind
from catalog.stages import ByGroup, ByItemOwner, Escalation, Reminders

DAY = timedelta(days=1)


@pytest.fixture
def server(short: WorkflowEnvironment) -> WorkflowEnvironment:
    return short


async def runs_of(request: Request) -> int:
    """Return how many runs the request has had."""
    client = request.world.env.client
    return len([one async for one in client.list_workflows(f"WorkflowId = '{request.number}'")])


async def grows(request: Request, comments: int = 12) -> None:
    """Have so much said that a new run begins."""
    for number in range(comments):
        await request.comment("Ada Byron", f"remark {number}")


async def test_a25_votes_questions_and_deadlines_go_on_in_the_next_run(world: World) -> None:
    guards = a_stage(
        id="guards",
        name="Guards",
        approvers=(ByGroup(rule="group", group="guards"),),
        quorum="all",
        decide_within=4 * DAY,
        remind=Reminders(after=DAY, every=DAY),
        escalate=(Escalation(to=(ByItemOwner(rule="item_owner"),), decide_within=2 * DAY),),
    )
    request = await world.place(item=an_item(owner="rolf", approvals=(guards,)))
    await request.waits_for_people()
    await request.decide("Grace Guard")
    await request.consider("Mara Lind", "ask", "What for?")
    await grows(request)
    (waiting,) = request.now.waiting
    assert waiting.kind is WaitKind.INFORMATION
    await request.consider("Ada Byron", "answer", "For the handbook.", task=2)
    await grows(request)
    await request.passes(DAY + timedelta(hours=1))
    await request.sees(Kind.APPROVERS_REMINDED)
    await request.passes(3 * DAY)
    await request.sees(Kind.ESCALATED)
    await grows(request)
    await request.decide("Rolf Chief")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert request.kinds.count(Kind.OPENED) == request.kinds.count(Kind.STAGE_OPENED) == 1
    assert await runs_of(request) >= 3


async def test_a25_an_amendment_outlives_the_run_in_which_it_was_made(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    await request.amend(why="I keep two handbooks.")
    await request.reaches(lambda p: len(p.tasks) == 2)
    await grows(request)
    assert await runs_of(request) >= 2
    assert request.now.amendment is not None
    before, now = request.now.tasks
    assert (before.decided, [one.person.login for one in before.assignees]) == ("superseded", ["mara"])
    assert not before.brief
    seen = now.subject
    await request.decide("Mara Lind", task=2, subject=seen)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def handed_over(request: Request) -> list[int]:
    """Return how many bytes each run began with, the first one first."""
    client = request.world.env.client
    runs = [one async for one in client.list_workflows(f"WorkflowId = '{request.number}'")]
    begun = []
    for run in sorted(runs, key=lambda run: run.start_time):
        history = await client.get_workflow_handle(request.number, run_id=run.run_id).fetch_history()
        started = history.events[0].workflow_execution_started_event_attributes
        begun.append(len(started.input.payloads[0].data))
    return begun


async def test_a25_what_is_handed_over_does_not_grow_with_what_was_decided_before(world: World) -> None:
    stage = a_stage(approvers=(ByGroup(rule="group", group="guards"),), quorum="all")
    request = await world.place(item=an_item(approvals=(stage,)))
    await request.waits_for_people()
    for task in range(1, 13):
        await request.decide("Grace Guard", reason=secrets.token_hex(1500), task=task)
        await request.amend(why=f"Reason {task}.")
        await opens(request, task + 1)
        await grows(request, 8)
    _, first, *_, last = await handed_over(request)
    assert last < first + 4000
    assert len(request.now.tasks) == 13


async def test_a25_a_run_that_has_too_much_to_hand_over_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.carrying.MOST_BEGUN_WITH", 100)  # the frame is loaded once, also for the sandbox
    request = await world.place()
    await request.waits_for_people()
    await grows(request, 40)
    assert await runs_of(request) == 1
    await request.decide("Mara Lind")
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a25_stages_side_by_side_go_on_together(world: World) -> None:
    second = a_stage(id="guards", name="Guards", approvers=(ByGroup(rule="group", group="guards"),), after=())
    third = a_stage(id="last", name="Last", approvers=(ByItemOwner(rule="item_owner"),), after=("manager", "guards"))
    request = await world.place(item=an_item(owner="rolf", approvals=(a_stage(), second, third)))
    await request.waits_for(WaitKind.PEOPLE, 2)
    await grows(request)
    await request.decide("Grace Guard", task=request.titled("Guards"))
    await grows(request)
    await request.decide("Mara Lind", task=request.titled("Manager"))
    await request.reaches(lambda p: len(p.tasks) == 3)
    await request.decide("Rolf Chief", task=3)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a25_commands_that_arrive_while_one_run_ends_are_taken_by_one_of_both(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    said = [request.comment("Ada Byron", f"remark {number}") for number in range(40)]
    for at in range(0, len(said), 8):
        await asyncio.gather(*said[at : at + 8])
    assert request.kinds.count(Kind.COMMENT) == 40
    await request.decide("Mara Lind")
    await request.closes()


@pytest.mark.parametrize("said", range(6, 14))
async def test_a25_what_is_called_off_as_another_run_begins_stays_called_off(world: World, said: int) -> None:
    request = await world.place()
    await request.waits_for_people()
    await grows(request, said)
    await request.cancel()
    async with asyncio.timeout(20):
        assert (await request.closes()).outcome is Outcome.CANCELLED


@pytest.mark.timeout(600)
async def test_a25_five_hundred_approvers_and_two_thousand_votes_fit(env: WorkflowEnvironment) -> None:
    async with served(World(env), max_cached_workflows=1000) as world:
        world.directory.ensure_group(GroupSpec(name="assembly"))
        names = [f"Voter{number:03d} Vale" for number in range(501)]
        for name in names:
            world.directory.put_person(a_person(name))
            world.directory.ensure_member(Membership(person_id=a_person(name).id, group="assembly"))
        stage = a_stage(approvers=(ByGroup(rule="group", group="assembly"),), quorum="all", decide_within=400 * DAY)
        request = await world.place(item=an_item(approvals=(stage,)))
        await request.waits_for_people()
        assert len(request.now.tasks[0].assignees) == 501
        for task in (1, 2, 3):
            await everybody(request, names[:500], task)  # one is missing, so that it stays open
            await request.amend(why=f"Reason {task}.")  # and all have to decide again
            await opens(request, task + 1)
        await request.passes(399 * DAY)
        await everybody(request, names, task=4)
        assert (await request.closes()).outcome is Outcome.FULFILLED
        assert request.kinds.count(Kind.VOTE) == 3 * 500 + 501 > 2_000
        assert request.kinds.count(Kind.VOTE_FALLEN) == 3 * 500
        assert await runs_of(request) > 1


async def opens(request: Request, task: int) -> None:
    """Wait until there are so many tasks."""
    await request.reaches(lambda p: len(p.tasks) == task)


async def everybody(request: Request, names: list[str], task: int) -> None:
    """Have everybody approve what a task shows, a few at the same time: the engine takes ten."""
    for at in range(0, len(names), 8):
        await asyncio.gather(*(request.decide(name, task=task) for name in names[at : at + 8]))
