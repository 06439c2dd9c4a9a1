"""The plan: which stages an order needs, and whom their rules name, before anybody is asked."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import a_stage

from catalog import plan
from catalog.expression import ExpressionError
from catalog.stages import AutoApproval, ByExpression, ByGroup, ByManager, ByOwner, ByPerson

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


MARA = {"id": "id-mara", "login": "mara", "name": "Mara Lind"}


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        (ByManager(rule="manager"), (ByManager(rule="manager"),)),
        (ByGroup(rule="group", group="g-{{ form.site }}"), (ByGroup(rule="group", group="g-oslo"),)),
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


@pytest.mark.parametrize(
    "rule",
    [
        ByGroup(rule="group", group="{{ form.nobody }}"),
        ByGroup(rule="group", group=" "),
        ByPerson(rule="person", person="{{ 7 }}"),
        ByExpression(rule="expression", people="{{ form.typo }}"),
    ],
)
def test_a_rule_that_names_nothing_sensible_is_the_items_fault(rule: Any) -> None:
    with pytest.raises(ExpressionError):
        plan.concrete((rule,), names(nobody=None))
