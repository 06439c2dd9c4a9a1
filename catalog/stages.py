"""Approval stages as an author writes them: who is asked, how many must agree, what happens if nobody answers.

How votes are counted is `approval`'s business, which stages a particular order needs `plan`'s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, assert_never

from pydantic import (
    BeforeValidator,
    Discriminator,
    JsonValue,
    PlainValidator,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic import Field as Constrained

from catalog import expression
from catalog.data import When, check, references
from catalog.duration import Span
from catalog.fields import WRITTEN
from catalog.model import Misplaced, Model, Slug

GroupName = Annotated[str, Constrained(min_length=1, max_length=128)]
Login = Annotated[str, Constrained(min_length=1, max_length=128)]


Weight = Annotated[int, Constrained(ge=1, le=1000)]
"""How much each person of a rule counts where people are weighed."""


class ByManager(Model):
    """The line manager of the beneficiary decides; with `levels: 2` that manager's manager."""

    rule: Literal["manager"]
    levels: Annotated[int, Constrained(ge=1, le=5)] = 1
    weight: Weight = 1


class ByOwner(Model):
    """The owners of a directory group decide: of the group the item gives, or of the one that is named."""

    rule: Literal["owner"]
    group: str | None = None
    weight: Weight = 1


class ByItemOwner(Model):
    """The person who answers for the item decides."""

    rule: Literal["item_owner"]
    weight: Weight = 1


class ByCiOwner(Model):
    """The owners of a configuration item (CI) of the directory decide; its name may depend on the order."""

    rule: Literal["ci_owner"]
    ci: str
    weight: Weight = 1


class ByGroup(Model):
    """The members of a directory group decide; its name may depend on the order."""

    rule: Literal["group"]
    group: str
    weight: Weight = 1


class ByRole(Model):
    """Whoever holds that position in the organisation now decides; its name may depend on the order."""

    rule: Literal["role"]
    role: str
    weight: Weight = 1


class ByPerson(Model):
    """One person decides, by login; which one may depend on the order."""

    rule: Literal["person"]
    person: str
    weight: Weight = 1


class ByExpression(Model):
    """The people decide whom an expression names: a person or several, from the answers or by login."""

    rule: Literal["expression"]
    people: str
    weight: Weight = 1


ApproverRule = Annotated[
    ByManager | ByOwner | ByItemOwner | ByCiOwner | ByGroup | ByRole | ByPerson | ByExpression,
    Constrained(discriminator="rule"),
]


_WRITTEN = ("group", "ci", "role", "person", "people")
"""What a rule may have with expressions in it."""


def check_rules(rules: tuple[ApproverRule, ...], key: str) -> None:
    """Check the expressions that an author has written into rules.

    The rules themselves do not: they travel on with what was worked out in their place, which may look like anything.

    Raises:
        Misplaced: one of them is wrong; its place begins with `key`.
    """
    for at, rule in enumerate(rules):
        for name in _WRITTEN:
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


MAX_QUORUM = 1000
_SHARE = re.compile(r"([1-9]\d?|100) ?%", re.ASCII)
_WORDS = ("any", "all", "responded")


def _read_quorum(value: Any) -> Any:
    if value in _WORDS or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_QUORUM):
        return value
    if isinstance(value, str) and (share := _SHARE.fullmatch(value)):
        return f"{share[1]}%"
    message = f"{str(value)[:40]!r} is no quorum; write any, all, responded, a share like 60% or the number of people"
    raise ValueError(f"{message} who must approve")


Quorum = Annotated[
    int | str,
    PlainValidator(_read_quorum),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(_WORDS)},
                {"type": "integer", "minimum": 1, "maximum": MAX_QUORUM},
                {"type": "string", "pattern": "^([1-9][0-9]?|100) ?%$"},
            ]
        }
    ),
]
"""How many of those asked must approve (feature row A1): ``any``, ``all``, a number, a share such as ``60%`` (rounded
up), or ``responded``: one is enough, but only once everybody has answered."""


