"""The approval desk of one request: the votes so far, and what of them people see.

Everything here happens at once and awaits nothing: the reducer in `catalog.approval` decides, the desk keeps its
state, puts it on record and keeps the tasks in step. The waiting is done by the frame.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from temporalio import workflow

from workflows.messages import Decide
from workflows.record import Record

with workflow.unsafe.imports_passed_through():
    from catalog import approval
    from catalog.approval import (
        Approvals,
        Cancel,
        Cast,
        Change,
        Event,
        Expire,
        Open,
        Refusal,
        Slate,
        StageState,
        StageStatus,
        Verdict,
        Vote,
    )
    from catalog.journal import Entry, Kind
    from catalog.plan import PlannedStage
    from catalog.request import Assignee, Order, Status, Task, Waiting, WaitKind
    from catalog.stages import Stage
    from catalog.wording import begins, capital, listed


class ApprovalDesk:
    """Takes stages, votes and deadlines, one after the other.

    Attributes:
        order: whose approvals these are.
        record: where they stand.
        state: the votes so far.
    """

    def __init__(self, order: Order, record: Record, planned: tuple[PlannedStage, ...], then: str) -> None:
        """Take the stages that this order needs; `then` says in words what comes after the last of them."""
        self.order = order
        self.record = record
        self._then = then
        self._planned = planned
        self._tasks: dict[str, str] = {}
        self.state: Approvals = approval.begin(planned, order.requester.id, order.beneficiary.id, order.subject)

    def note_plan(self) -> None:
        """Put on record which stages are left out or approved by rule, and which could not be planned."""
        for one in self._planned:
            facts = {"stage": one.stage.id, "name": one.stage.name, "because": one.because or one.fault}
            if not one.needed:
                self.record.note(Kind.STAGE_SKIPPED, facts, rule="plan.when")
            elif one.auto:
                self.record.note(Kind.STAGE_CLOSED, {**facts, "status": StageStatus.APPROVED}, rule=one.auto)
            elif one.fault:
                self.record.note(Kind.STAGE_KEPT, facts, rule="plan.fault")

    def has(self, task: Task) -> bool:
        """Return whether a task stands for one of these stages: other desks may have stages of the same id."""
        return task.id in self._tasks.values()

    def stage(self, stage_id: str) -> StageState:
        """Return a stage of this request's item."""
        state = self.state.stage(stage_id)
        if state is None:
            raise KeyError(stage_id)
        return state

    def find(self, stage: Stage, slate: Slate) -> None:
        """Put on record who was passed over when a stage's people were looked for."""
        for skipped in slate.skipped:
            person = skipped.person.model_dump(mode="json")
            self.record.note(Kind.APPROVER_SKIPPED, {"stage": stage.id, "person": person}, rule=skipped.rule)

    def open(self, stage: Stage, slate: Slate) -> None:
        """Begin a stage: on record, in the inboxes, and told to those who are asked."""
        change = self._apply(Open(stage=stage.id, slate=slate))
        # Otherwise the frame is at fault: that fails the workflow task loudly, and the request waits for a mended one.
        assert isinstance(change, Change), change.message
        state = self.stage(stage.id)
        task = self._task(state)
        self._tasks[stage.id] = task.id
        self.record.note(Kind.STAGE_OPENED, _facts(state), status=Status.APPROVAL, rule=slate.rule)
        self.record.open_task(task)
        for vote in state.votes:
            self._note_carried(state, vote)
        self._close(change.closed)
        if not change.closed:
            self._owe_notices(task.id, state)

    def refuse(self, task: Task, command: Decide) -> Refusal | None:
        """Return why this vote would not count now."""
        result = approval.apply(self.state, _cast(task, command), workflow.now())
        return result if isinstance(result, Refusal) else None

    def vote(self, task: Task, command: Decide) -> Entry:
        """Count a vote that `refuse` lets pass."""
        change = self._apply(_cast(task, command))
        assert isinstance(change, Change), change.message  # `refuse` has let it pass in the same workflow task
        data = {
            "task": task.id,
            "stage": task.stage,
            "name": self.stage(task.stage or "").stage.name,
            "choice": command.choice,
            "reason": command.reason,
            "subject": self.order.subject,
        }
        entry = self.record.note(Kind.VOTE, data, actor=command.actor, command=command.command)
        for stage_id, vote in change.carried:
            self._note_carried(self.stage(stage_id), vote)
        for stage_id in (task.stage or "", *(stage_id for stage_id, _ in change.carried)):
            state = self.stage(stage_id)
            if state.status is StageStatus.OPEN:
                self.record.change_task(self._task_id(stage_id), assignees=_assignees(state))
                self.record.waits_for(self.waiting(stage_id))
        self._close(change.closed)
        return entry

    def _note_carried(self, state: StageState, vote: Vote) -> None:
        """Put a vote on record that counts here because it was cast elsewhere."""
        data = {
            "task": self._task_id(state.stage.id),
            "stage": state.stage.id,
            "name": state.stage.name,
            "choice": vote.verdict,
            "voter": vote.voter.model_dump(mode="json"),
        }
        self.record.note(Kind.VOTE, data, rule=vote.rule)

    def expire(self, stage_id: str) -> None:
        """Close a stage whose time is over; one that was decided stays as it is."""
        change = self._apply(Expire(stage=stage_id))
        if isinstance(change, Change):
            self._close(change.closed)

    def cancel(self) -> None:
        """Close what is still open because the request ends."""
        change = self._apply(Cancel())
        if isinstance(change, Change):
            self._close(change.closed)

    def waiting(self, stage_id: str) -> Waiting:
        """Say whom an open stage waits for (feature row W1)."""
        state = self.stage(stage_id)
        return Waiting(
            kind=WaitKind.PEOPLE,
            what=f"{state.stage.name} decides{_how_many(state)}",
            who=state.undecided(),
            since=state.opened_at or workflow.now(),
            until=state.due_at,
            rule=state.slate.rule,
            at_deadline="The request expires.",
            then=self._following(stage_id),
            task=self._task_id(stage_id),
        )

    def _following(self, stage_id: str) -> str:
        """Say what comes once this stage has approved."""
        others = [state for state in self.state.stages if state.stage.id != stage_id]
        undecided = {s.stage.id: s for s in others if s.status in (StageStatus.WAITING, StageStatus.OPEN)}
        following = [s for s in undecided.values() if stage_id in s.after]
        if not following:
            return f"{_decide(undecided.values())} too." if undecided else self._then
        first = [undecided[name].stage.name for name in following[0].after if name in undecided]
        return f"{capital(begins(first))}, {_decide(following)}." if first else f"{_decide(following)}."

    def _apply(self, event: Event) -> Change | Refusal:
        change = approval.apply(self.state, event, workflow.now())
        if isinstance(change, Change):
            self.state = change.state
        return change

    def _task(self, state: StageState) -> Task:
        order = self.order
        return Task(
            id=self.record.next_task_id(),
            kind="approval",
            title=f"{state.stage.name}: {order.item.name} for {order.beneficiary.name}",
            stage=state.stage.id,
            quorum=state.stage.quorum,
            assignees=_assignees(state),
            choices=tuple(Verdict),
            subject=order.subject,
            opened_at=workflow.now(),
            due_at=state.due_at,
        )

    def _task_id(self, stage_id: str) -> str:
        return self._tasks[stage_id]

    def _owe_notices(self, task_id: str, state: StageState) -> None:
        due = state.due_at.isoformat() if state.due_at else None
        about = {"task": task_id, "stage": state.stage.name, "due_at": due}
        data = {**self.order.headline(), **about, "answers": self.order.shown_answers()}
        for person in state.undecided():
            self.record.owe("approval-needed", person, data)

    def _close(self, closed: tuple[StageState, ...]) -> None:
        """Close what people see of stages; of one that has not begun they see nothing."""
        for state in closed:
            if state.opened_at:
                self._close_one(state)
        for state in self.state.stages if closed else ():
            if state.status is StageStatus.OPEN:
                self.record.waits_for(self.waiting(state.stage.id))  # something else may come after it now

    def _close_one(self, state: StageState) -> None:
        facts = {"stage": state.stage.id, "name": state.stage.name, "status": state.status}
        rule = {StageStatus.EXPIRED: "approval.expired", StageStatus.CANCELLED: "approval.cancelled"}
        by_votes = f"approval.{state.stage.quorum}"
        self.record.note(Kind.STAGE_CLOSED, facts, rule=rule.get(state.status, by_votes))
        self.record.change_task(
            self._task_id(state.stage.id),
            assignees=_assignees(state),
            decided=state.status,
            decided_by=tuple(vote.voter for vote in state.votes),
            reason=state.votes[-1].reason if state.votes else "",
            closed_at=state.closed_at,
        )


