"""Record the histories that the replay tests keep: `python tests/replay/record.py`.

Writes only the ones that do not stand yet. A recorded history is a promise to every request that runs by it: it
is never edited and never recorded again; a change of the workflow that adds a branch adds a history.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.builders import a_person, a_stage, a_steps_item, an_item
from support.temporal import start_environment
from support.world import Request, World
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter

from activities.errors import Rejected, UnknownOutcome
from catalog.journal import Kind
from catalog.request import OrderLine, WaitKind
from catalog.stages import ByGroup, ByOwner
from worker.queues import workers


class NoTraces(DefaultFailureConverter):
    """Leaves out where in the files a failure came from: that differs from machine to machine."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        failure.stack_trace = ""
        failure.cause.stack_trace = ""


HISTORIES = Path(__file__).parent / "histories"


async def approved(world: World) -> Request:
    request = await world.place()
    await request.waits_for_people()
    await request.comment("Ada Byron", "For the handbook.")
    await request.decide("Mara Lind")
    return request


async def rejected(world: World) -> Request:
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind", "reject", "not your job")
    return request


async def expired(world: World) -> Request:
    request = await world.place()
    await request.waits_for_people()
    await request.passes(timedelta(days=11))
    return request


async def ineligible(world: World) -> Request:
    return await world.place(beneficiary=a_person("Ines Inactive").ref())


async def cancelled_while_people_decide(world: World) -> Request:
    request = await world.place()
    await request.waits_for_people()
    await request.cancel()
    return request


async def three_stages(world: World) -> Request:
    owner = a_stage(id="owner", name="Owner", approvers=(ByOwner(rule="owner"),))
    guards = a_stage(id="guards", name="Guards", quorum="all", approvers=(ByGroup(rule="group", group="guards"),))
    request = await world.place(item=an_item(approvals=(a_stage(), owner, guards)))
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.reaches(lambda p: len(p.tasks) == 2)
    await request.decide("Olga Owner", task=2)
    await request.reaches(lambda p: len(p.tasks) == 3)
    await request.decide("Grace Guard", task=3)
    return request


async def operator_retries(world: World) -> Request:
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.waits_for_operator()
    await request.operate("retry", task=2)
    return request


async def operator_skips(world: World) -> Request:
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.waits_for_operator()
    await request.operate("skip", task=2)
    return request


async def undone_with_help(world: World) -> Request:
    world.directory.fail_next(UnknownOutcome("lost"), on="ensure_member")
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    world.directory.fail_next(Rejected("no again"), on="ensure_absent")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.waits_for_operator()
    await request.cancel()
    await request.reaches(lambda p: len(p.tasks) == 3 and bool(p.waiting))
    await request.operate("retry", task=3)
    return request


async def cancelled_in_the_engine(world: World) -> Request:
    world.directory.fail_next(UnknownOutcome("lost"), on="ensure_member")
    world.directory.fail_next(Rejected("no"), on="ensure_member")
    request = await world.place()
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.waits_for_operator()
    await request.handle.cancel()
    return request


async def nobody_decides(world: World) -> Request:
    request = await world.place(beneficiary=a_person("Rolf Chief").ref(), item=an_item(owner="nobody"))
    await request.waits_for_operator()
    await request.operate("cancel", task=1)
    return request


GUARDS = [{"rule": "group", "group": "guards"}]
TASK = {"do": "task", "assign": GUARDS, "irreversible": "It stays."}
GRANT = {"do": "grant", "group": "wiki-readers"}
WAIT = {"id": "pause", "do": "wait", "duration": "3 days"}


async def steps(world: World) -> Request:
    """Every kind of step but ordering, with branches and a loop."""
    fields = [{"id": "groups", "type": "multi_choice", "label": "Which", "choices": ["wiki-editors", "wiki-readers"]}]
    stage = a_stage(id="second").model_dump()
    evidence = [{"id": "tag", "type": "text", "label": "Tag"}]
    branches = {
        "left": [{"id": "label", **TASK, "title": "Label", "due": "1 day", "evidence": evidence}],
        "right": [{"id": "came", "do": "wait", "event": "delivered", "timeout": "10 days"}],
    }
    give = {"id": "give", "do": "grant", "group": "{{ group }}"}
    item = a_steps_item(
        {"id": "never", "when": "form.groups | length > 9", **GRANT},
        {"id": "both", "do": "parallel", "branches": branches},
        {"id": "all", "do": "for_each", "each": "{{ form.groups }}", "variable": "group", "steps": [give]},
        {"id": "ask", "do": "approve", "stage": stage},
        WAIT,
        {"id": "tell", "do": "notify", "to": ["requester"], "subject": "Tag", "text": "{{ results.label.tag }}"},
        form=fields,
        approvals=[a_stage().model_dump()],
    )
    request = await world.place(item=item, answers={"groups": ["wiki-readers", "wiki-editors"]})
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.waits_for(WaitKind.TASK)
    await request.passes(timedelta(days=2))
    await request.reaches(lambda _: Kind.TASK_OVERDUE in request.kinds)
    await request.work("Grace Guard", "claim", task=2)
    await request.work("Grace Guard", "complete", task=2, tag="A-17")
    await request.report("delivered", place="desk")
    await request.waits_for(WaitKind.PEOPLE)
    await request.decide("Mara Lind", task=3)
    await request.waits_for(WaitKind.TIME)
    await request.passes(timedelta(days=3, minutes=1))
    return request


