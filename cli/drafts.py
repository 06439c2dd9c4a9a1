"""`commissary draft`: orders that are not finished. One is made by `commissary request order ITEM --draft`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.client import DEFAULT_URL, As, AsJson, Client, Url, at
from cli.render import draft_table, plain
from cli.requests import place

DraftId = Annotated[str, typer.Argument(help="The draft's id; see: commissary draft list.")]

app = typer.Typer(help="Keep orders that are not finished.", no_args_is_help=True)


@app.command("list")
def list_drafts(*, url: Url = DEFAULT_URL, login: As = None, as_json: AsJson = False) -> None:
    """List your drafts, the one changed last first."""
    drafts = list(Client(url, login).pages("/drafts"))
    if as_json:
        print(json.dumps(drafts, indent=1))
    else:
        Console().print(draft_table(drafts))


@app.command()
def show(draft: DraftId, *, url: Url = DEFAULT_URL, login: As = None) -> None:
    """Show what a draft says, as it would be ordered."""
    print(json.dumps(_order(Client(url, login), draft), indent=1))


@app.command()
def order(
    draft: DraftId,
    *,
    url: Url = DEFAULT_URL,
    login: As = None,
    as_json: AsJson = False,
) -> None:
    """Order what a draft says, and delete it."""
    client = Client(url, login)
    # By this key a draft is ordered once, even if deleting it fails afterwards.
    place(client, _order(client, draft), f"draft {draft}", follow=False, as_json=as_json)
    client.delete(at("drafts", draft))


@app.command()
def delete(draft: DraftId, *, url: Url = DEFAULT_URL, login: As = None) -> None:
    """Delete a draft."""
    Client(url, login).delete(at("drafts", draft))
    Console().print(plain("Deleted."))


def _order(client: Client, draft: str) -> dict[str, Any]:
    """Return the order that a draft is."""
    kept = client.get(at("drafts", draft))
    return {name: value for name, value in kept.items() if name not in ("id", "updated_at")}
