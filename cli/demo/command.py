"""`commissary demo`: its options. What it does is in `run`, which loads servers that other commands do not need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop after the story; exit 0 if it ended well.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what earlier runs left, start over.")] = False,
    data: Annotated[Path, typer.Option(help="Folder for the demo's data.")] = Path("var/demo"),
    items: Annotated[
        Path | None,
        typer.Option(
            "--catalog",
            "-c",
            help="Folder of items of your own, offered beside the shipped ones; items/ in the data if not given.",
        ),
    ] = None,
    api_port: Annotated[int, typer.Option(help="Port of the API.")] = 8000,
    engine_port: Annotated[int, typer.Option(help="Port of the workflow engine.")] = 7233,
    engine_ui_port: Annotated[int, typer.Option(help="Port of the workflow engine's web page.")] = 8233,
    ldap_port: Annotated[int, typer.Option(help="Port of the embedded directory.")] = 3890,
    mail_port: Annotated[int, typer.Option(help="Port of the mail sink.")] = 2525,
) -> None:
    """Start everything on this machine, watch one order travel, and stay up to try things.

    Nothing but this Python environment is needed: the workflow engine, a directory of a fictional company, a mail
    sink, the worker and the API run as one process tree on 127.0.0.1. Ctrl-C stops them all.
    """
    from cli.demo.run import Demo, Ports, run  # noqa: PLC0415  see above

    ports = Ports(api_port, engine_port, engine_ui_port, ldap_port, mail_port)
    run(Demo(data.resolve(), (items or data / "items").resolve(), ports), once=once, reset=reset)
