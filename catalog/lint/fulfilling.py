"""Rules on steps: each can be reached, ends some day, and is taken back if the request ends badly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
from catalog.message import ROLES
from catalog.names import NAMES
from catalog.source import Place
from catalog.steps import (
    CallStep,
    ForEachStep,
    GrantStep,
    GrantWork,
    HttpStep,
    HttpWork,
    NotifyWork,
    Retry,
    RevokeStep,
    RevokeWork,
    TaskStep,
    WaitStep,
)
from catalog.text import MAX_TITLE, one_line


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
        yield Hit(place, f"what {step.id!r} changes stays if the request ends badly", _UNDO)
    for place, one in subject.steps:
        if subject.orders_for_good(one) and not getattr(one, "irreversible", ""):
            yield Hit(place, f"what {one.id!r} ordered stays if the request ends badly", _UNDO)


_UNDO = "Add 'undo:' with what takes it back, or 'irreversible:' with the reason why nothing does."


@rule("hidden-name", "error", "A loop calls its entries by a name that stands for nothing else.")
def hidden_name(subject: Subject) -> Iterator[Hit]:
    """Check `variable` of every loop; that of a loop around may be hidden."""
    for place, step in subject.steps:
        if isinstance(step, ForEachStep) and step.variable in {*NAMES, "position", "result"}:
            message = f"{step.variable!r} stands for something else"
            yield Hit((*place, "variable"), message, "Call an entry by a name of its own.")


@rule("retry-without-effect", "warning", "What is tried once says nothing of further attempts.")
def retry_without_effect(subject: Subject) -> Iterator[Hit]:
    """Check `retry` of requests that may not be repeated, and of such actions."""
    for place, step in subject.steps:
        match step:
            case HttpStep(retry=Retry()) if not step.repeatable:
                message = f"a {step.method} is sent once, whatever stands here"
                remedy = "Add 'idempotent: true' if the target heeds the key, or remove 'retry'."
                yield Hit((*place, "retry"), message, remedy)
            case CallStep(retry=Retry()):
                spec = subject.world.known.actions.get(step.action)
                if spec and not spec.idempotent:
                    message = f"{step.action} is tried once, whatever stands here"
                    yield Hit((*place, "retry"), message, "Remove 'retry'.")
            case _:
                pass


@rule("no-group", "error", "What is given or taken is a place in a group.")
def no_group(subject: Subject) -> Iterator[Hit]:
    """Check the groups of 'grant' and 'revoke', and that somebody is named."""
    for place, work in subject.works:
        if isinstance(work, GrantWork | RevokeWork):
            if not str(work.group or "").strip():
                yield Hit((*place, "group"), "this names no group", "Write the name of a group.")
            if not str(work.to or "").strip():
                yield Hit((*place, "to"), "this names nobody", "Write a login, or remove 'to' for the beneficiary.")


@rule("wrong-address", "error", "The address of a request begins with http:// or https:// and a host.")
def wrong_address(subject: Subject) -> Iterator[Hit]:
    """Check the addresses of HTTP requests, as far as they do not depend on an order."""
    for place, work in subject.works:
        if isinstance(work, HttpWork) and not _may_be_address(str(work.url or "")):
            remedy = "Write it like: https://tickets.example.org/api/tickets."
            yield Hit((*place, "url"), "this is no address that a request can be sent to", remedy)


def _may_be_address(url: str) -> bool:
    fixed = re.split(r"\{\{|\{%", url, maxsplit=1)[0]
    depends = fixed != url
    scheme, separator, rest = fixed.partition("://")
    if not separator:
        return depends and any(start.startswith(fixed.lstrip().lower()) for start in ("http://", "https://"))
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return scheme.strip().lower() in ("http", "https") and bool(host or (depends and not rest))


@rule("empty-title", "warning", "What work, an approval or a message is called says something, whatever is answered.")
def empty_title(subject: Subject) -> Iterator[Hit]:
    """Look at what titles gave when they were tried; one that comes out empty is replaced by the name of its step."""
    for place, titles in _titles(subject):
        if not all(map(one_line, titles)):
            yield Hit(place, "with some answers this is empty", "Write words that are always there around it.")


@rule("long-title", "warning", "What work, an approval or a message is called is one short line.")
def long_title(subject: Subject) -> Iterator[Hit]:
    """Look at what titles gave when they were tried; one that is longer is put on a line and cut."""
    for place, titles in _titles(subject):
        if any("\n" in one.strip() or len(one) > MAX_TITLE for one in titles):
            message = f"with some answers this has several lines, or more than {MAX_TITLE} characters"
            yield Hit(place, message, "Name a short answer here; the longer one has room in the text below.")


def _titles(subject: Subject) -> Iterator[tuple[Place, tuple[str, ...]]]:
    return ((trial.use.place, trial.given) for trial in subject.trials if trial.use.wanted == "title")


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
