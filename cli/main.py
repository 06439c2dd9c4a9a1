"""`commissary`: the commands and what an error looks like."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from cli import catalog, processes, requests, session, tasks
from cli.client import Trouble
from cli.demo import command as demo

PREFIXES = {"LdapSettings": "COMMISSARY_LDAP_", "SmtpSettings": "COMMISSARY_SMTP_"}
"""What the environment variables of a settings class begin with, where it is not COMMISSARY_."""

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
app.add_typer(tasks.app, name="task")


@app.callback(invoke_without_command=True)
def start(
    *, show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False
) -> None:
    """Order from the catalog, decide, and see what happened."""
    if show_version:
        print(version("commissary"))
        raise typer.Exit


def main() -> None:
    """Run the command line; an expected trouble is one clear message and exit code 1."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        app()
    except Trouble as trouble:
        errors.print(f"[bold red]Error:[/] {trouble.markup()}", highlight=False)
        sys.exit(1)
    except ValidationError as error:
        errors.print("[bold red]The settings are not right:[/]", highlight=False)
        for problem in error.errors(include_url=False, include_input=False):
            name = PREFIXES.get(error.title, "COMMISSARY_") + "_".join(str(part) for part in problem["loc"]).upper()
            errors.print(f"  {name if problem['loc'] else 'together'}: {problem['msg']}", highlight=False, markup=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
