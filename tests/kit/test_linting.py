"""`commissary catalog lint` as authors use it: with a company, on scenarios, on files that are not read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import holidays
import pytest
from typer.testing import CliRunner

from cli.kit.shelf import SHIPPED
from cli.main import app

WIKI = """\
id: wiki
version: 1.0.0
name: Wiki
description: Write in the wiki.
category: Office
owner: ada
approvals:
  - id: editors
    name: Editors
    approvers: [{rule: group, group: editors}]
    quorum: 2
    decide_within: 2 days
steps:
  - {id: access, do: grant, group: wiki}
sla: {target: 3 days}
"""
PEOPLE = """\
people:
  ada: {name: Ada Byron}
  ben: {name: Ben Abel}
groups:
  editors: {members: [ada, ben]}
  wiki: {}
roles:
  editor-in-chief: [ben]
"""


@pytest.fixture
def items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with an item whose owner and group are looked up in the company beside it."""
    monkeypatch.delenv("COMMISSARY_CATALOG", raising=False)
    directory = tmp_path / "items"
    (directory / "scenarios").mkdir(parents=True)
    (directory / "wiki.yaml").write_text(WIKI)
    (directory / "scenarios" / "company.yaml").write_text(PEOPLE)
    return directory


def lint(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["catalog", "lint", *map(str, arguments)], env={"COLUMNS": "200"})
    return done.exit_code, done.output + str(done.exception or "")


def test_the_company_beside_the_items_is_asked_and_named(items: Path) -> None:
    company = items / "scenarios" / "company.yaml"
    assert lint(items) == (0, f"Nothing is wrong in 1 file. Owners, groups and roles: {company}.\n")
    company.write_text(PEOPLE.replace("ada", "eve").replace(", ben]", "]"))
    code, said = lint(items)
    assert code == 1
    assert "[unknown-owner]" in said
    assert "2 must approve, but 1 can be asked at most" in said


def test_groups_and_roles_that_the_company_does_not_have_are_warned_of(items: Path) -> None:
    wiki = items / "wiki.yaml"
    role = "approvers: [{rule: role, role: editor-in-cheif}]\n    quorum: 1"
    wiki.write_text(WIKI.replace("approvers: [{rule: group, group: editors}]\n    quorum: 2", role))
    code, said = lint(items)
    assert (code, "there is no role 'editor-in-cheif' in the company. Did you mean 'editor-in-chief'?" in said) == (
        0,
        True,
    )
    wiki.write_text(wiki.read_text().replace("cheif", "chief").replace("quorum: 1", "quorum: 2"))
    code, said = lint(items)
    assert (code, "2 must approve, but 1 can be asked at most" in said) == (1, True)
    wiki.write_text(WIKI.replace("group: wiki}", "group: wikis}"))
    code, said = lint(items)
    assert (code, "there is no group 'wikis' in the company. Did you mean 'wiki'?" in said) == (0, True)


def test_a_mistake_in_a_policy_is_told_for_the_file_that_uses_it_only(items: Path) -> None:
    policies = items.parent / "policies"
    policies.mkdir()
    (policies / "four-eyes.yaml").write_text(
        "id: four-eyes\nname: Four eyes\nstages:\n"
        "  - {id: a, name: A, when: form.kind, approvers: [{rule: group, group: editors}]}\n"
    )
    head, _, rest = WIKI.partition("approvals:")
    other = f"{head}approval_policy: four-eyes\nsteps:{rest.partition('steps:')[2]}".replace("id: wiki", "id: other", 1)
    (items / "other.yaml").write_text(other)
    code, said = lint(items / "other.yaml")
    assert (code, "four-eyes.yaml:4:" in said, "for the item 'other', form.kind is not known" in said) == (
        1,
        True,
        True,
    )
    assert lint(items / "wiki.yaml")[0] == 0


def test_several_directories_are_several_options(items: Path) -> None:
    code, said = lint("--catalog", f"{items}:{items}")
    assert code == 2
    assert f"--catalog {items} --catalog {items}" in " ".join(re.sub("[│╭╮╰╯─\n]", " ", said).split())
    assert lint("-c", items)[0] == 0


