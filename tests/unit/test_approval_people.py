"""Who decides: hand-over, further approvers, advice, and people who come and go (A5, A7, A9)."""

from __future__ import annotations

from datetime import timedelta

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
from support.deciders import ADA, BEN, CLEO, DORA, EVE, KAI, TIM, M, deputed, life, logins

from catalog.ballot import Advise, Answer, Ask, Consult, Due, Hand, Join, Resolve, StageStatus, Verdict, Withdraw
from catalog.calendar import ALWAYS
from catalog.people import Person
from catalog.questions import MOST_ASKED
from catalog.slate import Seat
from catalog.stages import AllOf, Asked, ByManager

GROUP = Asked(approvers=(ByManager(rule="manager"),))


class TestHandOver:
    """A seat goes to another (A9)."""

    def test_a9_whoever_it_is_handed_to_decides_and_the_other_no_longer(self) -> None:
        change = changed(life(BEN), Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref()))
        assert (logins(change.asked), logins(change.gone)) == (["eve"], ["ben"])
        assert refused(change.state, cast(BEN)).code == "no-longer-asked"
        assert after(change.state, cast(EVE)).outcome is StageStatus.APPROVED
        assert stage_of(change.state).slate.seats[0].instead_of == BEN.ref()

    @pytest.mark.parametrize("person", [ADA, TIM])
    def test_a7_it_is_not_handed_to_who_may_not_decide(self, person: Person) -> None:
        for operator in (False, True):
            event = Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=person.ref(), operator=operator)
            assert refused(life(BEN), event).code == "self-approval"

    @pytest.mark.parametrize("person", [ADA, TIM])
    def test_a7_nobody_chooses_who_decides_their_own_request_not_even_as_an_operator(self, person: Person) -> None:
        event = Hand(stage=M, by=person.ref(), seat=BEN.id, to=EVE.ref(), operator=True)
        assert refused(life(BEN), event).code == "self-approval"

    def test_a9_a_deputy_does_not_hand_on_whose_decision_they_could_take(self) -> None:
        """Whose decision it is keeps the right to decide, also when they are back."""
        state = life(deputed(BEN, DORA))
        assert refused(state, Hand(stage=M, by=DORA.ref(), seat=BEN.id, to=EVE.ref())).code == "not-approver"

    def test_a7_an_operator_does_not_choose_who_decides_their_own_request(self) -> None:
        state = life(ADA, CLEO, quorum="all", own=("requester",))
        hand = Hand(stage=M, by=ADA.ref(), seat=CLEO.id, to=EVE.ref(), operator=True)
        assert refused(state, hand).code == "not-approver"

    def test_a9_what_is_decided_is_not_handed_on(self) -> None:
        state = after(life(BEN, CLEO, quorum="all"), cast(BEN))
        assert refused(state, Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref())).code == "already-decided"

    @pytest.mark.parametrize("to", [CLEO, DORA])
    def test_a9_it_is_not_handed_to_somebody_who_is_asked_already(self, to: Person) -> None:
        state = life(BEN, deputed(CLEO, DORA), quorum="all")
        assert refused(state, Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=to.ref())).code == "already-asked"

    def test_a9_a_seat_that_was_handed_on_is_not_given_back_when_people_are_looked_up_again(self) -> None:
        state = after(life(BEN), Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref()))
        again = changed(state, Resolve(stage=M, slate=a_slate(deputed(BEN, DORA))))
        assert (again.asked, again.gone) == ((), ())
        assert [*stage_of(again.state).may_act()] == [EVE.id]

    def test_a9_it_falls_when_nobody_names_whose_it_was(self) -> None:
        state = after(life(BEN), Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref()))
        again = changed(state, Resolve(stage=M, slate=a_slate(CLEO)))
        assert (logins(again.asked), logins(again.gone)) == (["cleo"], ["eve"])

    def test_a9_handed_on_twice_it_still_stands_for_the_first(self) -> None:
        state = after(
            life(BEN),
            Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref()),
            Hand(stage=M, by=EVE.ref(), seat=EVE.id, to=KAI.ref()),
        )
        (seat,) = stage_of(state).slate.seats
        assert (seat.person, seat.instead_of) == (KAI.ref(), BEN.ref())

    def test_a9_handed_back_it_is_as_it_was(self) -> None:
        state = after(
            life(BEN),
            Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref()),
            Hand(stage=M, by=EVE.ref(), seat=EVE.id, to=BEN.ref()),
        )
        assert stage_of(state).slate.seats == (Seat(person=BEN.ref()),)
        assert stage_of(state).removed == (EVE.id,)

    @pytest.mark.parametrize("named", [(BEN, EVE), (EVE, BEN)])
    def test_a9_who_is_named_too_has_one_seat_for_both(self, named: tuple[Person, Person]) -> None:
        """Ben's place in the first group was handed to Eve, whom the second group names later."""
        decide = AllOf(all=(GROUP, GROUP))
        seats = (Seat(person=BEN.ref(), groups={0: 1}), Seat(person=CLEO.ref(), groups={1: 1}))
        state = life(*seats, approvers=(), decide=decide)
        state = after(state, Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=EVE.ref()))
        both = {BEN: Seat(person=BEN.ref(), groups={0: 1}), EVE: Seat(person=EVE.ref(), groups={1: 1})}
        state = after(state, Resolve(stage=M, slate=a_slate(*(both[one] for one in named))))
        (seat,) = stage_of(state).slate.seats
        assert (seat.person, seat.groups, seat.instead_of) == (EVE.ref(), {0: 1, 1: 1}, BEN.ref())
        assert after(state, cast(EVE)).outcome is StageStatus.APPROVED


