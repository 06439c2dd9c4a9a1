"""Finding what somebody's deed in a scenario is about: the request, its task, the decision or the work that waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from catalog import steps
from catalog.request import Task
from catalog.scenario_events import Considers, Decides, HandsOn, Operates, Says, TakesBack, Works
from catalog.stages import Stage
from catalog.steps import ApproveStep, WaitStep
from cli.kit.simulation import judging
from cli.kit.simulation.world import Running, World

Deed = Decides | Considers | Operates | Works

_WHAT = {
    "approval": "decide",
    "operator": "see to",
    "fulfilment": "work on",
    "information": "answer",
    "advice": "give advice on",
}


class Impossible(Exception):
    """What a scenario lets somebody do cannot be done; the message says why."""


class Finder:
    """Finds requests and tasks of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def task(self, event: Deed) -> tuple[Running, Task]:
        """Return the task that somebody's deed is about: open, and theirs if one of them is.

        Raises:
            Impossible: there is none.
        """
        kind = _kind(event)
        late = getattr(event, "refused", None) is not None  # it may be something that has ended
        fits = self._fitting(event)
        those = [
            (running, task)
            for running in self.of_part(event.part)
            for task in self._tasks(running)
            if task.kind == kind and fits(task) and (late or task.decided is None)
        ]
        if not those:
            waits = judging.what_it_waits_for(self._world)
            what = _WHAT[kind]
            stage = getattr(event, "stage", None)
            if stage:
                what = f"{what} at {stage!r}, the stages are {', '.join(self._stages()) or 'none'}"
            raise Impossible(f"{event.by} cannot {event.do}: there is nothing to {what}; {waits}")
        return max(those, key=lambda pair: _how_well(event, pair[1]))

    def in_bulk(self, event: Decides) -> Iterator[tuple[Running, Task]]:
        """Yield what waits for somebody and may be decided in one go; each is looked at when its turn comes."""
        for running in self.of_part(event.part):
            for name in [one.id for one in self._tasks(running)]:
                task = next(one for one in self._tasks(running) if one.id == name)
                if task.kind == "approval" and task.bulk and _waits_for(task, event.by):
                    yield running, task

    def seen(self, running: Running, task: Task, moment: datetime) -> str | None:
        """Return the digest of what somebody saw who looked at a decision at that moment; None if it was not there."""
        earlier = [
            one.subject
            for batch in self._world.journal.batches
            if batch.projection.number == running.number and batch.projection.updated_at <= moment
            for one in batch.projection.tasks
            if (one.kind, one.stage) == (task.kind, task.stage)
        ]
        return earlier[-1] if earlier else None

    def of_part(self, part: str | None) -> list[Running]:
        """Return the requests that a part's name stands for; without one, all of them.

        Raises:
            Impossible: there is no such part.
        """
        if part is None:
            return self._world.requests
        those = [running for running in self._world.requests if part in _parts(running)]
        if not those:
            known = ", ".join(sorted({name for running in self._world.requests for name in _parts(running)}))
            raise Impossible(f"there is no part {part!r} so far; there are: {known or 'none'}")
        return those

    def awaiting(self, part: str | None, event: str) -> Running:
        """Return the request that knows an event."""
        those = self.of_part(part)
        return next((running for running in those if event in _events(running)), those[0])

    def _fitting(self, event: Deed) -> Callable[[Task], bool]:
        """Return what tells the tasks that are meant: at the stage of that id, else with the words in their title."""
        words = event.task if isinstance(event, Works) else getattr(event, "stage", None)
        if words is None:
            return lambda _: True
        if not isinstance(event, Works) and words in self._stages():
            return lambda task: task.stage == words
        return lambda task: words.casefold() in task.title.casefold()

    def _stages(self) -> list[str]:
        """Return the ids of all stages there are so far."""
        stages = (stage for running in self._world.requests for stage in _all_stages(running))
        return list(dict.fromkeys(stage.id for stage in stages))

    def _tasks(self, running: Running) -> Iterator[Task]:
        projection = self._world.shown(running)
        yield from projection.tasks if projection else ()


def _kind(event: Deed) -> str:
    match event:
        case Operates():
            return "operator"
        case Works():
            return "fulfilment"
        case Says(do="answer"):
            return "information"
        case Says(do="advise"):
            return "advice"
        case _:
            return "approval"


def _how_well(event: Deed, task: Task) -> tuple[bool, bool]:
    """Rank a task: first those still open, then those that somebody was asked to do and has not, or has, done."""
    whose = (event.of if isinstance(event, HandsOn) else None) or event.by
    done = isinstance(event, TakesBack)
    theirs = any(one.person.login == whose and (one.verdict is not None) == done for one in task.assignees)
    return task.decided is None, theirs


def _waits_for(task: Task, login: str) -> bool:
    return task.decided is None and any(one.person.login == login and one.verdict is None for one in task.assignees)


def _all_stages(running: Running) -> Iterator[Stage]:
    item = running.order.item
    yield from item.approvals
    yield from (step.stage for _, step in steps.walk(item.steps) if isinstance(step, ApproveStep))


def _parts(running: Running) -> set[str]:
    """Return the names a request has within the order it is part of."""
    line = running.order.line
    return {line, line.rpartition(".")[0], running.order.beneficiary.login} - {""} if line else set()


def _events(running: Running) -> set[str]:
    walked = (step for _, step in steps.walk(running.order.item.steps))
    return {step.event for step in walked if isinstance(step, WaitStep) and step.event}
