"""A company in slapd for the benchmarks: any number of people under one manager, others who decide, and new groups.

The manager and those who decide have no mail address. Nobody can then be asked by mail to decide, and a request sends
one mail in all, the one that says how it ended: as many as the hand-written workflow sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import ldap3
from support.company import settings_for
from support.slapd import GROUPS, PEOPLE, PLACEHOLDER, SERVICE, SERVICE_PASSWORD, SUFFIX, Slapd

from activities.connectors.ldap import LdapDirectory
from catalog.people import PersonRef

MANAGER = "boss"
DECIDERS = ("boss1", "boss2", "boss3", "boss4")


def dn_of(login: str) -> str:
    """Return where slapd has a person."""
    return f"uid={login},{PEOPLE}"


def group_dn(name: str) -> str:
    """Return where slapd has a group."""
    return f"cn={name},{GROUPS}"


def seed(server: Slapd, size: int) -> tuple[PersonRef, list[PersonRef], list[PersonRef]]:
    """Put the company into an empty slapd and return the manager, those who decide, and `size` people."""
    with server.admin() as admin:
        _add(admin, SUFFIX, ["dcObject", "organization"], {"dc": "example", "o": "Example"})
        for unit in ("people", "groups"):
            _add(admin, f"ou={unit},{SUFFIX}", "organizationalUnit", {"ou": unit})
        account = ["organizationalRole", "simpleSecurityObject"]
        _add(admin, SERVICE, account, {"cn": "commissary", "userPassword": SERVICE_PASSWORD})
        for login in _logins(size):
            _add(admin, dn_of(login), "inetOrgPerson", _attributes(login))
    with closing(LdapDirectory(settings_for(server))) as directory:
        manager, *others = (directory.person_by_login(login).ref() for login in _logins(size))
    return manager, others[: len(DECIDERS)], others[len(DECIDERS) :]


def new_group(server: Slapd, name: str) -> None:
    """Add a group without members."""
    server.add(group_dn(name), "groupOfNames", {"cn": name, "member": PLACEHOLDER})


def password_of(login: str) -> str:
    """Return what a person signs in with."""
    return f"pass-{login}"


def _logins(size: int) -> Iterator[str]:
    yield MANAGER
    yield from DECIDERS
    for n in range(size):
        yield f"person{n:05}"


def _attributes(login: str) -> dict[str, str]:
    values = {"uid": login, "cn": f"{login} Brown", "sn": "Brown", "ou": "Sales", "userPassword": password_of(login)}
    return (
        values
        if login in (MANAGER, *DECIDERS)
        else values | {"mail": f"{login}@example.test", "manager": dn_of(MANAGER)}
    )


def _add(admin: ldap3.Connection, dn: str, object_class: str | list[str], attributes: dict[str, str]) -> None:
    admin.add(dn, object_class, attributes)  # type: ignore[no-untyped-call]  # the stubs
