"""The simulator: stories of every kind, played with the real workflows, and what it says of those that go wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from activities import plugins
from activities.actions import ActionInput, ActionSet, action
from catalog.access import Observed
from cli.catalog import app
from cli.client import Trouble
from cli.kit import engine
from cli.kit.simulation import Simulator, Story, Verdict, read_stories, simulate
from cli.kit.simulation.clock import Overshot

BEGAN = datetime(2040, 3, 5, 9, 0, tzinfo=UTC)
COMPANY = {
    "people": {
        "ada": {"name": "Ada Byron", "manager": "mara", "department": "Engineering"},
        "mara": {"name": "Mara Lind", "manager": "rolf"},
        "rolf": {"name": "Rolf Chief"},
        "olga": {"name": "Olga Owner"},
        "sam": {"name": "Sam Smith", "manager": "mara", "department": "Sales"},
        "otto": {"name": "Otto Operator"},
    },
    "groups": {"editors": {"owners": ["olga"]}, "desk": {"members": ["olga", "rolf"]}, "laptops": {}},
    "operators": ["otto"],
}
PLAIN = {"version": "1.0.0", "description": "…", "category": "Test", "owner": "olga", "sla": {"target": "5 days"}}
MANAGER = {"id": "manager", "name": "Line manager", "approvers": [{"rule": "manager"}], "decide_within": "7 days"}
EDITOR = {
    "id": "editor",
    "name": "Editor",
    **PLAIN,
    "approvals": [MANAGER],
    "eligibility": [
        {"id": "not-sales", "when": "beneficiary.department != 'Sales'", "why_not": "Sales does not edit."}
    ],
    "workflow": "AccessRequest",
    "entitlement": {"group": "editors"},
}
LAPTOP = {
    "id": "laptop",
    "name": "Laptop",
    **PLAIN,
    "form": [{"id": "model", "type": "text", "label": "Which model?"}],
    "steps": [
        {"id": "own", "do": "grant", "group": "laptops"},
        {
            "id": "hand-over",
            "do": "task",
            "title": "Hand over a {{ form.model }}",
            "assign": [{"rule": "group", "group": "desk"}],
            "due": "2 days",
            "evidence": [{"id": "serial", "type": "text", "label": "Serial number"}],
            "undo": {"do": "notify", "to": ["requester"], "subject": "Bring it back", "text": "Please."},
        },
        {"id": "arrived", "do": "wait", "event": "arrived", "timeout": "3 days", "at_deadline": "cancel"},
        {"id": "registered", "do": "http", "method": "POST", "url": "https://assets.example/laptops"},
    ],
}
WELCOME = {
    "id": "welcome",
    "name": "Welcome",
    **PLAIN,
    "lines": [
        {"id": "access", "item": "editor"},
        {"id": "pc", "item": "laptop", "answers": {"model": "X1"}, "after": ["access"]},
    ],
}


def vote(at: str, by: str, do: str = "approve", **other: Any) -> dict[str, Any]:
    return {"at": at, "do": do, "by": by, **other}


class Stage:
    """A folder of items and scenarios, and the engine on which they are played."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        self.simulator, self.folder = simulator, folder
        (folder / "scenarios").mkdir()

    def write(self, item: dict[str, Any], *scenarios: dict[str, Any], **others: Any) -> Path:
        for one in (EDITOR, LAPTOP, WELCOME, item):
            (self.folder / f"{one['id']}.yaml").write_text(json.dumps(one))
        file = self.folder / "scenarios" / f"{item['id']}.yaml"
        file.write_text(json.dumps({"item": item["id"], "company": COMPANY, "scenarios": list(scenarios), **others}))
        return file

    def play(self, item: dict[str, Any], *events: dict[str, Any], expect: dict[str, Any], **scenario: Any) -> Verdict:
        story = {"name": "one", "order": {"by": "ada"}, "events": list(events), "expect": expect, **scenario}
        reading = read_stories([self.write(item, story)])
        assert not reading.problems
        [verdict] = self.simulator.run(reading.stories)
        return verdict


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as made:
        yield made


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path) -> Stage:
    return Stage(simulator, tmp_path)


def times(verdict: Verdict, words: str) -> list[timedelta]:
    """Return how long after the order, to the minute, lines of the timeline with these words come."""
    found = [line.at - BEGAN for line in verdict.timeline if words in line.text]
    return [after - timedelta(seconds=after.total_seconds() % 60) for after in found]


# ---------------------------------------------------------------- what people do


