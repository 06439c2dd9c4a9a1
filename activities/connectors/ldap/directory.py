"""The directory port over LDAP: memberships, on top of what is read and provisioned.

How an entry is found is `reader`'s business, how a write is made and seen `changing`'s.
"""

from __future__ import annotations

from activities.connectors.ldap.changing import make_so, observed
from activities.connectors.ldap.connection import Session
from activities.connectors.ldap.provisioning import Provisioner
from activities.connectors.ldap.results import NO_SUCH_ATTRIBUTE, OBJECT_CLASS_VIOLATION, VALUE_EXISTS, Result
from activities.errors import Conflict, NotFound
from catalog.access import Membership, Observed


class LdapDirectory(Provisioner):
    """People, groups and accounts of an LDAP directory (feature rows P1, P2); safe to call from several threads."""

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
                return observed(session, present=False, changed=False)

    def _ensure(self, session: Session, group: str, person: str, *, present: bool) -> Observed:
        changed = make_so(
            session,
            self._settings,
            f"{'adding to' if present else 'removing from'} {group!r}: {person!r}",
            is_so=lambda: self._holds(session, group, person) == present,
            write=lambda: (self._add if present else self._remove)(session, group, person),
            already=lambda result: result.already(present=present),
        )
        return observed(session, present=present, changed=changed)

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
