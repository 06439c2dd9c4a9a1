"""Running: plays stories on one ephemeral engine, several at a time, with the real workflows and activities.

A story's clock begins in the future, when its order is placed, and is moved from one event to the next; whatever is
due in between happens by itself, at its own time.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from temporalio.service import RPCError

from activities.approvers import Company
from activities.plugins import NAMED, Plugins, discover
from activities.ports import Ports
from activities.serving import Activity, serving
from catalog.scenario_events import Event
from cli.kit.engine import start_environment
from cli.kit.simulation import absence, earlier, judging
from cli.kit.simulation.acting import PAST_THE_MINUTE, Cast, Impossible
from cli.kit.simulation.clock import Clock, Misled, Stuck
from cli.kit.simulation.meddling import Meddling
from cli.kit.simulation.pretending import pretended
from cli.kit.simulation.stories import Shelf, Story
from cli.kit.simulation.timeline import happened, timeline
from cli.kit.simulation.verdict import Happening, Verdict
from cli.kit.simulation.world import PLAIN_PROVIDERS, RefusedOrder, World, Worlds
from records.register import Register
from worker.queues import brought, workers

AT_ONCE = 4
"""How many stories are played at the same time: more of them would not be done sooner."""
LONGEST = 90
"""How long one story may take, in seconds of real time."""
_TRIES = 4

Progress = Callable[[Verdict], None]


class Simulator:
    """An engine with workers, for as many stories as there are; a context manager. Not for a running event loop."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        """Open nothing yet; `plugins` are what is registered in this installation unless given."""
        self._plugins = plugins or discover(NAMED)
        # A loop of its own, so that the one of whoever calls stays as it is.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._stack = AsyncExitStack()
        self._registers: dict[int, tuple[Shelf, Path]] = {}
        self._files = itertools.count(1)

    def __enter__(self) -> Self:
        try:
            self._runner.run(self._open())
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        try:
            self._runner.run(self._stack.aclose())
        finally:
            self._runner.close()
            # Objects of the SDK's native core that are collected later can abort the process as it ends.
            gc.collect()

    def run(self, stories: Sequence[Story], progress: Progress = lambda _: None) -> list[Verdict]:
        """Play stories; `progress` is told of each verdict as it comes.

        Returns:
            The verdicts, in the order of the stories.
        """
        return self._runner.run(self._run(stories, progress))

    async def _open(self) -> None:
        stack = self._stack
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="commissary-simulation-")))
        self._env = await start_environment()
        stack.push_async_callback(self._env.shutdown)
        stack.enter_context(_unlogged())
        self._worlds = worlds = Worlds(self._plugins, self._env.client)
        directory = worlds.port(lambda world: world.staff.directory)
        ports = Ports(
            directory=directory,
            secrets=worlds.port(lambda world: world.ports.secrets),
            http=worlds.port(lambda world: world.pretender),
            published=worlds.port(lambda world: world.ports.published),
        )
        await stack.enter_async_context(
            workers(
                self._env.client,
                directory=directory,
                company=Company(
                    delegations=worlds.port(lambda world: world.delegations), calendars=worlds.port(_itself)
                ),
                journal=worlds.port(_itself),
                awaiting=worlds.port(lambda world: world.register),
                place=lambda child: worlds.here().take(child),
                begin=worlds.begin,
                served=stack.enter_context(self._served(ports)),
                more_workflows=brought(self._plugins)[0],
                interceptors=[Meddling(lambda number: worlds.of(number).troubles, self._writes())],
            )
        )

    @contextlib.contextmanager
    def _served(self, ports: Ports) -> Iterator[dict[str, list[Activity]]]:
        """Give the activities of actions: those on the directory in earnest, all others only pretended."""
        sets = self._plugins.action_sets
        own = {name: actions for name, actions in sets.items() if name == "directory"}
        kinds = {name: kind for name, kind in self._plugins.provider_kinds.items() if name in PLAIN_PROVIDERS}
        with serving(replace(self._plugins, action_sets=own, provider_kinds=kinds), ports) as served:
            here = self._worlds.here
            others = {
                f"commissary-{name}": [pretended(one, lambda: here().pretender) for one in actions.actions()]
                for name, actions in sets.items()
                if name not in own
            }
            yield {**served.by_queue, **others}

    def _writes(self) -> frozenset[str]:
        actions = self._plugins.known().actions.values()
        return frozenset({"identity.ensure_member", "identity.ensure_absent"} | {a.id for a in actions if a.changes})

    async def _run(self, stories: Sequence[Story], progress: Progress) -> list[Verdict]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(story: Story) -> Verdict:
            async with gate:
                verdict = await self._play(story)
            progress(verdict)
            return verdict

        return await asyncio.gather(*map(one, stories))

    async def _play(self, story: Story) -> Verdict:
        began, fault = time.monotonic(), ""
        for _ in range(_TRIES):
            try:
                async with asyncio.timeout(LONGEST):
                    verdict = await self._play_once(story)
                return replace(verdict, took=time.monotonic() - began)
            except Misled as error:
                fault = f"the engine did not move the clock of {error} as asked, {_TRIES} times; run it again"
            except TimeoutError:
                fault = f"it did not come to an end within {LONGEST} seconds of real time"
                break
        return Verdict(story, (fault,), took=time.monotonic() - began)

    async def _play_once(self, story: Story) -> Verdict:
        world = self._worlds.make(story, self._register_for(story.shelf))
        try:
            return await _Play(Clock(self._env, world), world).to_the_end()
        finally:
            for running in (*world.requests, *world.rounds):
                with contextlib.suppress(RPCError):  # it has ended
                    await running.handle.terminate("the simulation is over")
            self._worlds.close(world)

    def _register_for(self, shelf: Shelf) -> Path:
        """Return a fresh register in which the items are published."""
        if id(shelf) not in self._registers:
            file = self._folder / f"shelf-{next(self._files)}.db"
            register = Register(f"sqlite:///{file}")
            register.migrate()
            for item in shelf.values():
                register.publish(item, item.id, datetime.now(UTC))
            register.close()
            self._registers[id(shelf)] = shelf, file  # the shelf, too: so its id stays its own
        _, prepared = self._registers[id(shelf)]
        return Path(shutil.copy(prepared, self._folder / f"{next(self._files)}.db"))


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keep off the terminal that activities fail: when they do, a scenario means them to; the timeline tells."""
    log = logging.getLogger("temporalio.activity")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _itself(world: World) -> World:
    """Return a world: it is its own journal, and knows its calendars."""
    return world


