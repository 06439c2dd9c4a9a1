"""The batches a request's workflow would write, one after the other, for tests of the register."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from support.builders import NOON, a_person, an_actor

from catalog.journal import Chain, Kind
from catalog.people import PersonRef
from catalog.request import Assignee, Batch, Notice, Outcome, Projection, Status, Task


def a_task(number: str, n: int = 1, *assignees: str | Assignee, **other: Any) -> Task:
    """Return an open approval for people given by name, or by what they said."""
    asked = [Assignee(person=a_person(one).ref()) if isinstance(one, str) else one for one in assignees]
    plain = {
        "id": f"{number}.{n}",
        "kind": "approval",
        "title": "Approve",
        "assignees": tuple(asked),
        "choices": ("approve", "reject"),
        "subject": "sha256:subject",
        "opened_at": NOON,
    }
    return Task(**plain | other)


def a_notice(number: str, seq: int = 1, to: PersonRef | None = None, **other: Any) -> Notice:
    """Return a notice of closure that journal entry `seq` owes, to Ada unless somebody else is named."""
    return Notice(**{"event": f"{number}/{seq}", "template": "closed", "to": to or a_person().ref()} | other)


class Story:
    """One request's journal as it grows; each `batch` holds its next entries and the state they lead to."""

    def __init__(self, number: str) -> None:
        self.number = number
        self._chain = Chain(number)

    def batch(
        self,
        *kinds: Kind,
        status: Status = Status.APPROVAL,
        at: datetime = NOON,
        tasks: tuple[Task, ...] = (),
        notices: tuple[Notice, ...] = (),
        command: str = "",
        data: dict[str, Any] | None = None,
    ) -> Batch:
        """Return the next batch: an entry of each kind, the last one caused by `command`."""
        entries = [
            self._chain.append(kind, at, actor=an_actor(), data=data, command=command if kind is kinds[-1] else "")
            for kind in kinds
        ]
        closed = status is Status.CLOSED
        projection = Projection(
            number=self.number,
            seq=self._chain.seq,
            status=status,
            outcome=Outcome.FULFILLED if closed else None,
            tasks=tasks,
            updated_at=at,
            closed_at=at if closed else None,
        )
        return Batch(entries=tuple(entries), projection=projection, notices=notices)
