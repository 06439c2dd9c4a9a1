"""What protects the LDAP connection: TLS that is used and checked, limited rights, passwords that stay secret."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from support.company import ALICE, BOB, VPN, Connect, seed, settings_for
from support.ldap_proxy import BIND, EXTENDED, Answer, proxy_to
from support.slapd import SERVICE, SERVICE_PASSWORD, SUFFIX, Slapd, running_slapd

from activities.connectors.ldap import LdapDirectory, LdapSettings, Security
from activities.connectors.ldap.connection import filter_value
from activities.errors import ConnectorError, Rejected
from catalog.access import Membership

ENCRYPTED = [Security.LDAPS, Security.STARTTLS]


def everything_said(error: BaseException) -> str:
    """The text, the representation and the whole chain of an error."""
    return str(error) + repr(error) + "".join(traceback.format_exception(error))


# --- TLS ---


@pytest.mark.parametrize("security", Security)
def test_a_server_that_demands_tls_is_served_with_tls_only(tmp_path: Path, security: Security) -> None:
    with running_slapd(tmp_path) as server:
        seed(server)
        server.stop()
        config = server.home / "slapd.conf"
        config.write_text(
            config.read_text().replace("TLSVerifyClient never", "TLSVerifyClient never\nsecurity tls=128")
        )
        server.start()
        directory = LdapDirectory(settings_for(server, security))
        if security is Security.NONE:
            with pytest.raises(Rejected, match="set COMMISSARY_LDAP_SECURITY"):
                directory.ping()
        else:
            assert directory.authenticate("alice", ALICE.password) is not None
        directory.close()


@pytest.mark.parametrize("security", ENCRYPTED)
def test_an_untrusted_certificate_is_rejected(slapd: Slapd, connect: Connect, security: Security) -> None:
    directory = connect(slapd, security, ca_file=None)  # the authorities of the system do not know ours
    with pytest.raises(Rejected, match=r"certificate is not trusted.*COMMISSARY_LDAP_CA_FILE"):
        directory.person_by_login("alice")


@pytest.mark.parametrize("security", ENCRYPTED)
def test_a_certificate_for_another_name_is_rejected(slapd: Slapd, connect: Connect, security: Security) -> None:
    url = slapd.ldaps_url if security is Security.LDAPS else slapd.ldap_url
    directory = connect(slapd, security, urls=(url.replace("127.0.0.1", "localhost"),))
    with pytest.raises(Rejected, match="certificate is not trusted"):
        directory.ping()


def test_no_password_is_sent_when_starttls_is_refused(slapd: Slapd, connect: Connect) -> None:
    refuse = {EXTENDED: Answer(2, "unsupported extended operation")}
    with proxy_to(slapd.port, refuse.get) as proxy:
        directory = connect(slapd, Security.STARTTLS, urls=(proxy.url,))
        with pytest.raises(Rejected, match="startTLS failed"):
            directory.ping()
        assert EXTENDED in proxy.seen
        assert BIND not in proxy.seen


# --- the service account ---


def test_a_wrong_service_password_is_rejected_with_what_to_do(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd, bind_password="guessed-wrong")
    with pytest.raises(Rejected, match=r"refuses the service account.*COMMISSARY_LDAP_BIND_PASSWORD") as caught:
        directory.ping()
    assert SERVICE in str(caught.value)
    assert "guessed-wrong" not in everything_said(caught.value)


def test_what_the_service_account_may_not_write_is_rejected(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd, member_attribute="owner")
    bob = directory.person_by_login("bob").id
    with pytest.raises(Rejected, match=r"insufficientAccessRights \(50\).*lacks the right"):
        directory.ensure_member(Membership(person_id=bob, group="vpn"))
    assert BOB.dn not in slapd.values(VPN.dn, "owner")
    directory.ping()


@pytest.mark.parametrize("base", ["people_base", "groups_base"])
def test_a_base_the_service_account_may_not_see_is_rejected_with_its_setting(
    slapd: Slapd, connect: Connect, base: str
) -> None:
    directory = connect(slapd, **{base: f"ou=hidden,{SUFFIX}"})
    alice = connect(slapd).person_by_login("alice").id
    with pytest.raises(Rejected, match="COMMISSARY_LDAP_GROUPS_BASE"):
        directory.groups_of(alice)


def test_the_password_file_is_read_for_every_new_connection(slapd: Slapd, connect: Connect, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("old\n")
    directory = connect(slapd, bind_password=None, bind_password_file=secret)
    with pytest.raises(Rejected, match="refuses the service account"):
        directory.ping()
    secret.write_text(SERVICE_PASSWORD + "\n")
    directory.ping()
    directory.close()
    secret.write_text("\n")
    with pytest.raises(Rejected, match="empty"):
        directory.ping()
    secret.unlink()
    with pytest.raises(Rejected, match="COMMISSARY_LDAP_BIND_PASSWORD_FILE cannot be read"):
        directory.ping()


# --- passwords ---


@pytest.mark.parametrize("password", ["", "\u00ad"], ids=["empty", "empty once prepared"])
def test_an_empty_password_reaches_no_server(tmp_path: Path, password: str) -> None:
    # This server does what RFC 4513 warns of: it lets a name without a password in, as nobody.
    with running_slapd(tmp_path, extra="allow bind_anon_cred") as server, proxy_to(server.port) as proxy:
        seed(server)
        directory = LdapDirectory(settings_for(server, Security.NONE, urls=(proxy.url,)))
        directory.ping()
        before = len(proxy.seen)
        assert directory.authenticate("alice", password) is None
        assert len(proxy.seen) == before
        directory.close()


@pytest.mark.parametrize("trouble", ["down", "frozen", "refuses", "busy"])
def test_no_password_is_in_any_error_or_log(
    own_slapd: Slapd, connect: Connect, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with proxy_to(own_slapd.port, _person_bind_answers(trouble)) as proxy:
        directory = connect(own_slapd, Security.NONE, urls=(proxy.url,), receive_timeout=1, connect_timeout=1)
        directory.person_by_login("alice")
        if trouble == "down":
            own_slapd.kill()
        context = own_slapd.frozen() if trouble == "frozen" else caplog.at_level(logging.DEBUG)
        with context, pytest.raises(ConnectorError) as caught:
            directory.authenticate("alice", ALICE.password)
    said = everything_said(caught.value) + caplog.text
    assert ALICE.password not in said
    assert SERVICE_PASSWORD not in said


def _person_bind_answers(trouble: str) -> Callable[[int], Answer | None]:
    binds = []

    def decide(tag: int) -> Answer | None:
        if tag == BIND:
            binds.append(tag)
        codes = {"refuses": 8, "busy": 51}
        return Answer(codes[trouble]) if tag == BIND and len(binds) > 1 and trouble in codes else None

    return decide


# --- settings and escaping ---

GOOD: dict[str, Any] = {
    "urls": "ldaps://ldap1.example.com ldaps://ldap2.example.com:1636",
    "bind_dn": "cn=svc,dc=example,dc=com",
    "bind_password": "s3cret-value",
    "people_base": "ou=people,dc=example,dc=com",
    "groups_base": "ou=groups,dc=example,dc=com",
}


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(f"COMMISSARY_LDAP_{name.upper()}", value)
    monkeypatch.setenv("COMMISSARY_LDAP_INACTIVE_WHEN", '{"nsAccountLock": "TRUE"}')
    settings = LdapSettings()
    assert settings.urls == ("ldaps://ldap1.example.com", "ldaps://ldap2.example.com:1636")
    assert settings.inactive_when == {"nsAccountLock": "TRUE"}
    assert settings.password() == "s3cret-value"
    assert "s3cret-value" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"urls": "ldap://ldap.example.com"}, "must be ldaps://"),
        ({"urls": "ldaps://ldap.example.com", "security": "starttls"}, "must be ldap://"),
        ({"urls": "ldaps://"}, "must be ldaps://"),
        ({"urls": ""}, "at least 1 item"),
        ({"urls": "ldap://ldap.example.com", "security": "none"}, "COMMISSARY_LDAP_ALLOW_PLAINTEXT"),
        ({"urls": "ldap://127.0.0.1 ldap://10.0.0.1", "security": "none"}, "10.0.0.1: passwords would cross"),
        ({"bind_password": ""}, "empty"),
        ({"bind_password": None}, "set one of"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file"),
        ({"person_filter": "objectClass=person"}, "person_filter"),
        ({"receive_timeout": 0}, "receive_timeout"),
    ],
)
def test_settings_that_cannot_work_are_refused_without_showing_the_password(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        LdapSettings(**(GOOD | change))
    assert message in str(caught.value)
    assert "s3cret-value" not in everything_said(caught.value)


def test_missing_settings_are_named_without_showing_the_password() -> None:
    with pytest.raises(ValidationError, match="people_base") as caught:
        LdapSettings(bind_password=GOOD["bind_password"])
    assert "s3cret-value" not in everything_said(caught.value)


@pytest.mark.parametrize("url", ["ldap://127.0.0.1:389", "ldap://127.9.9.9", "ldap://localhost", "ldap://[::1]:389"])
def test_plain_connections_are_for_loopback(url: str) -> None:
    assert LdapSettings(**(GOOD | {"urls": url, "security": "none"})).urls == (url,)


def test_plain_connections_elsewhere_need_consent() -> None:
    plain = GOOD | {"urls": "ldap://10.0.0.1", "security": "none", "allow_plaintext": True}
    assert LdapSettings(**plain).urls == ("ldap://10.0.0.1",)


def test_every_octet_of_a_filter_value_is_escaped() -> None:
    assert filter_value("a*é") == "\\61\\2a\\c3\\a9"
    assert filter_value("") == ""
