"""What the API process is told by its environment: variables that start with ``COMMISSARY_``.

How the directory is reached is the connector's own settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_SECRET = 32
"""Bytes of the key that signs tokens: as long as the hash of HS256 (RFC 7518, section 3.2)."""

MIN_DIFFERENT = 10
"""Different characters in it; a repeated word or digit has fewer."""


class Settings(BaseSettings):
    """Settings of the API.

    Attributes:
        secret: the key that signs tokens; all API processes of an installation share it.
        database_url: SQLAlchemy URL of the register.
        temporal_address, temporal_namespace: the workflow engine.
        catalog: directory of the catalog's items; the shipped catalog if not given.
        operators_group: the directory group whose members are operators.
        token_minutes: how long a token is good for.
        host, port: where the API listens.
    """

    model_config = SettingsConfigDict(env_prefix="COMMISSARY_", extra="ignore")

    secret: SecretStr
    database_url: str = "sqlite:///var/register.db"
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    catalog: Path | None = None
    operators_group: str = "commissary-operators"
    token_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 60
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65_535)] = 8000

    @field_validator("secret")
    @classmethod
    def _not_guessable(cls, secret: SecretStr) -> SecretStr:
        text = secret.get_secret_value()
        remedy = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        if len(text.encode()) < MIN_SECRET:
            raise ValueError(f"the secret is shorter than {MIN_SECRET} bytes; {remedy}")
        tame = text.lower()
        if len(set(tame)) < MIN_DIFFERENT or any(
            word in tame for word in ("changeme", "change-me", "secret", "password")
        ):
            raise ValueError(f"the secret looks like a placeholder; {remedy}")
        return secret
