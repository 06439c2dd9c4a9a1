"""`commissary catalog`: what can be ordered."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.client import DEFAULT_URL, As, AsJson, Client, Url, at
from cli.render import plain

app = typer.Typer(help="See what can be ordered.", no_args_is_help=True)


@app.command("list")
def list_items(*, url: Url = DEFAULT_URL, login: As = None, as_json: AsJson = False) -> None:
    """List the items of the catalog."""
    items = list(Client(url, login).pages("/catalog/items"))
    if as_json:
        print(json.dumps(items, indent=1))
        return
    table = Table("Item", "Name", "Category", "What you get", box=None, pad_edge=False)
    for item in items:
        table.add_row(*(plain(item[name]) for name in ("id", "name", "category", "description")))
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
    found = Client(url, login).get(at("catalog", "items", item))
    if as_json:
        print(json.dumps(found, indent=1))
        return
    console = Console()
    console.print(plain(found["name"]), plain(f"{found['version']}  {found['description']}"))
    fields = Table("Answer", "Type", "Question", box=None, pad_edge=False)
    for field in found["form"]:
        kind = " | ".join(field["choices"]) if field["type"] == "choice" else field["type"].replace("_", "/")
        need = "" if field["required"] else " (optional)"
        lines = [field["label"] + need, *([field["help"]] if field["help"] else [])]
        fields.add_row(plain(field["id"]), plain(kind), Text("\n").join(plain(line) for line in lines))
    console.print(fields)
    stages = " → ".join(stage["name"] for stage in found["approvals"]) or "nobody"
    console.print(plain(f"Decided by: {stages}"))
