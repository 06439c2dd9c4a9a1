"""What the bodies of all subjects share: their strictness, people, pages and moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.limits import Text
from workflows.messages import MAX_REASON

T = TypeVar("T")

Cursor = Annotated[int | None, Field(ge=0, le=2**63 - 1, description="`next` of the part before.")]

Limit = Annotated[int, Field(ge=1, le=200, description="Length of the part.")]

Login = Annotated[Text, Field(min_length=1, max_length=128)]

Reason = Annotated[Text, Field(max_length=MAX_REASON)]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "there is no such time in UTC") from None


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant, with its offset from UTC."""


class In(BaseModel):
    """What a client sends: a field that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Out(BaseModel):
    """What is sent, made from the attributes of a value."""

    model_config = ConfigDict(from_attributes=True)


class PersonOut(Out):
    """A person as others see them."""

    id: str
    login: str
    name: str


class PageOut(BaseModel, Generic[T]):
    """A part of a list; `next` is the cursor of the part after it, null at the end."""

    items: list[T]
    next: int | None = None
