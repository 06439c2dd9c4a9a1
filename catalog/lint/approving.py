"""Rules on approvals: somebody can decide, everybody who is named can be needed, somebody can refuse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, assert_never

from catalog import data, duration
from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
from catalog.stages import (
    ApproverRule,
    ByExpression,
    ByGroup,
    ByItemOwner,
    ByManager,
    ByOwner,
    ByPerson,
    ByRole,
)
from catalog.steps import ApproveStep, GrantWork, ParallelStep, RevokeWork, Step, WaitStep

_NO_TIME = timedelta(0)


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
    """Check the people that are named.

    Nobody decides a request of their own or for themselves, so naming only those two names nobody. Nor does a group or
    a role that nobody has, as far as that is known.
    """
    for place, stage in subject.stages:
        if not any(_may_find_somebody(subject, one) and _most(subject, one) != 0 for one in stage.approvers):
            message = f"nobody can ever decide the stage {stage.id!r}"
            remedy = "Name a group or role with people in it, a person or the manager; the requester cannot approve."
            yield Hit((*place, "approvers"), message, remedy)


def _may_find_somebody(subject: Subject, one: ApproverRule) -> bool:
    match one:
        case ByManager() | ByItemOwner():
            return True
        case ByOwner():
            return _gives_a_group(subject) if one.group is None else bool(str(one.group).strip())
        case ByGroup():
            return bool(str(one.group).strip())
        case ByRole():
            return bool(str(one.role).strip())
        case ByPerson():
            return _names_others(one.person)
        case ByExpression():
            return _names_others(one.people)
        case _:
            assert_never(one)


def _gives_a_group(subject: Subject) -> bool:
    return subject.item.entitlement is not None or any(
        isinstance(work, GrantWork | RevokeWork) for _, work in subject.works
    )


def _names_others(value: Any) -> bool:
    """Return whether a value may name somebody besides requester and beneficiary."""
    if not str(value).strip():
        return False
    named = {path[0] for path in data.references(value)}
    return not named or not named <= {"requester", "beneficiary"}


@rule("quorum-too-large", "error", "No more people have to approve than can be asked.")
def quorum_too_large(subject: Subject) -> Iterator[Hit]:
    """Check quorums that are numbers, as far as it is known how many people a rule names."""
    for place, stage in subject.stages:
        if isinstance(stage.quorum, int):
            asked = [_most(subject, rule_) for rule_ in stage.approvers]
            if None not in asked and stage.quorum > (most := sum(filter(None, asked))):
                message = f"{stage.quorum} must approve, but {most} can be asked at most"
                yield Hit((*place, "quorum"), message, "Ask for fewer approvals, or ask more people.")


def _most(subject: Subject, one: ApproverRule) -> int | None:
    """Return how many people a rule can name at most; None if nobody knows."""
    match one:
        case ByManager() | ByItemOwner() | ByPerson():
            return 1
        case ByGroup():
            return subject.world.members.get(one.group)
        case ByRole():
            return subject.world.holders.get(one.role)
        case ByOwner() | ByExpression():
            return None
        case _:
            assert_never(one)


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


@rule("sla-too-short", "warning", "The promise can be kept if everybody acts at once.")
def sla_too_short(subject: Subject) -> Iterator[Hit]:
    """Check `sla` against the waits of a fixed length: no haste of people makes them shorter."""
    waits = _waits(subject.item.steps)
    if waits > subject.item.sla.target:
        message = f"this is less than the steps wait in any case: {duration.words(waits)}"
        yield Hit(("sla", "target"), message, "Promise more time, or wait less.")


def _waits(steps: tuple[Step, ...]) -> timedelta:
    """Return how long steps wait at least, those that are always carried out."""
    return sum((_wait(step) for step in steps if step.when is True), _NO_TIME)


def _wait(step: Step) -> timedelta:
    if isinstance(step, WaitStep):
        return step.duration or _NO_TIME
    if isinstance(step, ParallelStep):
        return max(_waits(branch) for branch in step.branches.values())
    return _NO_TIME
