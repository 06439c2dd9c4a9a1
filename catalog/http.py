"""One HTTP request that a step sends, and what came back. How it is sent is the connector's business."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from catalog.access import Observed
from catalog.model import Model, Slug


class HttpCall(Model):
    """A request to send.

    Attributes:
        body: plain JSON; None sends no body.
        credential: the name of a credential that the worker knows; never the secret itself.
        expect: the statuses that mean success.
        idempotency_key: the same for every try of the same call, so that the target can tell them from new ones.
    """

    model_config = ConfigDict(extra="forbid")

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Annotated[str, Field(max_length=2_000)]
    headers: dict[str, str] = {}
    body: Any = None
    credential: Slug | None = None
    expect: tuple[Annotated[int, Field(ge=100, le=599)], ...] = (200, 201, 202, 204)
    idempotency_key: Annotated[str, Field(max_length=255)] = ""


class HttpAnswer(Observed):
    """What came back.

    Attributes:
        status: the status code, one of those that were expected.
        body: the parsed JSON, or else the text.
    """

    status: int
    body: Any = None
