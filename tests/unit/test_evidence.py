"""Evidence: what its conditions and defaults may name, from the step that asks for it to its completion."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from support.builders import NOON, a_steps_item, an_order

from catalog import form, names
from catalog.request import Task
from catalog.steps import TaskStep

GUARDS = [{"rule": "group", "group": "guards"}]


def work(name: str, *evidence: dict[str, Any]) -> dict[str, Any]:
    step = {"id": name, "do": "task", "title": name, "assign": GUARDS, "irreversible": "No."}
    return step | {"evidence": list(evidence)}


MEASURED = work(
    "measure",
    {"id": "day", "type": "date", "label": "Day"},
    {"id": "length", "type": "decimal", "label": "Length"},
    {"id": "price", "type": "money", "label": "Price", "currency": "EUR"},
    {"id": "note", "type": "text", "label": "Note", "required": False},
)
RESULT = {
    "day": date(2025, 3, 3),
    "length": Decimal("1.50"),
    "price": {"amount": Decimal(12), "currency": "EUR"},
    "note": None,
    "by": {"id": "id-grace", "name": "Grace Guard"},
    "skipped": False,
}


def known_later(step: dict[str, Any], known: dict[str, Any], *before: dict[str, Any]) -> dict[str, Any]:
    """Return what the evidence of a step may name once the task went through the record and came back."""
    item = a_steps_item(*before, step)
    asked = item.steps[-1]
    assert isinstance(asked, TaskStep)
    task = Task(
        id="REQ-1001.1",
        kind="fulfilment",
        title="x",
        choices=(),
        subject="x",
        opened_at=NOON,
        evidence=asked.evidence,
        known=names.for_evidence(asked.evidence, known),
    )
    return names.of_evidence(an_order(item=item), Task.model_validate_json(task.model_dump_json()), NOON)


def test_evidence_knows_the_answers_of_the_order_beside_its_own() -> None:
    step = work("do", {"id": "why", "type": "text", "label": "Why", "default": "{{ order.why }}"})
    known = known_later(step, {})
    assert known["order"] == {"why": "I keep the handbook."}
    assert {"requester", "beneficiary", "item", "cost", "results", "request", "today"} < set(known)
    asked = a_steps_item(step).steps[0]
    assert isinstance(asked, TaskStep)
    assert form.check(asked.evidence, {}, known).answers == {"why": "I keep the handbook."}


def test_of_results_only_what_is_named_travels_with_the_task() -> None:
    step = work("do", {"id": "why", "type": "text", "label": "Why", "visible": "results.call.name == 'x'"})
    asked = a_steps_item(step).steps[0]
    assert isinstance(asked, TaskStep)
    known = {"results": {"call": {"name": "x", "size": 5}, "other": {}}, "requester": {"name": "Ada"}, "each": 1}
    assert names.for_evidence(asked.evidence, known) == {"results": {"call": {"name": "x"}}}


def test_evidence_that_names_nothing_brings_nothing() -> None:
    asked = a_steps_item(work("do", {"id": "why", "type": "text", "label": "Why"})).steps[0]
    assert isinstance(asked, TaskStep)
    assert names.for_evidence(asked.evidence, {"results": {"call": {}}}) == {}


def test_all_results_travel_when_they_are_named_as_a_whole() -> None:
    step = work("do", {"id": "why", "type": "text", "label": "Why", "visible": "results | length > 1"})
    assert known_later(step, {"results": {"a": {}, "b": {"x": 1}}})["results"] == {"a": {}, "b": {"x": 1}}


def test_what_people_handed_in_before_has_its_type_again() -> None:
    when = "results.measure.day and results.measure.length > 1 and results.measure.price.amount > 5"
    fields: list[dict[str, Any]] = [
        {"id": "why", "type": "text", "label": "Why", "visible": when},
        {"id": "who", "type": "text", "label": "Who", "default": "{{ results.measure.by.name }}"},
        {"id": "more", "type": "text", "label": "More", "required": "results.measure.note"},
    ]
    found = known_later(work("do", *fields), {"results": {"measure": RESULT}}, MEASURED)
    assert found["results"]["measure"] == {name: value for name, value in RESULT.items() if name != "skipped"}


def test_the_rounds_of_a_loop_have_their_types_again() -> None:
    loop = {"id": "all", "do": "for_each", "each": "{{ [1] }}", "steps": [MEASURED]}
    step = work("do", {"id": "why", "type": "text", "label": "Why", "visible": "results.all"})
    found = known_later(step, {"results": {"all": [{"measure": RESULT}, {}]}}, loop)
    assert found["results"]["all"] == [{"measure": RESULT}, {}]


def test_steps_that_were_left_out_stay_so() -> None:
    loop = {"id": "all", "do": "for_each", "each": "{{ [1] }}", "steps": [work("in")]}
    fields = [
        {"id": "why", "type": "text", "label": "Why", "visible": "results.measure.skipped or results.all.skipped"},
        {"id": "day", "type": "date", "label": "Day", "default": "{{ results.measure.day | default(none) }}"},
    ]
    left_out = {"measure": {"skipped": True}, "all": {"skipped": True}}
    assert known_later(work("do", *fields), {"results": left_out}, MEASURED, loop)["results"] == left_out


def test_the_variables_of_loops_around_travel_too() -> None:
    row = {"id": "part", "type": "text", "label": "Part", "visible": "row.part or laptop.lasts"}
    fields: list[dict[str, Any]] = [
        {"id": "parts", "type": "rows", "label": "Parts", "fields": [row]},
        {"id": "at", "type": "integer", "label": "At", "default": "{{ position }}"},
    ]
    known = {"laptop": {"model": "light", "lasts": timedelta(days=1)}, "position": 2, "results": {}}
    found = known_later(work("do", *fields), known)
    assert (found["laptop"], found["position"]) == ({"model": "light", "lasts": "P1D"}, 2)


def test_what_was_put_on_record_before_tasks_said_what_they_know_can_still_be_completed() -> None:
    step = work("do", {"id": "why", "type": "text", "label": "Why"})
    plain = {
        "id": "x",
        "kind": "fulfilment",
        "title": "x",
        "choices": [],
        "subject": "x",
        "opened_at": "2025-03-03T12:00Z",
    }
    found = names.of_evidence(an_order(item=a_steps_item(step)), Task.model_validate_json(json.dumps(plain)), NOON)
    assert found["results"] == {}
