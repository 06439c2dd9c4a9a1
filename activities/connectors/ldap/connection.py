"""Connections to the LDAP servers: opened with TLS and both time-outs, pooled, and thrown away once in doubt.

This is the only module that calls ldap3's network operations, and here its errors end. It knows nothing of people
and groups. ldap3 facts it answers to: sizeLimitExceeded and timeLimitExceeded never raise, so every result code is
looked at here; a receive time-out leaves the outcome of a write unknown, and the RESTARTABLE strategies would blindly
repeat it, so they are not used; ldap3's own check of host names refuses IP addresses, so Python's is used.
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ldap3 import (
    BASE,
    DEREF_NEVER,
    MODIFY_ADD,
    MODIFY_DELETE,
    MODIFY_REPLACE,
    NONE,
    SAFE_SYNC,
    SUBTREE,
    Connection,
    Server,
    Tls,
)
from ldap3.core.exceptions import (
    LDAPCommunicationError,
    LDAPExceptionError,
    LDAPPasswordIsMandatoryError,
    LDAPResponseTimeoutError,
    LDAPSASLPrepError,
)
from ldap3.extend.standard.modifyPassword import ModifyPassword
from ldap3.protocol.sasl.sasl import validate_simple_password

from activities.connectors.ldap.results import (
    INVALID_CREDENTIALS,
    NO_SUCH_OBJECT,
    SUCCESS,
    WRONG_PASSWORD,
    Result,
)
from activities.connectors.ldap.settings import LdapSettings, Security
from activities.errors import ConnectorError, NotFound, Rejected, Transient, UnknownOutcome
from activities.lease import may_write

_log = logging.getLogger(__name__)

_PAGED_RESULTS = "1.2.840.113556.1.4.319"  # RFC 2696
_NO_ATTRIBUTES = "1.1"  # RFC 4511, section 4.5.1.8


def filter_value(text: str) -> str:
    r"""Return any text as an assertion value for a filter (RFC 4515, section 3).

    Every octet is written as ``\hh``: ldap3's escape_filter_chars leaves outer spaces, which its parser then strips.
    """
    return "".join(f"\\{octet:02x}" for octet in text.encode("utf-8", "surrogatepass"))


def rdn(attribute: str, value: str) -> str:
    r"""Return a relative distinguished name (RFC 4514); every octet that might mean something is written ``\hh``."""
    octets = value.encode("utf-8", "surrogatepass")
    plain = "".join(chr(octet) if chr(octet).isalnum() and octet < 128 else f"\\{octet:02x}" for octet in octets)  # noqa: PLR2004  # ASCII
    return f"{attribute}={plain}"


def usable_password(password: str) -> bool:
    """Return whether anything is left of the password when it is prepared for a bind (RFC 4513, section 5.1.3).

    A bind with an empty password succeeds as nobody (section 5.1.2), and SASLprep maps some characters, a soft hyphen
    for one, to nothing; others no password may hold.
    """
    try:
        return bool(validate_simple_password(password))
    except (LDAPPasswordIsMandatoryError, LDAPSASLPrepError, UnicodeEncodeError):
        return False


@dataclass(frozen=True)
class Entry:
    """One entry as the server showed it; attribute names are in lower case."""

    dn: str
    attributes: dict[str, tuple[str, ...]]

    def all(self, attribute: str) -> tuple[str, ...]:
        """Return every value of an attribute."""
        return self.attributes.get(attribute.lower(), ())

    def first(self, attribute: str) -> str | None:
        """Return the first value of an attribute, if it has one."""
        return next(iter(self.all(attribute)), None)


class Session:
    """A connection bound as the service account, lent to one thread for one call."""

    def __init__(self, connection: Connection, url: str, settings: LdapSettings) -> None:
        self.url = url
        self._connection = connection
        self._settings = settings

    def search(self, base: str, where: str, attributes: Sequence[str]) -> list[Entry]:
        """Return every entry below `base` that matches, page by page.

        Raises:
            Rejected: `base` does not exist, the server gave only a part, or refuses.
            Transient: the server is busy or ran out of time.
        """
        entries: list[Entry] = []
        cookie: bytes | None = None
        while True:
            answer, page = self._search(base, where, SUBTREE, attributes, cookie)
            result = Result.of(answer)
            if result.code == NO_SUCH_OBJECT:
                raise Rejected(
                    f"{self.url}: the base {base!r} does not exist, or the service account may not see it; "
                    "check COMMISSARY_LDAP_PEOPLE_BASE, COMMISSARY_LDAP_GROUPS_BASE, COMMISSARY_LDAP_ROLES_BASE, "
                    "COMMISSARY_LDAP_CIS_BASE and its rights"
                )
            if result.code != SUCCESS:
                raise result.error(f"{self.url}: searching below {base!r}")
            entries += page
            cookie = answer.get("controls", {}).get(_PAGED_RESULTS, {}).get("value", {}).get("cookie")
            if not cookie:
                return entries

    def read(self, dn: str, where: str, attributes: Sequence[str] = (_NO_ATTRIBUTES,)) -> Entry | None:
        """Return the entry `dn` if it matches, else None.

        Raises:
            NotFound: there is no such entry.
        """
        answer, entries = self._search(dn, where, BASE, attributes, None)
        result = Result.of(answer)
        if result.code != SUCCESS:
            raise result.error(f"{self.url}: reading {dn!r}")
        return next(iter(entries), None)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Enclose a write and its reading back: what breaks in here leaves open whether the write was made.

        Raises:
            Transient: the write was not begun, for it is too late for this attempt.
            UnknownOutcome: the connection broke.
        """
        may_write()
        try:
            yield
        except (LDAPExceptionError, OSError) as error:
            trouble = _trouble(self.url, error, "; whether the change was made is unknown")
            raise (UnknownOutcome(str(trouble)) if isinstance(trouble, Transient) else trouble) from error

    def modify(self, dn: str, attribute: str, *, add: str | None = None, remove: str | None = None) -> Result:
        """Add and remove one value in one operation, which succeeds or fails as a whole; called in `writing`."""
        changes = [(how, [value]) for how, value in ((MODIFY_ADD, add), (MODIFY_DELETE, remove)) if value is not None]
        _, answer, *_ = self._connection.modify(dn, {attribute: changes})  # type: ignore[no-untyped-call]  # the stubs
        return Result.of(answer)

    def replace(self, dn: str, values: Mapping[str, Sequence[str]]) -> Result:
        """Make each attribute hold exactly these values, in one operation; called in `writing`."""
        changes = {name: [(MODIFY_REPLACE, list(those))] for name, those in values.items()}
        _, answer, *_ = self._connection.modify(dn, changes)  # type: ignore[no-untyped-call]  # the stubs
        return Result.of(answer)

    def add(self, dn: str, classes: Sequence[str], values: Mapping[str, Sequence[str]]) -> Result:
        """Make an entry; called in `writing`."""
        attributes = {name: list(those) for name, those in values.items() if those}
        _, answer, *_ = self._connection.add(dn, list(classes), attributes)  # type: ignore[no-untyped-call]  # the stubs
        return Result.of(answer)

    def delete(self, dn: str) -> Result:
        """Delete an entry; called in `writing`."""
        _, answer, *_ = self._connection.delete(dn)  # type: ignore[no-untyped-call]  # the stubs
        return Result.of(answer)

    def set_password(self, dn: str, password: str) -> Result:
        """Let the server hash and set a password (RFC 3062); called in `writing`."""
        operation = ModifyPassword(self._connection, dn, None, password)
        operation.send()  # type: ignore[no-untyped-call]  # the stubs
        assert operation.result is not None
        return Result.of(operation.result)

    def _search(
        self, base: str, where: str, scope: Any, attributes: Sequence[str], cookie: bytes | None
    ) -> tuple[dict[str, Any], list[Entry]]:
        _, answer, response, _ = self._connection.search(
            base,
            where,
            scope,
            dereference_aliases=DEREF_NEVER,
            attributes=list(attributes),
            time_limit=self._settings.receive_timeout,
            paged_size=None if scope == BASE else self._settings.page_size,
            paged_cookie=cookie,
        )
        return answer, [_entry(item) for item in response or () if item["type"] == "searchResEntry"]


