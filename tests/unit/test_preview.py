"""What would become of an order: may it be, what does it cost, who is asked, by when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.items import MANAGER, plain, steps

from catalog import names
from catalog.expression import ExpressionError
from catalog.item import CatalogItem
from catalog.model import digest
from catalog.people import Person
from catalog.plan import Wanted
from catalog.preview import Denial, Finder, Reason, cost, preview, reasons, total
from catalog.request import Cost, Order
from catalog.slate import Found, Rung
from catalog.stages import ApproverRule, ByGroup, ByPerson, Stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADA, BOB, GRACE = (
    Person(id=f"id-{name.lower()}", login=name.lower(), name=name, department="IT") for name in ("Ada", "Bob", "Grace")
)
FORM = [{"id": "seats", "type": "integer", "label": "Seats"}, {"id": "who", "type": "person", "label": "Who"}]


def order(item: CatalogItem, answers: dict[str, Any] | None = None, beneficiary: Person = ADA) -> Order:
    """Return an order by Ada."""
    return Order(
        number="",
        item=item,
        item_digest=digest(item),
        answers=answers or {},
        requester=ADA.ref(),
        beneficiary=beneficiary.ref(),
        accepted_at=NOON,
        requester_profile=ADA.profile(),
        beneficiary_profile=beneficiary.profile(),
    )


def asks(*people: Person) -> Finder:
    return lambda _stage, _wanted: Found(rungs=(Rung(rule="approver.manager", people=people),))


def stages(*written: dict[str, Any]) -> CatalogItem:
    return plain(form=FORM, approvals=[MANAGER | {"id": f"s{at}"} | one for at, one in enumerate(written)])


def test_a_plain_order_may_be_placed_and_is_promised() -> None:
    shown = preview(order(plain()), asks())
    assert (shown.denials, shown.cost, shown.stages, shown.decided_by) == ((), None, (), None)
    assert shown.due_at == NOON + timedelta(days=5)


def test_the_people_of_each_stage_are_named_with_its_latest_end() -> None:
    shown = preview(order(stages({"decide_within": "2 days"}, {"decide_within": "1 day"})), asks(GRACE, ADA))
    assert [[person.name for person in stage.slate.people] for stage in shown.stages] == [["Grace"], ["Grace"]]
    assert shown.stages[0].slate.skipped[0].rule == "approval.skip-requester"
    assert [stage.due_at for stage in shown.stages] == [NOON + timedelta(days=2), NOON + timedelta(days=3)]
    assert shown.decided_by == NOON + timedelta(days=3)


def test_what_is_asked_in_the_middle_of_the_work_is_named() -> None:
    ask = {"id": "ask", "do": "approve", "stage": MANAGER | {"name": "Guards"}}
    assert preview(order(steps(ask)), asks(GRACE)).later == ("Guards",)


def test_stages_side_by_side_begin_together() -> None:
    days = ({"decide_within": "4 days"}, {"decide_within": "1 day", "after": []}, {"after": ["s1"]})
    shown = preview(order(stages(*days, {"decide_within": "1 day", "after": ["s0", "s1"]})), asks(GRACE))
    due = [stage.due_at - NOON for stage in shown.stages if stage.due_at]
    assert due == [timedelta(days=4), timedelta(days=1), timedelta(days=11), timedelta(days=5)]
    assert shown.decided_by == NOON + timedelta(days=11)


def test_a_stage_that_is_not_needed_and_one_that_needs_nobody_say_why() -> None:
    auto = {"auto_approve": [{"id": "few", "when": "form.seats < 5", "because": "They are few."}]}
    shown = preview(order(stages({"when": "form.seats > 5"}, auto), {"seats": 2}), asks(GRACE))
    left_out, auto_approved = shown.stages
    assert (left_out.plan.needed, left_out.due_at) == (False, None)
    assert (auto_approved.plan.auto, auto_approved.plan.because, auto_approved.slate.people) == (
        "auto.few", "They are few.", (),
    )  # fmt: skip
    assert shown.decided_by is None


def test_rules_that_depend_on_the_order_are_worked_out_before_people_are_looked_up() -> None:
    asked: list[tuple[tuple[ApproverRule, ...], ...]] = []
    item = stages({"approvers": [{"rule": "group", "group": "team-{{ form.seats }}"}]}, {
        "approvers": [{"rule": "expression", "people": "{{ form.who }}"}],
    })  # fmt: skip

    def finder(_stage: Stage, wanted: Wanted) -> Found:
        asked.append(wanted.groups)
        return Found()

    preview(order(item, {"seats": 3, "who": GRACE.ref().model_dump()}), finder)
    assert asked == [((ByGroup(rule="group", group="team-3"),),), ((ByPerson(rule="person", person="grace"),),)]


def test_a_stage_without_enough_people_says_so() -> None:
    shown = preview(order(stages({}, {"quorum": 2})), asks(GRACE))
    assert [stage.fault for stage in shown.stages] == ["", "Too few people are found who may decide."]


def test_a_group_that_there_is_not_is_said() -> None:
    def finder(_stage: Stage, _wanted: Wanted) -> Found:
        raise LookupError("there is no group x")

    assert preview(order(stages({})), finder).stages[0].fault == "there is no group x"


def test_a_rule_that_cannot_be_worked_out_is_said() -> None:
    item = stages({"approvers": [{"rule": "group", "group": "{{ form.lost }}"}]})
    (stage,) = preview(order(item), asks(GRACE)).stages
    assert "form.lost" in stage.fault


def rules(when: str) -> list[dict[str, Any]]:
    return [{"id": "it-only", "when": when, "why_not": "{{ beneficiary.name }} is not in IT."}]


@pytest.mark.parametrize("part", ["eligibility", "visibility"])
def test_who_may_not_is_told_why(part: str) -> None:
    item = plain(**{part: rules("beneficiary.department == 'Sales'")})
    (denial,) = preview(order(item), asks()).denials
    assert (denial.rule, denial.why, denial.fault) == ("it-only", "Ada is not in IT.", "")


def test_who_may_is_not_denied() -> None:
    assert preview(order(plain(eligibility=rules("beneficiary.department == 'IT'"))), asks()).denials == ()


def test_a_rule_at_fault_denies_and_tells_the_author() -> None:
    (denial,) = preview(order(plain(eligibility=rules("beneficiary.lost > 1"))), asks()).denials
    assert "a rule of the item is at fault" in denial.why
    assert "beneficiary.lost" in denial.fault


def test_a_reason_that_cannot_be_filled_in_is_told_as_it_stands() -> None:
    rule = {"id": "r", "when": False, "why_not": "No, {{ form.lost }}."}
    (denial,) = preview(order(plain(eligibility=[rule])), asks()).denials
    assert denial.why == "No, {{ form.lost }}."


@pytest.mark.parametrize(
    ("written", "beneficiary", "denied"),
    [
        ({}, ADA, []),
        ({}, BOB, []),
        ({"others": False}, BOB, ["You may order this for yourself only."]),
        ({"others": "requester.department == 'Sales'", "why_not": "Sales only."}, BOB, ["Sales only."]),
        ({"oneself": False}, ADA, ["This is ordered for others only."]),
        ({"oneself": False, "why_not": "Ask somebody."}, ADA, ["Ask somebody."]),
        ({"oneself": False, "others": False}, BOB, ["You may order this for yourself only."]),
    ],
)
def test_for_whom_one_may_order(written: dict[str, Any], beneficiary: Person, denied: list[str]) -> None:
    shown = preview(order(plain(order_for=written), beneficiary=beneficiary), asks())
    assert [denial.why for denial in shown.denials] == denied


def costing(price: dict[str, Any] | None, **answers: Any) -> Cost | None:
    item = plain(form=FORM, price=price)
    return cost(item, names.of_order(order(item, answers), NOON))


def test_what_has_no_price_costs_nothing() -> None:
    assert costing(None) is None


def test_a_price_may_depend_on_the_answers() -> None:
    price = {
        "one_off": 9.5,
        "recurring": "{{ form.seats * 2 }}",
        "currency": "EUR",
        "cost_centre": "it-{{ form.seats }}",
    }
    found = costing(price, seats=3)
    assert found == Cost(one_off=Decimal("9.5"), recurring=Decimal(6), currency="EUR", cost_centre="it-3")


@pytest.mark.parametrize(("written", "centre"), [("{{ form.who }}", "Mara Lind"), ("{{ form.note }}", ""), (None, "")])
def test_the_cost_centre_is_in_words(written: str | None, centre: str) -> None:
    mara = {"id": "id-mara", "login": "mara", "name": "Mara Lind"}
    form = [*FORM, {"id": "note", "type": "text", "label": "Note", "required": False}]
    item = plain(form=form, price={"one_off": 1, "currency": "EUR", "cost_centre": written})
    found = cost(item, names.of_order(order(item, {"who": mara}), NOON))
    assert found
    assert found.cost_centre == centre


def test_why_not_is_said_in_words_and_as_it_stands_if_it_fails() -> None:
    rules = [
        {"id": "a", "when": False, "why_not": "{{ beneficiary }}"},
        {"id": "b", "when": False, "why_not": "{{ x }}"},
    ]
    shown = preview(order(plain(eligibility=rules)), asks())
    assert [denial.why for denial in shown.denials] == ["Ada", "{{ x }}"]


def test_an_amount_that_comes_out_as_nothing_is_zero() -> None:
    found = costing({"one_off": "{{ form.seats }}"})
    assert found == Cost()


@pytest.mark.parametrize("amount", ["much", "{{ 0 - 1 }}", "Infinity", "NaN"])
def test_a_price_that_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ExpressionError, match="amount"):
        costing({"one_off": amount, "currency": "EUR"})


@pytest.mark.parametrize("said", ["1E+999999999", "1E-999999999", "1" * 19])
def test_a_price_that_could_not_be_written_out_is_refused_whoever_says_it(said: str) -> None:
    form = [{"id": "said", "type": "text", "label": "What may it cost?"}]
    for amount in (said, "{{ form.said }}"):
        item = plain(form=form, price={"recurring": amount, "currency": "EUR"})
        with pytest.raises(ExpressionError, match="amount"):
            cost(item, names.of_order(order(item, {"said": said}), NOON))


def test_a_price_that_is_worked_out_keeps_its_digits() -> None:
    found = costing({"one_off": "{{ 1 / form.seats }}", "recurring": "9" * 18, "currency": "EUR"}, seats=3)
    assert found
    assert Cost.model_validate_json(found.model_dump_json()) == found
    assert len(str(found.one_off)) > 30
    assert total([found] * 20)[0].recurring == 20 * Decimal("9" * 18)


EUR, YEARLY, USD = (
    Cost(one_off=Decimal(10), recurring=Decimal(1), currency="EUR"),
    Cost(one_off=Decimal(5), recurring=Decimal(2), every="year", currency="EUR"),
    Cost(one_off=Decimal(3), currency="USD"),
)


@pytest.mark.parametrize(
    ("costs", "sums"),
    [
        ([], []),
        ([Cost()], []),
        ([EUR, EUR], [(20, 2, "month", "EUR")]),
        ([EUR, YEARLY], [(15, 1, "month", "EUR"), (0, 2, "year", "EUR")]),
        ([YEARLY, USD, USD], [(5, 2, "year", "EUR"), (6, 0, "month", "USD")]),
    ],
)
def test_prices_add_up_for_each_currency_and_rhythm(costs: list[Cost], sums: list[tuple[Any, ...]]) -> None:
    assert [(one.one_off, one.recurring, one.every, one.currency) for one in total(costs)] == sums


def test_the_condition_behind_a_denial_is_told_with_what_it_read() -> None:
    item = plain(
        eligibility=rules("beneficiary.department == 'Sales' or beneficiary.lost.x"),
        visibility=[{"id": "never", "when": False, "why_not": "No."}],
        order_for={"others": "today.year", "oneself": False},
    )
    denied = [Denial(rule=name, why="") for name in ("it-only", "never", "order-for-others", "order-for-oneself")]
    assert reasons(item, denied, names.of_order(order(item), NOON)) == (
        Reason(
            rule="it-only",
            when="beneficiary.department == 'Sales' or beneficiary.lost.x",
            read={"beneficiary.department": "IT", "beneficiary.lost.x": None},
        ),
        Reason(rule="never", when=False),
        Reason(rule="order-for-others", when="today.year", read={"today.year": None}),
    )
