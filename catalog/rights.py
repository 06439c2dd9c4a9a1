"""Rights: who may see and do what with a request. Pure; asked by the API and again by the workflow's validator.

Whether somebody is signed in, and whether they are an operator, is settled before: an `Actor` says so. How votes
are counted is `approval`'s business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal

from catalog import calendar, delegation, steps
from catalog.delegation import Delegation
from catalog.errors import Refused
from catalog.form import FieldError
from catalog.model import Model
from catalog.people import Actor, PersonRef
from catalog.questions import NUDGED_AGAIN_AFTER
from catalog.request import Assignee, Order, Projection, Status, Task
from catalog.standing import OWN
from catalog.steps import WaitStep
from catalog.text import listed


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


def may_see_background(actor: Actor, task: Task) -> bool:
    """Return whether the actor sees what helps to decide a task, such as earlier requests of the same person."""
    asked = actor.person.id in {assignee.person.id for assignee in task.assignees}
    return task.kind == "approval" and (asked or actor.operator)


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


def refuse_replacing(actor: Actor, order: Order, now: Projection, by: Iterable[Order]) -> FieldError | None:
    """Return why the actor may not have an open request replaced, if so.

    Args:
        actor: who orders again, and sees the request.
        order: of the request that is to be replaced.
        now: where it stands.
        by: what is ordered in its place.
    """
    if refuse_cancel(actor, order, reason="given"):
        return _not_replaced("Only who may cancel it replaces it.", code="not-allowed")
    if now.status is Status.CLOSED:
        return _not_replaced(f"{order.number} is closed: {now.outcome}.")
    if order.parent:
        return _not_replaced(f"{order.number} is a part of {order.parent}, which waits for it; change it instead.")
    other = next((found for found in (_mismatch(order, new) for new in by) if found), None)
    if other:
        return _not_replaced(other)
    stages = {stage.id for stage in order.stages}
    if any(task.kind == "approval" and task.stage not in stages for task in now.tasks):
        return _not_replaced(f"{order.number} can no longer be replaced: it is being carried out.")
    if now.status not in (Status.CHECKING, Status.APPROVAL):
        when = "only while it is being checked or approved"
        return _not_replaced(f"{order.number} can be replaced {when}; its status is {now.status}.")
    return None


def _not_replaced(message: str, code: Literal["value", "not-allowed"] = "value") -> FieldError:
    return FieldError(field="replaces", code=code, message=message)


def _mismatch(order: Order, new: Order) -> str:
    """Return why an order is no other version of that one, if so."""
    if order.lines or new.lines:
        return "An order of several things neither replaces another nor is replaced; cancel it, or change its parts."
    if new.item.id != order.item.id:
        return f"{order.number} is of another item; order that one again, or cancel it."
    if new.beneficiary.id != order.beneficiary.id:
        return f"{order.number} is for somebody else; order it again for the same person."
    return ""


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


_DONE_WITH = {
    "approval": "a decision; approve or reject it, or ask about it first",
    "operator": "for operators to decide; choose how to go on",
    "fulfilment": "work; claim, complete or decline it",
    "information": "a question; answer it",
    "advice": "a request for advice; give it as your answer",
}
"""What a task of a kind is, and what is done with it."""


def _not_so(task: Task) -> Refusal:
    """Refuse what is not done with a task of its kind, naming what is; but not its title, for anybody may ask."""
    return Refusal(code=Refused.UNKNOWN_CHOICE, message=f"This is {_DONE_WITH[task.kind]}.")


def refuse_work(actor: Actor, task: Task, act: str, reason: str) -> Refusal | None:
    """Return why the actor may not do that with a piece of work, if so, the gravest reason first."""
    if task.kind != "fulfilment":
        return _not_so(task)
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
    if task.kind == "operator":
        if is_own(actor, order):
            return Refusal(code=Refused.SELF_APPROVAL, message=OWN)
        if actor.operator:
            return None
        return Refusal(code=Refused.NOT_ALLOWED, message="Only operators decide this task.")
    if task.kind != "approval" and not is_own(actor, order):
        return _not_so(task)
    return _refuse_asked(actor, order, task)


def _refuse_asked(actor: Actor, order: Order, task: Task) -> Refusal | None:
    """Return why the actor has no say in an approval. Its stage puts those who ordered among those asked, or not.

    Who could have decided has a say; that it comes too late is another reason.
    """
    asked = {*task.late, *(assignee.person.id for assignee in task.assignees)}
    if task.kind == "approval" and actor.person.id in asked:
        return None
    if actor.person.id in task.removed:
        message = f"{task.title}: you are no longer asked to decide this; {_stands(task)}."
        return Refusal(code=Refused.NO_LONGER_ASKED, message=message)
    if is_own(actor, order):
        return Refusal(code=Refused.SELF_APPROVAL, message=OWN)
    return Refusal(code=Refused.NOT_APPROVER, message="You are not among those who are asked to decide this task.")


_BY_DEPUTIES = ("decide", "ask", "add", "consult")
"""What people do about an approval in the place of others."""


def instead_of(actor: Actor, task: Task, act: str) -> tuple[PersonRef, ...]:
    """Return in whose place the actor does something about an approval, be it besides their own right.

    To take a vote back is done in the place of those for whom it was cast.
    """
    mine = _mine(actor, task)
    theirs = mine is not None and (mine.voted if act == "withdraw" else act in _BY_DEPUTIES and not mine.verdict)
    return mine.on_behalf_of if mine and theirs else ()


def only_for(actor: Actor, task: Task, act: str) -> tuple[PersonRef, ...]:
    """Return in whose place alone the actor does something about an approval; nobody if in their own right too."""
    mine = _mine(actor, task)
    alone = act in _BY_DEPUTIES and mine is not None and not (mine.own or mine.escalated)
    return instead_of(actor, task, act) if alone else ()


def _mine(actor: Actor, task: Task) -> Assignee | None:
    return next((one for one in task.assignees if one.person.id == actor.person.id), None)


def no_longer_for(
    actor: Actor, order: Order, task: Task, act: str, *, delegations: Collection[Delegation], at: datetime
) -> tuple[PersonRef, ...]:
    """Return in whose place the actor no longer is, as delegations stand at that moment (feature row A8).

    A task shows who stood in when its people were last looked up. While the directory is down that can be long ago,
    and what they were delegated has been withdrawn since.
    """
    matter, me = order.parties.matter, actor.person.id
    whose = instead_of(actor, task, act)
    return tuple(one for one in whose if not delegation.leads_to(one.id, me, delegations, matter, at))


def refuse_deputy(actor: Actor, task: Task, act: str, over: Collection[PersonRef]) -> Refusal | None:
    """Return why the actor does nothing in the place of others; `over` are those in whose place they no longer are."""
    whose = only_for(actor, task, act)
    if not whose or any(one not in over for one in whose):
        return None
    message = f"{task.title}: you no longer stand in for {listed(one.name for one in whose)}; {_stands(task)}."
    return Refusal(code=Refused.NO_LONGER_ASKED, message=message)


_KIND = {"advise": "advice", "answer": "information"}
_SAYS = {"ask": "Say what you want to know.", "consult": "Say what you want advice on."}


def refuse_considering(actor: Actor, order: Order, task: Task, act: str, text: str) -> Refusal | None:
    """Return why the actor may not do that about a decision, short of deciding it, if so (feature rows A9, A10)."""
    if task.kind != _KIND.get(act, "approval"):
        return _not_so(task)
    asked = actor.person.id in {assignee.person.id for assignee in task.assignees}
    by_operator = act == "reassign" and actor.operator and not is_own(actor, order)
    waits = act == "remind" and (is_own(actor, order) or actor.operator)
    if not asked and not by_operator and not waits:
        refusal = _refuse_asked(actor, order, task) or refuse_late(actor, task)
        if refusal and task.kind == "approval":
            return refusal
        return Refusal(code=Refused.NOT_APPROVER, message="You are not among those who are asked this.")
    if task.decided is not None:
        return Refusal(code=Refused.CLOSED, message=f"{task.title}: this was {task.decided}{_by(task)}.")
    if act not in ("withdraw", "reassign", "add", "remind") and not text.strip():
        return Refusal(code=Refused.REASON_NEEDED, message=_SAYS.get(act, "Write the answer."))
    return None


_BY_NOBODY = ("expired", "cancelled", "superseded")
"""How a task ends without being decided, whoever had voted on it by then."""


def _by(task: Task) -> str:
    who = ", ".join(person.name for person in task.decided_by if task.decided not in _BY_NOBODY)
    return f" by {who}" if who else ""


def _stands(task: Task) -> str:
    """Return where an approval stands, in the words that end a sentence."""
    if task.decided is not None:
        return f"it was {task.decided}{_by(task)}"
    said = (f"{(one.by or one.person).name} ({one.verdict})" for one in task.assignees if one.verdict)
    return f"so far: {', '.join(dict.fromkeys(said)) or 'no decision'}"


def refuse_amendment(actor: Actor, order: Order, *, begun: bool = False) -> Refusal | None:
    """Return why the actor may not change what was ordered, if so; `begun` says that it is being carried out."""
    if actor.person.id != order.requester.id:
        return Refusal(code=Refused.NOT_ALLOWED, message="Only who ordered it changes it.")
    if order.lines:
        message = "An order of several things is not changed as a whole; change its parts."
        return Refusal(code=Refused.NOT_ALLOWED, message=message)
    if begun:
        message = f"{order.number} can no longer be changed: it is being carried out."
        return Refusal(code=Refused.CLOSED, message=message)
    return None


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
    by = _by(task)
    if task.decided is not None and by:
        return Refusal(code=Refused.ALREADY_DECIDED, message=f"{task.title}: this was decided: {task.decided}{by}.")
    if task.decided is not None:
        return Refusal(
            code=Refused.CLOSED, message=f"{task.title}: this can no longer be decided; it was {task.decided}."
        )
    own = next((a for a in task.assignees if a.person.id == actor.person.id and a.verdict), None)
    if own and own.by:
        message = f"{task.title}: {own.by.name} has already decided on your behalf: {own.verdict}."
        return Refusal(code=Refused.ALREADY_DECIDED, message=message)
    if own:
        message = f"{task.title}: you have already decided: {own.verdict} by {actor.person.name}."
        return Refusal(code=Refused.ALREADY_DECIDED, message=message)
    if actor.person.id in task.late:
        message = f"{task.title}: others have decided this in your place; {_stands(task)}."
        return Refusal(code=Refused.ALREADY_DECIDED, message=message)
    return None


def refuse_decision(actor: Actor, order: Order, task: Task, choice: str, reason: str) -> Refusal | None:
    """Return why a decision does not count, as far as the register shows it, the gravest reason first."""
    return refuse_decider(actor, order, task) or refuse_late(actor, task) or refuse_choice(task, choice, reason)


def may_decide(actor: Actor, order: Order, task: Task) -> bool:
    """Return whether the actor can decide the task now."""
    return refuse_decider(actor, order, task) is None and refuse_late(actor, task) is None


# ---------------------------------------------------------------- what can be done now (feature row W1)


Act = Literal[
    "decide", "withdraw", "ask", "add", "consult", "reassign", "remind", "answer", "advise",
    "claim", "release", "complete", "decline", "amend", "cancel",
]  # fmt: skip
"""What people do about a request and its tasks."""

BEGUN = (Status.FULFILMENT, Status.ROLLBACK)
"""Where a request stands that has begun, or may have begun, to change something."""


def acts(actor: Actor, order: Order, task: Task, beside: Iterable[Task], at: datetime) -> tuple[Act, ...]:
    """Return what would be accepted of the actor about a task now; a reason that is needed is not asked for yet.

    Args:
        actor: who looks at it.
        order: of the request.
        task: one of its tasks.
        beside: all its tasks.
        at: now.
    """
    if task.decided is not None:
        return ()
    match task.kind:
        case "approval":
            asking = any(one.kind == "information" and one.stage == task.stage and not one.decided for one in beside)
            return _on_approval(actor, order, task, at, asking=asking)
        case "operator":
            return ("decide",) if may_decide(actor, order, task) else ()
        case "fulfilment":
            return tuple(work for work in _WORK if not refuse_work(actor, task, work, reason="given"))
        case _:
            act: Act = "advise" if task.kind == "advice" else "answer"
            return () if refuse_considering(actor, order, task, act, "given") else (act,)


_WORK: tuple[Act, ...] = ("claim", "release", "complete", "decline")


def _on_approval(actor: Actor, order: Order, task: Task, at: datetime, *, asking: bool) -> tuple[Act, ...]:
    """Return what can be done about an open approval; `asking`: it waits for an answer to a question."""
    found: list[Act] = []
    mine = next((one for one in task.assignees if one.person.id == actor.person.id), None)
    if mine and mine.verdict is None:
        now = task.acts_in is None or calendar.is_open(task.acts_in, at)
        found += ["decide"] if now else []
        found += [] if asking else ["ask"]
        found += ["consult", "add"]
    if _may_hand_on(actor, order, task, mine):
        found.append("reassign")
    if mine and mine.voted:
        found.append("withdraw")
    waited = task.nudged_at is None or at - task.nudged_at >= NUDGED_AGAIN_AFTER
    if waited and not asking and (is_own(actor, order) or actor.operator):
        found.append("remind")
    return tuple(found)


def _may_hand_on(actor: Actor, order: Order, task: Task, mine: Assignee | None) -> bool:
    """Return whether an approval that is open is the actor's to hand on; `mine` is what they are asked."""
    if mine and mine.verdict is None and (mine.own or mine.escalated):
        return True
    left = any(one.verdict is None for one in task.assignees)
    return left and actor.operator and not is_own(actor, order)


def acts_on_request(actor: Actor, order: Order, now: Projection) -> tuple[Act, ...]:
    """Return what would be accepted of the actor about an open request as a whole."""
    found: list[Act] = []
    stages = {stage.id for stage in order.stages}
    asked = any(task.kind == "approval" and task.decided is None and task.stage in stages for task in now.tasks)
    if asked and not refuse_amendment(actor, order, begun=now.status in BEGUN):
        found.append("amend")
    over = now.status in (Status.ROLLBACK, Status.CLOSED)
    if not over and not refuse_cancel(actor, order, reason="given", begun=now.status in BEGUN):
        found.append("cancel")
    return tuple(found)
