"""A desk that takes orders; and slapd for the connectors: one for tests that leave it running, one each for others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support import company
from support.builders import an_item
from support.company import Connect
from support.office import WHY, Office
from support.slapd import Slapd, running_slapd

from activities.connectors.ldap import LdapDirectory, Security
from records.register import Register


@pytest.fixture(scope="session")
def seeded_slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with running_slapd(tmp_path_factory.mktemp("ldap")) as server:
        company.seed(server)
        yield server


@pytest.fixture
def slapd(seeded_slapd: Slapd) -> Slapd:
    """The common server, with every group as it was at first. Do not stop it."""
    company.reset_groups(seeded_slapd)
    return seeded_slapd


@pytest.fixture
def own_slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """A server of the test's own, to be stopped, frozen and killed."""
    with running_slapd(tmp_path_factory.mktemp("ldap")) as server:
        company.seed(server)
        yield server


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make directories on a server; `connect(server, security, **settings)`. They are closed afterwards."""
    opened: list[LdapDirectory] = []

    def make(server: Slapd, security: Security = Security.LDAPS, **changes: object) -> LdapDirectory:
        opened.append(LdapDirectory(company.settings_for(server, security, **changes)))
        return opened[-1]

    yield make
    for directory in opened:
        directory.close()


@pytest.fixture
def office(empty_register: Path, tmp_path: Path) -> Iterator[Office]:
    """A desk that offers the wiki editor."""
    path = shutil.copy(empty_register, tmp_path / "register.db")
    with closing(Register(f"sqlite:///{path}")) as register:
        office = Office(register)
        office.offer(an_item(form=(WHY,)))
        yield office
