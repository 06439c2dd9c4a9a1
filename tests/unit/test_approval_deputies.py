"""Somebody is away, and another decides in their place (A8)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.builders import a_slate, after, cast, changed, refused, stage_of
from support.deciders import ADA, BEN, CLEO, DORA, EVE, KAI, OVER, TIM, M, deputed, life, logins

from catalog.ballot import (
    ESCALATED,
    Ask,
    Consult,
    Due,
    Escalate,
    Hand,
    Join,
    Resolve,
    StageStatus,
    Tick,
    Verdict,
    Vote,
    Withdraw,
)
from catalog.delegation import Deputy
from catalog.people import Person
from catalog.slate import Seat


class TestDeputies:
    """Somebody is away, and another decides in their place (A8)."""

    def test_a8_the_deputy_is_expected_and_whom_they_stand_in_for_may_still_decide(self) -> None:
        state = life(deputed(BEN, DORA))
        stage = stage_of(state)
        assert logins(stage.undecided()) == ["dora"]
        assert [*stage.may_act()] == [BEN.id, DORA.id]
        assert after(state, cast(BEN)).outcome is after(state, cast(DORA)).outcome is StageStatus.APPROVED

    def test_a8_a_vote_says_on_whose_behalf_it_is(self) -> None:
        vote = changed(life(deputed(BEN, DORA)), cast(DORA)).vote
        assert vote
        assert (vote.voter, vote.seats, vote.rule) == (DORA.ref(), (BEN.id,), "")

    def test_a8_the_second_of_the_two_is_told_who_has_decided(self) -> None:
        state = life(deputed(BEN, DORA), CLEO, quorum="all")
        after_deputy, after_ben = after(state, cast(DORA)), after(state, cast(BEN))
        late = refused(after_deputy, cast(BEN, Verdict.REJECT))
        assert late.code == "already-decided"
        assert late.message.startswith("Dora Fry has already decided on your behalf.")
        late = refused(after_ben, cast(DORA))
        assert late.code == "already-decided"
        assert late.message.startswith("Ben Okri decided before you.")

    def test_a8_every_link_of_a_chain_may_decide(self) -> None:
        state = life(deputed(BEN, DORA, EVE))
        assert logins(stage_of(state).undecided()) == ["eve"]
        for person in (BEN, DORA, EVE):
            assert after(state, cast(person)).outcome is StageStatus.APPROVED

    def test_a8_one_human_counts_once_for_a_number(self) -> None:
        state = after(life(deputed(BEN, DORA), deputed(CLEO, DORA), EVE, quorum=2), cast(DORA))
        assert stage_of(state).votes[0].seats == (BEN.id, CLEO.id)
        assert state.outcome is StageStatus.WAITING
        assert after(state, cast(EVE)).outcome is StageStatus.APPROVED

    def test_a8_one_human_fills_both_seats_where_all_must_approve(self) -> None:
        change = changed(life(deputed(BEN, DORA), deputed(CLEO, DORA), quorum="all"), cast(DORA))
        assert change.vote
        assert change.vote.seats == (BEN.id, CLEO.id)
        assert change.state.outcome is StageStatus.APPROVED

    def test_a8_a_deputy_with_a_seat_of_their_own_fills_that_too(self) -> None:
        state = life(deputed(BEN, CLEO), CLEO, quorum="all")
        assert after(state, cast(CLEO)).outcome is StageStatus.APPROVED

    @pytest.mark.parametrize(
        ("when_nobody", "ends"),
        [("operator", StageStatus.WAITING), ("reject", StageStatus.REJECTED), ("approve", StageStatus.APPROVED)],
    )
    def test_a8_one_human_for_all_who_are_left_is_too_few_and_that_is_said(
        self, when_nobody: str, ends: StageStatus
    ) -> None:
        """Two must approve, and one deputy has spoken for everybody."""
        state = life(deputed(BEN, DORA), deputed(CLEO, DORA), quorum=2, when_nobody=when_nobody)
        change = changed(state, cast(DORA))
        assert change.state.outcome is ends
        waits = ends is StageStatus.WAITING
        assert change.due == ((Due(kind="nobody", stage=M),) if waits else ())
        assert stage_of(change.state).rule == ("" if waits else "approval.nobody")

    def test_a8_a_delegation_that_begins_covers_what_is_pending(self) -> None:
        change = changed(life(BEN, CLEO), Resolve(stage=M, slate=a_slate(deputed(BEN, DORA), CLEO)))
        assert (logins(change.asked), change.gone) == (["dora"], ())
        assert logins(stage_of(change.state).undecided()) == ["dora", "cleo"]

    def test_a8_nobody_decides_for_another_once_the_delegation_is_over(self) -> None:
        """Also before it was looked up again who stands in."""
        deputy = Deputy(person=DORA.ref(), via=("d1",), until=OVER)
        state = life(Seat(person=BEN.ref(), deputies=(deputy,)))
        assert after(state, cast(DORA), at=OVER - timedelta(seconds=1)).outcome is StageStatus.APPROVED
        late = refused(state, cast(DORA), OVER)
        assert (late.code, late.message[:8]) == ("no-longer-asked", "The time")
        assert after(state, cast(BEN), at=OVER).outcome is StageStatus.APPROVED

    @pytest.mark.parametrize(
        "event",
        [
            Ask(stage=M, by=DORA.ref(), text="Why?"),
            Consult(stage=M, by=DORA.ref(), person=EVE.ref(), question="Shall I?"),
            Join(stage=M, by=DORA.ref(), person=EVE.ref()),
        ],
        ids=lambda event: event.kind,
    )
    def test_a8_nor_does_anything_else_in_their_place(self, event: Ask | Consult | Join) -> None:
        deputy = Deputy(person=DORA.ref(), via=("d1",), until=OVER)
        state = life(Seat(person=BEN.ref(), deputies=(deputy,)))
        assert after(state, event, at=OVER - timedelta(seconds=1)) != state
        assert refused(state, event, OVER).code == "no-longer-asked"

    def test_a8_who_has_withdrawn_a_delegation_is_not_decided_for_also_before_that_is_looked_up(self) -> None:
        state = life(deputed(BEN, DORA), DORA, deputed(CLEO, DORA), quorum="all")
        voted = after(state, cast(DORA, not_for=(BEN.id,)))
        (vote,) = stage_of(voted).votes
        assert vote.seats == (DORA.id, CLEO.id)
        assert logins(stage_of(voted).undecided()) == ["dora"]  # as it was looked up last
        assert after(voted, cast(BEN)).outcome is StageStatus.APPROVED
        alone = life(deputed(BEN, DORA))
        assert refused(alone, cast(DORA, not_for=(BEN.id,))).code == "no-longer-asked"

    def test_a8_who_no_longer_stands_in_does_not_take_back_what_was_decided_then(self) -> None:
        state = after(life(deputed(BEN, DORA), CLEO, quorum="all"), cast(DORA))
        assert refused(state, Withdraw(stage=M, voter=DORA.ref(), not_for=(BEN.id,))).code == "no-longer-asked"
        assert stage_of(after(state, Withdraw(stage=M, voter=DORA.ref(), not_for=(CLEO.id,)))).votes == ()
        both = after(life(deputed(BEN, DORA), DORA, CLEO, quorum="all"), cast(DORA))
        assert stage_of(after(both, Withdraw(stage=M, voter=DORA.ref(), not_for=(BEN.id,)))).votes == ()

    def test_a8_who_has_decided_by_escalation_takes_that_back_whomever_it_was_decided_instead_of(self) -> None:
        state = life(BEN, CLEO, quorum="all")  # people were found anew after it was decided
        vote = Vote(voter=EVE.ref(), verdict=Verdict.APPROVE, at=OVER, rule=ESCALATED, seats=(BEN.id,))
        (stage,) = state.stages
        voted = state.model_copy(update={"stages": (stage.model_copy(update={"votes": (vote,)}),)})
        assert stage_of(after(voted, Withdraw(stage=M, voter=EVE.ref(), not_for=(BEN.id,)))).votes == ()

    def test_a7_nobody_decides_their_own_by_standing_in_for_whom_an_escalation_was_handed_to(self) -> None:
        level = {"to": [{"rule": "manager"}], "decide_within": "2 days"}
        state = after(life(BEN, escalate=[level]), Tick(stage=M), Escalate(stage=M, slate=a_slate(EVE)), at=OVER)
        state = after(state, Hand(stage=M, by=EVE.ref(), seat=EVE.id, to=KAI.ref()), at=OVER)
        found = Resolve(stage=M, slate=a_slate(BEN), above=a_slate(EVE), others=a_slate(deputed(KAI, ADA, DORA)))
        state = after(state, found, at=OVER)
        assert [*stage_of(state).may_act()] == [BEN.id, KAI.id]
        assert refused(state, cast(ADA), OVER).code == "self-approval"

    def test_a8_nor_is_somebody_to_whom_it_was_escalated(self) -> None:
        level = {"to": [{"rule": "manager"}], "decide_within": "2 days"}
        state = after(life(BEN, CLEO, quorum="all", escalate=[level]), Tick(stage=M), at=OVER)
        state = after(state, Escalate(stage=M, slate=a_slate(deputed(EVE, DORA))), at=OVER)
        assert refused(state, cast(DORA, not_for=(EVE.id,)), OVER).code == "no-longer-asked"
        own = after(state, Resolve(stage=M, slate=a_slate(BEN, DORA)), at=OVER)
        (vote,) = stage_of(after(own, cast(DORA, not_for=(EVE.id,)), at=OVER)).votes
        assert (vote.seats, vote.rule) == ((DORA.id,), "")

    def test_a8_a_delegation_that_ends_takes_the_deputy_away(self) -> None:
        change = changed(life(deputed(BEN, DORA)), Resolve(stage=M, slate=a_slate(BEN)))
        assert (change.asked, logins(change.gone)) == ((), ["dora"])
        assert refused(change.state, cast(DORA)).code == "no-longer-asked"

    def test_a8_a_vote_for_somebody_stays_when_the_delegation_ends(self) -> None:
        state = after(
            life(deputed(BEN, DORA), CLEO, quorum="all"), cast(DORA), Resolve(stage=M, slate=a_slate(BEN, CLEO))
        )
        assert stage_of(state).votes[0].seats == (BEN.id,)
        assert after(state, cast(CLEO)).outcome is StageStatus.APPROVED

    @pytest.mark.parametrize("person", [ADA, TIM])
    def test_a7_a_deputy_who_may_not_decide_does_not_nor_do_those_they_chose(self, person: Person) -> None:
        state = life(deputed(BEN, person, DORA))
        assert [*stage_of(state).may_act()] == [BEN.id]
        assert refused(state, cast(person)).code == "self-approval"
        assert refused(state, cast(DORA)).code == "not-approver"
