"""Approvals: what every event makes of them. A pure, total reducer; the one place where anything is decided.

`apply(state, event, at)` answers every event in every state: either a `Change` (the next state and the facts to
record) or a `Refusal` with a stable code and the reason. Nobody approves for themselves: the ban on requester and
beneficiary is checked on the human who votes, at the moment of the vote (feature rows A6, A7, A21). The values are in
`ballot`, counting in `tally`, whom to ask in `slate`, what time brings in `agenda`; waiting is the workflow's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import takewhile
from typing import assert_never

from catalog import agenda as agendas
from catalog import calendar, tally
from catalog.ballot import (
    PASSED,
    Advice,
    Advise,
    Amend,
    Answer,
    Approvals,
    Ask,
    Cancel,
    Cast,
    Change,
    Consult,
    Due,
    Escalate,
    Event,
    Hand,
    Join,
    Nudge,
    Open,
    Question,
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
from catalog.calendar import Calendar
from catalog.people import PersonRef
from catalog.plan import PlannedStage
from catalog.slate import Parties, Seat, Slate
from catalog.stages import Asked, Stage
from catalog.tally import Count

OWN = "Nobody decides a request of their own or one for themselves."


# ---------------------------------------------------------------- from the plan to the approvals


def begin(planned: tuple[PlannedStage, ...], parties: Parties, subjects: Mapping[str, str]) -> Approvals:
    """Return the approvals of a new request; if it needs no stage they are approved at once.

    A stage that a rule approves is so from the beginning, without asking anybody (feature row A23).
    """
    return Approvals(parties=parties, stages=tuple(_planned(one, subjects) for one in planned if one.needed))


def _planned(one: PlannedStage, subjects: Mapping[str, str]) -> StageState:
    return StageState(
        stage=one.stage,
        subject=subjects.get(one.stage.id, ""),
        after=one.after,
        status=StageStatus.APPROVED if one.auto else StageStatus.WAITING,
        rule=one.auto,
    )


def enough(stage: Stage, slate: Slate) -> bool:
    """Return whether a stage could be approved by these people."""
    return _fulfilled(stage, slate, {}, hoping=True)


# ---------------------------------------------------------------- the reducer


def apply(state: Approvals, event: Event, at: datetime) -> Change | Refusal:
    """Return what the event makes of the state at that moment; total: no pair of state and event raises."""
    match event:
        case Amend():
            return _amend(state, event, at)
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
            return _tick(state, found, at)
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
            return _resolve(state, found, event, at)
        case Escalate():
            return _escalate(state, found, event, at)
        case Hand():
            return _hand(state, found, event, at)
        case Join():
            return _join(state, found, event, at)
        case Consult():
            return _consult(state, found, event, at)
        case Advise():
            return _advise(state, found, event, at)
        case Ask():
            return _ask(state, found, event, at)
        case Answer():
            return _answer(state, found, event, at)
        case Nudge():
            return _nudge(state, found, event, at)
        case _:
            assert_never(event)


# ---------------------------------------------------------------- a stage begins


def _open(state: Approvals, found: StageState, event: Open, at: datetime) -> Change | Refusal:
    if found.stage.id not in {ready.stage.id for ready in state.ready()}:
        name = found.stage.name
        return Refusal(code="stage-not-open", message=f"Stage {name!r} cannot begin now: it is {found.status}.")
    slate = _reseated(found, _without_banned(state, found.stage, event.slate))
    if not enough(found.stage, slate):
        if found.stage.when_nobody == "operator":
            return Refusal(
                code="not-approver", message=f"Too few may decide stage {found.stage.name!r}: {len(slate.seats)}."
            )
        return _for_want_of_people(state, found, at)
    seated, fallen = _with_slate(found, slate)
    opened = seated.model_copy(update={"status": StageStatus.OPEN, "opened_at": at})
    opened = _carry_over(state, opened, {seat.person.id for seat in slate.seats}, at)
    opened = opened.model_copy(update={"agenda": _agenda(opened, at)})
    change = _settle(state, opened, at)
    asked = () if change.closed else tuple(opened.may_act().values())
    return change.model_copy(update={"asked": asked, "fallen": fallen})


def _for_want_of_people(state: Approvals, stage: StageState, at: datetime) -> Change:
    """Go on with a stage that too few may decide, as its author wants it (feature row A5)."""
    terms = stage.stage.when_nobody
    if terms == "operator":
        return Change(state=_replace(state, stage), due=(Due(kind="nobody", stage=stage.stage.id),))
    status = StageStatus.APPROVED if terms == "approve" else StageStatus.REJECTED
    return _close(state, stage, status, at, rule="approval.nobody")


def _without_banned(state: Approvals, stage: Stage, slate: Slate) -> Slate:
    """Return the slate without those who never decide, whoever put them there, nor whomever these have delegated to."""
    banned = state.parties.banned(stage)
    seats: dict[str, Seat] = {}
    for seat in slate.seats:
        if seat.person.id not in banned:
            allowed = tuple(takewhile(lambda deputy: deputy.person.id not in banned, seat.deputies))
            cut = seat if allowed == seat.deputies else seat.model_copy(update={"deputies": allowed})
            seats.setdefault(seat.person.id, cut)
    return slate.model_copy(update={"seats": tuple(seats.values())})


def _carry_over(state: Approvals, stage: StageState, to: Collection[str], at: datetime) -> StageState:
    """Count those of these people who approved another stage: nobody is asked the same thing twice (feature row A6)."""
    for approval in _approvals(state):
        carried = _carried(stage, approval, at) if approval.voter.id in to else None
        stage = carried or stage
    return stage


def _approvals(state: Approvals) -> Iterator[Vote]:
    """Yield every approval where it was given itself."""
    for stage in state.stages:
        yield from (vote for vote in stage.votes if vote.verdict is Verdict.APPROVE and not _is_carried(vote))


def _carried(stage: StageState, approval: Vote, at: datetime) -> StageState | None:
    """Return the stage with an approval that was given elsewhere; None if it does not count here.

    It counts for the very same subject only, since nobody has approved what they did not see (feature row A22). It
    fills the seat of that human only: whom they stand in for was not asked about this.
    """
    human = approval.voter
    if approval.subject != stage.subject or stage.replaced or human.id not in {one.person.id for one in stage.empty()}:
        return None
    vote = Vote(
        voter=human,
        verdict=Verdict.APPROVE,
        at=at,
        rule="approval.already-approved",
        seats=(human.id,),
        subject=stage.subject,
    )
    return stage.model_copy(update={"votes": (*stage.votes, vote)})


def _orphans(state: Approvals, stage: StageState) -> tuple[Vote, ...]:
    """Return the votes that count on a stage because of approvals elsewhere which no longer stand."""
    given = {(vote.voter.id, vote.subject) for vote in _approvals(state)}
    return tuple(vote for vote in stage.votes if _is_carried(vote) and (vote.voter.id, vote.subject) not in given)


def _hours(stage: StageState, person_id: str) -> Calendar:
    """Return in whose working time somebody's time is counted: the stage's own, else theirs."""
    named = stage.stage.calendar
    return stage.slate.calendars[named] if named in stage.slate.calendars else stage.slate.calendar(person_id)


def _agenda(stage: StageState, at: datetime, level: int = 0) -> agendas.Agenda:
    people = tuple(person.id for person in stage.undecided())
    return agendas.begin(stage.stage, people, lambda person: _hours(stage, person), at, level)


# ---------------------------------------------------------------- votes


def _refuse_vote(state: Approvals, found: StageState, event: Cast, at: datetime) -> Refusal | None:
    """Return why this vote does not count, the gravest reason first."""
    refusal = _refuse_approver(state, found, event.voter)
    if refusal:
        return refusal
    if found.status is not StageStatus.OPEN:
        begun = found.status is not StageStatus.WAITING
        return Refusal(code="stage-closed" if begun else "stage-not-open", message=said(found))
    if event.voter.id not in found.may_act():
        return Refusal(code="already-decided", message=f"{_by_whom(found, event.voter)} {said(found)}")
    if event.subject is not None and event.subject != found.subject:
        return Refusal(code="subject-changed", message="The request has changed since you saw it; look at it again.")
    hours = found.slate.calendars.get(found.stage.acts_in or "")
    if hours and not calendar.is_open(hours, at):
        opens = agendas.open_at(hours, at).strftime("%Y-%m-%d %H:%M UTC")
        return Refusal(code="not-now", message=f"This is decided in working time only; it begins at {opens}.")
    return None


def _refuse_approver(state: Approvals, found: StageState, human: PersonRef) -> Refusal | None:
    """Return why somebody has no say in a stage at all."""
    if human.id in state.parties.banned(found.stage):
        return Refusal(code="self-approval", message=OWN)
    if human.id in _everybody(found) or human.id in _voters(found):
        return None
    if human.id in found.removed:
        return Refusal(code="no-longer-asked", message=f"You are no longer asked. {said(found)}")
    if found.status is StageStatus.WAITING:
        return Refusal(code="stage-not-open", message=f"Stage {found.stage.name!r} has not begun.")
    return Refusal(code="not-approver", message=f"You are not among the approvers of stage {found.stage.name!r}.")


def _voters(stage: StageState) -> set[str]:
    return {vote.voter.id for vote in stage.votes}


def _everybody(stage: StageState) -> set[str]:
    """Return who has or had a seat to fill, by id."""
    return {person.id for seat in stage.slate.seats for person in stage.may_fill(seat)}


def _by_whom(stage: StageState, human: PersonRef) -> str:
    """Return who has decided what somebody could have."""
    if human.id in _voters(stage):
        return "You have already decided."
    filled = stage.filled()
    if human.id in filled:
        return f"{filled[human.id].voter.name} has already decided on your behalf."
    theirs = [seat for seat in stage.slate.seats if human.id in {person.id for person in stage.may_fill(seat)}]
    names = dict.fromkeys(filled[seat.person.id].voter.name for seat in theirs if seat.person.id in filled)
    return f"{' and '.join(names)} decided before you."


def _cast(state: Approvals, found: StageState, event: Cast, at: datetime) -> Change:
    human = event.voter
    seats = tuple(seat for seat in found.empty() if human.id in {person.id for person in found.may_fill(seat)})
    escalated = human.id in {person.id for person in found.escalated}
    vote = Vote(
        voter=human,
        verdict=event.verdict,
        at=at,
        reason=event.reason,
        rule="approval.escalated" if escalated else "",
        seats=tuple(seat.person.id for seat in seats),
        subject=found.subject,
    )
    voted = found.model_copy(update={"votes": (*found.votes, vote)})
    change = _settle(state, _answered_by_deciding(voted, human, at), at).model_copy(update={"vote": vote})
    return _carry_beside(change, vote, at) if event.verdict is Verdict.APPROVE else change


def _carry_beside(change: Change, vote: Vote, at: datetime) -> Change:
    """Count an approval on the stages that are open beside its own as well."""
    for stage in change.state.stages:
        also = _carried(stage, vote, at) if stage.status is StageStatus.OPEN else None
        if also:
            carried = (*change.carried, (stage.stage.id, also.votes[-1]))
            change = _besides(change, _settle(change.state, also, at)).model_copy(update={"carried": carried})
    return change


def _besides(change: Change, other: Change) -> Change:
    """Return a change with what came of it on another stage."""
    return change.model_copy(
        update={
            "state": other.state,
            "fallen": (*change.fallen, *other.fallen),
            "closed": (*change.closed, *other.closed),
            "due": (*change.due, *other.due),
        }
    )


def _withdraw(state: Approvals, found: StageState, event: Withdraw, at: datetime) -> Change | Refusal:
    """Take a vote back, and what was counted elsewhere because of it, as far as it is still open."""
    mine = tuple(vote for vote in found.votes if vote.voter.id == event.voter.id)
    if not mine:
        return Refusal(code="not-voted", message=f"You have no vote to take back. {said(found)}")
    change = _taken_back(state, found, mine, at)
    for stage in change.state.stages:
        orphans = _orphans(change.state, stage) if stage.status is StageStatus.OPEN else ()
        if orphans:
            change = _besides(change, _taken_back(change.state, stage, orphans, at))
    return change


def _taken_back(state: Approvals, stage: StageState, votes: tuple[Vote, ...], at: datetime) -> Change:
    fallen = tuple((stage.stage.id, vote) for vote in votes)
    return _asked_anew(state, stage, _without(stage, votes), at, fallen)


def _without(stage: StageState, votes: Collection[Vote]) -> StageState:
    """Return a stage without some of its votes, and without the seats that stood only because of them."""
    left = stage.model_copy(update={"votes": tuple(vote for vote in stage.votes if vote not in votes)})
    filled = left.filled()
    return _seated(left, tuple(one for one in stage.slate.seats if not one.kept or one.person.id in filled))


# ---------------------------------------------------------------- what votes come to


def _settle(state: Approvals, stage: StageState, at: datetime) -> Change:
    """Close the stage if its votes decide it, else keep it open."""
    rejections = [vote for vote in stage.votes if vote.verdict is Verdict.REJECT]
    if any(_is_veto(stage, vote) for vote in rejections):
        return _close(state, stage, StageStatus.REJECTED, at, rule="approval.veto")
    if stage.stage.deny and len({vote.voter.id for vote in rejections}) >= stage.stage.deny:
        return _close(state, stage, StageStatus.REJECTED, at, rule="approval.deny")
    if stage.votes and _suffices(stage):
        return _close(state, stage, StageStatus.APPROVED, at)
    if stage.undecided() and _suffices(stage, hoping=True):
        return Change(state=_replace(state, stage))
    if rejections:
        return _close(state, stage, StageStatus.REJECTED, at)
    # People are gone, or one human has approved for several where as many humans must.
    return _for_want_of_people(state, stage, at)


def _is_veto(stage: StageState, vote: Vote) -> bool:
    vetoing = {at for at, group in enumerate(stage.stage.groups) if group.veto}
    return any(vetoing & seat.groups.keys() for seat in stage.slate.seats if seat.person.id in vote.seats)


def _suffices(stage: StageState, *, hoping: bool = False) -> bool:
    """Return whether the votes approve a stage; with `hoping`, whether they still could."""
    return _fulfilled(stage.stage, stage.slate, stage.filled(), hoping=hoping)


def _fulfilled(stage: Stage, slate: Slate, filled: Mapping[str, Vote], *, hoping: bool) -> bool:
    joined = [seat for seat in slate.seats if seat.joined]
    groups = range(len(stage.groups))
    counts = [_count([seat for seat in slate.seats if at in seat.groups], at, filled) for at in groups]
    return tally.suffices(stage.requirement, counts, distinct=stage.distinct, hoping=hoping) and (
        not joined or tally.approves(_EVERYBODY, _count(joined, 0, filled), hoping=hoping)
    )


_EVERYBODY = Asked.model_construct(approvers=(), quorum="all")


def _count(seats: list[Seat], group: int, filled: Mapping[str, Vote]) -> Count:
    """Return how one group of a stage stands."""
    votes = [(seat, filled.get(seat.person.id)) for seat in seats]
    approved = [(seat, vote) for seat, vote in votes if vote and vote.verdict is Verdict.APPROVE]
    empty = [seat for seat, vote in votes if vote is None]
    humans = [vote.voter.id for _, vote in approved if vote.rule != "approval.escalated"]
    return Count(
        seats=len(seats),
        humans=frozenset(humans),
        open=frozenset(seat.person.id for seat in empty),
        approved=len(approved),
        above=len(approved) - len(humans),
        weight=sum(seat.groups.get(group, 1) for seat, _ in approved),
        open_weight=sum(seat.groups.get(group, 1) for seat in empty),
    )


def votes_needed(stage: StageState) -> int | None:
    """Return how many of those asked must approve; None where that is no number (an expression, weights)."""
    only = stage.stage.groups
    if len(only) != 1 or only[0].weight is not None:
        return None
    asked = sum(0 in seat.groups for seat in stage.slate.seats)
    return tally.needed(only[0], asked) + sum(0 not in seat.groups for seat in stage.slate.seats)


# ---------------------------------------------------------------- people come and go


def _resolve(state: Approvals, found: StageState, event: Resolve, at: datetime) -> Change:
    """Ask those who are named now: an empty seat moves, a vote once cast stays unless the stage says otherwise."""
    slate = _reseated(found, _without_banned(state, found.stage, event.slate))
    changed, fallen = _with_slate(found, slate)
    changed = _above(state, changed, event.above) if event.above else changed
    # Only for those who come: whoever was asked before may have taken back what they said elsewhere.
    new = {seat.person.id for seat in slate.seats} - {seat.person.id for seat in found.slate.seats}
    return _asked_anew(state, found, _carry_over(state, changed, new, at), at, fallen)


def _above(state: Approvals, stage: StageState, named: Slate) -> StageState:
    """Return a stage with those to whom it was escalated as they are named now."""
    fresh = _without_banned(state, stage.stage, named)
    calendars, hours = {**stage.slate.calendars, **fresh.calendars}, {**stage.slate.hours, **fresh.hours}
    slate = stage.slate.model_copy(update={"calendars": calendars, "hours": hours})
    people = tuple(seat.acting for seat in fresh.seats)
    return stage.model_copy(update={"slate": slate, "escalated": people})


def _with_slate(stage: StageState, slate: Slate) -> tuple[StageState, tuple[tuple[str, Vote], ...]]:
    """Return a stage with other seats, and the votes that fall because theirs are gone."""
    seats = {seat.person.id for seat in slate.seats}
    kept = tuple(vote for vote in stage.votes if seats.issuperset(vote.seats))
    fallen = tuple((stage.stage.id, vote) for vote in stage.votes if vote not in kept)
    return stage.model_copy(update={"slate": slate, "votes": kept}), fallen


def _reseated(stage: StageState, fresh: Slate) -> Slate:
    """Return the slate of those who are named now, with the seats that stay whoever is named.

    A seat that was handed on is not given back, one that an approver asked for stands, and so does one that is filled.
    """
    filled = () if stage.stage.revalidate else stage.filled()
    handed = {seat.instead_of.id: seat for seat in stage.slate.seats if seat.instead_of and not seat.joined}
    seats: dict[str, Seat] = {}
    for seat in fresh.seats:
        taken = handed.get(seat.person.id)
        one = taken.model_copy(update={"groups": seat.groups, "kept": False}) if taken else seat
        seats[one.person.id] = _united(one, seats.get(one.person.id))
    for seat in stage.slate.seats:
        if seat.joined:
            seats[seat.person.id] = _united(seat, seats.get(seat.person.id))
        elif seat.person.id in filled:
            seats.setdefault(seat.person.id, seat.model_copy(update={"kept": True}))
    calendars, hours = {**stage.slate.calendars, **fresh.calendars}, {**stage.slate.hours, **fresh.hours}
    return fresh.model_copy(update={"seats": tuple(seats.values()), "calendars": calendars, "hours": hours})


def _united(seat: Seat, other: Seat | None) -> Seat:
    """Return the one seat of a human who comes by two roads."""
    if other is None:
        return seat
    both = {
        "groups": {**seat.groups, **other.groups},
        "deputies": other.deputies or seat.deputies,
        "instead_of": seat.instead_of or other.instead_of,
        "stays": seat.stays or other.stays,
    }
    return seat.model_copy(update=both)


def _asked_anew(
    state: Approvals, before: StageState, now: StageState, at: datetime, fallen: tuple[tuple[str, Vote], ...] = ()
) -> Change:
    """Settle a stage whose people have changed, and say who came and who went."""
    earlier, later = before.may_act(), now.may_act()
    voters = _voters(now)
    came = tuple(person for person in later.values() if person.id not in earlier)
    went = tuple(person for person in earlier.values() if person.id not in later and person.id not in voters)
    removed = (_everybody(before) | {*now.removed}) - _everybody(now)
    agenda = _joined_in(before, now, at) if now.agenda is before.agenda else now.agenda
    now = now.model_copy(update={"removed": tuple(sorted(removed)), "agenda": agenda})
    change = _settle(state, now, at)
    return change.model_copy(update={"asked": () if change.closed else came, "gone": went, "fallen": fallen})


def _joined_in(before: StageState, now: StageState, at: datetime) -> agendas.Agenda | None:
    """Return the agenda with the reminders of those who are expected to decide only now."""
    expected = {person.id for person in before.undecided()}
    new = [person.id for person in now.undecided() if person.id not in expected]
    if now.agenda is None or not new:
        return now.agenda
    return agendas.join(now.stage, now.agenda, new, lambda person: _hours(now, person), at)


def _hand(state: Approvals, found: StageState, event: Hand, at: datetime) -> Change | Refusal:
    if event.by.id in state.parties.banned(found.stage):
        return Refusal(code="self-approval", message="Nobody chooses who decides their own request.")
    seat = next((seat for seat in found.slate.seats if seat.person.id == event.seat), None)
    if seat is None:
        return _hand_on_above(state, found, event, at)
    if not (event.operator or event.by.id in {person.id for person in found.may_fill(seat)}):
        return Refusal(code="not-approver", message="This is not yours to hand on.")
    if seat.person.id in found.filled():
        return Refusal(code="already-decided", message=f"There is nothing left to hand on. {said(found)}")
    refusal = _refuse_newcomer(state, found, event.to)
    if refusal:
        return refusal
    first = seat.instead_of or seat.person
    moved = seat.model_copy(
        update={
            "person": event.to,
            "deputies": (),
            "instead_of": None if event.to.id == first.id else first,
            "stays": found.replaced,
        }
    )
    seats = tuple(moved if one is seat else one for one in found.slate.seats)
    return _asked_anew(state, found, _seated(found, seats), at)


def _hand_on_above(state: Approvals, found: StageState, event: Hand, at: datetime) -> Change | Refusal:
    """Put another in the place of somebody it was escalated to, who has no seat of their own."""
    above = {person.id: person for person in found.escalated}
    if event.seat not in above or not (event.operator or event.by.id == event.seat):
        return Refusal(code="not-approver", message="This is not yours to hand on.")
    refusal = _refuse_newcomer(state, found, event.to)
    if refusal:
        return refusal
    people = tuple(event.to if person.id == event.seat else person for person in found.escalated)
    return _asked_anew(state, found, found.model_copy(update={"escalated": people}), at)


def _join(state: Approvals, found: StageState, event: Join, at: datetime) -> Change | Refusal:
    refusal = _refuse_acting(state, found, event.by) or _refuse_newcomer(state, found, event.person)
    if refusal:
        return refusal
    seat = Seat(person=event.person, groups={}, joined=True, stays=found.replaced)
    return _asked_anew(state, found, _seated(found, (*found.slate.seats, seat)), at)


def _seated(stage: StageState, seats: tuple[Seat, ...]) -> StageState:
    return stage.model_copy(update={"slate": stage.slate.model_copy(update={"seats": seats})})


def _refuse_newcomer(state: Approvals, found: StageState, person: PersonRef) -> Refusal | None:
    """Return why somebody cannot be asked as well."""
    if person.id in state.parties.banned(found.stage):
        return Refusal(code="self-approval", message=OWN)
    seats = {seat.person.id for seat in found.slate.seats}
    if person.id in seats or person.id in found.may_act() or person.id in _voters(found):
        return Refusal(code="already-asked", message=f"{person.name} is asked already.")
    return None


def _refuse_acting(state: Approvals, found: StageState, human: PersonRef) -> Refusal | None:
    """Return why somebody cannot act on a stage now, in whatever way short of deciding."""
    refusal = _refuse_approver(state, found, human)
    if refusal is None and human.id not in found.may_act():
        return Refusal(code="already-decided", message=f"{_by_whom(found, human)} {said(found)}")
    return refusal


def _consult(state: Approvals, found: StageState, event: Consult, at: datetime) -> Change | Refusal:
    refusal = _refuse_acting(state, found, event.by)
    if refusal:
        return refusal
    if any(advice.person.id == event.person.id and not advice.given_at for advice in found.advice):
        return Refusal(code="already-asked", message=f"{event.person.name} is asked already.")
    advice = Advice(person=event.person, by=event.by, question=event.question, asked_at=at)
    return Change(state=_replace(state, found.model_copy(update={"advice": (*found.advice, advice)})))


def _advise(state: Approvals, found: StageState, event: Advise, at: datetime) -> Change | Refusal:
    open_ = next((a for a in found.advice if a.person.id == event.by.id and not a.given_at), None)
    if open_ is None:
        return Refusal(code="no-question", message="Nobody asks your advice on this now.")
    given = open_.model_copy(update={"text": event.text, "given_at": at})
    advice = tuple(given if one is open_ else one for one in found.advice)
    return Change(state=_replace(state, found.model_copy(update={"advice": advice})))


# ---------------------------------------------------------------- questions to the requester


def _ask(state: Approvals, found: StageState, event: Ask, at: datetime) -> Change | Refusal:
    refusal = _refuse_acting(state, found, event.by)
    if refusal:
        return refusal
    if found.question:
        asked = f"{found.question.by.name} has asked the requester already; the answer is awaited."
        return Refusal(code="question-open", message=asked)
    own = _hours(found, state.parties.requester_id)
    due_at = agendas.end(own, at, found.stage.answer_within)
    remind_at = agendas.open_at(own, at + (due_at - at) / 2)
    question = Question(
        by=event.by, text=event.text, asked_at=at, remind_at=remind_at if remind_at < due_at else None, due_at=due_at
    )
    paused = agendas.pause(found.agenda, at) if found.agenda else None
    return Change(state=_replace(state, found.model_copy(update={"question": question, "agenda": paused})))


def _answer(state: Approvals, found: StageState, event: Answer, at: datetime) -> Change | Refusal:
    if event.by.id not in (state.parties.requester_id, state.parties.beneficiary_id):
        return Refusal(code="not-approver", message="Only who ordered it and who is to have it can answer.")
    if found.question is None:
        return Refusal(code="no-question", message=f"Nobody waits for an answer. {said(found)}")
    return Change(state=_replace(state, _going_on(found, at)))


def _going_on(stage: StageState, at: datetime) -> StageState:
    """Return the stage without its question, its time going on."""
    agenda = stage.agenda and agendas.resume(stage.stage, stage.agenda, lambda person: _hours(stage, person), at)
    return stage.model_copy(update={"question": None, "agenda": agenda})


def _answered_by_deciding(stage: StageState, human: PersonRef, at: datetime) -> StageState:
    """Return the stage without the question of somebody who has decided without waiting for the answer."""
    return _going_on(stage, at) if stage.question and stage.question.by.id == human.id else stage


# ---------------------------------------------------------------- time


NUDGED_AGAIN_AFTER = timedelta(days=1)
"""How long somebody who waits has to wait before they can ask for a decision again."""


def _nudge(state: Approvals, found: StageState, event: Nudge, at: datetime) -> Change | Refusal:
    """Remind those who have not decided because somebody waits for it."""
    if not event.operator and event.by.id not in (state.parties.requester_id, state.parties.beneficiary_id):
        return Refusal(
            code="not-approver", message="Only who ordered it, who is to have it and operators remind people."
        )
    if found.question:
        return Refusal(code="question-open", message=f"{found.question.by.name} waits for an answer to a question.")
    if found.nudged_at and at - found.nudged_at < NUDGED_AGAIN_AFTER:
        return Refusal(code="not-now", message="They were reminded less than a day ago; wait a little longer.")
    due = (Due(kind="remind", stage=found.stage.id, people=found.undecided()),)
    return Change(state=_replace(state, found.model_copy(update={"nudged_at": at})), due=due)


def _tick(state: Approvals, found: StageState, at: datetime) -> Change | Refusal:
    if found.question:
        return _tick_question(state, found, found.question, at)
    if found.agenda is None or found.agenda.next_at is None or found.agenda.next_at > at:
        return Refusal(code="nothing-due", message=f"Nothing is due. {said(found)}")
    expected = {person.id: person for person in found.undecided()}
    agenda, due = agendas.tick(found.stage, found.agenda, expected, lambda person: _hours(found, person), at)
    ticked = found.model_copy(update={"agenda": agenda})
    if any(one.kind == "over" for one in due):
        return _over(state, ticked, agenda.level, at)
    facts = tuple(
        Due(
            kind="warn" if one.kind == "warn" else "remind",
            stage=found.stage.id,
            people=_named(one.people, expected),
            nth=one.nth,
        )
        for one in due
    )
    return Change(state=_replace(state, ticked), due=facts)


def _named(ids: Iterable[str], people: Mapping[str, PersonRef]) -> tuple[PersonRef, ...]:
    return tuple(people[one] for one in ids)


def _over(state: Approvals, stage: StageState, level: int, at: datetime) -> Change:
    """Go on with a stage whose time is over: to the next level, or to its end (feature rows A13, A14)."""
    if level < len(stage.stage.escalate):
        due = (Due(kind="escalate", stage=stage.stage.id, nth=level + 1),)
        return Change(state=_replace(state, stage), due=due)
    ends = {
        "approve": StageStatus.APPROVED,
        "reject": StageStatus.REJECTED,
        "skip": StageStatus.SKIPPED,
        "expire": StageStatus.EXPIRED,
    }
    return _close(state, stage, ends[stage.stage.at_deadline], at, rule=_LATE[stage.stage.at_deadline])


_LATE = {
    "expire": "approval.expired",
    "reject": "approval.rejected-by-silence",
    "approve": "approval.approved-by-silence",
    "skip": "approval.skipped-by-silence",
}
"""By which rule a stage ends that nobody has decided."""


def _tick_question(state: Approvals, found: StageState, question: Question, at: datetime) -> Change | Refusal:
    """See to a question whose answer is late: remind, then give up on it."""
    name = found.stage.id
    if question.due_at <= at:
        if found.stage.unanswered == "return":
            due = (Due(kind="unanswered", stage=name, people=(question.by,)),)
            return Change(state=_replace(state, _going_on(found, at)), due=due)
        return _close(state, found, StageStatus.CANCELLED, at, rule="approval.unanswered")
    if question.remind_at and question.remind_at <= at:
        asked = found.model_copy(update={"question": question.model_copy(update={"remind_at": None})})
        return Change(state=_replace(state, asked), due=(Due(kind="ask-again", stage=name),))
    return Refusal(code="nothing-due", message=f"Nothing is due. {said(found)}")


def _escalate(state: Approvals, found: StageState, event: Escalate, at: datetime) -> Change | Refusal:
    """Let others decide in place of those who have not; if there are none, its time is over at once."""
    agenda = found.agenda
    if agenda is None or agenda.due_at or agenda.level >= len(found.stage.escalate):
        return Refusal(code="nothing-due", message=f"It is not time to escalate. {said(found)}")
    level = agenda.level + 1
    fresh = _without_banned(state, found.stage, event.slate)
    people = tuple(seat.acting for seat in fresh.seats)
    if not people:
        passed = found.model_copy(update={"agenda": agenda.model_copy(update={"level": level})})
        return _over(state, passed, level, at)
    calendars, hours = {**found.slate.calendars, **fresh.calendars}, {**found.slate.hours, **fresh.hours}
    terms = found.stage.escalate[level - 1]
    replace = terms.how == "replace"
    seats = tuple(seat.model_copy(update={"stays": seat.stays and not replace}) for seat in found.slate.seats)
    everybody = {person.id: person for person in (*(() if replace else found.escalated), *people)}
    now = found.model_copy(
        update={
            "slate": found.slate.model_copy(update={"seats": seats, "calendars": calendars, "hours": hours}),
            "escalated": tuple(everybody.values()),
            "replaced": found.replaced or replace,
        }
    )
    begun = _agenda(now, at, level)
    # A question stops the time of those it now goes to as it did that of the others.
    later = agendas.pause(begun, at) if found.question else begun
    return _asked_anew(state, found, now.model_copy(update={"agenda": later}), at)


# ---------------------------------------------------------------- what is decided on changes


def _amend(state: Approvals, event: Amend, at: datetime) -> Change | Refusal:
    """Carry over what still holds: a stage keeps its votes if nothing changed of what they were cast on."""
    if state.outcome is not StageStatus.WAITING:
        return Refusal(code="stage-closed", message=_ended(state))
    # Whoever makes the order smaller still decides it, even if so small an order does not need them.
    needed = [one for one in event.planned if one.needed or one.stage.id == event.by_stage]
    planned = [(_planned(one, event.subjects), state.stage(one.stage.id)) for one in needed]
    stay = _staying(state, planned)
    stages = tuple(_amended(old, new, stay.get(new.stage.id), event) if old else new for new, old in planned)
    fallen = tuple(
        (old.stage.id, vote) for old in state.stages for vote in old.votes if vote not in stay.get(old.stage.id, ())
    )
    open_ = {stage.stage.id for stage in stages if stage.status is StageStatus.OPEN}
    before = [old for old in state.stages if old.status is StageStatus.OPEN]
    closed = tuple(_superseded(old, at) for old in before if old.stage.id not in open_)
    change = Change(state=state.model_copy(update={"stages": stages}), fallen=fallen, closed=closed)
    for old in before:
        now = change.state.stage(old.stage.id)
        if now and now.status is StageStatus.OPEN and now.votes != old.votes:
            change = _besides(change, _asked_anew(change.state, old, now, at))
    return change


def _staying(state: Approvals, planned: Iterable[tuple[StageState, StageState | None]]) -> dict[str, tuple[Vote, ...]]:
    """Return the stages that still decide the same, with the votes that stay: not what falls with others elsewhere."""
    kept = [old for new, old in planned if old and _still_holds(old, new)]
    base = state.model_copy(update={"stages": tuple(kept)})
    orphans = {old.stage.id: _orphans(base, old) for old in kept}
    return {old.stage.id: tuple(vote for vote in old.votes if vote not in orphans[old.stage.id]) for old in kept}


def _amended(old: StageState, new: StageState, votes: tuple[Vote, ...] | None, event: Amend) -> StageState:
    """Return what becomes of a stage; `votes` are those that stay, None if it decides something else now."""
    again = old.round + 1 if old.opened_at else old.round
    left = _without(old, [vote for vote in old.votes if vote not in (votes or ())])
    if votes is None:
        if old.stage.id != event.by_stage or old.status is not StageStatus.OPEN:
            return new.model_copy(update={"round": again})
        return left.model_copy(update={"subject": new.subject, "after": new.after, "round": again})
    if old.status in PASSED and old.rule == "" and not _suffices(left):
        # Votes had decided it, and too few of them are left: these count when it begins once more.
        return new.model_copy(update={"slate": left.slate, "votes": left.votes, "round": again})
    return left.model_copy(update={"after": new.after})


def _still_holds(old: StageState, new: StageState) -> bool:
    """Return whether nothing has changed of what a stage decides on, nor of whether people decide it."""
    by_rule = old.rule.startswith("auto.")
    return old.subject == new.subject and (old.rule == new.rule if by_rule or new.rule else True)


def _is_carried(vote: Vote) -> bool:
    return vote.rule == "approval.already-approved"


def _superseded(stage: StageState, at: datetime) -> StageState:
    return stage.model_copy(update={"status": StageStatus.SUPERSEDED, "closed_at": at, "rule": "approval.amended"})


# ---------------------------------------------------------------- ends


def _end(state: Approvals, status: StageStatus, at: datetime) -> Change | Refusal:
    """Call everything off that is not decided."""
    if state.outcome is not StageStatus.WAITING:
        return Refusal(code="stage-closed", message=_ended(state))
    state, dropped = _call_off(state, (StageStatus.OPEN, StageStatus.WAITING), status, at)
    return Change(state=state, closed=dropped)


def _ended(state: Approvals) -> str:
    """Return how approvals ended, in a sentence."""
    last = next((s for s in reversed(state.stages) if s.closed_at and s.status is state.outcome), None)
    return said(last) if last else "There is nothing left to approve."


def _close(state: Approvals, stage: StageState, status: StageStatus, at: datetime, rule: str = "") -> Change:
    """Close a stage; if that decides the request, what is open beside it is called off."""
    closed = stage.model_copy(update={"status": status, "closed_at": at, "rule": rule, "question": None})
    state = _replace(state, closed)
    if status in PASSED:
        return Change(state=state, closed=(closed,))
    state, dropped = _call_off(state, (StageStatus.OPEN,), StageStatus.CANCELLED, at)
    return Change(state=state, closed=(closed, *dropped))


def _call_off(
    state: Approvals, which: tuple[StageStatus, ...], status: StageStatus, at: datetime
) -> tuple[Approvals, tuple[StageState, ...]]:
    """Return the state without the stages that stand like that, and those."""
    update = {"status": status, "closed_at": at, "question": None}
    dropped = tuple(stage.model_copy(update=update) for stage in state.stages if stage.status in which)
    for stage in dropped:
        state = _replace(state, stage)
    return state, dropped


def _replace(state: Approvals, stage: StageState) -> Approvals:
    stages = tuple(stage if s.stage.id == stage.stage.id else s for s in state.stages)
    return state.model_copy(update={"stages": stages})


_BY_VOTES = ("", "approval.veto", "approval.deny")
"""The rules of a stage that votes have decided."""


def said(stage: StageState) -> str:
    """Return where a stage stands and who decided, in a sentence."""
    name = f"Stage {stage.stage.name!r}"
    who = ", ".join(f"{vote.voter.name} ({vote.verdict})" for vote in stage.votes)
    match stage.status:
        case StageStatus.APPROVED | StageStatus.REJECTED if stage.rule not in _BY_VOTES:
            return f"{name} was {stage.status} by the rule {stage.rule}."
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
