"""What access an order changes, as far as that can be told before it is carried out (feature row A19)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.builders import NOON, a_person, an_order
from support.items import plain, steps

import catalog
from catalog import loader
from catalog.access_diff import Change, Outlook, outlook
from catalog.item import CatalogItem

ADA = a_person().login
SHIPPED = Path(catalog.__file__).parent / "items"
FORM = [
    {"id": "groups", "type": "rows", "label": "Groups", "required": False, "fields": [
        {"id": "name", "type": "text", "label": "Name"}, {"id": "gone", "type": "yes_no", "label": "Gone?"},
    ]},
    {"id": "group", "type": "text", "label": "Group", "required": False},
    {"id": "who", "type": "person", "label": "Who", "required": False},
]  # fmt: skip
BEN = {"login": "ben", "id": "ben-id", "name": "Ben Bright", "mail": None}


def grant(step: str, group: Any, **other: Any) -> dict[str, Any]:
    return {"id": step, "do": "grant", "group": group, **other}


def revoke(step: str, group: Any, **other: Any) -> dict[str, Any]:
    return {"id": step, "do": "revoke", "group": group, **other}


def of(item: CatalogItem, held: tuple[str, ...] | None = ("staff",), **answers: Any) -> Outlook:
    return outlook(an_order(item=item, answers=answers), held, NOON)


def told(*written: dict[str, Any], held: tuple[str, ...] | None = ("staff",), **answers: Any) -> Outlook:
    """Return what an order of these steps changes."""
    return of(steps(*written, form=FORM), held, **answers)


def joins(group: str, **other: Any) -> Change:
    return Change(**{"login": ADA, "group": group, "gains": True, "already": False} | other)


def leaves(group: str, **other: Any) -> Change:
    return Change(**{"login": ADA, "group": group, "gains": False, "already": False} | other)


def test_of_an_item_made_of_steps_an_entitlement_says_only_who_owns_it() -> None:
    mine = {"entitlement": {"group": "wiki"}, "workflow": None}
    assert of(plain(**mine, steps=[revoke("a", "wiki")]), held=("wiki",)).changes == (leaves("wiki"),)
    assert not of(plain(**mine, steps=[TEAM]))


def test_an_entitlement_is_what_somebody_gets() -> None:
    found = of(plain())
    assert found == Outlook(changes=(joins("wiki-editors"),))
    assert (found.gained(ADA), found.lost(ADA)) == (("wiki-editors",), ())


def test_what_is_so_already_is_marked_and_is_no_gain() -> None:
    found = told(grant("a", "staff"), revoke("b", "wiki"))
    assert found.changes == (joins("staff", already=True), leaves("wiki", already=True))
    assert (found.gained(ADA), found.lost(ADA)) == ((), ())
    assert told(revoke("a", "staff")).lost(ADA) == ("staff",)


def test_without_the_directory_nobody_knows_what_is_so_already() -> None:
    found = told(grant("a", "staff"), held=None)
    assert found.changes == (joins("staff", already=None),)
    assert found.gained(ADA) == ("staff",)


def test_what_is_taken_back_in_the_end_is_for_a_while() -> None:
    wait = {"id": "w", "do": "wait", "duration": "8 hours"}
    assert told(grant("a", "admins"), wait, revoke("b", "admins")).changes == (joins("admins", for_a_while=True),)
    assert told(revoke("a", "staff"), wait, grant("b", "staff")).changes == (leaves("staff", for_a_while=True),)
    # What is so already is nothing new: the other move is what becomes of it.
    assert told(grant("a", "staff"), wait, revoke("b", "staff")).changes == (leaves("staff"),)
    assert told(revoke("a", "admins"), wait, grant("b", "admins")).changes == (joins("admins"),)
    thrice = told(grant("a", "admins"), revoke("b", "admins"), grant("c", "admins"))
    assert thrice.changes == (joins("admins"),)


def test_the_answers_say_which_group_and_whose() -> None:
    step = grant("a", "{{ form.group }}", to="{{ form.who }}")
    found = told(step, revoke("b", "staff"), group=" wiki ", who=BEN)
    assert found.changes == (joins("wiki", login="ben", already=None), leaves("staff"))
    assert (found.gained("ben"), found.gained(ADA), found.lost("ben")) == (("wiki",), (), ())


def test_a_step_that_this_order_does_not_need_changes_nothing() -> None:
    written = (grant("a", "wiki", when="form.group == 'wiki'"), grant("b", "docs", when=False))
    assert told(*written).changes == ()
    assert told(*written, group="wiki").changes == (joins("wiki"),)


def test_branches_and_loops_are_gone_through() -> None:
    loop = {
        "id": "all",
        "do": "for_each",
        "each": "{{ form.groups }}",
        "variable": "one",
        "steps": [
            grant("in", "{{ one.name }}", when="not one.gone"),
            revoke("out", "{{ one.name }}", when="one.gone"),
            grant("nth", "place-{{ position }}"),
        ],
    }
    fork = {"id": "fork", "do": "parallel", "branches": {"left": [loop], "right": [grant("r", "right")]}}
    rows = [{"name": "wiki", "gone": False}, {"name": "staff", "gone": True}]
    found = told(fork, groups=rows)
    assert found.changes == (joins("wiki"), joins("place-1"), leaves("staff"), joins("place-2"), joins("right"))
    assert told(fork).changes == (joins("right"),)


def test_what_one_branch_gives_and_another_takes_cannot_be_told() -> None:
    give, take = grant("in", "admins", name="Give"), revoke("out", "admins", name="Take")
    fork = {"id": "fork", "do": "parallel", "branches": {"late": [take], "now": [give, grant("r", "right")]}}
    assert told(fork) == Outlook(changes=(joins("right"),), later=("Take", "Give"))
    one = {"id": "fork", "do": "parallel", "branches": {"one": [give, take], "other": [grant("r", "right")]}}
    assert told(one).changes == (joins("admins", for_a_while=True), joins("right"))
    turns = {"id": "turns", "do": "for_each", "each": [1, 2], "steps": [
        give | {"when": "each == 1"}, take | {"when": "each == 2"},
    ]}  # fmt: skip
    assert told(turns).changes == (joins("admins", for_a_while=True),)
    assert told(turns | {"at_once": 2}).later == ("Give", "Take")


def test_names_are_compared_as_directories_do() -> None:
    found = told(grant("a", "Staff"), revoke("b", " VPN  users", to=ADA.upper()), held=("staff", "vpn users"))
    assert found.changes == (joins("Staff", already=True), leaves("VPN  users"))
    assert found.lost(ADA) == ("VPN  users",)
    twice = told(grant("a", "wiki"), revoke("b", "Wiki"))
    assert twice.changes == (joins("wiki", for_a_while=True),)


TEAM = {"id": "team", "do": "task", "title": "Choose", "assign": [{"rule": "manager"}], "evidence": [
    {"id": "group", "type": "text", "label": "Group"},
]}  # fmt: skip


@pytest.mark.parametrize(
    "step",
    [
        grant("later", "{{ results.team.group }}", name="Join the team"),
        grant("later", "{{ results.team.group | default('staff') }}", name="Join the team"),
        grant("later", "wiki", to="{{ results.team.by.login }}", name="Join the team"),
        grant("later", "wiki", to="{{ ['ben', 'cleo'] }}", name="Join the team"),
        grant("later", "wiki", to="{{ form.who }}", name="Join the team"),
        grant("later", "wiki", to=" ", name="Join the team"),
        grant("later", "{{ form.group }}", name="Join the team"),
        {"id": "fork", "do": "parallel", "when": "results.team.skipped",
         "branches": {"a": [revoke("later", "{{ form.group }}", name="Join the team")], "b": [TEAM | {"id": "other"}]}},
        {"id": "all", "do": "for_each", "each": "{{ results.team.group }}", "steps": [
            grant("later", "{{ each }}", name="Join the team"),
        ]},
        {"id": "all", "do": "for_each", "each": "{{ beneficiary }}", "steps": [
            grant("later", "{{ each }}", name="Join the team"),
        ]},
        {"id": "all", "do": "for_each", "each": list(range(201)), "steps": [
            grant("later", "{{ each }}", name="Join the team"),
        ]},
    ],
)  # fmt: skip
def test_what_only_the_work_itself_will_tell_is_said_to_come_later(step: dict[str, Any]) -> None:
    found = told(TEAM, step, grant("plain", "docs"))
    assert found == Outlook(changes=(joins("docs"),), later=("Join the team",))


@pytest.mark.parametrize("when", ["results.team.group == 'x'", "results.team is defined", "form.group > 1"])
def test_whether_it_comes_to_that_may_be_open_where_the_place_is_known(when: str) -> None:
    found = told(TEAM, grant("a", "wiki", when=when), revoke("b", "staff", when=when))
    assert found.changes == (joins("wiki", perhaps=True), leaves("staff", perhaps=True))
    assert (found.gained(ADA), found.lost(ADA)) == (("wiki",), ("staff",))
    loop = {"id": "all", "do": "for_each", "each": "{{ results.team.group }}", "steps": [grant("a", "wiki")]}
    assert told(TEAM, loop).changes == (joins("wiki", perhaps=True),)
    assert told(grant("a", "wiki"), revoke("b", "wiki", when=when)).changes == (
        joins("wiki", for_a_while=True, perhaps=True),
    )


def test_loops_go_no_further_than_those_that_are_carried_out() -> None:
    def loop(name: str, *inside: dict[str, Any]) -> dict[str, Any]:
        return {"id": name, "do": "for_each", "each": list(range(40)), "variable": name, "steps": list(inside)}

    found = told(loop("a", loop("b", grant("in", "g-{{ a }}-{{ b }}", name="Join"))))
    assert len(found.changes) == 24 * 40
    assert found.later == ("Join",)
    # One that would be refused counts for nothing.
    refused = (loop(f"l{n}", TEAM | {"id": f"t{n}"}) | {"each": list(range(201))} for n in range(5))
    most = told(*refused, loop("c", grant("in", "g-{{ c }}")))
    assert [one.group for one in most.changes] == [f"g-{n}" for n in range(40)]


def test_steps_of_the_same_name_are_named_once() -> None:
    waiting = grant("a", "{{ results.team.group }}", name="Join"), grant("b", "{{ results.team.group }}")
    found = told(TEAM, *waiting, waiting[0] | {"id": "c"})
    assert found.later == ("Join", "B")


def test_work_that_is_no_place_in_a_group_changes_nothing() -> None:
    assert told(TEAM) == Outlook()


def test_what_the_shipped_items_change_can_be_told() -> None:
    items = {item.id: item for item in loader.load([SHIPPED])}
    for item in items.values():
        of(item)  # whatever is not answered yet
    assert of(items["privileged-access"], system="mail").changes == (joins("admins-mail", for_a_while=True),)
    assert of(items["finance-reports"]).gained(ADA) == ("finance-reports",)
    assert of(items["group-membership"]).later == ("Join the group",)
