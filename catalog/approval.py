"""Approvals: who is asked, and what a sequence of votes means. A pure, total reducer.

`apply(state, event, at)` answers every event in every state: either a `Change` (the next state and the facts to
record) or a `Refusal` with a stable code and the reason. Nobody approves for themselves: the ban on requester
and beneficiary is checked on the human who votes, at the moment of the vote (feature rows A6, A7, A21). How
people are found is the directory connector's business, waiting for them the workflow's.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal, assert_never

from catalog.model import Model
from catalog.people import Person, PersonRef
from catalog.plan import PlannedStage
from catalog.stages import Stage


class Verdict(StrEnum):
    """What an approver says."""

    APPROVE = "approve"
    REJECT = "reject"


class StageStatus(StrEnum):
    """Where a stage stands."""

    WAITING = "waiting"
    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Rung(Model):
    """One step of the ladder by which approvers are found.

    Attributes:
        rule: the id of the rule that named these people, for example ``approver.manager``.
        people: whom it named, whether or not they may decide.
    """

    rule: str
    people: tuple[Person, ...]


class Skipped(Model):
    """Somebody a rule named who is not asked, and by which rule not."""

    person: PersonRef
    rule: Literal["approval.skip-inactive", "approval.skip-requester", "approval.skip-beneficiary"]


class Slate(Model):
    """Who is asked to decide a stage.

    Attributes:
        people: the approvers, each human once, in the order the rules named them; empty when nobody may decide.
        rule: the rung that was taken.
        skipped: who was passed over on the way, and why (feature row A6).
    """

    people: tuple[PersonRef, ...] = ()
    rule: str = ""
    skipped: tuple[Skipped, ...] = ()


class Vote(Model):
    """One human's decision on one stage; `rule` is set when the platform cast it for a reason of its own."""

    voter: PersonRef
    verdict: Verdict
    at: datetime
    reason: str = ""
    rule: str = ""


class StageState(Model):
    """One stage and what has happened to it.

    Attributes:
        after: the stages that must have approved before it opens.
        rule: the one that approved it without asking anybody.
    """

    stage: Stage
    after: tuple[str, ...] = ()
    status: StageStatus = StageStatus.WAITING
    slate: Slate = Slate()
    opened_at: datetime | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    votes: tuple[Vote, ...] = ()
    rule: str = ""

    def undecided(self) -> tuple[PersonRef, ...]:
        """Return the approvers who have not voted."""
        voted = {vote.voter.id for vote in self.votes}
        return tuple(person for person in self.slate.people if person.id not in voted)


class Approvals(Model):
    """The approvals of one request.

    Attributes:
        requester_id, beneficiary_id: the two humans who never decide.
        subject: digest of what is voted on (item, answers, beneficiary).
        stages: in the order they are written.
    """

    requester_id: str
    beneficiary_id: str
    subject: str
    stages: tuple[StageState, ...]

    @property
    def outcome(self) -> StageStatus:
        """WAITING while undecided, else how the request's approvals ended."""
        found = {state.status for state in self.stages}
        # A refusal calls off what is open beside it, so it counts before that.
        for end in (StageStatus.REJECTED, StageStatus.EXPIRED, StageStatus.CANCELLED):
            if end in found:
                return end
        return StageStatus.APPROVED if found <= {StageStatus.APPROVED} else StageStatus.WAITING

    def ready(self) -> tuple[StageState, ...]:
        """Return the stages that may open now; none once the outcome stands."""
        if self.outcome is not StageStatus.WAITING:
            return ()
        approved = {state.stage.id for state in self.stages if state.status is StageStatus.APPROVED}
        waiting = (state for state in self.stages if state.status is StageStatus.WAITING)
        return tuple(state for state in waiting if approved.issuperset(state.after))

    def stage(self, stage_id: str) -> StageState | None:
        """Return the stage of that id."""
        return next((state for state in self.stages if state.stage.id == stage_id), None)


