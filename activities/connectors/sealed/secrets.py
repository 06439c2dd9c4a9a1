"""The secrets port over the register: what is kept there is encrypted here (Fernet: AES-128-CBC with HMAC-SHA256).

A value is in no message, no log line and no ``repr`` of this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from activities.connectors.sealed.settings import SETTING
from activities.errors import NotFound, Rejected, Transient
from records.errors import RegisterUnavailable


class Store(Protocol):
    """Where the encrypted secrets are; the register implements it."""

    def keep_secret(self, owner_id: str, ciphertext: bytes, at: datetime) -> str:
        """Keep a person's secret and return its reference."""

    def secret(self, ref: str) -> bytes | None:
        """Return what a reference stands for; None once it is forgotten."""


class NoKeys(Rejected):
    """The installation has no key to encrypt secrets with."""

    def __init__(self) -> None:
        super().__init__(f"secrets cannot be kept or read: {SETTING} is not set; set it for the API and the workers")


class SealedSecrets:
    """Secrets by reference; implements `activities.ports.Secrets`.

    Args:
        store: where they are.
        keys: Fernet keys: the first encrypts, all of them decrypt, so that keys can be rotated.
    """

    def __init__(self, store: Store, keys: Iterable[str]) -> None:
        self._store = store
        fernets = [Fernet(key) for key in keys]
        self._fernet = MultiFernet(fernets) if fernets else None

    def seal(self, owner_id: str, text: str, at: datetime) -> str:
        """Keep a person's secret and return its reference.

        Raises:
            NoKeys: there is no key.
            RegisterUnavailable: nothing was kept.
        """
        if self._fernet is None:
            raise NoKeys
        return self._store.keep_secret(owner_id, self._fernet.encrypt(text.encode()), at)

    def reveal(self, ref: str) -> str:
        """Return the secret that a reference stands for; see the port.

        Raises:
            NoKeys: there is no key.
            Rejected: it was encrypted with a key that is not among ours.
        """
        if self._fernet is None:
            raise NoKeys
        try:
            ciphertext = self._store.secret(ref)
        except RegisterUnavailable as error:
            raise Transient(f"the register does not answer: {error}") from error
        if ciphertext is None:
            raise NotFound("there is no such secret, or it was forgotten when its request closed")
        try:
            return self._fernet.decrypt(ciphertext).decode()
        except InvalidToken as error:
            raise Rejected(
                f"the secret was encrypted with a key that {SETTING} does not name; put that key back, as the last one"
            ) from error