class TestJoining:
    """An approver wants somebody else to approve as well (A9)."""

    def test_a9_who_joins_must_approve_besides_all_others(self) -> None:
        change = changed(life(BEN, CLEO), Join(stage=M, by=BEN.ref(), person=KAI.ref()))
        assert logins(change.asked) == ["kai"]
        state = after(change.state, cast(BEN))
        assert state.outcome is StageStatus.WAITING
        assert after(state, cast(KAI)).outcome is StageStatus.APPROVED
        assert after(state, cast(KAI, Verdict.REJECT)).outcome is StageStatus.REJECTED

    def test_a9_who_joins_stands_for_no_group(self) -> None:
        state = after(life(BEN, CLEO, quorum="60%"), Join(stage=M, by=BEN.ref(), person=KAI.ref()), cast(KAI))
        assert state.outcome is StageStatus.WAITING
        assert after(state, cast(BEN), cast(CLEO)).outcome is StageStatus.APPROVED

    @pytest.mark.parametrize("person", [ADA, TIM])
    def test_a7_nobody_joins_who_may_not_decide(self, person: Person) -> None:
        assert refused(life(BEN), Join(stage=M, by=BEN.ref(), person=person.ref())).code == "self-approval"

    def test_a9_who_joined_stays_whoever_is_named_later(self) -> None:
        state = after(life(BEN), Join(stage=M, by=BEN.ref(), person=KAI.ref()), Resolve(stage=M, slate=a_slate(CLEO)))
        assert [*stage_of(state).may_act()] == [CLEO.id, KAI.id]

    def test_a9_who_is_named_after_they_joined_must_approve_all_the_same(self) -> None:
        state = after(
            life(BEN), Join(stage=M, by=BEN.ref(), person=KAI.ref()), Resolve(stage=M, slate=a_slate(BEN, KAI))
        )
        assert [seat.person.login for seat in stage_of(state).slate.seats] == ["ben", "kai"]
        assert after(state, cast(BEN)).outcome is StageStatus.WAITING
        assert after(state, cast(KAI)).outcome is StageStatus.APPROVED

    def test_a9_who_joined_hands_it_on_as_anybody_does(self) -> None:
        state = after(
            life(BEN),
            Join(stage=M, by=BEN.ref(), person=KAI.ref()),
            Hand(stage=M, by=KAI.ref(), seat=KAI.id, to=EVE.ref()),
            Resolve(stage=M, slate=a_slate(BEN, KAI)),
        )
        assert [(seat.person.login, seat.joined) for seat in stage_of(state).slate.seats] == [
            ("ben", False),
            ("kai", False),
            ("eve", True),
        ]

    def test_a9_who_has_decided_asks_for_nobody_else(self) -> None:
        state = after(life(BEN, CLEO, quorum="all"), cast(BEN))
        assert refused(state, Join(stage=M, by=BEN.ref(), person=KAI.ref())).code == "already-decided"


