"""The directory port in terms of LDAP entries: who is a person, what is a group, how a membership is changed.

Every DN used here came from the server; what comes from outside goes only into filters, escaped. How connections are
opened and what ldap3's errors mean is `connection`'s and `results`' business.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from activities.connectors.ldap.connection import Entry, Pool, Session, filter_value, usable_password
from activities.connectors.ldap.results import (
    NO_SUCH_ATTRIBUTE,
    OBJECT_CLASS_VIOLATION,
    SUCCESS,
    VALUE_EXISTS,
    Result,
)
from activities.connectors.ldap.settings import LdapSettings
from activities.errors import Conflict, NotApplied, NotFound, Rejected
from catalog.access import Membership, Observed
from catalog.people import Person

_WRITES = 2  # a write that was accepted and is not to be seen is repeated once
_FIRST_PAUSE = 0.05  # seconds between two looks at a change; doubles up to the longest
_LONGEST_PAUSE = 1.0


class LdapDirectory:
    """People and groups of an LDAP directory (feature rows P1, P2); safe to call from several threads."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._pool = Pool(settings)

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    # --- people ---

    def person_by_login(self, login: str) -> Person:
        """Return the person who signs in with `login`; see the port."""
        with self._pool.session() as session:
            return self._with_manager(session, self._find_by_login(session, login), {})

    def person(self, person_id: str) -> Person:
        """Return the person with that immutable id; see the port."""
        with self._pool.session() as session:
            return self._with_manager(session, self._find_person(session, person_id), {})

    def authenticate(self, login: str, password: str) -> Person | None:
        """Return the active person if that is their password, else None; see the port."""
        if not usable_password(password):
            return None
        with self._pool.session() as session:
            try:
                entry = self._find_by_login(session, login)
            except NotFound:
                return None
            person = self._with_manager(session, entry, {})
        # The pool's slot is free again: the bind takes one of its own.
        return person if person.active and self._pool.accepts(entry.dn, password) else None

    # --- groups ---

    def members(self, group: str) -> tuple[Person, ...]:
        """Return the people in the group; see the port."""
        return self._people_in(group, self._settings.member_attribute)

    def owners(self, group: str) -> tuple[Person, ...]:
        """Return the people who answer for the group; see the port."""
        return self._people_in(group, self._settings.owner_attribute)

    def groups_of(self, person_id: str) -> tuple[str, ...]:
        """Return the names of the groups the person is directly in; see the port."""
        name = self._settings.group_name_attribute
        with self._pool.session() as session:
            person = self._find_person(session, person_id)
            where = f"(&{self._settings.group_filter}{self._has_member(person.dn)})"
            groups = session.search(self._settings.groups_base, where, [name])
        return tuple(sorted(_must_show(group, name) for group in groups))

    def is_member(self, membership: Membership) -> bool:
        """Return whether the person is directly in the group; see the port."""
        with self._pool.session() as session:
            person = self._find_person(session, membership.person_id)
            return self._holds(session, self._find_group(session, membership.group).dn, person.dn)

    def ensure_member(self, membership: Membership) -> Observed:
        """Put the person into the group unless they are in it, read back; see the port."""
        with self._pool.session() as session:
            person = self._find_person(session, membership.person_id)
            group = self._find_group(session, membership.group)
            if not self._is_active(person):
                raise Conflict(f"{session.url}: the account {person.dn!r} is not active, so it is let into no group")
            return self._ensure(session, group.dn, person.dn, present=True)

    def ensure_absent(self, membership: Membership) -> Observed:
        """Take the person out of the group if they are in it, read back; see the port."""
        with self._pool.session() as session:
            try:
                person = self._find_person(session, membership.person_id)
                group = self._find_group(session, membership.group)
                return self._ensure(session, group.dn, person.dn, present=False)
            except NotFound:
                return _observed(session, present=False, changed=False)

    def ping(self) -> None:
        """Return if the directory answers the service account; see the port."""
        with self._pool.session() as session:
            session.read("", "(objectClass=*)")

    # --- how a membership is changed: read, decide, write, read back ---

    def _ensure(self, session: Session, group: str, person: str, *, present: bool) -> Observed:
        if self._holds(session, group, person) == present:
            return _observed(session, present=present, changed=False)
        with session.writing():
            return self._write(session, group, person, present=present)

    def _write(self, session: Session, group: str, person: str, *, present: bool) -> Observed:
        changed = False
        for _ in range(_WRITES):
            result = (self._add if present else self._remove)(session, group, person)
            if result.code != SUCCESS and not result.already(present=present):
                raise result.error(
                    f"{session.url}: {'adding to' if present else 'removing from'} {group!r}: {person!r}"
                )
            changed = changed or result.code == SUCCESS
            if self._seen(session, group, person, present=present):
                return _observed(session, present=present, changed=changed)
        raise NotApplied(
            f"{session.url}: {group!r} {'does not show' if present else 'still shows'} {person!r} after "
            f"{_WRITES} accepted writes and {self._settings.read_back_within:g} s each; see the server's log"
        )

    def _seen(self, session: Session, group: str, person: str, *, present: bool) -> bool:
        """Look until the membership is as wanted or the time for that is over."""
        deadline = time.monotonic() + self._settings.read_back_within
        pause = _FIRST_PAUSE
        while self._holds(session, group, person) != present:
            if time.monotonic() >= deadline:
                return False
            threading.Event().wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    def _add(self, session: Session, group: str, person: str) -> Result:
        """Add the person; a placeholder that stands in for members leaves in the same operation."""
        member, placeholder = self._settings.member_attribute, self._settings.placeholder_member
        if placeholder and self._holds(session, group, placeholder):
            result = session.modify(group, member, add=person, remove=placeholder)
            if result.code != NO_SUCH_ATTRIBUTE:  # else somebody took the placeholder out first
                return result
        return session.modify(group, member, add=person)

    def _remove(self, session: Session, group: str, person: str) -> Result:
        """Remove the person; if the schema demands a member, the placeholder comes in the same operation."""
        member, placeholder = self._settings.member_attribute, self._settings.placeholder_member
        result = session.modify(group, member, remove=person)
        if placeholder and result.code == OBJECT_CLASS_VIOLATION:
            result = session.modify(group, member, add=placeholder, remove=person)
            if result.code == VALUE_EXISTS:  # somebody put the placeholder in first
                result = session.modify(group, member, remove=person)
        return result

    def _holds(self, session: Session, group: str, member: str) -> bool:
        """Ask the server to compare, so that a large group costs no more than a small one."""
        return session.read(group, self._has_member(member)) is not None

    def _has_member(self, dn: str) -> str:
        return f"({self._settings.member_attribute}={filter_value(dn)})"

    # --- how entries are found and read ---

    def _find_by_login(self, session: Session, login: str) -> Entry:
        return self._find_one_person(session, self._settings.login_attribute, login)

    def _find_person(self, session: Session, person_id: str) -> Entry:
        return self._find_one_person(session, self._settings.id_attribute, person_id)

    def _find_one_person(self, session: Session, attribute: str, value: str) -> Entry:
        settings = self._settings
        where = f"(&{settings.person_filter}({attribute}={filter_value(value)}))"
        found = session.search(settings.people_base, where, self._person_attributes())
        return _only(found, f"person with {attribute} {value!r} below {settings.people_base!r}")

    def _find_group(self, session: Session, group: str, *attributes: str) -> Entry:
        settings = self._settings
        where = f"(&{settings.group_filter}({settings.group_name_attribute}={filter_value(group)}))"
        found = session.search(settings.groups_base, where, attributes or [settings.group_name_attribute])
        return _only(found, f"group {group!r} below {settings.groups_base!r}")

    def _people_in(self, group: str, attribute: str) -> tuple[Person, ...]:
        """Return the people an attribute of the group names, in the order of their logins.

        Each is read by its DN: that has no size limit, needs no memberOf, and leaves comparing DNs to the server.
        """
        managers: dict[str, str | None] = {}
        with self._pool.session() as session:
            dns = self._find_group(session, group, attribute).all(attribute)
            entries = self._read_people(session, (dn for dn in dns if not self._is_placeholder(dn)))
            people = [self._with_manager(session, entry, managers) for entry in entries]
        return tuple(sorted(people, key=lambda person: person.login))

    def _read_people(self, session: Session, dns: Iterable[str]) -> list[Entry]:
        found = (_read_if_there(session, dn, self._settings.person_filter, self._person_attributes()) for dn in dns)
        return [entry for entry in found if entry is not None]

    def _is_placeholder(self, dn: str) -> bool:
        return dn.casefold() == (self._settings.placeholder_member or "").casefold()

    def _person_attributes(self) -> list[str]:
        s = self._settings
        names = [s.id_attribute, s.login_attribute, s.name_attribute, s.mail_attribute, s.manager_attribute]
        return [*names, s.department_attribute, *s.inactive_when]

    def _with_manager(self, session: Session, entry: Entry, known: dict[str, str | None]) -> Person:
        """Read a person's entry; `known` remembers the ids of managers by DN within one call."""
        manager = entry.first(self._settings.manager_attribute)
        if manager and manager not in known:
            where, wanted = self._settings.person_filter, self._settings.id_attribute
            found = _read_if_there(session, manager, where, [wanted])
            known[manager] = found.first(wanted) if found else None
        return self._person_of(entry, known[manager] if manager else None)

    def _person_of(self, entry: Entry, manager_id: str | None) -> Person:
        s = self._settings
        login = _must_show(entry, s.login_attribute)
        return Person(
            id=_must_show(entry, s.id_attribute),
            login=login,
            name=entry.first(s.name_attribute) or login,
            mail=entry.first(s.mail_attribute),
            active=self._is_active(entry),
            manager_id=manager_id,
            department=entry.first(s.department_attribute),
        )

    def _is_active(self, entry: Entry) -> bool:
        return not any(_matches(entry.all(name), value) for name, value in self._settings.inactive_when.items())


def _only(found: list[Entry], what: str) -> Entry:
    if not found:
        raise NotFound(f"there is no {what}")
    if len(found) > 1:
        raise Rejected(f"there is more than one {what}: {', '.join(repr(entry.dn) for entry in found)}; make it one")
    return found[0]


def _read_if_there(session: Session, dn: str, where: str, attributes: list[str]) -> Entry | None:
    try:
        return session.read(dn, where, attributes)
    except NotFound:
        return None  # the reference outlived the entry


def _must_show(entry: Entry, attribute: str) -> str:
    value = entry.first(attribute)
    if value is None:
        raise Rejected(f"{entry.dn!r} shows the service account no {attribute}: check its rights and the settings")
    return value


def _matches(values: tuple[str, ...], wanted: str) -> bool:
    return any(wanted in ("*", value) or value.casefold() == wanted.casefold() for value in values)


def _observed(session: Session, *, present: bool, changed: bool) -> Observed:
    return Observed(present=present, changed=changed, at=datetime.now(UTC), where=session.url)
