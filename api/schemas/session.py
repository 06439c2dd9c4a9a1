"""Signing in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.limits import Text
from api.schemas.base import In, Out, PersonOut


class SessionIn(In):
    """A sign-in."""

    login: Annotated[Text, Field(min_length=1, max_length=128)]
    password: Annotated[Text, Field(max_length=1_024, repr=False)]


class SessionOut(Out):
    """A token and whom it speaks for."""

    token: str
    expires_at: datetime
    person: PersonOut
    operator: bool
