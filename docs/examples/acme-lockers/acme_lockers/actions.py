"""The actions: what a step may `call`, and what the workflow of this package calls too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from acme_lockers.system import LockerSettings, LockerSystem
from activities.actions import ActionInput, ActionSet, Found, action
from activities.errors import NotApplied
from activities.ports import Ports
from catalog.access import Observed

Name = Annotated[str, Field(min_length=1, max_length=64)]


class InArea(ActionInput):
    """An area, by name."""

    area: Name


class Place(InArea):
    """Somebody's place in an area; `holder` is their login."""

    holder: Name


class Free(Found):
    """How many lockers are free."""

    free: int


class Assigned(Observed):
    """What was seen, and the number of the locker."""

    number: str


class LockerActions:
    """The actions on one locker system."""

    def __init__(self, system: LockerSystem) -> None:
        self._system = system

    @action("lockers.free", changes=False)
    def free(self, wanted: InArea) -> Free:
        """Look up how many lockers of an area are free."""
        return Free(free=self._system.area(wanted.area).free)

    @action("lockers.assign", undo="lockers.release")
    def assign(self, wanted: Place) -> Assigned:
        """Assign a free locker of an area; who has one there keeps it."""
        had = self._system.locker_of(wanted.area, wanted.holder)
        if had is None:
            self._system.assign(wanted.area, wanted.holder)
        number = self._system.locker_of(wanted.area, wanted.holder)
        if number is None:
            raise NotApplied("the locker system took the assignment and does not show it")
        seen = self._seen(present=True, changed=had is None)
        return Assigned(**dict(seen), number=number)

    @action("lockers.release")
    def release(self, wanted: Place) -> Observed:
        """Take somebody's locker in an area back."""
        had = self._system.locker_of(wanted.area, wanted.holder)
        if had is not None:
            self._system.release(wanted.area, wanted.holder)
        if self._system.locker_of(wanted.area, wanted.holder):
            raise NotApplied("the locker system took the release and still shows the locker as theirs")
        return self._seen(present=False, changed=had is not None)

    def _seen(self, *, present: bool, changed: bool) -> Observed:
        now = datetime.now(UTC)  # noqa: TID251  only workflows must not look at a clock of their own
        return Observed(present=present, changed=changed, at=now, where=self._system.host)


@contextmanager
def _open(_: Ports) -> Iterator[LockerActions]:
    with closing(LockerSystem(LockerSettings())) as system:
        yield LockerActions(system)


ACTIONS = ActionSet(system="lockers", kind=LockerActions, open=_open)