class TestAdvice:
    """An approver asks somebody who does not decide (A9)."""

    def test_a9_advice_and_answers_are_not_asked_without_end(self) -> None:
        state = life(BEN)
        for number in range(MOST_ASKED):
            state = after(state, Consult(stage=M, by=BEN.ref(), person=a_person(f"Expert{number}").ref(), question="?"))
            state = after(state, Ask(stage=M, by=BEN.ref(), text="?"), Answer(stage=M, by=ADA.ref()))
        assert refused(state, Consult(stage=M, by=BEN.ref(), person=KAI.ref(), question="?")).code == "too-many"
        assert refused(state, Ask(stage=M, by=BEN.ref(), text="?")).code == "too-many"
        assert after(state, cast(BEN)).outcome is StageStatus.APPROVED

    def test_a9_advice_is_kept_and_binds_nobody(self) -> None:
        state = after(life(BEN), Consult(stage=M, by=BEN.ref(), person=KAI.ref(), question="Is it safe?"))
        assert refused(state, cast(KAI)).code == "not-approver"
        at = NOON + timedelta(hours=1)
        state = after(state, Advise(stage=M, by=KAI.ref(), text="It is not."), at=at)
        (advice,) = stage_of(state).advice
        assert (advice.question, advice.text, advice.asked_at, advice.given_at) == (
            "Is it safe?",
            "It is not.",
            NOON,
            at,
        )
        assert after(state, cast(BEN)).outcome is StageStatus.APPROVED

    def test_a9_the_same_person_is_asked_again_only_after_they_answered(self) -> None:
        ask = Consult(stage=M, by=BEN.ref(), person=KAI.ref(), question="?")
        state = after(life(BEN), ask)
        assert refused(state, ask).code == "already-asked"
        state = after(state, Advise(stage=M, by=KAI.ref(), text="Yes."), ask)
        assert [bool(advice.given_at) for advice in stage_of(state).advice] == [True, False]

    def test_a9_several_may_be_asked_and_each_answers_their_own(self) -> None:
        state = life(BEN)
        for person in (KAI, EVE):
            state = after(state, Consult(stage=M, by=BEN.ref(), person=person.ref(), question="?"))
        state = after(state, Advise(stage=M, by=EVE.ref(), text="Yes."))
        assert [(advice.person.login, advice.text) for advice in stage_of(state).advice] == [
            ("kai", ""),
            ("eve", "Yes."),
        ]
        assert refused(state, Advise(stage=M, by=EVE.ref(), text="No.")).code == "no-question"


