"""Taking an order: who may have what, what the answers name, what is pinned, and what is open already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.builders import NOON, a_person, a_stage, an_item
from support.office import STAFF, WHY, Office
from support.racing import raced

from activities import plugins
from activities.errors import NotFound, Transient
from activities.intake import NotTaken
from catalog.fields import (
    AttachmentField,
    Field,
    GroupField,
    IntegerField,
    PeopleField,
    RowsField,
    SecretField,
    TextField,
    YesNoField,
)
from catalog.item import AudienceRule, CrossCheck, OrderFor, Price
from catalog.stages import AutoApproval, ByGroup
from catalog.steps import CallStep, CallWork
from records.register import AlreadyOpen, KeyReused

# The item.


def test_the_newest_version_is_taken_with_its_digest(office: Office) -> None:
    office.offer(an_item(version="1.1.0", form=(WHY,)))
    order = office.order()
    assert order.item.version == "1.1.0"
    assert office.register.request(order.number)


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"lifecycle": "draft"}, "unknown", "no item"),
        ({"lifecycle": "retired", "successor": "wiki"}, "value", "order wiki instead"),
        (
            {"visibility": (AudienceRule(id="x", when="requester.department == 'Sales'", why_not="no"),)},
            "unknown",
            "no",
        ),
    ],
)
def test_what_is_not_offered_is_not_ordered(office: Office, changes: dict[str, Any], code: str, says: str) -> None:
    office.offer(an_item(version="2.0.0", form=(WHY,), **changes))
    with pytest.raises(NotTaken, match=says) as refused:
        office.take(office.wish())
    assert [(error.field, error.code) for error in refused.value.errors] == [("item", code)]


def test_an_item_that_was_taken_off_the_shelf_is_unknown_but_its_pinned_version_is_not(office: Office) -> None:
    office.off_the_shelf = {"wiki-editor"}
    assert office.refused() == {"item": "unknown"}
    assert office.refused(version="9.0.0") == {"item": "unknown"}
    assert office.order(version="1.0.0").item.version == "1.0.0"


# Who may.


def test_who_may_not_have_it_is_told_in_the_items_words(office: Office) -> None:
    office.offer(an_item(id="badge", form=(), eligibility=(STAFF,)))
    with pytest.raises(NotTaken, match="Guy Guest is no member of staff") as refused:
        office.take(office.wish("badge", answers={}, beneficiaries=("guy",)))
    assert [(error.field, error.code) for error in refused.value.errors] == [("beneficiary", "not-eligible")]


@pytest.mark.parametrize(
    ("rule", "beneficiaries", "wrong"),
    [
        (OrderFor(oneself=False), (), "ordered for others only"),
        (OrderFor(others=False), ("ben",), "for yourself only"),
        (OrderFor(others="requester.department == 'Sales'", why_not="Only Sales may."), ("ben",), "Only Sales may"),
        (OrderFor(others="requester.department == 'Finance'"), ("ben",), ""),
    ],
)
def test_who_may_order_for_whom_is_the_items_rule(
    office: Office, rule: OrderFor, beneficiaries: tuple[str, ...], wrong: str
) -> None:
    office.offer(an_item(id="badge", form=(), order_for=rule))
    wish = office.wish("badge", answers={}, beneficiaries=beneficiaries)
    if wrong:
        with pytest.raises(NotTaken, match=wrong) as refused:
            office.take(wish)
        assert [error.code for error in refused.value.errors] == ["not-allowed"]
    else:
        assert office.take(wish).taken.order.beneficiary.login == "ben"


def test_of_people_one_may_not_order_for_nothing_else_is_told(office: Office) -> None:
    theirs = GroupField(id="group", type="group", label="Group")
    guests = OrderFor(others="beneficiary.login == 'ben'")
    office.offer(an_item(id="badge", form=(theirs,), eligibility=(STAFF,), order_for=guests))
    mara = a_person("Mara Lind").ref()
    office.order("hers", item="badge", requester=mara, answers={"group": "wiki"})
    for answers in ({"group": "wiki"}, {"group": "pink"}, {}):
        assert office.refused(item="badge", answers=answers, beneficiaries=("mara",)) == {"beneficiary": "not-allowed"}
        assert office.refused(item="badge", answers=answers, beneficiaries=("guy",)) == {"beneficiary": "not-allowed"}
    assert {query.beneficiary_id for query in office.asked} == {"id-mara"}, "she herself ordered"
    both = office.refused(item="badge", answers={"group": "pink"}, beneficiaries=("mara", "ben"))
    assert both == {"group": "stale", "beneficiaries[mara]": "not-allowed"}


def test_nobody_is_asked_about_people_unless_the_item_asks(office: Office) -> None:
    office.directory.fail_next(Transient("away"), times=99)
    order = office.order()
    assert order.requester_profile.department is None


def test_what_the_item_asks_about_people_is_kept_with_the_order(office: Office) -> None:
    rule = AudienceRule(id="in", when="'editors' in beneficiary.groups", why_not="no")
    office.offer(an_item(id="badge", form=(), eligibility=(rule,)))
    order = office.order(item="badge", answers={})
    assert order.beneficiary_profile.groups == ("editors",)
    assert office.refused(item="badge", answers={}, beneficiaries=("ben",)) == {"beneficiary": "not-eligible"}


def test_groups_are_looked_up_only_for_rules_that_ask_for_them(office: Office) -> None:
    office.offer(an_item(id="badge", form=(), eligibility=(STAFF,)))
    office.directory.fail_next(Transient("away"), on="groups_of")
    assert office.order(item="badge", answers={}).beneficiary_profile.groups is None


@pytest.mark.parametrize(("login", "code"), [("nobody", "not-found"), ("ines", "value"), ("*)(uid=*", "not-found")])
def test_nothing_is_ordered_for_nobody_and_the_answers_are_checked_all_the_same(
    office: Office, login: str, code: str
) -> None:
    assert office.refused(answers={"colour": "red"}, beneficiaries=(login,)) == {
        "beneficiary": code,
        "why": "missing",
        "colour": "unknown",
    }


# Answers and what they name.


def test_everything_that_is_wrong_is_told_at_once_in_the_forms_order(office: Office) -> None:
    form: tuple[Field, ...] = (
        PeopleField(id="team", type="people", label="Team"),
        IntegerField(id="seats", type="integer", label="Seats", most=5),
        GroupField(id="group", type="group", label="Group"),
        YesNoField(id="loud", type="yes_no", label="Loud"),
        TextField(id="how_loud", type="text", label="How loud", visible="form.loud"),
    )
    office.offer(an_item(id="big", form=form))
    answers = {
        "team": ["ben", "nobody", "ines"],
        "seats": 9,
        "group": "gone",
        "loud": False,
        "how_loud": "very",
        "x": 1,
    }
    found = office.refused(item="big", answers=answers)
    assert found == {
        "team[1]": "not-found",
        "team[2]": "value",
        "seats": "range",
        "group": "stale",
        "how_loud": "hidden",
        "x": "unknown",
    }
    assert list(found)[:4] == ["team[1]", "team[2]", "seats", "group"]


def test_a_choice_is_asked_of_its_provider_for_whom_it_is(office: Office) -> None:
    office.offer(an_item(id="big", form=(GroupField(id="group", type="group", label="Group"),)))
    order = office.order(item="big", answers={"group": "wiki"}, beneficiaries=("ben",))
    assert order.answers == {"group": {"value": "wiki", "label": "Wiki"}}
    assert [(one.provider, one.value, one.beneficiary_id) for one in office.asked] == [("groups", "wiki", "id-ben")]


def test_with_the_providers_away_nothing_is_taken(office: Office) -> None:
    office.offer(an_item(id="big", form=(GroupField(id="group", type="group", label="Group"),)))
    office.away = Transient("no worker")
    with pytest.raises(Transient):
        office.take(office.wish("big", answers={"group": "wiki"}))
    assert office.count() == 0


def test_rules_over_several_answers_are_kept(office: Office) -> None:
    check = CrossCheck(check="form.why != 'because'", message="Say more than {{ form.why }}.", at="why")
    office.offer(an_item(id="big", form=(WHY,), checks=(check,)))
    assert office.refused(item="big", answers={"why": "because"}) == {"why": "rule"}


def pdf(office: Office, owner: str = "id-ada", size: int = 4, kind: str = "application/pdf") -> str:
    return office.register.keep_file(owner, "plan.pdf", kind, b"x" * size, NOON).id


PLAN = AttachmentField(id="plan", type="attachment", label="Plan", media_types=("application/pdf",), max_size=10)


def test_a_file_of_the_requester_is_attached_to_the_request(office: Office) -> None:
    office.offer(an_item(id="big", form=(RowsField(id="rows", type="rows", label="Rows", fields=(PLAN,)),)))
    upload = pdf(office)
    order = office.order(item="big", answers={"rows": [{"plan": [upload]}]})
    assert order.answers["rows"][0]["plan"][0]["name"] == "plan.pdf"
    assert office.register.drop_unattached(NOON + timedelta(days=9)) == 0


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (lambda office: pdf(office, owner="id-ben"), "not-found"),
        (lambda _: "no-such-upload", "not-found"),
        (lambda office: pdf(office, size=11), "file"),
        (lambda office: pdf(office, kind="image/png"), "file"),
    ],
)
def test_a_file_that_cannot_be_taken_is_an_error_of_its_field(
    office: Office, upload: Callable[[Office], str], code: str
) -> None:
    office.offer(an_item(id="big", form=(PLAN,)))
    assert office.refused(item="big", answers={"plan": [upload(office)]}) == {"plan[0]": code}


def test_a_secret_is_bound_to_one_order_of_its_owner(office: Office) -> None:
    office.offer(an_item(id="big", duplicates="allow", form=(SecretField(id="pin", type="secret", label="PIN"),)))
    ref = office.register.keep_secret("id-ada", b"sealed", NOON)
    foreign = office.register.keep_secret("id-ben", b"sealed", NOON)
    assert office.order(item="big", answers={"pin": {"secret": ref}}).answers == {"pin": {"secret": ref}}
    assert office.refused(item="big", answers={"pin": {"secret": ref}}) == {"answers": "not-found"}
    assert office.refused(item="big", answers={"pin": {"secret": foreign}}) == {"answers": "not-found"}
    assert office.refused(item="big", answers={"pin": {"secret": "secret:none"}}) == {"pin": "not-found"}


# What is pinned.


def test_price_and_actions_are_kept_with_the_order(office: Office) -> None:
    step = CallStep(
        id="make", do="call", action="directory.create_group", undo=CallWork(do="call", action="directory.delete_group")
    )
    seats = IntegerField(id="seats", type="integer", label="Seats")
    price = Price(one_off="{{ form.seats * 2 }}", recurring=3, currency="EUR")
    item = an_item(id="big", form=(seats,), price=price, workflow=None, steps=(step,), entitlement=None)
    office.offer(item)
    order = office.order(item="big", answers={"seats": 4})
    assert order.cost
    assert (order.cost.one_off, order.cost.recurring, order.cost.currency) == (Decimal(8), Decimal(3), "EUR")
    known = plugins.known().actions
    assert set(order.actions) >= {"directory.create_group", "directory.delete_group"}
    assert order.actions["directory.create_group"].undo == known["directory.create_group"].undo


def test_a_price_that_cannot_be_worked_out_is_told(office: Office) -> None:
    office.offer(an_item(id="big", form=(WHY,), price=Price(one_off="{{ form.why }}", currency="EUR")))
    assert office.refused(item="big") == {"": "rule"}


# Duplicates and repeats.


def test_a_repeat_gets_the_order_that_stands_whatever_has_become_of_everything(office: Office) -> None:
    first = office.take(office.wish(beneficiaries=("ben",)))
    office.off_the_shelf = {"wiki-editor"}
    office.directory.fail_next(Transient("away"), times=99)
    again = office.take(office.wish(beneficiaries=("ben",)))
    assert (again.taken.order.number, again.taken.fresh) == (first.taken.order.number, False)
    with pytest.raises(KeyReused):
        office.desk.take(office.wish(), "key-1", "sha256:other", NOON)


def test_a_second_open_order_of_the_same_is_refused_until_the_first_is_closed(office: Office) -> None:
    first = office.order("one")
    with pytest.raises(AlreadyOpen, match=first.number):
        office.order("two")
    assert office.order("three", beneficiaries=("ben",))
    office.close(first.number)
    assert office.order("four")


def test_orders_differ_by_what_the_item_tells_them_apart_by(office: Office) -> None:
    office.offer(an_item(id="group", form=(WHY,), distinct_by=("why",)))
    office.order("one", item="group", answers={"why": "a"})
    assert office.order("two", item="group", answers={"why": "b"})
    with pytest.raises(AlreadyOpen):
        office.order("three", item="group", answers={"why": "a"})


def test_an_item_may_be_ordered_any_number_of_times_if_it_says_so(office: Office) -> None:
    office.offer(an_item(id="coffee", form=(), duplicates="allow"))
    assert [office.order(key, item="coffee", answers={}) for key in ("one", "two")]


def test_of_two_who_order_the_same_at_once_one_gets_it(office: Office) -> None:
    [one], [refused] = raced(lambda n: office.order(f"{n}", beneficiaries=("ben",)).number, 2, AlreadyOpen)
    assert refused.number == one
    assert office.count() == 1


# What a copy follows.


def test_a_copy_follows_a_closed_request_of_ones_own(office: Office) -> None:
    first = office.order("first").number
    assert office.refused(follows=first) == {"follows": "value", "beneficiary": "already-open"}
    office.close(first)
    assert office.refused(follows=first, requester=a_person("Ben Bright").ref()) == {"follows": "not-found"}
    assert office.refused(follows="REQ-9999") == {"follows": "not-found"}
    assert office.order("second", follows=first).follows == first


# Looking ahead.


def test_a_preview_says_who_will_be_asked(office: Office) -> None:
    small = AutoApproval(id="small", when="cost.one_off < 10", because="It is cheap.")
    item = an_item(
        id="big",
        form=(WHY,),
        price=Price(one_off=5, currency="EUR"),
        approvals=(
            a_stage(),
            a_stage(id="money", name="Money", auto_approve=(small,)),
            a_stage(id="group", name="Group", approvers=(ByGroup(rule="group", group="nobody-knows"),)),
        ),
    )
    office.offer(item)
    (judged,) = office.desk.assess(office.wish("big"), NOON).people
    planned = office.desk.foresee(judged)
    assert [person.name for person in planned.stages[0].slate.people] == ["Mara Lind"]
    assert planned.stages[1].plan.auto == "auto.small"
    assert planned.stages[2].fault
    assert office.count() == 0


def test_a_person_who_has_left_is_nobody_to_rules(office: Office) -> None:
    office.offer(an_item(id="badge", form=(), eligibility=(STAFF,)))
    office.directory.fail_next(NotFound("gone"), on="person")
    assert office.refused(item="badge", answers={}) == {"beneficiary": "not-eligible"}
