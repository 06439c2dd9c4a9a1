"""The world of one scenario: its company, its systems, its register and intake desk, and the requests that come of it.

Everything the platform touches in a simulation is one of these worlds'; which one, the request tells that asks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle

from activities.connectors.memory import MemoryDelegations, MemoryJournal
from activities.intake import Desk, NotTaken, Wish
from activities.ordering import ChildOrder, Placed
from activities.plugins import Plugins
from activities.ports import Ports
from activities.providers import Choosing, Provider
from catalog import audience, preview
from catalog.calendar_file import PublishedCalendar
from catalog.form import FieldError
from catalog.journal import Entry
from catalog.model import digest
from catalog.people import PersonRef
from catalog.preferences import Preferences
from catalog.registry import Known
from catalog.request import Amendment, Assignee, Batch, Order, Projection, Task
from catalog.scenario_events import GoesDown
from cli.kit.simulation.company import Staff
from cli.kit.simulation.mailing import Post, wishes_of
from cli.kit.simulation.meddling import Outage, Troubles
from cli.kit.simulation.pretending import AnyChoice, Pretender, Safe, handed_in
from cli.kit.simulation.stories import Story
from records.register import AlreadyOpen, Register
from worker.placing import wish_of
from workflows.ending import Closure
from workflows.messages import TASK_QUEUE
from workflows.roster import RosterRound
from workflows.starting import start_of

PLAIN_PROVIDERS = ("groups", "requestable-groups", "my-groups", "people", "entitlements")
"""The providers that ask nothing but the ports they are given; others could reach a real system."""
ROUND = "/round-"
"""What comes between the number of a world's first request and that of a round, in the id of the round."""


@dataclass(frozen=True)
class Run:
    """A workflow of the world.

    Attributes:
        number: its id; a request's number.
    """

    number: str
    handle: WorkflowHandle[Any, Any]


@dataclass(frozen=True)
class Running(Run):
    """A request of the world."""

    order: Order


class RefusedOrder(Exception):
    """The order was not taken.

    Attributes:
        names: fields, codes and rules that say why.
    """

    def __init__(self, errors: tuple[FieldError, ...], rules: frozenset[str] = frozenset()) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}".removeprefix(": ") for error in errors))
        self.names = rules | {name for error in errors for name in (error.field, error.code) if name}


def _already_open(error: AlreadyOpen) -> RefusedOrder:
    return RefusedOrder((FieldError(field="", code="already-open", message=str(error)),))


