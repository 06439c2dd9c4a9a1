"""What a new version changes, told to requesters, to those who do the work, and to authors."""

from __future__ import annotations

from typing import Any

import pytest
from support.differing import CHOICE, GRANT, GROUP, NOTE, TEXT, told
from support.items import CLOCKS, PRIORITY, plain, project, steps

from catalog.diff import CLOCK_PARTS, Changes, changes
from catalog.sla_spec import ClockSpec

ROWS = {"id": "rows", "type": "rows", "label": "People", "fields": [TEXT]}
TASK = {"id": "build", "do": "task", "title": "Build it", "assign": [{"rule": "manager"}]}
RULE = {"id": "staff", "when": "beneficiary.department", "why_not": "Staff only."}
CHECK = {"check": "form.why", "message": "Say why."}
VERSION = ("The version is 1.0.0 in both; a change needs a new one.",)


def test_the_same_item_changes_nothing() -> None:
    assert changes(project(), project()) == Changes()
    assert not changes(project(), project())


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.10.0", "The version goes from 1.9.0 to 1.10.0; running requests keep 1.9.0."),
        ("1.8.0", "The version goes back from 1.9.0 to 1.8.0; orders take the highest one."),
    ],
)
def test_authors_are_told_of_the_version_as_numbers(version: str, said: str) -> None:
    assert changes(plain(version="1.9.0"), plain(version=version)) == Changes(authors=(said,))


def test_a_change_without_a_new_version_is_pointed_out() -> None:
    assert changes(plain(), plain(name="Other")).authors == VERSION


