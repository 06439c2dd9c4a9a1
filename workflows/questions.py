"""The tasks of those who are asked something before a stage is decided: the requester, and whose advice is sought.

What a question does to the stage and its deadline was decided by `catalog.approval`; what the approvers themselves see
is their desk's (`workflows.approvals`).
"""

from __future__ import annotations

from typing import Literal

from temporalio import workflow

from workflows.messages import Consider
from workflows.record import Record

with workflow.unsafe.imports_passed_through():
    from catalog import told
    from catalog.ballot import StageState, StageStatus
    from catalog.people import PersonRef
    from catalog.request import Assignee, Task

Advising = tuple[tuple[str, str, str], ...]
"""Stage, person and task of each advice that is sought."""


class Questions:
    """What is asked about the stages of one desk (feature rows A9, A10).

    Attributes:
        asking: by stage, the task of the question to the requester.
    """

    def __init__(self, record: Record, asking: dict[str, str], advising: Advising) -> None:
        """Take what was asked in an earlier run of the request."""
        self._record = record
        self.asking = dict(asking)
        self._advising = {(stage, person): task for stage, person, task in advising}

    def advising(self) -> Advising:
        """Return what advice is sought."""
        return tuple((stage, person, task) for (stage, person), task in self._advising.items())

    def has(self, task_id: str) -> bool:
        """Return whether a task is one of these questions."""
        return task_id in self.asking.values() or task_id in self._advising.values()

    def begin(self, state: StageState, command: Consider) -> None:
        """Put a question before those who are to answer it."""
        order, by = self._record.order, command.actor.person
        if command.act == "ask" and state.question:
            title = f"{by.name} asks about {order.item.name}"
            self.asking[state.stage.id] = self._open(title, "information", order.people, state, command.text)
        if command.act == "consult" and command.person:
            title = f"{by.name} asks your advice on {order.item.name} for {order.beneficiary.name}"
            task_id = self._open(title, "advice", (command.person,), state, command.text)
            self._advising[state.stage.id, command.person.id] = task_id
            data = {**order.headline(), "task": task_id, "asker": by.name, "question": command.text}
            self._record.owe("advice-needed", command.person, {**data, "answers": order.shown_answers()})

    def _open(
        self,
        title: str,
        kind: Literal["information", "advice"],
        people: tuple[PersonRef, ...],
        state: StageState,
        text: str,
    ) -> str:
        task = Task(
            id=self._record.next_task_id(),
            kind=kind,
            title=title,
            stage=state.stage.id,
            instructions=text,
            assignees=tuple(Assignee(person=person) for person in people),
            choices=("answer",),
            subject=state.subject,
            opened_at=workflow.now(),
            due_at=state.question.due_at if state.question and kind == "information" else None,
        )
        self._record.open_task(task)
        return task.id

    def end(self, state: StageState, command: Consider, task_id: str) -> None:
        """Take a question from who has answered it, and tell who asked; `task_id` is the one of the decision."""
        by = command.actor.person
        data = {**self._record.order.headline(), "task": task_id, "stage": state.stage.name}
        data |= {"answer": command.text, "by": by.name}
        why_you = told.why_you(state)
        if command.act == "answer":
            data["question"] = self._close(self.asking.pop(state.stage.id), by, command.text).instructions
            for person in state.undecided():
                self._record.owe("answered", person, {**data, "asked": why_you[person.id]})
        if command.act == "advise":
            data["question"] = self._close(self._advising.pop((state.stage.id, by.id)), by, command.text).instructions
            to = next(one for one in reversed(state.advice) if one.person.id == by.id and one.given_at).by
            # They may have decided without waiting for it.
            self._record.owe("answered", to, {**data, "asked": why_you[to.id], "awaited": to.id in state.may_act()})

    def _close(self, task_id: str, by: PersonRef, text: str) -> Task:
        at = workflow.now()
        return self._record.change_task(task_id, decided="answered", decided_by=(by,), reason=text, closed_at=at)

    def take_back(self, stage_id: str, state: StageState | None) -> None:
        """Take back what nobody waits for any more; `state` is what has become of the stage."""
        if stage_id in self.asking and (state is None or state.question is None):
            self._withdraw(self.asking.pop(stage_id))
        if state is None or state.status is not StageStatus.OPEN:
            for key in [key for key in self._advising if key[0] == stage_id]:
                self._withdraw(self._advising.pop(key))

    def _withdraw(self, task_id: str) -> None:
        self._record.change_task(task_id, decided="cancelled", closed_at=workflow.now())
