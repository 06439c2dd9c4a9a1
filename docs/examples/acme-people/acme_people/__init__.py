"""A directory that is one YAML file: the people, their managers and passwords, and the groups.

For trying things out where there is no LDAP. Each process reads the file once, when it starts; what a request changes
is forgotten when the process ends, and other processes do not see it. Passwords stand in the file as they are: never
use those of real accounts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.connectors.memory import Group, MemoryDirectory
from activities.plugins import Connector
from catalog.people import Person


class PeopleSettings(BaseSettings):
    """Where the file is, from the environment (``ACME_PEOPLE_FILE``)."""

    model_config = SettingsConfigDict(env_prefix="ACME_PEOPLE_", extra="ignore")

    file: Path


def read(file: Path) -> MemoryDirectory:
    """Return the directory that a file describes."""
    told: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    people = [
        Person(id=login, login=login, name=one["name"], mail=one.get("mail"), manager_id=one.get("manager"))
        for login, one in told["people"].items()
    ]
    groups = [
        Group(name, set(one.get("members", ())), tuple(one.get("owners", ()))) for name, one in told["groups"].items()
    ]
    passwords = {login: one["password"] for login, one in told["people"].items() if "password" in one}
    return MemoryDirectory(people, groups, passwords)


@contextmanager
def _open() -> Iterator[MemoryDirectory]:
    yield read(PeopleSettings().file)


CONNECTOR = Connector(port="directory", open=_open)
