"""Who is asked to decide a stage: from the people that rules name to seats, and who may fill each.

Pure: people, absences and calendars were looked up before. Nobody decides for themselves, on whatever road they come
in: as the one a rule names, a fallback, a deputy or somebody it is escalated to (feature rows A5, A6, A7, A8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from catalog import delegation
from catalog.calendar import ALWAYS, Calendar
from catalog.delegation import Deputy, Link, Matter
from catalog.model import Model, digest
from catalog.people import Person, PersonRef
from catalog.plan import Wanted
from catalog.stages import ByItemOwner, ByPerson, Stage

MANAGER_CIRCLE = "approver.manager-circle"
"""The rule by which a line of managers ends at somebody whom it has passed before."""
SkipRule = Literal["approval.skip-inactive", "approval.skip-requester", "approval.skip-beneficiary"]


class Skipped(Model):
    """Somebody a rule named who is not asked, or at whom a look-up came to its end, and by which rule."""

    person: PersonRef
    rule: str


class Rung(Model):
    """One step of the ladder by which approvers are found.

    Attributes:
        rule: the id of the rule that named these people, for example ``approver.manager``.
        people: whom it named, whether or not they may decide.
        weights: by person id, what they weigh where that is not 1.
        skipped: at whom the look-up of these people came to its end, and why.
    """

    rule: str
    people: tuple[Person, ...]
    weights: dict[str, int] = {}
    skipped: tuple[Skipped, ...] = ()


class Around(Model):
    """What has to be known of the people whom rules name, beside who they are.

    Attributes:
        delegations: theirs and those of their delegates, as far as they count: see `delegation.told`. Earlier
            releases have told all of them.
        people: the delegates, as the directory has them now; who is missing is gone.
        called: by login, the names of those whom the stage names one by one: see `logins`.
        calendars: by id.
        hours: by person id, the calendar of their working time; who is missing can be reached at any time.
    """

    delegations: tuple[Link, ...] = ()
    people: dict[str, Person] = {}
    called: dict[str, str] = {}
    calendars: dict[str, Calendar] = {}
    hours: dict[str, str] = {}


class Found(Model):
    """What looking for a stage's people has found.

    Attributes:
        rungs: the ladder of its first group, as far as it is needed: whom its rules name, then the fallbacks.
        more: those of its other groups.
        around: what else has to be known of them.
    """

    rungs: tuple[Rung, ...] = ()
    more: tuple[tuple[Rung, ...], ...] = ()
    around: Around = Around()

    @property
    def ladders(self) -> tuple[tuple[Rung, ...], ...]:
        """One ladder for each group of the stage."""
        return (self.rungs, *self.more)


class Parties(Model):
    """The two humans who do not decide, and what is decided on."""

    requester_id: str
    beneficiary_id: str
    matter: Matter = Matter()

    def banned(self, stage: Stage) -> dict[str, SkipRule]:
        """Return who does not decide a stage, by id, and by which rule not."""
        both: tuple[tuple[str, str, SkipRule], ...] = (
            ("beneficiary", self.beneficiary_id, "approval.skip-beneficiary"),
            ("requester", self.requester_id, "approval.skip-requester"),
        )
        return {person: rule for role, person, rule in both if role not in stage.own}


class Seat(Model):
    """One human's place among those who decide a stage.

    Attributes:
        person: whose it is.
        groups: the groups of the stage it belongs to, by position, and what it weighs there.
        deputies: who may fill it in their place, the last of them is who really acts.
        instead_of: whose place it was before it was handed on.
        joined: whether an approver asked for it: then its approval is needed besides all others.
        stays: whether it is decided by those it was given to although others decide instead of all who were asked:
            it was given to them after that.
        kept: whether it stands only because of the vote that fills it: nobody names its person any more.
    """

    person: PersonRef
    groups: dict[int, int] = {0: 1}
    deputies: tuple[Deputy, ...] = ()
    instead_of: PersonRef | None = None
    joined: bool = False
    stays: bool = False
    kept: bool = False

    @property
    def acting(self) -> PersonRef:
        """Who is expected to decide: the one they delegated to, if they did."""
        return self.deputies[-1].person if self.deputies else self.person

    def filled_by(self, person_id: str, at: datetime) -> bool:
        """Return whether somebody may fill it at that moment: who stands in does so no longer than they are to."""
        if person_id == self.person.id:
            return True
        mine = (one for one in self.deputies if one.person.id == person_id)
        return any(one.until is None or at < one.until for one in mine)

    @property
    def fillers(self) -> tuple[PersonRef, ...]:
        """Who may fill it: whose it is, and who stands in for them."""
        return (self.person, *(deputy.person for deputy in self.deputies))


class Slate(Model):
    """Who is asked to decide a stage.

    Attributes:
        seats: each human once, in the order the rules named them; empty when nobody may decide.
        rule: by which rungs they were found.
        wanted: what the directory was asked, so that it can be asked the same again.
        skipped: who was passed over on the way, and why (feature row A6).
        called: by login, the names of those whom the stage names one by one.
        calendars, hours: the working time of everybody who is asked; see `Around`.
    """

    seats: tuple[Seat, ...] = ()
    rule: str = ""
    wanted: Wanted | None = None
    skipped: tuple[Skipped, ...] = ()
    called: dict[str, str] = {}
    calendars: dict[str, Calendar] = {}
    hours: dict[str, str] = {}

    @property
    def people(self) -> tuple[PersonRef, ...]:
        """Whose seats they are."""
        return tuple(seat.person for seat in self.seats)

    def fingerprint(self) -> str:
        """Return a digest of who may decide in whose place: what has to be looked at again if it changes."""
        asked = {seat.person.id: [sorted(seat.groups), [one.person.id for one in seat.deputies]] for seat in self.seats}
        return digest({"asked": asked})

    def calendar(self, person_id: str) -> Calendar:
        """Return somebody's working time."""
        return self.calendars.get(self.hours.get(person_id, ""), ALWAYS)

    def calendar_on(self, stage: Stage, person_id: str) -> Calendar:
        """Return in which calendar somebody's time for a stage is counted: the stage's own, else theirs."""
        return self.calendars.get(stage.calendar or "") or self.calendar(person_id)


