"""What is handed in before the order that it belongs to: files and secrets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.limits import Text
from api.schemas.base import In, Out
from catalog.fields import MAX_TEXT


class UploadOut(Out):
    """A file that was uploaded; answer an attachment field with its `id`."""

    id: str
    name: str
    media_type: str
    size: int
    digest: str


class SecretIn(In):
    """Something that nobody may read on its way."""

    value: Annotated[Text, Field(min_length=1, max_length=MAX_TEXT, repr=False)]


class SecretOut(Out):
    """A secret that was taken; answer a secret field with this very object."""

    secret: str
