"""`commissary task`: what waits for you; deciding it, what is done before deciding, or doing it."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.answers import collect, send
from cli.client import DEFAULT_URL, As, AsJson, Client, Trouble, Url, at
from cli.render import plain, task_panel, task_table

TaskId = Annotated[str, typer.Argument(help="The task's id, for example REQ-1001.1.")]
Key = Annotated[str | None, typer.Option(help="Idempotency key: doing it again with it changes nothing.")]
Person = Annotated[str, typer.Argument(help="Their login.")]
Why = Annotated[str, typer.Option("--reason", "-r", help="Why; goes on record.")]


class Sort(StrEnum):
    """How the tasks that wait for somebody are sorted."""

    DUE = "due"
    AGE = "age"
    ITEM = "item"
    COST = "cost"
    RISK = "risk"


class Whose(StrEnum):
    """Which of them: asked in one's own right, of these as one of a group, delegated to one, or all."""

    MINE = "mine"
    GROUP = "group"
    DELEGATED = "delegated"
    ALL = "all"


app = typer.Typer(help="See what waits for you; decide it, or do it.", no_args_is_help=True)


@app.command("list")
def list_tasks(
    *,
    closed: Annotated[bool, typer.Option("--closed", help="Those that were decided, newest first.")] = False,
    sort: Annotated[Sort, typer.Option(help="By when they are due, by age, by item, or the dearest first.")] = Sort.DUE,
    whose: Annotated[
        Whose,
        typer.Option(
            help="Those you are asked in your own right; of these, those that any of your group may do and nobody has "
            "taken; those delegated to you; or all."
        ),
    ] = Whose.ALL,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose time is over.")] = False,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks that wait for you."""
    wanted = {"state": "closed" if closed else "open", "sort": sort.value, "whose": whose.value}
    tasks = list(Client(url, login).pages("/tasks", **wanted, overdue=True if overdue else None))
    if as_json:
        print(json.dumps(tasks, indent=1))
    else:
        Console().print(task_table(tasks, closed=closed))


@app.command()
def show(task: TaskId, *, url: Url = DEFAULT_URL, login: As = None, as_json: AsJson = False) -> None:
    """Show a task: how it is done, what it asks for, and who has it."""
    client = Client(url, login)
    found = client.get(at("tasks", task))
    if as_json:
        print(json.dumps(found, indent=1))
        return
    Console().print(task_panel(found, _access(client, found)))


def _access(client: Client, task: dict[str, Any]) -> dict[str, Any] | str | None:
    """Return what access an open approval is about; why not, in words, if that cannot be had: it hides no task."""
    if not task["context"] or task["decided"]:
        return None
    try:
        return client.get(at("tasks", task["id"], "access"))
    except Trouble as trouble:
        return str(trouble)


@app.command()
def decide(
    tasks: Annotated[list[str], typer.Argument(help="The task's id, for example REQ-1001.1, or several.")],
    choice: Annotated[str, typer.Argument(help="approve or reject; for operators retry, skip or cancel.")],
    *,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; needed unless you approve or retry.")] = "",
    given: Annotated[
        list[str] | None,
        typer.Option("--answer", "-a", help="FIELD=VALUE of what you approve less of, where you may."),
    ] = None,
    key: Key = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Decide a task, or several in one go: then each is decided for itself."""
    client = Client(url, login)
    said: dict[str, Any] = {"choice": choice, "reason": reason}
    if len(tasks) > 1 and given:
        raise Trouble("-a is for one task at a time")
    if len(tasks) > 1:
        _decide_all(client, [{"task": task} | said for task in tasks], key)
        return
    (task,) = tasks
    if given:
        form = client.get(at("tasks", task))["may_reduce"]
        said |= {"answers": send(client, form, collect(form, given, ask=False))}
    _done(client.post(at("tasks", task, "decision"), said, key))


def _decide_all(client: Client, decisions: list[dict[str, Any]], key: str | None) -> None:
    """Decide several tasks, and say of each what came of it.

    Raises:
        Trouble: some could not be decided.
    """
    items = client.post("/tasks/decisions", {"decisions": decisions}, key)["items"]
    for one in items:
        if one["entry"]:
            Console().print(plain(f"{one['task']}: {one['entry']['text']}."))
    failed = [one for one in items if one["problem"]]
    if failed:
        details = tuple(f"{one['task']}: {one['problem']['detail']}" for one in failed)
        raise Trouble(f"{len(failed)} of {len(items)} could not be decided:", details)


@app.command()
def withdraw(task: TaskId, *, reason: Why = "", key: Key = None, url: Url = DEFAULT_URL, login: As = None) -> None:
    """Take your decision back, to think again, while others are awaited."""
    _done(Client(url, login).post(at("tasks", task, "withdrawal"), {"reason": reason}, key))


@app.command()
def reassign(
    task: TaskId,
    *,
    to: Annotated[str, typer.Option("--to", help="Login of who is to decide instead.")],
    instead_of: Annotated[
        str | None, typer.Option("--from", help="Login of whose decision it was, if it is not yours; for operators.")
    ] = None,
    reason: Why = "",
    key: Key = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Have somebody else decide instead."""
    body = {"to": to, "reason": reason} | ({"from": instead_of} if instead_of else {})
    _done(Client(url, login).post(at("tasks", task, "reassignment"), body, key))


@app.command()
def add(
    task: TaskId, person: Person, *, reason: Why = "", key: Key = None, url: Url = DEFAULT_URL, login: As = None
) -> None:
    """Want somebody else to approve as well."""
    _done(Client(url, login).post(at("tasks", task, "approvers"), {"person": person, "reason": reason}, key))


@app.command()
def consult(
    task: TaskId,
    person: Person,
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    *,
    key: Key = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Ask somebody's advice before you decide; it binds nobody."""
    _done(Client(url, login).post(at("tasks", task, "advice"), {"person": person, "question": question}, key))


@app.command()
def ask(
    task: TaskId,
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    *,
    key: Key = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Ask who ordered it before you decide; your time stands still until they answer."""
    _done(Client(url, login).post(at("tasks", task, "question"), {"text": question}, key))


@app.command()
def answer(
    task: TaskId,
    text: Annotated[str, typer.Argument(help="The answer, or the advice.")],
    *,
    key: Key = None,
    url: Url = DEFAULT_URL,
    login: As = None,
) -> None:
    """Answer what you were asked about an order, or give the advice you were asked for."""
    _done(Client(url, login).post(at("tasks", task, "answer"), {"text": text}, key))


@app.command()
def remind(task: TaskId, *, key: Key = None, url: Url = DEFAULT_URL, login: As = None) -> None:
    """Remind those who have not decided; once a day."""
    _done(Client(url, login).post(at("tasks", task, "reminder"), {}, key))


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
