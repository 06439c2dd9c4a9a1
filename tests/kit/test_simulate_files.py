"""The simulator: mistakes in scenario files, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.simulated import COMPANY, EDITOR, Stage, office, vote
from typer.testing import CliRunner

from cli.catalog import app
from cli.kit.simulation import Simulator, read_stories, simulate


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({"evnts": []}, "9:4: scenarios[0].evnts: there is no such field. Did you mean 'events'?"),
        (
            {"events": [{"at": "tomorrow", "do": "leaves", "who": "ada"}]},
            "scenarios[0].events[0].at: 'tomorrow' is no time",
        ),
        (
            {"events": [vote("day 2", "maar")]},
            "scenarios[0].events[0].by: there is nobody called 'maar' in the company. Did you mean 'mara'?",
        ),
        (
            {"events": [{"at": "day 1 08:00", "do": "leaves", "who": "ada"}]},
            "scenarios[0].events[0].at: this is before the order is placed",
        ),
        (
            {"events": [{"at": "day 2", "do": "down", "system": "directry", "lasting": "1 h"}]},
            "scenarios[0].events[0].system: there is no system 'directry'. Did you mean 'directory'?",
        ),
        (
            {"events": [{"at": "day 2", "do": "moves", "who": "ada"}]},
            "scenarios[0].events[0].manager: 'moves' says nothing of the manager. Add 'manager: …'.",
        ),
        ({"begins": "2020-03-02T09:00:00"}, "scenarios[0].begins: this is past"),
        ({"begins": "9999-12-31T23:00:00"}, "scenarios[0].begins: an order is placed in the years from 2000 to 2099"),
        ({"begins": "2040-03-05T09:00:00Z"}, "the time of the order has a zone of its own"),
        ({"zone": "Berlin"}, "scenarios[0].zone: there is no time zone 'Berlin'. Did you mean 'Europe/Berlin'?"),
        ({"order": {"by": "nobody"}}, "scenarios[0].order.by: there is nobody called 'nobody'"),
        ({"expect": {"has": {"editors": ["adda"]}}}, "scenarios[0].expect.has.editors[0]: there is nobody"),
        ({"expect": {"told": {"adda": ["closed"]}}}, "scenarios[0].expect.told.adda: there is nobody"),
    ],
)
def test_a_mistake_in_a_scenario_file_is_named_with_its_line(
    tmp_path: Path, scenario: dict[str, Any], said: str
) -> None:
    (tmp_path / "scenarios").mkdir()
    file = tmp_path / "scenarios" / "editor.yaml"
    (tmp_path / "editor.yaml").write_text(json.dumps(EDITOR))
    plain = {"name": "one", "order": {"by": "ada"}, "expect": {}}
    text = {"item": "editor", "company": COMPANY, "scenarios": [{**plain, **scenario}]}
    body = json.dumps(text["scenarios"][0], indent=3)[1:-1]  # type: ignore[index]
    file.write_text(f"item: editor\ncompany: {json.dumps(COMPANY)}\nscenarios: [{{{body}}}]\n")
    reading = read_stories([file])
    assert reading.stories == ()
    [problem] = reading.problems
    assert said in str(problem)
    key = next(iter(scenario))
    written = file.read_text().splitlines()
    assert problem.line is not None
    assert problem.line >= next(at for at, line in enumerate(written, 1) if f'"{key}"' in line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "item: editr\ncompany: {}\nscenarios: [{name: a, order: {by: a}, expect: {}}]",
            "item: there is no usable item",
        ),
        ("item: editor\nscenarios: [{name: a, order: {by: a}, expect: {}}]", "company: there is no company"),
        ("item: editor\ncompany: {}\nscenarios: []", "scenarios: this is empty"),
        (
            (
                "item: editor\ncompany: {people: {a: {name: A}}}\n"
                "scenarios: [{name: a, order: {by: a}, expect: {}}, {name: a, order: {by: a}, expect: {}}]"
            ),
            "scenarios[1]: two scenarios are called 'a'",
        ),
        ("item: [", "this is not YAML"),
    ],
)
def test_a_file_that_cannot_be_played_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "editor.yaml").write_text(json.dumps(EDITOR))
    file = tmp_path / "scenarios" / "editor.yaml"
    file.write_text(text)
    assert said in " ".join(map(str, read_stories([file]).problems))


def test_an_item_without_scenarios_is_said(tmp_path: Path) -> None:
    (tmp_path / "editor.yaml").write_text(json.dumps(EDITOR))
    [problem] = read_stories([tmp_path / "editor.yaml"]).problems
    assert problem.rule == "unreadable-file"


def test_the_company_beside_the_scenarios_is_shared_and_a_scenario_may_change_it(stage: Stage) -> None:
    order = {"name": "one", "order": {"by": "eve"}, "events": [vote("day 2", "mara")]}
    (stage.folder / "scenarios" / "company.yaml").write_text(json.dumps(COMPANY))
    eve = {"people": {"eve": {"name": "Eve New", "manager": "mara"}}}
    scenario = {**order, "company": eve, "expect": {"outcome": "fulfilled", "has": {"editors": ["eve"]}}}
    file = stage.write(EDITOR, scenario)
    file.write_text(json.dumps({"item": "editor", "scenarios": [scenario]}))
    [verdict] = stage.simulator.run(read_stories([stage.folder]).stories)
    assert verdict.unmet == ()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    return result.exit_code, result.stdout


def test_the_command_shows_a_timeline_and_fails_if_a_scenario_does(stage: Stage) -> None:
    good = {"name": "good", "order": {"by": "ada"}, "expect": {"outcome": "expired"}}
    bad = {"name": "bad", "order": {"by": "ada"}, "expect": {"outcome": "fulfilled"}}
    stage.write(EDITOR, good, bad)
    code, said = run(str(stage.folder), "--trace")
    lines = said.splitlines()
    assert code == 1
    assert lines[0] == "✓ editor: good  (expired)"
    assert "  day 1 · Monday 5 March 2040" in lines
    assert "    09:00    Ada Byron ordered 'Editor' for themselves" in lines
    assert "    09:00  · REQ-1001  identity.standing, attempt 1: done" in lines
    assert (
        "           ⋯ 7 days of waiting: Line manager: a decision is needed (Mara Lind), "
        "until 12 March 2040, 09:00 UTC (The request expires)" in lines
    )
    assert lines[-1].startswith("1 of 2 scenarios passed; 16 days in ")
    assert any(line.strip().startswith(f"{stage.folder}/scenarios/editor.yaml:") for line in lines)


def test_the_command_plays_only_what_is_asked_for_and_tells_it_to_scripts(stage: Stage) -> None:
    stage.write(
        EDITOR,
        {"name": "good", "order": {"by": "ada"}, "expect": {"outcome": "expired"}},
        {"name": "bad", "order": {"by": "ada"}, "expect": {"outcome": "fulfilled"}},
    )
    code, said = run(str(stage.folder), "--only", "GOOD", "--json")
    [verdict] = json.loads(said)
    assert code == 0, verdict
    assert (verdict["item"], verdict["scenario"], verdict["passed"]) == ("editor", "good", True)
    assert [line["at"][:16] for line in verdict["timeline"] if "closed as" in line["text"]] == ["2040-03-12T09:00"]


def test_from_a_test_it_is_one_call(tmp_path: Path, simulator: Simulator) -> None:
    file = office(simulator, tmp_path).write(
        EDITOR, {"name": "good", "order": {"by": "ada"}, "expect": {"outcome": "expired"}}
    )
    assert all(verdict.passed for verdict in simulate(file))
    assert simulate(file, only="another") == []