class Asked(Model):
    """People who are asked, and how many of them must approve: a leaf of an approval expression.

    Attributes:
        approvers: who is asked; the union of the rules.
        quorum: how many of them must approve.
        each: whether the quorum holds of each rule's people by themselves, instead of all together.
        weight: instead of a quorum: what the weights of those who approve must come to.
        veto: whether one rejection among them refuses the stage, whatever others say.
    """

    approvers: Annotated[tuple[ApproverRule, ...], Constrained(min_length=1)]
    quorum: Quorum = "any"
    each: bool = False
    weight: Annotated[int, Constrained(ge=1, le=10_000)] | None = None
    veto: bool = False

    @model_validator(mode="after")
    def _one_measure(self) -> Asked:
        if self.weight is not None and (self.quorum != "any" or self.each):
            raise Misplaced("people are counted or weighed; write 'quorum' or 'weight', and no 'each'", ("weight",))
        check_rules(self.approvers, "approvers")
        return self


class AllOf(Model):
    """Everything in it must approve.

    Attributes:
        all: groups of people, or expressions of them.
    """

    all: Annotated[tuple[Requirement, ...], Constrained(min_length=1, max_length=12)]


class AnyOf(Model):
    """One of these must approve.

    Attributes:
        any: groups of people, or expressions of them.
    """

    any: Annotated[tuple[Requirement, ...], Constrained(min_length=1, max_length=12)]


class SomeOf(Model):
    """So many of these must approve.

    Attributes:
        at_least: how many.
        of: groups of people, or expressions of them.
    """

    at_least: Annotated[int, Constrained(ge=1, le=12)]
    of: Annotated[tuple[Requirement, ...], Constrained(min_length=1, max_length=12)]

    @model_validator(mode="after")
    def _can_be(self) -> SomeOf:
        if self.at_least > len(self.of):
            raise Misplaced(
                f"{self.at_least} of {len(self.of)} can never approve; write a smaller number", ("at_least",)
            )
        return self


_BRANCHES = {"all": "all", "any": "any", "of": "some", "at_least": "some"}


_REFERENCES: dict[str, JsonValue] = {
    tag: f"#/$defs/{name}" for tag, name in (("asked", "Asked"), ("all", "AllOf"), ("any", "AnyOf"), ("some", "SomeOf"))
}


def _which(value: Any) -> str:
    """Return the tag of what a requirement is: told by the keys it has."""
    has = value if isinstance(value, dict) else getattr(value, "__pydantic_fields__", {})
    return next((tag for key, tag in _BRANCHES.items() if key in has), "asked")


Requirement = Annotated[
    Annotated[Asked, Tag("asked")]
    | Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[SomeOf, Tag("some")],
    Discriminator(_which),
    # For `explain`: which of them the tag in a place stands for.
    Constrained(json_schema_extra={"discriminator": {"mapping": _REFERENCES}}),
]
"""An approval expression: who must approve, put together with all, any and so many of (feature row A2)."""

for _branch in (AllOf, AnyOf, SomeOf):
    _branch.model_rebuild()

MAX_GROUPS = 12
"""How many groups of people one stage asks at most."""


def parts_of(requirement: Requirement) -> tuple[Requirement, ...]:
    """Return what a requirement is put together from; nothing for a leaf."""
    match requirement:
        case AllOf():
            return requirement.all
        case AnyOf():
            return requirement.any
        case SomeOf():
            return requirement.of
        case _:
            return ()


def least_of(requirement: Requirement) -> int:
    """Return how many of its parts must approve; a leaf has none."""
    match requirement:
        case AllOf():
            return len(requirement.all)
        case AnyOf():
            return 1
        case SomeOf():
            return requirement.at_least
        case _:
            return 0


def leaves(
    requirement: Requirement, place: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Asked]]:
    """Yield the groups of people in a requirement, from left to right, with their places in it."""
    if isinstance(requirement, Asked):
        yield place, requirement
    key = "all" if isinstance(requirement, AllOf) else "any" if isinstance(requirement, AnyOf) else "of"
    for at, part in enumerate(parts_of(requirement)):
        yield from leaves(part, (*place, key, at))