def test_a_request_is_approved_and_fulfilled(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        {"at": "day 2 10:00", "do": "see", "status": "approval", "waits_for": ["mara"], "lacks": {"editors": ["ada"]}},
        vote("day 3 09:10", "mara"),
        expect={
            "outcome": "fulfilled",
            "has": {"editors": ["ada"]},
            "told": {"mara": ["approval-needed"], "ada": ["closed"]},
            "not_told": ["sam"],
            "within": "49 hours",
            "not_before": "48 hours 10 minutes",
            "journal": ["opened", "vote", "effect-observed", "closed"],
            "writes": 1,
        },
    )
    assert str(verdict) == "✓ editor: one (fulfilled)"
    assert times(verdict, "Mara Lind approved") == [timedelta(days=2, minutes=10)]


def test_a_refusal_ends_a_request_with_its_reason(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        vote("36 hours", "mara", "reject", reason="Not this year."),
        expect={"outcome": "rejected", "reason": "not this year", "lacks": {"editors": ["ada"]}, "writes": 0},
    )
    assert verdict.unmet == ()


def test_a_request_expires_at_the_very_minute_it_is_due(stage: Stage) -> None:
    verdict = stage.play(EDITOR, expect={"outcome": "expired", "within": "7 days", "not_before": "7 days"})
    assert verdict.unmet == ()
    assert times(verdict, "closed as expired") == [timedelta(days=7)]


def test_whoever_acts_in_the_minute_of_a_deadline_is_too_late(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR, vote("7 days", "mara", refused="closed"), expect={"outcome": "expired", "within": "7 days"}
    )
    assert verdict.unmet == ()


def test_what_is_called_off_is_undone(stage: Stage) -> None:
    verdict = stage.play(
        LAPTOP,
        {"at": "day 1 12:00", "do": "see", "kind": "task", "has": {"laptops": ["ada"]}},
        {"at": "day 2", "do": "comment", "by": "ada", "text": "I have one."},
        {"at": "day 2 09:30", "do": "cancel", "by": "ada"},
        order={"by": "ada", "answers": {"model": "X1"}},
        expect={
            "outcome": "cancelled",
            "lacks": {"laptops": ["ada"]},
            "writes": 2,
            "journal": ["comment", "undo-observed"],
        },
    )
    assert verdict.unmet == ()


def test_steps_with_work_evidence_an_event_and_a_call(stage: Stage) -> None:
    verdict = stage.play(
        LAPTOP,
        vote("day 2 09:00", "rolf", "claim"),
        vote("day 2 09:01", "olga", "claim", refused="already-decided"),
        vote("day 2 10:00", "rolf", "complete", task="hand over", answers={"serial": "SN-1"}),
        {"at": "day 3 11:00", "do": "see", "status": "fulfilment", "kind": "event"},
        {"at": "day 4 12:00", "do": "report", "event": "arrived", "data": {"place": "desk"}},
        order={"by": "ada", "answers": {"model": "X1"}},
        http=[{"url": "https://assets.example/", "status": 201, "body": {"id": 7}}],
        expect={
            "outcome": "fulfilled",
            "told": {"olga": ["work-needed"], "rolf": ["work-needed"]},
            "called": ["POST https://assets.example"],
            "not_before": "3 days 3 hours",
            "within": "3 days 3 hours",
        },
    )
    assert verdict.unmet == ()


def test_whoever_holds_a_role_decides_and_works_and_the_ladder_goes_on_if_it_is_vacant(stage: Stage) -> None:
    team = "{{ beneficiary.department | slug }}"
    by_role = {"id": "money", "name": "Money", "approvers": [{"rule": "role", "role": f"budget-owner-{team}"}]}
    vacant = {"id": "press", "name": "Press", "approvers": [{"rule": "role", "role": "press-officer"}]}
    work = {"do": "task", "title": "Print it", "assign": [{"rule": "role", "role": f"printer-{team}"}]}
    steps = [{"id": "print", **work, "irreversible": "Ink is ink."}]
    verdict = stage.play(
        {"id": "poster", "name": "Poster", **PLAIN, "approvals": [by_role, vacant], "steps": steps},
        {"at": "day 1 10:00", "do": "see", "waits_for": ["rolf"]},
        vote("day 1 11:00", "mara", refused="not-approver"),
        vote("day 1 12:00", "rolf"),
        {"at": "day 1 13:00", "do": "see", "status": "approval", "waits_for": ["olga"]},
        vote("day 1 14:00", "olga"),
        {"at": "day 1 15:00", "do": "see", "kind": "task", "waits_for": ["sam"]},
        vote("day 1 16:00", "sam", "complete"),
        company={"roles": {"budget-owner-engineering": ["rolf"], "printer-engineering": ["sam"], "press-officer": []}},
        expect={"outcome": "fulfilled", "told": {"rolf": ["approval-needed"], "sam": ["work-needed"]}},
    )
    assert verdict.unmet == ()


