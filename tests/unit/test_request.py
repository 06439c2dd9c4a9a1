"""An order: what its readers see of it."""

from __future__ import annotations

from support.builders import a_person, an_item, an_order

from catalog.fields import DurationField, TextField, YesNoField
from catalog.request import OrderLine

FORM = (
    TextField(id="why", type="text", label="Why?"),
    YesNoField(id="own", type="yes_no", label="Own device?"),
    TextField(id="note", type="text", label="Anything else?", required=False),
    DurationField(id="term", type="duration", label="How long?"),
)


def test_answers_are_shown_with_their_labels_in_the_order_of_the_form() -> None:
    order = an_order(item=an_item(form=FORM), answers={"term": "P21D", "own": False, "why": "for work"})
    assert order.shown_answers() == [["Why?", "for work"], ["Own device?", "no"], ["How long?", "21 days"]]


def test_the_promise_counts_from_the_order() -> None:
    order = an_order()
    assert order.due_at == order.accepted_at + order.item.sla.target


def test_one_item_for_many_is_decided_for_each_of_them_and_a_bundle_also_as_a_whole() -> None:
    item = an_item()
    one = OrderLine(id="a", item=item.id, version="1.0.0", item_name="A", beneficiary=a_person().ref())
    single, many, bundle = (
        an_order(lines=lines) for lines in ((), (one,), (one.model_copy(update={"item": "other"}),))
    )
    assert (single.stages, many.stages, bundle.stages) == (item.approvals, (), item.approvals)
    assert item.approvals
    assert [order.workflow_type for order in (single, many, bundle)] == [
        "AccessRequest",
        "BundleRequest",
        "BundleRequest",
    ]
