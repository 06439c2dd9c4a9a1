"""What approvals are made of: votes, stages, events, answers. Values only; `approval` says what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Literal

from catalog.agenda import Agenda
from catalog.calendar import Calendar
from catalog.model import Model
from catalog.people import PersonRef
from catalog.plan import PlannedStage
from catalog.slate import NOBODY, Parties, Seat, Slate
from catalog.stages import Stage
from catalog.text import cut

BRIEF = 500
"""Characters that are kept of what people wrote, where the journal is not at hand."""


class Verdict(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    REJECT = "reject"


class StageStatus(StrEnum):
    """Where a stage stands."""

    WAITING = "waiting"
    OPEN = "open"
    APPROVED = "approved"
    SKIPPED = "skipped"
    """Nobody decided in time, and the item says that it goes on without."""
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """What was to be decided has been replaced by something else."""


PASSED = (StageStatus.APPROVED, StageStatus.SKIPPED)
"""What lets the next stage begin."""
CARRIED = "approval.already-approved"
"""The rule by which an approval counts on another stage too (feature row A6)."""
ESCALATED = "approval.escalated"
"""The rule by which somebody decides for those who have not decided in time (feature row A13)."""


class Vote(Model):
    """One human's decision on one stage; `rule` is set when the platform counted it for a reason of its own.

    Attributes:
        seats: whose seats it fills, by person id: the voter's own, and those they stand in for (feature row A8).
        subject: digest of what was decided on (feature row A22).
    """

    voter: PersonRef
    verdict: Verdict
    at: datetime
    reason: str = ""
    rule: str = ""
    seats: tuple[str, ...] = ()
    subject: str = ""


class Question(Model):
    """What an approver asks the requester before they decide (feature row A10).

    Attributes:
        own_time: whether afterwards everybody has left what they had of their own time; see `agenda.resume_as_before`.
    """

    by: PersonRef
    text: str
    asked_at: datetime
    remind_at: datetime | None = None
    due_at: datetime
    own_time: bool = False


class Advice(Model):
    """What somebody is asked who does not decide, and what they say (feature row A9)."""

    person: PersonRef
    by: PersonRef
    question: str
    asked_at: datetime
    text: str = ""
    given_at: datetime | None = None


class StageState(Model):
    """One stage and what has happened to it.

    Attributes:
        subject: digest of what is decided on.
        after: the stages that must have approved before it opens.
        agenda: what time brings to it while it is open.
        rule: the one that closed it without a vote, or approved it without asking anybody.
        question: what it waits for instead of a decision.
        questions: how many there were.
        advice: whom an approver has asked for theirs.
        escalated: the seats of those who may fill every seat that is left because it was not filled in time.
        replaced: whether only these may now.
        removed: who was asked once and is no longer, by id.
        nudged_at: when who waits last asked for a decision.
        round: how many times it was asked, since what is decided on has changed.
    """

    stage: Stage
    subject: str = ""
    after: tuple[str, ...] = ()
    status: StageStatus = StageStatus.WAITING
    slate: Slate = NOBODY
    agenda: Agenda | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    votes: tuple[Vote, ...] = ()
    rule: str = ""
    question: Question | None = None
    questions: int = 0
    advice: tuple[Advice, ...] = ()
    escalated: tuple[Seat, ...] = ()
    replaced: bool = False
    removed: tuple[str, ...] = ()
    nudged_at: datetime | None = None
    round: int = 1

    @property
    def due_at(self) -> datetime | None:
        """When the time of those asked now is over."""
        return self.agenda.due_at if self.agenda else None

    @property
    def acts_in(self) -> Calendar | None:
        """The working time in which alone it is decided, if there is one (feature row A24)."""
        return self.slate.calendars.get(self.stage.acts_in or "")

    @property
    def next_at(self) -> datetime | None:
        """When time will bring the next change; None once it is closed."""
        if self.status is not StageStatus.OPEN:
            return None
        if self.question:
            return self.question.remind_at or self.question.due_at
        return self.agenda.next_at if self.agenda else None

    def in_brief(self) -> StageState:
        """Return it with what people wrote about it cut short."""
        votes = tuple(vote.model_copy(update={"reason": cut(vote.reason, BRIEF)}) for vote in self.votes)
        advice = tuple(
            one.model_copy(update={"question": cut(one.question, BRIEF), "text": cut(one.text, BRIEF)})
            for one in self.advice
        )
        return self.model_copy(update={"votes": votes, "advice": advice})

    def calendar_of(self, person_id: str) -> Calendar:
        """Return in which calendar somebody's time for this stage is counted."""
        return self.slate.calendar_on(self.stage, person_id)

    def filled(self) -> dict[str, Vote]:
        """Return the votes by the seats they fill."""
        return {seat: vote for vote in self.votes for seat in vote.seats}

    def voters(self) -> set[str]:
        """Return who has voted, by id."""
        return {vote.voter.id for vote in self.votes}

    def empty(self) -> tuple[Seat, ...]:
        """Return the seats that no vote has filled."""
        if not self.votes:
            return self.slate.seats
        filled = self.filled()
        return tuple(seat for seat in self.slate.seats if seat.person.id not in filled)

    def undecided(self) -> tuple[PersonRef, ...]:
        """Return who is expected to decide: of each empty seat the one who acts, and those it was escalated to."""
        empty = self.empty()
        if not empty:
            return ()
        acting = [seat.acting for seat in (*(one for one in empty if self.stands(one)), *self.escalated)]
        return tuple({person.id: person for person in acting}.values())

    @property
    def is_awaited(self) -> bool:
        """Whether anybody is expected to decide: see `undecided`."""
        empty = self.empty()
        return bool(empty) and (bool(self.escalated) or any(self.stands(seat) for seat in empty))

    def may_act(self) -> dict[str, PersonRef]:
        """Return everybody who may fill an empty seat, by id: also those who have delegated."""
        return {person.id: person for seat in self.empty() for person in self.may_fill(seat)}

    def stands(self, seat: Seat) -> bool:
        """Return whether a seat is still for whom it was given to, and not for others instead."""
        return seat.stays or not self.replaced

    def may_fill(self, seat: Seat) -> Iterator[PersonRef]:
        """Yield who may fill a seat."""
        if self.stands(seat):
            yield from seat.fillers
        yield from (person for above in self.escalated for person in above.fillers)

    def fills(self, person_id: str, seat: Seat, at: datetime, not_for: Collection[str] = ()) -> bool:
        """Return whether somebody may fill a seat at that moment; `not_for` are those in whose place they do not."""
        if self.stands(seat) and seat.person.id not in not_for and seat.filled_by(person_id, at):
            return True
        return any(one.filled_by(person_id, at) for one in self.escalated if one.person.id not in not_for)

    def levels(self) -> tuple[int, int] | None:
        """Return which levels of escalation may decide now, from and to; None if it was not escalated."""
        level = self.agenda.level if self.agenda else 0
        replaced = [at for at in range(level) if self.stage.escalate[at].how == "replace"]
        return (replaced[-1] if replaced else 0, level) if level else None

    def others(self) -> tuple[PersonRef, ...]:
        """Return those whom no rule names: they were handed a decision, or an approver asked for them."""
        seats = (*self.slate.seats, *self.escalated)
        return tuple({seat.person.id: seat.person for seat in seats if seat.joined or seat.instead_of}.values())


