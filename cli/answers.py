"""Answers as people type them, made into what the API takes: of an item's form or of a task's evidence.

Whether they are right is the server's decision. Files are uploaded and secrets handed in on the way; a secret is never
read from the command line, where other users of the machine could see it.
"""

from __future__ import annotations

import json
import mimetypes
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from catalog import source
from catalog.text import one_line
from cli.client import Client, Trouble

Form = Sequence[Mapping[str, Any]]

LISTS = ("multi_choice", "people", "attachment", "rows")
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


def collect(form: Form, pairs: Sequence[str], file: Path | None = None, *, ask: bool = True) -> dict[str, Any]:
    """Return what was answered: in a file, then by ``FIELD=VALUE``, then, at a terminal, to what is still asked.

    With `ask` false nothing is asked: only what is given changes.

    Raises:
        Trouble: a pair or the file cannot be read.
    """
    kinds = {field["id"]: field["type"] for field in form}
    answers = _in_file(file) if file else {}
    typed: dict[str, Any] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator:
            raise Trouble(f"--answer {one_line(pair)}: write it as FIELD=VALUE")
        if kinds.get(name) == "secret" and not value.startswith("@"):
            raise Trouble(f"{name} is secret: leave it out to be asked for it, or write {name}=@FILE")
        if kinds.get(name) in LISTS:
            typed[name] = [*typed.get(name, []), *_entries(name, value)]
        else:
            typed[name] = value
    answers |= typed
    if ask and sys.stdin.isatty():
        answers |= {field["id"]: value for field in form if field["id"] not in answers and (value := _asked(field))}
    return answers


def send(client: Client, form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers as the API takes them; their files are uploaded and their secrets handed in.

    Raises:
        Trouble: a file cannot be read, or the server refuses one.
    """
    fields = {field["id"]: field for field in form}
    return {name: _sent(client, fields[name], value) if name in fields else value for name, value in answers.items()}


def _in_file(file: Path) -> dict[str, Any]:
    read = source.parse(_content(file).decode("utf-8", errors="replace"))
    if read.faults or not isinstance(read.data, dict):
        faults = [source.finding(str(file), fault, read.positions) for fault in read.faults]
        raise Trouble(f"{file} holds no answers; write 'field: value' in it.", tuple(str(fault) for fault in faults))
    return read.data


def _entries(name: str, value: str) -> list[Any]:
    """Return one entry of an answer that is a list, or several written as JSON."""
    if not value.startswith(("[", "{")):
        return [value]
    try:
        entries = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Trouble(f"{name}: this is no JSON ({error}); write one entry, or a JSON list") from error
    return entries if isinstance(entries, list) else [entries]


def _asked(field: Mapping[str, Any]) -> Any:
    """Return what the user answers to a field; nothing to leave it to the server what stands there."""
    if field["visible"] is False or field["read_only"] is not False or field["type"] == "rows":
        return None
    choices = field.get("choices") or (["yes", "no"] if field["type"] == "yes_no" else [])
    hint = f" [{' | '.join(choices)}]" if choices else " (a file)" if field["type"] == "attachment" else ""
    may_be_left = field["required"] is not True or field["visible"] is not True or field["default"] is not None
    question = one_line(field["label"] + hint + (" (may be left empty)" if may_be_left else ""))
    secret = field["type"] == "secret"
    value = typer.prompt(question, default="" if may_be_left else None, show_default=False, hide_input=secret)
    if field["type"] in LISTS and value:
        return [f"@{value}" if field["type"] == "attachment" else value]
    return value


def _sent(client: Client, field: Mapping[str, Any], value: Any) -> Any:
    """Return one answer as the API takes it; what is no answer is left for the server to refuse."""
    match field["type"]:
        case "yes_no" if isinstance(value, str):
            return _YES_NO.get(value.lower(), value)
        case "integer" if isinstance(value, str):
            return int(value) if value.removeprefix("-").isdecimal() and len(value) < MAX_DIGITS else value
        case "secret" if isinstance(value, str):
            return client.post("/secrets", {"value": _secret(value)})
        case "attachment" if isinstance(value, list):
            return [_uploaded(client, one) for one in value]
        case "rows" if isinstance(value, list):
            return [send(client, field["fields"], row) if isinstance(row, dict) else row for row in value]
        case _:
            return value


MAX_DIGITS = 20
"""No form takes a longer number."""


def _secret(value: str) -> str:
    if not value.startswith("@"):
        return value
    return _content(Path(value[1:])).decode("utf-8", errors="replace").removesuffix("\n")


def _uploaded(client: Client, value: Any) -> Any:
    """Return the id of the upload of ``@FILE``; anything else is one already."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    file = Path(value[1:])
    kind, packed = mimetypes.guess_type(file.name)
    return client.upload(file.name, _content(file), (kind if not packed else None) or "application/octet-stream")["id"]


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}") from error
