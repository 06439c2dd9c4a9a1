"""Branches side by side: what of them counts when one ends the request, is stopped, or is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from temporalio import workflow

from catalog.request import Outcome
from workflows import saga
from workflows.ending import Ended


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let asyncio's own loop take the place of a workflow's."""

    async def wait_condition(condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0)

    monkeypatch.setattr(workflow, "wait", asyncio.wait)
    monkeypatch.setattr(workflow, "wait_condition", wait_condition)


async def for_ever() -> None:
    await asyncio.Event().wait()


async def refused() -> None:
    raise Ended(Outcome.REJECTED, "no")


async def test_what_ends_the_request_counts_and_not_what_the_others_come_to_when_they_are_stopped() -> None:
    async def stopped() -> None:
        try:
            await for_ever()
        except asyncio.CancelledError:
            raise RuntimeError("what a library makes of being stopped") from None

    with pytest.raises(Ended, match="no"):
        await saga.together([stopped(), refused()])


async def test_a_branch_that_was_stopped_is_not_taken_for_one_that_is_through() -> None:
    async def stopped() -> None:
        raise asyncio.CancelledError

    async def through() -> None:
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await saga.together([stopped(), through()])


async def test_a_fault_in_the_code_comes_out_before_anything_is_stopped() -> None:
    stopped: list[str] = []

    async def beside() -> None:
        try:
            await for_ever()
        except asyncio.CancelledError:
            stopped.append("beside")
            raise

    async def wrong() -> None:
        raise KeyError("a mistake in a release")

    with pytest.raises(KeyError):
        await saga.together([beside(), wrong()])
    assert stopped == []


async def test_when_all_are_through_so_are_they_together() -> None:
    seen: list[int] = []

    async def one(number: int) -> None:
        await asyncio.sleep(0)
        seen.append(number)

    await saga.together([one(1), one(2)])
    await saga.together([])
    assert seen == [1, 2]
