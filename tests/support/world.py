"""A company whose people order, decide and fail, around the real workflow code."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.builders import NOON, a_person, an_actor, an_order
from temporalio import activity
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from activities.approvers import Company
from activities.calendars import expand
from activities.connectors.memory import Group, MemoryCalendars, MemoryDirectory, MemoryJournal
from activities.connectors.memory.delegations import MemoryDelegations
from activities.ordering import ChildOrder, Placed
from activities.ports import OpenApprovals
from catalog.access import Membership
from catalog.calendar_file import CalendarFile, PublishedCalendar
from catalog.delegation import Delegation
from catalog.hours import WEEKDAYS
from catalog.http import HttpAnswer, HttpCall
from catalog.item import CatalogItem
from catalog.journal import Entry, Kind, verify
from catalog.people import Actor
from catalog.request import Amendment, Order, Projection, Status, WaitKind
from worker.queues import workers
from workflows.ending import Closure
from workflows.messages import (
    AMEND,
    CANCEL,
    COMMENT,
    CONSIDER,
    DECIDE,
    LOOK_AGAIN,
    REPORT,
    TASK_QUEUE,
    WORK,
    Amend,
    Cancel,
    Command,
    Comment,
    Consider,
    Decide,
    LookAgain,
    Report,
    Work,
)

GROUP = "wiki-editors"


class World:
    """A company whose people order, decide and fail, around one running worker."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self.env = env
        self.journal = MemoryJournal()
        self.directory = MemoryDirectory(
            people=[
                a_person("Ada Byron", manager_id="id-mara"),
                a_person("Mara Lind", manager_id="id-rolf"),
                a_person("Rolf Chief"),
                a_person("Olga Owner"),
                a_person("Grace Guard"),
                a_person("Ines Inactive", active=False, manager_id="id-mara"),
            ],
            groups=[
                Group(GROUP, members=set(), owners=("id-olga",)),
                Group("guards", members={"id-grace", "id-mara", "id-ines"}),
                Group("wiki-readers"),
            ],
        )
        self.delegations = MemoryDelegations()
        self.calendars = MemoryCalendars()
        self.handles: list[WorkflowHandle[Any, Closure]] = []
        self.placed: list[Order] = []
        self.task_timeout: timedelta | None = None
        self.items: dict[str, CatalogItem] = {}
        self.children: dict[tuple[str, str], Order] = {}
        self.calls: list[HttpCall] = []
        self.slow_intake = threading.Event()
        self.slow_intake.set()

    def delegates(self, who: str, to: str, since: datetime, until: datetime) -> None:
        """Have somebody decide in another's place; open requests are not told."""
        person, delegate = a_person(who).ref(), a_person(to).ref()
        known = {"id": f"d{len(self.delegations.known)}", "set_by": person, "created_at": since}
        self.delegations.known.append(Delegation(person=person, delegate=delegate, begins=since, ends=until, **known))

    async def place(self, **order: Any) -> Request:
        """Start a request as the sweeper would."""
        placed = an_order(f"REQ-{uuid.uuid4().hex[:10]}", **order)
        handle: WorkflowHandle[Any, Closure] = await self.env.client.start_workflow(
            placed.workflow_type,
            placed,
            id=placed.number,
            task_queue=TASK_QUEUE,
            result_type=Closure,
            task_timeout=self.task_timeout,
        )
        self.handles.append(handle)
        self.placed.append(placed)
        return Request(self, placed, handle)

    def take(self, child: ChildOrder) -> Placed:
        """Put the order of a request's part on record, as the intake does."""
        assert self.slow_intake.wait(30)
        item = self.items.get(child.item)
        if item is None:
            return Placed(refused=f"There is no item {child.item!r}.")
        order = an_order(
            f"{child.parent}-{child.line}",
            item=item,
            answers=child.answers,
            requester=child.requester,
            beneficiary=self.directory.person_by_login(child.beneficiary).ref(),
            parent=child.parent,
            line=child.line,
        )
        return Placed(order=self.children.setdefault((child.parent, child.line), order))

    @activity.defn(name="http.send")
    def send(self, call: HttpCall) -> HttpAnswer:
        """Answer an HTTP step as a server would that does what it is told."""
        self.calls.append(call)
        seen = {"present": True, "changed": True, "ours": True, "at": NOON, "where": "a.example"}
        return HttpAnswer(status=200, body={"done": True}, **seen)

    def child(self, parent: Request, line: str) -> Request:
        """Return a request that another one has placed."""
        order = self.children[parent.number, line]
        handle = self.env.client.get_workflow_handle(order.number, result_type=Closure)
        return Request(self, order, handle)

    def is_member(self, person_id: str = "id-ada", group: str = GROUP) -> bool:
        return self.directory.is_member(Membership(person_id=person_id, group=group))


