"""What people see of an approval stage: whom it waits for, until when, who is asked (feature rows A20, W1).

Pure. Nothing here decides anything; `approval` has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog import settling, stage_words, standing, tally, why
from catalog.ballot import ESCALATED, Approvals, Question, StageState, StageStatus, Verdict, Vote
from catalog.calendar import ALWAYS
from catalog.people import PersonRef
from catalog.request import Assignee, Order, Waiting, WaitKind
from catalog.stages import Asked, Quorum, Stage
from catalog.tally import Count
from catalog.text import capital, listed
from catalog.why import Calling
from catalog.wording import Words, begins

_UNANSWERED = {"cancel": "The request is cancelled.", "return": "It is decided without an answer."}


def waiting(state: Approvals, stage: StageState, order: Order, task: str, then: str) -> Waiting:
    """Return what an open stage waits for; `then` says what comes after the last of all stages."""
    if stage.question:
        return _waiting_for_answer(stage, stage.question, order, task)
    agenda = stage.agenda
    words = Calling(order, state)
    unless = stage_words.unless_decided(stage.stage, agenda.level if agenda else 0, words)
    how_many = _how_many(stage, words)
    return Waiting(
        kind=WaitKind.PEOPLE,
        what=f"{stage.stage.name}: {how_many or 'a decision is needed'}",
        who=stage.undecided(),
        on_behalf_of=_on_behalf_of(stage),
        since=stage.opened_at or order.accepted_at,
        until=stage.due_at,
        # Whoever has decided is told nothing, so that nothing of it goes on record.
        next_at=agenda.tells_at([person.id for person in stage.undecided()]) if agenda else None,
        calendar=_calendar(stage, agenda.whose) if agenda else "",
        rule=why.rules(stage),
        why=why.asked(stage, words),
        at_deadline=f"{capital(unless)}.",
        then=_following(state, stage.stage.id, then),
        task=task,
    )


def _on_behalf_of(stage: StageState) -> dict[str, tuple[PersonRef, ...]]:
    """Return by person id in whose place those are asked who stand in (feature row A8)."""
    found: dict[str, list[PersonRef]] = {}
    empty = stage.empty()
    for seat in (*(one for one in empty if stage.stands(one)), *(stage.escalated if empty else ())):
        if seat.deputies:
            found.setdefault(seat.acting.id, []).append(seat.person)
    return {deputy: tuple(people) for deputy, people in found.items()}


def _waiting_for_answer(stage: StageState, question: Question, order: Order, task: str) -> Waiting:
    return Waiting(
        kind=WaitKind.INFORMATION,
        what=f"{question.by.name} asks before deciding “{stage.stage.name}”: {question.text}",
        who=order.people,
        since=question.asked_at,
        until=question.due_at,
        next_at=question.remind_at,
        calendar=_calendar(stage, order.requester.id),
        rule="approval.question",
        at_deadline=_UNANSWERED[stage.stage.unanswered],
        then=f"The decision is awaited again: {stage.stage.name}.",
        task=task,
    )


def _calendar(stage: StageState, person_id: str) -> str:
    """Return the name of the calendar in which somebody's time is counted; empty if it is clock time."""
    own = stage.calendar_of(person_id)
    return own.name if person_id and own.id != ALWAYS.id else ""


def _how_many(stage: StageState, words: Words) -> str:
    """Return what must be approved, in words, where one approval is not enough, and how much of it is."""
    if stage.replaced:
        return ""  # one of those to whom it was escalated decides for all
    counts = settling.counts(stage)
    if len(counts) > 1:
        whole = stage_words.whole(stage.stage.requirement)
        # Where one human counts for one part only, a part by itself says nothing.
        said = stage_words.together(whole, words, () if stage.stage.distinct else tally.met(whole, counts))
    elif _is_everybody(stage, counts[0]):
        approvals = sum(vote.verdict is Verdict.APPROVE for vote in stage.filled().values())
        said = f"everybody asked must approve{_have(approvals)}" if len(stage.slate.seats) > 1 else ""
    else:
        said = _of_group(stage.stage.groups[0], counts[0])
    if joined := [seat.person for seat in stage.slate.seats if seat.joined and not said.startswith("everybody")]:
        said = f"{said or 'one of the others must approve'}; besides, {why.some(joined)} must"
    return f"{said}; or one to whom it was escalated" if said and stage.escalated else said


def _is_everybody(stage: StageState, count: Count) -> bool:
    """Return whether all who are asked in the only group of a stage have to approve, be it one."""
    only = stage.stage.groups[0]
    return only.weight is None and tally.needed(only, count.seats) == count.seats


def _of_group(asked: Asked, count: Count) -> str:
    """Return how many of a group must approve and have, where not all must."""
    if asked.weight is not None:
        return f"weights must come to {asked.weight}{f'; {count.weight} so far' if count.weight else ''}"
    if asked.quorum == "responded":
        return f"one approval is enough once all {count.seats} have answered{_have(count.seats - len(count.open))}"
    number = tally.needed(asked, count.seats)
    if number == 1:
        return ""
    share = f"{asked.quorum.removesuffix('%')} % = " if isinstance(asked.quorum, str) else ""
    return f"{share}{number} of {count.seats} must approve{_have(len(count.humans) + count.above)}"


def _have(number: int) -> str:
    return f"; {number} {'has' if number == 1 else 'have'}" if number else ""