class TestComingAndGoing:
    """People are looked up again while a stage is open."""

    def test_an_empty_seat_moves_to_whoever_is_named_now(self) -> None:
        change = changed(life(BEN, CLEO), Resolve(stage=M, slate=a_slate(CLEO, EVE)))
        assert (logins(change.asked), logins(change.gone)) == (["eve"], ["ben"])
        assert refused(change.state, cast(BEN)).code == "no-longer-asked"

    def test_who_comes_back_may_decide_again(self) -> None:
        state = after(life(BEN), Resolve(stage=M, slate=a_slate(CLEO)), Resolve(stage=M, slate=a_slate(BEN)))
        assert stage_of(state).removed == (CLEO.id,)
        assert after(state, cast(BEN)).outcome is StageStatus.APPROVED

    def test_a_vote_once_cast_stays(self) -> None:
        change = changed(after(life(BEN, CLEO, quorum=2), cast(BEN)), Resolve(stage=M, slate=a_slate(CLEO)))
        assert (change.fallen, change.gone) == ((), ())
        assert after(change.state, cast(CLEO)).outcome is StageStatus.APPROVED

    def test_a_vote_falls_with_its_seat_if_the_stage_says_so(self) -> None:
        state = after(life(BEN, CLEO, quorum=2, revalidate=True), cast(BEN))
        change = changed(state, Resolve(stage=M, slate=a_slate(CLEO, EVE)))
        assert [(stage, vote.voter.id) for stage, vote in change.fallen] == [(M, BEN.id)]
        assert refused(change.state, cast(BEN)).code == "no-longer-asked"

    def test_whose_vote_stayed_without_a_seat_does_not_vote_again_once_they_took_it_back(self) -> None:
        state = after(life(BEN, CLEO, EVE, quorum=2), cast(BEN), Resolve(stage=M, slate=a_slate(CLEO, EVE)))
        change = changed(state, Withdraw(stage=M, voter=BEN.ref()))
        assert len(change.fallen) == 1
        assert refused(change.state, cast(BEN)).code == "no-longer-asked"
        assert [*stage_of(change.state).may_act()] == [CLEO.id, EVE.id]

    def test_a_seat_that_stayed_for_its_vote_is_a_seat_again_when_it_is_named(self) -> None:
        state = after(
            life(BEN, CLEO, EVE, quorum=2),
            cast(BEN),
            Resolve(stage=M, slate=a_slate(CLEO, EVE)),
            Resolve(stage=M, slate=a_slate(BEN, CLEO)),
            Withdraw(stage=M, voter=BEN.ref()),
        )
        assert [*stage_of(state).may_act()] == [BEN.id, CLEO.id]

    @pytest.mark.parametrize(
        ("when_nobody", "ends"),
        [("operator", StageStatus.WAITING), ("reject", StageStatus.REJECTED), ("approve", StageStatus.APPROVED)],
    )
    def test_a5_when_too_few_are_left_the_item_says_what_becomes_of_it(
        self, when_nobody: str, ends: StageStatus
    ) -> None:
        change = changed(life(BEN, CLEO, when_nobody=when_nobody), Resolve(stage=M, slate=a_slate(ADA)))
        assert change.state.outcome is ends
        assert logins(change.gone) == ["ben", "cleo"]
        waits = ends is StageStatus.WAITING
        assert change.due == ((Due(kind="nobody", stage=M),) if waits else ())
        assert change.asked == ()
        assert stage_of(change.state).rule == ("" if waits else "approval.nobody")

    def test_a5_those_who_have_rejected_decide_it_when_nobody_else_is_left(self) -> None:
        state = after(life(BEN, CLEO), cast(BEN, Verdict.REJECT))
        change = changed(state, Resolve(stage=M, slate=a_slate()))
        assert (change.state.outcome, change.due) == (StageStatus.REJECTED, ())

    @pytest.mark.parametrize(
        ("when_nobody", "ends"), [("reject", StageStatus.REJECTED), ("approve", StageStatus.APPROVED)]
    )
    def test_a5_a_stage_that_nobody_may_decide_ends_at_once_if_the_item_says_so(
        self, when_nobody: str, ends: StageStatus
    ) -> None:
        change = changed(approvals_of(a_stage(when_nobody=when_nobody)), opening(ADA))
        (closed,) = change.closed
        assert (closed.status, closed.rule, closed.opened_at, change.asked) == (ends, "approval.nobody", None, ())

    def test_a5_else_it_does_not_begin(self) -> None:
        assert refused(approvals_of(a_stage()), opening(ADA)).code == "too-few"

    def test_the_working_time_of_those_who_are_named_later_is_known_too(self) -> None:
        state = life(BEN)
        lima = ALWAYS.model_copy(update={"id": "lima"})
        slate = a_slate(CLEO, calendars={"lima": lima}, hours={CLEO.id: "lima"})
        found = stage_of(after(state, Resolve(stage=M, slate=slate))).slate
        assert found.calendar(CLEO.id) == lima

    def test_a6_who_comes_later_and_has_approved_another_stage_is_not_asked(self) -> None:
        stages = (a_stage(id="first"), a_stage(quorum="all"))
        state = after(approvals_of(*stages), opening(BEN, stage="first"), cast(BEN, stage="first"), opening(CLEO, EVE))
        change = changed(state, Resolve(stage=M, slate=a_slate(CLEO, BEN)))
        assert [(vote.voter.id, vote.rule) for vote in stage_of(change.state).votes] == [
            (BEN.id, "approval.already-approved")
        ]
        assert change.asked == ()

    def test_a21_who_has_taken_back_what_was_counted_is_asked_whenever_people_are_looked_up(self) -> None:
        stages = (a_stage(id="first"), a_stage(quorum="all"))
        state = after(approvals_of(*stages), opening(BEN, stage="first"), cast(BEN, stage="first"), opening(BEN, CLEO))
        state = after(state, Withdraw(stage=M, voter=BEN.ref()), Resolve(stage=M, slate=a_slate(BEN, CLEO)))
        assert logins(stage_of(state).undecided()) == ["ben", "cleo"]
