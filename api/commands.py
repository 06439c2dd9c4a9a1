"""Commands: decide, work, report, cancel and comment, from the wish to the journal entry it caused.

Asked in this order: was this very command carried out before, may the sender send it, is it too late (all from the
register, so that it needs no worker); only then the workflow, whose validator asks again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool

from activities.sources import Sources
from api import gateway as engine
from api import problems
from api.auth import Clock
from api.gateway import Gateway
from api.schemas import CancelIn, CommentIn, DecisionIn, EventIn
from catalog import names, rights
from catalog.errors import Refused
from catalog.form import FieldError
from catalog.journal import Entry, Kind
from catalog.model import digest
from catalog.people import Actor
from catalog.request import Outcome, Status
from catalog.rights import Refusal
from records.register import Register, RequestView, TaskView, UnknownSecret, UnknownUpload
from workflows.messages import CANCEL, COMMENT, DECIDE, REPORT, WORK, Cancel, Command, Comment, Decide, Report, Work

_OF_CODE: dict[str, type[problems.Problem]] = {
    "self-approval": problems.SelfApproval,
    "not-approver": problems.NotApprover,
    "not-allowed": problems.NotAllowed,
    "unknown-task": problems.UnknownTask,
    "unknown-stage": problems.UnknownTask,
    "unknown-choice": problems.UnknownChoice,
    "reason-needed": problems.ReasonNeeded,
    "already-decided": problems.AlreadyDecided,
    "stage-closed": problems.StageClosed,
    "stage-not-open": problems.StageNotOpen,
    "subject-changed": problems.SubjectChanged,
    "closed": problems.Closed,
    "too-many": problems.TooMany,
}

BEHIND = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between tries while a workflow is behind the register."""

_log = logging.getLogger(__name__)

LAST_ENTRIES = 50
"""How far from its end a closed request's journal is read for who closed it; little is noted after that."""


def problem_of(code: str, message: str) -> problems.Problem:
    """Return the problem for a refusal; a code that is not known here is an error of the platform."""
    return _OF_CODE[code](message)


def command_id(actor: Actor, target: str, key: str | None) -> str:
    """Return the id of a command: the same for the same person, target and key; a new one without a key."""
    if key is None:
        return f"cmd-{uuid.uuid4().hex}"
    parts = json.dumps([actor.person.id, target, key])
    return f"cmd-{hashlib.sha256(parts.encode()).hexdigest()[:40]}"


