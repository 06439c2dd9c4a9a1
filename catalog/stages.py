"""Approval stages as an author writes them: who is asked, how many must agree, when a stage is left out.

How votes are counted is `approval`'s business, which stages a particular order needs `plan`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainValidator, ValidationInfo, WithJsonSchema, model_validator
from pydantic import Field as Constrained

from catalog.data import When, check
from catalog.duration import Duration
from catalog.fields import WRITTEN
from catalog.model import Misplaced, Model, Slug

GroupName = Annotated[str, Constrained(min_length=1, max_length=128)]
Login = Annotated[str, Constrained(min_length=1, max_length=128)]


class ByManager(Model):
    """The line manager of the beneficiary decides; with `levels: 2` that manager's manager."""

    rule: Literal["manager"]
    levels: Annotated[int, Constrained(ge=1, le=5)] = 1


class ByOwner(Model):
    """The owners of a directory group decide: of the group the item gives, or of the one that is named."""

    rule: Literal["owner"]
    group: str | None = None


class ByItemOwner(Model):
    """The person who answers for the item decides."""

    rule: Literal["item_owner"]


class ByGroup(Model):
    """The members of a directory group decide; its name may depend on the order."""

    rule: Literal["group"]
    group: str


class ByRole(Model):
    """Whoever holds that position in the organisation now decides; its name may depend on the order."""

    rule: Literal["role"]
    role: str


class ByPerson(Model):
    """One person decides, by login; which one may depend on the order."""

    rule: Literal["person"]
    person: str


class ByExpression(Model):
    """The people decide whom an expression names: a person or several, from the answers or by login."""

    rule: Literal["expression"]
    people: str


ApproverRule = Annotated[
    ByManager | ByOwner | ByItemOwner | ByGroup | ByRole | ByPerson | ByExpression, Constrained(discriminator="rule")
]


def check_rules(rules: tuple[ApproverRule, ...], key: str) -> None:
    """Check the expressions that an author has written into rules.

    The rules themselves do not: they travel on with what was worked out in their place, which may look like anything.

    Raises:
        Misplaced: one of them is wrong; its place begins with `key`.
    """
    for at, rule in enumerate(rules):
        for name in ("group", "role", "person", "people"):
            try:
                check(getattr(rule, name, None))
            except ValueError as error:
                raise Misplaced(str(error), (key, at, name)) from None


class AutoApproval(Model):
    """A reason for which a stage needs no human (feature row A23).

    Attributes:
        id: stands in the journal as ``auto.<id>``.
        when: the condition under which it holds.
        because: why that is enough, for the record.
    """

    id: Slug
    when: When
    because: str


MAX_QUORUM = 100


def _read_quorum(value: Any) -> Any:
    if value in ("any", "all") or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_QUORUM):
        return value
    raise ValueError(f"{str(value)[:40]!r} is no quorum; write any, all or the number of people who must approve")


Quorum = Annotated[
    Literal["any", "all"] | int,
    PlainValidator(_read_quorum),
    WithJsonSchema({"anyOf": [{"enum": ["any", "all"]}, {"type": "integer", "minimum": 1, "maximum": MAX_QUORUM}]}),
]
"""How many of those asked must approve."""


def _read_after(value: Any, info: ValidationInfo) -> Any:
    """Refuse what an author began and left empty: it reads as 'nothing', and would mean the stage above."""
    if value is None and info.context == WRITTEN:
        raise ValueError("nothing stands here; write [] to let the stage begin at once, or remove 'after'")
    return value


After = Annotated[tuple[Slug, ...] | None, BeforeValidator(_read_after)]
"""Ids of stages."""


class Stage(Model):
    """One approval stage.

    Attributes:
        id: unique within the item.
        name: what people call it.
        approvers: who is asked; the union of the rules.
        quorum: ``any``: one approval is enough, refused when nobody is left who could approve; ``all``: each must
            approve, refused at the first refusal; a number: that many must approve.
        decide_within: how long the stage stays open before the request expires.
        when: whether this order needs the stage at all.
        after: the stages that must have approved before; None: the one written before it; empty: none.
        auto_approve: reasons for which it is approved without asking anybody; the first that holds counts.
    """

    id: Slug
    name: str
    approvers: Annotated[tuple[ApproverRule, ...], Constrained(min_length=1)]
    quorum: Quorum = "any"
    decide_within: Duration = timedelta(days=10)
    when: When = True
    after: After = None
    auto_approve: tuple[AutoApproval, ...] = ()

    @model_validator(mode="after")
    def _expressions_can_be_read(self) -> Stage:
        check_rules(self.approvers, "approvers")
        return self


def before(stages: Sequence[Stage]) -> dict[str, tuple[str, ...]]:
    """Return, by the id of each stage, those that must have approved before it begins."""
    found: dict[str, tuple[str, ...]] = {}
    last: tuple[str, ...] = ()
    for stage in stages:
        found[stage.id] = last if stage.after is None else stage.after
        last = (stage.id,)
    return found


def check_stages(stages: Sequence[Stage], key: str) -> None:
    """Check that stages come only after others that are written above them, once each: so none waits for itself.

    Raises:
        Misplaced: one does not; its place begins with `key`.
    """
    above: set[str] = set()
    for at, stage in enumerate(stages):
        after = stage.after or ()
        for number, name in enumerate(after):
            if name in after[:number]:
                raise Misplaced(f"{name!r} stands here twice; write it once", (key, at, "after", number))
            if name not in above:
                what = f"no approval stage {name!r} stands above {stage.id!r}; name one that does, or move it up"
                raise Misplaced(what, (key, at, "after", number))
        above.add(stage.id)


class Policy(Model):
    """Approval stages that several items share by name; a file in catalog/policies."""

    id: Slug
    name: str
    description: str = ""
    stages: Annotated[tuple[Stage, ...], Constrained(min_length=1)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Policy:
        seen: set[str] = set()
        for at, stage in enumerate(self.stages):
            if stage.id in seen:
                raise Misplaced(f"two stages have the id {stage.id!r}; give each its own", ("stages", at, "id"))
            seen.add(stage.id)
        check_stages(self.stages, "stages")
        return self
