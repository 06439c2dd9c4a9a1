"""What people can do about requests and tasks, in words, and the command by which they do it (feature row W1).

Who can do what is the API's business, which says it in ``can``; how a command is carried out that of `tasks` and
`requests`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TASK = "commissary task"
REQUEST = "commissary request"

_ABOUT_TASKS = {
    "decide": ("decide", f"{TASK} decide {{0}} {{1}}"),
    "ask": ("ask who ordered it", f'{TASK} ask {{0}} "QUESTION"'),
    "consult": ("ask somebody's advice", f'{TASK} consult {{0}} LOGIN "QUESTION"'),
    "add": ("have somebody approve as well", f"{TASK} add {{0}} LOGIN"),
    "reassign": ("hand it on", f"{TASK} reassign {{0}} --to LOGIN"),
    "withdraw": ("take your decision back", f"{TASK} withdraw {{0}}"),
    "remind": ("remind them", f"{TASK} remind {{0}}"),
    "answer": ("answer", f'{TASK} answer {{0}} "ANSWER"'),
    "advise": ("give your advice", f'{TASK} answer {{0}} "ADVICE"'),
    "claim": ("take it on", f"{TASK} claim {{0}}"),
    "release": ("give it back", f"{TASK} release {{0}}"),
    "complete": ("say that it is done", f"{TASK} complete {{0}}"),
    "decline": ("say that it cannot be done", f"{TASK} decline {{0}} --reason WHY"),
}
_ABOUT_REQUESTS = {
    "amend": ("change what was ordered", f"{REQUEST} amend {{0}} -a FIELD=VALUE"),
    "cancel": ("call it off", f"{REQUEST} cancel {{0}}"),
    "comment": ("say something", f'{REQUEST} comment {{0}} "TEXT"'),
}


def about_task(task: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the viewer can do about a task, and the command for it."""
    for act in task["can"]:
        words, command = _ABOUT_TASKS[act]
        # Whose decision it is has to be said by an operator, who has none to hand on.
        others = act == "reassign" and "consult" not in task["can"]
        yield words, command.format(task["id"], "|".join(task["choices"])) + (" --from LOGIN" if others else "")


def about_wait(request: dict[str, Any], waiting: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the viewer can do about one thing a request waits for, questions and advice about it included."""
    tasks = [task for task in request["tasks"] if task["decided"] is None]
    if "report" in waiting["can"]:
        yield "say that it has happened", f"{REQUEST} report {request['number']} {waiting['event']}"
    stages = {task["stage"] for task in tasks if task["id"] == waiting["task"]} - {None}
    for task in tasks:
        beside = task["stage"] in stages and task["kind"] in ("information", "advice")
        if task["id"] == waiting["task"] or beside:
            yield from about_task(task)


def about_request(request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the viewer can do about an open request as a whole."""
    can = {act for waiting in request["waiting"] for act in waiting["can"]} | set(request["you_may"])
    for act, (words, command) in _ABOUT_REQUESTS.items():
        if act in can:
            yield words, command.format(request["number"])
