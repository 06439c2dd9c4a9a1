"""What time brings to an open stage: reminders, notices, questions that wait, each end (rows A10, A12 to A14, A24)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.builders import (
    NOON,
    a_person,
    a_slate,
    a_stage,
    after,
    approvals_of,
    cast,
    changed,
    opening,
    refused,
    stage_of,
)

from catalog import agenda as agendas
from catalog.ballot import (
    Answer,
    Approvals,
    Ask,
    Due,
    Escalate,
    Hand,
    Join,
    Nudge,
    Resolve,
    StageStatus,
    Tick,
    Verdict,
    Withdraw,
)
from catalog.calendar import Calendar
from catalog.hours import WEEKDAYS
from catalog.people import Person
from catalog.questions import NUDGED_AGAIN_AFTER
from catalog.stages import Stage
from catalog.standing import refusal, said

ADA, TIM, BEN, CLEO, EVE, SAM = (
    a_person(name) for name in ("Ada Byron", "Tim Hall", "Ben Okri", "Cleo Moss", "Eve Ash", "Sam Poe")
)
"""Ada orders for Tim."""
M = "manager"
TICK = Tick(stage=M)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OVER = NOON + 10 * DAY
OFFICE = Calendar.model_validate(
    {"id": "office", "name": "Office", "week": {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}}
)
HOURS: dict[str, Any] = {"calendars": {"office": OFFICE}, "hours": {BEN.id: "office", ADA.id: "office"}}


def life(*people: Person, at: datetime = NOON, slate: dict[str, Any] | None = None, **written: Any) -> Approvals:
    stage = Stage.model_validate(a_stage().model_dump() | written)
    return after(approvals_of(stage, beneficiary=TIM), opening(*people, **(slate or {})), at=at)


def due(state: Approvals, at: datetime) -> list[tuple[str, list[str], int]]:
    return [(one.kind, [person.login for person in one.people], one.nth) for one in changed(state, TICK, at).due]


def level(**other: Any) -> dict[str, Any]:
    return {"to": [{"rule": "manager"}], "decide_within": "2 days"} | other


# ---------------------------------------------------------------- reminders and notices


def test_a12_those_who_have_not_decided_are_reminded_again_and_again() -> None:
    state = life(BEN, CLEO, quorum="all", remind={"after": "1 day", "every": "2 days", "at_most": 2})
    early = refused(state, TICK, NOON + DAY - HOUR)
    assert early.code == "nothing-due"
    assert early.message.startswith("Nothing is due before 4 March 2025, 12:00 UTC. Stage 'Manager' is open")
    assert due(state, NOON + DAY) == [("remind", ["ben", "cleo"], 1)]
    state = after(after(state, TICK, at=NOON + DAY), cast(BEN))
    assert due(state, NOON + 3 * DAY) == [("remind", ["cleo"], 2)]
    state = after(state, TICK, at=NOON + 3 * DAY)
    assert stage_of(state).next_at == OVER


def test_a12_a_person_is_reminded_in_their_own_working_time_and_by_the_stages_calendar_if_it_names_one() -> None:
    late = datetime(2025, 3, 3, 20, tzinfo=UTC)
    state = life(BEN, CLEO, at=late, slate=HOURS, remind={"after": "2 hours"})
    assert due(state, late + 2 * HOUR) == [("remind", ["cleo"], 1)]
    state = after(state, TICK, at=late + 2 * HOUR)
    assert stage_of(state).next_at == datetime(2025, 3, 4, 9, tzinfo=UTC)
    both = life(BEN, CLEO, at=late, slate=HOURS, remind={"after": "2 hours"}, calendar="office")
    assert due(both, datetime(2025, 3, 4, 9, tzinfo=UTC)) == [("remind", ["ben", "cleo"], 1)]


def test_a12_who_comes_later_is_reminded_later() -> None:
    state = life(BEN, remind={"after": "1 day"})
    state = after(state, Resolve(stage=M, slate=a_slate(CLEO)), at=NOON + 20 * HOUR)
    assert refused(after(state, TICK, at=NOON + DAY), TICK, NOON + DAY).code == "nothing-due"
    assert due(state, NOON + 44 * HOUR) == [("remind", ["cleo"], 1)]


def test_a12_who_takes_a_vote_back_is_reminded_again() -> None:
    state = after(life(BEN, CLEO, quorum="all", remind={"after": "1 day"}), cast(BEN))
    state = after(state, TICK, at=NOON + DAY)
    state = after(state, Withdraw(stage=M, voter=BEN.ref()), at=NOON + 2 * DAY)
    assert due(state, NOON + 3 * DAY) == [("remind", ["ben"], 1)]


def test_a12_who_takes_over_is_reminded_from_then_on() -> None:
    handed = Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref())
    state = after(life(BEN, remind={"after": "1 day"}), handed, at=NOON + 20 * HOUR)
    assert due(state, NOON + 44 * HOUR) == [("remind", ["eve"], 1)]


def test_a13_a_notice_goes_to_all_who_have_not_decided() -> None:
    state = after(life(BEN, CLEO, quorum="all", notice="2 days"), cast(BEN))
    assert due(state, OVER - 2 * DAY) == [("warn", ["cleo"], 0)]


def test_what_comes_late_comes_at_once_and_in_its_order() -> None:
    state = life(BEN, remind={"after": "1 day"}, notice="5 days")
    assert due(state, NOON + 6 * DAY) == [("remind", ["ben"], 1), ("warn", ["ben"], 0)]


# ---------------------------------------------------------------- who waits asks for a decision


def test_who_waits_may_have_people_reminded_but_not_all_the_time() -> None:
    nudge = Nudge(stage=M, by=TIM.ref())
    change = changed(life(BEN, CLEO), nudge)
    assert change.due == (Due(kind="remind", stage=M, people=(BEN.ref(), CLEO.ref())),)
    soon = refused(change.state, nudge, NOON + NUDGED_AGAIN_AFTER - HOUR)
    told = "They were reminded less than a day ago; remind them after 4 March 2025, 12:00 UTC."
    assert (soon.code, soon.message) == ("not-now", told)
    assert changed(change.state, nudge, NOON + NUDGED_AGAIN_AFTER).due


@pytest.mark.parametrize("operator", [False, True])
def test_a12_who_waits_has_nobody_reminded_at_night_but_in_the_morning(*, operator: bool) -> None:
    night, morning = NOON + 11 * HOUR, datetime(2025, 3, 4, 9, tzinfo=UTC)
    nudge = Nudge(stage=M, by=TIM.ref(), operator=operator)
    change = changed(life(BEN, CLEO, slate=HOURS, at=night), nudge, night)
    assert change.due == (Due(kind="remind", stage=M, people=(CLEO.ref(),)),)
    assert change.later == ((morning, (BEN.ref(),)),)
    assert stage_of(change.state).nudged_at == night
    assert stage_of(change.state).next_at == morning
    assert due(change.state, morning) == [("remind", ["ben"], 0)]


def test_a12_with_nobody_at_work_nobody_is_reminded_at_once() -> None:
    night = NOON + 11 * HOUR
    change = changed(life(BEN, slate=HOURS, at=night), Nudge(stage=M, by=TIM.ref()), night)
    assert (change.due, len(change.later)) == ((), 1)


def test_a12_that_nobody_works_before_the_end_is_said() -> None:
    night = NOON + 11 * HOUR
    state = life(BEN, slate=HOURS, at=night, decide_within="2 hours")
    refusal = refused(state, Nudge(stage=M, by=TIM.ref()), night)
    over = ("before their time is over, 4 March 2025, 01:00 UTC;", "before their time is over;")
    assert (refusal.code, over[0] in refusal.message) == ("not-now", True)
    endless = stage_of(state).model_copy(update={"agenda": None})
    refusal = refused(state.model_copy(update={"stages": (endless,)}), Nudge(stage=M, by=TIM.ref()), night)
    assert (refusal.code, over[1] in refusal.message) == ("not-now", True)


def test_an_operator_may_have_them_reminded_and_nobody_else() -> None:
    assert changed(life(BEN), Nudge(stage=M, by=EVE.ref(), operator=True)).due
    assert refused(life(BEN), Nudge(stage=M, by=EVE.ref())).code == "not-approver"


# ---------------------------------------------------------------- the end


@pytest.mark.parametrize(
    ("at_deadline", "ends", "outcome", "rule"),
    [
        ("expire", StageStatus.EXPIRED, StageStatus.EXPIRED, "approval.expired"),
        ("reject", StageStatus.REJECTED, StageStatus.REJECTED, "approval.rejected-by-silence"),
        ("approve", StageStatus.APPROVED, StageStatus.APPROVED, "approval.approved-by-silence"),
        ("skip", StageStatus.SKIPPED, StageStatus.APPROVED, "approval.skipped-by-silence"),
    ],
)
def test_a14_each_way_a_stage_may_end_when_nobody_has_decided(
    at_deadline: str, ends: StageStatus, outcome: StageStatus, rule: str
) -> None:
    state = after(life(BEN, CLEO, quorum="all", at_deadline=at_deadline), cast(BEN))
    assert refused(state, TICK, OVER - HOUR).code == "nothing-due"
    change = changed(state, TICK, OVER)
    (closed,) = change.closed
    assert (closed.status, closed.closed_at, closed.rule) == (ends, OVER, rule)
    assert change.state.outcome is outcome
    late = refused(change.state, cast(CLEO), OVER)
    assert (late.code, late.message) == ("stage-closed", said(closed))


@pytest.mark.parametrize(
    ("at_deadline", "words"),
    [
        ("expire", "Stage 'Manager' expired without a decision."),
        ("skip", "Stage 'Manager' was left out: nobody decided in time."),
        ("reject", "Stage 'Manager' was rejected: not enough people decided in time."),
        ("approve", "Stage 'Manager' was approved: not enough people decided in time."),
    ],
)
def test_a14_the_end_is_said_as_what_it_was_and_not_as_what_some_have_voted(at_deadline: str, words: str) -> None:
    state = after(life(BEN, CLEO, quorum="all", at_deadline=at_deadline), cast(BEN))
    closed = stage_of(after(state, TICK, at=OVER))
    assert said(closed) == words
    assert refusal(closed) is None


def test_a14_what_was_refused_names_the_vote_that_refused_it() -> None:
    rejected = cast(CLEO, Verdict.REJECT)
    state = after(life(BEN, CLEO, EVE, quorum=2, deny=1), cast(BEN), rejected)
    assert (found := refusal(stage_of(state))) is not None
    assert found.voter.id == CLEO.id


def test_a14_a_vote_at_the_very_moment_of_the_deadline_wins_if_it_comes_first_and_else_is_told() -> None:
    state = life(BEN)
    assert refused(after(state, cast(BEN), at=OVER), TICK, OVER).code == "stage-closed"
    late = refused(after(state, TICK, at=OVER), cast(BEN), OVER)
    assert (late.code, late.message) == ("stage-closed", "Stage 'Manager' expired without a decision.")


def test_a14_what_follows_a_stage_that_was_skipped_begins() -> None:
    skipped = Stage.model_validate(a_stage().model_dump() | {"at_deadline": "skip"})
    state = after(approvals_of(skipped, a_stage(id="next")), opening(BEN))
    assert [stage.stage.id for stage in after(state, TICK, at=OVER).ready()] == ["next"]


def test_a13_every_level_has_its_time_and_then_comes_the_end() -> None:
    state = life(BEN, escalate=[level(), level(how="replace", decide_within="1 day")], at_deadline="reject")
    assert due(state, OVER) == [("escalate", [], 1)]
    state = after(state, TICK, Escalate(stage=M, slate=a_slate(CLEO)), at=OVER)
    second = OVER + 2 * DAY
    assert due(state, second) == [("escalate", [], 2)]
    state = after(state, TICK, Escalate(stage=M, slate=a_slate(SAM)), at=second)
    change = changed(state, TICK, second + DAY)
    assert (change.state.outcome, change.due) == (StageStatus.REJECTED, ())


def test_a12_reminders_are_counted_anew_at_each_level_for_those_who_were_asked_before_too() -> None:
    remind = {"after": "1 day", "every": "1 day", "at_most": 1}
    state = after(life(BEN, escalate=[level(decide_within="5 days")], remind=remind), TICK, at=NOON + DAY)
    assert stage_of(state).next_at == OVER  # that was the only one
    state = after(state, TICK, Escalate(stage=M, slate=a_slate(CLEO)), at=OVER)
    assert due(state, OVER + DAY) == [("remind", ["ben", "cleo"], 1)]
    assert stage_of(after(state, TICK, at=OVER + DAY)).next_at == OVER + 5 * DAY


def test_a13_while_the_next_are_looked_up_nothing_else_is_due() -> None:
    state = after(life(BEN, escalate=[level()], remind={"after": "1 day"}, notice="1 day"), TICK, at=OVER)
    assert (stage_of(state).next_at, stage_of(state).due_at) == (None, None)
    assert refused(state, TICK, OVER + 30 * DAY).code == "nothing-due"


def test_a25_after_400_days_a_stage_is_decided_as_on_the_first() -> None:
    remind = {"after": "7 days", "every": "7 days", "at_most": 50}
    state = life(BEN, CLEO, quorum="all", decide_within="400 days", remind=remind)
    told = 0
    while (at := stage_of(state).next_at) and at < NOON + 399 * DAY:
        change = changed(state, TICK, at)
        told += len(change.due)
        state = change.state
    assert told == 50
    state = Approvals.model_validate_json(after(state, cast(BEN), at=NOON + 399 * DAY).model_dump_json())
    assert after(state, cast(CLEO), at=NOON + 400 * DAY - HOUR).outcome is StageStatus.APPROVED
    assert after(state, TICK, at=NOON + 400 * DAY).outcome is StageStatus.EXPIRED


@pytest.mark.parametrize("end", [TICK, cast(BEN)])
def test_nothing_comes_after_the_end(end: Any) -> None:
    state = after(life(BEN, remind={"after": "1 day"}), end, at=OVER)
    assert stage_of(state).next_at is None


# ---------------------------------------------------------------- decided in working time only


def test_a24_decisions_are_taken_in_working_time_only_if_the_stage_says_so() -> None:
    night, morning = datetime(2025, 3, 7, 22, tzinfo=UTC), datetime(2025, 3, 10, 9, tzinfo=UTC)
    state = life(BEN, slate=HOURS, acts_in="office")
    early = refused(state, cast(BEN), night)
    assert (early.code, early.message) == (
        "not-now",
        "This is decided in working time only; it begins at 2025-03-10 09:00 UTC.",
    )
    assert after(state, cast(BEN), at=morning).outcome is StageStatus.APPROVED
    assert after(life(BEN, slate=HOURS), cast(BEN), at=night).outcome is StageStatus.APPROVED


def test_a24_an_approval_given_elsewhere_does_not_count_on_such_a_stage_out_of_hours() -> None:
    night, morning = datetime(2025, 3, 7, 22, tzinfo=UTC), datetime(2025, 3, 10, 9, tzinfo=UTC)
    stages = (a_stage(after=()), a_stage(id="desk", after=(), acts_in="office"))
    begun = after(approvals_of(*stages, beneficiary=TIM), opening(BEN), opening(BEN, stage="desk", **HOURS), at=night)
    state = after(begun, cast(BEN), at=night)
    assert stage_of(state, "desk").undecided() == (BEN.ref(),)
    assert after(begun, cast(BEN), at=morning).outcome is StageStatus.APPROVED
    late = after(approvals_of(*stages, beneficiary=TIM), opening(BEN), cast(BEN), at=night)
    assert stage_of(after(late, opening(BEN, stage="desk", **HOURS), at=night), "desk").votes == ()


def test_a24_who_is_not_asked_learns_that_first() -> None:
    state = life(BEN, slate=HOURS, acts_in="office")
    assert refused(state, cast(CLEO), NOON + 12 * HOUR).code == "not-approver"


# ---------------------------------------------------------------- questions


def asked(at: datetime = NOON + DAY, **written: Any) -> Approvals:
    """Return a stage of Ben and Cleo, one of whom has asked the requester something; they have four days to answer."""
    plain: dict[str, Any] = {"answer_within": "4 days", "remind": {"after": "2 days"}}
    state = life(BEN, CLEO, **plain | written)
    return after(state, Ask(stage=M, by=BEN.ref(), text="What for?"), at=at)


def test_a10_a_question_stops_the_time_of_the_stage_and_starts_that_of_the_answer() -> None:
    stage = stage_of(asked())
    question = stage.question
    assert question
    assert (question.by, question.text, question.asked_at) == (BEN.ref(), "What for?", NOON + DAY)
    assert (question.remind_at, question.due_at) == (NOON + 3 * DAY, NOON + 5 * DAY)
    assert stage.next_at == question.remind_at
    assert refused(asked(), TICK, NOON + 2 * DAY).code == "nothing-due"


@pytest.mark.parametrize("own_time", [True, False])
def test_a10_a_question_that_an_earlier_release_has_put_ends_as_it_would_have_there(*, own_time: bool) -> None:
    stage = life(BEN, slate=HOURS, decide_within="2 days", notice="4 hours")
    friday, monday = NOON + 4 * DAY, NOON + 7 * DAY
    put = stage_of(after(stage, Ask(stage=M, by=BEN.ref(), text="?", own_time=own_time), at=friday))
    assert put.agenda
    assert put.question
    before = agendas.resume_as_before(put.stage, put.agenda, put.calendar_of, monday)
    anew = agendas.resume(put.stage, put.agenda, [BEN.id], put.calendar_of, monday)
    assert before != anew
    going = stage_of(after(stage.model_copy(update={"stages": (put,)}), Answer(stage=M, by=ADA.ref()), at=monday))
    assert (put.question.own_time, going.agenda) == (own_time, anew if own_time else before)


@pytest.mark.parametrize("who", [ADA, TIM])
def test_a10_the_answer_lets_the_same_stage_go_on_with_the_time_it_had(who: Person) -> None:
    state = after(asked(), Answer(stage=M, by=who.ref()), at=NOON + 4 * DAY)
    stage = stage_of(state)
    assert (stage.question, stage.due_at) == (None, OVER + 3 * DAY)
    assert due(state, NOON + 5 * DAY) == [("remind", ["ben", "cleo"], 1)]


def test_a10_a_vote_before_the_question_stays() -> None:
    state = after(life(BEN, CLEO, quorum="all"), cast(CLEO), Ask(stage=M, by=BEN.ref(), text="?"))
    state = after(state, Answer(stage=M, by=ADA.ref()), cast(BEN))
    assert state.outcome is StageStatus.APPROVED


def test_a10_the_requester_is_reminded_once_and_then_the_request_ends() -> None:
    state = asked()
    assert due(state, NOON + 3 * DAY) == [("ask-again", [], 0)]
    state = after(state, TICK, at=NOON + 3 * DAY)
    assert stage_of(state).next_at == NOON + 5 * DAY
    assert refused(state, TICK, NOON + 5 * DAY - HOUR).code == "nothing-due"
    change = changed(state, TICK, NOON + 5 * DAY)
    assert change.state.outcome is StageStatus.CANCELLED
    assert said(change.closed[0]) == "Stage 'Manager' was cancelled: a question to the requester was not answered."


def test_a10_or_it_goes_back_to_who_asked_without_an_answer() -> None:
    change = changed(asked(unanswered="return"), TICK, NOON + 5 * DAY)
    assert change.due == (Due(kind="unanswered", stage=M, people=(BEN.ref(),)),)
    stage = stage_of(change.state)
    assert (stage.status, stage.question, stage.due_at) == (StageStatus.OPEN, None, OVER + 4 * DAY)


def test_a10_the_requesters_time_is_their_own_working_time() -> None:
    friday = datetime(2025, 3, 7, 16, tzinfo=UTC)
    state = after(
        life(BEN, slate=HOURS, answer_within="2 working days"), Ask(stage=M, by=BEN.ref(), text="?"), at=friday
    )
    question = stage_of(state).question
    assert question
    assert question.due_at == datetime(2025, 3, 11, 16, tzinfo=UTC)
    assert question.remind_at == datetime(2025, 3, 10, 9, tzinfo=UTC)  # half of the time is over on Sunday


def test_a10_a_question_that_is_due_before_the_requester_works_again_has_no_reminder() -> None:
    friday = datetime(2025, 3, 7, 20, tzinfo=UTC)
    state = life(BEN, slate=HOURS, answer_within="10 hours")
    state = after(state, Ask(stage=M, by=BEN.ref(), text="?"), at=friday)
    question = stage_of(state).question
    assert question
    assert (question.remind_at, stage_of(state).next_at) == (None, friday + 10 * HOUR)


def test_a10_who_decides_without_waiting_for_the_answer_takes_the_question_back() -> None:
    state = after(asked(quorum="all"), cast(BEN), at=NOON + 2 * DAY)
    assert stage_of(state).question is None
    assert stage_of(state).due_at == OVER + DAY
    assert stage_of(after(asked(quorum="all"), cast(CLEO))).question is not None


def test_a10_the_question_ends_with_the_stage() -> None:
    assert stage_of(after(asked(), cast(CLEO, Verdict.APPROVE))).question is None


def test_a10_one_question_at_a_time() -> None:
    found = refused(asked(), Ask(stage=M, by=CLEO.ref(), text="And why?"))
    assert (found.code, found.message) == (
        "question-open",
        "Ben Okri has asked the requester already; the answer is awaited.",
    )


def test_a10_others_than_the_two_do_not_answer_and_an_answer_needs_a_question() -> None:
    assert refused(asked(), Answer(stage=M, by=EVE.ref())).code == "not-approver"
    assert refused(life(BEN), Answer(stage=M, by=ADA.ref())).code == "no-question"


def test_a10_who_is_asked_while_time_stands_still_has_what_is_left_of_it() -> None:
    state = after(asked(), Join(stage=M, by=BEN.ref(), person=EVE.ref()), at=NOON + 3 * DAY)
    state = after(state, Answer(stage=M, by=ADA.ref()), at=NOON + 4 * DAY)
    assert stage_of(state).due_at == OVER + 3 * DAY
    assert due(state, NOON + 6 * DAY) == [("remind", ["ben", "cleo"], 1), ("remind", ["eve"], 1)]


def test_a10_a_question_after_the_time_is_over_does_not_bring_it_back() -> None:
    state = after(life(BEN, escalate=[level()]), TICK, Ask(stage=M, by=BEN.ref(), text="?"), at=OVER)
    state = after(state, Answer(stage=M, by=ADA.ref()), at=OVER + DAY)
    assert stage_of(state).due_at is None
    assert after(state, Escalate(stage=M, slate=a_slate(SAM)), at=OVER + DAY).outcome is StageStatus.WAITING
