"""The SMTP connector against a real SMTP server that accepts, refuses, hangs up or wants TLS."""

# ruff: noqa: N802  # aiosmtpd calls its hooks by these names and with these arguments

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.slapd import _certificates

from activities.connectors.smtp import Security, SmtpMail, SmtpSettings
from activities.connectors.smtp.settings import parse_address
from activities.errors import Rejected, Transient, UnknownOutcome

ID = "<event-1@commissary.example>"


@dataclass
class Relay:
    """A server on a free port of 127.0.0.1; each answer may be replaced, None hangs up instead."""

    greeting: str = "test"
    at_sender: str | None = "250 OK"
    at_recipient: str | None = "250 OK"
    at_content: str | None = "250 OK"
    options: dict[str, Any] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    port: int = 0
    taken: list[Envelope] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_sender == "250 OK":
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self._answer(server, self.at_sender)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_recipient == "250 OK":
            envelope.rcpt_tos.append(address)
        return self._answer(server, self.at_recipient)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.taken.append(envelope)
        return self._answer(server, self.at_content)

    def _answer(self, server: SMTP, answer: str | None) -> str:
        if answer is None:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "250 nobody hears this"
        return answer

    def check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password == b"secret", handled=False)

    def mail(self) -> EmailMessage:
        """The one mail that was taken."""
        (envelope,) = self.taken
        content = envelope.original_content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        return message


