"""What clocks and priorities say, in words: from when to when time is counted, how much of it there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from catalog.duration import Working
from catalog.duration import words as lasting
from catalog.priority import Priority
from catalog.sla_spec import By, ClockSpec, Target, Trigger
from catalog.text import listed, one_line

Say = Callable[[str], str]
"""Returns a text with its expressions named instead of evaluated."""

_EACH = {"request": "", "stage": ", for each stage", "approver": ", for each who is asked"}


def target(span: timedelta | Working | By) -> str:
    """Return how long a clock may run."""
    if not isinstance(span, By):
        return f"within {lasting(span)}"
    return f"by {span.time:%H:%M} {'on the next working day' if span.days == 1 else f'in {span.days} working days'}"


def clock(spec: ClockSpec) -> str:
    """Return a clock as a sentence: what starts and stops it, its targets, when it warns and whose time it counts."""
    parts = [f"“{one_line(spec.name)}” runs from {_events(spec.start)} to {_events(spec.stop)}{_EACH[spec.per]}"]
    if spec.pause:
        parts.append(f"but stands still at {_events(spec.pause)}")
    parts.append(_targets(spec.target, spec.by_priority))
    if (spec.target or spec.by_priority) and spec.warn:
        parts.append(f"warning at {listed(f'{percent} %' for percent in spec.warn)}")
    if spec.calendar:
        parts.append(f"in the calendar “{spec.calendar}”")
    return f"{', '.join(parts)}."


def _targets(usual: Target | None, others: dict[int, Target]) -> str:
    said = [f"{target(span)} at priority {number}" for number, span in sorted(others.items())]
    if usual is not None:
        said.append(f"{target(usual)}{' at any other' if said else ''}")
    return listed(said) if said else "without a target"


def _events(triggers: Sequence[Trigger]) -> str:
    return listed(map(_event, triggers), "or")


def _event(trigger: Trigger) -> str:
    about = (f"of “{trigger.stage}”" if trigger.stage else "", f"as “{trigger.status}”" if trigger.status else "")
    return " ".join((trigger.event.replace("-", " "), *filter(None, about)))


def priority(spec: Priority, say: Say) -> str:
    """Return how orders get their priority, as a sentence."""
    pairs: dict[int, list[str]] = {}
    for impact, row in spec.matrix.priorities.items():
        for urgency, number in row.items():
            pairs.setdefault(number, []).append(f"{impact}/{urgency}")
    ranks = listed(f"{number} ({', '.join(found)})" for number, found in sorted(pairs.items()))
    said = f"impact/urgency, here {say(str(spec.impact))}/{say(str(spec.urgency))}"
    return f"Orders get their priority from {said}: {ranks}."
