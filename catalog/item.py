"""A catalog item: an immutable, versioned definition of something a person may order (feature row C1).

It says what is asked, who may have it, what it costs, who approves, what fulfils it and what the person then has. A
request keeps the whole item and its digest, so an edited file never changes a request that runs. How files are read
is `loader`'s business, what makes a definition unwise `lint`'s; here stands only what can be written at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, model_validator
from pydantic import Field as Constrained

from catalog import steps as steps_
from catalog.data import Data, When
from catalog.duration import Duration
from catalog.fields import Currency, Field, RowsField
from catalog.model import Misplaced, Model, Slug
from catalog.priority import Priority
from catalog.sla_spec import ClockSpec
from catalog.stages import MOST_STAGES, GroupName, Stage, check_stages
from catalog.steps import Step, Text

Place = tuple[str | int, ...]

Version = Annotated[
    str,
    Constrained(
        pattern=r"^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$",
        description="three numbers, for example 1.0.0",
    ),
]
"""A version, ``MAJOR.MINOR.PATCH`` (semver.org 2.0.0, without pre-releases)."""

Icon = Literal[
    "access", "badge", "calendar", "cloud", "computer", "document", "group", "key", "mail", "money", "network",
    "person", "phone", "shield", "tools", "travel",
]  # fmt: skip


Risk = Literal["low", "medium", "high"]
"""How much harm it does if an order is approved that should not have been."""


class Entitlement(Model):
    """What the beneficiary has in the end: a place in a directory group."""

    group: GroupName


class Sla(Model):
    """The promise: fulfilled within `target` of the order."""

    target: Duration


class AudienceRule(Model):
    """A rule of who may see or have an item, which can say why not (feature row C7).

    Attributes:
        id: stands in the journal and in errors.
        when: the condition that must hold.
        why_not: what somebody is told for whom it does not.
    """

    id: Slug
    when: When
    why_not: Text


class OrderFor(Model):
    """Who may order the item for whom (feature row C5).

    Attributes:
        oneself: whether one may order it for oneself.
        others: whether the requester may order it for a given beneficiary; true lets everybody.
        why_not: what they are told otherwise.
        at_most: how many beneficiaries one order may name.
    """

    oneself: bool = True
    others: When = True
    why_not: Text = ""
    at_most: Annotated[int, Constrained(ge=1, le=200)] = 50


def _amount(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


Amount = Annotated[Data, BeforeValidator(_amount), Constrained(json_schema_extra={"type": ["string", "number"]})]
"""A sum of money: a number, or ``{{ … }}`` that gives one."""


class Price(Model):
    """What an order costs (feature row C8); evaluated when it is placed, and kept.

    Attributes:
        one_off: once.
        recurring: again and again, each `every`.
        currency: of both; needed unless the item is free.
        cost_centre: where it is charged, if the item decides that.
    """

    one_off: Amount = None
    recurring: Amount = None
    every: Literal["month", "year"] = "month"
    currency: Currency | None = None
    cost_centre: Text | None = None


class CrossCheck(Model):
    """A rule over several answers, with its own message (feature row C3).

    Attributes:
        check: the condition that must hold.
        message: what the requester is told if it does not.
        at: the field it is shown at.
    """

    check: When
    message: Text
    at: Slug | None = None


class Notification(Model):
    """A message of the item's own, beside those that every request sends (feature row N2)."""

    on: Literal["opened", "approved", "closed"]
    to: Annotated[tuple[Text, ...], Constrained(min_length=1)]
    subject: Text
    text: Text
    when: When = True


class CancelPolicy(Model):
    """Who may call a request off, and how long.

    Attributes:
        by: who, besides the operators.
        until: ``end``: as long as it is not closed; ``fulfilment``: until the first effect begins.
        reason: whether a reason is needed.
    """

    by: tuple[Literal["requester", "beneficiary"], ...] = ("requester", "beneficiary")
    until: Literal["end", "fulfilment"] = "end"
    reason: bool = False


class Line(Model):
    """One part of a bundle: another item, ordered together with the others (feature row C6).

    Attributes:
        id: unique within the bundle.
        item: id of the item.
        answers: its answers; may use the bundle's own as ``form``, and ``results.<line>``.
        after: the lines that must be fulfilled first.
        when: whether this order needs the line at all.
    """

    id: Slug
    item: Slug
    answers: dict[str, Data] = {}
    after: tuple[Slug, ...] = ()
    when: When = True


