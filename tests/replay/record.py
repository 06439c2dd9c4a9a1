"""Record the histories that the replay tests keep: `python tests/replay/record.py`.

Writes only the ones that do not stand yet. A recorded history is a promise to every request that runs by it: it
is never edited and never recorded again; a change of the workflow that adds a branch adds a history.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.builders import NOON, a_person, a_stage, a_steps_item, an_item, an_order
from support.temporal import start_environment
from support.world import Request, World, reminded_later, served, works_later
from temporalio.api.failure.v1 import Failure
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter

from activities.errors import Rejected, UnknownOutcome
from catalog import names
from catalog.journal import Kind
from catalog.request import OrderLine, WaitKind
from catalog.sla_spec import ClockSpec
from catalog.stages import ByGroup, ByOwner, ByPerson, Escalation, Reminders
from catalog.terms import terms


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


DAY, HOUR = timedelta(days=1), timedelta(hours=1)
CHIEF = ByPerson(rule="person", person="rolf")
GUARDED = a_stage(id="guards", name="Guards", approvers=(ByGroup(rule="group", group="guards"),))


async def delegated(world: World) -> Request:
    """Mara has delegated when it is ordered; later the delegation ends, another begins, and that delegate decides."""
    now = datetime.now(UTC)
    world.delegates("Mara Lind", "Grace Guard", now - DAY, now + DAY)
    request = await world.place()
    await request.waits_for_people()
    world.delegations.known.clear()
    world.delegates("Mara Lind", "Rolf Chief", now - DAY, now + DAY)
    await request.look_again("Mara Lind", rule="delegation.ends")
    await request.sees(Kind.APPROVERS_CHANGED)
    await request.decide("Rolf Chief")
    return request


async def replaced(world: World) -> Request:
    """The approver leaves, then everybody who could decide; an operator sees to it."""
    request = await world.place(item=an_item(owner="nobody"))
    await request.waits_for_people()
    world.directory.put_person(a_person("Mara Lind", manager_id="id-rolf", active=False))
    await request.look_again("Mara Lind", rule="people.changed")
    await request.sees(Kind.APPROVERS_CHANGED)
    world.directory.put_person(a_person("Rolf Chief", active=False))
    await request.look_again("Rolf Chief", rule="people.changed")
    await request.waits_for_operator()
    world.directory.put_person(a_person("Rolf Chief"))
    await request.operate("retry", task=2)
    await request.waits_for_people()
    await request.decide("Rolf Chief")
    return request


async def escalated(world: World) -> Request:
    """Two reminders, a notice, a level that may decide as well, one that decides instead."""
    levels = (
        Escalation(to=(CHIEF,), notice=12 * HOUR, decide_within=2 * DAY),
        Escalation(to=(ByOwner(rule="owner"),), how="replace", decide_within=2 * DAY),
    )
    stage = a_stage(decide_within=4 * DAY, remind=Reminders(after=DAY, every=DAY, at_most=2), escalate=levels)
    request = await world.place(item=an_item(approvals=(stage,)))
    await request.waits_for_people()
    await request.passes(4 * DAY + HOUR)
    await request.sees(Kind.ESCALATED)
    await request.passes(2 * DAY + HOUR)
    await request.sees(Kind.ESCALATED, 2)
    await request.decide("Olga Owner")
    return request


async def asked(world: World) -> Request:
    """A question that is answered late, one that is not answered, and a decision all the same."""
    stage = a_stage(decide_within=2 * DAY, answer_within=3 * DAY, unanswered="return", remind=Reminders(after=DAY))
    request = await world.place(item=an_item(approvals=(stage,)))
    await request.waits_for_people()
    await request.consider("Mara Lind", "ask", "What for?")
    await request.passes(2 * DAY)
    await request.sees(Kind.INFO_LATE)
    await request.consider("Ada Byron", "answer", "For the handbook.", task=2)
    await request.consider("Mara Lind", "ask", "Which one?")
    await request.passes(3 * DAY + HOUR)
    await request.sees(Kind.INFO_MISSED)
    await request.decide("Mara Lind")
    return request


async def asked_in_own_time(world: World) -> Request:
    """A question, after which the approver is told in their own hours that the new deadline comes near."""
    works_later(world)
    remind = Reminders(after=DAY, every=DAY)
    stage = a_stage(decide_within=3 * DAY, notice=DAY / 2, remind=remind)
    request = await world.place(item=an_item(approvals=(stage,)))
    await request.waits_for_people()
    await request.consider("Mara Lind", "ask", "What for?")
    await request.passes(5 * HOUR)
    await request.consider("Ada Byron", "answer", "For the handbook.", task=2)
    await request.passes(71 * HOUR)
    await request.sees(Kind.APPROVERS_REMINDED, 2)
    await request.sees(Kind.DEADLINE_NEAR)
    await request.decide("Mara Lind")
    return request


async def asked_before_own_time(world: World) -> Request:
    """The same, as it was before: told at their next hours, with the second reminder."""
    return await asked_in_own_time(world)


async def never_answered(world: World) -> Request:
    request = await world.place(item=an_item(approvals=(a_stage(answer_within=3 * DAY),)))
    await request.waits_for_people()
    await request.consider("Mara Lind", "ask", "What for?")
    await request.passes(3 * DAY + HOUR)
    return request


async def considered(world: World) -> Request:
    """Handed on, put before one more, advised, reminded, taken back, decided."""
    request = await world.place(item=an_item(approvals=(a_stage(quorum="all"),)))
    await request.waits_for_people()
    await request.consider("Mara Lind", "consult", "Is this safe?", person="Olga Owner")
    await request.consider("Olga Owner", "advise", "Yes.", task=2)
    await request.consider("Mara Lind", "reassign", "you know her", person="Grace Guard")
    await request.consider("Grace Guard", "add", "the chief should know", person="Rolf Chief")
    await request.consider("Ada Byron", "remind")
    await request.decide("Grace Guard")
    await request.consider("Grace Guard", "withdraw", "I misread it")
    await request.decide("Rolf Chief")
    await request.decide("Grace Guard")
    return request


async def amended(world: World) -> Request:
    """Two stages; after the first the order changes, and only who decided on what has changed decides again."""
    owner = a_stage(id="owner", name="Owner", approvers=(ByOwner(rule="owner"),))
    request = await world.place(item=an_item(approvals=(a_stage(), owner)))
    await request.waits_for_people()
    await request.decide("Mara Lind")
    await request.reaches(lambda p: len(p.tasks) == 2)
    await request.amend(why="I keep two handbooks.")
    await request.reaches(lambda p: len(p.tasks) == 3)
    await request.decide("Mara Lind", task=3)
    await request.reaches(lambda p: len(p.tasks) == 4)
    await request.decide("Olga Owner", task=4)
    return request


async def side_by_side(world: World) -> Request:
    """Two stages at once, of which an amendment concerns one, and one after both."""
    second = GUARDED.model_copy(update={"after": ()})
    last = a_stage(id="last", name="Last", approvers=(ByOwner(rule="owner"),), after=("manager", "guards"))
    request = await world.place(item=an_item(approvals=(a_stage(concerns=()), second, last)))
    await request.waits_for(WaitKind.PEOPLE, 2)
    await request.amend(why="I keep two handbooks.")
    await request.reaches(lambda p: len(p.tasks) == 3)
    await request.decide("Mara Lind", task=request.titled("Manager"))
    await request.passes(DAY)
    await request.decide("Grace Guard", task=request.titled("Guards"))
    await request.reaches(lambda p: len(p.tasks) == 4)
    await request.decide("Olga Owner", task=4)
    return request


async def superseded(world: World) -> Request:
    """Another order takes its place while people decide."""
    request = await world.place()
    await request.waits_for_people()
    await superseding(world, request)
    return request


async def superseding(world: World, old: Request | None = None) -> Request:
    """Takes the place of another order, and is decided."""
    if old is None:
        old = await world.place()
        await old.waits_for_people()
    new = await world.place(replaces=old.number)
    await new.waits_for_people()
    await new.decide("Mara Lind")
    return new


async def reminded_in_the_morning(world: World) -> Request:
    """Somebody asks for a decision out of the approver's hours, and so they are reminded when these begin."""
    request = await reminded_later(world)
    await request.passes(timedelta(hours=4))
    await request.sees(Kind.APPROVERS_REMINDED, 2)
    await request.decide("Mara Lind")
    return request


