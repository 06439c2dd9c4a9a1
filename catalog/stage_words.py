"""What an approval stage says, in words: who must approve, when people are reminded, what comes of silence.

For authors and for those who are asked; what a stage of a particular request waits for is `stage_view`'s business, and
what the rest of an item says `wording`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Protocol

from catalog.duration import Working
from catalog.duration import words as lasting
from catalog.stages import (
    AllOf,
    AnyOf,
    ApproverRule,
    Asked,
    ByItemOwner,
    ByManager,
    ByPerson,
    Escalation,
    Quorum,
    Requirement,
    Stage,
    leaves,
    parts_of,
)
from catalog.text import capital, listed


class Voice(Protocol):
    """How people, answers and calendars are called."""

    def approver(self, rule: ApproverRule) -> str:
        """Return whom a rule names."""
        ...

    def answers(self, names: Iterable[str]) -> str:
        """Return what fields are called, as a list in a sentence."""
        ...


def quorum(needed: Quorum) -> str:
    """Return how many of those asked must approve, as a sentence."""
    match needed:
        case "any":
            return "One of them decides."
        case "responded":
            return "One approval is enough, once all of them have answered."
        case _:
            return f"{capital(_many(needed))} of them must approve."


def _many(needed: Quorum) -> str:
    """Return a quorum as the beginning of what it is a part of."""
    match needed:
        case "any" | "responded":
            return "one"
        case str(share) if share.endswith("%"):
            return f"{share[:-1]} %"
        case _:
            return str(needed)


def people(rules: Iterable[ApproverRule], voice: Voice) -> str:
    """Return whom several rules name, each once, with what they weigh where that is not the same for all."""
    return listed(dict.fromkeys(_weighed(rule, voice) for rule in rules))


def _weighed(rule: ApproverRule, voice: Voice) -> str:
    return voice.approver(rule) if rule.weight == 1 else f"{voice.approver(rule)} (weighing {rule.weight} each)"


def asks(stage: Stage, voice: Voice) -> str:
    """Return whom a stage asks, as a sentence."""
    return f"Asks {people(stage.rules, voice)}."


def needs(stage: Stage, voice: Voice) -> list[str]:
    """Return what must be approved, as sentences; nothing where a single rule's people are asked and one is enough."""
    if stage.decide is None:
        return [quorum(stage.quorum)] if stage.quorum != "any" or len(stage.approvers) > 1 else []
    said = [_whole(stage.decide, voice)]
    vetoes = [group for _, group in leaves(stage.decide) if group.veto]
    return said + [f"A rejection by {people(group.approvers, voice)} is final." for group in vetoes]


def in_full(stage: Stage, voice: Voice) -> str:
    """Return in sentences what must be approved; empty where one of those asked is enough."""
    weighed = isinstance(stage.decide, Asked) and stage.decide.weight is not None
    said = [asks(stage, voice)] if weighed else []  # who weighs how much
    said += needs(stage, voice)
    return " ".join([*said, TERMS["distinct"](stage, voice)] if stage.distinct else said)


def together(requirement: Requirement, voice: Voice, met: Sequence[bool]) -> str:
    """Return what must be approved of an expression, as a phrase.

    Args:
        requirement: an expression of several parts; see `whole`.
        voice: how people are called.
        met: of each part, whether it has approved; empty if that is not to be said.
    """
    said = [_part(part, voice) for part in parts_of(requirement)]
    marks = [" (has approved)" if one else "" for one in met] or [""] * len(said)
    listed_parts = "; ".join(f"{part}{mark}" for part, mark in zip(said, marks, strict=True))
    return f"{_how_many(requirement)} of these must approve: {listed_parts}"


def whole(requirement: Requirement) -> Requirement:
    """Return an expression without what encloses a single part only."""
    parts = parts_of(requirement)
    return whole(parts[0]) if len(parts) == 1 else requirement


