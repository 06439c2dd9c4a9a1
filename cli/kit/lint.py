"""`commissary catalog lint`: what is wrong with the items, for people, scripts and code review."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from catalog import lint as linter
from catalog.lint import Almanac
from catalog.loader import Reading, read, read_file
from catalog.scenario import ScenarioFile
from catalog.sketch import Company
from catalog.source import Finding
from catalog.text import one_line
from cli.kit import people as sketches
from cli.kit.shelf import Catalogs, Database, NoSuchThing, directories, known, register

_COLOURS = {"error": "bold red", "warning": "yellow"}


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def lint(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Directories or files, of items or scenarios; the catalog if not given.")
    ] = None,
    *,
    form: Annotated[Format, typer.Option("--format", "-f", help="For people, scripts, or code review.")] = Format.TEXT,
    people: Annotated[
        Path | None,
        typer.Option(help="YAML file of people and groups; scenarios/company.yaml beside the items if not given."),
    ] = None,
    database_url: Database = None,
    catalogs: Catalogs = None,
) -> None:
    """Say what is wrong with the items, where and what to do; exit 1 if there are errors."""
    asked = paths or directories(catalogs)
    missing = [path for path in asked if not path.exists()]
    if missing:
        raise NoSuchThing(f"There is no {missing[0]}. Name a directory of items, or a file.")
    stories = [file for path in asked for file in _scenario_files(path)]
    catalog = [path for path in asked if path not in stories and not _holds_scenarios(path)]
    reading = read(list(dict.fromkeys(path if path.is_dir() else path.parent for path in catalog)))
    _refuse_unread([path for path in catalog if path.is_file()], reading)
    company, source = _company(people, catalog)
    findings = [one for one in _of_items(reading, company, database_url) if _is_asked(one, reading, catalog)]
    findings += [problem for file in stories for problem in read_file(file, _model_of(file))[1]]
    match form:
        case Format.JSON:
            print(json.dumps(linter.as_json(findings), indent=1))
        case Format.SARIF:
            print(json.dumps(linter.as_sarif(findings), indent=1))
        case Format.TEXT:
            files = [file for file in reading.files if any(_within(file, path) for path in catalog)]
            _tell(findings, len(files) + len(stories), source)
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def _scenario_files(path: Path) -> list[Path]:
    """Return the scenario files that a path stands for; none if it is about items."""
    if path.is_dir():
        return sorted(path.glob("*.yaml")) if path.name == sketches.FOLDER else []
    return [path] if _holds_scenarios(path) else []


def _holds_scenarios(path: Path) -> bool:
    """Return whether a path is a folder of scenarios or a file of it, or a file that says it holds some."""
    if path.is_dir():
        return path.name == sketches.FOLDER
    if path.suffix != ".yaml":
        return False
    return (
        path.parent.name == sketches.FOLDER or re.search(rb"^scenarios:", path.read_bytes(), re.MULTILINE) is not None
    )


def _model_of(file: Path) -> type[ScenarioFile | Company]:
    return Company if file.name == sketches.FILE else ScenarioFile


def _refuse_unread(files: Sequence[Path], reading: Reading) -> None:
    """Raise NoSuchThing for a file that is named and would not be read."""
    for file in files:
        if str(file) not in reading.files:
            raise NoSuchThing(f"{file} is not read: items are the files of a directory that end in .yaml. Rename it.")


def _company(people: Path | None, paths: Sequence[Path]) -> tuple[Company | None, str]:
    """Return who there is, and where that stands; nobody knows if not every directory says so."""
    if people is not None:
        return sketches.company(people), str(people)
    folders = list(dict.fromkeys(path if path.is_dir() else path.parent for path in paths))
    return sketches.beside(folders)


def _of_items(reading: Reading, company: Company | None, database_url: str | None) -> tuple[Finding, ...]:
    published = _published(database_url, reading) if database_url else {}
    return linter.lint(reading, known(), published, company, _almanac(reading))


def _almanac(reading: Reading) -> Almanac:
    """Return the day, and what is known of the holidays of each calendar; a union has none of its own."""
    today = datetime.now(UTC).date()
    files = {name: loaded.value for name, loaded in reading.calendars.items() if loaded.value.holidays}
    if not files:
        return Almanac(today, {})
    from activities.calendars import worked_out  # noqa: PLC0415  slow to load, and most catalogs need none

    return Almanac(today, worked_out(files, today))


def _published(url: str, reading: Reading) -> dict[tuple[str, str], str]:
    """Return the digests of what was published of these items, by id and version."""
    with register(url) as opened:
        return {(name, one.item.version): one.digest for name in reading.items for one in opened.versions(name)}


def _is_asked(finding: Finding, reading: Reading, asked: Sequence[Path]) -> bool:
    files = [finding.file, *(reading.items[name].file for name in finding.items)]
    return any(_within(file, path) for file in files for path in asked)


def _within(file: str, path: Path) -> bool:
    """Return whether a file was asked for: by its name, or as part of a directory (its policies may stand beside)."""
    return path.is_dir() or Path(file) == path


def _tell(findings: Sequence[Finding], files: int, people: str) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for file, found in groupby(sorted(findings, key=lambda one: (one.file, one.line or 0)), lambda one: one.file):
        console.print(Text(one_line(file), style="bold underline"))
        for finding in found:
            console.print(_line(finding))
        console.print()
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    counted = f"{_many(errors, 'error')}, {_many(warnings, 'warning')} in {_many(files, 'file')}."
    asked = f" Owners, groups and roles: {one_line(people)}." if people else ""
    style = "bold red" if errors else "yellow" if warnings else "green"
    summary = counted if findings else f"Nothing is wrong in {_many(files, 'file')}."
    console.print(Text(f"{summary}{asked}", style=style))


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
