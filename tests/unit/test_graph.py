"""The graph of an item, where its cards stand, and its picture."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.items import GROUPS, MANAGER, TERMS, plain, project, steps

from catalog.graph import FULFILLED, UNFULFILLED, Graph, graph, mermaid
from catalog.item import CatalogItem
from catalog.layout import Box, Size, lay_out
from catalog.picture import SIDE_WIDTH, WIDTH, svg, text_width, wrapped
from catalog.registry import ActionSpec, Known, WorkflowSpec

SVG = "{http://www.w3.org/2000/svg}"


def flow(drawn: Graph) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in drawn.edges if edge.kind == "flow"}


def node(drawn: Graph, name: str) -> Any:
    return next(one for one in drawn.nodes if one.id == name)


def boxes(drawn: Graph) -> dict[str, Box]:
    sizes = {one.id: Size(100, 50) for one in drawn.nodes if one.kind != "deadline"}
    return lay_out(drawn, sizes).boxes


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width and other.x < one.x + one.width and one.y < other.bottom and other.y < one.bottom
    )


def test_an_item_goes_from_its_form_over_its_stages_to_its_end() -> None:
    drawn = graph(plain(approvals=[MANAGER]))
    assert flow(drawn) == {("form", "stage-manager"), ("stage-manager", "workflow"), ("workflow", FULFILLED)}


def test_stages_side_by_side_begin_together_and_lead_to_what_follows_them() -> None:
    owner = MANAGER | {"id": "owner", "after": []}
    both = {("form", "stage-manager"), ("form", "stage-owner")}
    drawn = graph(plain(approvals=[MANAGER, owner]))
    assert flow(drawn) == both | {("stage-manager", "workflow"), ("stage-owner", "workflow"), ("workflow", FULFILLED)}
    last = MANAGER | {"id": "last", "after": ["manager", "owner"]}
    drawn = graph(plain(approvals=[MANAGER, owner, last]))
    after = {("stage-manager", "stage-last"), ("stage-owner", "stage-last"), ("stage-last", "workflow")}
    assert flow(drawn) == both | after | {("workflow", FULFILLED)}


def test_a_refusal_leads_to_the_other_end() -> None:
    drawn = graph(plain(approvals=[MANAGER]))
    assert [edge.target for edge in drawn.edges if edge.kind == "refused"] == [UNFULFILLED]


def test_a_stage_has_its_deadline_beside_it() -> None:
    drawn = graph(plain(approvals=[MANAGER | {"decide_within": "3 days"}]))
    deadline = node(drawn, "deadline-stage-manager")
    assert (deadline.beside, deadline.title) == ("stage-manager", "3 days, then the request expires")


def test_a_deadline_tells_to_whom_it_is_escalated_and_a_card_when_people_are_reminded() -> None:
    """Feature rows A12 and A13."""
    drawn = graph(plain(approvals=[MANAGER | {name: TERMS[name] for name in ("remind", "escalate", "at_deadline")}]))
    assert node(drawn, "deadline-stage-manager").title == (
        "10 days, then it goes to the manager 2 levels up as well for 2 working days (announced 1 day before), "
        "then it is refused"
    )
    assert "They are reminded after 2 working days, then every working day, 5 times at most." in (
        node(drawn, "stage-manager").lines
    )


@pytest.mark.parametrize(
    ("end", "label"),
    [("expire", "refused, too late"), ("reject", "refused, too late"), ("approve", "refused"), ("skip", "refused")],
)
def test_a_deadline_leads_back_only_if_it_ends_the_request(end: str, label: str) -> None:
    """Feature row A14."""
    drawn = graph(plain(approvals=[MANAGER | {"at_deadline": end}]))
    assert [edge.label for edge in drawn.edges if edge.kind == "refused"] == [label]


def test_what_gives_something_can_be_taken_back() -> None:
    drawn = graph(plain())
    undo = {(edge.source, edge.target) for edge in drawn.edges if edge.kind == "undo"}
    assert undo == {("workflow", "undo-workflow"), ("undo-workflow", UNFULFILLED)}


def test_undoing_goes_back_in_reverse() -> None:
    drawn = graph(steps({"id": "a", "do": "grant", "group": "x"}, {"id": "b", "do": "revoke", "group": "y"}))
    assert ("undo-step-b", "undo-step-a") in {(edge.source, edge.target) for edge in drawn.edges}


def test_a_refusal_after_an_effect_leads_to_its_undo() -> None:
    drawn = graph(steps({"id": "a", "do": "grant", "group": "x"}, {"id": "b", "do": "approve", "stage": MANAGER}))
    assert [edge.target for edge in drawn.edges if edge.kind == "refused"] == ["undo-step-a"]


def test_an_item_that_cannot_go_wrong_has_one_end() -> None:
    drawn = graph(steps({"id": "hello", "do": "notify", "to": ["ada"], "subject": "Hello", "text": "Hello"}))
    assert UNFULFILLED not in {one.id for one in drawn.nodes}
    assert "Not fulfilled" not in svg(drawn)


def test_branches_begin_at_their_step_and_meet_after_it() -> None:
    drawn = graph(project())
    assert {target for source, target in flow(drawn) if source == "step-things"} == {
        "step-folder", "step-repo", "step-ok",
    }  # fmt: skip
    assert {source for source, target in flow(drawn) if target == "step-until"} == {
        "step-quota", "step-repo", "step-tell",
    }  # fmt: skip
    assert {edge.label for edge in drawn.edges if edge.source == "step-things"} == {"folder", "repository", "licences"}


def test_a_name_that_depends_on_the_order_is_told_in_words() -> None:
    stage = MANAGER | {"name": "Guards for {{ group }} and {{ form.who }}"}
    form = [{"id": "who", "type": "text", "label": "Who"}]
    drawn = graph(steps({"id": "a", "do": "approve", "stage": stage}, form=form))
    assert node(drawn, "step-a").title == "Guards for ‹group› and “Who”"


def test_what_is_done_for_each_entry_is_marked() -> None:
    drawn = graph(project())
    assert [one.id for one in drawn.nodes if one.repeated] == ["step-lic", "step-tell", "undo-step-lic"]


def test_the_parts_of_a_bundle_follow_those_they_wait_for() -> None:
    drawn = graph(
        plain(
            workflow=None,
            entitlement=None,
            lines=[
                {"id": "account", "item": "account"},
                {"id": "mail", "item": "mail", "after": ["account", "lost"], "when": "beneficiary.mail"},
            ],
        )
    )
    assert flow(drawn) == {("form", "line-account"), ("line-account", "line-mail"), ("line-mail", FULFILLED)}
    assert node(drawn, "line-mail").lines == ("Only if the beneficiary’s mail.",)


def test_a_circle_of_parts_is_drawn_all_the_same() -> None:
    lines = [{"id": "a", "item": "x", "after": ["b"]}, {"id": "b", "item": "y", "after": ["a"]}]
    assert "</svg>" in svg(graph(plain(workflow=None, entitlement=None, lines=lines)))


def test_the_parts_of_a_bundle_may_be_listed_in_any_order() -> None:
    after = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}
    lines = [{"id": name, "item": name, "after": before} for name, before in after.items()]
    placed = boxes(graph(plain(workflow=None, entitlement=None, lines=lines)))
    assert placed["line-a"].y < placed["line-b"].y == placed["line-c"].y < placed["line-d"].y


def test_a_long_form_names_its_first_questions() -> None:
    form = [{"id": f"q{at}", "type": "text", "label": f"Question {at}"} for at in range(9)]
    rules = [{"id": "r", "when": True, "why_not": "no"}]
    lines = node(graph(plain(form=form, eligibility=rules)), "form").lines
    assert lines[5:] == ("• Question 5", "• and 3 more", "1 rule says who may have it.")


def test_two_rules_are_counted() -> None:
    rules = [{"id": name, "when": True, "why_not": "no"} for name in ("one", "two")]
    assert node(graph(plain(eligibility=rules)), "form").lines == ("2 rules say who may have it.",)


def test_actions_and_workflows_are_called_what_they_say_of_themselves() -> None:
    known = Known(
        workflows={"Own": WorkflowSpec(id="Own", summary="Make an account.")},
        actions={
            "x.make": ActionSpec(id="x.make", summary="Make it.", input={}, result={}, idempotent=True, undo="x.drop"),
            "x.drop": ActionSpec(id="x.drop", summary="Drop it.", input={}, result={}, idempotent=True),
        },
    )
    called = graph(steps({"id": "a", "do": "call", "action": "x.make"}), known)
    assert (node(called, "step-a").title, node(called, "undo-step-a").title) == ("Make it", "Drop it")
    assert node(graph(plain(workflow="Own", entitlement=None), known), "workflow").title == "Make an account"
    assert node(graph(plain(workflow="Other", entitlement=None)), "workflow").title == "Other"


def test_cards_do_not_overlap() -> None:
    placed = boxes(graph(project()))
    assert not [(one, other) for one, other in combinations(sorted(placed), 2) if overlap(placed[one], placed[other])]


def test_branches_stand_side_by_side_in_their_order() -> None:
    placed = boxes(graph(project()))
    assert placed["step-folder"].y == placed["step-repo"].y == placed["step-ok"].y
    assert placed["step-folder"].x < placed["step-repo"].x < placed["step-ok"].x


def test_the_way_back_is_beside_everything_else() -> None:
    drawn = graph(project())
    placed = boxes(drawn)
    side = {one.id for one in drawn.nodes if one.kind == "undo"} | {UNFULFILLED}
    assert min(placed[name].x for name in side) > max(
        box.x + box.width for name, box in placed.items() if name not in side
    )


NAMES = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True)


@given(NAMES, st.data())
def test_cards_of_any_bundle_do_not_overlap_and_come_after_those_they_wait_for(
    names: list[str], data: st.DataObject
) -> None:
    lines = [
        {
            "id": name,
            "item": "x",
            "after": data.draw(st.lists(st.sampled_from(names[:at]), unique=True) if at else st.just([])),
        }
        for at, name in enumerate(names)
    ]
    drawn = graph(plain(workflow=None, entitlement=None, lines=lines))
    placed = boxes(drawn)
    assert not [pair for pair in combinations(placed.values(), 2) if overlap(*pair)]
    assert all(placed[source].bottom < placed[target].y for source, target in flow(drawn))


def test_the_picture_is_xml_with_a_title_and_a_description() -> None:
    root = ET.fromstring(svg(graph(project())))
    title, description = (root.find(f"{SVG}{name}") for name in ("title", "desc"))
    assert title is not None
    assert description is not None
    assert title.text == "Project space with repository, shared folder and licences 1.2.0"
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"


def test_the_same_item_gives_the_same_picture() -> None:
    assert svg(graph(project())) == svg(graph(project()))


def test_the_picture_knows_light_and_dark() -> None:
    assert "@media (prefers-color-scheme: dark)" in svg(graph(plain()))


def test_what_an_author_writes_is_text_in_the_picture_and_in_mermaid() -> None:
    hostile = plain(
        name='<script>alert("x")</script>', form=[{"id": "q", "type": "text", "label": '"]; click n0 "x" &'}]
    )
    drawn = graph(hostile)
    root = ET.fromstring(svg(drawn))
    assert root.find(f".//{SVG}script") is None
    text = mermaid(drawn)
    assert "<script>" not in text
    assert '#34;#93;#59; click n0 #34;x#34; #38;"' in text


def test_mermaid_has_every_node_and_edge_once() -> None:
    drawn = graph(project())
    text = mermaid(drawn)
    deadlines = sum(one.kind == "deadline" for one in drawn.nodes)
    assert len(re.findall(r"^  n\d+\W.*:::", text, re.MULTILINE)) == len(drawn.nodes)
    assert len(re.findall(r"^  n\d+ (-->|-\.->|-\.-)", text, re.MULTILINE)) == len(drawn.edges) + deadlines


WAITING = {"id": "w", "do": "wait", "event": "go", "timeout": "1 day", "at_deadline": "cancel"}
SIDE_BY_SIDE = steps(
    {
        "id": "both",
        "do": "parallel",
        "branches": {
            "left": [{"id": "a", "do": "approve", "stage": MANAGER | {"id": "one"}}, {**WAITING, "id": "v"}],
            "middle": [{"id": "b", "do": "approve", "stage": MANAGER | {"id": "two", "when": "form.x == 'long'"}}],
            "right": [{"id": "c", "do": "grant", "group": "x"}, WAITING],
        },
    }
)


def test_what_is_asked_or_done_for_each_entry_says_so() -> None:
    inner = [{"id": "ask", "do": "approve", "stage": MANAGER}, {"id": "give", "do": "grant", "group": "{{ each }}"}]
    drawn = graph(steps({"id": "all", "do": "for_each", "each": "{{ ['a'] }}", "steps": inner}))
    assert {one.id for one in drawn.nodes if one.repeated} >= {"step-ask", "step-give"}
    assert svg(drawn).count(", EACH") == 3
    assert mermaid(drawn).count("each:") == 3


BUNDLE: dict[str, Any] = {"workflow": None, "entitlement": None}


@pytest.mark.parametrize(
    ("stages", "lines", "label", "said"),
    [
        ([], [{"id": "a", "item": "vpn"}], "fails", "Called off, or none of its parts was fulfilled."),
        (
            [MANAGER],
            [{"id": "a", "item": "vpn"}, {"id": "b", "item": "mail", "after": ["a"]}],
            "all fail",
            "Refused, too late or called off, or none of its parts was fulfilled.",
        ),
    ],
)
def test_a_bundle_may_be_fulfilled_in_part_or_not_at_all(
    stages: list[dict[str, Any]], lines: list[dict[str, Any]], label: str, said: str
) -> None:
    drawn = graph(plain(**BUNDLE, approvals=stages, lines=lines))
    last = f"line-{lines[-1]['id']}"
    refused = [(one.source, one.target, one.label) for one in drawn.edges if one.kind == "refused"]
    assert refused[-1] == (last, UNFULFILLED, label)
    assert len(refused) == len(stages) + 1
    assert node(drawn, FULFILLED).lines == ("In part, if some of its parts were not.",)
    assert node(drawn, UNFULFILLED).lines == (said,)


def test_other_items_are_called_by_their_names_if_these_are_known() -> None:
    bundle = plain(**BUNDLE, lines=[{"id": "a", "item": "vpn"}, {"id": "b", "item": "lost"}])
    drawn = graph(bundle, names={"vpn": "VPN access"})
    assert (node(drawn, "line-a").title, node(drawn, "line-b").title) == ("VPN access", "lost")
    assert drawn.description.startswith("An order brings VPN access and lost;")
    ordered = graph(steps({"id": "a", "do": "request", "item": "vpn"}), names={"vpn": "VPN access"})
    assert node(ordered, "step-a").title == "Order VPN access for the person it is for"


def refused(drawn: Graph) -> dict[str, str]:
    return {one.source: one.target for one in drawn.edges if one.kind == "refused"}


ASK = {"do": "approve", "stage": MANAGER}
GIVE = {"do": "grant", "group": "x"}


def test_a_refusal_takes_back_what_branches_beside_it_may_have_done() -> None:
    left, right = [{"id": "ask", **ASK}, {"id": "late", **GIVE}], [{"id": "one", **GIVE}, {"id": "two", **GIVE}]
    drawn = graph(steps({"id": "both", "do": "parallel", "branches": {"left": left, "right": right}}))
    chain = [one.id for one in drawn.nodes if one.kind == "undo"]
    assert chain == ["undo-step-one", "undo-step-two", "undo-step-late"]
    assert refused(drawn) == {"step-ask": "undo-step-two"}


def test_a_refusal_in_a_loop_takes_back_what_earlier_rounds_did() -> None:
    inner = [{"id": "ask", **ASK}, {"id": "give", **GIVE}]
    loop = {"id": "all", "do": "for_each", "each": "{{ ['a'] }}", "steps": inner}
    drawn = graph(
        steps({"id": "first", "do": "approve", "stage": MANAGER | {"id": "first"}}, loop, {"id": "after", **GIVE})
    )
    assert refused(drawn) == {"step-first": UNFULFILLED, "step-ask": "undo-step-give"}


def test_the_way_back_says_what_leads_there() -> None:
    drawn = graph(project())
    words = re.findall(r'<text class="label[^>]*>([^<]+)<', svg(drawn))
    refused = sum(edge.kind == "refused" for edge in drawn.edges)
    undone = sum(one.kind == "undo" for one in drawn.nodes)
    assert refused
    assert undone
    assert (words.count("refused"), words.count("too late"), words.count("undo")) == (refused, refused, undone)
    assert "refused, too late" in svg(graph(SIDE_BY_SIDE))


WORDY = {"id": "groups", "name": "Groups", "decide": GROUPS} | TERMS


@pytest.mark.parametrize(
    "item", [project(), plain(approvals=[MANAGER]), plain(approvals=[WORDY])], ids=["large", "small", "wordy"]
)
def test_no_text_is_wider_than_its_card(item: CatalogItem) -> None:
    root = ET.fromstring(svg(graph(item)))
    sizes = {"title": 14, "line": 12.5, "caption": 10, "badge-text": 11}
    texts = [text for text in root.iter(f"{SVG}text") if text.get("class") in sizes]
    assert texts
    for text in texts:
        end = float(text.get("x", "0")) + text_width(text.text or "", sizes[text.get("class", "")])
        assert end <= max(WIDTH, SIDE_WIDTH)


@given(st.text(max_size=300), st.floats(30, 300))
def test_wrapping_loses_nothing_but_spaces(text: str, width: float) -> None:
    lines = wrapped(text, width, 12)
    assert "".join("".join(lines).split()) == "".join(wrapped(text, 10**9, 12)).replace(" ", "")
    assert all(text_width(line, 12) <= width or len(line) == 1 for line in lines)


def test_a_long_word_is_cut_at_a_mark_rather_than_in_a_name() -> None:
    assert wrapped("https://git.example.org/repositories", 200, 14) == ["https://git.example.org/", "repositories"]


def test_wide_characters_take_more_room() -> None:
    assert text_width("漢字", 10) == 20


def test_the_parts_of_a_bundle_are_said_to_be_decided_by_themselves() -> None:
    bundle: dict[str, Any] = {"workflow": None, "entitlement": None, "lines": [{"id": "a", "item": "vpn"}]}
    assert graph(plain(**bundle)).description == (
        "An order brings vpn; each part is decided by itself. All of it is fulfilled within 5 days."
    )
    assert graph(plain(**bundle, approvals=[MANAGER])).description == (
        "An order is decided by Line manager, then brings vpn; each part is decided by itself. "
        "All of it is fulfilled within 5 days."
    )


@pytest.mark.parametrize(
    ("deadline", "targets"),
    [
        ({"timeout": "1 day", "at_deadline": "cancel"}, [("step-b", "undo-step-a", "too late")]),
        ({"timeout": "1 day", "at_deadline": "continue"}, []),
        ({"at_deadline": "cancel"}, []),
    ],
)
def test_a_deadline_that_ends_the_request_leads_back(
    deadline: dict[str, Any], targets: list[tuple[str, str, str]]
) -> None:
    wait = {"id": "b", "do": "wait", "event": "go", **deadline}
    drawn = graph(steps({"id": "a", "do": "grant", "group": "x"}, wait))
    assert [(one.source, one.target, one.label) for one in drawn.edges if one.kind == "refused"] == targets


def test_a_stage_leads_back_when_it_is_refused_or_too_late() -> None:
    drawn = graph(plain(approvals=[MANAGER]))
    (edge,) = (one for one in drawn.edges if one.kind == "refused")
    assert (edge.source, edge.target, edge.label) == ("stage-manager", UNFULFILLED, "refused, too late")
