"""Whom to ask: from the people whom rules name, over absences and fallbacks, to the seats of a stage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOON, a_person, a_slate, a_stage

from catalog import delegation
from catalog.calendar import ALWAYS, Calendar
from catalog.delegation import MAX_DEPTH, Delegation, Deputy, Matter, Money, Scope
from catalog.people import Person
from catalog.plan import Wanted
from catalog.slate import Around, Found, Parties, Rung, Seat, Skipped, Slate, logins, slate
from catalog.stages import AllOf, Asked, ByItemOwner, ByManager, ByPerson, Escalation, Stage

ADA, TIM, BEN, CLEO, DANA, EVE = PEOPLE = tuple(a_person(name) for name in ("Ada", "Tim", "Ben", "Cleo", "Dana", "Eve"))
"""Ada orders for Tim."""
PARTIES = Parties(requester_id=ADA.id, beneficiary_id=TIM.id)
GONE = EVE.model_copy(update={"active": False})
TWO = a_stage(approvers=(), decide=AllOf(all=(Asked(approvers=(ByManager(rule="manager"),)),) * 2))


def rung(*people: Person, rule: str = "approver.manager", **other: Any) -> Rung:
    return Rung(rule=rule, people=people, **other)


def stands_in(person: Person, delegate: Person, **other: Any) -> Delegation:
    """Return a delegation that holds at noon."""
    plain: dict[str, Any] = {
        "id": f"{person.login}-{delegate.login}",
        "person": person.ref(),
        "delegate": delegate.ref(),
        "begins": NOON - timedelta(days=1),
        "ends": NOON + timedelta(days=1),
        "set_by": person.ref(),
        "created_at": NOON - timedelta(days=2),
    }
    return Delegation(**plain | other)


def around(*delegations: Delegation, **other: Any) -> Around:
    return Around(delegations=delegations, people={one.id: one for one in PEOPLE}, **other)


def found(*rungs: Rung, stage: Stage | None = None, parties: Parties = PARTIES, **other: Any) -> Slate:
    return slate(stage or a_stage(), Found(rungs=rungs, **other), parties, NOON)


def skipped(slate: Slate) -> list[tuple[str, str]]:
    return [(one.person.login, one.rule) for one in slate.skipped]


def test_each_human_has_one_seat_in_the_order_they_were_named() -> None:
    assert found(rung(CLEO, BEN, CLEO)) == a_slate(CLEO, BEN)


def test_a5_the_next_rung_is_asked_if_nobody_on_the_one_before_may_decide() -> None:
    slate = found(rung(), rung(ADA, GONE, rule="approver.owner"), rung(BEN, rule="approver.fallback"))
    assert (slate.people, slate.rule) == ((BEN.ref(),), "approver.fallback")
    assert skipped(slate) == [("ada", "approval.skip-requester"), ("eve", "approval.skip-inactive")]


def test_a5_each_group_has_a_ladder_of_its_own() -> None:
    slate = found(rung(BEN), stage=TWO, more=((rung(ADA), rung(BEN, CLEO, rule="approver.item-owner")),))
    assert [(seat.person.login, seat.groups) for seat in slate.seats] == [("ben", {0: 1, 1: 1}), ("cleo", {1: 1})]
    assert slate.rule == "approver.manager & approver.item-owner"


def test_a5_a_group_of_which_nobody_may_decide_has_no_seat() -> None:
    slate = found(rung(BEN), stage=TWO, more=((rung(GONE),),))
    assert [(seat.person.login, seat.groups) for seat in slate.seats] == [("ben", {0: 1})]


def test_what_was_asked_stands_beside_whom_it_found_and_makes_nobody_else_of_them() -> None:
    wanted = Wanted(groups=((ByManager(rule="manager"),),))
    asked = slate(a_stage(), Found(rungs=(rung(BEN),)), PARTIES, NOON, wanted)
    assert asked.wanted == wanted
    assert asked.fingerprint() == found(rung(BEN)).fingerprint()


def test_a1_weights_stand_in_the_seats() -> None:
    slate = found(rung(BEN, CLEO, weights={BEN.id: 3}))
    assert [seat.groups for seat in slate.seats] == [{0: 3}, {0: 1}]


@pytest.mark.parametrize(
    ("own", "asked"),
    [((), ["ben"]), (("requester",), ["ada", "ben"]), (("requester", "beneficiary"), ["ada", "tim", "ben"])],
)
def test_a7_requester_and_beneficiary_are_passed_over_unless_the_stage_asks_them(
    own: tuple[str, ...], asked: list[str]
) -> None:
    slate = found(rung(ADA, TIM, BEN), stage=a_stage(own=own))
    assert [person.login for person in slate.people] == asked


def test_a7_who_orders_for_themselves_decides_only_if_both_roles_may() -> None:
    both = Parties(requester_id=ADA.id, beneficiary_id=ADA.id)
    assert found(rung(ADA), stage=a_stage(own=("requester",)), parties=both).seats == ()
    assert found(rung(ADA), stage=a_stage(own=("requester", "beneficiary")), parties=both).people == (ADA.ref(),)


def test_who_is_passed_over_on_several_rungs_is_named_once_for_each_rule() -> None:
    assert skipped(found(rung(ADA, TIM), rung(TIM, ADA, GONE))) == [
        ("ada", "approval.skip-requester"),
        ("tim", "approval.skip-beneficiary"),
        ("eve", "approval.skip-inactive"),
    ]


def test_a8_a_deputy_is_asked_besides_the_one_they_stand_in_for() -> None:
    standing_in = stands_in(BEN, DANA)
    slate = found(rung(BEN, CLEO), around=around(standing_in))
    ben, cleo = slate.seats
    dana = Deputy(person=DANA.ref(), via=("ben-dana",), until=standing_in.ends)
    assert ben == Seat(person=BEN.ref(), deputies=(dana,))
    assert (ben.acting, cleo.acting) == (DANA.ref(), CLEO.ref())


def test_a8_a_chain_leads_to_the_last_deputy_and_all_of_it_may_decide() -> None:
    (seat,) = found(rung(BEN), around=around(stands_in(BEN, CLEO), stands_in(CLEO, DANA))).seats
    assert [deputy.person.login for deputy in seat.deputies] == ["cleo", "dana"]
    assert seat.acting == DANA.ref()


@pytest.mark.parametrize(
    ("delegations", "rule"),
    [
        ((stands_in(BEN, ADA),), "approval.skip-requester"),
        ((stands_in(BEN, TIM), stands_in(TIM, CLEO)), "approval.skip-beneficiary"),
        ((stands_in(BEN, a_person("Stranger")),), "delegation.skip-inactive"),
        ((stands_in(BEN, CLEO, operator=ADA.ref()),), "delegation.set-by-party"),
        ((stands_in(BEN, CLEO, operator=TIM.ref()), stands_in(CLEO, DANA)), "delegation.set-by-party"),
    ],
)
def test_a7_a_deputy_who_may_not_decide_is_passed_over_with_everybody_behind_them(
    delegations: tuple[Delegation, ...], rule: str
) -> None:
    slate = found(rung(BEN), around=around(*delegations))
    assert slate.seats == (Seat(person=BEN.ref()),)
    assert [one.rule for one in slate.skipped] == [rule]


def test_a8_a_circle_of_delegations_ends_where_it_began() -> None:
    slate = found(rung(BEN), around=around(stands_in(BEN, CLEO), stands_in(CLEO, BEN)))
    assert [deputy.person.login for deputy in slate.seats[0].deputies] == ["cleo"]
    assert slate.skipped == (Skipped(person=BEN.ref(), rule="delegation.loop"),)


@pytest.mark.parametrize(
    ("scope", "deputies"),
    [
        (Scope(items=("wiki",)), 1),
        (Scope(items=("laptop",)), 0),
        (Scope(up_to=Money(amount=100, currency="EUR")), 1),
        (Scope(up_to=Money(amount=99, currency="EUR")), 0),
    ],
)
def test_a8_a_delegation_counts_for_what_it_is_about(scope: Scope, deputies: int) -> None:
    matter = Matter(item="wiki", category="access", first_year=100, currency="EUR")
    parties = PARTIES.model_copy(update={"matter": matter})
    slate = found(rung(BEN), parties=parties, around=around(stands_in(BEN, CLEO, scope=scope)))
    assert len(slate.seats[0].deputies) == deputies


def test_each_delegation_is_looked_at_once_however_many_people_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [a_person(f"P{number}") for number in range(100)]
    many = [
        stands_in(people[number], people[(number + step) % 100], id=f"{number}-{step}")
        for number in range(100)
        for step in range(1, 10)
    ]
    looked: list[Scope] = []

    def covers(scope: Scope, matter: Matter) -> bool:
        looked.append(scope)
        return whether(scope, matter)

    whether = delegation.covers
    monkeypatch.setattr(delegation, "covers", covers)
    slate = found(rung(*people), around=Around(delegations=many, people={one.id: one for one in people}))
    assert all(len(seat.deputies) == MAX_DEPTH for seat in slate.seats)
    assert len(looked) == len(many)


def test_what_earlier_releases_have_told_of_delegations_is_still_read() -> None:
    whole = stands_in(BEN, DANA, scope=Scope(items=("wiki",)), reason="On leave")
    people = {DANA.id: DANA.model_dump(mode="json")}
    recorded = Around.model_validate({"delegations": [whole.model_dump(mode="json")], "people": people})
    parties = PARTIES.model_copy(update={"matter": Matter(item="wiki")})
    (seat,) = found(rung(BEN), parties=parties, around=recorded).seats
    assert seat.acting == DANA.ref()
    assert found(rung(BEN), around=recorded).seats[0].deputies == ()


def calendar(name: str) -> Calendar:
    return ALWAYS.model_copy(update={"id": name})


def test_a12_the_working_time_of_everybody_who_may_be_asked_comes_along_and_no_other() -> None:
    hours = {BEN.id: "oslo", DANA.id: "pune", ADA.id: "lima", EVE.id: "rome"}
    calendars = {name: calendar(name) for name in ("oslo", "pune", "lima", "rome", "company", "board")}
    slate = found(
        rung(BEN, CLEO),
        stage=a_stage(calendar="company", acts_in="board"),
        around=around(stands_in(BEN, DANA), hours=hours, calendars=calendars),
    )
    assert slate.hours == {BEN.id: "oslo", DANA.id: "pune", ADA.id: "lima"}
    assert slate.calendars.keys() == {"oslo", "pune", "lima", "company", "board"}
    assert slate.calendar(DANA.id) == calendar("pune")
    assert slate.calendar(CLEO.id) == ALWAYS


def test_a_calendar_that_there_is_not_leaves_people_without_hours() -> None:
    slate = found(rung(BEN), stage=a_stage(acts_in="lost"), around=around(hours={BEN.id: "lost"}))
    assert slate.calendars == {}
    assert slate.calendar(BEN.id) == ALWAYS


def test_whoever_may_decide_in_whose_place_is_told_by_a_fingerprint() -> None:
    plain = a_slate(BEN, CLEO)
    other = a_slate(CLEO, BEN, rule="approver.owner", skipped=(Skipped(person=EVE.ref(), rule="x"),))
    assert plain.fingerprint() == other.fingerprint()
    dana = (Deputy(person=DANA.ref(), via=("d",)),)
    others = (
        a_slate(BEN),
        a_slate(BEN, DANA),
        a_slate(BEN, Seat(person=CLEO.ref(), groups={1: 1})),
        a_slate(BEN, Seat(person=CLEO.ref(), deputies=dana)),
    )
    assert len({plain.fingerprint(), *(one.fingerprint() for one in others)}) == 5


people = st.sampled_from(PEOPLE)
delegations = st.lists(st.builds(stands_in, people, people), max_size=6).map(tuple)
rungs = st.lists(st.lists(people, max_size=3).map(lambda drawn: rung(*drawn)), max_size=3).map(tuple)


@given(rungs, rungs, delegations)
def test_a7_by_no_rung_group_or_delegation_requester_or_beneficiary_come_in(
    first: tuple[Rung, ...], second: tuple[Rung, ...], absences: tuple[Delegation, ...]
) -> None:
    slate = found(*first, stage=TWO, more=(second,), around=around(*absences))
    named = [person.id for seat in slate.seats for person in (seat.person, *(one.person for one in seat.deputies))]
    assert not {ADA.id, TIM.id} & {*named}
    assert len({seat.person.id for seat in slate.seats}) == len(slate.seats)
    assert all(seat.groups.keys() <= {0, 1} and seat.groups for seat in slate.seats)


def test_w1_the_logins_that_a_stage_names_are_those_that_do_not_depend_on_the_order() -> None:
    one, two, by_answer = (ByPerson(rule="person", person=login) for login in ("one", "two", "{{ form.boss.login }}"))
    owner, manager = ByItemOwner(rule="item_owner"), ByManager(rule="manager")
    later = Escalation(to=(two, one, by_answer, owner), decide_within=timedelta(days=1))
    assert logins(a_stage(approvers=(manager, one), fallback=(two,), escalate=(later,)), "ada") == ("one", "two", "ada")
    assert logins(a_stage(approvers=(manager,), fallback=None), "ada") == ()
