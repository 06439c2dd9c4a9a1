"""People for commands that run without a directory: from a file, or the demo's company.

A people file says who there is and which groups, roles and configuration items (CIs) there are, as a scenario's
company does; people are named by login. It is read into the directory in memory, so that they are found by the same
code as in a real one::

    people:
      ada: {name: Ada Byron, manager: grace, department: Engineering}
      grace: {name: Grace Murray}
    groups:
      wiki-editors: {owners: [grace], members: [ada]}
    roles:
      security-officer: [grace]
    cis:
      web-01: [grace]

A file of scenarios will do as well, if it has a company.
"""

from __future__ import annotations

import base64
import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cli.demo
from activities.connectors.memory import Group, MemoryDirectory
from catalog.loader import validate
from catalog.people import Person
from catalog.sketch import Company, GroupSketch, PersonSketch
from catalog.source import parse, path_of
from cli.client import Trouble

FOLDER, FILE = "scenarios", "company.yaml"
"""Where the company of a directory of items stands in it."""
DEMO = Path(cli.demo.__file__).with_name("company.ldif")


def directory(company: Company) -> MemoryDirectory:
    """Return a company as a directory; a person's login is their id."""
    people = [
        Person(id=login, login=login, manager_id=one.manager, **one.model_dump(exclude={"manager"}))
        for login, one in company.people.items()
    ]
    groups = [Group(name, set(one.members), one.owners) for name, one in company.groups.items()]
    return MemoryDirectory(people, groups, roles=company.roles, cis=company.cis)


def beside(folders: Sequence[Path]) -> tuple[Company | None, str]:
    """Return who there is in the companies of directories of items, and where that stands.

    Nobody knows if not every directory says so: None, and an empty text.

    Raises:
        Trouble: a company cannot be read.
    """
    files = [folder / FOLDER / FILE for folder in folders]
    if not files or not all(file.is_file() for file in files):
        return None, ""
    everybody = Company()
    for file in files:
        everybody = everybody.over(company(file))
    return everybody, ", ".join(map(str, files))


def nearest(login: str, there: Sequence[str]) -> str:
    """Return a remedy for a login that nobody has: the one that is meant, or else the nearest few of those there are.

    A company has too many people to name them all.
    """
    close = difflib.get_close_matches(login, there, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    near = difflib.get_close_matches(login, there, n=_NEAREST, cutoff=0)
    return f"The nearest of {len(there)} there are: {', '.join(near)}." if near else "There is nobody at all."


_NEAREST = 3


def company(file: Path | None) -> Company:
    """Return the people of a file, or of the demo's company.

    Raises:
        Trouble: the file cannot be read, or does not say who there is.
    """
    if file is None:
        return _of_ldif(DEMO.read_text(encoding="utf-8"))
    try:
        source = parse(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{file} cannot be read: {error}. Name a YAML file of people.") from error
    data = source.data["company"] if isinstance(source.data, dict) and "company" in source.data else source.data
    found, faults = (None, source.faults) if source.faults else validate(data, Company)
    if found is None:
        said = (f"{path_of(fault.place)}: {fault.message}. {fault.remedy}".removeprefix(": ") for fault in faults)
        raise Trouble(f"{file} does not say who there is:", tuple(said))
    return found


def _of_ldif(text: str) -> Company:
    """Return who an LDIF file (RFC 2849) as the demo's tells of: people are ``uid=…``, groups and roles ``cn=…``."""
    people: dict[str, PersonSketch] = {}
    groups: dict[str, GroupSketch] = {}
    roles: dict[str, tuple[str, ...]] = {}
    for entry in _entries(text):
        if "groupOfNames" in entry["objectClass"]:
            owners, members = (tuple(_logins(entry[name])) for name in ("owner", "member"))
            groups[entry["cn"][0]] = GroupSketch(owners=owners, members=members)
        elif "organizationalRole" in entry["objectClass"]:
            roles[entry["cn"][0]] = tuple(_logins(entry["roleOccupant"]))
        elif "inetOrgPerson" in entry["objectClass"]:
            people[entry["uid"][0]] = _person(entry)
    return Company(people=people, groups=groups, roles=roles)


def _person(entry: dict[str, list[str]]) -> PersonSketch:
    first: dict[str, Any] = {name: values[0] for name, values in entry.items() if values}
    kind = first.get("employeeType")
    return PersonSketch(
        name=first["cn"],
        manager=next(_logins(entry["manager"]), None),
        mail=first.get("mail"),
        active=kind != "inactive",
        department=first.get("ou"),
        title=first.get("title"),
        location=first.get("l"),
        employee_type=kind,
    )


def _logins(names: Iterable[str]) -> Iterator[str]:
    return (name.partition(",")[0].removeprefix("uid=") for name in names if name.startswith("uid="))


def _entries(text: str) -> Iterator[dict[str, list[str]]]:
    for block in text.replace("\n ", "").split("\n\n"):
        entry: dict[str, list[str]] = defaultdict(list)
        for line in block.splitlines():
            name, colon, value = line.partition(":")
            if colon and not name.startswith("#"):
                coded = value.startswith(":")
                entry[name].append(base64.b64decode(value[1:]).decode() if coded else value.strip())
        if entry:
            yield entry
