"""Scenarios: what people and systems do while a request runs, and what must come of it (feature row K2).

A scenario file stands beside an item's file and is read by the simulator, which runs the real workflow code against a
company in memory. Times are told as people tell them: ``day 3 09:10`` (day 1 is the day of the order, in the
scenario's time zone) or as a length since the order, ``36 hours``. Here stands only what can be written, and what is
wrong with it that no other file has to be read for; how it is run is the simulator's business.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, model_validator
from pydantic import Field as Constrained

from catalog import duration
from catalog.ballot import Verdict
from catalog.duration import Duration
from catalog.fields import Currency, Number
from catalog.journal import Kind
from catalog.model import Misplaced, Model, Slug
from catalog.people import OPERATORS
from catalog.request import Outcome, Status, Template, WaitKind
from catalog.sla_spec import ClockSpec
from catalog.source import Fault, Place

_AT_ONCE = ("0", "at once")
_MOMENT = re.compile(r"day ([1-9]\d{0,3})(?: ([01]\d|2[0-3]):([0-5]\d))?", re.ASCII)


def _read_moment(value: Any) -> Any:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    bare = text.lower().removeprefix("after ")
    if bare in _AT_ONCE or _MOMENT.fullmatch(bare):
        return bare
    bare = text[-len(bare) :]  # a length in ISO 8601 is written in capitals
    try:
        duration.parse(bare)
    except ValueError:
        raise ValueError(f"{value!r} is no time; write it like 'day 3 09:10' or '36 hours'") from None
    return bare


Moment = Annotated[str, BeforeValidator(_read_moment)]
"""When something happens in a scenario."""


def _read_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is no time zone; write one like 'Europe/Berlin' or 'UTC'")
    return value


def at(moment: str, begins: datetime) -> datetime:
    """Return the instant, in UTC, that a time of a scenario names; `begins` is when the order is placed, in its zone.

    A day counts as the calendar does, a length as the clock does: over a change to summer time they differ.
    """
    match = _MOMENT.fullmatch(moment)
    if match:
        day = begins.date() + timedelta(days=int(match[1]) - 1)
        clock = time(int(match[2] or 0), int(match[3] or 0))
        return datetime.combine(day, clock, begins.tzinfo).astimezone(UTC)
    began = begins.astimezone(UTC)
    return began if moment in _AT_ONCE else began + duration.parse(moment)


class PersonSketch(Model):
    """A person of the company; the login is the key they stand under."""

    name: str
    mail: str | None = None
    manager: str | None = None
    active: bool = True
    department: str | None = None
    title: str | None = None
    location: str | None = None
    employee_type: str | None = None


class GroupSketch(Model):
    """A group of the company: logins of its members and owners."""

    members: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


class Company(Model):
    """Who there is before the order is placed: people by login, groups and roles by name, and who is an operator."""

    people: dict[str, PersonSketch] = {}
    groups: dict[str, GroupSketch] = {}
    roles: dict[str, tuple[str, ...]] = {}
    operators: tuple[str, ...] = ()

    def over(self, other: Company) -> Company:
        """Return both: what stands here comes on top of what the other has, or in its place."""
        return Company(
            people={**other.people, **self.people},
            groups={**other.groups, **self.groups},
            roles={**other.roles, **self.roles},
            operators=tuple(dict.fromkeys((*other.operators, *self.operators))),
        )


class OrderSketch(Model):
    """What is ordered, by whom and for whom: logins; for the one who orders if nobody is named.

    Attributes:
        answers: as a client sends them; a file is written ``{file: contract.pdf}``, a secret ``{secret: its text}``.
    """

    by: str
    beneficiaries: tuple[str, ...] = ()
    answers: dict[str, Any] = {}


class Limit(Model):
    """The most that something may cost in its first year.

    Attributes:
        amount: in the units of the currency.
        currency: its three letters.
    """

    amount: Annotated[Number, Constrained(ge=0)]
    currency: Currency


class DelegationSketch(Model):
    """Somebody says who may decide in their place, and from when until when (feature row A8).

    Attributes:
        by, to: logins: whose decisions they are, and who may take them as well.
        begins: from when on; at once unless given.
        ends: until when.
        items, categories: only what concerns these; everything unless given.
        up_to: only what costs no more than this in its first year.
    """

    by: str
    to: str
    begins: Moment | None = None
    ends: Moment
    items: tuple[Slug, ...] = ()
    categories: tuple[str, ...] = ()
    up_to: Limit | None = None


class _Event(Model):
    """What happens at a time.

    Attributes:
        part: of an order of several requests, which one it is about: the id of the bundle's line or of the step that
            ordered it, or the login it is for; without it, the first of them that it can be about.
    """

    at: Moment
    part: str | None = None


class _OnStage(_Event):
    """What somebody does about a decision.

    Attributes:
        stage: which, if it could be another: the id of its stage, or part of its title.
    """

    by: str
    stage: str | None = None
    refused: str | None = None


class Decides(_OnStage):
    """Somebody decides the approval that waits for them.

    Attributes:
        answers: what they make smaller by approving.
        saw: when they looked at it: they decide on what it was then.
        bulk: whether they decide in one go everything that waits for them and may be decided so.
    """

    do: Literal["approve", "reject"]
    reason: str = ""
    answers: dict[str, Any] = {}
    saw: Moment | None = None
    bulk: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Decides:
        if self.answers and self.do == "reject":
            raise Misplaced("what is rejected cannot be made smaller; remove 'answers', or approve", ("answers",))
        one = next((key for key in ("stage", "refused", "answers", "saw") if getattr(self, key)), None)
        if self.bulk and one:
            raise Misplaced(f"'bulk' decides everything that waits, the same way; remove {one!r} or 'bulk'", (one,))
        return self


class TakesBack(_OnStage):
    """Somebody takes their vote back."""

    do: Literal["withdraw"]


class HandsOn(_OnStage):
    """Somebody's decision goes to another.

    Attributes:
        to: login of who gets it.
        of: login of whose it was, if an operator hands it on.
    """

    do: Literal["reassign"]
    to: str
    of: str | None = None


class Adds(_OnStage):
    """An approver wants somebody else to approve as well.

    Attributes:
        person: their login.
    """

    do: Literal["add"]
    person: str


class Consults(_OnStage):
    """An approver asks somebody's advice.

    Attributes:
        person: login of whom they ask.
        question: what they want to know.
    """

    do: Literal["consult"]
    person: str
    question: str


class Says(_OnStage):
    """An approver asks who ordered it; who was asked answers, or gives the advice that was asked of them.

    Attributes:
        text: the question, the answer or the advice.
    """

    do: Literal["ask", "answer", "advise"]
    text: str


class Reminds(_OnStage):
    """Who waits for a decision asks for it."""

    do: Literal["remind"]


class Amends(_Event):
    """Who ordered it changes what they ordered.

    Attributes:
        answers: those that change, as a client sends them.
    """

    do: Literal["amend"]
    by: str
    answers: Annotated[dict[str, Any], Constrained(min_length=1)]
    reason: str = ""
    refused: str | None = None


class Delegates(_Event, DelegationSketch):
    """Somebody lets another decide in their place."""

    do: Literal["delegates"]
    refused: str | None = None


class EndsDelegation(_Event):
    """Somebody takes back every delegation of theirs.

    Attributes:
        to: only those to this login.
    """

    do: Literal["withdraws-delegation"]
    by: str
    to: str | None = None


class Works(_Event):
    """Somebody does something with the work that waits for them; `task` is part of its title.

    `answers` is the evidence, written as the answers of an order.
    """

    do: Literal["claim", "release", "complete", "decline"]
    by: str
    task: str | None = None
    answers: dict[str, Any] = {}
    reason: str = ""
    refused: str | None = None


class Operates(_Event):
    """An operator says how to go on with what went wrong."""

    do: Literal["retry", "skip", "give-up"]
    by: str
    reason: str = "Seen to."


class Cancels(_Event):
    """Somebody calls the request off."""

    do: Literal["cancel"]
    by: str
    reason: str = ""
    refused: str | None = None


class Comments(_Event):
    """Somebody says something on record."""

    do: Literal["comment"]
    by: str
    text: str


class Reports(_Event):
    """Something is reported that the request waits for."""

    do: Literal["report"]
    event: Slug
    data: dict[str, Any] = {}


class GoesDown(_Event):
    """A system does not answer for a while."""

    do: Literal["down"]
    system: str = "directory"
    lasting: Duration


class Refuses(_Event):
    """A system refuses so many of the following writes until somebody has seen to it."""

    do: Literal["refuse"]
    system: str = "directory"
    times: Annotated[int, Constrained(ge=1, le=100)] = 1


class Changes(_Event):
    """The company changes: somebody leaves, gets another manager, joins or quits a group, or a role."""

    do: Literal["leaves", "returns", "moves", "joins", "quits"]
    who: str
    manager: str | None = None
    group: str | None = None
    role: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Changes:
        if self.do == "moves" and self.manager is None:
            raise Misplaced("'moves' says nothing of the manager; add 'manager: …'", ("manager",))
        if self.do in ("joins", "quits") and (self.group is None) == (self.role is None):
            raise Misplaced(f"{self.do!r} is about one group or one role; write 'group: …' or 'role: …'", ("group",))
        return self


class ClockSight(Model):
    """What a clock must have come to (feature rows S1-S6, S9).

    Attributes:
        id: of its definition.
        stage: the stage it is of; any unless given, the one that began last.
        of: login of the approver it is of.
        state: how it stands; ``late`` if all of its time is over, whether or not it still runs.
        percent: how much of its time is over, rounded down.
        due: when all of it is over, to the minute.
        says: words that hold of what became of it, as it is explained.
    """

    id: Slug
    stage: str | None = None
    of: str | None = None
    state: Literal["running", "paused", "stopped", "cancelled", "late"] | None = None
    percent: Annotated[int, Constrained(ge=0)] | None = None
    due: Moment | None = None
    says: str = ""


class HeldSight(Model):
    """How long somebody must have held the request, in working time, to the minute (feature row S7).

    Attributes:
        stage: the approval stage.
        by: login of one of its approvers; without it the stage as a whole.
        lasting: the time in which it was theirs to decide.
        waited: the time in which they waited for information.
    """

    stage: str
    by: str | None = None
    lasting: Duration
    waited: Duration = timedelta(0)


class PromiseSight(Model):
    """By when the request must be likely to be done (feature row S8).

    Attributes:
        p50, p90: as often as not by the first, nine times of ten by the second.
        by: what that follows from: earlier requests, or the promise of the item's SLA.
    """

    p50: Moment
    p90: Moment
    by: Literal["history", "sla"]


class Sees(_Event):
    """At this moment the request must show this.

    Attributes:
        waits_for: whom or what; logins, or a kind of wait.
        asked: logins of all who may decide now, deputies and those they stand in for alike.
        status: where it stands.
        until: when something it waits for is over by itself, to the minute.
        calendar: the name of the calendar in which that was counted.
        says: words that hold of what it waits for, what happens at the deadline, or what comes then.
        told: login -> the messages they have got so far: all of them, in their order.
        has, lacks: group -> logins who are, or are not, in it.
        clocks: what clocks have come to.
        corrected: definitions by which they are measured instead of those the order was placed with, as after a
            correction of the item.
        held: who has held the request for how long.
        promised: by when it is likely to be done.
        inbox: login -> what stands in their inbox of it: ``mine``, what they are asked in their own right;
            ``delegated``, what they are asked in the place of others; ``overdue``, what is due already. All of it.
    """

    do: Literal["see"]
    status: Status | None = None
    waits_for: tuple[str, ...] | None = None
    asked: tuple[str, ...] | None = None
    kind: WaitKind | None = None
    until: Moment | None = None
    calendar: str | None = None
    says: str = ""
    told: dict[str, tuple[Template, ...]] = {}
    has: dict[str, tuple[str, ...]] = {}
    lacks: dict[str, tuple[str, ...]] = {}
    clocks: tuple[ClockSight, ...] = ()
    corrected: tuple[ClockSpec, ...] = ()
    held: tuple[HeldSight, ...] = ()
    promised: PromiseSight | None = None
    inbox: dict[str, tuple[Literal["mine", "delegated", "overdue"], ...]] = {}


Considers = TakesBack | HandsOn | Adds | Consults | Says | Reminds
"""What can be done about a decision short of taking it (feature rows A9, A10)."""

Event = Annotated[
    Decides
    | TakesBack
    | HandsOn
    | Adds
    | Consults
    | Says
    | Reminds
    | Amends
    | Delegates
    | EndsDelegation
    | Works
    | Operates
    | Cancels
    | Comments
    | Reports
    | GoesDown
    | Refuses
    | Changes
    | Sees,
    Constrained(discriminator="do"),
]


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
    zone: Annotated[str, AfterValidator(_read_zone)] = "UTC"
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
    def _clock_has_no_zone(self) -> Scenario:
        if self.begins.tzinfo:
            message = "the time of the order has a zone of its own; write it without, and the zone in 'zone'"
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
            yield from (((*where, "inbox", login), login) for login in event.inbox)
            yield from (((*where, "clocks", at, "of"), one.of) for at, one in enumerate(event.clocks) if one.of)
            yield from (((*where, "held", at, "by"), one.by) for at, one in enumerate(event.held) if one.by)


def _is_somebody(recipient: str) -> bool:
    """Return whether messages go there by a login, and not to a role or a mail address."""
    return recipient != OPERATORS.login and "@" not in recipient
