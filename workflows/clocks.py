"""Clocks: says exactly when a warning or a breach has come, while the request goes on (feature rows S1, S6).

How clocks run is decided in `catalog.sla`, from nothing but the journal; here the next moment is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from temporalio import workflow

from workflows.record import Record

with workflow.unsafe.imports_passed_through():
    from catalog import sla, sla_events
    from catalog.calendar import Calendar
    from catalog.journal import Entry, Kind
    from catalog.model import Model
    from catalog.people import OPERATORS, PersonRef
    from catalog.sla import BREACH, Clock, Due, Told


_Mark = tuple[str, str, str, int, int]
"""Definition, stage, person, run and percent of what a clock comes to."""
SAYS_FIRST = "clocks.says-first"
"""Patch: a run says first what clocks came to after the run before it had ended."""


class ClocksSoFar(Model):
    """What a run that ends hands to the one that goes on.

    Attributes:
        clocks: by definition, those that have not ended, and those of which something has still to be said.
        said: what was said of these.
        runs: by definition, which run of a stage and an approver was the last of those that ended, see `sla.Runs`.
    """

    clocks: dict[str, tuple[Clock, ...]] = {}
    said: tuple[Due, ...] = ()
    runs: dict[str, tuple[tuple[str, str, int], ...]] = {}


class Clocks:
    """The clocks of one request; they follow its journal."""

    def __init__(
        self,
        record: Record,
        calendars: Callable[[], dict[str, Calendar]],
        asked: Callable[[str], Iterable[PersonRef]],
        carried: ClocksSoFar | None = None,
    ) -> None:
        """Take the request's terms.

        Args:
            record: of the request.
            calendars: gives the working time of the people who are asked, by their id.
            asked: gives those who are expected to decide a stage.
            carried: of an earlier run.
        """
        so_far = carried or ClocksSoFar()
        self._record = record
        self._calendars = calendars
        self._asked = asked
        self._specs = record.order.terms.clocks
        self._clocks = {spec.id: so_far.clocks.get(spec.id, ()) for spec in self._specs}
        self._runs = {
            spec.id: {(stage, person): run for stage, person, run in so_far.runs.get(spec.id, ())}
            for spec in self._specs
        }
        self._said = {(*_key(due), due.percent): due for due in so_far.said}
        self._over = False
        record.clock_at = sla.next_moment(self._all(), workflow.now())
        if self._specs:
            record.follows(self._follow)

    def so_far(self) -> ClocksSoFar:
        """Return what another run has to know to go on with them."""
        runs = {spec: tuple((*whose, run) for whose, run in last.items()) for spec, last in self._runs.items()}
        return ClocksSoFar(clocks=self._clocks, said=tuple(self._said.values()), runs=runs)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Say what they come to, as long as the context is open; costs nothing where there are none."""
        if not self._specs:
            yield
            return
        task, dropped = asyncio.create_task(self._run()), False
        try:
            yield
        except GeneratorExit:
            dropped = True  # from memory, as a worker does that stops: nothing can be awaited any more
            raise
        finally:
            # No cancelling: a wait that is cancelled as it ends may swallow it (see docs/architecture.md).
            self._over = True
            if not dropped:
                await task

    def _all(self) -> list[Clock]:
        return [clock for clocks in self._clocks.values() for clock in clocks]

    def _follow(self, entry: Entry) -> None:
        """Move the clocks on by an entry of the journal."""
        events = sla_events.happened(entry)
        if events:
            calendars = {**self._calendars(), **self._record.order.terms.calendars}
            told = [Told(event, calendars) for event in events]
            for spec in self._specs:
                self._clocks[spec.id] = sla.follow(spec, self._clocks[spec.id], told, self._runs[spec.id])
            self._forget()
        if events or (self._record.clock_at and self._record.clock_at <= workflow.now()):
            self._record.clock_at = sla.next_moment(self._all(), workflow.now())

    def _forget(self) -> None:
        """Let go of clocks that have ended: only the last run counts, once all has been said that there was to say.

        Approvers can be asked again and again, by the hundreds.
        """
        for spec, clocks in self._clocks.items():
            over = {_key(clock): clock for clock in clocks if clock.stopped_at and not self._unsaid(clock)}
            self._clocks[spec] = tuple(clock for clock in clocks if _key(clock) not in over)
            self._runs[spec] = sla.runs_of(over.values(), self._runs[spec])
            for key, clock in over.items():
                for mark in sla.reached(clock):
                    del self._said[*key, mark.percent]

    def _unsaid(self, clock: Clock) -> bool:
        """Return whether a clock that has ended came to something that was not said yet."""
        return any((*_key(clock), mark.percent) not in self._said for mark in sla.reached(clock))

    async def _run(self) -> None:
        if (new := self._unsaid_now()) and workflow.patched(SAYS_FIRST):
            self._say(new)  # what came between two runs
            await self._record.flush()
        while not self._over:
            await self._changed_or_reached(self._record.clock_at)
            self._say(self._unsaid_now())
            self._record.clock_at = sla.next_moment(self._all(), workflow.now())
            await self._record.flush()

    async def _changed_or_reached(self, at: datetime | None) -> None:
        """Wait for the next moment that is known now, or until another one is the next."""
        left = at - workflow.now() if at else None
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._over or self._record.clock_at != at, timeout=left, timeout_summary="A clock"
            )

    def _unsaid_now(self) -> dict[_Mark, Due]:
        """Return what has been reached and was not said yet."""
        reached = {(*_key(due), due.percent): due for due in sla.due_now(self._all(), workflow.now())}
        return {key: due for key, due in reached.items() if key not in self._said}

    def _say(self, new: dict[_Mark, Due]) -> None:
        """Put on record what has been reached, and tell those who can do something about it: the last of each clock.

        After an outage a clock may have come to several at once.
        """
        if not new:
            return
        self._said |= new
        clocks = {_key(clock): clock for clock in self._all()}
        asked = {stage: tuple(self._asked(stage)) for stage in {due.stage: None for due in new.values()} if stage}
        last = {_key(due): due for due in sorted(new.values(), key=lambda due: due.percent)}
        for due in new.values():
            facts = self._note(due, clocks[_key(due)])
            if due is last[_key(due)]:
                self._tell(due, facts, [person for person in asked.get(due.stage, ()) if due.person in ("", person.id)])
        self._forget()

    def _note(self, due: Due, clock: Clock) -> dict[str, Any]:
        """Put on record what a clock has come to, and return that."""
        facts = {
            "clock": due.spec,
            "name": clock.name,
            "stage": due.stage,
            "person": due.person,
            "percent": due.percent,
            "due_at": clock.due_at.isoformat() if clock.due_at else None,
        }
        kind = Kind.CLOCK_BREACHED if due.percent >= BREACH else Kind.CLOCK_WARNED
        self._record.note(kind, facts, rule=f"sla.{due.spec}")
        return facts

    def _tell(self, due: Due, facts: dict[str, Any], people: Sequence[PersonRef]) -> None:
        """Owe to these people what a clock has come to; operators are told of what is late, or nobody's."""
        data = {**self._record.order.headline(), **facts}
        for person in (*people, OPERATORS) if due.percent >= BREACH or not people else people:
            self._record.owe("clock", person, data)


def _key(one: Clock | Due) -> tuple[str, str, str, int]:
    return one.spec, one.stage, one.person, one.run
