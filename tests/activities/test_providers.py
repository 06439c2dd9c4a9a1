"""Providers: what there is to choose, and how long a list may be used again."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import a_person, an_item

from activities.connectors.memory import Group, MemoryDirectory
from activities.errors import Rejected, Transient
from activities.ports import Ports
from activities.providers import (
    FRESH,
    KEPT,
    REQUESTABLE_GROUPS,
    Choosing,
    Entitlements,
    Groups,
    MyGroups,
    People,
    Provider,
    RequestableGroups,
)
from catalog.choices import ChoicesQuery
from catalog.http import HttpAnswer, HttpCall
from catalog.item import Entitlement


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Nothing:
    """The ports that no provider of groups needs."""

    def reveal(self, ref: str) -> str:
        raise AssertionError(ref)

    def send(self, call: HttpCall) -> HttpAnswer:
        raise AssertionError(call)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory() -> MemoryDirectory:
    groups = [
        Group("wiki", members={"id-ada"}, owners=("id-ada",), description="Write the wiki"),
        Group("vpn", members={"id-ada", "id-bob"}, owners=("id-bob",)),
        Group("Admins-wiki", owners=("id-ada",)),
        Group("Printers", description="Use the printers"),
    ]
    return MemoryDirectory([a_person(), a_person("Bob Brown"), a_person("Ines Away", active=False)], groups)


@pytest.fixture
def choosing(directory: MemoryDirectory, clock: Clock) -> Choosing:
    items = [
        an_item(id="b", name="Wiki, also", entitlement=Entitlement(group="wiki")),
        an_item(id="a", name="VPN", summary="From outside", entitlement=Entitlement(group="vpn")),
        an_item(id="c", name="A wiki", entitlement=Entitlement(group="wiki")),
        an_item(id="d", name="None", entitlement=None, workflow="Other"),
    ]
    providers: dict[str, Provider] = {
        "groups": Groups(directory),
        "requestable-groups": RequestableGroups(directory, "ROOT,admins-,"),
        "my-groups": MyGroups(directory),
        "people": People(directory),
        "entitlements": Entitlements(lambda: items),
    }
    return Choosing(providers, clock)


def values(choosing: Choosing, provider: str, **other: Any) -> list[str]:
    query = ChoicesQuery(**{"provider": provider, "requester_id": "id-ada", "beneficiary_id": "id-ada"} | other)
    return [choice.value for choice in choosing.choices(query).choices]


@pytest.mark.parametrize(
    ("provider", "everything", "search", "found"),
    [
        ("groups", ["Admins-wiki", "Printers", "vpn", "wiki"], "RIT", ["wiki"]),
        ("requestable-groups", ["vpn", "wiki"], "WI", ["wiki"]),
        ("my-groups", ["vpn", "wiki"], "WI", ["wiki"]),
        ("people", ["ada", "bob"], "brow", ["bob"]),
        ("entitlements", ["wiki", "vpn"], "a WIKI", ["wiki"]),
    ],
)
def test_a_provider_lists_everything_and_what_holds_a_text(
    choosing: Choosing, provider: str, everything: list[str], search: str, found: list[str]
) -> None:
    assert values(choosing, provider) == everything
    assert values(choosing, provider, search=search) == found
    assert values(choosing, provider, search="nothing like it") == []


@pytest.mark.parametrize(
    ("provider", "right", "wrong"),
    [
        ("groups", "wiki", "wik"),
        ("requestable-groups", "wiki", "Printers"),
        ("requestable-groups", "vpn", "ADMINS-wiki"),
        ("my-groups", "wiki", "Printers"),
        ("people", "bob", "ines"),
        ("entitlements", "vpn", "VPN"),
    ],
)
def test_a_value_is_there_or_not(choosing: Choosing, provider: str, right: str, wrong: str) -> None:
    assert values(choosing, provider, value=right) == [right]
    assert values(choosing, provider, value=wrong) == []
    assert values(choosing, provider, value="") == []


def test_a_list_that_was_cut_says_so(choosing: Choosing) -> None:
    for provider in ("groups", "requestable-groups", "my-groups", "people", "entitlements"):
        query = ChoicesQuery(provider=provider, requester_id="id-ada", beneficiary_id="id-ada", limit=1)
        answer = choosing.choices(query)
        assert (len(answer.choices), answer.more) == (1, True)


def test_a_choice_says_what_there_is_to_know(choosing: Choosing) -> None:
    query = ChoicesQuery(provider="entitlements", requester_id="x", beneficiary_id="x", value="vpn")
    (choice,) = choosing.choices(query).choices
    assert (choice.label, choice.note) == ("VPN", "From outside")


def test_a_list_is_used_again_for_a_while_and_a_value_never(
    choosing: Choosing, directory: MemoryDirectory, clock: Clock
) -> None:
    assert values(choosing, "groups", value="wiki") == ["wiki"]
    before = values(choosing, "groups")
    directory.ensure_no_group("wiki", even_with_members=True)
    clock.now += FRESH - 1
    assert values(choosing, "groups") == before
    assert values(choosing, "groups", value="wiki") == []
    assert values(choosing, "groups", limit=2) == ["Admins-wiki", "Printers"]
    clock.now += 1
    assert values(choosing, "groups") == ["Admins-wiki", "Printers", "vpn"]


def test_a_list_for_one_person_is_not_given_to_another(choosing: Choosing) -> None:
    assert values(choosing, "my-groups") == ["vpn", "wiki"]
    assert values(choosing, "my-groups", beneficiary_id="id-bob") == ["vpn"]


def test_a_failure_is_not_kept(choosing: Choosing, directory: MemoryDirectory) -> None:
    directory.fail_next(Transient("down"), on="groups")
    with pytest.raises(Transient):
        values(choosing, "groups")
    assert values(choosing, "groups") == ["Admins-wiki", "Printers", "vpn", "wiki"]


def test_only_so_many_lists_are_kept(choosing: Choosing, directory: MemoryDirectory) -> None:
    for number in range(KEPT + 10):
        values(choosing, "groups", search=f"{number}")
    assert len(choosing._kept) == KEPT


def test_an_unknown_provider_is_rejected_with_those_there_are(choosing: Choosing) -> None:
    with pytest.raises(
        Rejected, match="'models' here; there are: entitlements, groups, my-groups, people, requestable-groups"
    ):
        values(choosing, "models")


@pytest.mark.parametrize(
    ("written", "offered"), [(None, False), ("", True), ("root-", True), ("root-, Admins-", False)]
)
def test_which_groups_are_kept_back_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, directory: MemoryDirectory, written: str | None, offered: bool
) -> None:
    monkeypatch.delenv("COMMISSARY_GROUPS_NOT_OFFERED", raising=False)
    if written is not None:
        monkeypatch.setenv("COMMISSARY_GROUPS_NOT_OFFERED", written)
    with REQUESTABLE_GROUPS.open(Ports(directory, Nothing(), Nothing(), lambda: ())) as provider:
        found = provider.choices(ChoicesQuery(provider="x", requester_id="x", beneficiary_id="x", value="Admins-wiki"))
    assert bool(found.choices) is offered