REQUESTERS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {"name": "W"}, ["It is called “W” instead of “Wiki”."]),
    ({}, {"summary": "New."}, ["It is described in other words."]),
    ({}, {"category": "Other"}, ["It stands under “Other” instead of “Docs”."]),
    (
        {},
        {"lifecycle": "retired", "successor": "wiki-2"},
        ["It can no longer be ordered.", "What to order instead: “wiki-2”."],
    ),
    ({}, {"lifecycle": "draft"}, ["It is not offered for now."]),
    ({"lifecycle": "draft"}, {"lifecycle": "published"}, ["It can be ordered."]),
    ({}, {"sla": {"target": "2 days"}}, ["It is promised sooner: within 2 days instead of 5 days."]),
    ({}, {"sla": {"target": "9 days"}}, ["It is promised later: within 9 days instead of 5 days."]),
    ({}, {"price": {"one_off": 5, "currency": "EUR"}}, ["It costs 5 EUR once instead of free."]),
    (
        {"price": {"one_off": "{{ 1 }}", "currency": "EUR"}},
        {"price": {"one_off": "{{ 2 }}", "currency": "EUR"}},
        ["Its price is computed in another way."],
    ),
    ({"price": {}}, {"price": {"cost_centre": "7"}}, ["It is charged to “7” instead of nothing."]),
    ({}, {"entitlement": {"group": "other"}}, ["What one gets is a place in other instead of wiki-editors."]),
    ({}, {"form": [TEXT]}, ["A new question: “Why” (text, must be answered)."]),
    ({}, {"form": [TEXT | {"required": False}]}, ["A new question: “Why” (text, may be left out)."]),
    ({"form": [TEXT]}, {"form": []}, ["“Why” is no longer asked."]),
    ({"form": [TEXT, CHOICE]}, {"form": [CHOICE, TEXT]}, ["The questions come in another order."]),
    ({"form": [TEXT]}, {"form": [TEXT | {"label": "Reason"}]}, ["“Why” now reads “Reason”."]),
    ({"form": [TEXT]}, {"form": [TEXT | {"help": "x"}]}, ["“Why” has another hint."]),
    ({"form": [TEXT]}, {"form": [TEXT | {"type": "paragraph", "max_length": 500}]}, [
        "“Why” takes a paragraph instead of a text.",
    ]),
    (
        {"form": [TEXT, CHOICE]},
        {"form": [TEXT | {"required": "form.size == 's'"}, CHOICE]},
        ["“Why” now must be answered if “Size” is “s”."],
    ),
    (
        {"form": [TEXT, CHOICE]},
        {"form": [TEXT | {"visible": "form.size == 's'"}, CHOICE]},
        ["“Why” is asked if “Size” is “s” instead of always."],
    ),
    (
        {"form": [CHOICE]},
        {"form": [CHOICE | {"choices": ["m", "l", "xl"]}]},
        ["“Size” now offers l and xl.", "“Size” no longer offers s."],
    ),
    ({"form": [CHOICE]}, {"form": [CHOICE | {"choices": ["s", "m", "l"]}]}, ["“Size” now offers l."]),
    ({"form": [TEXT]}, {"form": [TEXT | {"max_length": 9}]}, ["“Why”: max length was “500”, now it is “9”."]),
    (
        {"form": [ROWS]},
        {"form": [ROWS | {"fields": [CHOICE]}]},
        ["A new question in “People”: “Size” (choice, must be answered).", "“Why” in “People” is no longer asked."],
    ),
    ({}, {"form": [TEXT], "checks": [CHECK]}, [
        "A new question: “Why” (text, must be answered).", "A new rule for the answers: Say why.",
    ]),
    ({"form": [TEXT], "checks": [CHECK]}, {"form": [TEXT]}, ["A rule for the answers is gone: Say why."]),
    (
        {"form": [TEXT], "checks": [CHECK, CHECK | {"message": "B"}]},
        {"form": [TEXT], "checks": [CHECK | {"message": "B"}, CHECK]},
        ["The rules for the answers come in another order."],
    ),
    (
        {"form": [TEXT], "checks": [CHECK]},
        {"form": [TEXT], "checks": [CHECK | {"check": "form.why != 'x'", "at": "why"}]},
        [
            "The rule for the answers “Say why.” asks that “Why” is not “x”; before, that “Why”.",
            "The rule for the answers “Say why.”: at was nothing, now it is “why”.",
        ],
    ),
    (
        {"form": [TEXT], "checks": [CHECK]},
        {"form": [TEXT], "checks": [CHECK | {"message": "Why?"}]},
        ["The rule for the answers “Why?” is told in other words; before: “Say why.”."],
    ),
    (
        {"form": [CHOICE | {"labels": {"s": "Small", "m": "Middle"}}]},
        {"form": [CHOICE | {"labels": {"m": "Medium", "l": "Large"}, "choices": ["s", "m", "l"]}]},
        [
            "“Size” now offers l.",
            "“Size”: labels “m” was “Middle”, now it is “Medium”.",
            "“Size”: labels “l” is new: “Large”.",
            "“Size”: labels “s” is gone; it was “Small”.",
        ],
    ),
    ({}, {"eligibility": [RULE]}, [
        "Who may have it has a new rule, staff: only if the beneficiary’s department.",
    ]),
    ({"visibility": [RULE]}, {}, [
        "Who may see it has lost the rule staff: it was only if the beneficiary’s department.",
    ]),
    ({"eligibility": [RULE]}, {"eligibility": [RULE | {"when": "beneficiary.title"}]}, [
        "Who may have it, rule staff: only if the beneficiary’s title; before, only if the beneficiary’s department.",
    ]),
    ({"eligibility": [RULE]}, {"eligibility": [RULE | {"why_not": "No."}]}, [
        "Who may have it, rule staff: why not was “Staff only.”, now it is “No.”.",
    ]),
    (
        {"eligibility": [RULE, RULE | {"id": "b"}]},
        {"eligibility": [RULE | {"id": "b"}, RULE]},
        ["The rules of who may have it are asked in another order."],
    ),
    ({}, {"order_for": {"at_most": 3}}, ["Ordering it for others: at most was “50”, now it is “3”."]),
    ({}, {"cancel": {"reason": True}}, ["Calling it off: reason was no, now it is yes."]),
    ({}, {"duplicates": "allow"}, ["One can have several open orders of it for the same person."]),
    ({"duplicates": "allow"}, {}, ["One cannot have several open orders of it for the same person."]),
    ({}, {"distinct_by": ["why"]}, ["Two orders are the same if they agree in “why”, not in nothing."]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"), REQUESTERS, ids=lambda value: value[0] if isinstance(value, list) else ""
)
def test_requesters_are_told(old: dict[str, Any], new: dict[str, Any], said: list[str]) -> None:
    assert told(plain(**old), plain(**new)) == {"requesters": tuple(said)}


def test_requesters_are_told_of_the_parts_of_a_bundle() -> None:
    whole: dict[str, Any] = {"workflow": None, "entitlement": None}
    one, two, three = ({"id": name, "item": name} for name in ("a", "b", "c"))
    assert told(plain(lines=[one, two], **whole), plain(lines=[two, one, three], **whole)) == {
        "requesters": ("It also brings c.", "Its parts are listed in another order.")
    }
    assert told(plain(lines=[one, two], **whole), plain(lines=[one | {"after": ["x"]}], **whole)) == {
        "requesters": ("It no longer brings b.", "Its part a: after was nothing, now it is “x”.")
    }