class CatalogItem(Model):
    """A definition people can order from.

    Attributes:
        id: stable across versions.
        version: semver; a change of the content asks for a new one.
        summary: one sentence for lists.
        description: what one gets, in Markdown.
        owner: login of the person who answers for the item.
        risk: how much harm a wrong approval does; conditions can depend on it, and lint asks more of what is not low
            (feature rows A3, A14, A17).
        lifecycle: ``draft``: checked but not offered; ``retired``: no longer offered, see `successor`.
        visibility: who sees it; all rules must hold of the viewer (``requester``).
        eligibility: who may have it; all rules must hold of the ``beneficiary``.
        checks: rules over several answers.
        approval_policy: name of the shared policy that `approvals` were taken from.
        duplicates: whether a second open order of the same beneficiary is refused; those count as the same whose
            answers to `distinct_by` are equal (feature row C12).
        clocks: what is measured of its orders, beside the promise (feature row S1).
        priority: how its orders get one; without it they have none.
        workflow: the registered workflow type that fulfils it, with its `parameters`; or `steps`; or `lines`.
    """

    id: Slug
    version: Version
    name: Annotated[str, Constrained(min_length=1, max_length=120)]
    summary: Annotated[str, Constrained(max_length=200)] = ""
    description: str
    category: str
    tags: tuple[Slug, ...] = ()
    icon: Icon | None = None
    owner: str
    risk: Risk = "medium"
    lifecycle: Literal["draft", "published", "retired"] = "published"
    successor: Slug | None = None
    visibility: tuple[AudienceRule, ...] = ()
    eligibility: tuple[AudienceRule, ...] = ()
    order_for: OrderFor = OrderFor()
    duplicates: Literal["refuse", "allow"] = "refuse"
    distinct_by: tuple[Slug, ...] = ()
    price: Price | None = None
    form: tuple[Field, ...] = ()
    checks: tuple[CrossCheck, ...] = ()
    approval_policy: Slug | None = None
    approvals: Annotated[tuple[Stage, ...], Constrained(max_length=MOST_STAGES)] = ()
    workflow: str | None = None
    parameters: dict[str, Data] = {}
    steps: tuple[Step, ...] = ()
    lines: tuple[Line, ...] = ()
    entitlement: Entitlement | None = None
    sla: Sla
    clocks: tuple[ClockSpec, ...] = ()
    priority: Priority | None = None
    notifications: tuple[Notification, ...] = ()
    cancel: CancelPolicy = CancelPolicy()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> CatalogItem:
        for what, ids in _ids(self):
            seen: set[str] = set()
            for place, name in ids:
                if name in seen:
                    raise Misplaced(f"two {what}s have the id {name!r}; give each its own", (*place, "id"))
                seen.add(name)
        return self

    @model_validator(mode="after")
    def _stages_follow_others(self) -> CatalogItem:
        check_stages(self.approvals, "approvals")
        return self

    @model_validator(mode="after")
    def _one_way(self) -> CatalogItem:
        if sum(map(bool, (self.workflow, self.steps, self.lines))) != 1:
            raise ValueError("an item is fulfilled in one way; write one of 'workflow', 'steps' and 'lines'")
        return self

    @property
    def workflow_type(self) -> str:
        """The workflow that fulfils an order of it."""
        return self.workflow or ("BundleRequest" if self.lines else "StepsRequest")


def _ids(item: CatalogItem) -> Iterator[tuple[str, list[tuple[Place, str]]]]:
    """Yield what has ids that must differ, with the places."""
    yield "field", _own(("form",), item.form)
    for at, field in enumerate(item.form):
        if isinstance(field, RowsField):
            yield "field", _own(("form", at, "fields"), field.fields)
    steps = [(place, step) for place, step in steps_.walk(item.steps)]
    stages = [((*place, "stage"), step.stage.id) for place, step in steps if isinstance(step, steps_.ApproveStep)]
    yield "approval stage", _own(("approvals",), item.approvals) + stages
    yield "step", [(place, step.id) for place, step in steps]
    for place, step in steps:
        if isinstance(step, steps_.TaskStep):
            yield "field", _own((*place, "evidence"), step.evidence)
    yield "line", _own(("lines",), item.lines)
    yield "clock", _own(("clocks",), item.clocks)
    yield "rule", _own(("visibility",), item.visibility)
    yield "rule", _own(("eligibility",), item.eligibility)


def _own(place: Place, things: Sequence[Any]) -> list[tuple[Place, str]]:
    return [((*place, at), thing.id) for at, thing in enumerate(things)]