class Open(Model):
    """The next stage begins, with these people to ask."""

    kind: Literal["open"] = "open"
    stage: str
    slate: Slate


class Cast(Model):
    """A human decides.

    Attributes:
        subject: the digest of what they saw, if their client says so.
    """

    kind: Literal["cast"] = "cast"
    stage: str
    voter: PersonRef
    verdict: Verdict
    reason: str = ""
    subject: str | None = None


class Expire(Model):
    """A stage's time is over."""

    kind: Literal["expire"] = "expire"
    stage: str


class Cancel(Model):
    """The request is called off."""

    kind: Literal["cancel"] = "cancel"


Event = Open | Cast | Expire | Cancel


class Change(Model):
    """An event that counted.

    Attributes:
        state: the state after it.
        vote: the vote it added, if any.
        carried: the stages on which the vote counts too, with the votes added there.
        closed: the stages it closed, as they stand now; the one it was about first.
    """

    state: Approvals
    vote: Vote | None = None
    carried: tuple[tuple[str, Vote], ...] = ()
    closed: tuple[StageState, ...] = ()


class Refusal(Model):
    """An event that did not count, and why.

    Attributes:
        code: ``self-approval``, ``not-approver``, ``stage-closed``, ``stage-not-open``, ``already-decided``,
            ``subject-changed`` or ``unknown-stage``; stable, clients match on it.
        message: the reason in a sentence, with the outcome and who decided where there is one.
    """

    code: Literal[
        "self-approval",
        "not-approver",
        "stage-closed",
        "stage-not-open",
        "already-decided",
        "subject-changed",
        "unknown-stage",
    ]
    message: str


def begin(planned: tuple[PlannedStage, ...], requester_id: str, beneficiary_id: str, subject: str) -> Approvals:
    """Return the approvals of a new request; if it needs no stage they are approved at once.

    A stage that a rule approves is so from the beginning, without asking anybody (feature row A23).
    """
    return Approvals(
        requester_id=requester_id,
        beneficiary_id=beneficiary_id,
        subject=subject,
        stages=tuple(
            StageState(
                stage=one.stage,
                after=one.after,
                status=StageStatus.APPROVED if one.auto else StageStatus.WAITING,
                rule=one.auto,
            )
            for one in planned
            if one.needed
        ),
    )


def slate(rungs: tuple[Rung, ...], requester_id: str, beneficiary_id: str) -> Slate:
    """Return whom to ask: the first rung that names somebody who may decide.

    Inactive people, the requester and the beneficiary are passed over on every rung, so that they come in by no
    fallback either. An empty slate means that nobody on the ladder may decide.
    """
    skipped: dict[str, Skipped] = {}
    for rung in rungs:
        asked: dict[str, PersonRef] = {}
        for person in rung.people:
            rule = _why_skipped(person, requester_id, beneficiary_id)
            if rule is None:
                asked.setdefault(person.id, person.ref())
            else:
                skipped.setdefault(person.id, Skipped(person=person.ref(), rule=rule))
        if asked:
            return Slate(people=tuple(asked.values()), rule=rung.rule, skipped=tuple(skipped.values()))
    return Slate(skipped=tuple(skipped.values()))


def _why_skipped(
    person: Person, requester_id: str, beneficiary_id: str
) -> Literal["approval.skip-inactive", "approval.skip-requester", "approval.skip-beneficiary"] | None:
    if person.id == requester_id:
        return "approval.skip-requester"
    if person.id == beneficiary_id:
        return "approval.skip-beneficiary"
    return None if person.active else "approval.skip-inactive"


def apply(state: Approvals, event: Event, at: datetime) -> Change | Refusal:
    """Return what the event makes of the state at that moment; total: no pair of state and event raises."""
    if isinstance(event, Cancel):
        return _cancel(state, at)
    found = state.stage(event.stage)
    if found is None:
        return Refusal(code="unknown-stage", message=f"This request has no approval stage {event.stage!r}.")
    match event:
        case Open():
            return _open(state, found, event, at)
        case Cast():
            return _cast(state, found, event, at)
        case Expire():
            return _expire(state, found, at)
        case _:
            assert_never(event)