async def end_all() -> None:
    """Cancel the other tasks of this loop, and wait until they have ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def listening(relay: Relay) -> Iterator[Relay]:
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(relay, loop=loop, ident=relay.greeting, **relay.options)

    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=relay.tls))
    relay.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield relay
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(end_all())
        loop.close()


@pytest.fixture
def run() -> Iterator[Callable[..., Relay]]:
    """Start a relay with the given answers."""
    contexts = []

    def start(**how: Any) -> Relay:
        context = listening(Relay(**how))
        contexts.append(context)
        return context.__enter__()

    yield start
    for context in contexts:
        context.__exit__(None, None, None)


def settings(port: int, **other: Any) -> SmtpSettings:
    plain: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": Security.NONE,
        "sender": "Commissary <commissary@nordlys.example>",
        "timeout": 5,
    }
    return SmtpSettings(**plain | other)


def send(
    port: int, to: str = "jonas@nordlys.example", *, subject: str = "Hello", body: str = "Text\n", **other: Any
) -> None:
    SmtpMail(settings(port, **other)).send(to=to, subject=subject, body=body, message_id=ID)


def test_a_mail_arrives_with_the_headers_of_an_automatic_message(run: Callable[..., Relay]) -> None:
    relay = run()
    before = datetime.now(UTC).replace(microsecond=0)
    send(relay.port, body="First line\n.\n..dots\nLast line\n")
    (envelope,) = relay.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("commissary@nordlys.example", ["jonas@nordlys.example"])
    mail = relay.mail()
    assert mail["From"] == "Commissary <commissary@nordlys.example>"
    assert mail["To"] == "jonas@nordlys.example"
    assert (mail["Subject"], mail["Message-ID"], mail["Auto-Submitted"]) == ("Hello", ID, "auto-generated")
    assert before <= mail["Date"].datetime <= before + timedelta(minutes=1)
    assert mail.get_content().replace("\r\n", "\n") == "First line\n.\n..dots\nLast line\n"


@pytest.mark.parametrize("body", ["Grüße\n", "Grüße, " * 200 + "\n\n陈梅\n", "x" * 2_000 + "\n"])
def test_names_and_texts_may_hold_any_character(run: Callable[..., Relay], body: str) -> None:
    relay = run()
    subject = "Zugang für Åsa Öström 梅 " * 8
    send(relay.port, subject=subject, body=body, sender="Dienst für Åsa <commissary@nordlys.example>")
    content = relay.taken[0].original_content
    assert isinstance(content, bytes)
    # What every relay takes: RFC 5321, sections 2.3.1 and 4.5.3.1.6.
    assert content.isascii()
    assert max(map(len, content.splitlines())) <= 998
    assert relay.mail()["From"].addresses[0].display_name == "Dienst für Åsa"
    assert relay.mail()["Subject"] == subject.strip()
    assert relay.mail().get_content().replace("\r\n", "\n") == body


def test_a_domain_outside_ascii_goes_out_in_its_dns_form(run: Callable[..., Relay]) -> None:
    relay = run()
    send(relay.port, to="jonas@nördlys.example")
    assert relay.taken[0].rcpt_tos == ["jonas@xn--nrdlys-wxa.example"]


def test_an_address_outside_ascii_needs_smtputf8(run: Callable[..., Relay]) -> None:
    modern, plain = run(options={"enable_SMTPUTF8": True}), run()
    send(modern.port, to="åsa@nordlys.example")
    assert modern.taken[0].rcpt_tos == ["åsa@nordlys.example"]
    assert modern.taken[0].smtp_utf8
    with pytest.raises(Rejected, match="outside ASCII"):
        send(plain.port, to="åsa@nordlys.example")
    assert plain.taken == []


@pytest.mark.parametrize(
    "subject",
    [
        "Hello\r\nBcc: thief@evil.example",
        "Hello\nBcc: thief@evil.example",
        "Hello\r\n\r\nBcc: x",
        "Hello\x00\x1b\x85Bcc: x",
    ],
)
def test_a_subject_cannot_become_a_header(run: Callable[..., Relay], subject: str) -> None:
    relay = run()
    send(relay.port, subject=subject)
    assert relay.mail()["Bcc"] is None
    assert relay.mail()["Subject"].startswith("Hello Bcc: ")
    assert relay.mail().get_content().strip() == "Text"


@pytest.mark.parametrize(
    "to",
    [
        "",
        "jonas",
        "@nordlys.example",
        "jonas@",
        "a@b.example, c@d.example",
        "a b@nordlys.example",
        "a@nordlys.example\r\nRCPT TO:<thief@evil.example>",
        "a@nordlys.example>\r\nRCPT TO:<thief@evil.example",
        "a@nordlys.example\x00",
        "a\u2028@nordlys.example",
        "\ud800@nordlys.example",
        "a@" + "ü" * 80 + ".example",
    ],
)
def test_what_is_no_address_is_rejected_before_anything_is_sent(run: Callable[..., Relay], to: str) -> None:
    relay = run(options={"enable_SMTPUTF8": True})
    with pytest.raises(Rejected, match="cannot be sent"):
        send(relay.port, to=to)
    assert relay.taken == []


@given(st.text())
def test_whatever_is_taken_for_an_address_is_one_word_with_an_at(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert re.fullmatch(r"[^\s<>,;]+@[^\s<>,;]+", address.addr_spec)


@pytest.mark.parametrize("message_id", ["", "x", "<x>", "<a@b>\r\nBcc: c@d.example", "<a b@c>", "<å@b>"])
def test_what_is_no_message_id_is_rejected(run: Callable[..., Relay], message_id: str) -> None:
    with pytest.raises(Rejected, match="no message id"):
        SmtpMail(settings(1)).send(to="a@b.example", subject="x", body="y", message_id=message_id)


def test_a_body_that_cannot_be_written_is_rejected(run: Callable[..., Relay]) -> None:
    with pytest.raises(Rejected):
        send(run().port, body="\ud800")


@pytest.mark.parametrize("step", ["at_sender", "at_recipient", "at_content"])
def test_try_later_is_transient_and_no_is_for_good(run: Callable[..., Relay], step: str) -> None:
    with pytest.raises(Transient, match="451 greylisted, come back") as later:
        send(run(**{step: "451 greylisted, come back"}).port)
    assert not isinstance(later.value, UnknownOutcome)
    with pytest.raises(Rejected, match="550 no such user"):
        send(run(**{step: "550 no such user"}).port)


@pytest.mark.parametrize("step", ["at_sender", "at_recipient"])
def test_a_relay_lost_before_the_content_has_nothing(run: Callable[..., Relay], step: str) -> None:
    relay = run(**{step: None})
    with pytest.raises(Transient, match="before it had the mail") as lost:
        send(relay.port)
    assert not isinstance(lost.value, UnknownOutcome)


def test_a_relay_lost_after_the_content_may_have_it(run: Callable[..., Relay]) -> None:
    relay = run(at_content=None)
    with pytest.raises(UnknownOutcome, match="before it confirmed"):
        send(relay.port)
    assert len(relay.taken) == 1


def test_an_answer_without_a_code_after_the_content_leaves_it_unknown(run: Callable[..., Relay]) -> None:
    with pytest.raises(UnknownOutcome):
        send(run(at_content="well, perhaps").port)


def test_nobody_there_is_transient(unused_port: int) -> None:
    with pytest.raises(Transient, match=rf"cannot get through to mail relay 127.0.0.1:{unused_port}: .*refused"):
        send(unused_port)


def test_a_silent_relay_is_given_up_after_the_timeout() -> None:
    with _silence() as port, pytest.raises(Transient, match="timed out"):
        send(port, timeout=0.2)


@pytest.fixture
def unused_port() -> int:
    with _silence() as port:
        return port


@contextmanager
def _silence() -> Iterator[int]:
    """Give a port where connections are accepted and nobody says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's TLS with a certificate that this process trusts."""
    for name, content in zip(("ca.pem", "server.pem", "server.key"), _certificates(), strict=True):
        (tmp_path / name).write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    return context