class _Play:
    """One story, being played once."""

    def __init__(self, clock: Clock, world: World) -> None:
        self._clock, self._world = clock, world
        self._story = world.story
        self._cast = Cast(world)
        self._unmet: list[str] = []
        self._seen: list[Happening] = []

    async def to_the_end(self) -> Verdict:
        """Place the order, let everything happen, and say what became of it."""
        scenario, world = self._story.scenario, self._world
        began = scenario.began.astimezone(UTC)
        try:
            earlier.remember(world)
            order = world.order(began)
        except RefusedOrder as refused:
            self._seen.append(Happening(began, "deed", f"{scenario.order.by} orders; it is refused: {refused}"))
            return self._verdict(judging.unmet_by_refusal(scenario.expect, refused))
        try:
            await world.begin(order, began)
            await self._clock.to(began)
            for moment, event in self._happenings():
                await self._let_happen(moment, event)
            await self._clock.to(began + scenario.lasts)
        except Impossible as error:
            return self._verdict([*self._unmet, str(error)])
        except Stuck as error:
            waits = judging.what_it_waits_for(world)
            return self._verdict([*self._unmet, f"nothing happens any more: {error}; {waits}"])
        return self._verdict([*self._unmet, *judging.unmet(scenario.expect, world, began)])

    def _happenings(self) -> list[tuple[datetime, Event | None]]:
        """Return the events with their moments; None where a delegation begins or ends by itself, before all others."""
        scenario = self._story.scenario
        turns: list[tuple[datetime, Event | None]] = [(moment, None) for moment in set(absence.turns(scenario))]
        return sorted([*turns, *scenario.timed()], key=lambda one: (one[0], one[1] is not None))

    async def _let_happen(self, moment: datetime, event: Event | None) -> None:
        if event is None:
            await self._clock.to(moment + PAST_THE_MINUTE)
            await self._cast.turn(moment)
            return
        self._seen += happened(moment, event)
        await self._clock.to(moment + PAST_THE_MINUTE)
        try:
            unmet = await self._cast.play(event)
        except Impossible as error:
            self._seen.append(Happening(moment + PAST_THE_MINUTE, "fault", str(error)))
            raise Impossible(f"{event.at}: {error}") from error
        self._unmet += (f"{event.at}: {sentence}" for sentence in unmet)

    def _verdict(self, unmet: Iterable[str]) -> Verdict:
        world = self._world
        shown = world.shown(world.requests[0]) if world.requests else None
        return Verdict(
            story=self._story,
            unmet=tuple(unmet),
            outcome=str(shown.outcome or shown.status) if shown else "refused",
            timeline=tuple(timeline(world, self._seen)),
        )
