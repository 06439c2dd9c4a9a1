"""Rights: who may see and do what with a request. Pure; asked by the API and again by the workflow's validator.

Whether somebody is signed in, and whether they are an operator, is settled before: an `Actor` says so. How votes
are counted is `approval`'s business.
"""

from __future__ import annotations

from catalog import steps
from catalog.errors import Refused
from catalog.model import Model
from catalog.people import Actor
from catalog.request import Order, Task
from catalog.steps import WaitStep


class Refusal(Model):
    """A command that is not carried out, and why; `code` is stable, clients match on it."""

    code: Refused
    message: str


def is_own(actor: Actor, order: Order) -> bool:
    """Return whether the request is by or for the actor."""
    return actor.person.id in (order.requester.id, order.beneficiary.id)


def may_see(actor: Actor, order: Order, *, asked: bool) -> bool:
    """Return whether the actor sees a request; `asked` says that they are or were asked to decide it."""
    return is_own(actor, order) or asked or actor.operator


def may_see_task(actor: Actor, task: Task) -> bool:
    """Return whether somebody who sees the request sees this task of it: what went wrong is for operators only."""
    return task.kind != "operator" or actor.operator


def refuse_cancel(actor: Actor, order: Order, reason: str = "", *, begun: bool = False) -> Refusal | None:
    """Return why the actor may not call the request off now, if so.

    `reason` is what they say why; `begun` whether the request has begun to change something.
    """
    policy = order.item.cancel
    roles = {"requester": order.requester.id, "beneficiary": order.beneficiary.id}
    if not actor.operator and actor.person.id not in {roles[role] for role in policy.by}:
        who = ", the ".join((*policy.by,))
        return Refusal(code=Refused.NOT_ALLOWED, message=f"Only {f'the {who} and ' if who else ''}operators cancel it.")
    if begun and policy.until == "fulfilment" and not actor.operator:
        return Refusal(
            code=Refused.CLOSED, message="It is being carried out and can no longer be called off; ask an operator."
        )
    if policy.reason and not reason.strip():
        return Refusal(code=Refused.REASON_NEEDED, message="Give a reason to cancel it.")
    return None


def refuse_report(actor: Actor, order: Order, event: str) -> Refusal | None:
    """Return why the actor may not report an event to the request, if so."""
    if not actor.operator:
        return Refusal(code=Refused.NOT_ALLOWED, message="Only operators and systems report events.")
    expected = {step.event for _, step in steps.walk(order.item.steps) if isinstance(step, WaitStep) and step.event}
    if event not in expected:
        known = ", ".join(sorted(expected)) or "none"
        return Refusal(
            code=Refused.UNKNOWN_CHOICE, message=f"{order.number} waits for no such event; it knows: {known}."
        )
    return None


def refuse_work(actor: Actor, task: Task, act: str, reason: str) -> Refusal | None:
    """Return why the actor may not do that with a piece of work, if so, the gravest reason first."""
    if task.kind != "fulfilment":
        return Refusal(code=Refused.UNKNOWN_CHOICE, message=f"{task.title}: this is decided, not worked on.")
    asked = actor.person.id in {assignee.person.id for assignee in task.assignees}
    if not asked and not (actor.operator and act == "release"):
        return Refusal(code=Refused.NOT_APPROVER, message="You are not among those who are asked to do this.")
    if task.decided is not None:
        who = ", ".join(person.name for person in task.decided_by)
        return Refusal(
            code=Refused.CLOSED, message=f"{task.title}: this was {task.decided}{f' by {who}' if who else ''}."
        )
    claimed = task.claimed_by
    if claimed and claimed.id != actor.person.id and not actor.operator:
        return Refusal(code=Refused.ALREADY_DECIDED, message=f"{task.title}: {claimed.name} has taken this.")
    if claimed and claimed.id == actor.person.id and act == "claim":
        return Refusal(code=Refused.ALREADY_DECIDED, message=f"{task.title}: you have taken this already.")
    if act == "release" and not claimed:
        return Refusal(code=Refused.CLOSED, message=f"{task.title}: nobody has taken this.")
    if act == "decline" and not reason.strip():
        return Refusal(code=Refused.REASON_NEEDED, message="Say why it cannot be done.")
    return None


def refuse_decider(actor: Actor, order: Order, task: Task) -> Refusal | None:
    """Return why the actor may not decide the task, if so, the gravest reason first (feature row A6)."""
    if is_own(actor, order):
        return Refusal(
            code=Refused.SELF_APPROVAL, message="Nobody decides a request of their own or one for themselves."
        )
    if task.kind == "fulfilment":
        return Refusal(code=Refused.UNKNOWN_CHOICE, message=f"{task.title}: this is worked on, not decided.")
    if task.kind == "operator":
        if actor.operator:
            return None
        return Refusal(code=Refused.NOT_ALLOWED, message="Only operators decide this task.")
    if actor.person.id in {assignee.person.id for assignee in task.assignees}:
        return None
    return Refusal(code=Refused.NOT_APPROVER, message="You are not among those who are asked to decide this task.")


def refuse_choice(task: Task, choice: str, reason: str) -> Refusal | None:
    """Return why this is no answer to the task, if so."""
    if choice not in task.choices:
        return Refusal(code=Refused.UNKNOWN_CHOICE, message=f"Choose one of: {', '.join(task.choices)}.")
    if not reason.strip() and needs_reason(choice):
        return Refusal(code=Refused.REASON_NEEDED, message=f"Give a reason to {choice}.")
    return None


def needs_reason(choice: str) -> bool:
    """Return whether the choice has to be explained: those that leave the requester without what they asked for."""
    return choice in ("reject", "skip", "cancel")


def refuse_late(actor: Actor, task: Task) -> Refusal | None:
    """Return why it is too late for the actor to decide the task, naming how it ended and who decided, if so."""
    who = ", ".join(person.name for person in task.decided_by)
    if task.decided is not None and who:
        return Refusal(
            code=Refused.ALREADY_DECIDED, message=f"{task.title}: this was decided: {task.decided} by {who}."
        )
    if task.decided is not None:
        return Refusal(
            code=Refused.CLOSED, message=f"{task.title}: this can no longer be decided; it was {task.decided}."
        )
    own = next((a.verdict for a in task.assignees if a.person.id == actor.person.id and a.verdict), None)
    if own:
        return Refusal(
            code=Refused.ALREADY_DECIDED,
            message=f"{task.title}: you have already decided: {own} by {actor.person.name}.",
        )
    return None


def may_decide(actor: Actor, order: Order, task: Task) -> bool:
    """Return whether the actor can decide the task now."""
    return refuse_decider(actor, order, task) is None and refuse_late(actor, task) is None
