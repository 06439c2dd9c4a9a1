"""What others wrote is shown as it stands: it is no markup, and it does not steer the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from api.schemas.journal import EntryOut
from catalog.journal import Chain, Kind
from cli.client import Trouble
from cli.render import (
    access_table,
    clock,
    delegation_set,
    delegation_table,
    draft_table,
    expected,
    plain,
    preview_panel,
    request_panel,
    request_table,
    stages,
    task_panel,
    task_table,
)

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
A_PROMISE = {"p50": AT, "p90": "2025-03-05T12:01:00+00:00", "cases": 132, "basis": "history", "outlasted": False}


def printed(what: RenderableType) -> str:
    out = StringIO()
    Console(file=out, width=1_000, force_terminal=True, color_system=None).print(what)
    return out.getvalue()


def a_request(text: str) -> dict[str, Any]:
    person = {"id": text, "name": text}
    waiting = {
        "kind": "people",
        "what": text,
        "who": [person | {"on_behalf_of": [person]}],
        "whom": "",
        "since": AT,
        "until": AT,
        "why": text,
        "at_deadline": text,
        "then": text,
        "task": text,
        "calendar": text,
        "event": text,
        "can": ["amend", "report"],
    }
    asked = {"person": person, "own": True, "escalated": False}
    task = {
        "id": text,
        "stage": text,
        "kind": "approval",
        "assignees": [asked],
        "quorum": None,
        "needs": f"needs {text}",
        "decided": None,
        "choices": [text],
        "can": ["decide", "ask"],
    }
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
        "replaces": "",
        "replaced_by": "",
        "parts": [{"number": text, "item": person, "beneficiary": person, "status": text, "outcome": None}],
    }


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_a_request_shows_what_people_wrote_literally(text: str, shown: str) -> None:
    entry = {"at": AT, "kind": "comment", "text": text, "rule": text, "data": {}}
    out = printed(request_panel(a_request(text), [entry]))
    if text != "a\nb":  # an answer keeps its lines; that is tested below
        assert out.count(shown) == 31
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
        "needs": text,
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
            "risk": text,
            "changes": 2,
            "colleagues": 3,
            "earlier": [{"number": text, "accepted_at": AT, "outcome": None, "status": text}],
            "history": [{"at": AT, "text": text, "data": {}}],
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
    place = {"login": text, "group": text, "gains": True, "for_a_while": True, "perhaps": True, "already": True}
    access = {"beneficiary": person | {"login": ""}, "has": [text], "changes": [place], "later": [text]}
    undecided = task | {"decided": None}
    assert printed(task_panel(undecided, access)).count(shown) == printed(task_panel(undecided)).count(shown) + 5
    assert shown in printed(task_panel(task, text))
    for what, times in ((task_panel(task), 33), (draft_table([draft]), 3), (preview_panel(preview), 7)):
        out = printed(what)
        assert out.count(shown) == times
        assert "\x1b" not in out
        assert "\u202e" not in out


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_the_stages_of_an_item_are_shown_literally_with_when_they_begin(text: str, shown: str) -> None:
    first = {"id": "a", "name": text, "approvers": text, "after": []}
    out = printed(stages([first, first | {"id": "b", "after": ["a"]}]))
    assert out.count(shown) == 5
    assert f"after the approval of {shown}" in out


def test_an_item_without_stages_says_that_nobody_decides() -> None:
    assert "nobody" in printed(stages([]))


def test_a_preview_says_which_stages_do_not_simply_follow() -> None:
    stage = {"needed": True, "auto": "", "people": [], "due_at": None}
    three = [stage | {"id": "a", "name": "A", "after": []}, stage | {"id": "b", "name": "B", "after": []}]
    three.append(stage | {"id": "c", "name": "C", "after": ["a", "b"]})
    who = {"name": "Ada"}
    order = an_order(A_PROMISE) | {"item": who, "beneficiary": who, "stages": three}
    out = printed(preview_panel({"may_be_ordered": True, "errors": [], "left_out": [], "orders": [order]}))
    assert [when in out for when in ("B  an operator: nobody was found, at once", "after the approval of A and B")]
    assert out.count("at once") == 1


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items())
def test_a_trouble_shows_what_the_server_said_literally(text: str, shown: str) -> None:
    assert printed(Trouble(text, (text,)).text()).splitlines() == [shown, f"  • {shown}"]
    assert printed(plain(text)) == f"{shown}\n"


@pytest.mark.parametrize(
    ("zone", "iso", "day", "at"),
    [
        ("Asia/Kathmandu", "9999-12-31T23:59:59.999999+00:00", "Fri 31 Dec", "23:59"),
        ("America/New_York", "9999-12-31T23:59:59.999999+00:00", "Fri 31 Dec", "18:59"),
        ("America/New_York", "0001-01-01T00:00:00+00:00", "Mon 01 Jan", "00:00"),
    ],
)
def test_a_moment_at_an_end_of_the_calendar_is_shown_in_whatever_zone(
    zone: str, iso: str, day: str, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        person = {"name": "Ada"}
        one = {"id": "d", "person": person, "delegate": person, "begins": iso, "ends": iso, "scope": {}, "warnings": []}
        for shown in (delegation_set(one), delegation_table([one | {"state": "in-force"}])):
            assert printed(shown).count(day) == 2
            assert printed(shown).count(at) == 2
        assert day in expected(A_PROMISE | {"p50": iso, "p90": iso}, None)
        assert at in clock(iso)
    time.tzset()


def test_a_request_says_what_it_replaces_and_what_has_replaced_it() -> None:
    panel = request_panel(a_request("x") | {"replaces": "REQ-7", "replaced_by": "REQ-9"}, [])
    shown = " ".join(printed(panel).split())
    assert "Replaces REQ-7" in shown
    assert "Replaced by REQ-9" in shown


def test_an_answer_keeps_its_lines() -> None:
    request = a_request("x") | {"shown_answers": [["Why?", "for work\nand play"]]}
    assert [line.split("│")[1].split() for line in printed(request_panel(request, [])).splitlines()[7:9]] == [
        ["Why?", "for", "work"],
        ["and", "play"],
    ]


THIS_YEAR = datetime.now().astimezone().year


def an_order(promise: dict[str, Any], due_at: str = AT) -> dict[str, Any]:
    """Return an order of a preview."""
    name = {"name": "x"}
    return {
        "item": name,
        "beneficiary": name,
        "stages": [],
        "later": [],
        "cost": None,
        "due_at": due_at,
        "promise": promise,
    }


def both(promise: dict[str, Any], due_at: str = AT) -> list[str]:
    """Return a request and a preview that are promised like that, each on one line."""
    request = a_request("x") | {"promise": promise, "due_at": due_at}
    preview = {"may_be_ordered": True, "errors": [], "left_out": [], "orders": [an_order(promise, due_at)]}
    return [" ".join(printed(panel).split()) for panel in (request_panel(request, []), preview_panel(preview))]


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
    ],
)
def test_a_promise_is_said_in_words_with_the_year_only_if_it_is_another(promise: dict[str, Any], words: str) -> None:
    p50, p90 = (datetime.fromisoformat(promise[name]) for name in ("p50", "p90"))
    said = words.format(p50=p50, p90=p90)
    for out in both({"basis": "history", "outlasted": False} | promise):
        assert said in out


def without_history(p90: str, *, outlasted: bool = False) -> dict[str, Any]:
    return {"p50": p90, "p90": p90, "cases": 0, "basis": "sla", "outlasted": outlasted}


@pytest.mark.parametrize(
    ("outlasted", "why"),
    [(False, "too few earlier orders to tell"), (True, "it has taken longer than earlier orders did")],
)
def test_without_history_it_is_said_why_and_what_follows_from_the_stages(*, outlasted: bool, why: str) -> None:
    for out in both(without_history("2199-01-03T09:30:00+00:00", outlasted=outlasted)):
        assert f"if everybody takes all their time ({why})." in out
        assert "Jan 2199" in out
    for out in both(without_history("2020-01-03T09:30:00+00:00", outlasted=outlasted)):
        assert f"What was promised is over ({why})." in out


@pytest.mark.parametrize("seconds", [0, 59])
def test_what_is_promised_anyway_is_not_said_twice(seconds: int) -> None:
    due_at = "2199-01-03T09:30:30+00:00"
    owed = (datetime.fromisoformat(due_at) + timedelta(seconds=seconds)).isoformat()
    for out in both(without_history(owed), due_at):
        assert "xpected" not in out
    for out in both(without_history(owed, outlasted=True), due_at):
        assert "xpected It has taken longer than earlier orders did." in out


def test_a_request_with_nothing_to_promise_promises_nothing() -> None:
    assert "Expected" not in printed(request_panel(a_request("x") | {"promise": None}, []))


def test_w1_a_wait_says_why_these_people_are_asked() -> None:
    request = a_request("x")
    request["waiting"] = [request["waiting"][0] | {"why": "Mara Lind as line manager."}]
    assert "why Mara Lind as line manager." in " ".join(printed(request_panel(request, [])).split())
    request["waiting"] = [request["waiting"][0] | {"why": ""}]
    assert "why" not in printed(request_panel(request, []))


def shown_wait(task: dict[str, Any] | None = None, **wait: Any) -> str:
    """Return what is shown of a request that waits like that, beside its task."""
    request = a_request("x")
    request["waiting"] = [request["waiting"][0] | {"can": []} | wait]
    request["tasks"] = [request["tasks"][0] | (task or {})]
    return " ".join(printed(request_panel(request, [])).split())


@pytest.mark.parametrize("kind", ["system", "operator", "engine", "event", "time", "requests"])
def test_w1_a_wait_that_nobody_by_name_ends_says_who_or_what_does(kind: str) -> None:
    wait: dict[str, Any] = {"kind": kind, "who": [], "whom": "the web service at x"}
    assert "who the web service at x" in shown_wait(**wait)
    request = a_request("x")
    request["waiting"] = [request["waiting"][0] | wait]
    assert "the web service at x" in printed(request_table([request]))


@pytest.mark.parametrize(
    ("kind", "called"), [("people", "if nothing happens"), ("time", "then"), ("requests", "by when")]
)
def test_w1_what_comes_at_the_end_of_a_wait_is_called_by_what_it_is(kind: str, called: str) -> None:
    assert f"{called} It goes on by itself." in shown_wait(kind=kind, at_deadline="It goes on by itself.")


def test_w1_whoever_may_report_an_event_is_shown_how() -> None:
    wait: dict[str, Any] = {"kind": "event", "event": "parts-arrived", "task": None}
    command = "commissary request report x parts-arrived"
    assert f"say that it has happened {command}" in shown_wait(**wait, can=["report"])
    assert command not in shown_wait(**wait)


WEIGHED = "Asks the group a (weighing 3 each) and the line manager. Those who approve must weigh 3 together."


def test_w1_what_an_expression_needs_is_shown_where_the_wait_does_not_say_it() -> None:
    assert f"needed {WEIGHED}" in shown_wait({"needs": WEIGHED}, what="Manager: weights must come to 3; 2 so far")
    said = "Manager: both of these must approve: the line manager (has approved); one of the group a"
    assert "needed" not in shown_wait(
        {"needs": "Both of these must approve: the line manager; one of the group a."}, what=said
    )
    assert "needed" not in shown_wait({"needs": "2 of them must approve.", "quorum": 2})
    assert "needed" not in shown_wait({"needs": WEIGHED}, kind="information")


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Read in a time zone nine hours before UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_the_moments_in_a_timeline_are_in_the_readers_zone() -> None:
    until = "2026-11-27T20:37:00+00:00"
    opened = Chain("REQ-1").append(Kind.STAGE_OPENED, datetime.fromisoformat(AT), data={"due_at": until})
    waits = Chain("REQ-1").append(Kind.WAIT_BEGUN, datetime.fromisoformat(AT), data={"what": "snow", "until": until})
    entries = [EntryOut.of(one).model_dump(mode="json") for one in (opened, waits)]
    assert all("27 November 2026, 20:37 UTC" in entry["text"] for entry in entries)
    out = printed(request_panel(a_request("x"), entries))
    assert out.count("Sat 28 Nov 2026 05:37") == 2
    assert "UTC" not in out


@pytest.mark.parametrize("odd", [None, 7, "", "soon", "0001-01-01T00:00:00+14:00"])
def test_an_entry_without_a_moment_that_can_be_read_is_shown_as_it_stands(odd: Any) -> None:
    entry = {"at": AT, "kind": "comment", "text": "until soon", "rule": "", "data": {"until": odd}}
    assert "until soon" in printed(request_panel(a_request("x"), [entry]))


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


def test_a19_access_is_shown_beside_what_there_is() -> None:
    place = {"login": "ben", "group": "wiki", "gains": True, "for_a_while": False, "perhaps": False, "already": False}
    access = {
        "beneficiary": {"login": "ben", "name": "Ben Bright"},
        "has": ["docs", "staff"],
        "changes": [
            place,
            place | {"group": "admins", "for_a_while": True},
            place | {"group": "staff", "already": True},
            place | {"group": "temps", "gains": False, "already": True},
            place | {"group": "room", "login": "ada", "already": None},
            place | {"group": "vault", "perhaps": True},
        ],
        "later": ["Join the team"],
    }
    assert [" ".join(line.split()) for line in access_said(access).splitlines()] == [
        "now Ben Bright is in docs, staff",
        "joins wiki",
        "joins admins, for a while",
        "joins staff, is in it already",
        "leaves temps, is not in it",
        "joins room (ada)",
        "joins vault, perhaps: the work itself will tell",
        "later Join the team: which group, or whose, cannot be told yet",
    ]
    assert "is in no group" in access_said(access | {"has": []})
    assert "is in the directory no more" in access_said(access | {"has": None})
    assert access_table(access | {"changes": [], "later": []}) is None
    assert "It cannot be had at the moment. Away." in access_said("Away.")


def access_said(access: dict[str, Any] | str) -> str:
    shown = access_table(access)
    assert shown is not None
    return printed(shown)
