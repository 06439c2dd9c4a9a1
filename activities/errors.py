"""What a connector raises.

    ConnectorError
    ├── Transient          try again; the outcome of a write may be unknown: read before you repeat
    │   ├── Throttled      try again after `retry_after`
    │   └── UnknownOutcome what was asked may have happened: never repeat it without having looked
    ├── NotFound           no such person or group
    ├── Conflict           the target's state contradicts the request
    └── Rejected           refused: rights, schema, credentials; somebody must act first
        └── NotApplied     accepted by the target, then not seen when read back

Messages say what was tried, what came back and what to do; they never hold a secret. How they become
Temporal failures is `activities.mapping`'s business, so that connectors need not know Temporal.
"""

from __future__ import annotations

from datetime import timedelta

from catalog.errors import Fault


class ConnectorError(Exception):
    """Something a target system did or refused.

    Attributes:
        fault: its name between processes.
        ours: whether a change may have been made in spite of it.
    """

    fault: Fault
    ours: bool = False


class Transient(ConnectorError):
    """The target could not be reached, was busy or did not answer in time."""

    fault = Fault.TRANSIENT


class Throttled(Transient):
    """The target asks for a pause."""

    fault = Fault.THROTTLED

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnknownOutcome(Transient):
    """The target was lost after it had everything it needed to act, so it may have acted."""

    ours = True


class NotFound(ConnectorError):
    """The target has no such thing."""

    fault = Fault.NOT_FOUND


class Conflict(ConnectorError):
    """The target's state contradicts what was asked."""

    fault = Fault.CONFLICT


class Rejected(ConnectorError):
    """The target refuses, and will go on refusing until somebody changes something."""

    fault = Fault.REJECTED


class NotApplied(Rejected):
    """The target answered yes, but the effect was not there when it was read back."""

    fault = Fault.NOT_APPLIED
    ours = True
