"""Orders for several people, bundles, copies and previews over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON, a_new_order, a_person, a_stage, an_item
from support.racing import raced

from activities.errors import Transient
from api.problems import AlreadyOpen
from api.schemas.orders import OrderIn
from catalog.fields import AttachmentField, GroupField, PersonField, SecretField, TextField
from catalog.item import AudienceRule, Line, OrderFor, Price
from catalog.stages import AutoApproval
from records.register import Register

NOT_SAM = AudienceRule(id="known", when="beneficiary.login != 'sam'", why_not="{{ beneficiary.name }} is a stranger.")
BADGE = an_item(id="badge", name="Badge", form=(), eligibility=(NOT_SAM,), price=Price(one_off=5, currency="EUR"))
STARTER = an_item(
    id="starter",
    name="Starter",
    form=(),
    workflow=None,
    entitlement=None,
    lines=(Line(id="badge", item="badge"), Line(id="late", item="badge", after=("badge",), when=False)),
)


def fields(body: dict[str, Any]) -> dict[str, str]:
    return {error["field"]: error["code"] for error in body["errors"]}


@pytest.fixture(autouse=True)
def shelf(resting: ApiWorld) -> None:
    resting.shelve(*resting.catalog, BADGE, STARTER)


def ordered_part(register: Register, parent: str, line: str, who: str) -> str:
    """Put a part on record as the worker does."""
    person = a_person(who).ref()
    new = a_new_order(f"part {line}", item=BADGE, answers={}, beneficiary=person, parent=parent, line=line)
    return register.take(new).order.number


async def test_an_order_for_several_people_shows_its_parts_before_and_after_they_are_ordered(world: ApiWorld) -> None:
    answer = await world.post("ada", "/requests", {"item": "badge", "beneficiaries": ["ada", "ben"]}, key="k")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert [(part["number"], part["beneficiary"]["login"]) for part in body["parts"]] == [(None, "ada"), (None, "ben")]
    part = ordered_part(world.register, body["number"], "2", "Ben Bright")
    parts = (await world.get("ada", f"/requests/{body['number']}")).json()["parts"]
    assert [(one["number"], one["item"]["name"], one["status"]) for one in parts] == [
        (None, "Badge", None),
        (part, "Badge", "accepted"),
    ]
    assert (await world.get("ben", f"/requests/{part}")).json()["parent"] == body["number"]


async def test_the_list_shows_parts_to_those_they_are_for_and_to_others_their_parent(world: ApiWorld) -> None:
    answer = await world.post("ada", "/requests", {"item": "badge", "beneficiaries": ["ada", "ben"]}, key="k")
    number = answer.json()["number"]
    mine, bens = (
        ordered_part(world.register, number, "1", "Ada Byron"),
        ordered_part(world.register, number, "2", "Ben Bright"),
    )

    async def listed(who: str, query: str = "") -> list[str]:
        return [one["number"] for one in (await world.get(who, f"/requests{query}")).json()["items"]]

    assert await listed("ada") == [number]
    assert await listed("ada", "?parts=true") == [bens, mine, number]
    assert await listed("ben") == [bens]
    assert await listed("otto", "?all=true") == [number]


async def test_what_is_wrong_with_each_person_is_said_together(world: ApiWorld) -> None:
    await world.post("ben", "/requests", {"item": "badge"}, key="k")
    people = ["ada", "ben", "sam", "nobody"]
    answer = await world.post("ada", "/requests", {"item": "badge", "beneficiaries": people}, key="k")
    body = expect_problem(answer, 422, "invalid")
    assert fields(body) == {
        "beneficiaries[ben]": "already-open",
        "beneficiaries[sam]": "not-eligible",
        "beneficiaries[nobody]": "not-found",
    }
    assert "Sam Stranger is a stranger." in answer.text
    assert "REQ-" not in answer.text, "ada may not see ben's request"


async def test_those_left_out_are_told_with_the_answer(world: ApiWorld) -> None:
    order = {"item": "badge", "beneficiaries": ["ada", "sam", "ben"], "skip_ineligible": True}
    answer = await world.post("ada", "/requests", order, key="k")
    assert answer.json()["left_out"] == [{"login": "sam", "why": "Sam Stranger is a stranger."}]
    again = await world.post("ada", "/requests", order, key="k")
    assert again.json()["number"] == answer.json()["number"]
    assert [one["login"] for one in again.json()["left_out"]] == ["sam"]


async def test_one_beneficiary_or_several_are_named_not_both(world: ApiWorld) -> None:
    order = {"item": "badge", "beneficiary": "ben", "beneficiaries": ["ada"]}
    assert "beneficiaries" in fields(
        expect_problem(await world.post("ada", "/requests", order, key="k"), 422, "invalid")
    )


async def test_the_requester_may_cancel_the_whole_and_each_part(world: ApiWorld) -> None:
    number = (await world.post("ada", "/requests", {"item": "badge", "beneficiaries": ["ada", "ben"]}, key="k")).json()[
        "number"
    ]
    part = ordered_part(world.register, number, "2", "Ben Bright")
    for one in (number, part):
        assert "cancel" in (await world.get("ada", f"/requests/{one}")).json()["you_may"]
    assert "cancel" in (await world.get("ben", f"/requests/{part}")).json()["you_may"]
    expect_problem(await world.get("ben", f"/requests/{number}"), 404, "not-found")


async def test_a_bundle_shows_what_it_will_order(world: ApiWorld) -> None:
    body = (await world.post("ada", "/requests", {"item": "starter"}, key="k")).json()
    assert [(part["line"], part["item"]["id"], part["item"]["version"]) for part in body["parts"]] == [
        ("badge", "badge", "1.0.0")
    ]


# Duplicates.


async def test_a_duplicate_names_the_open_request_to_those_who_may_see_it(world: ApiWorld) -> None:
    first = (await world.post("ada", "/requests", {"item": "badge"}, key="one")).json()["number"]
    body = expect_problem(await world.post("ada", "/requests", {"item": "badge"}, key="two"), 409, "already-open")
    assert first in body["detail"]
    foreign = await world.post("ben", "/requests", {"item": "badge", "beneficiary": "ada"}, key="k")
    assert first not in expect_problem(foreign, 409, "already-open")["detail"]
    operator = await world.post("otto", "/requests", {"item": "badge", "beneficiary": "ada"}, key="k")
    assert first in expect_problem(operator, 409, "already-open")["detail"]


def test_of_two_who_order_the_same_at_once_one_is_told_of_the_other(resting: ApiWorld) -> None:
    [one], [refused] = raced(lambda n: resting.take(f"key-{n}", OrderIn(item="badge")), 2, AlreadyOpen)
    assert refused.detail == f"{one} is already open for this."
    assert resting.count() == 1


# Copies.


async def test_a_request_is_copied_into_an_order_that_can_be_sent(world: ApiWorld) -> None:
    form = (
        TextField(id="why", type="text", label="Why"),
        PersonField(id="buddy", type="person", label="Buddy"),
        GroupField(id="colour", type="group", label="Colour"),
        AttachmentField(id="plan", type="attachment", label="Plan", media_types=("application/pdf",)),
        SecretField(id="pin", type="secret", label="PIN"),
    )
    world.shelve(an_item(id="all", form=form))
    file = world.register.keep_file("id-ada", "plan.pdf", "application/pdf", b"%PDF", NOON).id
    pin = {"secret": world.register.keep_secret("id-ada", b"sealed", NOON)}
    given = {"why": "work", "buddy": "ben", "colour": "red", "plan": [file]}
    order = {"item": "all", "answers": given | {"pin": pin}, "beneficiary": "ben"}
    number = (await world.post("ada", "/requests", order, key="one")).json()["number"]
    copied = (await world.get("ada", f"/requests/{number}/copy")).json()
    assert copied == {"item": "all", "answers": given, "beneficiary": "ben", "beneficiaries": [], "follows": None}
    expect_problem(await world.get("ben", f"/requests/{number}/copy"), 404, "not-found")


async def test_an_order_again_after_a_refusal_says_what_it_follows(world: ApiWorld) -> None:
    number = await world.placed(beneficiary="ben")
    await world.post("mara", f"/tasks/{number}.1/decision", {"choice": "reject", "reason": "not now"})
    copied = (await world.get("ada", f"/requests/{number}/copy")).json()
    assert copied["follows"] == number
    again = await world.post("ada", "/requests", copied, key="again")
    assert again.status_code == 201, again.text
    assert again.json()["follows"] == number


async def test_an_order_for_several_people_is_copied_as_one(world: ApiWorld) -> None:
    order = {"item": "badge", "beneficiaries": ["ada", "ben"]}
    number = (await world.post("ada", "/requests", order, key="k")).json()["number"]
    copied = (await world.get("ada", f"/requests/{number}/copy")).json()
    assert (copied["beneficiary"], copied["beneficiaries"]) == (None, ["ada", "ben"])
    assert (await world.post("ada", "/requests", copied, key="again")).status_code == 201


@pytest.mark.parametrize("follows", ["REQ-9999", "x"])
async def test_nothing_follows_what_is_not_there(world: ApiWorld, follows: str) -> None:
    answer = await world.post("ada", "/requests", {"item": "badge", "follows": follows}, key="k")
    assert fields(expect_problem(answer, 422, "invalid")) == {"follows": "not-found"}


# What others see of answers.


async def test_answers_show_neither_addresses_nor_references_of_secrets(world: ApiWorld) -> None:
    form = (PersonField(id="buddy", type="person", label="Buddy"), SecretField(id="pin", type="secret", label="PIN"))
    world.shelve(an_item(id="all", form=form))
    ref = world.register.keep_secret("id-ada", b"sealed", NOON)
    answer = await world.post(
        "ada", "/requests", {"item": "all", "answers": {"buddy": "ben", "pin": {"secret": ref}}}, key="k"
    )
    assert answer.status_code == 201, answer.text
    assert ref not in answer.text
    assert "@example.org" not in answer.text


# Previews.


async def test_a_preview_says_who_decides_what_it_costs_and_when_and_writes_nothing(world: ApiWorld) -> None:
    cheap = AutoApproval(id="cheap", when="cost.one_off < 10", because="It costs next to nothing.")
    stages = (
        a_stage(),
        a_stage(id="money", name="Money", auto_approve=(cheap,)),
        a_stage(id="no", name="No", when=False),
    )
    world.shelve(
        an_item(id="badge", version="2.0.0", form=(), price=Price(one_off=5, currency="EUR"), approvals=stages)
    )
    answer = await world.post("ada", "/requests/preview", {"item": "badge"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["may_be_ordered"], body["errors"]) == (True, [])
    (order,) = body["orders"]
    assert (order["cost"]["one_off"], order["cost"]["currency"]) == ("5", "EUR")
    manager, money, no = order["stages"]
    assert [person["name"] for person in manager["people"]] == ["Mara Lind"]
    assert (money["auto"], money["because"]) == ("auto.cheap", "It costs next to nothing.")
    assert no["needed"] is False
    assert [stage["after"] for stage in order["stages"]] == [[], ["manager"], ["manager"]]
    assert order["later"] == []
    assert manager["due_at"] == order["decided_by"]
    assert order["due_at"]
    assert world.count() == 0


async def test_a_preview_says_everything_that_keeps_it_from_being_ordered(world: ApiWorld) -> None:
    first = (await world.post("ada", "/requests", {"item": "badge"}, key="k")).json()["number"]
    preview = (await world.post("ada", "/requests/preview", {"item": "badge", "beneficiaries": ["ada", "sam"]})).json()
    assert preview["may_be_ordered"] is False
    assert fields(preview) == {"beneficiaries[ada]": "already-open", "beneficiaries[sam]": "not-eligible"}
    assert first in str(preview["errors"])
    wrong = (await world.post("ada", "/requests/preview", {"item": "wiki-editor"})).json()
    assert (fields(wrong), wrong["orders"]) == ({"why": "missing"}, [])
    unknown = (await world.post("ada", "/requests/preview", {"item": "nothing"})).json()
    assert fields(unknown) == {"item": "unknown"}
    assert world.count() == 1


async def test_a_preview_of_a_bundle_shows_its_parts_and_who_would_be_left_out(world: ApiWorld) -> None:
    order = {"item": "starter", "beneficiaries": ["ben", "sam"], "skip_ineligible": True}
    body = (await world.post("ada", "/requests/preview", order)).json()
    assert body["may_be_ordered"] is True
    assert body["left_out"] == [{"login": "sam", "why": "Badge: Sam Stranger is a stranger."}]
    assert [(one["item"]["id"], one["beneficiary"]["login"]) for one in body["orders"]] == [
        ("starter", "ben"), ("badge", "ben"),
    ]  # fmt: skip


async def test_a_preview_does_not_tell_who_decides_for_people_one_may_not_order_for(world: ApiWorld) -> None:
    mine = OrderFor(others="beneficiary.login == 'sam'")
    world.shelve(an_item(id="badge", version="2.0.0", form=(), eligibility=(NOT_SAM,), order_for=mine))
    for who, code in (("ben", "not-allowed"), ("sam", "not-eligible")):
        answer = await world.post("ada", "/requests/preview", {"item": "badge", "beneficiary": who})
        assert (fields(answer.json()), answer.json()["orders"]) == ({"beneficiary": code}, [])
        assert "Mara Lind" not in answer.text


async def test_a_preview_with_the_directory_away_says_so(world: ApiWorld) -> None:
    await world.token("ada")
    world.directory.fail_next(Transient("connection refused"))
    expect_problem(await world.post("ada", "/requests/preview", {"item": "badge"}), 503, "directory-unavailable")
