"""`commissary catalog diff`: what a new version changes, in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from catalog.diff import Changes, changes
from catalog.item import CatalogItem
from catalog.loader import read
from catalog.registry import Known
from catalog.text import one_line
from cli.client import AsJson
from cli.kit.shelf import NoSuchThing, item_of, known

AUDIENCES = {
    "requesters": "For those who order",
    "approvers": "For those who decide",
    "fulfillers": "For those who do the work",
    "authors": "For those who keep it",
}


def diff(
    old: Annotated[Path, typer.Argument(help="The earlier version: a file, or a directory of items.")],
    new: Annotated[Path, typer.Argument(help="The later version: a file, or a directory of items.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say in words what a new version changes, and for whom."""
    before, now = _items(old), _items(new)
    if old.is_file() and new.is_file():  # two files are two versions of one item, whatever their ids
        name = next(iter(now))
        before = {name: next(iter(before.values()))}
    registered = known()
    told = {name: _told(before.get(name), now.get(name), registered) for name in sorted({*before, *now})}
    told = {name: change for name, change in told.items() if change}
    if as_json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        _tell(told, {**before, **now})


def _items(path: Path) -> dict[str, CatalogItem]:
    if not path.exists():
        raise NoSuchThing(f"There is no {path}. Name a file or a directory of items.")
    if path.is_file():
        item = item_of(path)
        return {item.id: item}
    reading = read([path])
    if reading.problems:
        raise NoSuchThing(f"{path} cannot be compared:", tuple(map(str, reading.problems)))
    return {name: loaded.value for name, loaded in reading.items.items()}


def _told(before: CatalogItem | None, now: CatalogItem | None, registered: Known) -> dict[str, Any]:
    if before is None:
        return Changes(requesters=("It is new.",)).model_dump(mode="json", exclude_defaults=True)
    if now is None:
        return Changes(requesters=("It is gone.",)).model_dump(mode="json", exclude_defaults=True)
    return changes(before, now, registered).model_dump(mode="json", exclude_defaults=True)


def _tell(told: dict[str, dict[str, Any]], items: dict[str, CatalogItem]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if not told:
        console.print("Nothing changes.")
    for name, change in told.items():
        console.print(Text.assemble((one_line(items[name].name), "bold"), (f"  {name}", "dim")))
        for audience, title in AUDIENCES.items():
            sentences = change.get(audience, ())
            if sentences:
                console.print(Text(f"  {title}", style="cyan"))
            for sentence in sentences:
                console.print(Text(f"    • {one_line(sentence)}"))
        console.print()
