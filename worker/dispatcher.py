"""Sends the notices that the register says are owed: one thread, one mail at a time, each at most once (row N2).

What a notice says is `catalog.mail`'s business, how mail travels the connector's, what is owed the register's. The
register also puts off what comes in its recipient's quiet hours, and what is to come together in a digest.
Several processes may each run one: a claim in the register gives a notice to one of them.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from activities.errors import ConnectorError, Transient, UnknownOutcome
from activities.ports import Mail
from catalog.mail import render
from catalog.people import OPERATORS
from catalog.request import Notice
from records.register import OwedNotice, Register, RegisterUnavailable

log = logging.getLogger(__name__)

POLL = timedelta(seconds=2)
"""How long it takes at most until a notice is seen that nobody woke us for: another process wrote it, or it is due
again."""
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=15)
SETTLE_EVERY = timedelta(minutes=1)
LOST_AFTER = timedelta(minutes=2)
"""Longer than any attempt takes that can still end: a claim that is older has no sender any more."""
MAX_REASON = 500


class Dispatcher:
    """A thread that sends owed notices from `start` to `stop`."""

    def __init__(
        self,
        register: Register,
        mail: Mail,
        portal_url: str,
        operators_mail: str | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Start nothing yet.

        Args:
            register: who owes what.
            mail: the way out.
            portal_url: where recipients find the platform; mails name it.
            operators_mail: the mailbox behind `catalog.people.OPERATORS`; without one they get no mail.
            clock: tells the time, UTC.
        """
        self._register = register
        self._mail = mail
        self._portal_url = portal_url
        self._operators_mail = operators_mail
        self._clock = clock
        self._settle_at = clock()
        self._stopping = threading.Event()
        self._awake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once for owed notices; call it after writing some. Never blocks."""
        self._awake.set()

    def stop(self) -> None:
        """Stop after the mail that is being sent; what is owed stays owed. May be called at any time."""
        self._stopping.set()
        self._awake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._settle()
                while not self._stopping.is_set() and self._register.gather_notices(self._clock()):
                    pass
                while not self._stopping.is_set() and self._send_next():
                    pass
            except RegisterUnavailable as error:
                log.warning("the register is not available, notices wait: %s", error)
            except Exception:
                # Without this thread nobody would be told anything; the notice at hand stays claimed and is settled.
                log.exception("a notice could not be dealt with")
            self._pause()

    def _pause(self) -> None:
        """Wait until woken, or for a while; not at all once we are to stop."""
        if not self._stopping.is_set():
            self._awake.wait(POLL.total_seconds())
            self._awake.clear()

    def _settle(self) -> None:
        now = self._clock()
        if now < self._settle_at:
            return
        lost = self._register.settle_lost_notices(now - LOST_AFTER)
        self._settle_at = now + SETTLE_EVERY
        if lost:
            log.warning("%d mails may or may not have gone out; they are not sent again", lost)

    def _send_next(self) -> bool:
        """Deal with the next due notice; return whether there was one."""
        owed = self._register.claim_notice(self._clock())
        if owed is None:
            return False
        try:
            trouble = self._send(owed.notice)
        except UnknownOutcome as error:
            # Neither sent nor failed: it keeps its claim, and `settle_lost_notices` closes it as unknown.
            self._warn(owed, f"it may or may not have gone out: {error}")
        except Transient as error:
            pause = min(FIRST_PAUSE * 2 ** min(owed.attempt - 1, 16), LONGEST_PAUSE)
            self._warn(owed, f"attempt {owed.attempt}, next one in {pause}: {error}")
            until, why = self._clock() + pause, str(error)[:MAX_REASON]
            self._note(lambda: self._register.notice_postponed(owed.id, until, why))
        else:
            self._note_end(owed, trouble)
        return True

    def _send(self, notice: Notice) -> str | None:
        """Send it; return why it can never be sent, or None once it is with the relay.

        Raises:
            Transient: not now.
        """
        address = self._operators_mail if notice.to.id == OPERATORS.id else notice.to.mail
        if not address:
            return "there is no mail address"
        try:
            text = render(notice, self._portal_url)
        except Exception as error:  # noqa: BLE001  # whatever its data did to the template, it concerns this notice only
            return f"the template {notice.template} failed: {type(error).__name__}: {error}"
        try:
            self._mail.send(
                to=address, subject=text.subject, body=text.body, message_id=message_id(notice, self._portal_url)
            )
        except Transient:
            raise
        except ConnectorError as error:
            return str(error)
        return None

    def _note_end(self, owed: OwedNotice, trouble: str | None) -> None:
        now = self._clock()
        if trouble is None:
            self._note(lambda: self._register.notice_sent(owed.id, now))
            return
        self._warn(owed, f"it will not be sent: {trouble}")
        self._note(lambda: self._register.notice_failed(owed.id, now, trouble[:MAX_REASON]))

    def _note(self, write: Callable[[], None]) -> None:
        """Put on record what became of a mail; for as long as the register is away and we are not to stop."""
        while True:
            try:
                return write()
            except RegisterUnavailable as error:
                if self._stopping.is_set():
                    log.warning("the register is not available, the fate of a mail is lost: %s", error)
                    return None
            self._pause()

    def _warn(self, owed: OwedNotice, why: str) -> None:
        log.warning("mail about %s to %s: %s", owed.notice.event, owed.notice.to.login, why)


def message_id(notice: Notice, portal_url: str) -> str:
    """Return the Message-ID of a notice (RFC 5322, section 3.6.4): the same event and recipient, the same id."""
    key = hashlib.sha256(f"{notice.event} {notice.to.id}".encode()).hexdigest()[:32]
    host = urlsplit(portal_url).hostname or ""
    return f"<{key}@{(host.isascii() and host) or 'commissary.invalid'}>"
