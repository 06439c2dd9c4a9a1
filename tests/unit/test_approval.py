"""Approvals, case by case: who is asked, what a vote does, why one is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON, a_person, a_slate, a_stage, after, approvals_of, refused, stage_of

from catalog.approval import apply
from catalog.ballot import (
    Advise,
    Approvals,
    Cancel,
    Cast,
    Change,
    Consult,
    Event,
    Open,
    Refusal,
    StageStatus,
    Tick,
    Verdict,
)
from catalog.people import Person
from catalog.slate import Found, Parties, Rung, Slate, slate
from catalog.stages import AutoApproval
from catalog.standing import said

ADA, BEN, CLEO, DANA = (a_person(name) for name in ("Ada Byron", "Ben Okri", "Cleo Moss", "Dana Fry"))
LATER = NOON + timedelta(hours=1)


IN_TIME, TOO_LATE = NOON + timedelta(days=10, microseconds=-1), NOON + timedelta(days=10)
"""Just before the deadline of a stage that began at noon, and at it."""


def approvals(*quorums: str | int, beneficiary: Person = ADA) -> Approvals:
    """Return approvals of Ada's request with one stage per quorum: first, second, …"""
    names = ("first", "second", "third")
    stages = tuple(a_stage(id=name, name=name.title(), quorum=q) for name, q in zip(names, quorums, strict=False))
    return approvals_of(*stages, beneficiary=beneficiary)


def expired(state: Approvals, stage: str) -> Approvals:
    """Return the state after the deadline of a stage."""
    return after(state, Tick(stage=stage), at=TOO_LATE)


def opening(stage: str, *people: Person) -> Open:
    return Open(stage=stage, slate=a_slate(*people))


def cast(stage: str, voter: Person, verdict: Verdict = Verdict.APPROVE, **other: Any) -> Cast:
    return Cast(stage=stage, voter=voter.ref(), verdict=verdict, **other)


def refusal(state: Approvals, event: Event) -> Refusal:
    found = apply(state, event, LATER)
    assert isinstance(found, Refusal), found
    return found


def who(ladder: tuple[Rung, ...], requester: Person = ADA, beneficiary: Person = ADA) -> Slate:
    """Return the slate of a stage with one group."""
    parties = Parties(requester_id=requester.id, beneficiary_id=beneficiary.id)
    return slate(a_stage(), Found(rungs=ladder), parties, NOON)


class TestSlate:
    """Whom to ask."""

    def test_the_first_rung_that_names_somebody_is_taken(self) -> None:
        rungs = (
            Rung(rule="approver.manager", people=()),
            Rung(rule="approver.owner", people=(BEN, CLEO, BEN)),
            Rung(rule="approver.operators", people=(DANA,)),
        )
        assert who(rungs) == a_slate(BEN, CLEO, rule="approver.owner")

    def test_requester_beneficiary_and_inactive_people_are_passed_over_on_every_rung(self) -> None:
        gone = DANA.model_copy(update={"active": False})
        rungs = (
            Rung(rule="approver.manager", people=(ADA, gone)),
            Rung(rule="approver.fallback", people=(BEN, ADA, CLEO)),
        )
        found = who(rungs, beneficiary=BEN)
        assert found.people == (CLEO.ref(),)
        assert [(s.person.id, s.rule) for s in found.skipped] == [
            (ADA.id, "approval.skip-requester"),
            (gone.id, "approval.skip-inactive"),
            (BEN.id, "approval.skip-beneficiary"),
        ]

    def test_nobody_left_gives_an_empty_slate_that_says_who_was_passed_over(self) -> None:
        found = who((Rung(rule="approver.manager", people=(ADA,)),))
        assert found.people == ()
        assert found.rule == ""
        assert [s.person.id for s in found.skipped] == [ADA.id]