class Request:
    """One request in the world."""

    def __init__(self, world: World, order: Order, handle: WorkflowHandle[Any, Closure]) -> None:
        self.world, self.order, self.handle = world, order, handle
        self.number = order.number

    @property
    def entries(self) -> list[Entry]:
        return self.world.journal.entries(self.number)

    @property
    def kinds(self) -> list[Kind]:
        return [entry.kind for entry in self.entries]

    @property
    def now(self) -> Projection:
        projection = self.world.journal.projection(self.number)
        assert projection is not None
        return projection

    def last(self, kind: Kind) -> Entry:
        return [entry for entry in self.entries if entry.kind is kind][-1]

    async def reaches(self, check: Callable[[Projection], bool], timeout: float = 40) -> Projection:
        """Wait until the register shows a state."""
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            projection = self.world.journal.projection(self.number)
            if projection and check(projection):
                return projection
            assert asyncio.get_running_loop().time() < deadline, f"not reached; the register shows {projection}"
            await asyncio.sleep(0.01)  # polls the register, which has no way to call back

    async def waits_for_people(self) -> Projection:
        return await self.reaches(lambda p: p.status is Status.APPROVAL and bool(p.waiting))

    async def waits_for_operator(self) -> Projection:
        return await self.reaches(lambda p: p.status is Status.ATTENTION and bool(p.waiting))

    async def decide(
        self,
        who: str | Actor,
        choice: str = "approve",
        reason: str = "fine",
        *,
        task: int = 1,
        command: str = "",
        **other: Any,
    ) -> Entry:
        command = command or uuid.uuid4().hex
        actor = who if isinstance(who, Actor) else an_actor(who)
        message = Decide(
            task=f"{self.number}.{task}", choice=choice, reason=reason, actor=actor, command=command, **other
        )
        return await self._send(DECIDE, message)

    async def _send(self, update: str, message: Command) -> Entry:
        """Send a command as the API does: again, while the workflow is behind what the register shows."""
        while True:
            try:
                entry = await self.handle.execute_update(update, message, id=message.command, result_type=Entry)
            except WorkflowUpdateFailedError as error:
                known = isinstance(message, Decide | Work | Consider) and any(
                    task.id == message.task for task in self.now.tasks
                )
                if known and isinstance(error.cause, ApplicationError) and error.cause.type == "unknown-task":
                    continue
                raise
            assert isinstance(entry, Entry)
            return entry

    async def operate(self, choice: str, *, task: int, reason: str = "seen to it") -> Entry:
        return await self.decide(an_actor("Otto Operator", operator=True), choice, reason, task=task)

    async def consider(
        self, who: str | Actor, act: str, text: str = "", *, task: int = 1, person: str = "", seat: str = ""
    ) -> Entry:
        """Do something about a decision short of deciding."""
        message = Consider(
            task=f"{self.number}.{task}",
            act=act,
            text=text,
            person=a_person(person).ref() if person else None,
            seat=seat,
            actor=who if isinstance(who, Actor) else an_actor(who),
            command=uuid.uuid4().hex,
        )
        return await self._send(CONSIDER, message)

    async def amend(self, who: str = "Ada Byron", *, of: str = "", **answers: Any) -> Entry:
        """Change what was ordered; `of` is the digest of what it was."""
        amendment = Amendment(answers={**self.order.answers, **answers}, of=of)
        return await self._send(AMEND, Amend(amendment=amendment, actor=an_actor(who), command=uuid.uuid4().hex))

    async def look_again(self, *people: str, rule: str = "people.changed") -> None:
        """Tell it that who may decide may have changed."""
        ids = tuple(a_person(name).id for name in people)
        await self.handle.signal(LOOK_AGAIN, LookAgain(people=ids, rule=rule))

    async def sees(self, kind: Kind, count: int = 1) -> Entry:
        """Wait until so many entries of a kind stand in the register; returns the last of them."""
        await self.reaches(lambda _: self.kinds.count(kind) >= count)
        assert self.kinds.count(kind) == count
        return self.last(kind)

    def asked(self, task: int = 1) -> list[str]:
        """Return who may decide a task now, by login."""
        return [one.person.login for one in self.now.tasks[task - 1].assignees if one.verdict is None]

    def told(self, template: str) -> list[str]:
        """Return who was told that, by login, in the order of the messages."""
        return [one.to.login for one in self.world.journal.notices(self.number) if one.template == template]

    async def cancel(self, who: str = "Ada Byron", reason: str = "no longer needed") -> Entry:
        command = uuid.uuid4().hex
        message = Cancel(actor=an_actor(who), reason=reason, command=command)
        return await self._send(CANCEL, message)

    async def work(self, who: str | Actor, act: str, *, task: int, reason: str = "", **answers: Any) -> Entry:
        actor = who if isinstance(who, Actor) else an_actor(who)
        message = Work(
            task=f"{self.number}.{task}", act=act, answers=answers, reason=reason, actor=actor, command=uuid.uuid4().hex
        )
        return await self._send(WORK, message)

    async def report(self, event: str, **data: Any) -> Entry:
        operator = an_actor("Otto Operator", operator=True)
        return await self._send(REPORT, Report(event=event, data=data, actor=operator, command=uuid.uuid4().hex))

    async def waits_for(self, kind: WaitKind, count: int = 1) -> Projection:
        """Wait until the register shows so many waits of a kind."""
        return await self.reaches(lambda p: sum(one.kind is kind for one in p.waiting) == count)

    def titled(self, text: str) -> int:
        """Return the number of the open task with that in its title: side by side, tasks open in any order."""
        (found,) = (task for task in self.now.tasks if text in task.title and not task.decided)
        return int(found.id.rpartition(".")[2])

    async def comment(self, who: str, text: str) -> Entry:
        command = uuid.uuid4().hex
        message = Comment(actor=an_actor(who), text=text, command=command)
        return await self._send(COMMENT, message)

    async def closes(self) -> Closure:
        """Wait for the end, and see that the journal is whole."""
        closure = await asyncio.wait_for(self.handle.result(), 30)
        assert verify(self.entries) == []
        assert self.now.outcome == closure.outcome
        assert self.now.waiting == ()
        assert all(task.decided for task in self.now.tasks)
        return closure

    async def passes(self, time: timedelta) -> None:
        """Let time go by for this request."""
        await self.world.env.fast_forward(self.handle, time)


