"""Providers: where the choices of a form come from when only a system knows them (feature row C3).

A provider answers a `ChoicesQuery`. Lists may be some seconds old; whether one value may still be chosen is always
asked at the source.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.errors import NotFound, Rejected
from activities.ports import Directory, Ports
from catalog.choices import Choice, Choices, ChoicesQuery
from catalog.directory import GroupInfo
from catalog.item import CatalogItem
from catalog.people import PersonRef
from catalog.registry import ProviderSpec

FRESH = 30.0
"""How long a list may be used again, in seconds."""
KEPT = 500
"""How many lists are kept."""
_ALL_GROUPS = 100_000
"""More groups than anybody has: which of them are offered can only be told when they are all there."""


class Provider(Protocol):
    """Something that knows choices."""

    def choices(self, query: ChoicesQuery) -> Choices:
        """Return what there is to choose; with `value`, only that one, or none if it may not be chosen.

        Raises:
            ConnectorError: the source cannot say.
        """


@dataclass(frozen=True)
class ProviderKind:
    """What is known of a provider without making it, and how it is made."""

    spec: ProviderSpec
    open: Callable[[Ports], AbstractContextManager[Provider]]


class Groups:
    """All groups of the directory."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def choices(self, query: ChoicesQuery) -> Choices:
        """Return the groups whose name or description holds the text."""
        if query.value is not None:
            return _if_found(lambda value: _of_group(self._directory.group(value)), query.value)
        return _cut(map(_of_group, self._directory.groups(query.search, query.limit + 1)), query.limit)


class OfferSettings(BaseSettings):
    """What is never offered, from the environment.

    Attributes:
        groups_not_offered: how the names of groups begin that nobody can ask to join, separated by commas.
    """

    model_config = SettingsConfigDict(env_prefix="COMMISSARY_", frozen=True, extra="ignore")

    groups_not_offered: str = "admins-"


class RequestableGroups:
    """The groups that somebody answers for, without those that the settings keep back."""

    def __init__(self, directory: Directory, kept_back: str) -> None:
        """`kept_back` are beginnings of names, in any case, separated by commas."""
        self._directory = directory
        self._kept_back = tuple(kept_back.casefold().replace(",", " ").split())

    def choices(self, query: ChoicesQuery) -> Choices:
        """Return the groups whose name or description holds the text."""
        if query.value is not None:
            return _if_found(self._requestable, query.value)
        groups = self._directory.groups(query.search, _ALL_GROUPS)
        return _cut((_of_group(group) for group in groups if self._offers(group)), query.limit)

    def _requestable(self, name: str) -> Choice:
        group = self._directory.group(name)
        if not self._offers(group):
            raise NotFound(f"nobody can ask to join the group {name!r}")
        return _of_group(group)

    def _offers(self, group: GroupInfo) -> bool:
        return group.owned and not group.name.casefold().startswith(self._kept_back)


class MyGroups:
    """The groups that the beneficiary is directly in."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def choices(self, query: ChoicesQuery) -> Choices:
        """Return those of the person's groups whose name holds the text."""
        names = (Choice(value=name, label=name) for name in self._directory.groups_of(query.beneficiary_id))
        return _cut(_matching(names, query), query.limit)


class People:
    """Everybody whose account is active."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def choices(self, query: ChoicesQuery) -> Choices:
        """Return the people whose login, name or mail holds the text; the value is the login."""
        if query.value is not None:
            return _if_found(self._active, query.value)
        return _cut(map(_of_person, self._directory.people(query.search, query.limit + 1)), query.limit)

    def _active(self, login: str) -> Choice:
        person = self._directory.person_by_login(login)
        if not person.active:
            raise NotFound(f"the account {login!r} is not active")
        return _of_person(person)


class Entitlements:
    """What published items give: the value is the group, the label the item's name."""

    def __init__(self, published: Callable[[], Iterable[CatalogItem]]) -> None:
        self._published = published

    def choices(self, query: ChoicesQuery) -> Choices:
        """Return the entitlements whose group or item holds the text, one for each group."""
        given: dict[str, Choice] = {}
        for item in sorted(self._published(), key=lambda item: item.name):
            if item.entitlement:
                choice = Choice(value=item.entitlement.group, label=item.name, note=item.summary)
                given.setdefault(item.entitlement.group, choice)
        return _cut(_matching(given.values(), query), query.limit)


class Choosing:
    """All providers behind one question, with lists kept for a short while; safe to call from several threads."""

    def __init__(self, providers: Mapping[str, Provider], clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._providers = providers
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, Choices]] = OrderedDict()

    def choices(self, query: ChoicesQuery) -> Choices:
        """Return what the provider answers.

        Raises:
            Rejected: there is no such provider.
            ConnectorError: the source cannot say.
        """
        provider = self._providers.get(query.provider)
        if provider is None:
            known = ", ".join(sorted(self._providers)) or "none"
            raise Rejected(f"there is no provider {query.provider!r} here; there are: {known}")
        if query.value is not None:
            return provider.choices(query)
        return self._fresh(query) or self._keep(query, provider.choices(query))

    def _fresh(self, query: ChoicesQuery) -> Choices | None:
        with self._lock:
            since, choices = self._kept.get(query.model_dump_json(), (0.0, None))
        return choices if choices and self._clock() - since < FRESH else None

    def _keep(self, query: ChoicesQuery, choices: Choices) -> Choices:
        with self._lock:
            key = query.model_dump_json()
            self._kept[key] = (self._clock(), choices)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return choices


def _of_group(group: GroupInfo) -> Choice:
    return Choice(value=group.name, label=group.name, note=group.description)


def _of_person(person: PersonRef) -> Choice:
    return Choice(value=person.login, label=person.name, note=person.mail or "")


def _if_found(look: Callable[[str], Choice], value: str) -> Choices:
    try:
        return Choices(choices=(look(value),))
    except NotFound:
        return Choices(choices=())


def _matching(choices: Iterable[Choice], query: ChoicesQuery) -> Iterable[Choice]:
    wanted = query.search.casefold()
    for choice in choices:
        if query.value is not None:
            if choice.value == query.value:
                yield choice
        elif wanted in choice.value.casefold() or wanted in choice.label.casefold():
            yield choice


def _cut(choices: Iterable[Choice], limit: int) -> Choices:
    found = tuple(choices)
    return Choices(choices=found[:limit], more=len(found) > limit)


def _kind(id_: str, made: Callable[[Ports], Provider], kind: type[Any]) -> ProviderKind:
    return ProviderKind(ProviderSpec(id=id_, summary=kind.__doc__ or ""), lambda ports: nullcontext(made(ports)))


GROUPS = _kind("groups", lambda ports: Groups(ports.directory), Groups)
REQUESTABLE_GROUPS = _kind(
    "requestable-groups",
    lambda ports: RequestableGroups(ports.directory, OfferSettings().groups_not_offered),
    RequestableGroups,
)
MY_GROUPS = _kind("my-groups", lambda ports: MyGroups(ports.directory), MyGroups)
PEOPLE = _kind("people", lambda ports: People(ports.directory), People)
ENTITLEMENTS = _kind("entitlements", lambda ports: Entitlements(ports.published), Entitlements)
