"""Items: ids that differ, and digests that hold."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from support.builders import a_stage, an_item, an_order

from catalog.fields import TextField
from catalog.item import CatalogItem
from catalog.model import Misplaced, canonical, digest
from catalog.sla_spec import ClockSpec
from catalog.stages import ApproverRule, ByRole, Policy, check_rules, check_stages
from catalog.steps import ApproveStep, TaskWork


def test_two_fields_of_one_id_are_refused() -> None:
    field = TextField(id="why", type="text", label="Why")
    with pytest.raises(ValidationError, match="two fields have the id 'why'"):
        an_item(form=(field, field))


def test_two_stages_of_one_id_are_refused() -> None:
    with pytest.raises(ValidationError, match="two approval stages have the id 'manager'"):
        an_item(approvals=(a_stage(), a_stage()))


@pytest.mark.parametrize("named", ["second", "first", "nowhere"])
def test_a_stage_follows_only_those_written_above_it(named: str) -> None:
    first = a_stage(id="first", after=(named,))
    with pytest.raises(Misplaced, match=f"no approval stage '{named}' stands above 'first'") as refused:
        check_stages((first, a_stage(id="second")), "approvals")
    assert refused.value.place == ("approvals", 0, "after", 0)
    for kind, stages in ((an_item, "approvals"), (a_policy, "stages")):
        with pytest.raises(ValidationError, match="stands above"):
            kind(**{stages: (first, a_stage(id="second"))})


def a_policy(**other: Any) -> Policy:
    return Policy(**{"id": "both", "name": "Both"} | other)


def test_the_stage_of_a_step_follows_no_other() -> None:
    with pytest.raises(ValidationError, match="begins when the step does"):
        ApproveStep(id="ask", do="approve", stage=a_stage(after=()))


def test_two_clocks_of_one_id_are_refused() -> None:
    clock = ClockSpec.model_validate({"id": "response", "measures": "response"})
    with pytest.raises(ValidationError, match="two clocks have the id 'response'"):
        an_item(clocks=(clock, clock))


def test_an_item_without_clocks_and_priority_is_what_it_was_before_there_were_any() -> None:
    """What was published stays the same version: its digest does not know of parts that it does not use."""
    assert not {b"clocks", b"priority"} & set(canonical(an_item()).split(b'"'))
    timed = an_item(clocks=(ClockSpec.model_validate({"id": "response", "measures": "response", "target": "1 day"}),))
    assert digest(timed) != digest(an_item())
    assert digest(CatalogItem.model_validate_json(timed.model_dump_json())) == digest(timed)


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


def test_an_approver_rule_that_cannot_be_read_is_refused_at_its_place() -> None:
    rules = [{"rule": "manager"}, {"rule": "group", "group": "{{ form. }}"}]
    with pytest.raises(Misplaced) as refused:
        check_rules(TypeAdapter(tuple[ApproverRule, ...]).validate_python(rules), "approvers")
    assert refused.value.place == ("approvers", 1, "group")
    with pytest.raises(Misplaced) as refused:
        check_rules((ByRole(rule="role", role="officer-{{ form. }}"),), "assign")
    assert refused.value.place == ("assign", 0, "role")


@pytest.mark.parametrize("name", ["by", "skipped"])
def test_evidence_does_not_take_the_name_of_what_the_platform_says_of_a_step(name: str) -> None:
    evidence = [{"id": "ok", "type": "yes_no", "label": "OK?"}, {"id": name, "type": "text", "label": "Who?"}]
    work = {"do": "task", "title": "Look", "assign": [{"rule": "manager"}], "evidence": evidence}
    with pytest.raises(ValidationError, match=f"'{name}' is what the platform says of every step"):
        TaskWork.model_validate(work)
