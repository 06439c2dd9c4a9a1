"""The kit's commands as authors meet them: what they print, write, and say of mistakes."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import typer
from support.items import FILE, plain

from catalog.loader import read, validate
from catalog.scenario import ScenarioFile
from catalog.source import parse
from cli import main as command_line
from cli.kit.scaffold import Kind
from cli.kit.shelf import SHIPPED, known
from records.register import Register

Run = Callable[..., tuple[int, str]]
NEW = ("--owner", "ines.okafor", "--category", "Docs")
WIKI = """\
id: wiki
version: 1.0.0
name: Wiki
description: Edit the wiki.
category: Docs
owner: ines.okafor
tags: [docs]
form:
  - {id: why, type: text, label: Why}
  - {id: contract, type: attachment, label: Contract, media_types: [application/pdf], required: false}
  - {id: helpers, type: people, label: Who helps, required: false}
  - {id: seats, type: integer, label: Seats, required: false}
approvals:
  - {id: manager, name: Line manager, approvers: [{rule: manager}], decide_within: 2 days}
  - {id: writers, name: Writers, approvers: [{rule: group, group: wiki-writers}], when: form.seats}
workflow: AccessRequest
entitlement: {group: wiki-editors}
sla: {target: 15 days}
"""
PEOPLE = """\
people:
  ada: {name: Ada Byron, manager: grace}
  grace: {name: Grace Murray}
  ines.okafor: {name: Ines Okafor}
