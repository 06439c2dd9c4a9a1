"""Others decide because those who were asked did not in time (A13), and do with it what those could (A9)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import a_slate, a_stage, after, approvals_of, cast, changed, opening, refused, stage_of
from support.deciders import ADA, BEN, CLEO, DORA, EVE, KAI, OVER, SAM, TIM, M, deputed, logins

from catalog.ballot import Ask, Change, Due, Escalate, Hand, Join, Resolve, StageStatus, Tick
from catalog.calendar import ALWAYS
from catalog.people import Person
from catalog.stages import Stage


def levels(*how: str) -> tuple[dict[str, Any], ...]:
    return tuple({"to": [{"rule": "manager"}], "how": one, "decide_within": "2 days"} for one in how)


def a_ladder(*how: str, **other: Any) -> Stage:
    """Return a stage that is escalated so often."""
    return Stage.model_validate(a_stage(quorum="all").model_dump() | {"escalate": levels(*how)} | other)


def escalated(*how: str, to: tuple[Person, ...] = (SAM,), votes: tuple[Any, ...] = (), **other: Any) -> Change:
    """Return what comes of it when a stage of Ben and Cleo was not decided in time."""
    state = after(approvals_of(a_ladder(*how, **other), beneficiary=TIM), opening(BEN, CLEO), *votes)
    state = after(state, Tick(stage=M), at=OVER)
    return changed(state, Escalate(stage=M, slate=a_slate(*to)), OVER)


class TestEscalation:
    """Others decide because those who were asked did not in time (A13)."""

    def test_a13_added_people_may_decide_besides_those_who_were_asked(self) -> None:
        change = escalated("add")
        assert (logins(change.asked), change.gone) == (["sam"], ())
        assert logins(stage_of(change.state).undecided()) == ["ben", "cleo", "sam"]
        assert stage_of(change.state).due_at == OVER + timedelta(days=2)
        assert after(change.state, cast(BEN), cast(CLEO)).outcome is StageStatus.APPROVED

    def test_a13_they_fill_every_seat_that_is_left(self) -> None:
        change = changed(escalated("add", votes=(cast(BEN),)).state, cast(SAM))
        assert change.vote
        assert (change.vote.seats, change.vote.rule) == ((CLEO.id,), "approval.escalated")
        assert change.state.outcome is StageStatus.APPROVED

    def test_a13_they_stand_for_everybody_they_decide_instead_of(self) -> None:
        assert after(escalated("add", quorum=2).state, cast(SAM)).outcome is StageStatus.APPROVED

    def test_a13_replaced_people_may_not_decide_any_more(self) -> None:
        change = escalated("replace", votes=(cast(BEN),))
        assert (logins(change.asked), logins(change.gone)) == (["sam"], ["cleo"])
        assert refused(change.state, cast(CLEO)).code == "no-longer-asked"
        assert refused(change.state, cast(BEN)).code == "already-decided"
        assert after(change.state, cast(SAM)).outcome is StageStatus.APPROVED

    def test_a13_the_next_level_adds_to_or_replaces_the_one_before(self) -> None:
        for how, able in (("add", {SAM.id, KAI.id}), ("replace", {KAI.id})):
            state = escalated("replace", how).state
            later = OVER + timedelta(days=2)
            state = after(state, Tick(stage=M), Escalate(stage=M, slate=a_slate(KAI)), at=later)
            assert stage_of(state).may_act().keys() == able
            assert stage_of(state).due_at == later + timedelta(days=2)

    @pytest.mark.parametrize("person", [ADA, TIM])
    def test_a7_it_is_not_escalated_to_who_may_not_decide(self, person: Person) -> None:
        change = escalated("add", to=(person, SAM))
        assert logins(change.asked) == ["sam"]
        assert refused(change.state, cast(person)).code == "self-approval"

    def test_a13_if_nobody_is_found_the_next_level_is_looked_up_at_once(self) -> None:
        change = escalated("add", "add", to=(ADA,))
        assert change.due == (Due(kind="escalate", stage=M, nth=2),)
        assert stage_of(change.state).status is StageStatus.OPEN
        state = after(change.state, Escalate(stage=M, slate=a_slate(SAM)), at=OVER)
        assert logins(stage_of(state).undecided()) == ["ben", "cleo", "sam"]

    def test_a13_after_the_last_level_nobody_found_is_the_end(self) -> None:
        change = escalated("add", to=())
        assert (change.state.outcome, stage_of(change.state).rule) == (
            StageStatus.EXPIRED,
            "approval.expired",
        )

    def test_a13_a_deputy_of_who_it_is_escalated_to_decides(self) -> None:
        state = after(after(approvals_of(a_ladder("add")), opening(BEN)), Tick(stage=M), at=OVER)
        state = after(state, Escalate(stage=M, slate=a_slate(deputed(SAM, DORA))), at=OVER)
        assert after(state, cast(DORA)).outcome is StageStatus.APPROVED

    def test_a13_it_comes_to_nothing_before_its_time(self) -> None:
        state = after(approvals_of(a_ladder("add")), opening(BEN))
        assert refused(state, Escalate(stage=M, slate=a_slate(SAM))).code == "nothing-due"
        again = escalated("add").state
        assert refused(again, Escalate(stage=M, slate=a_slate(KAI)), OVER).code == "nothing-due"

    def test_a13_a_vote_while_the_next_are_looked_up_counts(self) -> None:
        state = after(after(approvals_of(a_ladder("add")), opening(BEN)), Tick(stage=M), at=OVER)
        state = after(state, cast(BEN), at=OVER)
        assert state.outcome is StageStatus.APPROVED
        assert refused(state, Escalate(stage=M, slate=a_slate(SAM)), OVER).code == "stage-closed"

    def test_a13_a_question_stops_the_time_of_those_it_is_escalated_to_as_well(self) -> None:
        state = after(after(approvals_of(a_ladder("add")), opening(BEN)), Tick(stage=M), at=OVER)
        state = after(state, Ask(stage=M, by=BEN.ref(), text="?"), Escalate(stage=M, slate=a_slate(SAM)), at=OVER)
        agenda = stage_of(state).agenda
        assert agenda
        assert (agenda.paused_at, agenda.level) == (OVER, 1)

    def test_a13_those_it_was_escalated_to_change_as_others_do(self) -> None:
        lima = ALWAYS.model_copy(update={"id": "lima"})
        above = a_slate(KAI, ADA, calendars={"lima": lima}, hours={KAI.id: "lima"})
        for how, able in (("add", {BEN.id, CLEO.id, KAI.id}), ("replace", {KAI.id})):
            again = Resolve(stage=M, slate=a_slate(BEN, CLEO), above=above)
            change = changed(escalated(how).state, again, OVER)
            assert (logins(change.asked), logins(change.gone)) == (["kai"], ["sam"])
            assert stage_of(change.state).may_act().keys() == able
            assert stage_of(change.state).slate.calendar(KAI.id) == lima
            assert refused(change.state, cast(SAM), OVER).code == "no-longer-asked"

    def test_a5_when_nobody_is_left_above_and_the_others_were_replaced_that_is_said(self) -> None:
        again = Resolve(stage=M, slate=a_slate(BEN, CLEO), above=a_slate(ADA))
        change = changed(escalated("replace").state, again, OVER)
        assert (change.state.outcome, change.due) == (StageStatus.WAITING, (Due(kind="nobody", stage=M),))
        assert changed(escalated("add").state, again, OVER).due == ()
        rejecting = escalated("replace", when_nobody="reject").state
        assert changed(rejecting, again, OVER).state.outcome is StageStatus.REJECTED

    def test_a9_who_it_was_escalated_to_hands_it_on(self) -> None:
        for how in ("add", "replace"):
            state = escalated(how).state
            assert refused(state, Hand(stage=M, by=BEN.ref(), seat=SAM.id, to=EVE.ref()), OVER).code == "not-approver"
            assert refused(state, Hand(stage=M, by=SAM.ref(), seat=SAM.id, to=ADA.ref()), OVER).code == "self-approval"
            change = changed(state, Hand(stage=M, by=SAM.ref(), seat=SAM.id, to=EVE.ref()), OVER)
            assert (logins(change.asked), logins(change.gone)) == (["eve"], ["sam"])
            assert after(change.state, cast(EVE)).outcome is StageStatus.APPROVED

    def test_a9_who_has_decided_already_hands_on_what_was_escalated_to_them(self) -> None:
        state = escalated("add", to=(BEN,), votes=(cast(BEN),)).state
        change = changed(state, Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref()), OVER)
        assert (logins(change.asked), logins(change.gone)) == (["eve"], [])
        assert stage_of(change.state).voters() == {BEN.id}
        assert refused(change.state, cast(BEN), OVER).code == "already-decided"
        assert after(change.state, cast(EVE), at=OVER).outcome is StageStatus.APPROVED

    def test_a9_it_is_not_handed_on_once_there_is_nothing_left_to_decide(self) -> None:
        state = after(approvals_of(a_ladder("add", quorum=2)), opening(deputed(BEN, DORA), deputed(CLEO, DORA)))
        state = after(state, Tick(stage=M), Escalate(stage=M, slate=a_slate(SAM)), cast(DORA), at=OVER)
        assert (stage_of(state).status, stage_of(state).empty()) == (StageStatus.OPEN, ())
        hand = Hand(stage=M, by=SAM.ref(), seat=SAM.id, to=EVE.ref())
        assert refused(state, hand, OVER).code == "already-decided"

    def test_a9_after_a_replacement_a_seat_can_be_given_to_somebody_again(self) -> None:
        state = after(escalated("replace").state, Hand(stage=M, by=SAM.ref(), seat=BEN.id, to=EVE.ref()), at=OVER)
        assert stage_of(state).may_act().keys() == {EVE.id, SAM.id}
        assert after(state, cast(EVE)).outcome is StageStatus.WAITING
        assert after(state, cast(EVE), cast(SAM)).outcome is StageStatus.APPROVED

    def test_a9_after_a_replacement_somebody_can_join(self) -> None:
        state = after(escalated("replace").state, Join(stage=M, by=SAM.ref(), person=EVE.ref()), at=OVER)
        assert stage_of(state).may_act().keys() == {EVE.id, SAM.id}
        assert refused(state, Join(stage=M, by=SAM.ref(), person=BEN.ref()), OVER).code == "already-asked"

    def test_a13_a_seat_that_was_given_after_a_replacement_is_replaced_by_the_next(self) -> None:
        state = after(
            escalated("replace", "replace").state, Hand(stage=M, by=SAM.ref(), seat=BEN.id, to=EVE.ref()), at=OVER
        )
        later = OVER + timedelta(days=2)
        state = after(state, Tick(stage=M), Escalate(stage=M, slate=a_slate(KAI)), at=later)
        assert stage_of(state).may_act().keys() == {KAI.id}
