"""What an item says, in words."""

from __future__ import annotations

from typing import Any

import pytest
from support.items import CLOCKS, MANAGER, PRIORITY, TERMS, plain, steps

from catalog import stage_words
from catalog.clock_words import clock, priority
from catalog.item import Price
from catalog.stages import Stage
from catalog.steps import walk
from catalog.text import capital, listed
from catalog.wording import Turn, Words, following, price, price_of, turns

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
        ("{{ item.tags }}", "the item’s tags"),
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
        ({"rule": "ci_owner", "ci": "web-{{ form.size }}"}, "the owners of web-“Size”"),
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
    [
        ("any", "One of them decides."),
        ("all", "All of them must approve."),
        (2, "2 of them must approve."),
        ("60 %", "60 % of them must approve."),
        ("responded", "One approval is enough, once all of them have answered."),
    ],
)
def test_a_stage_with_several_rules_says_how_many_must_approve(quorum: str | int, said: str) -> None:
    rules = [{"rule": "manager"}, {"rule": "group", "group": "it"}]
    stage = Stage.model_validate(MANAGER | {"approvers": rules, "quorum": quorum})
    assert WORDS.stage(stage) == ["Asks the line manager and the group it.", said]


def _asked(*rules: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    """Return a group of people; a name is that of a directory group."""
    return {"approvers": [{"rule": "group", "group": one} if isinstance(one, str) else one for one in rules]} | more


BOSS, OWNER = _asked({"rule": "manager"}), _asked({"rule": "item_owner"})


@pytest.mark.parametrize(
    ("decide", "said"),
    [
        ({"all": [BOSS, _asked("it")]}, "Both of these must approve: the line manager; one of the group it."),
        ({"all": [BOSS, OWNER, _asked("it", quorum="all")]}, (
            "All of these must approve: the line manager; ada, who answers for the item; all of the group it."
        )),
        ({"any": [BOSS, _asked("it", quorum=2)]}, "One of these must approve: the line manager; 2 of the group it."),
        ({"at_least": 2, "of": [BOSS, {"any": [OWNER, _asked("a", "b", quorum="60%")]}, {"all": [_asked("c")]}]}, (
            "2 of these must approve: the line manager; "
            "one of (ada, who answers for the item; 60 % of the group a and the group b); one of the group c."
        )),
        ({"all": [{"all": [BOSS]}]}, "One of them decides."),
        (_asked("a", "b", quorum=2, each=True), "2 each of the group a and the group b must approve."),
        (_asked("a", "b", quorum="all", each=True), "All of the group a and the group b must approve."),
        (_asked("a", {"rule": "manager"}, weight=5), "Those who approve must weigh 5 together."),
        ({"any": [BOSS, _asked({"rule": "group", "group": "a", "weight": 3}, weight=5)]}, (
            "One of these must approve: the line manager; "
            "the group a (weighing 3 each), with a weight of 5 together."
        )),
        ({"any": [BOSS, _asked("a", quorum="responded")]}, (
            "One of these must approve: the line manager; one of the group a, once all of them have answered."
        )),
        (_asked("a", veto=True), "One of them decides. A rejection by the group a is final."),
    ],
)  # fmt: skip
def test_an_approval_expression_in_words(decide: dict[str, Any], said: str) -> None:
    """Feature rows A1 and A2."""
    stage = Stage.model_validate({"id": "a", "name": "A", "decide": decide})
    assert " ".join(WORDS.stage(stage)[1:]) == said


def test_whom_an_expression_names_twice_is_named_once() -> None:
    stage = Stage.model_validate({"id": "a", "name": "A", "decide": {"any": [BOSS, {"all": [BOSS, OWNER]}]}})
    assert WORDS.stage(stage)[0] == "Asks the line manager and ada, who answers for the item."


SAID = {
    "distinct": ("One person counts for one of these groups only.", "One person may count for several groups at once."),
    "deny": ("2 rejections refuse it.", "It is refused once it can no longer be approved."),
    "remind": (
        "They are reminded after 2 working days, then every working day, 5 times at most.", "Nobody is reminded.",
    ),
    "notice": ("They are told 4 working hours before the deadline.", "Nobody is told that the deadline comes near."),
    "escalate": (
        (
            "If they do not decide in time, it goes to the manager 2 levels up as well for 2 working days "
            "(announced 1 day before)."
        ),
        "It goes to nobody else if they do not decide in time.",
    ),
    "at_deadline": ("If nobody decides in time, it is refused.", "If nobody decides in time, the request expires."),
    "fallback": (
        "If none of them may decide, it goes to ada, who answers for the item.",
        "If none of them may decide, the manager above theirs or the owner of the item is asked.",
    ),
    "when_nobody": (
        "If nobody may decide at all, it is refused.", "If nobody may decide at all, an operator sees to it.",
    ),
    "own": ("Who orders may decide on it themselves.", "Nobody decides on what they order or get."),
    "calendar": ("Working time is that of the calendar “germany”.", "Working time is that of each of them."),
    "acts_in": ("They may decide only while the calendar “office” is open.", "They may decide at any time."),
    "concerns": (
        "They decide on “Size” only: others may change without asking them again.", "They decide on all answers.",
    ),
    "may_reduce": ("They may make “Size” smaller.", "They change no answer."),
    "revalidate": ("The vote of somebody who is no longer asked falls.", "A vote once cast stays."),
    "answer_within": (
        "Who orders has 3 days to answer a question of theirs.",
        "Who orders has 10 days to answer a question of theirs.",
    ),
    "unanswered": (
        "A question that is not answered in time goes back to them.",
        "A question that is not answered in time cancels the request.",
    ),
    "bulk": (
        "It may not be decided together with others in one go.", "It may be decided together with others in one go.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("term", TERMS)
def test_each_term_of_a_stage_has_a_sentence_and_is_told_where_it_is_not_the_usual(term: str) -> None:
    usual = Stage.model_validate(MANAGER)
    other = Stage.model_validate(MANAGER | {term: TERMS[term]})
    assert (stage_words.TERMS[term](other, WORDS), stage_words.TERMS[term](usual, WORDS)) == SAID[term]
    assert WORDS.terms(usual) == ()
    assert WORDS.terms(other) == (() if term in ("escalate", "at_deadline") else (SAID[term][0],))


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ({"deny": 1}, "One rejection refuses it."),
        ({"remind": {"after": "1 day"}}, "They are reminded once, after 1 day."),
        ({"remind": {"after": "1 day", "every": "1 day", "at_most": 1}}, "They are reminded once, after 1 day."),
        ({"remind": {"after": "1 day", "every": "1 day"}}, (
            "They are reminded after 1 day, then every day, 10 times at most."
        )),
        ({"remind": {"after": "1 day", "every": "1 day 2 hours", "at_most": 3}}, (
            "They are reminded after 1 day, then every 1 day 2 hours, 3 times at most."
        )),
        ({"fallback": []}, "If none of them may decide, nobody else is asked."),
        ({"fallback": [{"rule": "role", "role": "x"}, {"rule": "item_owner"}]}, (
            "If none of them may decide, it goes to whoever holds the role x, then to ada, who answers for the item."
        )),
        ({"own": ["requester", "beneficiary"]}, "Who orders and who gets it may decide on it themselves."),
        ({"concerns": []}, "They decide on no answer: others may change without asking them again."),
        ({"notice": "1 day", "escalate": TERMS["escalate"]}, "They are told 1 day before the last deadline."),
    ],
)  # fmt: skip
def test_a_term_in_words(term: dict[str, Any], said: str) -> None:
    assert WORDS.terms(Stage.model_validate(MANAGER | term)) == (said,)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("expire", "the request expires"),
        ("reject", "it is refused"),
        ("approve", "it counts as approved"),
        ("skip", "it goes on without a decision"),
    ],
)
def test_a_deadline_tells_each_escalation_and_the_end(end: str, said: str) -> None:
    """Feature rows A13 and A14."""
    more = {"to": [{"rule": "item_owner"}], "how": "replace", "decide_within": "1 day"}
    stage = MANAGER | {"decide_within": "3 working days", "escalate": [*TERMS["escalate"], more], "at_deadline": end}
    assert WORDS.deadline(Stage.model_validate(stage)) == (
        "3 working days, then it goes to the manager 2 levels up as well for 2 working days (announced 1 day before), "
        f"then it goes to ada, who answers for the item instead for 1 day, then {said}"
    )


