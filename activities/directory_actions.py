"""The shipped actions on the directory: groups, accounts, attributes and passwords.

Each makes one thing true, or looks one thing up, and tells what was seen in the directory. People are named by login,
as authors write it; what is done, is done to the person with that login now. Whose doing an effect is, and
so whether it is taken back, is `activities.authorship`'s business.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

from pydantic import Field

from activities.actions import ActionInput, ActionSet, Found, action
from activities.authorship import before
from activities.errors import Rejected
from activities.ports import ManagedDirectory, Secrets
from catalog.access import Observed
from catalog.directory import AccountSpec, Attribute, GroupSpec, Label, NewLogin, OneLine
from catalog.people import PersonRef

MAX_PEOPLE = 500
"""How many people a look-up may give: its result is kept with the request."""

Login = Annotated[str, Field(min_length=1, max_length=256)]
Value = Annotated[OneLine, Field(min_length=1)]
Values = dict[Attribute, tuple[str, ...]]


class CreateGroup(ActionInput):
    """A group to make; `owners` are logins."""

    name: Label
    description: OneLine = ""
    owners: Annotated[tuple[Login, ...], Field(max_length=20)] = ()


class DeleteGroup(ActionInput):
    """A group to delete; one with people in it only with `even_with_members`."""

    name: Annotated[str, Field(min_length=1)]
    even_with_members: bool = False


class SetAttributes(ActionInput):
    """Attributes to set; null removes one."""

    login: Login
    attributes: Annotated[dict[Attribute, Value | None], Field(min_length=1)]


class RestoreAttributes(ActionInput):
    """Attributes to set back to `earlier`, as far as they still hold what was set."""

    login: Login
    attributes: dict[Attribute, Value | None]
    earlier: Values


class CreateAccount(ActionInput):
    """An account of a program to make; `owner` is the login of the person who answers for it."""

    login: NewLogin
    name: Label
    owner: Login
    description: OneLine = ""


class Account(ActionInput):
    """An account, by its login."""

    login: Login


class SetPassword(ActionInput):
    """A password to set: `secret` is the reference to it, as a form's secret field gives it."""

    login: Login
    secret: Annotated[str, Field(min_length=1, max_length=256)]


class PeopleInGroup(ActionInput):
    """A group to look into."""

    group: Annotated[str, Field(min_length=1)]


class AttributesSet(Observed):
    """What was seen, and what each attribute held before this call."""

    earlier: Values = {}


class AttributesRestored(Observed):
    """What was seen; `left` names what others have changed since, and what was left as they made it."""

    left: tuple[Attribute, ...] = ()


class People(Found):
    """Who is in the group, those with closed accounts too, by login."""

    people: tuple[PersonRef, ...]


class DirectoryActions:
    """Actions on one directory."""

    def __init__(self, directory: ManagedDirectory, secrets: Secrets) -> None:
        self._directory = directory
        self._secrets = secrets

    @action("directory.create_group", undo="directory.delete_group")
    def create_group(self, group: CreateGroup) -> Observed:
        """Make a group without members, answered for by its owners."""
        owners = tuple(self._id_of(login) for login in group.owners)
        return self._directory.ensure_group(GroupSpec(name=group.name, description=group.description, owner_ids=owners))

    @action("directory.delete_group")
    def delete_group(self, group: DeleteGroup) -> Observed:
        """Delete a group; as an undo, only while nobody is in it."""
        return self._directory.ensure_no_group(group.name, even_with_members=group.even_with_members)

    @action("directory.set_attributes", undo="directory.restore_attributes")
    def set_attributes(self, wanted: SetAttributes) -> AttributesSet:
        """Set attributes of a person; the result holds the earlier values."""
        person_id = self._id_of(wanted.login)
        earlier = before(lambda: self._directory.attributes(person_id, wanted.attributes))
        seen = self._directory.ensure_attributes(person_id, _as_values(wanted.attributes))
        return AttributesSet(**dict(seen), earlier=earlier)

    @action("directory.restore_attributes")
    def restore_attributes(self, wanted: RestoreAttributes) -> AttributesRestored:
        """Set attributes of a person back to their earlier values, but for those that others have changed since."""
        person_id = self._id_of(wanted.login)
        now = self._directory.attributes(person_id, wanted.earlier)
        as_set = _as_values(wanted.attributes)
        ours = {name: values for name, values in wanted.earlier.items() if now[name] in (as_set.get(name), values)}
        seen = self._directory.ensure_attributes(person_id, ours)
        return AttributesRestored(**dict(seen), left=tuple(name for name in wanted.earlier if name not in ours))

    @action("directory.create_account", undo="directory.delete_account")
    def create_account(self, account: CreateAccount) -> Observed:
        """Make the account of a program: disabled, without a password, with somebody who answers for it."""
        owner_id = self._id_of(account.owner)
        spec = AccountSpec(login=account.login, name=account.name, description=account.description, owner_id=owner_id)
        return self._directory.ensure_account(spec)

    @action("directory.delete_account")
    def delete_account(self, account: Account) -> Observed:
        """Delete the account of a program; that of a person is never deleted."""
        return self._directory.ensure_no_account(account.login)

    @action("directory.disable_account", undo="directory.enable_account")
    def disable_account(self, account: Account) -> Observed:
        """Close an account, so that nobody can sign in with it."""
        return self._directory.ensure_active(self._id_of(account.login), active=False)

    @action("directory.enable_account", undo="directory.disable_account")
    def enable_account(self, account: Account) -> Observed:
        """Open an account that was disabled or locked."""
        return self._directory.ensure_active(self._id_of(account.login), active=True)

    @action("directory.set_password")
    def set_password(self, wanted: SetPassword) -> Observed:
        """Set the password of an account to a secret of the order; the earlier one cannot be brought back."""
        person_id = self._id_of(wanted.login)
        return self._directory.set_password(person_id, self._secrets.reveal(wanted.secret))

    @action("directory.people_in_group", changes=False)
    def people_in_group(self, wanted: PeopleInGroup) -> People:
        """Look up who is in a group."""
        people = self._directory.members(wanted.group)
        if len(people) > MAX_PEOPLE:
            raise Rejected(f"{len(people)} people are in {wanted.group!r}; a look-up gives {MAX_PEOPLE} at most")
        return People(people=tuple(person.ref() for person in people))

    def _id_of(self, login: str) -> str:
        return self._directory.person_by_login(login).id


def _as_values(attributes: dict[Attribute, str | None]) -> Values:
    return {name: () if value is None else (value,) for name, value in attributes.items()}


ACTIONS = ActionSet(
    system="directory",
    kind=DirectoryActions,
    open=lambda ports: nullcontext(DirectoryActions(ports.directory, ports.secrets)),
)