class Commands:
    """Carries out commands."""

    def __init__(self, register: Register, gateway: Gateway, sources: Callable[[], Sources], clock: Clock) -> None:
        """Make it; `sources` gives what evidence is checked against, anew for each check."""
        self._register, self._gateway, self._sources, self._clock = register, gateway, sources, clock

    async def decide(self, actor: Actor, task_id: str, body: DecisionIn, key: str | None) -> Entry:
        """Decide a task; raises the `Problem` that says why not.

        Whoever names a task that stands learns why it is not theirs to decide, and nothing else of it.
        """
        view = await self._task(task_id)
        message = Decide(
            actor=actor,
            command=command_id(actor, f"{DECIDE} {task_id}", key),
            task=task_id,
            choice=body.choice,
            reason=body.reason,
            subject=body.subject,
        )
        refusal = (
            rights.refuse_decider(actor, view.request.order, view.task)
            or rights.refuse_late(actor, view.task)
            or rights.refuse_choice(view.task, body.choice, body.reason)
        )
        return await self._send(view.request, DECIDE, message, refusal, {"choice": body.choice, "reason": body.reason})

    async def work(
        self, actor: Actor, task_id: str, act: Literal["claim", "release", "decline"], reason: str, key: str | None
    ) -> Entry:
        """Claim, release or decline a piece of work; raises the `Problem` that says why not."""
        view = await self._task(task_id)
        command = command_id(actor, f"{WORK} {act} {task_id}", key)
        message = Work(actor=actor, command=command, task=task_id, act=act, reason=reason)
        refusal = rights.refuse_work(actor, view.task, act, reason)
        return await self._send(view.request, WORK, message, refusal, {"reason": reason} if act == "decline" else {})

    async def complete(self, actor: Actor, task_id: str, answers: dict[str, Any], key: str | None) -> Entry:
        """Complete a piece of work with its evidence; raises the `Problem` that says why not."""
        view = await self._task(task_id)
        # Other answers with the same key are another command, which comes too late: the first has completed it.
        command = command_id(actor, f"{WORK} complete {task_id} {digest(answers)}", key)
        refusal = rights.refuse_work(actor, view.task, "complete", "")
        stored = {} if refusal else await run_in_threadpool(self._evidence, actor, view, answers)
        message = Work(actor=actor, command=command, task=task_id, act="complete", answers=stored)
        return await self._send(view.request, WORK, message, refusal, {})

    def _evidence(self, actor: Actor, view: TaskView, answers: dict[str, Any]) -> dict[str, Any]:
        """Return the evidence in its stored form; its files and secrets are the request's from here on.

        Raises:
            Invalid: with every field that is wrong.
            ConnectorError: something has to be looked up, and its source does not answer.
        """
        order = view.request.order
        found = self._sources().check(
            view.task.evidence,
            answers,
            names.of_evidence(order, view.task, self._clock()),
            (),
            requester_id=actor.person.id,
            beneficiary_id=order.beneficiary.id,
        )
        errors = found.errors
        if not errors:
            try:
                self._register.add_evidence(order.number, actor.person.id, found.uploads, found.secrets)
            except (UnknownUpload, UnknownSecret) as error:
                errors = (FieldError(field="answers", code="not-found", message=str(error)),)
        if errors:
            raise problems.Invalid("The work is not completed; correct what is wrong.", errors=errors)
        return found.answers

    async def report(self, actor: Actor, number: str, event: str, body: EventIn, key: str | None) -> Entry:
        """Report an event to a request; raises the `Problem` that says why not."""
        view = await run_in_threadpool(visible_request, self._register, actor, number)
        command = command_id(actor, f"{REPORT} {number} {event}", key)
        message = Report(actor=actor, command=command, event=event, data=body.data)
        refusal = rights.refuse_report(actor, view.order, event)
        return await self._send(view, REPORT, message, refusal, {"data": body.data})

    async def cancel(self, actor: Actor, number: str, body: CancelIn, key: str | None) -> Entry:
        """Call a request off; raises the `Problem` that says why not."""
        view = await run_in_threadpool(visible_request, self._register, actor, number)
        message = Cancel(actor=actor, command=command_id(actor, f"{CANCEL} {number}", key), reason=body.reason)
        refusal = rights.refuse_cancel(actor, view.order, body.reason)
        return await self._send(view, CANCEL, message, refusal, {"reason": body.reason})

    async def comment(self, actor: Actor, number: str, body: CommentIn, key: str | None) -> Entry:
        """Put a comment on record; raises the `Problem` that says why not."""
        view = await run_in_threadpool(visible_request, self._register, actor, number)
        message = Comment(actor=actor, command=command_id(actor, f"{COMMENT} {number}", key), text=body.text)
        return await self._send(view, COMMENT, message, None, {"text": body.text})

    async def _task(self, task_id: str) -> TaskView:
        view = await run_in_threadpool(self._register.task, task_id)
        if view is None:
            raise problems.UnknownTask("There is no such task.")
        return view

    async def _send(
        self, view: RequestView, update: str, message: Command, refusal: Refusal | None, says: dict[str, Any]
    ) -> Entry:
        number = view.order.number
        entry = await run_in_threadpool(self._register.entry_of, number, message.command)
        if entry is None:
            closed = view.projection.status is Status.CLOSED
            if closed and (refusal is None or refusal.code is Refused.CLOSED):
                raise await run_in_threadpool(self._closed, view)
            if refusal:
                raise problem_of(refusal.code, refusal.message)
            entry = await self._hand_over(number, update, message)
        if any(entry.data.get(name) != value for name, value in says.items()):
            raise problems.IdempotencyConflict("You have used this Idempotency-Key to say something else here.")
        return entry

    async def _hand_over(self, number: str, update: str, message: Command) -> Entry:
        try:
            return await self._told_until_it_knows(number, update, message)
        except engine.Refused as refused:
            raise problem_of(refused.code, refused.message) from refused
        except engine.Exhausted as error:
            raise problems.TooMany(f"{number} takes no more commands; the operators have to see to it.") from error
        except engine.NotRunning as error:
            # It may have ended with this very command in it, handed over by an earlier try.
            entry = await run_in_threadpool(self._register.entry_of, number, message.command)
            if entry is None:
                raise await run_in_threadpool(self._not_running, number) from error
            return entry
        except engine.NoWorker as error:
            raise problems.NoWorker(
                "Nobody confirmed this in time. It may still be carried out; repeat it with the same Idempotency-Key."
            ) from error
        except engine.EngineUnavailable as error:
            raise problems.EngineUnavailable("The workflow engine does not answer; try again.") from error

    async def _told_until_it_knows(self, number: str, update: str, message: Command) -> Entry:
        """Hand a command over; a workflow that is behind the register is told again.

        The register can show a step that the engine did not keep and does once more: then the workflow knows nothing
        yet of a task, or of the part that somebody has in it, that the register has just let pass.

        Raises:
            NoWorker: it did not catch up in time.
        """
        for pause in BEHIND:
            try:
                return await self._gateway.command(number, update, message)
            except engine.Refused as refused:
                if refused.code != "unknown-task" and (update, refused.code) != (COMMENT, "not-allowed"):
                    raise
            await asyncio.sleep(pause)
        raise engine.NoWorker("the workflow is behind the register")

    def _not_running(self, number: str) -> problems.Problem:
        """Return why there is no workflow to ask: it has not begun, or it has ended meanwhile."""
        view = self._register.request(number)
        if view is None or view.projection.status is Status.ACCEPTED:
            return problems.EngineUnavailable("The workflow engine has not begun this request yet; try again.")
        if view.projection.status is Status.CLOSED:
            return self._closed(view)
        # A workflow ends only after its end was written: this one was terminated, or the engine lost it.
        _log.error("%s is open, but the workflow engine runs nothing for it", number)
        return problems.WorkflowGone(f"The workflow of {number} is gone; the operators have to see to it.")

    def _closed(self, view: RequestView) -> problems.Problem:
        """Return the problem that says how the request ended, and by whom."""
        state = view.projection
        entries = self._register.journal(view.order.number, after=state.seq - LAST_ENTRIES, limit=LAST_ENTRIES)
        closers = [entry.actor.name for entry in entries if entry.kind is Kind.CLOSED and entry.actor]
        if state.outcome is Outcome.FULFILLED:
            closers = [person.name for task in state.tasks for person in task.decided_by]
        by = f", decided by {', '.join(dict.fromkeys(closers))}" if closers else ""
        return problems.Closed(f"{view.order.number} is closed: {state.outcome}{by}. {state.reason}".strip())


def visible_request(register: Register, actor: Actor, number: str) -> RequestView:
    """Return the request.

    Raises:
        NotFound: there is none, or the actor may not see it; which of the two is not said.
    """
    view = register.request(number)
    if view is None or not _may_see(register, actor, view):
        raise problems.NotFound("There is no such request, or you may not see it.")
    return view


def visible_task(register: Register, actor: Actor, task_id: str) -> TaskView:
    """Return the task and its request.

    Raises:
        NotFound: there is none, or the actor may not see it; which of the two is not said.
    """
    view = register.task(task_id)
    if view is None or not _may_see(register, actor, view.request) or not rights.may_see_task(actor, view.task):
        raise problems.NotFound("There is no such task, or you may not see it.")
    return view


def _may_see(register: Register, actor: Actor, view: RequestView) -> bool:
    if rights.may_see(actor, view.order, asked=False):
        return True
    return rights.may_see(actor, view.order, asked=register.is_party(view.order.number, actor.person.id))
