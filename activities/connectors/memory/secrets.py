"""The secrets port over plain data, for simulations and unit tests only."""

from __future__ import annotations

from collections.abc import Mapping

from activities.errors import NotFound


class MemorySecrets:
    """Secrets by reference."""

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._secrets = dict(secrets or {})

    def reveal(self, ref: str) -> str:
        """Return the secret that a reference stands for; see the port."""
        if ref not in self._secrets:
            raise NotFound("there is no such secret, or it was forgotten when its request closed")
        return self._secrets[ref]
