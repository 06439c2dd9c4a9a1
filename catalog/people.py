"""People and who acts: references that name a person once and for all.

A person is known by the immutable id of the directory (entryUUID, objectGUID), never by a name, a login or a
DN: those change hands. How people are found is the directory connector's business.
"""

from __future__ import annotations

from typing import Literal

from catalog.model import Model


class PersonRef(Model):
    """A person as the record names them.

    Attributes:
        id: the directory's immutable id.
        login: the name they sign in with, as of when the reference was made.
        name: the name to show.
        mail: the address for notifications, if they have one.
    """

    id: str
    login: str
    name: str
    mail: str | None = None


class Person(PersonRef):
    """A person as the directory has them now.

    Attributes:
        active: false once the account is disabled or locked; an inactive person neither gets nor approves anything.
        manager_id: the immutable id of their manager, if the directory names one.
        department, title, location, employee_type: what the directory says of them, for display and for rules.
    """

    active: bool = True
    manager_id: str | None = None
    department: str | None = None
    title: str | None = None
    location: str | None = None
    employee_type: str | None = None

    def ref(self) -> PersonRef:
        """Return the part of a person that goes on record."""
        return PersonRef(id=self.id, login=self.login, name=self.name, mail=self.mail)

    def profile(self, groups: tuple[str, ...] | None = None) -> Profile:
        """Return what rules may ask about the person."""
        return Profile(
            department=self.department,
            title=self.title,
            location=self.location,
            employee_type=self.employee_type,
            groups=groups,
        )


class Profile(Model):
    """What an item's rules may ask about a person, as of the order.

    Attributes:
        groups: the names of the groups they are directly in; None when no rule asks for them.
    """

    department: str | None = None
    title: str | None = None
    location: str | None = None
    employee_type: str | None = None
    groups: tuple[str, ...] | None = None


class Actor(Model):
    """Who sends a command, by which road and how surely we know them (feature row U1).

    Attributes:
        person: the human.
        operator: true for members of the operators' group, as of their sign-in.
        channel: the road the command came by.
        auth: how they proved who they are.
    """

    person: PersonRef
    operator: bool = False
    channel: Literal["api", "cli"] = "api"
    auth: str = "password"


OPERATORS = PersonRef(id="role:operators", login="operators", name="Operators")
"""The operators' role as a recipient of notices; the worker's settings know its mailbox."""
