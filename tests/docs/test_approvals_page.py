"""docs/approvals.md shows every feature of approvals, by pieces of the examples as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.pages import ROOT, blocks, page, section

from catalog.scenario import ScenarioFile
from catalog.source import parse

PAGE = page("docs/approvals.md")
EXAMPLES = ROOT / "docs" / "examples" / "approvals"
EXCERPTS = blocks(PAGE, "yaml")
ROW = re.compile(r"\b[A-Z]{1,2}\d{1,2}\b")
ROWS = (
    {f"A{n}" for n in (*range(1, 15), 17, *range(19, 26))} | {f"S{n}" for n in range(1, 10)} | {"W1", "W2", "N2", "N3"}
)
"""Every feature row of approvals, clocks and explained waiting."""
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)


def file_of(block: str) -> str:
    return block.splitlines()[0].removeprefix("# ")


def shown_in(heading: str) -> set[str]:
    """Return the rows that the scenarios of a section carry."""
    text = "".join(blocks(section(PAGE, heading), "yaml"))
    return {row for rows in re.findall(r"^    rows: \[(.*)\]$", text, re.MULTILINE) for row in rows.split(", ")}


@pytest.mark.parametrize("block", EXCERPTS, ids=file_of)
def test_what_it_shows_stands_in_the_file_it_names(block: str) -> None:
    assert block.partition("\n")[2] in (EXAMPLES / file_of(block)).read_text(encoding="utf-8")


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_feature_of_a_heading_is_shown_by_a_scenario_below_it(heading: str) -> None:
    named = set(ROW.findall(heading.rpartition("(")[2]))
    assert named
    assert named <= shown_in(heading)


def test_every_feature_is_shown_by_the_examples_and_has_a_heading() -> None:
    files = sorted((EXAMPLES / "items" / "scenarios").glob("*.yaml"))
    assert {row for file in files for row in rows_of(file)} == ROWS
    assert {row for heading in HEADINGS for row in ROW.findall(heading.rpartition("(")[2])} == ROWS


def rows_of(file: Path) -> set[str]:
    data = parse(file.read_text(encoding="utf-8")).data
    if file.name == "company.yaml":
        return set()
    return {row for scenario in ScenarioFile.model_validate(data).scenarios for row in scenario.rows}


def test_every_example_item_is_shown() -> None:
    items = {file.stem for file in (EXAMPLES / "items").glob("*.yaml")}
    assert items == {Path(file_of(block)).stem for block in EXCERPTS if file_of(block).startswith("items/")}
