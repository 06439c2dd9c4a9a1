"""Whose decision a stage is: they are looked up again, hand it on, ask for others (part of `approval`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import takewhile
from typing import Any

from catalog.ballot import Approvals, Change, Hand, Join, Refusal, Resolve, StageState, Vote
from catalog.people import PersonRef
from catalog.settling import asked_anew, carry_over, with_seats
from catalog.slate import NOBODY, Seat, Slate
from catalog.stages import Stage
from catalog.standing import refuse_acting, refuse_newcomer, said


def resolve(state: Approvals, found: StageState, event: Resolve, at: datetime) -> Change:
    """Ask those who are named now: an empty seat moves, a vote once cast stays unless the stage says otherwise."""
    others = without_banned(state, found.stage, event.others)
    slate = reseated(found, without_banned(state, found.stage, event.slate), others, event.gone)
    changed, fallen = with_slate(found, slate)
    if event.above:
        changed = _above(changed, without_banned(state, found.stage, event.above), others, event.gone)
    # Only for those who come: whoever was asked before may have taken back what they said elsewhere.
    new = {seat.person.id for seat in slate.seats} - {seat.person.id for seat in found.slate.seats}
    return asked_anew(state, found, carry_over(state, changed, new, at), at, fallen)


def _above(stage: StageState, fresh: Slate, others: Slate, gone: Collection[str]) -> StageState:
    """Return a stage with those to whom it was escalated as they are named now."""
    handed = _handed((seat for seat in stage.escalated if seat.person.id not in gone), others)
    seats = {seat.person.id: seat for seat in (handed.get(one.person.id, one) for one in fresh.seats)}
    skipped = tuple(dict.fromkeys((*stage.slate.skipped, *fresh.skipped)))
    slate = stage.slate.model_copy(update={"skipped": skipped, **working_time(stage.slate, fresh)})
    return stage.model_copy(update={"slate": slate, "escalated": tuple(seats.values())})


def _handed(seats: Iterable[Seat], others: Slate) -> dict[str, Seat]:
    """Return the seats that were handed on by whose they were, with those who stand in for who has them now."""
    return {seat.instead_of.id: _stood_in(seat, others) for seat in seats if seat.instead_of and not seat.joined}


def _stood_in(seat: Seat, others: Slate) -> Seat:
    """Return a seat with those who stand in for its person now, if that was looked up."""
    found = next((one for one in others.seats if one.person.id == seat.person.id), seat)
    return seat.model_copy(update={"deputies": found.deputies})


def working_time(*slates: Slate) -> dict[str, Any]:
    """Return the working time of everybody on these slates; the last of them knows it best."""
    return {
        "calendars": {name: own for one in slates for name, own in one.calendars.items()},
        "hours": {person: name for one in slates for person, name in one.hours.items()},
    }


def without_banned(state: Approvals, stage: Stage, slate: Slate) -> Slate:
    """Return the slate without those who never decide, whoever put them there, nor whomever these have delegated to."""
    banned = state.parties.banned(stage)
    seats: dict[str, Seat] = {}
    for seat in slate.seats:
        if seat.person.id not in banned:
            allowed = tuple(takewhile(lambda deputy: deputy.person.id not in banned, seat.deputies))
            cut = seat if allowed == seat.deputies else seat.model_copy(update={"deputies": allowed})
            seats.setdefault(seat.person.id, cut)
    left = tuple(seats.values())
    return slate if left == slate.seats else slate.model_copy(update={"seats": left})


def with_slate(stage: StageState, slate: Slate, **besides: Any) -> tuple[StageState, tuple[tuple[str, Vote], ...]]:
    """Return a stage with other seats and whatever changes besides, and the votes that fall as theirs are gone."""
    seats = {seat.person.id for seat in slate.seats}
    kept = tuple(vote for vote in stage.votes if seats.issuperset(vote.seats))
    fallen = tuple((stage.stage.id, vote) for vote in stage.votes if vote not in kept)
    return stage.model_copy(update={"slate": slate, "votes": kept, **besides}), fallen


def reseated(stage: StageState, fresh: Slate, others: Slate = NOBODY, gone: Collection[str] = ()) -> Slate:
    """Return the slate of those who are named now, with the seats that stay whoever is named.

    A seat that was handed on is not given back, one that an approver asked for stands, and so does one that is filled.

    Args:
        stage: as it stands.
        fresh: who is named now.
        others: those who have such a seat although nobody names them, as they are found now.
        gone: who of these is no longer there, by id: what they were handed goes back.
    """
    filled = () if stage.stage.revalidate else stage.filled()
    stay = [seat for seat in stage.slate.seats if seat.person.id not in gone or seat.person.id in filled]
    handed = _handed(stay, others)
    seats: dict[str, Seat] = {}
    for seat in fresh.seats:
        taken = handed.get(seat.person.id)
        one = taken.model_copy(update={"groups": seat.groups, "kept": False}) if taken else seat
        seats[one.person.id] = _united(one, seats.get(one.person.id))
    for seat in stay:
        if seat.joined:
            seats[seat.person.id] = _united(_stood_in(seat, others), seats.get(seat.person.id))
        elif seat.person.id in filled:
            seats.setdefault(seat.person.id, seat.model_copy(update={"kept": True}))
    return fresh.model_copy(update={"seats": tuple(seats.values()), **working_time(stage.slate, fresh, others)})


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


def hand(state: Approvals, found: StageState, event: Hand, at: datetime) -> Change | Refusal:
    """Give somebody's seat to another (feature row A9); who had it may get it back.

    Who has both has their own seat handed on; once that is filled, the one by which it was escalated to them.
    """
    if event.by.id in state.parties.banned(found.stage):
        return Refusal(code="self-approval", message="Nobody chooses who decides their own request.")
    empty = found.empty()
    left, above = _of(event.seat, empty), _of(event.seat, found.escalated)
    seat = left or above or _of(event.seat, found.slate.seats)
    if seat is None or not (_for_all(state, event) or _is_theirs(found, seat, event.by)):
        return Refusal(code="not-approver", message="This is not yours to hand on.")
    if not empty or not (left or above):
        return Refusal(code="already-decided", message=f"There is nothing left to hand on. {said(found)}")
    refusal = refuse_newcomer(state, found, event.to)
    if refusal:
        return refusal
    if left:
        moved = _moved(left, event.to).model_copy(update={"stays": found.replaced})
        now = with_seats(found, tuple(moved if one is left else one for one in found.slate.seats))
    else:
        handed = tuple(_moved(one, event.to) if one is above else one for one in found.escalated)
        now = found.model_copy(update={"escalated": handed})
    return asked_anew(state, found, now, at)


def _of(person_id: str, seats: Iterable[Seat]) -> Seat | None:
    return next((seat for seat in seats if seat.person.id == person_id), None)


def _is_theirs(found: StageState, seat: Seat, human: PersonRef) -> bool:
    """Return whether somebody may hand on a seat: whose it is, and to whom it was escalated instead of them.

    Not who stands in for them: whose decision it is would lose it although they keep the right to decide.
    """
    above = {one.person.id for one in found.escalated}
    if human.id == seat.person.id:
        return found.stands(seat) or human.id in above
    return human.id in above and seat.person.id not in above


def _for_all(state: Approvals, event: Hand) -> bool:
    """Return whether an operator does it; nobody does so about a request of their own."""
    return event.operator and event.by.id not in (state.parties.requester_id, state.parties.beneficiary_id)


def _moved(seat: Seat, to: PersonRef) -> Seat:
    """Return a seat with somebody else on it; who is to stand in for them is looked up afterwards."""
    first = seat.instead_of or seat.person
    back = to.id == first.id
    return seat.model_copy(update={"person": to, "deputies": (), "instead_of": None if back else first})


def join(state: Approvals, found: StageState, event: Join, at: datetime) -> Change | Refusal:
    """Ask somebody else to approve as well (feature row A9)."""
    refusal = refuse_acting(state, found, event.by, at) or refuse_newcomer(state, found, event.person)
    if refusal:
        return refusal
    seat = Seat(person=event.person, groups={}, joined=True, stays=found.replaced)
    return asked_anew(state, found, with_seats(found, (*found.slate.seats, seat)), at)
