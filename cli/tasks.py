"""`commissary task`: what waits for you, and deciding it."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from cli.client import DEFAULT_URL, As, AsJson, Client, Url, at
from cli.render import plain, task_table

app = typer.Typer(help="See what waits for you, and decide.", no_args_is_help=True)


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
def decide(
    task: Annotated[str, typer.Argument(help="The task's id, for example REQ-1001.1.")],
    choice: Annotated[str, typer.Argument(help="approve or reject; for operators retry, skip or cancel.")],
    *,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; needed unless you approve or retry.")] = "",
    key: Annotated[str | None, typer.Option(help="Idempotency key: deciding again with it changes nothing.")] = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Decide a task."""
    answer = Client(url, login).post(at("tasks", task, "decision"), {"choice": choice, "reason": reason}, key)
    request = answer["request"]
    now = request["outcome"] or request["status"]
    Console().print(plain(f"{answer['entry']['text']}. {request['number']}: {now}."))
