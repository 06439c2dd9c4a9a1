"""The interpreter of steps: one durable runbook for all items that need no Python (feature row K1).

Every step is worked out with the answers and the results so far, carried out by the frame's own parts (targets, work,
approvals, children), and registered with the saga before it begins, so that a request that ends badly takes back what
it did. An expression that fails is the item's fault: an operator decides how to go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar, assert_never

from temporalio import workflow

from workflows.approvals import ApprovalDesk
from workflows.approving import ITEM_AT_FAULT
from workflows.ending import Ended
from workflows.operators import OperatorSaid
from workflows.request import RequestFrame
from workflows.saga import Saga, together
from workflows.targets import UNDONE, USUAL, Call, Tries, on_directory, on_system
from workflows.tasks import Job

with workflow.unsafe.imports_passed_through():
    from activities.approvers import PeopleQuery
    from activities.identity import Identity
    from activities.ordering import ChildOrder
    from catalog import form, message, names, plan, wording
    from catalog.access import Membership, Observed
    from catalog.data import fill, fill_text, fill_title, fill_url, holds
    from catalog.expression import ExpressionError
    from catalog.journal import Kind
    from catalog.model import canonical
    from catalog.people import PersonRef
    from catalog.registry import ActionUse
    from catalog.request import Outcome, Status, Waiting, WaitKind
    from catalog.stages import ByPerson
    from catalog.steps import (
        MAX_LOOPED,
        ApproveStep,
        CallStep,
        CallWork,
        Effect,
        ForEachStep,
        GrantStep,
        GrantWork,
        HttpStep,
        HttpWork,
        NotifyStep,
        NotifyWork,
        ParallelStep,
        RequestStep,
        RevokeStep,
        RevokeWork,
        Step,
        TaskStep,
        TaskWork,
        WaitStep,
        Work,
    )
    from catalog.text import readable

T = TypeVar("T")
_FAULTS = (ExpressionError, ValueError, TypeError, ArithmeticError)
"""What working something out can end in: an author's mistake, or values that nobody has thought of."""
MOST_BYTES = 256 * 1024
"""What is handed to a system or a child at most: the engine carries 2 MB at a time."""
MOST_EVIDENCE = 16 * 1024
"""What the evidence of a task may name besides the order, in bytes: it is kept with every open task."""
SKIPPED = {"skipped": True}
"""The result of a step that was left out."""


class Skip(Exception):
    """A step is left out because an operator said so."""


class Scope:
    """What the steps of one list see: the results so far, and the variables of the loops around them."""

    def __init__(self, around: Scope | None = None, variables: dict[str, Any] | None = None) -> None:
        self._around = around
        self.variables: dict[str, Any] = {**(around.variables if around else {}), **(variables or {})}
        self.own: dict[str, Any] = {}

    @property
    def results(self) -> dict[str, Any]:
        """The results that can be named here."""
        return {**(self._around.results if self._around else {}), **self.own}


Back = Callable[[dict[str, Any]], Call[Any]]
"""From the result of a call to the call that takes it back."""


class _Done(NamedTuple):
    """What a step has done, or begun to do.

    Attributes:
        key: under which the targets know it; None for work of people.
        back: how it is taken back where that follows from what it is.
    """

    what: str
    key: str | None = None
    back: Back | None = None