def test_an_event_that_nobody_reports_ends_it_when_its_time_is_over(stage: Stage) -> None:
    verdict = stage.play(
        LAPTOP,
        vote("day 2 10:00", "olga", "complete", answers={"serial": "SN-1"}),
        order={"by": "ada", "answers": {"model": "X1"}},
        expect={"outcome": "expired", "within": "4 days 1 hour", "not_before": "4 days 1 hour"},
    )
    assert verdict.unmet == ()


def test_the_order_of_somebody_who_may_not_have_it_is_refused(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR, order={"by": "sam"}, expect={"refused": ["not-sales", "not-eligible"], "reason": "sales does not edit"}
    )
    assert (verdict.unmet, verdict.outcome) == ((), "refused")


def test_an_item_that_somebody_does_not_see_is_refused_by_its_rule(stage: Stage) -> None:
    hidden = {**EDITOR, "id": "hidden", "visibility": [{"id": "nobody", "when": False, "why_not": "No."}]}
    assert stage.play(hidden, expect={"refused": ["nobody", "unknown"]}).unmet == ()


def test_a_draft_can_be_tried(stage: Stage) -> None:
    draft = {**EDITOR, "id": "draft", "lifecycle": "draft"}
    assert stage.play(draft, vote("day 2", "mara"), expect={"outcome": "fulfilled"}).unmet == ()


def test_files_and_secrets_are_handed_in(stage: Stage) -> None:
    form = [
        {"id": "paper", "type": "attachment", "label": "Paper", "media_types": ["application/pdf"]},
        {"id": "key", "type": "secret", "label": "Key"},
    ]
    item = {**EDITOR, "id": "papers", "form": form}
    answers = {"paper": [{"file": "paper.pdf"}], "key": {"secret": "s3cret"}}
    order = {"by": "ada", "answers": answers}
    verdict = stage.play(item, vote("day 2", "mara"), order=order, expect={"outcome": "fulfilled"})
    assert verdict.unmet == ()
    assert "s3cret" not in json.dumps(verdict.as_json())


def test_summer_time_moves_the_clock_of_people_and_no_deadline(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        vote("day 3 09:10", "mara"),  # 23 hours and 10 minutes after 09:00 of the day before
        begins="2040-03-24T09:00:00",
        zone="Europe/Berlin",
        expect={"outcome": "fulfilled", "not_before": "47 hours 10 minutes", "within": "47 hours 10 minutes"},
    )
    assert verdict.unmet == ()


# ---------------------------------------------------------------- what goes wrong


def test_a_directory_that_is_down_for_hours_delays_a_request_until_it_is_back(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        {"at": "day 2 09:00", "do": "down", "lasting": "4 hours"},
        vote("day 2 09:10", "mara"),
        {"at": "day 2 10:00", "do": "see", "status": "fulfilment", "kind": "system"},
        expect={"outcome": "fulfilled", "not_before": "28 hours", "within": "28 hours", "writes": 1},
    )
    assert verdict.unmet == ()
    assert times(verdict, "identity.ensure_member, attempt 1: the directory does not answer") == [
        timedelta(days=1, minutes=10)
    ]
    assert [line.text[-4:] for line in verdict.timeline if "identity.ensure_member" in line.text][-1] == "done"


def test_a_directory_that_is_down_for_longer_than_a_day_is_an_operators_business(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        {"at": "day 2 09:00", "do": "down", "lasting": "30 hours"},
        vote("day 2 09:10", "mara"),
        {"at": "day 3 09:15", "do": "see", "status": "attention", "waits_for": ["operator"]},
        vote("day 3 16:00", "otto", "retry"),
        expect={
            "outcome": "fulfilled",
            "told": {"operators": ["operator-needed"]},
            "within": "55 hours",
            "journal": ["effect-failed", "operator-asked", "operator-decided", "effect-observed"],
        },
    )
    assert verdict.unmet == ()


