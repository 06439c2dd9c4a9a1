"""The examples for approvals: nothing is wrong with them, each scenario comes out as it says, each feature has one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from activities.calendars import expand
from activities.plugins import discover
from catalog.lint import Almanac, lint
from catalog.loader import read, read_file
from catalog.sketch import Company
from cli.kit.simulation import Story, Verdict, read_stories, simulate

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "approvals"
ITEMS = EXAMPLES / "items"
ROWS = (
    {f"A{n}" for n in (*range(1, 15), 17, *range(19, 26))} | {f"S{n}" for n in range(1, 10)} | {"W1", "W2", "N2", "N3"}
)
"""Every feature row of approvals, clocks and explained waiting."""


@pytest.fixture(scope="module")
def stories() -> tuple[Story, ...]:
    found = read_stories([ITEMS])
    assert [str(problem) for problem in found.problems] == []
    return found.stories


@pytest.fixture(scope="module")
def verdicts(stories: tuple[Story, ...]) -> list[Verdict]:
    done = simulate(ITEMS)
    assert len(done) == len(stories)
    return done


def test_nothing_is_wrong_with_any_item_or_calendar() -> None:
    reading = read([ITEMS])
    company, problems = read_file(ITEMS / "scenarios" / "company.yaml", Company)
    assert company, problems
    today: date = datetime.now(UTC).date()
    files = {name: loaded.value for name, loaded in reading.calendars.items()}
    almanac = Almanac(today, {name: expand(file, files, today) for name, file in files.items()})
    found = lint(reading, discover().known(), company=company.value, almanac=almanac)
    assert [str(finding) for finding in found] == []


def test_every_item_and_every_calendar_has_a_purpose(stories: tuple[Story, ...]) -> None:
    reading = read([ITEMS])
    assert {story.item.id for story in stories} == set(reading.items)
    assert all(story.scenario.rows for story in stories)


@pytest.mark.timeout(300)
def test_every_scenario_comes_out_as_it_says(verdicts: list[Verdict]) -> None:
    assert [str(verdict) for verdict in verdicts if not verdict.passed] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("row", sorted(ROWS))
def test_a_scenario_shows_the_feature(row: str, verdicts: list[Verdict]) -> None:
    showing = [verdict for verdict in verdicts if row in verdict.story.scenario.rows]
    assert showing
    assert all(verdict.passed for verdict in showing)
