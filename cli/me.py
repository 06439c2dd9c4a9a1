"""`commissary me`: what you wish of the platform (feature rows A12, N2)."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.client import DEFAULT_URL, As, AsJson, Client, Url
from cli.render import plain

app = typer.Typer(help="Your working hours, quiet hours, and mails.", no_args_is_help=True)

OFF = "off"
_PATH = "/me/preferences"


@app.command()
def show(*, url: Url = DEFAULT_URL, login: As = None, as_json: AsJson = False) -> None:
    """Show what you wish, and in which calendar your time is counted."""
    _tell(Client(url, login).get(_PATH), as_json=as_json)


@app.command("set")
def set_preferences(
    *,
    calendar: Annotated[
        str | None, typer.Option(help="Id of the calendar in which your time is counted; off: as the rules have it.")
    ] = None,
    quiet: Annotated[
        list[str] | None,
        typer.Option(
            help="Time of the day at which you are sent nothing, 20:00-07:00; repeat it for several, or: off."
        ),
    ] = None,
    digest: Annotated[
        str | None, typer.Option(help="When you are told of decisions, all at once and once a day, 08:00; or: off.")
    ] = None,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """Change what you wish; what you leave out stays as it is."""
    client = Client(url, login)
    now = client.get(_PATH)
    said = {name: now[name] for name in ("calendar", "quiet", "digest")}
    said |= {name: None if value == OFF else value for name, value in _given(calendar=calendar, digest=digest).items()}
    if quiet:
        said["quiet"] = [] if quiet == [OFF] else quiet
    _tell(client.put(_PATH, said), as_json=as_json)


def _given(**options: str | None) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


def _tell(wishes: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(wishes, indent=1))
        return
    mine, zone = wishes["in_force"], f" ({wishes['zone']})"
    whose = "your choice" if wishes["calendar"] else "by the company's rules"
    hours = f"{mine['name']}, {whose}" if mine else "none: your time is counted around the clock"
    quiet = f"{', '.join(wishes['quiet'])}{zone}" if wishes["quiet"] else "none"
    digest = f"daily at {wishes['digest']}{zone}" if wishes["digest"] else "off: each by itself"
    for name, value in (("Calendar", hours), ("Quiet hours", quiet), ("Digest", digest)):
        Console().print(plain(f"{name:<12}{value}"))