groups:
  wiki-editors: {owners: [grace]}
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run `commissary catalog …` in an empty directory; return its exit code and what it said."""
    for name in [name for name in os.environ if name.startswith("COMMISSARY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def it(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["commissary", "catalog", *arguments])
        code = 0
        try:
            command_line.main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out + said.err

    return it


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """A directory with one item, and people beside it."""
    directory = tmp_path / "items"
    directory.mkdir()
    (directory / "wiki.yaml").write_text(WIKI)
    (tmp_path / "people.yaml").write_text(PEOPLE)
    return directory


@pytest.fixture
def published(items: Path, tmp_path: Path) -> str:
    """The URL of a register in which the item was published."""
    url = f"sqlite:///{tmp_path / 'register.db'}"
    register = Register(url)
    register.migrate()
    register.publish(read([items]).items["wiki"].value, "wiki.yaml", datetime(2026, 3, 2, 12, tzinfo=UTC))
    register.close()
    return url


# --- new ---


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
    jsonschema.Draft202012Validator(json.loads(schema.read_text())).validate(
        parse(Path("items/wiki.yaml").read_text()).data
    )


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


# --- lint ---


def broken(items: Path) -> None:
    (items / "broken.yaml").write_text(WIKI.replace("id: wiki\n", "id: other\n").replace("category:", "categry:"))


def test_lint_tells_the_mistakes_of_each_file_and_ends_with_one(run: Run, items: Path) -> None:
    broken(items)
    code, said = run("lint", "items")
    assert code == 1
    assert said.splitlines()[0] == "items/broken.yaml"
    assert (
        "items/broken.yaml:5:1  error  categry: there is no such field. Did you mean 'category'?  [unknown-key]" in said
    )
    assert said.splitlines()[-1].startswith("2 errors, 0 warnings in 2 files.")


def test_lint_looks_only_at_the_files_it_is_asked_for(run: Run, items: Path) -> None:
    broken(items)
    assert run("lint", "items/wiki.yaml") == (0, "Nothing is wrong in 1 file.\n")


def test_warnings_are_no_reason_to_fail(run: Run, items: Path) -> None:
    (items / "wiki.yaml").write_text(WIKI + "lifecycle: retired\n")
    code, said = run("lint", "items")
    assert (code, said.splitlines()[-1]) == (0, "0 errors, 1 warning in 1 file.")


def test_findings_can_be_had_as_json_and_sarif(run: Run, items: Path) -> None:
    broken(items)
    code, said = run("lint", "items", "--format", "json")
    assert (code, {one["rule"] for one in json.loads(said)}) == (1, {"unknown-key", "missing-key"})
    code, said = run("lint", "items", "--format", "sarif")
    log = json.loads(said)
    assert (code, log["version"], len(log["runs"][0]["results"])) == (1, "2.1.0", 2)


def test_a_version_that_was_published_with_another_content_is_found(run: Run, items: Path, published: str) -> None:
    assert run("lint", "items", "--database-url", published)[0] == 0
    (items / "wiki.yaml").write_text(WIKI.replace("Edit the wiki.", "Read the wiki."))
    code, said = run("lint", "items", "--database-url", published, "--format", "json")
    assert (code, [one["path"] for one in json.loads(said)]) == (1, ["version"])


def test_a_path_that_is_not_there_is_said(run: Run) -> None:
    assert run("lint", "lost") == (2, "Error: There is no lost. Name a directory of items, or a file.\n")


# --- graph and schema ---


def test_an_item_is_drawn_to_a_file(run: Run, items: Path) -> None:
    assert run("graph", "wiki", "-c", "items", "-o", "out/wiki.svg") == (0, "Wrote out/wiki.svg\n")
    assert ET.parse("out/wiki.svg").getroot().tag.endswith("svg")


def test_an_item_of_a_file_is_drawn_as_text_for_mermaid(run: Run, items: Path) -> None:
    code, said = run("graph", "items/wiki.yaml", "--format", "mermaid")
    assert (code, said.splitlines()[0]) == (0, "flowchart TD")


def test_an_unknown_item_gets_its_nearest_match(run: Run, items: Path) -> None:
    assert run("graph", "wikki", "-c", "items") == (2, "Error: There is no item 'wikki'. Did you mean 'wiki'?\n")
    assert run("graph", "items/wikki.yaml") == (
        2,
        "Error: There is no file items/wikki.yaml. Did you mean 'items/wiki.yaml'?\n",
    )


def test_an_item_with_a_mistake_is_said_to_have_one(run: Run, items: Path) -> None:
    broken(items)
    for name in ("broken", "items/broken.yaml"):
        code, said = run("graph", name, "-c", "items")
        assert (code, "categry: there is no such field" in said) == (2, True)


def test_a_catalog_that_cannot_be_read_is_said_to_be_none(run: Run) -> None:
    code, said = run("graph", "wiki", "-c", "lost")
    assert (code, said.splitlines()[0]) == (2, "Error: The catalog cannot be read:")


def test_what_cannot_be_written_is_said(run: Run) -> None:
    Path("file").write_text("")
    code, said = run("schema", "-o", "file/schema.json")
    assert (code, "cannot be written" in said) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ((), "Commissary catalog item"),
        (("--kind", "item"), "Commissary catalog item"),
        (("--kind", "policy"), "Commissary approval policy"),
        (("--kind", "scenario"), "Commissary scenarios of an item"),
    ],
)
def test_the_schema_of_each_kind_of_file_is_json(run: Run, arguments: tuple[str, ...], title: str) -> None:
    code, said = run("schema", *arguments)
    assert (code, json.loads(said)["title"]) == (0, title)


# --- preview ---


def preview(run: Run, *arguments: str) -> tuple[int, str]:
    return run("preview", "wiki", "-c", "items", "--people", "people.yaml", "--by", "ada", *arguments)


def test_a_preview_names_who_decides_and_by_when(run: Run, items: Path) -> None:
    code, said = preview(run, "-a", "why=x")
    assert code == 0
    lines = said.splitlines()
    assert lines[:3] == ["Wiki 1.0.0 for Ada Byron", "✓ It may be ordered.", "Price     free"]
    assert re.fullmatch(r"  1\. Line manager: Grace Murray, by .* UTC  \[approver.manager\]", lines[5])
    assert lines[6] == "  2. Writers: left out. This order does not need the stage."


def test_a_preview_says_which_group_there_is_not(run: Run, items: Path) -> None:
    code, said = preview(run, "-a", "why=x", "-a", "seats=3")
    assert code == 0
    assert "wiki-writers" in said
    assert "Writers: an operator has to find somebody" in said


def test_a_preview_says_which_stages_run_side_by_side_and_what_is_asked_later(run: Run, items: Path) -> None:
    text = (items / "wiki.yaml").read_text()
    text = text.replace("{rule: group, group: wiki-writers}]", "{rule: person, person: ines.okafor}], after: []")
    ask = "{id: ask, do: approve, stage: {id: late, name: Guards, approvers: [{rule: manager}]}}"
    steps = f"steps:\n  - {ask}\n  - {{id: give, do: grant, group: wiki-editors}}\n"
    text = text.replace("workflow: AccessRequest\nentitlement: {group: wiki-editors}\n", steps)
    (items / "wiki.yaml").write_text(text)
    _, said = preview(run, "-a", "why=x", "-a", "seats=3")
    assert re.search(r"1\. Line manager: Grace Murray, by", said)
    assert re.search(r"2\. Writers: Ines Okafor, at once, by", said)
    assert "later, in the middle of the work: Guards" in said


def test_a_preview_names_whoever_holds_a_role_and_says_which_role_there_is_not(run: Run, items: Path) -> None:
    rule = "{rule: role, role: 'officer-{{ form.seats }}'}"
    (items / "wiki.yaml").write_text(WIKI.replace("{rule: group, group: wiki-writers}", rule))
    Path("people.yaml").write_text(PEOPLE + "roles:\n  officer-3: [ines.okafor]\n")
    _, three = preview(run, "-a", "why=x", "-a", "seats=3")
    assert re.search(r"2\. Writers: Ines Okafor, by .*\[approver.role\]", three)
    _, four = preview(run, "-a", "why=x", "-a", "seats=4")
    assert "there is no role 'officer-4'" in four


def test_a_preview_can_be_had_as_json(run: Run, items: Path) -> None:
    code, said = preview(run, "-a", "why=x", "--json")
    found = json.loads(said)
    assert (code, found["denials"], found["stages"][0]["slate"]["seats"][0]["person"]["login"]) == (0, [], "grace")


def test_answers_may_stand_in_a_file_and_files_are_taken_as_given(run: Run, items: Path) -> None:
    Path("answers.json").write_text('{"why": "x", "contract": ["plan.pdf"], "helpers": ["grace"]}')
    code, said = preview(run, "--answers", "answers.json", "-a", "helpers=grace, ines.okafor")
    assert code == 0
    assert "Taken as given, for nothing was asked: contract" in said


def test_wrong_answers_are_told_each(run: Run, items: Path) -> None:
    code, said = preview(run, "-a", "seats=many", "-a", "colour=red")
    assert code == 1
    assert said.splitlines()[0] == "Error: The answers are not right:"
    assert {line.split(":")[0] for line in said.splitlines()[1:]} == {"  • why", "  • seats", "  • colour"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-a", "why"), 1, "write it as FIELD=VALUE"),
        (("--by", "adda"), 2, "There is nobody with the login 'adda'. Did you mean 'ada'?"),
        (("-a", "why=x", "-a", "helpers=gracy"), 2, "Did you mean 'grace'? Asked were the people of people.yaml."),
        (("--by", "q"), 2, "The nearest of 3 there are: "),
        (("--answers", "lost.yaml"), 2, "lost.yaml cannot be read"),
        (("--answers", "list.yaml"), 1, "list.yaml holds no answers"),
        (("--people", "lost.yaml"), 1, "lost.yaml cannot be read"),
        (("--people", "list.yaml"), 1, "list.yaml does not say who there is"),
    ],
)
def test_a_preview_says_what_is_wrong(run: Run, items: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    Path("list.yaml").write_text("- a\n")
    found = preview(run, *arguments)
    assert (found[0], said in found[1]) == (code, True)


def test_without_a_people_file_the_demos_company_is_asked(run: Run) -> None:
    answers = ("-a", "reason=x", "-a", "device=company laptop")
    code, said = run("preview", "vpn-access", "--by", "jonas.berg", "--for", "elin.aasen", *answers)
    assert code == 0
    assert "for Elin Aasen, ordered by Jonas Berg" in said
    assert "Sigrid Nordal" in said
    assert "People: the demo's company." in said
    code, said = run("preview", "vpn-access", "--by", "ada", *answers)
    assert code == 2
    assert "The nearest of 39 there are: " in said
    assert said.count(",") == 2


def test_a_preview_asks_the_company_beside_the_items_and_says_so(run: Run, items: Path) -> None:
    """The one beside the shipped items is only a part of the demo's."""
    company = items / "scenarios" / "company.yaml"
    company.parent.mkdir()
    company.write_text(PEOPLE)
    code, said = run("preview", "wiki", "-c", "items", "--by", "ada", "-a", "why=x")
    assert (code, "Grace Murray" in said, "People: items/scenarios/company.yaml." in said) == (0, True, True), said
    assert "people" not in json.loads(run("preview", "items/wiki.yaml", "--by", "ada", "-a", "why=x", "--json")[1])
    code, said = preview(run, "-a", "why=x")
    assert "People: people.yaml." in said
    _, said = run("preview", "vpn-access", "-c", str(SHIPPED), "--by", "lars.bakke", "-a", "reason=x", "-a", "device=x")
    assert "nobody" not in said