def _entry(item: dict[str, Any]) -> Entry:
    raw: dict[str, list[bytes]] = item["raw_attributes"]
    return Entry(
        dn=item["dn"],
        attributes={name.lower(): tuple(v.decode("utf-8", "replace") for v in values) for name, values in raw.items()},
    )


class Pool:
    """At most `pool_size` connections at a time, each lent to one thread.

    A connection on which anything went wrong is closed and never lent again; the idle ones go with it, for they
    most likely lead to the same dead server.
    """

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._tls = None if settings.security is Security.NONE else _VerifyingTls(settings)
        self._slots = threading.BoundedSemaphore(settings.pool_size)
        self._lock = threading.Lock()
        self._idle: list[tuple[Connection, str]] = []
        self._last_good = settings.urls[0]

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Lend a session; every error that leaves the block is a ConnectorError.

        Raises:
            Transient: no server can be reached, the connection broke or went silent, or the pool stayed exhausted.
            Rejected: the service account or the server's certificate is refused.
        """
        with self._slot():
            connection, url = self._take() or self._open_as_service()
            reusable = False
            try:
                yield Session(connection, url, self._settings)
                reusable = True
            except (Rejected, NotFound):
                reusable = True  # an answer, though not the one hoped for
                raise
            except (LDAPExceptionError, OSError) as error:
                raise _trouble(url, error) from error
            finally:
                if reusable:
                    with self._lock:
                        self._idle.append((connection, url))
                else:
                    _close(connection)
                    self.close()

    def accepts(self, dn: str, password: str) -> bool:
        """Return whether a server lets `dn` sign in with `password`, asked on a connection of its own.

        Raises:
            Transient: no server can be reached, or it is busy.
            Rejected: the server refuses the connection or binds as such.
        """
        with self._slot():
            connection, url, result = self._open(dn, password)
            _close(connection)
        if result.code in WRONG_PASSWORD:
            return False
        if result.code != SUCCESS:
            raise result.error(f"{url}: signing in a person")
        return True

    def close(self) -> None:
        """Close the idle connections; the pool opens new ones if it is used again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            _close(connection)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        patience = self._settings.receive_timeout
        if not self._slots.acquire(timeout=patience):
            raise Transient(
                f"all {self._settings.pool_size} connections to the directory were in use for {patience} s; "
                "if the directory is well, raise COMMISSARY_LDAP_POOL_SIZE"
            )
        try:
            yield
        finally:
            self._slots.release()

    def _take(self) -> tuple[Connection, str] | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, url = self._idle.pop()
            if _is_silent(connection):
                return connection, url
            _close(connection)

    def _open_as_service(self) -> tuple[Connection, str]:
        try:
            password = self._settings.password()
        except OSError as error:
            raise Rejected(f"COMMISSARY_LDAP_BIND_PASSWORD_FILE cannot be read: {error.strerror}") from error
        if not usable_password(password):
            raise Rejected("COMMISSARY_LDAP_BIND_PASSWORD is empty or holds characters that no password may hold")
        connection, url, result = self._open(self._settings.bind_dn, password)
        if result.code == SUCCESS:
            return connection, url
        _close(connection)
        if result.code == INVALID_CREDENTIALS:
            raise Rejected(
                f"{url}: the directory refuses the service account {self._settings.bind_dn!r}: "
                "check COMMISSARY_LDAP_BIND_PASSWORD and whether the account is locked"
            )
        raise result.error(f"{url}: signing in as the service account {self._settings.bind_dn!r}")

    def _open(self, dn: str, password: str) -> tuple[Connection, str, Result]:
        """Bind at the first server that answers, beginning with the one that answered last."""
        troubles: list[ConnectorError] = []
        for url in sorted(self._settings.urls, key=lambda url: url != self._last_good):
            connection = self._prepare(url, dn, password)
            try:
                connection.open(read_server_info=False)
                if self._settings.security is Security.STARTTLS:
                    connection.start_tls(read_server_info=False)
                connection.bind(read_server_info=False)
            except (LDAPExceptionError, OSError) as error:
                _close(connection)
                troubles.append(_trouble(url, error))
                continue
            for trouble in troubles:
                _log.warning("%s; went on to %s", trouble, url)
            self._last_good = url
            return connection, url, Result.of(connection.result)
        kind = Transient if any(isinstance(trouble, Transient) for trouble in troubles) else Rejected
        raise kind("; ".join(map(str, troubles)))

    def _prepare(self, url: str, dn: str, password: str) -> Connection:
        settings = self._settings
        # One Server per connection: ldap3 keeps the state of the connection in it.
        server = Server(url.rstrip("/"), get_info=NONE, tls=self._tls, connect_timeout=settings.connect_timeout)
        return Connection(
            server,
            dn,
            password,
            client_strategy=SAFE_SYNC,
            receive_timeout=settings.receive_timeout,
            auto_referrals=False,  # following one would hand the password to a server of the server's choice
            auto_escape=False,
            check_names=False,  # DNs are those the server gave, and go back as they came
        )


