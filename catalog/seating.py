"""Whose decision a stage is: they are looked up again, hand it on, ask for others (part of `approval`)."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from catalog.ballot import Approvals, Change, Hand, Join, Refusal, Resolve, StageState, Vote
from catalog.settling import asked_anew, carry_over, with_seats
from catalog.slate import Seat, Slate
from catalog.stages import Stage
from catalog.standing import refuse_acting, refuse_newcomer, said


def resolve(state: Approvals, found: StageState, event: Resolve, at: datetime) -> Change:
    """Ask those who are named now: an empty seat moves, a vote once cast stays unless the stage says otherwise."""
    slate = reseated(found, without_banned(state, found.stage, event.slate))
    changed, fallen = with_slate(found, slate)
    changed = _above(state, changed, event.above) if event.above else changed
    # Only for those who come: whoever was asked before may have taken back what they said elsewhere.
    new = {seat.person.id for seat in slate.seats} - {seat.person.id for seat in found.slate.seats}
    return asked_anew(state, found, carry_over(state, changed, new, at), at, fallen)


def _above(state: Approvals, stage: StageState, named: Slate) -> StageState:
    """Return a stage with those to whom it was escalated as they are named now."""
    fresh = without_banned(state, stage.stage, named)
    calendars, hours = {**stage.slate.calendars, **fresh.calendars}, {**stage.slate.hours, **fresh.hours}
    slate = stage.slate.model_copy(update={"calendars": calendars, "hours": hours})
    people = tuple(seat.acting for seat in fresh.seats)
    return stage.model_copy(update={"slate": slate, "escalated": people})


def without_banned(state: Approvals, stage: Stage, slate: Slate) -> Slate:
    """Return the slate without those who never decide, whoever put them there, nor whomever these have delegated to."""
    banned = state.parties.banned(stage)
    seats: dict[str, Seat] = {}
    for seat in slate.seats:
        if seat.person.id not in banned:
            allowed = tuple(takewhile(lambda deputy: deputy.person.id not in banned, seat.deputies))
            cut = seat if allowed == seat.deputies else seat.model_copy(update={"deputies": allowed})
            seats.setdefault(seat.person.id, cut)
    return slate.model_copy(update={"seats": tuple(seats.values())})


def with_slate(stage: StageState, slate: Slate) -> tuple[StageState, tuple[tuple[str, Vote], ...]]:
    """Return a stage with other seats, and the votes that fall because theirs are gone."""
    seats = {seat.person.id for seat in slate.seats}
    kept = tuple(vote for vote in stage.votes if seats.issuperset(vote.seats))
    fallen = tuple((stage.stage.id, vote) for vote in stage.votes if vote not in kept)
    return stage.model_copy(update={"slate": slate, "votes": kept}), fallen


def reseated(stage: StageState, fresh: Slate) -> Slate:
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


def hand(state: Approvals, found: StageState, event: Hand, at: datetime) -> Change | Refusal:
    """Give somebody's seat to another (feature row A9); who had it may get it back."""
    if event.by.id in state.parties.banned(found.stage):
        return Refusal(code="self-approval", message="Nobody chooses who decides their own request.")
    seat = next((seat for seat in found.slate.seats if seat.person.id == event.seat), None)
    if seat is None:
        return _hand_on_above(state, found, event, at)
    if not (event.operator or event.by.id in {person.id for person in found.may_fill(seat)}):
        return Refusal(code="not-approver", message="This is not yours to hand on.")
    if seat.person.id in found.filled():
        return Refusal(code="already-decided", message=f"There is nothing left to hand on. {said(found)}")
    refusal = refuse_newcomer(state, found, event.to)
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
    return asked_anew(state, found, with_seats(found, seats), at)


def _hand_on_above(state: Approvals, found: StageState, event: Hand, at: datetime) -> Change | Refusal:
    """Put another in the place of somebody it was escalated to, who has no seat of their own."""
    above = {person.id: person for person in found.escalated}
    if event.seat not in above or not (event.operator or event.by.id == event.seat):
        return Refusal(code="not-approver", message="This is not yours to hand on.")
    refusal = refuse_newcomer(state, found, event.to)
    if refusal:
        return refusal
    people = tuple(event.to if person.id == event.seat else person for person in found.escalated)
    return asked_anew(state, found, found.model_copy(update={"escalated": people}), at)


def join(state: Approvals, found: StageState, event: Join, at: datetime) -> Change | Refusal:
    """Ask somebody else to approve as well (feature row A9)."""
    refusal = refuse_acting(state, found, event.by) or refuse_newcomer(state, found, event.person)
    if refusal:
        return refusal
    seat = Seat(person=event.person, groups={}, joined=True, stays=found.replaced)
    return asked_anew(state, found, with_seats(found, (*found.slate.seats, seat)), at)
