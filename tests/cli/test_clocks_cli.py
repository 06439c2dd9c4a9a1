"""`commissary request clocks`, and what `commissary request show` says of clocks (feature rows S1-S9)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from support.api_world import ApiWorld
from support.builders import NOON
from support.clocked import APPROVER, DECISION, OPENED, Told, a_calendar, a_clocked_item
from support.pages import ROOT, blocks, page
from support.terminal import Commissary

from catalog.item import CatalogItem
from catalog.loader import read
from cli.clocks import MOST_LINES, clocks_page, running

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reader's clock hangs in Berlin."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def _hours(world: ApiWorld) -> None:
    """No workflow runs: what happens is what a test puts on record."""
    world.engine.quiet = True
    world.register.publish_calendars([a_calendar("berlin", zone="Europe/Berlin", default=True)], NOON, complete=True)


def ordered(world: ApiWorld, commissary: Commissary, item: CatalogItem, *answers: str) -> Told:
    """Order an item as Ada, and return its journal."""
    world.shelve(item)
    given = [part for answer in answers for part in ("-a", answer)]
    said = commissary("Ada Byron", "request", "order", item.id, *given)
    assert said.code == 0, said.text
    return Told(world.register, said.text.removeprefix("Ordered: ").partition(".")[0])


def at(world: ApiWorld, when: datetime) -> None:
    world.clock.now = when


def test_s9_the_documentation_shows_what_the_command_prints(world: ApiWorld, commissary: Commissary) -> None:
    item = read([ROOT / "docs" / "examples" / "approvals" / "items"]).items["machine-repair"].value
    told = ordered(world, commissary, item, "machine=the lathe", "stands=false")
    told.begin(at=OPENED - 20 * HOUR, hours={"id-mara": "berlin"})
    told.ask(OPENED - 19 * HOUR)
    told.answer(OPENED + HOUR)
    at(world, OPENED + 2 * DAY + HOUR)
    measured = json.loads(commissary("Ada Byron", "request", "clocks", told.number, "--json").text)
    (shown,) = [block for block in blocks(page("docs/approvals.md"), "text") if told.number in block]
    assert shown.splitlines() == [line.rstrip() for line in printed(measured).splitlines()]


def printed(measured: dict[str, Any]) -> str:
    out = StringIO()
    Console(file=out, width=120, color_system=None).print(clocks_page(measured))
    return out.getvalue()


def test_s1_a_clock_is_shown_with_its_target_how_much_is_used_and_when_it_is_due(
    world: ApiWorld, commissary: Commissary
) -> None:
    told = ordered(world, commissary, a_clocked_item(), "why=work")
    told.begin()
    at(world, OPENED + 3 * HOUR)
    said = commissary("Ada Byron", "request", "clocks", told.number).text
    assert f"{told.number} by the clocks of item version 1.0.0" in said
    assert "Priority 3, from impact high and urgency low" in said
    # Berlin is an hour ahead: nine o'clock in UTC is ten there.
    assert "Decision, Line manager running 2 working days 18 % (3 h 00 min) Thu 06 Mar 2025 10:00" in said
    assert "Tue 4 March 2025, 10:00: it began to run: stage 'Line manager' began." in said
    assert said.endswith("Held by For Waited for information Line manager 3 h 00 min Mara Lind 3 h 00 min")


def test_s5_clocks_can_be_read_by_the_definition_of_now(world: ApiWorld, commissary: Commissary) -> None:
    told = ordered(world, commissary, a_clocked_item(), "why=work")
    told.begin()
    world.shelve(a_clocked_item(DECISION | {"target": "1 working hour"}, version="1.1.0"))
    at(world, OPENED + 2 * HOUR)
    assert "running 2 working days 12 %" in commissary("Ada Byron", "request", "clocks", told.number).text
    said = commissary("Ada Byron", "request", "clocks", told.number, "--current").text
    assert "item version 1.1.0" in said
    assert "running, late 1 working hour 200 % (2 h 00 min) Tue 04 Mar 2025 11:00" in said


def test_where_nothing_is_measured_the_command_says_so(world: ApiWorld, commissary: Commissary) -> None:
    told = ordered(world, commissary, a_clocked_item(clocks=(), priority=None), "why=work")
    assert commissary("Ada Byron", "request", "clocks", told.number).text.endswith("No clock has been started.")


def test_a_request_is_shown_with_its_priority_and_a_line_for_each_clock_that_runs(
    world: ApiWorld, commissary: Commissary
) -> None:
    item = a_clocked_item(DECISION, {"id": "fulfilled", "name": "All of it", "start": "ordered", "stop": "fulfilled"})
    told = ordered(world, commissary, item, "why=work")
    told.begin()
    at(world, OPENED + 4 * HOUR)
    said = commissary("Ada Byron", "request", "show", told.number).text
    assert "Priority 3" in said
    assert "Clock Decision, Line manager: 25 % of 2 working days, until Thu 06 Mar 2025 10:00" in said
    assert "Clock All of it: 8 h 59 min, running" in said
    told.ask(OPENED + 4 * HOUR)
    said = commissary("Ada Byron", "request", "show", told.number).text
    assert "Decision, Line manager: 25 % of 2 working days, paused" in said
    told.answer(OPENED + 5 * HOUR)
    at(world, OPENED + 3 * DAY)
    said = commissary("Ada Byron", "request", "show", told.number).text
    assert "% of 2 working days, late since Thu 06 Mar 2025 11:00" in said
    told.decide(OPENED + 3 * DAY)
    assert "Clock Decision" not in commissary("Ada Byron", "request", "show", told.number).text


def test_a_target_that_is_a_moment_is_told_as_such(world: ApiWorld, commissary: Commissary) -> None:
    by = DECISION | {"target": "by 16:00 on the next working day"}
    told = ordered(world, commissary, a_clocked_item(by), "why=work")
    told.begin()
    at(world, OPENED + HOUR)
    said = commissary("Ada Byron", "request", "show", told.number).text
    assert "Decision, Line manager: 7 % of its time, until Wed 05 Mar 2025 16:00" in said
    assert "by 16:00 on the next working day" in commissary("Ada Byron", "request", "clocks", told.number).text


def test_of_many_clocks_the_first_ones_are_named(world: ApiWorld, commissary: Commissary) -> None:
    told = ordered(world, commissary, a_clocked_item(APPROVER), "why=work")
    told.begin()
    at(world, OPENED + HOUR)
    measured = json.loads(commissary("Ada Byron", "request", "clocks", told.number, "--json").text)
    many = measured | {"clocks": measured["clocks"] * (MOST_LINES + 3)}
    lines = list(running(many))
    first = "Decision of each approver, Line manager, Mara Lind: 12 % of 1 working day, until Wed 05 Mar 2025 10:00"
    assert lines[0] == first
    assert lines[MOST_LINES:] == [f"3 more: commissary request clocks {told.number}"]


def test_what_others_wrote_steers_no_terminal(world: ApiWorld, commissary: Commissary) -> None:
    told = ordered(world, commissary, a_clocked_item(DECISION | {"name": "[red]a\x1b[2Jb"}), "why=work")
    told.begin()
    at(world, OPENED + HOUR)
    said = commissary("Ada Byron", "request", "clocks", told.number).text
    assert "[red]a [2Jb, Line manager" in said
    assert "[red]a [2Jb, Line manager: " in commissary("Ada Byron", "request", "show", told.number).text


@pytest.mark.parametrize("options", [(), ("--current",)])
def test_a_request_that_there_is_not_is_said_in_words(commissary: Commissary, options: tuple[str, ...]) -> None:
    said = commissary("Ada Byron", "request", "clocks", "REQ-9999", *options)
    assert said == (1, "Error: There is no such request, or you may not see it.")


def test_a_clock_that_began_anew_says_which_run_it_is(world: ApiWorld, commissary: Commissary) -> None:
    told = ordered(world, commissary, a_clocked_item(), "why=work")
    told.begin()
    told.begin(at=OPENED + DAY)
    at(world, OPENED + DAY + HOUR)
    said = commissary("Ada Byron", "request", "clocks", told.number).text
    assert "Decision, Line manager cancelled" in said
    assert "Decision, Line manager, run 2 running" in said