class _VerifyingTls(Tls):
    """TLS with a certificate that is trusted and names the host, checked by Python's ssl."""

    def __init__(self, settings: LdapSettings) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        ca_file = str(settings.ca_file) if settings.ca_file else None
        self._context = ssl.create_default_context(cafile=ca_file)

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:  # noqa: ARG002 - ldap3's signature
        """Put TLS around the connection's socket."""
        # Without it the first request waits 40 ms for the acknowledgement of the handshake.
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=connection.server.host)


def _trouble(url: str, error: Exception, outcome: str = "") -> ConnectorError:
    """Return what an error of ldap3 or of the socket means; its text never holds a password."""
    # With several addresses for one name, ldap3 hides their errors in a list.
    history = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], list) else []
    causes = [error, *(cause for cause, _ in history)]
    words = causes[-1].args[0] if len(causes[-1].args) == 1 else causes[-1]
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Rejected(f"{url}: its certificate is not trusted: {words}; check COMMISSARY_LDAP_CA_FILE and the name")
    if isinstance(error, LDAPCommunicationError | LDAPResponseTimeoutError | OSError):
        return Transient(f"{url}: {words}{outcome}")
    return Rejected(f"{url}: {type(error).__name__}: {words}")


def _is_silent(connection: Connection) -> bool:
    """Return whether nothing waits to be read: on an idle connection that would be the server's farewell."""
    poll = select.poll()
    poll.register(connection.socket, select.POLLIN)
    return not poll.poll(0)


def _close(connection: Connection) -> None:
    # ldap3 leaves the socket open if opening failed halfway.
    raw = connection.socket
    with suppress(LDAPExceptionError, OSError):
        connection.unbind()
    if raw is not None:
        raw.close()
