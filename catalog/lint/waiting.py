"""Rules on time: decisions come before the promise, reminders before deadlines, and silence approves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from catalog import duration
from catalog.calendar_file import CalendarFile
from catalog.duration import Span, Working
from catalog.hours import MINUTES, WEEKDAYS, Week
from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
from catalog.source import Place
from catalog.stages import Stage, before
from catalog.steps import ParallelStep, Step, WaitStep

_NO_TIME = timedelta(0)


@rule("sla-too-short", "warning", "The promise can be kept if everybody acts at once.")
def sla_too_short(subject: Subject) -> Iterator[Hit]:
    """Check `sla` against the waits of a fixed length: no haste of people makes them shorter."""
    waits = _waits(subject.item.steps)
    if waits > subject.item.sla.target:
        message = f"this is less than the steps wait in any case: {duration.words(waits)}"
        yield Hit(("sla", "target"), message, "Promise more time, or wait less.")


def _waits(steps: tuple[Step, ...]) -> timedelta:
    """Return how long steps wait at least, those that are always carried out."""
    return sum((_wait(step) for step in steps if step.when is True), _NO_TIME)


def _wait(step: Step) -> timedelta:
    if isinstance(step, WaitStep):
        return step.duration or _NO_TIME
    if isinstance(step, ParallelStep):
        return max(_waits(branch) for branch in step.branches.values())
    return _NO_TIME


@rule("late-decision", "warning", "The promise can be kept if those who decide take the time they have.")
def late_decision(subject: Subject) -> Iterator[Hit]:
    """Check `sla` against the stages that every order needs; their working time cannot be compared with it."""
    earlier = before(subject.item.approvals)
    over: dict[str, timedelta] = {}
    for stage in subject.item.approvals:
        over[stage.id] = max((over[name] for name in earlier[stage.id]), default=_NO_TIME) + _deciding(stage)
    longest = max(over.values(), default=_NO_TIME)
    if longest > subject.item.sla.target:
        message = f"this is less than the approvals may take: {duration.words(longest)}"
        yield Hit(("sla", "target"), message, "Promise more time, or let them decide sooner.")


def _deciding(stage: Stage) -> timedelta:
    """Return how long a stage may take that every order needs, without its working time."""
    if stage.when is not True or stage.auto_approve:
        return _NO_TIME
    spans = (stage.decide_within, *(level.decide_within for level in stage.escalate))
    return sum((span for span in spans if isinstance(span, timedelta)), _NO_TIME)


@rule("late-reminder", "warning", "Reminders and notices come before the deadline that they are about.")
def late_reminder(subject: Subject) -> Iterator[Hit]:
    """Check `remind` and `notice` of every stage and its escalations, as far as the times can be compared."""
    for place, stage in subject.stages:
        spans = [stage.decide_within, *(level.decide_within for level in stage.escalate)]
        if stage.remind and all(_reaches(stage.remind.after, span) for span in spans):
            message = "nobody would ever be reminded: their time is over by then"
            yield Hit((*place, "remind", "after"), message, "Remind them sooner.")
        notices = [((*place, "escalate", at, "notice"), level.notice) for at, level in enumerate(stage.escalate)]
        for (there, notice), span in zip([*notices, ((*place, "notice"), stage.notice)], spans, strict=True):
            if notice is not None and _reaches(notice, span):
                message = f"they have {duration.words(span)} only, so they would be told of its end at once"
                yield Hit(there, message, "Write a shorter time.")


def _reaches(one: timedelta | Working, other: timedelta | Working) -> bool:
    """Return whether a time is surely as long as another; how clock time and working time compare nobody knows."""
    if isinstance(one, Working) and isinstance(other, Working):
        return one.days >= other.days and one.time >= other.time
    return isinstance(one, timedelta) and isinstance(other, timedelta) and one >= other


@rule("silence-approves", "error", "Nothing is approved because nobody said a word, unless the item's risk is low.")
def silence_approves(subject: Subject) -> Iterator[Hit]:
    """Check `at_deadline` and `when_nobody` of every stage (feature row A14)."""
    if subject.item.risk == "low":
        return
    remedy = "Let it expire; or write 'risk: low' if a wrong approval does little harm."
    for place, stage in subject.stages:
        if subject.leaves_out(stage):
            continue
        if stage.at_deadline in ("approve", "skip"):
            yield Hit((*place, "at_deadline"), f"silence approves, but the risk is {subject.item.risk}", remedy)
        if stage.when_nobody == "approve":
            message = f"what nobody may decide is approved, but the risk is {subject.item.risk}"
            yield Hit((*place, "when_nobody"), message, remedy)


@rule("closed-until-deadline", "warning", "A stage lasts until the calendar is open in which it is decided.")
def closed_until_deadline(subject: Subject) -> Iterator[Hit]:
    """Check `acts_in` against times by the clock, as far as the hours of the week tell."""
    for place, stage in subject.stages:
        loaded = subject.world.reading.calendars.get(stage.acts_in or "")
        span = stage.decide_within
        if loaded and not loaded.value.union and isinstance(span, timedelta):
            closed = _longest_closed(loaded.value.hours)
            if closed >= span:
                message = f"{stage.acts_in!r} can be closed for all of it: for {duration.words(closed)} each week"
                yield Hit((*place, "decide_within"), message, "Give more time, or count it in working time.")


def _longest_closed(week: Week) -> timedelta:
    """Return for how long the hours of a week are closed at a time; nothing where there are none, but single days."""
    open_at = [
        (number * MINUTES + segment.start, number * MINUTES + segment.end)
        for number, day in enumerate(WEEKDAYS)
        for segment in week.get(day, ())
    ]
    following = [(start + 7 * MINUTES, end) for start, end in open_at[:1]]
    gaps = (again[0] - over[1] for over, again in pairwise([*open_at, *following]))
    return timedelta(minutes=max(gaps, default=0))


@rule("too-little-working-time", "error", "A length of working time is over within ten years.")
def too_little_working_time(subject: Subject) -> Iterator[Hit]:
    """Check the lengths of stages that name their calendar, by the hours of its week and its single days.

    Holidays are not looked at: they make it last longer still.
    """
    for place, stage in subject.stages:
        files = _files(subject, stage.calendar or "")
        there = _TenYears.of(files)
        for key, span in _spans(stage):
            if files and isinstance(span, Working) and not there.hold(span):
                message = f"in the calendar {stage.calendar!r} this lasts for more than ten years"
                yield Hit((*place, *key), message, "Write a shorter time, or name a calendar with more working time.")


def _files(subject: Subject, name: str) -> list[CalendarFile]:
    """Return the calendar of that id, or those it unites; nothing if one of them is not there."""
    known = subject.world.reading.calendars
    names = (known[name].value.union or (name,)) if name in known else ()
    return [known[one].value for one in names] if all(one in known for one in names) else []


class _TenYears(NamedTuple):
    """The working days and the working time that calendars have in ten years together, or more."""

    days: int
    time: timedelta

    @classmethod
    def of(cls, files: Iterable[CalendarFile]) -> _TenYears:
        days = [day for file in files for day in (*_WEEKS * tuple(file.hours.values()), *file.days.values()) if day]
        return cls(len(days), timedelta(minutes=sum(segment.end - segment.start for day in days for segment in day)))

    def hold(self, span: Working) -> bool:
        return span.days / self.days + span.time / self.time <= 1


_WEEKS = 522
"""So many weeks begin in ten years."""


def _spans(stage: Stage) -> Iterator[tuple[Place, Span | None]]:
    """Yield the lengths of time of a stage, each with where it stands."""
    yield from ((("decide_within",), stage.decide_within), (("notice",), stage.notice))
    yield ("answer_within",), stage.answer_within
    if stage.remind:
        yield from ((("remind", "after"), stage.remind.after), (("remind", "every"), stage.remind.every))
    for at, level in enumerate(stage.escalate):
        yield ("escalate", at, "decide_within"), level.decide_within
        yield ("escalate", at, "notice"), level.notice
