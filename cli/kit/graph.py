"""`commissary catalog graph`: the picture of an item."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from catalog import graph as graphs
from catalog.picture import svg
from cli.kit.shelf import Catalogs, ItemName, Out, beside, find, known, write


class Format(StrEnum):
    """How the picture is written."""

    SVG = "svg"
    MERMAID = "mermaid"


def graph(
    item: ItemName,
    *,
    form: Annotated[Format, typer.Option("--format", "-f", help="A picture, or text for Mermaid.")] = Format.SVG,
    out: Out = None,
    catalogs: Catalogs = None,
) -> None:
    """Draw an item: form, approvals, steps, deadlines, and the way back when it goes wrong."""
    names = {name: other.name for name, other in beside(item, catalogs).items()}
    drawn = graphs.graph(find(item, catalogs), known(), names)
    write(svg(drawn) if form is Format.SVG else graphs.mermaid(drawn), out)
