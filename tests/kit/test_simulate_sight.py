"""The simulator and what people see: clocks, likely dates, inboxes, mail, and what helps them to decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.library import BOOKS, MANAGER, deed, library, play, see
from support.simulated import Stage

from cli.kit.simulation import Simulator, read_stories


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path) -> Stage:
    return library(simulator, tmp_path)


# ---------------------------------------------------------------- clocks, likely dates, inboxes

TIMED = BOOKS | {
    "clocks": [
        {"id": "decision", "measures": "decision", "target": "2 working days", "warn": []},
        {"id": "reader", "name": "Reader", "measures": "approver", "target": "5 working days", "warn": []},
    ]
}
ASKED = deed("day 1 11:00", "ask", "mara", text="Who reads it?")
ANSWERED = deed("day 1 15:00", "answer", "ada", text="All of us.")


def test_clocks_and_who_held_it_are_read_from_what_has_happened(stage: Stage) -> None:
    verdict = play(
        stage,
        ASKED,
        see("day 1 12:00", clocks=[{"id": "decision", "state": "paused", "percent": 12}]),
        ANSWERED,
        see(
            "day 4 09:00",
            clocks=[
                {
                    "id": "decision",
                    "stage": "readers",
                    "state": "late",
                    "due": "day 3 13:00",
                    "says": "MARA LIND asked",
                },
                {"id": "decision", "state": "running", "percent": 125},
                {"id": "reader", "of": "mara", "state": "running", "percent": 50},
            ],
            held=[
                {"stage": "readers", "lasting": "20 hours", "waited": "4 hours"},
                {"stage": "readers", "by": "mara", "lasting": "20 hours", "waited": "4 hours"},
            ],
        ),
        item=TIMED,
        zone="Europe/Berlin",
        lasts="4 days",
    )
    assert verdict.unmet == ()


def test_what_has_happened_is_measured_by_a_corrected_definition(stage: Stage) -> None:
    whole = {"id": "whole", "name": "Whole", "start": "ordered", "stop": "closed", "target": "3 working days"}
    verdict = play(
        stage,
        ASKED,
        ANSWERED,
        see(
            "day 2 09:00",
            corrected=[{"id": "decision", "measures": "decision", "target": "1 working day"}, whole],
            clocks=[{"id": "decision", "percent": 50}, {"id": "whole", "percent": 33}],
        ),
        item=TIMED,
        zone="Europe/Berlin",
    )
    assert verdict.unmet == ()


def test_a_corrected_definition_that_cannot_be_worked_out_is_a_sentence(stage: Stage) -> None:
    corrected = [{"id": "decision", "measures": "decision", "when": "form.size > 3"}]
    [sentence] = play(stage, see("day 1 10:00", corrected=corrected, clocks=[{"id": "decision"}]), item=TIMED).unmet
    assert sentence.startswith("day 1 10:00: the corrected clocks cannot be worked out: ")


def test_a_corrected_definition_names_a_calendar_that_there_is(stage: Stage) -> None:
    corrected = [{"id": "decision", "measures": "decision", "calendar": calendar} for calendar in ("berlin", "berlim")]
    story = {"name": "one", "order": {"by": "ada"}, "expect": {}, "events": [see("day 2", corrected=corrected)]}
    [problem] = read_stories([stage.write(BOOKS, story)]).problems
    assert (problem.rule, problem.path) == ("unknown-value", "scenarios[0].events[0].corrected[1].calendar")
    assert (problem.message, problem.remedy) == ("there is no calendar 'berlim'", "Did you mean 'berlin'?")


def test_the_likely_date_follows_from_earlier_requests_or_the_sla(stage: Stage) -> None:
    earlier = [
        {"times": 15, "took": {"readers": "1 day", "fulfilment": "2 hours"}},
        {"times": 5, "took": {"readers": "3 days"}},
    ]
    likely = see("day 1 10:00", promised={"p50": "26 hours", "p90": "72 hours", "by": "history"})
    assert play(stage, likely, earlier=earlier).unmet == ()
    promised = see("day 1 10:00", promised={"p50": "day 21 09:00", "p90": "day 21 09:00", "by": "sla"})
    assert play(stage, promised, earlier=earlier[:1]).unmet == ()


def test_an_inbox_has_what_waits_for_somebody_in_their_own_right_or_anothers_and_what_is_late(stage: Stage) -> None:
    work = {
        "id": "fetch",
        "do": "task",
        "title": "Fetch them",
        "assign": [{"rule": "group", "group": "readers"}],
        "due": "1 day",
        "undo": {"do": "notify", "to": ["requester"], "subject": "Back", "text": "Please."},
    }
    verdict = play(
        stage,
        see("day 1 10:00", inbox={"mara": ["mine"], "sam": ["delegated"], "ada": [], "otto": []}),
        deed("day 1 11:00", "approve", "sam"),
        deed("day 1 12:00", "approve", "rolf"),
        see("day 1 13:00", inbox={"mara": ["mine"], "sam": []}),
        see("day 2 12:10", inbox={"mara": ["mine", "overdue"]}),
        item=BOOKS | {"steps": [work]},
        delegations=[{"by": "mara", "to": "sam", "ends": "day 9"}],
    )
    assert verdict.unmet == ()


def test_everything_about_time_and_inboxes_that_is_not_so_is_a_sentence(stage: Stage) -> None:
    moment = "day 1 15:00"
    verdict = play(
        stage,
        see(
            moment,
            clocks=[
                {"id": "whole"},
                {"id": "decision", "of": "mara"},
                {"id": "decision", "state": "late", "percent": 12, "due": "day 2 17:30", "says": "paused"},
            ],
            held=[
                {"stage": "readers", "lasting": "5 hours", "waited": "1 hour"},
                {"stage": "readers", "by": "sam", "lasting": "2 hours"},
            ],
            promised={"p50": "1 day", "p90": "480 hours", "by": "sla"},
            inbox={"mara": [], "sam": ["mine", "overdue"]},
        ),
        item=TIMED,
        zone="Europe/Berlin",
    )
    readers = ", ".join(f"reader of readers of {login}" for login in ("mara", "olga", "rolf"))
    there = f"there are: decision of readers, {readers}"
    due = "6 March 2040, 16:30 UTC"
    sla = "25 March 2040, 08:00 UTC, at most 25 March 2040, 08:00 UTC, by the sla"
    began = "Mon 5 March 2040, 09:00: it began to run: stage 'Two readers' began."
    assert verdict.unmet == (
        f"{moment}: expected a clock 'whole'; {there}",
        f"{moment}: expected a clock 'decision' of mara; {there}",
        f"{moment}: expected the clock 'decision' to be late; it is running",
        f"{moment}: expected the clock 'decision' to be at 12 %; it is at 37 %",
        f"{moment}: expected the clock 'decision' to be due {due}; it is due: 7 March 2040, 08:00 UTC",
        f"{moment}: expected the clock 'decision' to say 'paused'; it says: {began}",
        f"{moment}: expected readers to have held it for 5 hours, and waited for 1 hour; it was 6 hours",
        f"{moment}: expected sam at readers to have held it for 2 hours; it was no time",
        f"{moment}: expected it to promise {sla.replace('25', '6', 1)}; it promises {sla}",
        f"{moment}: expected mara to have nothing in the inbox; it has: mine",
        f"{moment}: expected sam to have mine, overdue in the inbox; it has: nothing",
    )


def test_what_earlier_requests_went_through_the_item_must_have(stage: Stage) -> None:
    story = {"name": "one", "order": {"by": "ada"}, "expect": {}, "earlier": [{"took": {"reader": "1 day"}}]}
    [problem] = read_stories([stage.write(BOOKS, story)]).problems
    assert (problem.rule, problem.path) == ("unknown-value", "scenarios[0].earlier[0].took.reader")
    assert (problem.message, problem.remedy) == ("there is no stage 'reader'", "Did you mean 'readers'?")


# ---------------------------------------------------------------- what people wish, and what they are shown


def wishing(**wishes: Any) -> dict[str, Any]:
    """Return what a scenario says of a company in which Rolf, who is in Singapore, wishes this."""
    return {"people": {"rolf": {"name": "Rolf Chief", "location": "Singapore", "preferences": wishes}}}


def test_n2_no_mail_comes_in_quiet_hours_which_are_those_of_ones_own_zone(stage: Stage) -> None:
    verdict = play(
        stage,
        see("day 1 09:01", told={"rolf": ["approval-needed"]}, mailed={"rolf": [], "mara": ["approval-needed"]}),
        see("day 1 22:59", mailed={"rolf": []}),
        see("day 1 23:00", mailed={"rolf": ["approval-needed"]}),
        see("day 3 08:00", mailed={"rolf": ["approval-needed"]}),
        company=wishing(quiet=["17:00-07:00"]),  # in Singapore it is eight hours later
    )
    assert verdict.unmet == ()


def test_n2_quiet_hours_can_be_meant_in_another_zone(stage: Stage) -> None:
    verdict = play(
        stage,
        see("day 1 09:59", mailed={"rolf": []}),
        see("day 1 10:00", mailed={"rolf": ["approval-needed"]}),
        company=wishing(quiet=["08:00-10:00"], zone="UTC"),
    )
    assert verdict.unmet == ()


def test_n2_what_was_put_off_goes_out_in_the_gap_between_two_nights_though_nobody_looks(stage: Stage) -> None:
    verdict = play(
        stage,
        see("day 3 06:00", mailed={"rolf": ["approval-needed"]}),
        company=wishing(quiet=["12:00-11:00"]),
    )
    assert verdict.unmet == ()


def test_n2_what_was_decided_in_the_quiet_hours_is_not_asked_for_after_them(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 22:30", "approve", "rolf"),
        see("day 2 08:00", told={"rolf": ["approval-needed"]}, mailed={"rolf": [], "mara": ["approval-needed"]}),
        company=wishing(quiet=["17:00-07:00"]),
    )
    assert verdict.unmet == ()


def test_n2_what_is_decided_after_the_quiet_hours_was_asked_for_at_their_end(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 23:30", "approve", "rolf"),
        see("day 2 08:00", mailed={"rolf": ["approval-needed"]}),
        company=wishing(quiet=["17:00-07:00"]),
    )
    assert verdict.unmet == ()


def test_n2_a_digest_is_of_what_waited_when_it_was_due(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 10:00", "approve", "rolf", part="ada"),
        see("day 1 12:00", mailed={"rolf": ["digest"]}),
        deed("day 1 12:10", "approve", "rolf", part="sam"),
        see("day 2 13:00", mailed={"rolf": ["digest"]}),
        company=wishing(digest="20:00"),
        order={"by": "ada", "beneficiaries": ["ada", "sam"], "answers": {"copies": 3}},
    )
    assert verdict.unmet == ()


def test_a12_a_calendar_that_somebody_has_chosen_counts(stage: Stage) -> None:
    verdict = play(
        stage,
        see("day 1 09:10", calendar="Berlin", until="day 8 09:00"),
        item=BOOKS | {"approvals": [MANAGER | {"decide_within": "5 working days"}]},
        order={"by": "mara", "answers": {"copies": 3}},
        company=wishing(calendar="berlin"),
    )
    assert verdict.unmet == ()


def test_wishes_that_leave_no_time_are_a_problem_of_the_scenario(stage: Stage) -> None:
    story = {
        "name": "one",
        "order": {"by": "ada"},
        "expect": {},
        "company": wishing(quiet=["00:00-12:00", "12:00-24:00"]),
    }
    [problem] = read_stories([stage.write(BOOKS, story)]).problems
    assert problem.path == "scenarios[0].company.people.rolf.preferences.quiet"


def test_a19_those_who_are_asked_are_shown_what_helps_them_to_decide(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 10:00", "consult", "mara", person="sam", question="Is it good?"),
        deed("day 1 10:10", "advise", "sam", text="Yes."),
        deed("day 1 11:00", "approve", "mara"),
        see("day 1 12:00", context={"rolf": {
            "cost": 20, "changes": 0, "history": ["advice-given", "vote"], "earlier": ["fulfilled"], "colleagues": 0,
        }}),
        earlier=[{"took": {"readers": "1 day"}}],
        company={"people": {"ada": {"name": "Ada Byron", "manager": "mara", "department": "Engineering"}}},
        item=BOOKS | {
            "price": {"one_off": 20, "currency": "EUR"},
            "eligibility": [{"id": "reads", "when": "beneficiary.department != 'Sales'", "why_not": "No."}],
        },
    )  # fmt: skip
    assert verdict.unmet == ()


def test_a19_those_who_are_asked_are_shown_what_access_it_would_change(stage: Stage) -> None:
    groups = ("books", "staff", "temps")
    steps = [
        {"id": "in", "do": "grant", "group": "books"},
        {"id": "still", "do": "grant", "group": "staff"},
        {"id": "out", "do": "revoke", "group": "temps"},
    ]
    sight = {"access": ["readers", "staff", "temps"], "gains": ["books"], "loses": ["temps"]}
    there = {name: {"owners": ["olga"], "members": ["ada"] if name != "books" else []} for name in groups}
    company = {"groups": there | {"readers": {"owners": ["olga"], "members": ["mara", "rolf", "olga", "ada"]}}}
    verdict = play(stage, see("day 1 12:00", context={"mara": sight}), item=BOOKS | {"steps": steps}, company=company)
    assert verdict.unmet == ()
    wrong = {"mara": {"access": [], "gains": [], "loses": ["staff"]}}
    verdict = play(stage, see("day 1 12:00", context=wrong), item=BOOKS | {"steps": steps}, company=company)
    said = "day 1 12:00: expected mara to be shown as"
    assert verdict.unmet == (
        f"{said} access nothing; it is: readers, staff, temps",
        f"{said} gains nothing; it is: books",
        f"{said} loses staff; it is: temps",
    )


def test_everything_about_mail_and_context_that_is_not_so_is_a_sentence(stage: Stage) -> None:
    sight = {"cost": 5, "changes": 1, "history": ["vote", "amended"], "earlier": ["fulfilled"], "colleagues": 2}
    moment = "day 1 10:00"
    verdict = play(stage, see(moment, mailed={"rolf": [], "ada": ["closed"]}, context={"mara": sight, "ada": {}}))
    assert verdict.unmet == (
        f"{moment}: expected rolf to have been mailed nothing; they were mailed: approval-needed",
        f"{moment}: expected ada to have been mailed closed; they were mailed: nothing",
        f"{moment}: expected mara to be shown as cost 5; it is: None",
        f"{moment}: expected mara to be shown as changes 1; it is: 0",
        f"{moment}: expected mara to be shown as history vote, amended; it is: nothing",
        f"{moment}: expected mara to be shown as earlier fulfilled; it is: nothing",
        f"{moment}: expected mara to be shown as colleagues 2; it is: None",
        f"{moment}: expected ada to be shown what helps to decide; they are not",
    )


@pytest.mark.parametrize("key", ["mailed", "context"])
def test_who_gets_mail_or_decides_must_be_somebody(stage: Stage, key: str) -> None:
    what: Any = {"marra": {} if key == "context" else []}
    story = {"name": "one", "order": {"by": "ada"}, "expect": {}, "events": [see("day 2", **{key: what})]}
    [problem] = read_stories([stage.write(BOOKS, story)]).problems
    assert (problem.rule, problem.remedy) == ("unknown-person", "Did you mean 'mara'?")
