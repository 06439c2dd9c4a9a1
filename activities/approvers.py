"""Who decides and who does the work: from the rules of an item to people of the directory.

Used by the activities of a running request and by the preview of one, so nothing here knows the workflow engine. Which
of the people count is decided in `catalog.approval.slate`; here they are only looked up, as far as it asks for more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self, assert_never

from activities.errors import NotFound
from activities.ports import Directory
from catalog import approval
from catalog.approval import Rung
from catalog.model import Model
from catalog.people import Person, PersonRef
from catalog.request import Order
from catalog.stages import (
    ApproverRule,
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
    """Whom the rules of a stage name, with their fallbacks; in `stage` an earlier release has the rules."""

    stage: Stage | None = None


class Approvers:
    """Looks up whom rules name."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def people(self, query: PeopleQuery) -> tuple[PersonRef, ...]:
        """Return who can do some work: active; requester and beneficiary only if rules name them and nobody else."""
        beneficiary = self._directory.person(query.beneficiary_id)
        others: dict[str, PersonRef] = {}
        parties: dict[str, PersonRef] = {}
        for rule in query.rules:
            for person in self._named(rule, query, beneficiary):
                if not person.active:
                    continue
                if person.id not in (query.requester_id, query.beneficiary_id):
                    others[person.id] = person.ref()
                elif isinstance(rule, ByPerson):
                    parties[person.id] = person.ref()
        return tuple((others or parties).values())

    def rungs(self, query: ApproversQuery, beneficiary: Person | None = None) -> tuple[Rung, ...]:
        """Climb the ladder up to the first rung with somebody who may decide; most need one look-up only.

        Args:
            query: for whom and what.
            beneficiary: as the directory has them, if that was just asked.

        Raises:
            NotFound: a rule names a group or role that there is not, or there is no such beneficiary.
        """
        beneficiary = beneficiary or self._directory.person(query.beneficiary_id)
        rungs: list[Rung] = []
        for rung in self._ladder(query, beneficiary):
            rungs.append(rung)
            if approval.slate(tuple(rungs), query.requester_id, query.beneficiary_id).people:
                break
        return tuple(rungs)

    def _ladder(self, query: ApproversQuery, beneficiary: Person) -> Iterator[Rung]:
        """Yield the rules' own people, then the manager's manager, then the item's owner."""
        rules = query.rules or (query.stage.approvers if query.stage else ())
        named = tuple(person for rule in rules for person in self._named(rule, query, beneficiary))
        yield Rung(rule="+".join(f"approver.{rule.rule}" for rule in rules), people=named)
        levels = max((rule.levels for rule in rules if isinstance(rule, ByManager)), default=0)
        if levels:
            yield Rung(rule="approver.manager-of-manager", people=self._managers(beneficiary, levels + 1))
        yield Rung(rule="approver.item-owner", people=self._by_login(query.item_owner))

    def _named(self, rule: ApproverRule, query: PeopleQuery, beneficiary: Person) -> tuple[Person, ...]:
        match rule:
            case ByManager():
                return self._managers(beneficiary, rule.levels)
            case ByOwner():
                group = rule.group or query.group
                return self._directory.owners(group) if group else ()
            case ByItemOwner():
                return self._by_login(query.item_owner)
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

    def _managers(self, person: Person, levels: int) -> tuple[Person, ...]:
        """Return the manager so many levels up; nobody where the line ends or runs in a circle."""
        seen = {person.id}
        for _ in range(levels):
            above = self._manager_of(person)
            if above is None or above.id in seen:
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
