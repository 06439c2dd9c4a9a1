"""`commissary catalog simulate`: plays the scenarios of items through weeks of human life in seconds."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer
from rich.console import Console

from cli.client import AsJson, Trouble
from cli.kit.shelf import Catalogs, NoSuchThing, directories, file_of


def simulate(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of items, files of items or scenarios, directories; the catalog if not given."),
    ] = None,
    *,
    only: Annotated[str, typer.Option("--only", "-k", help="Only scenarios whose item and name hold this text.")] = "",
    trace: Annotated[bool, typer.Option("--trace", help="Show every attempt of an activity.")] = False,
    brief: Annotated[bool, typer.Option("--brief", "-b", help="Show verdicts without timelines.")] = False,
    as_json: AsJson = False,
    catalogs: Catalogs = None,
) -> None:
    """Play scenarios with the real workflows and say what came of them; exit 1 if anything is not as expected."""
    # The workflow engine takes a second to load, which the other commands can do without.
    from cli.kit.simulation import Simulator, Verdict, chosen, read_stories, telling  # noqa: PLC0415  see above

    asked = [file_of(name, catalogs) for name in names] if names else directories(catalogs)
    missing = [path for path in asked if not path.exists()]
    if missing:
        raise NoSuchThing(f"There is no {missing[0]}. Name an item, a file of scenarios or a directory.")
    began = time.monotonic()
    reading = read_stories(asked)
    if reading.problems:
        raise Trouble("The scenarios cannot be played:", tuple(str(problem) for problem in reading.problems))
    stories = chosen(reading.stories, only)
    if not stories:
        raise NoSuchThing("There is no such scenario. Scenarios stand in scenarios/<item>.yaml beside the items.")
    progress = Console(stderr=True).status(f"0 of {len(stories)} scenarios played")
    done: list[Verdict] = []

    def note(verdict: Verdict) -> None:
        done.append(verdict)
        progress.update(f"{len(done)} of {len(stories)} scenarios played")

    with progress, Simulator() as simulator:
        verdicts = simulator.run(stories, note)
    if as_json:
        print(json.dumps([verdict.as_json() for verdict in verdicts], indent=1))
    else:
        console = Console(soft_wrap=True, highlight=False)
        for line in telling.report(verdicts, time.monotonic() - began, timelines=not brief, trace=trace):
            console.print(line)
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(1)
