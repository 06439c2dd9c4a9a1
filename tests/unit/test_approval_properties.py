"""Approvals, whatever happens: what holds in every state after every sequence of events.

Small plans are driven exhaustively: every state that can be reached, and in it every event. Larger ones are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOON, a_person, a_stage

from catalog.approval import (
    Approvals,
    Cancel,
    Cast,
    Change,
    Event,
    Expire,
    Open,
    Refusal,
    Rung,
    Slate,
    StageStatus,
    Verdict,
    apply,
    begin,
    slate,
)
from catalog.people import Person
from catalog.plan import plan

ADA, TIM, BEN, CLEO, DANA = PEOPLE = tuple(a_person(n) for n in ("Ada", "Tim", "Ben", "Cleo", "Dana"))
"""Ada orders for Tim; the others may be asked."""

SUBJECT = "sha256:1"
STAGES = ("first", "second", "third")
ENDED = (StageStatus.APPROVED, StageStatus.REJECTED, StageStatus.EXPIRED, StageStatus.CANCELLED)


def approvals(quorums: tuple[str, ...], beside: frozenset[int] = frozenset()) -> Approvals:
    """Return approvals with a stage per quorum; those whose place is in `beside` begin at once."""
    stages = tuple(
        a_stage(id=name, name=name, quorum=quorum, after=() if at in beside else None)
        for at, (name, quorum) in enumerate(zip(STAGES, quorums, strict=False))
    )
    return begin(plan(stages, {}), ADA.id, TIM.id, SUBJECT)


def slate_of(*people: Person) -> Slate:
    return Slate(people=tuple(person.ref() for person in people))


def check_step(state: Approvals, event: Event) -> Change | Refusal:
    """Apply an event and check everything that holds for any state and any event."""
    before = state.model_copy(deep=True)
    answer = apply(state, event, NOON)
    assert isinstance(answer, Change | Refusal)
    assert state == before, "the state it was applied to changed"
    if isinstance(answer, Refusal):
        assert answer.message
        return answer
    assert answer.state != state, "what counts shows"
    assert state.outcome is StageStatus.WAITING, "something counted after the end"
    for old, new in zip(state.stages, answer.state.stages, strict=True):
        assert new.votes[: len(old.votes)] == old.votes, "a vote was taken back"
        if old.status in ENDED:
            assert new == old, "a closed stage changed"
    check_state(answer.state)
    return answer


def check_state(state: Approvals) -> None:
    """Check what holds of every state."""
    for stage in state.stages:
        voters = [vote.voter.id for vote in stage.votes]
        assert len(voters) == len(set(voters)), "somebody has two votes on a stage"
        assert not {ADA.id, TIM.id} & set(voters), "requester or beneficiary voted"
        assert set(voters) <= {person.id for person in stage.slate.people}, "somebody voted who was not asked"
        assert (stage.closed_at is not None) == (stage.status in ENDED)
    approved = {stage.stage.id for stage in state.stages if stage.status is StageStatus.APPROVED}
    undecided = [stage for stage in state.stages if stage.status in (StageStatus.OPEN, StageStatus.WAITING)]
    began = [stage for stage in state.stages if stage.opened_at]
    assert all(approved.issuperset(stage.after) for stage in began), "a stage began before one that it follows"
    if state.outcome is StageStatus.WAITING:
        assert state.ready() or any(stage.status is StageStatus.OPEN for stage in undecided), "nothing can go on"
    else:
        assert not state.ready()
        assert not any(stage.status is StageStatus.OPEN for stage in undecided), "a stage is open after the end"


def all_events(stages: int) -> Iterator[Event]:
    """Every event there is for a plan of so many stages, one unknown stage included."""
    yield Cancel()
    for stage in (*STAGES[:stages], "nowhere"):
        yield Expire(stage=stage)
        for people in ((), (ADA, TIM), (BEN,), (BEN, CLEO), (ADA, BEN, TIM, CLEO, BEN)):
            yield Open(stage=stage, slate=slate_of(*people))
        for voter, verdict, subject in product((ADA, TIM, BEN, CLEO, DANA), Verdict, (None, SUBJECT, "sha256:0")):
            yield Cast(stage=stage, voter=voter.ref(), verdict=verdict, subject=subject)


Plan = tuple[tuple[str, ...], frozenset[int]]
ONE_AFTER_THE_OTHER: list[Plan] = [
    (quorums, frozenset()) for quorums in ((), ("any",), ("all",), *product(("any", "all"), repeat=2))
]
SIDE_BY_SIDE: list[Plan] = [(("any", "any"), frozenset({1})), (("all", "any"), frozenset({1}))]


@pytest.mark.parametrize(("quorums", "beside"), ONE_AFTER_THE_OTHER + SIDE_BY_SIDE)
def test_every_event_in_every_reachable_state_is_answered_and_breaks_nothing(
    quorums: tuple[str, ...], beside: frozenset[int]
) -> None:
    events = tuple(all_events(len(quorums)))
    start = approvals(quorums, beside)
    reached, todo = {start.model_dump_json()}, [start]
    outcomes = set()
    while todo:
        state = todo.pop()
        outcomes.add(state.outcome)
        for event in events:
            answer = check_step(state, event)
            if isinstance(answer, Change) and (key := answer.state.model_dump_json()) not in reached:
                reached.add(key)
                todo.append(answer.state)
    assert outcomes == (set(ENDED) | {StageStatus.WAITING} if quorums else {StageStatus.APPROVED})


people = st.sampled_from(PEOPLE)
stage_ids = st.sampled_from((*STAGES, "nowhere"))
casts = st.builds(
    Cast,
    stage=stage_ids,
    voter=people.map(Person.ref),
    verdict=st.sampled_from(Verdict),
    reason=st.text(max_size=5),
    subject=st.sampled_from((None, SUBJECT, "sha256:0")),
)
opens = st.builds(Open, stage=stage_ids, slate=st.lists(people, max_size=6).map(lambda drawn: slate_of(*drawn)))
events = st.one_of(casts, casts, casts, opens, opens, st.builds(Expire, stage=stage_ids), st.just(Cancel()))
plans = st.lists(st.sampled_from(("any", "all")), max_size=3).map(tuple)


@given(plans, st.frozensets(st.integers(0, 2)), st.lists(events, max_size=30))
def test_no_sequence_of_events_breaks_a_rule_or_changes_an_outcome(
    quorums: tuple[str, ...], beside: frozenset[int], drawn: list[Event]
) -> None:
    state = approvals(quorums, beside)
    ended = state.outcome
    for event in drawn:
        answer = check_step(state, event)
        if isinstance(answer, Change):
            state = answer.state
        if ended is not StageStatus.WAITING:
            assert state.outcome is ended
        ended = state.outcome


rungs = st.lists(
    st.builds(
        Rung,
        rule=st.sampled_from(("approver.manager", "approver.owner", "approver.group", "approver.fallback")),
        people=st.lists(
            st.builds(lambda p, active: p.model_copy(update={"active": active}), people, st.booleans())
        ).map(tuple),
    ),
    max_size=4,
).map(tuple)


@given(rungs, st.sampled_from(("any", "all")))
def test_by_no_rung_requester_or_beneficiary_come_to_decide(ladder: tuple[Rung, ...], quorum: str) -> None:
    found = slate(ladder, ADA.id, TIM.id)
    ids = [person.id for person in found.people]
    assert not {ADA.id, TIM.id} & set(ids)
    assert len(ids) == len(set(ids))
    state = approvals((quorum,))
    opened = check_step(state, Open(stage="first", slate=found))
    state = opened.state if isinstance(opened, Change) else state
    for person in (ADA, TIM):
        answer = check_step(state, Cast(stage="first", voter=person.ref(), verdict=Verdict.APPROVE))
        assert isinstance(answer, Refusal)
        assert answer.code == "self-approval"


@given(rungs)
def test_the_slate_is_the_first_rung_with_somebody_who_may_decide(ladder: tuple[Rung, ...]) -> None:
    found = slate(ladder, ADA.id, TIM.id)
    eligible = [[p.id for p in r.people if p.active and p.id not in (ADA.id, TIM.id)] for r in ladder]
    first = next((dict.fromkeys(ids) for ids in eligible if ids), {})
    assert [person.id for person in found.people] == list(first)


@pytest.mark.parametrize("quorum", ["any", "all"])
@pytest.mark.parametrize("verdicts", list(product(Verdict, repeat=3)))
def test_in_whatever_order_people_vote_the_result_is_the_same(quorum: str, verdicts: tuple[Verdict, ...]) -> None:
    opened = apply(approvals((quorum,)), Open(stage="first", slate=slate_of(BEN, CLEO, DANA)), NOON)
    assert isinstance(opened, Change)
    decided = any if quorum == "any" else all
    expected = decided(verdict is Verdict.APPROVE for verdict in verdicts)
    for order in permutations(zip((BEN, CLEO, DANA), verdicts, strict=True)):
        state = opened.state
        for voter, verdict in order:
            answer = check_step(state, Cast(stage="first", voter=voter.ref(), verdict=verdict))
            state = answer.state if isinstance(answer, Change) else state
        assert state.outcome is (StageStatus.APPROVED if expected else StageStatus.REJECTED)


@given(plans.filter(bool), st.lists(events, max_size=20), casts)
def test_a_vote_that_is_repeated_or_late_changes_nothing_and_says_who_decided(
    quorums: tuple[str, ...], drawn: list[Event], vote: Cast
) -> None:
    state = approvals(quorums)
    for event in (*drawn, vote):
        answer = apply(state, event, NOON)
        state = answer.state if isinstance(answer, Change) else state
    again = check_step(state, vote)
    assert isinstance(again, Refusal), "the same vote counted twice"
    stage = state.stage(vote.stage)
    if (
        again.code in ("already-decided", "stage-closed")
        and stage
        and stage.status
        not in (
            StageStatus.EXPIRED,
            StageStatus.CANCELLED,
        )
    ):
        assert stage.votes
        assert all(cast.voter.name in again.message for cast in stage.votes)
