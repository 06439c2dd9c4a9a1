"""Taking an order of several things or for several people, and the orders that a request places by itself."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import NOON, a_person, an_item
from support.office import STAFF, WHY, Office

from activities.intake import MAX_DEPTH, NotTaken
from catalog.fields import RowsField, TextField
from catalog.item import AudienceRule, CatalogItem, Line, OrderFor
from records.register import AlreadyOpen

# For several people.


def test_an_order_for_several_people_is_the_parent_of_one_for_each(office: Office) -> None:
    order = office.order(beneficiaries=("ada", "ben", "BEN"))
    assert [(line.id, line.item, line.version, line.beneficiary.login) for line in order.lines] == [
        ("1", "wiki-editor", "1.0.0", "ada"),
        ("2", "wiki-editor", "1.0.0", "ben"),
    ]
    assert [line.answers for line in order.lines] == [{"why": "work"}] * 2
    assert (order.workflow_type, order.stages, order.beneficiary.login) == ("BundleRequest", (), "ada")
    assert office.order("again", beneficiaries=("ada", "ben")), "the parent itself is no duplicate"


def test_what_is_wrong_with_each_person_is_told_before_anything_is_taken(office: Office) -> None:
    seats = TextField(id="seat", type="text", label="Seat", required="beneficiary.login == 'ben'")
    office.offer(an_item(id="badge", form=(WHY, seats), eligibility=(STAFF,)))
    office.order("first", item="badge", beneficiaries=("mara",))
    assert office.refused(item="badge", answers={}, beneficiaries=("ada", "ben", "guy", "nobody", "mara")) == {
        "beneficiaries[nobody]": "not-found",
        "why": "missing",
        "beneficiaries[ben].seat": "missing",
        "beneficiaries[guy]": "not-eligible",
    }
    assert office.refused(item="badge", beneficiaries=("ada", "mara")) == {"beneficiaries[mara]": "already-open"}


def test_a_request_that_the_requester_may_not_see_is_not_named(office: Office) -> None:
    number = office.order("first", requester=a_person("Mara Lind").ref(), beneficiaries=("ben",)).number
    with pytest.raises(NotTaken) as refused:
        office.take(office.wish(beneficiaries=("ada", "ben")))
    assert number not in str(refused.value)
    with pytest.raises(NotTaken, match=number):
        office.take(office.wish(requester=a_person("Mara Lind").ref(), beneficiaries=("ada", "ben")))


def test_those_who_may_not_have_it_can_be_left_out(office: Office) -> None:
    office.offer(an_item(id="badge", form=(), eligibility=(STAFF,)))
    wish = office.wish("badge", answers={}, beneficiaries=("ada", "guy", "ben"), skip_ineligible=True)
    received = office.take(wish)
    assert [line.beneficiary.login for line in received.taken.order.lines] == ["ada", "ben"]
    assert [(one.login, one.why) for one in received.left_out] == [("guy", "Guy Guest is no member of staff.")]
    assert [(one.login, one.why) for one in office.take(wish).left_out] == [("guy", "")]


def test_if_one_is_left_it_is_an_order_of_theirs_and_if_nobody_is_there_is_none(office: Office) -> None:
    office.offer(an_item(id="badge", form=(), eligibility=(STAFF,)))
    order = office.order(item="badge", answers={}, beneficiaries=("guy", "ben"), skip_ineligible=True)
    assert (order.beneficiary.login, order.lines) == ("ben", ())
    assert office.refused(item="badge", answers={}, beneficiaries=("guy",), skip_ineligible=True) == {
        "beneficiary": "not-eligible"
    }


def test_no_more_people_are_named_than_the_item_allows(office: Office) -> None:
    office.offer(an_item(id="badge", form=(), order_for=OrderFor(at_most=2)))
    found = office.refused(item="badge", answers={}, beneficiaries=("ada", "ben", "guy"))
    assert found == {"beneficiaries": "range"}


def test_an_order_that_is_too_large_for_the_engine_is_refused(office: Office) -> None:
    rows = RowsField(
        id="rows",
        type="rows",
        label="Rows",
        at_most=200,
        fields=(TextField(id="t", type="text", label="T", max_length=4000),),
    )
    office.offer(an_item(id="big", form=(rows,)))
    answers = {"rows": [{"t": "x" * 4000}] * 150}
    assert office.order(item="big", answers=answers)
    assert office.refused(item="big", answers=answers, beneficiaries=("mara", "ben")) == {"answers": "length"}


# Bundles.


def a_bundle(*lines: Line, **other: Any) -> CatalogItem:
    return an_item(**{"id": "starter", "workflow": None, "entitlement": None, "lines": lines, "form": (WHY,)} | other)


def test_a_bundle_pins_the_parts_that_this_order_needs(office: Office) -> None:
    office.offer(
        an_item(id="badge", version="1.2.0", name="Badge", form=()),
        a_bundle(
            Line(id="wiki", item="wiki-editor", answers={"why": "{{ form.why }} for {{ beneficiary.name }}"}),
            Line(id="badge", item="badge", after=("wiki", "never")),
            Line(id="never", item="badge", when="form.why == 'fun'"),
        ),
    )
    order = office.order(item="starter", beneficiaries=("ben",))
    assert [(line.id, line.item, line.version, line.item_name, line.after) for line in order.lines] == [
        ("wiki", "wiki-editor", "1.0.0", "Wiki editor", ()),
        ("badge", "badge", "1.2.0", "Badge", ("wiki",)),
    ]
    assert {line.beneficiary.login for line in order.lines} == {"ben"}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (Line(id="a", item="nothing"), {"lines[a]": "unknown"}),
        (Line(id="a", item="old"), {"lines[a]": "value"}),
        (Line(id="a", item="wiki-editor", answers={"why": "{{ form.why * 99 }}"}), {"lines[a]": "rule"}),
        (Line(id="a", item="wiki-editor"), {"lines[a].why": "missing"}),
        (Line(id="a", item="wiki-editor", answers={"why": "x", "y": "{{ results.b.number }}"}), {}),
        (Line(id="a", item="wiki-editor", answers={"why": 7, "y": "{{ results.b.number }}"}), {"lines[a].why": "type"}),
        (Line(id="a", item="starter"), {"lines[a]": "rule"}),
        (Line(id="a", item="wiki-editor", when=False), {"": "rule"}),
        (Line(id="a", item="badge"), {"beneficiary": "not-eligible"}),
    ],
)
def test_a_bundles_parts_are_checked_before_it_is_taken(office: Office, line: Line, wrong: dict[str, str]) -> None:
    office.offer(
        an_item(id="old", lifecycle="retired", form=()),
        an_item(id="badge", form=(), eligibility=(STAFF,)),
        a_bundle(line),
    )
    if wrong:
        assert office.refused(item="starter", beneficiaries=("guy",)) == wrong
    else:
        assert office.order(item="starter", beneficiaries=("guy",)).lines


def test_a_part_that_is_open_already_is_told(office: Office) -> None:
    office.offer(a_bundle(Line(id="wiki", item="wiki-editor", answers={"why": "x"})))
    number = office.order("first").number
    with pytest.raises(AlreadyOpen, match=number):
        office.take(office.wish("starter"))


def test_a_bundle_for_several_people_is_a_bundle_for_each_and_approved_there(office: Office) -> None:
    office.offer(a_bundle(Line(id="wiki", item="wiki-editor", answers={"why": "x"})))
    parent = office.order(item="starter", beneficiaries=("ada", "ben"))
    assert [line.item for line in parent.lines] == ["starter", "starter"]
    assert parent.stages == ()
    child = office.desk.place(office.wish("starter", beneficiaries=("ben",)), parent.number, "2", NOON)
    assert [line.item for line in child.lines] == ["wiki-editor"]
    assert child.stages


# Orders of requests.


def test_a_requests_own_order_is_placed_once_whatever_it_says_the_second_time(office: Office) -> None:
    parent = office.order("first").number
    wish = office.wish(beneficiaries=("ben",))
    first = office.desk.place(wish, parent, "1", NOON)
    assert (first.parent, first.line) == (parent, "1")
    again = office.desk.place(office.wish(answers={}, beneficiaries=("ben",)), parent, "1", NOON)
    assert again.number == first.number
    assert [view.order.number for view in office.register.children(parent)] == [first.number]


def test_a_requests_order_is_refused_like_a_persons(office: Office) -> None:
    office.offer(an_item(id="badge", form=(), eligibility=(STAFF,)))
    parent = office.order("first").number
    with pytest.raises(NotTaken, match="no member of staff"):
        office.desk.place(office.wish("badge", answers={}, beneficiaries=("guy",)), parent, "1", NOON)
    with pytest.raises(NotTaken, match=f"{parent} is already open"):
        office.desk.place(office.wish(), parent, "2", NOON)


def test_an_author_may_order_what_the_requester_neither_sees_nor_may_order_for_others(office: Office) -> None:
    hidden = AudienceRule(id="x", when="requester.department == 'Sales'", why_not="no")
    office.offer(an_item(id="part", form=(), visibility=(hidden,), order_for=OrderFor(others=False)))
    parent = office.order("first").number
    assert office.desk.place(office.wish("part", answers={}, beneficiaries=("ben",)), parent, "1", NOON)


def test_requests_that_order_each_other_come_to_an_end(office: Office) -> None:
    office.offer(an_item(id="loop", form=(), duplicates="allow"))
    wish = office.wish("loop", answers={})
    number = office.order(item="loop", answers={}).number
    for _ in range(MAX_DEPTH):
        number = office.desk.place(wish, number, "1", NOON).number
    with pytest.raises(NotTaken, match="do they order each other"):
        office.desk.place(wish, number, "1", NOON)
