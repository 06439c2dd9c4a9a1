"""The provider: the areas to choose from in a form, with how many of their lockers are free."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from acme_lockers.system import Area, LockerSettings, LockerSystem
from activities.ports import Ports
from activities.providers import ProviderKind
from catalog.choices import Choice, Choices, ChoicesQuery
from catalog.registry import ProviderSpec


class Areas:
    """All areas that have lockers."""

    def __init__(self, system: LockerSystem) -> None:
        self._system = system

    def choices(self, query: ChoicesQuery) -> Choices:
        """Return the areas whose name holds the text; one without a free locker too, for there is a waiting list."""
        found = [_choice(area) for area in self._system.areas() if _is_asked_for(area, query)]
        return Choices(choices=tuple(found[: query.limit]), more=len(found) > query.limit)


def _is_asked_for(area: Area, query: ChoicesQuery) -> bool:
    if query.value is not None:
        return area.name == query.value
    return query.search.casefold() in area.name.casefold()


def _choice(area: Area) -> Choice:
    return Choice(value=area.name, label=area.name, note=f"{area.free} of {area.lockers} free")


@contextmanager
def _open(_: Ports) -> Iterator[Areas]:
    with closing(LockerSystem(LockerSettings())) as system:
        yield Areas(system)


AREAS = ProviderKind(ProviderSpec(id="locker-areas", summary="The areas that have lockers."), _open)
