"""The names of everything that can be refused or go wrong, as they travel between processes.

Only names: the exceptions stand in `activities.errors`, the HTTP problems in `api.problems`.
"""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """What a connector can run into."""

    TRANSIENT = "transient"
    """Try again: unreachable, busy, timed out. Whether a write happened may be unknown."""
    THROTTLED = "throttled"
    """Try again after the time the target named."""
    NOT_FOUND = "not-found"
    """The target has no such person, group or thing."""
    CONFLICT = "conflict"
    """The target's state contradicts what was asked."""
    REJECTED = "rejected"
    """The target refuses: rights, schema, credentials. Repeating changes nothing until somebody acts."""
    NOT_APPLIED = "not-applied"
    """The target said yes and then did not show the effect."""


class Refused(StrEnum):
    """Why a request's workflow refuses a command; the codes of `catalog.approval.Refusal` come beside these."""

    SELF_APPROVAL = "self-approval"
    NOT_APPROVER = "not-approver"
    NOT_ALLOWED = "not-allowed"
    ALREADY_DECIDED = "already-decided"
    REASON_NEEDED = "reason-needed"
    UNKNOWN_TASK = "unknown-task"
    UNKNOWN_CHOICE = "unknown-choice"
    CLOSED = "closed"
    NO_LONGER_ASKED = "no-longer-asked"
    SUBJECT_CHANGED = "subject-changed"
    TOO_MANY = "too-many"