def _whole(requirement: Requirement, voice: Voice) -> str:
    if isinstance(requirement, Asked) and requirement.weight is not None:
        return f"Those who approve must weigh {requirement.weight} together."
    if isinstance(requirement, Asked) and not requirement.each:
        return quorum(requirement.quorum)
    parts = parts_of(requirement)
    if len(parts) == 1:
        return _whole(parts[0], voice)
    if not parts:
        return f"{capital(_part(requirement, voice))} must approve."
    return f"{capital(_how_many(requirement))} of these must approve: {_parts(requirement, voice)}."


def _how_many(requirement: Requirement) -> str:
    match requirement:
        case AllOf(all=(_, _)):
            return "both"
        case AllOf():
            return "all"
        case AnyOf():
            return "one"
        case _:
            return str(getattr(requirement, "at_least", ""))


def _parts(requirement: Requirement, voice: Voice) -> str:
    return "; ".join(_part(part, voice) for part in parts_of(requirement))


def _part(requirement: Requirement, voice: Voice) -> str:
    """Return a part of an expression as a phrase that can stand in a list."""
    if not isinstance(requirement, Asked):
        parts = parts_of(requirement)
        alone = len(parts) == 1
        return _part(parts[0], voice) if alone else f"{_how_many(requirement)} of ({_parts(requirement, voice)})"
    who = people(requirement.approvers, voice)
    if requirement.weight is not None:
        return f"{who}, with a weight of {requirement.weight} together"
    if requirement.quorum == "any" and len(requirement.approvers) == 1 and _is_one(requirement.approvers[0]):
        return who
    each = " each" if requirement.each and requirement.quorum != "all" else ""
    answered = ", once all of them have answered" if requirement.quorum == "responded" else ""
    return f"{_many(requirement.quorum)}{each} of {who}{answered}"


def _is_one(rule: ApproverRule) -> bool:
    return isinstance(rule, ByManager | ByItemOwner | ByPerson)


def deadline(stage: Stage, voice: Voice) -> str:
    """Return how long those asked have, and what happens then: each escalation, and the end."""
    steps = [unless_decided(stage, level, voice) for level in range(len(stage.escalate) + 1)]
    return ", then ".join([lasting(stage.decide_within), *steps])


def unless_decided(stage: Stage, level: int, voice: Voice) -> str:
    """Return what happens if those of a level of escalation do not decide in time; level 0 are those asked first."""
    return _escalated(stage.escalate[level], voice) if level < len(stage.escalate) else _END[stage.at_deadline]


def _escalated(level: Escalation, voice: Voice) -> str:
    how = "instead" if level.how == "replace" else "as well"
    notice = f" (announced {lasting(level.notice)} before)" if level.notice else ""
    return f"it goes to {people(level.to, voice)} {how} for {lasting(level.decide_within)}{notice}"


_END = {
    "expire": "the request expires",
    "reject": "it is refused",
    "approve": "it counts as approved",
    "skip": "it goes on without a decision",
}


def ends_badly(stage: Stage) -> bool:
    """Return whether a stage that nobody decides ends the request."""
    return stage.at_deadline in ("expire", "reject")


def _distinct(stage: Stage, _: Voice) -> str:
    if stage.distinct:
        return "One person counts for one of these groups only."
    return "One person may count for several groups at once."


def _deny(stage: Stage, _: Voice) -> str:
    if stage.deny is None:
        return "It is refused once it can no longer be approved."
    return "One rejection refuses it." if stage.deny == 1 else f"{stage.deny} rejections refuse it."


def _remind(stage: Stage, _: Voice) -> str:
    terms = stage.remind
    if terms is None:
        return "Nobody is reminded."
    if terms.every is None or terms.at_most == 1:
        return f"They are reminded once, after {lasting(terms.after)}."
    return f"They are reminded after {lasting(terms.after)}, then {_every(terms.every)}, {terms.at_most} times at most."


def _every(span: timedelta | Working) -> str:
    number, *unit = lasting(span).split()
    alone = len(unit) == (2 if isinstance(span, Working) else 1)
    return f"every {' '.join(unit)}" if alone and number == "1" else f"every {lasting(span)}"


def _notice(stage: Stage, _: Voice) -> str:
    if stage.notice is None:
        return "Nobody is told that the deadline comes near."
    return f"They are told {lasting(stage.notice)} before the {'last ' if stage.escalate else ''}deadline."


