"""A desk that takes orders, with a register, a small company in memory and providers around it."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import NOON, a_person

from activities import plugins
from activities.connectors.memory import Group, MemoryDirectory
from activities.intake import Desk, NotTaken, Received, Wish
from catalog.choices import Choice, Choices, ChoicesQuery
from catalog.fields import TextField
from catalog.item import AudienceRule, CatalogItem
from catalog.journal import Chain, Kind
from catalog.request import Batch, Order, Outcome, Projection, Status
from records.register import Register

WHY = TextField(id="why", type="text", label="Why", max_length=100)
STAFF = AudienceRule(
    id="staff", when="beneficiary.employee_type == 'staff'", why_not="{{ beneficiary.name }} is no member of staff."
)


class Office:
    """A desk with everything it asks."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.directory = MemoryDirectory(
            [
                a_person("Ada Byron", manager_id="id-mara", employee_type="staff", department="Finance"),
                a_person("Ben Bright", manager_id="id-mara", employee_type="staff"),
                a_person("Guy Guest", employee_type="guest"),
                a_person("Mara Lind", employee_type="staff"),
                a_person("Ines Inactive", active=False),
            ],
            [Group("editors", {"id-ada"})],
        )
        self.choices = ["wiki", "blog"]
        self.asked: list[ChoicesQuery] = []
        self.away: Exception | None = None
        self.off_the_shelf: set[str] = set()
        self.desk = Desk(
            register=register,
            directory=self.directory,
            choose=self.choose,
            known=plugins.known(),
            offers=lambda item: item not in self.off_the_shelf,
        )

    def choose(self, query: ChoicesQuery) -> Choices:
        if self.away:
            raise self.away
        self.asked.append(query)
        return Choices(choices=tuple(Choice(value=v, label=v.title()) for v in self.choices if v == query.value))

    def offer(self, *items: CatalogItem) -> None:
        for item in items:
            self.register.publish(item, f"{item.id}.yaml", NOON)

    def wish(self, item: str = "wiki-editor", **other: Any) -> Wish:
        plain = {"item": item, "answers": {"why": "work"}, "requester": a_person().ref(), "channel": "api"}
        return Wish(**plain | {"auth": "password"} | other)

    def take(self, wish: Wish, key: str = "key-1") -> Received:
        return self.desk.take(wish, key, "sha256:body", NOON)

    def order(self, key: str = "key-1", **wish: Any) -> Order:
        return self.take(self.wish(**wish), key).taken.order

    def refused(self, **wish: Any) -> dict[str, str]:
        """Order in vain, and return what is wrong: field -> code."""
        before = self.count()
        with pytest.raises(NotTaken) as refused:
            self.take(self.wish(**wish), "in vain")
        assert self.count() == before
        return {error.field: error.code for error in refused.value.errors}

    def count(self) -> int:
        return len(self.register.requests(viewer=None, limit=200).items)

    def close(self, number: str) -> None:
        entry = Chain(number).append(Kind.CLOSED, NOON)
        closed = {"status": Status.CLOSED, "outcome": Outcome.FULFILLED, "updated_at": NOON, "closed_at": NOON}
        self.register.record(Batch(entries=(entry,), projection=Projection(number=number, seq=1, **closed)))