class Reminders(Model):
    """When those who have not decided are reminded, in their own working time (feature row A12).

    Attributes:
        after: how long after they were asked.
        every: how long after the last reminder comes the next.
        at_most: how many each person gets at each level: with an escalation they begin again.
    """

    after: Span
    every: Span | None = None
    at_most: Annotated[int, Constrained(ge=1, le=50)] = 10


class Escalation(Model):
    """Who decides in place of those who did not answer in time (feature row A13).

    Attributes:
        to: who.
        how: ``add``: those asked before may still decide; ``replace``: they may not.
        notice: how long before they are told that it will come to this.
        decide_within: how long these have.
    """

    to: Annotated[tuple[ApproverRule, ...], Constrained(min_length=1)]
    how: Literal["add", "replace"] = "add"
    notice: Span | None = None
    decide_within: Span

    @model_validator(mode="after")
    def _expressions_can_be_read(self) -> Escalation:
        check_rules(self.to, "to")
        return self


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
        approvers: who is asked; the union of the rules. Or `decide`.
        quorum: how many of them must approve; refused when it can no longer be reached.
        decide: instead of both: an approval expression.
        distinct: whether one human counts for one group of the expression only.
        deny: how many rejections refuse the stage, even if it could still be approved.
        decide_within: how long those asked have, in the working time of each if it is so written.
        remind: when they are reminded.
        notice: how long before the deadline they are told of it.
        escalate: who decides instead if they do not, one after the other.
        at_deadline: what becomes of the stage when the last of these has not decided either (feature row A14).
        when: whether this order needs the stage at all.
        after: the stages that must have approved before; None: the one written before it; empty: none.
        auto_approve: reasons for which it is approved without asking anybody; the first that holds counts.
        fallback: who is asked instead if the rules name nobody who may decide; one rule after the other. Without it the
            manager's manager, where a manager is asked, then the owner of the item.
        when_nobody: what becomes of the stage if nobody may decide it at all (feature row A5).
        own: which of the two who ordered and who receives may decide their own request; nobody unless it says so.
        calendar: whose working time counts, instead of that of each person.
        acts_in: the calendar in whose working time alone decisions are taken (feature row A24).
        concerns: the answers that those asked decide on; the others may change without asking again. None: all.
        may_reduce: the answers that they may make smaller: numbers, amounts, dates and lengths (feature row A11).
        revalidate: whether the vote of somebody who is no longer named falls; without it a vote once cast stays.
        answer_within: how long the requester has to answer a question of theirs.
        unanswered: what happens then: ``cancel`` ends the request, ``return`` gives it back to them without an answer.
        bulk: whether it may be decided together with others in one go (feature row A17).
    """

    id: Slug
    name: str
    approvers: tuple[ApproverRule, ...] = ()
    quorum: Quorum = "any"
    decide: Requirement | None = None
    distinct: bool = False
    deny: Annotated[int, Constrained(ge=1, le=MAX_QUORUM)] | None = None
    decide_within: Span = timedelta(days=10)
    remind: Reminders | None = None
    notice: Span | None = None
    escalate: Annotated[tuple[Escalation, ...], Constrained(max_length=5)] = ()
    at_deadline: Literal["expire", "reject", "approve", "skip"] = "expire"
    when: When = True
    after: After = None
    auto_approve: tuple[AutoApproval, ...] = ()
    fallback: tuple[ApproverRule, ...] | None = None
    when_nobody: Literal["operator", "reject", "approve"] = "operator"
    own: tuple[Literal["requester", "beneficiary"], ...] = ()
    calendar: Slug | None = None
    acts_in: Slug | None = None
    concerns: tuple[Slug, ...] | None = None
    may_reduce: tuple[Slug, ...] = ()
    revalidate: bool = False
    answer_within: Span = timedelta(days=10)
    unanswered: Literal["cancel", "return"] = "cancel"
    bulk: bool = True

    @model_validator(mode="after")
    def _asks_somebody(self) -> Stage:
        if self.decide is None and not self.approvers:
            raise Misplaced("nobody is asked; write 'approvers', or 'decide' for an expression", ("approvers",))
        if self.decide is not None and (self.approvers or self.quorum != "any"):
            raise Misplaced("the expression says who is asked; remove 'approvers' and 'quorum'", ("decide",))
        if len(self.groups) > MAX_GROUPS:
            raise Misplaced(f"{MAX_GROUPS} groups of people are asked by one stage at most", ("decide",))
        if self.distinct and any(group.weight for group in self.groups):
            raise Misplaced("where people are weighed, nobody can say for which group they count", ("distinct",))
        check_rules(self.approvers, "approvers")
        check_rules(self.fallback or (), "fallback")
        return self

    @property
    def asking(self) -> tuple[Requirement, tuple[Asked, ...]]:
        """What has to be approved, as an expression with quorums of each rule spelled out, and its groups."""
        return _asking(self.decide, self.approvers, self.quorum)

    @property
    def requirement(self) -> Requirement:
        """What has to be approved: see `asking`."""
        return self.asking[0]

    @property
    def groups(self) -> tuple[Asked, ...]:
        """The groups of people that are asked, as `requirement` has them from left to right."""
        return self.asking[1]

    @property
    def rules(self) -> tuple[ApproverRule, ...]:
        """Every rule by which people are asked, without fallbacks and escalations."""
        return tuple(rule for group in self.groups for rule in group.approvers)

    @property
    def all_rules(self) -> tuple[ApproverRule, ...]:
        """Every rule by which people may ever be asked: fallbacks and escalations too."""
        return (*self.rules, *(self.fallback or ()), *(rule for level in self.escalate for rule in level.to))


@lru_cache(maxsize=512)
def _asking(
    decide: Requirement | None, approvers: tuple[ApproverRule, ...], quorum: Quorum
) -> tuple[Requirement, tuple[Asked, ...]]:
    """Return what has to be approved, and its groups: every vote asks for them, so they are worked out once."""
    requirement = _each(decide or Asked.model_construct(approvers=approvers, quorum=quorum))
    return requirement, tuple(group for _, group in leaves(requirement))


def _each(requirement: Requirement) -> Requirement:
    """Return the expression with a group of its own for each rule whose people are counted by themselves."""
    match requirement:
        case Asked():
            if not requirement.each:
                return requirement
            alone = [
                requirement.model_copy(update={"approvers": (rule,), "each": False}) for rule in requirement.approvers
            ]
            return AllOf.model_construct(all=tuple(alone))
        case AllOf():
            return requirement.model_copy(update={"all": tuple(map(_each, requirement.all))})
        case AnyOf():
            return requirement.model_copy(update={"any": tuple(map(_each, requirement.any))})
        case SomeOf():
            return requirement.model_copy(update={"of": tuple(map(_each, requirement.of))})
        case _:
            assert_never(requirement)


def answers_in(stage: Stage) -> frozenset[str]:
    """Return the answers that tell whether a stage is needed, and who is asked."""
    conditions = [stage.when, *(reason.when for reason in stage.auto_approve)]
    texts = [getattr(rule, name, None) for rule in stage.all_rules for name in _WRITTEN]
    paths = set(references(texts))
    for condition in conditions:
        paths |= expression.references(condition) if isinstance(condition, str) else frozenset()
    return frozenset(path[1] for path in paths if path[0] == "form" and len(path) > 1)


def before(stages: Sequence[Stage]) -> dict[str, tuple[str, ...]]:
    """Return, by the id of each stage, those that must have approved before it begins."""
    found: dict[str, tuple[str, ...]] = {}
    last: tuple[str, ...] = ()
    for stage in stages:
        found[stage.id] = last if stage.after is None else stage.after
        last = (stage.id,)
    return found


MOST_STAGES = 30
"""How many stages an order may go through; each may take a hundred years, and their sum must be a moment still."""


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
    stages: Annotated[tuple[Stage, ...], Constrained(min_length=1, max_length=MOST_STAGES)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Policy:
        seen: set[str] = set()
        for at, stage in enumerate(self.stages):
            if stage.id in seen:
                raise Misplaced(f"two stages have the id {stage.id!r}; give each its own", ("stages", at, "id"))
            seen.add(stage.id)
        check_stages(self.stages, "stages")
        return self