def test_a_write_that_is_refused_is_done_once_somebody_has_seen_to_it(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        {"at": "day 2", "do": "refuse"},
        vote("day 2 09:10", "mara"),
        vote("day 2 10:00", "otto", "retry"),
        expect={"outcome": "fulfilled", "has": {"editors": ["ada"]}, "writes": 1},
    )
    assert verdict.unmet == ()


def test_an_operator_gives_up(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        {"at": "day 2", "do": "refuse"},
        vote("day 2 09:10", "mara"),
        vote("day 2 10:00", "otto", "give-up", reason="The group is frozen."),
        expect={"outcome": "cancelled", "reason": "frozen", "lacks": {"editors": ["ada"]}},
    )
    assert verdict.unmet == ()


def test_when_the_manager_has_left_theirs_decides(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        {"at": "at once", "do": "down", "lasting": "2 hours"},
        {"at": "1 hour", "do": "leaves", "who": "mara"},
        vote("day 2", "rolf"),
        expect={"outcome": "fulfilled", "told": {"rolf": ["approval-needed"]}, "not_told": ["mara"]},
    )
    assert verdict.unmet == ()


def test_a_new_manager_is_asked_at_once_and_for_the_stages_that_begin_later(stage: Stage) -> None:
    second = {**MANAGER, "id": "again", "name": "Again", "concerns": []}
    item = {**EDITOR, "id": "twice", "approvals": [MANAGER, second]}
    verdict = stage.play(
        item,
        {"at": "day 2", "do": "joins", "who": "sam", "group": "editors"},
        vote("day 3 09:00", "mara", stage="manager"),
        {"at": "day 3 09:10", "do": "see", "asked": ["mara"]},
        {"at": "day 3 10:00", "do": "moves", "who": "ada", "manager": "olga"},
        {"at": "day 3 10:10", "do": "see", "asked": ["olga"]},
        vote("day 4", "olga", stage="again"),
        expect={"outcome": "fulfilled", "has": {"editors": ["ada", "sam"]}, "writes": 1},
    )
    assert verdict.unmet == ()


def test_a_role_is_handed_over_to_whom_the_next_stage_asks(stage: Stage) -> None:
    officer = {**MANAGER, "id": "officer", "name": "Officer", "approvers": [{"rule": "role", "role": "officer"}]}
    verdict = stage.play(
        {**EDITOR, "id": "checked", "approvals": [MANAGER, officer]},
        {"at": "day 2 09:00", "do": "quits", "who": "rolf", "role": "officer"},
        {"at": "day 2 09:00", "do": "joins", "who": "sam", "role": "officer"},
        vote("day 3", "mara", stage="manager"),
        {"at": "day 3 12:00", "do": "see", "waits_for": ["sam"]},
        vote("day 4", "sam", stage="officer"),
        company={"roles": {"officer": ["rolf"]}},
        expect={"outcome": "fulfilled", "not_told": ["rolf"]},
    )
    assert verdict.unmet == ()
    said = [line.text for line in verdict.timeline if "role officer" in line.text]
    assert said == ["rolf gives up the role officer", "sam takes the role officer"]


# ---------------------------------------------------------------- several requests


def test_the_parts_of_a_bundle_follow_each_other_at_their_times(stage: Stage) -> None:
    verdict = stage.play(
        WELCOME,
        vote("day 3 09:10", "mara", part="access"),
        {"at": "day 3 09:20", "do": "see", "part": "pc", "kind": "task"},
        vote("day 4 10:00", "olga", "complete", answers={"serial": "SN-2"}),
        {"at": "day 5 11:00", "do": "report", "event": "arrived", "part": "pc"},
        expect={
            "outcome": "fulfilled",
            "has": {"editors": ["ada"], "laptops": ["ada"]},
            "not_before": "4 days 2 hours",
            "within": "4 days 2 hours",
            "told": {"ada": ["closed", "closed", "closed"]},
        },
    )
    assert verdict.unmet == ()
    placed = timedelta(days=2, minutes=10)
    assert times(verdict, "'Laptop' for Ada Byron") == [placed]
    assert times(verdict, "Hand over a X1', by") == [placed]


def test_deadlines_of_parts_count_by_their_own_clocks(stage: Stage) -> None:
    verdict = stage.play(
        WELCOME,
        vote("day 3 09:10", "mara"),
        vote("day 4 10:00", "olga", "complete", answers={"serial": "SN-2"}),
        expect={"outcome": "partial", "not_before": "6 days 1 hour", "within": "6 days 1 hour", "reason": "Laptop"},
    )
    assert verdict.unmet == ()