class TestQuorum:
    """What votes decide."""

    def test_without_stages_a_request_is_approved_at_once(self) -> None:
        assert approvals().outcome is StageStatus.APPROVED
        assert approvals().ready() == ()

    def test_any_is_approved_by_the_first_approval(self) -> None:
        state = after(approvals("any"), opening("first", BEN, CLEO), cast("first", BEN))
        assert state.outcome is StageStatus.APPROVED
        assert stage_of(state, "first").closed_at == NOON

    def test_any_is_rejected_only_when_nobody_is_left_who_could_approve(self) -> None:
        state = after(approvals("any"), opening("first", BEN, CLEO), cast("first", BEN, Verdict.REJECT))
        assert state.outcome is StageStatus.WAITING
        assert [p.id for p in stage_of(state, "first").undecided()] == [CLEO.id]
        assert after(state, cast("first", CLEO, Verdict.REJECT)).outcome is StageStatus.REJECTED
        assert after(state, cast("first", CLEO)).outcome is StageStatus.APPROVED

    def test_all_needs_everybody(self) -> None:
        state = after(approvals("all"), opening("first", BEN, CLEO), cast("first", BEN))
        assert state.outcome is StageStatus.WAITING
        assert after(state, cast("first", CLEO)).outcome is StageStatus.APPROVED

    def test_all_is_rejected_by_the_first_rejection(self) -> None:
        state = after(approvals("all"), opening("first", BEN, CLEO), cast("first", BEN, Verdict.REJECT))
        assert state.outcome is StageStatus.REJECTED

    def test_a_vote_that_closes_a_stage_says_so(self) -> None:
        opened = after(approvals("any"), opening("first", BEN))
        change = apply(opened, cast("first", BEN, reason="fine with me"), LATER)
        assert isinstance(change, Change)
        assert change.vote is not None
        assert (change.vote.reason, change.vote.at) == ("fine with me", LATER)
        assert change.closed == (stage_of(change.state, "first"),)

    def test_stages_are_decided_one_after_the_other(self) -> None:
        state = approvals("any", "any")
        assert refusal(state, opening("second", BEN)).code == "stage-not-open"
        state = after(state, opening("first", BEN), cast("first", BEN))
        assert [following.stage.id for following in state.ready()] == ["second"]
        assert after(state, opening("second", CLEO), cast("second", CLEO)).outcome is StageStatus.APPROVED

    def test_who_approved_an_earlier_stage_is_not_asked_again(self) -> None:
        state = after(approvals("any", "all"), opening("first", BEN), cast("first", BEN), opening("second", BEN, CLEO))
        second = stage_of(state, "second")
        assert [(v.voter.id, v.rule) for v in second.votes] == [(BEN.id, "approval.already-approved")]
        assert [p.id for p in second.undecided()] == [CLEO.id]

    def test_who_rejected_an_earlier_stage_that_was_approved_by_others_is_asked_again(self) -> None:
        first = (opening("first", BEN, CLEO), cast("first", BEN, Verdict.REJECT), cast("first", CLEO))
        second = stage_of(after(approvals("any", "all"), *first, opening("second", BEN)), "second")
        assert second.votes == ()
        assert second.status is StageStatus.OPEN

    def test_a_stage_whose_only_approver_approved_before_closes_as_it_opens(self) -> None:
        state = after(approvals("any", "any"), opening("first", BEN), cast("first", BEN))
        change = apply(state, opening("second", BEN), LATER)
        assert isinstance(change, Change)
        assert change.closed
        assert change.state.outcome is StageStatus.APPROVED

    def test_a_stage_opens_with_its_deadline(self) -> None:
        first = stage_of(after(approvals("any"), opening("first", BEN)), "first")
        assert (first.opened_at, first.due_at) == (NOON, NOON + timedelta(days=10))
        assert first.slate.rule == "approver.manager"

    def test_a_slate_is_cleared_of_doubles_and_of_the_two_who_never_decide(self) -> None:
        state = approvals("all", beneficiary=DANA)
        state = after(state, opening("first", ADA, BEN, DANA, BEN), cast("first", BEN))
        assert [p.id for p in stage_of(state, "first").slate.people] == [BEN.id]
        assert state.outcome is StageStatus.APPROVED