async def steps_undone(world: World) -> Request:
    """Called off after a grant, a task whose undo is a task, and one that cannot be taken back."""
    back = {"do": "task", "title": "Take back", "assign": GUARDS}
    item = a_steps_item(
        {"id": "read", **GRANT},
        {"id": "hand", "do": "task", "title": "Hand out", "assign": GUARDS, "undo": back},
        {"id": "engrave", **TASK, "title": "Engrave"},
        WAIT,
    )
    request = await world.place(item=item)
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1)
    await request.reaches(lambda p: len(p.tasks) == 2 and bool(p.waiting))
    await request.work("Grace Guard", "complete", task=2)
    await request.waits_for(WaitKind.TIME)
    await request.cancel()
    await request.waits_for(WaitKind.TASK)
    await request.work("Mara Lind", "complete", task=3)
    await request.waits_for_operator()
    await request.operate("skip", task=4)
    return request


async def steps_at_fault(world: World) -> Request:
    """An expression that fails, work that is declined, and an event that never comes."""
    item = a_steps_item(
        {"id": "read", "when": "results.never.was", **GRANT},
        {"id": "do", **TASK, "title": "Do it"},
        {"id": "came", "do": "wait", "event": "delivered", "timeout": "10 days"},
    )
    request = await world.place(item=item)
    await request.waits_for_operator()
    await request.operate("skip", task=1)
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "decline", task=2, reason="No labels left")
    await request.waits_for_operator()
    await request.operate("retry", task=3)
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=4)
    await request.waits_for(WaitKind.EVENT)
    await request.passes(timedelta(days=10, minutes=1))
    await request.waits_for_operator()
    await request.operate("skip", task=5)
    return request


async def steps_with_a_child(world: World) -> Request:
    world.items["reader"] = a_steps_item({"id": "read", **GRANT}, id="reader", form=[])
    return await world.place(item=a_steps_item({"id": "first", "do": "request", "item": "reader"}))


async def bundle(world: World) -> Request:
    """Two parts, one after the other, the second refused."""
    world.items["reader"] = a_steps_item({"id": "read", **GRANT}, id="reader", form=[])
    ada = a_person().ref()
    lines = [
        OrderLine(id=name, item=item, version="1.0.0", item_name=item, beneficiary=ada, after=after)
        for name, item, after in (("reader", "reader", ()), ("nothing", "nothing", ("reader",)))
    ]
    return await world.place(item=an_item(approvals=()), lines=tuple(lines))


async def bundle_called_off(world: World) -> Request:
    world.items["reader"] = a_steps_item({"id": "read", **GRANT}, WAIT, id="reader", form=[])
    line = OrderLine(id="ada", item="reader", version="1.0.0", item_name="Reader", beneficiary=a_person().ref())
    request = await world.place(item=an_item(approvals=()), lines=(line,))
    await request.waits_for(WaitKind.REQUESTS)
    await world.child(request, "ada").waits_for(WaitKind.TIME)
    await request.cancel()
    return request


CASES: tuple[Callable[[World], Awaitable[Request]], ...] = (
    approved,
    rejected,
    expired,
    ineligible,
    cancelled_while_people_decide,
    three_stages,
    operator_retries,
    operator_skips,
    undone_with_help,
    cancelled_in_the_engine,
    nobody_decides,
    steps,
    steps_undone,
    steps_at_fault,
    steps_with_a_child,
    bundle,
    bundle_called_off,
)


def named(case: Callable[[World], Awaitable[Request]]) -> str:
    """Return the name of a case's history: the flow it is about comes first."""
    name = case.__name__.replace("_", "-")
    return name if name.startswith(("steps", "bundle")) else f"access-{name}"


async def record() -> None:
    converter = dataclasses.replace(pydantic_data_converter, failure_converter_class=NoTraces)
    env = await start_environment(data_converter=converter, identity="recorder")
    for case in CASES:
        path = HISTORIES / f"{named(case)}.json"
        if path.exists():
            continue
        world = World(env)
        async with workers(env.client, directory=world.directory, journal=world.journal, place=world.take):
            request = await case(world)
            await request.closes()
        path.write_text((await request.handle.fetch_history()).to_json() + "\n", encoding="utf-8")
        print(f"recorded {path.name}")  # noqa: T201  a script's output
    await env.shutdown()


if __name__ == "__main__":
    asyncio.run(record())
    gc.collect()
