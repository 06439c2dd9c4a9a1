"""Who decides: deputies, hand-over, further approvers, advice, people who come and go, escalation (A5 to A9, A13)."""

from __future__ import annotations

from datetime import timedelta
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

from catalog.ballot import (
    Advise,
    Answer,
    Approvals,
    Ask,
    Change,
    Consult,
    Due,
    Escalate,
    Hand,
    Join,
    Resolve,
    StageStatus,
    Tick,
    Verdict,
    Withdraw,
)
from catalog.calendar import ALWAYS
from catalog.delegation import Deputy
from catalog.people import Person
from catalog.questions import MOST_ASKED
from catalog.slate import Seat
from catalog.stages import AllOf, Asked, ByManager, Stage

ADA, TIM, BEN, CLEO, DORA, EVE, SAM, KAI = (
    a_person(name)
    for name in ("Ada Byron", "Tim Hall", "Ben Okri", "Cleo Moss", "Dora Fry", "Eve Ash", "Sam Poe", "Kai Lee")
)
"""Ada orders for Tim."""
M = "manager"
GROUP = Asked(approvers=(ByManager(rule="manager"),))
OVER = NOON + timedelta(days=10)


def deputed(person: Person, *deputies: Person, **other: Any) -> Seat:
    """Return somebody's seat, with those who stand in for them."""
    chain = tuple(Deputy(person=one.ref(), via=("d1",)) for one in deputies)
    return Seat(person=person.ref(), deputies=chain, **other)


def life(*people: Person | Seat, **stage: Any) -> Approvals:
    return after(approvals_of(a_stage(**stage), beneficiary=TIM), opening(*people))


def logins(people: Any) -> list[str]:
    return [person.login for person in people]


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