def test_a_preview_shows_price_denials_and_reasons(run: Run, items: Path) -> None:
    (items / "project.yaml").write_text(FILE.read_text())
    answers = ["-a", "name=x", "-a", "size=small", "-a", "reason=x", "-a", "licence=no"]
    answers += ["-a", "members=[{who: grace, role: reader}]"]
    code, said = run("preview", "new-project", "-c", "items", "--people", "people.yaml", "--by", "ada", *answers)
    assert code == 0
    assert "✗ Only employees may have a project space; ask your sponsor.  [employees-only]" in said
    assert "Price     120 EUR once and 5 EUR a month" in said
    assert "approved by itself. Small projects are within everybody's budget.  [auto.small]" in said


def test_a_preview_shows_the_author_the_rule_that_forbids_and_what_it_read(run: Run, items: Path) -> None:
    rule = "{id: staff, when: \"beneficiary.department == 'IT' and 'x' in beneficiary.groups\", why_not: Staff only.}"
    (items / "wiki.yaml").write_text(WIKI + f"eligibility: [{rule}]\n")
    code, said = preview(run, "-a", "why=x")
    lines = said.splitlines()
    at = lines.index("✗ Staff only.  [staff]")
    assert code == 0
    assert [line.strip() for line in lines[at + 1 : at + 4]] == [
        "only if beneficiary.department == 'IT' and 'x' in beneficiary.groups",
        "beneficiary.department: not given",
        "beneficiary.groups: []",
    ]
    (reason,) = json.loads(preview(run, "-a", "why=x", "--json")[1])["reasons"]
    assert reason["read"] == {"beneficiary.department": None, "beneficiary.groups": []}


