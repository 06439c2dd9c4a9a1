"""What the platform needs of the outside, one Protocol per capability.

Every implementation raises only `activities.errors.ConnectorError` and is safe to call from several threads.
A connector lives in connectors/<vendor>/ and passes the contract suite of its port in tests/activities/.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from catalog.access import Membership, Observed
from catalog.calendar_file import PublishedCalendar
from catalog.delegation import Delegation
from catalog.directory import AccountSpec, Attribute, GroupInfo, GroupSpec
from catalog.http import HttpAnswer, HttpCall
from catalog.item import CatalogItem
from catalog.people import Person, PersonRef
from catalog.request import Batch
from catalog.watch import AwaitingPage, LateTimer


class Directory(Protocol):
    """People, groups and who is in them, roles and who holds them, and who owns what (feature rows P1, P2).

    People are named by the directory's immutable id, groups, roles and configuration items (CIs: machines and the
    like) by name. Every text may hold any character; the connector escapes it.
    """

    def person_by_login(self, login: str) -> Person:
        """Return the person who signs in with `login`.

        Raises:
            NotFound: nobody does.
            Rejected: more than one does: the directory is at fault.
        """

    def person(self, person_id: str) -> Person:
        """Return the person with that immutable id.

        Raises:
            NotFound: there is none (any more).
        """

    def authenticate(self, login: str, password: str) -> Person | None:
        """Return the person if that is their password and their account is active, else None.

        An empty password is never right (RFC 4513, section 5.1.2).
        """

    def people(self, search: str, limit: int) -> tuple[PersonRef, ...]:
        """Return the active people whose login, name or mail holds the text, by name; `limit` of them at most."""

    def groups(self, search: str, limit: int) -> tuple[GroupInfo, ...]:
        """Return the groups whose name or description holds the text, by name; `limit` of them at most."""

    def group(self, group: str) -> GroupInfo:
        """Return a group.

        Raises:
            NotFound: there is no such group.
        """

    def members(self, group: str) -> tuple[Person, ...]:
        """Return the people in the group; entries that are no person are left out.

        Raises:
            NotFound: there is no such group.
            Rejected: the directory gave only a part of them.
        """

    def owners(self, group: str) -> tuple[Person, ...]:
        """Return the people who answer for the group; empty if it names none.

        Raises:
            NotFound: there is no such group.
        """

    def occupants(self, role: str) -> tuple[Person, ...]:
        """Return the people who hold a position in the organisation now; nobody, if it is vacant.

        Entries that are no person are left out.

        Raises:
            NotFound: there is no such role.
        """

    def ci_owners(self, ci: str) -> tuple[Person, ...]:
        """Return the people who own a configuration item; empty if it names none.

        Entries that are no person are left out.

        Raises:
            NotFound: there is no such configuration item.
        """

    def groups_of(self, person_id: str) -> tuple[str, ...]:
        """Return the names of the groups the person is directly in.

        Raises:
            NotFound: there is no such person.
        """

    def is_member(self, membership: Membership) -> bool:
        """Return whether the person is directly in the group.

        Raises:
            NotFound: there is no such person or group.
        """

    def ensure_member(self, membership: Membership) -> Observed:
        """Put the person into the group unless they are in it, read back, and say what was seen.

        Reads first, so that repeating it after an unknown outcome never writes twice.

        Raises:
            NotFound: there is no such person or group.
            Conflict: the person is not active: nobody is let in through an account that is closed.
            Rejected: the target refuses the write.
            NotApplied: the target took the write but does not show it.
        """

    def ensure_absent(self, membership: Membership) -> Observed:
        """Take the person out of the group if they are in it, read back, and say what was seen.

        A person or group that no longer exists counts as absent, and an account that is closed is taken out as any
        other. Raises `Rejected` and `NotApplied` as `ensure_member` does.
        """

    def ping(self) -> None:
        """Return if the directory answers the service account.

        Raises:
            Transient: it cannot be reached.
            Rejected: it refuses the service account.
        """


class ManagedDirectory(Directory, Protocol):
    """A directory whose groups and accounts can be changed too (feature row P1).

    Each change reads first, reads back, and changes nothing when it is repeated. All of them raise `Rejected` if the
    target refuses the write and `NotApplied` if it took the write but does not show it.
    """

    def ensure_group(self, group: GroupSpec) -> Observed:
        """Make a group without members unless it is there as described.

        Raises:
            NotFound: an owner is nobody.
            Conflict: a group of that name is there, with another description or other owners.
        """

    def ensure_no_group(self, group: str, *, even_with_members: bool) -> Observed:
        """Delete a group if it is there.

        Raises:
            Conflict: people are in it, and `even_with_members` is false.
        """

    def attributes(self, person_id: str, names: Iterable[Attribute]) -> dict[Attribute, tuple[str, ...]]:
        """Return the values of those attributes, in order; none for one that is not set.

        Raises:
            NotFound: there is no such person.
        """

    def ensure_attributes(self, person_id: str, values: Mapping[Attribute, tuple[str, ...]]) -> Observed:
        """Make each attribute hold exactly these values; none removes it.

        Raises:
            NotFound: there is no such person.
        """

    def ensure_account(self, account: AccountSpec) -> Observed:
        """Make the account of a program, disabled and without a password, unless it is there as described.

        Raises:
            NotFound: the owner is nobody.
            Conflict: there is an account of that login that is another.
        """

    def ensure_no_account(self, login: str) -> Observed:
        """Delete the account of a program if it is there.

        Raises:
            Conflict: it is a person's: those are never deleted.
        """

    def ensure_active(self, person_id: str, *, active: bool) -> Observed:
        """Enable or disable an account by the directory's mark for it.

        Raises:
            NotFound: there is no such person.
            Conflict: another mark keeps it inactive: that they left, for example.
        """

    def set_password(self, person_id: str, password: str) -> Observed:
        """Set a password; `present` says whether signing in with it was seen to work (an inactive account cannot).

        Raises:
            NotFound: there is no such person.
            Rejected: the directory's rules do not accept this password, or it is empty.
        """


class Secrets(Protocol):
    """Where the secrets are that people gave with an order; only references travel (feature row C2)."""

    def reveal(self, ref: str) -> str:
        """Return the secret that a reference stands for.

        Raises:
            NotFound: there is none, or it was forgotten when its request closed.
            Transient: the place where they are kept cannot be reached.
        """


class HttpSender(Protocol):
    """A way to send one HTTP request."""

    def send(self, call: HttpCall) -> HttpAnswer:
        """Send a request and return the answer, if its status is one of those expected.

        Raises:
            Transient: the server cannot be reached, or says that it cannot answer now; nothing was done.
            Throttled: it asks for a pause.
            UnknownOutcome: it was lost after it had the request, which may safely be sent again.
            Rejected: the request may not be sent, or the answer is not one that was expected. `ours` says whether the
                server may have acted.
        """


@dataclass(frozen=True)
class Ports:
    """What action sets and providers are made from.

    Attributes:
        published: the newest published version of every item.
    """

    directory: ManagedDirectory
    secrets: Secrets
    http: HttpSender
    published: Callable[[], Iterable[CatalogItem]]


class Mail(Protocol):
    """A way to send one mail."""

    def send(self, *, to: str, subject: str, body: str, message_id: str) -> None:
        """Hand one plain-text mail to the relay.

        Raises:
            Transient: the relay cannot be reached or asks to try later; nothing was handed over.
            Rejected: the relay refuses this mail or this recipient.
        """


class Journal(Protocol):
    """Where a request's journal and state are kept; the register implements it."""

    def record(self, batch: Batch) -> bool:
        """Write a batch in one transaction.

        Idempotent: an entry that stands is left as it is, and a projection older than what stands is ignored. An
        entry that stands with another content was written by a step that the engine did not keep and did again: the
        later version (by `Projection.step`, then `updated_at`) takes its place.

        Returns:
            False if nothing was written, because the tasks that stand are not those that the changed ones are to be
            laid over (`Batch.fits`): all of them are wanted.
        """