class Approvals(Model):
    """The approvals of one request.

    Attributes:
        parties: whose request it is, and what is decided on.
        stages: in the order they are written.
    """

    parties: Parties
    stages: tuple[StageState, ...]

    @property
    def outcome(self) -> StageStatus:
        """WAITING while undecided, else how the request's approvals ended."""
        found = {state.status for state in self.stages}
        # A refusal calls off what is open beside it, so it counts before that.
        ends = (StageStatus.REJECTED, StageStatus.EXPIRED, StageStatus.CANCELLED, StageStatus.SUPERSEDED)
        for end in ends:
            if end in found:
                return end
        return StageStatus.APPROVED if found <= set(PASSED) else StageStatus.WAITING

    def ready(self) -> tuple[StageState, ...]:
        """Return the stages that may open now; none once the outcome stands."""
        if self.outcome is not StageStatus.WAITING:
            return ()
        passed = {state.stage.id for state in self.stages if state.status in PASSED}
        waiting = (state for state in self.stages if state.status is StageStatus.WAITING)
        return tuple(state for state in waiting if passed.issuperset(state.after))

    def in_brief(self) -> Approvals:
        """Return what another run has to know of them: what people wrote is cut short, the journal has all of it."""
        return self.model_copy(update={"stages": tuple(stage.in_brief() for stage in self.stages)})

    def stage(self, stage_id: str) -> StageState | None:
        """Return the stage of that id."""
        return next((state for state in self.stages if state.stage.id == stage_id), None)


class _OnStage(Model):
    """What is about one stage."""

    stage: str


class Open(_OnStage):
    """The stage begins, with these people to ask."""

    kind: Literal["open"] = "open"
    slate: Slate


class Cast(_OnStage):
    """A human decides.

    Attributes:
        subject: the digest of what they saw, if their client says so.
        not_for: in whose place they no longer decide, by id, although that has not been looked up yet.
    """

    kind: Literal["cast"] = "cast"
    voter: PersonRef
    verdict: Verdict
    reason: str = ""
    subject: str | None = None
    not_for: tuple[str, ...] = ()


class Withdraw(_OnStage):
    """A human takes their vote back, to think again (feature row A21).

    Attributes:
        not_for: in whose place they no longer are, by id: what they have decided only for these stands.
    """

    kind: Literal["withdraw"] = "withdraw"
    voter: PersonRef
    not_for: tuple[str, ...] = ()


