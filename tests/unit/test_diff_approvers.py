"""What a new version changes for those who decide."""

from __future__ import annotations

from typing import Any

import pytest
from support.differing import GRANT, GROUP, GROUPED, told
from support.items import GROUPS, MANAGER, TERMS, plain, steps

from catalog.diff import STAGE_PARTS, changes
from catalog.stage_words import TERMS as SENTENCES
from catalog.stages import Stage


def test_another_risk_is_told() -> None:
    assert told(plain(), plain(risk="high"))["approvers"] == ("Its risk is high instead of medium.",)


def test_approvals_that_are_called_the_same_are_told_apart_by_their_ids() -> None:
    twins = [{**MANAGER, "id": name, "name": "Chief"} for name in ("one", "two")]
    gone = told(plain(approvals=twins), plain(approvals=[]))["approvers"]
    assert gone == ("“Chief” (one) is no longer asked.", "“Chief” (two) is no longer asked.")


AUTO = {"id": "small", "when": "cost.one_off < 5", "because": "It is little."}
OTHER = MANAGER | {"id": "it", "name": "IT"}
BIGGER = AUTO | {"when": "cost.one_off < 9"}
APPROVERS: list[tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]] = [
    (
        [MANAGER | {"auto_approve": [AUTO]}],
        [MANAGER | {"auto_approve": [BIGGER]}],
        ["“Line manager” is approved by itself if the cost’s one off < 9; before, if the cost’s one off < 5 (small)."],
    ),
    (
        [],
        [MANAGER],
        ["A new approval, “Line manager”. Asks the line manager. They have 10 days, then the request expires."],
    ),
    ([MANAGER], [], ["“Line manager” is no longer asked."]),
    ([MANAGER, OTHER], [OTHER, MANAGER], ["They are asked in another order: IT and Line manager."]),
    ([MANAGER], [MANAGER | {"name": "Boss"}], ["“Line manager” is now called “Boss”."]),
    ([MANAGER], [MANAGER | {"approvers": [GROUP]}], ["“Line manager” asks the group it instead of the line manager."]),
    (
        [MANAGER],
        [MANAGER | {"quorum": "all"}],
        ["“Line manager”: All of them must approve. Before: One of them decides."],
    ),
    ([MANAGER], [MANAGER | {"decide_within": "1 day"}], ["“Line manager” has 1 day to decide instead of 10 days."]),
    ([MANAGER], [MANAGER | {"when": False}], ["“Line manager” is asked never instead of always."]),
    (
        [MANAGER],
        [MANAGER | {"auto_approve": [AUTO]}],
        ["“Line manager” is approved by itself if the cost’s one off < 5 (small: It is little.)"],
    ),
    (
        [MANAGER | {"auto_approve": [AUTO]}],
        [MANAGER],
        ["“Line manager” is no longer approved by itself if the cost’s one off < 5 (small)."],
    ),
    (
        [MANAGER | {"auto_approve": [AUTO, AUTO | {"id": "b"}]}],
        [MANAGER | {"auto_approve": [AUTO | {"id": "b"}, AUTO | {"because": "X"}]}],
        [
            "“Line manager”, reason small: because was “It is little.”, now it is “X”.",
            "“Line manager” tries the reasons to approve by itself in another order.",
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), APPROVERS, ids=[case[2][0] for case in APPROVERS])
def test_approvers_are_told(old: list[dict[str, Any]], new: list[dict[str, Any]], said: list[str]) -> None:
    assert told(plain(approvals=old), plain(approvals=new)) == {"approvers": tuple(said)}


def test_approvers_are_told_of_decisions_in_the_middle_of_the_work() -> None:
    step = {"id": "ok", "do": "approve", "stage": MANAGER}
    assert changes(steps(GRANT), steps(GRANT, step)).approvers == (
        (
            "In the middle of the fulfilment: A new approval, “Line manager”. Asks the line manager. They have 10 "
            "days, then the request expires."
        ),
    )
    later = step | {"stage": MANAGER | {"decide_within": "1 day"}}
    assert told(steps(step), steps(later)) == {"approvers": ("“Line manager” has 1 day to decide instead of 10 days.",)}


def test_every_part_of_a_stage_is_told_in_words_of_its_own() -> None:
    """A part that is added later fails here until it has its sentence."""
    assert set(STAGE_PARTS) | set(SENTENCES) | {"id"} == set(Stage.model_fields)
    assert set(TERMS) == set(SENTENCES)
    assert not set(STAGE_PARTS) & set(SENTENCES)


@pytest.mark.parametrize("term", TERMS)
def test_approvers_are_told_of_every_term_with_what_it_was_before(term: str) -> None:
    old, new = plain(approvals=[MANAGER]), plain(approvals=[MANAGER | {term: TERMS[term]}])
    (said,) = told(old, new)["approvers"]
    (back,) = told(new, old)["approvers"]
    now, _, before = said.removeprefix("“Line manager”: ").partition(" Before: ")
    assert before
    assert back == f"“Line manager”: {before} Before: {now}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (MANAGER, GROUPED | {"decide": GROUPS}, [
            (
                "“Line manager” asks the line manager, the group security, whoever holds the role ciso and ada, who "
                "answers for the item instead of the line manager."
            ),
            (
                "“Line manager”: 2 of these must approve: the line manager; 60 % of the group security; one of (one of "
                "whoever holds the role ciso; ada, who answers for the item). A rejection by the group security is "
                "final. Before: One of them decides."
            ),
        ]),
        (MANAGER, GROUPED | {"decide": {"approvers": [{"rule": "manager"}]}}, [
            "“Line manager” is written in another way.",
        ]),
        (MANAGER, GROUPED | {"decide": {"all": [{"approvers": [{"rule": "manager"}]}]}}, [
            "“Line manager” is written in another way.",
        ]),
        (MANAGER | {"quorum": "60%"}, MANAGER | {"quorum": "responded"}, [
            (
                "“Line manager”: One approval is enough, once all of them have answered. "
                "Before: 60 % of them must approve."
            ),
        ]),
        (
            GROUPED | {"decide": {"approvers": [{"rule": "manager"}], "weight": 1}},
            GROUPED | {"decide": {"approvers": [{"rule": "manager", "weight": 2}], "weight": 1}},
            ["“Line manager” asks the line manager (weighing 2 each) instead of the line manager."],
        ),
    ],
)  # fmt: skip
def test_approvers_are_told_of_another_expression(old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    found = told(plain(approvals=[old]), plain(approvals=[new]))
    assert list(found.get("approvers", ())) == said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, [], ("“Owner” begins at once instead of after the approval of Line manager.",)),
        ([], None, ("“Owner” begins after the approval of Line manager instead of at once.",)),
        (None, ["manager"], ()),
    ],
)
def test_approvers_are_told_when_a_stage_begins(before: Any, after: Any, said: str) -> None:
    owner = MANAGER | {"id": "owner", "name": "Owner"}
    old, new = (plain(approvals=[MANAGER, owner | {"after": one}]) for one in (before, after))
    assert told(old, new).get("approvers", ()) == said
