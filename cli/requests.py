"""`commissary request`: order, look, cancel, comment, report events, and check the record."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import Field, TypeAdapter, ValidationError
from rich.console import Console, RenderableType
from rich.live import Live

from catalog import journal
from catalog.text import one_line
from cli import clocks
from cli.answers import collect, send
from cli.client import DEFAULT_URL, As, AsJson, Client, Trouble, Url, at
from cli.render import ordered, plain, preview_panel, request_panel, request_table

app = typer.Typer(help="Order, and see what became of it.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="The request's number, for example REQ-1001.")]
FOLLOW_EVERY = 1.0
_JOURNAL = TypeAdapter(Annotated[list[journal.Entry], Field(min_length=1)])


@app.command()
def order(
    item: Annotated[str, typer.Argument(help="The item's id; see: commissary catalog list.")],
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--answer",
            "-a",
            help="FIELD=VALUE; repeat it for each answer, and for each entry of a list. Lists and rows may be JSON; "
            "@FILE for a file to attach, or that holds a secret.",
        ),
    ] = None,
    *,
    answers: Annotated[Path | None, typer.Option(help="A file of answers, YAML or JSON; -a comes on top.")] = None,
    people: Annotated[
        list[str] | None, typer.Option("--for", help="Login of who is to have it; repeat it for several people.")
    ] = None,
    skip: Annotated[
        bool, typer.Option("--skip-ineligible", help="Of several people, leave out who may not have it.")
    ] = False,
    replaces: Annotated[
        str | None,
        typer.Option(help="Number of your open request for the same that this one is to take the place of."),
    ] = None,
    preview: Annotated[bool, typer.Option(help="Only say what would become of it.")] = False,
    draft: Annotated[bool, typer.Option(help="Keep it as a draft instead of ordering it.")] = False,
    key: Annotated[str | None, typer.Option(help="Idempotency key: ordering again with it orders nothing new.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Then watch the request.")] = False,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """Order an item; what is not given is asked if this is a terminal."""
    client = Client(url, login)
    form = client.get(at("catalog", "items", item))["form"]
    body: dict[str, Any] = {"item": item, "answers": send(client, form, collect(form, given or [], answers))}
    body |= _for(people or []) | ({"skip_ineligible": True} if skip else {})
    body |= {"replaces": replaces} if replaces else {}
    if preview:
        _print(client.post("/requests/preview", body), preview_panel, as_json=as_json)
    elif draft:
        _print(client.post("/drafts", body), lambda kept: plain(f"Kept as draft {kept['id']}."), as_json=as_json)
    else:
        place(client, body, key, follow=follow, as_json=as_json)


def _for(people: list[str]) -> dict[str, Any]:
    """Return whom an order is for, as the API takes it."""
    match people:
        case []:
            return {}
        case [one]:
            return {"beneficiary": one}
        case _:
            return {"beneficiaries": people}


def place(client: Client, body: dict[str, Any], key: str | None, *, follow: bool, as_json: bool) -> None:
    """Order, and say what it has become."""
    request = client.post("/requests", body, key)
    if follow and not as_json:
        _follow(client, request["number"])
    else:
        _print(request, ordered, as_json=as_json)


def _print(answer: dict[str, Any], shown: Callable[[dict[str, Any]], RenderableType], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer, indent=1))
    else:
        Console().print(shown(answer))


@app.command("list")
def list_requests(
    *,
    state: Annotated[str | None, typer.Option(help="open or closed; both if not given.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Those of all people; for operators.")] = False,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """List the requests by you or for you, newest first."""
    requests = list(Client(url, login).pages("/requests", state=state, all=True if everybody else None))
    if as_json:
        print(json.dumps(requests, indent=1))
    else:
        Console().print(request_table(requests))


@app.command()
def show(
    number: Number,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay and show every change until it closes.")] = False,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """Show where a request stands, what it waits for and what has happened."""
    client = Client(url, login)
    if follow:
        _follow(client, number)
        return
    if as_json:
        print(json.dumps({"request": _request(client, number), "journal": _journal(client, number)}, indent=1))
    else:
        Console().print(_panel(client, _request(client, number)))


def _request(client: Client, number: str) -> dict[str, Any]:
    return client.get(at("requests", number))


def _journal(client: Client, number: str) -> list[dict[str, Any]]:
    return list(client.pages(at("requests", number, "journal")))


def _panel(client: Client, request: dict[str, Any]) -> RenderableType:
    """Return a request as it is shown; the clocks of one that is closed have ended."""
    number = request["number"]
    running = [] if request["status"] == "closed" else clocks.running(client.get(at("requests", number, "clocks")))
    return request_panel(request, _journal(client, number), running)


def _follow(client: Client, number: str) -> None:
    """Show a request until it closes; an interruption ends the watching, not the request."""
    pause = threading.Event()
    request = _request(client, number)
    with Live(_panel(client, request), console=Console(), auto_refresh=False) as live:
        try:
            while request["status"] != "closed":
                pause.wait(FOLLOW_EVERY)
                request = _request(client, number)
                live.update(_panel(client, request), refresh=True)
        except KeyboardInterrupt:
            return


@app.command("clocks")
def show_clocks(
    number: Number,
    *,
    current: Annotated[
        bool, typer.Option("--current", help="By the clocks its item has now, instead of those it was ordered with.")
    ] = False,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """Show how long a request has taken, by when it should have, why it was late, and who held it how long."""
    found = Client(url, login).get(at("requests", number, "clocks"), definition="current" if current else None)
    _print(found, clocks.clocks_page, as_json=as_json)


@app.command()
def cancel(
    number: Number,
    *,
    reason: Annotated[str, typer.Option(help="Why; goes on record.")] = "",
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Call a request off; what was done for it is undone."""
    answer = Client(url, login).post(at("requests", number, "cancel"), {"reason": reason})
    now = answer["request"]["outcome"] or "being undone"
    Console().print(plain(f"{answer['entry']['text']}. {number} is {now}."))


