"""Rules on clocks and priority: what they name exists, and what is written of them can count."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.explain import said, suggest
from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
from catalog.lint.uses import is_template

_TRIGGERS = ("start", "pause", "resume", "stop", "reset", "cancel")


@rule("unknown-stage", "error", "A stage that a clock names is one of the item's.")
def unknown_stage(subject: Subject) -> Iterator[Hit]:
    """Check the events of every clock."""
    there = [stage.id for _, stage in subject.stages]
    for at, clock in enumerate(subject.item.clocks):
        for key in _TRIGGERS:
            for number, trigger in enumerate(vars(clock)[key]):
                if trigger.stage is not None and trigger.stage not in there:
                    message = f"there is no approval stage {trigger.stage!r}"
                    yield Hit(("clocks", at, key, number, "stage"), message, suggest(trigger.stage, there))


@rule("warn-without-target", "warning", "A clock that warns has a target to warn of.")
def warn_without_target(subject: Subject) -> Iterator[Hit]:
    """Check `warn` where an author has written it."""
    for at, clock in enumerate(subject.item.clocks):
        if clock.target is None and not clock.by_priority and "warn" in clock.model_fields_set:
            message = "there is no target of which so much could have passed"
            yield Hit(("clocks", at, "warn"), message, "Add 'target:', or remove 'warn'.")


@rule("unknown-priority", "error", "A target by priority is for a priority that orders of the item can have.")
def unknown_priority(subject: Subject) -> Iterator[Hit]:
    """Check `by_priority` of every clock."""
    spec = subject.item.priority
    known = sorted({number for row in spec.matrix.priorities.values() for number in row.values()}) if spec else []
    for at, clock in enumerate(subject.item.clocks):
        for number in clock.by_priority:
            place = ("clocks", at, "by_priority", str(number))
            if not known:
                yield Hit(place, "orders of this item have no priority", "Add 'priority:', or write 'target'.")
                break
            if number not in known:
                yield Hit(place, f"no order has the priority {number}", suggest(str(number), map(str, known)))


@rule("unknown-level", "error", "Impact and urgency are levels of the matrix.")
def unknown_level(subject: Subject) -> Iterator[Hit]:
    """Check `priority`: what is written out, and what expressions gave when they were tried."""
    spec = subject.item.priority
    if spec is None:
        return
    gave = {trial.use.place: trial.given for trial in subject.trials}
    for key, levels in (("impact", spec.matrix.impact), ("urgency", spec.matrix.urgency)):
        value = getattr(spec, key)
        given = gave.get(("priority", key), ()) if isinstance(value, str) and is_template(value) else (value,)
        for one in given:
            if not (isinstance(one, str) and one.strip() in levels):
                yield Hit(("priority", key), f"{said(one)} is no level", f"The levels are {', '.join(levels)}.")
                break
