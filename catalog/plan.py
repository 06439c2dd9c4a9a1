"""The approval plan: which of an item's stages an order needs, computed before anybody is asked (feature row A3).

Pure, so that the same computation shows the plan before the order is placed and carries it out afterwards. Who the
people are is looked up when a stage opens; how their votes count is `approval`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog.data import fill, holds
from catalog.expression import ExpressionError
from catalog.model import Model
from catalog.stages import ApproverRule, ByCiOwner, ByExpression, ByGroup, ByOwner, ByPerson, ByRole, Stage, before
from catalog.steps import MAX_ENTRIES


class PlannedStage(Model):
    """What becomes of one stage.

    Attributes:
        needed: false if this order does not need it.
        after: the stages that people must have approved before it begins.
        auto: id of the reason for which it is approved without a human, as ``auto.<id>``; empty if people decide.
        because: why, in words.
        fault: what went wrong with a condition; then the stage is needed, and people decide.
    """

    stage: Stage
    needed: bool = True
    after: tuple[str, ...] = ()
    auto: str = ""
    because: str = ""
    fault: str = ""

    @property
    def asks(self) -> bool:
        """Whether people decide it."""
        return self.needed and not self.auto


def plan(stages: tuple[Stage, ...], names: Mapping[str, Any], by_stage: str = "") -> tuple[PlannedStage, ...]:
    """Return what becomes of each stage, in their order.

    What comes after a stage that nobody is asked about comes after what that one would have come after. People decide
    `by_stage` in any case: they are about to.
    """
    known: dict[str, tuple[str, ...]] = {}
    found = []
    earlier = before(stages)
    for stage in stages:
        after = tuple(dict.fromkeys(name for one in earlier[stage.id] for name in known[one]))
        planned = PlannedStage(stage=stage) if stage.id == by_stage else _planned(stage, names)
        planned = planned.model_copy(update={"after": after})
        known[stage.id] = (stage.id,) if planned.asks else after
        found.append(planned)
    return tuple(found)


def _planned(stage: Stage, names: Mapping[str, Any]) -> PlannedStage:
    try:
        if not holds(stage.when, names):
            return PlannedStage(stage=stage, needed=False, because="This order does not need the stage.")
        for reason in stage.auto_approve:
            if holds(reason.when, names):
                return PlannedStage(stage=stage, auto=f"auto.{reason.id}", because=reason.because)
    except ExpressionError as error:
        # Asking one time too often does less harm than not asking.
        return PlannedStage(stage=stage, fault=str(error))
    return PlannedStage(stage=stage)


class Wanted(Model):
    """Whom a stage asks for, with what depends on the order put in.

    Attributes:
        groups: the rules of each of its groups.
        fallback: the rules to go by where these name nobody, one after the other; None: the usual ones.
    """

    groups: tuple[tuple[ApproverRule, ...], ...]
    fallback: tuple[ApproverRule, ...] | None = None


def wanted(stage: Stage, names: Mapping[str, Any]) -> Wanted:
    """Return whom a stage asks for.

    Raises:
        ExpressionError: a rule cannot be evaluated, or names nothing.
    """
    groups = tuple(concrete(group.approvers, names) for group in stage.groups)
    return Wanted(groups=groups, fallback=None if stage.fallback is None else concrete(stage.fallback, names))


def above(stage: Stage, levels: tuple[int, int], names: Mapping[str, Any]) -> Wanted:
    """Return whom levels of escalation ask for, from and to.

    Raises:
        ExpressionError: a rule cannot be evaluated, or names nothing.
    """
    rules = tuple(rule for level in stage.escalate[slice(*levels)] for rule in level.to)
    return Wanted(groups=(concrete(rules, names),), fallback=())


def these(logins: Iterable[str]) -> Wanted:
    """Return what asks for people by their logins, and for nobody else."""
    return Wanted(groups=(tuple(ByPerson(rule="person", person=login) for login in logins),), fallback=())


def concrete(rules: tuple[ApproverRule, ...], names: Mapping[str, Any]) -> tuple[ApproverRule, ...]:
    """Return the rules with what depends on the order put in: names of groups, roles and CIs, and logins of people.

    Raises:
        ExpressionError: a rule cannot be evaluated, or names nothing.
    """
    return tuple(one for rule in rules for one in _concrete(rule, names))


def _concrete(rule: ApproverRule, names: Mapping[str, Any]) -> tuple[ApproverRule, ...]:
    match rule:
        case ByGroup():
            return (rule.model_copy(update={"group": word(fill(rule.group, names))}),)
        case ByRole():
            return (rule.model_copy(update={"role": word(fill(rule.role, names), "role")}),)
        case ByCiOwner():
            return (rule.model_copy(update={"ci": word(fill(rule.ci, names), "configuration item")}),)
        case ByOwner() if rule.group is not None:
            return (rule.model_copy(update={"group": word(fill(rule.group, names))}),)
        case ByPerson():
            return tuple(rule.model_copy(update={"person": login}) for login in logins(fill(rule.person, names)))
        case ByExpression():
            people = logins(fill(rule.people, names))
            return tuple(ByPerson(rule="person", person=login, weight=rule.weight) for login in people)
        case _:
            return (rule,)


def word(value: Any, what: str = "group") -> str:
    """Return the name of a group, or of whatever it is; raises ExpressionError if there is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ExpressionError(f"the name of a {what} came out empty")
    if not isinstance(value, str):
        raise ExpressionError(f"the name of a {what} is a text; this gave {_kind(value)}")
    return value.strip()


def _kind(value: Any) -> str:
    match value:
        case {"login": str()}:
            return "a person"
        case {"amount": _}:
            return "an amount of money"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "something else"


def logins(value: Any) -> tuple[str, ...]:
    """Return the logins that a value stands for: a login, a person, or a list of either; nothing for no answer.

    Raises:
        ExpressionError: it stands for something else.
    """
    match value:
        case None | "":
            return ()
        case str():
            return (value.strip(),)
        case {"login": str(login)}:
            return (login,)
        case list():
            return tuple(dict.fromkeys(login for one in value for login in logins(one)))
        case _:
            raise ExpressionError("people are named by login; this gave something else")


def entries(value: Any) -> list[Any]:
    """Return what a loop goes through; nothing for no answer.

    Raises:
        ExpressionError: it is no list, or too long a one.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise ExpressionError("for_each goes through a list; this is none")
    if len(value) > MAX_ENTRIES:
        raise ExpressionError(f"for_each goes through {MAX_ENTRIES} entries at most; this has {len(value)}")
    return value
