"""What the votes of a stage come to: counts them, keeps it open or closes it (part of `approval`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from catalog import agenda as agendas
from catalog import calendar, tally
from catalog.ballot import CARRIED, ESCALATED, PASSED, Approvals, Change, Due, StageState, StageStatus, Verdict, Vote
from catalog.slate import Seat, Slate
from catalog.stages import Asked, Requirement, Stage
from catalog.standing import everybody_of
from catalog.tally import Count


def enough(stage: Stage, slate: Slate) -> bool:
    """Return whether a stage could be approved by these people."""
    return _met(_counted(stage, slate, {}), hoping=True)


def counts(stage: StageState) -> list[Count]:
    """Return how each group of a stage stands, as its expression has them from left to right."""
    return _counted(stage.stage, stage.slate, stage.filled()).groups


def settle(state: Approvals, stage: StageState, at: datetime) -> Change:
    """Close the stage if its votes decide it, else keep it open."""
    rejections = [vote for vote in stage.votes if vote.verdict is Verdict.REJECT]
    if any(_is_veto(stage, vote) for vote in rejections):
        return close(state, stage, StageStatus.REJECTED, at, rule="approval.veto")
    if stage.stage.deny and len({vote.voter.id for vote in rejections}) >= stage.stage.deny:
        return close(state, stage, StageStatus.REJECTED, at, rule="approval.deny")
    counted = _counted(stage.stage, stage.slate, stage.filled())
    if stage.votes and _met(counted):
        return close(state, stage, StageStatus.APPROVED, at)
    if stage.is_awaited and _met(counted, hoping=True):
        return Change(state=with_stage(state, stage))
    if rejections:
        return close(state, stage, StageStatus.REJECTED, at)
    # People are gone, or one human has approved for several where as many humans must.
    return for_want_of_people(state, stage, at)


def _is_veto(stage: StageState, vote: Vote) -> bool:
    vetoing = {at for at, group in enumerate(stage.stage.groups) if group.veto}
    return any(vetoing & seat.groups.keys() for seat in stage.slate.seats if seat.person.id in vote.seats)


def suffices(stage: StageState) -> bool:
    """Return whether the votes approve a stage."""
    return _met(_counted(stage.stage, stage.slate, stage.filled()))


def may_suffice(stage: StageState) -> bool:
    """Return whether the votes approve a stage, or still could."""
    return _met(_counted(stage.stage, stage.slate, stage.filled()), hoping=True)


class _Counted(NamedTuple):
    """What has to be approved, how each group stands, and how those stand whom approvers have asked for."""

    requirement: Requirement
    distinct: bool
    groups: list[Count]
    joined: Count | None


def _counted(stage: Stage, slate: Slate, filled: Mapping[str, Vote]) -> _Counted:
    joined = [seat for seat in slate.seats if seat.joined]
    requirement, groups = stage.asking
    counts = [_count([seat for seat in slate.seats if at in seat.groups], at, filled) for at in range(len(groups))]
    return _Counted(requirement, stage.distinct, counts, _count(joined, 0, filled) if joined else None)


def _met(counted: _Counted, *, hoping: bool = False) -> bool:
    """Return whether a stage is approved as it stands; with `hoping`, whether it still could be."""
    if counted.joined and not tally.approves(_EVERYBODY, counted.joined, hoping=hoping):
        return False
    return tally.suffices(counted.requirement, counted.groups, distinct=counted.distinct, hoping=hoping)


_EVERYBODY = Asked.model_construct(approvers=(), quorum="all")


def _count(seats: list[Seat], group: int, filled: Mapping[str, Vote]) -> Count:
    """Return how one group of a stage stands."""
    humans: list[str] = []
    empty: list[str] = []
    approved = weight = open_weight = 0
    for seat in seats:
        vote = filled.get(seat.person.id)
        if vote is None:
            empty.append(seat.person.id)
            open_weight += seat.groups.get(group, 1)
        elif vote.verdict is Verdict.APPROVE:
            approved += 1
            weight += seat.groups.get(group, 1)
            if vote.rule != ESCALATED:
                humans.append(vote.voter.id)
    return Count(
        seats=len(seats),
        humans=frozenset(humans),
        open=frozenset(empty),
        approved=approved,
        above=approved - len(humans),
        weight=weight,
        open_weight=open_weight,
    )


def for_want_of_people(state: Approvals, stage: StageState, at: datetime) -> Change:
    """Go on with a stage that too few may decide, as its author wants it (feature row A5)."""
    terms = stage.stage.when_nobody
    if terms == "operator":
        return Change(state=with_stage(state, stage), due=(Due(kind="nobody", stage=stage.stage.id),))
    status = StageStatus.APPROVED if terms == "approve" else StageStatus.REJECTED
    return close(state, stage, status, at, rule="approval.nobody")


def close(state: Approvals, stage: StageState, status: StageStatus, at: datetime, rule: str = "") -> Change:
    """Close a stage; if that decides the request, what is open beside it is called off."""
    closed = stage.model_copy(update={"status": status, "closed_at": at, "rule": rule, "question": None})
    state = with_stage(state, closed)
    if status in PASSED:
        return Change(state=state, closed=(closed,))
    state, dropped = call_off(state, (StageStatus.OPEN,), StageStatus.CANCELLED, at)
    return Change(state=state, closed=(closed, *dropped))


def call_off(
    state: Approvals, which: tuple[StageStatus, ...], status: StageStatus, at: datetime
) -> tuple[Approvals, tuple[StageState, ...]]:
    """Return the state without the stages that stand like that, and those."""
    update = {"status": status, "closed_at": at, "question": None}
    dropped = tuple(stage.model_copy(update=update) for stage in state.stages if stage.status in which)
    for stage in dropped:
        state = with_stage(state, stage)
    return state, dropped


def with_stage(state: Approvals, stage: StageState) -> Approvals:
    """Return the approvals with a stage as it stands now."""
    stages = tuple(stage if s.stage.id == stage.stage.id else s for s in state.stages)
    return state.model_copy(update={"stages": stages})


def besides(change: Change, other: Change) -> Change:
    """Return a change with what came of it on another stage."""
    return change.model_copy(
        update={
            "state": other.state,
            "fallen": (*change.fallen, *other.fallen),
            "closed": (*change.closed, *other.closed),
            "due": (*change.due, *other.due),
        }
    )


def asked_anew(
    state: Approvals, before: StageState, now: StageState, at: datetime, fallen: tuple[tuple[str, Vote], ...] = ()
) -> Change:
    """Settle a stage whose people have changed, and say who came and who went."""
    earlier, later = before.may_act(), now.may_act()
    voters = now.voters()
    came = tuple(person for person in later.values() if person.id not in earlier)
    went = tuple(person for person in earlier.values() if person.id not in later and person.id not in voters)
    removed = (everybody_of(before) | {*now.removed}) - everybody_of(now)
    agenda = joined_in(before, now, at) if now.agenda is before.agenda else now.agenda
    now = now.model_copy(update={"removed": tuple(sorted(removed)), "agenda": agenda})
    change = settle(state, now, at)
    return change.model_copy(update={"asked": () if change.closed else came, "gone": went, "fallen": fallen})


def joined_in(before: StageState, now: StageState, at: datetime) -> agendas.Agenda | None:
    """Return the agenda with the reminders of those who are expected to decide only now."""
    expected = {person.id for person in before.undecided()}
    new = [person.id for person in now.undecided() if person.id not in expected]
    if now.agenda is None or not new:
        return now.agenda
    return agendas.join(now.stage, now.agenda, new, now.calendar_of, at)


def agenda_of(stage: StageState, at: datetime, level: int = 0) -> agendas.Agenda:
    """Return what time will bring to a stage from now on, at that level of escalation."""
    people = tuple(person.id for person in stage.undecided())
    return agendas.begin(stage.stage, people, stage.calendar_of, at, level)


def carry_over(state: Approvals, stage: StageState, to: Collection[str], at: datetime) -> StageState:
    """Count those of these people who approved another stage: nobody is asked the same thing twice (feature row A6)."""
    for approval in _approvals(state):
        carried = carried_to(stage, approval, at) if approval.voter.id in to else None
        stage = carried or stage
    return stage


def carried_to(stage: StageState, approval: Vote, at: datetime) -> StageState | None:
    """Return the stage with an approval that was given elsewhere; None if it does not count here.

    It counts for the very same subject only, since nobody has approved what they did not see (feature row A22), and
    only while this stage may be decided. It fills the seat of that human only: whom they stand in for was not asked
    about this.
    """
    human = approval.voter
    if approval.subject != stage.subject or stage.replaced or human.id not in {one.person.id for one in stage.empty()}:
        return None
    if stage.acts_in and not calendar.is_open(stage.acts_in, at):
        return None
    vote = Vote(
        voter=human,
        verdict=Verdict.APPROVE,
        at=at,
        rule=CARRIED,
        seats=(human.id,),
        subject=stage.subject,
    )
    return stage.model_copy(update={"votes": (*stage.votes, vote)})


def _approvals(state: Approvals) -> Iterator[Vote]:
    """Yield every approval where it was given itself."""
    for stage in state.stages:
        yield from (vote for vote in stage.votes if vote.verdict is Verdict.APPROVE and vote.rule != CARRIED)


def orphans_of(state: Approvals, stage: StageState) -> tuple[Vote, ...]:
    """Return the votes that count on a stage because of approvals elsewhere which no longer stand."""
    given = {(vote.voter.id, vote.subject) for vote in _approvals(state)}
    return tuple(vote for vote in stage.votes if vote.rule == CARRIED and (vote.voter.id, vote.subject) not in given)


def without(stage: StageState, votes: Collection[Vote]) -> StageState:
    """Return a stage without some of its votes, and without the seats that stood only because of them."""
    gone = {seat for vote in votes for seat in vote.seats}  # no two votes fill one seat
    kept = tuple(vote for vote in stage.votes if gone.isdisjoint(vote.seats))
    left = stage.model_copy(update={"votes": kept})
    filled = left.filled()
    return with_seats(left, tuple(one for one in stage.slate.seats if not one.kept or one.person.id in filled))


def with_seats(stage: StageState, seats: tuple[Seat, ...]) -> StageState:
    """Return the stage with other seats."""
    return stage.model_copy(update={"slate": stage.slate.model_copy(update={"seats": seats})})