def _open(state: Approvals, found: StageState, event: Open, at: datetime) -> Change | Refusal:
    if found.stage.id not in {ready.stage.id for ready in state.ready()}:
        return Refusal(
            code="stage-not-open", message=f"Stage {found.stage.name!r} cannot begin now: it is {found.status}."
        )
    people = {p.id: p for p in event.slate.people if p.id not in (state.requester_id, state.beneficiary_id)}
    if not enough(found.stage, len(people)):
        return Refusal(code="not-approver", message=f"Too few may decide stage {found.stage.name!r}: {len(people)}.")
    opened = found.model_copy(
        update={
            "status": StageStatus.OPEN,
            "slate": event.slate.model_copy(update={"people": tuple(people.values())}),
            "opened_at": at,
            "due_at": at + found.stage.decide_within,
        }
    )
    return _settle(state, _carry_over(state, opened, at), at, None)


def _carry_over(state: Approvals, opened: StageState, at: datetime) -> StageState:
    """Count people who approved another stage: nobody is asked the same thing twice (feature row A6)."""
    approved = {v.voter.id for s in state.stages for v in s.votes if v.verdict is Verdict.APPROVE}
    votes = tuple(_carried(person, at) for person in opened.slate.people if person.id in approved)
    return opened.model_copy(update={"votes": votes})


def _carry_beside(change: Change, vote: Vote) -> Change:
    """Count an approval on the stages that are open beside its own as well."""
    state, carried, closed = change.state, [], list(change.closed)
    for stage in state.stages:
        if stage.status is StageStatus.OPEN and vote.voter.id in {person.id for person in stage.undecided()}:
            also = _carried(vote.voter, vote.at)
            settled = _settle(state, stage.model_copy(update={"votes": (*stage.votes, also)}), vote.at, also)
            state = settled.state
            carried.append((stage.stage.id, also))
            closed += settled.closed
    return Change(state=state, vote=vote, carried=tuple(carried), closed=tuple(closed))


def _carried(voter: PersonRef, at: datetime) -> Vote:
    return Vote(voter=voter, verdict=Verdict.APPROVE, at=at, rule="approval.already-approved")


def _cast(state: Approvals, found: StageState, event: Cast, at: datetime) -> Change | Refusal:
    refusal = _refuse_vote(state, found, event)
    if refusal:
        return refusal
    vote = Vote(voter=event.voter, verdict=event.verdict, at=at, reason=event.reason)
    change = _settle(state, found.model_copy(update={"votes": (*found.votes, vote)}), at, vote)
    return _carry_beside(change, vote) if event.verdict is Verdict.APPROVE else change


def _refuse_vote(state: Approvals, found: StageState, event: Cast) -> Refusal | None:
    """Return why this vote does not count, the gravest reason first."""
    if event.voter.id in (state.requester_id, state.beneficiary_id):
        return Refusal(code="self-approval", message="Nobody decides a request of their own or one for themselves.")
    if event.voter.id not in {person.id for person in found.slate.people}:
        if found.status is StageStatus.WAITING:
            return Refusal(code="stage-not-open", message=f"Stage {found.stage.name!r} has not begun.")
        return Refusal(code="not-approver", message=f"You are not among the approvers of stage {found.stage.name!r}.")
    if found.status is not StageStatus.OPEN:
        return Refusal(code="stage-closed", message=said(found))
    if event.voter.id not in {person.id for person in found.undecided()}:
        return Refusal(code="already-decided", message=f"You have already decided. {said(found)}")
    if event.subject is not None and event.subject != state.subject:
        return Refusal(code="subject-changed", message="The request has changed since you saw it; look at it again.")
    return None


