"""A small company, the same in slapd and in memory, with the names that break careless code."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPNoSuchObjectResult
from ldap3.utils.dn import escape_rdn
from support.slapd import (
    DEVICES,
    GROUPS,
    PEOPLE,
    PLACEHOLDER,
    PROVISIONER,
    SERVICE,
    SERVICE_PASSWORD,
    SUFFIX,
    Slapd,
)

from activities.connectors.ldap import LdapDirectory, LdapSettings, Security
from activities.connectors.memory import Group, MemoryDirectory
from catalog.people import Person

Connect = Callable[..., LdapDirectory]
"""Opens a directory for the length of a test: ``connect(server, security, **settings)``."""

ODD = '*()\\,=+<>#;"'
"""The characters that mean something in LDAP filters and names."""


@dataclass(frozen=True)
class Employee:
    """Somebody who works there, or did; `manager` is a login."""

    login: str
    name: str
    department: str = "Sales"
    manager: str | None = None
    mail: bool = True
    title: str | None = None
    location: str | None = None
    employee_type: str | None = None
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def dn(self) -> str:
        """Where slapd has them: below their name, as many directories do."""
        return f"cn={escape_rdn(self.name)},{PEOPLE}"

    @property
    def password(self) -> str:
        """The password they sign in with."""
        return f"pass-{self.login}"

    @property
    def address(self) -> str | None:
        """Their mail address; only its local part tells them apart."""
        return f"{self.login.encode().hex()}@example.test" if self.mail else None


ADA = Employee("ada", "Ada Boss", "Board")
ALICE = Employee("alice", "Alice Adams", manager="ada")
BOB = Employee(
    "bob", "Bob Brown", manager="alice", title="Account manager", location="Bergen", employee_type="external"
)
CAROL = Employee("carol", "Carol Clark", manager="alice")
JUERGEN = Employee("jürgen.groß", "Jürgen Groß 🚀", "Entwicklung", manager="ada")
ODDNAME = Employee(f"odd{ODD}", f"Odd {ODD} Name", "R&D", manager="ada")
ZOE = Employee("zoe", "Zoe Zimmer", mail=False)
INGA = Employee("inga", "Inga Inactive", manager="ada", employee_type="inactive", extra=(("employeeType", "inactive"),))
LARS = Employee("lars", "Lars Locked", manager="ada", extra=(("pwdAccountLockedTime", "000001010000Z"),))
TWIN_A = Employee("twin", "Twin A", mail=False)
TWIN_B = Employee("twin", "Twin B", mail=False)
STAFF = (ADA, ALICE, BOB, CAROL, JUERGEN, ODDNAME, ZOE, INGA, LARS, TWIN_A, TWIN_B)

ODD_GROUP = f"R&D (Δ) {ODD}"


@dataclass(frozen=True)
class Team:
    """A group; `machine` puts an entry into it that is no person."""

    name: str
    members: tuple[Employee, ...] = ()
    owners: tuple[Employee, ...] = ()
    machine: bool = False

    @property
    def dn(self) -> str:
        """Where slapd has it."""
        return f"cn={escape_rdn(self.name)},{GROUPS}"


VPN = Team("vpn", (ALICE,), (ADA,))
FINANCE = Team("finance", (BOB, CAROL, INGA), (ALICE, ADA), machine=True)
EMPTY = Team("empty")
ODD_TEAM = Team(ODD_GROUP, (ODDNAME,), (JUERGEN,))
TEAMS = (VPN, FINANCE, EMPTY, ODD_TEAM)


@dataclass(frozen=True)
class Position:
    """A role, and who holds it; `machine` lets an entry hold it, too, that is no person."""

    name: str
    holders: tuple[Employee, ...] = ()
    machine: bool = False

    @property
    def dn(self) -> str:
        """Where slapd has it: beside the groups."""
        return f"cn={escape_rdn(self.name)},{GROUPS}"


OFFICER = Position("security-officer", (CAROL,))
BUDGET_OWNER = Position("budget-owner-4711", (ODDNAME, ALICE, INGA), machine=True)
VACANT = Position("press-officer")
ODD_POSITION = Position(f"head of {ODD_GROUP}", (JUERGEN,))
POSITIONS = (OFFICER, BUDGET_OWNER, VACANT, ODD_POSITION)


@dataclass(frozen=True)
class Device:
    """A configuration item, and who owns it; `machine` lets an entry own it, too, that is no person."""

    name: str
    owners: tuple[Employee, ...] = ()
    machine: bool = False

    @property
    def dn(self) -> str:
        """Where slapd has it."""
        return f"cn={escape_rdn(self.name)},{DEVICES}"


WEB = Device("web-01", (BOB,))
DATABASE = Device("db-01", (ODDNAME, CAROL, INGA), machine=True)
NOBODYS = Device("old-01")
ODD_DEVICE = Device(f"rack of {ODD_GROUP}", (JUERGEN,))
MACHINES = (WEB, DATABASE, NOBODYS, ODD_DEVICE)


def seed(server: Slapd) -> None:
    """Put the company into an empty slapd."""
    with server.admin() as admin:
        _add(admin, SUFFIX, ["dcObject", "organization"], {"dc": "example", "o": "Example"})
        for unit in ("people", "groups", "devices"):
            _add(admin, f"ou={unit},{SUFFIX}", "organizationalUnit", {"ou": unit})
        account = ["organizationalRole", "simpleSecurityObject"]
        for dn, name in ((SERVICE, "commissary"), (PROVISIONER, "provisioner")):
            _add(admin, dn, account, {"cn": name, "userPassword": SERVICE_PASSWORD})
        for employee in STAFF:
            _add(admin, employee.dn, "inetOrgPerson", _attributes(employee))
    reset_groups(server)


def reseed(server: Slapd) -> None:
    """Make every person and group as it was at first, with new ids, and take away whatever else came."""
    with server.admin() as admin:
        for base in (GROUPS, PEOPLE):
            for entry in admin.extend.standard.paged_search(base, "(objectClass=*)", ldap3.LEVEL):
                admin.delete(entry["dn"])  # type: ignore[no-untyped-call]  # the stubs
        for employee in STAFF:
            _add(admin, employee.dn, "inetOrgPerson", _attributes(employee))
    reset_groups(server)


def reset_groups(server: Slapd) -> None:
    """Give every group the members it has at first, every role those who hold it, every device its owners."""
    with server.admin() as admin:
        for team in TEAMS:
            with contextlib.suppress(LDAPNoSuchObjectResult):
                admin.delete(team.dn)  # type: ignore[no-untyped-call]  # the stubs
            members = [member.dn for member in team.members] + ([SERVICE] if team.machine else [])
            owners = {"owner": [owner.dn for owner in team.owners]} if team.owners else {}
            _add(admin, team.dn, "groupOfNames", {"cn": team.name, "member": members or [PLACEHOLDER], **owners})
        for position in POSITIONS:
            with contextlib.suppress(LDAPNoSuchObjectResult):
                admin.delete(position.dn)  # type: ignore[no-untyped-call]  # the stubs
            holders = [holder.dn for holder in position.holders] + ([SERVICE] if position.machine else [])
            held = {"roleOccupant": holders} if holders else {}
            _add(admin, position.dn, "organizationalRole", {"cn": position.name, **held})
        for device in MACHINES:
            with contextlib.suppress(LDAPNoSuchObjectResult):
                admin.delete(device.dn)  # type: ignore[no-untyped-call]  # the stubs
            those = [owner.dn for owner in device.owners] + ([SERVICE] if device.machine else [])
            owned = {"owner": those} if those else {}
            _add(admin, device.dn, "device", {"cn": device.name, **owned})


def settings_for(server: Slapd, security: Security = Security.LDAPS, **changes: Any) -> LdapSettings:
    """Return the settings of the connector for that server; `changes` replace some."""
    url = server.ldaps_url if security is Security.LDAPS else server.ldap_url
    values: dict[str, Any] = {
        "urls": (url,),
        "bind_dn": SERVICE,
        "bind_password": SERVICE_PASSWORD,
        "security": security,
        "ca_file": server.ca_file,
        "people_base": PEOPLE,
        "groups_base": GROUPS,
        "cis_base": DEVICES,
        "placeholder_member": PLACEHOLDER,
        "read_back_within": 2,
    }
    return LdapSettings(**(values | changes))


def in_memory() -> MemoryDirectory:
    """Return the company as a directory in memory; ids are the names, in a form no login has."""
    ids = {employee.login: _id(employee) for employee in STAFF}
    people = [
        Person(
            id=_id(employee),
            login=employee.login,
            name=employee.name,
            mail=employee.address,
            active=not employee.extra,
            manager_id=ids[employee.manager] if employee.manager else None,
            department=employee.department,
            title=employee.title,
            location=employee.location,
            employee_type=employee.employee_type,
        )
        for employee in STAFF
    ]
    groups = [
        Group(
            team.name,
            {_id(member) for member in team.members} | ({"a-machine"} if team.machine else set()),
            tuple(_id(owner) for owner in team.owners),
        )
        for team in TEAMS
    ]
    roles = {
        position.name: [_id(holder) for holder in position.holders] + ["a-machine"] * position.machine
        for position in POSITIONS
    }
    cis = {device.name: [_id(owner) for owner in device.owners] + ["a-machine"] * device.machine for device in MACHINES}
    passwords = {_id(employee): employee.password for employee in STAFF}
    return MemoryDirectory(people, groups, passwords, roles=roles, cis=cis)


def _id(employee: Employee) -> str:
    return f"id:{employee.name}"


def _attributes(employee: Employee) -> dict[str, Any]:
    manager = next((boss.dn for boss in STAFF if boss.login == employee.manager), None)
    values = {
        "uid": employee.login,
        "cn": employee.name,
        "sn": employee.name.split()[-1],
        "ou": employee.department,
        "userPassword": employee.password,
        "mail": employee.address,
        "manager": manager,
        "title": employee.title,
        "l": employee.location,
        "employeeType": employee.employee_type,
        **dict(employee.extra),
    }
    return {name: value for name, value in values.items() if value is not None}


def _add(admin: ldap3.Connection, dn: str, object_class: str | list[str], attributes: dict[str, Any]) -> None:
    admin.add(dn, object_class, attributes)  # type: ignore[no-untyped-call]  # the stubs
