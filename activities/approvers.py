"""Who decides and who does the work: from the rules of an item to people of the directory.

Used by the activities of a running request and by the preview of one, so nothing here knows the workflow engine. Which
of the people count is decided in `catalog.approval.slate`; here they are only looked up, as far as it asks for more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self, assert_never

from activities.errors import NotFound, Rejected
from activities.ports import Calendars, Delegations, Directory
from catalog import delegation, slate
from catalog.calendar_file import calendar_of
from catalog.delegation import Matter
from catalog.model import Model
from catalog.people import Person, PersonRef
from catalog.plan import Wanted
from catalog.request import Order
from catalog.slate import MANAGER_CIRCLE, Around, Found, Rung, Skipped
from catalog.stages import (
    ApproverRule,
    ByCiOwner,
    ByExpression,
    ByGroup,
    ByItemOwner,
    ByManager,
    ByOwner,
    ByPerson,
    ByRole,
    Stage,
)


class PeopleQuery(Model):
    """Whom some rules name for an order.

    Attributes:
        rules: with what depends on the order put in.
        group: the group that the item gives, if it gives one.
        item_owner: a login.
    """

    rules: tuple[ApproverRule, ...] = ()
    requester_id: str
    beneficiary_id: str
    group: str
    item_owner: str

    @classmethod
    def of(cls, order: Order, rules: tuple[ApproverRule, ...]) -> Self:
        """Return what is asked for an order."""
        item = order.item
        return cls(
            rules=rules,
            requester_id=order.requester.id,
            beneficiary_id=order.beneficiary.id,
            group=item.entitlement.group if item.entitlement else "",
            item_owner=item.owner,
        )


class ApproversQuery(PeopleQuery):
    """Whom the rules of a stage name, with their fallbacks; earlier releases have the rules in `rules` or `stage`.

    Attributes:
        wanted: the rules of each group of the stage.
        barred: who does not decide it in any case, by id.
        calendars: those that the stage names.
        matter: what is decided on.
        called: the logins of those whom the stage names one by one, to say what they are called.
        at: the moment from which delegations are looked up; without it none are, nor anybody's working hours.
    """

    stage: Stage | None = None
    wanted: Wanted | None = None
    barred: tuple[str, ...] | None = None
    calendars: tuple[str, ...] = ()
    matter: Matter = Matter()
    called: tuple[str, ...] = ()
    at: datetime | None = None

    @classmethod
    def for_stage(cls, order: Order, stage: Stage, wanted: Wanted, at: datetime) -> Self:
        """Return what is asked for a stage of an order."""
        barred = tuple(order.parties.banned(stage))
        calendars = tuple(name for name in (stage.calendar, stage.acts_in) if name)
        update = {
            "wanted": wanted,
            "barred": barred,
            "calendars": calendars,
            "matter": order.parties.matter,
            "called": slate.logins(stage, order.item.owner),
            "at": at,
        }
        return cls.of(order, ()).model_copy(update=update)

    def groups(self) -> Wanted:
        """Return the rules by groups, whichever release asks."""
        return self.wanted or Wanted(groups=(self.rules or (self.stage.approvers if self.stage else ()),))

    def excluded(self) -> tuple[str, ...]:
        """Return who does not decide, by id."""
        return (self.requester_id, self.beneficiary_id) if self.barred is None else self.barred


MOST_FOUND = 1_900_000
"""Bytes of what a look-up finds at most: the engine takes 2 MiB in one message."""


def bounded(found: Found) -> Found:
    """Return what was found, if the engine takes it.

    Raises:
        Rejected: it does not; it would be tried again for ever.
    """
    size = len(found.model_dump_json().encode())
    if size > MOST_FOUND:
        message = f"who may decide, who stands in for them and when they work comes to {size} bytes"
        raise Rejected(f"{message}, more than {MOST_FOUND}; have the rules name smaller groups")
    return found


@dataclass(frozen=True)
class Company:
    """What is known of people besides the directory: who stands in for whom, and when they work."""

    delegations: Delegations | None = None
    calendars: Calendars | None = None


ALONE = Company()
"""Nothing is known besides the directory."""


class Approvers:
    """Looks up whom rules name."""

    def __init__(self, directory: Directory, company: Company = ALONE) -> None:
        self._directory = directory
        self._company = company

    def people(self, query: PeopleQuery) -> tuple[PersonRef, ...]:
        """Return who can do some work: active; requester and beneficiary only if rules name them and nobody else."""
        beneficiary = self._directory.person(query.beneficiary_id)
        others: dict[str, PersonRef] = {}
        parties: dict[str, PersonRef] = {}
        for rule in query.rules:
            for person in self._named(rule, query, beneficiary, []):  # of work nobody asks who was left out
                if not person.active:
                    continue
                if person.id not in (query.requester_id, query.beneficiary_id):
                    others[person.id] = person.ref()
                elif isinstance(rule, ByPerson):
                    parties[person.id] = person.ref()
        return tuple((others or parties).values())

    def find(self, query: ApproversQuery, beneficiary: Person | None = None) -> Found:
        """Climb each group's ladder up to the first rung with somebody who may decide; most need one look-up only.

        Args:
            query: for whom and what.
            beneficiary: as the directory has them, if that was just asked.

        Raises:
            NotFound: a rule names a group, role or CI that there is not, or there is no such beneficiary.
        """
        beneficiary = beneficiary or self._directory.person(query.beneficiary_id)
        wanted, excluded = query.groups(), query.excluded()
        ladders = []
        for rules in wanted.groups:
            rungs: list[Rung] = []
            for rung in self._ladder(rules, wanted.fallback, query, beneficiary):
                rungs.append(rung)
                if any(person.active and person.id not in excluded for person in rung.people):
                    break
            ladders.append(tuple(rungs))
        named = {person.id: person for rungs in ladders for rung in rungs for person in rung.people}
        around = self._around(query, query.at, {**named, beneficiary.id: beneficiary}) if query.at else Around()
        return Found(rungs=ladders[0], more=tuple(ladders[1:]), around=around)

    def _around(self, query: ApproversQuery, at: datetime, named: dict[str, Person]) -> Around:
        """Return what has to be known of those who are named, of their delegates, and of who ordered."""
        known = self._company.delegations.touching(tuple(named), at) if self._company.delegations else ()
        delegations = delegation.told(named, known, query.matter, at)
        delegates = self._by_id({one.delegate.id for one in delegations}, named)
        called = self._called(query.called, {**named, **delegates})
        if self._company.calendars is None:
            return Around(delegations=delegations, people=delegates, called=called)
        published = self._company.calendars.calendars()
        people = {**named, **delegates, **self._by_id({query.requester_id}, named)}
        files = tuple(one.file for one in published)
        chosen = self._company.calendars.chosen(tuple(people))
        hours = {person.id: calendar_of(person, files, chosen.get(person.id)) for person in people.values()}
        wanted = {*hours.values(), *query.calendars}
        calendars = {one.calendar.id: one.calendar for one in published if one.calendar.id in wanted}
        return Around(delegations=delegations, people=delegates, called=called, calendars=calendars, hours=hours)

    def _called(self, logins: Iterable[str], known: Mapping[str, Person]) -> dict[str, str]:
        """Return what people are called, by login; whose login tells of nobody, or of several, is left out."""
        names = {person.login: person.name for person in known.values()}
        for login in logins:
            if login not in names:
                with contextlib.suppress(NotFound, Rejected):  # nobody may ever be asked because of it
                    names[login] = self._directory.person_by_login(login).name
        return {login: names[login] for login in logins if login in names}

    def _by_id(self, ids: set[str], known: Mapping[str, Person]) -> dict[str, Person]:
        """Return people by id; who is gone is left out."""
        found = {}
        for one in sorted(ids):
            with contextlib.suppress(NotFound):
                found[one] = known.get(one) or self._directory.person(one)
        return found

    def _ladder(
        self,
        rules: tuple[ApproverRule, ...],
        fallback: tuple[ApproverRule, ...] | None,
        query: PeopleQuery,
        beneficiary: Person,
    ) -> Iterator[Rung]:
        """Yield the rules' own people, then the fallbacks: the manager's manager and the item's owner unless told."""
        yield self._rung("+".join(f"approver.{rule.rule}" for rule in rules), rules, query, beneficiary)
        if fallback is not None:
            for rule in fallback:
                yield self._rung(f"fallback.{rule.rule}", (rule,), query, beneficiary)
            return
        levels = max((rule.levels for rule in rules if isinstance(rule, ByManager)), default=0)
        if levels:
            circle: list[Skipped] = []
            people = self._managers(beneficiary, levels + 1, circle)
            yield Rung(rule="approver.manager-of-manager", people=people, skipped=tuple(circle))
        yield Rung(rule="approver.item-owner", people=self._by_login(query.item_owner))

    def _rung(self, name: str, rules: tuple[ApproverRule, ...], query: PeopleQuery, beneficiary: Person) -> Rung:
        skipped: list[Skipped] = []
        found = [(one, rule.weight) for rule in rules for one in self._named(rule, query, beneficiary, skipped)]
        weights: dict[str, int] = {}
        for person, weight in found:
            if weight > weights.get(person.id, 1):
                weights[person.id] = weight
        return Rung(rule=name, people=tuple(one for one, _ in found), weights=weights, skipped=tuple(skipped))

    def _named(
        self, rule: ApproverRule, query: PeopleQuery, beneficiary: Person, skipped: list[Skipped]
    ) -> tuple[Person, ...]:
        """Return whom a rule names; at whom a look-up came to its end for nothing is added to `skipped`."""
        match rule:
            case ByManager():
                return self._managers(beneficiary, rule.levels, skipped)
            case ByOwner():
                group = rule.group or query.group
                return self._directory.owners(group) if group else ()
            case ByItemOwner():
                return self._by_login(query.item_owner)
            case ByCiOwner():
                return self._directory.ci_owners(rule.ci)
            case ByGroup():
                return self._directory.members(rule.group)
            case ByRole():
                return self._directory.occupants(rule.role)
            case ByPerson():
                return self._by_login(rule.person)
            case ByExpression():
                return ()  # the workflow has put the people in its place
            case _:
                assert_never(rule)

    def _managers(self, person: Person, levels: int, skipped: list[Skipped]) -> tuple[Person, ...]:
        """Return the manager so many levels up; nobody where the line ends, or goes in a circle: see `skipped`."""
        seen = {person.id}
        for _ in range(levels):
            above = self._manager_of(person)
            if above is None:
                return ()
            if above.id in seen:
                skipped.append(Skipped(person=above.ref(), rule=MANAGER_CIRCLE))
                return ()
            seen.add(above.id)
            person = above
        return (person,)

    def _manager_of(self, person: Person) -> Person | None:
        """Return the manager; None when none is named or the one named is gone."""
        try:
            return self._directory.person(person.manager_id) if person.manager_id else None
        except NotFound:
            return None

    def _by_login(self, login: str) -> tuple[Person, ...]:
        try:
            return (self._directory.person_by_login(login),)
        except NotFound:
            return ()