def test_requesters_are_told_what_can_no_longer_be_taken_back() -> None:
    new = steps(GRANT | {"name": "Give", "irreversible": "It is stone."})
    assert changes(steps(GRANT | {"name": "Give"}), new).requesters == ("“Give” cannot be taken back: It is stone.",)
    assert changes(new, steps(GRANT | {"name": "Give", "irreversible": "It is stone.", "when": False})).requesters == ()


def test_every_part_of_a_clock_is_told() -> None:
    others = {"measures", "resume", "reset", "cancel", "when"}  # these are told by their names
    assert set(CLOCK_PARTS) | others == set(ClockSpec.model_fields)


DECISION, DELIVERY = CLOCKS
RUNS = (
    "“Decision” runs from stage opened to stage closed, for each stage, but stands still at information requested, "
    "within {}, warning at 50 % and 75 %."
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([], [DECISION], [f"A new clock: {RUNS.format('3 working days')}"]),
        ([DECISION], [], [f"A clock is gone: {RUNS.format('3 working days')}"]),
        ([DECISION], [DECISION | {"target": "1 day"}], [
            f"The clock decision: {RUNS.format('1 day')} Before: {RUNS.format('3 working days')}",
        ]),
        ([DECISION], [DECISION | {"when": "form.x"}], ["The clock decision: when was yes, now it is “form.x”."]),
        ([DECISION, DELIVERY], [DELIVERY, DECISION], ["The clocks are listed in another order."]),
    ],
)  # fmt: skip
def test_those_who_do_the_work_are_told_of_clocks(
    old: list[dict[str, Any]], new: list[dict[str, Any]], said: list[str]
) -> None:
    assert told(plain(clocks=old), plain(clocks=new)) == {"fulfillers": tuple(said)}


def test_requesters_are_told_how_orders_get_their_priority() -> None:
    low = {"high": 4, "low": 5}
    matrix = {"impact": ["high", "low"], "urgency": ["high", "low"], "priorities": {"high": low, "low": low}}
    old, new = plain(), plain(priority=PRIORITY | {"matrix": matrix})
    now = (
        "Orders get their priority from impact/urgency, here “size”/low: 4 (high/high, low/high) and "
        "5 (high/low, low/low)."
    )
    assert told(old, new) == {"requesters": (f"{now} Before: Orders have no priority.",)}
    assert told(new, old) == {"requesters": (f"Orders have no priority. Before: {now}",)}
    other = plain(priority=PRIORITY | {"matrix": matrix | {"impact": ["low", "high"]}})
    assert told(new, other) == {"requesters": ("Orders get their priority in another way.",)}


