"""Which relay takes the mail, how to speak to it and who the mail is from.

Read from the environment (prefix ``COMMISSARY_SMTP_``); README.md lists every setting. Only data and its checks:
nothing here opens a connection.
"""

from __future__ import annotations

import re
from email.headerregistry import Address
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, PositiveFloat, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Security(StrEnum):
    """How the connection is protected; certificates are always checked."""

    NONE = "none"
    """Not at all; for a relay on this machine or in a network you trust."""
    STARTTLS = "starttls"
    """TLS before anything else is sent on a plain connection (RFC 3207)."""
    TLS = "tls"
    """TLS from the first byte (RFC 8314, section 3.3)."""


class SmtpSettings(BaseSettings):
    """The settings of the SMTP connector.

    Attributes:
        login: the account at the relay; None: the relay asks for none.
        password: its password.
        sender: the From address, with or without a name: ``Commissary <commissary@example.com>``.
        timeout: the longest silence of the relay at any step, in seconds.
    """

    model_config = SettingsConfigDict(
        env_prefix="COMMISSARY_SMTP_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 25
    security: Security = Security.STARTTLS
    login: str | None = None
    password: SecretStr | None = None
    sender: str
    timeout: PositiveFloat = 10

    @field_validator("sender")
    @classmethod
    def _check_sender(cls, value: str) -> str:
        parse_address(value)
        return value

    @model_validator(mode="after")
    def _check_login(self) -> Self:
        if (self.login is None) != (self.password is None):
            raise ValueError("set both COMMISSARY_SMTP_LOGIN and COMMISSARY_SMTP_PASSWORD, or neither")
        if self.login is not None and self.security is Security.NONE:
            raise ValueError("a password is not sent in the clear: set COMMISSARY_SMTP_SECURITY to starttls or tls")
        return self


_FORBIDDEN = r"\s\"(),:;<>@\[\]\\"
_ADDRESS = re.compile(rf"(?P<local>[^{_FORBIDDEN}]{{1,64}})@(?P<domain>[^{_FORBIDDEN}]{{1,253}})")
_NAMED = re.compile(r'"?(?P<name>[^<>"]*?)"?\s*<(?P<address>[^<>]*)>')


def parse_address(text: str) -> Address:
    """Return the address in ``a@b`` or ``Name <a@b>``, its domain in the form of the DNS (RFC 5890, A-labels).

    Quoted local parts and address literals are not taken.

    Raises:
        ValueError: it is not one address.
    """
    named = _NAMED.fullmatch(text)
    match = _ADDRESS.fullmatch(named["address"] if named else text)
    if match is None or not text.isprintable():
        raise ValueError(f"{text[:80]!r} is not one mail address like 'Commissary <commissary@example.com>'")
    domain = match["domain"].encode("idna").decode("ascii")
    return Address(named["name"] if named else "", match["local"], domain)
