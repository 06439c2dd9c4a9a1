"""Approvals, whatever happens: what holds in every state after every sequence of events.

Small plans are driven exhaustively: every state that can be reached, and in it every event. Larger ones are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import permutations, product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import ballots
from support.ballots import ADA, BEN, CLEO, DANA, STAGES, TIM, Story, people, requirements, stories, verdicts
from support.builders import NOON, a_slate, a_stage, after, approvals_of, cast, opening, stage_of
from support.trying import examples

from catalog import calendar, settling, tally
from catalog.approval import apply
from catalog.ballot import (
    CARRIED,
    Amend,
    Approvals,
    Cancel,
    Cast,
    Change,
    Event,
    Open,
    Refusal,
    StageState,
    StageStatus,
    Tick,
    Verdict,
)
from catalog.people import Person
from catalog.slate import Around, Found, Parties, Rung, Seat, Slate, slate
from catalog.stages import Stage

SUBJECT = "sha256:1"
ENDED = (StageStatus.APPROVED, StageStatus.REJECTED, StageStatus.EXPIRED, StageStatus.CANCELLED)
OVER = NOON + timedelta(days=10)


def approvals(quorums: tuple[str, ...], beside: frozenset[int] = frozenset()) -> Approvals:
    """Return approvals with a stage per quorum; those whose place is in `beside` begin at once."""
    stages = tuple(
        a_stage(id=name, name=name, quorum=quorum, after=() if at in beside else None)
        for at, (name, quorum) in enumerate(zip(STAGES, quorums, strict=False))
    )
    return approvals_of(*stages, beneficiary=TIM)


# ---------------------------------------------------------------- votes alone, exhaustively


def check_step(state: Approvals, event: Event) -> Change | Refusal:
    """Apply an event of a life without changes of people and subject, and check everything that holds then."""
    before = state.model_copy(deep=True)
    answer = apply(state, event, OVER if isinstance(event, Tick) else NOON)
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
        yield Tick(stage=stage)
        for asked in ((), (ADA, TIM), (BEN,), (BEN, CLEO), (ADA, BEN, TIM, CLEO, BEN)):
            yield opening(*asked, stage=stage)
        for voter, verdict, subject in product((ADA, TIM, BEN, CLEO, DANA), Verdict, (None, SUBJECT, "sha256:0")):
            yield cast(voter, verdict, stage, subject=subject)


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


stage_ids = st.sampled_from((*STAGES, "nowhere"))
casts = st.builds(
    Cast,
    stage=stage_ids,
    voter=people.map(Person.ref),
    verdict=st.sampled_from(Verdict),
    reason=st.text(max_size=5),
    subject=st.sampled_from((None, SUBJECT, "sha256:0")),
)
opens = st.builds(Open, stage=stage_ids, slate=st.lists(people, max_size=6).map(lambda drawn: a_slate(*drawn)))
events = st.one_of(casts, casts, casts, opens, opens, st.builds(Tick, stage=stage_ids), st.just(Cancel()))
plans = st.lists(st.sampled_from(("any", "all")), max_size=3).map(tuple)


@given(plans, st.frozensets(st.integers(0, 2)), st.lists(events, max_size=30))
def test_no_sequence_of_votes_breaks_a_rule_or_changes_an_outcome(
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
    over = (StageStatus.EXPIRED, StageStatus.CANCELLED)
    if again.code in ("already-decided", "stage-closed") and stage and stage.status not in over:
        assert stage.votes
        assert all(cast.voter.name in again.message for cast in stage.votes)


# ---------------------------------------------------------------- anything that may happen

Told = list[tuple[Approvals, Event, Change | Refusal, datetime]]
"""Every event of a story with the state it came to, its answer, and when that was."""


def told(story: Story) -> Told:
    """Tell a story."""
    state, at = approvals_of(*story.stages, beneficiary=TIM), NOON
    seen: Told = []
    for passes, event in story.events:
        at += passes
        answer = apply(state, event, at)
        seen.append((state, event, answer, at))
        state = answer.state if isinstance(answer, Change) else state
    return seen


def hopeless(stage: StageState) -> bool:
    """Return whether a stage can no longer be approved by whoever is left."""
    groups = stage.stage.groups
    filled = stage.filled()
    counts = [
        settling._count([seat for seat in stage.slate.seats if at in seat.groups], at, filled)
        for at in range(len(groups))
    ]
    return not tally.suffices(stage.stage.requirement, counts, distinct=stage.stage.distinct, hoping=True)


def an_outcome_never_changes_and_every_event_is_answered(seen: Told) -> None:
    ended = StageStatus.WAITING
    for state, event, answer, _ in seen:
        if isinstance(answer, Refusal):
            assert answer.message
            continue
        assert ended is StageStatus.WAITING, "something counted after the end"
        ended = answer.state.outcome
        for stage in answer.closed:
            assert stage.closed_at
            assert stage.status not in (StageStatus.OPEN, StageStatus.WAITING)
        if isinstance(event, Amend):
            continue
        for old, new in zip(state.stages, answer.state.stages, strict=True):
            if old.closed_at:
                assert new == old, "a closed stage changed"


def nobody_decides_for_themselves(seen: Told) -> None:
    for state, event, answer, _ in seen:
        if isinstance(event, Cast) and (stage := state.stage(event.stage)):
            own = event.voter.id in state.parties.banned(stage.stage)
            assert not own or (isinstance(answer, Refusal) and answer.code == "self-approval")
        for stage in answer.state.stages if isinstance(answer, Change) else ():
            banned = state.parties.banned(stage.stage).keys()
            assert not banned & {vote.voter.id for vote in stage.votes}
            assert not banned & stage.may_act().keys()
            assert not banned & {person.id for person in stage.undecided()}


def what_is_not_decided_says_what_it_waits_for(seen: Told) -> None:
    """Somebody, an answer, an escalation that is looked up, or an operator as nobody is left; and it has an end."""
    operators: set[str] = set()
    for _, event, answer, _ in seen:
        if isinstance(answer, Refusal):
            continue
        state = answer.state
        operators |= {due.stage for due in answer.due if due.kind == "nobody"}
        if isinstance(event, Amend) and event.by_stage:
            operators.add(event.by_stage)  # the vote that follows it at once says so, or decides the stage
        if state.outcome is not StageStatus.WAITING:
            continue
        open_ = [stage for stage in state.stages if stage.status is StageStatus.OPEN]
        assert open_ or state.ready(), "nothing can go on"
        for stage in open_:
            level = stage.agenda.level if stage.agenda else 0
            looked_up = stage.due_at is None and level < len(stage.stage.escalate)
            assert stage.undecided() or stage.question or looked_up or stage.stage.id in operators
            assert stage.next_at or looked_up, "no end in sight"
            assert not hopeless(stage) or stage.stage.id in operators, "nobody was told that nobody is left"


def every_seat_is_filled_once_and_by_somebody_who_was_given_it(seen: Told) -> None:
    for state, event, answer, at in seen:
        if isinstance(answer, Refusal):
            continue
        for stage in answer.state.stages:
            ids = [seat.person.id for seat in stage.slate.seats]
            filled = [seat for vote in stage.votes for seat in vote.seats]
            assert len(ids) == len(set(ids)), "somebody has two seats"
            assert len(filled) == len(set(filled)), "a seat was filled twice"
            assert {*filled} <= {*ids}, "a vote fills a seat that there is not"
        if isinstance(event, Cast) and answer.vote:
            before = stage_of(state, event.stage)
            by_id = {seat.person.id: seat for seat in before.slate.seats}
            assert answer.vote.seats
            for seat in answer.vote.seats:
                assert event.voter.id in who_fills(before, by_id[seat], at)


def who_fills(stage: StageState, seat: Seat, at: datetime) -> set[str]:
    """Return by id whose a seat is, who it was escalated to, and who stands in for them at that moment."""
    given = (*((seat,) if seat.stays or not stage.replaced else ()), *stage.escalated)
    deputies = (one for seat in given for one in seat.deputies if one.until is None or one.until > at)
    return {seat.person.id for seat in given} | {one.person.id for one in deputies}


def nobody_decides_but_in_working_time_where_only_that_counts(seen: Told) -> None:
    for state, _, answer, at in seen:
        if isinstance(answer, Refusal) or calendar.is_open(ballots.OFFICE, at):
            continue
        for stage in answer.state.stages:
            if stage.stage.acts_in and (before := state.stage(stage.stage.id)):
                assert {*stage.votes} <= {*before.votes}, "somebody has decided at night"


def a_state_survives_being_written_and_read_back(seen: Told) -> None:
    """A long wait carries it from one run of its workflow to the next."""
    state = next((answer.state for _, _, answer, _ in reversed(seen) if isinstance(answer, Change)), None)
    assert state is None or Approvals.model_validate_json(state.model_dump_json()) == state


def by_an_amendment_exactly_those_votes_fall_whose_subject_changed_and_what_hung_on_them(seen: Told) -> None:
    for state, event, answer, _ in seen:
        if not isinstance(event, Amend) or isinstance(answer, Refusal):
            continue
        still = {
            planned.stage.id
            for planned in event.planned
            if planned.needed
            and (old := state.stage(planned.stage.id))
            and old.subject == event.subjects[planned.stage.id]
            and (planned.auto or "auto") == (old.rule if planned.auto else "auto")
            and (planned.auto or not old.rule.startswith("auto."))
        }
        given = [
            (stage.stage.id, (vote.voter.id, vote.subject))
            for stage in state.stages
            for vote in stage.votes
            if vote.verdict is Verdict.APPROVE and vote.rule != CARRIED
        ]
        before, left = {one for _, one in given}, {one for stage, one in given if stage in still}
        expected = [
            (stage.stage.id, vote)
            for stage in state.stages
            for vote in stage.votes
            if stage.stage.id not in still or (vote.rule == CARRIED and (vote.voter.id, vote.subject) in before - left)
        ]
        assert list(answer.fallen) == expected
        stay = [(stage.stage.id, vote) for stage in answer.state.stages for vote in stage.votes]
        every = [(stage.stage.id, vote) for stage in state.stages for vote in stage.votes]
        assert sorted(stay, key=str) == sorted((vote for vote in every if vote not in expected), key=str)


@pytest.mark.timeout(900)
@examples(2_000)
@given(stories())
def test_a7_a8_a21_a22_a25_w1_whatever_happens_to_a_request_the_rules_hold(story: Story) -> None:
    """One story shows all of them: to draw it takes longer than to look at it."""
    seen = told(story)
    an_outcome_never_changes_and_every_event_is_answered(seen)
    nobody_decides_for_themselves(seen)
    what_is_not_decided_says_what_it_waits_for(seen)
    every_seat_is_filled_once_and_by_somebody_who_was_given_it(seen)
    nobody_decides_but_in_working_time_where_only_that_counts(seen)
    by_an_amendment_exactly_those_votes_fall_whose_subject_changed_and_what_hung_on_them(seen)
    a_state_survives_being_written_and_read_back(seen)


# ---------------------------------------------------------------- the order of votes


@st.composite
def elections(draw: st.DrawFn) -> tuple[Stage, Slate, list[tuple[Person, Verdict]]]:
    """Draw a stage whose every seat has one human, and what each of them says."""
    distinct = draw(st.booleans())
    requirement = draw(requirements(weighed=not distinct))
    deny = draw(st.none() | st.integers(1, 3))
    stage = a_stage(approvers=(), decide=requirement, distinct=distinct, deny=deny)
    humans = draw(st.lists(st.sampled_from(ballots.PEOPLE[2:]), min_size=1, max_size=4, unique=True))
    places = st.dictionaries(st.integers(0, len(stage.groups) - 1), st.integers(1, 3), min_size=1)
    slate = Slate(seats=tuple(Seat(person=human.ref(), groups=draw(places)) for human in humans))
    return stage, slate, [(human, draw(verdicts)) for human in humans]


def outcomes(state: Approvals, votes: list[tuple[Person, Verdict]]) -> Iterator[StageStatus]:
    """Yield what becomes of a stage by each order in which these votes may come."""
    for order in permutations(votes):
        ended = state
        for voter, verdict in order:
            answer = apply(ended, cast(voter, verdict), NOON)
            ended = answer.state if isinstance(answer, Change) else ended
        yield ended.outcome


def denies(stage: Stage, slate: Slate, votes: list[tuple[Person, Verdict]]) -> bool:
    """Return whether all these votes together refuse a stage by a veto or by their number."""
    against = {voter.id for voter, verdict in votes if verdict is Verdict.REJECT}
    veto = any(stage.groups[at].veto for seat in slate.seats if seat.person.id in against for at in seat.groups)
    return veto or (stage.deny is not None and len(against) >= stage.deny)


@pytest.mark.timeout(900)
@examples(2_000)
@given(elections())
def test_a2_in_whatever_order_people_vote_the_outcome_is_the_same(
    election: tuple[Stage, Slate, list[tuple[Person, Verdict]]],
) -> None:
    """Unless the same votes both approve and refuse it: then it is decided by which of them come first."""
    stage, slate, votes = election
    opened = apply(approvals_of(stage, beneficiary=TIM), Open(stage=stage.id, slate=slate), NOON)
    assume(isinstance(opened, Change))
    assert isinstance(opened, Change)
    for_all = {*outcomes(opened.state, votes)}
    assert StageStatus.WAITING not in for_all, "all have voted, and it is not decided"
    if denies(stage, slate, votes):
        assert StageStatus.REJECTED in for_all
    else:
        assert len(for_all) == 1


@pytest.mark.parametrize("quorum", ["any", "all"])
@pytest.mark.parametrize("verdicts", list(product(Verdict, repeat=3)))
def test_in_whatever_order_people_vote_the_result_is_the_same(quorum: str, verdicts: tuple[Verdict, ...]) -> None:
    state = after(approvals((quorum,)), opening(BEN, CLEO, DANA, stage="first"))
    decided = any if quorum == "any" else all
    expected = decided(verdict is Verdict.APPROVE for verdict in verdicts)
    for order in permutations(zip((BEN, CLEO, DANA), verdicts, strict=True)):
        ended = state
        for voter, verdict in order:
            answer = check_step(ended, cast(voter, verdict, "first"))
            ended = answer.state if isinstance(answer, Change) else ended
        assert ended.outcome is (StageStatus.APPROVED if expected else StageStatus.REJECTED)


# ---------------------------------------------------------------- whom to ask

ladders = st.lists(
    st.builds(
        Rung,
        rule=st.sampled_from(("approver.manager", "approver.owner", "approver.group", "approver.fallback")),
        people=st.lists(
            st.builds(lambda p, active: p.model_copy(update={"active": active}), people, st.booleans())
        ).map(tuple),
    ),
    max_size=4,
).map(tuple)
PARTIES = Parties(requester_id=ADA.id, beneficiary_id=TIM.id)


def who(ladder: tuple[Rung, ...]) -> Slate:
    return slate(a_stage(), Found(rungs=ladder, around=Around()), PARTIES, NOON)


@given(ladders, st.sampled_from(("any", "all")))
def test_by_no_rung_requester_or_beneficiary_come_to_decide(ladder: tuple[Rung, ...], quorum: str) -> None:
    found = who(ladder)
    ids = [person.id for person in found.people]
    assert not {ADA.id, TIM.id} & set(ids)
    assert len(ids) == len(set(ids))
    state = approvals((quorum,))
    opened = check_step(state, Open(stage="first", slate=found))
    state = opened.state if isinstance(opened, Change) else state
    for person in (ADA, TIM):
        answer = check_step(state, cast(person, stage="first"))
        assert isinstance(answer, Refusal)
        assert answer.code == "self-approval"


@given(ladders)
def test_the_slate_is_the_first_rung_with_somebody_who_may_decide(ladder: tuple[Rung, ...]) -> None:
    found = who(ladder)
    eligible = [[p.id for p in r.people if p.active and p.id not in (ADA.id, TIM.id)] for r in ladder]
    first = next((dict.fromkeys(ids) for ids in eligible if ids), {})
    assert [person.id for person in found.people] == list(first)
