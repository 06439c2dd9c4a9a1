"""Clocks: says exactly when a warning or a breach has come, while the request goes on (feature rows S1, S6).

How clocks run is decided in `catalog.sla`, from nothing but the journal; here the next moment is waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime

from temporalio import workflow

from workflows.record import Record

with workflow.unsafe.imports_passed_through():
    from catalog import sla, sla_events
    from catalog.calendar import Calendar
    from catalog.journal import Entry, Kind
    from catalog.model import Model
    from catalog.people import OPERATORS, PersonRef
    from catalog.sla import BREACH, Clock, Due


class ClocksSoFar(Model):
    """What a run that ends hands to the one that goes on: the clocks by definition, and what was said of them."""

    clocks: dict[str, tuple[Clock, ...]] = {}
    said: tuple[Due, ...] = ()


class Clocks:
    """The clocks of one request; they follow its journal."""

    def __init__(
        self,
        record: Record,
        calendars: Callable[[], dict[str, Calendar]],
        asked: Callable[[str, str], Iterable[PersonRef]],
        carried: ClocksSoFar | None = None,
    ) -> None:
        """Take the request's terms.

        Args:
            record: of the request.
            calendars: gives the working time of the people who are asked, by their id.
            asked: gives those who are expected to decide a stage: all of them, or the one of that id.
            carried: of an earlier run.
        """
        so_far = carried or ClocksSoFar()
        self._record = record
        self._calendars = calendars
        self._asked = asked
        self._specs = record.order.terms.clocks
        self._clocks = {spec.id: so_far.clocks.get(spec.id, ()) for spec in self._specs}
        self._said = [*so_far.said]
        self._over = False
        record.clock_at = sla.next_moment(self._all(), workflow.now())
        if self._specs:
            record.follows(self._follow)

    def so_far(self) -> ClocksSoFar:
        """Return what another run has to know to go on with them."""
        return ClocksSoFar(clocks=self._clocks, said=tuple(self._said))

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
        calendars = {**self._calendars(), **self._record.order.terms.calendars}
        for event in sla_events.happened(entry):
            for spec in self._specs:
                self._clocks[spec.id] = sla.step(spec, self._clocks[spec.id], event, calendars)
        self._record.clock_at = sla.next_moment(self._all(), workflow.now())

    async def _run(self) -> None:
        while not self._over:
            await self._changed_or_reached(self._record.clock_at)
            self._say()
            self._record.clock_at = sla.next_moment(self._all(), workflow.now())
            await self._record.flush()

    async def _changed_or_reached(self, at: datetime | None) -> None:
        """Wait for the next moment that is known now, or until another one is the next."""
        left = at - workflow.now() if at else None
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._over or self._record.clock_at != at, timeout=left, timeout_summary="A clock"
            )

    def _say(self) -> None:
        """Put on record what has been reached and was not said yet, and tell those who can do something about it."""
        said = {(*_key(due), due.percent) for due in self._said}
        for due in sla.due_now(self._all(), workflow.now()):
            if (*_key(due), due.percent) not in said:
                self._said.append(due)
                self._tell(due)

    def _tell(self, due: Due) -> None:
        clock = next(c for c in self._all() if (c.spec, c.stage, c.person, c.run) == _key(due))
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
        people = tuple(self._asked(due.stage, due.person)) if due.stage else ()
        data = {**self._record.order.headline(), **facts}
        for person in (*people, OPERATORS) if due.percent >= BREACH or not people else people:
            self._record.owe("clock", person, data)


def _key(due: Due) -> tuple[str, str, str, int]:
    return due.spec, due.stage, due.person, due.run