BUNDLE = """\
id: newcomer
version: 1.0.0
name: Newcomer
description: All at once.
category: Docs
owner: ines.okafor
form:
  - {id: seats, type: integer, label: Seats, required: false}
  - {id: laptop, type: yes_no, label: Laptop, default: false}
lines:
  - {id: later, item: paid, after: [wiki], answers: {why: "{{ results.wiki.number }}"}}
  - {id: wiki, item: wiki, answers: {why: x, seats: "{{ form.seats }}"}}
  - {id: desk, item: paid, answers: {why: x}}
  - {id: laptop, item: paid, when: form.laptop, answers: {why: x}}
sla: {target: 20 days}
"""
PAID = WIKI.replace("id: wiki\n", "id: paid\n").replace("name: Wiki", "name: Desk") + (
    "price: {one_off: 100, recurring: 5, currency: EUR}\n"
)


def bundle(run: Run, items: Path, *arguments: str, text: str = BUNDLE) -> tuple[int, str]:
    """Preview the bundle with its parts beside it."""
    (items / "paid.yaml").write_text(PAID.replace("label: Why}", "label: Why, required: false}"))
    (items / "newcomer.yaml").write_text(text)
    return run("preview", "newcomer", "-c", "items", "--people", "people.yaml", "--by", "ada", *arguments)


def test_a_preview_of_a_bundle_judges_each_part_and_adds_up_the_prices(run: Run, items: Path) -> None:
    code, said = bundle(run, items)
    lines = [line.strip() for line in said.splitlines()]
    assert code == 0
    assert "Price     200 EUR once and 10 EUR a month for all parts" in lines
    assert "nobody as a whole: each part is decided by itself" in lines
    assert "Desk  laptop: left out. This order does not need it." in lines
    assert "Judged without why, which parts before it give." in lines
    assert len([line for line in lines if line.startswith("1. Line manager: Grace Murray, by ")]) == 3
    assert "it is fulfilled at once" not in said


