"""The journal: one append-only, chained list of what happened to a request (feature row U1).

Each entry carries the digest of the one before, so a later change, removal or insertion shows. `Chain` makes
entries, `verify` checks them. How an entry reads is `timeline`'s business, where entries are kept the register's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from catalog.model import Model, digest
from catalog.people import Actor, PersonRef

GENESIS = "sha256:" + "0" * 64
"""What the first entry of a request names as the digest before it."""


class Kind(StrEnum):
    """What an entry records."""

    OPENED = "opened"
    RESOLVED = "resolved"
    STAGE_OPENED = "stage-opened"
    APPROVER_SKIPPED = "approver-skipped"
    VOTE = "vote"
    STAGE_CLOSED = "stage-closed"
    VOTE_WITHDRAWN = "vote-withdrawn"
    VOTE_FALLEN = "vote-fallen"
    APPROVERS_CHANGED = "approvers-changed"
    APPROVERS_REMINDED = "approvers-reminded"
    DEADLINE_NEAR = "deadline-near"
    ESCALATED = "escalated"
    HANDED_ON = "handed-on"
    APPROVER_ADDED = "approver-added"
    ADVICE_ASKED = "advice-asked"
    ADVICE_GIVEN = "advice-given"
    INFO_ASKED = "info-asked"
    INFO_GIVEN = "info-given"
    INFO_LATE = "info-late"
    INFO_MISSED = "info-missed"
    AMENDED = "amended"
    CLOCK_WARNED = "clock-warned"
    CLOCK_BREACHED = "clock-breached"
    EFFECT_INTENDED = "effect-intended"
    EFFECT_OBSERVED = "effect-observed"
    EFFECT_FAILED = "effect-failed"
    UNDO_INTENDED = "undo-intended"
    UNDO_OBSERVED = "undo-observed"
    STAGE_SKIPPED = "stage-skipped"
    STAGE_KEPT = "stage-kept"
    TASK_OPENED = "task-opened"
    TASK_CLAIMED = "task-claimed"
    TASK_RELEASED = "task-released"
    TASK_COMPLETED = "task-completed"
    TASK_DECLINED = "task-declined"
    TASK_OVERDUE = "task-overdue"
    TASK_REASSIGNED = "task-reassigned"
    STEP_SKIPPED = "step-skipped"
    STEP_DONE = "step-done"
    WAIT_BEGUN = "wait-begun"
    WAIT_OVER = "wait-over"
    EVENT_REPORTED = "event-reported"
    REQUEST_PLACED = "request-placed"
    REQUEST_CLOSED = "request-closed"
    RESIDUE = "residue"
    OPERATOR_ASKED = "operator-asked"
    OPERATOR_DECIDED = "operator-decided"
    CANCEL_REQUESTED = "cancel-requested"
    COMMENT = "comment"
    CLOSED = "closed"


class Entry(Model):
    """One line of the journal.

    Attributes:
        request: the request's number.
        seq: 1, 2, 3 … without gaps.
        at: when it happened, by the workflow's clock, UTC.
        kind: what happened.
        actor: the human who did it; None when the platform acted by rule.
        on_behalf_of: whom the actor stood in for.
        channel, auth: the road the command came by and how the actor was known; empty for the platform.
        rule: the id of the rule that made the platform act.
        from_status, to_status: the request's status before and after.
        data: what is particular to the kind; plain JSON.
        command: the id of the command that caused it; a repeated command finds its first answer by it.
        previous: the digest of the entry before.
        digest: the digest of this entry with `digest` itself empty.
    """

    request: str
    seq: int
    at: datetime
    kind: Kind
    actor: PersonRef | None = None
    on_behalf_of: PersonRef | None = None
    channel: str = ""
    auth: str = ""
    rule: str = ""
    from_status: str = ""
    to_status: str = ""
    data: dict[str, Any] = {}
    command: str = ""
    previous: str
    digest: str = ""

    def sealed(self) -> Entry:
        """Return the entry with its own digest."""
        return self.model_copy(update={"digest": digest(self.model_copy(update={"digest": ""}))})


class Chain:
    """Makes the entries of one request, in order; goes on after an entry if it is given its seq and digest."""

    def __init__(self, request: str, seq: int = 0, head: str = GENESIS) -> None:
        self._request = request
        self.seq = seq
        self.head = head

    def append(
        self,
        kind: Kind,
        at: datetime,
        *,
        actor: Actor | None = None,
        on_behalf_of: PersonRef | None = None,
        rule: str = "",
        from_status: str = "",
        to_status: str = "",
        data: dict[str, Any] | None = None,
        command: str = "",
    ) -> Entry:
        """Return the next entry, sealed, and move the chain on."""
        entry = Entry(
            request=self._request,
            seq=self.seq + 1,
            at=at,
            kind=kind,
            actor=actor.person if actor else None,
            on_behalf_of=on_behalf_of,
            channel=actor.channel if actor else "",
            auth=actor.auth if actor else "",
            rule=rule,
            from_status=from_status,
            to_status=to_status,
            data=data or {},
            command=command,
            previous=self.head,
        ).sealed()
        self.seq, self.head = entry.seq, entry.digest
        return entry


def verify(entries: Iterable[Entry], *, last: int | None = None) -> list[str]:
    """Return what is wrong with a request's journal, read from its first entry on; empty when it is whole.

    A chain cannot tell that its end was cut off: `last` is the seq that the request's state says it has come to.
    """
    faults, seq, head = [], 0, GENESIS
    for entry in entries:
        if entry.seq != seq + 1:
            faults.append(f"entry {entry.seq} follows entry {seq}: something in between is missing or doubled")
        if entry.previous != head:
            faults.append(f"entry {entry.seq} does not continue the entry before it")
        if entry.sealed().digest != entry.digest:
            faults.append(f"entry {entry.seq} was changed after it was written")
        seq, head = entry.seq, entry.digest
    if last is not None and seq != last:
        faults.append(f"the journal ends with entry {seq}, but the request has come to entry {last}")
    return faults
