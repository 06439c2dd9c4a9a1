"""Why these people decide an open stage, and who was passed over, in words (feature rows A5, A6, A8, A9, A13, W1).

Pure, and only words: who is asked was decided before. `stage_view` shows it with whom a request waits for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from catalog import settling, stage_words
from catalog.ballot import ESCALATED, Approvals, StageState
from catalog.people import PersonRef
from catalog.request import Order
from catalog.slate import MANAGER_CIRCLE, Seat, Slate
from catalog.stages import ApproverRule, ByCiOwner, ByGroup, ByItemOwner, ByManager, ByOwner, ByRole, Stage
from catalog.text import listed, one_line
from catalog.wording import Words, without_formulas

HANDED_ON = "approval.handed-on"
"""The rule by which somebody decides to whom a decision was handed on (feature row A9)."""
JOINED = "approval.joined"
"""The rule by which somebody decides whom an approver has asked for (feature row A9)."""
MOST = 3
"""How many people are named at most where several are asked for the same reason; the others are counted."""

_NOT_ASKED = {
    "approval.skip-requester": "who ordered does not decide",
    "approval.skip-beneficiary": "nobody decides what is for themselves",
    "approval.skip-inactive": "the account is not active",
}
_NO_DEPUTY = {
    "delegation.too-deep": "the chain of delegations is too long",
    "delegation.skip-inactive": "the account is not active",
    "delegation.set-by-party": "whose request it is has set that themselves",
}


class Calling(Words):
    """The words of an item, which call people by their names whom it names by login, if their names are known."""

    def __init__(self, order: Order, state: Approvals) -> None:
        """Take the order, whose item it is, and its approvals: the names of their people are known."""
        super().__init__(order.item, called=_called(state))
        self._order = order
        self._state = state

    def text(self, value: Any) -> str:
        """Return a text with its expressions named, but not shown: all who see the request read it."""
        return without_formulas(super().text(value))

    def _person(self, login: str) -> str:
        """Return the name of whom an item names by login; whom no stage has looked up yet may decide another one."""
        if login in self._called:
            return super()._person(login)
        known = (one_line(person.name) for person in self._known_people() if person.login == login)
        return next(known, super()._person(login))

    def _known_people(self) -> Iterator[PersonRef]:
        yield from self._order.people
        for stage in self._state.stages:
            for seat in (*stage.slate.seats, *stage.escalated):
                yield from seat.fillers


def _called(state: Approvals) -> dict[str, str]:
    return {login: name for stage in state.stages for login, name in stage.slate.called.items()}


def rules(stage: StageState) -> str:
    """Return the ids of the rules by which those decide who are waited for, as ``approver.manager & approval.joined``.

    Those by which others were asked before who no longer decide are not among them.
    """
    own, above = _awaited(stage)
    found = [JOINED if seat.joined else HANDED_ON if seat.instead_of else stage.slate.rule for seat in own]
    found += [HANDED_ON if seat.instead_of else ESCALATED for seat in above]
    return " & ".join(dict.fromkeys(found)) or stage.slate.rule


def _awaited(stage: StageState) -> tuple[list[Seat], tuple[Seat, ...]]:
    """Return the seats that wait to be filled, and those of whom it was escalated to."""
    empty = stage.empty()
    return [seat for seat in empty if stage.stands(seat)], stage.escalated if empty else ()


def asked(stage: StageState, words: Words) -> str:
    """Return why those are asked who are waited for, and who was passed over and why not, in sentences."""
    own, above = _awaited(stage)
    people = [*_by_rules(stage, [seat for seat in own if not (seat.joined or seat.instead_of)], words)]
    people += _escalated(stage, [seat.person for seat in above if not seat.instead_of], words)
    people += _handed((*own, *above))
    if joined := [seat.person for seat in own if seat.joined]:
        people.append(f"{some(joined)}, because an approver asked for it")
    said = [f"{'; '.join(people)}."] if people else []
    said += _beside((*own, *above))
    if not settling.may_suffice(stage):
        said.append("Too few are left to approve it; operators see to that.")
    return " ".join([*said, *_skipped(stage.slate)])


def _beside(seats: Iterable[Seat]) -> Iterator[str]:
    """Yield who may decide although somebody stands in for them, a sentence (feature row A8)."""
    expected = {seat.acting.id for seat in seats}
    others = {one.id: one for seat in seats for one in seat.fillers if one.id not in expected}
    if others:
        yield f"{some([*others.values()])} may still decide."


def too_few(stage: Stage, slate: Slate) -> str:
    """Return why operators are asked about a stage: too few may decide it, and who of those who were found may not."""
    name = one_line(stage.name)
    found = f"Of those who decide “{name}” too few" if slate.seats else f"Nobody who decides “{name}”"
    return " ".join([f"{found} could be found.", *_skipped(slate)])


def _skipped(slate: Slate) -> Iterator[str]:
    """Yield who was passed over and why, a sentence each; of many those of the first ones."""
    for one in slate.skipped[:MOST]:
        yield f"{passed_over(one_line(one.person.name), one.rule)}."
    if len(slate.skipped) > MOST:
        yield f"{len(slate.skipped) - MOST} more are not asked."


def passed_over(name: str, rule: str) -> str:
    """Return why somebody of this name is not asked, or does not stand in; a sentence without a full stop."""
    if rule == "delegation.loop":  # they may well be asked themselves
        return f"The delegations come back to {name}; nobody further stands in"
    if rule == MANAGER_CIRCLE:  # so may they
        return f"The managers above {name} go in a circle; nobody further up is found"
    if rule in _NO_DEPUTY:
        return f"{name} does not stand in: {_NO_DEPUTY[rule]}"
    why = _NOT_ASKED.get(rule, one_line(rule))
    return f"{name} is not asked{f': {why}' if why else ''}"


def _by_rules(stage: StageState, seats: Sequence[Seat], words: Words) -> Iterator[str]:
    """Yield whom the rules of a stage name, those together who are asked for the same reason."""
    rungs = stage.slate.rule.split(" & ")
    each = len(rungs) == len(stage.stage.groups)  # else several groups have found theirs in the same way
    people = defaultdict(list)
    for seat in seats:
        people[tuple(sorted(seat.groups)) if each else ()].append(seat.person)
    for groups, named in people.items():
        found = dict.fromkeys(rungs[group] for group in groups) or rungs
        end = "s" if len(named) > 1 else ""
        yield f"{some(named)} {listed((_rung(one, stage, words, end) for one in found), 'or')}"


def _rung(rung: str, stage: StageState, words: Words, end: str) -> str:
    """Return as what a step of the ladder finds people: ``as line manager``; `end` is ``s`` for several."""
    own = stage.stage.rules
    kinds = [part.partition(".")[2] for part in rung.split("+")]
    if rung not in _USUAL and not rung.startswith("fallback."):
        return _as(kinds, own, words, end)
    who = _USUAL.get(rung) or _as(kinds, stage.stage.fallback or (), words, end)
    return f"{who}, the fallback for {stage_words.people(own, words)}"


_USUAL = {
    "approver.manager-of-manager": "as manager of the line manager",
    "approver.item-owner": "as owner of the item",
}
"""Who is asked where the rules name nobody who may decide and an item has no fallback of its own."""


def _as(kinds: Iterable[str], rules: Sequence[ApproverRule], words: Words, end: str) -> str:
    """Return as what people are asked whom those of the rules name that are of these kinds."""
    roles = (_role(rule, words, end) for kind in kinds for rule in rules if rule.rule == kind)
    # Whom an expression names, the directory is asked for by login.
    return f"as {listed(dict.fromkeys(roles) or ['named by the item'], 'or')}"


def _role(rule: ApproverRule, words: Words, end: str) -> str:
    match rule:
        case ByManager():
            return f"line manager{end}" if rule.levels == 1 else f"manager{end} {rule.levels} levels up"
        case ByOwner():
            return f"owner{end} of {words.text(rule.group) if rule.group else 'what is given'}"
        case ByItemOwner():
            return f"owner{end} of the item"
        case ByCiOwner():
            return f"owner{end} of {words.text(rule.ci)}"
        case ByGroup():
            return f"member{end} of {words.text(rule.group)}"
        case ByRole():
            return f"holder{end} of the role {words.text(rule.role)}"
        case _:
            return "named by the item"


def _escalated(stage: StageState, people: Sequence[PersonRef], words: Words) -> Iterator[str]:
    """Yield those to whom a stage was escalated, and as what."""
    levels = stage.levels()
    if people and levels:
        to = [rule for level in stage.stage.escalate[slice(*levels)] for rule in level.to]
        kinds = dict.fromkeys(rule.rule for rule in to)
        yield f"{some(people)} by escalation, {_as(kinds, to, words, 's' if len(people) > 1 else '')}"


def _handed(seats: Iterable[Seat]) -> Iterator[str]:
    pairs = [(seat.person, seat.instead_of) for seat in seats if seat.instead_of]
    if pairs:
        yield _few([f"{one_line(to.name)}, handed on from {one_line(first.name)}" for to, first in pairs])


def some(people: Sequence[PersonRef]) -> str:
    """Return the names of people, of many those of the first ones."""
    names = [one_line(person.name) for person in people[:MOST]]
    more = len(people) - len(names)
    return listed([*names, f"{more} more"] if more else names)


def _few(parts: Sequence[str]) -> str:
    more = len(parts) - MOST
    return "; ".join([*parts[:MOST], f"{more} more handed on"] if more > 0 else parts)
