"""Activities on the directory: who people are, who may decide for them, and what groups they are in.

Each reads or makes one thing true, and may be repeated at any time. A cancellation does not interrupt an attempt
(a write cut in half would be an unknown outcome made by ourselves): it ends, and the workflow undoes it. How people are
found for a rule is `approvers`' business.
"""

from __future__ import annotations

from temporalio import activity

from activities.approvers import ALONE, Approvers, ApproversQuery, Company, PeopleQuery, bounded
from activities.authorship import authored
from activities.errors import NotFound
from activities.heartbeat import heartbeating
from activities.mapping import connector_errors
from activities.ports import Directory
from catalog.access import Membership, Observed
from catalog.model import Model
from catalog.people import Person, PersonRef
from catalog.slate import Found


class People(Model):
    """Active people, each once, in the order the rules named them."""

    people: tuple[PersonRef, ...]


class StandingQuery(Model):
    """Whose standing towards which group is asked; with `approvers`, the first stage's ladder comes along."""

    membership: Membership
    approvers: ApproversQuery | None = None


class Standing(Found):
    """How a person stands towards an entitlement before anything is done, and the first stage's people.

    Attributes:
        person: None if the directory no longer has them.
        already_member: whether they have it already.
    """

    person: Person | None
    already_member: bool = False


class Identity:
    """The directory's activities."""

    def __init__(self, directory: Directory, company: Company = ALONE) -> None:
        self._directory = directory
        self._approvers = Approvers(directory, company)

    @activity.defn(name="identity.standing", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def standing(self, query: StandingQuery) -> Standing:
        """Look up the person, whether they are in the group, and the approvers of the first stage."""
        try:
            person = self._directory.person(query.membership.person_id)
        except NotFound:
            return Standing(person=None)
        member = bool(query.membership.group) and self._directory.is_member(query.membership)
        found = Found()
        if query.approvers and person.active and not member:
            found = bounded(self._approvers.find(query.approvers, person))
        return Standing(person=person, already_member=member, **dict(found))

    @activity.defn(name="identity.approvers", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def approvers(self, query: ApproversQuery) -> Found:
        """Look up the people whom a stage's rules and their fallbacks name."""
        return bounded(self._approvers.find(query))

    @activity.defn(name="identity.people", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def people(self, query: PeopleQuery) -> People:
        """Look up who can do some work; see `Approvers.people`."""
        return People(people=self._approvers.people(query))

    @activity.defn(name="identity.ensure_member", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def ensure_member(self, membership: Membership) -> Observed:
        """Make the person a member of the group, see that they are, and say whether that is this request's doing."""
        return authored(lambda: self._directory.ensure_member(membership))

    @activity.defn(name="identity.ensure_absent", no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def ensure_absent(self, membership: Membership) -> Observed:
        """Make the person no member of the group, see that they are none, and say whether that is our doing."""
        return authored(lambda: self._directory.ensure_absent(membership))
