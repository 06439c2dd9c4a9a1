"""The fictional company: what the demo and its texts rely on, and that a real directory would take it."""

from __future__ import annotations

import os
import shutil
import subprocess
from base64 import b64decode
from collections import Counter
from pathlib import Path

import pytest
from support.slapd import require_slapd

Entry = dict[str, list[str]]

SEED = Path(__file__).parents[2] / "cli/demo/company.ldif"
BASE = "dc=nordlys,dc=example"
SLAPD_CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=nordlys,dc=example"
directory {folder}
"""


@pytest.fixture
def entries() -> dict[str, Entry]:
    """Every entry by its DN; only as much of RFC 2849 as the file uses."""
    read: dict[str, Entry] = {}
    for record in SEED.read_text(encoding="utf-8").split("\n\n"):
        entry: Entry = {}
        for line in record.splitlines():
            if not line.startswith("#"):
                name, _, value = line.partition(":")
                coded = value.startswith(":")
                entry.setdefault(name, []).append(b64decode(value[1:]).decode() if coded else value.lstrip())
        (dn,) = entry["dn"]
        assert dn not in read
        read[dn] = entry
    return read


@pytest.fixture
def people(entries: dict[str, Entry]) -> dict[str, Entry]:
    return {one(entry, "uid"): entry for dn, entry in entries.items() if f",ou=people,{BASE}" in dn}


def one(entry: Entry, attribute: str) -> str:
    (value,) = entry[attribute]
    return value


def test_forty_people_work_in_six_departments(people: dict[str, Entry]) -> None:
    assert len(people) == 40
    assert len({one(person, "ou") for person in people.values()}) == 6


def test_logins_are_ascii_and_names_need_not_be(people: dict[str, Entry]) -> None:
    assert all(login.isascii() and "." in login for login in people)
    assert {"Åsa Öström", "Иван Петров", "陈梅"} <= {one(person, "cn") for person in people.values()}


def test_everybody_but_the_chief_has_a_manager_who_works_there(people: dict[str, Entry]) -> None:
    dns = {one(person, "dn") for person in people.values()}
    assert [login for login, person in people.items() if "manager" not in person] == ["sigrid.nordal"]
    assert {one(person, "manager") for person in people.values() if "manager" in person} <= dns


def test_managers_lead_to_the_chief(people: dict[str, Entry]) -> None:
    by_dn = {one(person, "dn"): person for person in people.values()}
    for person in by_dn.values():
        above = [person]
        while "manager" in above[-1]:
            above.append(by_dn[one(above[-1], "manager")])
            assert len(above) < 6, "managers go round in a circle"


def test_one_person_is_inactive(people: dict[str, Entry]) -> None:
    assert [login for login, person in people.items() if "employeeType" in person] == ["paul.nygaard"]


def test_ids_mail_addresses_and_numbers_are_unique(people: dict[str, Entry], entries: dict[str, Entry]) -> None:
    assert max(Counter(one(entry, "entryUUID") for entry in entries.values()).values()) == 1
    for attribute in ("mail", "employeeNumber"):
        assert max(Counter(one(person, attribute) for person in people.values()).values()) == 1


def test_groups_have_owners_and_members_who_are_entries(entries: dict[str, Entry]) -> None:
    groups = {one(entry, "cn"): entry for dn, entry in entries.items() if f",ou=groups,{BASE}" in dn}
    assert {"vpn-users", "finance-reports", "data-protection", "commissary-operators", "all-staff"} <= set(groups)
    for group in groups.values():
        assert {*group["member"], *group["owner"]} <= set(entries)


def test_roles_are_held_by_people_who_work_there(entries: dict[str, Entry], people: dict[str, Entry]) -> None:
    held = {one(entry, "cn"): entry["roleOccupant"] for dn, entry in entries.items() if f",ou=roles,{BASE}" in dn}
    assert held == {"security-officer": [one(people["ravi.menon"], "dn")]}


def test_the_story_can_be_told(entries: dict[str, Entry], people: dict[str, Entry]) -> None:
    vpn, finance = (entries[f"cn={name},ou=groups,{BASE}"] for name in ("vpn-users", "finance-reports"))
    jonas = people["jonas.berg"]
    assert one(people["mara.lind"], "dn") == one(jonas, "manager")
    assert one(people["ines.okafor"], "dn") == one(vpn, "owner")
    assert one(people["tomas.lind"], "dn") == one(finance, "owner")
    for group in (vpn, finance):
        assert one(jonas, "dn") not in group["member"]
    operators = entries[f"cn=commissary-operators,ou=groups,{BASE}"]
    assert len(operators["member"]) == 2
    assert one(people["olga.reyes"], "dn") in operators["member"]


def test_a_real_directory_takes_it(tmp_path: Path) -> None:
    slapadd = shutil.which("slapadd", path=f"{os.environ['PATH']}:/usr/sbin")
    require_slapd()
    assert slapadd
    configuration = tmp_path / "slapd.conf"
    configuration.write_text(SLAPD_CONF.format(folder=tmp_path))
    check = subprocess.run(
        [slapadd, "-u", "-f", configuration, "-l", SEED], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr
