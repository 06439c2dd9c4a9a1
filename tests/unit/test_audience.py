from __future__ import annotations

from typing import Any

import pytest
from support.builders import NOON, a_person, an_item

from catalog import audience
from catalog.item import AudienceRule, CatalogItem, OrderFor, Price
from catalog.people import Profile
from catalog.stages import ByGroup

FINANCE = AudienceRule(id="finance", when="requester.department == 'Finance'", why_not="Only Finance sees this.")
STAFF = AudienceRule(
    id="staff", when="beneficiary.employee_type == 'staff'", why_not="{{ beneficiary.name }} is no member of staff."
)


@pytest.mark.parametrize(
    ("item", "asked"),
    [
        (an_item(), set()),
        (an_item(visibility=(FINANCE,)), {("requester", "department")}),
        (an_item(price=Price(one_off="{{ form.why | length }}", currency="EUR")), set()),
        (an_item(eligibility=(STAFF,)), {("beneficiary", "employee_type")}),
        (
            an_item(price=Price(one_off="{{ beneficiary.groups | length }}", currency="EUR")),
            {("beneficiary", "groups")},
        ),
        (an_item(cancel={"by": ("requester",)}, description="The requester's title {{"), set()),
        (
            an_item(eligibility=(AudienceRule(id="x", when="requester == beneficiary", why_not="no"),)),
            {(who, fact) for who in ("requester", "beneficiary") for fact in Profile.model_fields},
        ),
    ],
)
def test_only_what_an_item_asks_about_people_has_to_be_looked_up(
    item: CatalogItem, asked: set[tuple[str, str]]
) -> None:
    assert audience.facts(item) == asked


def test_to_see_an_item_only_its_visibility_counts() -> None:
    always = AudienceRule(id="all", when=True, why_not="never said")
    item = an_item(visibility=(FINANCE, always), eligibility=(STAFF,))
    assert audience.facts_to_see(item) == {("requester", "department")}


def test_what_is_asked_is_told_by_the_part_somebody_has() -> None:
    asked = frozenset({("requester", "department"), ("beneficiary", "groups")})
    assert audience.of(asked, "requester") == {"department"}
    assert audience.of(asked, "requester", "beneficiary") == {"department", "groups"}


@pytest.mark.parametrize(("department", "sees"), [("Finance", True), ("Sales", False), (None, False)])
def test_an_item_is_seen_by_those_for_whom_its_rules_hold(department: str | None, sees: bool) -> None:
    item = an_item(visibility=(FINANCE,))
    assert audience.sees(item, a_person(), Profile(department=department), NOON) is sees


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ()),
        ({"eligibility": (STAFF,)}, ("Ada Byron is no member of staff.",)),
        ({"order_for": OrderFor(oneself=False)}, ("This is ordered for others only.",)),
        ({"lifecycle": "retired"}, ("Wiki editor is no longer offered.",)),
        ({"lifecycle": "retired", "successor": "wiki"}, ("Wiki editor is no longer offered; order wiki instead.",)),
    ],
)
def test_why_somebody_may_not_order_is_said_in_the_items_words(changes: dict[str, Any], why: tuple[str, ...]) -> None:
    assert audience.why_not(an_item(**changes), a_person(), Profile(employee_type="guest"), NOON) == why


def test_a_group_of_approvers_asks_nothing_about_people() -> None:
    item = an_item(
        approvals=(an_item().approvals[0].model_copy(update={"approvers": (ByGroup(rule="group", group="x"),)}),)
    )
    assert audience.facts(item) == set()
