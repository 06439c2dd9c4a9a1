"""Acting: what people do in a scenario, as commands to the requests that wait for it.

A command is sent as the API sends it, to the same workflow code, and may be refused by the same rules. Which request
and task it is about, `finding` tells.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.errors import NotFound
from activities.sources import Sources
from catalog import delegation, names, rights
from catalog.errors import Refused
from catalog.people import OPERATORS, Actor, PersonRef
from catalog.request import Amendment, Task
from catalog.scenario_events import (
    Adds,
    Amends,
    Cancels,
    Changes,
    Comments,
    Considers,
    Consults,
    Decides,
    Delegates,
    EndsDelegation,
    Event,
    GoesDown,
    HandsOn,
    Operates,
    Refuses,
    Reports,
    Says,
    Sees,
    Works,
)
from catalog.sketch import at
from cli.kit.simulation import judging
from cli.kit.simulation.absence import Absences
from cli.kit.simulation.company import said
from cli.kit.simulation.finding import Finder, Impossible
from cli.kit.simulation.pretending import handed_in
from cli.kit.simulation.world import RefusedOrder, Running, World
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

__all__ = ["PAST_THE_MINUTE", "Cast", "Impossible"]

ANSWER_TIMEOUT = 20
"""How long a command may take, in seconds of real time."""

PAST_THE_MINUTE = timedelta(seconds=30)
"""How far into its minute somebody acts: what is due at that very minute has happened, if it was due by itself."""

_OPERATED = {"retry": "retry", "skip": "skip", "give-up": "cancel"}

Commanded = Decides | Considers | Amends | Operates | Works | Cancels | Comments | Reports


class Cast:
    """Plays the events of one scenario."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._finder = Finder(world)
        self._absences = Absences(world)
        self._commands = 0
        self._now = world.story.scenario.began.astimezone(UTC)

    async def play(self, event: Event) -> list[str]:
        """Let an event happen; return what it shows that should be otherwise, as sentences.

        Raises:
            Impossible: it cannot happen now.
        """
        self._now = at(event.at, self._world.story.scenario.began).astimezone(UTC) + PAST_THE_MINUTE
        match event:
            case Sees():
                return judging.seen(event, self._world, self._finder.of_part(event.part), self._now)
            case Changes():
                await self._change(event)
            case Delegates():
                await self._delegate(event)
            case EndsDelegation():
                await self._end_delegation(event)
            case Refuses():
                self._world.troubles.refusals[event.system] = event.times
            case Decides(bulk=True):
                await self._decide_in_bulk(event)
            case GoesDown():
                pass  # the systems know beforehand when they will be down
            case _:
                await self._command(event)
        return []

    async def turn(self, moment: datetime) -> None:
        """Let delegations begin and end that do so by themselves at that moment."""
        await self._absences.turn(moment)

    # ---------------------------------------------------------------- the company

    async def _change(self, event: Changes) -> None:
        try:
            self._world.staff.change(event)
        except NotFound as error:
            raise Impossible(f"{said(event)}: {error}") from error
        await self._world.make_round(self._now)

    async def _delegate(self, event: Delegates) -> None:
        made = self._absences.set(event)
        if isinstance(made, delegation.Refusal):
            if made.field != event.refused:
                raise Impossible(f"{event.by} cannot delegate: {made.message} ({made.field})")
            return
        if event.refused:
            raise Impossible(f"{event.by} was to be refused ({event.refused}), but could delegate")
        if delegation.in_force(made, made.created_at):
            await self._absences.announce(made, "begins")

    async def _end_delegation(self, event: EndsDelegation) -> None:
        ended = self._absences.withdraw(event)
        if not ended:
            raise Impossible(f"{event.by} has delegated nothing that could be taken back")
        for one in ended:
            await self._absences.announce(one, "ends")

    # ---------------------------------------------------------------- commands

    async def _command(self, event: Commanded) -> None:
        """Send what somebody does, and see that it is taken or refused as the scenario says."""
        expected = getattr(event, "refused", None)
        who = getattr(event, "by", "a system")
        try:
            code, why = await self._sent(*self._message(event))
        except RefusedOrder as error:
            if expected not in error.names:
                raise Impossible(f"{who} cannot {event.do}: {error}") from error
            return
        except TimeoutError as error:
            raise Impossible(f"{who} gets no answer to {event.do!r}") from error
        if expected and not code:
            raise Impossible(f"{who} was to be refused ({expected}), but could {event.do}")
        if code != (expected or ""):
            raise Impossible(f"{who} cannot {event.do}: {why} ({code})")

    async def _decide_in_bulk(self, event: Decides) -> None:
        """Let somebody decide all that waits for them; what one decision settles is not asked again (feature row A17).

        Each is decided by itself, as the API does it.
        """
        done = False
        for running, task in self._finder.in_bulk(event):
            decide = self._decide(event, running, task)
            code, why = await self._sent(running, DECIDE, decide)
            if code:
                raise Impossible(f"{event.by} cannot {event.do} {task.title!r}: {why} ({code})")
            done = True
        if not done:
            waits = judging.what_it_waits_for(self._world)
            raise Impossible(f"{event.by} cannot {event.do}: there is nothing to decide in one go; {waits}")

    async def _sent(self, running: Running, update: str, message: Command) -> tuple[str, str]:
        """Send a command; return the code and the words of its refusal, both empty if it was taken."""
        refusal = self._refused_deputy(running, message)
        if refusal:
            return refusal.code, refusal.message
        try:
            sent = running.handle.execute_update(update, message, id=message.command)
            await asyncio.wait_for(sent, ANSWER_TIMEOUT)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            if isinstance(cause, ApplicationError):
                return cause.type or "?", cause.message
            return "?", str(error)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return Refused.CLOSED, f"{running.number} has ended."
        return "", ""

    def _refused_deputy(self, running: Running, message: Command) -> rights.Refusal | None:
        """Return why the API lets somebody do nothing in another's place any more, before it asks the workflow."""
        if not isinstance(message, Decide | Consider):
            return None
        act = "decide" if isinstance(message, Decide) else message.act
        tasks = {task.id: task for task in self._world.open_approvals(running)}
        if message.task not in tasks:
            return None
        task, known = tasks[message.task], self._world.delegations.known
        order = self._world.ordered(running)
        over = rights.no_longer_for(message.actor, order, task, act, delegations=known, at=self._now)
        return rights.refuse_deputy(message.actor, task, act, over)

    def _message(self, event: Commanded) -> tuple[Running, str, Command]:
        """Return to which request goes what."""
        if isinstance(event, Reports):
            system = Actor(person=OPERATORS, operator=True)
            report = Report(event=event.event, data=event.data, actor=system, command=self._next_command())
            return self._finder.awaiting(event.part, event.event), REPORT, report
        sender: dict[str, Any] = {"actor": self._world.staff.actor(event.by)}
        if isinstance(event, Cancels | Comments | Amends):
            running = self._finder.of_part(event.part)[0]
            sender["command"] = self._next_command()
            match event:
                case Cancels():
                    return running, CANCEL, Cancel(reason=event.reason, **sender)
                case Comments():
                    return running, COMMENT, Comment(text=event.text, **sender)
                case Amends():
                    amendment = self._amendment(running, event)
                    return running, AMEND, Amend(amendment=amendment, reason=event.reason, **sender)
        return self._about_task(event)

    def _about_task(self, event: Decides | Considers | Operates | Works) -> tuple[Running, str, Command]:
        running, task = self._finder.task(event)
        match event:
            case Decides():
                return running, DECIDE, self._decide(event, running, task)
            case Operates():
                choice = _OPERATED[event.do]
                return running, DECIDE, Decide(choice=choice, reason=event.reason, **self._about(event.by, task))
            case Works():
                return running, WORK, self._work(event, running, task)
            case _:
                return running, CONSIDER, self._consider(event, task)

    def _about(self, by: str, task: Task) -> dict[str, Any]:
        """Return what every command about a task carries."""
        return {"task": task.id, "actor": self._world.staff.actor(by), "command": self._next_command()}

    def _decide(self, event: Decides, running: Running, task: Task) -> Decide:
        saw = at(event.saw, self._world.story.scenario.began) if event.saw else None
        return Decide(
            choice=event.do,
            reason=event.reason,
            subject=self._finder.seen(running, task, saw) if saw else None,
            amendment=self._amendment(running, event) if event.answers else None,
            **self._about(event.by, task),
        )

    def _amendment(self, running: Running, event: Amends | Decides) -> Amendment:
        """Return what becomes of an order, checked as the API checks it; raises RefusedOrder."""
        by = self._world.staff.actor(event.by).person
        return self._world.amendment(running, event.answers, by, self._now)

    def _consider(self, event: Considers, task: Task) -> Consider:
        person, seat, text = None, "", ""
        match event:
            case HandsOn():
                person, seat = self._person(event.to), self._person(event.of).id if event.of else ""
            case Adds():
                person = self._person(event.person)
            case Consults():
                person, text = self._person(event.person), event.question
            case Says():
                text = event.text
        return Consider(act=event.do, person=person, seat=seat, text=text, **self._about(event.by, task))

    def _person(self, login: str) -> PersonRef:
        return self._world.staff.actor(login).person

    def _work(self, event: Works, running: Running, task: Task) -> Work:
        """Return the command, with the evidence checked as the API checks it."""
        world, order = self._world, running.order
        answers = {}
        if event.do == "complete":
            actor = self._person(event.by)
            sources = Sources(world.staff.directory, world.choosing.choices, world.register)
            checked = sources.check(
                task.evidence,
                handed_in(event.answers, actor, world.register, task.opened_at),
                names.of_evidence(order, task, task.opened_at),
                (),
                requester_id=actor.id,
                beneficiary_id=order.beneficiary.id,
            )
            if checked.errors:
                wrong = "; ".join(error.message for error in checked.errors)
                raise Impossible(f"{event.by} cannot complete {task.title!r}: {wrong}")
            answers = checked.answers
        return Work(act=event.do, answers=answers, reason=event.reason, **self._about(event.by, task))

    def _next_command(self) -> str:
        self._commands += 1
        return f"simulation-{self._commands}"
