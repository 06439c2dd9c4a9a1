"""Rules on time: decisions come before the promise, reminders before deadlines, and silence approves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from catalog import duration
from catalog.duration import Working
from catalog.hours import MINUTES, WEEKDAYS, Week
from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
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


@rule("silence-approves", "warning", "Nothing is approved because nobody said a word, unless the item's risk is low.")
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
