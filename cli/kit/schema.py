"""`commissary catalog schema`: the JSON Schemas of what authors write, for editors."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from catalog.schema import Kind, file_schema
from cli.kit.shelf import Out, write


def text(kind: Kind = Kind.ITEM) -> str:
    """Return the schema of a kind of file as a file's content."""
    return json.dumps(file_schema(kind), indent=1, ensure_ascii=False) + "\n"


def schema(
    *, kind: Annotated[Kind, typer.Option("--kind", "-k", help="Which files it is for.")] = Kind.ITEM, out: Out = None
) -> None:
    """Write the JSON Schema of a kind of file: completion and errors in editors that know YAML."""
    write(text(kind), out)