def test_one_order_for_several_people_ends_in_part(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        vote("day 2", "mara", part="ada"),
        vote("day 3", "mara", "reject", part="olga", reason="She owns it."),
        vote("day 3 10:00", "rolf", part="mara"),
        order={"by": "ada", "beneficiaries": ["ada", "olga", "mara"]},
        company={"people": {"olga": {"name": "Olga Owner", "manager": "mara"}}},
        expect={"outcome": "partial", "has": {"editors": ["ada", "mara"]}, "lacks": {"editors": ["olga"]}},
    )
    assert verdict.unmet == ()


def test_a_bundle_that_is_called_off_takes_its_parts_along(stage: Stage) -> None:
    verdict = stage.play(
        WELCOME,
        vote("day 3 09:10", "mara"),
        vote("day 4 10:00", "ada", "cancel"),
        expect={"outcome": "partial", "has": {"editors": ["ada"]}, "lacks": {"laptops": ["ada"]}, "within": "74 hours"},
    )
    assert verdict.unmet == ()


# ---------------------------------------------------------------- what it says of a story that is not so


def test_every_expectation_that_is_not_met_is_a_sentence(stage: Stage) -> None:
    verdict = stage.play(
        EDITOR,
        {"at": "day 2", "do": "see", "status": "closed", "kind": "task", "waits_for": ["rolf"]},
        vote("day 3 09:10", "mara", "reject", reason="No."),
        expect={
            "outcome": "fulfilled",
            "reason": "seen",
            "has": {"editors": ["ada"]},
            "lacks": {"desk": ["olga"]},
            "told": {"olga": ["closed"]},
            "not_told": ["ada"],
            "within": "1 day",
            "not_before": "4 days",
            "journal": ["vote", "opened"],
            "called": ["GET https://"],
            "writes": 1,
        },
    )
    assert not verdict.passed
    waits = "the request waits: Line manager decides (Mara Lind), until 12 March 2040, 09:00 UTC (The request expires)"
    assert verdict.unmet == (
        "day 2: expected the status closed; it is approval",
        f"day 2: expected it to wait for task; {waits}",
        f"day 2: expected it to wait for rolf; {waits}",
        "expected it to end as fulfilled; it ended as rejected: Mara Lind: No.",
        "expected 'seen' in the reason; it is: Mara Lind: No.",
        "expected the end within 1 day; it came after 2 days 10 minutes",
        "expected no end before 4 days; it came after 2 days 10 minutes",
        "expected ada in editors; the group has: –",
        "expected olga not in desk; the group has: olga, rolf",
        "expected 1 changes in the directory; there were 0",
        (
            "expected 'opened' in the journal, in that order; there stands: opened, resolved, stage-opened, vote, "
            "stage-closed, closed"
        ),
        "expected 'GET https://' in the calls, in that order; there stands: –",
        "expected olga to be told 'closed'; they were told: nothing",
        "expected ada to be told nothing; they were told: closed",
    )


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            vote("day 2", "otto", "retry"),
            "day 2: otto cannot retry: there is nothing to see to; the request waits: Line manager decides",
        ),
        (
            vote("day 2", "mara", stage="boss"),
            "day 2: mara cannot approve: there is nothing to decide at 'boss', the stages are manager; the request",
        ),
        (vote("day 2", "sam"), "day 2: sam cannot approve: You are not among those who are asked"),
        (vote("day 2", "mara", refused="closed"), "day 2: mara was to be refused (closed), but could approve"),
        (vote("day 2", "mara", part="pc"), "day 2: there is no part 'pc' so far; there are: none"),
        (vote("day 9", "mara"), "day 9: mara cannot approve: there is nothing to decide; the request is closed"),
        ({"at": "day 2", "do": "joins", "who": "ada", "group": "x"}, "day 2: ada joins x: there is no group 'x'"),
        (
            {"at": "day 2", "do": "quits", "who": "ada", "role": "x"},
            "day 2: ada gives up the role x: there is no role 'x'",
        ),
    ],
)
def test_what_cannot_happen_is_said_and_ends_the_story(stage: Stage, event: dict[str, Any], said: str) -> None:
    [sentence] = stage.play(EDITOR, event, expect={"outcome": "fulfilled"}).unmet
    assert sentence.startswith(said)


def test_evidence_that_is_not_right_is_said(stage: Stage) -> None:
    [said] = stage.play(
        LAPTOP,
        vote("day 2", "olga", "complete", answers={}),
        order={"by": "ada", "answers": {"model": "X1"}},
        expect={"outcome": "fulfilled"},
    ).unmet
    assert said == "day 2: olga cannot complete 'Hand over a X1': Serial number: an answer is needed."


