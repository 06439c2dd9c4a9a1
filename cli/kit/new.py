"""`commissary catalog new`: the first draft of an item, its scenarios and its guide; it lints clean as it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from catalog.item import CatalogItem
from catalog.loader import read
from catalog.model import Slug
from cli.client import Trouble
from cli.kit import schema
from cli.kit.scaffold import SCHEMA_FILE, Kind, Plan, files
from cli.kit.shelf import SHIPPED, Catalogs

_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


def new(
    item: Annotated[str | None, typer.Argument(help="Id of the new item, for example wiki-editor.")] = None,
    *,
    kind: Annotated[
        Kind | None, typer.Option(help="access: a place in a group; steps: a runbook; bundle: other items.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What people see.")] = None,
    owner: Annotated[str | None, typer.Option(help="Login of who answers for it.")] = None,
    category: Annotated[str | None, typer.Option(help="Where it stands in the list.")] = None,
    group: Annotated[str | None, typer.Option(help="Directory group that it gives a place in.")] = None,
    lines: Annotated[list[str] | None, typer.Option("--line", help="Id of an item of the bundle; repeat it.")] = None,
    catalogs: Catalogs = None,
) -> None:
    """Write the first draft of an item, scenarios of it and a guide; what is not given is asked at a terminal."""
    ident = _checked(item or _ask("Id (lower-case, for ever)", None))
    chosen = kind or Kind(_ask("Kind: access, steps or bundle", Kind.ACCESS))
    label = name or _ask("Name", ident.replace("-", " ").capitalize())
    answers_for = owner or _ask("Owner (login)", None)
    shelf = category or _ask("Category", "General")
    directory = (catalogs or [Path("items")])[0]
    plan = Plan(chosen, ident, label, answers_for, shelf)
    if chosen is Kind.BUNDLE:
        asked = lines or _ask("Items of the bundle (ids, separated by spaces)", None).split()
        plan = plan._replace(parts=_parts(asked, directory))
    else:
        plan = plan._replace(group=group or _ask("Group", ident))
    _write(directory, ident, files(plan) | {SCHEMA_FILE: schema.text()})


def _ask(question: str, proposal: str | None) -> str:
    """Return what is typed at a terminal; elsewhere the proposal, if there is one."""
    if sys.stdin.isatty():
        return str(typer.prompt(question, default=proposal))
    if proposal is None:
        raise Trouble(f"Something is missing and this is no terminal to ask at: {question}. See: catalog new --help.")
    return proposal


def _checked(ident: str) -> str:
    try:
        return _SLUG.validate_python(ident)
    except ValidationError as error:
        near = re.sub(r"[^a-z0-9_-]+", "-", ident.lower()).strip("-_0123456789")
        raise Trouble(
            f"{ident!r} cannot be an id: write lower-case letters, digits, '-' and '_'.",
            (f"for example: {near}",) if near else (),
        ) from error


def _parts(ids: Sequence[str], directory: Path) -> list[CatalogItem]:
    """Return the items that a bundle is made of."""
    there = read([directory if directory.is_dir() else SHIPPED]).items
    unknown = [name for name in ids if name not in there]
    if unknown or not ids:
        known = ", ".join(sorted(there)) or "none yet"
        raise Trouble(f"A bundle is made of items of the same catalog; it has: {known}.", tuple(unknown))
    return [there[name].value for name in dict.fromkeys(ids)]


def _write(directory: Path, ident: str, texts: dict[str, str]) -> None:
    standing = [name for name in texts if name != SCHEMA_FILE and (directory / name).exists()]
    if standing:
        raise Trouble(f"{directory / standing[0]} is there already. Choose another id, or remove it first.")
    for name, text in texts.items():
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Trouble(
                f"{path} cannot be written: {error.strerror}. Choose another directory with --catalog."
            ) from error
        print(f"Wrote {path}")
    print(f"Next: edit {directory / ident}.yaml, then: commissary catalog lint {directory}")