def with_login(relay: Relay) -> None:
    relay.options |= {"authenticator": relay.check, "auth_required": True}


def test_mail_goes_through_starttls_with_a_login(tls: ssl.SSLContext) -> None:
    relay = Relay(options={"tls_context": tls, "require_starttls": True})
    with_login(relay)
    with listening(relay):
        send(relay.port, security=Security.STARTTLS, login="commissary", password="secret")
        assert (relay.logins, len(relay.taken)) == (["commissary"], 1)


def test_mail_goes_through_tls_from_the_first_byte(run: Callable[..., Relay], tls: ssl.SSLContext) -> None:
    relay = run(tls=tls)
    send(relay.port, security=Security.TLS)
    assert len(relay.taken) == 1


def test_a_certificate_that_is_not_trusted_stops_the_mail_but_does_not_lose_it(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with listening(Relay(tls=tls)) as relay, pytest.raises(Transient, match="certificate verify failed"):
        send(relay.port, security=Security.TLS)
    assert relay.taken == []


def test_a_relay_without_starttls_gets_no_mail(run: Callable[..., Relay]) -> None:
    relay = run()
    with pytest.raises(Transient, match="STARTTLS"):
        send(relay.port, security=Security.STARTTLS)
    assert relay.taken == []


def test_a_refused_login_keeps_the_mail_and_tells_no_password(tls: ssl.SSLContext) -> None:
    relay = Relay(options={"tls_context": tls, "require_starttls": True})
    with_login(relay)
    with listening(relay), pytest.raises(Transient, match="535") as refused:
        send(relay.port, security=Security.STARTTLS, login="commissary", password="wrong-one")
    assert "wrong-one" not in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"sender": "nobody"}, "not one mail address"),
        ({"sender": "a@b.example, c@d.example"}, "not one mail address"),
        ({"login": "x"}, "or neither"),
        ({"password": "x"}, "or neither"),
        ({"login": "x", "password": "y"}, "not sent in the clear"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"timeout": 0}, "greater than 0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        settings(**{"port": 25} | wrong)


def test_settings_come_from_the_environment_and_hide_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HOST": "mail.example",
        "SENDER": "commissary@example.com",
        "LOGIN": "commissary",
        "PASSWORD": "s3cret",
    }.items():
        monkeypatch.setenv(f"COMMISSARY_SMTP_{name}", value)
    found = SmtpSettings()
    assert (found.host, found.port, found.security) == ("mail.example", 25, Security.STARTTLS)
    assert "s3cret" not in repr(found)