class Runner:
    """Carries out the steps of one request."""

    def __init__(self, frame: RequestFrame, saga: Saga) -> None:
        self._frame = frame
        self._saga = saga
        self._order = frame.order
        self._effects = 0
        self._looped = 0
        self._left: list[tuple[str, str]] = []
        saga.undo(self._settle)  # the first in is the last out

    async def run(self, steps: tuple[Step, ...], scope: Scope) -> None:
        """Carry out the steps, one after the other.

        Raises:
            Ended: the request is over.
        """
        for step in steps:
            try:
                if await self._worked_out(step, scope, partial(holds, step.when)):
                    result = await self._carry_out(step, scope)
                    scope.own[step.id] = {"skipped": False, **result} if isinstance(result, dict) else result
                    continue
                because = "this order does not need it"
            except Skip as skip:
                because = str(skip)
            scope.own[step.id] = SKIPPED
            facts = {"step": step.id, "name": step.name or step.id, "because": because}
            self._frame.record.note(Kind.STEP_SKIPPED, facts, rule="step.when")

    async def _carry_out(self, step: Step, scope: Scope) -> Any:
        match step:
            case TaskStep() | GrantStep() | RevokeStep() | CallStep() | HttpStep():
                return await self._effect(step, scope)
            case NotifyStep():
                return await self._notify(step, scope)
            case WaitStep():
                return await self._wait(step, scope)
            case ApproveStep():
                return await self._approve(step, scope)
            case RequestStep():
                return await self._request(step, scope)
            case ParallelStep():
                await together([self._branch(branch, scope) for branch in step.branches.values()])
                return {}
            case ForEachStep():
                return await self._for_each(step, scope)
            case _:
                assert_never(step)

    async def _branch(self, steps: tuple[Step, ...], scope: Scope) -> None:
        """Carry out steps beside others, which may go on waiting for long after these are through."""
        await self.run(steps, scope)
        await self._frame.record.flush()

    # ---------------------------------------------------------------- expressions

    def _known(self, scope: Scope, extra: dict[str, Any] | None = None) -> dict[str, Any]:
        known = names.of_order(self._order, workflow.now(), scope.results)
        return {**known, **scope.variables, **(extra or {})}

    async def _worked_out(self, step: Step, scope: Scope, work: Callable[[dict[str, Any]], T]) -> T:
        """Return what the step's expressions give; see `_found_out`."""

        async def at_once(known: dict[str, Any]) -> T:
            return work(known)

        return await self._found_out(step, scope, at_once)

    async def _found_out(self, step: Step, scope: Scope, work: Callable[[dict[str, Any]], Awaitable[T]]) -> T:
        """Return what the step's expressions give, looked up where it has to be.

        Raises:
            Skip: it cannot be worked out, and an operator leaves the step out.
            Ended: they called the request off.
        """
        while True:
            try:
                return await work(self._known(scope))
            # Whatever comes of values that nobody has thought of is the item's fault, and stops no workflow task.
            except _FAULTS as error:
                what = f"Work out the step {step.name or step.id}"
                problem = ITEM_AT_FAULT.format(error=error)
                said = await self._frame.operators.ask(what, problem, ("retry", "skip", "cancel"))
                if said.choice == "skip":
                    raise Skip(f"{said.by.person.name}: {said.reason}") from error

    # ---------------------------------------------------------------- effects

    async def _effect(self, step: Effect, scope: Scope) -> Any:
        """Do what a step says, with its undo registered before."""
        result: dict[str, Any] = {}
        if isinstance(step, TaskStep):
            job = await self._worked_out(step, scope, lambda known: _job(step, known, wording.called(step)))
            done = await self._frame.works.done(job._replace(within=step.timeout, then=self._then(step)))
            if isinstance(done, OperatorSaid):
                return SKIPPED
            result.update(form.values(step.evidence, done.answers), by=done.by.model_dump(mode="json"))
            self._register_undo(step, scope, _Done(job.title), result)
            return result
        self._effects += 1
        key = f"{step.id}#{self._effects}"
        call, back = await self._calls(step, scope, key)
        call = replace(call, key=key, then=self._then(step))
        self._register_undo(step, scope, _Done(call.what, call.key, back), result)
        answer = await self._frame.targets.effect(call)
        if isinstance(answer, OperatorSaid):
            return SKIPPED
        result.update(answer.model_dump(mode="json") if isinstance(answer, Observed) else answer)
        return result

    def _register_undo(self, step: Effect | RequestStep, scope: Scope, done: _Done, result: dict[str, Any]) -> None:
        """Register how to take a step back; what cannot be taken back is put before an operator."""
        undo, targets = step.undo, self._frame.targets

        async def take_back() -> None:
            if done.key is not None and not targets.may_be_ours(done.key):
                return
            if undo is not None:
                await self._undo(undo, step, self._known(scope, {"result": result}), done)
            elif done.back is not None and done.key is not None:
                await targets.undo(done.back(result), of=done.key)
            elif not self._harmless(step):
                await self._leave(done.what, step.irreversible)

        self._saga.undo(take_back)

    def _then(self, step: Step) -> str:
        """Say what comes after a step."""
        return wording.following(self._order.item.steps, step)

    def _harmless(self, step: Effect | RequestStep) -> bool:
        """Return whether a step changed nothing."""
        if isinstance(step, HttpWork):
            return step.method == "GET"
        return isinstance(step, CallWork) and not self._use(step.action).changes

    async def _leave(self, what: str, why: str) -> None:
        """Note what the platform cannot take back; an operator is asked when everything else is undone."""
        self._frame.record.note(Kind.RESIDUE, {"effect": what, "because": why}, status=Status.ROLLBACK)
        self._left.append((what, why))

    async def _settle(self) -> None:
        """Have operators see to what was left behind."""
        for what, why in self._left:
            problem = f"This cannot be taken back by itself: {what}. {why}".strip()
            remedy = "See to it, then skip this with a word on what you did."
            title = f"Left behind: {what}"
            then = "They take it back by hand, and say what they did."
            await self._frame.operators.ask(title, f"{problem} {remedy}", ("skip",), then=then, cancellable=False)

    async def _undo(self, undo: Work, step: Effect | RequestStep, known: dict[str, Any], done: _Done) -> None:
        """Take a step back by the work that it names itself."""
        frame, title = self._frame, f"Take back: {wording.called(step)}"
        try:
            if isinstance(undo, TaskWork):
                job = _job(undo, known, title)._replace(then=UNDONE)
                await frame.works.done(job, cancellable=False)
            elif isinstance(undo, NotifyWork):
                self._tell(undo, known, title)
            else:
                person = await self._person(undo, known, cancellable=False)
                call, _ = self._calls_of(undo, known, person, (f"{done.key or step.id}/undo", ""))
                await frame.targets.undo(call, of=done.key)
        except _FAULTS as error:
            await self._leave(done.what, ITEM_AT_FAULT.format(error=error))

    async def _calls(
        self, step: GrantStep | RevokeStep | CallStep | HttpStep, scope: Scope, key: str
    ) -> tuple[Call[Any], Back | None]:
        """Return the call a step stands for, and the one that takes it back where that follows from what it is."""

        async def calls(known: dict[str, Any]) -> tuple[Call[Any], Back | None]:
            person = await self._person(step, known)
            return self._calls_of(step, known, person, (key, step.name), Tries(step.timeout, step.retry))

        return await self._found_out(step, scope, calls)

    def _calls_of(
        self,
        work: Work,
        known: dict[str, Any],
        person: PersonRef | None,
        titled: tuple[str, str],
        tries: Tries = USUAL,
    ) -> tuple[Call[Any], Back | None]:
        """Return the call that some work stands for, and its opposite; `titled` is its key and name."""
        key, name = titled
        match work:
            case GrantWork() | RevokeWork():
                assert person is not None
                group = plan.word(fill(work.group, known))
                membership = Membership(person_id=person.id, group=group)
                add = on_directory(Identity.ensure_member, membership, f"Add {person.name} to {group}", tries)
                remove = on_directory(Identity.ensure_absent, membership, f"Take {person.name} out of {group}", tries)
                there, back = (add, remove) if isinstance(work, GrantWork) else (remove, add)
                return there, lambda _: back
            case CallWork():
                given = _bounded(fill(work.input, known, names.secrets_of(self._order)))
                return self._action_calls(work, given, name, tries)
            case HttpWork():
                sent = {
                    "method": work.method,
                    "url": fill_url(work.url, known),
                    "headers": fill(work.headers, known),
                    "body": _bounded(fill(work.body, known)),
                    "credential": work.credential,
                    "expect": list(work.expect),
                    # Without one, the sender does not repeat what may have been done.
                    "idempotency_key": f"{self._order.number}/{key}" if work.repeatable else "",
                }
                what = name or f"{work.method} {sent['url']}"
                return on_system("http.send", sent, what, tries, idempotent=work.repeatable), None
            case TaskWork() | NotifyWork():
                raise TypeError("work for people is no call")
            case _:
                assert_never(work)

    def _action_calls(
        self, work: CallWork, given: dict[str, Any], name: str, tries: Tries
    ) -> tuple[Call[Any], Back | None]:
        use = self._use(work.action)
        what = name or f"{work.action}: {_short(given)}"
        undo = use.undo

        def back(result: dict[str, Any]) -> Call[Any]:
            assert undo is not None
            takes = self._use(undo)
            taken = takes.taken_from(given, result)
            return on_system(undo, taken, f"Take back: {what}", tries, idempotent=takes.idempotent)

        there = on_system(work.action, given, what, tries, idempotent=use.idempotent)
        return there, back if undo else None

    def _use(self, action: str) -> ActionUse:
        # One that was not registered when the order was placed is treated with the greatest care.
        return self._order.actions.get(action, ActionUse(idempotent=False))

    async def _person(self, work: Work, known: dict[str, Any], *, cancellable: bool = True) -> PersonRef | None:
        """Return the person that a grant or a revocation is about."""
        if not isinstance(work, (GrantWork, RevokeWork)):
            return None
        found = plan.logins(fill(work.to, known))
        if len(found) != 1:
            raise ExpressionError("a group is given to one person at a time; use for_each for several")
        for party in (self._order.beneficiary, self._order.requester):
            if party.login == found[0]:
                return party
        query = PeopleQuery.of(self._order, (ByPerson(rule="person", person=found[0]),))
        call = on_directory(Identity.people, query, f"Look up {found[0]} in the directory")
        people = (await self._frame.targets.look_up(call, cancellable=cancellable)).people
        if not people:
            raise ExpressionError(f"the directory knows nobody active whose login is {found[0]!r}")
        return people[0]

    # ---------------------------------------------------------------- everything else

    async def _notify(self, step: NotifyStep, scope: Scope) -> Any:
        await self._worked_out(step, scope, lambda known: self._tell(step, known, wording.called(step)))
        return {}

    def _tell(self, work: NotifyWork, known: dict[str, Any], called: str) -> None:
        people = message.recipients(self._order, work.to, known)
        text = {"subject": fill_title(work.subject, known, called), "text": fill_text(work.text, known)}
        facts = {"to": [person.name for person in people], "subject": text["subject"]}
        self._frame.record.note(Kind.STEP_DONE, facts)
        for person in people:
            self._frame.record.owe("message", person, {**self._order.headline(), **text})

    async def _wait(self, step: WaitStep, scope: Scope) -> Any:
        event = step.event
        until = await self._worked_out(step, scope, lambda known: _until(step, known, workflow.now()))
        name = step.name or (f"{event} is reported" if event else "Time has to go by")
        waiting = Waiting(
            kind=WaitKind.EVENT if event else WaitKind.TIME,
            # The journal of a request that began under an earlier release goes on with the name.
            what=readable(event) if event and not step.name else name,
            since=workflow.now(),
            until=until,
            rule=f"step.{step.id}",
            at_deadline=_AT_DEADLINE[step.at_deadline] if event else "It goes on by itself.",
            then=self._then(step),
            event=event,
        )
        self._frame.record.note(
            Kind.WAIT_BEGUN, {"what": name, "until": until.isoformat() if until else None}, status=Status.FULFILMENT
        )
        patience, events = self._frame.patience, self._frame.events
        came = await patience.wait(waiting, lambda: event is not None and event in events)
        self._frame.record.note(Kind.WAIT_OVER, {"what": name, "came": came})
        if event is None:
            return {}
        if came:
            return {**events[event].data, "came": True}
        await self._no_event(step, name)
        return {"came": False}

    async def _no_event(self, step: WaitStep, name: str) -> None:
        if step.at_deadline == "cancel":
            raise Ended(Outcome.EXPIRED, f"In vain waited for: {name}", rule=f"step.{step.id}")
        if step.at_deadline == "operator":
            problem = f"Nothing was reported in time: {name}. Skip it to go on without, or cancel the request."
            await self._frame.operators.ask(name, problem, ("skip", "cancel"))

    async def _approve(self, step: ApproveStep, scope: Scope) -> Any:
        frame = self._frame
        known = self._known(scope)
        # People are asked whatever becomes of the name.
        name = fill_title(step.stage.name, known, wording.called(step))
        planned = plan.plan((step.stage.model_copy(update={"name": name}),), known)
        desk = ApprovalDesk(frame.record, planned, self._then(step))
        frame.desks.append(desk)
        desk.note_plan()
        await frame.approvals_of(desk).approved(None, {"results": scope.results, **scope.variables})
        state = desk.state.stage(step.stage.id)
        return {"by": [vote.voter.name for vote in state.votes] if state else []}

    async def _request(self, step: RequestStep, scope: Scope) -> Any:
        frame = self._frame
        while True:
            child = await self._worked_out(step, scope, lambda known: self._child(step, known))
            placed = await frame.children.place(child)
            if placed.order and not step.wait:
                self._saga.undo(partial(self._call_off, placed.order.number))
                return {"number": placed.order.number}
            problem = placed.refused
            if placed.order:
                closure = await frame.children.closes(placed.order, self._then(step))
                if closure.outcome is Outcome.FULFILLED:
                    result = {"number": closure.number, "outcome": closure.outcome, "reason": closure.reason}
                    self._register_undo(step, scope, _Done(f"{closure.number} is fulfilled"), result)
                    return result
                problem = f"{closure.number} ended as {closure.outcome}: {closure.reason}"
            said = await frame.operators.ask(f"Order {step.item}", problem, ("retry", "skip", "cancel"))
            if said.choice == "skip":
                return {**SKIPPED, "outcome": "skipped"}

    async def _call_off(self, number: str) -> None:
        """Call a child off that nobody waited for; what was fulfilled by then stands, and is put before an operator."""
        children = self._frame.children
        if number not in children.ended:
            await children.call_off(number)
        if children.ended[number].outcome in (Outcome.FULFILLED, Outcome.PARTIAL):
            await self._leave(f"{number} is {children.ended[number].outcome}", "It was ordered on its own.")

    def _child(self, step: RequestStep, known: dict[str, Any]) -> ChildOrder:
        whom = plan.logins(fill(step.beneficiary, known))
        if len(whom) != 1:
            raise ExpressionError("an item is ordered for one person at a time; use for_each for several")
        return ChildOrder(
            parent=self._order.number,
            line=f"{step.id}.{self._frame.children.placed + 1}",
            item=step.item,
            requester=self._order.requester,
            beneficiary=whom[0],
            answers=_bounded(fill(step.answers, known)),
            channel=self._order.channel,
            auth=self._order.auth,
        )

    def _entries(self, step: ForEachStep, known: dict[str, Any]) -> list[Any]:
        entries = plan.entries(fill(step.each, known))
        if self._looped + len(entries) > MAX_LOOPED:
            raise ExpressionError(f"the loops of a request go through {MAX_LOOPED} entries in all; these are more")
        return entries

    async def _for_each(self, step: ForEachStep, scope: Scope) -> Any:
        entries = await self._worked_out(step, scope, partial(self._entries, step))
        self._looped += len(entries)
        gate = asyncio.Semaphore(step.at_once)
        scopes = [Scope(scope, {step.variable: entry, "position": at + 1}) for at, entry in enumerate(entries)]

        async def one(inner: Scope) -> None:
            async with gate:
                await self._branch(step.steps, inner)

        await together([one(inner) for inner in scopes])
        return [inner.own for inner in scopes]


_AT_DEADLINE = {
    "operator": "An operator is asked how to go on.",
    "continue": "It goes on without.",
    "cancel": "The request expires.",
}


def _job(work: TaskWork, known: dict[str, Any], called: str) -> Job:
    return Job(
        title=fill_title(work.title, known, called),
        instructions=fill_text(work.instructions, known),
        rules=plan.concrete(work.assign, known),
        evidence=work.evidence,
        due=work.due,
        within=None,
        known=_bounded(names.for_evidence(work.evidence, known), MOST_EVIDENCE),
    )


def _until(step: WaitStep, known: dict[str, Any], now: datetime) -> datetime | None:
    """Return when a wait is over at the latest."""
    if step.until is None:
        length = step.duration or step.timeout
        return now + length if length else None
    value = fill(step.until, known)
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ExpressionError("a wait is until a day or a moment; this is neither") from None


def _bounded(value: Any, most: int = MOST_BYTES) -> Any:
    """Return what is handed on, if it is not too much."""
    if len(canonical({"value": value})) > most:
        raise ExpressionError(f"what is handed on comes to more than {most // 1024} KiB")
    return value


def _short(given: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in given.items() if isinstance(value, (str, int)))[:120]
