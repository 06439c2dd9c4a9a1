"""`commissary catalog new` and `simulate`: what a new item is written with, and what is asked and refused."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
from support.authoring import NEW, Run

from catalog.loader import read, validate
from catalog.scenario import ScenarioFile
from catalog.source import parse
from cli.kit.scaffold import Kind


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.STEPS])
def test_a_new_item_lints_clean(run: Run, kind: Kind, tmp_path: Path) -> None:
    assert run("new", "wiki-editor", "--kind", kind, *NEW)[0] == 0
    assert run("lint", "items") == (0, "Nothing is wrong in 1 file.\n")
    assert {str(path.relative_to(tmp_path / "items")) for path in tmp_path.rglob("*") if path.is_file()} == {
        "wiki-editor.yaml", "scenarios/wiki-editor.yaml", "docs/wiki-editor.md", "item.schema.json",
    }  # fmt: skip


def test_a_new_bundle_asks_what_its_parts_ask_and_lints_clean(run: Run) -> None:
    run("new", "wiki", "--kind", "access", *NEW)
    run("new", "space", "--kind", "steps", *NEW)
    assert run("new", "newcomer", "--kind", "bundle", "--line", "wiki", "--line", "space", *NEW)[0] == 0
    assert run("lint", "items") == (0, "Nothing is wrong in 3 files.\n")
    bundle = read([Path("items")]).items["newcomer"].value
    assert [field.id for field in bundle.form] == ["wiki_reason", "space_reason"]
    assert [line.answers for line in bundle.lines] == [
        {"reason": "{{ form.wiki_reason }}"},
        {"reason": "{{ form.space_reason }}"},
    ]


def test_scenarios_are_played_by_the_id_of_their_item(run: Run) -> None:
    run("new", "wiki", "--kind", "access", "--owner", "ada", "--category", "Docs")
    code, said = run("simulate", "wiki", "-c", "items", "--brief", "--only", "Refused")
    assert (code, "✓ wiki: Refused" in said, "1 of 1 scenarios passed" in said) == (0, True, True), said
    assert run("simulate", "wikki", "-c", "items") == (2, "Error: There is no item 'wikki'. Did you mean 'wiki'?\n")


def test_the_scenarios_of_a_new_item_can_be_read(run: Run) -> None:
    run("new", "wiki", "--kind", "access", "--owner", "ada", "--category", "Docs")
    run("new", "newcomer", "--kind", "bundle", "--line", "wiki", *NEW)
    for name, count in (("wiki", 4), ("newcomer", 4)):
        source = parse(Path(f"items/scenarios/{name}.yaml").read_text())
        found, faults = validate(source.data, ScenarioFile)
        assert (source.faults, faults) == ([], [])
        assert found
        assert len(found.scenarios) == count


def test_the_stories_of_a_new_bundle_pass(run: Run) -> None:
    run("new", "wiki", "--kind", "access", "--owner", "ada", "--category", "Docs")
    run("new", "space", "--kind", "steps", "--owner", "ada", "--category", "Docs")
    run("new", "newcomer", "--kind", "bundle", "--line", "wiki", "--line", "space", *NEW)
    code, said = run("simulate", "newcomer", "-c", "items", "--brief")
    assert (code, "4 of 4 scenarios passed" in said) == (0, True), said


def test_of_a_bundle_that_others_decide_it_is_only_played_that_its_parts_begin(run: Run, items: Path) -> None:
    run("new", "newcomer", "--kind", "bundle", "--line", "wiki", *NEW)
    text = Path("items/scenarios/newcomer.yaml").read_text()
    assert re.findall("name: (.*parts.*)", text) == ["Its parts begin"]


def test_a_new_item_names_its_schema_for_editors(run: Run) -> None:
    run("new", "wiki", "--kind", "access", *NEW)
    first = Path("items/wiki.yaml").read_text().splitlines()[0]
    schema = Path("items") / first.removeprefix("# yaml-language-server: $schema=")
    judge = jsonschema.Draft202012Validator(json.loads(schema.read_text()))
    item = parse(Path("items/wiki.yaml").read_text()).data
    assert judge.is_valid(item)
    assert not judge.is_valid(item | {"categry": "Docs"})


@pytest.mark.parametrize("name", ['Wiki: "the best"', "true", "$id {{ x }}", "Ärger # 1", "- a"])
def test_any_name_is_written_as_yaml_reads_it_back(run: Run, name: str) -> None:
    assert run("new", "wiki", "--kind", "access", "--name", name, *NEW)[0] == 0
    assert read([Path("items")]).items["wiki"].value.name == name


def test_what_is_missing_is_asked_at_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    replies = {"Kind": "steps", "Name": "The wiki", "Owner": "ada", "Category": "Docs", "Group": "wiki-editors"}
    asked: list[str] = []

    def prompt(question: str, default: Any = None) -> Any:
        asked.append(question.split(" ", maxsplit=1)[0].rstrip(":"))
        return replies[asked[-1]]

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", prompt)
    assert run("new", "wiki")[0] == 0
    assert asked == ["Kind", "Name", "Owner", "Category", "Group"]
    assert read([Path("items")]).items["wiki"].value.name == "The wiki"


def test_without_a_terminal_what_is_missing_is_said(run: Run) -> None:
    code, said = run("new", "wiki", "--kind", "access")
    assert (code, said.startswith("Error: Something is missing and this is no terminal to ask at: Owner")) == (1, True)


def test_nothing_is_overwritten(run: Run) -> None:
    run("new", "wiki", "--kind", "access", *NEW)
    Path("items/wiki.yaml").write_text("mine")
    code, said = run("new", "wiki", "--kind", "access", *NEW)
    assert (code, Path("items/wiki.yaml").read_text()) == (1, "mine")
    assert "is there already" in said


def test_an_id_that_is_none_gets_a_proposal(run: Run) -> None:
    assert run("new", "Wiki Editor!", *NEW) == (
        1,
        (
            "Error: 'Wiki Editor!' cannot be an id: write lower-case letters, digits, '-' and '_'.\n"
            "  • for example: wiki-editor\n"
        ),
    )


def test_a_bundle_of_unknown_items_is_refused(run: Run, items: Path) -> None:
    code, said = run("new", "both", "--kind", "bundle", "--line", "wikki", *NEW)
    assert (code, "it has: wiki." in said, "wikki" in said) == (1, True, True)


def test_a_place_that_cannot_be_written_is_said(run: Run) -> None:
    Path("taken").write_text("")
    code, said = run("new", "wiki", "--kind", "access", "-c", "taken", *NEW)
    assert (code, "cannot be written" in said) == (1, True)
