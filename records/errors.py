"""What the register refuses or cannot do. How it shows over HTTP or to a workflow is not said here."""

from __future__ import annotations

from catalog.delegation import Refusal


class RegisterUnavailable(Exception):
    """The database cannot be reached or does not answer in time; try again."""


class KeyReused(Exception):
    """The idempotency key was used before by this person, for another order."""


class DelegationRefused(Exception):
    """A delegation cannot be set beside those that stand; `refusal` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class AlreadyOpen(Exception):
    """An open request stands for the same thing already (feature row C12)."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is already open for this.")
        self.number = number


class UnknownRequest(Exception):
    """A batch or a child order names a request that is not on record.

    The register may be an older backup than the engine's state.
    """


class Contradiction(Exception):
    """A batch says something else than what stands; nothing of it was written. A human has to look."""


class VersionTaken(Exception):
    """The version of the item is published with another content; a version never changes (feature row C1)."""

    def __init__(self, item_id: str, version: str, standing_digest: str, standing_source: str) -> None:
        super().__init__(
            f"{item_id} {version} is already published with another content, from {standing_source}; "
            "give the item a new version."
        )
        self.item_id, self.version = item_id, version
        self.standing_digest, self.standing_source = standing_digest, standing_source


class UnknownDraft(Exception):
    """The id is that of somebody else's draft."""


class TooManyDrafts(Exception):
    """The person has as many drafts as one may have."""


class TooManyFiles(Exception):
    """The person has uploaded as much as one may without using it."""


class TooManySecrets(Exception):
    """The person has given as many secrets as one may without using them."""


class UnknownUpload(Exception):
    """An order names a file that its requester has not uploaded, or that was dropped since."""


class UnknownSecret(Exception):
    """An order names a secret that its requester has not given for it, or that was forgotten since."""
