"""What is particular to configuration items in LDAP: where they are, other classes of them, references to nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.company import ALICE, BOB, CAROL, NOBODYS, WEB, ZOE, Connect
from support.slapd import DEVICES, SUFFIX, Slapd

from activities.connectors.ldap import LdapDirectory
from activities.errors import NotFound, Rejected, Transient


@pytest.fixture
def branch(slapd: Slapd) -> Iterator[str]:
    """A place for servers of its own, below the devices; what the test puts there goes with it."""
    with slapd.branch("servers", DEVICES) as branch:
        yield branch


def logins(directory: LdapDirectory, ci: str) -> list[str]:
    return [person.login for person in directory.ci_owners(ci)]


def test_only_what_is_below_their_base_is_a_configuration_item(slapd: Slapd, connect: Connect, branch: str) -> None:
    slapd.add(f"cn=db-02,{branch}", "device", {"cn": "db-02", "owner": [ALICE.dn]})
    directory = connect(slapd, cis_base=branch)
    assert logins(directory, "db-02") == ["alice"]
    with pytest.raises(NotFound, match=f"no configuration item 'web-01' below '{branch}'"):
        directory.ci_owners("web-01")


def test_without_a_base_there_is_none_and_the_setting_is_named(slapd: Slapd, connect: Connect) -> None:
    with pytest.raises(NotFound, match=r"no configuration item 'web-01': COMMISSARY_LDAP_CIS_BASE"):
        connect(slapd, cis_base=None).ci_owners("web-01")


def test_other_classes_and_attributes_can_stand_for_them(slapd: Slapd, connect: Connect, branch: str) -> None:
    """As in Active Directory, where a `computer` is `managedBy` one."""
    values = {"cn": "db-02", "ou": "crm", "seeAlso": [CAROL.dn]}
    slapd.add(f"cn=db-02,{branch}", "applicationProcess", values)
    names = {
        "ci_filter": "(objectClass=applicationProcess)",
        "ci_name_attribute": "ou",
        "ci_owner_attribute": "seeAlso",
    }
    directory = connect(slapd, **names)
    assert logins(directory, "crm") == ["carol"]
    for name in ("db-02", WEB.name):
        with pytest.raises(NotFound):
            directory.ci_owners(name)


def test_whoever_takes_one_over_owns_it(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd)
    assert logins(directory, "web-01") == ["bob"]
    slapd.set_value(WEB.dn, "owner", CAROL.dn)
    assert logins(directory, "web-01") == ["carol"]


def test_an_owner_whose_entry_is_gone_is_left_out(slapd: Slapd, connect: Connect) -> None:
    slapd.add_value(NOBODYS.dn, "owner", f"cn=Gone Long Ago,ou=people,{SUFFIX}")
    assert logins(connect(slapd), "old-01") == []
    slapd.add_value(NOBODYS.dn, "owner", ZOE.dn)
    assert logins(connect(slapd), "old-01") == ["zoe"]


def test_two_of_one_name_are_rejected(slapd: Slapd, connect: Connect, branch: str) -> None:
    for name in ("db-02", "db-03"):
        slapd.add(f"cn={name},{branch}", "device", {"cn": [name, "db"], "owner": [BOB.dn]})
    with pytest.raises(Rejected, match="more than one configuration item 'db'"):
        connect(slapd).ci_owners("db")


def test_a_base_that_is_not_there_is_rejected_with_its_setting(slapd: Slapd, connect: Connect) -> None:
    with pytest.raises(Rejected, match="COMMISSARY_LDAP_CIS_BASE"):
        connect(slapd, cis_base=f"ou=nowhere,{SUFFIX}").ci_owners("web-01")


def test_a_server_that_is_away_is_no_item_without_an_owner(own_slapd: Slapd, connect: Connect) -> None:
    directory = connect(own_slapd)
    own_slapd.stop()
    with pytest.raises(Transient):
        directory.ci_owners("old-01")
