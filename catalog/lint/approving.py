"""Rules on approvals: somebody can decide, everybody who is named can be needed, somebody can refuse.

How long they may take is the business of `waiting`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, assert_never

from catalog import data, tally
from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
from catalog.lint.uses import groups_of, rules_of
from catalog.source import Place
from catalog.stages import (
    ApproverRule,
    Asked,
    ByCiOwner,
    ByExpression,
    ByGroup,
    ByItemOwner,
    ByManager,
    ByOwner,
    ByPerson,
    ByRole,
)
from catalog.steps import ApproveStep, GrantWork, RevokeWork
from catalog.tally import Count

_PARTIES = frozenset(("requester", "beneficiary"))


@rule("unreachable-stage", "error", "An approval stage can be needed.")
def unreachable_stage(subject: Subject) -> Iterator[Hit]:
    """Check `when` of every stage."""
    for place, stage in subject.stages:
        if subject.constantly(stage.when) is False:
            yield Hit((*place, "when"), f"the stage {stage.id!r} is never needed", "Mend the condition, or remove it.")


@rule("unreachable-reason", "warning", "A reason to approve without asking can be the first that holds.")
def unreachable_reason(subject: Subject) -> Iterator[Hit]:
    """Check `auto_approve` of every stage.

    One reason that always holds is allowed: it says that, and why, nobody has to decide.
    """
    for place, stage in subject.stages:
        before = False
        for at, reason in enumerate(stage.auto_approve):
            always = subject.constantly(reason.when)
            if before or always is False:
                why = "one before it always holds" if before else "it never holds"
                yield Hit((*place, "auto_approve", at), f"{reason.id!r} never counts: {why}", "Remove it.")
            before = before or always is True


@rule("no-approver", "error", "Every approval stage has somebody who can decide it.")
def no_approver(subject: Subject) -> Iterator[Hit]:
    """Check the people that are named: in the first place, instead of these, and after them.

    Nobody decides a request of their own or for themselves unless `own` says so, so naming only those two names nobody.
    Nor does a group, a role or a configuration item that nobody has, as far as that is known.
    """
    for place, stage in subject.stages:
        banned = _PARTIES - set(stage.own)
        for there, rules in rules_of(stage, place):
            if not any(_may_find_somebody(subject, one, banned) for one in rules):
                message = f"nobody who is named here can ever decide the stage {stage.id!r}"
                remedy = (
                    "Name a group, role or configuration item that somebody has, a person or the manager; the "
                    "requester cannot approve."
                )
                yield Hit(there, message, remedy)


def _may_find_somebody(subject: Subject, one: ApproverRule, banned: Collection[str]) -> bool:
    if _people(subject, one) == frozenset():
        return False
    match one:
        case ByManager() | ByItemOwner():
            return True
        case ByOwner():
            return _gives_a_group(subject) if one.group is None else bool(str(one.group).strip())
        case ByGroup():
            return bool(str(one.group).strip())
        case ByCiOwner():
            return bool(str(one.ci).strip())
        case ByRole():
            return bool(str(one.role).strip())
        case ByPerson():
            return _names_others(one.person, banned)
        case ByExpression():
            return _names_others(one.people, banned)
        case _:
            assert_never(one)


def _gives_a_group(subject: Subject) -> bool:
    return subject.item.entitlement is not None or any(
        isinstance(work, GrantWork | RevokeWork) for _, work in subject.works
    )


def _names_others(value: Any, banned: Collection[str]) -> bool:
    """Return whether a value may name somebody besides those who do not decide."""
    if not str(value).strip():
        return False
    named = {path[0] for path in data.references(value)}
    return not named or not named <= set(banned)


def _people(subject: Subject, one: ApproverRule) -> frozenset[str] | None:
    """Return whom a rule can name at most, each by a word that stands for nobody else; None if nobody knows."""
    match one:
        case ByManager():
            return frozenset((f"the manager {one.levels} levels up",))
        case ByItemOwner():
            return frozenset((subject.item.owner,))
        case ByPerson():
            return frozenset((str(one.person).strip(),))
        case ByGroup():
            return subject.world.members.get(one.group)
        case ByCiOwner():
            return subject.world.owners.get(one.ci)
        case ByRole():
            return subject.world.holders.get(one.role)
        case ByOwner() | ByExpression():
            return None
        case _:
            assert_never(one)


def _all_people(subject: Subject, rules: Iterable[ApproverRule]) -> frozenset[str] | None:
    """Return whom several rules can name at most; None if nobody knows of one of them."""
    found = [_people(subject, one) for one in rules]
    known = [people for people in found if people is not None]
    return frozenset().union(*known) if len(known) == len(found) else None


def _count(subject: Subject, group: Asked) -> Count | None:
    """Return how a group stands before anybody has voted, if it gets as many people as it can; None if nobody knows."""
    people = _all_people(subject, group.approvers)
    if people is None:
        return None
    weights: dict[str, int] = {}
    for one in group.approvers:
        weights |= {who: max(one.weight, weights.get(who, 1)) for who in _people(subject, one) or ()}
    return _open(people, sum(weights.values()))


def _open(people: frozenset[str], weight: int) -> Count:
    return Count(len(people), frozenset(), people, approved=0, above=0, weight=0, open_weight=weight)


@rule("quorum-too-large", "error", "No more people have to approve than can be asked.")
def quorum_too_large(subject: Subject) -> Iterator[Hit]:
    """Check quorums and weights, as far as it is known how many people a rule names."""
    for place, stage in subject.stages:
        for there, group in groups_of(stage, place):
            alone = [(one,) for one in group.approvers] if group.each else [group.approvers]
            for rules in alone:
                count = _count(subject, group.model_copy(update={"approvers": rules}))
                if count and count.seats and not tally.approves(group, count, hoping=True):
                    yield _too_large(there, group, count)
                    break


def _too_large(place: Place, group: Asked, count: Count) -> Hit:
    if group.weight is not None:
        message = f"those who approve must weigh {group.weight}, but all of them together weigh {count.open_weight}"
        return Hit((*place, "weight"), message, "Ask for less, or ask more people.")
    message = f"{group.quorum} must approve, but {count.seats} can be asked at most"
    return Hit((*place, "quorum"), message, "Ask for fewer approvals, or ask more people.")


@rule("too-few-people", "error", "Where one person counts for one group only, there are enough people for all groups.")
def too_few_people(subject: Subject) -> Iterator[Hit]:
    """Check `distinct`, as far as it is known how many people a rule names."""
    for place, stage in subject.stages:
        if stage.distinct:
            counts = [_count(subject, group) or _enough(group, at) for at, group in enumerate(stage.groups)]
            together, apart = (
                tally.suffices(stage.requirement, counts, distinct=distinct, hoping=True) for distinct in (False, True)
            )
            if together and not apart:
                message = "the groups have too few different people: some would have to count for two of them"
                yield Hit((*place, "distinct"), message, "Ask more people, or remove 'distinct'.")


def _enough(group: Asked, at: int) -> Count:
    """Return the count of a group of which nobody knows who is in it: as many others as it takes."""
    number = tally.needed(group, 1)
    return _open(frozenset(f"{at}.{one}" for one in range(number)), number)


@rule("deny-too-large", "warning", "As many people can reject as it takes to refuse.")
def deny_too_large(subject: Subject) -> Iterator[Hit]:
    """Check `deny`, as far as it is known how many people a rule names."""
    for place, stage in subject.stages:
        people = _all_people(subject, (*stage.rules, *(one for level in stage.escalate for one in level.to)))
        if stage.deny and people and stage.deny > len(people):
            message = f"{stage.deny} rejections never come together: {len(people)} can be asked at most"
            yield Hit((*place, "deny"), message, "Ask for fewer, or remove it.")


@rule("escalates-to-same", "warning", "An escalation goes to somebody who was not asked before.")
def escalates_to_same(subject: Subject) -> Iterator[Hit]:
    """Check `escalate` of every stage."""
    for place, stage in subject.stages:
        before = list(stage.rules)
        for at, level in enumerate(stage.escalate):
            if not _names_more(subject, level.to, before):
                message = "everybody who is named here was asked before"
                yield Hit(
                    (*place, "escalate", at, "to"), message, "Name somebody else, or give them more time instead."
                )
            before += level.to


def _names_more(subject: Subject, rules: Iterable[ApproverRule], before: Iterable[ApproverRule]) -> bool:
    """Return whether rules may name somebody whom none of those before names."""
    known = {one.model_copy(update={"weight": 1}) for one in before}
    there = frozenset().union(*(_people(subject, one) or () for one in known))
    fresh = (one for one in rules if one.model_copy(update={"weight": 1}) not in known)
    return any((people := _people(subject, one)) is None or not people <= there for one in fresh)


@rule("risk-in-bulk", "error", "What is of high risk is decided one by one.")
def risk_in_bulk(subject: Subject) -> Iterator[Hit]:
    """Check `bulk` of every stage that asks somebody (feature row A17)."""
    if subject.item.risk != "high":
        return
    for place, stage in subject.stages:
        if stage.bulk and not subject.leaves_out(stage) and not subject.is_automatic(stage):
            message = f"the stage {stage.id!r} may be decided together with others in one go, but the risk is high"
            yield Hit(place, message, "Add 'bulk: false'.")


@rule("own-decision", "warning", "Nobody decides on what they order or get.")
def own_decision(subject: Subject) -> Iterator[Hit]:
    """Check `own` of every stage."""
    for place, stage in subject.stages:
        if stage.own:
            who = " and ".join({"requester": "who orders", "beneficiary": "who gets it"}[one] for one in stage.own)
            yield Hit((*place, "own"), f"{who} may approve it themselves", "Remove it, unless nothing depends on it.")


@rule("no-approval", "warning", "Somebody can refuse what is ordered, or it is said why nobody has to.")
def no_approval(subject: Subject) -> Iterator[Hit]:
    """Check that there is a stage, a step ``approve``, or at least a reason (`auto_approve`) for there being none.

    A bundle needs none of its own: its parts are approved by themselves. So does an item that changes nothing.
    """
    if subject.item.lines or subject.stages or not (subject.item.workflow or subject.effects):
        return
    message = "nobody is asked before something is done"
    remedy = "Add 'approvals:'; or a stage with 'auto_approve' that says why nobody has to be asked."
    yield Hit((), message, remedy)


@rule("no-refusal-path", "warning", "A refusal still prevents everything that cannot be taken back.")
def no_refusal_path(subject: Subject) -> Iterator[Hit]:
    """Check that no step ``approve`` comes after an irreversible one: a refusal would come too late."""
    lasting = ""
    for place, step in subject.steps:
        if isinstance(step, ApproveStep) and lasting:
            message = f"a refusal comes too late: {lasting!r} cannot be taken back"
            yield Hit(place, message, f"Have this decided before {lasting!r}.")
        if getattr(step, "irreversible", "") or subject.orders_for_good(step):
            lasting = lasting or step.id


@rule("stage-name", "error", "A stage that is decided before the steps has a plain name.")
def stage_name(subject: Subject) -> Iterator[Hit]:
    """Check `name` of the item's own stages: people read it in the preview, and in lists of no order."""
    for at, stage in enumerate(subject.item.approvals):
        if "{{" in stage.name or "{%" in stage.name:
            message = "this name would be read as it stands"
            yield Hit(("approvals", at, "name"), message, "Write it without expressions; those of steps can have some.")
