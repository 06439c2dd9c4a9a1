"""What an item says, in words."""

from __future__ import annotations

from typing import Any

import pytest
from support.items import MANAGER, plain, steps

from catalog.item import Price
from catalog.stages import Stage
from catalog.wording import Turn, Words, capital, listed, price, price_of, turns

FORM = [
    {"id": "size", "type": "choice", "label": "Size", "choices": ["small", "large"], "labels": {"small": "Up to 10"}},
    {"id": "who", "type": "person", "label": "Who"},
    {"id": "rooms", "type": "multi_choice", "label": "Rooms", "choices": ["a", "b"], "labels": {"a": "Hall"}},
]
ITEM = plain(form=FORM)
WORDS = Words(ITEM)


@pytest.mark.parametrize(
    ("parts", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_reads_as_a_sentence(parts: list[str], said: str) -> None:
    assert listed(parts) == said


def test_a_sentence_begins_in_a_capital_letter() -> None:
    assert (capital("due"), capital("")) == ("Due", "")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "free"),
        ({}, "free"),
        ({"one_off": 12.5, "currency": "EUR"}, "12.5 EUR once"),
        ({"recurring": 5, "every": "year", "currency": "EUR"}, "5 EUR a year"),
        (
            {"one_off": 1, "recurring": "{{ form.size }}", "currency": "EUR"},
            "1 EUR once and a computed amount in EUR a month",
        ),
    ],
)
def test_a_price_in_words(written: dict[str, Any] | None, said: str) -> None:
    assert price(Price.model_validate(written) if written is not None else None) == said


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (True, "always"),
        (False, "never"),
        ("form.size == 'large'", "“Size” is “large”"),
        ("form.size == 'small' and form.other == \"small\"", "“Size” is “Up to 10” and “other” is “small”"),
        ("form.rooms == ['a', 'b'] or form.rooms != []", "“Rooms” is “Hall” and “b” or “Rooms” is not empty"),
        ("form.size != '' or form.size in ['small']", "“Size” is not empty or “Size” in ['small']"),
        ("form.other != 1 and cost.first_year > 10", "“other” is not 1 and the cost’s first year > 10"),
        ("results.buy.safe_entry | default(none)", "“safe entry”"),
        ("requester.department in ['IT']", "the requester’s department in ['IT']"),
    ],
)
def test_a_condition_names_answers_by_their_labels(when: bool | str, said: str) -> None:
    assert WORDS.condition(when) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ beneficiary.login }}", "the person it is for"),
        ("{{ requester }}", "the person who orders"),
        ("team-{{ form.size }}", "team-“Size”"),
        ("team-{{ form.size | slug }}", "team-‹“Size” | slug›"),
        ("two\nlines", "two lines"),
        ("{{ item.name }} of {{ item.owner }}", "Wiki of ada"),
        ("{{ item.tags }}", "‹item.tags›"),
        ("{{ form.who.login }} and {{ form.who.name }}", "“Who” and “Who”"),
        ("{{ form.login }}", "“login”"),
        ("{{ form.size | default('none') }}", "“Size”"),
        ("{{ form.size | default('a' | upper) }}", "‹“Size” | default('a' | upper)›"),
        ("{{ form.who and form.size == 'small' }}", "‹“Who” and “Size” is “Up to 10”›"),
        ("{{ beneficiary.groups }}", "the beneficiary’s groups"),
        ("{{ results.a.opened_as | default('x') }}", "“opened as”"),
        ("{{ result.folder }}", "“folder”"),
        ("{{ [form.who] + (form.rooms | default([])) }}", "‹[“Who”] + (“Rooms”)›"),
    ],
)
def test_a_text_names_its_expressions(text: str, said: str) -> None:
    assert WORDS.text(text) == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"rule": "manager"}, "the line manager"),
        ({"rule": "manager", "levels": 3}, "the manager 3 levels up"),
        ({"rule": "owner"}, "the owners of what is given"),
        ({"rule": "owner", "group": "x"}, "the owners of x"),
        ({"rule": "item_owner"}, "ada, who answers for the item"),
        ({"rule": "group", "group": "finance"}, "the group finance"),
        ({"rule": "role", "role": "security-officer"}, "whoever holds the role security-officer"),
        ({"rule": "role", "role": "buyer-{{ form.size }}"}, "whoever holds the role buyer-“Size”"),
        ({"rule": "person", "person": "grace"}, "grace"),
        ({"rule": "expression", "people": "{{ form.size }}"}, "“Size”"),
    ],
)
def test_whom_a_rule_names(rule: dict[str, Any], said: str) -> None:
    stage = Stage.model_validate(MANAGER | {"approvers": [rule]})
    assert WORDS.approvers(stage.approvers) == said


