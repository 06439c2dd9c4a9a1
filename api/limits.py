"""Limits on what is read from a client: the length of a body, and characters that no text needs.

What a field may hold beyond that is said where the field is declared.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import Request
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import BodyTooLarge, Invalid
from catalog.fields import MAX_FILE
from catalog.form import FieldError, has_control_characters

MAX_BODY = 1024 * 1024
"""Bytes of a request's body."""

MAX_SIGN_IN = 16 * 1024
"""Bytes of the body of a sign-in, which anybody may send: checking it must cost next to nothing."""

_LIMITS = {"/api/v1/session": MAX_SIGN_IN, "/api/v1/files": MAX_FILE}
"""Addresses with a limit of their own."""

MAX_DEPTH = 32
"""How deeply plain JSON of a client may be nested."""


class BodyLimit:
    """ASGI middleware: refuse a body over its limit, by its declared length or as it comes in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = _LIMITS.get(scope["path"], MAX_BODY)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            await BodyTooLarge(_too_large(limit)).response()(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _too_large(limit: int) -> str:
    return f"The body is longer than {limit} bytes."


def _counted(receive: Receive, limit: int) -> Receive:
    """Return `receive`, stopping at the limit with the one exception that FastAPI lets through while it reads."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return counted


async def clean_address(request: Request) -> None:
    """Refuse control characters in the path and the query; as a dependency of every route.

    Raises:
        Invalid: there are some.
    """
    query = request.query_params.multi_items()
    texts = [("path", request.scope["path"]), *((name, name + value) for name, value in query)]
    bad = [name for name, text in texts if has_control_characters(text)]
    if bad:
        errors = [
            FieldError(field=name[:80], code="characters", message="Remove the control characters.") for name in bad
        ]
        raise Invalid("The address holds control characters.", errors=errors)


def _clean(text: str) -> str:
    if has_control_characters(text):
        raise PydanticCustomError("characters", "the text holds control characters")
    return text


Text = Annotated[str, AfterValidator(_clean)]
"""A string of a body, without control characters (other than tab and line ends) and lone surrogates."""


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    _check_plain(value, depth=0)
    return value


def _check_plain(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise PydanticCustomError("depth", "this is nested too deeply")
    match value:
        case str():
            _clean(value)
        case float() if not math.isfinite(value):
            raise PydanticCustomError("number", "NaN and Infinity are no numbers of JSON")
        case dict() | list():
            for one in (*value, *value.values()) if isinstance(value, dict) else value:
                _check_plain(one, depth + 1)


Plain = Annotated[dict[str, Any], AfterValidator(_plain)]
"""A JSON object of a body that can be kept and passed on as it is, whatever is in it."""
