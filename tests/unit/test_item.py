"""Items: ids that differ, digests that hold, and the items that are shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError
from support.builders import a_stage, an_item, an_order

import catalog
from catalog.form import Field, TextField
from catalog.item import CatalogItem
from catalog.loader import load
from catalog.model import canonical, digest

SHIPPED = Path(catalog.__file__).parent / "items"


def test_two_fields_of_one_id_are_refused() -> None:
    field = TextField(id="why", type="text", label="Why")
    with pytest.raises(ValidationError, match="2 fields have the id 'why'"):
        an_item(form=(field, field))


def test_two_stages_of_one_id_are_refused() -> None:
    with pytest.raises(ValidationError, match="2 approval stages have the id 'manager'"):
        an_item(approvals=(a_stage(), a_stage()))


def test_the_snapshot_that_travels_with_a_request_keeps_its_digest() -> None:
    item = an_item()
    assert digest(CatalogItem.model_validate_json(item.model_dump_json())) == digest(item)


def test_the_canonical_form_is_sorted_bare_and_without_defaults() -> None:
    assert canonical({"b": 1, "a": ["ü"]}) == '{"a":["ü"],"b":1}'.encode()
    assert b"quorum" not in canonical(a_stage())
    assert b'"quorum":"all"' in canonical(a_stage(quorum="all"))


def test_a_newer_field_in_an_old_history_is_no_matter() -> None:
    item = an_item()
    assert CatalogItem.model_validate({**item.model_dump(), "colour": "red"}) == item


@pytest.mark.parametrize(
    "other",
    [
        {"answers": {"why": "Else."}},
        {"item_digest": "sha256:0"},
        {"beneficiary": an_order().requester.model_copy(update={"id": "x"})},
    ],
)
def test_what_is_voted_on_is_another_thing_once_item_answers_or_beneficiary_differ(other: dict[str, Any]) -> None:
    assert an_order(**other).subject != an_order().subject


def test_the_promise_counts_from_the_order() -> None:
    order = an_order()
    assert order.due_at == order.accepted_at + order.item.sla.target


def test_a_message_begins_with_number_item_and_people() -> None:
    assert an_order().headline() == {
        "number": "REQ-1001",
        "item": "Wiki editor",
        "requester": "Ada Byron",
        "beneficiary": "Ada Byron",
    }


class TestShippedItems:
    """What anybody finds in a fresh checkout."""

    def test_they_load(self) -> None:
        assert [item.id for item in load([SHIPPED])] == ["finance-reports", "vpn-access"]

    def test_between_them_they_ask_every_type_of_field_and_every_rule_of_approver(self) -> None:
        items = list(load([SHIPPED]))
        types = {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(Field)[0])}
        assert {field.type for item in items for field in item.form} == types
        rules = {rule.rule for item in items for stage in item.approvals for rule in stage.approvers}
        assert rules == {"manager", "owner", "group"}

    def test_vpn_access_needs_the_manager_only(self) -> None:
        item = load([SHIPPED]).get("vpn-access")
        assert item is not None
        assert [(stage.id, stage.quorum) for stage in item.approvals] == [("manager", "any")]
        assert item.entitlement.group == "vpn-users"

    def test_finance_reports_need_the_manager_then_owner_and_data_protection_together(self) -> None:
        item = load([SHIPPED]).get("finance-reports")
        assert item is not None
        assert [(stage.id, stage.quorum) for stage in item.approvals] == [("manager", "any"), ("data", "all")]
        assert [rule.rule for rule in item.approvals[1].approvers] == ["owner", "group"]
