"""`commissary catalog lint`: what is wrong with the items, for people, scripts and code review."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from catalog import lint as linter
from catalog.loader import Reading, read
from catalog.source import Finding
from catalog.text import one_line
from cli.kit.shelf import Catalogs, Database, NoSuchThing, directories, known, register

_COLOURS = {"error": "bold red", "warning": "yellow"}


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def lint(
    paths: Annotated[list[Path] | None, typer.Argument(help="Directories or files; the catalog if not given.")] = None,
    *,
    form: Annotated[Format, typer.Option("--format", "-f", help="For people, scripts, or code review.")] = Format.TEXT,
    database_url: Database = None,
    catalogs: Catalogs = None,
) -> None:
    """Say what is wrong with the items, where and what to do; exit 1 if there are errors."""
    asked = paths or directories(catalogs)
    missing = [path for path in asked if not path.exists()]
    if missing:
        raise NoSuchThing(f"There is no {missing[0]}. Name a directory of items, or a file.")
    reading = read(list(dict.fromkeys(path if path.is_dir() else path.parent for path in asked)))
    published = _published(database_url, reading) if database_url else {}
    findings = [one for one in linter.lint(reading, known(), published) if _is_asked(one, asked)]
    match form:
        case Format.JSON:
            print(json.dumps(linter.as_json(findings), indent=1))
        case Format.SARIF:
            print(json.dumps(linter.as_sarif(findings), indent=1))
        case Format.TEXT:
            files = [file for file in reading.files if any(_within(file, path) for path in asked)]
            _tell(findings, len(files))
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def _published(url: str, reading: Reading) -> dict[tuple[str, str], str]:
    """Return the digests of what was published of these items, by id and version."""
    with register(url) as opened:
        return {(name, one.item.version): one.digest for name in reading.items for one in opened.versions(name)}


def _is_asked(finding: Finding, asked: Sequence[Path]) -> bool:
    return any(_within(finding.file, path) for path in asked)


def _within(file: str, path: Path) -> bool:
    """Return whether a file was asked for: by its name, or as part of a directory (its policies may stand beside)."""
    return path.is_dir() or Path(file) == path


def _tell(findings: Sequence[Finding], files: int) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for file, found in groupby(sorted(findings, key=lambda one: (one.file, one.line or 0)), lambda one: one.file):
        console.print(Text(one_line(file), style="bold underline"))
        for finding in found:
            console.print(_line(finding))
        console.print()
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    counted = f"{_many(errors, 'error')}, {_many(warnings, 'warning')} in {_many(files, 'file')}."
    style = "bold red" if errors else "yellow" if warnings else "green"
    console.print(Text(counted if findings else f"Nothing is wrong in {_many(files, 'file')}.", style=style))


def _line(finding: Finding) -> Text:
    where = one_line(finding.where)
    path = f"{one_line(finding.path)}: " if finding.path else ""
    return Text.assemble(
        "  ",
        (where, "cyan"),
        "  ",
        (finding.severity, _COLOURS[finding.severity]),
        "  ",
        (path, "bold"),
        f"{one_line(finding.message)}. ",
        (one_line(finding.remedy), "italic"),
        (f"  [{finding.rule}]", "dim"),
    )


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
