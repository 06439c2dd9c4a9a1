"""Who has a say in an approval stage, and in words where it stands (part of `approval`)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import assert_never

from catalog.ballot import Approvals, Refusal, StageState, StageStatus, Verdict, Vote
from catalog.people import PersonRef

OWN = "Nobody decides a request of their own or one for themselves."


def said(stage: StageState) -> str:
    """Return where a stage stands and who decided, in a sentence."""
    name = f"Stage {stage.stage.name!r}"
    who = ", ".join(f"{vote.voter.name} ({vote.verdict})" for vote in stage.votes)
    match stage.status:
        case StageStatus.APPROVED | StageStatus.REJECTED if stage.rule not in _BY_VOTES:
            why = _WITHOUT_VOTES.get(stage.rule)
            return f"{name} was {stage.status}{f': {why}' if why else f' by the rule {stage.rule}'}."
        case StageStatus.APPROVED | StageStatus.REJECTED:
            return f"{name} was {stage.status} by {who}."
        case StageStatus.SKIPPED:
            return f"{name} was left out: nobody decided in time."
        case StageStatus.EXPIRED:
            return f"{name} expired without a decision."
        case StageStatus.CANCELLED if stage.rule == "approval.unanswered":
            return f"{name} was cancelled: a question to the requester was not answered."
        case StageStatus.CANCELLED:
            return f"{name} was cancelled with the request."
        case StageStatus.SUPERSEDED:
            return f"{name} was superseded: what was to be decided has changed."
        case StageStatus.WAITING:
            return f"{name} has not begun."
        case StageStatus.OPEN:
            return f"{name} is open; so far: {who or 'no decision'}."
        case _:
            assert_never(stage.status)


_WITHOUT_VOTES = {
    "approval.rejected-by-silence": "not enough people decided in time",
    "approval.approved-by-silence": "not enough people decided in time",
    "approval.nobody": "too few may decide it",
}
_BY_VOTES = ("", "approval.veto", "approval.deny")
"""The rules of a stage that votes have decided."""


def refusal(stage: StageState) -> Vote | None:
    """Return the vote that refused a stage; None if it was not refused, or not by a vote."""
    if stage.status is not StageStatus.REJECTED or stage.rule not in _BY_VOTES:
        return None
    return next((vote for vote in reversed(stage.votes) if vote.verdict is Verdict.REJECT), None)


def how_it_ended(state: Approvals) -> str:
    """Return how approvals ended, in a sentence."""
    last = next((s for s in reversed(state.stages) if s.closed_at and s.status is state.outcome), None)
    return said(last) if last else "There is nothing left to approve."


def everybody_of(stage: StageState) -> set[str]:
    """Return who has or had a seat to fill, by id."""
    return {person.id for seat in stage.slate.seats for person in stage.may_fill(seat)}


def by_whom(stage: StageState, human: PersonRef) -> str:
    """Return who has decided what somebody could have."""
    if human.id in stage.voters():
        return "You have already decided."
    filled = stage.filled()
    if human.id in filled:
        return f"{filled[human.id].voter.name} has already decided on your behalf."
    theirs = [seat for seat in stage.slate.seats if human.id in {person.id for person in stage.may_fill(seat)}]
    names = dict.fromkeys(filled[seat.person.id].voter.name for seat in theirs if seat.person.id in filled)
    return f"{' and '.join(names)} decided before you."


def refuse_approver(state: Approvals, found: StageState, human: PersonRef) -> Refusal | None:
    """Return why somebody has no say in a stage at all."""
    if human.id in state.parties.banned(found.stage):
        return Refusal(code="self-approval", message=OWN)
    if human.id in everybody_of(found) or human.id in found.voters():
        return None
    if human.id in found.removed:
        return Refusal(code="no-longer-asked", message=f"You are no longer asked. {said(found)}")
    if found.status is StageStatus.WAITING:
        return Refusal(code="stage-not-open", message=f"Stage {found.stage.name!r} has not begun.")
    return Refusal(code="not-approver", message=f"You are not among the approvers of stage {found.stage.name!r}.")


def refuse_acting(
    state: Approvals, found: StageState, human: PersonRef, at: datetime, not_for: Collection[str] = ()
) -> Refusal | None:
    """Return why somebody cannot act on an open stage at that moment, be it to decide it or in another way.

    `not_for` are those in whose place they no longer are, by id.
    """
    barred = human.id in state.parties.banned(found.stage)
    if not barred and any(found.fills(human.id, seat, at, not_for) for seat in found.empty()):
        return None
    refused = refuse_approver(state, found, human)
    if refused:
        return refused
    if human.id not in found.may_act():
        return Refusal(code="already-decided", message=f"{by_whom(found, human)} {said(found)}")
    return no_longer_stands_in(found)


def no_longer_stands_in(found: StageState) -> Refusal:
    """Return the refusal of what somebody would do in a place in which they no longer are."""
    over = "The time in which you stand in for somebody else is over."
    return Refusal(code="no-longer-asked", message=f"{over} {said(found)}")


def refuse_newcomer(state: Approvals, found: StageState, person: PersonRef) -> Refusal | None:
    """Return why somebody cannot be asked as well."""
    if person.id in state.parties.banned(found.stage):
        return Refusal(code="self-approval", message=OWN)
    seats = {seat.person.id for seat in found.slate.seats}
    if person.id in seats or person.id in found.may_act() or person.id in found.voters():
        return Refusal(code="already-asked", message=f"{person.name} is asked already.")
    return None
