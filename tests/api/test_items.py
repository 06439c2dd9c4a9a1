"""The catalog over HTTP: what one sees, why one may not have it, and what there is to choose."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import a_person, an_item

from activities.errors import Transient
from catalog.fields import ChoiceField, GroupField, RowsField, TextField
from catalog.item import AudienceRule, Line, OrderFor, Price
from catalog.stages import Stage
from catalog.steps import GrantStep, NotifyStep

FINANCE = AudienceRule(id="finance", when="requester.department == 'Finance'", why_not="no")
STAFF = AudienceRule(id="staff", when="beneficiary.employee_type == 'staff'", why_not="This is for staff.")


async def listed(world: ApiWorld, who: str) -> list[str]:
    return [item["id"] for item in (await world.get(who, "/catalog/items")).json()["items"]]


async def test_one_sees_what_is_published_and_meant_for_one(world: ApiWorld) -> None:
    world.directory.put_person(a_person("Ben Bright", department="Finance"))
    world.shelve(
        an_item(id="open"),
        an_item(id="closed", visibility=(FINANCE,)),
        an_item(id="draft", lifecycle="draft"),
        an_item(id="old", lifecycle="retired"),
    )
    assert await listed(world, "ada") == ["open"]
    assert await listed(world, "ben") == ["closed", "open"]
    seen = {item: (await world.get("ada", f"/catalog/items/{item}")).status_code for item in ("closed", "draft", "old")}
    assert seen == {"closed": 404, "draft": 404, "old": 200}
    assert (await world.get("ben", "/catalog/items/closed")).status_code == 200
    expect_problem(await world.get("ada", "/catalog/items/closed/choices/x"), 404, "not-found")


async def test_the_list_asks_the_directory_only_if_a_rule_does(world: ApiWorld) -> None:
    await world.token("ada")
    world.directory.fail_next(Transient("away"), times=99)
    assert (await world.get("ada", "/catalog/items")).status_code == 200
    world.shelve(an_item(id="closed", visibility=(FINANCE,)))
    expect_problem(await world.get("ada", "/catalog/items"), 503, "directory-unavailable")


@pytest.mark.parametrize(
    ("changes", "why_not"),
    [
        ({}, []),
        ({"eligibility": (STAFF,)}, ["This is for staff."]),
        ({"order_for": OrderFor(oneself=False, why_not="Managers order this.")}, ["Managers order this."]),
        ({"lifecycle": "retired", "successor": "new"}, ["Wiki editor is no longer offered; order new instead."]),
    ],
)
async def test_an_item_says_whether_one_may_order_it_and_why_not(
    world: ApiWorld, changes: dict[str, Any], why_not: list[str]
) -> None:
    world.shelve(an_item(id="it", **changes))
    body = (await world.get("ada", "/catalog/items/it")).json()
    assert (body["may_order"], body["why_not"]) == (not why_not, why_not)


async def test_an_item_shows_price_schema_and_what_is_done(world: ApiWorld) -> None:
    steps = (
        GrantStep(id="in", do="grant", group="editors"),
        NotifyStep(id="tell", do="notify", name="Tell them", to=("requester",), subject="Done", text="Done."),
        GrantStep(id="for-ever", do="grant", group="alumni", irreversible="Nobody leaves."),
    )
    item = an_item(id="it", price=Price(one_off=5, currency="EUR"), workflow=None, entitlement=None, steps=steps)
    world.shelve(item, an_item(id="both", workflow=None, entitlement=None, lines=(Line(id="a", item="it"),)))
    body = (await world.get("ada", "/catalog/items/it")).json()
    assert body["price"] == "5 EUR once"
    assert body["schema"]["properties"]["why"]["x-commissary"]["kind"] == "text"
    assert body["steps"] == [
        "Put the person it is for into editors", "Tell them", "Put the person it is for into alumni",
    ]  # fmt: skip
    assert body["irreversible"] == ["Nobody leaves."]
    assert (await world.get("ada", "/catalog/items/both")).json()["steps"] == ["Order it"]
    editor = an_item(id="plain")
    world.shelve(editor)
    assert (await world.get("ada", "/catalog/items/plain")).json()["steps"] == [
        "Put the person it is for into wiki-editors"
    ]


SIZE = {
    "id": "size",
    "name": "Who decides on size",
    "approvers": [
        {"rule": "manager"},
        {"rule": "person", "person": "{{ 'ben' if cost.first_year > 4711 else 'mara' }}"},
    ],
    "quorum": "all",
    "decide_within": "5 days",
    "when": "cost.first_year > 815",
    "auto_approve": [{"id": "small", "when": "cost.first_year < 0.42", "because": "It is small."}],
}


@pytest.mark.parametrize("who", ["ada", "otto", "mara"])
async def test_only_operators_and_the_owner_see_when_a_stage_is_left_out(world: ApiWorld, who: str) -> None:
    always = Stage.model_validate({"id": "head", "name": "Head", "approvers": [{"rule": "item_owner"}]})
    world.shelve(an_item(id="it", owner="Mara", approvals=(Stage.model_validate(SIZE), always)))
    answer = await world.get(who, "/catalog/items/it")
    size, head = answer.json()["approvals"]
    assert (size["id"], size["name"], size["quorum"]) == ("size", "Who decides on size", "all")
    assert (size["decide_within"], size["conditional"], head["conditional"]) == ("P5D", True, False)
    assert head["approvers"] == "Mara, who answers for the item"
    if who == "ada":
        assert size["approvers"] == "the line manager and whom the order decides on"
        assert (size["when"], size["auto_approve"]) == (None, None)
        assert not [secret for secret in ("4711", "815", "0.42") if secret in answer.text]
    else:
        assert "4711" in size["approvers"]
        assert (size["when"], size["auto_approve"]) == (SIZE["when"], SIZE["auto_approve"])


@pytest.fixture
def choosing(world: ApiWorld) -> ApiWorld:
    group = GroupField(id="group", type="group", label="Group")
    rows = RowsField(id="rows", type="rows", label="Rows", required=False, fields=(group,))
    fixed = ChoiceField(id="fixed", type="choice", label="Fixed", choices=("a", "b"), required=False)
    why = TextField(id="why", type="text", label="Why", required=False)
    world.shelve(an_item(id="it", form=(group, rows, fixed, why)))
    return world


@pytest.mark.parametrize("field", ["group", "rows.group"])
async def test_choices_come_from_the_provider_through_a_worker(choosing: ApiWorld, field: str) -> None:
    answer = await choosing.get("ada", f"/catalog/items/it/choices/{field}?search=re&beneficiary=ben")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "choices": [
            {"value": "red", "label": "Red", "note": ""},
            {"value": "green", "label": "Green", "note": ""},
        ],
        "more": False,
    }


@pytest.mark.parametrize("field", ["fixed", "why", "rows", "rows.why", "group.group", "nothing", "%2e"])
async def test_a_field_without_a_provider_has_no_list(choosing: ApiWorld, field: str) -> None:
    expect_problem(await choosing.get("ada", f"/catalog/items/it/choices/{field}"), 404, "not-found")


async def test_choices_for_nobody_are_an_error_of_the_field(choosing: ApiWorld) -> None:
    body = expect_problem(
        await choosing.get("ada", "/catalog/items/it/choices/group?beneficiary=nobody"), 422, "invalid"
    )
    assert [(error["field"], error["code"]) for error in body["errors"]] == [("beneficiary", "not-found")]


async def test_choices_for_others_are_listed_for_those_who_may_order_for_them(choosing: ApiWorld) -> None:
    group = GroupField(id="group", type="group", label="Group")
    mine = OrderFor(others="beneficiary.department == requester.department", why_not="Only for your department.")
    choosing.shelve(an_item(id="it", version="2.0.0", form=(group,), order_for=mine))
    for name, department in (("Ada Byron", "Finance"), ("Ben Bright", "Sales"), ("Mara Lind", "Finance")):
        choosing.directory.put_person(a_person(name, department=department))
    answer = await choosing.get("ada", "/catalog/items/it/choices/group?beneficiary=ben")
    assert expect_problem(answer, 403, "not-allowed")["detail"] == "Only for your department."
    seen = [await choosing.get("ada", f"/catalog/items/it/choices/group?beneficiary={who}") for who in ("ADA", "mara")]
    assert [one.status_code for one in seen] == [200, 200]


async def test_with_no_worker_there_are_no_choices_and_nothing_is_accepted_unchecked(choosing: ApiWorld) -> None:
    choosing.engine.worker = False
    expect_problem(await choosing.get("ada", "/catalog/items/it/choices/group"), 503, "choices-unavailable")
    order = {"item": "it", "answers": {"group": "red"}}
    answer = await choosing.post("ada", "/requests", order, key="k")
    expect_problem(answer, 503, "choices-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert choosing.count() == 0


async def test_a_choice_that_is_no_longer_there_is_stale(choosing: ApiWorld) -> None:
    answer = await choosing.post("ada", "/requests", {"item": "it", "answers": {"group": "pink"}}, key="k")
    body = expect_problem(answer, 422, "invalid")
    assert [(error["field"], error["code"]) for error in body["errors"]] == [("group", "stale")]


async def test_readiness_names_the_queues_that_the_catalog_needs(choosing: ApiWorld) -> None:
    workers = (await choosing.http.get("/readyz")).json()["parts"]["workers"]
    assert set(workers["detail"]) == {"commissary", "commissary-directory", "commissary-choices"}
