"""Clocks as an author writes them: what starts and stops each, and by when it should have stopped (feature rows S1-S6).

How a clock runs is `sla`'s business, what it follows `sla_events`'. An author writes::

    id: decision
    measures: decision
    target: 3 working days
    warn: [50, 75]

or a clock of their own, with its events::

    id: delivery
    name: Delivery
    start: {event: reported, status: shipped}
    pause: attention
    stop: {event: reported, status: delivered}
    target: by 16:00 on the next working day
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from pydantic import Field as Constrained

from catalog.data import When
from catalog.duration import Span, Working, written
from catalog.model import Misplaced, Model, Slug
from catalog.sla_events import ENDS, OF_PEOPLE, OF_STAGES, Happened, What

Per = Literal["request", "stage", "approver"]


class Trigger(Model):
    """An event a clock follows.

    Attributes:
        event: its kind.
        stage: only if it is about the approval stage of this id.
        status: only if it says this: how a stage or the request ended, which way was decided, which event was reported.
    """

    event: What
    stage: Slug | None = None
    status: str | None = None

    def meets(self, happened: Happened) -> bool:
        """Return whether it is this event."""
        return (
            happened.what == self.event
            and self.stage in (None, happened.stage)
            and self.status in (None, happened.status)
        )


def _read_triggers(value: Any) -> Any:
    """Return triggers from what may be one instead of a list, and a bare word instead of a mapping."""
    several = value if isinstance(value, list | tuple) else (value,)
    return tuple({"event": one} if isinstance(one, str) else one for one in several)


_ONE = What | Trigger
_READ = BeforeValidator(_read_triggers, json_schema_input_type=_ONE | tuple[_ONE, ...])
Triggers = Annotated[tuple[Trigger, ...], _READ]
"""Events; any of them counts."""
SomeTriggers = Annotated[tuple[Trigger, ...], Constrained(min_length=1), _READ]
"""One event at least."""


class By(Model):
    """A moment relative to the start: a time of day on a later working day, in the calendar's time zone.

    Attributes:
        time: the time of day, whether or not the calendar is open then.
        days: how many working days later; 1 is the next.
    """

    time: time
    days: Annotated[int, Constrained(ge=1)]


_BY = re.compile(
    r"by ((?:[01]\d|2[0-3]):[0-5]\d) (?:on the next working day|in ([1-9]\d?) working days?)", re.IGNORECASE | re.ASCII
)
_BY_EXAMPLES = "write it like 'by 16:00 on the next working day' or 'by 16:00 in 2 working days'"
_SPAN: TypeAdapter[timedelta | Working] = TypeAdapter(Span)


def _read_target(value: Any) -> timedelta | Working | By:
    if isinstance(value, By):
        return value
    if not (isinstance(value, str) and value.lower().startswith("by ")):
        return _SPAN.validate_python(value)
    match = _BY.fullmatch(" ".join(value.split()))
    if match is None:
        raise ValueError(f"{value[:40]!r} is no moment; {_BY_EXAMPLES}")
    return By(time=time.fromisoformat(match[1]), days=int(match[2] or 1))


def _write_target(target: timedelta | Working | By) -> str:
    if not isinstance(target, By):
        return written(target)
    day = "on the next working day" if target.days == 1 else f"in {target.days} working days"
    return f"by {target.time:%H:%M} {day}"


Target = Annotated[
    timedelta | Working | By,
    PlainValidator(_read_target),
    PlainSerializer(_write_target, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "description": "how long it may run: '8 hours', '3 working days', 'by 16:00 on the next working day'",
            "examples": ["3 working days", "by 16:00 on the next working day"],
        }
    ),
]
"""How long a clock may run: clock time, working time, or up to a moment relative to its start."""

Percent = Annotated[int, Constrained(ge=1, le=99)]
Warn = Annotated[tuple[Percent, ...], AfterValidator(lambda warn: tuple(sorted(set(warn))))]

STANDARD: dict[str, dict[str, Any]] = {
    "response": {
        "name": "Response",
        "per": "request",
        "start": "ordered",
        "stop": ("information-requested", "decided", "task-claimed", "task-completed", "fulfilment-began", "closed"),
    },
    "decision": {
        "name": "Decision",
        "per": "stage",
        "start": "stage-opened",
        "pause": "information-requested",
        "stop": "stage-closed",
        "reset": "stage-opened",
    },
    "approver": {
        "name": "Decision of each approver",
        "per": "approver",
        "start": "asked",
        "pause": "information-requested",
        "stop": "decided",
        "cancel": ("relieved", "stage-closed"),
        "reset": ("asked", "vote-withdrawn"),
    },
    "fulfilment": {
        "name": "Fulfilment",
        "per": "request",
        "start": "fulfilment-began",
        "pause": "waiting-for-others",
        "stop": "fulfilled",
    },
}
"""What `ClockSpec.measures` stands for: the parts of a clock that an author then need not write."""


class ClockSpec(Model):
    """A clock, as written.

    Of the events that match at once, the strongest counts: reset, cancel, stop, pause, resume. The end of the request
    cancels what still runs then and is not stopped by it.

    Attributes:
        id: unique within the item.
        name: what people call it.
        measures: one of the usual clocks; gives whatever of the rest is not written, see `STANDARD`.
        per: what has a clock of its own: the request, each stage, each approver of a stage.
        start: what it begins with.
        pause: what makes it stand still.
        resume: what lets it run again; if none is written, the end of what paused it. With several pauses beside each
            other it runs again when the last of them is over.
        stop: what it was to be in time for.
        reset: what makes it begin anew, whether or not it had ended; what it was until then stays on record.
        cancel: what makes it pointless.
        target: how long it may run; none: it only measures.
        by_priority: other targets, by the priority of the order.
        calendar: whose working time counts; None: the approver's, or that of the platform. Clock time counts always.
        warn: percentages of the target at which people are warned.
        when: whether an order has this clock at all.
    """

    # For editors: `measures` can give the rest of what is needed.
    model_config = ConfigDict(json_schema_extra={"required": ["id"]})

    id: Slug
    name: str
    measures: Literal["response", "decision", "approver", "fulfilment"] | None = None
    per: Per = "request"
    start: SomeTriggers
    pause: Triggers = ()
    resume: Triggers = ()
    stop: SomeTriggers
    reset: Triggers = ()
    cancel: Triggers = ()
    target: Target | None = None
    by_priority: dict[Annotated[int, Constrained(ge=1, le=9)], Target] = {}
    calendar: Slug | None = None
    warn: Warn = (50, 75)
    when: When = True

    @model_validator(mode="before")
    @classmethod
    def _of_the_usual_kind(cls, value: Any) -> Any:
        usual = STANDARD.get(str(value.get("measures"))) if isinstance(value, dict) else None
        return usual | value if usual else value

    @model_validator(mode="after")
    def _begins_where_it_belongs(self) -> ClockSpec:
        known: dict[str, frozenset[What] | None] = {"request": None, "stage": OF_STAGES, "approver": OF_PEOPLE}
        events = known[self.per]
        for key, triggers in (("start", self.start), ("reset", self.reset)):
            for at, trigger in enumerate(triggers):
                if events is not None and trigger.event not in events:
                    what = f"{trigger.event!r} is about no {self.per}; name one of {', '.join(sorted(events))}"
                    raise Misplaced(what, (key, at))
        return self

    @model_validator(mode="after")
    def _every_pause_ends(self) -> ClockSpec:
        for at, trigger in enumerate(self.pause):
            if not self.resume and trigger.event not in ENDS:
                what = f"nothing says when {trigger.event!r} is over; write 'resume' with what lets it run again"
                raise Misplaced(what, ("pause", at))
        return self

    def resumes(self, happened: Happened) -> bool:
        """Return whether this event can let it run again."""
        if self.resume:
            return any(trigger.meets(happened) for trigger in self.resume)
        return happened.what in self._awaited()

    def frees(self, pause: Happened, happened: Happened) -> bool:
        """Return whether an event that `resumes` ends this pause: its own end, if the clock waits for it, or any."""
        ends = ENDS.get(pause.what, ())
        return self._awaited().isdisjoint(ends) or (happened.what in ends and happened.concerns(pause))

    def _awaited(self) -> set[What]:
        """Return the kinds of events that can let it run again."""
        return {one.event for one in self.resume} or {end for one in self.pause for end in ENDS[one.event]}
