"""What a request says while it waits for anything else than a decision: who ends it, what happens then, what after it.

Feature row W1; what it says of a decision is `stage_view`'s business.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from support.builders import a_steps_item
from support.world import Request, World

from catalog.request import Waiting, WaitKind
from workflows.targets import on_system

GUARDS = [{"rule": "group", "group": "guards"}]
READERS = {"id": "read", "do": "grant", "group": "wiki-readers", "name": "Let them read"}
PAUSE = {"id": "pause", "do": "wait", "duration": "3 days"}
ADMIT = "The next step begins: Let them read."


async def place(world: World, *steps: dict[str, Any]) -> Request:
    return await world.place(item=a_steps_item(*steps), answers={"why": "Handbook"})


async def wait_of(request: Request, kind: WaitKind) -> Waiting:
    """Return the only wait of a request, once it is of that kind."""
    shown = await request.waits_for(kind)
    (wait,) = shown.waiting
    return wait


async def test_an_event_is_called_by_words_and_by_the_id_under_which_it_is_reported(world: World) -> None:
    request = await place(world, {"id": "parts", "do": "wait", "event": "parts-arrived", "timeout": "1 day"}, READERS)
    wait = await wait_of(request, WaitKind.EVENT)
    assert (wait.what, wait.event) == ("Parts arrived", "parts-arrived")
    assert wait.by_whom() == "an operator, or a system that reports it"
    assert (wait.at_deadline, wait.then) == ("An operator is asked how to go on.", ADMIT)


async def test_an_event_that_its_author_has_named_is_called_so(world: World) -> None:
    event = {"id": "parts", "do": "wait", "event": "parts-arrived", "timeout": "1 day", "name": "The lens is here"}
    wait = await wait_of(await place(world, event), WaitKind.EVENT)
    assert (wait.what, wait.event) == ("The lens is here", "parts-arrived")


async def test_time_goes_by_without_anybody(world: World) -> None:
    wait = await wait_of(await place(world, PAUSE, READERS), WaitKind.TIME)
    assert (wait.what, wait.event) == ("Time has to go by", None)
    assert wait.by_whom() == "nobody, only time"
    assert (wait.at_deadline, wait.then) == ("It goes on by itself.", ADMIT)


async def test_work_says_whose_it_is_what_comes_of_silence_and_what_after_it(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "due": "2 days", "irreversible": "No."}
    request = await place(world, task, READERS)
    wait = await wait_of(request, WaitKind.TASK)
    assert (wait.why, wait.by_whom()) == ("Work for the group guards.", "")
    assert (wait.at_deadline, wait.then) == ("The operators are told that it is overdue.", ADMIT)
    await request.work("Grace Guard", "claim", task=1)
    (taken,) = request.now.waiting
    assert ([person.name for person in taken.who], taken.what) == (["Grace Guard"], "Do it: Grace Guard works on it")
    assert (taken.why, taken.at_deadline, taken.then) == (wait.why, wait.at_deadline, wait.then)
    await request.passes(timedelta(days=2, minutes=1))
    late = (await request.reaches(lambda now: bool(now.waiting) and now.waiting[0].until is None)).waiting[0]
    assert (late.at_deadline, late.then) == ("It stays open until it is done.", ADMIT)


async def test_work_that_takes_something_back_says_that_the_request_ends(world: World) -> None:
    undo = {"do": "task", "title": "Take it back", "assign": [{"rule": "person", "person": "grace"}]}
    request = await place(world, {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "undo": undo}, PAUSE)
    await wait_of(request, WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1)
    await wait_of(request, WaitKind.TIME)
    await request.cancel()
    wait = await wait_of(request, WaitKind.TASK)
    assert wait.why == "Work for Grace Guard."
    assert wait.then == "Whatever else was done is taken back, then the request ends."
    await request.work("Grace Guard", "complete", task=2)
    await request.closes()


async def test_another_request_is_named_with_its_own_promise(world: World) -> None:
    world.items["reader"] = a_steps_item(PAUSE, id="reader", form=[])
    request = await place(world, {"id": "first", "do": "request", "item": "reader"}, READERS)
    wait = await wait_of(request, WaitKind.REQUESTS)
    number = world.child(request, "first.1").number
    assert wait.by_whom() == f"whoever {number} waits for"
    assert wait.until is None
    assert wait.at_deadline.startswith(f"{number} has deadlines of its own; it was promised by ")
    assert wait.then == ADMIT
    await request.cancel()
    await request.closes()


async def test_a_system_is_named_as_people_call_it(world: World) -> None:
    with world.directory.held("ensure_member") as begun:
        request = await place(world, READERS, PAUSE)
        assert await asyncio.to_thread(begun.wait, 10)
        wait = await wait_of(request, WaitKind.SYSTEM)
    assert wait.by_whom() == "the directory"
    assert wait.what.endswith(". While the directory does not answer, it is tried again.")
    assert (wait.at_deadline, wait.then) == ("An operator is asked how to go on.", "The next step begins: Pause.")


@pytest.mark.parametrize(
    ("action", "given", "called"),
    [
        ("directory.create_group", {}, "the directory"),
        ("lockers.assign", {"area": "hall"}, "the system “lockers”"),
        ("http.send", {"url": "https://me:pass@desk.example:8443/a/b?token=secret"}, "the web service at desk.example"),
        ("http.send", {"url": "nowhere"}, "a web service"),
        ("http.send", {"url": "https://[::"}, "a web service"),
    ],
)
def test_of_an_address_only_its_host_is_shown(action: str, given: dict[str, Any], called: str) -> None:
    assert on_system(action, given, "Do it").system == called


async def test_of_work_for_many_those_named_first_are_named(world: World) -> None:
    assign = [{"rule": "person", "person": login} for login in ("grace", "mara", "rolf", "kim", "sam")]
    request = await place(world, {"id": "do", "do": "task", "title": "Do it", "assign": assign, "irreversible": "No."})
    assert (await wait_of(request, WaitKind.TASK)).why == "Work for Grace Guard, Mara Lind, Rolf Chief and 2 more."


async def test_what_is_left_behind_is_taken_back_by_hand(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "irreversible": "It is said."}
    request = await place(world, task, PAUSE)
    await wait_of(request, WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1)
    await wait_of(request, WaitKind.TIME)
    await request.cancel()
    wait = await wait_of(request, WaitKind.OPERATOR)
    assert wait.then == "They take it back by hand, and say what they did."
    await request.operate("skip", task=2)
    await request.closes()
