"""The simulator and approvals: what people arrange and do about a decision, and what it says of what is not so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.library import BERLIN, BOOKS, MANAGER, READERS, deed, library, play, see
from support.simulated import Stage, times

from cli.kit.simulation import Simulator, read_stories


@pytest.fixture
def stage(simulator: Simulator, tmp_path: Path) -> Stage:
    return library(simulator, tmp_path)


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
        see("day 1 10:10", asked=["mara", "rolf", "olga"], says="Alone: a decision is needed"),
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
    says = "Two readers: 2 of 3 must approve The request expires. The fulfilment begins."
    waits = (
        "the request waits: Two readers: 2 of 3 must approve (Mara Lind, Olga Owner, Rolf Chief), "
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
