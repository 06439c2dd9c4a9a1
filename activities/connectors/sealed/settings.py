"""With which keys secrets are encrypted: ``COMMISSARY_SECRETS_KEYS``."""

from __future__ import annotations

from cryptography.fernet import Fernet
from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SETTING = "COMMISSARY_SECRETS_KEYS"


class SealedSettings(BaseSettings):
    """Settings of the sealed secrets.

    Attributes:
        keys: Fernet keys, separated by commas. The first encrypts, all of them decrypt. None: no secrets are taken.
    """

    model_config = SettingsConfigDict(env_prefix="COMMISSARY_SECRETS_", extra="ignore", hide_input_in_errors=True)

    keys: SecretStr = SecretStr("")

    @field_validator("keys")
    @classmethod
    def _are_keys(cls, keys: SecretStr) -> SecretStr:
        for at, key in enumerate(_split(keys), start=1):
            try:
                Fernet(key)
            except ValueError:
                raise ValueError(
                    f"key {at} is no Fernet key; make one with: "
                    "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
                ) from None
        return keys

    def each(self) -> tuple[str, ...]:
        """Return the keys, the one that encrypts first."""
        return _split(self.keys)


def _split(keys: SecretStr) -> tuple[str, ...]:
    return tuple(key.strip() for key in keys.get_secret_value().split(",") if key.strip())
