"""The API around a real register, a company in memory, and an engine that behaves like the real one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import httpx
from cryptography.fernet import Fernet
from fastapi import FastAPI
from support.builders import NOON, a_person, an_actor, an_item
from support.waiting import until

from activities import plugins
from activities.connectors.memory import Group, MemoryDirectory
from activities.connectors.sealed import SealedSecrets
from api import intake
from api.app import create_app
from api.gateway import ChoicesUnavailable, EngineUnavailable, NotRunning, NoWorker
from api.parts import Parts
from api.schemas.orders import OrderIn
from api.shelf import Shelf, Stock
from catalog.ballot import Verdict
from catalog.choices import Choice, Choices, ChoicesQuery
from catalog.fields import PersonField, TextField
from catalog.item import CatalogItem
from catalog.journal import Chain, Entry, Kind
from catalog.loader import Catalog
from catalog.people import PersonRef
from catalog.request import (
    Amendment,
    Assignee,
    Batch,
    Order,
    Outcome,
    Projection,
    Status,
    Task,
    Waiting,
    WaitKind,
)
from records.register import Register
from workflows.considering import CONSIDERED
from workflows.messages import (
    AMEND,
    CANCEL,
    COMMENT,
    CONSIDER,
    DECIDE,
    DIRECTORY_QUEUE,
    TASK_QUEUE,
    Amend,
    Cancel,
    Command,
    Comment,
    Consider,
    Decide,
    LookAgain,
)

SECRET = "correct-horse-battery-staple-0123456789"
OPERATORS = "commissary-operators"
PASSWORD = "open sesame"
KNOWN = plugins.known()


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, time: timedelta) -> None:
        self.now += time


class FakeEngine:
    """Implements `api.gateway.Gateway`: runs every request to its one approval, by Mara, and to its end.

    Attributes:
        down: nothing is reached.
        worker: somebody carries out commands.
        quiet: workflows begin without a word in the register.
        starts: how often each workflow was really started.
        attempts: how often a start was asked for.
        fails: what a start or a command raises, once.
        choose: what the providers say.
        told: which requests were told to look again, and why.
    """

    def __init__(self, register: Register) -> None:
        self.down, self.worker, self.quiet = False, True, False
        self.starts: Counter[str] = Counter()
        self.attempts = 0
        self.commands: list[Command] = []
        self.told: list[tuple[str, LookAgain]] = []
        self.fails: list[Exception] = []
        self.choose: Callable[[ChoicesQuery], Choices] = lambda _: Choices(choices=())
        self._register = register
        self._runs: dict[str, _Run] = {}

    async def start(self, order: Order) -> None:
        self.attempts += 1
        self._reach()
        if order.number not in self._runs:
            self.starts[order.number] += 1
            run = self._runs[order.number] = _Run(order)
            if not self.quiet:
                await asyncio.to_thread(self._register.record, run.opening())

    async def command(self, number: str, update: str, message: Command) -> Entry:
        self._reach()
        self.commands.append(message)
        assert update == _UPDATES[type(message)]
        run = self._runs.get(number)
        if run is None or run.ended:
            raise NotRunning(number)
        if not self.worker:
            raise NoWorker("nobody there")
        if message.command not in run.answers:
            batch = run.carry_out(message)
            run.answers[message.command] = next(e for e in batch.entries if e.command == message.command)
            await asyncio.to_thread(self._register.record, batch)
        return run.answers[message.command]

    async def look_again(self, number: str, message: LookAgain) -> None:
        self._reach()
        self.told.append((number, message))

    async def choices(self, query: ChoicesQuery) -> Choices:
        if self.down or not self.worker:
            raise ChoicesUnavailable("nobody there")
        return self.choose(query)

    async def pollers(self, queues: Collection[str] = ()) -> dict[str, int]:
        self._reach()
        return dict.fromkeys((TASK_QUEUE, DIRECTORY_QUEUE, *queues), int(self.worker))

    def _reach(self) -> None:
        if self.fails:
            raise self.fails.pop(0)
        if self.down:
            raise EngineUnavailable("connection refused")

    def lose_all(self) -> None:
        """Forget every run, as if the requests had ended long ago."""
        self._runs.clear()

    def ask_operator(self, number: str) -> Batch:
        """Return the batch in which the request fails and an operator is asked."""
        return self._runs[number].failing()


_UPDATES = {Decide: DECIDE, Consider: CONSIDER, Amend: AMEND, Cancel: CANCEL, Comment: COMMENT}


class _Run:
    def __init__(self, order: Order) -> None:
        self.order = order
        self.answers: dict[str, Entry] = {}
        self.ended = False
        self.amendment: Amendment | None = None
        self.chain = Chain(order.number)
        self.tasks = {f"{order.number}.1": self._approval()}

    def _approval(self) -> Task:
        return Task(
            id=f"{self.order.number}.1",
            kind="approval",
            title="Approve access",
            stage="manager",
            assignees=(Assignee(person=a_person("Mara Lind").ref()),),
            choices=("approve", "reject"),
            subject=self.order.subject,
            opened_at=NOON,
        )

    def opening(self) -> Batch:
        return self._batch(self.chain.append(Kind.OPENED, NOON), status=Status.APPROVAL)

    def failing(self) -> Batch:
        task = Task(
            id=f"{self.order.number}.2",
            kind="operator",
            title="The directory refuses",
            choices=("retry", "skip", "cancel"),
            problem="insufficientAccessRights",
            subject=self.order.subject,
            opened_at=NOON,
        )
        self.tasks[task.id] = task
        return self._batch(self.chain.append(Kind.OPERATOR_ASKED, NOON), status=Status.ATTENTION)

    def carry_out(self, message: Command) -> Batch:
        match message:
            case Comment():
                entry = self._caused(Kind.COMMENT, message, {"text": message.text})
                return self._batch(entry, status=Status.APPROVAL)
            case Cancel():
                return self._end(self._caused(Kind.CANCEL_REQUESTED, message, {"reason": message.reason}))
            case Decide():
                return self._decided(message)
            case Amend():
                self.amendment = message.amendment
                facts = {"changed": [], "reason": message.reason, "said": message.said}
                return self._batch(self._caused(Kind.AMENDED, message, facts), status=Status.APPROVAL)
            case Consider():
                return self._considered(message)
            case _:
                raise AssertionError(message)

    def _decided(self, message: Decide) -> Batch:
        says = {"task": message.task, "choice": message.choice, "reason": message.reason}
        task = self.tasks[message.task]
        kind = Kind.VOTE if task.kind == "approval" else Kind.OPERATOR_DECIDED
        entry = self._caused(kind, message, says)
        person = message.actor.person
        changes: dict[str, Any] = {"decided": message.choice, "decided_by": (person,), "closed_at": NOON}
        if task.kind == "approval":
            verdict = Verdict(message.choice)
            changes["assignees"] = (Assignee(person=person, verdict=verdict, at=NOON),)
        self.tasks[message.task] = task.model_copy(update=changes)
        return self._end(entry)

    def _considered(self, message: Consider) -> Batch:
        says: dict[str, Any] = {"task": message.task, "name": "Manager"}
        says |= {"text": message.text} if message.text else {}
        says |= {"person": message.person.model_dump(mode="json")} if message.person else {}
        says |= {"seat": message.seat or message.actor.person.id} if message.act == "reassign" else {}
        return self._batch(self._caused(CONSIDERED[message.act], message, says), status=Status.APPROVAL)

    def _caused(self, kind: Kind, message: Command, says: dict[str, Any]) -> Entry:
        return self.chain.append(kind, NOON, actor=message.actor, data=says, command=message.command)

    def _end(self, cause: Entry) -> Batch:
        self.ended = True
        outcome = {"approve": Outcome.FULFILLED, "reject": Outcome.REJECTED}.get(
            cause.data.get("choice", ""), Outcome.CANCELLED
        )
        for task in self.tasks.values():
            if task.decided is None:
                self.tasks[task.id] = task.model_copy(update={"decided": "cancelled", "closed_at": NOON})
        by = None if cause.actor is None or outcome is Outcome.FULFILLED else cause.actor
        closing = self.chain.append(Kind.CLOSED, NOON)
        closing = closing.model_copy(update={"actor": by}).sealed()
        return self._batch(cause, closing, status=Status.CLOSED, outcome=outcome)

    def _batch(self, *entries: Entry, status: Status, outcome: Outcome | None = None) -> Batch:
        mara = a_person("Mara Lind").ref()
        asked = {"who": (mara,), "since": NOON, "rule": "approver.manager", "task": f"{self.order.number}.1"}
        waiting = Waiting(kind=WaitKind.PEOPLE, what="Mara decides", **asked)
        projection = Projection(
            number=self.order.number,
            seq=self.chain.seq,
            status=status,
            outcome=outcome,
            waiting=() if outcome else (waiting,),
            tasks=tuple(self.tasks.values()),
            amendment=self.amendment,
            updated_at=NOON,
            closed_at=NOON if outcome else None,
        )
        return Batch(entries=entries, projection=projection)


class _Shelf(Shelf):
    """A shelf on which only tests put something."""

    def look(self) -> None:
        """Leave it as it is."""


class ApiWorld:
    """The API and the people who use it."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.clock = Clock()
        self.engine = FakeEngine(register)
        self.directory = _company()
        self.choices = ["red", "green", "blue"]
        form = (
            TextField(id="why", type="text", label="Why", max_length=100),
            PersonField(id="buddy", type="person", label="Buddy", required=False),
        )
        self.engine.choose = self.choose
        self.parts = Parts(
            register=register,
            directory=self.directory,
            gateway=self.engine,
            shelf=_Shelf((), register, KNOWN, self.clock),
            known=KNOWN,
            secrets=SealedSecrets(register, [Fernet.generate_key().decode()]),
            secret=SECRET,
            operators_group=OPERATORS,
            clock=self.clock,
        )
        editor = an_item(form=form, duplicates="allow")  # so that a test may order it as often as it likes
        self.shelve(editor, an_item(id="wiki-admin", name="Wiki admin", form=()))
        self.app: FastAPI = create_app(self.parts)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://api"
        )
        self._tokens: dict[str, str] = {}

    @property
    def catalog(self) -> Catalog:
        """What stands on the shelf."""
        return self.parts.shelf.stock.catalog

    def shelve(self, *items: CatalogItem) -> None:
        """Publish these items, and put them on the shelf in the place of what stands there."""
        for item in items:
            self.register.publish(item, f"{item.id}.yaml", self.clock.now)
        self.parts.shelf.stock = Stock(Catalog(items))

    def choose(self, query: ChoicesQuery) -> Choices:
        """Return what a provider answers: every provider knows `self.choices`."""
        found = [value for value in self.choices if query.value in (None, value) and query.search in value]
        return Choices(choices=tuple(Choice(value=value, label=value.title()) for value in found))

    async def token(self, login: str) -> str:
        if login not in self._tokens:
            answer = await self.http.post("/api/v1/session", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            self._tokens[login] = answer.json()["token"]
        return self._tokens[login]

    async def send(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request below /api/v1 as that person."""
        headers = {"Authorization": f"Bearer {await self.token(who)}"} | options.pop("headers", {})
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **options)

    async def get(self, who: str, path: str, **options: Any) -> httpx.Response:
        return await self.send(who, "GET", path, **options)

    async def post(self, who: str, path: str, body: Any = None, *, key: str = "", **options: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.send(who, "POST", path, json=body, headers=headers, **options)

    async def orders(self, who: str = "ada", *, key: str = "key-1", **body: Any) -> httpx.Response:
        """Order the wiki editor's access."""
        return await self.post(who, "/requests", {"item": "wiki-editor", "answers": {"why": "work"}} | body, key=key)

    async def placed(self, who: str = "ada", *, key: str = "key-1", **body: Any) -> str:
        """Order, wait until the workflow has begun, and return the number."""
        answer = await self.orders(who, key=key, **body)
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["number"]
        await until(lambda: self.status(number) is Status.APPROVAL)
        return number

    def status(self, number: str) -> Status:
        view = self.register.request(number)
        assert view
        return view.projection.status

    def journal(self, number: str) -> list[Kind]:
        return [entry.kind for entry in self.register.journal(number)]

    def take(self, key: str, body: OrderIn) -> str:
        """Take an order of Ada's in the thread that calls, as the route does; returns its number."""
        received = intake.take(body, key, an_actor(), at=NOON, desk=self.parts.desk, register=self.register)
        return received.taken.order.number

    def count(self) -> int:
        """Return how many requests are on record."""
        return len(self.register.requests(viewer=None, limit=200).items)


def _company() -> MemoryDirectory:
    people = [
        a_person("Ada Byron", manager_id="id-mara"),
        a_person("Ben Bright", manager_id="id-mara"),
        a_person("Mara Lind"),
        a_person("Sam Stranger"),
        a_person("Otto Operator"),
        a_person("Ines Inactive", active=False),
    ]
    return MemoryDirectory(
        people, [Group(OPERATORS, {"id-otto", "id-ines"})], {person.id: PASSWORD for person in people}
    )


def expect_problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Return the body of an error answer after seeing that it is the problem it should be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["type"] == f"https://commissary.example/problems/{slug}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def ref(name: str) -> PersonRef:
    return a_person(name).ref()
