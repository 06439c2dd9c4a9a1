"""`commissary login`, `logout`, `whoami`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from cli.client import DEFAULT_URL, As, Client, Sessions, Url
from cli.render import moment, plain


def login(
    login: Annotated[str, typer.Argument(help="Your name in the directory.")],
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from a pipe.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Sign in with the password of the directory; the token is kept until it expires."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else typer.prompt("Password", hide_input=True)
    session = Client.sign_in(url, login, password)
    Sessions().keep(url.rstrip("/"), session["person"]["login"], session["token"])
    role = ", an operator" if session["operator"] else ""
    until = moment(session["expires_at"])
    Console().print(plain(f"Signed in as {session['person']['name']}{role}, until {until}."))


def logout(*, url: Url = DEFAULT_URL) -> None:
    """Forget the tokens kept for this server."""
    Sessions().forget(url.rstrip("/"))
    Console().print(plain(f"Signed out at {url}."))


def whoami(*, url: Url = DEFAULT_URL, login: As = None) -> None:
    """Say who is signed in."""
    import jwt  # noqa: PLC0415  it loads cryptography, which the other commands can do without

    # Only read for display; the server checks it on every call.
    claims = jwt.decode(Sessions().token(url.rstrip("/"), login), options={"verify_signature": False})
    role = ", an operator" if claims.get("operator") else ""
    Console().print(plain(f"{claims['name']} ({claims['login']}){role}, at {url}"))
