"""The approval desk of one request: its approvals, and what of them goes on record.

Everything here happens at once and awaits nothing: the reducer in `catalog.approval` decides, the desk keeps its
state, puts on record what changed, keeps the tasks in step and owes the messages. The waiting is done by `approving`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from temporalio import workflow

from workflows.considering import CONSIDERED, event_of
from workflows.messages import Consider, Decide
from workflows.questions import Advising, Questions
from workflows.record import Record
from workflows.wants import LookedUp, Want

with workflow.unsafe.imports_passed_through():
    from catalog import approval, stage_view, told
    from catalog.ballot import (
        CARRIED,
        ESCALATED,
        Amend,
        Approvals,
        Cancel,
        Change,
        Due,
        Escalate,
        Event,
        Open,
        Refusal,
        Resolve,
        StageState,
        StageStatus,
        Supersede,
        Tick,
        Verdict,
        Vote,
    )
    from catalog.journal import Entry, Kind
    from catalog.model import Model
    from catalog.people import PersonRef
    from catalog.plan import PlannedStage
    from catalog.request import Status, Task, Template, Waiting
    from catalog.slate import Named, Slate
    from catalog.stages import Stage

OWN_TIME = "questions.own-time"
"""Patch: after a question everybody has left what they had of their own working time."""


class DeskSoFar(Model):
    """What a run that ends hands to the one that goes on with the request.

    Attributes:
        state: the approvals so far.
        tasks: by stage, the task of its decision.
        asking: by stage, the task of the question to the requester.
        advising: the tasks of advice, by stage and person.
        wants: by stage, what has to be looked up.
    """

    state: Approvals
    tasks: dict[str, str] = {}
    asking: dict[str, str] = {}
    advising: Advising = ()
    wants: dict[str, tuple[Want, ...]] = {}


class ApprovalDesk:
    """Takes stages, votes and deadlines, one after the other.

    Attributes:
        record: of the request whose approvals these are.
        state: the approvals so far.
        amended: how many times what is decided on was changed.
        leaving: whether this run is about to end, and another to go on with the request.
    """

    def __init__(
        self, record: Record, planned: tuple[PlannedStage, ...], then: str, carried: DeskSoFar | None = None
    ) -> None:
        """Take the stages that this order needs; `then` says in words what comes after the last of them."""
        self.record = record
        self.amended = 0
        self.leaving = False
        self._then = then
        self._planned = planned
        so_far = carried or DeskSoFar(state=approval.begin(planned, record.order.parties, self._subjects(planned)))
        self.state: Approvals = so_far.state
        self._tasks = dict(so_far.tasks)
        self._questions = Questions(record, so_far.asking, so_far.advising)
        self._wants = {stage: list(wants) for stage, wants in so_far.wants.items()}
        self._last: tuple[Approvals, Event, datetime, Change | Refusal] | None = None
        for state in self.state.stages:
            if state.status is StageStatus.OPEN:
                self.record.waits_for(self.waiting(state.stage.id))

    def so_far(self) -> DeskSoFar:
        """Return what another run has to know to go on with it; nothing is being looked up."""
        return DeskSoFar(
            state=self.state.in_brief(),
            tasks=self._tasks,
            asking=self._questions.asking,
            advising=self._questions.advising(),
            wants={stage: tuple(wants) for stage, wants in self._wants.items()},
        )

    def _subjects(self, planned: tuple[PlannedStage, ...]) -> dict[str, str]:
        return {one.stage.id: self.record.order.subject_of(one.stage) for one in planned}

    def note_plan(self, before: tuple[PlannedStage, ...] = ()) -> None:
        """Put on record which stages are left out or approved by rule, and which could not be planned.

        What stood in the plan `before` is on record already.
        """
        noted = {(one.stage.id, one.needed, one.auto, one.fault) for one in before}
        for one in self._planned:
            if (one.stage.id, one.needed, one.auto, one.fault) in noted:
                continue
            facts = {"stage": one.stage.id, "name": one.stage.name, "because": one.because or one.fault}
            if not one.needed:
                self.record.note(Kind.STAGE_SKIPPED, facts, rule="plan.when")
            elif one.auto:
                self.record.note(Kind.STAGE_CLOSED, {**facts, "status": StageStatus.APPROVED}, rule=one.auto)
            elif one.fault:
                self.record.note(Kind.STAGE_KEPT, facts, rule="plan.fault")

    def has(self, task: Task) -> bool:
        """Return whether a task stands for one of these stages: other desks may have stages of the same id."""
        return task.id in self._tasks.values() or self._questions.has(task.id)

    def stage(self, stage_id: str) -> StageState:
        """Return a stage of this request's item."""
        state = self.state.stage(stage_id)
        if state is None:
            raise KeyError(stage_id)
        return state

    def is_open(self, stage_id: str) -> bool:
        """Return whether a stage waits for people; one that is no longer needed does not."""
        state = self.state.stage(stage_id)
        return state is not None and state.status is StageStatus.OPEN

    # ---------------------------------------------------------------- people

    def find(self, stage: Stage, slate: Slate) -> None:
        """Put on record who was passed over when a stage's people were looked for."""
        for skipped in slate.skipped:
            person = skipped.person.model_dump(mode="json")
            self.record.note(Kind.APPROVER_SKIPPED, {"stage": stage.id, "person": person}, rule=skipped.rule)

    def open(self, stage: Stage, slate: Slate) -> bool:
        """Begin a stage: on record, in the inboxes, and told to those who are asked; false if these are too few."""
        change = self._apply(Open(stage=stage.id, slate=slate))
        if isinstance(change, Refusal):
            # Else the frame is at fault: that fails the workflow task loudly, and the request waits for a mended one.
            assert change.code == "too-few", change.message
            return False
        state = self.stage(stage.id)
        if state.opened_at is None:  # nobody may decide it, and its author says what then
            self._note_closed(state)
            return True
        named = Named(own=slate.fingerprint(), wanted=slate.wanted)
        task = self._task(state).model_copy(update={"named": named})
        self._tasks[stage.id] = task.id
        facts = stage_view.facts(self.state, state, self.record.order)
        self.record.note(Kind.STAGE_OPENED, facts, status=Status.APPROVAL, rule=slate.rule)
        self.record.open_task(task)
        for _, vote in change.fallen:  # cast before the order changed, by somebody who is not named any more
            self._note_fallen(stage.id, vote, "approval.unseated")
        for vote in state.votes:
            if vote.rule == CARRIED and vote.at == state.opened_at:
                self._note_carried(state, vote)
        self._want_people(change)
        self._close(change.closed)
        if not change.closed:
            self._tell("approval-needed", state, _told(state), told.AMENDED if state.round > 1 else "")
        return True

    def resolve(self, stage_id: str, found: LookedUp, rule: str) -> None:
        """Ask those who may decide a stage now; who is new is told."""
        before = self.stage(stage_id)
        for slate in (found.slate, found.beside):
            self.find(before.stage, slate)
        event = Resolve(stage=stage_id, slate=found.slate, above=found.above, others=found.beside, gone=found.gone())
        change = self._apply(event)
        if not isinstance(change, Change):
            return
        named, task = found.named(), self._tasks[stage_id]
        looked_up_anew = self.record.tasks[task].named != named
        self.record.change_task(task, named=named)
        if looked_up_anew or change.state.stage(stage_id) != before:
            self._note_people(stage_id, change, rule)

    def escalate(self, stage_id: str, slate: Slate) -> None:
        """Let those of the next level decide; if there is nobody, go on as if their time were over."""
        before = self.stage(stage_id)
        self.find(before.stage, slate)
        change = self._apply(Escalate(stage=stage_id, slate=slate))
        assert isinstance(change, Change), change.message  # asked for only when its time has come
        self._name_above(self.stage(stage_id), slate)
        facts = self._names(before) | {"people": stage_view.named(change.asked)}
        facts |= stage_view.hours(self.stage(stage_id), change.asked)
        self.record.note(Kind.ESCALATED, facts, rule=ESCALATED)
        self._follow(stage_id, change)
        self._tell("approval-needed", self.state.stage(stage_id) or before, change.asked)

    def _name_above(self, state: StageState, slate: Slate) -> None:
        """Remember who decides after an escalation; if those of an earlier level do too, they are looked up again."""
        task, levels = self.record.tasks[self._tasks[state.stage.id]], state.levels()
        if task.named and levels:
            above = slate.fingerprint() if levels[1] - levels[0] == 1 else ""
            update = {"levels": levels, "above": above, "wanted_above": slate.wanted}
            self.record.change_task(task.id, named=task.named.model_copy(update=update))

    def look_again(self, people: Iterable[str], stages: Iterable[str], rule: str) -> None:
        """Want the people of these open stages looked up again, and of those in which one of these people may act."""
        asked, named = set(people), set(stages)
        for state in self.state.stages:
            seats = {seat.person.id for seat in state.slate.seats}
            concerned = state.stage.id in named or asked & seats or asked & state.may_act().keys()
            if state.status is StageStatus.OPEN and concerned:
                self.want(state.stage.id, Want("again", rule=rule))

    def wants(self, stage_id: str) -> bool:
        """Return whether people have to be looked up for a stage."""
        return bool(self._wants.get(stage_id))

    def next_want(self, stage_id: str) -> Want | None:
        """Return the first that has to be looked up for a stage, and forget it; None if there is nothing."""
        wanted = self._wants.get(stage_id)
        return wanted.pop(0) if wanted else None

    def want(self, stage_id: str, want: Want) -> None:
        """Want something looked up for a stage, once."""
        wanted = self._wants.setdefault(stage_id, [])
        if want not in wanted:
            wanted.append(want)

    # ---------------------------------------------------------------- commands

    def refuse(self, task: Task, command: Decide | Consider) -> Refusal | None:
        """Return why a command would not count now."""
        result = self._answer(event_of(task, command), workflow.now())
        return result if isinstance(result, Refusal) else None

    def vote(self, task: Task, command: Decide) -> Entry:
        """Count a vote that `refuse` lets pass."""
        change = self._apply(event_of(task, command))
        assert isinstance(change, Change), change.message  # `refuse` has let it pass in the same workflow task
        assert change.vote is not None, "that is what a vote is"
        stage_id = task.stage or ""
        state = self.stage(stage_id)
        instead = [seat.person for seat in state.slate.seats if seat.person.id in change.vote.seats]
        human = command.actor.person.id
        if change.vote.rule == ESCALATED:  # who it was escalated to decides in their own name, a deputy in theirs
            above = [seat for seat in state.escalated if human in {one.id for one in seat.fillers}]
            instead = [] if human in {seat.person.id for seat in above} else [seat.person for seat in above]
        behalf = [one for one in instead if one.id != human]
        data: dict[str, Any] = {
            "task": task.id,
            "stage": task.stage,
            "name": state.stage.name,
            "choice": command.choice,
            "reason": command.reason,
            "subject": state.subject,
        }
        if behalf:
            data["on_behalf_of"] = stage_view.named(behalf)
        entry = self.record.note(
            Kind.VOTE,
            data,
            actor=command.actor,
            on_behalf_of=behalf[0] if behalf else None,
            rule=change.vote.rule,
            command=command.command,
        )
        for carried_id, vote in change.carried:
            self._note_carried(self.stage(carried_id), vote)
        for touched in (stage_id, *(carried_id for carried_id, _ in change.carried)):
            self._show(touched)
        self._want_people(change)
        self._questions.take_back(stage_id, self.state.stage(stage_id))
        self._close(change.closed)
        return entry

    def consider(self, task: Task, command: Consider) -> Entry:
        """Carry out what somebody does with a decision short of deciding; `refuse` lets it pass."""
        before = self.stage(task.stage or "")
        own_time = command.act != "ask" or workflow.patched(OWN_TIME)
        change = self._apply(event_of(task, command, own_time=own_time))
        assert isinstance(change, Change), change.message  # as in `vote`
        stage_id = before.stage.id
        facts = self._names(before) | {"task": task.id}
        if command.text:
            facts["text"] = command.text
        if command.person:
            facts["person"] = command.person.model_dump(mode="json")
            facts |= stage_view.hours(before, (command.person,))
        if command.act == "reassign":
            facts["seat"] = command.seat or command.actor.person.id
        reminded = [person for due in change.due if due.kind == "remind" for person in due.people]
        if reminded:
            facts["people"] = stage_view.named(reminded)
        if change.later:  # their working time begins then
            facts["later"] = [{"at": at.isoformat(), "people": stage_view.named(people)} for at, people in change.later]
        entry = self.record.note(CONSIDERED[command.act], facts, actor=command.actor, command=command.command)
        self._tell("reminder", self.stage(stage_id), reminded)
        self._questions.begin(self.stage(stage_id), command)
        if command.act == "ask":
            self._tell("question", self.stage(stage_id), self.record.order.people)
        for other_id, vote in change.fallen:
            if other_id != stage_id:  # that it was taken back here is on record already
                self._note_fallen(other_id, vote, "approval.withdrawn")
        self._follow(stage_id, change)
        self._tell("approval-needed", self.stage(stage_id), change.asked)
        self._questions.end(self.stage(stage_id), command, self._tasks[stage_id])
        if command.act in ("reassign", "add") and self.is_open(stage_id):
            self.want(stage_id, Want("again", rule="people.asked"))  # they may be away, or have left
        return entry

    def amend(self, planned: tuple[PlannedStage, ...], by_stage: str = "") -> None:
        """Take up that what is decided on has changed; `by_stage` if those who decide that one have changed it."""
        change = self._apply(Amend(planned=planned, subjects=self._subjects(planned), by_stage=by_stage))
        assert isinstance(change, Change), change.message  # refused before, once it is decided
        before, self._planned = self._planned, planned
        self.amended += 1
        self._wants = {stage: wants for stage, wants in self._wants.items() if self.is_open(stage)}
        self.note_plan(before)
        for stage_id, vote in change.fallen:
            self._note_fallen(stage_id, vote, stage_view.why_fallen(self.state.stage(stage_id), vote))
        self._close(change.closed)
        self._want_people(change)
        for state in self.state.stages:
            self._show(state.stage.id)
            again = [vote.voter for stage_id, vote in change.fallen if stage_id == state.stage.id]
            if state.status is StageStatus.OPEN and again:
                self._tell("approval-needed", state, again, told.AMENDED)

    def is_over(self) -> bool:
        """Return whether nothing is left to decide."""
        return self.state.outcome is not StageStatus.WAITING

    # ---------------------------------------------------------------- time and ends

    def tick(self, stage_id: str, at: datetime) -> None:
        """See to what is due on a stage at that moment; nothing, if nothing is."""
        change = self._apply(Tick(stage=stage_id), at)
        if isinstance(change, Change):
            for due in change.due:
                self._say(due)
            self._follow(stage_id, change)
            self._questions.take_back(stage_id, self.state.stage(stage_id))

    def cancel(self, *, replaced: bool = False) -> None:
        """Close what is still open because the request ends, be it that another one replaces it."""
        change = self._apply(Supersede() if replaced else Cancel())
        if isinstance(change, Change):
            self._close(change.closed)

    def _say(self, due: Due) -> None:
        """Say what time demands, if that is all it demands."""
        if due.kind in _DUE:
            state, (kind, template) = self.stage(due.stage), _DUE[due.kind]
            facts = self._names(state) | {"people": stage_view.named(due.people), "nth": due.nth}
            self.record.note(kind, facts, rule=f"approval.{due.kind}")
            people = self.record.order.people if due.kind == "ask-again" else due.people
            self._tell(template, state, people, told.UNANSWERED if due.kind == "unanswered" else "")

    # ---------------------------------------------------------------- what follows a change

    def _apply(self, event: Event, at: datetime | None = None) -> Change | Refusal:
        change = self._answer(event, at or workflow.now())
        if isinstance(change, Change):
            self.state = change.state
        return change

    def _answer(self, event: Event, at: datetime) -> Change | Refusal:
        """Return what an event makes of the approvals; a command is asked about again before it is carried out."""
        state, asked, moment, answer = self._last or (None, None, None, None)
        if answer is None or state is not self.state or asked != event or moment != at:
            answer = approval.apply(self.state, event, at)
            self._last = self.state, event, at, answer
        return answer

    def _follow(self, stage_id: str, change: Change) -> None:
        """Bring tasks and waits into step after a change of an open stage; note what else it led to."""
        self._want_people(change)
        if self.is_open(stage_id):
            self._show(stage_id)
        self._close(change.closed)

    def _want_people(self, change: Change) -> None:
        """Want people looked up where a change leaves too few, or a level of escalation to which nobody belongs."""
        for due in change.due:
            if due.kind in ("nobody", "escalate"):
                self.want(due.stage, Want(due.kind, level=due.nth))

    def _show(self, stage_id: str) -> None:
        """Show who may decide a stage, and what it waits for."""
        state = self.stage(stage_id)
        if state.status is StageStatus.OPEN:
            self.record.change_task(
                self._tasks[stage_id],
                **_people(state),
                subject=state.subject,
                due_at=state.due_at,
                nudged_at=state.nudged_at,
                acts_in=state.acts_in,
            )
            self.record.waits_for(self.waiting(stage_id))

    def waiting(self, stage_id: str) -> Waiting:
        """Say whom an open stage waits for (feature row W1)."""
        state = self.stage(stage_id)
        return stage_view.waiting(self.state, state, self.record.order, self._tasks[stage_id], self._then)

    def _note_people(self, stage_id: str, change: Change, rule: str) -> None:
        """Put on record whose decision it is now."""
        state = self.stage(stage_id)
        facts = self._names(state) | stage_view.hours(state, (*change.asked, *state.others()))
        facts |= {"asked": stage_view.named(change.asked), "gone": stage_view.named(change.gone)}
        self.record.note(Kind.APPROVERS_CHANGED, facts, rule=rule)
        for _, vote in change.fallen:
            self._note_fallen(stage_id, vote, "approval.unseated")
        self._follow(stage_id, change)
        if self.is_open(stage_id):
            self._tell("approval-needed", self.stage(stage_id), change.asked)

    def _note_fallen(self, stage_id: str, vote: Vote, rule: str) -> None:
        """Put on record that a vote no longer counts, and by which rule; show whose decision it is again."""
        state = self.state.stage(stage_id)
        facts = {
            "stage": stage_id,
            "name": state.stage.name if state else stage_id,
            "voter": vote.voter.model_dump(mode="json"),
            "choice": vote.verdict,
        }
        self.record.note(Kind.VOTE_FALLEN, facts, rule=rule)
        if self.is_open(stage_id):
            self._show(stage_id)

    def _note_carried(self, state: StageState, vote: Vote) -> None:
        """Put a vote on record that counts here because it was cast elsewhere."""
        data = {
            "task": self._tasks[state.stage.id],
            "stage": state.stage.id,
            "name": state.stage.name,
            "choice": vote.verdict,
            "voter": vote.voter.model_dump(mode="json"),
        }
        self.record.note(Kind.VOTE, data, rule=vote.rule)

    def _names(self, state: StageState) -> dict[str, Any]:
        return {"stage": state.stage.id, "name": state.stage.name}

    def _task(self, state: StageState) -> Task:
        order = self.record.order
        return Task(
            id=self.record.next_task_id(),
            kind="approval",
            title=f"{state.stage.name}: {order.item.name} for {order.beneficiary.name}",
            stage=state.stage.id,
            quorum=stage_view.quorum(state.stage),
            needs=stage_view.needs(self.state, state, order),
            **_people(state),
            choices=tuple(Verdict),
            subject=state.subject,
            bulk=state.stage.bulk,
            acts_in=state.acts_in,
            opened_at=workflow.now(),
            due_at=state.due_at,
        )

    def _tell(self, template: Template, state: StageState, people: Iterable[PersonRef], because: str = "") -> None:
        """Owe people a message about a stage, if it still is open; each learns why they are asked, first `because`."""
        if state.status is not StageStatus.OPEN:
            return
        order = self.record.order
        data = {**order.headline(), **self._about(template, state), "answers": order.shown_answers()}
        why_you = told.why_you(state)
        for person in people:
            self.record.owe(template, person, {**data, "asked": [*([because] if because else []), *why_you[person.id]]})

    def _about(self, template: Template, state: StageState) -> dict[str, Any]:
        """Return what a message says of a stage: of its question if that is what it asks, else of the decision."""
        question, stage_id = state.question, state.stage.id
        about: dict[str, Any] = {"stage": state.stage.name, "task": self._tasks[stage_id]}
        due_at = state.due_at
        if question:
            about |= {"asker": question.by.name, "question": question.text}
            due_at = question.due_at if template == "question" else None  # else time stands still until it is answered
        if template == "question":
            about["task"] = self._questions.asking[stage_id]
        about["due_at"] = due_at.isoformat() if due_at else None
        return about | {"at_deadline": self.waiting(stage_id).at_deadline if due_at else ""}

    # ---------------------------------------------------------------- closing

    def _close(self, closed: tuple[StageState, ...]) -> None:
        """Close what people see of stages; of one that has not begun they see nothing."""
        for state in closed:
            if state.opened_at:
                self._close_one(state)
        for state in self.state.stages if closed else ():
            if state.status is StageStatus.OPEN:
                self.record.waits_for(self.waiting(state.stage.id))  # something else may come after it now

    def _close_one(self, state: StageState) -> None:
        self._note_closed(state)
        self._questions.take_back(state.stage.id, self.state.stage(state.stage.id))
        self.record.change_task(
            self._tasks[state.stage.id],
            **_people(state),
            decided=state.status,
            decided_by=tuple(vote.voter for vote in state.votes),
            reason=state.votes[-1].reason if state.votes else "",
            closed_at=state.closed_at,
        )

    def _note_closed(self, state: StageState) -> None:
        rule = {
            StageStatus.EXPIRED: "approval.expired",
            StageStatus.CANCELLED: "approval.cancelled",
            StageStatus.SUPERSEDED: "request.replaced",
        }
        facts = {**self._names(state), "status": state.status}
        by_votes = stage_view.by_votes(state.stage)
        self.record.note(Kind.STAGE_CLOSED, facts, rule=state.rule or rule.get(state.status, by_votes))


_DUE: dict[str, tuple[Kind, Template]] = {
    "remind": (Kind.APPROVERS_REMINDED, "reminder"),
    "warn": (Kind.DEADLINE_NEAR, "deadline-near"),
    "ask-again": (Kind.INFO_LATE, "question"),
    "unanswered": (Kind.INFO_MISSED, "reminder"),
}


def _people(state: StageState) -> dict[str, Any]:
    """Return what the task of a stage says about who decides it."""
    assignees = stage_view.assignees(state)
    return {"assignees": assignees, "removed": state.removed, "late": stage_view.late(state, assignees)}


def _told(state: StageState) -> tuple[PersonRef, ...]:
    """Return who is told that a stage begins: who acts, and those who have delegated it to them (feature row A8)."""
    people = (person for seat in state.empty() for person in state.may_fill(seat))
    return tuple({person.id: person for person in people}.values())
