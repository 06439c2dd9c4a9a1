"""A request in fulfilment: work for Mara and Ben, an event it waits for, and an engine that keeps the rules of work."""

from __future__ import annotations

import asyncio
from typing import Any

from support.api_world import ApiWorld, FakeEngine
from support.builders import NOON, a_new_order, a_person, an_item

from api.commands import Commands
from api.gateway import NotRunning, Refused
from catalog import rights
from catalog.item import CatalogItem
from catalog.journal import Chain, Entry, Kind
from catalog.request import Assignee, Batch, Outcome, Projection, Status, Task
from workflows.messages import REPORT, WORK, Command, Report, Work

EVIDENCE = [
    {"id": "tag", "type": "text", "label": "Asset tag", "max_length": 20},
    {"id": "witness", "type": "person", "label": "Witness", "required": False},
    {"id": "colour", "type": "choice", "label": "Colour", "provider": "colours", "required": False},
    {"id": "photo", "type": "attachment", "label": "Photo", "media_types": ["image/*"], "required": False},
    {"id": "pin", "type": "secret", "label": "PIN", "required": False},
    {"id": "why_grey", "type": "text", "label": "Why grey?", "visible": "form.tag == 'grey'"},
    {
        "id": "handbook",
        "type": "yes_no",
        "label": "Handbook, too?",
        "required": False,
        "visible": "'handbook' in order.why and beneficiary.login == 'ada' and results.read.changed",
    },
]
_STEPS = [
    {
        "id": "label",
        "do": "task",
        "title": "Label it",
        "assign": [{"rule": "group", "group": "guards"}],
        "evidence": EVIDENCE,
        "irreversible": "A label stays.",
    },
    {"id": "arrival", "do": "wait", "event": "delivered", "timeout": "30 days"},
]
_KINDS = {
    "claim": Kind.TASK_CLAIMED,
    "release": Kind.TASK_RELEASED,
    "complete": Kind.TASK_COMPLETED,
    "decline": Kind.TASK_DECLINED,
}


def labelled_item() -> CatalogItem:
    """Return an item whose steps are a piece of work and a wait for an event."""
    plain = an_item().model_dump(exclude={"workflow", "entitlement", "approvals"})
    return CatalogItem.model_validate(plain | {"steps": _STEPS, "approvals": ()}, extra="forbid")


class Workshop(FakeEngine):
    """The engine of one request, ordered by Ada for herself.

    Attributes:
        number: the request's.
        task: the piece of work, as the workflow has it.
    """

    def __init__(self, world: ApiWorld) -> None:
        super().__init__(world.register)
        self._register = world.register
        self._one_by_one = asyncio.Lock()
        self._answers: dict[str, Entry] = {}
        self._events: set[str] = set()
        self._outcome: Outcome | None = None
        self.number = world.register.take(a_new_order(item=labelled_item(), started=True)).order.number
        self._chain = Chain(self.number)
        self.task = Task(
            id=f"{self.number}.1",
            kind="fulfilment",
            title="Label it",
            instructions="Stick it on the lid.",
            assignees=tuple(Assignee(person=a_person(name).ref()) for name in ("Mara Lind", "Ben Bright")),
            choices=("claim", "release", "complete", "decline"),
            evidence=labelled_item().steps[0].evidence,  # type: ignore[union-attr]  # its first step is work
            known={"results": {"read": {"changed": True}}},
            subject="sha256:subject",
            opened_at=NOON,
        )
        self._record(self._chain.append(Kind.TASK_OPENED, NOON))
        world.parts.commands = Commands(world.register, self, world.parts.sources, world.clock)

    async def command(self, number: str, update: str, message: Command) -> Entry:
        self._reach()
        self.commands.append(message)
        async with self._one_by_one:
            if message.command not in self._answers:
                if self._outcome or number != self.number:
                    raise NotRunning(number)
                assert update == {Work: WORK, Report: REPORT}[type(message)]
                entry = self._reported(message) if isinstance(message, Report) else self._worked(message)
                self._answers[message.command] = entry
                await asyncio.to_thread(self._record, entry)
            return self._answers[message.command]

    def close(self) -> None:
        """End the request."""
        self._outcome = Outcome.FULFILLED
        if self.task.decided is None:
            self.task = self.task.model_copy(update={"decided": "cancelled", "closed_at": NOON})
        self._record(self._chain.append(Kind.CLOSED, NOON))

    def _worked(self, message: Command) -> Entry:
        assert isinstance(message, Work)
        refusal = rights.refuse_work(message.actor, self.task, message.act, message.reason)
        if refusal:
            raise Refused(refusal.code, refusal.message)
        person = message.actor.person
        done: dict[str, Any] = {"decided_by": (person,), "closed_at": NOON}
        changes: dict[str, dict[str, Any]] = {
            "claim": {"claimed_by": person},
            "release": {"claimed_by": None},
            "complete": {"decided": "completed", "answers": message.answers, "claimed_by": person} | done,
            "decline": {"decided": "declined", "reason": message.reason} | done,
        }
        facts = {"task": self.task.id, "title": self.task.title, "answers": message.answers, "reason": message.reason}
        self.task = self.task.model_copy(update=changes[message.act])
        return self._chain.append(_KINDS[message.act], NOON, actor=message.actor, data=facts, command=message.command)

    def _reported(self, message: Report) -> Entry:
        if message.event in self._events:
            raise Refused("already-decided", f"{self.number} knows already of {message.event!r}.")
        self._events.add(message.event)
        facts = {"event": message.event, "data": message.data}
        return self._chain.append(Kind.EVENT_REPORTED, NOON, actor=message.actor, data=facts, command=message.command)

    def _record(self, entry: Entry) -> None:
        projection = Projection(
            number=self.number,
            seq=entry.seq,
            status=Status.CLOSED if self._outcome else Status.FULFILMENT,
            outcome=self._outcome,
            tasks=(self.task,),
            updated_at=NOON,
            closed_at=NOON if self._outcome else None,
        )
        self._register.record(Batch(entries=(entry,), projection=projection))
