"""Scenarios: what people and systems do while a request runs, and what must come of it (feature row K2).

A scenario file stands beside an item's file and is read by the simulator, which runs the real workflow code against a
company in memory. Times are told as people tell them: ``day 3 09:10`` (day 1 is the day of the order, in the
scenario's time zone) or as a length since the order, ``36 hours``. Here stands only what can be written, and what is
wrong with it that no other file has to be read for; how it is run is the simulator's business.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field as Constrained
from pydantic import model_validator

from catalog.ballot import Verdict
from catalog.duration import LONGEST, Duration
from catalog.journal import Kind
from catalog.model import Misplaced, Model, Slug
from catalog.people import OPERATORS
from catalog.request import Outcome, Template
from catalog.scenario_events import Event, Sees
from catalog.sketch import Company, DelegationSketch, OrderSketch, at
from catalog.source import Fault, Place
from catalog.zones import Zone


class Expected(Model):
    """What must have come of it in the end.

    Attributes:
        outcome: how the request ended; None if it must still be open.
        refused: the order itself must be refused: ids of the fields or rules that say so.
        reason: words that the reason must hold.
        has, lacks: group -> logins who are, or are not, in it.
        told: login -> templates of the messages they must have got, in any order; instead of a login it can be
            ``operators``, or a mail address that is nobody's.
        not_told: those who must not have got any.
        within, not_before: how long after the order it must have ended, at most and at least.
        voted: login -> how they must have voted, the last time they did.
        on_behalf: login -> in whose place they must have voted.
        journal: kinds of entries that must stand in the journal, in this order, whatever stands between them.
        rules: ids of the rules by which the platform must have acted, in this order: ``auto.small-amount``,
            ``approval.skip-requester``.
        writes: how many changes the directory must have seen.
        called: HTTP requests and actions of other systems that must have been made, in this order, whatever else was:
            ``POST https://…/accounts``, ``tickets.open``; the beginning of the address is enough.
    """

    outcome: Outcome | None = None
    refused: tuple[str, ...] = ()
    reason: str = ""
    has: dict[str, tuple[str, ...]] = {}
    lacks: dict[str, tuple[str, ...]] = {}
    told: dict[str, tuple[Template, ...]] = {}
    not_told: tuple[str, ...] = ()
    within: Duration | None = None
    not_before: Duration | None = None
    voted: dict[str, Verdict] = {}
    on_behalf: dict[str, str] = {}
    journal: tuple[Kind, ...] = ()
    rules: tuple[str, ...] = ()
    writes: int | None = None
    called: tuple[str, ...] = ()


EARLIEST, LATEST = 2000, 2099
"""The years in which a scenario can begin: every time it names is one that the calendar and the engine know."""
FULFILMENT = "fulfilment"
"""What earlier requests went through after their stages."""


class Earlier(Model):
    """Earlier requests for the item, which were fulfilled before the order is placed (feature row S8).

    Attributes:
        times: how many of them.
        took: what they went through, one after the other, and how long each took: ids of stages, or ``fulfilment``.
    """

    times: Annotated[int, Constrained(ge=1, le=200)] = 1
    took: Annotated[dict[str, Duration], Constrained(min_length=1)]

    @model_validator(mode="after")
    def _in_reach(self) -> Earlier:
        if sum(self.took.values(), timedelta(0)) > LONGEST:
            raise Misplaced("together this is more than a hundred years; shorten some of it", ("took",))
        return self


class HttpReply(Model):
    """What a system answers to HTTP requests whose method and address begin like these; the first that fits counts."""

    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = None
    status: Annotated[int, Constrained(ge=100, le=499)] = 200
    body: Any = {}


class Scenario(Model):
    """One story about one order.

    Attributes:
        name: what it shows, in words.
        shows: which of the usual stories it is; lint asks for each of the first four.
        rows: ids of the features it shows, as the documentation has them.
        begins: when the order is placed, in `zone`; a Monday unless given, and never in the past.
        company: what differs from the file's company: people, groups and roles that come on top or instead.
        delegations: who may decide in whose place already when the order is placed.
        earlier: requests for the item that were fulfilled before.
        http: what other systems answer; without it 200 and an empty object.
        actions: what actions of other packages give, by their id; they are never really run.
        lasts: how long is waited for the end at most.
    """

    name: str
    shows: Literal["happy", "refusal", "expiry", "fault", "other"] = "other"
    rows: tuple[Annotated[str, Constrained(pattern="^[A-Z]{1,2}[0-9]{1,2}$")], ...] = ()
    begins: datetime = datetime(2040, 3, 5, 9, 0)  # noqa: DTZ001  a wall clock: the zone stands beside it
    zone: Zone = "UTC"
    order: OrderSketch
    company: Company | None = None
    delegations: tuple[DelegationSketch, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    http: tuple[HttpReply, ...] = ()
    actions: dict[str, dict[str, Any]] = {}
    events: tuple[Event, ...] = ()
    expect: Expected
    lasts: Duration = timedelta(days=60)

    @model_validator(mode="after")
    def _begins_in_reach(self) -> Scenario:
        if self.begins.tzinfo:
            message = "the time of the order has a zone of its own; write it without, and the zone in 'zone'"
            raise Misplaced(message, ("begins",))
        if not EARLIEST <= self.begins.year <= LATEST:
            message = f"an order is placed in the years from {EARLIEST} to {LATEST}; write another time"
            raise Misplaced(message, ("begins",))
        return self

    @property
    def began(self) -> datetime:
        """When the order is placed, as an instant."""
        return self.begins.replace(tzinfo=ZoneInfo(self.zone))

    def timed(self) -> Iterator[tuple[datetime, Event]]:
        """Yield the events with their instants, in the order they happen."""
        began = self.began
        yield from sorted(((at(one.at, began), one) for one in self.events), key=lambda pair: pair[0])


class ScenarioFile(Model):
    """The scenarios of one item; a file ``<item>.yaml`` in a folder ``scenarios`` beside the items.

    Attributes:
        item: id of the item.
        company: who there is; without it the company of ``scenarios/company.yaml`` in the same folder.
    """

    item: Slug
    company: Company | None = None
    scenarios: Annotated[tuple[Scenario, ...], Constrained(min_length=1)]

    @model_validator(mode="after")
    def _each_name_once(self) -> ScenarioFile:
        names = [one.name for one in self.scenarios]
        for position, name in enumerate(names):
            if name in names[:position]:
                raise Misplaced(f"two scenarios are called {name!r}; give each its own name", ("scenarios", position))
        return self


def faults(scenario: Scenario, company: Company) -> Iterator[Fault]:
    """Yield what a scenario names that is not there, and what it lets happen before the order; places are its own.

    Args:
        scenario: the scenario.
        company: who there is in it.
    """
    for place, login in _logins(scenario):
        if login not in company.people:
            message = f"there is nobody called {login!r} in the company"
            close = difflib.get_close_matches(login, company.people, n=1)
            remedy = f"Did you mean {close[0]!r}?" if close else "Write the login of somebody, or add them."
            yield Fault("unknown-person", place, message, remedy)
    for position, event in enumerate(scenario.events):
        if at(event.at, scenario.began) < scenario.began:
            message, remedy = "this is before the order is placed", "Write a later time, or an earlier 'begins'."
            yield Fault("wrong-value", ("events", position, "at"), message, remedy)


_PEOPLE = ("by", "who", "manager", "to", "of", "person")
"""The keys of events that hold a login."""


def _logins(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield the logins that must be somebody's, with their places."""
    yield ("order", "by"), scenario.order.by
    sketches: dict[str, Sequence[Model]] = {"delegations": scenario.delegations, "events": scenario.events}
    for where, those in sketches.items():
        for position, one in enumerate(those):
            named = ((key, getattr(one, key, None)) for key in _PEOPLE)
            yield from (((where, position, key), login) for key, login in named if login is not None)
    yield from _seen_logins(scenario)
    expect = scenario.expect
    for key in ("has", "lacks"):
        for group, members in getattr(expect, key).items():
            yield from ((("expect", key, group, position), login) for position, login in enumerate(members))
    for key in ("told", "voted", "on_behalf"):
        yield from ((("expect", key, login), login) for login in getattr(expect, key) if _is_somebody(login))
    yield from ((("expect", "on_behalf", login), whose) for login, whose in expect.on_behalf.items())
    not_told = enumerate(expect.not_told)
    yield from ((("expect", "not_told", position), login) for position, login in not_told if _is_somebody(login))


def _seen_logins(scenario: Scenario) -> Iterator[tuple[Place, str]]:
    """Yield the logins of whom it is said what they see, or how long they took."""
    for position, event in enumerate(scenario.events):
        if isinstance(event, Sees):
            where: Place = ("events", position)
            for key in ("inbox", "context", "mailed"):
                yield from (((*where, key, login), login) for login in getattr(event, key))
            yield from (((*where, "clocks", at, "of"), one.of) for at, one in enumerate(event.clocks) if one.of)
            yield from (((*where, "held", at, "by"), one.by) for at, one in enumerate(event.held) if one.by)


def _is_somebody(recipient: str) -> bool:
    """Return whether messages go there by a login, and not to a role or a mail address."""
    return recipient != OPERATORS.login and "@" not in recipient