def _following(state: Approvals, stage_id: str, then: str) -> str:
    """Say what comes once this stage has approved."""
    others = [one for one in state.stages if one.stage.id != stage_id]
    undecided = {one.stage.id: one for one in others if one.status in (StageStatus.WAITING, StageStatus.OPEN)}
    following = [one for one in undecided.values() if stage_id in one.after]
    if not following:
        # They may be open beside it, so that they do not come after it.
        beside = [one.stage.name for one in undecided.values()]
        return f"{capital(begins(beside))} as well: {then}" if beside else then
    first = [undecided[name].stage.name for name in following[0].after if name in undecided]
    names = listed(one.stage.name for one in following)
    return f"Next decision{'s' if len(following) > 1 else ''}: {names}{f', {begins(first)}' if first else ''}."


def assignees(stage: StageState) -> tuple[Assignee, ...]:
    """Return everybody who may decide or has decided, each once, and for whom else they may (feature row A8)."""
    found: dict[str, dict[str, Any]] = {}
    filled = stage.filled()
    for seat in stage.slate.seats:
        vote = filled.get(seat.person.id)
        theirs = stage.stands(seat)
        if theirs or (vote and vote.rule != ESCALATED):  # else others decide in their place, and alone
            _add(found, seat.person, vote)["own"] = True
        if vote and vote.voter.id != seat.person.id:
            _add(found, vote.voter, vote, seat.person)
        for deputy in seat.deputies if vote is None and theirs else ():
            _add(found, deputy.person, None, seat.person)
    for above in stage.escalated if stage.empty() else ():
        _add(found, above.person)["escalated"] = True
        for deputy in above.deputies:
            _add(found, deputy.person, None, above.person)
    empty = {seat.person.id for seat in stage.empty() if stage.stands(seat)}
    for person_id in stage.may_act().keys() & found.keys():
        if found[person_id].get("verdict"):  # asked again, mostly in others' place
            found[person_id] |= {"verdict": None, "at": None, "by": None, "own": person_id in empty}
    voters = stage.voters()
    return tuple(Assignee(**one, voted=person_id in voters) for person_id, one in found.items())


def late(stage: StageState, shown: Iterable[Assignee]) -> tuple[str, ...]:
    """Return by id who could have decided had others not done so in their place; `shown` are its `assignees`."""
    return tuple(sorted(standing.everybody_of(stage) - {one.person.id for one in shown}))


def _add(
    found: dict[str, dict[str, Any]], person: PersonRef, vote: Vote | None = None, instead_of: PersonRef | None = None
) -> dict[str, Any]:
    """Add what is known of somebody to what is known already; there may be hundreds of them."""
    known = found.setdefault(person.id, {"person": person, "own": False})
    if vote and "verdict" not in known:
        known |= {"verdict": vote.verdict, "at": vote.at, "by": vote.voter if vote.voter.id != person.id else None}
    if instead_of:
        known["on_behalf_of"] = (*known.get("on_behalf_of", ()), instead_of)
    return known


def why_fallen(stage: StageState | None, vote: Vote) -> str:
    """Return the rule by which a vote no longer counts after an amendment; `stage` is what has become of its stage."""
    if stage is None or stage.rule.startswith("auto."):
        return "approval.not-needed"
    return "approval.amended" if vote.subject != stage.subject else "approval.not-carried"


def quorum(stage: Stage) -> Quorum | None:
    """Return how many of those asked must approve; None where an expression says it."""
    return stage.quorum if stage.decide is None else None


def needs(state: Approvals, stage: StageState, order: Order) -> str:
    """Return in sentences what must be approved; empty where one of those asked is enough."""
    return stage_words.in_full(stage.stage, Calling(order, state))


def by_votes(stage: Stage) -> str:
    """Return the id of the rule by which votes close a stage."""
    if stage.decide is None:
        return f"approval.{stage.quorum}"
    return "approval.weight" if stage.groups[0].weight and len(stage.groups) == 1 else "approval.expression"


def facts(state: Approvals, stage: StageState, order: Order) -> dict[str, Any]:
    """Return what goes on record when a stage begins."""
    found: dict[str, Any] = {
        "stage": stage.stage.id,
        "name": stage.stage.name,
        "approvers": named(stage.slate.people),
        "quorum": quorum(stage.stage),
        "due_at": stage.due_at.isoformat() if stage.due_at else None,
        "rule": stage.slate.rule,
    }
    if not isinstance(found["quorum"], int) and found["quorum"] not in ("any", "all"):
        # Not of these: a request of a release that knew nothing else is replayed to the same entries, else the chain
        # of its journal would break.
        found["needs"] = needs(state, stage, order)
    deputies = {seat.person.name: seat.acting.name for seat in stage.slate.seats if seat.deputies}
    if deputies:
        found["deputies"] = deputies
    if stage.round > 1:
        found["round"] = stage.round
    return found | hours(stage, stage.slate.people)


def hours(stage: StageState, people: Iterable[PersonRef]) -> dict[str, dict[str, str]]:
    """Return as a fact whose working time is which calendar, as far as that is known: their clocks follow it."""
    known = stage.slate.hours
    found = {person.id: known[person.id] for person in people if person.id in known}
    return {"hours": found} if found else {}


def named(people: Iterable[PersonRef]) -> list[dict[str, str]]:
    """Return people as the record names them."""
    return [{"id": person.id, "name": person.name, "login": person.login} for person in people]
