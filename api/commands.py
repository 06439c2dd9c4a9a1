"""Commands: decide, consider, amend, work, report, cancel and comment, from the wish to the journal entry it caused.

Asked in this order: was this very command carried out before, may the sender send it, is it too late (all from the
register, so that it needs no worker); only then the workflow, whose validator asks again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from starlette.concurrency import run_in_threadpool

from activities.errors import NotFound
from activities.sources import Sources
from api import gateway as engine
from api import problems
from api.auth import Clock
from api.gateway import Gateway
from api.schemas.requests import AmendmentIn, CancelIn, CommentIn, EventIn
from api.schemas.tasks import ChoiceIn, DecisionOfIn
from catalog import names, rights
from catalog.ballot import Verdict
from catalog.errors import Refused
from catalog.form import FieldError
from catalog.journal import Entry, Kind
from catalog.model import digest
from catalog.people import Actor, PersonRef
from catalog.request import Amendment, Outcome, Status, Task
from catalog.rights import Refusal
from records.register import Register, RequestView, TaskView, UnknownSecret, UnknownUpload
from records.register import RegisterUnavailable as RegisterDown
from workflows.messages import (
    AMEND,
    CANCEL,
    COMMENT,
    CONSIDER,
    DECIDE,
    REPORT,
    WORK,
    Amend,
    Cancel,
    Command,
    Comment,
    Consider,
    Decide,
    Report,
    Work,
)

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
    "no-longer-asked": problems.NoLongerAsked,
    "not-now": problems.NotNow,
    "nothing-due": problems.NotNow,
    "not-voted": problems.NotVoted,
    "already-asked": problems.AlreadyAsked,
    "question-open": problems.QuestionOpen,
    "no-question": problems.NoQuestion,
}

AT_ONCE = 10
"""How many decisions of one bulk are handed over at a time."""

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


class Later(NamedTuple):
    """A command for which something has to be looked up: not for a repeat, nor if it is refused anyway."""

    command: str
    make: Callable[[], Command]


class Reduction(NamedTuple):
    """What an approver makes of an order: the digest of what they said, and what that comes to."""

    said: str
    of: Callable[[TaskView], Amendment | None]


Considering = Literal["withdraw", "reassign", "add", "consult", "ask", "answer", "advise", "remind"]


class Commands:
    """Carries out commands."""

    def __init__(self, register: Register, gateway: Gateway, sources: Callable[[], Sources], clock: Clock) -> None:
        """Make it; `sources` gives what evidence is checked against, anew for each check."""
        self._register, self._gateway, self._sources, self._clock = register, gateway, sources, clock

    async def decide(
        self, actor: Actor, task_id: str, body: ChoiceIn, key: str | None, reduced: Reduction | None = None
    ) -> Entry:
        """Decide a task; raises the `Problem` that says why not.

        Whoever names a task that stands learns why it is not theirs to decide, and nothing else of it. `reduced` is
        what they make of the order by approving it.
        """
        view = await self._task(task_id)
        if reduced and body.choice != Verdict.APPROVE:
            error = FieldError(field="answers", code="value", message="Answers are changed only by approving.")
            raise problems.Invalid("Nothing is changed by deciding like that.", errors=[error])
        # With other answers it is another command, which comes too late: the first has decided it.
        target = f"{DECIDE} {task_id}" + (f" {reduced.said}" if reduced else "")
        message = Decide(
            actor=actor,
            command=command_id(actor, target, key),
            task=task_id,
            choice=body.choice,
            reason=body.reason,
            subject=body.subject,
        )
        refusal = rights.refuse_decision(actor, view.request.order, view.task, body.choice, body.reason)

        def made() -> Command:
            changes: dict[str, Any] = {"not_for": self._no_longer_for(actor, view, "decide")}
            if reduced is not None:
                changes["amendment"] = reduced.of(view)
            return message.model_copy(update=changes)

        says = {"choice": body.choice, "reason": body.reason}
        return await self._send(view.request, DECIDE, Later(message.command, made), refusal, says)

    async def decide_all(
        self, actor: Actor, decisions: Sequence[DecisionOfIn], key: str | None
    ) -> list[Entry | problems.Problem]:
        """Decide several tasks, each for itself; answers in their order with what came of each (feature row A17)."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(decision: DecisionOfIn) -> Entry | problems.Problem:
            async with turn:
                try:
                    await self._refuse_bulk(decision.task)
                    return await self.decide(actor, decision.task, decision, key)
                except problems.Problem as problem:
                    return problem
                except RegisterDown:
                    return problems.RegisterUnavailable("The register does not answer. Try again, with the same key.")

        return await asyncio.gather(*map(one, decisions))

    async def _refuse_bulk(self, task_id: str) -> None:
        view = await self._task(task_id)
        if not view.task.bulk:
            raise problems.DecideAlone(f"{task_id}: decide this by itself.")

    async def consider(
        self,
        actor: Actor,
        task_id: str,
        act: Considering,
        key: str | None,
        *,
        text: str = "",
        person: str | None = None,
        instead_of: str | None = None,
    ) -> Entry:
        """Do something about a decision short of deciding (rows A9, A10); raises the `Problem` that says why not.

        `text` is the question, the answer, or why; `person` the login of whom it goes to; `instead_of` the login of
        whose decision is handed on, if it is not the actor's own.
        """
        view = await self._task(task_id)
        act = "advise" if act == "answer" and view.task.kind == "advice" else act
        command = command_id(actor, f"{CONSIDER} {act} {task_id}", key)
        refusal = rights.refuse_considering(actor, view.request.order, view.task, act, text)

        def made() -> Command:
            over = self._no_longer_for(actor, view, act)
            whom = None if person is None else self._active("to" if act == "reassign" else "person", person)
            seat = _seat(actor, view.task, instead_of) if act == "reassign" else ""
            return Consider(
                actor=actor, command=command, task=task_id, act=act, text=text, person=whom, seat=seat, not_for=over
            )

        entry = await self._send(view.request, CONSIDER, Later(command, made), refusal, {"text": text or None})
        if person is not None and not _same(entry.data["person"]["login"], person):
            raise _conflict()
        if act == "reassign" and not await run_in_threadpool(self._was_of, actor, view, entry, instead_of):
            raise _conflict()
        return entry

    def _was_of(self, actor: Actor, view: TaskView, entry: Entry, login: str | None) -> bool:
        """Return whether it was the decision of this login that was handed on; the actor's own if None.

        They are asked no more and may have left, so they are looked for among whom the record names.
        """
        seat = entry.data["seat"]
        if login is None:
            return bool(seat == actor.person.id)
        if any(one.person.id == seat and _same(one.person.login, login) for one in view.task.assignees):
            return True  # always so the first time
        after = 0
        while page := self._register.journal(entry.request, after=after):
            if any(one["id"] == seat and _same(one["login"], login) for one in _named(page)):
                return True
            after = page[-1].seq
        return False

    def _no_longer_for(self, actor: Actor, view: TaskView, act: str) -> tuple[str, ...]:
        """Return in whose place the actor no longer is, by id: the workflow may not have caught up with that.

        It hears of every delegation that ends, but asks the directory before it acts on it.

        Raises:
            NoLongerAsked: they have nothing left to act for.
        """
        whose = rights.instead_of(actor, view.task, act)
        if not whose:
            return ()
        at = self._clock()
        known = self._register.touching([person.id for person in whose], at)
        over = rights.no_longer_for(actor, view.request.order, view.task, act, delegations=known, at=at)
        refusal = rights.refuse_deputy(actor, view.task, act, over)
        if refusal:
            raise problem_of(refusal.code, refusal.message)
        return tuple(person.id for person in over)

    def _active(self, field: str, login: str) -> PersonRef:
        """Return somebody who can be asked.

        Raises:
            Invalid: nobody signs in like that, or their account is not active.
            ConnectorError: the directory does not answer.
        """
        try:
            person = self._sources().person(login)
        except NotFound as error:
            raise _nobody(field, "The directory knows nobody of this login.") from error
        if not person.active:
            raise _nobody(field, f"The account of {person.name} is not active.")
        return person.ref()

    async def amend(
        self, actor: Actor, number: str, body: AmendmentIn, key: str | None, amended: Callable[[RequestView], Amendment]
    ) -> Entry:
        """Change what was ordered (feature row A22); raises the `Problem` that says why not.

        `amended` gives what the order becomes, and raises what is wrong with it.
        """
        view = await run_in_threadpool(visible_request, self._register, actor, number)
        command = command_id(actor, f"{AMEND} {number}", key)
        refusal = rights.refuse_amendment(actor, view.order, begun=view.projection.status in rights.BEGUN)
        said = digest(body.answers)

        def made() -> Command:
            return Amend(actor=actor, command=command, amendment=amended(view), reason=body.reason, said=said)

        return await self._send(view, AMEND, Later(command, made), refusal, {"reason": body.reason, "said": said})

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
        self, view: RequestView, update: str, message: Command | Later, refusal: Refusal | None, says: dict[str, Any]
    ) -> Entry:
        number = view.order.number
        entry = await run_in_threadpool(self._register.entry_of, number, message.command)
        if entry is None:
            closed = view.projection.status is Status.CLOSED
            if closed and (refusal is None or refusal.code is Refused.CLOSED):
                raise await run_in_threadpool(self._closed, view)
            if refusal:
                raise problem_of(refusal.code, refusal.message)
            made = await run_in_threadpool(message.make) if isinstance(message, Later) else message
            entry = await self._hand_over(number, update, made)
        if any(entry.data.get(name) != value for name, value in says.items()):
            raise _conflict()
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


def _conflict() -> problems.IdempotencyConflict:
    return problems.IdempotencyConflict("You have used this Idempotency-Key to say something else here.")


def _nobody(field: str, message: str) -> problems.Invalid:
    error = FieldError(field=field, code="not-found", message=message)
    return problems.Invalid("This cannot be put before them.", errors=[error])


def _same(login: str, other: str) -> bool:
    return login.casefold() == other.casefold()


def _named(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """Yield the people whom journal entries name, with id and login; some more than once."""
    for entry in entries:
        for value in entry.data.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and {"id", "login"} <= one.keys():
                    yield one


def _seat(actor: Actor, task: Task, login: str | None) -> str:
    """Return, by person id, whose decision is handed on.

    Raises:
        Invalid: they do not decide, or an operator has to say whose decision it is.
    """
    asked = {one.person.login.casefold(): one for one in task.assignees}
    if login is not None:
        found = asked.get(login.casefold())
        if found is None:
            raise _nobody("from", "Nobody of this login is asked to decide this.")
        return found.person.id
    mine = asked.get(actor.person.login.casefold())
    if actor.operator and not (mine and (mine.own or mine.escalated)):
        raise _nobody("from", "Say whose decision is handed on.")
    return actor.person.id


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