def test_a_request_that_waits_for_ever_is_said_to_wait(stage: Stage) -> None:
    [said] = stage.play(
        LAPTOP, order={"by": "ada", "answers": {"model": "X1"}}, lasts="42 days", expect={"outcome": "fulfilled"}
    ).unmet
    assert said == (
        "expected it to end as fulfilled; nothing happens any more: the request waits: "
        "Hand over a X1: to be taken by one of those asked (Olga Owner, Rolf Chief)"
    )


LISTS = {
    "id": "lists",
    "name": "Lists",
    **PLAIN,
    "steps": [
        {
            "id": "each",
            "do": "for_each",
            "each": "{{ ['north', 'south'] }}",
            "at_once": 2,
            "steps": [
                {
                    "id": "ask",
                    "do": "approve",
                    "stage": {
                        "id": "owner",
                        "name": "Owner of {{ each }}",
                        "approvers": [{"rule": "group", "group": "desk"}],
                    },
                }
            ],
        },
    ],
}


def test_the_approvals_of_a_loop_are_told_apart_by_their_titles(stage: Stage) -> None:
    verdict = stage.play(
        LISTS,
        vote("day 2", "olga", stage="of SOUTH"),
        vote("day 3", "rolf", "reject", stage="of south", reason="No.", refused="already-decided"),
        vote("day 3 09:00", "rolf", stage="owner"),
        expect={"outcome": "fulfilled"},
    )
    assert verdict.unmet == ()
    approved = [line.text for line in verdict.timeline if " approved stage " in line.text]
    assert approved == ["Olga Owner approved stage 'Owner of south'", "Rolf Chief approved stage 'Owner of north'"]
    [said] = stage.play(LISTS, vote("day 2", "olga", stage="of west"), expect={"outcome": "fulfilled"}).unmet
    assert said.startswith("day 2: olga cannot approve: there is nothing to decide at 'of west', the stages are owner;")


def test_why_an_operator_is_asked_is_said(stage: Stage) -> None:
    broken = LISTS | {"approvals": [MANAGER | {"approvers": [{"rule": "group", "group": "nowhere"}]}]}
    verdict = stage.play(broken, expect={"outcome": "fulfilled"}, lasts="2 days")
    lines = [(line.sort, line.text) for line in verdict.timeline]
    why = "Look up Ada Byron in the directory: there is no group 'nowhere'"
    assert lines[lines.index(("entry", "An operator has to decide (retry, cancel)")) + 1] == ("problem", why)
    [sentence] = verdict.unmet
    assert sentence == (
        "expected it to end as fulfilled; nothing happens any more: the request waits: An operator has to see to this: "
        "Look up Ada Byron in the directory; the problem: there is no group 'nowhere'"
    )


def test_an_order_that_is_refused_or_taken_against_expectation_is_said(stage: Stage) -> None:
    [refused] = stage.play(EDITOR, order={"by": "sam"}, expect={"outcome": "fulfilled"}).unmet
    assert refused == "the order was refused: beneficiary: Sales does not edit."
    [taken] = stage.play(EDITOR, expect={"refused": ["not-sales"]}, lasts="1 day").unmet
    assert taken == "expected the order to be refused by not-sales; it was taken"


def test_a_request_may_be_expected_to_be_open_still(stage: Stage) -> None:
    assert stage.play(EDITOR, expect={}, lasts="6 days").unmet == ()
    [said] = stage.play(EDITOR, vote("day 2", "mara"), expect={}, lasts="6 days").unmet
    assert said.startswith("expected it to be open still; it ended as fulfilled")


@pytest.mark.parametrize(("jumps", "said"), [(1, ()), (2, ("the engine moved the clock of REQ-1 too far",))])
def test_a_story_is_played_again_when_the_engine_moves_a_clock_too_far(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, jumps: int, said: tuple[str, ...]
) -> None:
    ahead = [Overshot("REQ-1")] * jumps
    plain = Simulator._play_once

    async def jumping(self: Simulator, story: Story) -> Verdict:
        if ahead:
            raise ahead.pop()
        return await plain(self, story)

    monkeypatch.setattr(Simulator, "_play_once", jumping)
    verdict = stage.play(EDITOR, expect={"outcome": "expired"})
    assert tuple(sentence.partition(",")[0] for sentence in verdict.unmet) == said