class World:
    """See the module.

    Attributes:
        requests: the request and those it placed, in the order they began.
        rounds: the looks at who is asked, in their order.
    """

    def __init__(self, story: Story, register: Register, plugins: Plugins, known: Known, client: Client) -> None:
        self.story = story
        self._client = client
        self.register = register
        self.journal = MemoryJournal()
        self.pretender = Pretender(story.scenario)
        self.staff = Staff(story.company, _seen_at)
        self.delegations = MemoryDelegations()
        self.troubles = Troubles(tuple(self._outages()))
        self.requests: list[Running] = []
        self.rounds: list[Run] = []
        self._stack = ExitStack()
        self.choosing = Choosing({name: self._provider(plugins, name) for name in plugins.provider_kinds})
        self.desk = Desk(register=register, directory=self.staff.directory, choose=self.choosing.choices, known=known)
        began = story.scenario.began.astimezone(UTC)
        if story.calendars:
            register.publish_calendars(story.calendars, began, complete=True)
        self.post = Post(register, dict(self._wishes()), began)

    def close(self) -> None:
        """Give everything back."""
        self._stack.close()
        self.register.close()

    @property
    def ports(self) -> Ports:
        """What actions and providers are made from."""
        items = tuple(self.story.shelf.values())
        return Ports(
            directory=self.staff.directory,
            secrets=Safe(self.register),
            http=self.pretender,
            published=lambda: items,
        )

    def record(self, batch: Batch) -> bool:
        """Write a batch into the register, as in earnest, and keep it for the timeline; see `ports.Journal`."""
        at = batch.projection.updated_at
        self.post.deliver(at)  # what was due before it happened
        is_new = self.register.record(batch) and self.journal.record(batch)
        self.post.deliver(at)
        return is_new

    def order(self, began: datetime, key: str = "simulation") -> Order:
        """Put the scenario's order on record, by the same intake as everybody's.

        Args:
            began: when it is placed.
            key: what tells it from others of the same.

        Raises:
            RefusedOrder: the intake does not take it.
        """
        sketch = self.story.scenario.order
        person = self.staff.actor(sketch.by).person
        wish = Wish(
            item=self.story.item.id,
            answers=handed_in(sketch.answers, person, self.register, began),
            requester=person,
            beneficiaries=sketch.beneficiaries,
            channel="api",
            auth="password",
        )
        try:
            assessed = self.desk.assess(wish, began)
            rules = frozenset(denial.rule for one in assessed.people for denial in one.denied)
        except NotTaken as error:
            raise RefusedOrder(error.errors, self._unseen(person, began)) from error
        try:
            return self.desk.take(wish, key, digest(wish), began).taken.order
        except NotTaken as error:
            raise RefusedOrder(error.errors, rules) from error
        except AlreadyOpen as error:
            raise _already_open(error) from error

    def amendment(self, running: Running, changes: dict[str, Any], by: PersonRef, at: datetime) -> Amendment:
        """Return what a request becomes with other answers, checked by the same intake as an order.

        Raises:
            RefusedOrder: the intake would not take such an order.
        """
        given = handed_in(changes, by, self.register, at)
        try:
            judged = self.desk.amend(self.ordered(running), given, at)
        except NotTaken as error:
            raise RefusedOrder(error.errors) from error
        except AlreadyOpen as error:
            raise _already_open(error) from error
        return Amendment(answers=judged.order.answers, cost=judged.order.cost)

    def ordered(self, running: Running) -> Order:
        """Return what a request orders, as it stands now."""
        shown = self.shown(running)
        return running.order.amended(shown.amendment if shown else None)

    def calendars(self) -> tuple[PublishedCalendar, ...]:
        """Return the working hours there are; see `activities.ports.Calendars`."""
        return self.story.calendars

    def chosen(self, person_ids: Collection[str]) -> dict[str, str]:
        """Return the calendars that people have chosen; see `activities.ports.Calendars`."""
        return self.register.chosen(person_ids)

    def _wishes(self) -> Iterator[tuple[str, Preferences]]:
        """Yield what people wish who wish anything, by their ids."""
        for login, sketch in self.story.company.people.items():
            if sketch.preferences != Preferences():
                person = self.staff.directory.person_by_login(login)
                yield person.id, wishes_of(sketch, person, self.story.calendars)

    def _unseen(self, person: PersonRef, at: datetime) -> frozenset[str]:
        """Return the rules by which somebody does not even see the item; to them it is unknown, to its author not."""
        directory, item = self.staff.directory, self.story.item
        profile = directory.person(person.id).profile(directory.groups_of(person.id))
        denied = preview.denials(item.visibility, audience.viewing(item, person, profile, at))
        return frozenset(denial.rule for denial in denied)

    def take(self, child: ChildOrder) -> Placed:
        """Put on record what a request orders."""
        try:
            return Placed(order=self.desk.place(wish_of(child), child.parent, child.line, activity.info().started_time))
        except NotTaken as error:
            return Placed(refused=str(error))

    async def begin(self, order: Order, at: datetime) -> Running:
        """Start a request's workflow so that its clock begins at that moment."""
        handle = await self._client.start_workflow(
            order.workflow_type, order, **start_of(order), result_type=Closure, start_delay=_until(at)
        )
        running = Running(order.number, handle, order)
        self.requests.append(running)
        return running

    async def make_round(self, at: datetime) -> None:
        """Have looked whether open approvals still ask the right people, as soon as the directory answers.

        In earnest this is done every hour; a look that finds the directory down is given up for the next one.
        """
        while outage := self.troubles.outage("directory", at):
            at = outage.ends
        name = f"{self.requests[0].number}{ROUND}{len(self.rounds) + 1}"
        handle = await self._client.start_workflow(
            RosterRound.run, id=name, task_queue=TASK_QUEUE, start_delay=_until(at)
        )
        self.rounds.append(Run(name, handle))

    def shown(self, running: Running) -> Projection | None:
        """Return what the register shows of a request, if anything was written yet."""
        return self.journal.projection(running.number)

    def open_approvals(self, running: Running) -> list[Task]:
        """Return the approvals of a request that wait for people."""
        shown = self.shown(running)
        tasks = shown.tasks if shown else ()
        return [task for task in tasks if task.kind == "approval" and task.decided is None]

    def asked(self, running: Running) -> list[Assignee]:
        """Return those who may decide something of a request now."""
        those = (one for task in self.open_approvals(running) for one in task.assignees)
        return [one for one in those if one.verdict is None]

    def entries(self) -> list[Entry]:
        """Return the entries of all requests, as they happened."""
        entries = [entry for running in self.requests for entry in self.journal.entries(running.number)]
        return sorted(entries, key=lambda entry: (entry.at, entry.request, entry.seq))

    def _outages(self) -> list[Outage]:
        return [
            Outage(event.system, moment, moment + event.lasting)
            for moment, event in self.story.scenario.timed()
            if isinstance(event, GoesDown)
        ]

    def _provider(self, plugins: Plugins, name: str) -> Provider:
        if name not in PLAIN_PROVIDERS:
            return AnyChoice()
        return self._stack.enter_context(plugins.provider_kinds[name].open(self.ports))


