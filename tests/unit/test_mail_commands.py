"""Every command that a mail tells people to run is one that the command line has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from catalog import mail
from cli.main import app


def told(template: Path) -> Iterator[str]:
    """Yield the commands of a template, in whatever branch, with a value wherever one is filled in."""
    text = re.sub(r"{%.*?%}", "", template.read_text(encoding="utf-8"))
    yield from re.findall(r"\bcommissary\b.*", re.sub(r"{{.*?}}", "VALUE", text))


TOLD = [
    pytest.param(line, id=f"{template.stem}: {line}")
    for template in sorted(mail._TEMPLATES.glob("*.txt"))
    for line in told(template)
]


def parse(line: str) -> None:
    """Take a command line apart as the command line itself does, without running anything."""
    command: Any = typer.main.get_command(app)
    rest = shlex.split(line)
    context = command.make_context(rest.pop(0), rest)
    while isinstance(command, TyperGroup):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)


def test_mails_tell_people_to_run_commands() -> None:
    assert len(TOLD) > len(list(mail._TEMPLATES.glob("*.txt")))


@pytest.mark.parametrize("line", TOLD)
def test_a_command_in_a_mail_is_one_there_is(line: str) -> None:
    parse(line)


@pytest.mark.parametrize(
    "line",
    [
        'commissary task advise REQ-1001.1 "..."',
        "commissary task decide REQ-1001.1",
        'commissary task decide REQ-1001.1 reject --because "..."',
        "commissary requests show REQ-1001",
    ],
)
def test_a_command_that_there_is_not_would_be_found(line: str) -> None:
    with pytest.raises(Exception, match=r"No such|Missing"):
        parse(line)
