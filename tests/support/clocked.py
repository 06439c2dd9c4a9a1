"""A request whose clocks run: its item, working time, and its journal as a workflow would write it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from support.builders import NOON, a_person, an_actor, an_item

from catalog.calendar_file import PublishedCalendar
from catalog.item import CatalogItem
from catalog.journal import Chain, Kind
from catalog.priority import Priority
from catalog.request import Batch, Projection, Status
from catalog.sla_spec import ClockSpec
from records.register import Register

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
OPENED = NOON.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
"""Tuesday, 4 March 2025, 09:00 UTC: the manager is asked."""
DECISION = {"id": "decision", "measures": "decision", "target": "2 working days", "by_priority": {1: "4 working hours"}}
APPROVER = {"id": "approver", "measures": "approver", "target": "1 working day"}


def a_clocked_item(*clocks: dict[str, Any], **other: Any) -> CatalogItem:
    """Return an item with these clocks, or one of its decision; who says that it is urgent gets priority 1."""
    specs = tuple(ClockSpec.model_validate(clock) for clock in clocks or (DECISION,))
    priority = Priority(impact="high", urgency="{{ 'high' if form.why == 'urgent' else 'low' }}")
    return an_item(**{"id": "desk", "name": "Desk", "clocks": specs, "priority": priority} | other)


def a_calendar(
    name: str, hours: str = "09:00-17:00", *, days: tuple[str, ...] = WEEK, zone: str = "UTC", default: bool = False
) -> PublishedCalendar:
    """Return the same working hours on these days."""
    plain = {"id": name, "name": name.title(), "zone": zone}
    week = {day: [hours] for day in days}
    file = plain | {"hours": week, "default": default}
    return PublishedCalendar.model_validate({"file": file, "calendar": plain | {"week": week}})


class Told:
    """The journal of a request, written by a test.

    Attributes:
        number: the request's.
    """

    def __init__(self, register: Register, number: str) -> None:
        self.number = number
        self._register, self._chain = register, Chain(number)

    def note(self, kind: Kind, at: datetime, data: dict[str, Any] | None = None, *, by: str = "") -> None:
        """Put on record that something happened; `by` is a name."""
        entry = self._chain.append(kind, at, actor=an_actor(by) if by else None, data=data)
        status = Status.CLOSED if kind is Kind.CLOSED else Status.APPROVAL
        projection = Projection(number=self.number, seq=entry.seq, step=entry.seq, status=status, updated_at=at)
        assert self._register.record(Batch(entries=(entry,), projection=projection))

    def begin(self, *, hours: dict[str, str] | None = None, at: datetime = OPENED) -> None:
        """Put on record that it was ordered, and that Mara was asked to decide."""
        self.note(Kind.OPENED, NOON, by="Ada Byron")
        asked = [a_person("Mara Lind").ref().model_dump(mode="json")]
        facts = {"stage": "manager", "name": "Line manager", "approvers": asked}
        self.note(Kind.STAGE_OPENED, at, facts | ({"hours": hours} if hours else {}))

    def ask(self, at: datetime) -> None:
        """Put on record that Mara asks for information."""
        self.note(Kind.INFO_ASKED, at, {"stage": "manager", "name": "Line manager"}, by="Mara Lind")

    def answer(self, at: datetime) -> None:
        """Put on record that Ada gives it."""
        self.note(Kind.INFO_GIVEN, at, {"stage": "manager", "name": "Line manager"}, by="Ada Byron")

    def decide(self, at: datetime) -> None:
        """Put on record that Mara approves, and that the request ends with it."""
        self.note(Kind.VOTE, at, {"stage": "manager", "choice": "approve"}, by="Mara Lind")
        self.note(Kind.STAGE_CLOSED, at, {"stage": "manager", "name": "Line manager", "status": "approved"})
        self.note(Kind.CLOSED, at, {"outcome": "fulfilled"})
