"""What time makes of a stage: reminders, escalation, its end, and that of a question (part of `approval`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from catalog import agenda as agendas
from catalog.ballot import Approvals, Change, Due, Escalate, Question, Refusal, StageState, StageStatus
from catalog.people import PersonRef
from catalog.questions import going_on
from catalog.seating import without_banned, working_time
from catalog.settling import agenda_of, asked_anew, close, with_stage
from catalog.standing import said
from catalog.text import moment


def tick(state: Approvals, found: StageState, at: datetime) -> Change | Refusal:
    """See to what is due on a stage: reminders, a notice, its end; a question goes before that."""
    if found.question:
        return _tick_question(state, found, found.question, at)
    if found.agenda is None or found.agenda.next_at is None or found.agenda.next_at > at:
        return _not_yet(found, found.agenda.next_at if found.agenda else None)
    expected = {person.id: person for person in found.undecided()}
    agenda, due = agendas.tick(found.stage, found.agenda, expected, found.calendar_of, at)
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
    return Change(state=with_stage(state, ticked), due=facts)


def _named(ids: Iterable[str], people: Mapping[str, PersonRef]) -> tuple[PersonRef, ...]:
    return tuple(people[one] for one in ids)


def _over(state: Approvals, stage: StageState, level: int, at: datetime) -> Change:
    """Go on with a stage whose time is over: to the next level, or to its end (feature rows A13, A14)."""
    if level < len(stage.stage.escalate):
        due = (Due(kind="escalate", stage=stage.stage.id, nth=level + 1),)
        return Change(state=with_stage(state, stage), due=due)
    ends = {
        "approve": StageStatus.APPROVED,
        "reject": StageStatus.REJECTED,
        "skip": StageStatus.SKIPPED,
        "expire": StageStatus.EXPIRED,
    }
    return close(state, stage, ends[stage.stage.at_deadline], at, rule=_LATE[stage.stage.at_deadline])


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
            return Change(state=with_stage(state, going_on(found, at)), due=due)
        return close(state, found, StageStatus.CANCELLED, at, rule="approval.unanswered")
    if question.remind_at and question.remind_at <= at:
        asked = found.model_copy(update={"question": question.model_copy(update={"remind_at": None})})
        return Change(state=with_stage(state, asked), due=(Due(kind="ask-again", stage=name),))
    return _not_yet(found, question.remind_at or question.due_at)


def _not_yet(stage: StageState, next_at: datetime | None) -> Refusal:
    when = f" before {moment(next_at.isoformat())}" if next_at else ""
    return Refusal(code="nothing-due", message=f"Nothing is due{when}. {said(stage)}")


def escalate(state: Approvals, found: StageState, event: Escalate, at: datetime) -> Change | Refusal:
    """Let others decide in place of those who have not; if there are none, its time is over at once."""
    agenda = found.agenda
    if agenda is None or agenda.due_at or agenda.level >= len(found.stage.escalate):
        return Refusal(code="nothing-due", message=f"It is not time to escalate. {said(found)}")
    level = agenda.level + 1
    fresh = without_banned(state, found.stage, event.slate)
    if not fresh.seats:
        passed = found.model_copy(update={"agenda": agenda.model_copy(update={"level": level})})
        return _over(state, passed, level, at)
    skipped = tuple(dict.fromkeys((*found.slate.skipped, *fresh.skipped)))
    terms = found.stage.escalate[level - 1]
    replace = terms.how == "replace"
    seats = tuple(seat.model_copy(update={"stays": seat.stays and not replace}) for seat in found.slate.seats)
    above = {seat.person.id: seat for seat in (*(() if replace else found.escalated), *fresh.seats)}
    now = found.model_copy(
        update={
            "slate": found.slate.model_copy(
                update={"seats": seats, "skipped": skipped, **working_time(found.slate, fresh)}
            ),
            "escalated": tuple(above.values()),
            "replaced": found.replaced or replace,
        }
    )
    begun = agenda_of(now, at, level)
    # A question stops the time of those it now goes to as it did that of the others.
    later = agendas.pause(begun, at) if found.question else begun
    return asked_anew(state, found, now.model_copy(update={"agenda": later}), at)
