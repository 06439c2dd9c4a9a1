"""What is asked beside a decision: the requester, advice, and whether it comes soon (part of `approval`)."""

from __future__ import annotations

from datetime import datetime, timedelta

from catalog import agenda as agendas
from catalog.ballot import (
    Advice,
    Advise,
    Answer,
    Approvals,
    Ask,
    Change,
    Consult,
    Due,
    Nudge,
    Question,
    Refusal,
    StageState,
)
from catalog.people import PersonRef
from catalog.settling import with_stage
from catalog.standing import refuse_acting, said
from catalog.text import moment


def ask(state: Approvals, found: StageState, event: Ask, at: datetime) -> Change | Refusal:
    """Stop the time of those who decide until the requester has answered (feature row A10)."""
    refusal = refuse_acting(state, found, event.by, at)
    if refusal:
        return refusal
    if found.question:
        asked = f"{found.question.by.name} has asked the requester already; the answer is awaited."
        return Refusal(code="question-open", message=asked)
    if found.questions >= MOST_ASKED:
        return _too_many("The requester was asked", "Decide by what you know")
    own = found.calendar_of(state.parties.requester_id)
    due_at = agendas.end(own, at, found.stage.answer_within)
    remind_at = agendas.open_at(own, at + (due_at - at) / 2)
    question = Question(
        by=event.by,
        text=event.text,
        asked_at=at,
        remind_at=remind_at if remind_at < due_at else None,
        due_at=due_at,
        own_time=event.own_time,
    )
    paused = agendas.pause(found.agenda, at) if found.agenda else None
    update = {"question": question, "questions": found.questions + 1, "agenda": paused}
    return Change(state=with_stage(state, found.model_copy(update=update)))


def answer(state: Approvals, found: StageState, event: Answer, at: datetime) -> Change | Refusal:
    """Go on where the question stopped it."""
    if event.by.id not in (state.parties.requester_id, state.parties.beneficiary_id):
        return Refusal(code="not-approver", message="Only who ordered it and who is to have it can answer.")
    if found.question is None:
        return Refusal(code="no-question", message=f"Nobody waits for an answer. {said(found)}")
    return Change(state=with_stage(state, going_on(found, at)))


def going_on(stage: StageState, at: datetime) -> StageState:
    """Return the stage without its question, its time going on."""
    return stage.model_copy(update={"question": None, "agenda": stage.agenda and _resumed(stage, stage.agenda, at)})


def _resumed(stage: StageState, agenda: agendas.Agenda, at: datetime) -> agendas.Agenda:
    if stage.question and not stage.question.own_time:
        return agendas.resume_as_before(stage.stage, agenda, stage.calendar_of, at)
    people = [person.id for person in stage.undecided()]
    return agendas.resume(stage.stage, agenda, people, stage.calendar_of, at)


def answered_by_deciding(stage: StageState, human: PersonRef, at: datetime) -> StageState:
    """Return the stage without the question of somebody who has decided without waiting for the answer."""
    return going_on(stage, at) if stage.question and stage.question.by.id == human.id else stage


def consult(state: Approvals, found: StageState, event: Consult, at: datetime) -> Change | Refusal:
    """Ask somebody for advice, once at a time (feature row A9)."""
    refusal = refuse_acting(state, found, event.by, at)
    if refusal:
        return refusal
    if any(advice.person.id == event.person.id and not advice.given_at for advice in found.advice):
        return Refusal(code="already-asked", message=f"{event.person.name} is asked already.")
    if len(found.advice) >= MOST_ASKED:
        return _too_many("Advice was asked", "Decide by what you have")
    advice = Advice(person=event.person, by=event.by, question=event.question, asked_at=at)
    return Change(state=with_stage(state, found.model_copy(update={"advice": (*found.advice, advice)})))


def advise(state: Approvals, found: StageState, event: Advise, at: datetime) -> Change | Refusal:
    """Take the advice somebody was asked for."""
    open_ = next((a for a in found.advice if a.person.id == event.by.id and not a.given_at), None)
    if open_ is None:
        return Refusal(code="no-question", message="Nobody asks your advice on this now.")
    given = open_.model_copy(update={"text": event.text, "given_at": at})
    advice = tuple(given if one is open_ else one for one in found.advice)
    return Change(state=with_stage(state, found.model_copy(update={"advice": advice})))


MOST_ASKED = 10
"""How many questions to the requester, and how many requests for advice, a stage takes: all of it is kept with it."""


def _too_many(what: str, remedy: str) -> Refusal:
    return Refusal(code="too-many", message=f"{what} {MOST_ASKED} times already. {remedy}.")


NUDGED_AGAIN_AFTER = timedelta(days=1)
"""How long somebody who waits has to wait before they can ask for a decision again."""


def nudge(state: Approvals, found: StageState, event: Nudge, at: datetime) -> Change | Refusal:
    """Remind those who have not decided because somebody waits for it: each in their working time (feature row A12)."""
    if not event.operator and event.by.id not in (state.parties.requester_id, state.parties.beneficiary_id):
        return Refusal(
            code="not-approver", message="Only who ordered it, who is to have it and operators remind people."
        )
    if found.question:
        asked = f"{found.question.by.name} waits for an answer to a question; answer it instead."
        return Refusal(code="question-open", message=asked)
    if found.nudged_at and at - found.nudged_at < NUDGED_AGAIN_AFTER:
        again = moment((found.nudged_at + NUDGED_AGAIN_AFTER).isoformat())
        return Refusal(code="not-now", message=f"They were reminded less than a day ago; remind them after {again}.")
    people = {person.id: person for person in found.undecided()}
    agenda, now, later = agendas.nudge(found.agenda or agendas.Agenda(since=at), people, found.calendar_of, at)
    if not now and not later:
        return Refusal(code="not-now", message=_asleep(found))
    due = Due(kind="remind", stage=found.stage.id, people=tuple(people[one] for one in now))
    return Change(
        state=with_stage(state, found.model_copy(update={"nudged_at": at, "agenda": agenda})),
        due=(due,) if now else (),
        later=tuple((one.at, tuple(people[person] for person in one.people)) for one in later),
    )


def _asleep(stage: StageState) -> str:
    """Say that nobody can be reminded any more, and until when they have."""
    until = f", {moment(stage.due_at.isoformat())}" if stage.due_at else ""
    return f"None of those who decide works before their time is over{until}; the request says what happens then."
