"""How requests, tasks and journals look in a terminal. Times are shown in the reader's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from catalog.duration import words

COLOURS = {
    "fulfilled": "green",
    "rejected": "red",
    "expired": "yellow",
    "cancelled": "yellow",
    "ineligible": "red",
    "skipped": "yellow",
    "attention": "red",
}
ICONS = {
    "opened": "●",
    "resolved": "·",
    "stage-opened": "?",
    "vote": "✓",
    "stage-closed": "·",
    "effect-intended": "→",
    "effect-observed": "✓",
    "effect-failed": "✗",
    "undo-intended": "←",
    "undo-observed": "✓",
    "operator-asked": "!",
    "cancel-requested": "✗",
    "comment": "“",
    "closed": "■",
}


def moment(iso: str | None) -> str:
    """Return a moment as people read it, in their time zone."""
    return datetime.fromisoformat(iso).astimezone().strftime("%a %d %b %Y %H:%M") if iso else ""


def clock(iso: str) -> str:
    """Return a moment to the second."""
    return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def distance(iso: str) -> str:
    """Return how far away a moment is: ``in 3 days``, ``2 hours ago``."""
    away = datetime.fromisoformat(iso) - datetime.now(UTC)
    if away < timedelta(0):
        return f"{words(-away)} ago" if -away >= timedelta(seconds=1) else "just now"
    return f"in {words(away)}"


def state(request: dict[str, Any]) -> Text:
    """Return where a request stands, in its colour."""
    name = request["outcome"] or request["status"]
    return Text(name, style=COLOURS.get(name, "cyan"))


def request_table(requests: list[dict[str, Any]]) -> RenderableType:
    """Return a list of requests."""
    if not requests:
        return Text("There are no requests.")
    table = Table("Request", "Item", "For", "State", "Waits for", "Ordered", box=None, pad_edge=False)
    for request in requests:
        waiting = request["waiting"][0] if request["waiting"] else None
        table.add_row(
            request["number"],
            request["item"]["name"],
            request["beneficiary"]["name"],
            state(request),
            _names(waiting) if waiting else "",
            moment(request["accepted_at"]),
        )
    return table


def task_table(tasks: list[dict[str, Any]]) -> RenderableType:
    """Return an inbox."""
    if not tasks:
        return Text("Nothing waits for you.")
    table = Table("Task", "What", "Ordered by", "Choices", "Due", box=None, pad_edge=False)
    for task in tasks:
        due = distance(task["due_at"]) if task["due_at"] and not task["decided"] else task["decided"] or ""
        table.add_row(task["id"], task["title"], task["request"]["requester"]["name"], " | ".join(task["you_may"]), due)
    return table


def request_panel(request: dict[str, Any], entries: list[dict[str, Any]]) -> RenderableType:
    """Return a request with what it waits for and its timeline."""
    facts = Table.grid(padding=(0, 2))
    facts.add_row("State", state(request))
    facts.add_row("For", f"{request['beneficiary']['name']}, ordered by {request['requester']['name']}")
    facts.add_row("Ordered", f"{moment(request['accepted_at'])}, item version {request['item']['version']}")
    if request["status"] != "closed" and request["due_at"]:
        facts.add_row("Promised", f"{moment(request['due_at'])} ({distance(request['due_at'])})")
    for name, answer in request["answers"].items():
        facts.add_row(name, str(answer["name"] if isinstance(answer, dict) else answer))
    if request["reason"]:
        facts.add_row("Ending", Text(request["reason"]))
    waits = [_waiting(waiting) for waiting in request["waiting"]]
    parts: list[RenderableType] = [facts, *waits, Text("\nTimeline", style="bold"), timeline(entries)]
    if request["you_may"]:
        parts.append(Text("\nYou may: " + ", ".join(request["you_may"]), style="dim"))
    return Panel(Group(*parts), title=f"{request['number']}  {request['item']['name']}", title_align="left")


def timeline(entries: list[dict[str, Any]]) -> RenderableType:
    """Return a journal as a timeline."""
    table = Table.grid(padding=(0, 1))
    for entry in entries:
        rule = f"  [{entry['rule']}]" if entry["rule"] else ""
        text = Text(entry["text"]).append(rule, style="dim")
        table.add_row(Text(clock(entry["at"]), style="dim"), ICONS.get(entry["kind"], "·"), text)
    return table if entries else Text("Nothing has happened yet.", style="dim")


def _waiting(waiting: dict[str, Any]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_row("what", Text(waiting["what"]))
    if waiting["who"]:
        grid.add_row("who", _names(waiting))
    grid.add_row("since", f"{moment(waiting['since'])} ({distance(waiting['since'])})")
    if waiting["until"]:
        until = f"{moment(waiting['until'])} ({distance(waiting['until'])}). {waiting['at_deadline']}"
        grid.add_row("until", until)
    if waiting["then"]:
        grid.add_row("then", waiting["then"])
    if waiting["task"]:
        grid.add_row("task", waiting["task"])
    return Panel(grid, title="Waits for", title_align="left", border_style="yellow")


def _names(waiting: dict[str, Any]) -> str:
    names = ", ".join(person["name"] for person in waiting["who"])
    return names or {"engine": "the workflow engine", "system": "the directory", "operator": "an operator"}.get(
        waiting["kind"], ""
    )
