"""Lint: every seeded mistake is found with its rule at its line, and nothing else is; how findings are written."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.linting import (
    AROUND,
    COMPANY,
    KNOWN,
    MISTAKES,
    PUBLISHED,
    RICH,
    SANE,
    lint_of,
)

from catalog.lint import RULES, as_json, as_sarif, as_text, lint
from catalog.loader import read
from catalog.source import Finding

OF_FILES = {"no-directory", "empty-directory", "unreadable-file", "file-too-large", "not-utf-8", "wrong-extension"}
"""Rules on what is no text; `test_loader` shows them."""
OF_CALENDARS = {"two-defaults", "no-default", "unknown-holidays", "holidays-end", "left-out-time"}
"""Rules on working hours; `test_calendar_files` shows them, and `test_linting` on the command line."""


def expected(path: Path) -> list[tuple[str, int]]:
    lines = re.findall(r"^# expect: (\S+) line (\d+)$", path.read_text(), re.MULTILINE)
    return sorted((rule, int(line)) for rule, line in lines)


FILES = sorted(MISTAKES.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_mistake_is_found_where_it_is_and_nothing_else(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path)
    found = lint_of(tmp_path)
    assert sorted((one.rule, one.line) for one in found) == expected(path), as_text(found)
    for one in found:
        assert one.column
        assert one.severity == RULES[one.rule].severity
        assert not one.message.endswith(".")
        assert one.remedy.endswith((".", "?"))


def test_every_rule_has_its_mistake() -> None:
    assert len(FILES) > 45
    assert {rule for path in FILES for rule, _ in expected(path)} == set(RULES) - OF_FILES - OF_CALENDARS


def test_the_catalog_around_the_mistakes_is_without_any(tmp_path: Path) -> None:
    assert lint(read([AROUND]), KNOWN) == ()


POLICY = """\
id: bad
name: Bad
stages:
  - id: a
    name: A
    when: form.knid == 'team'
    approvers:
      - rule: role
        role: oficer
    decide_within: 1 day
"""


class TestSharedPolicies:
    """A mistake in a policy is told where it stands, with the items for which it is one."""

    def found(self, directory: Path, *items: str, policy: str = POLICY) -> list[Finding]:
        policies = directory / "policies"
        policies.mkdir()
        (policies / "bad.yaml").write_text(policy)
        head, _, rest = SANE.partition("approvals:")
        text = f"{head}approval_policy: bad\nsteps:{rest.partition('steps:')[2]}"
        for item in items:
            (directory / f"{item}.yaml").write_text(text.replace("id: team-mailbox", f"id: {item}"))
        found = lint(read([AROUND, directory]), KNOWN, PUBLISHED, COMPANY)
        return [one for one in found if one.file == str(policies / "bad.yaml")]

    def test_it_stands_in_the_policy_and_names_the_item(self, tmp_path: Path) -> None:
        name, role = self.found(tmp_path, "one")
        assert (name.rule, name.line, name.column, name.path) == ("unknown-name", 6, 5, "stages[0].when")
        assert (name.message, name.remedy, name.items) == (
            "for the item 'one', form.knid is not known here", "Did you mean 'kind'?", ("one",),
        )  # fmt: skip
        assert (role.rule, role.line, role.severity, role.path) == (
            "unknown-role", 9, "warning", "stages[0].approvers[0].role",
        )  # fmt: skip
        assert role.remedy == "Did you mean 'officer'?"
        log = as_sarif([name])
        place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == as_json([name])[0]["file"] == f"{tmp_path}/policies/bad.yaml"

    def test_it_is_told_once_for_all_items_that_use_it(self, tmp_path: Path) -> None:
        name, _ = self.found(tmp_path, "a", "b", "c", "d", "e")
        assert name.message == "for the items 'a', 'b', 'c' and 2 more, form.knid is not known here"
        assert name.items == ("a", "b", "c", "d", "e")

    def test_nothing_is_told_of_a_policy_that_is_right(self, tmp_path: Path) -> None:
        right = POLICY.replace("knid", "kind").replace("oficer", "officer")
        assert self.found(tmp_path, "one", policy=right) == []


class TestFormats:
    """Findings for people, for programs and for code hosts."""

    def findings(self, directory: Path) -> list[Finding]:
        return lint_of(directory, SANE.replace("required: false", "required: form.a") + "lifecycle: retired\n")

    def test_text_has_a_line_for_each(self, tmp_path: Path) -> None:
        first, second = as_text(self.findings(tmp_path)).replace(f"{tmp_path}/", "").split("\n")
        assert first == (
            "item.yaml:20:5: error unknown-name: form[2].required: form.a is not known here. "
            "Write one of: name, kind, seats."
        )
        assert second.startswith("item.yaml:38:1: warning no-successor: lifecycle: people are not told")

    def test_json_is_plain(self, tmp_path: Path) -> None:
        first, _ = json.loads(json.dumps(as_json(self.findings(tmp_path))))
        assert (first["line"], first["column"], first["rule"], first["severity"]) == (20, 5, "unknown-name", "error")

    def test_sarif_has_rules_and_regions(self, tmp_path: Path) -> None:
        found = [*self.findings(tmp_path), *read([tmp_path / "nowhere"]).problems]
        log = json.loads(json.dumps(as_sarif(found)))
        (run,) = log["runs"]
        assert log["version"] == "2.1.0"
        rules = run["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == list(RULES)
        assert {rule["defaultConfiguration"]["level"] for rule in rules} == {"error", "warning"}
        first, second, third = run["results"]
        assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "unknown-name"
        assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 20, "startColumn": 5}
        assert first["message"]["text"].startswith("form[2].required: form.a is not known here.")
        assert second["level"] == "warning"
        assert "region" not in third["locations"][0]["physicalLocation"]

    def test_every_rule_is_described_in_a_sentence(self) -> None:
        assert all(re.fullmatch(r"[A-Z].*\.", rule.description) for rule in RULES.values())
        assert all(re.fullmatch(r"[a-z][a-z0-9-]+", name) for name in RULES)


lines = st.integers(0, RICH.count("\n"))
fragments = st.sampled_from(
    [
        "{{ form.",
        "{{ 1 }}",
        "{{ results }}",
        "null",
        "[]",
        "{}",
        "5",
        "true",
        "''",
        "form.name",
        "x: y",
        "each",
        "grant",
    ]
)


@given(st.lists(st.one_of(st.tuples(lines, lines), st.tuples(lines, fragments)), min_size=1, max_size=4))
def test_however_an_item_is_changed_lint_says_what_is_wrong_and_never_fails(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int | str]]
) -> None:
    text = RICH.split("\n")
    for at, what in changes:
        if isinstance(what, int):
            text[at] = text[what]  # a line of another place
        else:
            text[at] = f"{text[at].partition(': ')[0]}: {what}"
    found = lint_of(tmp_path_factory.mktemp("catalog"), "\n".join(text))
    assert all(one.message.strip() and one.remedy.strip(" .") and one.rule in RULES for one in found)