class Delegations(Protocol):
    """Who may decide in whose place (feature row A8); the register implements it."""

    def touching(self, person_ids: Collection[str], at: datetime) -> tuple[Delegation, ...]:
        """Return what these people have delegated, and their delegates, and theirs, as far as a chain goes.

        Those in force at that moment and those to come; in whatever order. Which of them count is decided by
        `catalog.delegation`.
        """


class Calendars(Protocol):
    """The working hours of the company's people (feature rows A12, S2); the register implements it."""

    def calendars(self) -> tuple[PublishedCalendar, ...]:
        """Return the calendars as last published, each id once."""

    def chosen(self, person_ids: Collection[str]) -> Mapping[str, str]:
        """Return, by person, the ids of the calendars that some of them have chosen instead of the rules' one.

        A calendar that is no longer there may be among them: then the rules decide.
        """


class Watch(Protocol):
    """What the record says of timers that should have fired; the register implements it."""

    def look_for_late_timers(self, now: datetime) -> Sequence[LateTimer]:
        """Take note of the timers that have become late since the last look, and of those that are late no more.

        The operators are owed one notice for each. Returns the new ones; repeating it finds nothing more.
        """


class OpenApprovals(Protocol):
    """The requests that wait for approval; the register implements it."""

    def open_approvals(self, after: int | None, limit: int) -> AwaitingPage:
        """Return the next of them, oldest first; `after` is the cursor of the page before."""
