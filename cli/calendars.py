"""`commissary calendar`: the working hours there are (feature rows A12, S2)."""

from __future__ import annotations

import json
import re
from calendar import monthrange
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog.text import one_line
from cli.client import DEFAULT_URL, As, AsJson, Client, Trouble, Url, at
from cli.render import plain

app = typer.Typer(help="See the working hours in which time is counted.", no_args_is_help=True)

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@app.command("list")
def list_calendars(*, url: Url = DEFAULT_URL, login: As = None, as_json: AsJson = False) -> None:
    """List the calendars; time you are given is counted in yours."""
    found = list(Client(url, login).pages("/calendars"))
    if as_json:
        print(json.dumps(found, indent=1))
        return
    if not found:
        Console().print(plain("There are no calendars: time is counted around the clock."))
        return
    table = Table("Calendar", "Name", "Time zone", "Holidays known until", "", box=None, pad_edge=False)
    for one in found:
        whose = ", ".join(said for said, so in (("yours", one["mine"]), ("the default", one["default"])) if so)
        until = f"{date.fromisoformat(one['known_until']):%-d %b %Y}" if one["known_until"] else ""
        table.add_row(*(plain(text) for text in (one["id"], one["name"], one["zone"], until, whose)))
    Console().print(table)


@app.command()
def show(
    calendar: Annotated[str, typer.Argument(help="The calendar's id; see: commissary calendar list.")],
    *,
    month: Annotated[str | None, typer.Option(help="Which one, 2026-12; this one if not given.")] = None,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """Show when a calendar is open, day by day for a month."""
    first, last = _month(month)
    query = {"from": first.isoformat(), "until": last.isoformat()}
    found = Client(url, login).get(f"{at('calendars', calendar)}/days", **query)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    console = Console()
    console.print(plain(f"{found['name']}, {first:%B %Y}, as clocks show it in {found['zone']}"), style="bold")
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in found["days"]:
        table.add_row(plain(f"{date.fromisoformat(one['day']):%a %e %b}"), _hours(one))
    console.print(table)


def _month(said: str | None) -> tuple[date, date]:
    """Return the first and the last day of a month.

    Raises:
        Trouble: it is not written as one.
    """
    if said is None:
        today = date.today()  # noqa: DTZ011  the reader's own month
        year, month = today.year, today.month
    else:
        match = _MONTH.fullmatch(said)
        if match is None or not int(match[1]):
            raise Trouble(f"--month {one_line(said)}: write it like 2026-12")
        year, month = int(match[1]), int(match[2])
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def _hours(day: dict[str, Any]) -> Text:
    """Return when it is open on a day; what ends on a later one says so."""
    if not day["open"]:
        return Text("closed, a holiday", style="yellow") if day["holiday"] else Text("closed", style="dim")
    return plain(", ".join(_segment(one, date.fromisoformat(day["day"])) for one in day["open"]))


def _segment(one: dict[str, str], day: date) -> str:
    start, end = datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])
    begins = f"{start:%H:%M}" if start.date() == day else f"{start:%a %H:%M}"
    return f"{begins}-{end:%H:%M}" if end.date() == start.date() else f"{begins}-{end:%a %H:%M}"
