"""Which hosts requests may go to and with which credentials, from the environment (prefix ``COMMISSARY_HTTP_``).

Only data and its checks; nothing here opens a connection. README.md lists every setting.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, Self

import httpx
from pydantic import PositiveFloat, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_DEFAULT_PORT = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Target:
    """Where a request goes: scheme, host in one spelling, and port."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Read it from a URL, with the parser of the library that will open it.

        Raises:
            ValueError: it is no http or https URL of a host, or holds a user or password.
        """
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ValueError(str(error)) from error
        if parts.scheme not in _DEFAULT_PORT or not parts.host:
            raise ValueError("a URL begins with https:// or http:// and a host")
        if parts.userinfo:
            raise ValueError("a URL holds no user and no password; name a credential")
        port = _DEFAULT_PORT[parts.scheme] if parts.port is None else parts.port
        return cls(parts.scheme, _spelled(parts.raw_host.decode("ascii")), port)

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"


class HttpSettings(BaseSettings):
    """The settings of the HTTP connector; times are seconds.

    Attributes:
        allow: hosts that requests may go to, ``host`` or ``host:port``; in the environment separated by commas. Without
            a port only the scheme's own. Addresses are allowed as they are written, never because a name leads there.
        credential: values of the Authorization header by name; ``COMMISSARY_HTTP_CREDENTIAL_<NAME>`` each, with ``_``
            for ``-``.
        connect_timeout: to open a connection.
        read_timeout: the longest silence of a server.
        total_timeout: how long an answer may take to arrive in full.
    """

    model_config = SettingsConfigDict(
        env_prefix="COMMISSARY_HTTP_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    allow: Annotated[tuple[str, ...], NoDecode] = ()
    credential: dict[str, SecretStr] = {}
    connect_timeout: PositiveFloat = 5
    read_timeout: PositiveFloat = 30
    total_timeout: PositiveFloat = 60

    @field_validator("allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("allow")
    @classmethod
    def _spell(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if "/" in host or "*" in host:
                raise ValueError(f"{host!r} is no host; write 'tickets.example.com' or 'tickets.example.com:8443'")
            Target.of(f"https://{host}")
        return hosts

    @field_validator("credential")
    @classmethod
    def _check_credentials(cls, credentials: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, value in credentials.items():
            text = value.get_secret_value()
            if not text.strip() or not text.isprintable() or not text.isascii():
                raise ValueError(f"COMMISSARY_HTTP_CREDENTIAL_{name.upper()} is no value of a header")
        return credentials

    def allows(self, target: Target) -> bool:
        """Return whether requests may go there."""
        # an entry without a port means the scheme's own
        return any(Target.of(f"{target.scheme}://{entry}") == target for entry in self.allow)

    def credential_named(self, name: str) -> SecretStr | None:
        """Return a credential, if there is one of that name."""
        return self.credential.get(name.replace("-", "_").lower())


def _spelled(host: str) -> str:
    """Return the one spelling of a host: addresses in short, names in lower case without the final dot."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.rstrip(".").lower()