def test_a_part_that_comes_after_another_is_dated_after_it(run: Run, items: Path) -> None:
    found = json.loads(bundle(run, items, "--json")[1])
    dates = {part["id"]: part["whole"] and part["whole"]["due_at"] for part in found["parts"]}
    assert list(dates) == ["later", "wiki", "desk", "laptop"]
    assert dates["laptop"] is None
    assert dates["wiki"] == dates["desk"] < dates["later"]
    assert [(one["one_off"], one["recurring"], one["currency"]) for one in found["total"]] == [("200", "10", "EUR")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("item: wiki, ", "item: lost, "), "There is no usable item lost in this catalog."),
        (("item: wiki, ", "item: newcomer, "), "The bundle orders itself."),
        (('"{{ form.seats }}"', "many"), "The answers are not right: seats: "),
        (("when: form.laptop", "when: form.lost"), "form.lost is not known"),
    ],
)
def test_a_part_that_cannot_be_judged_says_why(run: Run, items: Path, change: tuple[str, str], said: str) -> None:
    code, found = bundle(run, items, text=BUNDLE.replace(*change))
    assert (code, said in found) == (0, True), found
    assert re.search("✗ Not with these parts: (wiki|laptop); see below.", found)
    assert "for all parts, without those that cannot be judged" in found


# --- diff ---


def test_a_diff_of_files_says_what_changes_for_whom(run: Run, items: Path) -> None:
    Path("new.yaml").write_text(WIKI.replace("1.0.0", "1.1.0").replace("2 days", "3 days").replace("Wiki", "The wiki"))
    code, said = run("diff", "items/wiki.yaml", "new.yaml")
    assert code == 0
    assert [line.strip() for line in said.splitlines()] == [
        "The wiki  wiki",
        "For those who order",
        "• It is called “The wiki” instead of “Wiki”.",
        "For those who decide",
        "• “Line manager” has 3 days to decide instead of 2 days.",
        "For those who keep it",
        "• The version goes from 1.0.0 to 1.1.0; running requests keep 1.0.0.",
        "",
    ]


def test_two_versions_in_one_folder_are_compared_with_the_policy_beside_them(run: Run, items: Path) -> None:
    text = re.sub("approvals:.*form.seats}", "approval_policy: two", WIKI, flags=re.DOTALL)
    Path("policies").mkdir()
    stage = "{id: a, name: Boss, approvers: [{rule: manager}]}"
    Path("policies/two.yaml").write_text(f"id: two\nname: Two\nstages: [{stage}]\n")
    (items / "wiki.yaml").write_text(text)
    (items / "wiki-2.yaml").write_text(text.replace("1.0.0", "1.1.0").replace("15 days", "14 days"))
    (items / "wiki-3.yaml").write_text(WIKI.replace("1.0.0", "1.2.0"))
    for old, new, sentence in (
        ("wiki", "wiki-2", "within 14 days instead of 15 days."),
        ("wiki-2", "wiki", "within 15 days instead of 14 days."),
        ("wiki-3", "wiki-2", "A new approval, “Boss”."),
    ):
        code, said = run("diff", f"items/{old}.yaml", f"items/{new}.yaml")
        assert (code, sentence in said) == (0, True), said


def test_a_broken_version_in_one_folder_is_still_said_to_be_broken(run: Run, items: Path) -> None:
    (items / "wiki-2.yaml").write_text(WIKI.replace("category:", "categry:"))
    code, said = run("diff", "items/wiki.yaml", "items/wiki-2.yaml")
    assert (code, "categry: there is no such field" in said) == (2, True)


def test_a_diff_of_directories_tells_what_is_new_and_what_is_gone(run: Run, items: Path) -> None:
    Path("later").mkdir()
    Path("later/other.yaml").write_text(WIKI.replace("id: wiki\n", "id: other\n"))
    code, said = run("diff", "items", "later", "--json")
    assert (code, json.loads(said)) == (
        0,
        {"other": {"requesters": ["It is new."]}, "wiki": {"requesters": ["It is gone."]}},
    )


def test_a_diff_of_the_same_says_so(run: Run, items: Path) -> None:
    assert run("diff", "items", "items") == (0, "Nothing changes.\n")


