"""Items of the catalog: in the list, and in full."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field

from api.limits import Text
from api.schemas.base import In, Login, Out
from catalog import form_schema, stage_view, stage_words, wording
from catalog.duration import Span
from catalog.fields import Field as FormField
from catalog.item import CatalogItem, Entitlement, Sla
from catalog.model import digest
from catalog.people import Actor
from catalog.registry import Known
from catalog.stages import AutoApproval, Quorum, Stage, before
from catalog.steps import walk


class ItemSummaryOut(Out):
    """An item in the list."""

    id: str
    version: str
    name: str
    summary: str
    description: str
    category: str
    tags: tuple[str, ...]
    icon: str | None
    price: str = Field(description="What an order costs, in words.")

    @classmethod
    def of(cls, item: CatalogItem) -> Self:
        """Return the item as it is listed."""
        return cls.model_validate(dict(item) | {"price": wording.price(item.price)})


class StageOut(Out):
    """An approval stage of an item.

    Attributes:
        approvers: who is asked, in words.
        quorum: how many of them must approve; null where an approval expression says it: see `terms`.
        decide_within: how long they have; clock time in ISO 8601, working time in words.
        deadline: how long they have and what happens then, in words.
        terms: how many must approve and what else holds of it, a sentence each.
        after: the stages that must have approved before it begins; none: it begins at once.
        conditional: whether some orders do without it, or without asking anybody.
        when, auto_approve: under which conditions; only for operators and the item's owner, because who knows a
            threshold can order just below it.
    """

    id: str
    name: str
    approvers: str
    quorum: Quorum | None
    decide_within: Span
    deadline: str
    terms: tuple[str, ...]
    after: tuple[str, ...]
    conditional: bool
    when: bool | str | None = None
    auto_approve: tuple[AutoApproval, ...] | None = None

    @classmethod
    def of(cls, stage: Stage, after: tuple[str, ...], words: wording.Words, *, in_full: bool) -> Self:
        """Return a stage, in full with its conditions."""
        seen = {
            "approvers": shown(stage_words.people(stage.rules, words), in_full=in_full),
            "deadline": shown(words.deadline(stage), in_full=in_full),
            "quorum": stage_view.quorum(stage),
            "terms": [shown(term, in_full=in_full) for term in words.terms(stage)],
            "after": after,
            "conditional": stage.when is not True or bool(stage.auto_approve),
            "when": stage.when if in_full else None,
            "auto_approve": stage.auto_approve if in_full else None,
        }
        return cls.model_validate(dict(stage) | seen)


def shown(text: str, *, in_full: bool) -> str:
    """Return what is said of a stage, without its formulas unless it is shown in full."""
    return text if in_full else wording.without_formulas(text)


class ItemOut(ItemSummaryOut):
    """An item with what it asks, who decides, what is done, and whether the viewer may have it."""

    owner: str
    lifecycle: str
    successor: str | None
    form: tuple[FormField, ...]
    form_schema: dict[str, Any] = Field(
        serialization_alias="schema",
        description="JSON Schema (2020-12) of the answers; `x-commissary` says how each field is drawn.",
    )
    approvals: tuple[StageOut, ...]
    steps: tuple[str, ...] = Field(description="What is done once it is approved, in words.")
    irreversible: tuple[str, ...] = Field(description="What of it cannot be taken back, and why.")
    entitlement: Entitlement | None
    sla: Sla
    digest: str
    may_order: bool = Field(description="Whether the viewer may order it for themselves, as far as rules ask people.")
    why_not: tuple[str, ...]

    @classmethod
    def seen_by(cls, item: CatalogItem, known: Known, viewer: Actor, why_not: tuple[str, ...]) -> Self:
        """Return the item as it is shown to somebody who may not order it for these reasons, if there are any."""
        words = wording.Words(item, known)
        in_full = viewer.operator or viewer.person.login.casefold() == item.owner.casefold()
        steps = [step for _, step in walk(item.steps)]
        stages = [(stage, before(item.approvals)[stage.id]) for stage in item.approvals]
        done = [words.step(step) for step in steps] or [f"Order {line.item}" for line in item.lines]
        seen = {
            "price": wording.price(item.price),
            "form_schema": form_schema.schema(item.form),
            "approvals": [StageOut.of(*stage, words, in_full=in_full) for stage in stages],
            "steps": done or [words.workflow()],
            "irreversible": [why for step in steps if (why := getattr(step, "irreversible", ""))],
            "digest": digest(item),
            "may_order": not why_not,
            "why_not": why_not,
        }
        return cls.model_validate(dict(item) | seen)


class ChoicesQueryIn(In):
    """What is looked for among the choices of a field, and for whom it is; for oneself if nobody is named."""

    search: Annotated[Text, Field(max_length=100)] = ""
    beneficiary: Login | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
