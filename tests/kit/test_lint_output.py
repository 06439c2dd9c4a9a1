"""`commissary catalog lint`: what it prints of an item, in which format, and with which exit code."""

from __future__ import annotations

import json
from pathlib import Path

from support.authoring import WIKI, Run, broken


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
