"""What the platform needs of the outside, one Protocol per capability.

Every implementation raises only `activities.errors.ConnectorError` and is safe to call from several threads.
A connector lives in connectors/<vendor>/ and passes the contract suite of its port in tests/activities/.
"""

from __future__ import annotations

from typing import Protocol

from catalog.access import Membership, Observed
from catalog.people import Person
from catalog.request import Batch


class Directory(Protocol):
    """People, groups and who is in them (feature rows P1, P2).

    People are named by the directory's immutable id, groups by name. Every text may hold any character; the
    connector escapes it.
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

    def record(self, batch: Batch) -> None:
        """Write a batch in one transaction.

        Idempotent: an entry that stands is left as it is, and a projection older than what stands is ignored. An
        entry that stands with another content was written by a step that the engine did not keep and did again: the
        later version (by `Projection.step`, then `updated_at`) takes its place.
        """