class TestRefusals:
    """Why an event does not count."""

    def test_nobody_decides_for_themselves_even_when_they_were_put_on_the_slate(self) -> None:
        state = after(approvals("any", beneficiary=DANA), opening("first", ADA, BEN, DANA))
        for person in (ADA, DANA):
            found = refusal(state, cast("first", person))
            assert found.code == "self-approval"
            assert "of their own" in found.message

    def test_who_is_not_asked_does_not_decide(self) -> None:
        state = after(approvals("any"), opening("first", BEN))
        assert refusal(state, cast("first", CLEO)).code == "not-approver"

    def test_a_stage_that_has_not_begun_takes_no_vote_and_does_not_expire(self) -> None:
        state = approvals("any", "any")
        for event in (cast("second", BEN), Tick(stage="second")):
            found = refusal(state, event)
            assert (found.code, found.message) == ("stage-not-open", "Stage 'Second' has not begun.")

    def test_an_unknown_stage_is_named(self) -> None:
        for event in (cast("third", BEN), opening("third", BEN), Tick(stage="third")):
            found = refusal(approvals("any"), event)
            assert found.code == "unknown-stage"
            assert "'third'" in found.message

    def test_a_second_vote_of_the_same_person_is_refused_and_says_who_decided(self) -> None:
        state = after(approvals("all"), opening("first", BEN, CLEO), cast("first", BEN))
        found = refusal(state, cast("first", BEN, Verdict.REJECT))
        assert found.code == "already-decided"
        assert found.message == "You have already decided. Stage 'First' is open; so far: Ben Okri (approve)."

    @pytest.mark.parametrize(("verdict", "word"), [(Verdict.APPROVE, "approved"), (Verdict.REJECT, "rejected")])
    def test_a_late_vote_is_refused_and_names_the_outcome_and_who_decided(self, verdict: Verdict, word: str) -> None:
        state = after(approvals("all" if verdict is Verdict.REJECT else "any"), opening("first", BEN, CLEO))
        state = after(state, cast("first", BEN, verdict))
        for voter in (BEN, CLEO):
            found = refusal(state, cast("first", voter))
            assert found.code == "stage-closed"
            assert found.message == f"Stage 'First' was {word} by Ben Okri ({verdict})."

    @pytest.mark.parametrize(
        ("end", "message"),
        [
            (Tick(stage="first"), "Stage 'First' expired without a decision."),
            (Cancel(), "Stage 'First' was cancelled with the request."),
        ],
    )
    def test_a_vote_after_expiry_or_cancel_is_refused_and_says_which(self, end: Event, message: str) -> None:
        state = after(after(approvals("any"), opening("first", BEN)), end, at=TOO_LATE)
        found = refusal(state, cast("first", BEN))
        assert (found.code, found.message) == ("stage-closed", message)

    def test_a_vote_on_what_has_changed_since_is_refused(self) -> None:
        state = after(approvals("any"), opening("first", BEN))
        assert refusal(state, cast("first", BEN, subject="sha256:0")).code == "subject-changed"
        assert after(state, cast("first", BEN, subject="sha256:1")).outcome is StageStatus.APPROVED

    def test_a_stage_does_not_open_for_nobody(self) -> None:
        assert refusal(approvals("any"), opening("first")).code == "too-few"
        assert refusal(approvals("any"), opening("first", ADA)).code == "too-few"

    def test_a_stage_opens_once(self) -> None:
        state = after(approvals("any"), opening("first", BEN))
        found = refusal(state, opening("first", CLEO))
        assert (found.code, found.message) == ("stage-not-open", "Stage 'First' cannot begin now: it is open.")

    def test_a_decided_stage_does_not_expire(self) -> None:
        state = after(approvals("any"), opening("first", BEN), cast("first", BEN))
        assert refused(state, Tick(stage="first"), TOO_LATE).code == "stage-closed"

    def test_a_stage_does_not_expire_before_its_time(self) -> None:
        state = after(approvals("any"), opening("first", BEN))
        assert refused(state, Tick(stage="first"), IN_TIME).code == "nothing-due"
        assert expired(state, "first").outcome is StageStatus.EXPIRED


