"""What the register refuses or cannot do. How it shows over HTTP or to a workflow is not said here."""

from __future__ import annotations


class RegisterUnavailable(Exception):
    """The database cannot be reached or does not answer in time; try again."""


class KeyReused(Exception):
    """The idempotency key was used before by this person, for another order."""


class UnknownRequest(Exception):
    """A batch names a request that is not on record; the register may be an older backup than the engine's state."""


class Contradiction(Exception):
    """A batch says something else than what stands; nothing of it was written. A human has to look."""
