"""Acting: what people do in a scenario, as commands to the requests that wait for it.

A command is sent as the API sends it, to the same workflow code, and may be refused by the same rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import NotFound
from activities.sources import Sources
from catalog import names, steps
from catalog.errors import Refused
from catalog.people import OPERATORS, Actor
from catalog.request import Task
from catalog.scenario import Cancels, Changes, Comments, Decides, Event, Operates, Refuses, Reports, Sees, Works
from catalog.steps import ApproveStep, WaitStep
from cli.kit.simulation import judging
from cli.kit.simulation.company import said
from cli.kit.simulation.pretending import handed_in
from cli.kit.simulation.world import Running, World
from workflows.messages import CANCEL, COMMENT, DECIDE, REPORT, WORK, Cancel, Command, Comment, Decide, Report, Work

ANSWER_TIMEOUT = 20
"""How long a command may take, in seconds of real time."""

_OPERATED = {"retry": "retry", "skip": "skip", "give-up": "cancel"}


class Impossible(Exception):
    """What a scenario lets somebody do cannot be done; the message says why."""


class Cast:
    """Plays the events of one scenario."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._commands = 0

    async def play(self, event: Event) -> list[str]:
        """Let an event happen; return what it shows that should be otherwise, as sentences.

        Raises:
            Impossible: it cannot happen now.
        """
        match event:
            case Sees():
                return judging.seen(event, self._world, self._of_part(event.part))
            case Changes():
                self._change(event)
            case Refuses():
                self._world.troubles.refusals[event.system] = event.times
            case Decides() | Operates() | Works() | Cancels() | Comments() | Reports():
                await self._command(event)
        return []

    def _change(self, event: Changes) -> None:
        try:
            self._world.staff.change(event)
        except NotFound as error:
            raise Impossible(f"{said(event)}: {error}") from error

    async def _command(self, event: Decides | Operates | Works | Cancels | Comments | Reports) -> None:
        """Send what somebody does, and see that it is taken or refused as the scenario says."""
        expected = getattr(event, "refused", None)
        running, update, message = self._message(event, late=expected is not None)
        who = getattr(event, "by", "a system")
        try:
            sent = running.handle.execute_update(update, message, id=message.command)
            await asyncio.wait_for(sent, ANSWER_TIMEOUT)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            code = (cause.type if isinstance(cause, ApplicationError) else None) or "?"
            why = cause.message if isinstance(cause, ApplicationError) else str(error)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            code, why = Refused.CLOSED, f"{running.number} has ended."
        except TimeoutError as error:
            raise Impossible(f"{who} gets no answer to {event.do!r}") from error
        else:
            if expected:
                raise Impossible(f"{who} was to be refused ({expected}), but could {event.do}")
            return
        if code != expected:
            raise Impossible(f"{who} cannot {event.do}: {why} ({code})")

    def _message(
        self, event: Decides | Operates | Works | Cancels | Comments | Reports, *, late: bool
    ) -> tuple[Running, str, Command]:
        """Return to which request goes what; `late` is true if it may be something that has ended."""
        command = self._next_command()
        if isinstance(event, Reports):
            system = Actor(person=OPERATORS, operator=True)
            report = Report(event=event.event, data=event.data, actor=system, command=command)
            return self._awaiting(event), REPORT, report
        actor = self._world.staff.actor(event.by)
        match event:
            case Cancels():
                return self._of_part(event.part)[0], CANCEL, Cancel(actor=actor, reason=event.reason, command=command)
            case Comments():
                return self._of_part(event.part)[0], COMMENT, Comment(actor=actor, text=event.text, command=command)
            case Decides():
                running, task = self._task(event, "approval", self._at_stage(event.stage), late=late)
                decide = Decide(task=task.id, choice=event.do, reason=event.reason, actor=actor, command=command)
                return running, DECIDE, decide
            case Operates():
                running, task = self._task(event, "operator", lambda _: True, late=late)
                choice = _OPERATED[event.do]
                decide = Decide(task=task.id, choice=choice, reason=event.reason, actor=actor, command=command)
                return running, DECIDE, decide
            case Works():
                part = event.task or ""
                running, task = self._task(
                    event, "fulfilment", lambda task: part.casefold() in task.title.casefold(), late=late
                )
                return running, WORK, self._work(event, running, task, actor, command)

    def _work(self, event: Works, running: Running, task: Task, actor: Actor, command: str) -> Work:
        """Return the command, with the evidence checked as the API checks it."""
        world, order = self._world, running.order
        answers = {}
        if event.do == "complete":
            sources = Sources(world.staff.directory, world.choosing.choices, world.register)
            checked = sources.check(
                task.evidence,
                handed_in(event.answers, actor.person, world.register, task.opened_at),
                names.of_evidence(order, task, task.opened_at),
                (),
                requester_id=actor.person.id,
                beneficiary_id=order.beneficiary.id,
            )
            if checked.errors:
                wrong = "; ".join(error.message for error in checked.errors)
                raise Impossible(f"{event.by} cannot complete {task.title!r}: {wrong}")
            answers = checked.answers
        return Work(task=task.id, act=event.do, answers=answers, reason=event.reason, actor=actor, command=command)

    def _task(
        self, event: Decides | Operates | Works, kind: str, fits: Callable[[Task], bool], *, late: bool
    ) -> tuple[Running, Task]:
        """Return the task that somebody's deed is about: open, and theirs if one of them is."""
        those = [
            (running, task)
            for running in self._of_part(event.part)
            for task in self._tasks(running)
            if task.kind == kind and fits(task) and (late or task.decided is None)
        ]
        if not those:
            waits = judging.what_it_waits_for(self._world)
            what = {"approval": "decide", "operator": "see to", "fulfilment": "work on"}[kind]
            if isinstance(event, Decides) and event.stage:
                what = f"{what} at {event.stage!r}, the stages are {', '.join(self._stages()) or 'none'}"
            raise Impossible(f"{event.by} cannot {event.do}: there is nothing to {what}; {waits}")
        return max(those, key=lambda pair: self._how_well(event.by, pair[1]))

    def _at_stage(self, named: str | None) -> Callable[[Task], bool]:
        """Return what tells the approvals that are meant: at the stage of that id, else with it in their title."""
        if named is None or named in self._stages():
            return lambda task: named in (None, task.stage)
        return lambda task: named.casefold() in task.title.casefold()

    def _stages(self) -> list[str]:
        """Return the ids of all stages there are so far."""
        items = [running.order.item for running in self._world.requests]
        own = [stage.id for item in items for stage in item.approvals]
        later = [step.stage.id for item in items for _, step in steps.walk(item.steps) if isinstance(step, ApproveStep)]
        return list(dict.fromkeys((*own, *later)))

    def _how_well(self, login: str, task: Task) -> tuple[bool, bool]:
        """Rank a task: first those still open, then those that somebody was asked to do and has not done."""
        waiting = any(one.person.login == login and one.verdict is None for one in task.assignees)
        return task.decided is None, waiting

    def _tasks(self, running: Running) -> Iterator[Task]:
        projection = self._world.shown(running)
        yield from projection.tasks if projection else ()

    def _of_part(self, part: str | None) -> list[Running]:
        """Return the requests that a part's name stands for; without one, all of them."""
        if part is None:
            return self._world.requests
        those = [running for running in self._world.requests if part in _parts(running)]
        if not those:
            known = ", ".join(sorted({name for running in self._world.requests for name in _parts(running)}))
            raise Impossible(f"there is no part {part!r} so far; there are: {known or 'none'}")
        return those

    def _awaiting(self, event: Reports) -> Running:
        """Return the request that knows the event."""
        those = self._of_part(event.part)
        return next((running for running in those if event.event in _events(running)), those[0])

    def _next_command(self) -> str:
        self._commands += 1
        return f"simulation-{self._commands}"


def _parts(running: Running) -> set[str]:
    """Return the names a request has within the order it is part of."""
    line = running.order.line
    return {line, line.rpartition(".")[0], running.order.beneficiary.login} - {""} if line else set()


def _events(running: Running) -> set[str]:
    walked = (step for _, step in steps.walk(running.order.item.steps))
    return {step.event for step in walked if isinstance(step, WaitStep) and step.event}
