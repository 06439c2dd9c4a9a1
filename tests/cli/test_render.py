"""What others wrote is shown as it stands: it is no markup, and it does not steer the terminal."""

from __future__ import annotations

from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from cli.client import Trouble
from cli.render import draft_table, plain, preview_panel, request_panel, request_table, stages, task_panel, task_table

HOSTILE = {
    "[/x]": "[/x]",
    "[bold]x[/bold]": "[bold]x[/bold]",
    "[link=https://evil.example]x[/link]": "[link=https://evil.example]x[/link]",
    ":warning:": ":warning:",
    "a\u202eb": "ab",
    "a\x1b[2Jb": "a [2Jb",
    "a\nb": "a b",
}
AT = "2025-03-03T12:00:00+00:00"
A_PROMISE = {"p50": AT, "p90": "2025-03-05T12:01:00+00:00", "cases": 132, "basis": "history"}


def printed(what: RenderableType) -> str:
    out = StringIO()
    Console(file=out, width=1_000, force_terminal=True, color_system=None).print(what)
    return out.getvalue()


def a_request(text: str) -> dict[str, Any]:
    person = {"name": text}
    waiting = {
        "kind": "people",
        "what": text,
        "who": [person | {"on_behalf_of": [person]}],
        "since": AT,
        "until": AT,
        "at_deadline": text,
        "then": text,
        "task": text,
        "calendar": text,
        "can": ["amend"],
    }
    task = {"id": text, "stage": text, "kind": "approval", "decided": None, "choices": [text], "can": ["decide", "ask"]}
    return {
        "number": text,
        "status": text,
        "outcome": None,
        "reason": text,
        "waiting": [waiting],
        "tasks": [task, task | {"id": "other", "kind": "information", "can": ["answer"]}],
        "you_may": ["comment"],
        "item": {"name": text, "version": text},
        "requester": person,
        "beneficiary": person,
        "accepted_at": AT,
        "priority": 1,
        "due_at": AT,
        "promise": A_PROMISE,
        "shown_answers": [[text, text]],
        "parent": text,
        "parts": [{"number": text, "item": person, "beneficiary": person, "status": text, "outcome": None}],
    }


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_a_request_shows_what_people_wrote_literally(text: str, shown: str) -> None:
    entry = {"at": AT, "kind": "comment", "text": text, "rule": text}
    out = printed(request_panel(a_request(text), [entry]))
    if text != "a\nb":  # an answer keeps its lines; that is tested below
        assert out.count(shown) == 27
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_lists_show_what_people_wrote_literally(text: str, shown: str) -> None:
    task = {
        "id": text,
        "kind": text,
        "title": text,
        "request": a_request(text),
        "claimed_by": {"name": text},
        "you_may": [text],
        "can": [],
        "yours": "delegated",
        "on_behalf_of": [{"name": text}],
        "due_at": None,
    }
    closed = task | {"decided": text, "closed_at": AT}
    for table, cells in ((request_table([a_request(text)]), 6), (task_table([task]), 7)):
        assert printed(table).count(shown) == cells
    assert printed(task_table([closed], closed=True)).count(shown) == 5


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_what_drafts_tasks_and_previews_hold_is_shown_literally(text: str, shown: str) -> None:
    person = {"name": text}
    field = {"id": text, "type": text, "label": text, "help": text, "required": True}
    task = {
        "id": text,
        "title": text,
        "request": a_request(text),
        "assignees": [{"person": person, "verdict": "approve", "by": person, "own": True, "on_behalf_of": []}],
        "claimed_by": person,
        "choices": [text],
        "can": ["decide"],
        "yours": "delegated",
        "on_behalf_of": [person],
        "may_reduce": [field],
        "context": {
            "cost": {"one_off": text, "recurring": text, "currency": text, "every": text},
            "changes": 2,
            "colleagues": 3,
            "earlier": [{"number": text, "accepted_at": AT, "outcome": None, "status": text}],
            "history": [{"at": AT, "text": text}],
        },
        "due_at": None,
        "decided": text,
        "decided_by": [person],
        "reason": text,
        "instructions": text.replace("\n", " "),
        "problem": None,
        "evidence": [field],
        "you_may": [text],
    }
    draft = {"id": text, "item": text, "beneficiary": text, "beneficiaries": [], "answers": {}, "updated_at": AT}
    error = {"field": text, "message": text}
    stage = {"id": text, "name": text, "after": [], "needed": True, "auto": "", "people": [person], "due_at": None}
    planned = {
        "item": person,
        "beneficiary": person,
        "stages": [stage],
        "later": [text],
        "cost": None,
        "due_at": AT,
        "promise": A_PROMISE,
    }
    preview = {"may_be_ordered": False, "errors": [error], "left_out": [], "orders": [planned]}
    for what, times in ((task_panel(task), 31), (draft_table([draft]), 3), (preview_panel(preview), 7)):
        out = printed(what)
        assert out.count(shown) == times
        assert "\x1b" not in out
        assert "\u202e" not in out


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_the_stages_of_an_item_are_shown_literally_with_when_they_begin(text: str, shown: str) -> None:
    first = {"id": "a", "name": text, "approvers": text, "after": []}
    out = printed(stages([first, first | {"id": "b", "after": ["a"]}]))
    assert out.count(shown) == 5
    assert f"once {shown} has approved" in out