HTTP = {"id": "ask", "do": "http", "url": "https://x/"}
UNDO = {"do": "grant", "group": "y"}
BACK = {"do": "task", "title": "Remove it", "assign": [{"rule": "manager"}]}
PROOF = TASK | {"evidence": [TEXT]}
BRANCHES = {"id": "both", "do": "parallel", "branches": {"one": [TASK], "two": [GRANT]}}
FULFILLERS: list[tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]] = [
    (
        [GRANT],
        [GRANT, TASK | {"due": "1 day"}],
        ["A new step, build: Build it. Done by the line manager. Due in 1 day."],
    ),
    ([GRANT], [GRANT, GRANT | {"id": "b"}], ["A new step, b: Put the person it is for into x."]),
    ([GRANT, TASK], [GRANT], ["The step build is gone: Build it."]),
    ([GRANT, TASK], [TASK, GRANT], ["The steps come in another order: build and grant."]),
    ([TASK], [TASK | {"assign": [GROUP]}], ["The step build goes to the group it instead of the line manager."]),
    ([TASK], [TASK | {"due": "1 day"}], ["The step build: due was nothing, now it is 1 day."]),
    ([TASK], [PROOF], [
        "A new question as evidence of the step build: “Why” (text, must be answered).",
    ]),
    ([PROOF], [TASK | {"evidence": [TEXT | {"max_length": 9}]}], [
        "“Why” as evidence of the step build: max length was “500”, now it is “9”.",
    ]),
    ([GRANT], [GRANT | {"undo": UNDO}], [
        "The step grant is taken back in a way of its own: Put the person it is for into y.",
    ]),
    ([GRANT | {"undo": UNDO}], [GRANT], [
        "The step grant is no longer taken back in a way of its own; it was: Put the person it is for into y.",
    ]),
    ([GRANT | {"undo": UNDO}], [GRANT | {"undo": UNDO | {"group": "z"}}], [
        (
            "The step grant is taken back in another way: Put the person it is for into z; "
            "before: Put the person it is for into y."
        ),
    ]),
    ([TASK | {"undo": BACK}], [TASK | {"undo": BACK | {"assign": [GROUP], "instructions": "Slowly."}}], [
        "The step build, taken back: instructions was nothing, now it is “Slowly.”.",
        "The step build, taken back goes to the group it instead of the line manager.",
    ]),
    ([HTTP], [HTTP | {"body": {"a": {"b": 1}, "c": [1, {"d": None}]}}], [
        "The step ask: body was nothing, now it is “a: (b: 1), c: (1, (d: nothing))”.",
    ]),
    (
        [HTTP | {"body": {"a": {"b": 1, "x": True}, "c": 2}}],
        [HTTP | {"body": {"a": {"b": 2, "y": False}, "c": "2"}}],
        [
            "The step ask: body “a” “b” was “1”, now it is “2”.",
            "The step ask: body “a” “y” is new: no.",
            "The step ask: body “a” “x” is gone; it was yes.",
            "The step ask: body “c” is written in another way.",
        ],
    ),
    ([HTTP], [HTTP | {"retry": {"attempts": 3}}], ["The step ask: retry was nothing, now it is “attempts: 3”."]),
    ([HTTP | {"retry": {"attempts": 3}}], [HTTP | {"retry": {"attempts": 3, "pause": "1 minute"}}], [
        "The step ask: retry, pause was 1 second, now it is 1 minute.",
    ]),
    ([GRANT], [GRANT | {"when": "form.x"}], ["The step grant is done if “x” instead of always."]),
    (
        [GRANT],
        [{"id": "grant", "do": "revoke", "group": "x"}],
        [
            (
                "The step grant is another kind of step: Take the person it is for out of x, "
                "instead of: Put the person it is for into x."
            ),
        ],
    ),
    (
        [TASK, GRANT],
        [BRANCHES],
        [
            "A new step, both: Do at the same time.",
            "The step build stands in “both one” instead of nothing.",
            "The step grant stands in “both two” instead of nothing.",
        ],
    ),
    (
        [GRANT],
        [{"id": "all", "do": "for_each", "each": "{{ form.x }}", "steps": [GRANT]}],
        ["A new step, all: For each of “x”.", "The step grant stands in “all” instead of nothing."],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), FULFILLERS, ids=[case[2][0] for case in FULFILLERS])
def test_those_who_do_the_work_are_told(old: list[dict[str, Any]], new: list[dict[str, Any]], said: list[str]) -> None:
    assert told(steps(*old), steps(*new)) == {"fulfillers": tuple(said)}


def test_those_who_do_the_work_are_told_of_another_workflow() -> None:
    assert changes(plain(), plain(workflow="Own", parameters={"a": 1})).fulfillers == (
        "It is fulfilled by Own instead of AccessRequest.",
        "Its workflow: parameter “a” is new: “1”.",
    )


def test_authors_are_told_of_what_only_they_see() -> None:
    kept = NOTE | {"on": "opened"}
    old = plain(notifications=[NOTE, kept])
    new = plain(owner="bob", tags=["a", "b"], notifications=[NOTE | {"to": ["bob"]}, kept])
    assert changes(old, new).authors[1:] == (
        "The item: tags was nothing, now it is “a, b”.",
        "The item: owner was “ada”, now it is “bob”.",
        "The message “Done” when it is closed: to was “ada”, now it is “bob”.",
    )


NOTES: list[tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]] = [
    ([], [NOTE], ["A message of its own goes to “ada” when it is closed: Done"]),
    ([NOTE], [], ["A message to “ada” when it is closed is gone: Done"]),
    ([NOTE], [NOTE | {"text": "Look."}], [
        "The message “Done” when it is closed: text was “It is done.”, now it is “Look.”.",
    ]),
    ([NOTE], [NOTE | {"when": "cost.one_off"}], [
        "The message “Done” when it is closed is sent if the cost’s one off instead of always.",
    ]),
    ([NOTE, NOTE | {"on": "opened"}], [NOTE | {"on": "opened"}, NOTE], [
        "The messages of its own come in another order.",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), NOTES, ids=[case[2][0] for case in NOTES])
def test_authors_are_told_of_messages(old: list[dict[str, Any]], new: list[dict[str, Any]], said: list[str]) -> None:
    assert told(plain(notifications=old), plain(notifications=new)) == {"authors": tuple(said)}


def test_authors_are_told_that_another_id_is_another_item() -> None:
    assert "The id is b instead of wiki: it is another item." in changes(plain(), plain(id="b")).authors


def test_a_long_text_is_shortened() -> None:
    (said,) = changes(plain(), plain(name="x" * 100)).requesters
    assert said == f"It is called “{'x' * 59}…” instead of “Wiki”."
