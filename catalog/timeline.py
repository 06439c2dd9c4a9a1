"""The timeline: each journal entry said in one sentence, for people.

What the workflow writes into `Entry.data` is read here with care: a journal outlives the release that wrote it, so
a missing or odd value makes a vaguer sentence, never an error. Words of users are quoted and kept on one line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.journal import Entry, Kind
from catalog.text import moment, one_line, quoted

_SKIPPED = {
    "approval.skip-requester": "who ordered does not decide",
    "approval.skip-beneficiary": "nobody decides what is for themselves",
    "approval.skip-inactive": "the account is not active",
}
_COUNTED = {"approval.already-approved": "an earlier stage has their approval"}
_CHOSEN = {"approve": "approved", "reject": "rejected"}


def describe(entry: Entry) -> str:
    """Return what happened, in a sentence without a full stop. Total: any entry gives one."""
    return _SENTENCES[entry.kind](entry)


def _opened(entry: Entry) -> str:
    requester, beneficiary = entry.data.get("requester"), entry.data.get("beneficiary")
    whom = "themselves" if beneficiary and requester == beneficiary else _person(beneficiary)
    return f"{_actor(entry, requester)} ordered {_quote(entry, 'item', 'something')} for {whom}"


def _resolved(entry: Entry) -> str:
    person, group = entry.data.get("person"), _word(entry, "group", "the group")
    if not person:
        return "The person it is for was not found in the directory"
    place = f"already in {group}" if entry.data.get("already_member") else f"not in {group}"
    return f"{_person(person)} was found in the directory, {place}"


def _stage_opened(entry: Entry) -> str:
    names = [_person(approver) for approver in _list(entry, "approvers")]
    if len(names) > 1:
        how = {"any": " (one of them is enough)", "all": " (all of them)"}.get(_word(entry, "quorum"), "")
        asked = f"{', '.join(names)} decide{how}"
    else:
        asked = f"{names[0] if names else 'somebody'} decides"
    until = _word(entry, "due_at")
    return f"Stage {_stage_name(entry)} began: {asked}{f', by {moment(until)}' if until else ''}"


def _approver_skipped(entry: Entry) -> str:
    why = _SKIPPED.get(entry.rule, one_line(entry.rule))
    return f"{_person(entry.data.get('person'))} is not asked{f': {why}' if why else ''}"


def _vote(entry: Entry) -> str:
    choice = _word(entry, "choice", "decided")
    chosen, stage = _CHOSEN.get(choice, choice), f"stage {_stage_name(entry)}"
    if entry.actor is None:
        why = _COUNTED.get(entry.rule, one_line(entry.rule))
        return f"{_person(entry.data.get('voter'))} counts as having {chosen} {stage}{f': {why}' if why else ''}"
    return f"{_actor(entry)} {chosen} {stage}{_because(entry)}"


def _stage_closed(entry: Entry) -> str:
    status = _word(entry, "status", "closed")
    return f"Stage {_stage_name(entry)} {'expired' if status == 'expired' else f'was {status}'}"


def _effect_intended(entry: Entry) -> str:
    return f"{_effect(entry)}: begun"


def _effect_observed(entry: Entry) -> str:
    where = _word(entry, "where")
    how = "done" if entry.data.get("changed", True) else "nothing to do, it was so already"
    return f"{_effect(entry)}: {how}; read back{f' from {where}' if where else ''}"


def _effect_failed(entry: Entry) -> str:
    fault = _word(entry, "fault")
    return f"{_effect(entry)}: failed{f' ({fault})' if fault else ''}{_because(entry, 'message')}"


def _undo_intended(entry: Entry) -> str:
    return f"Undoing what was done: {_effect(entry)}"


def _operator_asked(entry: Entry) -> str:
    choices = ", ".join(one_line(str(choice)) for choice in _list(entry, "choices"))
    return f"An operator has to decide{f' ({choices})' if choices else ''}{_because(entry, 'problem')}"


def _operator_decided(entry: Entry) -> str:
    return f"{_actor(entry)} decided as operator: {_word(entry, 'choice', 'something')}{_because(entry)}"


def _cancel_requested(entry: Entry) -> str:
    return f"{_actor(entry)} called the request off{_because(entry)}"


def _comment(entry: Entry) -> str:
    return f"{_actor(entry)} remarked{_because(entry, 'text')}"


def _closed(entry: Entry) -> str:
    return f"The request was closed as {_word(entry, 'outcome', 'ended')}{_because(entry)}"


_SENTENCES: dict[Kind, Callable[[Entry], str]] = {
    Kind.OPENED: _opened,
    Kind.RESOLVED: _resolved,
    Kind.STAGE_OPENED: _stage_opened,
    Kind.APPROVER_SKIPPED: _approver_skipped,
    Kind.VOTE: _vote,
    Kind.STAGE_CLOSED: _stage_closed,
    Kind.EFFECT_INTENDED: _effect_intended,
    Kind.EFFECT_OBSERVED: _effect_observed,
    Kind.EFFECT_FAILED: _effect_failed,
    Kind.UNDO_INTENDED: _undo_intended,
    Kind.UNDO_OBSERVED: _effect_observed,
    Kind.OPERATOR_ASKED: _operator_asked,
    Kind.OPERATOR_DECIDED: _operator_decided,
    Kind.CANCEL_REQUESTED: _cancel_requested,
    Kind.COMMENT: _comment,
    Kind.CLOSED: _closed,
}


def _actor(entry: Entry, otherwise: Any = None) -> str:
    """Return who acted, and for whom they stood in."""
    who = _person(entry.actor.model_dump() if entry.actor else otherwise)
    return f"{who} on behalf of {one_line(entry.on_behalf_of.name)}" if entry.on_behalf_of else who


def _person(value: Any) -> str:
    name = value.get("name") or value.get("login") if isinstance(value, dict) else None
    return one_line(str(name or "")) or "somebody"


def _stage_name(entry: Entry) -> str:
    return _quote(entry, "name", _word(entry, "stage", "?"))


def _effect(entry: Entry) -> str:
    return _word(entry, "effect", "The change")


def _because(entry: Entry, key: str = "reason") -> str:
    return f": {_quote(entry, key)}" if _word(entry, key) else ""


def _quote(entry: Entry, key: str, otherwise: str = "") -> str:
    return quoted(_word(entry, key, otherwise))


def _word(entry: Entry, key: str, otherwise: str = "") -> str:
    """Return a text of the entry on one line."""
    value = entry.data.get(key)
    return one_line(value) if isinstance(value, str) and value.strip() else otherwise


def _list(entry: Entry, key: str) -> list[Any]:
    value = entry.data.get(key)
    return value if isinstance(value, list) else []