def test_a_file_of_people_goes_before_the_company(items: Path, tmp_path: Path) -> None:
    people = tmp_path / "people.yaml"
    people.write_text(PEOPLE.replace("ada", "eve"))
    code, said = lint(items, "--people", people)
    assert code == 1
    assert "there is no person 'ada'" in said
    assert f"Owners, groups and roles: {people}." in said


def test_without_people_nobody_is_missed(items: Path) -> None:
    (items / "scenarios" / "company.yaml").unlink()
    assert lint(items) == (0, "Nothing is wrong in 1 file.\n")


def test_the_shipped_catalog_is_right_for_its_company() -> None:
    code, said = lint(SHIPPED)
    assert (code, said.endswith(f"Owners, groups and roles: {SHIPPED / 'scenarios' / 'company.yaml'}.\n")) == (0, True)


def test_scenarios_are_linted_by_file_and_by_folder(items: Path) -> None:
    scenario = items / "scenarios" / "wiki.yaml"
    scenario.write_text("item: wiki\nscenarios:\n  - name: A\n    order: {by: ada}\n    expcet: {outcome: fulfilled}\n")
    for path in (scenario, items / "scenarios"):
        code, said = lint(path)
        assert code == 1
        assert "Did you mean 'expect'?" in said
    scenario.write_text(scenario.read_text().replace("expcet", "expect"))
    assert lint(scenario) == (0, "Nothing is wrong in 1 file.\n")
    assert lint(items / "scenarios") == (0, "Nothing is wrong in 2 files.\n")


def test_a_file_that_is_not_read_is_said_to_be_none(items: Path) -> None:
    other = items / "other.yml"
    other.write_text(WIKI)
    code, said = lint(other)
    assert code != 0
    assert "Nothing is wrong" not in said
    code, said = lint(items)
    assert (code, "[wrong-extension]" in said) == (0, True)


HOURS = "hours: {monday: [09:00-17:00]}\n"


@pytest.mark.parametrize(
    ("written", "rule", "where"),
    [
        (HOURS + "default: true\nholidays: {country: DE, region: XX}\n", "unknown-holidays", ":5:"),
        ("hours: {}\ndefault: true\n", "wrong-value", ":1:"),
        ("zone: Europe/Berlin\nhours:\n  sunday: [02:30-05:00]\ndefault: true\n", "left-out-time", ":5:"),
        (HOURS, "no-default", ":1:"),
    ],
)
def test_what_is_unwise_about_working_hours_is_told_with_the_items(
    items: Path, written: str, rule: str, where: str
) -> None:
    """Feature row S2; among them the calendar without working time, and the hour that the clocks leave out."""
    calendars = items.parent / "calendars"
    calendars.mkdir()
    (calendars / "office.yaml").write_text(f"id: office\nname: Office\n{written}")
    _, said = lint(items)
    assert f"[{rule}]" in said, said
    assert where in said


def test_holidays_that_are_soon_no_longer_known_are_warned_of(items: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of holidays that ends next month; the `holidays` package knows those of Sri Lanka up to some year only."""
    calendars = items.parent / "calendars"
    calendars.mkdir()
    (calendars / "office.yaml").write_text(
        f"id: office\nname: Office\ndefault: true\n{HOURS}holidays: {{country: LK}}\n"
    )
    last = holidays.country_holidays("LK").end_year
    monkeypatch.setattr("cli.kit.lint.datetime", Frozen(last))
    code, said = lint(items)
    assert (code, f"holidays are known until {last}-12-31 only" in said, "[holidays-end]" in said) == (0, True, True)
    monkeypatch.setattr("cli.kit.lint.datetime", Frozen(last - 1))
    assert "[holidays-end]" not in lint(items)[1]


class Frozen:
    """A clock that stands in the last month of a year."""

    def __init__(self, year: int) -> None:
        self._now = datetime(year, 12, 1, tzinfo=UTC)

    def now(self, _: tzinfo) -> datetime:
        """Return when that is."""
        return self._now
