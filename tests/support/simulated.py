"""A small company for the simulator: people, three items, and the stage on which their scenarios are played."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.kit.simulation import Simulator, Verdict, read_stories

BEGAN = datetime(2040, 3, 5, 9, 0, tzinfo=UTC)
COMPANY: dict[str, Any] = {
    "people": {
        "ada": {"name": "Ada Byron", "manager": "mara", "department": "Engineering"},
        "mara": {"name": "Mara Lind", "manager": "rolf"},
        "rolf": {"name": "Rolf Chief"},
        "olga": {"name": "Olga Owner"},
        "sam": {"name": "Sam Smith", "manager": "mara", "department": "Sales"},
        "otto": {"name": "Otto Operator"},
    },
    "groups": {"editors": {"owners": ["olga"]}, "desk": {"members": ["olga", "rolf"]}, "laptops": {}},
    "operators": ["otto"],
}
PLAIN = {"version": "1.0.0", "description": "…", "category": "Test", "owner": "olga", "sla": {"target": "5 days"}}
MANAGER = {"id": "manager", "name": "Line manager", "approvers": [{"rule": "manager"}], "decide_within": "7 days"}
EDITOR = {
    "id": "editor",
    "name": "Editor",
    **PLAIN,
    "approvals": [MANAGER],
    "eligibility": [
        {"id": "not-sales", "when": "beneficiary.department != 'Sales'", "why_not": "Sales does not edit."}
    ],
    "workflow": "AccessRequest",
    "entitlement": {"group": "editors"},
}
LAPTOP = {
    "id": "laptop",
    "name": "Laptop",
    **PLAIN,
    "form": [{"id": "model", "type": "text", "label": "Which model?"}],
    "steps": [
        {"id": "own", "do": "grant", "group": "laptops"},
        {
            "id": "hand-over",
            "do": "task",
            "title": "Hand over a {{ form.model }}",
            "assign": [{"rule": "group", "group": "desk"}],
            "due": "2 days",
            "evidence": [{"id": "serial", "type": "text", "label": "Serial number"}],
            "undo": {"do": "notify", "to": ["requester"], "subject": "Bring it back", "text": "Please."},
        },
        {"id": "arrived", "do": "wait", "event": "arrived", "timeout": "3 days", "at_deadline": "cancel"},
        {"id": "registered", "do": "http", "method": "POST", "url": "https://assets.example/laptops"},
    ],
}
WELCOME = {
    "id": "welcome",
    "name": "Welcome",
    **PLAIN,
    "lines": [
        {"id": "access", "item": "editor"},
        {"id": "pc", "item": "laptop", "answers": {"model": "X1"}, "after": ["access"]},
    ],
}


def vote(at: str, by: str, do: str = "approve", **other: Any) -> dict[str, Any]:
    return {"at": at, "do": do, "by": by, **other}


class Stage:
    """A folder with items and calendars, whose scenarios are played in one company on one engine."""

    def __init__(
        self,
        simulator: Simulator,
        folder: Path,
        company: Mapping[str, Any],
        *,
        items: Sequence[dict[str, Any]] = (),
        calendars: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.simulator, self.folder, self.company = simulator, folder, company
        self.items, self.calendars = items, calendars
        (folder / "scenarios").mkdir()

    def write(self, item: dict[str, Any], *scenarios: dict[str, Any]) -> Path:
        """Return the file with the scenarios of an item, written beside it and all others."""
        (self.folder / "calendars").mkdir(exist_ok=True)
        for one in self.calendars:
            (self.folder / "calendars" / f"{one['id']}.yaml").write_text(json.dumps(one))
        for one in (*self.items, item):
            (self.folder / f"{one['id']}.yaml").write_text(json.dumps(one))
        file = self.folder / "scenarios" / f"{item['id']}.yaml"
        file.write_text(json.dumps({"item": item["id"], "company": self.company, "scenarios": list(scenarios)}))
        return file

    def play(self, item: dict[str, Any], *events: dict[str, Any], **scenario: Any) -> Verdict:
        """Let events happen to an order of Ada's, and return what came of it."""
        story = {"name": "one", "order": {"by": "ada"}, "events": list(events), "expect": {}, **scenario}
        reading = read_stories([self.write(item, story)])
        assert [str(problem) for problem in reading.problems] == []
        [verdict] = self.simulator.run(reading.stories)
        return verdict


def office(simulator: Simulator, folder: Path) -> Stage:
    """Return the stage of `COMPANY`, with its items."""
    return Stage(simulator, folder, COMPANY, items=(EDITOR, LAPTOP, WELCOME))


def times(verdict: Verdict, words: str) -> list[timedelta]:
    """Return how long after the order, to the minute, lines of the timeline with these words come."""
    found = [line.at - BEGAN for line in verdict.timeline if words in line.text]
    return [after - timedelta(seconds=after.total_seconds() % 60) for after in found]
