"""A company that orders books, which two readers have to approve, for the simulator: people, calendars and a stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.simulated import Stage

from cli.kit.simulation import Simulator, Verdict

COMPANY: dict[str, Any] = {
    "people": {
        "ada": {"name": "Ada Byron", "manager": "mara", "location": "Berlin"},
        "mara": {"name": "Mara Lind", "manager": "rolf", "location": "Berlin"},
        "rolf": {"name": "Rolf Chief", "location": "Singapore"},
        "olga": {"name": "Olga Owner", "location": "Berlin"},
        "sam": {"name": "Sam Smith", "manager": "mara", "location": "Berlin"},
        "otto": {"name": "Otto Operator"},
    },
    "groups": {"readers": {"owners": ["olga"], "members": ["mara", "rolf", "olga"]}},
    "operators": ["otto"],
}
WEEK = {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
BERLIN: dict[str, Any] = {
    "id": "berlin",
    "name": "Berlin",
    "zone": "Europe/Berlin",
    "hours": WEEK,
    "holidays": {"country": "DE"},
}
SINGAPORE: dict[str, Any] = {"id": "singapore", "name": "Singapore", "zone": "Asia/Singapore", "hours": WEEK}
CALENDARS = [BERLIN | {"default": True}, SINGAPORE | {"people": "person.location == 'Singapore'"}]
PLAIN: dict[str, Any] = {
    "version": "1.0.0",
    "description": "…",
    "category": "Test",
    "owner": "olga",
    "sla": {"target": "20 days"},
}
MANAGER: dict[str, Any] = {"id": "manager", "name": "Line manager", "approvers": [{"rule": "manager"}]}
READERS: dict[str, Any] = {
    "id": "readers",
    "name": "Two readers",
    "approvers": [{"rule": "group", "group": "readers"}],
    "quorum": 2,
}
BOOKS: dict[str, Any] = {
    "id": "books",
    "name": "Books",
    **PLAIN,
    "form": [
        {"id": "copies", "type": "integer", "label": "How many?", "least": 1, "most": 50},
        {"id": "why", "type": "text", "label": "Why?", "required": False},
    ],
    "order_for": {"others": True, "at_most": 5},
    "approvals": [READERS | {"decide_within": "5 working days", "may_reduce": ["copies"]}],
    "steps": [{"id": "tell", "do": "notify", "to": ["requester"], "subject": "Read!", "text": "{{ form.copies }}"}],
}


def play(stage: Stage, *events: dict[str, Any], item: dict[str, Any] = BOOKS, **scenario: Any) -> Verdict:
    """Let events happen to an order of three books, which is open still after three days unless that is said."""
    plain = {"order": {"by": "ada", "answers": {"copies": 3}}, "lasts": "3 days"}
    return stage.play(item, *events, **plain | scenario)


def deed(at: str, do: str, by: str, **other: Any) -> dict[str, Any]:
    return {"at": at, "do": do, "by": by, **other}


def see(at: str, **other: Any) -> dict[str, Any]:
    return {"at": at, "do": "see", **other}


def library(simulator: Simulator, folder: Path) -> Stage:
    """Return the stage of `COMPANY`, with its calendars."""
    return Stage(simulator, folder, COMPANY, calendars=CALENDARS)
