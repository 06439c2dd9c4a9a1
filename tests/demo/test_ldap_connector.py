"""The LDAP connector on the demo's directory: what `commissary demo` does with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from activities.connectors.ldap import LdapDirectory, LdapSettings, Security
from activities.errors import Rejected
from catalog.access import Membership

BASE = "dc=nordlys,dc=example"


def settings(port: int, password: str = "service-demo") -> LdapSettings:
    return LdapSettings(
        urls=(f"ldap://127.0.0.1:{port}",),
        security=Security.NONE,
        bind_dn=f"cn=commissary,ou=services,{BASE}",
        bind_password=password,
        people_base=f"ou=people,{BASE}",
        groups_base=f"ou=groups,{BASE}",
        placeholder_member=f"cn=nobody,ou=services,{BASE}",
    )


@pytest.fixture
def directory(directory_port: int) -> Iterator[LdapDirectory]:
    connector = LdapDirectory(settings(directory_port))
    yield connector
    connector.close()


def test_people_are_known_by_id_with_manager_and_department(directory: LdapDirectory) -> None:
    jonas = directory.person_by_login("jonas.berg")
    assert directory.person(jonas.id) == jonas
    assert (jonas.name, jonas.mail) == ("Jonas Berg", "jonas.berg@nordlys.example")
    assert (jonas.active, jonas.department) == (True, "Engineering")
    assert jonas.manager_id == directory.person_by_login("mara.lind").id
    assert directory.person_by_login("sigrid.nordal").manager_id is None


def test_who_left_is_inactive_and_cannot_sign_in(directory: LdapDirectory) -> None:
    assert not directory.person_by_login("paul.nygaard").active
    assert directory.authenticate("paul.nygaard", "demo") is None


def test_people_sign_in(directory: LdapDirectory) -> None:
    jonas = directory.authenticate("jonas.berg", "demo")
    assert jonas is not None
    assert jonas.login == "jonas.berg"
    assert directory.authenticate("jonas.berg", "wrong") is None
    assert directory.authenticate("jonas.berg", "") is None


def test_groups_have_owners_and_members(directory: LdapDirectory) -> None:
    assert [owner.login for owner in directory.owners("vpn-users")] == ["ines.okafor"]
    assert {member.login for member in directory.members("commissary-operators")} == {"olga.reyes", "ben.achterberg"}
    assert directory.members("personal-data-readers") == ()


@pytest.mark.parametrize("group", ["vpn-users", "personal-data-readers", "turbine lab (hall 2), nights"])
def test_a_membership_is_given_seen_and_taken(directory: LdapDirectory, group: str) -> None:
    membership = Membership(person_id=directory.person_by_login("jonas.berg").id, group=group)
    steps = [directory.ensure_member, directory.ensure_member, directory.ensure_absent, directory.ensure_absent]
    seen = [step(membership) for step in steps]
    assert [(one.present, one.changed) for one in seen] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]
    assert not directory.is_member(membership)


def test_a_wrong_service_password_is_refused(directory_port: int) -> None:
    connector = LdapDirectory(settings(directory_port, "wrong"))
    with pytest.raises(Rejected):
        connector.ping()
    connector.close()
