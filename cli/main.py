"""`commissary`: the commands and what an error looks like."""

from __future__ import annotations

import gc
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli import calendars, catalog, delegations, drafts, me, processes, requests, session, tasks
from cli.client import Trouble
from cli.demo import command as demo

app = typer.Typer(
    name="commissary",
    help="Order from the catalog, decide, and see what happened.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo.demo)
app.command()(processes.worker)
app.command()(processes.api)
app.command()(processes.migrate)
app.command()(session.login)
app.command()(session.logout)
app.command()(session.whoami)
app.add_typer(catalog.app, name="catalog")
app.add_typer(requests.app, name="request")
app.add_typer(drafts.app, name="draft")
app.add_typer(tasks.app, name="task")
app.add_typer(delegations.app, name="delegate")
app.add_typer(calendars.app, name="calendar")
app.add_typer(me.app, name="me")


@app.callback(invoke_without_command=True)
def start(
    *, show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    """Order from the catalog, decide, and see what happened."""
    if show_version:
        print(version("commissary"))
        raise typer.Exit


def main() -> None:
    """Run the command line; an expected trouble is one clear message and an exit code."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        app()
    except Trouble as trouble:
        errors.print(Text.assemble(("Error: ", "bold red"), trouble.text()))
        sys.exit(trouble.exit_code)
    finally:
        # All memory goes with the process; looking for garbage in it first, as Python does, takes up to half a second.
        gc.freeze()


if __name__ == "__main__":
    main()
