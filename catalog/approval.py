"""Approvals: what every event makes of them. A pure, total reducer; the one place where anything is decided.

`apply(state, event, at)` answers every event in every state: either a `Change` (the next state and the facts to
record) or a `Refusal` with a stable code and the reason. Nobody approves for themselves: the ban on requester and
beneficiary is checked on the human who votes, at the moment of the vote (feature rows A6, A7, A21). The values are in
`ballot`, counting in `tally`, whom to ask in `slate`, what time brings in `agenda`; waiting is the workflow's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from catalog import agenda as agendas
from catalog import calendar
from catalog.ballot import (
    ESCALATED,
    Advise,
    Amend,
    Answer,
    Approvals,
    Ask,
    Cancel,
    Cast,
    Change,
    Consult,
    Escalate,
    Event,
    Hand,
    Join,
    Nudge,
    Open,
    Refusal,
    Resolve,
    StageEvent,
    StageState,
    StageStatus,
    Supersede,
    Tick,
    Verdict,
    Vote,
    Withdraw,
)
from catalog.overdue import escalate, tick
from catalog.plan import PlannedStage
from catalog.questions import advise, answer, answered_by_deciding, ask, consult, nudge
from catalog.replanning import amend, as_planned
from catalog.seating import hand, join, reseated, resolve, with_slate, without_banned
from catalog.settling import (
    agenda_of,
    asked_anew,
    besides,
    call_off,
    carried_to,
    carry_over,
    enough,
    for_want_of_people,
    orphans_of,
    settle,
    with_stage,
    without,
)
from catalog.slate import Parties
from catalog.standing import how_it_ended, no_longer_stands_in, refuse_acting, refuse_approver, said


def begin(planned: tuple[PlannedStage, ...], parties: Parties, subjects: Mapping[str, str]) -> Approvals:
    """Return the approvals of a new request; if it needs no stage they are approved at once.

    A stage that a rule approves is so from the beginning, without asking anybody (feature row A23).
    """
    return Approvals(parties=parties, stages=tuple(as_planned(one, subjects) for one in planned if one.needed))


def apply(state: Approvals, event: Event, at: datetime) -> Change | Refusal:
    """Return what the event makes of the state at that moment; total: no pair of state and event raises."""
    match event:
        case Amend():
            return amend(state, event, at)
        case Cancel():
            return _end(state, StageStatus.CANCELLED, at)
        case Supersede():
            return _end(state, StageStatus.SUPERSEDED, at)
        case _:
            found = state.stage(event.stage)
            if found is None:
                return Refusal(code="unknown-stage", message=f"This request has no approval stage {event.stage!r}.")
            return _on_stage(state, found, event, at)


def _on_stage(state: Approvals, found: StageState, event: StageEvent, at: datetime) -> Change | Refusal:
    match event:
        case Open():
            return _open(state, found, event, at)
        case Cast():
            return _refuse_vote(state, found, event, at) or _cast(state, found, event, at)
        case _ if found.status is StageStatus.WAITING:
            return Refusal(code="stage-not-open", message=said(found))
        case _ if found.status is not StageStatus.OPEN:
            return Refusal(code="stage-closed", message=said(found))
        case Withdraw():
            return _withdraw(state, found, event, at)
        case Tick():
            return tick(state, found, at)
        case _:
            return _beside_votes(state, found, event, at)


def _beside_votes(
    state: Approvals,
    found: StageState,
    event: Resolve | Escalate | Hand | Join | Consult | Advise | Ask | Answer | Nudge,
    at: datetime,
) -> Change | Refusal:
    """Answer what changes who decides an open stage, or what they know."""
    match event:
        case Resolve():
            return resolve(state, found, event, at)
        case Escalate():
            return escalate(state, found, event, at)
        case Hand():
            return hand(state, found, event, at)
        case Join():
            return join(state, found, event, at)
        case Consult():
            return consult(state, found, event, at)
        case Advise():
            return advise(state, found, event, at)
        case Ask():
            return ask(state, found, event, at)
        case Answer():
            return answer(state, found, event, at)
        case Nudge():
            return nudge(state, found, event, at)
        case _:
            assert_never(event)


def _open(state: Approvals, found: StageState, event: Open, at: datetime) -> Change | Refusal:
    if found.stage.id not in {ready.stage.id for ready in state.ready()}:
        name = found.stage.name
        return Refusal(code="stage-not-open", message=f"Stage {name!r} cannot begin now: it is {found.status}.")
    slate = reseated(found, without_banned(state, found.stage, event.slate))
    if not enough(found.stage, slate):
        if found.stage.when_nobody == "operator":
            message = f"Too few may decide stage {found.stage.name!r}: {len(slate.seats)}."
            return Refusal(code="too-few", message=message)
        return for_want_of_people(state, found, at)
    opened, fallen = with_slate(found, slate, status=StageStatus.OPEN, opened_at=at)
    opened = carry_over(state, opened, {seat.person.id for seat in slate.seats}, at)
    opened = opened.model_copy(update={"agenda": agenda_of(opened, at)})
    change = settle(state, opened, at)
    asked = () if change.closed else tuple(opened.may_act().values())
    return change.model_copy(update={"asked": asked, "fallen": fallen})


def _refuse_vote(state: Approvals, found: StageState, event: Cast, at: datetime) -> Refusal | None:
    """Return why this vote does not count, the gravest reason first."""
    if found.status is not StageStatus.OPEN:
        begun = found.status is not StageStatus.WAITING
        over = Refusal(code="stage-closed" if begun else "stage-not-open", message=said(found))
        return refuse_approver(state, found, event.voter) or over
    refusal = refuse_acting(state, found, event.voter, at, event.not_for)
    if refusal:
        return refusal
    if event.subject is not None and event.subject != found.subject:
        return Refusal(code="subject-changed", message="The request has changed since you saw it; look at it again.")
    if found.acts_in and not calendar.is_open(found.acts_in, at):
        opens = agendas.open_at(found.acts_in, at).strftime("%Y-%m-%d %H:%M UTC")
        return Refusal(code="not-now", message=f"This is decided in working time only; it begins at {opens}.")
    return None


def _cast(state: Approvals, found: StageState, event: Cast, at: datetime) -> Change:
    human = event.voter
    seats = tuple(seat for seat in found.empty() if found.fills(human.id, seat, at, event.not_for))
    above = (seat for seat in found.escalated if seat.person.id not in event.not_for)
    escalated = any(human.id == one.id for seat in above for one in seat.fillers)
    vote = Vote(
        voter=human,
        verdict=event.verdict,
        at=at,
        reason=event.reason,
        rule=ESCALATED if escalated else "",
        seats=tuple(seat.person.id for seat in seats),
        subject=found.subject,
    )
    voted = found.model_copy(update={"votes": (*found.votes, vote)})
    change = settle(state, answered_by_deciding(voted, human, at), at).model_copy(update={"vote": vote})
    return _carry_beside(change, vote, at) if event.verdict is Verdict.APPROVE else change


def _carry_beside(change: Change, vote: Vote, at: datetime) -> Change:
    """Count an approval on the stages that are open beside its own as well."""
    for stage in change.state.stages:
        also = carried_to(stage, vote, at) if stage.status is StageStatus.OPEN else None
        if also:
            carried = (*change.carried, (stage.stage.id, also.votes[-1]))
            change = besides(change, settle(change.state, also, at)).model_copy(update={"carried": carried})
    return change


def _withdraw(state: Approvals, found: StageState, event: Withdraw, at: datetime) -> Change | Refusal:
    """Take a vote back, and what was counted elsewhere because of it, where that is not decided."""
    mine = tuple(vote for vote in found.votes if vote.voter.id == event.voter.id)
    if not mine:
        return Refusal(code="not-voted", message=f"You have no vote to take back. {said(found)}")
    over = {*event.not_for}
    theirs = tuple(vote for vote in mine if vote.rule == ESCALATED or not over or not over.issuperset(vote.seats))
    if not theirs:
        return no_longer_stands_in(found)
    change = _taken_back(state, found, theirs, at)
    for stage in change.state.stages:
        orphans = orphans_of(change.state, stage)
        if orphans and stage.status is StageStatus.OPEN:
            change = besides(change, _taken_back(change.state, stage, orphans, at))
        if orphans and stage.status is StageStatus.WAITING:  # it was open once, before the order changed
            fallen = tuple((stage.stage.id, vote) for vote in orphans)
            left = with_stage(change.state, without(stage, orphans))
            change = besides(change, Change(state=left, fallen=fallen))
    return change


def _taken_back(state: Approvals, stage: StageState, votes: tuple[Vote, ...], at: datetime) -> Change:
    fallen = tuple((stage.stage.id, vote) for vote in votes)
    return asked_anew(state, stage, without(stage, votes), at, fallen)


def _end(state: Approvals, status: StageStatus, at: datetime) -> Change | Refusal:
    """Call everything off that is not decided."""
    if state.outcome is not StageStatus.WAITING:
        return Refusal(code="stage-closed", message=how_it_ended(state))
    state, dropped = call_off(state, (StageStatus.OPEN, StageStatus.WAITING), status, at)
    return Change(state=state, closed=dropped)
