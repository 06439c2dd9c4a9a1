"""The `Mail` port by SMTP (RFC 5321): one mail, one recipient, one connection.

The dialogue is driven step by step rather than by `smtplib.sendmail`, because what a lost connection means depends
on the step: up to the content nothing was handed over; after it, the relay may have taken the mail and only its
answer is missing. When and how often to try again is the dispatcher's business.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import NoReturn

from activities.connectors.smtp.settings import Security, SmtpSettings, parse_address
from activities.errors import Rejected, Transient, UnknownOutcome

_MESSAGE_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_NO_CODE = -1
"""What smtplib gives for an answer that begins with no number."""


class SmtpMail:
    """Hands mail to one relay; safe to use from several threads."""

    def __init__(self, settings: SmtpSettings) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._sender = parse_address(settings.sender)
        # Once: to read the system's certificates takes 20 ms of processor time.
        self._trust = None if settings.security is Security.NONE else ssl.create_default_context()
        # smtplib asks the DNS for this at every connection, which can take seconds.
        self._own_name = smtplib.SMTP().local_hostname

    def send(self, *, to: str, subject: str, body: str, message_id: str) -> None:
        """Hand one plain-text mail to the relay.

        Raises:
            Transient: the relay cannot be reached, does not let us in or asks to try later; nothing was handed over.
            UnknownOutcome: the relay was lost after it had the whole mail; it may have taken it.
            Rejected: the relay refuses this mail or this recipient, or they cannot be mailed at all.
        """
        try:
            recipient = parse_address(to)
            international = not (recipient.username + self._sender.username).isascii()
            content = self._compose(recipient, subject, body, message_id, international=international)
        except ValueError as trouble:
            raise Rejected(f"this mail cannot be sent: {trouble}") from trouble
        with self._relay() as relay:
            self._announce(relay, recipient, international=international)
            self._hand_over(relay, content)

    def _compose(self, to: Address, subject: str, body: str, message_id: str, *, international: bool) -> bytes:
        if not _MESSAGE_ID.fullmatch(message_id):
            raise ValueError(f"{message_id[:80]!r} is no message id (RFC 5322, section 3.6.4)")
        kind = policy.SMTPUTF8 if international else policy.SMTP
        message = EmailMessage(kind.clone(cte_type="7bit"))
        message["From"] = self._sender
        message["To"] = to
        # A subject is one line of text, whatever was typed into the answers it is made of.
        message["Subject"] = " ".join("".join(c if c.isprintable() else " " for c in subject).split())
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = message_id
        # RFC 3834, section 5: so that nobody's absence note answers it.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body)
        return message.as_bytes()

    @contextmanager
    def _relay(self) -> Iterator[smtplib.SMTP]:
        try:
            relay = self._connected()
        except (OSError, UnicodeError) as trouble:
            raise Transient(f"cannot get through to {self._where}: {_words(trouble)}") from trouble
        try:
            yield relay
        finally:
            with suppress(OSError):
                relay.quit()
            relay.close()

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        if settings.security is Security.TLS:
            relay: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.host, settings.port, self._own_name, timeout=settings.timeout, context=self._trust
            )
        else:
            relay = smtplib.SMTP(settings.host, settings.port, self._own_name, timeout=settings.timeout)
        try:
            if settings.security is Security.STARTTLS:
                relay.starttls(context=self._trust)
            relay.ehlo_or_helo_if_needed()
            if settings.login is not None and settings.password is not None:
                relay.login(settings.login, settings.password.get_secret_value())
        except BaseException:
            relay.close()
            raise
        return relay

    def _announce(self, relay: smtplib.SMTP, recipient: Address, *, international: bool) -> None:
        """Say from whom and to whom, up to where the relay wants the content."""
        if international and not relay.has_extn("smtputf8"):
            raise Rejected(f"{self._where} takes no addresses with characters outside ASCII (RFC 6531)")
        options = ("SMTPUTF8", "BODY=8BITMIME") if international else ()
        try:
            self._expect(relay.mail(self._sender.addr_spec, options), 250, "the sender")
            self._expect(relay.rcpt(recipient.addr_spec), 250, "the recipient")
            self._expect(relay.docmd("DATA"), 354, "the mail")
        except OSError as trouble:
            raise Transient(f"{self._where} went away before it had the mail: {_words(trouble)}") from trouble

    def _hand_over(self, relay: smtplib.SMTP, content: bytes) -> None:
        """Send the content and the end mark, and wait for the relay to say that it has it."""
        # RFC 5321, section 4.5.2: a line that begins with a dot gets another one.
        stuffed = re.sub(rb"(?m)^\.", b"..", content)
        try:
            relay.send(stuffed + b".\r\n")
            code, text = relay.getreply()
        except OSError as trouble:
            raise UnknownOutcome(
                f"{self._where} went away before it confirmed the mail: {_words(trouble)}"
            ) from trouble
        if code == _NO_CODE:
            raise UnknownOutcome(f"{self._where} answered the mail with something that is no answer")
        self._expect((code, text), 250, "the mail")

    def _expect(self, answer: tuple[int, bytes], expected: int, what: str) -> None:
        code, text = answer
        if code // 10 != expected // 10:
            self._refused(code, text, what)

    def _refused(self, code: int, text: bytes, what: str) -> NoReturn:
        kind = Rejected if code >= 500 else Transient  # noqa: PLR2004  # RFC 5321, section 4.2.1: 5yz is for good
        raise kind(f"{self._where} refuses {what}: {code} {_readable(text)}")

    @property
    def _where(self) -> str:
        return f"mail relay {self._settings.host}:{self._settings.port}"


def _words(trouble: Exception) -> str:
    if isinstance(trouble, smtplib.SMTPResponseException):
        error = trouble.smtp_error
        return f"{trouble.smtp_code} {_readable(error) if isinstance(error, bytes) else error}"
    return str(trouble) or type(trouble).__name__


def _readable(text: bytes) -> str:
    return " ".join(text.decode("utf-8", "replace").split())[:300]
