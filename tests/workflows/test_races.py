"""Two things at the same instant: one of them counts, journal order decides, and the loser is told (issue 4, A21, A22).

Each race is a request of its own, and its commands are sent as the API sends them. Races run side by side, and each
shows who has to be a little earlier in the next, so that both sides win often, however fast the machine is.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

import pytest
from support.builders import a_person, a_stage, a_steps_item, an_actor
from support.world import Request, World, served
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from api.commands import problem_of
from catalog import rights
from catalog.item import CatalogItem
from catalog.journal import Entry, Kind
from catalog.request import Outcome
from catalog.stages import ByGroup

STEP, MOST, JITTER = 0.001, 0.05, 0.004
"""Seconds: by how much a race corrects the aim of the next, at first and at most, and by how much it misses anyway."""
GUARDS = (ByGroup(rule="group", group="guards"),)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
async def world(env: WorkflowEnvironment) -> AsyncIterator[World]:
    async with served(World(env), max_cached_workflows=1000) as made:
        yield made


def deciding(**stage: Any) -> CatalogItem:
    """Return an item that is nothing but one decision."""
    nothing = {"id": "nothing", "when": False, "do": "grant", "group": "wiki-readers"}
    return a_steps_item(nothing, approvals=[a_stage(**stage).model_dump()])


class Answer(NamedTuple):
    """What became of a command: its entry, or the code of the refusal and what whoever sent it reads."""

    entry: Entry | None
    code: str = ""
    words: str = ""


async def answer(sent: Awaitable[Entry]) -> Answer:
    """Return how a command was answered; of a workflow that has ended the API says that the request is closed."""
    try:
        return Answer(await sent)
    except WorkflowUpdateFailedError as error:
        if not isinstance(error.cause, ApplicationError):
            raise
        return Answer(None, error.cause.type or "", error.cause.message)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Answer(None, "closed")


async def voted(
    request: Request, who: str, choice: str = "approve", task: int = 1, subject: str | None = None
) -> Answer:
    """Return how a vote was answered: as the API asks, of what the register shows and then of the workflow."""
    shown = rights.refuse_decision(an_actor(who), request.order, request.now.tasks[task - 1], choice, "fine")
    if shown:
        return Answer(None, shown.code, shown.message)
    found = await answer(request.decide(who, choice, task=task, subject=subject))
    if found.entry or found.words:
        return found
    return await voted(request, who, choice, task, subject)  # it has ended, and the register shows how


def too_late(lost: Answer) -> bool:
    """Return whether somebody was told that they come too late, which is not that they may not."""
    return lost.entry is None and problem_of(lost.code, lost.words).status == HTTPStatus.CONFLICT


async def over(request: Request, *answers: Answer, stages: int = 1) -> Outcome:
    """Wait for the end; see that there was one, and that each command caused an entry or was refused."""
    closure = await request.closes()
    kinds = Counter(request.kinds)
    assert (kinds[Kind.STAGE_CLOSED], kinds[Kind.CLOSED]) == (stages, 1), request.kinds
    caused = [entry.command for entry in request.entries if entry.command]
    assert sorted(caused) == sorted(one.entry.command for one in answers if one.entry)
    assert set(Counter(request.told("closed")).values()) <= {1}
    return closure.outcome


Race = Callable[[World, float], Awaitable[str]]
"""One race, in which the first of two sides is so many seconds ahead; says who won."""


class Aim:
    """How far ahead the first of two sides is sent so that both win: less after it won, and the less the oftener."""

    def __init__(self, first: str, second: str) -> None:
        self._sides, self._last, self._step, self._ahead = (first, second), "", STEP, 0.0
        self.won: Counter[str] = Counter()

    def next(self) -> float:
        return self._ahead + random.uniform(-JITTER, JITTER)

    def learn(self, winner: str) -> None:
        assert winner in self._sides
        self.won[winner] += 1
        self._step = min(self._step * 2, MOST) if winner == self._last else STEP
        self._ahead += self._step if winner == self._sides[1] else -self._step
        self._last = winner


async def races(world: World, count: int, race: Race, *sides: str, lanes: int = 32) -> None:
    """Run races between two sides in lanes beside each other; each side has to win some of them."""
    aim, left = Aim(*sides), iter(range(count))

    async def lane() -> None:
        for _ in left:
            aim.learn(await race(world, aim.next()))

    async with asyncio.TaskGroup() as running:
        for _ in range(lanes):
            running.create_task(lane())
    assert aim.won.total() == count
    assert len(aim.won) == 2, f"one side won them all, which shows nothing: {aim.won}"


async def both(ahead: float, first: Awaitable[Answer], second: Awaitable[Answer]) -> tuple[Answer, Answer]:
    """Send two commands, the first so many seconds ahead."""

    async def later(seconds: float, sent: Awaitable[Answer]) -> Answer:
        await asyncio.sleep(max(seconds, 0))  # the moment of a command is the random input of the test
        return await sent

    return await asyncio.gather(later(-ahead, first), later(ahead, second))


async def test_a_vote_and_the_deadline(world: World) -> None:
    async def race(world: World, ahead: float) -> str:
        request = await world.place(item=deciding(decide_within=timedelta(seconds=1.5)))
        due_at = (await request.waits_for_people()).tasks[0].due_at
        assert due_at
        left = (due_at - datetime.now(UTC)).total_seconds()
        await asyncio.sleep(max(left - ahead, 0))  # the moment of the vote is the random input of the test
        vote = await voted(request, "Mara Lind")
        outcome = await over(request, vote)
        assert request.last(Kind.STAGE_CLOSED).data["status"] == ("approved" if vote.entry else "expired")
        if vote.entry:
            assert outcome is Outcome.FULFILLED
            return "vote"
        assert (outcome, vote.code) == (Outcome.EXPIRED, "closed"), vote
        assert "expired" in vote.words
        return "deadline"

    await races(world, 1000, race, "vote", "deadline")


async def test_two_who_decide_in_opposite_directions(world: World) -> None:
    async def race(world: World, ahead: float) -> str:
        request = await world.place(item=deciding(approvers=GUARDS, deny=1))
        await request.waits_for_people()
        yes, no = await both(
            ahead,
            voted(request, "Grace Guard"),
            voted(request, "Mara Lind", "reject"),
        )
        outcome = await over(request, yes, no)
        winner, loser = (yes, no) if yes.entry else (no, yes)
        assert winner.entry
        assert winner.entry.actor
        assert too_late(loser), loser
        name = winner.entry.actor.name
        assert name in loser.words, loser
        assert outcome is (Outcome.FULFILLED if yes.entry else Outcome.REJECTED)
        return name

    await races(world, 200, race, "Grace Guard", "Mara Lind")


async def test_a_refusal_and_a_cancel(world: World) -> None:
    async def race(world: World, ahead: float) -> str:
        request = await world.place(item=deciding())
        await request.waits_for_people()
        vote, cancel = await both(
            ahead,
            voted(request, "Mara Lind", "reject"),
            answer(request.cancel()),
        )
        outcome = await over(request, vote, cancel)
        assert (vote.entry is None) != (cancel.entry is None), (vote, cancel)
        lost = vote if cancel.entry else cancel
        assert too_late(lost), lost
        assert outcome is (Outcome.CANCELLED if cancel.entry else Outcome.REJECTED)
        return "cancel" if cancel.entry else "vote"

    await races(world, 100, race, "vote", "cancel")


async def test_an_approval_and_a_cancel(world: World) -> None:
    """What is approved can still be called off before it is carried out; what is called off can not be approved."""

    async def race(world: World, ahead: float) -> str:
        request = await world.place(item=deciding())
        await request.waits_for_people()
        vote, cancel = await both(
            ahead,
            voted(request, "Mara Lind"),
            answer(request.cancel()),
        )
        outcome = await over(request, vote, cancel)
        assert outcome is (Outcome.CANCELLED if cancel.entry else Outcome.FULFILLED)
        assert request.last(Kind.STAGE_CLOSED).data["status"] == ("approved" if vote.entry else "cancelled")
        if vote.entry and cancel.entry:
            assert vote.entry.seq < cancel.entry.seq
            return "vote"
        lost = vote if cancel.entry else cancel
        assert too_late(lost), lost
        return "cancel" if cancel.entry else "vote"

    await races(world, 100, race, "vote", "cancel")


async def test_an_amendment_and_a_vote(world: World) -> None:
    async def race(world: World, ahead: float) -> str:
        request = await world.place(item=deciding())
        seen = (await request.waits_for_people()).tasks[0].subject
        vote, amendment = await both(
            ahead,
            voted(request, "Mara Lind", subject=seen),
            answer(request.amend(why="I keep two handbooks.")),
        )
        if vote.entry:
            assert await over(request, vote, amendment) is Outcome.FULFILLED
            assert amendment.code == "closed", amendment
            assert request.now.amendment is None
            return "vote"
        assert amendment.entry
        assert vote.code in ("closed", "subject-changed"), vote
        await request.reaches(lambda p: len(p.tasks) == 2)
        again = await voted(request, "Mara Lind", task=2)
        assert await over(request, amendment, again, stages=2) is Outcome.FULFILLED
        assert request.now.amendment
        return "amendment"

    await races(world, 200, race, "vote", "amendment")


async def test_a_delegation_that_begins_and_votes_of_both(world: World) -> None:
    numbers = iter(range(100))
    now, day = datetime.now(UTC), timedelta(days=1)

    async def as_delegate(request: Request) -> Answer:
        """Vote, again and again until the request knows of the delegation, or is decided without knowing of it."""
        while True:
            decided = request.now.tasks[0].decided
            vote = await voted(request, "Grace Guard")
            if decided or vote.code != "not-approver":
                return vote
            await asyncio.sleep(0)  # the register alone has answered

    async def race(world: World, ahead: float) -> str:
        number = next(numbers)
        boss, worker = f"Boss{number} Lind", f"Worker{number} Smith"
        world.directory.put_person(a_person(boss))
        world.directory.put_person(a_person(worker, manager_id=a_person(boss).id))
        request = await world.place(item=deciding(), beneficiary=a_person(worker).ref())
        await request.waits_for_people()
        world.delegates(boss, "Grace Guard", now - day, now + day)
        await request.look_again(boss, rule="delegation.begins")
        if number % 2:  # so that both may vote, and one comes too late
            await request.sees(Kind.APPROVERS_CHANGED)
        own, delegated = await both(ahead, voted(request, boss), as_delegate(request))
        assert await over(request, own, delegated) is Outcome.FULFILLED
        winner, loser = (own, delegated) if own.entry else (delegated, own)
        assert winner.entry
        assert winner.entry.actor
        assert winner.entry.on_behalf_of == (None if own.entry else a_person(boss).ref())
        if loser is own or Kind.APPROVERS_CHANGED in request.kinds:
            assert too_late(loser), loser
            assert winner.entry.actor.name in loser.words, loser
        else:
            assert loser.code == "not-approver", loser  # it was decided before anybody knew of the delegation
        assert request.kinds.count(Kind.VOTE) == 1
        assert sorted(Counter(request.told("approval-needed")).values()) in ([1], [1, 1])
        return "own" if own.entry else "delegate"

    await races(world, 100, race, "own", "delegate", lanes=8)  # few, so that the look-up in between is short


async def test_a_vote_taken_back_and_the_one_that_would_decide(world: World) -> None:
    async def race(world: World, ahead: float) -> str:
        request = await world.place(item=deciding(approvers=GUARDS, quorum="all"))
        await request.waits_for_people()
        early = await voted(request, "Grace Guard")
        back, vote = await both(
            ahead,
            answer(request.consider("Grace Guard", "withdraw")),
            voted(request, "Mara Lind"),
        )
        assert vote.entry, vote
        if back.entry is None:
            assert await over(request, early, vote) is Outcome.FULFILLED
            assert back.code in ("closed", "stage-closed"), back
            return "vote"
        await request.reaches(lambda _: request.kinds.count(Kind.VOTE) == 2)
        assert request.asked() == ["grace"]
        again = await voted(request, "Grace Guard")
        assert await over(request, early, back, vote, again) is Outcome.FULFILLED
        return "withdrawal"

    await races(world, 100, race, "withdrawal", "vote")
