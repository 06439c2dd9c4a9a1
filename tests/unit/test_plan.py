"""The plan: which stages an order needs, and whom their rules name, before anybody is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import a_stage

from catalog import plan
from catalog.expression import ExpressionError
from catalog.stages import (
    AllOf,
    Asked,
    AutoApproval,
    ByCiOwner,
    ByExpression,
    ByGroup,
    ByManager,
    ByOwner,
    ByPerson,
    ByRole,
    Escalation,
)

MANAGER = ByManager(rule="manager")
CHEAP = AutoApproval(id="cheap", when="cost.one_off < 100", because="It costs next to nothing.")


def names(one_off: int = 50, **form: Any) -> dict[str, Any]:
    return {"cost": {"one_off": one_off}, "form": form, "requester": {"login": "ada"}}


def test_a_stage_without_conditions_is_needed_and_decided_by_people() -> None:
    assert plan.plan((a_stage(),), names()) == (plan.PlannedStage(stage=a_stage()),)


def test_a_stage_whose_condition_does_not_hold_is_left_out() -> None:
    (planned,) = plan.plan((a_stage(when="cost.one_off > 100"),), names())
    assert (planned.needed, planned.auto) == (False, "")


def test_the_first_reason_that_holds_approves_a_stage_by_its_rule() -> None:
    never = AutoApproval(id="never", when=False, because="Never.")
    (planned,) = plan.plan((a_stage(auto_approve=(never, CHEAP)),), names())
    assert (planned.needed, planned.auto, planned.because) == (True, "auto.cheap", "It costs next to nothing.")


def test_without_a_reason_that_holds_people_decide() -> None:
    (planned,) = plan.plan((a_stage(auto_approve=(CHEAP,)),), names(500))
    assert (planned.needed, planned.auto) == (True, "")


@pytest.mark.parametrize(
    "stage", [a_stage(when="form.typo"), a_stage(auto_approve=(AutoApproval(id="x", when="form.typo", because=""),))]
)
def test_a_stage_that_cannot_be_worked_out_is_decided_by_people(stage: Any) -> None:
    (planned,) = plan.plan((stage,), names())
    assert planned.needed
    assert planned.auto == ""
    assert "form.typo" in planned.fault


def after(*stages: Any) -> dict[str, tuple[str, ...]]:
    return {one.stage.id: one.after for one in plan.plan(stages, names())}


def test_a_stage_follows_the_one_above_it_unless_it_says_otherwise() -> None:
    first, second = a_stage(id="a"), a_stage(id="b", after=())
    third, fourth = a_stage(id="c", after=("a", "b")), a_stage(id="d")
    assert after(first, second, third, fourth) == {"a": (), "b": (), "c": ("a", "b"), "d": ("c",)}


@pytest.mark.parametrize("nobody", [{"when": False}, {"auto_approve": (CHEAP,)}])
def test_what_follows_a_stage_that_nobody_is_asked_about_follows_what_that_one_did(nobody: Any) -> None:
    first, second, third = a_stage(id="a"), a_stage(id="b", **nobody), a_stage(id="c")
    assert after(first, second, third) == {"a": (), "b": ("a",), "c": ("a",)}
    assert after(second, third) == {"b": (), "c": ()}
    last = a_stage(id="d", after=("a", "b"))
    assert after(first, second, last)["d"] == ("a",)


MARA = {"id": "id-mara", "login": "mara", "name": "Mara Lind"}


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        (ByManager(rule="manager"), (ByManager(rule="manager"),)),
        (ByGroup(rule="group", group="g-{{ form.site }}"), (ByGroup(rule="group", group="g-oslo"),)),
        (ByRole(rule="role", role="budget-owner-{{ form.site }} "), (ByRole(rule="role", role="budget-owner-oslo"),)),
        (ByCiOwner(rule="ci_owner", ci="{{ form.site }}-web "), (ByCiOwner(rule="ci_owner", ci="oslo-web"),)),
        (ByOwner(rule="owner"), (ByOwner(rule="owner"),)),
        (ByOwner(rule="owner", group="{{ form.site }}"), (ByOwner(rule="owner", group="oslo"),)),
        (ByPerson(rule="person", person="rolf"), (ByPerson(rule="person", person="rolf"),)),
        (ByPerson(rule="person", person="{{ form.boss }}"), (ByPerson(rule="person", person="mara"),)),
        (
            ByExpression(rule="expression", people="{{ [form.boss, requester.login, 'ada'] }}"),
            (ByPerson(rule="person", person="mara"), ByPerson(rule="person", person="ada")),
        ),
        (ByExpression(rule="expression", people="{{ form.nobody }}"), ()),
    ],
)
def test_what_depends_on_the_order_is_put_into_the_rules(rule: Any, meant: tuple[Any, ...]) -> None:
    assert plan.concrete((rule,), names(site="oslo", boss=MARA, nobody=None)) == meant


def test_a2_whom_a_stage_asks_is_worked_out_for_each_of_its_groups_and_its_fallbacks() -> None:
    site, boss = ByGroup(rule="group", group="g-{{ form.site }}"), ByPerson(rule="person", person="{{ form.boss }}")
    decide = AllOf(all=(Asked(approvers=(site,)), Asked(approvers=(boss, site))))
    known = names(site="oslo", boss=MARA)
    oslo, mara = ByGroup(rule="group", group="g-oslo"), ByPerson(rule="person", person="mara")
    assert plan.wanted(a_stage(approvers=(), decide=decide), known) == plan.Wanted(groups=((oslo,), (mara, oslo)))
    assert plan.wanted(a_stage(fallback=(boss,)), known).fallback == (mara,)
    assert plan.wanted(a_stage(fallback=()), known).fallback == ()


@pytest.mark.parametrize(
    "rule",
    [
        ByGroup(rule="group", group="{{ form.nobody }}"),
        ByGroup(rule="group", group=" "),
        ByRole(rule="role", role="{{ form.nobody }}"),
        ByRole(rule="role", role="{{ 7 }}"),
        ByCiOwner(rule="ci_owner", ci="{{ form.nobody }}"),
        ByPerson(rule="person", person="{{ 7 }}"),
        ByExpression(rule="expression", people="{{ form.typo }}"),
    ],
)
def test_a_rule_that_names_nothing_sensible_is_the_items_fault(rule: Any) -> None:
    with pytest.raises(ExpressionError):
        plan.concrete((rule,), names(nobody=None))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (MARA, "a person"), ([MARA], "a list"), (7, "a number"), (0.5, "a number"), (True, "true or false"),
        ({"amount": "7", "currency": "EUR"}, "an amount of money"), ({"a": 1}, "something else"),
    ],
)  # fmt: skip
def test_a_fault_says_what_was_given_instead_of_a_name(given: object, said: str) -> None:
    with pytest.raises(ExpressionError, match=f"^the name of a role is a text; this gave {said}$"):
        plan.word(given, "role")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (ByGroup(rule="group", group=" "), "a group"),
        (ByRole(rule="role", role=" "), "a role"),
        (ByCiOwner(rule="ci_owner", ci=" "), "a configuration item"),
    ],
)
def test_a_fault_says_what_has_no_name(rule: Any, said: str) -> None:
    with pytest.raises(ExpressionError, match=f"the name of {said} came out empty"):
        plan.concrete((rule,), names())


def test_a13_an_escalation_asks_those_of_its_levels_and_has_no_fallback() -> None:
    site, boss = ByGroup(rule="group", group="g-{{ form.site }}"), ByPerson(rule="person", person="{{ form.boss }}")
    levels = tuple(Escalation(to=(rule,), decide_within=timedelta(days=1)) for rule in (MANAGER, site, boss))
    stage = a_stage(escalate=levels, fallback=(MANAGER,))
    oslo, mara = ByGroup(rule="group", group="g-oslo"), ByPerson(rule="person", person="mara")
    known = names(site="oslo", boss=MARA)
    assert plan.above(stage, (1, 3), known) == plan.Wanted(groups=((oslo, mara),), fallback=())
    assert plan.above(stage, (0, 1), known) == plan.Wanted(groups=((MANAGER,),), fallback=())
    with pytest.raises(ExpressionError):
        plan.above(stage, (1, 2), names())


def test_a9_people_are_looked_up_by_login_and_nobody_instead_of_them() -> None:
    mara, rolf = ByPerson(rule="person", person="mara"), ByPerson(rule="person", person="rolf")
    assert plan.these(("mara", "rolf")) == plan.Wanted(groups=((mara, rolf),), fallback=())
