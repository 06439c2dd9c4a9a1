"""Fixtures of the connector tests: one slapd for those that leave it running, and one per test for the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import company
from support.company import Connect
from support.slapd import Slapd, running_slapd

from activities.connectors.ldap import LdapDirectory, Security


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