def test_a_simulator_that_cannot_open_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise Trouble("The Temporal CLI is missing.")

    monkeypatch.setattr(engine, "temporal_binary", missing)
    broken = Simulator()
    with pytest.raises(Trouble, match="Temporal CLI"), broken:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        broken._runner.get_loop()


# ---------------------------------------------------------------- systems of other packages


class Booking(ActionInput):
    desk: str


class Desks:
    """A system that must never be touched."""

    @action("desks.book")
    def book(self, given: Booking) -> Observed:
        """Book a desk."""
        raise AssertionError("a simulation touched a system")


def test_actions_of_other_packages_only_pretend(tmp_path: Path) -> None:
    found = plugins.discover()
    sets = {**found.action_sets, "desks": ActionSet("desks", Desks, lambda _: nullcontext(Desks()))}
    item = {
        "id": "desk",
        "name": "Desk",
        **PLAIN,
        "steps": [
            {"id": "book", "do": "call", "action": "desks.book", "input": {"desk": "A1"}},
            {"id": "tell", "do": "notify", "to": ["requester"], "subject": "{{ results.book.floor }}", "text": "…"},
        ],
    }
    story = {
        "name": "one",
        "order": {"by": "ada"},
        "actions": {"desks.book": {"floor": "second"}},
        "events": [{"at": "at once", "do": "down", "system": "desks", "lasting": "3 hours"}],
        "expect": {"outcome": "fulfilled", "called": ["desks.book"], "not_before": "3 hours", "within": "3 hours"},
    }
    known = replace(found, action_sets=sets).known()
    with Simulator(replace(found, action_sets=sets)) as simulator:
        stage = Stage(simulator, tmp_path)
        [verdict] = simulator.run(read_stories([stage.write(item, story)], known).stories)
    assert verdict.unmet == ()
    assert times(verdict, "'second'") == [timedelta(hours=3)]


# ---------------------------------------------------------------- files and the command


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ({"evnts": []}, "9:4: scenarios[0].evnts: there is no such field. Did you mean 'events'?"),
        (
            {"events": [{"at": "tomorrow", "do": "leaves", "who": "ada"}]},
            "scenarios[0].events[0].at: 'tomorrow' is no time",
        ),
        (
            {"events": [vote("day 2", "maar")]},
            "scenarios[0].events[0].by: there is nobody called 'maar' in the company. Did you mean 'mara'?",
        ),
        (
            {"events": [{"at": "day 1 08:00", "do": "leaves", "who": "ada"}]},
            "scenarios[0].events[0].at: this is before the order is placed",
        ),
        (
            {"events": [{"at": "day 2", "do": "down", "system": "directry", "lasting": "1 h"}]},
            "scenarios[0].events[0].system: there is no system 'directry'. Did you mean 'directory'?",
        ),
        (
            {"events": [{"at": "day 2", "do": "moves", "who": "ada"}]},
            "scenarios[0].events[0].manager: 'moves' says nothing of the manager. Add 'manager: …'.",
        ),
        ({"begins": "2020-03-02T09:00:00"}, "scenarios[0].begins: this is past"),
        ({"begins": "2040-03-05T09:00:00Z"}, "the time of the order has a zone of its own"),
        ({"zone": "Berlin"}, "scenarios[0].zone: 'Berlin' is no time zone"),
        ({"order": {"by": "nobody"}}, "scenarios[0].order.by: there is nobody called 'nobody'"),
        ({"expect": {"has": {"editors": ["adda"]}}}, "scenarios[0].expect.has.editors[0]: there is nobody"),
        ({"expect": {"told": {"adda": ["closed"]}}}, "scenarios[0].expect.told.adda: there is nobody"),
    ],
)
def test_a_mistake_in_a_scenario_file_is_named_with_its_line(
    tmp_path: Path, scenario: dict[str, Any], said: str
) -> None:
    (tmp_path / "scenarios").mkdir()
    file = tmp_path / "scenarios" / "editor.yaml"
    (tmp_path / "editor.yaml").write_text(json.dumps(EDITOR))
    plain = {"name": "one", "order": {"by": "ada"}, "expect": {}}
    text = {"item": "editor", "company": COMPANY, "scenarios": [{**plain, **scenario}]}
    body = json.dumps(text["scenarios"][0], indent=3)[1:-1]  # type: ignore[index]
    file.write_text(f"item: editor\ncompany: {json.dumps(COMPANY)}\nscenarios: [{{{body}}}]\n")
    reading = read_stories([file])
    assert reading.stories == ()
    [problem] = reading.problems
    assert said in str(problem)
    key = next(iter(scenario))
    written = file.read_text().splitlines()
    assert problem.line is not None
    assert problem.line >= next(at for at, line in enumerate(written, 1) if f'"{key}"' in line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "item: editr\ncompany: {}\nscenarios: [{name: a, order: {by: a}, expect: {}}]",
            "item: there is no usable item",
        ),
        ("item: editor\nscenarios: [{name: a, order: {by: a}, expect: {}}]", "company: there is no company"),
        ("item: editor\ncompany: {}\nscenarios: []", "scenarios: this is empty"),
        (
            (
                "item: editor\ncompany: {people: {a: {name: A}}}\n"
                "scenarios: [{name: a, order: {by: a}, expect: {}}, {name: a, order: {by: a}, expect: {}}]"
            ),
            "scenarios[1]: two scenarios are called 'a'",
        ),
        ("item: [", "this is not YAML"),
    ],
)
def test_a_file_that_cannot_be_played_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "editor.yaml").write_text(json.dumps(EDITOR))
    file = tmp_path / "scenarios" / "editor.yaml"
    file.write_text(text)
    assert said in " ".join(map(str, read_stories([file]).problems))


