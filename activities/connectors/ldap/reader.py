"""Reading the directory in terms of LDAP entries: who is a person, what is a group, a role or a CI, and whom it names.

Every DN used here came from the server; what comes from outside goes only into filters, escaped. How connections are
opened and what ldap3's errors mean is `connection`'s and `results`' business; nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterable

from activities.connectors.ldap.connection import Entry, Pool, Session, filter_value, usable_password
from activities.connectors.ldap.settings import LdapSettings
from activities.errors import NotFound, Rejected
from catalog.access import Membership
from catalog.directory import GroupInfo
from catalog.people import Person, PersonRef


class Reader:
    """What the port asks of an LDAP directory and what changing it needs to find."""

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

    def people(self, search: str, limit: int) -> tuple[PersonRef, ...]:
        """Return the active people who match, by name; see the port."""
        s = self._settings
        where = f"(&{s.person_filter}{_holding(search, s.login_attribute, s.name_attribute, s.mail_attribute)})"
        with self._pool.session() as session:
            found = session.search(s.people_base, where, self._person_attributes())
        people = (self._person_of(entry, None) for entry in found if entry.first(s.login_attribute))
        return tuple(sorted((one.ref() for one in people if one.active), key=lambda one: one.name.casefold())[:limit])

    # --- groups ---

    def groups(self, search: str, limit: int) -> tuple[GroupInfo, ...]:
        """Return the groups that match, by name; see the port."""
        s = self._settings
        where = f"(&{s.group_filter}{_holding(search, s.group_name_attribute, s.description_attribute)})"
        with self._pool.session() as session:
            found = session.search(s.groups_base, where, self._group_attributes())
        return tuple(sorted(map(self._info_of, found), key=lambda group: group.name.casefold())[:limit])

    def group(self, group: str) -> GroupInfo:
        """Return a group; see the port."""
        with self._pool.session() as session:
            return self._info_of(self._find_group(session, group, *self._group_attributes()))

    def members(self, group: str) -> tuple[Person, ...]:
        """Return the people in the group; see the port."""
        with self._pool.session() as session:
            attribute = self._settings.member_attribute
            return self._people_in(session, self._find_group(session, group, attribute), attribute)

    def owners(self, group: str) -> tuple[Person, ...]:
        """Return the people who answer for the group; see the port."""
        with self._pool.session() as session:
            attribute = self._settings.owner_attribute
            return self._people_in(session, self._find_group(session, group, attribute), attribute)

    def occupants(self, role: str) -> tuple[Person, ...]:
        """Return the people who hold the role now; see the port."""
        with self._pool.session() as session:
            return self._people_in(session, self._find_role(session, role), self._settings.occupant_attribute)

    def ci_owners(self, ci: str) -> tuple[Person, ...]:
        """Return the people who own the configuration item; see the port."""
        with self._pool.session() as session:
            return self._people_in(session, self._find_ci(session, ci), self._settings.ci_owner_attribute)

    def groups_of(self, person_id: str) -> tuple[str, ...]:
        """Return the names of the groups the person is directly in; see the port."""
        name = self._settings.group_name_attribute
        with self._pool.session() as session:
            person = self._find_person(session, person_id)
            where = f"(&{self._settings.group_filter}{self._has_member(person.dn)})"
            groups = session.search(self._settings.groups_base, where, [name])
        return tuple(sorted(must_show(group, name) for group in groups))

    def is_member(self, membership: Membership) -> bool:
        """Return whether the person is directly in the group; see the port."""
        with self._pool.session() as session:
            person = self._find_person(session, membership.person_id)
            return self._holds(session, self._find_group(session, membership.group).dn, person.dn)

    def ping(self) -> None:
        """Return if the directory answers the service account; see the port."""
        with self._pool.session() as session:
            session.read("", "(objectClass=*)")

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

    def _find_role(self, session: Session, role: str) -> Entry:
        settings = self._settings
        base = settings.roles_base or settings.groups_base
        where = f"(&{settings.role_filter}({settings.role_name_attribute}={filter_value(role)}))"
        return _only(session.search(base, where, [settings.occupant_attribute]), f"role {role!r} below {base!r}")

    def _find_ci(self, session: Session, ci: str) -> Entry:
        settings = self._settings
        base, what = settings.cis_base, f"configuration item {ci!r}"
        if base is None:
            raise NotFound(f"there is no {what}: COMMISSARY_LDAP_CIS_BASE does not say where they are")
        where = f"(&{settings.ci_filter}({settings.ci_name_attribute}={filter_value(ci)}))"
        return _only(session.search(base, where, [settings.ci_owner_attribute]), f"{what} below {base!r}")

    def _people_in(self, session: Session, entry: Entry, attribute: str) -> tuple[Person, ...]:
        """Return the people whom an attribute of a group, role or CI names, in the order of their logins.

        Each is read by its DN: that has no size limit, needs no memberOf, and leaves comparing DNs to the server.
        """
        managers: dict[str, str | None] = {}
        entries = self._read_people(session, (dn for dn in entry.all(attribute) if not self._is_placeholder(dn)))
        people = [self._with_manager(session, person, managers) for person in entries]
        return tuple(sorted(people, key=lambda person: person.login))

    def _read_people(self, session: Session, dns: Iterable[str]) -> list[Entry]:
        found = (_read_if_there(session, dn, self._settings.person_filter, self._person_attributes()) for dn in dns)
        return [entry for entry in found if entry is not None]

    def _is_placeholder(self, dn: str) -> bool:
        return dn.casefold() == (self._settings.placeholder_member or "").casefold()

    def _person_attributes(self) -> list[str]:
        s = self._settings
        names = [s.id_attribute, s.login_attribute, s.name_attribute, s.mail_attribute, s.manager_attribute]
        shown = [s.department_attribute, s.title_attribute, s.location_attribute, s.employee_type_attribute]
        return list(dict.fromkeys([*names, *shown, *s.inactive_when]))

    def _group_attributes(self) -> list[str]:
        s = self._settings
        return [s.group_name_attribute, s.description_attribute, s.owner_attribute]

    def _info_of(self, group: Entry) -> GroupInfo:
        s = self._settings
        name = must_show(group, s.group_name_attribute)
        owned = any(not self._is_placeholder(dn) for dn in group.all(s.owner_attribute))
        return GroupInfo(name=name, description=group.first(s.description_attribute) or "", owned=owned)

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
        login = must_show(entry, s.login_attribute)
        return Person(
            id=must_show(entry, s.id_attribute),
            login=login,
            name=entry.first(s.name_attribute) or login,
            mail=entry.first(s.mail_attribute),
            active=self._is_active(entry),
            manager_id=manager_id,
            department=entry.first(s.department_attribute),
            title=entry.first(s.title_attribute),
            location=entry.first(s.location_attribute),
            employee_type=entry.first(s.employee_type_attribute),
        )

    def _is_active(self, entry: Entry) -> bool:
        return not any(matches(entry.all(name), value) for name, value in self._settings.inactive_when.items())

    def _holds(self, session: Session, group: str, member: str) -> bool:
        """Ask the server to compare, so that a large group costs no more than a small one."""
        return session.read(group, self._has_member(member)) is not None

    def _has_member(self, dn: str) -> str:
        return f"({self._settings.member_attribute}={filter_value(dn)})"


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


def must_show(entry: Entry, attribute: str) -> str:
    """Return the first value of an attribute that an entry must have.

    Raises:
        Rejected: it shows none.
    """
    value = entry.first(attribute)
    if value is None:
        raise Rejected(f"{entry.dn!r} shows the service account no {attribute}: check its rights and the settings")
    return value


def matches(values: tuple[str, ...], wanted: str) -> bool:
    """Return whether one of the values is the one wanted, ``*`` standing for any."""
    return any(wanted in ("*", value) or value.casefold() == wanted.casefold() for value in values)


def _holding(text: str, *attributes: str) -> str:
    """Return a filter for entries one of whose attributes holds the text; for any entry if there is none."""
    if not text.isprintable():
        return "(!(objectClass=*))"  # no name holds it, and ldap3 cannot handle what is no UTF-8 there
    value = filter_value(text)
    return f"(|{''.join(f'({name}=*{value}*)' for name in attributes)})" if text else ""