class TestEndings:
    """How approvals end without a decision."""

    def test_an_expired_stage_ends_the_approvals(self) -> None:
        state = expired(after(approvals("any", "any"), opening("first", BEN)), "first")
        assert state.outcome is StageStatus.EXPIRED
        assert state.ready() == ()
        assert refusal(state, opening("second", BEN)).code == "stage-not-open"

    @pytest.mark.parametrize("begun", [(), (opening("first", BEN),)])
    def test_a_cancel_ends_the_stage_that_is_open_or_next(self, begun: tuple[Event, ...]) -> None:
        state = after(approvals("any", "any"), *begun, Cancel())
        assert state.outcome is StageStatus.CANCELLED
        assert stage_of(state, "first").status is StageStatus.CANCELLED

    def test_a_cancel_after_the_decision_is_refused_and_says_who_decided(self) -> None:
        state = after(approvals("any", "any"), opening("first", BEN), cast("first", BEN, Verdict.REJECT))
        assert refusal(state, Cancel()).message == "Stage 'First' was rejected by Ben Okri (reject)."

    def test_a_cancel_where_nothing_was_to_be_approved_is_refused(self) -> None:
        assert refusal(approvals(), Cancel()).message == "There is nothing left to approve."


def test_an_open_stage_without_votes_says_that_nobody_decided() -> None:
    assert said(stage_of(after(approvals("any"), opening("first", BEN)), "first")).endswith("so far: no decision.")


def test_an_unknown_stage_is_not_found() -> None:
    assert approvals("any").stage("nowhere") is None


class TestNumbers:
    """So many must approve."""

    def test_a_stage_is_approved_by_the_number_it_asks_for(self) -> None:
        state = after(approvals(2), opening("first", BEN, CLEO, DANA), cast("first", BEN))
        assert state.outcome is StageStatus.WAITING
        assert after(state, cast("first", DANA)).outcome is StageStatus.APPROVED

    def test_it_is_refused_once_too_few_are_left_to_approve(self) -> None:
        state = after(approvals(2), opening("first", BEN, CLEO, DANA), cast("first", BEN, Verdict.REJECT))
        assert state.outcome is StageStatus.WAITING
        assert after(state, cast("first", DANA, Verdict.REJECT)).outcome is StageStatus.REJECTED

    def test_it_does_not_begin_with_fewer_people_than_must_approve(self) -> None:
        assert "Too few may decide" in refusal(approvals(2), opening("first", BEN)).message
        assert refusal(approvals(2), opening("first", BEN, ADA)).code == "too-few"


