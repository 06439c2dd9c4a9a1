"""The simulator and approvals: what people arrange and do about a decision, and what it says of what is not so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.simulated import Stage, times

from cli.kit.simulation import Simulator, Verdict, read_stories

COMPANY: dict[str, Any] = {
    "people": {
        "ada": {"name": "Ada Byron", "manager": "mara", "location": "Berlin"},
        "mara": {"name": "Mara Lind", "manager": "rolf", "location": "Berlin"},
        "rolf": {"name": "Rolf Chief", "location": "Singapore"},
        "olga": {"name": "Olga Owner", "location": "Berlin"},
        "sam": {"name": "Sam Smith", "manager": "mara", "location": "Berlin"},
        "otto": {"name": "Otto Operator"},
    },
    "groups": {"readers": {"owners": ["olga"], "members": ["mara", "rolf", "olga"]}},
    "operators": ["otto"],
}
WEEK = {day: ["09:00-17:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
BERLIN: dict[str, Any] = {
    "id": "berlin",
    "name": "Berlin",
    "zone": "Europe/Berlin",
    "hours": WEEK,
    "holidays": {"country": "DE"},
}
SINGAPORE: dict[str, Any] = {"id": "singapore", "name": "Singapore", "zone": "Asia/Singapore", "hours": WEEK}
CALENDARS = [BERLIN | {"default": True}, SINGAPORE | {"people": "person.location == 'Singapore'"}]
PLAIN: dict[str, Any] = {
    "version": "1.0.0",
    "description": "…",
    "category": "Test",
    "owner": "olga",
    "sla": {"target": "20 days"},
}
MANAGER: dict[str, Any] = {"id": "manager", "name": "Line manager", "approvers": [{"rule": "manager"}]}
READERS: dict[str, Any] = {
    "id": "readers",
    "name": "Two readers",
    "approvers": [{"rule": "group", "group": "readers"}],
    "quorum": 2,
}
BOOKS: dict[str, Any] = {
    "id": "books",
    "name": "Books",
    **PLAIN,
    "form": [
        {"id": "copies", "type": "integer", "label": "How many?", "least": 1, "most": 50},
        {"id": "why", "type": "text", "label": "Why?", "required": False},
    ],
    "order_for": {"others": True, "at_most": 5},
    "approvals": [READERS | {"decide_within": "5 working days", "may_reduce": ["copies"]}],
    "steps": [{"id": "tell", "do": "notify", "to": ["requester"], "subject": "Read!", "text": "{{ form.copies }}"}],
}


def play(stage: Stage, *events: dict[str, Any], item: dict[str, Any] = BOOKS, **scenario: Any) -> Verdict:
    """Let events happen to an order of three books, which is open still after three days unless that is said."""
    plain = {"order": {"by": "ada", "answers": {"copies": 3}}, "lasts": "3 days"}
    return stage.play(item, *events, **plain | scenario)


def deed(at: str, do: str, by: str, **other: Any) -> dict[str, Any]:
    return {"at": at, "do": do, "by": by, **other}


def see(at: str, **other: Any) -> dict[str, Any]:
    return {"at": at, "do": "see", **other}


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path) -> Stage:
    return Stage(simulator, tmp_path, COMPANY, calendars=CALENDARS)


# ---------------------------------------------------------------- who is away


def test_a_delegation_that_stands_before_the_order_counts_from_the_beginning(stage: Stage) -> None:
    verdict = play(
        stage,
        see("day 1 09:10", asked=["mara", "sam", "rolf", "olga"], told={"sam": ["approval-needed"]}),
        delegations=[{"by": "mara", "to": "sam", "ends": "day 9"}],
    )
    assert verdict.unmet == ()


def test_a_delegation_begins_and_ends_by_itself_before_whatever_else_happens_then(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 10:00", "delegates", "mara", to="sam", begins="day 1 12:00", ends="day 2 12:00"),
        see("day 1 11:59", asked=["mara", "rolf", "olga"]),
        see("day 1 12:00", asked=["mara", "rolf", "olga", "sam"]),
        see("day 2 11:59", asked=["mara", "rolf", "olga", "sam"]),
        see("day 2 12:00", asked=["mara", "rolf", "olga"]),
        expect={"rules": ["delegation.begins", "delegation.ends"]},
    )
    assert verdict.unmet == ()
    assert [line.text for line in verdict.timeline if line.sort == "deed"] == [
        "mara lets sam decide in their place until day 2 12:00"
    ]


def test_a_delegation_that_is_taken_back_ends_then_and_not_again(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 10:00", "delegates", "mara", to="sam", ends="day 2 12:00"),
        deed("day 1 10:00", "delegates", "mara", to="ada", ends="day 2 12:00", items=["other"]),
        deed("day 1 11:00", "withdraws-delegation", "mara", to="sam"),
        see("day 1 11:00", asked=["mara", "rolf", "olga"]),
        expect={"rules": ["delegation.begins", "delegation.ends"]},
    )
    assert verdict.unmet == ()
    assert [line.text for line in verdict.timeline if "take" in line.text] == [
        "mara takes back what they delegated to sam"
    ]


def test_who_stood_in_does_not_any_more_once_that_is_taken_back_also_while_the_directory_is_down(stage: Stage) -> None:
    verdict = play(
        stage,
        {"at": "day 1 10:00", "do": "down", "lasting": "2 hours"},
        deed("day 1 11:00", "withdraws-delegation", "mara"),
        see("day 1 11:10", asked=["mara", "sam", "rolf", "olga"]),
        deed("day 1 11:10", "approve", "sam", refused="no-longer-asked"),
        deed("day 1 11:10", "ask", "sam", text="Why?", refused="no-longer-asked"),
        see("day 1 12:10", asked=["mara", "rolf", "olga"]),
        delegations=[{"by": "mara", "to": "sam", "ends": "day 9"}],
    )
    assert verdict.unmet == ()


def test_requests_of_one_order_all_hear_of_a_delegation(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 10:00", "delegates", "rolf", to="otto", ends="day 9"),
        see("day 1 10:10", part="ada", asked=["mara", "rolf", "olga", "otto"]),
        see("day 1 10:10", part="sam", asked=["mara", "rolf", "olga", "otto"]),
        order={"by": "ada", "beneficiaries": ["ada", "sam"], "answers": {"copies": 3}},
    )
    assert verdict.unmet == ()


def test_whoever_leaves_or_comes_is_asked_or_not_at_once_and_what_has_ended_is_left_alone(stage: Stage) -> None:
    verdict = play(
        stage,
        {"at": "day 1 10:00", "do": "quits", "who": "mara", "group": "readers"},
        {"at": "day 1 10:00", "do": "joins", "who": "sam", "group": "readers"},
        see("day 1 10:00", asked=["rolf", "olga", "sam"], told={"sam": ["approval-needed"]}),
        deed("day 1 11:00", "cancel", "ada"),
        {"at": "day 1 12:00", "do": "leaves", "who": "olga"},
        expect={"outcome": "cancelled", "rules": ["people.changed", "people.changed"]},
    )
    assert verdict.unmet == ()


def test_only_requests_whose_rules_name_others_now_look_again(stage: Stage) -> None:
    verdict = play(
        stage,
        {"at": "day 1 10:00", "do": "moves", "who": "ada", "manager": "rolf"},
        {"at": "day 1 11:00", "do": "quits", "who": "mara", "group": "readers"},
        see("day 1 11:00", asked=["rolf", "olga"]),
        expect={"rules": ["people.changed"]},
    )
    assert verdict.unmet == ()
    assert times(verdict, "roster.look, attempt 1: done") == [timedelta(hours=1), timedelta(hours=2)]
    assert times(verdict, "identity.approvers") == [timedelta(hours=2)]


def test_the_requests_of_one_order_are_looked_at_in_one_round(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 10:00", "cancel", "ada", part="ada"),
        {"at": "day 1 11:00", "do": "joins", "who": "otto", "group": "readers"},
        see("day 1 11:00", part="sam", asked=["mara", "rolf", "olga", "otto"], told={"otto": ["approval-needed"]}),
        order={"by": "ada", "beneficiaries": ["ada", "sam"], "answers": {"copies": 3}},
    )
    assert verdict.unmet == ()
    assert times(verdict, "roster.look") == [timedelta(hours=2)]


def test_who_changes_while_the_directory_is_down_is_noticed_when_it_answers_again(stage: Stage) -> None:
    verdict = play(
        stage,
        {"at": "day 1 10:00", "do": "down", "lasting": "2 hours"},
        {"at": "day 1 11:00", "do": "quits", "who": "mara", "group": "readers"},
        see("day 1 11:50", asked=["mara", "rolf", "olga"]),
        see("day 1 12:00", asked=["rolf", "olga"]),
        expect={"rules": ["people.changed"]},
    )
    assert verdict.unmet == ()
    assert times(verdict, "roster.look, attempt 1: done") == [timedelta(hours=3)]


# ---------------------------------------------------------------- whose working time


@pytest.mark.parametrize(
    ("by", "until", "calendar"), [("mara", "day 8 09:00", "Singapore"), ("ada", "day 12 15:00", "Berlin")]
)
def test_everybody_has_the_working_time_of_where_they_are(stage: Stage, by: str, until: str, calendar: str) -> None:
    verdict = play(
        stage,
        see("day 1 10:00", until=until, calendar=calendar),  # in Germany the Friday and the Monday are Easter's
        item=BOOKS | {"approvals": [MANAGER | {"decide_within": "5 working days"}]},
        order={"by": by, "answers": {"copies": 3}},
        begins="2040-03-29T08:00:00",
        zone="Asia/Singapore",
        lasts="1 day",
    )
    assert verdict.unmet == ()


def test_holidays_that_nobody_knows_are_a_problem_of_their_calendar(stage: Stage) -> None:
    stage.calendars = [BERLIN | {"default": True, "holidays": {"country": "DE", "region": "XX"}}]
    file = stage.write(BOOKS, {"name": "one", "order": {"by": "ada"}, "expect": {}})
    [problem] = read_stories([file]).problems
    assert (Path(problem.file).name, problem.rule, problem.path) == ("berlin.yaml", "unknown-holidays", "holidays")
    assert problem.message == "DE has no region 'XX' with holidays of its own"


# ---------------------------------------------------------------- what people do besides deciding


def test_people_hand_on_add_ask_advise_answer_and_take_back(stage: Stage) -> None:
    verdict = play(stage,
        deed("day 1 10:00", "ask", "mara", text="Who reads it?"),
        see("day 1 10:01", kind="information", waits_for=["ada"], says="who reads it"),
        deed("day 1 10:10", "answer", "ada", text="Me."),
        deed("day 1 10:20", "consult", "mara", person="sam", question="Is it good?"),
        deed("day 1 10:30", "advise", "sam", text="Yes."),
        deed("day 1 10:40", "reassign", "otto", to="sam", of="mara"),
        deed("day 1 10:50", "add", "sam", person="otto"),
        see("day 1 11:00", asked=["sam", "rolf", "olga", "otto"]),
        deed("day 1 11:10", "remind", "ada", stage="readers"),
        deed("day 1 11:20", "approve", "sam"),
        deed("day 1 11:30", "withdraw", "sam"),
        deed("day 1 11:40", "withdraw", "sam", refused="not-voted"),
        expect={
            "journal": ["info-asked", "info-given", "advice-asked", "advice-given", "handed-on", "approver-added",
                        "approvers-reminded", "vote", "vote-withdrawn"],
            "told": {"sam": ["advice-needed", "approval-needed", "reminder"], "mara": ["answered", "answered"]},
        },
    )  # fmt: skip
    assert verdict.unmet == ()


def test_an_order_is_changed_within_its_form_only(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 10:00", "amend", "ada", answers={"copies": 51}, refused="copies"),
        deed("day 1 10:10", "amend", "mara", answers={"copies": 5}, refused="not-allowed"),
        deed("day 1 10:20", "amend", "ada", answers={"copies": 5}, reason="One for each."),
        deed("day 1 10:30", "approve", "mara", answers={"copies": 4}),
        deed("day 1 10:40", "approve", "rolf"),
        expect={"outcome": "fulfilled", "journal": ["amended", "amended", "vote", "vote"]},
    )
    assert verdict.unmet == ()
    said = [line.text for line in verdict.timeline if "changed what was ordered" in line.text]
    assert said == [
        "Ada Byron changed what was ordered: How many? is now '5': 'One for each.'",
        "Mara Lind changed what was ordered: How many? is now '4'",
    ]


def test_who_decides_on_what_they_saw_earlier_is_sent_back(stage: Stage) -> None:
    verdict = play(
        stage,
        deed("day 1 10:00", "amend", "ada", answers={"copies": 5}),
        deed("day 1 10:10", "approve", "mara", saw="day 1 09:10", refused="subject-changed"),
        deed("day 1 10:20", "approve", "mara", saw="day 1 10:05"),
    )
    assert verdict.unmet == ()


def test_what_waits_is_decided_in_one_go_and_nothing_twice(stage: Stage) -> None:
    one = READERS | {"quorum": "any", "concerns": ["copies"]}
    other = one | {"id": "again", "name": "Again", "after": []}
    alone = one | {"id": "alone", "name": "Alone", "concerns": ["why"], "after": [], "bulk": False}
    verdict = play(
        stage,
        deed("day 1 10:00", "approve", "olga", bulk=True),
        see("day 1 10:10", asked=["mara", "rolf", "olga"], says="Alone decides"),
        deed("day 1 10:20", "approve", "olga", stage="alone"),
        item=BOOKS | {"approvals": [one, other, alone]},
        expect={"outcome": "fulfilled", "rules": ["approval.already-approved"]},
    )
    assert verdict.unmet == ()


# ---------------------------------------------------------------- what it says of a story that is not so


def test_everything_about_approvals_that_is_not_so_is_a_sentence(stage: Stage) -> None:
    verdict = play(
        stage,
        see(
            "day 1 10:00",
            asked=["sam"],
            until="day 9 09:00",
            calendar="Mars",
            says="the moon",
            told={"mara": ["reminder"], "sam": ["reminder"]},
        ),
        deed("day 1 11:00", "approve", "mara"),
        expect={
            "voted": {"mara": "reject", "olga": "approve"},
            "on_behalf": {"mara": "rolf", "sam": "rolf"},
            "rules": ["approver.group", "delegation.begins"],
        },
    )
    says = "Two readers decides: 2 of 3 must approve The request expires. The fulfilment begins."
    waits = (
        "the request waits: Two readers decides: 2 of 3 must approve (Mara Lind, Olga Owner, Rolf Chief), "
        "until 13 March 2040, 01:00 UTC (The request expires)"
    )
    assert verdict.unmet == (
        f"day 1 10:00: expected it to wait until 13 March 2040, 09:00 UTC; {waits}",
        "day 1 10:00: expected its time to be counted in Mars; it is in: Singapore",
        f"day 1 10:00: expected it to say 'the moon'; it says: {says}",
        "day 1 10:00: expected sam to be asked; those asked are: mara, olga, rolf",
        "day 1 10:00: expected mara to have been told reminder; they were told: approval-needed",
        "day 1 10:00: expected sam to have been told reminder; they were told: nothing",
        "expected mara to reject; their vote: approve",
        "expected olga to approve; their vote: none",
        "expected mara to decide for rolf; they decided for: nobody",
        "expected sam to decide for rolf; they decided for: nobody",
        "expected 'delegation.begins' in the rules, in that order; there stands: approver.group",
    )


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (deed("day 2", "ask", "sam", text="?"), "day 2: sam cannot ask: You are not among those who are asked"),
        (deed("day 2", "answer", "ada", text="!"), "day 2: ada cannot answer: there is nothing to answer; the request"),
        (deed("day 2", "advise", "sam", text="!"), "day 2: sam cannot advise: there is nothing to give advice on; "),
        (
            deed("day 2", "amend", "ada", answers={"copies": 51}),
            "day 2: ada cannot amend: copies: ",
        ),
        (
            deed("day 2", "amend", "ada", answers={"copies": 5}, refused="closed"),
            "day 2: ada was to be refused (closed), but could amend",
        ),
        (
            deed("day 2", "delegates", "mara", to="mara", ends="day 9"),
            "day 2: mara cannot delegate: Nobody stands in for themselves; name somebody else. (delegate)",
        ),
        (
            deed("day 2", "delegates", "mara", to="sam", ends="day 9", refused="ends"),
            "day 2: mara was to be refused (ends), but could delegate",
        ),
        (
            deed("day 2", "withdraws-delegation", "mara"),
            "day 2: mara has delegated nothing that could be taken back",
        ),
        (
            deed("day 2", "approve", "sam", bulk=True),
            "day 2: sam cannot approve: there is nothing to decide in one go; the request waits",
        ),
        (
            deed("day 2", "reject", "mara", bulk=True),
            "day 2: mara cannot reject 'Two readers: Books for Ada Byron': Give a reason to reject. (reason-needed)",
        ),
    ],
    ids=lambda one: one["do"] if isinstance(one, dict) else "",
)
def test_what_cannot_be_done_is_said_and_ends_the_story(stage: Stage, event: dict[str, Any], said: str) -> None:
    [sentence] = play(stage, event).unmet
    assert sentence.startswith(said)


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