class Resolve(_OnStage):
    """The people were looked up again: somebody left, a group changed, a delegation began or ended.

    Attributes:
        above: those to whom it was escalated, if it was.
        others: of those whom no rule names, who was found.
        gone: who of them was not, by id.
    """

    kind: Literal["resolve"] = "resolve"
    slate: Slate
    above: Slate | None = None
    others: Slate = NOBODY
    gone: tuple[str, ...] = ()


class Escalate(_OnStage):
    """Those to whom it goes because time was over were looked up."""

    kind: Literal["escalate"] = "escalate"
    slate: Slate


class Hand(_OnStage):
    """Somebody's seat goes to another (feature row A9); `operator` says that one of these does it."""

    kind: Literal["hand"] = "hand"
    by: PersonRef
    seat: str
    to: PersonRef
    operator: bool = False


class Join(_OnStage):
    """An approver wants somebody else to approve as well (feature row A9)."""

    kind: Literal["join"] = "join"
    by: PersonRef
    person: PersonRef


class Consult(_OnStage):
    """An approver asks somebody's advice, which binds nobody (feature row A9)."""

    kind: Literal["consult"] = "consult"
    by: PersonRef
    person: PersonRef
    question: str


class Advise(_OnStage):
    """Somebody gives the advice they were asked for."""

    kind: Literal["advise"] = "advise"
    by: PersonRef
    text: str


class Ask(_OnStage):
    """An approver sends it back with a question (feature row A10); `own_time`: see `Question`."""

    kind: Literal["ask"] = "ask"
    by: PersonRef
    text: str
    own_time: bool = True


class Answer(_OnStage):
    """The requester answers."""

    kind: Literal["answer"] = "answer"
    by: PersonRef


class Nudge(_OnStage):
    """Who waits for a decision asks for it; `operator` says that one of these does."""

    kind: Literal["nudge"] = "nudge"
    by: PersonRef
    operator: bool = False


class Tick(_OnStage):
    """Time has passed."""

    kind: Literal["tick"] = "tick"


class Amend(Model):
    """What is decided on has changed: the plan was computed again (feature row A22).

    Attributes:
        planned: what becomes of each stage now.
        subjects: by stage, the digest of what is decided on.
        by_stage: the stage whose approver changed it (feature row A11): it stays open with the same people.
    """

    kind: Literal["amend"] = "amend"
    by_stage: str = ""
    planned: tuple[PlannedStage, ...]
    subjects: dict[str, str]


class Cancel(Model):
    """The request is called off."""

    kind: Literal["cancel"] = "cancel"


class Supersede(Model):
    """Another request takes this one's place."""

    kind: Literal["supersede"] = "supersede"


StageEvent = Open | Cast | Withdraw | Resolve | Escalate | Hand | Join | Consult | Advise | Ask | Answer | Nudge | Tick
Event = StageEvent | Amend | Cancel | Supersede


class Due(Model):
    """What somebody has to see to now that time has passed or people are gone.

    Attributes:
        kind: ``remind`` and ``warn`` those people; ``escalate``: look up who decides instead; ``ask-again``: remind the
            requester of the question; ``unanswered``: it came back without an answer; ``nobody``: too few are left who
            may decide.
        nth: the how many-th reminder, or the level it is escalated to.
    """

    kind: Literal["remind", "warn", "escalate", "ask-again", "unanswered", "nobody"]
    stage: str
    people: tuple[PersonRef, ...] = ()
    nth: int = 0


class Change(Model):
    """An event that counted.

    Attributes:
        state: the state after it.
        vote: the vote it added, if any.
        carried: the stages on which the vote counts too, with the votes added there.
        fallen: votes that no longer count, by stage.
        closed: the stages it closed, as they stand now; the one it was about first.
        asked: who may decide from now on and could not before.
        gone: who may no longer.
        due: what somebody has to see to.
        later: who is reminded only then, because they do not work now; it comes due by itself.
    """

    state: Approvals
    vote: Vote | None = None
    carried: tuple[tuple[str, Vote], ...] = ()
    fallen: tuple[tuple[str, Vote], ...] = ()
    closed: tuple[StageState, ...] = ()
    asked: tuple[PersonRef, ...] = ()
    gone: tuple[PersonRef, ...] = ()
    due: tuple[Due, ...] = ()
    later: tuple[tuple[datetime, tuple[PersonRef, ...]], ...] = ()


RefusalCode = Literal[
    "self-approval", "not-approver", "no-longer-asked", "stage-closed", "stage-not-open", "already-decided",
    "subject-changed", "unknown-stage", "not-now", "not-voted", "already-asked", "question-open", "no-question",
    "nothing-due", "too-many", "too-few",
]  # fmt: skip


class Refusal(Model):
    """An event that did not count, and why.

    Attributes:
        code: stable, clients match on it.
        message: the reason in a sentence, with the outcome and who decided where there is one.
    """

    code: RefusalCode
    message: str