def test_clocks_in_words() -> None:
    """Feature rows S1, S4 and S6."""
    decision, delivery = plain(clocks=CLOCKS).clocks
    assert clock(decision) == (
        "“Decision” runs from stage opened to stage closed, for each stage, but stands still at information requested, "
        "within 3 working days, warning at 50 % and 75 %."
    )
    assert clock(delivery) == (
        "“Delivery” runs from reported as “shipped” to closed or stage closed of “manager”, but stands still at "
        "attention, within 4 hours at priority 1 and by 16:00 on the next working day at any other, warning at 50 % "
        "and 75 %, in the calendar “germany”."
    )


def test_a_clock_without_a_target_only_measures() -> None:
    (spec,) = plain(clocks=[{"id": "a", "name": "All", "start": "ordered", "stop": "closed"}]).clocks
    assert clock(spec) == "“All” runs from ordered to closed, without a target."
    timed = {"id": "a", "measures": "response", "by_priority": {1: "by 09:00 in 2 working days"}}
    (spec,) = plain(clocks=[timed]).clocks
    assert clock(spec).endswith("closed, by 09:00 in 2 working days at priority 1, warning at 50 % and 75 %.")


def test_a_priority_in_words() -> None:
    spec = plain(form=FORM, priority=PRIORITY).priority
    assert spec is not None
    assert priority(spec, WORDS.text) == (
        "Orders get their priority from impact/urgency, here “Size”/low: 1 (high/high), 2 (high/medium, medium/high), "
        "3 (high/low, medium/medium, low/high), 4 (medium/low, low/medium) and 5 (low/low)."
    )


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
        ["Begins after the approval of Line manager and Owner."],
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