def _escalate(stage: Stage, voice: Voice) -> str:
    if not stage.escalate:
        return "It goes to nobody else if they do not decide in time."
    return f"If they do not decide in time, {', then '.join(_escalated(level, voice) for level in stage.escalate)}."


def _at_deadline(stage: Stage, _: Voice) -> str:
    return f"If nobody decides in time, {_END[stage.at_deadline]}."


def _fallback(stage: Stage, voice: Voice) -> str:
    if stage.fallback is None:
        return "If none of them may decide, the manager above theirs or the owner of the item is asked."
    if not stage.fallback:
        return "If none of them may decide, nobody else is asked."
    return f"If none of them may decide, it goes to {', then to '.join(map(voice.approver, stage.fallback))}."


def _when_nobody(stage: Stage, _: Voice) -> str:
    then = {"operator": "an operator sees to it", "reject": "it is refused", "approve": "it counts as approved"}
    return f"If nobody may decide at all, {then[stage.when_nobody]}."


def _own(stage: Stage, _: Voice) -> str:
    if not stage.own:
        return "Nobody decides on what they order or get."
    who = {"requester": "who orders", "beneficiary": "who gets it"}
    return f"{capital(listed(who[one] for one in dict.fromkeys(stage.own)))} may decide on it themselves."


def _calendar(stage: Stage, _: Voice) -> str:
    if stage.calendar is None:
        return "Working time is that of each of them."
    return f"Working time is that of the calendar “{stage.calendar}”."


def _acts_in(stage: Stage, _: Voice) -> str:
    if stage.acts_in is None:
        return "They may decide at any time."
    return f"They may decide only while the calendar “{stage.acts_in}” is open."


def _concerns(stage: Stage, voice: Voice) -> str:
    if stage.concerns is None:
        return "They decide on all answers."
    on = f"on {voice.answers(stage.concerns)} only" if stage.concerns else "on no answer"
    return f"They decide {on}: others may change without asking them again."


def _may_reduce(stage: Stage, voice: Voice) -> str:
    return f"They may make {voice.answers(stage.may_reduce)} smaller." if stage.may_reduce else "They change no answer."


def _revalidate(stage: Stage, _: Voice) -> str:
    return "The vote of somebody who is no longer asked falls." if stage.revalidate else "A vote once cast stays."


def _answer_within(stage: Stage, _: Voice) -> str:
    return f"Who orders has {lasting(stage.answer_within)} to answer a question of theirs."


def _unanswered(stage: Stage, _: Voice) -> str:
    then = {"cancel": "cancels the request", "return": "goes back to them"}
    return f"A question that is not answered in time {then[stage.unanswered]}."


def _bulk(stage: Stage, _: Voice) -> str:
    return f"It {'may' if stage.bulk else 'may not'} be decided together with others in one go."


TERMS: dict[str, Callable[[Stage, Voice], str]] = {
    "distinct": _distinct,
    "deny": _deny,
    "own": _own,
    "fallback": _fallback,
    "when_nobody": _when_nobody,
    "acts_in": _acts_in,
    "concerns": _concerns,
    "may_reduce": _may_reduce,
    "remind": _remind,
    "notice": _notice,
    "escalate": _escalate,
    "at_deadline": _at_deadline,
    "calendar": _calendar,
    "answer_within": _answer_within,
    "unanswered": _unanswered,
    "revalidate": _revalidate,
    "bulk": _bulk,
}
"""A term of a stage -> the sentence that tells it, whether or not the author has said anything of it."""

_BY_DEADLINE = ("escalate", "at_deadline")
"""The terms that `deadline` tells."""


def terms(stage: Stage, voice: Voice) -> list[str]:
    """Return, as sentences, what an author has said of a stage besides who decides when, and what `deadline` tells."""
    usual = Stage.model_fields
    unusual = [name for name in TERMS if name not in _BY_DEADLINE and getattr(stage, name) != usual[name].default]
    return [TERMS[name](stage, voice) for name in unusual]
