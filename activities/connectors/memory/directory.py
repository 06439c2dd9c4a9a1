"""The directory port over plain data, with faults on demand and a ledger of what was written.

For simulations and unit tests only: it shows how the platform behaves, never that an integration works.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from activities.errors import Conflict, ConnectorError, NotApplied, NotFound, Rejected, UnknownOutcome
from catalog.access import Membership, Observed
from catalog.people import Person

_WHERE = "memory"
_WRITES = 2  # as the LDAP connector: a write that is not to be seen is repeated once

Operation = Literal[
    "person_by_login",
    "person",
    "authenticate",
    "members",
    "owners",
    "groups_of",
    "is_member",
    "ensure_member",
    "ensure_absent",
    "ping",
]


@dataclass
class Group:
    """A group: the immutable ids of its members and owners. Ids of nobody are left out when people are asked for."""

    name: str
    members: set[str] = field(default_factory=set)
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Write:
    """One change that was applied."""

    kind: Literal["add", "remove"]
    membership: Membership


@dataclass
class _Failure:
    error: ConnectorError
    times: int
    on: Operation | None


class MemoryDirectory:
    """People and groups in memory; safe to call from several threads.

    Attributes:
        ledger: every change that was applied, in order.
    """

    def __init__(
        self, people: Iterable[Person] = (), groups: Iterable[Group] = (), passwords: Mapping[str, str] | None = None
    ) -> None:
        """Take over the people, their groups, and their passwords by immutable id."""
        self.ledger: list[Write] = []
        self._people = {person.id: person for person in people}
        self._groups = {_key(group.name): group for group in groups}
        self._passwords = dict(passwords or {})
        self._lock = threading.RLock()
        self._failures: list[_Failure] = []
        self._swallow = 0
        self._lose = 0
        self._held: dict[Operation, tuple[threading.Event, threading.Event]] = {}

    # --- what a test or a simulation does to it ---

    def put_person(self, person: Person) -> None:
        """Add a person, or replace the one with that id: they moved, left, or got another manager."""
        with self._lock:
            self._people[person.id] = person

    def fail_next(self, error: ConnectorError, times: int = 1, *, on: Operation | None = None) -> None:
        """Let the next `times` calls (of the operation `on`, else of any) raise `error` before they do anything."""
        with self._lock:
            self._failures.append(_Failure(error, times, on))

    def swallow_writes(self, times: int = 1) -> None:
        """Let the next `times` writes be acknowledged without being applied."""
        with self._lock:
            self._swallow = times

    def lose_answers(self, times: int = 1) -> None:
        """Let the next `times` writes be applied, and the caller get UnknownOutcome instead of the answer."""
        with self._lock:
            self._lose = times

    @contextmanager
    def held(self, on: Operation) -> Iterator[threading.Event]:
        """Let calls of an operation wait until the end of the block; the event given says that one has begun."""
        begun, go = threading.Event(), threading.Event()
        self._held[on] = (begun, go)
        try:
            yield begun
        finally:
            del self._held[on]
            go.set()

    # --- the port ---

    def person_by_login(self, login: str) -> Person:
        """Return the person who signs in with `login`; see the port."""
        with self._call("person_by_login"):
            return self._by_login(login)

    def person(self, person_id: str) -> Person:
        """Return the person with that immutable id; see the port."""
        with self._call("person"):
            return self._person(person_id)

    def authenticate(self, login: str, password: str) -> Person | None:
        """Return the active person if that is their password, else None; see the port."""
        with self._call("authenticate"):
            try:
                person = self._by_login(login)
            except NotFound:
                return None
            return person if password and person.active and self._passwords.get(person.id) == password else None

    def members(self, group: str) -> tuple[Person, ...]:
        """Return the people in the group; see the port."""
        with self._call("members"):
            return self._known(self._group(group).members)

    def owners(self, group: str) -> tuple[Person, ...]:
        """Return the people who answer for the group; see the port."""
        with self._call("owners"):
            return self._known(self._group(group).owners)

    def groups_of(self, person_id: str) -> tuple[str, ...]:
        """Return the names of the groups the person is directly in; see the port."""
        with self._call("groups_of"):
            self._person(person_id)
            return tuple(sorted(group.name for group in self._groups.values() if person_id in group.members))

    def is_member(self, membership: Membership) -> bool:
        """Return whether the person is directly in the group; see the port."""
        with self._call("is_member"):
            return self._person(membership.person_id).id in self._group(membership.group).members

    def ensure_member(self, membership: Membership) -> Observed:
        """Put the person into the group unless they are in it; see the port."""
        with self._call("ensure_member"):
            person, group = self._person(membership.person_id), self._group(membership.group)
            if not person.active:
                raise Conflict(f"the account {person.login!r} is not active, so it is let into no group")
            return self._ensure(group, membership, present=True)

    def ensure_absent(self, membership: Membership) -> Observed:
        """Take the person out of the group if they are in it; see the port."""
        with self._call("ensure_absent"):
            try:
                self._person(membership.person_id)
                return self._ensure(self._group(membership.group), membership, present=False)
            except NotFound:
                return _observed(present=False, changed=False)

    def ping(self) -> None:
        """Return unless a failure was ordered; see the port."""
        with self._call("ping"):
            pass

    # --- how it does it ---

    @contextmanager
    def _call(self, operation: Operation) -> Iterator[None]:
        if operation in self._held:
            begun, go = self._held[operation]
            begun.set()
            go.wait()
        with self._lock:
            for failure in self._failures:
                if failure.on in (None, operation) and failure.times > 0:
                    failure.times -= 1
                    raise failure.error
            yield

    def _ensure(self, group: Group, membership: Membership, *, present: bool) -> Observed:
        if (membership.person_id in group.members) == present:
            return _observed(present=present, changed=False)
        for _ in range(_WRITES):
            self._write(group, membership, present=present)
            if (membership.person_id in group.members) == present:
                return _observed(present=present, changed=True)
        raise NotApplied(f"{group.name!r} took {_WRITES} writes for {membership.person_id!r} and does not show them")

    def _write(self, group: Group, membership: Membership, *, present: bool) -> None:
        if self._swallow:
            self._swallow -= 1
            return
        (group.members.add if present else group.members.discard)(membership.person_id)
        self.ledger.append(Write("add" if present else "remove", membership))
        if self._lose:
            self._lose -= 1
            raise UnknownOutcome("the connection broke; whether the change was made is unknown")

    def _by_login(self, login: str) -> Person:
        found = [person for person in self._people.values() if _key(person.login) == _key(login)]
        if not found:
            raise NotFound(f"there is no person with the login {login!r}")
        if len(found) > 1:
            raise Rejected(f"there is more than one person with the login {login!r}; make it one")
        return found[0]

    def _person(self, person_id: str) -> Person:
        if person_id not in self._people:
            raise NotFound(f"there is no person with the id {person_id!r}")
        return self._people[person_id]

    def _group(self, name: str) -> Group:
        if _key(name) not in self._groups:
            raise NotFound(f"there is no group {name!r}")
        return self._groups[_key(name)]

    def _known(self, ids: Iterable[str]) -> tuple[Person, ...]:
        people = (self._people[person_id] for person_id in ids if person_id in self._people)
        return tuple(sorted(people, key=lambda person: person.login))


def _key(text: str) -> str:
    """Compare as directories do: neither case nor extra spaces matter (RFC 4518)."""
    return " ".join(text.split()).casefold()


def _observed(*, present: bool, changed: bool) -> Observed:
    return Observed(present=present, changed=changed, at=datetime.now(UTC), where=_WHERE)
