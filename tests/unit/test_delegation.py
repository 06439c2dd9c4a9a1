"""Delegations (feature row A8): when they hold, for what, how far chains go, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.builders import NOON, a_person, an_actor

from catalog import delegation as rules
from catalog.delegation import FARTHEST_YEARS, LONGEST, MAX_DEPTH, MOST, TOLD, Chain, Delegation, Matter, Money, Scope

DAY = timedelta(days=1)
VPN = Matter(item="vpn-access", category="access", first_year=Decimal(100), currency="EUR")
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eve")
PEOPLE = {person.id: person for person in map(a_person, NAMES)}
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
EUR_100 = Money(amount=Decimal(100), currency="EUR")


def a_delegation(by: str = "Ada", to: str = "Ben", **other: Any) -> Delegation:
    """Return a delegation that has just begun and lasts a week, about everything."""
    plain = {
        "id": f"{by}-{to}",
        "person": a_person(by).ref(),
        "delegate": a_person(to).ref(),
        "begins": NOON,
        "ends": NOON + 7 * DAY,
        "set_by": a_person(by).ref(),
        "created_at": NOON,
    }
    return Delegation(**plain | other)


def chain(*known: Delegation, of: str = "Ada", at: datetime = NOON, **banned: str) -> Chain:
    bans = {a_person(name).id: f"approval.skip-{role}" for name, role in banned.items()}
    return rules.deputies(a_person(of).id, rules.counting(known, VPN, at), PEOPLE, banned=bans)


def names(found: Chain) -> list[str]:
    return [deputy.person.name for deputy in found.deputies]


def cut(found: Chain) -> tuple[str, str]:
    (skipped,) = found.skipped
    return skipped.person.name, skipped.rule


# --- when and for what ---


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (NOON - timedelta(microseconds=1), "to-come"),
        (NOON, "in-force"),
        (NOON + 7 * DAY - timedelta(microseconds=1), "in-force"),
        (NOON + 7 * DAY, "over"),
    ],
)
def test_it_holds_from_its_beginning_up_to_its_end(at: datetime, state: str) -> None:
    assert rules.state(a_delegation(), at) == state
    assert rules.in_force(a_delegation(), at) == (state == "in-force")


def test_one_that_is_withdrawn_holds_until_then() -> None:
    withdrawn = a_delegation(withdrawn_at=NOON + DAY)
    assert rules.in_force(withdrawn, NOON + DAY - timedelta(seconds=1))
    assert not rules.in_force(withdrawn, NOON + DAY)
    assert rules.state(withdrawn, NOON + DAY) == "withdrawn"


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        a_delegation(begins=NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, True),
        ({"items": ("vpn-access",)}, True),
        ({"items": ("laptop",)}, False),
        ({"categories": ("access",)}, True),
        ({"categories": ("hardware",)}, False),
        ({"items": ("laptop",), "categories": ("access",)}, True),
        ({"up_to": EUR_100}, True),
        ({"up_to": Money(amount=Decimal("99.99"), currency="EUR")}, False),
        ({"up_to": Money(amount=Decimal(9_999), currency="USD")}, False),
        ({"items": ("laptop",), "up_to": EUR_100}, False),
    ],
)
def test_a_scope_says_what_is_covered(scope: dict[str, Any], covered: bool) -> None:
    assert rules.covers(Scope(**scope), VPN) == covered
    assert bool(rules.counting([a_delegation(scope=Scope(**scope))], VPN, NOON)) == covered


def test_what_nobody_knows_the_cost_of_is_covered_only_without_a_limit() -> None:
    unknown = Matter(item="vpn-access", category="access")
    assert rules.covers(Scope(), unknown)
    assert not rules.covers(Scope(up_to=EUR_100), unknown)


def test_an_amount_below_zero_is_refused() -> None:
    with pytest.raises(ValidationError):
        Money(amount=Decimal(-1), currency="EUR")


# --- chains ---


def test_a_deputy_is_who_was_delegated_to_and_how_they_came_in_is_known() -> None:
    found = chain(a_delegation("Ada", "Ben"), a_delegation("Ben", "Cleo"), a_delegation("Dan", "Eve"))
    assert [(deputy.person, deputy.via) for deputy in found.deputies] == [
        (PEOPLE["id-ben"].ref(), ("Ada-Ben",)),
        (PEOPLE["id-cleo"].ref(), ("Ada-Ben", "Ben-Cleo")),
    ]
    assert found.skipped == ()


def test_who_has_delegated_nothing_has_no_deputy() -> None:
    assert chain(a_delegation("Ben", "Cleo")) == Chain()
    assert chain(a_delegation(), at=NOON - DAY) == Chain()


def test_a_chain_has_three_deputies_at_most() -> None:
    found = chain(*(a_delegation(*pair) for pair in pairwise(NAMES)))
    assert names(found) == ["Ben", "Cleo", "Dan"]
    assert cut(found) == ("Eve", "delegation.too-deep")


@pytest.mark.parametrize("back_to", ["Ada", "Ben"])
def test_a_chain_that_goes_in_a_circle_stops(back_to: str) -> None:
    found = chain(a_delegation("Ada", "Ben"), a_delegation("Ben", "Cleo"), a_delegation("Cleo", back_to))
    assert names(found) == ["Ben", "Cleo"]
    assert cut(found) == (back_to, "delegation.loop")
    assert found.skipped[0].via == ("Ada-Ben", "Ben-Cleo", f"Cleo-{back_to}")


@pytest.mark.parametrize("role", ["requester", "beneficiary"])
def test_nobody_for_whom_it_is_comes_in_and_does_not_choose_who_does(role: str) -> None:
    found = chain(a_delegation("Ada", "Ben"), a_delegation("Ben", "Cleo"), Ben=role)
    assert names(found) == []
    assert cut(found) == ("Ben", f"approval.skip-{role}")


def test_the_bans_of_others_do_no_harm() -> None:
    assert names(chain(a_delegation("Ada", "Ben"), Dan="requester")) == ["Ben"]


@pytest.mark.parametrize("there", [True, False], ids=["inactive", "gone"])
def test_who_has_no_active_account_is_passed_over_and_not_followed(there: bool) -> None:
    people = {key: person for key, person in PEOPLE.items() if key != "id-ben"}
    if there:
        people["id-ben"] = a_person("Ben", active=False)
    known = (a_delegation("Ada", "Ben"), a_delegation("Ben", "Cleo"))
    found = rules.deputies("id-ada", rules.counting(known, VPN, NOON), people, banned={})
    assert names(found) == []
    assert cut(found) == ("Ben", "delegation.skip-inactive")


def test_of_several_the_one_that_was_set_last_and_covers_it_counts() -> None:
    first = a_delegation("Ada", "Ben", id="1")
    second = a_delegation("Ada", "Cleo", id="2", created_at=NOON + DAY)
    third = a_delegation("Ada", "Dan", id="3", created_at=NOON + 2 * DAY, scope=Scope(items=("laptop",)))
    for known in ((first, second, third), (third, second, first)):
        assert names(chain(*known, at=NOON + 3 * DAY)) == ["Cleo"]


def test_of_two_set_at_the_same_instant_always_the_same_one_counts() -> None:
    one, other = a_delegation("Ada", "Ben", id="1"), a_delegation("Ada", "Cleo", id="2")
    assert chain(one, other) == chain(other, one)


def test_a_link_of_a_chain_counts_only_if_it_covers_the_matter_too() -> None:
    narrow = a_delegation("Ben", "Cleo", scope=Scope(categories=("hardware",)))
    assert names(chain(a_delegation("Ada", "Ben"), narrow)) == ["Ben"]


_scopes = st.sampled_from([Scope(), Scope(items=("vpn-access",)), Scope(items=("laptop",)), Scope(up_to=EUR_100)])
_days = st.integers(-3, 3).map(lambda days: NOON + days * DAY)


@st.composite
def _delegations(draw: st.DrawFn) -> Delegation:
    by, to = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    begins = draw(_days)
    return a_delegation(
        by,
        to,
        id=str(draw(st.integers(0, 10_000))),
        begins=begins,
        ends=begins + draw(st.integers(1, 5)) * DAY,
        created_at=draw(_days),
        withdrawn_at=draw(st.none() | _days),
        scope=draw(_scopes),
    )


@given(
    known=st.lists(_delegations(), max_size=12, unique_by=lambda one: one.id),
    at=_days,
    banned=st.dictionaries(st.sampled_from(sorted(PEOPLE)), st.just("approval.skip-requester"), max_size=3),
    inactive=st.sets(st.sampled_from(sorted(PEOPLE)), max_size=2),
)
def test_whatever_is_delegated_a_chain_is_short_and_holds_nobody_who_may_not_decide(
    known: list[Delegation], at: datetime, banned: dict[str, str], inactive: set[str]
) -> None:
    people = {key: person.model_copy(update={"active": key not in inactive}) for key, person in PEOPLE.items()}
    counts = rules.counting(known, VPN, at)
    found = rules.deputies("id-ada", counts, people, banned=banned)
    ids = [deputy.person.id for deputy in found.deputies]
    assert len(ids) <= MAX_DEPTH
    assert len(set(ids)) == len(ids)
    assert not {"id-ada", *banned, *inactive} & set(ids)
    links = {link for deputy in found.deputies for link in deputy.via}
    assert all(rules.in_force(one, at) and rules.covers(one.scope, VPN) for one in known if one.id in links)
    assert rules.counting(known[::-1], VPN, at) == counts


def test_a_chain_leads_to_everybody_on_it_and_no_further() -> None:
    known = [a_delegation(*pair) for pair in pairwise(NAMES)]
    found = [rules.leads_to("id-ada", a_person(name).ref().id, known, VPN, NOON) for name in NAMES[1:]]
    assert found == [True, True, True, False]
    assert [one.person.name for one in chain(*known).deputies] == ["Ben", "Cleo", "Dan"]
    assert not rules.leads_to("id-ben", "id-ada", known, VPN, NOON)


def test_a_chain_leads_nowhere_behind_a_link_that_was_withdrawn_or_is_about_something_else() -> None:
    first, second = a_delegation("Ada", "Ben"), a_delegation("Ben", "Cleo")
    gone = second.model_copy(update={"withdrawn_at": NOON})
    other = second.model_copy(update={"scope": Scope(items=("laptop",))})
    for known in ([first, gone], [first, other]):
        assert rules.leads_to("id-ada", "id-ben", known, VPN, NOON)
        assert not rules.leads_to("id-ada", "id-cleo", known, VPN, NOON)


# --- what a look-up tells of them ---


def told(*known: Delegation, of: str = "Ada", at: datetime = NOON) -> list[str]:
    return [one.id for one in rules.told([a_person(of).id], known, VPN, at)]


def test_a_look_up_tells_only_of_what_counts_for_the_matter() -> None:
    first = a_delegation("Ada", "Ben", id="1")
    last = a_delegation("Ada", "Cleo", id="2", created_at=NOON + DAY)
    other = a_delegation("Ada", "Dan", id="3", created_at=NOON + 2 * DAY, scope=Scope(items=("laptop",)))
    over = a_delegation("Ada", "Eve", id="4", created_at=NOON + 3 * DAY, withdrawn_at=NOON)
    assert told(first, last, other, over) == ["2"]


def test_a_look_up_tells_also_of_what_counts_next_for_it_may_take_long() -> None:
    now = a_delegation("Ada", "Ben", id="now", ends=NOON + DAY, created_at=NOON + timedelta(hours=1))
    then = a_delegation("Ada", "Cleo", id="then", ends=NOON + 3 * DAY)
    later = a_delegation("Ada", "Dan", id="later", begins=NOON + 2 * DAY, created_at=NOON + timedelta(hours=2))
    last = a_delegation("Ada", "Eve", id="last", begins=NOON + 8 * DAY, ends=NOON + 9 * DAY)
    assert told(last, later, then, now) == ["now", "then", "later"]
    assert told(last, later, then, now, at=NOON + 3 * DAY) == ["later", "last"]


def test_a_look_up_tells_of_a_chain_and_of_the_link_by_which_it_is_too_long_but_of_nobody_behind() -> None:
    known = [a_delegation(*pair) for pair in pairwise((*NAMES, "Fay", "Gus"))]
    assert told(*known) == ["Ada-Ben", "Ben-Cleo", "Cleo-Dan", "Dan-Eve"]
    assert told(*known, of="Eve") == ["Eve-Fay", "Fay-Gus"]
    assert told(a_delegation("Ada", "Ben"), a_delegation("Ben", "Ada")) == ["Ada-Ben", "Ben-Ada"]


def test_what_people_wrote_is_never_told_nor_more_of_a_scope_than_its_limit() -> None:
    scope = Scope(items=("vpn-access", "laptop"), categories=("furniture",), up_to=EUR_100)
    (one,) = rules.told(["id-ada"], [a_delegation(scope=scope, reason="private")], VPN, NOON)
    said = one.model_dump_json()
    assert one.scope == Scope(up_to=EUR_100)
    assert not any(word in said for word in ("private", "reason", "set_by", "laptop", "furniture"))


def test_a7_it_is_told_which_operator_has_set_a_delegation_for_somebody_else() -> None:
    own = a_delegation("Ada", "Ben")
    set_for_her = a_delegation("Ada", "Ben", set_by=a_person("Otto").ref())
    told = [one.operator for known in (own, set_for_her) for one in rules.told(["id-ada"], [known], VPN, NOON)]
    assert told == [None, a_person("Otto").ref()]


@given(
    known=st.lists(_delegations(), max_size=TOLD * len(NAMES), unique_by=lambda one: one.id),
    at=_days,
    days=st.integers(0, 9),
)
def test_who_may_decide_is_the_same_by_what_is_told_as_by_all_of_it(
    known: list[Delegation], at: datetime, days: int
) -> None:
    per_person: dict[str, list[Delegation]] = {}
    for one in known:
        per_person.setdefault(one.person.id, []).append(one)
    few = [one for mine in per_person.values() for one in mine[:TOLD]]
    then = at + days * DAY
    of_all, of_told = (rules.counting(these, VPN, then) for these in (few, rules.told(["id-ada"], few, VPN, at)))
    chains = [rules.deputies("id-ada", counts, PEOPLE, banned={}) for counts in (of_all, of_told)]
    assert chains[0] == chains[1]


@given(known=st.lists(_delegations(), max_size=30, unique_by=lambda one: one.id), at=_days)
def test_however_much_is_delegated_little_is_told_and_right_for_now(known: list[Delegation], at: datetime) -> None:
    told = rules.told(PEOPLE, known, VPN, at)
    assert all(sum(one.person.id == person for one in told) <= TOLD for person in PEOPLE)
    all_of_it, little = ({one.id for one in rules.counting(these, VPN, at).values()} for these in (known, told))
    assert little == all_of_it


# --- setting one ---


def refusal(new: Delegation, *existing: Delegation) -> str:
    refused = rules.refuse(new) or rules.refuse_beside(new, existing)
    return f"{refused.field}: {refused.message}" if refused else ""


def test_what_is_in_order_is_not_refused() -> None:
    yesterday = a_delegation(begins=NOON - DAY)
    ends = NOON.replace(year=NOON.year + FARTHEST_YEARS)
    for new in (
        a_delegation(),
        yesterday,
        a_delegation(ends=NOON + LONGEST),
        a_delegation(begins=ends - DAY, ends=ends),
    ):
        assert refusal(new, a_delegation("Ben", "Ada")) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"to": "Ada"}, "delegate: Nobody stands in for themselves"),
        ({"ends": NOON}, "ends: It ends before it begins"),
        ({"ends": NOON - DAY}, "ends: It ends before it begins"),
        ({"begins": NOON - 2 * DAY, "ends": NOON - DAY}, "ends: It ends in the past"),
        ({"begins": NOON - 2 * DAY, "ends": NOON}, "ends: It ends in the past"),
        ({"ends": NOON + LONGEST + timedelta(seconds=1)}, "ends: It lasts longer than 400 days"),
        ({"begins": END_OF_TIME - DAY, "ends": END_OF_TIME}, "ends: It ends more than 5 years ahead"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], said: str) -> None:
    assert refusal(a_delegation(**wrong)).startswith(said)


def test_the_very_same_is_refused_while_it_stands() -> None:
    scope, again = Scope(items=("a", "b")), Scope(items=("b", "a"))
    standing = a_delegation(id="1", scope=scope)
    new = a_delegation(id="2", created_at=NOON + DAY, scope=again)
    assert refusal(new, standing).startswith("scope: The very same")
    assert refusal(new, standing.model_copy(update={"withdrawn_at": NOON + DAY})) == ""
    assert refusal(new, a_delegation(id="1")) == ""
    assert refusal(new, a_delegation(to="Cleo", id="1", scope=scope)) == ""


def test_nobody_has_more_than_one_can_oversee() -> None:
    many = [a_delegation(id=str(n), ends=NOON + (n + 1) * timedelta(hours=1)) for n in range(MOST)]
    assert refusal(a_delegation(), *many).startswith("delegate: There are 50")
    assert refusal(a_delegation(), *many[1:]) == ""


def test_a_circle_is_allowed_and_warned_of() -> None:
    new = a_delegation("Ada", "Ben")
    around = [a_delegation("Ben", "Cleo"), a_delegation("Cleo", "Dan"), a_delegation("Dan", "Ada")]
    assert list(rules.warnings(new, around)) == ["In this time Ben delegates back to Ada; such a circle ends there."]
    assert list(rules.warnings(new, around[:2])) == []
    apart = a_delegation("Ben", "Ada", begins=new.ends, ends=new.ends + DAY)
    assert list(rules.warnings(new, [apart])) == []


def test_whoever_has_two_deputies_at_a_time_is_told_which_of_them_counts() -> None:
    others = [a_delegation(to="Cleo"), a_delegation(to="Dan", ends=NOON + DAY), a_delegation(to="Cleo", id="3")]
    (said,) = rules.warnings(a_delegation(), others)
    assert said == "In this time Cleo and Dan also stand in. Where both could, the one that was set last does."


# --- who sees and withdraws it, and how it reads ---


def test_whom_it_concerns_and_operators_see_it_and_whose_it_is_and_operators_withdraw_it() -> None:
    one = a_delegation()
    actors = (an_actor("Ada"), an_actor("Ben"), an_actor("Cleo"), an_actor("Otto", operator=True))
    assert [rules.may_see(actor, one) for actor in actors] == [True, True, False, True]
    assert [rules.may_withdraw(actor, one) for actor in actors] == [True, False, False, True]


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope(), "everything"),
        (Scope(items=("vpn-access", "laptop")), "vpn-access, laptop"),
        (Scope(items=("laptop",), categories=("access", "seats")), "laptop; everything in access; everything in seats"),
        (Scope(up_to=EUR_100), "everything, up to 100 EUR in the first year"),
    ],
)
def test_a_scope_reads_in_words(scope: Scope, words: str) -> None:
    assert rules.shown(scope) == words
