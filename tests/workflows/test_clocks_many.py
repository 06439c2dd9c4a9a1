"""Clocks of many approvers, asked again and again over several runs: each is warned of once, and none is dragged on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from support.builders import a_person, a_stage, an_item
from support.world import Request, World
from temporalio.testing import WorkflowEnvironment

from catalog.access import Membership
from catalog.directory import GroupSpec
from catalog.journal import Kind
from catalog.sla import BREACH
from catalog.sla_spec import ClockSpec
from catalog.stages import ByGroup
from catalog.terms import Terms
from workflows.carrying import Run
from workflows.clocks import ClocksSoFar

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NAMES = [f"Voter{number:02} Vale" for number in range(60)]
EACH = ClockSpec.model_validate({"id": "each", "measures": "approver", "target": "4 days", "warn": [50]})


@pytest.fixture
def server(short: WorkflowEnvironment) -> WorkflowEnvironment:
    return short


async def asked(world: World) -> Request:
    """Have all of them asked, who all have to approve."""
    world.directory.ensure_group(GroupSpec(name="assembly"))
    for name in NAMES:
        world.directory.put_person(a_person(name))
        world.directory.ensure_member(Membership(person_id=a_person(name).id, group="assembly"))
    stage = a_stage(approvers=(ByGroup(rule="group", group="assembly"),), quorum="all")
    request = await world.place(item=an_item(clocks=(EACH,), approvals=(stage,)), terms=Terms(clocks=(EACH,)))
    await request.waits_for_people()
    return request


async def asked_again(request: Request) -> None:
    """Change what was ordered, so that all of them are asked once more."""
    tasks = len(request.now.tasks)
    await request.amend(why=f"Reason {tasks}.")
    await request.reaches(lambda p: len(p.tasks) == tasks + 1)


async def another_run(request: Request) -> ClocksSoFar:
    """Have so much said that another run goes on; returns what it was told of the clocks."""
    before = await begun_with(request)
    for number in range(40):
        await request.comment("Ada Byron", f"remark {number}")
        now = await begun_with(request)
        if now != before and now.carried:
            return now.carried.clocks
    raise AssertionError("no other run went on")


async def begun_with(request: Request) -> Run:
    """Return what the newest run began with."""
    client = request.world.env.client
    async for event in client.get_workflow_handle(request.number).fetch_history_events(page_size=1):
        given = event.workflow_execution_started_event_attributes.input
        (run,) = await client.data_converter.decode(given.payloads, [Run])
        assert isinstance(run, Run)
        return run
    raise AssertionError("it has no history")


def warned(request: Request) -> Counter[str]:
    """Return how often each of them was warned of, by id."""
    return Counter(entry.data["person"] for entry in request.entries if entry.kind is Kind.CLOCK_WARNED)


async def test_a25_clocks_of_many_who_are_asked_again_go_on_in_other_runs_and_are_warned_of_once(world: World) -> None:
    everybody = [a_person(name).id for name in NAMES]
    request = await asked(world)
    for _ in range(3):
        await asked_again(request)
    carried = await another_run(request)
    assert [clock.run for clock in carried.clocks["each"]] == [4] * 60
    assert {run for _, _, run in carried.runs["each"]} == {3}
    assert carried.said == ()
    await request.passes(2 * DAY + HOUR)
    await request.sees(Kind.CLOCK_WARNED, 60)
    assert len((await another_run(request)).said) == 60
    await request.passes(DAY)
    assert warned(request) == dict.fromkeys(everybody, 1)
    assert sorted(request.told("clock")) == sorted(a_person(name).login for name in NAMES)
    for _ in range(2):
        await asked_again(request)
    carried = await another_run(request)
    assert [clock.run for clock in carried.clocks["each"]] == [6] * 60
    assert {run for _, _, run in carried.runs["each"]} == {5}
    assert carried.said == ()
    await request.decide(NAMES[0], task=len(request.now.tasks))
    await request.passes(2 * DAY + HOUR)
    await request.sees(Kind.CLOCK_WARNED, 60 + 59)  # whoever has decided is not warned of
    await request.passes(2 * DAY)
    await request.sees(Kind.CLOCK_BREACHED, 59)
    assert warned(request) == dict.fromkeys(everybody, 2) | {everybody[0]: 1}
    assert request.last(Kind.CLOCK_BREACHED).data["percent"] == BREACH
    await request.cancel()
    await request.closes()
