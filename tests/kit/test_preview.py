"""`commissary catalog preview`: who decides and by when, what it costs, and what forbids it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.authoring import PEOPLE, WIKI, Run
from support.items import FILE

from cli.kit.shelf import SHIPPED


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


@pytest.mark.parametrize(
    ("rule", "section", "unknown"),
    [
        (("role", "role"), "roles", "there is no role 'its-4'"),
        (("ci_owner", "ci"), "cis", "there is no configuration item 'its-4'"),
    ],
    ids=["role", "configuration item"],
)
def test_a_preview_names_who_holds_a_role_or_owns_a_configuration_item_and_says_which_there_is_not(
    run: Run, items: Path, rule: tuple[str, str], section: str, unknown: str
) -> None:
    kind, names = rule
    named = f"{{rule: {kind}, {names}: 'its-{{{{ form.seats }}}}'}}"
    (items / "wiki.yaml").write_text(WIKI.replace("{rule: group, group: wiki-writers}", named))
    Path("people.yaml").write_text(PEOPLE + f"{section}:\n  its-3: [ines.okafor]\n")
    _, three = preview(run, "-a", "why=x", "-a", "seats=3")
    assert re.search(rf"2\. Writers: Ines Okafor, by .*\[approver.{kind}\]", three)
    _, four = preview(run, "-a", "why=x", "-a", "seats=4")
    assert unknown in four


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
