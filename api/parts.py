"""The parts of the API process, and how a route gets at them and at the person who asks.

Parts are put together in `wiring`; a test puts fakes in their place.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from anyio import from_thread
from fastapi import Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from activities.approvers import Company
from activities.connectors.sealed import SealedSecrets
from activities.intake import Desk
from activities.ports import Directory
from activities.sources import Sources
from api.announcer import Announcer
from api.auth import Clock, SignInLimit, Tokens
from api.commands import Commands
from api.gateway import Gateway
from api.problems import Unauthenticated
from api.shelf import Shelf
from api.sweeper import Sweeper
from catalog.choices import Choices, ChoicesQuery
from catalog.people import Actor
from catalog.registry import Known
from records.register import Register

CLI_AGENT = "commissary-cli/"
"""How the User-Agent of the command line begins; that is how the record knows by which road a command came."""


def utc_now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


@dataclass
class Parts:
    """What the API is made of; those without a default come from outside.

    Attributes:
        known: what items may name.
        secrets: where secrets of orders are kept.
        secret: the key that signs tokens.
        operators_group: the directory group whose members are operators.
        token_lifetime: how long a token is good for.
    """

    register: Register
    directory: Directory
    gateway: Gateway
    shelf: Shelf
    known: Known
    secrets: SealedSecrets
    secret: str = field(repr=False)
    operators_group: str
    token_lifetime: timedelta = timedelta(hours=1)
    clock: Clock = utc_now

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.secret, self.token_lifetime, self.clock)
        self.sign_in_limit = SignInLimit(self.clock)
        self.commands = Commands(self.register, self.gateway, self.sources, self.clock)
        self.sweeper = Sweeper(self.register, self.gateway, self.clock)
        self.announcer = Announcer(self.register, self.gateway, self.clock)
        self.desk = Desk(
            register=self.register,
            directory=self.directory,
            company=Company(delegations=self.register, calendars=self.register),
            choose=self.choose,
            known=self.known,
            offers=self.shelf.offers,
        )

    def sources(self) -> Sources:
        """Return what the things that answers name are looked up in, for one order or one piece of evidence."""
        return Sources(self.directory, self.choose, self.register)

    def choose(self, query: ChoicesQuery) -> Choices:
        """Ask a provider, through a worker; to be called in a thread of the server's pool.

        Raises:
            ChoicesUnavailable: nobody answered.
        """
        return from_thread.run(self.gateway.choices, query)


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsIn = Annotated[Parts, Depends(_parts)]

_bearer = HTTPBearer(auto_error=False, description="The token of POST /api/v1/session.")


async def _signed_in(
    parts: PartsIn,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    user_agent: Annotated[str, Header(include_in_schema=False)] = "",
) -> Actor:
    if credentials is None:
        raise Unauthenticated("Send the token of POST /api/v1/session as: Authorization: Bearer TOKEN.")
    channel: Literal["api", "cli"] = "cli" if user_agent.startswith(CLI_AGENT) else "api"
    return parts.tokens.read(credentials.credentials, channel)


Viewer = Annotated[Actor, Depends(_signed_in)]
"""Who asks."""

_KEY = r"^[ -~]{1,200}$"

Key = Annotated[
    str,
    Header(alias="Idempotency-Key", pattern=_KEY, description="Makes a repeat safe; your own, up to 200 characters."),
]
OptionalKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=_KEY, description="Makes a repeat safe; your own, up to 200 characters."),
]


def tagged(request: Request, body: BaseModel, digest: str | None = None) -> Response:
    """Return the body with an ETag, or 304 if the client has just that (RFC 9110, section 13.1.2)."""
    content = body.model_dump_json(by_alias=True).encode()
    etag = f'"{digest or hashlib.sha256(content).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)