def test_w1_what_comes_after_a_step_is_called_by_its_name_or_else_its_id() -> None:
    pause: dict[str, Any] = {"do": "wait", "duration": "1 day"}
    left = [{"id": "left", **pause}, {"id": "hand-over", **pause, "when": "form.size == 'large'"}]
    item = steps(
        {"id": "first", **pause},
        {"id": "both", "do": "parallel", "name": "Do both", "branches": {"a": left, "b": [{"id": "right", **pause}]}},
        {"id": "last", **pause},
        form=FORM,
    )
    walked = {step.id: following(item.steps, step) for _, step in walk(item.steps)}
    assert walked == {
        "first": "The next step begins: Do both.",
        "both": "The next step begins: Last.",
        "left": "The next step begins, if it is needed: Hand over.",
        "hand-over": "The work goes on.",
        "right": "The work goes on.",
        "last": "The request is fulfilled.",
    }


def test_the_turns_of_stages_are_told_where_they_do_not_simply_follow() -> None:
    stages = [Turn("a", "A", (), asks=True), Turn("b", "B", ("a",), asks=True), Turn("c", "C", (), asks=True)]
    stages += [
        Turn("d", "D", ("a",), asks=False),
        Turn("e", "E", ("c",), asks=True),
        Turn("f", "F", ("b", "e"), asks=True),
    ]
    assert turns(stages) == ["", "", "at once", "", "", "after the approval of B and E"]
    assert turns([]) == []