async def clocks(world: World) -> Request:
    """A clock is warned of, stands still during a question, and is breached; another is stopped in time."""
    specs = tuple(
        ClockSpec.model_validate({"id": measures, "measures": measures, "target": target})
        for measures, target in (("response", "3 days"), ("decision", "4 days"))
    )
    item = an_item(clocks=specs)
    measured = terms(item, names.of_order(an_order(item=item), NOON), {})
    request = await world.place(item=item, terms=measured)
    await request.waits_for_people()
    await request.passes(2 * DAY + HOUR)
    await request.consider("Mara Lind", "ask", "What for?")
    await request.passes(5 * DAY)
    await request.consider("Ada Byron", "answer", "For the handbook.", task=2)
    await request.passes(2 * DAY)
    await request.reaches(lambda _: Kind.CLOCK_BREACHED in request.kinds)
    await request.decide("Mara Lind")
    return request


async def continued(world: World) -> Request:
    """Goes on in other runs: with a vote, a question and an amendment, with stages side by side, and with a clock."""
    spec = ClockSpec.model_validate({"id": "decision", "measures": "decision", "target": "4 days"})
    both = GUARDED.model_copy(update={"after": (), "quorum": "all", "decide_within": 9 * DAY})
    item = an_item(approvals=(a_stage(concerns=(), remind=Reminders(after=DAY)), both), clocks=(spec,))
    measured = terms(item, names.of_order(an_order(item=item), NOON), {})
    request = await world.place(item=item, terms=measured)
    await request.waits_for(WaitKind.PEOPLE, 2)
    await request.amend(why="I keep two handbooks.")
    await request.reaches(lambda p: len(p.tasks) == 3)
    guards, manager = request.titled("Guards"), request.titled("Manager")
    await request.decide("Grace Guard", task=guards)
    await request.consider("Mara Lind", "ask", "What for?", task=manager)
    for remark in range(3):
        await request.comment("Ada Byron", f"remark {remark}")
    await request.consider("Ada Byron", "answer", "For the handbook.", task=4)
    await request.passes(5 * DAY)
    await request.reaches(lambda _: Kind.CLOCK_BREACHED in request.kinds)
    for remark in range(3):
        await request.comment("Ada Byron", f"another remark {remark}")
    await request.decide("Mara Lind", task=manager)
    await request.decide("Mara Lind", task=guards)
    return request


