"""What people's commands about a decision ask of the approvals, and as what they go on record."""

from __future__ import annotations

from temporalio import workflow

from workflows.messages import Consider, Decide

with workflow.unsafe.imports_passed_through():
    from catalog.ballot import Advise, Answer, Ask, Cast, Consult, Event, Hand, Join, Nudge, Verdict, Withdraw
    from catalog.journal import Kind
    from catalog.request import Task

CONSIDERED = {
    "withdraw": Kind.VOTE_WITHDRAWN,
    "reassign": Kind.HANDED_ON,
    "add": Kind.APPROVER_ADDED,
    "consult": Kind.ADVICE_ASKED,
    "advise": Kind.ADVICE_GIVEN,
    "ask": Kind.INFO_ASKED,
    "answer": Kind.INFO_GIVEN,
    "remind": Kind.APPROVERS_REMINDED,
}
"""As what it is put on record that somebody did something about a decision short of deciding."""


def event_of(task: Task, command: Decide | Consider, *, own_time: bool = True) -> Event:
    """Return what a command asks of the approvals; `own_time`: see `Question`."""
    stage, by = task.stage or "", command.actor.person
    if isinstance(command, Decide):
        verdict = Verdict(command.choice)
        return Cast(
            stage=stage,
            voter=by,
            verdict=verdict,
            reason=command.reason,
            subject=command.subject,
            not_for=command.not_for,
        )
    person = command.person or by
    match command.act:
        case "withdraw":
            return Withdraw(stage=stage, voter=by, not_for=command.not_for)
        case "reassign":
            seat = command.seat or by.id
            return Hand(stage=stage, by=by, seat=seat, to=person, operator=command.actor.operator)
        case "add":
            return Join(stage=stage, by=by, person=person)
        case "consult":
            return Consult(stage=stage, by=by, person=person, question=command.text)
        case "advise":
            return Advise(stage=stage, by=by, text=command.text)
        case "ask":
            return Ask(stage=stage, by=by, text=command.text, own_time=own_time)
        case "answer":
            return Answer(stage=stage, by=by)
        case "remind":
            return Nudge(stage=stage, by=by, operator=command.actor.operator)
