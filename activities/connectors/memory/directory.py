"""The directory port over plain data, with faults on demand and a ledger of what was written.

For simulations and unit tests only: it shows how the platform behaves, never that an integration works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from activities.errors import Conflict, ConnectorError, NotApplied, NotFound, Rejected, UnknownOutcome
from catalog.access import Membership, Observed
from catalog.directory import SERVICE_ACCOUNT, AccountSpec, Attribute, GroupInfo, GroupSpec
from catalog.people import Person, PersonRef

_WHERE = "memory"
_DEMANDED: tuple[Attribute, ...] = ("name", "surname")  # as inetOrgPerson (RFC 2798)
_SHOWN: tuple[Attribute, ...] = ("name", "mail", "title", "location", "department")
_WRITES = 2  # as the LDAP connector: a write that is not to be seen is repeated once

Operation = Literal[
    "person_by_login",
    "person",
    "people",
    "authenticate",
    "groups",
    "group",
    "members",
    "owners",
    "occupants",
    "ci_owners",
    "groups_of",
    "is_member",
    "ensure_member",
    "ensure_absent",
    "ensure_group",
    "ensure_no_group",
    "attributes",
    "ensure_attributes",
    "ensure_account",
    "ensure_no_account",
    "ensure_active",
    "set_password",
    "ping",
]


@dataclass
class Group:
    """A group: the immutable ids of its members and owners. Ids of nobody are left out when people are asked for."""

    name: str
    members: set[str] = field(default_factory=set)
    owners: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Write:
    """One change of a membership that was applied."""

    kind: Literal["add", "remove"]
    membership: Membership


@dataclass(frozen=True)
class Change:
    """One change of anything else that was applied: the operation, and the name of the group or the login."""

    kind: Operation
    subject: str


@dataclass
class _Failure:
    error: ConnectorError
    times: int
    on: Operation | None


class MemoryDirectory:
    """People and groups in memory; safe to call from several threads.

    Attributes:
        ledger: every change of a membership that was applied, in order.
        changes: every other change that was applied, in order.
    """

    def __init__(
        self,
        people: Iterable[Person] = (),
        groups: Iterable[Group] = (),
        passwords: Mapping[str, str] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        roles: Mapping[str, Iterable[str]] | None = None,
        cis: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """Take over the people, their groups, their passwords by immutable id, and when things are seen.

        `roles` says who holds each role, `cis` who owns each configuration item: immutable ids, by its name.
        """
        self._clock = clock
        self.ledger: list[Write] = []
        self.changes: list[Change] = []
        self._people = {person.id: person for person in people}
        self._groups = {_key(group.name): group for group in groups}
        self._roles = {_key(name): frozenset(holders) for name, holders in (roles or {}).items()}
        self._cis = {_key(name): frozenset(owners) for name, owners in (cis or {}).items()}
        self._passwords = dict(passwords or {})
        self._more: dict[str, dict[Attribute, tuple[str, ...]]] = {}
        self._disabled: set[str] = set()
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
            self._more.pop(person.id, None)
            self._disabled.discard(person.id)

    def put_role(self, role: str, holders: Iterable[str]) -> None:
        """Add a role, or say who holds it from now on: immutable ids."""
        with self._lock:
            self._roles[_key(role)] = frozenset(holders)

    def put_ci(self, ci: str, owners: Iterable[str]) -> None:
        """Add a configuration item, or say who owns it from now on: immutable ids."""
        with self._lock:
            self._cis[_key(ci)] = frozenset(owners)

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

    def people(self, search: str, limit: int) -> tuple[PersonRef, ...]:
        """Return the active people who match, by name; see the port."""
        with self._call("people"):
            found = (
                person.ref()
                for person in self._people.values()
                if person.active and _holds(search, person.login, person.name, person.mail or "")
            )
            return tuple(sorted(found, key=lambda person: person.name.casefold())[:limit])

    def authenticate(self, login: str, password: str) -> Person | None:
        """Return the active person if that is their password, else None; see the port."""
        with self._call("authenticate"):
            try:
                person = self._by_login(login)
            except NotFound:
                return None
            return person if password and person.active and self._passwords.get(person.id) == password else None

    def groups(self, search: str, limit: int) -> tuple[GroupInfo, ...]:
        """Return the groups that match, by name; see the port."""
        with self._call("groups"):
            found = (_info(group) for group in self._groups.values() if _holds(search, group.name, group.description))
            return tuple(sorted(found, key=lambda group: group.name.casefold())[:limit])

    def group(self, group: str) -> GroupInfo:
        """Return a group; see the port."""
        with self._call("group"):
            return _info(self._group(group))

    def members(self, group: str) -> tuple[Person, ...]:
        """Return the people in the group; see the port."""
        with self._call("members"):
            return self._known(self._group(group).members)

    def owners(self, group: str) -> tuple[Person, ...]:
        """Return the people who answer for the group; see the port."""
        with self._call("owners"):
            return self._known(self._group(group).owners)

    def occupants(self, role: str) -> tuple[Person, ...]:
        """Return the people who hold the role now; see the port."""
        with self._call("occupants"):
            if _key(role) not in self._roles:
                raise NotFound(f"there is no role {role!r}")
            return self._known(self._roles[_key(role)])

    def ci_owners(self, ci: str) -> tuple[Person, ...]:
        """Return the people who own the configuration item; see the port."""
        with self._call("ci_owners"):
            if _key(ci) not in self._cis:
                raise NotFound(f"there is no configuration item {ci!r}")
            return self._known(self._cis[_key(ci)])

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
                return self._observed(present=False, changed=False)

    # --- what else can be changed ---

    def ensure_group(self, group: GroupSpec) -> Observed:
        """Make a group without members unless it is there as described; see the port."""
        with self._call("ensure_group"):
            for owner in group.owner_ids:
                self._person(owner)
            there = self._groups.get(_key(group.name))
            if there and (there.description, set(there.owners)) != (group.description, set(group.owner_ids)):
                raise Conflict(f"there is a group {group.name!r} already, with another description or other owners")
            made = Group(group.name, owners=group.owner_ids, description=group.description)
            return self._make_so(
                Change("ensure_group", group.name),
                lambda: _key(group.name) in self._groups,
                lambda: self._groups.update({_key(group.name): made}),
                present=True,
            )

    def ensure_no_group(self, group: str, *, even_with_members: bool) -> Observed:
        """Delete a group if it is there; see the port."""
        with self._call("ensure_no_group"):
            there = self._groups.get(_key(group))
            if there and there.members and not even_with_members:
                raise Conflict(f"{len(there.members)} are in the group {group!r}; take them out first")
            return self._make_so(
                Change("ensure_no_group", group),
                lambda: _key(group) not in self._groups,
                lambda: self._groups.pop(_key(group)),
                present=False,
            )

    def attributes(self, person_id: str, names: Iterable[Attribute]) -> dict[Attribute, tuple[str, ...]]:
        """Return the values of those attributes; see the port."""
        with self._call("attributes"):
            return self._values(self._person(person_id), names)

    def ensure_attributes(self, person_id: str, values: Mapping[Attribute, tuple[str, ...]]) -> Observed:
        """Make each attribute hold exactly these values; see the port."""
        with self._call("ensure_attributes"):
            person = self._person(person_id)
            wanted = {name: tuple(sorted(those)) for name, those in values.items()}
            if not all(wanted.get(name, ("",)) for name in _DEMANDED):
                raise Rejected(f"{person.login!r}: the schema demands {' and '.join(_DEMANDED)}")
            return self._make_so(
                Change("ensure_attributes", person.login),
                lambda: self._values(self._person(person_id), wanted) == wanted,
                lambda: self._set(person_id, wanted),
                present=True,
            )

    def ensure_account(self, account: AccountSpec) -> Observed:
        """Make the account of a program, disabled and without a password; see the port."""
        with self._call("ensure_account"):
            owner_id = self._person(account.owner_id).id
            made = Person(
                id=f"account:{account.login}",
                login=account.login,
                name=account.name,
                active=False,
                manager_id=owner_id,
                employee_type=SERVICE_ACCOUNT,
            )
            there = self._found(account.login)
            if there and there.model_copy(update={"id": made.id, "active": False, "mail": None}) != made:
                raise Conflict(f"there is another account {account.login!r} already; choose another login")
            return self._make_so(
                Change("ensure_account", account.login),
                lambda: self._found(account.login) is not None,
                lambda: self._add_account(made),
                present=True,
            )

    def ensure_no_account(self, login: str) -> Observed:
        """Delete the account of a program if it is there; see the port."""
        with self._call("ensure_no_account"):
            there = self._found(login)
            if there and there.employee_type != SERVICE_ACCOUNT:
                raise Conflict(f"{login!r} is not the account of a program; it is not deleted")
            return self._make_so(
                Change("ensure_no_account", login),
                lambda: self._found(login) is None,
                lambda: there and self._people.pop(there.id),
                present=False,
            )

    def ensure_active(self, person_id: str, *, active: bool) -> Observed:
        """Enable or disable an account; one that is inactive for another reason stays so; see the port."""
        with self._call("ensure_active"):
            person = self._person(person_id)
            if active and not person.active and person_id not in self._disabled:
                raise Conflict(f"{person.login!r} stays inactive by another mark; an administrator decides")
            return self._make_so(
                Change("ensure_active", person.login),
                lambda: self._person(person_id).active == active,
                lambda: self._mark(person, active=active),
                present=True,
            )

    def set_password(self, person_id: str, password: str) -> Observed:
        """Set a password; see the port."""
        with self._call("set_password"):
            person = self._person(person_id)
            if not password:
                raise Rejected("the password is empty")
            self._apply(Change("set_password", person.login), lambda: self._passwords.update({person_id: password}))
            works = self._passwords.get(person_id) == password
            if not works:
                raise NotApplied(f"the password of {person.login!r} was set, and signing in with it does not work")
            return self._observed(present=person.active, changed=True)

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
            return self._observed(present=present, changed=False)
        for _ in range(_WRITES):
            self._write(group, membership, present=present)
            if (membership.person_id in group.members) == present:
                return self._observed(present=present, changed=True)
        raise NotApplied(f"{group.name!r} took {_WRITES} writes for {membership.person_id!r} and does not show them")

    def _write(self, group: Group, membership: Membership, *, present: bool) -> None:
        if self._swallow:
            self._swallow -= 1
            return
        (group.members.add if present else group.members.discard)(membership.person_id)
        self.ledger.append(Write("add" if present else "remove", membership))
        self._answer()

    def _make_so(
        self, change: Change, is_so: Callable[[], bool], write: Callable[[], object], *, present: bool
    ) -> Observed:
        if is_so():
            return self._observed(present=present, changed=False)
        for _ in range(_WRITES):
            self._apply(change, write)
            if is_so():
                return self._observed(present=present, changed=True)
        raise NotApplied(f"{change.kind} took {_WRITES} writes for {change.subject!r} and does not show them")

    def _apply(self, change: Change, write: Callable[[], object]) -> None:
        if self._swallow:
            self._swallow -= 1
            return
        write()
        self.changes.append(change)
        self._answer()

    def _answer(self) -> None:
        if self._lose:
            self._lose -= 1
            raise UnknownOutcome("the connection broke; whether the change was made is unknown")

    def _values(self, person: Person, names: Iterable[Attribute]) -> dict[Attribute, tuple[str, ...]]:
        own: dict[Attribute, tuple[str, ...]] = {"surname": (person.name.split()[-1],)}
        own |= {name: (value,) for name in _SHOWN if (value := getattr(person, name))}
        known = own | self._more.get(person.id, {})
        return {name: known.get(name, ()) for name in names}

    def _set(self, person_id: str, values: Mapping[Attribute, tuple[str, ...]]) -> None:
        """Keep what a person shows in the person, and the rest beside them."""
        shown: dict[str, str | None] = {name: next(iter(values[name]), None) for name in _SHOWN if name in values}
        self._people[person_id] = self._people[person_id].model_copy(update=shown)
        self._more.setdefault(person_id, {}).update(values)

    def _add_account(self, account: Person) -> None:
        self._people[account.id] = account
        self._disabled.add(account.id)

    def _mark(self, person: Person, *, active: bool) -> None:
        self._people[person.id] = person.model_copy(update={"active": active})
        (self._disabled.discard if active else self._disabled.add)(person.id)

    def _observed(self, *, present: bool, changed: bool) -> Observed:
        return Observed(present=present, changed=changed, at=self._clock(), where=_WHERE)

    def _found(self, login: str) -> Person | None:
        try:
            return self._by_login(login)
        except NotFound:
            return None

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


def _holds(text: str, *values: str) -> bool:
    return any(_key(text) in _key(value) for value in values)


def _info(group: Group) -> GroupInfo:
    return GroupInfo(name=group.name, description=group.description, owned=bool(group.owners))
