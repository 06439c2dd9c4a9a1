"""What an amendment makes of approvals: which stages are needed now, which votes hold (part of `approval`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from catalog.ballot import PASSED, Amend, Approvals, Change, Refusal, StageState, StageStatus, Vote
from catalog.plan import PlannedStage
from catalog.settling import asked_anew, besides, joined_in, orphans_of, suffices, with_stage, without
from catalog.standing import how_it_ended


def as_planned(one: PlannedStage, subjects: Mapping[str, str]) -> StageState:
    """Return a stage that nothing has happened to yet; one that a rule approves is so from the beginning."""
    return StageState(
        stage=one.stage,
        subject=subjects.get(one.stage.id, ""),
        after=one.after,
        status=StageStatus.APPROVED if one.auto else StageStatus.WAITING,
        rule=one.auto,
    )


def amend(state: Approvals, event: Amend, at: datetime) -> Change | Refusal:
    """Carry over what still holds: a stage keeps its votes if nothing changed of what they were cast on."""
    if state.outcome is not StageStatus.WAITING:
        return Refusal(code="stage-closed", message=how_it_ended(state))
    planned = [(as_planned(one, event.subjects), state.stage(one.stage.id)) for one in event.planned if one.needed]
    stay = _staying(state, planned)
    stages = tuple(_amended(old, new, stay.get(new.stage.id), event) if old else new for new, old in planned)
    fallen = tuple(
        (old.stage.id, vote) for old in state.stages for vote in old.votes if vote not in stay.get(old.stage.id, ())
    )
    open_ = {stage.stage.id for stage in stages if stage.status is StageStatus.OPEN}
    before = [old for old in state.stages if old.status is StageStatus.OPEN]
    closed = tuple(_superseded(old, at) for old in before if old.stage.id not in open_)
    change = Change(state=state.model_copy(update={"stages": stages}), fallen=fallen, closed=closed)
    for old in before:
        now = change.state.stage(old.stage.id)
        if not now or now.status is not StageStatus.OPEN or now.votes == old.votes:
            continue
        if old.stage.id == event.by_stage:  # the vote that follows at once settles it
            expected = now.model_copy(update={"agenda": joined_in(old, now, at)})
            change = change.model_copy(update={"state": with_stage(change.state, expected)})
        else:
            change = besides(change, asked_anew(change.state, old, now, at))
    return change


def _staying(state: Approvals, planned: Iterable[tuple[StageState, StageState | None]]) -> dict[str, tuple[Vote, ...]]:
    """Return the stages that still decide the same, with the votes that stay: not what falls with others elsewhere.

    What was taken back elsewhere after it had decided a stage stays here: nothing has changed for that stage now.
    """
    kept = [old for new, old in planned if old and _still_holds(old, new)]
    base = state.model_copy(update={"stages": tuple(kept)})
    fall = {old.stage.id: set(orphans_of(base, old)) - set(orphans_of(state, old)) for old in kept}
    return {old.stage.id: tuple(vote for vote in old.votes if vote not in fall[old.stage.id]) for old in kept}


def _amended(old: StageState, new: StageState, votes: tuple[Vote, ...] | None, event: Amend) -> StageState:
    """Return what becomes of a stage; `votes` are those that stay, None if it decides something else now."""
    again = old.round + 1 if old.opened_at else old.round
    left = without(old, [vote for vote in old.votes if vote not in (votes or ())])
    if votes is None:
        if old.stage.id != event.by_stage or old.status is not StageStatus.OPEN:
            return new.model_copy(update={"round": again})
        return left.model_copy(update={"subject": new.subject, "after": new.after, "round": again})
    if old.status in PASSED and old.rule == "" and not suffices(left):
        # Votes had decided it, and too few of them are left: these count when it begins once more.
        return new.model_copy(update={"slate": left.slate, "votes": left.votes, "round": again})
    return left.model_copy(update={"after": new.after})


def _still_holds(old: StageState, new: StageState) -> bool:
    """Return whether nothing has changed of what a stage decides on, nor of whether people decide it."""
    by_rule = old.rule.startswith("auto.")
    return old.subject == new.subject and (old.rule == new.rule if by_rule or new.rule else True)


def _superseded(stage: StageState, at: datetime) -> StageState:
    return stage.model_copy(update={"status": StageStatus.SUPERSEDED, "closed_at": at, "rule": "approval.amended"})
