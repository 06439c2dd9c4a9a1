"""The agenda of an open stage: when who is reminded, warned, and replaced, and when its time is over (rows A12, A13).

Pure. All times are counted in the working time of the person concerned, so that nobody is reminded at midnight or on
a holiday; whoever has no calendar can be reached at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from catalog import calendar
from catalog.calendar import Calendar
from catalog.duration import LONGEST, Span, Working
from catalog.model import Model
from catalog.stages import Stage

Hours = Callable[[str], Calendar]
"""Gives the working time of somebody, by id."""


class Reminder(Model):
    """The next time these people are reminded, or told that the deadline comes near.

    Attributes:
        nth: the how many-th time it is; 0 if somebody has asked for it: it comes beside the others, and once.
    """

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
        notices: when each person is told that this comes near.
        reminders: the next of each person.
        level: how many times it was escalated.
        paused_at: since when time stands still.
    """

    since: datetime
    due_at: datetime | None = None
    whose: str = ""
    notices: tuple[Reminder, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    level: int = 0
    paused_at: datetime | None = None

    @property
    def next_at(self) -> datetime | None:
        """When the next of it comes; None if nothing does by itself."""
        if self.paused_at:
            return None
        times = (self.due_at, *(one.at for one in (*self.notices, *self.reminders)))
        return min((time for time in times if time), default=None)

    def tells_at(self, people: Collection[str]) -> datetime | None:
        """Return when some of these people are told something next; None if nobody is before the time is over."""
        told = () if self.paused_at else (*self.notices, *self.reminders)
        return min((one.at for one in told if not set(people).isdisjoint(one.people)), default=None)


def begin(stage: Stage, people: Sequence[str], hours: Hours, at: datetime, level: int = 0) -> Agenda:
    """Return the agenda of a stage whose people are asked now; `level` counts its escalations."""
    within = _within(stage, level)
    ends = _each(people, hours, lambda own: end(own, at, within))
    last = max(people, key=ends.__getitem__, default="")
    due_at = ends[last] if people else end(calendar.ALWAYS, at, within)
    asked = _Asked(people, hours, at, due_at)
    return Agenda(
        since=at,
        due_at=due_at,
        whose=last if isinstance(within, Working) else "",
        notices=_notices(stage, level, asked),
        reminders=_first(stage, asked),
        level=level,
    )


def join(stage: Stage, agenda: Agenda, people: Sequence[str], hours: Hours, at: datetime) -> Agenda:
    """Return the agenda with people who are asked later than the others; they have what is left of the time."""
    start = agenda.paused_at or at
    asked = _Asked(people, hours, start, agenda.due_at or start)
    return agenda.model_copy(
        update={
            "notices": (*agenda.notices, *_notices(stage, agenda.level, asked)),
            "reminders": (*agenda.reminders, *_first(stage, asked)),
        }
    )


def tick(
    stage: Stage, agenda: Agenda, undecided: Collection[str], hours: Hours, at: datetime
) -> tuple[Agenda, tuple[Due, ...]]:
    """Return the agenda without what is due at that moment, and that; nothing is due while time stands still.

    Once the time is over, nothing else is said. A reminder that comes late comes once: the next is counted from now.
    """
    if agenda.paused_at:
        return agenda, ()
    if agenda.due_at and agenda.due_at <= at:
        return agenda.model_copy(update={"due_at": None, "notices": (), "reminders": ()}), (Due(kind="over"),)
    due: list[Due] = []
    coming: list[Reminder] = []
    for reminder in agenda.reminders:
        if reminder.at > at:
            coming.append(reminder)
        elif people := tuple(person for person in reminder.people if person in undecided):
            due.append(Due(kind="remind", people=people, nth=reminder.nth))
            coming += _again(stage, agenda, due[-1], hours, at)
    told = {person for notice in agenda.notices if notice.at <= at for person in notice.people}
    if people := tuple(person for person in undecided if person in told):
        due.append(Due(kind="warn", people=people))
    later = tuple(notice for notice in agenda.notices if notice.at > at)
    return agenda.model_copy(update={"notices": later, "reminders": tuple(coming)}), tuple(due)


def nudge(
    agenda: Agenda, people: Collection[str], hours: Hours, at: datetime
) -> tuple[Agenda, tuple[str, ...], tuple[Reminder, ...]]:
    """Return the agenda after somebody has asked for a reminder, who is reminded at once, and who when.

    Who works now is reminded at once, the others as soon as they do, unless the time is over by then. Nobody is
    reminded twice at one moment.
    """
    times = _each(people, hours, lambda own: open_at(own, at))
    now = tuple(person for person, time in times.items() if time <= at)
    asleep = {person: time for person, time in times.items() if time > at}
    later = _together(_Asked(tuple(asleep), hours, at, agenda.due_at or at), asleep, 0)
    known = {(person, one.at) for one in agenda.reminders for person in one.people}
    fresh = (
        one.model_copy(update={"people": people})
        for one in later
        if (people := tuple(person for person in one.people if (person, one.at) not in known))
    )
    return agenda.model_copy(update={"reminders": (*agenda.reminders, *fresh)}), now, later


def pause(agenda: Agenda, at: datetime) -> Agenda:
    """Return the agenda with time standing still."""
    return agenda.model_copy(update={"paused_at": at})


def resume(stage: Stage, agenda: Agenda, people: Sequence[str], hours: Hours, at: datetime) -> Agenda:
    """Return the agenda with time going on; everything comes later by what was left of it when it stood still.

    `people` are those who are expected to decide: each has left as much of their own working time as they had. When
    they are told that the deadline comes near follows from the new one.
    """
    if agenda.paused_at is None:
        return agenda
    going = _Resumed(agenda.paused_at, at)
    within = _within(stage, agenda.level)
    ends = _each(people, hours, lambda own: going.later(own, agenda.due_at or at, within))
    last = max(people, key=ends.__getitem__, default="")
    due_at = ends.get(last) or going.later(hours(agenda.whose), agenda.due_at or at, within)
    untold = dict.fromkeys(person for notice in agenda.notices for person in notice.people)
    return agenda.model_copy(
        update={
            "paused_at": None,
            "due_at": agenda.due_at and due_at,
            "whose": last if isinstance(within, Working) and last else agenda.whose,
            "notices": _notices(stage, agenda.level, _Asked(tuple(untold), hours, at, due_at)),
            "reminders": tuple(
                moved
                for one in agenda.reminders
                for moved in _moved(stage, one, going, _Asked(one.people, hours, at, due_at))
            ),
        }
    )


def resume_as_before(stage: Stage, agenda: Agenda, hours: Hours, at: datetime) -> Agenda:
    """Return the agenda as `resume` once did: all is moved as the deadline is, in the working time of one person.

    A question that was asked under a release that did so ends so, too: what a request has put on record since must
    come out the same when its history is read again.
    """
    since = agenda.paused_at or at
    going, within = _Resumed(since, at), _within(stage, agenda.level)

    def moved(reminders: tuple[Reminder, ...]) -> tuple[Reminder, ...]:
        times = defaultdict(list)
        for reminder in reminders:
            for person in reminder.people:
                own = hours(person)
                times[open_at(own, going.later(own, reminder.at, within)), reminder.nth].append(person)
        return tuple(Reminder(at=time, people=tuple(people), nth=nth) for (time, nth), people in times.items())

    return agenda.model_copy(
        update={
            "paused_at": None,
            "due_at": agenda.due_at and going.later(hours(agenda.whose), agenda.due_at, within),
            "notices": moved(agenda.notices),
            "reminders": moved(agenda.reminders),
        }
    )


def _within(stage: Stage, level: int) -> Span:
    """Return how long those have who are asked at a level."""
    return stage.escalate[level - 1].decide_within if level else stage.decide_within


class _Resumed(NamedTuple):
    """Time that stood still from the one moment up to the other."""

    since: datetime
    at: datetime

    def later(self, own: Calendar, time: datetime, span: Span) -> datetime:
        """Return when as much has passed as was left until `time`, counted as `span` is."""
        if isinstance(span, Working):
            return _later(own, self.at, self.since, max(time, self.since))
        return self.at + (time - self.since)


def _moved(stage: Stage, reminder: Reminder, going: _Resumed, asked: _Asked) -> tuple[Reminder, ...]:
    """Return the reminders that one becomes after a pause; what somebody asked for comes as soon as people work."""
    terms = stage.remind
    span = (terms.every if reminder.nth > 1 else terms.after) if terms and reminder.nth else None

    def moved_to(own: Calendar) -> datetime:
        return open_at(own, going.later(own, reminder.at, span) if span else max(reminder.at, asked.at))

    return _together(asked, _each(asked.people, asked.hours, moved_to), reminder.nth)


def _first(stage: Stage, asked: _Asked) -> tuple[Reminder, ...]:
    """Return the first reminders of people who are asked now."""
    return _reminders(stage.remind.after, asked, 1) if stage.remind else ()


def _notices(stage: Stage, level: int, asked: _Asked) -> tuple[Reminder, ...]:
    """Return when people are told that the deadline comes near: not out of hours, but before."""
    notice = stage.escalate[level].notice if level < len(stage.escalate) else stage.notice
    if notice is None:
        return ()

    def told_at(own: Calendar) -> datetime:
        at = _last_open(own, asked.due_at, notice)
        # For whom that is over already, or who begins to work later than that, it is as soon as they work.
        return at if at > asked.at else open_at(own, asked.at)

    return _together(asked, _each(asked.people, asked.hours, told_at))


def _again(stage: Stage, agenda: Agenda, due: Due, hours: Hours, at: datetime) -> tuple[Reminder, ...]:
    """Return the reminders after one that is due."""
    terms = stage.remind
    asked_for = due.nth == 0
    if terms is None or terms.every is None or asked_for or due.nth >= terms.at_most or agenda.due_at is None:
        return ()
    return _reminders(terms.every, _Asked(due.people, hours, at, agenda.due_at), due.nth + 1)


class _Asked(NamedTuple):
    """People who are asked at a moment, and until when."""

    people: Sequence[str]
    hours: Hours
    at: datetime
    due_at: datetime


def _reminders(after: Span, asked: _Asked, nth: int) -> tuple[Reminder, ...]:
    """Return when people are reminded, in their own working time."""
    times = _each(asked.people, asked.hours, lambda own: open_at(own, end(own, asked.at, after)))
    return _together(asked, times, nth)


def _each(people: Iterable[str], hours: Hours, when: Callable[[Calendar], datetime]) -> dict[str, datetime]:
    """Return when it is for each of these people; it is worked out once for all who have the same calendar."""
    known: dict[int, datetime] = {}
    times = {}
    for person in people:
        own = hours(person)
        if id(own) not in known:
            known[id(own)] = when(own)
        times[person] = known[id(own)]
    return times


def _together(asked: _Asked, times: Mapping[str, datetime], nth: int = 1) -> tuple[Reminder, ...]:
    """Return what people are told at these times; nobody is told anything once the time is over."""
    together = defaultdict(list)
    for person, time in times.items():
        together[time].append(person)
    soon = ((time, people) for time, people in together.items() if time < asked.due_at)
    return tuple(Reminder(at=time, people=tuple(people), nth=nth) for time, people in soon)


# A calendar may come to its end: holidays for ten years, and then nothing. Then time is counted by the clock, as it is
# for people without one. And one may go on with so little time that a length would last longer than any may: then it
# ends after a hundred years, not before. A stage must neither fail nor stay open for ever.

_LATEST = datetime(9800, 1, 1, tzinfo=UTC)
"""What begins later is over at once, so that no row of stages lasts beyond what can be counted."""


def end(own: Calendar, at: datetime, span: Span) -> datetime:
    """Return when that much of somebody's working time has passed, or a hundred years if it takes longer."""
    if at > _LATEST:
        return at
    return calendar.counted(own, lambda one: calendar.end(one, at, span), at + LONGEST)


def open_at(own: Calendar, at: datetime) -> datetime:
    """Return the next moment of somebody's working time."""
    try:
        return calendar.next_open(own, at)
    except calendar.NeverOpen:
        return at


def _last_open(own: Calendar, at: datetime, span: Span) -> datetime:
    """Return the last moment of somebody's working time at which that much is left until `at`."""
    return calendar.counted(own, lambda one: calendar.last_open(one, calendar.before(one, at, span)), at - LONGEST)


def _later(own: Calendar, at: datetime, since: datetime, time: datetime) -> datetime:
    """Return when as much of somebody's working time has passed since `at` as lies between the other moments."""
    return calendar.counted(own, lambda one: calendar.add(one, at, calendar.between(one, since, time)), at + LONGEST)