SOON = ("limit.historyCount.suggestContinueAsNew=60",)
"""So that a request goes on in another run after a few commands."""
LONG = (continued,)
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
    delegated,
    replaced,
    escalated,
    asked,
    asked_before_own_time,
    asked_in_own_time,
    never_answered,
    considered,
    amended,
    side_by_side,
    superseded,
    superseding,
    reminded_in_the_morning,
    clocks,
    *LONG,
)


def named(case: Callable[[World], Awaitable[Request]]) -> str:
    """Return the name of a case's history: the flow it is about comes first."""
    name = case.__name__.replace("_", "-")
    return name if name.startswith(("steps", "bundle")) else f"access-{name}"


async def runs(request: Request) -> AsyncIterator[WorkflowHistory]:
    """Yield the histories of a request's runs, in order; most have one."""
    run_id = request.handle.first_execution_run_id or ""
    while run_id:
        handle = request.world.env.client.get_workflow_handle(request.number, run_id=run_id)
        yield (history := await handle.fetch_history())
        run_id = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id


async def record() -> None:
    converter = dataclasses.replace(pydantic_data_converter, failure_converter_class=NoTraces)
    for case in CASES:
        if [*HISTORIES.glob(f"{named(case)}.json"), *HISTORIES.glob(f"{named(case)}-1.json")]:
            continue
        settings = SOON if case in LONG else ()
        env = await start_environment(settings, data_converter=converter, identity="recorder")
        async with served(World(env), max_cached_workflows=1000) as world:
            request = await case(world)
            await request.closes()
            histories = [history async for history in runs(request)]
        for number, history in enumerate(histories, 1):
            name = f"{named(case)}-{number}" if len(histories) > 1 else named(case)
            (HISTORIES / f"{name}.json").write_text(history.to_json() + "\n", encoding="utf-8")
            print(f"recorded {name}")  # noqa: T201  a script's output
        await env.shutdown()


if __name__ == "__main__":
    asyncio.run(record())
    gc.collect()
