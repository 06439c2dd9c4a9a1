"""The base of every value the platform passes around, and its digest.

Nothing here knows what a request is. Values are frozen; unknown fields are ignored when a value is read
back from a history or a database (a newer or older release may have written it), and forbidden where people
write them (the loader and the HTTP models validate with ``extra="forbid"``).
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Slug = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_-]{0,62}$",
        description="lower-case letters, digits, '-' and '_', beginning with a letter, 63 characters at most",
    ),
]
"""An id: lower-case letters, digits, ``-`` and ``_``, starting with a letter, 63 characters at most."""


class Misplaced(ValueError):
    """Something wrong inside of what a validator was given; `place` leads there from it."""

    def __init__(self, message: str, place: tuple[str | int, ...]) -> None:
        super().__init__(message)
        self.place = place


class Model(BaseModel):
    """A frozen value that ignores fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def canonical(value: Model | dict[str, Any]) -> bytes:
    """Return the one byte form of a value: sorted keys, no spaces, UTF-8.

    Fields that hold their default are left out, so a field added later with a default leaves the digests
    of everything written before as they were.
    """
    plain = value.model_dump(mode="json", exclude_defaults=True) if isinstance(value, Model) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def digest(value: Model | dict[str, Any]) -> str:
    """Return ``sha256:<hex>`` of the canonical form of a value."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