@pytest.mark.parametrize(
    ("quorum", "said"),
    [("any", "One of them decides."), ("all", "All of them must approve."), (2, "2 of them must approve.")],
)
def test_a_stage_with_several_rules_says_how_many_must_approve(quorum: str | int, said: str) -> None:
    rules = [{"rule": "manager"}, {"rule": "group", "group": "it"}]
    stage = Stage.model_validate(MANAGER | {"approvers": rules, "quorum": quorum})
    assert WORDS.stage(stage) == ["Asks the line manager and the group it.", said]


def test_a_stage_says_when_it_is_needed_and_when_nobody_is_asked() -> None:
    auto = [{"id": "small", "when": "form.size == 'small'", "because": "It is little."}]
    stage = Stage.model_validate(MANAGER | {"when": "form.size", "auto_approve": auto})
    assert WORDS.stage(stage)[1:] == ["Only if “Size”.", "Approved by itself if “Size” is “Up to 10”."]


def test_a_stage_that_does_not_simply_follow_says_when_it_begins() -> None:
    stages = [MANAGER, MANAGER | {"id": "owner", "name": "Owner", "after": []}]
    stages.append(MANAGER | {"id": "last", "after": ["manager", "owner"]})
    item = plain(approvals=stages)
    words = Words(item)
    assert [words.stage(stage)[1:] for stage in item.approvals] == [
        [],
        ["Begins at once."],
        ["Begins once Line manager and Owner have approved."],
    ]