@app.command()
def amend(
    number: Number,
    given: Annotated[
        list[str] | None,
        typer.Option("--answer", "-a", help="FIELD=VALUE of what is another now; FIELD= takes an answer away."),
    ] = None,
    *,
    answers: Annotated[Path | None, typer.Option(help="A file of answers, YAML or JSON; -a comes on top.")] = None,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; who decides reads it.")] = "",
    key: Annotated[str | None, typer.Option(help="Idempotency key: doing it again with it changes nothing.")] = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Change what you ordered while it is being approved; who decides on what has changed is asked again."""
    client = Client(url, login)
    item = client.get(at("requests", number))["item"]["id"]
    form = client.get(at("catalog", "items", item))["form"]
    changed = send(client, form, collect(form, given or [], answers, ask=False))
    answer = client.post(at("requests", number, "amendment"), {"answers": changed, "reason": reason}, key)
    Console().print(plain(f"{answer['entry']['text']}."))


@app.command()
def comment(
    number: Number,
    text: Annotated[str, typer.Argument(help="What to say.")],
    *,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Say something on the record of a request."""
    answer = Client(url, login).post(at("requests", number, "comments"), {"text": text})
    Console().print(plain(answer["entry"]["text"]))


@app.command()
def report(
    number: Number,
    event: Annotated[str, typer.Argument(help="The event's name, as the item has it.")],
    data: Annotated[
        list[str] | None,
        typer.Option("--data", "-d", help="NAME=VALUE; the value is read as JSON if it is JSON, else as text."),
    ] = None,
    *,
    key: Annotated[str | None, typer.Option(help="Idempotency key: reporting again with it changes nothing.")] = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Report that something happened that a request waits for; for operators."""
    body = {"data": dict(_datum(pair) for pair in data or [])}
    answer = Client(url, login).post(at("requests", number, "events", event), body, key)
    Console().print(plain(answer["entry"]["text"]))


def _datum(pair: str) -> tuple[str, Any]:
    name, separator, value = pair.partition("=")
    if not separator:
        raise Trouble(f"--data {one_line(pair)}: write it as NAME=VALUE")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


@app.command()
def export(
    number: Number,
    file: Annotated[Path, typer.Argument(help="Where to write it, as JSON.")],
    *,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Write a request's journal into a file that `verify` can check anywhere."""
    entries = list(Client(url, login).pages(at("requests", number, "journal")))
    try:
        file.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise Trouble(f"{file} cannot be written: {error.strerror}") from error
    Console().print(plain(f"Wrote {len(entries)} entries to {file}."))


@app.command()
def verify(
    what: Annotated[str, typer.Argument(help="A request's number, or a file that `export` wrote.")],
    *,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Check that a journal is whole: nothing changed, removed or put in since it was written."""
    entries, last = _exported(Path(what)), None
    if entries is None:
        client = Client(url, login)
        last = client.get(at("requests", what))["seq"]
        entries = _entries(what, list(client.pages(at("requests", what, "journal"))))
    faults = journal.verify(entries, last=last)
    if faults:
        raise Trouble(f"The journal of {what} is not whole:", tuple(faults))
    Console().print(plain(f"The journal of {what} is whole: {len(entries)} entries, each continuing the one before."))


def _exported(path: Path) -> list[journal.Entry] | None:
    """Return the journal in a file that `export` wrote; None if there is no such file."""
    try:
        return _entries(str(path), json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Trouble(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON
        raise Trouble(f"{path} is no journal that `commissary request export` wrote") from error


def _entries(what: str, plain_entries: Any) -> list[journal.Entry]:
    try:
        return _JOURNAL.validate_python(plain_entries)
    except ValidationError as error:
        raise Trouble(f"{what} is no journal that `commissary request export` wrote") from error
