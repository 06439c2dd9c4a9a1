"""Orders before they are requests: what is sent to place or keep one, and what would become of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from api.limits import Plain, Text
from api.schemas.base import In, Login, Out, PersonOut
from api.schemas.items import shown
from api.schemas.requests import ItemRefOut, PromiseOut, RequestOut
from catalog import stage_view
from catalog.form import FieldError
from catalog.preview import Asked, Preview
from catalog.promise import Promise
from catalog.request import Cost, Order
from catalog.stages import Quorum


class OrderIn(In):
    """An order; for oneself if nobody else is named.

    Attributes:
        beneficiaries: instead of `beneficiary`, the logins of several people; there is one request for each.
        skip_ineligible: leave out those of them who may not have it, instead of taking nothing.
        follows: number of a closed request of one's own that this is a copy of.
        replaces: number of an open request whose place this one takes: of the same item, for the same person.
    """

    item: Annotated[Text, Field(min_length=1, max_length=63)]
    answers: dict[Text, Any] = {}
    beneficiary: Login | None = None
    beneficiaries: Annotated[tuple[Login, ...], Field(max_length=200)] = ()
    skip_ineligible: bool = False
    follows: Annotated[Text, Field(max_length=40)] | None = None
    replaces: Annotated[Text, Field(max_length=40)] | None = None

    @field_validator("beneficiaries")
    @classmethod
    def _or_one(cls, people: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if people and info.data.get("beneficiary"):
            raise PydanticCustomError("both", "name one 'beneficiary' or several 'beneficiaries', not both")
        return people


class DraftIn(OrderIn):
    """An order that is not finished; nothing of it is checked before it is ordered."""

    answers: Plain = {}


class DraftOut(Out):
    """An order that is not finished."""

    id: str
    item: str
    answers: dict[str, Any]
    beneficiary: str | None
    beneficiaries: tuple[str, ...]
    skip_ineligible: bool
    follows: str | None
    replaces: str | None
    updated_at: datetime


class LeftOutOut(Out):
    """Somebody for whom nothing was ordered; the answer to a repeat does not say why."""

    login: str
    why: str


class OrderedOut(RequestOut):
    """The request that an order has become, and for whom it has not."""

    left_out: tuple[LeftOutOut, ...] = ()


class CopyOut(Out):
    """An order as it can be sent to order the same again; secrets have to be given anew."""

    item: str
    answers: dict[str, Any]
    beneficiary: str | None
    beneficiaries: tuple[str, ...]
    follows: str | None


class PlannedStageOut(Out):
    """What becomes of an approval stage.

    Attributes:
        needed: false if this order does not need it.
        after: the stages that must have approved before it begins; none: it begins at once.
        auto: the rule by which it is approved without asking anybody.
        because: why it is not needed, or approved by itself.
        people: who will be asked; if it is needed and there is nobody, an operator is.
        due_at: when it is over at the latest.
        quorum: how many of those asked must approve; null where an approval expression says it: see `terms`.
        terms: how many must approve and what else holds of it, a sentence each.
    """

    id: str
    name: str
    quorum: Quorum | None
    terms: tuple[str, ...]
    needed: bool
    after: tuple[str, ...]
    auto: str
    because: str
    people: tuple[PersonOut, ...]
    due_at: datetime | None

    @classmethod
    def of(cls, asked: Asked) -> Self:
        """Return a stage as the requester sees it."""
        seen = {
            "people": asked.slate.people,
            "due_at": asked.due_at,
            "quorum": stage_view.quorum(asked.plan.stage),
            "terms": [shown(term, in_full=False) for term in asked.terms],
        }
        return cls.model_validate(dict(asked.plan.stage) | dict(asked.plan) | seen)


class PlannedOut(Out):
    """One request that an order would become; `decided_by` is when the last approval is over at the latest."""

    item: ItemRefOut
    beneficiary: PersonOut
    cost: Cost | None
    due_at: datetime
    promise: PromiseOut
    decided_by: datetime | None
    stages: tuple[PlannedStageOut, ...]
    later: tuple[str, ...] = Field(description="What is asked in the middle of the work, by its name.")

    @classmethod
    def of(cls, order: Order, planned: Preview, promise: Promise) -> Self:
        """Return what is planned for an order."""
        stages = [PlannedStageOut.of(asked) for asked in planned.stages]
        return cls.model_validate(
            {**dict(order), **dict(planned), "stages": stages, "cost": order.cost, "promise": promise}
        )


class PreviewOut(Out):
    """What would become of an order (feature row A3); `errors` is everything that is wrong with it."""

    may_be_ordered: bool
    errors: tuple[FieldError, ...] = ()
    left_out: tuple[LeftOutOut, ...] = ()
    orders: tuple[PlannedOut, ...] = ()
