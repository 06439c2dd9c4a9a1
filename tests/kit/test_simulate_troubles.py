"""The simulator: systems that are down or refuse, people who leave and come, and systems that only pretend."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from support.simulated import EDITOR, MANAGER, PLAIN, Stage, office, times, vote

from activities import plugins
from activities.actions import ActionInput, ActionSet, action
from catalog.access import Observed
from cli.kit.simulation import Simulator, read_stories


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
        stage = office(simulator, tmp_path)
        [verdict] = simulator.run(read_stories([stage.write(item, story)], known).stories)
    assert verdict.unmet == ()
    assert times(verdict, "'second'") == [timedelta(hours=3)]
