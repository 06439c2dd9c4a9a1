"""`commissary catalog`: what can be ordered, and the kit of those who write it."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from catalog.text import paragraphs
from cli.client import DEFAULT_URL, As, AsJson, Client, Url, at
from cli.kit import diff, docs, graph, lint, new, preview, schema, simulate
from cli.render import field_table, plain, stages

app = typer.Typer(help="See what can be ordered; write, check and preview items.", no_args_is_help=True)
_KIT = "For authors (offline)"
for name, command in (
    ("new", new.new),
    ("lint", lint.lint),
    ("preview", preview.preview_order),
    ("simulate", simulate.simulate),
    ("graph", graph.graph),
    ("diff", diff.diff),
    ("docs", docs.docs),
    ("schema", schema.schema),
):
    app.command(name, rich_help_panel=_KIT)(command)


@app.command("list")
def list_items(*, url: Url = DEFAULT_URL, login: As = None, as_json: AsJson = False) -> None:
    """List the items of the catalog."""
    items = list(Client(url, login).pages("/catalog/items"))
    if as_json:
        print(json.dumps(items, indent=1))
        return
    table = Table("Item", "Name", "Category", "What you get", box=None, pad_edge=False)
    for item in items:
        what = item["summary"] or item["description"]
        table.add_row(*(plain(text) for text in (item["id"], item["name"], item["category"], what)))
    Console().print(table)


@app.command()
def show(
    item: Annotated[str, typer.Argument(help="The item's id.")],
    *,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """Show what an item asks and who decides."""
    from rich.markdown import Markdown  # noqa: PLC0415  it loads a parser, which the other commands can do without

    found = Client(url, login).get(at("catalog", "items", item))
    if as_json:
        print(json.dumps(found, indent=1))
        return
    console = Console()
    console.print(plain(found["name"]), plain(f"{found['version']}  {found['summary']}"))
    console.print(Markdown(paragraphs(found["description"]), hyperlinks=False))
    console.print(field_table(found["form"]))
    console.print(stages(found["approvals"]))
