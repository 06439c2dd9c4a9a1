"""`commissary delegate`: let somebody decide in your place while you are away (feature row A8)."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console

from catalog.text import one_line
from cli.client import DEFAULT_URL, As, AsJson, Client, Trouble, Url, at
from cli.render import delegation_set, delegation_table, plain

app = typer.Typer(help="Let somebody decide in your place while you are away.", no_args_is_help=True)

_AMOUNT = re.compile(r"(\d[\d_]*(?:\.\d+)?)\s*([A-Za-z]{3})")


@app.command("set")
def set_delegation(
    *,
    to: Annotated[str, typer.Option("--to", help="Login of who may decide in your place.")],
    until: Annotated[
        str,
        typer.Option("--until", help="The last day, 2027-01-06, or a moment, 2027-01-06T12:00; in your time zone."),
    ],
    begins: Annotated[str | None, typer.Option("--from", help="The first day, or a moment; now if not given.")] = None,
    items: Annotated[
        list[str] | None, typer.Option("--item", help="Only this item; repeat it for several.", show_default=False)
    ] = None,
    categories: Annotated[
        list[str] | None, typer.Option("--category", help="Only this category; repeat it for several.")
    ] = None,
    up_to: Annotated[str | None, typer.Option(help='Only what costs no more in its first year: "5000 EUR".')] = None,
    reason: Annotated[str, typer.Option(help="Why; both of you are told.")] = "",
    person: Annotated[
        str | None, typer.Option("--for", help="Login of whose decisions they are; operators only.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: setting it again with it sets nothing new.")] = None,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody decide in your place; they are also asked about what already waits for you.

    You keep the right to decide yourself. Without --item and --category it is about everything.
    """
    scope: dict[str, Any] = {"items": items or [], "categories": categories or []}
    if up_to is not None:
        scope["up_to"] = _amount(up_to)
    body: dict[str, Any] = {"delegate": to, "ends": _moment("--until", until, last=True), "scope": scope}
    body |= {"reason": reason} if reason else {}
    body |= {"begins": _moment("--from", begins)} if begins else {}
    body |= {"person": person} if person else {}
    answer = Client(url, login).post("/delegations", body, key)
    if as_json:
        print(json.dumps(answer, indent=1))
    else:
        Console().print(delegation_set(answer))


@app.command("list")
def list_delegations(
    *,
    past: Annotated[bool, typer.Option("--past", help="Those that are over or were withdrawn.")] = False,
    everybody: Annotated[bool, typer.Option("--all", help="Those of all people; for operators.")] = False,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """List what you have delegated and what was delegated to you, newest first."""
    state = "closed" if past else "open"
    found = list(Client(url, login).pages("/delegations", state=state, all=True if everybody else None))
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        Console().print(delegation_table(found, past=past))


@app.command()
def withdraw(
    delegation: Annotated[str, typer.Argument(help="The delegation's id; see: commissary delegate list.")],
    *,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Withdraw a delegation; what was decided in your place stays decided."""
    Client(url, login).delete(at("delegations", delegation))
    Console().print(plain("Withdrawn."))


def _moment(option: str, said: str, *, last: bool = False) -> str:
    """Return a day or a moment as the API takes it; a day is taken from its beginning, as the last one to its end.

    Raises:
        Trouble: it is neither.
    """
    try:
        day = _day(said)
        moment = datetime.fromisoformat(said) if day is None else datetime.combine(day + timedelta(days=last), time())
        return (moment if moment.tzinfo else moment.astimezone()).isoformat()
    except (ValueError, OverflowError):
        written = "a day like 2027-01-06 or a moment like 2027-01-06T12:00"
        raise Trouble(f"{option} {one_line(said)}: write {written}") from None


def _day(said: str) -> date | None:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return None


def _amount(said: str) -> dict[str, str]:
    """Return an amount as the API takes it.

    Raises:
        Trouble: it is not written as one.
    """
    found = _AMOUNT.fullmatch(said.strip())
    if found is None:
        raise Trouble(f'--up-to {one_line(said)}: write it as AMOUNT CURRENCY, for example "5000 EUR"')
    return {"amount": found[1].replace("_", ""), "currency": found[2].upper()}