class Worlds:
    """The worlds that are being played, by the numbers of their requests."""

    _ROOM = 1_000
    """How many numbers each world has for its requests."""

    def __init__(self, plugins: Plugins, client: Client) -> None:
        self._plugins, self._known, self._client = plugins, plugins.known(), client
        self._open: dict[int, World] = {}
        self._made = 0

    def make(self, story: Story, register_file: Path) -> World:
        """Return a world with numbers of its own; `register_file` is an empty register that becomes its."""
        self._made += 1
        with sqlite3.connect(register_file) as database:
            first = self._made * self._ROOM
            database.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'requests'", (first,))
        database.close()
        register = Register(f"sqlite:///{register_file}")
        world = self._open[self._made] = World(story, register, self._plugins, self._known, self._client)
        return world

    def close(self, world: World) -> None:
        """Forget a world."""
        self._open = {room: one for room, one in self._open.items() if one is not world}
        world.close()

    def of(self, number: str) -> World:
        """Return the world that a request, or a round, belongs to."""
        request, _, _ = number.partition(ROUND)
        return self._open[int(request.removeprefix("REQ-")) // self._ROOM]

    def here(self) -> World:
        """Return the world of the workflow whose activity runs here."""
        number = activity.info().workflow_id
        assert number is not None, "every activity of a simulation belongs to a workflow"
        return self.of(number)

    async def begin(self, order: Order) -> None:
        """Start what a request has ordered, at the time it has."""
        await self.here().begin(order, activity.info().started_time)

    def port(self, find: Callable[[World], Any]) -> Any:
        """Return something that stands for what each world has of its own, wherever it is used."""
        return _Port(lambda: find(self.here()))


class _Port:
    def __init__(self, find: Callable[[], Any]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> Any:
        return getattr(self._find(), name)

    def __call__(self, *args: Any) -> Any:
        return self._find()(*args)


def _until(at: datetime) -> timedelta:
    """Return how long that is from now; the engine starts nothing in the past."""
    return max(at - datetime.now(UTC), timedelta(0))


def _seen_at() -> datetime:
    """Return the time of the request that looks, by its own clock."""
    return activity.info().started_time if activity.in_activity() else datetime.now(UTC)
