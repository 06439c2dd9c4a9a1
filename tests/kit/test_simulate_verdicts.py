"""The simulator: what it says of a story that does not go as it was written."""

from __future__ import annotations

from typing import Any

import pytest
from support.simulated import EDITOR, LAPTOP, MANAGER, PLAIN, Stage, vote
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from cli.client import Trouble
from cli.kit import engine
from cli.kit.simulation import Simulator, Story, Verdict
from cli.kit.simulation.clock import Misled


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
    until = "until 12 March 2040, 09:00 UTC (The request expires)"
    waits = f"the request waits: Line manager: a decision is needed (Mara Lind), {until}"
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
            (
                "day 2: otto cannot retry: there is nothing to see to; "
                "the request waits: Line manager: a decision is needed"
            ),
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


@pytest.mark.parametrize(("jumps", "said"), [(3, ()), (4, ("the engine did not move the clock of REQ-1 as asked",))])
def test_a_story_is_played_again_when_the_engine_moves_a_clock_wrongly(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, jumps: int, said: tuple[str, ...]
) -> None:
    ahead = [Misled("REQ-1")] * jumps
    plain = Simulator._play_once

    async def jumping(self: Simulator, story: Story) -> Verdict:
        if ahead:
            raise ahead.pop()
        return await plain(self, story)

    monkeypatch.setattr(Simulator, "_play_once", jumping)
    verdict = stage.play(EDITOR, expect={"outcome": "expired"})
    assert tuple(sentence.partition(",")[0] for sentence in verdict.unmet) == said


@pytest.mark.parametrize("answer", [False, RPCError("busy", RPCStatusCode.FAILED_PRECONDITION, b"")])
def test_a_workflow_whose_clock_does_not_move_is_not_taken_for_ended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, answer: bool | RPCError
) -> None:
    wrong = [answer]
    engine_of = type(stage.simulator._env)
    plain = engine_of.fast_forward

    async def misleading(self: WorkflowEnvironment, *asked: Any) -> bool:
        if not wrong:
            return await plain(self, *asked)
        said = wrong.pop()
        if isinstance(said, RPCError):
            raise said
        return said

    monkeypatch.setattr(engine_of, "fast_forward", misleading)
    verdict = stage.play(EDITOR, vote("day 2", "mara"), expect={"outcome": "fulfilled", "within": "2 days"})
    assert (verdict.unmet, wrong) == ((), [])


def test_a_simulator_that_cannot_open_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise Trouble("The Temporal CLI is missing.")

    monkeypatch.setattr(engine, "temporal_binary", missing)
    broken = Simulator()
    with pytest.raises(Trouble, match="Temporal CLI"), broken:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        broken._runner.get_loop()
