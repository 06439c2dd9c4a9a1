"""What clocks tell people afterwards: who held a request for how long, and why it was late (feature rows S7, S9).

Nothing here moves a clock; that is `sla`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from catalog.model import Model
from catalog.sla import BREACH, Clock, Told, reached, read
from catalog.sla_events import Happened, What
from catalog.sla_spec import ClockSpec
from catalog.text import one_line, quoted

_HELD = (
    ClockSpec.model_validate({"id": "stage-time", "measures": "decision"}),
    ClockSpec.model_validate({"id": "approver-time", "measures": "approver"}),
)
"""The clocks that measure the shares; they have no target."""


class Share(Model):
    """How long an approval stage, or one approver of it, held a request, in working time.

    Attributes:
        person: id of the approver; empty for the stage as a whole.
        held: the time in which it was theirs to decide.
        waited: the time in which they waited for information they had asked for.
    """

    stage: str
    person: str = ""
    held: timedelta
    waited: timedelta


def breakdown(history: Iterable[Told], now: datetime) -> tuple[Share, ...]:
    """Return how long each stage and each approver held a request until `now`: stages first, as they began.

    A stage is measured in the platform's calendar, an approver in their own. A stage that began again, and an approver
    who was asked again, count together.
    """
    told = tuple(history)
    shares: dict[tuple[str, str], Share] = {}
    for clock in (clock for spec in _HELD for clock in read(spec, told, now)):
        key = clock.stage, clock.person
        before = shares.get(key, Share(stage=clock.stage, person=clock.person, held=timedelta(0), waited=timedelta(0)))
        both = {"held": before.held + clock.elapsed, "waited": before.waited + clock.paused}
        shares[key] = before.model_copy(update=both)
    return tuple(shares.values())


def explain(clock: Clock, stages: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return what became of a clock, a sentence for each moment, in the time zone of its calendar.

    `stages` are the names of approval stages, by id.
    """
    zone, known = ZoneInfo(clock.zone), stages or {}
    moments = sorted(_told(clock, known), key=lambda told: told[:2])
    return tuple(f"{_moment(at, zone)}: {text}." for at, _, text in moments)


def _told(clock: Clock, stages: Mapping[str, str]) -> Iterable[tuple[datetime, int, str]]:
    """Yield moments and what is said of them; of what falls together, what the clock had come to is said first."""
    first, *later = clock.periods
    yield first.start, 0, f"it began to run: {_why(first.began, stages)}"
    for mark in reached(clock):
        yield mark.at, 1, f"{'breached: ' if mark.percent == BREACH else ''}{mark.percent} % of its time was over"
    for period in later:
        yield period.start, 2, f"{'it ran again' if period.runs else 'paused'}: {_why(period.began, stages)}"
    if clock.stopped_at and clock.ended:
        yield clock.stopped_at, 3, f"{clock.state}: {_why(clock.ended, stages)}"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%B %Y, %H:%M}"


_WHY: dict[What, str] = {
    "ordered": "{by} ordered",
    "stage-opened": "stage {stage} began",
    "asked": "{by} was asked to decide",
    "relieved": "{by} was no longer asked",
    "information-requested": "{by} asked for information",
    "information-given": "{by} gave the information",
    "information-missed": "nobody gave the information",
    "decided": "{by} decided",
    "vote-withdrawn": "the vote of {by} counted no longer",
    "stage-closed": "stage {stage} ended",
    "amended": "the order was amended",
    "fulfilment-began": "fulfilment began",
    "task-opened": "there was work to do",
    "task-claimed": "{by} took on work",
    "task-completed": "{by} completed work",
    "waiting-for-others": "it had to wait for {about}",
    "waiting-over": "it no longer had to wait for {about}",
    "reported": "{by} reported {status}",
    "attention": "an operator had to decide",
    "attention-over": "no operator had to decide any more",
    "cancel-requested": "{by} called the request off",
    "fulfilled": "it was fulfilled",
    "closed": "the request was closed",
}


def _why(event: Happened, stages: Mapping[str, str]) -> str:
    return _WHY[event.what].format(
        by=one_line(event.by) or "somebody",
        stage=quoted(stages.get(event.stage, event.stage)),
        about=quoted(event.about) if event.about else "something",
        status=quoted(event.status),
    )