def _cast(task: Task, command: Decide) -> Cast:
    return Cast(
        stage=task.stage or "",
        voter=command.actor.person,
        verdict=Verdict(command.choice),
        reason=command.reason,
        subject=command.subject,
    )


def _decide(stages: Collection[StageState]) -> str:
    return f"{listed(state.stage.name for state in stages)} {'decides' if len(stages) == 1 else 'decide'}"


def _how_many(state: StageState) -> str:
    """Return how many must approve, in words, where one is not enough."""
    asked, needed = len(state.slate.people), approval.votes_needed(state)
    if needed == 1:
        return ""
    return ": everybody asked must approve" if needed == asked else f": {needed} of {asked} must approve"


def _assignees(state: StageState) -> tuple[Assignee, ...]:
    votes = {vote.voter.id: vote for vote in state.votes}
    return tuple(
        Assignee(person=person, verdict=votes[person.id].verdict, at=votes[person.id].at)
        if person.id in votes
        else Assignee(person=person)
        for person in state.slate.people
    )


def _facts(state: StageState) -> dict[str, Any]:
    return {
        "stage": state.stage.id,
        "name": state.stage.name,
        "approvers": [{"id": p.id, "name": p.name, "login": p.login} for p in state.slate.people],
        "quorum": state.stage.quorum,
        "due_at": state.due_at.isoformat() if state.due_at else None,
        "rule": state.slate.rule,
    }
