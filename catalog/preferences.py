"""What people wish: whose working hours are theirs, when they are left alone, and what comes in one mail (A12, N2).

Pure. A notice waits until the quiet hours of its recipient are over. With a digest, what asks for a decision or reminds
of one comes together, once a day. What is urgent is held for neither. Who keeps wishes and who sends mail is decided
elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from pydantic import model_validator

from catalog.calendar import Calendar, at_time, next_open
from catalog.hours import MINUTES, WEEKDAYS, Hours, Segment
from catalog.model import Misplaced, Model, Slug
from catalog.request import Notice, Template
from catalog.zones import Zone

AT_ONCE: frozenset[Template] = frozenset({"operator-needed", "late-timer", "answered"})
"""What is never held: trouble that operators look after, and answers to what its recipient asked."""
GATHERED: frozenset[Template] = frozenset({"approval-needed", "reminder"})
"""What a digest holds."""
MARGIN = timedelta(hours=8)
"""A working day: what leaves its recipient less time than this until the deadline, once it is sent, is not held."""
MOST_QUIET = 6
"""How many times of a day may be quiet."""
MOST_LISTED = 100
"""How many decisions a digest lists; it says how many more there are."""


class Preferences(Model):
    """What somebody wishes; by default what the company's rules give everybody.

    Attributes:
        calendar: the id of the calendar of their working hours; None for the rules' one.
        zone: where the clock hangs by which the following is meant: the zone of their calendar when they said it.
        quiet: the times of each day at which they are sent nothing, such as 20:00-07:00.
        digest: when, each day, they are told together of the decisions that wait for them; None for one by one.
    """

    calendar: Slug | None = None
    zone: Zone = "UTC"
    quiet: Hours = ()
    digest: time | None = None

    @model_validator(mode="after")
    def _leaves_time(self) -> Preferences:
        if len(self.quiet) > MOST_QUIET:
            raise Misplaced(f"a day has at most {MOST_QUIET} quiet times; join some of them", ("quiet",))
        loud = _loud(self.quiet)
        if not loud:
            raise Misplaced("the quiet hours leave no time of the day; shorten them", ("quiet",))
        if self.digest and self.digest.tzinfo:
            raise Misplaced("the time of the digest is one of your calendar's zone; write no other", ("digest",))
        if self.digest and not any(one.start <= _minute(self.digest) < one.end for one in loud):
            raise Misplaced("the digest would come in the quiet hours; choose another time", ("digest",))
        return self


def _minute(clock: time) -> int:
    return 60 * clock.hour + clock.minute


def _loud(quiet: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return the times of a day that lie in none of these; one that goes over midnight is quiet on both its sides."""
    parts = [Segment(one.start, min(one.end, MINUTES)) for one in quiet]
    parts += [Segment(0, one.end - MINUTES) for one in quiet if one.end > MINUTES]
    found, free = [], 0
    for start, end in (*sorted(parts), (MINUTES, MINUTES)):
        if start > free:
            found.append(Segment(free, start))
        free = max(free, end)
    return tuple(found)


class Hold(NamedTuple):
    """Until when a notice waits, and whether it then comes together with others."""

    until: datetime
    gathered: bool = False


def hold(notice: Notice, wishes: Preferences, at: datetime) -> Hold | None:
    """Return until when a notice that could go out now waits; None if it goes out."""
    if notice.template in AT_ONCE:
        return None
    awake = _awake(wishes)
    if wishes.digest and notice.template in GATHERED and "task" in notice.data:
        together = at_time(awake, at, wishes.digest, 0)
        if not _pressing(notice, at, together):
            return Hold(together, gathered=True)
    over = next_open(awake, at)
    return None if over == at or _pressing(notice, at, over) else Hold(over)


def _awake(wishes: Preferences) -> Calendar:
    """Return when somebody may be written to."""
    loud = _loud(wishes.quiet)
    return Calendar(id="awake", name="Awake", zone=wishes.zone, week=dict.fromkeys(WEEKDAYS, loud))


def _pressing(notice: Notice, at: datetime, until: datetime) -> bool:
    """Return whether it names a deadline that is still to come, and would come too soon after the wait."""
    due_at: str | None = notice.data.get("due_at")
    return due_at is not None and at < datetime.fromisoformat(due_at) < until + MARGIN


def together(notices: Sequence[Notice], awaited: Collection[str]) -> Notice | None:
    """Return one notice for several of one person; None if nothing they are about is awaited any more.

    Args:
        notices: at least one, in the order they were owed.
        awaited: the tasks that still wait for this person.
    """
    told = {notice.data["task"]: notice for notice in notices if notice.data["task"] in awaited}
    if not told:
        return None
    entries = sorted((_entry(one) for one in told.values()), key=lambda entry: (entry["due_at"] or "~", entry["task"]))
    data = {"entries": entries[:MOST_LISTED], "more": len(entries[MOST_LISTED:])}
    # Each notice is gathered once, so no two digests of a person come from the same event.
    return Notice(event=f"digest:{notices[0].event}", template="digest", to=notices[-1].to, data=data)


def _entry(notice: Notice) -> dict[str, Any]:
    names = ("number", "item", "requester", "beneficiary", "task", "stage", "due_at", "asked")
    return {name: notice.data.get(name) for name in names} | {"reminded": notice.template == "reminder"}
