"""docs/item-language.md says everything there is in the language, and nothing else; its examples lint clean."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from support.pages import blocks, page, rows, section, spans

from activities.plugins import known
from catalog import expression, fields, filters, names, stages, steps
from catalog.calendar_file import CalendarFile, PublicHolidays
from catalog.item import AudienceRule, CancelPolicy, CatalogItem, CrossCheck, Icon, Line, Notification, OrderFor, Price
from catalog.lint import RULES, lint
from catalog.loader import read
from catalog.priority import Matrix, Priority
from catalog.sla_events import What
from catalog.sla_spec import STANDARD, ClockSpec, Trigger
from cli.kit.shelf import SHIPPED

PAGE = page("docs/item-language.md")
TABLES: dict[str, type[BaseModel]] = {
    "Keys of an item": CatalogItem,
    "Rules over several answers": CrossCheck,
    "Visibility and eligibility": AudienceRule,
    "Ordering for others": OrderFor,
    "Price": Price,
    "Approvals": stages.Stage,
    "Approval expressions": stages.Asked,
    "Reminders": stages.Reminders,
    "Escalation": stages.Escalation,
    "Approving without asking": stages.AutoApproval,
    "Shared policies": stages.Policy,
    "Clocks": ClockSpec,
    "Events of clocks": Trigger,
    "Priority": Priority,
    "The matrix": Matrix,
    "Calendars": CalendarFile,
    "Public holidays": PublicHolidays,
    "Bundles": Line,
    "Messages": Notification,
    "Cancelling": CancelPolicy,
}
STEP = {"id", "do", "name", "when"}
CHANGING = {"undo", "irreversible", "timeout"}


def kinds(union: Any, tag: str) -> dict[str, set[str]]:
    """Return the keys of each model of a tagged union, by the word of its tag."""
    models = get_args(get_args(union)[0])
    return {get_args(model.model_fields[tag].annotation)[0]: set(model.model_fields) for model in models}


def listed(heading: str) -> dict[str, set[str]]:
    """Return the further keys that a table of kinds names, by kind."""
    return {kind: spans(cells[0]) for kind, cells in rows(section(PAGE, heading)).items()}


def told(text: str) -> str:
    """Return a sentence of the code as a cell shows it."""
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|")


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_is_listed(heading: str) -> None:
    assert set(rows(section(PAGE, heading))) == set(TABLES[heading].model_fields)


@pytest.mark.parametrize("heading", TABLES)
def test_what_is_needed_is_said_to_be(heading: str) -> None:
    needed = {name for name, field in TABLES[heading].model_fields.items() if field.is_required()}
    assert {name for name, cells in rows(section(PAGE, heading)).items() if cells[0] in ("yes", "needed")} == needed


def test_every_type_of_field_is_listed_with_its_keys() -> None:
    types = kinds(fields.Field, "type")
    common = set.intersection(*types.values())
    assert set(rows(section(PAGE, "Fields"))) == common
    assert listed("Types of fields") == {name: keys - common for name, keys in types.items()}


def test_every_type_of_field_has_an_example_if_it_needs_no_plug_in() -> None:
    used = set(re.findall(r"type: (\w+)", blocks(section(PAGE, "Fields"), "yaml")[0]))
    assert used == set(kinds(fields.Field, "type")) - {"asset", "ci"}


def test_every_approver_rule_is_listed_with_its_keys() -> None:
    rules = kinds(stages.ApproverRule, "rule")
    common = set.intersection(*rules.values())
    assert listed("Approver rules") == {name: keys - common for name, keys in rules.items()}
    assert common - {"rule"} <= spans(section(PAGE, "Approver rules"))


def test_the_ways_to_put_groups_together_are_told() -> None:
    keys = {key for way in (stages.AllOf, stages.AnyOf, stages.SomeOf) for key in way.model_fields}
    told_of = re.findall(r"`(\w+): ", section(PAGE, "Approval expressions"))
    assert keys == set(told_of)


def test_every_event_and_usual_clock_is_listed() -> None:
    assert set(get_args(What)) <= spans(section(PAGE, "Events of clocks"))
    assert set(STANDARD) <= spans(rows(section(PAGE, "Clocks"))["measures"][-1])


@pytest.mark.parametrize("model", [stages.Stage, stages.Asked, ClockSpec, CalendarFile])
def test_every_key_that_need_not_be_written_stands_in_an_example(model: type[BaseModel]) -> None:
    written = set(re.findall(r"^ *(?:- )?(\w+):", "".join(blocks(PAGE, "yaml")), re.MULTILINE))
    assert {name for name in model.model_fields if name not in written} <= NO_EXAMPLE


NO_EXAMPLE = {"own", "per", "resume", "reset", "cancel", "description", "union", "default"}
"""Keys that need none, or of which lint warns."""


def test_every_kind_of_step_is_listed_with_its_keys_and_has_an_example() -> None:
    known_kinds = kinds(steps.Step, "do")
    assert set(rows(section(PAGE, "Steps"))) == STEP | CHANGING
    further = {kind: keys - STEP - (CHANGING if "undo" in keys else set()) for kind, keys in known_kinds.items()}
    assert listed("Kinds of steps") == further
    example = blocks(section(PAGE, "Steps"), "yaml")[0]
    assert set(re.findall(r"^ +(?:- )?do: (\w+)", example, re.MULTILINE)) == set(known_kinds)


def test_every_icon_is_listed() -> None:
    assert spans(rows(section(PAGE, "Keys of an item"))["icon"][-1]) == set(get_args(Icon))


def written(name: str) -> str:
    """Return how a filter is written, with what it takes."""
    takes = [*inspect.signature(filters.FILTERS[name]).parameters][1:]
    return f"{name}({', '.join(takes)})" if takes else name


def test_names_filters_and_tests_are_those_of_the_code() -> None:
    def table(heading: str) -> dict[str, str]:
        return {name: cells[0] for name, cells in rows(section(PAGE, heading)).items()}

    assert table("Names") == {name: told(text) for name, text in names.NAMES.items()}
    assert table("Filters") == {written(name): told(text) for name, text in expression.FILTERS.items()}
    assert table("Tests") == {name: told(text) for name, text in expression.TESTS.items()}


def test_lint_rules_are_those_of_the_code() -> None:
    listed_rules = rows(section(PAGE, "Lint rules"))
    assert listed_rules == {rule.id: [rule.severity, told(rule.description)] for rule in RULES.values()}


def test_what_is_registered_is_listed() -> None:
    there = known()
    actions = rows(section(PAGE, "Actions"))
    assert set(actions) == set(there.actions)
    for name, action in there.actions.items():
        takes, undo, summary = actions[name]
        assert spans(takes) == set(action.input["properties"]), name
        assert set(re.findall(r"`(\w+)`(?!\?)", takes)) == set(action.input.get("required", ())), name
        assert (undo.strip("`"), summary) == (action.undo or "", told(action.summary))
    for heading, those in (("Providers", there.providers), ("Workflows", there.workflows)):
        assert rows(section(PAGE, heading)) == {name: [told(one.summary)] for name, one in those.items()}


BASE = """\
version: 1.0.0
name: Example
description: An example.
category: Examples
owner: ines.okafor
sla: {target: 90 days}
"""
WORK = "steps: [{id: done, do: notify, to: [requester], subject: Done, text: It is done.}]\n"


USES = {
    "policies": "approval_policy: {}\n",
    "calendars": "approvals: [{{id: a, name: A, approvers: [{{rule: manager}}], calendar: {}}}]\n",
}


def write_examples(text: str, folder: Path) -> None:
    """Write each example as a file: one that names itself as it is, another as an item that has no more than it needs.

    For a shared policy, and for a calendar, there is an item that uses it.
    """
    form = blocks(section(text, "Fields"), "yaml")[0]
    for name in ("items", "policies", "calendars"):
        (folder / name).mkdir()
    for at, block in enumerate(blocks(text, "yaml")):
        named = re.match(r"# (policies|calendars)/(.+)\.yaml\n", block)
        if named:
            (folder / named[1] / f"{named[2]}.yaml").write_text(block, encoding="utf-8")
        example = USES[named[1]].format(named[2]) if named else block
        keys = set(re.findall(r"^(\w+):", example, re.MULTILINE))
        more = ("" if keys & {"workflow", "steps", "lines"} else WORK) + ("" if "form" in keys else form)
        item = f"id: example-{at}\n{BASE}{example}{more}"
        (folder / "items" / f"example-{at}.yaml").write_text(item, encoding="utf-8")


def test_every_example_lints_clean(tmp_path: Path) -> None:
    write_examples(PAGE, tmp_path)
    found = lint(read([SHIPPED, tmp_path / "items"]), known())
    assert [str(one) for one in found if one.severity == "error" and str(tmp_path) in one.file] == []


def test_the_check_of_examples_can_fail(tmp_path: Path) -> None:
    (tmp_path / "example.yaml").write_text("id: example\n" + BASE + WORK + "cancel: {untill: end}\n", encoding="utf-8")
    assert [one.rule for one in lint(read([tmp_path]), known())] == ["unknown-key"]
