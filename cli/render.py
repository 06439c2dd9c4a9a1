"""How requests, tasks and journals look in a terminal. Times are shown in the reader's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from catalog.duration import words
from catalog.text import one_line

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


def plain(value: Any) -> Text:
    """Return what others wrote as it stands, on one line: nothing in it is markup or steers the terminal."""
    return Text(one_line(str(value)))


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
    return Text(one_line(name), style=COLOURS.get(name, "cyan"))


def request_table(requests: list[dict[str, Any]]) -> RenderableType:
    """Return a list of requests."""
    if not requests:
        return Text("There are no requests.")
    table = Table("Request", "Item", "For", "State", "Waits for", "Ordered", box=None, pad_edge=False)
    for request in requests:
        waiting = request["waiting"][0] if request["waiting"] else None
        table.add_row(
            plain(request["number"]),
            plain(request["item"]["name"]),
            plain(request["beneficiary"]["name"]),
            state(request),
            _names(waiting) if waiting else "",
            moment(request["accepted_at"]),
        )
    return table


def task_table(tasks: list[dict[str, Any]], *, closed: bool = False) -> RenderableType:
    """Return an inbox, or what of it is closed."""
    if not tasks:
        return Text("There are no closed tasks." if closed else "Nothing waits for you.")
    columns = ("Outcome", "Closed") if closed else ("Choices", "Due")
    table = Table("Task", "What", "Ordered by", *columns, box=None, pad_edge=False)
    for task in tasks:
        if closed:
            last = (task["decided"], moment(task["closed_at"]))
        else:
            last = (" | ".join(task["you_may"]), distance(task["due_at"]) if task["due_at"] else "")
        table.add_row(
            *(plain(cell) for cell in (task["id"], task["title"], task["request"]["requester"]["name"], *last))
        )
    return table


def request_panel(request: dict[str, Any], entries: list[dict[str, Any]]) -> RenderableType:
    """Return a request with what it waits for and its timeline."""
    facts = Table.grid(padding=(0, 2))
    facts.add_row("State", state(request))
    facts.add_row("For", plain(f"{request['beneficiary']['name']}, ordered by {request['requester']['name']}"))
    facts.add_row("Ordered", plain(f"{moment(request['accepted_at'])}, item version {request['item']['version']}"))
    if request["status"] != "closed" and request["due_at"]:
        facts.add_row("Promised", f"{moment(request['due_at'])} ({distance(request['due_at'])})")
    for label, answer in request["shown_answers"]:
        facts.add_row(plain(label), Text("\n").join(plain(line) for line in answer.splitlines()))
    if request["reason"]:
        facts.add_row("Ending", plain(request["reason"]))
    waits = [_waiting(waiting) for waiting in request["waiting"]]
    parts: list[RenderableType] = [facts, *waits, Text("\nTimeline", style="bold"), timeline(entries)]
    if request["you_may"]:
        parts.append(Text("\nYou may: ", style="dim").append_text(plain(", ".join(request["you_may"]))))
    return Panel(Group(*parts), title=plain(f"{request['number']} {request['item']['name']}"), title_align="left")


def timeline(entries: list[dict[str, Any]]) -> RenderableType:
    """Return a journal as a timeline."""
    table = Table.grid(padding=(0, 1))
    for entry in entries:
        text = plain(entry["text"])
        if entry["rule"]:
            text.append(f"  [{one_line(entry['rule'])}]", style="dim")
        table.add_row(Text(clock(entry["at"]), style="dim"), ICONS.get(entry["kind"], "·"), text)
    return table if entries else Text("Nothing has happened yet.", style="dim")


def _waiting(waiting: dict[str, Any]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_row("what", plain(waiting["what"]))
    if waiting["who"]:
        grid.add_row("who", _names(waiting))
    grid.add_row("since", f"{moment(waiting['since'])} ({distance(waiting['since'])})")
    if waiting["until"]:
        until = f"{moment(waiting['until'])} ({distance(waiting['until'])}). {waiting['at_deadline']}"
        grid.add_row("until", plain(until))
    if waiting["then"]:
        grid.add_row("then", plain(waiting["then"]))
    if waiting["task"]:
        grid.add_row("task", plain(waiting["task"]))
    return Panel(grid, title="Waits for", title_align="left", border_style="yellow")


def _names(waiting: dict[str, Any]) -> Text:
    names = ", ".join(person["name"] for person in waiting["who"])
    others = {"engine": "the workflow engine", "system": "the directory", "operator": "an operator"}
    return plain(names or others.get(waiting["kind"], ""))
