"""Rules on steps: each can be reached, ends some day, and is taken back if the request ends badly."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
from catalog.message import ROLES
from catalog.source import Place
from catalog.steps import CallStep, GrantStep, NotifyWork, RevokeStep, TaskStep, WaitStep


@rule("unreachable-step", "error", "A step can be needed.")
def unreachable_step(subject: Subject) -> Iterator[Hit]:
    """Check `when` of every step."""
    for place, step in subject.steps:
        if subject.constantly(step.when) is False:
            yield Hit((*place, "when"), f"the step {step.id!r} never runs", "Mend the condition, or remove the step.")


@rule("no-deadline", "error", "Nobody and nothing is waited for without end.")
def no_deadline(subject: Subject) -> Iterator[Hit]:
    """Check waits for an event, and tasks."""
    for place, step in subject.steps:
        if isinstance(step, WaitStep) and step.event and step.timeout is None:
            remedy = "Add 'timeout:', and 'at_deadline:' with what happens then."
            yield Hit(place, f"{step.event!r} is waited for without end", remedy)
        if isinstance(step, TaskStep) and step.due is None and step.timeout is None:
            remedy = "Add 'due:' (then operators are told) or 'timeout:' (then they are asked how to go on)."
            yield Hit(place, "nobody notices if this task is never done", remedy)


@rule("no-undo", "error", "What a step changes can be taken back, or it is said why not.")
def no_undo(subject: Subject) -> Iterator[Hit]:
    """Check every effect: 'grant' and 'revoke' know by themselves, an action may have its undo in the registry."""
    for place, step in subject.effects:
        if isinstance(step, GrantStep | RevokeStep) or step.undo or step.irreversible:
            continue
        if isinstance(step, CallStep):
            spec = subject.world.known.actions.get(step.action)
            if spec is None or spec.undo:
                continue
        remedy = "Add 'undo:' with what takes it back, or 'irreversible:' with the reason why nothing does."
        yield Hit(place, f"what {step.id!r} changes stays if the request ends badly", remedy)


@rule("nobody-notified", "error", "A message goes to somebody.")
def nobody_notified(subject: Subject) -> Iterator[Hit]:
    """Check the recipients of notifications and of steps ``notify``."""
    messages: list[tuple[Place, tuple[object, ...]]] = [
        ((*place, "to"), work.to) for place, work in subject.works if isinstance(work, NotifyWork)
    ]
    messages += [(("notifications", at, "to"), one.to) for at, one in enumerate(subject.item.notifications)]
    for place, to in messages:
        for at, one in enumerate(to):
            if not _is_recipient(one):
                message = "this is nobody a message can go to"
                remedy = f"Write {', '.join(ROLES)}, a mail address, or '{{{{ form.<field> }}}}' with a person."
                yield Hit((*place, at), message, remedy)


def _is_recipient(one: object) -> bool:
    return isinstance(one, str) and (one in ROLES or "@" in one or "{{" in one)
