"""What is measured of a request, over HTTP: worked out from its journal (feature rows S1-S9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON
from support.clocked import APPROVER, DECISION, OPENED, WEEK, Told, a_calendar, a_clocked_item
from support.live_api import LiveApi
from support.waiting import until

from catalog.item import CatalogItem
from catalog.journal import Kind

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
Ordered = Callable[..., Awaitable[Told]]


@pytest.fixture
def hours(world: ApiWorld) -> ApiWorld:
    """The world, with working hours; no workflow runs: what happens is what a test puts on record."""
    world.engine.quiet = True
    world.register.publish_calendars([a_calendar("office", default=True)], NOON, complete=True)
    return world


@pytest.fixture
def ordered(hours: ApiWorld) -> Ordered:
    """Order an item, and return its journal."""

    async def it(item: CatalogItem | None = None, why: str = "work") -> Told:
        item = item or a_clocked_item()
        hours.shelve(item)
        answer = await hours.orders(item=item.id, answers={"why": why})
        assert answer.status_code == 201, answer.text
        return Told(hours.register, answer.json()["number"])

    return it


async def look(world: ApiWorld, told: Told, at: datetime, query: str = "", who: str = "ada") -> dict[str, Any]:
    """Return what somebody is shown at a moment."""
    world.clock.now = at
    world._tokens.clear()  # they are good for an hour
    answer = await world.get(who, f"/requests/{told.number}/clocks{query}")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def the(world: ApiWorld, told: Told, at: datetime, query: str = "") -> dict[str, Any]:
    """Return the one clock that somebody is shown."""
    (clock,) = (await look(world, told, at, query))["clocks"]
    found: dict[str, Any] = clock
    return found


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_s1_a_clock_that_runs_says_how_far_it_is_and_by_when_it_should_stop(
    hours: ApiWorld, ordered: Ordered
) -> None:
    told = await ordered()
    told.begin()
    clock = await the(hours, told, OPENED + 4 * HOUR)
    assert clock["name"] == "Decision"
    assert clock["stage"] == {"id": "manager", "name": "Line manager"}
    assert clock["approver"] is None
    assert (clock["state"], clock["percent"], clock["target"]) == ("running", 25, "2 working days")
    assert (clock["elapsed"], clock["paused"], clock["zone"]) == ("PT4H", "PT0S", "UTC")
    assert moment(clock["due_at"]) == OPENED + 2 * DAY
    assert [mark["percent"] for mark in clock["ahead"]] == [50, 75, 100]
    assert clock["explained"] == ["Tue 4 March 2025, 09:00: it began to run: stage 'Line manager' began."]


async def test_s1_a_clock_that_stands_still_is_due_at_no_moment(hours: ApiWorld, ordered: Ordered) -> None:
    told = await ordered()
    told.begin()
    told.ask(OPENED + HOUR)
    clock = await the(hours, told, OPENED + DAY)
    assert (clock["state"], clock["due_at"], clock["elapsed"], clock["paused"]) == ("paused", None, "PT1H", "PT7H")
    assert clock["explained"][-1] == "Tue 4 March 2025, 10:00: paused: Mara Lind asked for information."


async def test_s2_the_time_of_who_is_asked_is_counted_in_the_calendar_they_had_then(
    hours: ApiWorld, ordered: Ordered
) -> None:
    early = a_calendar("early", "06:00-14:00")
    hours.register.publish_calendars([a_calendar("office", default=True), early], NOON, complete=True)
    told = await ordered(a_clocked_item(APPROVER))
    told.begin(hours={"id-mara": "early"})
    # Later it is another, and then there is none of that name: neither changes what was.
    late = a_calendar("early", "12:00-20:00")
    hours.register.publish_calendars([late], OPENED + HOUR, complete=True)
    hours.register.publish_calendars([], OPENED + 2 * HOUR, complete=True)
    clock = await the(hours, told, OPENED + DAY)
    assert clock["approver"] == {"id": "id-mara", "name": "Mara Lind"}
    assert (clock["elapsed"], clock["percent"]) == ("PT8H", 100)
    assert moment(clock["breached_at"]) == OPENED + DAY


async def test_an_older_request_whose_journal_names_no_calendars_counts_in_the_platforms(
    hours: ApiWorld, ordered: Ordered
) -> None:
    told = await ordered(a_clocked_item(APPROVER))
    told.begin()
    assert (await the(hours, told, OPENED + DAY))["elapsed"] == "PT8H"


async def test_s3_s5_a_corrected_definition_is_applied_to_what_has_happened(hours: ApiWorld, ordered: Ordered) -> None:
    told = await ordered()
    told.begin()
    told.ask(OPENED + HOUR)
    told.answer(OPENED + 3 * HOUR)
    hours.shelve(a_clocked_item(DECISION | {"target": "4 working hours", "pause": []}, version="1.1.0"))
    at = OPENED + 5 * HOUR
    as_ordered = await look(hours, told, at)
    assert as_ordered == await look(hours, told, at, "?definition=ordered")
    assert as_ordered["version"] == "1.0.0"
    assert (as_ordered["clocks"][0]["elapsed"], as_ordered["clocks"][0]["breached_at"]) == ("PT3H", None)
    current = await look(hours, told, at, "?definition=current")
    assert current["version"] == "1.1.0"
    assert current["clocks"][0]["elapsed"] == "PT5H"
    assert moment(current["clocks"][0]["breached_at"]) == OPENED + 4 * HOUR
    assert current["shares"] == as_ordered["shares"]


async def test_s5_an_item_that_is_not_published_any_more_has_no_current_clocks(
    hours: ApiWorld, ordered: Ordered
) -> None:
    told = await ordered()
    told.begin()
    hours.shelve()
    answer = await hours.get("ada", f"/requests/{told.number}/clocks?definition=current")
    assert "'desk' is not published any more" in expect_problem(answer, 404, "not-found")["detail"]
    assert (await look(hours, told, OPENED))["clocks"]


async def test_s5_a_definition_that_does_not_fit_the_order_is_refused_with_the_reason(
    hours: ApiWorld, ordered: Ordered
) -> None:
    told = await ordered()
    hours.shelve(a_clocked_item(DECISION | {"when": "form.why / 2 == 1"}, version="1.1.0"))
    answer = await hours.get("ada", f"/requests/{told.number}/clocks?definition=current")
    (wrong,) = expect_problem(answer, 422, "invalid")["errors"]
    assert wrong["field"] == "definition"
    assert wrong["message"]


async def test_a_definition_that_there_is_not_is_refused(hours: ApiWorld, ordered: Ordered) -> None:
    told = await ordered()
    answer = await hours.get("ada", f"/requests/{told.number}/clocks?definition=wrong")
    (wrong,) = expect_problem(answer, 422, "invalid")["errors"]
    assert wrong["field"] == "definition"


async def test_s6_what_a_clock_came_to_is_told_to_the_moment(hours: ApiWorld, ordered: Ordered) -> None:
    told = await ordered()
    told.begin()
    clock = await the(hours, told, OPENED + 4 * DAY)
    assert [(mark["percent"], moment(mark["at"])) for mark in clock["reached"]] == [
        (50, OPENED + 8 * HOUR),
        (75, OPENED + DAY + 4 * HOUR),
        (100, OPENED + 2 * DAY),
    ]


async def test_s7_who_held_it_how_long_is_told_by_stage_and_by_approver(hours: ApiWorld, ordered: Ordered) -> None:
    told = await ordered()
    told.begin(hours={"id-mara": "always"})
    told.ask(OPENED + HOUR)
    told.answer(OPENED + 3 * HOUR)
    told.decide(OPENED + DAY)
    stage = {"id": "manager", "name": "Line manager"}
    assert (await look(hours, told, OPENED + 9 * DAY))["shares"] == [
        {"stage": stage, "approver": None, "held": "PT6H", "waited": "PT2H"},
        {"stage": stage, "approver": {"id": "id-mara", "name": "Mara Lind"}, "held": "PT22H", "waited": "PT2H"},
    ]


async def test_s7_shares_are_known_of_a_request_without_clocks_too(hours: ApiWorld, ordered: Ordered) -> None:
    told = await ordered(a_clocked_item(clocks=(), priority=None))
    told.begin()
    told.decide(OPENED + DAY)
    shown = await look(hours, told, OPENED + 9 * DAY)
    assert (shown["clocks"], shown["priority"]) == ([], None)
    assert [share["held"] for share in shown["shares"]] == ["PT8H", "PT8H"]


async def test_s9_why_a_clock_was_breached_is_told_moment_by_moment(hours: ApiWorld, ordered: Ordered) -> None:
    told = await ordered(a_clocked_item(DECISION | {"warn": []}))
    told.begin()
    told.ask(OPENED + HOUR)
    told.answer(OPENED + 3 * HOUR)
    told.decide(OPENED + 3 * DAY)
    clock = await the(hours, told, OPENED + 9 * DAY)
    assert clock["state"] == "stopped"
    assert clock["explained"] == [
        "Tue 4 March 2025, 09:00: it began to run: stage 'Line manager' began.",
        "Tue 4 March 2025, 10:00: paused: Mara Lind asked for information.",
        "Tue 4 March 2025, 12:00: it ran again: Ada Byron gave the information.",
        "Thu 6 March 2025, 11:00: breached: 100 % of its time was over.",
        "Fri 7 March 2025, 09:00: stopped: stage 'Line manager' ended.",
    ]


@pytest.mark.parametrize(
    ("why", "priority", "target"), [("urgent", 1, "4 working hours"), ("work", 3, "2 working days")]
)
async def test_the_priority_of_an_order_is_shown_with_it_and_chooses_its_targets(
    hours: ApiWorld, ordered: Ordered, why: str, priority: int, target: str
) -> None:
    told = await ordered(why=why)
    told.begin()
    shown = await look(hours, told, OPENED)
    urgency = "high" if priority == 1 else "low"
    assert (shown["priority"], shown["impact"], shown["urgency"]) == (priority, "high", urgency)
    assert shown["clocks"][0]["target"] == target
    assert (await hours.get("ada", f"/requests/{told.number}")).json()["priority"] == priority
    assert (await hours.get("ada", "/requests")).json()["items"][0]["priority"] == priority


async def test_a_request_that_has_not_begun_has_no_clocks_yet(hours: ApiWorld, ordered: Ordered) -> None:
    shown = await look(hours, await ordered(), NOON)
    assert (shown["clocks"], shown["shares"]) == ([], [])


async def test_whoever_sees_the_journal_sees_the_clocks_and_nobody_else(hours: ApiWorld, ordered: Ordered) -> None:
    told = await ordered()
    told.begin()
    for who, status in (("ada", 200), ("otto", 200), ("sam", 404)):
        for path in ("journal", "clocks"):
            assert (await hours.get(who, f"/requests/{told.number}/{path}")).status_code == status
    real, made_up = [await hours.get("sam", f"/requests/{number}/clocks") for number in (told.number, "REQ-9999")]
    assert expect_problem(real, 404, "not-found") == expect_problem(made_up, 404, "not-found")


async def test_a_long_journal_is_read_to_its_end(
    hours: ApiWorld, ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.measuring._AT_ONCE", 2)
    told = await ordered()
    told.begin()
    told.ask(OPENED + HOUR)
    told.answer(OPENED + 3 * HOUR)
    told.note(Kind.COMMENT, OPENED + 4 * HOUR, {"text": "hello"}, by="Ada Byron")
    told.decide(OPENED + 5 * HOUR)
    assert (await the(hours, told, OPENED + DAY))["state"] == "stopped"


async def test_s5_what_is_read_back_is_what_the_request_lives_through(live: LiveApi) -> None:
    every_day = (*WEEK, "saturday", "sunday")
    office = a_calendar("office", "00:00-24:00", days=every_day, default=True)
    tokyo = a_calendar("tokyo", "00:00-24:00", days=every_day, zone="Asia/Tokyo")
    live.world.register.publish_calendars([office, tokyo], NOON, complete=True)
    wished = await live.world.send("mara", "PUT", "/me/preferences", json={"calendar": "tokyo"})
    assert wished.status_code == 200, wished.text
    number = await live.placed(a_clocked_item(DECISION, APPROVER | {"target": "1 working second", "warn": []}))
    await until(lambda: Kind.CLOCK_BREACHED in live.kinds(number))
    entries = {entry.kind: entry for entry in live.world.register.journal(number)}
    shown = await live.sees("ada", f"/requests/{number}/clocks")
    decision, approver = shown["clocks"]
    assert (decision["state"], decision["zone"]) == ("running", "UTC")
    assert moment(decision["started_at"]) == entries[Kind.STAGE_OPENED].at
    assert (approver["approver"], approver["zone"]) == ({"id": "id-mara", "name": "Mara Lind"}, "Asia/Tokyo")
    assert approver["due_at"] == approver["breached_at"]
    assert moment(approver["due_at"]) == moment(entries[Kind.CLOCK_BREACHED].data["due_at"])
    await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    await live.closes(number)
    shown = await live.sees("ada", f"/requests/{number}/clocks")
    assert [clock["state"] for clock in shown["clocks"]] == ["stopped", "stopped"]
    assert [share["approver"] and share["approver"]["name"] for share in shown["shares"]] == [None, "Mara Lind"]
