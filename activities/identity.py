"""Activities on the directory: who people are, who may decide for them, and what groups they are in.

Each reads or makes one thing true, and may be repeated at any time. A cancellation does not interrupt an attempt
(a write cut in half would be an unknown outcome made by ourselves): it ends, and the workflow undoes it. Which
approvers count is decided in `catalog.approval.slate`; here they are only looked up, as far as it asks for more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from temporalio import activity

from activities.errors import ConnectorError, NotFound
from activities.heartbeat import heartbeating
from activities.mapping import connector_errors
from activities.ports import Directory
from catalog import approval
from catalog.access import Membership, Observed
from catalog.approval import Rung
from catalog.item import ApproverRule, ByGroup, ByManager, ByOwner, Stage
from catalog.model import Model
from catalog.people import Person


class ApproversQuery(Model):
    """For whom and for what a stage's approvers are looked up; `item_owner` is a login."""

    stage: Stage
    requester_id: str
    beneficiary_id: str
    group: str
    item_owner: str


class Rungs(Model):
    """The ladder of people for one stage: first whom its rules name, then the fallbacks, as far as they are needed."""

    rungs: tuple[Rung, ...]


class StandingQuery(Model):
    """Whose standing towards which group is asked; with `approvers`, the first stage's ladder comes along."""

    membership: Membership
    approvers: ApproversQuery | None = None


class Standing(Model):
    """How a person stands towards an entitlement before anything is done.

    Attributes:
        person: None if the directory no longer has them.
        already_member: whether they have it already.
        rungs: the first stage's ladder, read in the same visit.
    """

    person: Person | None
    already_member: bool = False
    rungs: tuple[Rung, ...] = ()


class Identity:
    """The directory's activities."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    @activity.defn(name="identity.standing", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def standing(self, query: StandingQuery) -> Standing:
        """Look up the person, whether they are in the group, and the approvers of the first stage."""
        try:
            person = self._directory.person(query.membership.person_id)
        except NotFound:
            return Standing(person=None)
        member = self._directory.is_member(query.membership)
        rungs = self._rungs(query.approvers, person) if query.approvers and person.active and not member else ()
        return Standing(person=person, already_member=member, rungs=rungs)

    @activity.defn(name="identity.approvers", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def approvers(self, query: ApproversQuery) -> Rungs:
        """Look up the people whom a stage's rules and their fallbacks name."""
        return Rungs(rungs=self._rungs(query, self._directory.person(query.beneficiary_id)))

    @activity.defn(name="identity.ensure_member", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def ensure_member(self, membership: Membership) -> Observed:
        """Make the person a member of the group, see that they are, and say whether that is this request's doing."""
        return _with_authorship(self._directory.ensure_member, membership)

    @activity.defn(name="identity.ensure_absent", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def ensure_absent(self, membership: Membership) -> Observed:
        """Make the person no member of the group and see that they are none."""
        return self._directory.ensure_absent(membership)

    def _rungs(self, query: ApproversQuery, beneficiary: Person) -> tuple[Rung, ...]:
        """Climb the ladder up to the first rung with somebody who may decide; most need one look-up only."""
        rungs: list[Rung] = []
        for rung in self._ladder(query, beneficiary):
            rungs.append(rung)
            if approval.slate(tuple(rungs), query.requester_id, query.beneficiary_id).people:
                break
        return tuple(rungs)

    def _ladder(self, query: ApproversQuery, beneficiary: Person) -> Iterator[Rung]:
        """Yield the rules' own people, then the manager's manager, then the item's owner."""
        rules = query.stage.approvers
        by_manager = any(isinstance(rule, ByManager) for rule in rules)
        manager = self._manager_of(beneficiary) if by_manager else None
        named = tuple(person for rule in rules for person in self._named(rule, query, manager))
        yield Rung(rule="+".join(f"approver.{rule.rule}" for rule in rules), people=named)
        if manager:
            above = self._manager_of(manager)
            yield Rung(rule="approver.manager-of-manager", people=(above,) if above else ())
        yield Rung(rule="approver.item-owner", people=self._by_login(query.item_owner))

    def _named(self, rule: ApproverRule, query: ApproversQuery, manager: Person | None) -> tuple[Person, ...]:
        match rule:
            case ByManager():
                return (manager,) if manager else ()
            case ByOwner():
                return self._directory.owners(query.group)
            case ByGroup():
                return self._directory.members(rule.group)
            case _:
                assert_never(rule)

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


_UNTOUCHED = "untouched"
"""Left for the next attempt: so far no attempt came to writing."""


def _with_authorship(change: Callable[[Membership], Observed], membership: Membership) -> Observed:
    """Make a change and say whether its being there is, or may be, this request's doing.

    An attempt that finds it so already did not make it so; but an earlier attempt may have, unless each of them is
    known to have ended before its write. One that was killed says nothing, so it may have.
    """
    untouched = True
    if activity.in_activity() and activity.info().attempt > 1:
        untouched = list(activity.info().heartbeat_details) == [_UNTOUCHED]
        activity.heartbeat()  # until this attempt has ended, nobody knows
    try:
        observed = change(membership)
    except ConnectorError as error:
        error.ours = error.ours or not untouched
        if not error.ours and activity.in_activity():
            activity.heartbeat(_UNTOUCHED)
        raise
    return observed.model_copy(update={"ours": observed.changed or not untouched})
