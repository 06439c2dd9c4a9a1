"""Groups and accounts that are made, changed and deleted in an LDAP directory.

A new entry's DN is made of its name, escaped, below a base of the settings; any other DN came from the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from activities.connectors.ldap.changing import make_so, observed
from activities.connectors.ldap.connection import Entry, Session, rdn, usable_password
from activities.connectors.ldap.reader import Reader, matches, must_show
from activities.connectors.ldap.results import ENTRY_EXISTS, NO_SUCH_OBJECT, SUCCESS, Result
from activities.errors import Conflict, NotApplied, NotFound, Rejected
from catalog.access import Observed
from catalog.directory import SERVICE_ACCOUNT, AccountSpec, Attribute, GroupSpec
from catalog.people import Person


class Provisioner(Reader):
    """What an LDAP directory can be made to hold, apart from memberships."""

    # --- groups ---

    def ensure_group(self, group: GroupSpec) -> Observed:
        """Make a group without members unless it is there as described; see the port."""
        s = self._settings
        with self._pool.session() as session:
            owners = tuple(self._find_person(session, owner).dn for owner in group.owner_ids)
            dn = f"{rdn(s.group_name_attribute, group.name)},{s.groups_base}"
            values = {
                s.group_name_attribute: (group.name,),
                s.description_attribute: (group.description,) if group.description else (),
                s.owner_attribute: owners,
                s.member_attribute: (s.placeholder_member,) if s.placeholder_member else (),
            }
            changed = make_so(
                session,
                s,
                f"making the group {group.name!r}",
                is_so=lambda: self._is_group(session, group),
                write=lambda: session.add(dn, s.group_classes, values),
                already=_was_there,
            )
            return observed(session, present=True, changed=changed)

    def ensure_no_group(self, group: str, *, even_with_members: bool) -> Observed:
        """Delete a group if it is there; see the port."""
        with self._pool.session() as session:
            try:
                found = self._find_group(session, group, self._settings.member_attribute)
            except NotFound:
                return observed(session, present=False, changed=False)
            members = [dn for dn in found.all(self._settings.member_attribute) if not self._is_placeholder(dn)]
            if members and not even_with_members:
                raise Conflict(f"{session.url}: {len(members)} are in the group {group!r}; take them out first")
            return self._delete(session, found.dn)

    def _is_group(self, session: Session, group: GroupSpec) -> bool:
        s = self._settings
        attributes = (s.group_name_attribute, s.description_attribute, s.owner_attribute)
        try:
            found = self._find_group(session, group.name, *attributes)
        except NotFound:
            return False
        owners = self._read_people(session, found.all(s.owner_attribute))
        as_described = (found.first(s.description_attribute) or "") == group.description
        if not as_described or {must_show(one, s.id_attribute) for one in owners} != set(group.owner_ids):
            raise Conflict(
                f"{session.url}: there is a group {group.name!r} already, with another description or other owners; "
                "choose another name"
            )
        return True

    # --- attributes of a person ---

    def attributes(self, person_id: str, names: Iterable[Attribute]) -> dict[Attribute, tuple[str, ...]]:
        """Return the values of those attributes; see the port."""
        with self._pool.session() as session:
            return self._values(session, self._find_person(session, person_id).dn, names)

    def ensure_attributes(self, person_id: str, values: Mapping[Attribute, tuple[str, ...]]) -> Observed:
        """Make each attribute hold exactly these values; see the port."""
        wanted = {name: tuple(sorted(those)) for name, those in values.items()}
        with self._pool.session() as session:
            dn = self._find_person(session, person_id).dn
            changed = make_so(
                session,
                self._settings,
                f"setting {', '.join(sorted(wanted))} of {dn!r}",
                is_so=lambda: self._values(session, dn, wanted) == wanted,
                write=lambda: session.replace(dn, {self._name_of(name): those for name, those in wanted.items()}),
                already=_never,
            )
            return observed(session, present=True, changed=changed)

    def _values(self, session: Session, dn: str, names: Iterable[Attribute]) -> dict[Attribute, tuple[str, ...]]:
        names = tuple(names)
        found = session.read(dn, "(objectClass=*)", [self._name_of(name) for name in names])
        return {name: tuple(sorted(found.all(self._name_of(name)))) if found else () for name in names}

    def _name_of(self, attribute: Attribute) -> str:
        return str(getattr(self._settings, f"{attribute}_attribute"))

    # --- accounts ---

    def ensure_account(self, account: AccountSpec) -> Observed:
        """Make the account of a program, disabled and without a password; see the port."""
        s = self._settings
        if not s.accounts_base:
            raise Rejected("no place is named for accounts of programs; set COMMISSARY_LDAP_ACCOUNTS_BASE")
        dn = f"{rdn(s.login_attribute, account.login)},{s.accounts_base}"
        with self._pool.session() as session:
            values = self._values_of(account, self._find_person(session, account.owner_id).dn)
            changed = make_so(
                session,
                s,
                f"making the account {account.login!r}",
                is_so=lambda: self._is_account(session, account),
                write=lambda: session.add(dn, s.account_classes, values),
                already=_was_there,
            )
            return observed(session, present=True, changed=changed)

    def ensure_no_account(self, login: str) -> Observed:
        """Delete the account of a program if it is there; see the port."""
        with self._pool.session() as session:
            try:
                found = self._find_by_login(session, login)
            except NotFound:
                return observed(session, present=False, changed=False)
            if found.first(self._settings.employee_type_attribute) != SERVICE_ACCOUNT:
                raise Conflict(f"{session.url}: {found.dn!r} is not the account of a program; it is not deleted")
            return self._delete(session, found.dn)

    def ensure_active(self, person_id: str, *, active: bool) -> Observed:
        """Enable or disable an account by the mark that the settings name; see the port."""
        attribute, value = self._settings.disabled_attribute, self._settings.disabled_value
        if not matches((value,), self._settings.inactive_when.get(attribute, "")):
            raise Rejected(f"name {attribute} in COMMISSARY_LDAP_INACTIVE_WHEN, or another COMMISSARY_LDAP_DISABLED_*")
        with self._pool.session() as session:
            dn = self._find_person(session, person_id).dn
            mark = () if active else (value,)
            changed = make_so(
                session,
                self._settings,
                f"{'enabling' if active else 'disabling'} {dn!r}",
                is_so=lambda: _all(session, dn, attribute) == mark,
                write=lambda: session.replace(dn, {attribute: mark}),
                already=_never,
            )
            if active and not self._is_active(self._find_person(session, person_id)):
                raise self._still_inactive(session, dn, changed=changed)
            return observed(session, present=True, changed=changed)

    def set_password(self, person_id: str, password: str) -> Observed:
        """Set a password and, if the account is active, sign in with it; see the port."""
        if not usable_password(password):
            raise Rejected("the password is empty or holds characters that no password may hold")
        with self._pool.session() as session:
            entry = self._find_person(session, person_id)
            active = self._is_active(entry)
            with session.writing():
                result = self._set_password(session, entry.dn, password)
            url = session.url
        # The pool's slot is free again: each sign-in takes one of its own.
        works = active and self._pool.accepts(entry.dn, password)
        if result.code != SUCCESS and not works:  # a history of passwords refuses the one that an attempt set before
            raise result.error(f"{url}: setting the password of {entry.dn!r}")
        if active and not works:
            raise NotApplied(f"{url}: the password of {entry.dn!r} was set, and signing in with it does not work")
        return observed(session, present=works, changed=result.code == SUCCESS)

    def _set_password(self, session: Session, dn: str, password: str) -> Result:
        """Set a password and keep the account closed if it is: OpenLDAP's ppolicy opens it with a new password."""
        attribute = self._settings.disabled_attribute
        mark = _all(session, dn, attribute)
        result = session.set_password(dn, password)
        if mark and not _all(session, dn, attribute):
            closed = session.replace(dn, {attribute: mark})
            if closed.code != SUCCESS:
                raise closed.error(f"{session.url}: closing {dn!r} again after its password was set")
        return result

    def _is_account(self, session: Session, account: AccountSpec) -> bool:
        try:
            found = self._with_manager(session, self._find_by_login(session, account.login), {})
        except NotFound:
            return False
        if _account_of(found) != (account.name, account.owner_id, SERVICE_ACCOUNT):
            raise Conflict(f"{session.url}: there is another account {account.login!r} already; choose another login")
        return True

    def _values_of(self, account: AccountSpec, owner: str) -> dict[str, tuple[str, ...]]:
        s = self._settings
        return {
            s.login_attribute: (account.login,),
            s.name_attribute: (account.name,),
            s.surname_attribute: (account.name,),  # inetOrgPerson demands one (RFC 2798)
            s.description_attribute: (account.description,) if account.description else (),
            s.manager_attribute: (owner,),
            s.employee_type_attribute: (SERVICE_ACCOUNT,),
            s.disabled_attribute: (s.disabled_value,),
        }

    def _still_inactive(self, session: Session, dn: str, *, changed: bool) -> Conflict:
        others = ", ".join(name for name in self._settings.inactive_when if name != self._settings.disabled_attribute)
        error = Conflict(f"{session.url}: {dn!r} stays inactive by another mark ({others}); an administrator decides")
        error.ours = changed
        return error

    def _delete(self, session: Session, dn: str) -> Observed:
        changed = make_so(
            session,
            self._settings,
            f"deleting {dn!r}",
            is_so=lambda: _is_gone(session, dn),
            write=lambda: session.delete(dn),
            already=lambda result: result.code == NO_SUCH_OBJECT,
        )
        return observed(session, present=False, changed=changed)


def _account_of(person: Person) -> tuple[str, str | None, str | None]:
    return person.name, person.manager_id, person.employee_type


def _all(session: Session, dn: str, attribute: str) -> tuple[str, ...]:
    found: Entry | None = session.read(dn, "(objectClass=*)", [attribute])
    return found.all(attribute) if found else ()


def _is_gone(session: Session, dn: str) -> bool:
    try:
        return session.read(dn, "(objectClass=*)") is None
    except NotFound:
        return True


def _was_there(result: Result) -> bool:
    return result.code == ENTRY_EXISTS


def _never(_: Result) -> bool:
    return False
