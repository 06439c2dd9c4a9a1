"""The timeline: each journal entry said in one sentence, for people.

What the workflow writes into `Entry.data` is read here with care: a journal outlives the release that wrote it, so
a missing or odd value makes a vaguer sentence, never an error. Words of users are quoted and kept on one line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.ballot import CARRIED
from catalog.journal import Entry, Kind
from catalog.text import moment, one_line, quoted
from catalog.why import passed_over

_FALLEN = {
    "approval.amended": "what it was about has changed",
    "approval.not-needed": "people need not decide it any more",
    "approval.not-carried": "the approval it followed from does not count any more",
    "approval.withdrawn": "they took back the approval it followed from",
    "approval.unseated": "who decides it has changed",
}
_CLOSED_BECAUSE = {
    "approval.approved-by-silence": "it was not decided in time",
    "approval.rejected-by-silence": "it was not decided in time",
    "approval.skipped-by-silence": "it was not decided in time",
    "approval.unanswered": "who ordered it did not answer a question",
    "approval.nobody": "too few may decide it",
    "approval.amended": "what is decided on has changed",
    "request.replaced": "another request takes the place of this one",
}
_COUNTED = {CARRIED: "an earlier stage has their approval"}
_QUORUM = {"any": " (one of them is enough)", "all": " (all of them)"}
_CHOSEN = {"approve": "approved", "reject": "rejected"}


def describe(entry: Entry) -> str:
    """Return what happened, in a sentence without a full stop. Total: any entry gives one."""
    return _SENTENCES[entry.kind](entry)


def _opened(entry: Entry) -> str:
    requester, beneficiary = entry.data.get("requester"), entry.data.get("beneficiary")
    whom = "themselves" if beneficiary and requester == beneficiary else _person(beneficiary)
    replaces = _word(entry, "replaces")
    instead = f", in place of {replaces}" if replaces else ""
    return f"{_actor(entry, requester)} ordered {_quote(entry, 'item', 'something')} for {whom}{instead}"


def _resolved(entry: Entry) -> str:
    person, group = entry.data.get("person"), _word(entry, "group")
    if not person:
        return "The person it is for was not found in the directory"
    place = f"{'already' if entry.data.get('already_member') else 'not'} in {group}"
    return f"{_person(person)} was found in the directory{f', {place}' if group else ''}"


def _stage_opened(entry: Entry) -> str:
    names = [_person(approver) for approver in _list(entry, "approvers")]
    if len(names) > 1:
        quorum = entry.data.get("quorum")
        how = _QUORUM.get(str(quorum), f" ({quorum} of them)" if isinstance(quorum, int) else "")
        asked = f"{', '.join(names)} decide{how}"
    else:
        asked = f"{names[0] if names else 'somebody'} decides"
    until, needs = _word(entry, "due_at"), _word(entry, "needs").rstrip(".")
    said = f"Stage {_stage_name(entry)} began: {asked}{_stand_in(entry)}{f', by {moment(until)}' if until else ''}"
    return f"{said}. {needs}" if needs else said


def _stand_in(entry: Entry) -> str:
    """Return who stands in for whom (feature row A8)."""
    deputies = entry.data.get("deputies")
    pairs = deputies.items() if isinstance(deputies, dict) else ()
    return "".join(f"; {one_line(str(deputy))} stands in for {one_line(str(person))}" for person, deputy in pairs)


def _approver_skipped(entry: Entry) -> str:
    return passed_over(_person(entry.data.get("person")), entry.rule)


def _vote(entry: Entry) -> str:
    choice = _word(entry, "choice", "decided")
    chosen, stage = _CHOSEN.get(choice, choice), f"stage {_stage_name(entry)}"
    if entry.actor is None:
        why = _COUNTED.get(entry.rule, one_line(entry.rule))
        return f"{_person(entry.data.get('voter'))} counts as having {chosen} {stage}{f': {why}' if why else ''}"
    return f"{_actor(entry)} {chosen} {stage}{_because(entry)}"


def _vote_withdrawn(entry: Entry) -> str:
    return f"{_actor(entry)} took back their decision on stage {_stage_name(entry)}{_because(entry, 'text')}"


def _vote_fallen(entry: Entry) -> str:
    voter = _person(entry.data.get("voter"))
    why = _FALLEN.get(entry.rule)
    return f"What {voter} decided in stage {_stage_name(entry)} no longer counts{f': {why}' if why else ''}"


def _names(entry: Entry, key: str, otherwise: str = "nobody") -> str:
    return ", ".join(_person(one) for one in _list(entry, key)) or otherwise


_CHANGED_BY = {
    "delegation.begins": ", because somebody has delegated their decisions",
    "delegation.ends": ", because a delegation is over",
    "people.changed": ", because the directory has changed",
    "people.asked": ", as they were looked up",
}


def _approvers_changed(entry: Entry) -> str:
    asked, gone = _list(entry, "asked"), _list(entry, "gone")
    if entry.rule == "people.asked" and not asked and not gone:
        return f"Who was asked for stage {_stage_name(entry)} was looked up"
    said = [f"now {_names(entry, 'asked')} as well"] if asked else []
    said += [f"no longer {_names(entry, 'gone')}"] if gone else []
    why = _CHANGED_BY.get(entry.rule, "")
    return f"Who decides stage {_stage_name(entry)} has changed{why}{': ' if said else ''}{', '.join(said)}"


def _approvers_reminded(entry: Entry) -> str:
    stage = _stage_name(entry)
    if not entry.actor:
        return f"{_names(entry, 'people')} {_were(entry)} reminded of stage {stage}"
    later = ", ".join(_reminded_later(one) for one in _list(entry, "later") if isinstance(one, dict))
    if later and not _list(entry, "people"):
        return f"{_actor(entry)} has reminders of stage {stage} sent later: {later}"
    return f"{_actor(entry)} reminded {_names(entry, 'people')} of stage {stage}{f'; later: {later}' if later else ''}"


def _reminded_later(one: dict[str, Any]) -> str:
    people = one.get("people")
    names = ", ".join(_person(person) for person in people) if isinstance(people, list) else "somebody"
    return f"{names} at {moment(str(one.get('at', '')))}"


def _were(entry: Entry) -> str:
    return "were" if len(_list(entry, "people")) > 1 else "was"


def _deadline_near(entry: Entry) -> str:
    who = f"{_names(entry, 'people')} {_were(entry)}"
    return f"{who} told that the time to decide stage {_stage_name(entry)} is nearly over"


def _escalated(entry: Entry) -> str:
    return f"Stage {_stage_name(entry)} was not decided in time and went to {_names(entry, 'people')}"


def _handed_on(entry: Entry) -> str:
    person = _person(entry.data.get("person"))
    return f"{_actor(entry)} handed stage {_stage_name(entry)} to {person}{_because(entry, 'text')}"


def _approver_added(entry: Entry) -> str:
    person = _person(entry.data.get("person"))
    return f"{_actor(entry)} wants {person} to approve stage {_stage_name(entry)} as well{_because(entry, 'text')}"


def _advice_asked(entry: Entry) -> str:
    person = _person(entry.data.get("person"))
    return f"{_actor(entry)} asked the advice of {person} on stage {_stage_name(entry)}{_because(entry, 'text')}"


def _advice_given(entry: Entry) -> str:
    return f"{_actor(entry)} gave advice on stage {_stage_name(entry)}{_because(entry, 'text')}"


def _info_late(entry: Entry) -> str:
    return f"The question of stage {_stage_name(entry)} is not answered yet; who ordered was reminded"


def _info_missed(entry: Entry) -> str:
    return f"The question of stage {_stage_name(entry)} was not answered in time; it is decided without"


def _amended(entry: Entry) -> str:
    changes = [change for change in _list(entry, "changed") if isinstance(change, list) and len(change) == _CHANGE]
    said = [f"{one_line(str(label))} is now {quoted(str(now))}" for label, _, now in changes]
    return f"{_actor(entry)} changed what was ordered{': ' if said else ''}{'; '.join(said)}{_because(entry)}"


def _clock(entry: Entry) -> str:
    percent = entry.data.get("percent")
    name = _quote(entry, "name", "?")
    if entry.kind is Kind.CLOCK_BREACHED:
        return f"{name} has taken longer than was promised"
    due = _word(entry, "due_at")
    share = f"{percent} % of its time" if isinstance(percent, int) else "much of its time"
    return f"{name} has taken {share}{f'; it is due by {moment(due)}' if due else ''}"


_CHANGE = 3
"""What is said of one change: its label, and how it was and is."""


def _info_asked(entry: Entry) -> str:
    return f"{_actor(entry)} asked for information before deciding stage {_stage_name(entry)}{_because(entry, 'text')}"


def _info_given(entry: Entry) -> str:
    return f"{_actor(entry)} gave the information asked for in stage {_stage_name(entry)}{_because(entry, 'text')}"


def _stage_closed(entry: Entry) -> str:
    status = _word(entry, "status", "closed")
    how = "expired" if status == "expired" else f"was {status}"
    why = _CLOSED_BECAUSE.get(entry.rule)
    because = f", because {why}" if why else _because(entry, "because")
    return f"Stage {_stage_name(entry)} {how}{because}"


def _stage_skipped(entry: Entry) -> str:
    return f"Stage {_stage_name(entry)} is left out{_because(entry, 'because')}"


def _stage_kept(entry: Entry) -> str:
    return f"Stage {_stage_name(entry)} is kept, because its condition cannot be worked out{_because(entry, 'because')}"


def _task_opened(entry: Entry) -> str:
    names = ", ".join(_person(person) for person in _list(entry, "people")) or "somebody"
    until = _word(entry, "due_at")
    return f"Work for {names}: {_title(entry)}{f', by {moment(until)}' if until else ''}"


def _task_claimed(entry: Entry) -> str:
    return f"{_actor(entry)} took on {_title(entry)}"


def _task_released(entry: Entry) -> str:
    return f"{_actor(entry)} gave back {_title(entry)}"


def _task_completed(entry: Entry) -> str:
    return f"{_actor(entry)} completed {_title(entry)}"


def _task_declined(entry: Entry) -> str:
    return f"{_actor(entry)} cannot do {_title(entry)}{_because(entry)}"


def _task_overdue(entry: Entry) -> str:
    return f"{_title(entry)} is overdue; the operators were told"


def _task_reassigned(entry: Entry) -> str:
    names = ", ".join(_person(person) for person in _list(entry, "people")) or "nobody"
    return f"Who could do {_title(entry)} has changed: now {names}"


def _step_skipped(entry: Entry) -> str:
    return f"Step {_quote(entry, 'name', '?')} is left out{_because(entry, 'because')}"


def _step_done(entry: Entry) -> str:
    names = ", ".join(one_line(str(name)) for name in _list(entry, "to")) or "somebody"
    return f"{names} {'are' if ', ' in names else 'is'} told{_because(entry, 'subject')}"


def _wait_begun(entry: Entry) -> str:
    until = _word(entry, "until")
    return (
        f"Waiting: {_word(entry, 'what', 'for something')}{f', until {moment(until)} at the latest' if until else ''}"
    )


def _wait_over(entry: Entry) -> str:
    return f"No longer waiting: {_word(entry, 'what', 'for something')}"


def _event_reported(entry: Entry) -> str:
    return f"{_actor(entry)} reported {_quote(entry, 'event', 'something')}"


def _request_placed(entry: Entry) -> str:
    whom = _person(entry.data.get("beneficiary"))
    return f"{_word(entry, 'number', 'A request')} was placed: {_quote(entry, 'item', 'something')} for {whom}"


def _request_closed(entry: Entry) -> str:
    outcome = _word(entry, "outcome")
    return f"{_word(entry, 'number', 'A request')} ended{f' as {outcome}' if outcome else ''}{_because(entry)}"


def _residue(entry: Entry) -> str:
    return f"This cannot be taken back by itself: {_effect(entry)}{_because(entry, 'because')}"


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
    Kind.VOTE_WITHDRAWN: _vote_withdrawn,
    Kind.VOTE_FALLEN: _vote_fallen,
    Kind.APPROVERS_CHANGED: _approvers_changed,
    Kind.APPROVERS_REMINDED: _approvers_reminded,
    Kind.DEADLINE_NEAR: _deadline_near,
    Kind.ESCALATED: _escalated,
    Kind.HANDED_ON: _handed_on,
    Kind.APPROVER_ADDED: _approver_added,
    Kind.ADVICE_ASKED: _advice_asked,
    Kind.ADVICE_GIVEN: _advice_given,
    Kind.INFO_LATE: _info_late,
    Kind.INFO_MISSED: _info_missed,
    Kind.AMENDED: _amended,
    Kind.CLOCK_WARNED: _clock,
    Kind.CLOCK_BREACHED: _clock,
    Kind.INFO_ASKED: _info_asked,
    Kind.INFO_GIVEN: _info_given,
    Kind.EFFECT_INTENDED: _effect_intended,
    Kind.EFFECT_OBSERVED: _effect_observed,
    Kind.EFFECT_FAILED: _effect_failed,
    Kind.UNDO_INTENDED: _undo_intended,
    Kind.UNDO_OBSERVED: _effect_observed,
    Kind.STAGE_SKIPPED: _stage_skipped,
    Kind.STAGE_KEPT: _stage_kept,
    Kind.TASK_OPENED: _task_opened,
    Kind.TASK_CLAIMED: _task_claimed,
    Kind.TASK_RELEASED: _task_released,
    Kind.TASK_COMPLETED: _task_completed,
    Kind.TASK_DECLINED: _task_declined,
    Kind.TASK_OVERDUE: _task_overdue,
    Kind.TASK_REASSIGNED: _task_reassigned,
    Kind.STEP_SKIPPED: _step_skipped,
    Kind.STEP_DONE: _step_done,
    Kind.WAIT_BEGUN: _wait_begun,
    Kind.WAIT_OVER: _wait_over,
    Kind.EVENT_REPORTED: _event_reported,
    Kind.REQUEST_PLACED: _request_placed,
    Kind.REQUEST_CLOSED: _request_closed,
    Kind.RESIDUE: _residue,
    Kind.OPERATOR_ASKED: _operator_asked,
    Kind.OPERATOR_DECIDED: _operator_decided,
    Kind.CANCEL_REQUESTED: _cancel_requested,
    Kind.COMMENT: _comment,
    Kind.CLOSED: _closed,
}


def _actor(entry: Entry, otherwise: Any = None) -> str:
    """Return who acted, and for whom they stood in."""
    who = _person(entry.actor.model_dump() if entry.actor else otherwise)
    if entry.on_behalf_of is None:
        return who
    return f"{who} on behalf of {_names(entry, 'on_behalf_of', one_line(entry.on_behalf_of.name))}"


def _person(value: Any) -> str:
    name = value.get("name") or value.get("login") if isinstance(value, dict) else None
    return one_line(str(name or "")) or "somebody"


def _stage_name(entry: Entry) -> str:
    return _quote(entry, "name", _word(entry, "stage", "?"))


def _title(entry: Entry) -> str:
    return _quote(entry, "title", "some work")


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
