"""The shipped items: clean, complete, drawn, and told by scenarios that come out as they say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest

import catalog
from activities.plugins import discover
from catalog import steps
from catalog.fields import Field, RowsField
from catalog.graph import graph
from catalog.item import CatalogItem
from catalog.lint import lint
from catalog.loader import load, read, read_file
from catalog.picture import svg
from catalog.sketch import Company
from catalog.stages import ApproverRule, Stage
from catalog.steps import ApproveStep, Step, TaskWork
from cli.kit import people
from cli.kit.simulation import Story, read_stories, simulate

ITEMS = Path(catalog.__file__).parent / "items"
SHIPPED = {item.id: item for item in load([ITEMS])}
NOT_SHOWN = {"asset", "ci"}
"""Types of fields whose providers come with other packages: nothing that is shipped knows assets."""


@pytest.fixture(scope="module")
def stories() -> tuple[Story, ...]:
    found = read_stories([ITEMS])
    assert not found.problems
    return found.stories


@pytest.fixture(scope="module")
def demo() -> Company:
    """The demo's company, as its directory has it."""
    return people.company(None)


@pytest.fixture(params=sorted(SHIPPED))
def item(request: pytest.FixtureRequest) -> CatalogItem:
    return SHIPPED[request.param]


def type_of(kind: Any) -> Any:
    """Return the word by which a member of a union is told from the others."""
    (tag,) = {"type", "rule", "do"} & set(kind.model_fields)
    (word,) = get_args(kind.model_fields[tag].annotation)
    return word


def walked() -> Iterator[Step]:
    for one in SHIPPED.values():
        yield from (step for _, step in steps.walk(one.steps))


def stages() -> Iterator[Stage]:
    for one in SHIPPED.values():
        yield from one.approvals
    yield from (step.stage for step in walked() if isinstance(step, ApproveStep))


# What every item has.


def test_nothing_is_wrong_with_any_item_even_for_whom_the_demo_knows(demo: Company) -> None:
    found = lint(read([ITEMS]), discover().known(), company=demo)
    assert [str(finding) for finding in found] == []


def test_people_find_it_and_know_what_they_get(item: CatalogItem) -> None:
    assert item.summary
    assert item.tags
    assert item.icon
    for heading in ("**What you get:**", "**Who approves:**", "**How long it takes:**"):
        assert heading in item.description


def test_it_has_a_picture(item: CatalogItem) -> None:
    drawn = graph(item, discover().known())
    picture = ET.fromstring(svg(drawn))
    assert picture.tag.endswith("svg")
    assert {"form", "end"} <= {node.kind for node in drawn.nodes}


def test_it_is_told_by_a_happy_story_a_refusal_an_expiry_and_a_fault(
    item: CatalogItem, stories: tuple[Story, ...]
) -> None:
    told = [story.scenario.shows for story in stories if story.item.id == item.id]
    assert {"happy", "refusal", "expiry", "fault"} <= set(told)


# What they show together.


def test_there_are_more_than_sixteen_items() -> None:
    assert len(SHIPPED) > 16


def test_they_ask_every_type_of_field_there_is_a_provider_for() -> None:
    forms = [item.form for item in SHIPPED.values()]
    forms += [field.fields for form in forms for field in form if isinstance(field, RowsField)]
    forms += [step.evidence for step in walked() if isinstance(step, TaskWork)]
    types = {type_of(kind) for kind in get_args(get_args(Field)[0])}
    assert {field.type for form in forms for field in form} == types - NOT_SHOWN


def test_they_are_approved_in_every_way_but_the_rarest() -> None:
    rules = {type_of(kind) for kind in get_args(get_args(ApproverRule)[0])}
    assert {rule.rule for stage in stages() for rule in stage.approvers} == rules - {"person", "expression", "ci_owner"}
    assert {"any", "all", 2} == {stage.quorum for stage in stages()}
    assert any(stage.auto_approve for stage in stages())
    assert any(stage.when is not True for stage in stages())


def test_they_take_every_kind_of_step() -> None:
    kinds = {type_of(kind) for kind in get_args(get_args(Step)[0])}
    assert {step.do for step in walked()} == kinds


def test_they_are_fulfilled_by_a_workflow_by_steps_and_as_a_bundle() -> None:
    assert {item.workflow_type for item in SHIPPED.values()} == {"AccessRequest", "StepsRequest", "BundleRequest"}


def test_vpn_access_needs_the_manager_only() -> None:
    item = SHIPPED["vpn-access"]
    assert [(stage.id, stage.quorum) for stage in item.approvals] == [("manager", "any")]
    assert item.entitlement
    assert item.entitlement.group == "vpn-users"


def test_finance_reports_need_the_manager_then_owner_and_data_protection_together() -> None:
    item = SHIPPED["finance-reports"]
    assert [(stage.id, stage.quorum) for stage in item.approvals] == [("manager", "any"), ("data", "all")]
    assert [rule.rule for rule in item.approvals[1].approvers] == ["owner", "group"]


# Their stories.


def test_the_company_of_the_stories_is_the_one_of_the_demo(demo: Company) -> None:
    loaded, problems = read_file(ITEMS / "scenarios/company.yaml", Company)
    assert loaded, problems
    company = loaded.value
    for login, person in company.people.items():
        assert person == demo.people[login]
    assert company.roles == demo.roles
    for name, group in company.groups.items():
        there = demo.groups[name]
        assert group.owners == there.owners
        assert group.members == tuple(login for login in there.members if login in company.people)


@pytest.mark.timeout(300)
def test_every_story_comes_out_as_it_says() -> None:
    verdicts = simulate(ITEMS)
    assert len(verdicts) >= 4 * len(SHIPPED)
    assert [str(verdict) for verdict in verdicts if not verdict.passed] == []
