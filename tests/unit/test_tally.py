"""Counting: when a group approves, when an expression does, and when it still could."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ballots import MANAGER, requirements
from support.builders import NOON, a_person, a_slate, a_stage, after, approvals_of, cast, opening, refused, stage_of

from catalog.ballot import Approvals, StageStatus, Verdict
from catalog.people import Person
from catalog.settling import counts, enough
from catalog.slate import Seat
from catalog.stages import AllOf, AnyOf, Asked, Requirement, SomeOf, Stage, least_of, leaves, parts_of
from catalog.tally import Count, approves, met, needed, suffices

BEN, CLEO, DANA, EVE, FAY = (a_person(name) for name in ("Ben", "Cleo", "Dana", "Eve", "Fay"))
FIVE = (BEN, CLEO, DANA, EVE, FAY)
NOBODY = Count(seats=0, humans=frozenset(), open=frozenset(), approved=0, above=0, weight=0, open_weight=0)


def asked(quorum: int | str = "any", **other: Any) -> Asked:
    return Asked(approvers=MANAGER, quorum=quorum, **other)


def count(seats: int, yes: str = "", unfilled: str = "", **other: int) -> Count:
    """Return a count of so many seats; people are letters."""
    plain = {"above": 0, "approved": len(yes), "weight": len(yes), "open_weight": len(unfilled)}
    return Count(seats=seats, humans=frozenset(yes), open=frozenset(unfilled), **plain | other)


# ---------------------------------------------------------------- one group


@pytest.mark.parametrize(
    ("quorum", "seats", "number"),
    [
        ("any", 5, 1),
        ("responded", 5, 1),
        ("all", 5, 5),
        (2, 5, 2),
        ("60%", 5, 3),
        ("60%", 4, 3),  # 2.4 is rounded up
        ("60%", 1, 1),
        ("1%", 5, 1),
        ("100%", 7, 7),
        ("34%", 3, 2),
        ("33%", 3, 1),
        ("1%", 0, 1),
    ],
)
def test_a1_so_many_of_a_group_must_approve(quorum: int | str, seats: int, number: int) -> None:
    assert needed(asked(quorum), seats) == number


def test_a1_of_people_who_are_weighed_one_at_least_must_approve() -> None:
    assert needed(Asked(approvers=MANAGER, weight=7), 5) == 1


@pytest.mark.parametrize("quorum", ["any", "all", "responded", 1, 2, "60%", "100%"])
def test_a5_a_group_of_nobody_never_approves(quorum: int | str) -> None:
    assert not approves(asked(quorum), NOBODY)
    assert not approves(asked(quorum), NOBODY, hoping=True)
    assert not approves(Asked(approvers=MANAGER, weight=1), NOBODY, hoping=True)


@pytest.mark.parametrize(
    ("group", "counted", "now", "still"),
    [
        (asked(), count(3, "", "abc"), False, True),
        (asked(), count(3, "a", "bc"), True, True),
        (asked(), count(3), False, False),
        (asked("all"), count(3, "ab", "c"), False, True),
        (asked("all"), count(3, "abc"), True, True),
        (asked("all"), count(3, "ab"), False, False),
        (asked("responded"), count(3, "a", "bc"), False, True),
        (asked("responded"), count(3, "a"), True, True),
        (asked("responded"), count(3), False, False),
        (asked(2), count(3, "a", "b"), False, True),
        (asked(2), count(3, "ab", "c"), True, True),
        (asked(2), count(3, "a"), False, False),
        (asked("60%"), count(4, "ab", "cd"), False, True),
        (asked("60%"), count(4, "abc", "d"), True, True),
        (asked("60%"), count(4, "ab"), False, False),
        (Asked(approvers=MANAGER, weight=5), count(3, "a", "b", weight=3, open_weight=2), False, True),
        (Asked(approvers=MANAGER, weight=5), count(3, "a", "b", weight=5), True, True),
        (Asked(approvers=MANAGER, weight=5), count(3, "a", "b", weight=3, open_weight=1), False, False),
    ],
)
def test_a1_a_group_approves_or_still_could(group: Asked, counted: Count, *, now: bool, still: bool) -> None:
    assert approves(group, counted) is now
    assert approves(group, counted, hoping=True) is still


def test_a8_a_human_who_fills_two_seats_counts_once_for_a_number_and_twice_for_all() -> None:
    twice = count(3, "d", "c", approved=2, weight=2)
    assert not approves(asked(2), twice)
    assert approves(asked(2), twice, hoping=True)
    assert not approves(asked(3), twice, hoping=True)
    assert approves(asked("all"), count(2, "d", approved=2))


def test_a13_who_decides_instead_stands_for_everybody_they_decide_for() -> None:
    assert approves(asked(3), count(3, "a", approved=3, above=2))
    assert approves(asked("60%"), count(5, "", approved=3, above=3))


# ---------------------------------------------------------------- each form, by votes


def life(*people: Person, **stage: Any) -> Approvals:
    return after(approvals_of(a_stage(**stage)), opening(*people))


def outcome(state: Approvals, votes: str) -> StageStatus:
    """Return what becomes of a stage by these votes of the five in turn: + approves, - rejects, . says nothing."""
    for voter, vote in zip(FIVE, votes, strict=False):
        if vote != ".":
            state = after(state, cast(voter, Verdict.APPROVE if vote == "+" else Verdict.REJECT))
    return state.outcome


@pytest.mark.parametrize(
    ("quorum", "votes", "ends"),
    [
        ("any", "---.", StageStatus.WAITING),
        ("any", "--.+", StageStatus.APPROVED),
        ("any", "-----", StageStatus.REJECTED),
        ("all", "++++.", StageStatus.WAITING),
        ("all", "+++++", StageStatus.APPROVED),
        ("all", "++-", StageStatus.REJECTED),
        (2, "+--.", StageStatus.WAITING),
        (2, "+--+", StageStatus.APPROVED),
        (2, "+----", StageStatus.REJECTED),
        ("60%", "++..-", StageStatus.WAITING),
        ("60%", "++.+", StageStatus.APPROVED),
        ("60%", "---", StageStatus.REJECTED),
        ("responded", "++++.", StageStatus.WAITING),
        ("responded", "----+", StageStatus.APPROVED),
        ("responded", "-----", StageStatus.REJECTED),
    ],
)
def test_a1_a_quorum_is_reached_or_cannot_be_reached_any_more(quorum: int | str, votes: str, ends: StageStatus) -> None:
    assert outcome(life(*FIVE, quorum=quorum), votes) is ends


def test_a1_a_number_from_each_of_several_groups() -> None:
    each = Asked(approvers=MANAGER * 2, quorum=2, each=True)
    stage = a_stage(approvers=(), decide=each)
    assert [group.quorum for group in stage.groups] == [2, 2]
    seats = [Seat(person=one.ref(), groups={0: 1} if at < 3 else {1: 1}) for at, one in enumerate(FIVE)]
    state = after(approvals_of(stage), opening(*seats), cast(BEN), cast(CLEO), cast(DANA))
    assert state.outcome is StageStatus.WAITING
    assert after(state, cast(EVE), cast(FAY)).outcome is StageStatus.APPROVED
    assert after(state, cast(EVE, Verdict.REJECT)).outcome is StageStatus.REJECTED


def test_a1_weights_add_up() -> None:
    stage = a_stage(approvers=(), decide=Asked(approvers=MANAGER, weight=5))
    seats = [Seat(person=one.ref(), groups={0: weight}) for one, weight in ((BEN, 3), (CLEO, 2), (DANA, 2), (EVE, 1))]
    state = after(approvals_of(stage), opening(*seats))
    assert outcome(state, "+") is StageStatus.WAITING
    assert outcome(state, "++") is StageStatus.APPROVED
    assert outcome(state, ".+++") is StageStatus.APPROVED
    assert outcome(state, "-++") is StageStatus.WAITING
    assert outcome(state, "--") is StageStatus.REJECTED


def test_a1_a_veto_refuses_a_stage_whatever_others_say() -> None:
    decide = AnyOf(any=(asked(), asked(veto=True)))
    seats = (Seat(person=BEN.ref(), groups={0: 1}), Seat(person=CLEO.ref(), groups={1: 1}))
    state = after(approvals_of(a_stage(approvers=(), decide=decide)), opening(*seats))
    assert outcome(state, "-") is StageStatus.WAITING
    refused_ = after(state, cast(CLEO, Verdict.REJECT))
    assert (refused_.outcome, stage_of(refused_).rule) == (StageStatus.REJECTED, "approval.veto")


def test_a1_so_many_rejections_refuse_a_stage_that_could_still_be_approved() -> None:
    state = life(*FIVE, quorum="any", deny=2)
    assert outcome(state, "-") is StageStatus.WAITING
    assert outcome(state, "--") is StageStatus.REJECTED
    assert outcome(state, "-+") is StageStatus.APPROVED
    assert stage_of(after(state, *(cast(one, Verdict.REJECT) for one in (BEN, EVE)))).rule == "approval.deny"


def test_w1_how_its_groups_stand_is_told_from_left_to_right() -> None:
    stage = a_stage(approvers=(), decide=AllOf(all=(asked(), asked())))
    seats = (Seat(person=BEN.ref(), groups={1: 3}), Seat(person=CLEO.ref(), groups={0: 1, 1: 1}))
    first, second = counts(stage_of(after(approvals_of(stage), opening(*seats), cast(BEN))))
    assert (first.seats, first.approved, first.weight, [*first.open]) == (1, 0, 0, [CLEO.id])
    assert (second.seats, second.approved, second.weight, [*second.open]) == (2, 1, 3, [CLEO.id])


# ---------------------------------------------------------------- expressions

A, B, C = count(1, "a"), count(1, "b"), count(1, "c")
NO = count(1)


def test_w1_of_each_part_of_an_expression_is_told_whether_it_is_fulfilled() -> None:
    inner = SomeOf(at_least=2, of=(asked(), asked(), asked()))
    expression = AllOf(all=(asked(), inner, asked()))
    assert met(expression, [A, NO, B, C, NO]) == [True, True, False]
    assert met(expression, [NO, NO, B, NO, C]) == [False, False, True]
    assert met(asked(), [A]) == []


TREE = AnyOf(any=(AllOf(all=(asked(), asked())), asked()))


@pytest.mark.parametrize(
    ("requirement", "counts", "holds"),
    [
        (AllOf(all=(asked(), asked())), (A, NO), False),
        (AllOf(all=(asked(), asked())), (A, B), True),
        (AnyOf(any=(asked(), asked())), (NO, B), True),
        (AnyOf(any=(asked(), asked())), (NO, NO), False),
        (SomeOf(at_least=2, of=(asked(), asked(), asked())), (A, NO, C), True),
        (SomeOf(at_least=2, of=(asked(), asked(), asked())), (A, NO, NO), False),
        (TREE, (A, NO, NO), False),
        (TREE, (NO, NO, C), True),
        (TREE, (A, B, NO), True),
    ],
)
@pytest.mark.parametrize("distinct", [False, True])
def test_a2_expressions_of_groups(
    requirement: Requirement, counts: Sequence[Count], *, holds: bool, distinct: bool
) -> None:
    assert suffices(requirement, counts, distinct=distinct) is holds
    assert suffices(requirement, counts, distinct=distinct, hoping=True) is holds


@pytest.mark.parametrize(
    ("groups", "counts", "holds"),
    [
        ((asked(), asked()), (count(2, "a"), count(2, "a")), False),
        ((asked(), asked()), (count(2, "ab"), count(2, "a")), True),
        ((asked(2), asked()), (count(3, "ab"), count(3, "ab")), False),
        ((asked(2), asked()), (count(3, "abc"), count(3, "ab")), True),
        ((asked("all"), asked()), (count(2, "ab"), count(1, "a")), False),
        # Whoever came first has to make room twice over: a to the third group, so that b goes to the first.
        ((asked(), asked(), asked()), (count(2, "ab"), count(2, "bc"), count(2, "ca")), True),
        ((asked(), asked(), asked()), (count(2, "ab"), count(2, "ab"), count(2, "ab")), False),
    ],
)
def test_a1_one_human_counts_for_one_group_where_they_must_be_distinct(
    groups: tuple[Asked, ...], counts: Sequence[Count], *, holds: bool
) -> None:
    assert suffices(AllOf(all=groups), counts, distinct=True) is holds


def test_a13_where_they_must_be_distinct_who_decides_instead_takes_nobody_from_another_group() -> None:
    groups = AllOf(all=(asked(2), asked()))
    assert suffices(groups, (count(2, "a", approved=2, above=1), count(1, "b")), distinct=True)
    assert not suffices(groups, (count(2, "a", approved=2, above=1), count(1, "a")), distinct=True)


def test_distinct_hope_counts_who_has_not_said_anything() -> None:
    groups = AllOf(all=(asked("all"), asked()))
    assert suffices(groups, (count(2, "a", "b"), count(1, "", "c")), distinct=True, hoping=True)
    assert not suffices(groups, (count(2, "a", "b"), count(1, "", "b")), distinct=True, hoping=True)


def test_a1_a_stage_that_needs_distinct_humans_does_not_begin_with_too_few_of_them() -> None:
    both = AllOf(all=(asked(), asked()))
    stage = a_stage(approvers=(), decide=both, distinct=True)
    ben, cleo = (Seat(person=one.ref(), groups={0: 1, 1: 1}) for one in (BEN, CLEO))
    assert not enough(stage, a_slate(ben))
    assert enough(stage, a_slate(ben, cleo))
    assert enough(a_stage(approvers=(), decide=both), a_slate(ben))
    assert refused(approvals_of(stage), opening(ben)).code == "too-few"
    state = after(approvals_of(stage), opening(ben, cleo), cast(BEN))
    assert state.outcome is StageStatus.WAITING
    assert after(state, cast(CLEO)).outcome is StageStatus.APPROVED


def test_many_people_in_many_groups_are_shared_out_at_once() -> None:
    """A thousand distinct humans would be too deep to go through one by one."""
    everybody = [f"human-{at}" for at in range(1000)]
    half = frozenset(everybody[:500])
    counts = [
        Count(1000, frozenset(everybody), frozenset(), 1000, 0, 1000, 0),
        Count(500, half, frozenset(), 500, 0, 500, 0),
    ]
    assert suffices(AllOf(all=(asked(500), asked(500))), counts, distinct=True)
    assert not suffices(AllOf(all=(asked(501), asked(500))), counts, distinct=True)


# ---------------------------------------------------------------- what always holds

HUMANS = "abcd"


@st.composite
def tallies(draw: st.DrawFn, *, distinct: bool = False) -> tuple[Requirement, list[Count]]:
    """Draw an expression, and how its groups stand: each human approves, rejects, says nothing or is not asked."""
    requirement = draw(requirements(weighed=not distinct))
    says = {human: draw(st.sampled_from("+-.")) for human in HUMANS}
    counts = []
    for _ in leaves(requirement):
        members = draw(st.lists(st.sampled_from(HUMANS), max_size=4, unique=True))
        yes, silent = ([one for one in members if says[one] == say] for say in "+.")
        counts.append(
            Count(len(members), frozenset(yes), frozenset(silent), len(yes), 0, len(yes) * 2, len(silent) * 2)
        )
    return requirement, counts


def approving(counts: Sequence[Count], human: str) -> list[Count]:
    """Return the counts after one more human has approved wherever they are asked."""
    return [
        one._replace(
            humans=one.humans | {human},
            open=one.open - {human},
            approved=one.approved + 1,
            weight=one.weight + 2,
            open_weight=one.open_weight - 2,
        )
        if human in one.open
        else one
        for one in counts
    ]


both = st.booleans().flatmap(lambda distinct: st.tuples(st.just(distinct), tallies(distinct=distinct)))


@given(both)
def test_what_suffices_still_can(drawn: tuple[bool, tuple[Requirement, list[Count]]]) -> None:
    distinct, (requirement, counts) = drawn
    if suffices(requirement, counts, distinct=distinct):
        assert suffices(requirement, counts, distinct=distinct, hoping=True)


@given(both, st.sampled_from(HUMANS))
def test_one_more_approval_never_takes_away_what_sufficed(
    drawn: tuple[bool, tuple[Requirement, list[Count]]], human: str
) -> None:
    distinct, (requirement, counts) = drawn
    more = approving(counts, human)
    assert suffices(requirement, more, distinct=distinct) >= suffices(requirement, counts, distinct=distinct)
    hope = suffices(requirement, counts, distinct=distinct, hoping=True)
    assert suffices(requirement, more, distinct=distinct, hoping=True) == hope


@given(both)
def test_who_approves_in_the_end_was_hoped_for(drawn: tuple[bool, tuple[Requirement, list[Count]]]) -> None:
    distinct, (requirement, counts) = drawn
    hope = suffices(requirement, counts, distinct=distinct, hoping=True)
    for human in HUMANS:
        counts = approving(counts, human)
    assert suffices(requirement, counts, distinct=distinct) == hope


def by_brute_force(requirement: Requirement, counts: Sequence[Count], chosen: Sequence[str | int]) -> bool:
    """Return whether an expression holds if each human counts for the one group that is chosen for them."""
    left = iter(range(len(counts)))

    def holds(part: Requirement) -> bool:
        if isinstance(part, Asked):
            at = next(left)
            theirs = {human for human, group in zip(HUMANS, chosen, strict=True) if group == at} & counts[at].humans
            own = len(theirs) == len(counts[at].humans) if part.quorum == "all" else True
            return own and approves(part, counts[at]) and len(theirs) >= needed_of(part, counts[at])
        return sum([holds(one) for one in parts_of(part)]) >= least_of(part)

    return holds(requirement)


def needed_of(part: Asked, counted: Count) -> int:
    return 0 if part.quorum == "all" else needed(part, counted.seats)


@given(tallies(distinct=True))
def test_a1_distinct_counting_is_what_some_way_of_sharing_humans_out_gives(
    drawn: tuple[Requirement, list[Count]],
) -> None:
    requirement, counts = drawn
    ways: Iterator[tuple[int, ...]] = product(range(len(counts)), repeat=len(HUMANS))
    assert suffices(requirement, counts, distinct=True) == any(
        by_brute_force(requirement, counts, chosen) for chosen in ways
    )


def test_five_hundred_people_are_counted() -> None:
    crowd = [a_person(f"Person{at}") for at in range(500)]
    state = life(*crowd, quorum="60%")
    state = after(state, *(cast(one) for one in crowd[:299]))
    assert state.outcome is StageStatus.WAITING
    assert after(state, cast(crowd[299]), at=NOON).outcome is StageStatus.APPROVED


def test_a_stage_of_several_groups_counts_each_with_its_own_people() -> None:
    stage: Stage = a_stage(approvers=(), decide=AllOf(all=(asked("all"), asked(2))))
    seats = [Seat(person=one.ref(), groups={0: 1} if one is BEN else {1: 1}) for one in FIVE]
    state = after(approvals_of(stage), opening(*seats))
    assert outcome(state, "+++") is StageStatus.APPROVED
    assert outcome(state, ".++++") is StageStatus.WAITING
    assert outcome(state, "-") is StageStatus.REJECTED
