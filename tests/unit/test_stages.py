"""Approval stages as an author writes them: what may be written, what it means, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from support.builders import a_stage

from catalog.duration import Working
from catalog.fields import WRITTEN
from catalog.stages import (
    MAX_GROUPS,
    AllOf,
    AnyOf,
    Asked,
    Policy,
    Requirement,
    SomeOf,
    Stage,
    answers_in,
    before,
    least_of,
    leaves,
    parts_of,
)

BOSS = {"rule": "manager"}
STAGE: dict[str, Any] = {"id": "s", "name": "S", "approvers": [BOSS]}
GROUP = {"approvers": [BOSS]}


def written(**other: Any) -> Stage:
    return Stage.model_validate({**STAGE, **other}, extra="forbid", context=WRITTEN)


def expression(decide: Any) -> Stage:
    return written(approvers=[], decide=decide)


def complaint(**other: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        written(**other)
    return "; ".join(error["msg"] for error in caught.value.errors())


# ---------------------------------------------------------------- quorums


@pytest.mark.parametrize(
    ("quorum", "means"),
    [("any", "any"), ("all", "all"), ("responded", "responded"), (3, 3), ("60%", "60%"), ("60 %", "60%")],
)
def test_a1_the_forms_of_a_quorum(quorum: int | str, means: int | str) -> None:
    assert written(quorum=quorum).quorum == means


@pytest.mark.parametrize("quorum", ["most", "0%", "101%", "6.5%", "%", 0, -1, 1001, True, 1.5, None, "٣%", "60%%"])
def test_a1_what_is_no_quorum_is_refused_with_the_forms_there_are(quorum: Any) -> None:
    assert "write any, all, responded, a share like 60% or the number of people" in complaint(quorum=quorum)


def test_the_schema_takes_the_quorums_that_are_read() -> None:
    forms = TypeAdapter(Asked).json_schema()["properties"]["quorum"]["anyOf"]
    assert [sorted(form) for form in forms] == [["enum"], ["maximum", "minimum", "type"], ["pattern", "type"]]


# ---------------------------------------------------------------- expressions

TREE = {"all": [GROUP, {"any": [GROUP, {"at_least": 2, "of": [GROUP, GROUP, GROUP]}]}]}


def test_a2_an_expression_is_read_by_its_keys() -> None:
    tree = expression(TREE).decide
    assert isinstance(tree, AllOf)
    assert isinstance(tree.all[0], Asked)
    assert isinstance(tree.all[1], AnyOf)
    assert isinstance(tree.all[1].any[1], SomeOf)
    assert [place for place, _ in leaves(tree)] == [
        ("all", 0),
        ("all", 1, "any", 0),
        ("all", 1, "any", 1, "of", 0),
        ("all", 1, "any", 1, "of", 1),
        ("all", 1, "any", 1, "of", 2),
    ]


def test_a2_an_expression_is_written_and_read_back_the_same() -> None:
    stage = expression(TREE)
    assert Stage.model_validate_json(stage.model_dump_json()) == stage


@pytest.mark.parametrize(
    ("requirement", "parts", "least"),
    [
        (GROUP, 0, 0),
        ({"all": [GROUP] * 3}, 3, 3),
        ({"any": [GROUP] * 3}, 3, 1),
        ({"at_least": 2, "of": [GROUP] * 3}, 3, 2),
    ],
)
def test_a2_how_many_parts_of_an_expression_must_approve(requirement: Any, parts: int, least: int) -> None:
    read: Requirement = TypeAdapter(Requirement).validate_python(requirement)
    assert (len(parts_of(read)), least_of(read)) == (parts, least)


def test_a1_each_makes_a_group_of_each_rule_wherever_it_stands() -> None:
    each = {"approvers": [BOSS, {"rule": "item_owner"}], "quorum": 2, "each": True}
    for decide in (each, {"all": [each]}, {"any": [each]}, {"at_least": 1, "of": [each]}):
        stage = expression(decide)
        assert [(group.quorum, [rule.rule for rule in group.approvers]) for group in stage.groups] == [
            (2, ["manager"]),
            (2, ["item_owner"]),
        ]
    assert [rule.rule for rule in expression({"all": [each, GROUP]}).rules] == ["manager", "item_owner", "manager"]


def test_a_stage_without_an_expression_is_one_group() -> None:
    stage = written(approvers=[BOSS, {"rule": "item_owner"}], quorum="all")
    assert stage.groups == (Asked(approvers=stage.approvers, quorum="all"),)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"approvers": []}, "nobody is asked; write 'approvers', or 'decide' for an expression"),
        ({"decide": GROUP}, "the expression says who is asked; remove 'approvers' and 'quorum'"),
        ({"approvers": [], "decide": GROUP, "quorum": 2}, "remove 'approvers' and 'quorum'"),
        ({"approvers": [], "decide": {"at_least": 3, "of": [GROUP, GROUP]}}, "3 of 2 can never approve"),
        ({"approvers": [], "decide": {"approvers": [BOSS], "weight": 3, "quorum": 2}}, "counted or weighed"),
        ({"approvers": [], "decide": {"approvers": [BOSS], "weight": 3, "each": True}}, "counted or weighed"),
        ({"approvers": [], "decide": {"approvers": [BOSS], "weight": 3}, "distinct": True}, "which group they count"),
        ({"approvers": [], "decide": {"all": [{"any": [GROUP] * 7}] * 2}}, f"{MAX_GROUPS} groups of people"),
        ({"approvers": [], "decide": {"all": []}}, "at least 1 item"),
        ({"approvers": [{"rule": "group", "group": "{{ form. }}"}]}, "expected name or number"),
        ({"fallback": [{"rule": "person", "person": "{{ form. }}"}]}, "expected name or number"),
        (
            {"approvers": [], "decide": {"approvers": [{"rule": "role", "role": "{{ form. }}"}]}},
            "expected name or number",
        ),
        (
            {"escalate": [{"to": [{"rule": "role", "role": "{{ form. }}"}], "decide_within": "1 day"}]},
            "expected name or number",
        ),
        ({"escalate": [{"to": [BOSS]}]}, "Field required"),
        ({"escalate": [{"to": [BOSS], "decide_within": "1 day"}] * 6}, "at most 5"),
        ({"deny": 0}, "greater than or equal to 1"),
        ({"at_deadline": "resume"}, "Input should be"),
        ({"own": ["operator"]}, "Input should be"),
        ({"after": None}, "nothing stands here; write [] to let the stage begin at once, or remove 'after'"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any], says: str) -> None:
    assert says in complaint(**wrong)


def test_what_was_stored_without_an_order_of_stages_follows_the_one_above() -> None:
    assert Stage.model_validate({**STAGE, "after": None}).after is None


# ---------------------------------------------------------------- time


def test_times_are_clock_time_or_working_time() -> None:
    stage = written(
        decide_within="3 working days",
        remind={"after": "4 working hours", "every": "1 day"},
        notice="1 working day",
        escalate=[{"to": [BOSS], "how": "replace", "notice": "2 hours", "decide_within": "1 working day"}],
    )
    assert stage.decide_within == Working(days=3)
    assert stage.remind
    assert (stage.remind.after, stage.remind.every, stage.remind.at_most) == (
        Working(time=timedelta(hours=4)), timedelta(days=1), 10,
    )  # fmt: skip
    (level,) = stage.escalate
    assert (level.how, level.notice, level.decide_within) == ("replace", timedelta(hours=2), Working(days=1))
    assert Stage.model_validate_json(stage.model_dump_json()) == stage


def test_a14_a_stage_expires_after_ten_days_unless_it_says_otherwise() -> None:
    stage = a_stage()
    assert (stage.decide_within, stage.at_deadline, stage.when_nobody, stage.own) == (
        timedelta(days=10), "expire", "operator", (),
    )  # fmt: skip


def test_what_a_released_stage_means_is_not_changed_by_what_it_does_not_say() -> None:
    """Its digest is that of its pinned item: what is new has a default and is left out of it."""
    plain = {"id": "manager", "name": "Manager", "approvers": ({"rule": "manager"},)}
    assert a_stage().model_dump(exclude_defaults=True) == plain


# ---------------------------------------------------------------- what a stage depends on


def test_a22_the_answers_that_tell_whether_and_whom_a_stage_asks() -> None:
    stage = written(
        when="form.seats > 5 and beneficiary.department == 'IT'",
        auto_approve=[{"id": "few", "when": "form.urgent", "because": "It is."}],
        approvers=[
            {"rule": "group", "group": "g-{{ form.site }}"},
            {"rule": "expression", "people": "{{ [form.boss.login] }}"},
        ],
        fallback=[{"rule": "person", "person": "{{ form.other }}"}],
        escalate=[{"to": [{"rule": "role", "role": "head-{{ form.area }}"}], "decide_within": "1 day"}],
    )
    assert answers_in(stage) == {"seats", "urgent", "site", "boss", "other", "area"}


def test_a22_a_stage_that_depends_on_no_answer() -> None:
    assert answers_in(written(when="form")) == frozenset()
    assert answers_in(written(approvers=[{"rule": "ci_owner", "ci": "{{ form.server }}"}])) == {"server"}
    assert answers_in(expression({"all": [{"approvers": [{"rule": "role", "role": "{{ form.area }}"}]}]})) == {"area"}


# ---------------------------------------------------------------- their order


def test_a4_stages_follow_each_other_unless_they_say_otherwise() -> None:
    stages = (a_stage(id="a"), a_stage(id="b"), a_stage(id="c", after=()), a_stage(id="d", after=("a", "c")))
    assert before(stages) == {"a": (), "b": ("a",), "c": (), "d": ("a", "c")}


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ([STAGE, {**STAGE, "id": "t", "after": ["u"]}], "no approval stage 'u' stands above 't'"),
        ([{**STAGE, "after": ["s"]}], "no approval stage 's' stands above 's'"),
        ([STAGE, {**STAGE, "id": "t", "after": ["s", "s"]}], "'s' stands here twice; write it once"),
        ([STAGE, STAGE], "two stages have the id 's'; give each its own"),
        ([], "at least 1 item"),
    ],
)
def test_a4_no_stage_waits_for_itself_or_for_one_that_there_is_not(stages: list[Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Policy.model_validate({"id": "p", "name": "P", "stages": stages})
    assert says in str(caught.value)


def test_a3_stages_that_several_items_share_are_a_policy() -> None:
    policy = Policy.model_validate({"id": "p", "name": "P", "stages": [STAGE, {**STAGE, "id": "t", "after": ["s"]}]})
    assert [stage.id for stage in policy.stages] == ["s", "t"]
