"""What is particular to roles in LDAP: where they are, groups that stand for them, references to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.company import ALICE, BOB, CAROL, OFFICER, STAFF, VACANT, ZOE, Connect, seed, settings_for
from support.slapd import GROUPS, PLACEHOLDER, SUFFIX, Slapd, running_slapd

from activities.connectors.ldap import LdapDirectory
from activities.errors import NotFound, Rejected, Transient


@pytest.fixture
def branch(slapd: Slapd) -> Iterator[str]:
    """A place for roles of its own, below the groups; what the test puts there goes with it."""
    with slapd.branch("roles", GROUPS) as branch:
        yield branch


def logins(directory: LdapDirectory, role: str) -> list[str]:
    return [person.login for person in directory.occupants(role)]


def test_roles_may_have_a_base_of_their_own(slapd: Slapd, connect: Connect, branch: str) -> None:
    slapd.add(f"cn=auditor,{branch}", "organizationalRole", {"cn": "auditor", "roleOccupant": [BOB.dn]})
    directory = connect(slapd, roles_base=branch)
    assert logins(directory, "auditor") == ["bob"]
    with pytest.raises(NotFound, match=f"no role 'security-officer' below '{branch}'"):
        directory.occupants("security-officer")
    assert [person.login for person in directory.members("vpn")] == ["alice"]


def test_a_group_can_stand_for_a_role(slapd: Slapd, connect: Connect, branch: str) -> None:
    members = {"ou": "audit", "member": [PLACEHOLDER, CAROL.dn]}
    slapd.add(f"cn=auditor,{branch}", "groupOfNames", {"cn": "auditor", **members})
    names = {"role_filter": "(objectClass=groupOfNames)", "role_name_attribute": "ou", "occupant_attribute": "member"}
    directory = connect(slapd, roles_base=branch, **names)
    assert logins(directory, "audit") == ["carol"]
    with pytest.raises(NotFound):
        directory.occupants("auditor")


def test_whoever_takes_over_a_role_is_the_one_who_holds_it(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd)
    assert logins(directory, "security-officer") == ["carol"]
    slapd.set_value(OFFICER.dn, "roleOccupant", BOB.dn)
    assert logins(directory, "security-officer") == ["bob"]


def test_a_holder_whose_entry_is_gone_is_left_out(slapd: Slapd, connect: Connect) -> None:
    slapd.add_value(VACANT.dn, "roleOccupant", f"cn=Gone Long Ago,ou=people,{SUFFIX}")
    slapd.add_value(VACANT.dn, "roleOccupant", ZOE.dn)
    assert logins(connect(slapd), "press-officer") == ["zoe"]


def test_two_roles_of_one_name_are_rejected(slapd: Slapd, connect: Connect, branch: str) -> None:
    for name in ("auditor", "twin"):
        slapd.add(f"cn={name},{branch}", "organizationalRole", {"cn": [name, "inspector"], "roleOccupant": [ALICE.dn]})
    with pytest.raises(Rejected, match="more than one role 'inspector'"):
        connect(slapd).occupants("inspector")


def test_a_base_that_is_not_there_is_rejected_with_its_setting(slapd: Slapd, connect: Connect) -> None:
    with pytest.raises(Rejected, match="COMMISSARY_LDAP_ROLES_BASE"):
        connect(slapd, roles_base=f"ou=nowhere,{SUFFIX}").occupants("security-officer")


def test_a_role_that_more_hold_than_the_size_limit_gives_all_of_them(tmp_path: Path) -> None:
    with running_slapd(tmp_path, size_limit=3) as server:
        seed(server)
        for employee in STAFF:
            server.add_value(VACANT.dn, "roleOccupant", employee.dn)
        directory = LdapDirectory(settings_for(server, page_size=2))
        assert logins(directory, "press-officer") == sorted(employee.login for employee in STAFF)
        directory.close()


def test_a_server_that_is_away_is_no_vacant_role(own_slapd: Slapd, connect: Connect) -> None:
    directory = connect(own_slapd)
    own_slapd.stop()
    with pytest.raises(Transient):
        directory.occupants("press-officer")
