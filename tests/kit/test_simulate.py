"""The simulator: stories of every kind, played with the real workflows."""

from __future__ import annotations

import json
from datetime import timedelta

from support.simulated import EDITOR, LAPTOP, PLAIN, WELCOME, Stage, times, vote


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