def works_later(world: World) -> None:
    """Have Mara work in a few hours, daily, from three to six hours from now."""
    now = datetime.now(UTC)
    opens, ends = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (3, 6))
    file = CalendarFile.model_validate(
        {"id": "late", "name": "Late", "zone": "UTC", "hours": {day: [f"{opens}-{ends}"] for day in WEEKDAYS}}
    )
    world.calendars.known.append(PublishedCalendar(file=file, calendar=expand(file, {}, now.date())))
    world.calendars.choices["id-mara"] = "late"


async def reminded_later(world: World) -> Request:
    """Return a request whose approver works in a few hours, daily, and was asked for a decision before that."""
    works_later(world)
    request = await world.place()
    await request.waits_for_people()
    await request.consider("Ada Byron", "remind")
    return request


async def refusal(sent: Any) -> str:
    """Return the code with which a command was refused."""
    return (await refused(sent))[0]


async def refused(sent: Any) -> tuple[str, str]:
    """Return the code with which a command was refused, and what was said."""
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await sent
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type
    return cause.type, cause.message


@asynccontextmanager
async def served(
    made: World, *, max_cached_workflows: int, awaiting: OpenApprovals | None = None
) -> AsyncIterator[World]:
    """Run workers for a world, and end what its requests leave running."""
    async with workers(
        made.env.client,
        directory=made.directory,
        company=Company(delegations=made.delegations, calendars=made.calendars),
        journal=made.journal,
        awaiting=awaiting,
        place=made.take,
        served={"commissary-http": [made.send]},
        max_cached_workflows=max_cached_workflows,
    ):
        yield made
    for handle in made.handles:
        try:
            await handle.terminate("the test is over")
        except RPCError:
            continue  # it had ended
