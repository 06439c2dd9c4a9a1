"""How the clocks of a request look in a terminal (feature rows S1-S9). Due times are in the reader's own time zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

from pydantic import TypeAdapter
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from catalog import clock_words
from catalog.duration import words
from catalog.sla_spec import By, Target
from cli.render import moment, plain

MOST_LINES = 8
"""How many clocks a request is shown with; each of several hundred approvers may have one."""

_TARGET: TypeAdapter[Any] = TypeAdapter(Target)
_TIME = TypeAdapter(timedelta)


def running(measured: dict[str, Any]) -> Iterable[str]:
    """Yield a line for each clock that has not ended: ``Decision: 60 % of 2 working days, until Tue …``."""
    lines = [_line(clock) for clock in measured["clocks"] if not clock["stopped_at"]]
    yield from islice(lines, MOST_LINES)
    if len(lines) > MOST_LINES:
        yield f"{len(lines) - MOST_LINES} more: commissary request clocks {measured['number']}"


def _line(clock: dict[str, Any]) -> str:
    so_far = f"{clock['percent']} % of {_whole(clock['target'])}" if clock["target"] else _time(clock["elapsed"])
    return f"{_of(clock)}: {so_far}, {_until(clock)}"


def _whole(target: str) -> str:
    span = _TARGET.validate_python(target)
    return "its time" if isinstance(span, By) else words(span)


def _goal(target: str) -> str:
    return clock_words.target(_TARGET.validate_python(target)).removeprefix("within ")


def _until(clock: dict[str, Any]) -> str:
    if clock["breached_at"]:
        return f"late since {moment(clock['breached_at'])}"
    if clock["state"] == "paused":
        return "paused"
    return f"until {moment(clock['due_at'])}" if clock["due_at"] else "running"


def _of(clock: dict[str, Any]) -> str:
    """Return what a clock is called, and of which stage, approver and time it is."""
    named = [one["name"] for one in (clock["stage"], clock["approver"]) if one]
    return ", ".join((clock["name"], *named, *([f"run {clock['run']}"] if clock["run"] > 1 else [])))


def clocks_page(measured: dict[str, Any]) -> RenderableType:
    """Return what is measured of a request: each clock, what became of it, and who held the request how long."""
    parts: list[RenderableType] = [plain(_by_what(measured))]
    if measured["priority"] is not None:
        why = f"from impact {measured['impact']} and urgency {measured['urgency']}"
        parts.append(plain(f"Priority {measured['priority']}, {why}"))
    if measured["clocks"]:
        parts += [Text(), _clock_table(measured["clocks"])]
    else:
        parts.append(plain("No clock has been started."))
    for clock in measured["clocks"]:
        parts.append(Text.assemble("\n", plain(f"{_of(clock)}, in {clock['zone']}")))
        parts += [Text.assemble("  ", plain(line)) for line in clock["explained"]]
    if measured["shares"]:
        parts += [Text(), _share_table(measured["shares"])]
    return Group(*parts)


def _by_what(measured: dict[str, Any]) -> str:
    return f"{measured['number']} by the clocks of item version {measured['version']}, {moment(measured['at'])}"


def _clock_table(clocks: list[dict[str, Any]]) -> RenderableType:
    table = Table("Clock", "State", "Target", "Used", "Due", "Paused", box=None, pad_edge=False)
    for clock in clocks:
        late = clock["breached_at"] is not None
        used = f"{clock['percent']} % ({_time(clock['elapsed'])})" if clock["target"] else _time(clock["elapsed"])
        target = _goal(clock["target"]) if clock["target"] else ""
        paused = "" if clock["paused"] == "PT0S" else _time(clock["paused"])
        state = Text(f"{clock['state']}, late" if late else clock["state"], style="red" if late else "")
        table.add_row(plain(_of(clock)), state, target, used, moment(clock["due_at"]), paused)
    return table


def _share_table(shares: list[dict[str, Any]]) -> RenderableType:
    """Return who held a request how long: each stage, and below it those who decide it."""
    table = Table("Held by", "For", "Waited for information", box=None, pad_edge=False)
    places = {stage: place for place, stage in enumerate(dict.fromkeys(share["stage"]["id"] for share in shares))}
    for share in sorted(shares, key=lambda one: places[one["stage"]["id"]]):
        name = plain(share["approver"]["name"] if share["approver"] else share["stage"]["name"])
        waited = "" if share["waited"] == "PT0S" else _time(share["waited"])
        table.add_row(Text.assemble("  " if share["approver"] else "", name), _time(share["held"]), waited)
    return table


def _time(iso: str) -> str:
    """Return a length in hours and minutes: days of working time are not as long as those of a calendar."""
    hours, minutes = divmod(_TIME.validate_python(iso) // timedelta(minutes=1), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
