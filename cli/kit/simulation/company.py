"""The company of a scenario as a directory in memory, and what happens to its people while a request runs.

Groups change here without the platform's doing, as when somebody sees to it by hand: that is not in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from activities.connectors.memory import Group, MemoryDirectory
from activities.errors import NotFound
from catalog.people import Actor, Person
from catalog.scenario_events import Changes
from catalog.sketch import Company, PersonSketch


class Staff:
    """The people of one scenario.

    Attributes:
        directory: the port over them.
    """

    def __init__(self, company: Company, clock: Callable[[], datetime]) -> None:
        """Take the people; `clock` tells when something is seen in the directory."""
        self._operators = company.operators
        people = [_person(login, sketch) for login, sketch in company.people.items()]
        self._groups = {
            name: Group(name, {_id(one) for one in sketch.members}, tuple(_id(one) for one in sketch.owners))
            for name, sketch in company.groups.items()
        }
        self._roles = {name: set(map(_id, holders)) for name, holders in company.roles.items()}
        cis = {name: map(_id, owners) for name, owners in company.cis.items()}
        self.directory = MemoryDirectory(people, self._groups.values(), clock=clock, roles=self._roles, cis=cis)

    def actor(self, login: str) -> Actor:
        """Return somebody, acting; people who have left are still known to those who tell the story.

        Raises:
            NotFound: there is nobody of this login.
        """
        person = self.directory.person_by_login(login)
        return Actor(person=person.ref(), operator=login in self._operators)

    def members(self, group: str) -> frozenset[str]:
        """Return the logins of those who are in a group; of nobody if there is no such group."""
        try:
            return frozenset(person.login for person in self.directory.members(group))
        except NotFound:
            return frozenset()

    @property
    def writes(self) -> int:
        """How many changes the platform has made."""
        return len(self.directory.ledger) + len(self.directory.changes)

    def change(self, event: Changes) -> None:
        """Let something happen to somebody.

        Raises:
            NotFound: there is no such group or role.
        """
        person = self.directory.person_by_login(event.who)
        match event.do:
            case "leaves" | "returns":
                self.directory.put_person(person.model_copy(update={"active": event.do == "returns"}))
            case "moves":
                self.directory.put_person(person.model_copy(update={"manager_id": _id(event.manager or "")}))
            case "joins" | "quits":
                those = self._those(event)
                (those.add if event.do == "joins" else those.discard)(person.id)
                if event.role:
                    self.directory.put_role(event.role, those)

    def _those(self, event: Changes) -> set[str]:
        """Return who is in the group, or has the role, that an event is about."""
        if event.role is not None and event.role in self._roles:
            return self._roles[event.role]
        if event.group is not None and event.group in self._groups:
            return self._groups[event.group].members
        raise NotFound(f"there is no role {event.role!r}" if event.role else f"there is no group {event.group!r}")


def said(event: Changes) -> str:
    """Return what happens to somebody, in words."""
    match event.do:
        case "moves":
            return f"{event.who} gets {event.manager} as manager"
        case "joins":
            return f"{event.who} takes the role {event.role}" if event.role else f"{event.who} joins {event.group}"
        case "quits":
            return f"{event.who} gives up the role {event.role}" if event.role else f"{event.who} quits {event.group}"
        case _:
            return f"{event.who} {event.do}"


def _person(login: str, sketch: PersonSketch) -> Person:
    told = sketch.model_dump(exclude={"manager", "preferences"})
    return Person(id=_id(login), login=login, manager_id=sketch.manager and _id(sketch.manager), **told)


def _id(login: str) -> str:
    """Return the immutable id of a person: never the login itself, so that mixing the two up shows."""
    return f"id-of-{login}"
