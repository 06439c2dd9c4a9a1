"""What the API process is told by its environment: variables that start with ``COMMISSARY_``.

How the directory is reached is the connector's own settings.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MIN_SECRET = 32
"""Bytes of the key that signs tokens: as long as the hash of HS256 (RFC 7518, section 3.2)."""

MIN_DIFFERENT = 10
"""Different characters in it; a repeated word or digit has fewer."""


def _each(value: Any) -> Any:
    return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value


Directories = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_each)]
"""Directories, separated as in PATH."""


class Settings(BaseSettings):
    """Settings of the API.

    Attributes:
        secret: the key that signs tokens; all API processes of an installation share it.
        database_url: SQLAlchemy URL of the register.
        temporal_address, temporal_namespace: the workflow engine.
        catalog: directories of items, separated as in PATH; the shipped catalog if there are none.
        directory: the registered connector to the directory.
        operators_group: the directory group whose members are operators.
        token_minutes: how long a token is good for.
        host, port: where the API listens.
    """

    model_config = SettingsConfigDict(env_prefix="COMMISSARY_", extra="ignore")

    secret: SecretStr
    database_url: str = "sqlite:///var/register.db"
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    catalog: Directories = ()
    directory: str = "ldap"
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
