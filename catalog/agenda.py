"""The agenda of an open stage: when who is reminded, warned, and replaced, and when its time is over (rows A12, A13).

Pure. All times are counted in the working time of the person concerned, so that nobody is reminded at midnight or on
a holiday; whoever has no calendar can be reached at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from catalog import calendar
from catalog.calendar import Calendar
from catalog.duration import Span, Working
from catalog.model import Model
from catalog.stages import Stage

Hours = Callable[[str], Calendar]
"""Gives the working time of somebody, by id."""


class Reminder(Model):
    """The next time these people are reminded, and the how many-th time it is."""

    at: datetime
    people: tuple[str, ...]
    nth: int = 1


class Due(Model):
    """Something whose time has come: some are reminded, all are warned of the deadline, or the time is over."""

    kind: Literal["remind", "warn", "over"]
    people: tuple[str, ...] = ()
    nth: int = 0


class Agenda(Model):
    """What time brings to an open stage.

    Attributes:
        since: when it began to count.
        due_at: when the time of those asked now is over; None if it is over already.
        whose: of the people in different working times, the one who has the longest; empty if it is nobody's.
        warn_at: when they are told that this comes near.
        reminders: the next of each person.
        level: how many times it was escalated.
        paused_at: since when time stands still.
    """

    since: datetime
    due_at: datetime | None = None
    whose: str = ""
    warn_at: datetime | None = None
    reminders: tuple[Reminder, ...] = ()
    level: int = 0
    paused_at: datetime | None = None

    @property
    def next_at(self) -> datetime | None:
        """When the next of it comes; None if nothing does by itself."""
        if self.paused_at:
            return None
        times = (self.due_at, self.warn_at, *(reminder.at for reminder in self.reminders))
        return min((time for time in times if time), default=None)


def begin(stage: Stage, people: Sequence[str], hours: Hours, at: datetime, level: int = 0) -> Agenda:
    """Return the agenda of a stage whose people are asked now; `level` counts its escalations."""
    within = stage.escalate[level - 1].decide_within if level else stage.decide_within
    ends = {person: end(hours(person), at, within) for person in people}
    last = max(people, key=ends.__getitem__, default="")
    due_at = ends[last] if people else end(calendar.ALWAYS, at, within)
    whose = last if isinstance(within, Working) else ""
    notice = stage.escalate[level].notice if level < len(stage.escalate) else stage.notice
    return Agenda(
        since=at,
        due_at=due_at,
        whose=whose,
        warn_at=max(_before(hours(whose), due_at, notice), at) if notice else None,
        reminders=_first(stage, people, hours, at, due_at),
        level=level,
    )


def join(stage: Stage, agenda: Agenda, people: Sequence[str], hours: Hours, at: datetime) -> Agenda:
    """Return the agenda with people who are asked later than the others; they have what is left of the time."""
    start = agenda.paused_at or at
    over = agenda.due_at or start
    return agenda.model_copy(update={"reminders": (*agenda.reminders, *_first(stage, people, hours, start, over))})


def tick(
    stage: Stage, agenda: Agenda, undecided: Collection[str], hours: Hours, at: datetime
) -> tuple[Agenda, tuple[Due, ...]]:
    """Return the agenda without what is due at that moment, and that; nothing is due while time stands still.

    Once the time is over, nothing else is said. A reminder that comes late comes once: the next is counted from now.
    """
    if agenda.paused_at:
        return agenda, ()
    if agenda.due_at and agenda.due_at <= at:
        return agenda.model_copy(update={"due_at": None, "warn_at": None, "reminders": ()}), (Due(kind="over"),)
    due: list[Due] = []
    coming: list[Reminder] = []
    for reminder in agenda.reminders:
        if reminder.at > at:
            coming.append(reminder)
        elif people := tuple(person for person in reminder.people if person in undecided):
            due.append(Due(kind="remind", people=people, nth=reminder.nth))
            coming += _again(stage, agenda, due[-1], hours, at)
    changes: dict[str, object] = {"reminders": tuple(coming)}
    if agenda.warn_at and agenda.warn_at <= at:
        due.append(Due(kind="warn", people=tuple(undecided)))
        changes["warn_at"] = None
    return agenda.model_copy(update=changes), tuple(due)


def pause(agenda: Agenda, at: datetime) -> Agenda:
    """Return the agenda with time standing still."""
    return agenda.model_copy(update={"paused_at": at})


def resume(stage: Stage, agenda: Agenda, hours: Hours, at: datetime) -> Agenda:
    """Return the agenda with time going on; everything comes later by what was left of it when it stood still."""
    since = agenda.paused_at or at
    within = stage.escalate[agenda.level - 1].decide_within if agenda.level else stage.decide_within

    def later(time: datetime, person: str) -> datetime:
        if isinstance(within, Working):
            return _later(hours(person), at, since, max(time, since))
        return at + (time - since)

    moved = defaultdict(list)
    for reminder in agenda.reminders:
        for person in reminder.people:
            moved[open_at(hours(person), later(reminder.at, person)), reminder.nth].append(person)
    return agenda.model_copy(
        update={
            "paused_at": None,
            "due_at": agenda.due_at and later(agenda.due_at, agenda.whose),
            "warn_at": agenda.warn_at and later(agenda.warn_at, agenda.whose),
            "reminders": tuple(
                Reminder(at=time, people=tuple(people), nth=nth) for (time, nth), people in moved.items()
            ),
        }
    )


def _first(stage: Stage, people: Sequence[str], hours: Hours, at: datetime, due_at: datetime) -> tuple[Reminder, ...]:
    """Return the first reminders of people who are asked now."""
    return _reminders(stage.remind.after, _Asked(people, hours, at, due_at), 1) if stage.remind else ()


def _again(stage: Stage, agenda: Agenda, due: Due, hours: Hours, at: datetime) -> tuple[Reminder, ...]:
    """Return the reminders after one that is due."""
    terms = stage.remind
    if terms is None or terms.every is None or due.nth >= terms.at_most or agenda.due_at is None:
        return ()
    return _reminders(terms.every, _Asked(due.people, hours, at, agenda.due_at), due.nth + 1)


class _Asked(NamedTuple):
    """People who are asked at a moment, and until when."""

    people: Sequence[str]
    hours: Hours
    at: datetime
    due_at: datetime


def _reminders(after: Span, asked: _Asked, nth: int) -> tuple[Reminder, ...]:
    """Return when people are reminded, those at the same moment together; nobody is once the time is over."""
    together = defaultdict(list)
    for person in asked.people:
        own = asked.hours(person)
        together[open_at(own, end(own, asked.at, after))].append(person)
    soon = ((time, people) for time, people in together.items() if time < asked.due_at)
    return tuple(Reminder(at=time, people=tuple(people), nth=nth) for time, people in soon)


# A calendar may come to its end: holidays for ten years, and then nothing. Then time is counted by the clock, as it is
# for people without one; a stage must neither fail nor stay open for ever.


def end(own: Calendar, at: datetime, span: Span) -> datetime:
    """Return when that much of somebody's working time has passed."""
    try:
        return calendar.end(own, at, span)
    except calendar.NeverOpen:
        return calendar.end(calendar.ALWAYS, at, span)


def open_at(own: Calendar, at: datetime) -> datetime:
    """Return the next moment of somebody's working time."""
    try:
        return calendar.next_open(own, at)
    except calendar.NeverOpen:
        return at


def _before(own: Calendar, at: datetime, span: Span) -> datetime:
    try:
        return calendar.before(own, at, span)
    except calendar.NeverOpen:
        return calendar.before(calendar.ALWAYS, at, span)


def _later(own: Calendar, at: datetime, since: datetime, time: datetime) -> datetime:
    try:
        return calendar.add(own, at, calendar.between(own, since, time))
    except calendar.NeverOpen:
        return at + (time - since)