NOBODY = Slate()


class Named(Model):
    """What the look-ups of an open stage were about, and digests of whom they found: see `Slate.fingerprint`.

    Attributes:
        own: whom its rules name.
        wanted: these rules, worked out: those of a stage in the middle of the work may use results that only the
            request knows. None if an earlier release has asked.
        levels: the levels of escalation whose people decide, from and to; None if it was not escalated.
        above: whom these name; empty if they were not looked up together.
        wanted_above: their rules, worked out.
        others: by login, those whom no rule names: they were handed a decision, or an approver asked for them.
        beside: what was found of these.
    """

    own: str
    wanted: Wanted | None = None
    levels: tuple[int, int] | None = None
    above: str = ""
    wanted_above: Wanted | None = None
    others: tuple[str, ...] = ()
    beside: str = ""


def logins(stage: Stage, item_owner: str) -> tuple[str, ...]:
    """Return the logins by which a stage names people one by one; who depends on the order is not among them."""
    named = (
        item_owner if isinstance(rule, ByItemOwner) else rule.person
        for rule in stage.all_rules
        if isinstance(rule, ByItemOwner | ByPerson)
    )
    return tuple(dict.fromkeys(login for login in named if "{{" not in login))


def slate(stage: Stage, found: Found, parties: Parties, at: datetime, wanted: Wanted | None = None) -> Slate:
    """Return whom to ask: of each group's ladder the first rung that names somebody who may decide.

    Inactive people, the requester and the beneficiary are passed over on every rung, so that they come in by no
    fallback either. A group of which nobody may decide has no seat.

    Args:
        stage: whose people these are.
        found: their ladders, and what is known of the people on them.
        parties: who does not decide.
        at: the moment for which delegations count.
        wanted: what was asked to find them.
    """
    around = found.around
    banned = parties.banned(stage)
    skipped: list[Skipped] = []
    rules: list[str] = []
    people: dict[str, Person] = {}
    groups: dict[str, dict[int, int]] = {}
    for position, rungs in enumerate(found.ladders):
        taken = first_rung(rungs, banned, skipped)
        rules += [taken.rule] if taken else []
        for person in taken.people if taken else ():
            people.setdefault(person.id, person)
            groups.setdefault(person.id, {})[position] = taken.weights.get(person.id, 1) if taken else 1
    counts = delegation.counting(around.delegations, parties.matter, at)
    seats = []
    for person in people.values():
        chain = delegation.deputies(person.id, counts, around.people, banned=banned)
        skipped += (Skipped(person=one.person, rule=one.rule) for one in chain.skipped)
        seats.append(Seat(person=person.ref(), groups=groups[person.id], deputies=chain.deputies))
    return Slate(
        seats=tuple(seats),
        rule=" & ".join(dict.fromkeys(rules)),
        wanted=wanted,
        skipped=tuple({(one.person.id, one.rule): one for one in skipped}.values()),
        called=around.called,
        **_working_time(stage, seats, parties, around),
    )


def first_rung(rungs: Sequence[Rung], banned: Mapping[str, SkipRule], skipped: list[Skipped]) -> Rung | None:
    """Return the first rung with somebody who may decide, with these only; who may not is added to `skipped`."""
    for rung in rungs:
        skipped += rung.skipped
        rules = [banned.get(one.id) or (None if one.active else "approval.skip-inactive") for one in rung.people]
        named = list(zip(rung.people, rules, strict=True))
        skipped += (Skipped(person=one.ref(), rule=rule) for one, rule in named if rule)
        found = tuple(one for one, rule in named if rule is None)
        if found:
            return rung.model_copy(update={"people": found})
    return None


def _working_time(stage: Stage, seats: Sequence[Seat], parties: Parties, around: Around) -> dict[str, Any]:
    """Return the working time of everybody who may be asked something, and the stage's own."""
    asked = {person.id for seat in seats for person in (seat.person, *(deputy.person for deputy in seat.deputies))}
    hours = {one: around.hours[one] for one in sorted({*asked, parties.requester_id}) if one in around.hours}
    named = {*hours.values(), stage.calendar, stage.acts_in}
    return {"hours": hours, "calendars": {one: own for one, own in around.calendars.items() if one in named}}