class TestSideBySide:
    """Stages that are open at the same time."""

    def stages(self) -> Approvals:
        both = (a_stage(id="first", name="First"), a_stage(id="second", name="Second", after=()))
        last = a_stage(id="third", name="Third", after=("first", "second"))
        return approvals_of(*both, last)

    def test_they_open_together_and_what_follows_both_waits_for_both(self) -> None:
        state = self.stages()
        assert [ready.stage.id for ready in state.ready()] == ["first", "second"]
        state = after(state, opening("first", BEN), opening("second", CLEO), cast("second", CLEO))
        assert state.ready() == ()
        assert refusal(state, opening("third", DANA)).code == "stage-not-open"
        state = after(state, cast("first", BEN))
        assert [ready.stage.id for ready in state.ready()] == ["third"]
        assert after(state, opening("third", DANA), cast("third", DANA)).outcome is StageStatus.APPROVED

    @pytest.mark.parametrize("refused", ["first", "second"])
    def test_a_refusal_of_one_calls_off_the_other_and_is_the_outcome(self, refused: str) -> None:
        opened = after(self.stages(), opening("first", BEN), opening("second", BEN))
        change = apply(opened, cast(refused, BEN, Verdict.REJECT), LATER)
        assert isinstance(change, Change)
        assert [stage.status for stage in change.closed] == [StageStatus.REJECTED, StageStatus.CANCELLED]
        assert {stage.closed_at for stage in change.closed} == {LATER}
        assert change.state.outcome is StageStatus.REJECTED
        other = "second" if refused == "first" else "first"
        assert refusal(change.state, cast(other, BEN)).code == "stage-closed"
        assert refused in refusal(change.state, Cancel()).message.casefold()

    def test_a_deadline_of_one_calls_off_the_other(self) -> None:
        state = expired(after(self.stages(), opening("first", BEN), opening("second", CLEO)), "second")
        assert state.outcome is StageStatus.EXPIRED
        assert stage_of(state, "first").status is StageStatus.CANCELLED
        assert stage_of(state, "third").status is StageStatus.WAITING

    def test_who_approves_one_of_them_has_approved_the_other_too(self) -> None:
        opened = after(self.stages(), opening("first", BEN), opening("second", BEN, CLEO))
        change = apply(opened, cast("first", BEN), LATER)
        assert isinstance(change, Change)
        assert [(stage, vote.voter.id, vote.rule) for stage, vote in change.carried] == [
            ("second", BEN.id, "approval.already-approved")
        ]
        assert [(stage.stage.id, stage.status) for stage in change.closed] == [
            ("first", StageStatus.APPROVED),
            ("second", StageStatus.APPROVED),
        ]
        assert [stage.stage.id for stage in change.state.ready()] == ["third"]

    def test_a_refusal_counts_where_it_was_said_only(self) -> None:
        opened = after(self.stages(), opening("first", BEN, CLEO), opening("second", BEN))
        change = apply(opened, cast("first", BEN, Verdict.REJECT), LATER)
        assert isinstance(change, Change)
        assert (change.carried, change.closed) == ((), ())
        assert stage_of(change.state, "second").votes == ()

    def test_calling_off_closes_all_that_is_undecided(self) -> None:
        state = after(self.stages(), opening("first", BEN), Cancel())
        assert [stage.status for stage in state.stages] == [StageStatus.CANCELLED] * 3


CHEAP = AutoApproval(id="cheap", when=True, because="It costs next to nothing.")


class TestByRule:
    """Stages that a rule approves."""

    def test_a_stage_that_a_rule_approves_asks_nobody_and_names_the_rule(self) -> None:
        stages = (a_stage(id="first", name="First", auto_approve=(CHEAP,)), a_stage(id="second"))
        state = approvals_of(*stages)
        assert said(stage_of(state, "first")) == "Stage 'First' was approved by the rule auto.cheap."
        assert [following.stage.id for following in state.ready()] == ["second"]
        assert refusal(state, cast("first", BEN)).code == "not-approver"
        assert refusal(state, opening("first", BEN)).code == "stage-not-open"

    def test_if_rules_approve_every_stage_the_request_is_approved(self) -> None:
        state = approvals_of(a_stage(auto_approve=(CHEAP,)))
        assert state.outcome is StageStatus.APPROVED


def test_a25_what_people_wrote_is_cut_short_for_another_run_and_nothing_else() -> None:
    state = after(
        approvals("all"),
        opening("first", BEN, CLEO),
        Consult(stage="first", by=BEN.ref(), person=CLEO.ref(), question="z" * 4000),
        Advise(stage="first", by=CLEO.ref(), text="y" * 4000),
        cast("first", BEN, reason="x" * 4000),
    )
    (stage,) = state.in_brief().stages
    (vote,), (advice,) = stage.votes, stage.advice
    assert (len(vote.reason), len(advice.question), len(advice.text)) == (500, 500, 500)
    words = {"reason": "x" * 4000}
    whole = stage.model_copy(update={"votes": (vote.model_copy(update=words),), "advice": state.stages[0].advice})
    assert state.model_copy(update={"stages": (whole,)}) == state
