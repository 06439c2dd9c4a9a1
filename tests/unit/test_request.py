"""An order: what its readers see of it."""

from __future__ import annotations

from support.builders import an_item, an_order

from catalog.fields import DurationField, TextField, YesNoField

FORM = (
    TextField(id="why", type="text", label="Why?"),
    YesNoField(id="own", type="yes_no", label="Own device?"),
    TextField(id="note", type="text", label="Anything else?", required=False),
    DurationField(id="term", type="duration", label="How long?"),
)


def test_answers_are_shown_with_their_labels_in_the_order_of_the_form() -> None:
    order = an_order(item=an_item(form=FORM), answers={"term": "P21D", "own": False, "why": "for work"})
    assert order.shown_answers() == [["Why?", "for work"], ["Own device?", "no"], ["How long?", "21 days"]]
