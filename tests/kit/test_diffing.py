"""`commissary catalog diff`: what changes for whom, between files and directories."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.authoring import WIKI, Run, broken


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
