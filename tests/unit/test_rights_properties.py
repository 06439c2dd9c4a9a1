"""What the register shows of a decision and what the stage itself says are the same, whatever happens (A21, W1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import product
from typing import Literal

from hypothesis import given
from support.ballots import PEOPLE, TIM, Story, stories
from support.builders import NOON, a_person, an_order, approvals_of
from support.story import a_task
from support.trying import examples

from catalog import rights, stage_view
from catalog.approval import apply
from catalog.ballot import (
    Advise,
    Answer,
    Approvals,
    Ask,
    Cast,
    Change,
    Consult,
    Event,
    Hand,
    Join,
    Nudge,
    Refusal,
    StageState,
    StageStatus,
    Verdict,
    Withdraw,
)
from catalog.people import Actor
from catalog.request import Assignee, Task
from catalog.slate import Seat

NEVER = ("self-approval", "not-approver")
FOR_TIM = an_order(beneficiary=TIM.ref())


@examples(50)
@given(stories())
def test_a21_what_the_register_shows_refuses_no_vote_that_counts_and_knows_who_never_had_one(story: Story) -> None:
    for state, stage, at in begun(story):
        check_votes(state, stage, at)


def begun(story: Story) -> Iterator[tuple[Approvals, StageState, datetime]]:
    """Yield the state after each event with every stage that has begun by then, and when that is."""
    state, at = approvals_of(*story.stages, beneficiary=TIM), NOON
    for passes, event in story.events:
        at += passes
        answer = apply(state, event, at)
        state = answer.state if isinstance(answer, Change) else state
        for stage in state.stages:
            if stage.status is not StageStatus.WAITING:
                yield state, stage, at


def check_votes(state: Approvals, stage: StageState, at: datetime) -> None:
    """Check of everybody that a vote of theirs is refused as it would be by the stage itself."""
    asked = shown(stage)
    for person in PEOPLE:
        vote = apply(state, Cast(stage=stage.stage.id, voter=person.ref(), verdict=Verdict.APPROVE), at)
        found = rights.refuse_decision(Actor(person=person.ref()), FOR_TIM, asked, "approve", "")
        if isinstance(vote, Change):
            assert found is None, (person.name, found)
        else:
            if found is None:  # it does not show until when somebody stands in, and is decided only in working time
                assert vote.code in ("no-longer-asked", "not-now"), (person.name, vote)
                continue
            assert (found.code in NEVER) is (vote.code in NEVER), (person.name, found, vote)


@examples(50)
@given(stories())
def test_w1_what_is_offered_is_accepted_and_what_is_accepted_is_offered(story: Story) -> None:
    for state, stage, at in begun(story):
        check_acts(state, stage, at)


Kind = Literal["approval", "information", "advice"]
ZED = a_person("Zed").ref()
"""Somebody who was not asked yet."""

DONE_WITH: dict[Kind, tuple[rights.Act, ...]] = {
    "approval": ("decide", "withdraw", "ask", "add", "consult", "reassign", "remind"),
    "information": ("answer",),
    "advice": ("advise",),
}
"""What is done about a decision, by the kind of task."""


def check_acts(state: Approvals, stage: StageState, at: datetime) -> None:
    """Check of everybody and of operators that the register offers them exactly what the stage would accept."""
    tasks = [shown(stage), *questions(stage)]
    everybody = [Actor(person=person.ref(), operator=operator) for person in PEOPLE for operator in (False, True)]
    for actor, (kind, acts) in product(everybody, DONE_WITH.items()):
        offered = {asked.kind: rights.acts(actor, FOR_TIM, asked, tasks, at) for asked in tasks if is_for(actor, asked)}
        for act in acts:
            answers = [apply(state, event, at) for event in attempts(act, stage, actor)]
            accepted = any(isinstance(answer, Change) for answer in answers)
            if act not in offered.get(kind, ()):
                # Where nobody is left to decide, operators are asked by a task of their own to see to it.
                operators_task = act == "reassign" and actor.operator and not stage.undecided()
                assert not accepted or operators_task, (actor, act)
            elif not accepted:
                assert any(is_unknown(answer, actor, tasks[0], act) for answer in answers), (actor, act, answers)
            if accepted and act != "decide":
                (asked,) = (one for one in tasks if one.kind == kind and is_for(actor, one))
                assert rights.refuse_considering(actor, FOR_TIM, asked, act, "given") is None, (actor, act)


def is_for(actor: Actor, asked: Task) -> bool:
    """Return whether somebody is concerned by a task: several may be asked for advice, each by a task of their own."""
    return asked.kind != "advice" or actor.person.id in {one.person.id for one in asked.assignees}


def is_unknown(answer: Change | Refusal, actor: Actor, asked: Task, act: str) -> bool:
    """Return whether something is refused for what the register does not show.

    It neither counts how often something was asked, nor shows when those work who decide, nor until when somebody
    stands in: it is made to show when that is over, and before that `rights.refuse_deputy` keeps it from being handed
    over.
    """
    assert isinstance(answer, Refusal)
    over = answer.code == "no-longer-asked" and rights.only_for(actor, asked, act) != ()
    nobody_works = act == "remind" and answer.message.startswith("None of those who decide works before")
    return over or nobody_works or answer.code == "too-many"


def attempts(act: rights.Act, stage: StageState, actor: Actor) -> list[Event]:
    """Return what somebody may try who does that; an operator may hand on anybody's decision."""
    name, by = stage.stage.id, actor.person
    others = (*stage.slate.seats, *stage.escalated) if actor.operator else ()
    hands = (Hand(stage=name, by=by, seat=one, to=ZED, operator=actor.operator) for one in {by.id, *seats_of(others)})
    made: dict[str, list[Event]] = {
        "decide": [Cast(stage=name, voter=by, verdict=Verdict.APPROVE)],
        "withdraw": [Withdraw(stage=name, voter=by)],
        "ask": [Ask(stage=name, by=by, text="?")],
        "add": [Join(stage=name, by=by, person=ZED)],
        "consult": [Consult(stage=name, by=by, person=ZED, question="?")],
        "reassign": [*hands],
        "remind": [Nudge(stage=name, by=by, operator=actor.operator)],
        "answer": [Answer(stage=name, by=by)],
        "advise": [Advise(stage=name, by=by, text="!")],
    }
    return made[act]


def seats_of(seats: Iterable[Seat]) -> set[str]:
    return {seat.person.id for seat in seats}


def questions(stage: StageState) -> list[Task]:
    """Return the tasks of those who are asked something about a stage."""
    if stage.status is not StageStatus.OPEN:
        return []
    asked = [("information", FOR_TIM.people)] if stage.question else []
    asked += [("advice", (one.person,)) for one in stage.advice if one.given_at is None]
    return [
        a_task(
            "REQ-1001", kind=kind, assignees=tuple(Assignee(person=person) for person in people), choices=("answer",)
        )
        for kind, people in asked
    ]


def shown(stage: StageState) -> Task:
    """Return a stage's task as the register shows it."""
    assignees = stage_view.assignees(stage)
    return a_task(
        "REQ-1001",
        assignees=assignees,
        removed=stage.removed,
        late=stage_view.late(stage, assignees),
        acts_in=stage.acts_in,
        nudged_at=stage.nudged_at,
        decided=None if stage.status is StageStatus.OPEN else stage.status,
        decided_by=tuple(vote.voter for vote in stage.votes),
    )
