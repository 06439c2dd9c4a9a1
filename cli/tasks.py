"""`commissary task`: what waits for you; deciding it, or doing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.answers import collect, send
from cli.client import DEFAULT_URL, As, AsJson, Client, Url, at
from cli.render import plain, task_panel, task_table

TaskId = Annotated[str, typer.Argument(help="The task's id, for example REQ-1001.1.")]
Key = Annotated[str | None, typer.Option(help="Idempotency key: doing it again with it changes nothing.")]

app = typer.Typer(help="See what waits for you; decide it, or do it.", no_args_is_help=True)


@app.command("list")
def list_tasks(
    *,
    closed: Annotated[bool, typer.Option("--closed", help="Those that were decided.")] = False,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks that wait for you, newest first."""
    tasks = list(Client(url, login).pages("/tasks", state="closed" if closed else "open"))
    if as_json:
        print(json.dumps(tasks, indent=1))
    else:
        Console().print(task_table(tasks, closed=closed))


@app.command()
def show(task: TaskId, *, url: Url = DEFAULT_URL, login: As = None, as_json: AsJson = False) -> None:
    """Show a task: how it is done, what it asks for, and who has it."""
    found = Client(url, login).get(at("tasks", task))
    if as_json:
        print(json.dumps(found, indent=1))
    else:
        Console().print(task_panel(found))


@app.command()
def decide(
    task: TaskId,
    choice: Annotated[str, typer.Argument(help="approve or reject; for operators retry, skip or cancel.")],
    *,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; needed unless you approve or retry.")] = "",
    key: Key = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Decide a task."""
    _done(Client(url, login).post(at("tasks", task, "decision"), {"choice": choice, "reason": reason}, key))


@app.command()
def claim(task: TaskId, *, key: Key = None, url: Url = DEFAULT_URL, login: As = None) -> None:
    """Take a piece of work on."""
    _done(Client(url, login).post(at("tasks", task, "claim"), {}, key))


@app.command()
def release(task: TaskId, *, key: Key = None, url: Url = DEFAULT_URL, login: As = None) -> None:
    """Give a piece of work back, so that another can take it."""
    _done(Client(url, login).post(at("tasks", task, "release"), {}, key))


@app.command()
def complete(
    task: TaskId,
    given: Annotated[
        list[str] | None,
        typer.Option("--answer", "-a", help="FIELD=VALUE of what it asks for; as with: commissary request order."),
    ] = None,
    *,
    answers: Annotated[Path | None, typer.Option(help="A file of answers, YAML or JSON; -a comes on top.")] = None,
    key: Key = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Say that a piece of work is done, with what it asks for; what is not given is asked if this is a terminal."""
    client = Client(url, login)
    form = client.get(at("tasks", task))["evidence"]
    evidence = send(client, form, collect(form, given or [], answers))
    _done(client.post(at("tasks", task, "complete"), {"answers": evidence}, key))


@app.command()
def decline(
    task: TaskId,
    *,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; an operator is asked how to go on.")],
    key: Key = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Say that a piece of work cannot be done."""
    _done(Client(url, login).post(at("tasks", task, "decline"), {"reason": reason}, key))


def _done(answer: dict[str, Any]) -> None:
    request = answer["request"]
    now = request["outcome"] or request["status"]
    Console().print(plain(f"{answer['entry']['text']}. {request['number']}: {now}."))