def test_a_diff_of_what_is_not_there_or_broken_is_said(run: Run, items: Path) -> None:
    assert run("diff", "items", "lost") == (2, "Error: There is no lost. Name a file or a directory of items.\n")
    broken(items)
    code, said = run("diff", "items", "items")
    assert (code, said.splitlines()[0]) == (2, "Error: items cannot be compared:")


# --- docs ---


class Page(HTMLParser):
    """A page: its text, its links and the tags in it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def site(run: Run, items: Path) -> Path:
    """The site of a catalog with hostile Markdown in it."""
    hostile = "description: |\n  # Big\n  <script>alert(1)</script> [x](javascript:alert(1)) **bold**\n"
    (items / "wiki.yaml").write_text(WIKI.replace("description: Edit the wiki.\n", hostile))
    (items / "project.yaml").write_text(FILE.read_text())
    retired = WIKI.replace("id: wiki\n", "id: old\nlifecycle: retired\nsuccessor: wiki\n")
    (items / "old.yaml").write_text(retired)
    (items / "docs").mkdir()
    (items / "docs" / "wiki.md").write_text("Ask *Ines*.")
    assert run("docs", "-c", "items", "-o", "site") == (0, "Wrote 3 items; open site/index.html\n")
    return Path("site")


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == 4
    for page in pages:
        for link in Page(page).links:
            target, _, anchor = link.partition("#")
            assert (page.parent / target).exists(), f"{page}: {link}"
            assert not anchor or f'id="{anchor}"' in page.read_text()


def test_the_index_lists_items_by_category_and_those_not_offered_last(site: Path) -> None:
    text = Page(site / "index.html").text
    assert text.index("Collaboration") < text.index("Docs") < text.index("Not offered")


def test_a_page_tells_all_of_an_item(site: Path) -> None:
    text = " ".join(Page(site / "items" / "new-project.html").text.split())
    for said in (
        "within 30 days",
        "120 EUR once",
        "Name of the project",
        "Up to 10 people | large",
        "All of them must approve.",
        "Create the shared folder",
        "Cannot be taken back: Quotas are only raised.",
        "Others are told: “Only employees may have a project space",
        "A large project needs a budget.",
    ):
        assert said in text


def test_what_authors_write_is_no_markup(site: Path) -> None:
    page = Page(site / "items" / "wiki.html")
    assert "script" not in page.tags
    assert not [link for link in page.links if link.startswith("javascript")]
    assert "strong" in page.tags
    assert page.tags.count("h1") == 1


def test_a_retired_item_leads_to_its_successor_and_a_guide_is_shown(site: Path) -> None:
    assert "wiki.html" in Page(site / "items" / "old.html").links
    assert "Ask Ines." in Page(site / "items" / "wiki.html").text


def test_pages_need_no_script_and_know_dark(site: Path) -> None:
    assert not [page for page in site.rglob("*.html") if "script" in Page(page).tags]
    assert "prefers-color-scheme: dark" in (site / "style.css").read_text()


def test_history_comes_from_the_register(run: Run, items: Path, published: str) -> None:
    url = published
    (items / "wiki.yaml").write_text(WIKI.replace("1.0.0", "1.1.0").replace("15 days", "14 days"))
    assert run("docs", "-c", "items", "-o", "site", "--database-url", url)[0] == 0
    text = " ".join(Page(Path("site/items/wiki.html")).text.split())
    assert "It is promised sooner: within 14 days instead of 15 days." in text
    assert "1.0.0 published 2 March 2026, 12:00 UTC The first version." in text


def test_docs_say_what_is_wrong(run: Run, items: Path) -> None:
    Path("file").write_text("")
    code, said = run("docs", "-c", "items", "-o", "file")
    assert (code, "cannot be written" in said) == (1, True)
    code, said = run("docs", "-c", "items", "--database-url", "nonsense://x")
    assert (code, said.startswith("Error: The register cannot be read")) == (1, True)
    broken(items)
    code, said = run("docs", "-c", "items")
    assert (code, said.splitlines()[0]) == (2, "Error: The catalog cannot be used:")


def test_what_is_registered_is_known_to_the_kit() -> None:
    assert "AccessRequest" in known().workflows
    assert plain().workflow in known().workflows
