"""The LDAP connector on the demo's directory: what `commissary demo` does with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from activities.connectors.ldap import LdapDirectory, LdapSettings, Security
from activities.errors import Rejected
from catalog.access import Membership
from catalog.directory import AccountSpec, GroupSpec

BASE = "dc=nordlys,dc=example"


def settings(port: int, password: str = "service-demo") -> LdapSettings:
    return LdapSettings(
        urls=(f"ldap://127.0.0.1:{port}",),
        security=Security.NONE,
        bind_dn=f"cn=commissary,ou=services,{BASE}",
        bind_password=password,
        people_base=f"ou=people,{BASE}",
        groups_base=f"ou=groups,{BASE}",
        roles_base=f"ou=roles,{BASE}",
        placeholder_member=f"cn=nobody,ou=services,{BASE}",
        accounts_base=f"ou=people,{BASE}",
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


def test_the_security_officer_is_known(directory: LdapDirectory) -> None:
    assert [person.login for person in directory.occupants("security-officer")] == ["ravi.menon"]


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


@pytest.mark.parametrize("name", ["new group", "lab (3), days + nights", "Größe"])
def test_a_group_is_made_and_deleted(directory: LdapDirectory, name: str) -> None:
    group = GroupSpec(name=name, description="For a test", owner_ids=(directory.person_by_login("mara.lind").id,))
    assert [directory.ensure_group(group).changed for _ in range(2)] == [True, False]
    assert directory.group(name).description == "For a test"
    assert [owner.login for owner in directory.owners(name)] == ["mara.lind"]
    assert [directory.ensure_no_group(name, even_with_members=False).changed for _ in range(2)] == [True, False]


def test_attributes_are_set_and_set_back(directory: LdapDirectory) -> None:
    jonas = directory.person_by_login("jonas.berg").id
    earlier = directory.attributes(jonas, ["name", "title", "telephone"])
    assert directory.ensure_attributes(jonas, {"name": ("Jonas Fjell",), "title": (), "telephone": ("1",)}).changed
    assert (directory.person(jonas).name, directory.person(jonas).title) == ("Jonas Fjell", None)
    assert directory.ensure_attributes(jonas, earlier).changed
    assert directory.attributes(jonas, ["name", "title", "telephone"]) == earlier


def test_an_account_is_made_closed_opened_given_a_password_and_deleted(directory: LdapDirectory) -> None:
    mara = directory.person_by_login("mara.lind").id
    assert directory.ensure_account(AccountSpec(login="svc-test", name="Test", owner_id=mara)).changed
    account = directory.person_by_login("svc-test")
    assert (account.active, account.manager_id) == (False, mara)
    assert directory.ensure_active(account.id, active=True).changed
    assert directory.set_password(account.id, "a new one").present
    assert directory.authenticate("svc-test", "a new one")
    assert directory.ensure_active(account.id, active=False).changed
    assert directory.authenticate("svc-test", "a new one") is None
    assert directory.ensure_no_account("svc-test").changed


def test_a_wrong_service_password_is_refused(directory_port: int) -> None:
    connector = LdapDirectory(settings(directory_port, "wrong"))
    with pytest.raises(Rejected):
        connector.ping()
    connector.close()
