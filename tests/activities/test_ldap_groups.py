"""What is particular to groups in LDAP: placeholders, size limits, pages, references that outlived their entry."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.company import ALICE, BOB, EMPTY, ODD_TEAM, ODDNAME, TEAMS, VPN, Connect, Team, seed, settings_for
from support.ldap_proxy import MODIFY, proxy_to
from support.slapd import GROUPS, PLACEHOLDER, SERVICE, Slapd, running_slapd

from activities.connectors.ldap import LdapDirectory, Security
from activities.errors import Rejected
from catalog.access import Membership


@pytest.fixture
def directory(slapd: Slapd, connect: Connect) -> LdapDirectory:
    return connect(slapd)


def test_the_placeholder_leaves_with_the_first_member_and_comes_back_with_the_last(
    slapd: Slapd, directory: LdapDirectory
) -> None:
    bob = Membership(person_id=directory.person_by_login("bob").id, group="empty")
    before = len(slapd.changes())
    directory.ensure_member(bob)
    assert slapd.values(EMPTY.dn, "member") == [BOB.dn]
    directory.ensure_absent(bob)
    assert slapd.values(EMPTY.dn, "member") == [PLACEHOLDER]
    kinds = [(change.kind, change.member) for change in slapd.changes()[before:]]
    assert kinds == [("add", BOB.dn), ("delete", PLACEHOLDER), ("add", PLACEHOLDER), ("delete", BOB.dn)]


def test_a_group_is_never_seen_without_a_member(slapd: Slapd, directory: LdapDirectory) -> None:
    """Each swap is one operation: one record of the audit log holds both changes."""
    bob = Membership(person_id=directory.person_by_login("bob").id, group="empty")
    directory.ensure_member(bob)
    directory.ensure_absent(bob)
    record = (slapd.home / "audit.ldif").read_text().split("\n\n")[-2]
    assert "add: member" in record
    assert "delete: member" in record


def test_somebody_else_taking_the_placeholder_out_first_is_no_obstacle(slapd: Slapd, connect: Connect) -> None:
    def be_overtaken(tag: int) -> None:
        if tag == MODIFY and slapd.values(EMPTY.dn, "member") == [PLACEHOLDER]:
            slapd.set_value(EMPTY.dn, "member", ALICE.dn)

    with proxy_to(slapd.port, be_overtaken) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,))
        bob = Membership(person_id=directory.person_by_login("bob").id, group="empty")
        assert directory.ensure_member(bob).changed
    assert sorted(slapd.values(EMPTY.dn, "member")) == sorted([ALICE.dn, BOB.dn])


def test_somebody_else_putting_the_placeholder_in_first_is_no_obstacle(slapd: Slapd, connect: Connect) -> None:
    writes: Iterator[int] = itertools.count(1)

    def be_overtaken(tag: int) -> None:
        if tag == MODIFY and next(writes) == 2:  # the first is refused by the schema, the second brings the placeholder
            slapd.add_value(VPN.dn, "member", PLACEHOLDER)

    with proxy_to(slapd.port, be_overtaken) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,))
        alice = Membership(person_id=directory.person_by_login("alice").id, group="vpn")
        assert directory.ensure_absent(alice).changed
    assert slapd.values(VPN.dn, "member") == [PLACEHOLDER]


def test_a_placeholder_that_stands_beside_members_is_no_member_and_leaves_with_the_next_one(
    slapd: Slapd, directory: LdapDirectory
) -> None:
    slapd.add_value(VPN.dn, "member", PLACEHOLDER)
    assert [person.login for person in directory.members("vpn")] == ["alice"]
    directory.ensure_member(Membership(person_id=directory.person_by_login("bob").id, group="vpn"))
    assert sorted(slapd.values(VPN.dn, "member")) == sorted([ALICE.dn, BOB.dn])


def test_removing_the_last_member_without_a_placeholder_is_rejected_with_what_to_do(
    slapd: Slapd, connect: Connect
) -> None:
    directory = connect(slapd, placeholder_member=None)
    alice = Membership(person_id=directory.person_by_login("alice").id, group="vpn")
    with pytest.raises(Rejected, match="COMMISSARY_LDAP_PLACEHOLDER_MEMBER"):
        directory.ensure_absent(alice)
    assert directory.is_member(alice)


def test_a_member_whose_entry_is_gone_is_left_out(slapd: Slapd, directory: LdapDirectory) -> None:
    slapd.add_value(VPN.dn, "member", f"cn=gone,{GROUPS}")
    assert [person.login for person in directory.members("vpn")] == ["alice"]


def test_memberships_written_in_another_spelling_are_recognised(slapd: Slapd, directory: LdapDirectory) -> None:
    spelled = ALICE.dn.upper().replace(",", ", ")
    slapd.set_value(EMPTY.dn, "member", spelled)
    alice = Membership(person_id=directory.person_by_login("alice").id, group="empty")
    assert directory.is_member(alice)
    assert not directory.ensure_member(alice).changed
    assert directory.ensure_absent(alice).changed


def test_a_renamed_person_keeps_id_and_groups(slapd: Slapd, directory: LdapDirectory) -> None:
    person = directory.person_by_login(ODDNAME.login)
    with slapd.admin() as admin:
        admin.modify_dn(ODDNAME.dn, "cn=Plain Name")
        try:
            assert directory.person(person.id).name == "Plain Name"
            assert directory.groups_of(person.id) == (ODD_TEAM.name,)
        finally:
            admin.modify_dn(
                ODDNAME.dn.replace(ODDNAME.dn.split(",ou=")[0], "cn=Plain Name"), ODDNAME.dn.split(",ou=")[0]
            )


def test_every_page_of_an_answer_is_read(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd, page_size=1)
    alice = directory.person_by_login("alice").id
    for team in TEAMS:
        directory.ensure_member(Membership(person_id=alice, group=team.name))
    assert directory.groups_of(alice) == tuple(sorted(team.name for team in TEAMS))


def test_an_answer_cut_by_the_size_limit_is_rejected_and_not_taken_for_all(tmp_path: Path) -> None:
    with running_slapd(tmp_path, size_limit=3) as server:
        seed(server)
        for number in range(5):
            team = Team(f"team-{number}", (ALICE,))
            server.add(team.dn, "groupOfNames", {"cn": team.name, "member": [ALICE.dn]})
        directory = LdapDirectory(settings_for(server, page_size=2))
        with pytest.raises(Rejected, match=r"sizeLimitExceeded \(4\).*only a part"):
            directory.groups_of(directory.person_by_login("alice").id)
        directory.close()


def test_a_page_larger_than_the_server_gives_is_rejected_with_its_setting(tmp_path: Path) -> None:
    with running_slapd(tmp_path, size_limit=3) as server:
        seed(server)
        directory = LdapDirectory(settings_for(server))
        with pytest.raises(Rejected, match="COMMISSARY_LDAP_PAGE_SIZE"):
            directory.person_by_login("alice")
        directory.close()


def test_a_group_larger_than_the_size_limit_gives_all_its_members(tmp_path: Path) -> None:
    with running_slapd(tmp_path, size_limit=3) as server:
        seed(server)
        directory = LdapDirectory(settings_for(server, page_size=2))
        for login in ("alice", "bob", "carol", "zoe", "ada"):
            directory.ensure_member(Membership(person_id=directory.person_by_login(login).id, group="empty"))
        assert [person.login for person in directory.members("empty")] == ["ada", "alice", "bob", "carol", "zoe"]
        directory.close()


def test_two_groups_of_one_name_are_rejected(slapd: Slapd, directory: LdapDirectory) -> None:
    slapd.add(f"ou=branch,{GROUPS}", "organizationalUnit", {"ou": "branch"})
    slapd.add(f"cn=vpn,ou=branch,{GROUPS}", "groupOfNames", {"cn": "vpn", "member": [SERVICE]})
    try:
        with pytest.raises(Rejected, match="more than one group 'vpn'"):
            directory.members("vpn")
    finally:
        slapd.delete(f"cn=vpn,ou=branch,{GROUPS}")
        slapd.delete(f"ou=branch,{GROUPS}")


def test_a_person_whose_id_the_service_account_may_not_read_is_rejected(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd, id_attribute="employeeNumber")
    with pytest.raises(Rejected, match="shows the service account no employeeNumber"):
        directory.person_by_login("alice")