def _expire(state: Approvals, found: StageState, at: datetime) -> Change | Refusal:
    if found.status is StageStatus.WAITING:
        return Refusal(code="stage-not-open", message=said(found))
    if found.status is not StageStatus.OPEN:
        return Refusal(code="stage-closed", message=said(found))
    return _close(state, found, StageStatus.EXPIRED, at, None)


def _cancel(state: Approvals, at: datetime) -> Change | Refusal:
    if state.outcome is not StageStatus.WAITING:
        last = next((s for s in reversed(state.stages) if s.closed_at and s.status is state.outcome), None)
        return Refusal(code="stage-closed", message=said(last) if last else "There is nothing left to approve.")
    state, dropped = _call_off(state, (StageStatus.OPEN, StageStatus.WAITING), at)
    return Change(state=state, closed=dropped)


def _settle(state: Approvals, stage: StageState, at: datetime, vote: Vote | None) -> Change:
    """Close the stage if its votes decide it, else keep it open."""
    approvals = sum(v.verdict is Verdict.APPROVE for v in stage.votes)
    rejections = len(stage.votes) - approvals
    everybody = len(stage.slate.people)
    needed = votes_needed(stage)
    approved, rejected = approvals >= needed, rejections > everybody - needed
    if approved or rejected:
        return _close(state, stage, StageStatus.APPROVED if approved else StageStatus.REJECTED, at, vote)
    return Change(state=_replace(state, stage), vote=vote)


def enough(stage: Stage, people: int) -> bool:
    """Return whether a stage could be approved by so many people."""
    return people >= (stage.quorum if isinstance(stage.quorum, int) else 1)


def votes_needed(stage: StageState) -> int:
    """Return how many of those asked must approve."""
    everybody = len(stage.slate.people)
    match stage.stage.quorum:
        case "any":
            return 1
        case "all":
            return everybody
        case number:
            return number


def _close(state: Approvals, stage: StageState, status: StageStatus, at: datetime, vote: Vote | None) -> Change:
    """Close a stage; if that decides the request, what is open beside it is called off."""
    closed = stage.model_copy(update={"status": status, "closed_at": at})
    state = _replace(state, closed)
    if status is StageStatus.APPROVED:
        return Change(state=state, vote=vote, closed=(closed,))
    state, dropped = _call_off(state, (StageStatus.OPEN,), at)
    return Change(state=state, vote=vote, closed=(closed, *dropped))


def _call_off(
    state: Approvals, which: tuple[StageStatus, ...], at: datetime
) -> tuple[Approvals, tuple[StageState, ...]]:
    """Return the state without the stages that stand like that, and those."""
    update = {"status": StageStatus.CANCELLED, "closed_at": at}
    dropped = tuple(s.model_copy(update=update) for s in state.stages if s.status in which)
    for stage in dropped:
        state = _replace(state, stage)
    return state, dropped


def _replace(state: Approvals, stage: StageState) -> Approvals:
    stages = tuple(stage if s.stage.id == stage.stage.id else s for s in state.stages)
    return state.model_copy(update={"stages": stages})


def said(stage: StageState) -> str:
    """Return where a stage stands and who decided, in a sentence."""
    name = f"Stage {stage.stage.name!r}"
    who = ", ".join(f"{vote.voter.name} ({vote.verdict})" for vote in stage.votes)
    match stage.status:
        case StageStatus.APPROVED if stage.rule:
            return f"{name} was approved by the rule {stage.rule}."
        case StageStatus.APPROVED | StageStatus.REJECTED:
            return f"{name} was {stage.status} by {who}."
        case StageStatus.EXPIRED:
            return f"{name} expired without a decision."
        case StageStatus.CANCELLED:
            return f"{name} was cancelled with the request."
        case StageStatus.WAITING:
            return f"{name} has not begun."
        case StageStatus.OPEN:
            return f"{name} is open; so far: {who or 'no decision'}."
        case _:
            assert_never(stage.status)
