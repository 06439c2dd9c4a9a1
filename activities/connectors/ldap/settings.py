"""Where the LDAP directory is, how to speak to it and what its attributes are called.

Read from the environment (prefix ``COMMISSARY_LDAP_``); README.md lists every setting. Only data and its checks:
nothing here opens a connection.
"""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, FilePath, PositiveFloat, PositiveInt, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Security(StrEnum):
    """How the connection is protected."""

    LDAPS = "ldaps"
    """TLS from the first byte."""
    STARTTLS = "starttls"
    """TLS before anything else is sent on a plain connection (RFC 4511, section 4.14)."""
    NONE = "none"
    """No TLS: passwords travel in the clear."""


_Filter = Annotated[str, Field(pattern=r"^\(.+\)$")]


class LdapSettings(BaseSettings):
    """The settings of the LDAP connector; times are seconds.

    Attributes:
        urls: servers of the same directory, tried in this order; in the environment separated by spaces or commas.
        bind_dn: the service account.
        bind_password: its password; or else `bind_password_file`, read whenever a connection is opened.
        allow_plaintext: let `security` be ``none`` on addresses other than loopback.
        ca_file: the certificate authorities to trust (PEM); without it those of the system.
        person_filter: what makes an entry below `people_base` a person.
        group_filter: what makes an entry below `groups_base` a group.
        roles_base: where roles are; without it below `groups_base`.
        role_filter: what makes an entry there a role (RFC 4519, sections 2.28 and 3.10).
        cis_base: where configuration items (CIs) are: machines and the like; without it none is known.
        ci_filter: what makes an entry there one (RFC 4519, section 3.4).
        inactive_when: an account is inactive if any of these attributes has that value, ``*`` standing for any value.
        disabled_attribute, disabled_value: the mark that disabling an account sets, and enabling takes away.
        accounts_base: where accounts of programs are made, at or below `people_base`; without it nowhere.
        account_classes, group_classes: the object classes of entries that are made.
        placeholder_member: the DN that keeps a group without members valid where the schema demands one.
        receive_timeout: the longest silence of a server in mid-operation; whole seconds, as ldap3 needs them.
        read_back_within: how long a change may take to be seen after the server accepted it.
        page_size: entries per page of a search.
    """

    model_config = SettingsConfigDict(
        env_prefix="COMMISSARY_LDAP_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    urls: Annotated[tuple[str, ...], NoDecode] = Field(min_length=1)
    bind_dn: str = Field(min_length=1)
    bind_password: SecretStr | None = None
    bind_password_file: FilePath | None = None
    security: Security = Security.LDAPS
    allow_plaintext: bool = False
    ca_file: FilePath | None = None

    people_base: str = Field(min_length=1)
    groups_base: str = Field(min_length=1)
    roles_base: str | None = None
    cis_base: str | None = None
    person_filter: _Filter = "(objectClass=inetOrgPerson)"
    group_filter: _Filter = "(objectClass=groupOfNames)"
    role_filter: _Filter = "(objectClass=organizationalRole)"
    ci_filter: _Filter = "(objectClass=device)"
    id_attribute: str = "entryUUID"
    login_attribute: str = "uid"
    name_attribute: str = "cn"
    mail_attribute: str = "mail"
    manager_attribute: str = "manager"
    department_attribute: str = "ou"
    title_attribute: str = "title"
    location_attribute: str = "l"
    employee_type_attribute: str = "employeeType"
    display_name_attribute: str = "displayName"
    given_name_attribute: str = "givenName"
    surname_attribute: str = "sn"
    telephone_attribute: str = "telephoneNumber"
    description_attribute: str = "description"
    group_name_attribute: str = "cn"
    member_attribute: str = "member"
    owner_attribute: str = "owner"
    role_name_attribute: str = "cn"
    occupant_attribute: str = "roleOccupant"
    ci_name_attribute: str = "cn"
    ci_owner_attribute: str = "owner"
    inactive_when: dict[str, str] = {"pwdAccountLockedTime": "*", "employeeType": "inactive"}
    disabled_attribute: str = "pwdAccountLockedTime"
    disabled_value: str = "000001010000Z"
    accounts_base: str | None = None
    account_classes: tuple[str, ...] = ("inetOrgPerson",)
    group_classes: tuple[str, ...] = ("groupOfNames",)
    placeholder_member: str | None = None

    connect_timeout: PositiveFloat = 5
    receive_timeout: PositiveInt = 10
    read_back_within: PositiveFloat = 10
    pool_size: PositiveInt = 6
    page_size: PositiveInt = 500

    @field_validator("urls", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_password(self) -> Self:
        if (self.bind_password is None) == (self.bind_password_file is None):
            raise ValueError("set one of COMMISSARY_LDAP_BIND_PASSWORD and COMMISSARY_LDAP_BIND_PASSWORD_FILE")
        if not self.password():
            # RFC 4513, section 5.1.2: a bind with an empty password succeeds as nobody.
            raise ValueError("the password of the service account is empty")
        return self

    @model_validator(mode="after")
    def _check_urls(self) -> Self:
        scheme = "ldaps" if self.security is Security.LDAPS else "ldap"
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme != scheme or not parts.hostname or parts.path.strip("/"):
                raise ValueError(
                    f"{url}: with COMMISSARY_LDAP_SECURITY={self.security} it must be {scheme}://host[:port]"
                )
            if self.security is Security.NONE and not self.allow_plaintext and not _is_loopback(parts):
                raise ValueError(
                    f"{url}: passwords would cross the network in the clear; use ldaps or starttls in "
                    "COMMISSARY_LDAP_SECURITY, or accept it with COMMISSARY_LDAP_ALLOW_PLAINTEXT=true"
                )
        return self

    @model_validator(mode="after")
    def _check_accounts_base(self) -> Self:
        inside = f",{self.accounts_base or self.people_base}".casefold().endswith(f",{self.people_base}".casefold())
        if not inside:
            raise ValueError("COMMISSARY_LDAP_ACCOUNTS_BASE must lie below COMMISSARY_LDAP_PEOPLE_BASE")
        return self

    def password(self) -> str:
        """Return the service account's password; from its file without the newline at the end.

        Raises:
            OSError: the file cannot be read.
        """
        if self.bind_password is not None:
            return self.bind_password.get_secret_value()
        return Path(self.bind_password_file or "").read_text(encoding="utf-8").rstrip("\r\n")


def _is_loopback(url: SplitResult) -> bool:
    host = url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
