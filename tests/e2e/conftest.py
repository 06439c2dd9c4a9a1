"""Installations for end-to-end tests, in folders of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from support import company
from support.postgres import Cluster, postgres
from support.slapd import Slapd, running_slapd
from support.stack import Stack

ITEM = """\
id: vpn
version: 1.0.0
name: VPN
description: Reach the network.
category: Network
owner: ada
form:
  - {id: why, type: text, label: Why}
approvals:
  - id: manager
    name: Manager
    approvers: [{rule: manager}]
workflow: AccessRequest
entitlement: {group: vpn}
sla: {target: 2 days}
"""


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[Slapd]:
    with running_slapd(tmp_path) as server:
        company.seed(server)
        yield server


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "items"
    folder.mkdir()
    (folder / "vpn.yaml").write_text(ITEM)
    return folder


@pytest.fixture
def stack(tmp_path: Path, slapd: Slapd, catalog: Path) -> Iterator[Stack]:
    """An installation on SQLite; nothing of it runs yet but slapd."""
    made = Stack(tmp_path, slapd, catalog=catalog)
    yield made
    made.down()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgres() as server:
        yield server


@pytest.fixture
def postgres_stack(tmp_path: Path, slapd: Slapd, catalog: Path, cluster: Cluster) -> Iterator[Stack]:
    """An installation on PostgreSQL."""
    made = Stack(tmp_path, slapd, database=cluster.url(cluster.create_database()), catalog=catalog)
    yield made
    made.down()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        yield client