def test_an_item_without_scenarios_is_said(tmp_path: Path) -> None:
    (tmp_path / "editor.yaml").write_text(json.dumps(EDITOR))
    [problem] = read_stories([tmp_path / "editor.yaml"]).problems
    assert problem.rule == "unreadable-file"


def test_the_company_beside_the_scenarios_is_shared_and_a_scenario_may_change_it(stage: Stage) -> None:
    order = {"name": "one", "order": {"by": "eve"}, "events": [vote("day 2", "mara")]}
    (stage.folder / "scenarios" / "company.yaml").write_text(json.dumps(COMPANY))
    eve = {"people": {"eve": {"name": "Eve New", "manager": "mara"}}}
    scenario = {**order, "company": eve, "expect": {"outcome": "fulfilled", "has": {"editors": ["eve"]}}}
    file = stage.write(EDITOR, scenario)
    file.write_text(json.dumps({"item": "editor", "scenarios": [scenario]}))
    [verdict] = stage.simulator.run(read_stories([stage.folder]).stories)
    assert verdict.unmet == ()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    return result.exit_code, result.stdout


def test_the_command_shows_a_timeline_and_fails_if_a_scenario_does(stage: Stage) -> None:
    good = {"name": "good", "order": {"by": "ada"}, "expect": {"outcome": "expired"}}
    bad = {"name": "bad", "order": {"by": "ada"}, "expect": {"outcome": "fulfilled"}}
    stage.write(EDITOR, good, bad)
    code, said = run(str(stage.folder), "--trace")
    lines = said.splitlines()
    assert code == 1
    assert lines[0] == "✓ editor: good  (expired)"
    assert "  day 1 · Monday 5 March 2040" in lines
    assert "    09:00    Ada Byron ordered 'Editor' for themselves" in lines
    assert "    09:00  · REQ-1001  identity.standing, attempt 1: done" in lines
    assert (
        "           ⋯ 7 days of waiting: Line manager decides (Mara Lind), until 12 March 2040, 09:00 UTC "
        "(The request expires)" in lines
    )
    assert lines[-1].startswith("1 of 2 scenarios passed; 16 days in ")
    assert any(line.strip().startswith(f"{stage.folder}/scenarios/editor.yaml:") for line in lines)


def test_the_command_plays_only_what_is_asked_for_and_tells_it_to_scripts(stage: Stage) -> None:
    stage.write(
        EDITOR,
        {"name": "good", "order": {"by": "ada"}, "expect": {"outcome": "expired"}},
        {"name": "bad", "order": {"by": "ada"}, "expect": {"outcome": "fulfilled"}},
    )
    code, said = run(str(stage.folder), "--only", "GOOD", "--json")
    [verdict] = json.loads(said)
    assert code == 0
    assert (verdict["item"], verdict["scenario"], verdict["passed"]) == ("editor", "good", True)
    assert [line["at"][:16] for line in verdict["timeline"] if "closed as" in line["text"]] == ["2040-03-12T09:00"]


def test_from_a_test_it_is_one_call(tmp_path: Path, simulator: Simulator) -> None:
    file = Stage(simulator, tmp_path).write(
        EDITOR, {"name": "good", "order": {"by": "ada"}, "expect": {"outcome": "expired"}}
    )
    assert all(verdict.passed for verdict in simulate(file))
    assert simulate(file, only="another") == []