def test_an_item_without_stages_says_that_nobody_decides() -> None:
    assert "nobody" in printed(stages([]))


def test_a_preview_says_which_stages_do_not_simply_follow() -> None:
    stage = {"needed": True, "auto": "", "people": [], "due_at": None}
    three = [stage | {"id": "a", "name": "A", "after": []}, stage | {"id": "b", "name": "B", "after": []}]
    three.append(stage | {"id": "c", "name": "C", "after": ["a", "b"]})
    who = {"name": "Ada"}
    order = {
        "item": who,
        "beneficiary": who,
        "stages": three,
        "later": [],
        "cost": None,
        "due_at": AT,
        "promise": A_PROMISE,
    }
    out = printed(preview_panel({"may_be_ordered": True, "errors": [], "left_out": [], "orders": [order]}))
    assert [when in out for when in ("B  an operator: nobody was found, at once", "once A and B have approved")]
    assert out.count("at once") == 1


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_a_trouble_shows_what_the_server_said_literally(text: str, shown: str) -> None:
    assert printed(Trouble(text, (text,)).text()).splitlines() == [shown, f"  • {shown}"]
    assert printed(plain(text)) == f"{shown}\n"


def test_an_answer_keeps_its_lines() -> None:
    request = a_request("x") | {"shown_answers": [["Why?", "for work\nand play"]]}
    assert [line.split("│")[1].split() for line in printed(request_panel(request, [])).splitlines()[7:9]] == [
        ["Why?", "for", "work"],
        ["and", "play"],
    ]


THIS_YEAR = datetime.now().astimezone().year


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (
            {"p50": f"{THIS_YEAR}-06-02T12:00:00", "p90": f"{THIS_YEAR}-06-04T09:30:00", "cases": 132},
            "Usually done by {p50:%a} 02 Jun, 12:00; nine of ten by {p90:%a} 04 Jun, 09:30 (from 132 earlier orders).",
        ),
        (
            {"p50": "2019-12-31T12:00:00", "p90": "2020-01-03T09:30:00", "cases": 1},
            "Usually done by Tue 31 Dec 2019, 12:00; nine of ten by Fri 03 Jan 2020, 09:30 (from 1 earlier order).",
        ),
        (
            {"p50": "2020-01-03T09:30:00", "p90": "2020-01-03T09:30:00", "cases": 7, "basis": "sla"},
            "Promised by Fri 03 Jan 2020, 09:30 (too few earlier orders to tell).",
        ),
    ],
)
def test_a_promise_is_said_in_words_with_the_year_only_if_it_is_another(promise: dict[str, Any], words: str) -> None:
    p50, p90 = (datetime.fromisoformat(promise[name]) for name in ("p50", "p90"))
    said = words.format(p50=p50, p90=p90)
    request = a_request("x") | {"promise": {"basis": "history"} | promise}
    assert said in " ".join(printed(request_panel(request, [])).split())
    order: dict[str, Any] = {
        "item": {"name": "x"},
        "beneficiary": {"name": "x"},
        "stages": [],
        "later": [],
        "cost": None,
        "due_at": AT,
    }
    preview = {
        "may_be_ordered": True,
        "errors": [],
        "left_out": [],
        "orders": [order | {"promise": request["promise"]}],
    }
    assert said in " ".join(printed(preview_panel(preview)).split())


def test_a_request_with_nothing_to_promise_promises_nothing() -> None:
    assert "Expected" not in printed(request_panel(a_request("x") | {"promise": None}, []))


def test_closed_tasks_have_their_outcome_under_its_own_title() -> None:
    task = {
        "id": "REQ-1.1",
        "kind": "approval",
        "title": "t",
        "request": a_request("x"),
        "decided": "approved",
        "closed_at": AT,
    }
    head, row = printed(task_table([task], closed=True)).splitlines()
    assert head.index("Outcome") == row.index("approved")
    assert "Due" not in head
