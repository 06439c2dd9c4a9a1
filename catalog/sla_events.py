"""What happens to a request as far as clocks are concerned: typed events, read from the journal (feature row S1).

Clocks follow these and nothing else: no field is polled, and what is on record is enough to work a clock out again.
What a clock makes of an event is `sla`'s business. A journal outlives the release that wrote it, so a missing or odd
value makes an event that says less, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal

from catalog.journal import Entry, Kind
from catalog.model import Model

What = Literal[
    "ordered",
    "stage-opened",
    "asked",
    "relieved",
    "information-requested",
    "information-given",
    "information-missed",
    "decided",
    "vote-withdrawn",
    "stage-closed",
    "amended",
    "fulfilment-began",
    "task-opened",
    "task-claimed",
    "task-completed",
    "waiting-for-others",
    "waiting-over",
    "reported",
    "attention",
    "attention-over",
    "cancel-requested",
    "fulfilled",
    "closed",
]
"""The kinds of events; `happened` says which entries of the journal they come from."""

OF_PEOPLE: frozenset[What] = frozenset(("asked", "relieved", "information-requested", "decided", "vote-withdrawn"))
"""The events that name an approver."""
OF_STAGES: frozenset[What] = OF_PEOPLE | {"stage-opened", "information-given", "information-missed", "stage-closed"}
"""The events that name a stage."""

ENDS: dict[What, tuple[What, ...]] = {
    # Who asked may also decide without waiting for the answer.
    "information-requested": ("information-given", "information-missed", "decided"),
    "waiting-for-others": ("waiting-over",),
    "attention": ("attention-over",),
}
"""What begins -> what ends it, if it is about the same."""


class Happened(Model):
    """An event.

    Attributes:
        what: its kind.
        at: when it happened.
        seq: the journal entry that says so.
        stage: id of the approval stage it is about; empty if it is about none.
        person: id of the approver it is about: who was asked or no longer is, who decided, who asked for information.
        about: what tells it from others of its kind that go on beside it: a wait's name.
        status: how the stage or the request ended, which way was decided, which event was reported.
        by: name of who did it, to be shown; empty if the platform did.
    """

    what: What
    at: datetime
    seq: int = 0
    stage: str = ""
    person: str = ""
    about: str = ""
    status: str = ""
    by: str = ""

    def concerns(self, pause: Happened) -> bool:
        """Return whether it is about what that event is about, as far as both say it."""
        pairs = ((self.stage, pause.stage), (self.person, pause.person), (self.about, pause.about))
        return all(not one or not other or one == other for one, other in pairs)


def happened(entry: Entry) -> tuple[Happened, ...]:
    """Return what an entry of the journal says, in its order.

    ========================  =================================================================
    entry                     events
    ========================  =================================================================
    opened                    ordered
    stage-opened              stage-opened; asked: each approver
    approvers-changed         asked and relieved: whoever came and went
    escalated,                asked: whoever came
    approver-added
    handed-on                 relieved and asked: who gave it away and who got it
    info-asked                information-requested: by the approver who asked
    info-given, info-missed   information-given, information-missed
    vote                      decided: who voted, and whom they stood in for
    vote-withdrawn, -fallen   vote-withdrawn: who has to decide again
    amended                   amended
    stage-closed              stage-closed
    task-opened, -claimed,    task-opened, task-claimed, task-completed
    -completed
    wait-begun, wait-over     waiting-for-others, waiting-over
    event-reported            reported
    cancel-requested          cancel-requested
    closed                    fulfilled, if it was; closed
    one that leads to the     fulfilment-began; again each time the request comes back to it
    status fulfilment
    one that leads to the     attention: an operator was asked
    status attention
    one that leads away       attention-over: no operator is asked any more
    from it
    ========================  =================================================================
    """
    read = _READ.get(entry.kind)
    return (*_moves(entry), *(read(entry) if read else ()))


def hours(entry: Entry) -> dict[str, str]:
    """Return in which calendar an entry says that the time of each who is asked is counted: its id, by person id.

    Entries of before clocks were shown to people do not say it.
    """
    said = entry.data.get("hours")
    pairs = said.items() if isinstance(said, dict) else ()
    return {person: calendar for person, calendar in pairs if isinstance(calendar, str)}


def _moves(entry: Entry) -> Iterable[Happened]:
    """Yield what the request's status says; it changes before the entry's own event takes place."""
    if entry.from_status == "attention" != entry.to_status:
        yield _event("attention-over", entry)
    if entry.to_status == "attention":
        yield _event("attention", entry)
    if entry.to_status == "fulfilment":
        yield _event("fulfilment-began", entry)


def _event(what: What, entry: Entry, **more: str) -> Happened:
    by = entry.actor.name if entry.actor else ""
    return Happened(**{"what": what, "at": entry.at, "seq": entry.seq, "by": by} | more)


def _plain(what: What, *, status: str = "", about: str = "") -> Callable[[Entry], Iterable[Happened]]:
    """Return what reads an entry that is one event, with the keys under which the entry says more of it."""

    def read(entry: Entry) -> Iterable[Happened]:
        more = {"status": _word(entry.data, status), "about": _word(entry.data, about)}
        return (_event(what, entry, stage=_word(entry.data, "stage"), **more),)

    return read


def _stage_opened(entry: Entry) -> Iterable[Happened]:
    yield _event("stage-opened", entry, stage=_word(entry.data, "stage"))
    yield from _each("asked", entry, entry.data.get("approvers"))


def _approvers_changed(entry: Entry) -> Iterable[Happened]:
    yield from _each("relieved", entry, entry.data.get("gone"))
    yield from _each("asked", entry, entry.data.get("asked"))


def _escalated(entry: Entry) -> Iterable[Happened]:
    return _each("asked", entry, entry.data.get("people"))


def _approver_added(entry: Entry) -> Iterable[Happened]:
    return _each("asked", entry, [entry.data.get("person")])


def _handed_on(entry: Entry) -> Iterable[Happened]:
    yield from _each("relieved", entry, [{"id": entry.data.get("seat")}])
    yield from _each("asked", entry, [entry.data.get("person")])


def _vote_fallen(entry: Entry) -> Iterable[Happened]:
    return _each("vote-withdrawn", entry, [entry.data.get("voter")])


def _each(what: What, entry: Entry, people: Any) -> Iterable[Happened]:
    """Yield the event for each of several people; who is not known by an id has no clock."""
    for person in people if isinstance(people, list) else ():
        if _id(person):
            yield _event(what, entry, stage=_word(entry.data, "stage"), person=_id(person), by=_word(person, "name"))


def _of_actor(what: What) -> Callable[[Entry], Iterable[Happened]]:
    """Return what reads an entry about the approver who acted."""

    def read(entry: Entry) -> Iterable[Happened]:
        person = entry.actor.id if entry.actor else ""
        return (_event(what, entry, stage=_word(entry.data, "stage"), person=person),)

    return read


def _vote(entry: Entry) -> Iterable[Happened]:
    voter = entry.data.get("voter")
    names = {"by": _word(voter, "name")} if not entry.actor else {}
    named = entry.data.get("on_behalf_of")
    stands_for = [_id(person) for person in named] if isinstance(named, list) else []
    stands_for += [entry.on_behalf_of.id] if entry.on_behalf_of else []
    people = (*stands_for, entry.actor.id if entry.actor else _id(voter))
    stage, choice = _word(entry.data, "stage"), _word(entry.data, "choice")
    for person in dict.fromkeys(one for one in people if one):
        yield _event("decided", entry, stage=stage, person=person, status=choice, **names)


def _closed(entry: Entry) -> Iterable[Happened]:
    outcome = _word(entry.data, "outcome")
    if outcome == "fulfilled":
        yield _event("fulfilled", entry)
    yield _event("closed", entry, status=outcome)


_READ: dict[Kind, Callable[[Entry], Iterable[Happened]]] = {
    Kind.OPENED: _plain("ordered"),
    Kind.STAGE_OPENED: _stage_opened,
    Kind.APPROVERS_CHANGED: _approvers_changed,
    Kind.ESCALATED: _escalated,
    Kind.APPROVER_ADDED: _approver_added,
    Kind.HANDED_ON: _handed_on,
    Kind.INFO_ASKED: _of_actor("information-requested"),
    Kind.INFO_GIVEN: _plain("information-given"),
    Kind.INFO_MISSED: _plain("information-missed"),
    Kind.VOTE: _vote,
    Kind.VOTE_WITHDRAWN: _of_actor("vote-withdrawn"),
    Kind.VOTE_FALLEN: _vote_fallen,
    Kind.AMENDED: _plain("amended"),
    Kind.STAGE_CLOSED: _plain("stage-closed", status="status"),
    Kind.TASK_OPENED: _plain("task-opened"),
    Kind.TASK_CLAIMED: _plain("task-claimed"),
    Kind.TASK_COMPLETED: _plain("task-completed"),
    Kind.WAIT_BEGUN: _plain("waiting-for-others", about="what"),
    Kind.WAIT_OVER: _plain("waiting-over", about="what"),
    Kind.EVENT_REPORTED: _plain("reported", status="event"),
    Kind.CANCEL_REQUESTED: _plain("cancel-requested"),
    Kind.CLOSED: _closed,
}


def _word(data: Any, key: str) -> str:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def _id(person: Any) -> str:
    return _word(person, "id")