STEPS = [
    ({"do": "wait", "duration": "2 days"}, "Wait 2 days", "", ""),
    ({"do": "wait", "until": "{{ form.day }}"}, "Wait until “day”", "", ""),
    (
        {"do": "wait", "event": "arrival", "timeout": "1 week", "at_deadline": "cancel"},
        "Wait for arrival", "7 days, then it ends", "",
    ),
    ({"do": "grant", "group": "x"}, "Put the person it is for into x", "", "Take the person it is for out of x"),
    ({"do": "revoke", "group": "x"}, "Take the person it is for out of x", "", "Put the person it is for back into x"),
    ({"do": "call", "action": "x.make", "timeout": "1 hour"}, "x.make", "1 hour, then an operator is asked", ""),
    (
        {"do": "http", "url": "https://x", "undo": {"do": "http", "method": "DELETE", "url": "https://x"}},
        "GET https://x", "", "DELETE https://x",
    ),
    ({"do": "notify", "to": ["ada", "bob"], "subject": "Hi", "text": "x"}, "Write to ada and bob: Hi", "", ""),
    ({"do": "request", "item": "vpn"}, "Order vpn for the person it is for", "", ""),
    ({"do": "approve", "stage": MANAGER}, "Line manager", "10 days, then the request expires", ""),
    (
        {"do": "task", "title": "Build", "assign": [{"rule": "manager"}], "due": "1 day"},
        "Build", "due in 1 day", "",
    ),
    (
        {"do": "for_each", "each": "{{ form.x }}", "steps": [{"id": "b", "do": "wait", "duration": "1 h"}]},
        "For each of “x”", "", "",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("written", "doing", "within", "undoing"), STEPS, ids=[step[1] for step in STEPS])
def test_a_step_in_words(written: dict[str, Any], doing: str, within: str, undoing: str) -> None:
    item = steps({"id": "a"} | written)
    words, (step,) = Words(item), item.steps
    assert (words.step(step), words.within(step), words.undoing(step)) == (doing, within, undoing)


def test_a_step_with_a_name_says_what_it_does_as_well() -> None:
    written = {"id": "a", "name": "Build it", "when": "form.size", "do": "task", "title": "Build"}
    item = steps(written | {"assign": [{"rule": "manager"}], "irreversible": "It is stone."}, form=FORM)
    assert Words(item).about(item.steps[0]) == [
        "Only if “Size”.", "Build.", "Done by the line manager.", "Cannot be taken back: It is stone.",
    ]  # fmt: skip


def test_what_somebody_hands_in_is_called_by_its_label_unless_tasks_differ() -> None:
    def task(name: str, *evidence: tuple[str, str]) -> dict[str, Any]:
        fields = [{"id": one, "type": "text", "label": label} for one, label in evidence]
        return {"id": name, "do": "task", "title": "x", "assign": [{"rule": "manager"}], "evidence": fields}

    words = Words(steps(task("a", ("badge", "Badge"), ("no", "Number")), task("b", ("no", "Case"))))
    assert words.text("{{ result.badge }}, {{ results.a.no }}") == "“Badge”, “no”"


def test_an_entry_of_a_loop_is_called_what_its_author_calls_it() -> None:
    inner = [{"id": "b", "do": "wait", "duration": "1 h"}]
    loops = [
        {"id": "a", "do": "for_each", "each": "{{ form.x }}", "variable": "new_guest", "steps": inner},
        {"id": "c", "do": "for_each", "each": "{{ form.x }}", "steps": [inner[0] | {"id": "d"}]},
    ]
    words = Words(steps(*loops))
    said = words.text("{{ new_guest }}, {{ new_guest.login }}, {{ new_guest.home_town }}, {{ each.mail }}, {{ other }}")
    assert said == "the new guest, the new guest, the new guest’s home town, the entry’s mail, ‹other›"


def test_a_sentence_that_is_a_question_needs_no_full_stop() -> None:
    item = steps({"id": "a", "name": "Ask", "do": "task", "title": "Is it needed?", "assign": [{"rule": "manager"}]})
    assert Words(item).about(item.steps[0])[0] == "Is it needed?"


def test_parallel_steps_are_called_by_their_name_or_so() -> None:
    branch = [{"id": "b", "do": "wait", "duration": "1 h"}]
    item = steps({"id": "a", "do": "parallel", "branches": {"x": branch, "y": [branch[0] | {"id": "c"}]}})
    assert Words(item).step(item.steps[0]) == "Do at the same time"


@pytest.mark.parametrize(
    ("price", "said"),
    [
        (None, "what its parts cost"),
        ({"one_off": 5, "currency": "EUR"}, "5 EUR once, and what its parts cost"),
    ],
)
def test_a_bundle_costs_what_its_parts_cost(price: dict[str, Any] | None, said: str) -> None:
    bundle = plain(workflow=None, entitlement=None, lines=[{"id": "a", "item": "a"}], price=price)
    assert price_of(bundle) == said
    assert price_of(plain(price=price)) == ("5 EUR once" if price else "free")


def test_the_turns_of_stages_are_told_where_they_do_not_simply_follow() -> None:
    stages = [Turn("a", "A", (), asks=True), Turn("b", "B", ("a",), asks=True), Turn("c", "C", (), asks=True)]
    stages += [
        Turn("d", "D", ("a",), asks=False),
        Turn("e", "E", ("c",), asks=True),
        Turn("f", "F", ("b", "e"), asks=True),
    ]
    assert turns(stages) == ["", "", "at once", "", "", "once B and E have approved"]
    assert turns([]) == []
