"""The timeline of a story: the journals of its requests, who was told, what else happened, and the waits between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from catalog import duration
from catalog.journal import Entry, Kind
from catalog.scenario_events import Changes, Delegates, EndsDelegation, Event, GoesDown, Refuses
from catalog.timeline import describe
from cli.kit.simulation import absence
from cli.kit.simulation.company import said
from cli.kit.simulation.judging import waiting_in_words
from cli.kit.simulation.verdict import Happening
from cli.kit.simulation.world import World

_LONG = timedelta(hours=1)
"""How long nothing has to happen for the timeline to say what is waited for."""
_SETTLED = timedelta(seconds=2)


def happened(at: datetime, event: Event) -> Iterator[Happening]:
    """Yield what an event is, if no journal tells of it."""
    match event:
        case GoesDown():
            yield Happening(at, "fault", f"The {event.system} is down for {duration.words(event.lasting)}")
        case Refuses():
            times = "write" if event.times == 1 else f"{event.times} writes"
            yield Happening(at, "fault", f"The {event.system} refuses the next {times}")
        case Changes():
            yield Happening(at, "deed", said(event))
        case Delegates() | EndsDelegation():
            yield Happening(at, "deed", absence.said(event))


def timeline(world: World, seen: Iterable[Happening]) -> list[Happening]:
    """Return everything that happened, in order, with what was waited for in between."""
    lines = [*_entries(world), *_told(world), *seen]
    lines.sort(key=lambda line: line.at)
    attempts = [
        Happening(one.at, "attempt", f"{one.activity}, attempt {one.attempt}: {one.ended}", one.request)
        for one in world.troubles.attempts
    ]
    return sorted([*lines, *_waits(world, lines), *attempts], key=lambda line: line.at)


def _entries(world: World) -> Iterator[Happening]:
    several = len(world.requests) > 1
    for entry in world.entries():
        whose = entry.request if several else ""
        yield Happening(entry.at, "entry", describe(entry), whose)
        if entry.kind is Kind.OPERATOR_ASKED:
            yield Happening(entry.at, "problem", _problem(world, entry), whose)


def _problem(world: World, entry: Entry) -> str:
    """Return why an operator is asked: the journal names the task, which says it."""
    shown = world.journal.projection(entry.request)
    asked = next(task for task in (shown.tasks if shown else ()) if task.id == entry.data["task"])
    return f"{asked.title}: {asked.problem}"


def _told(world: World) -> Iterator[Happening]:
    when = {f"{entry.request}/{entry.seq}": entry.at for entry in world.entries()}
    for running in world.requests:
        for notice in world.journal.notices(running.number):
            yield Happening(when[notice.event], "told", f"{notice.to.login} is told: {notice.template}")


def _waits(world: World, lines: list[Happening]) -> Iterator[Happening]:
    """Yield what was waited for wherever nothing happens for long."""
    states = [batch.projection for batch in world.journal.batches]
    for before, after in pairwise(lines):
        if after.at - before.at < _LONG:
            continue
        standing = {state.number: state for state in states if state.updated_at <= before.at + _SETTLED}
        waits = dict.fromkeys(waiting_in_words(waiting) for state in standing.values() for waiting in state.waiting)
        for words in waits:
            text = f"{duration.words(_to_the_minute(after.at) - _to_the_minute(before.at))} of waiting: {words}"
            yield Happening(before.at, "wait", text)


def _to_the_minute(at: datetime) -> datetime:
    """Return a moment as scenarios tell time."""
    return at.replace(second=0, microsecond=0)
