"""The `HttpSender` port by httpx: one request, one answer, to allowed hosts only.

No redirect is followed to another origin, no proxy and no password file of the environment is used, and a credential
goes only where it is encrypted. What a lost connection means depends on the method: what is safe to repeat
(RFC 9110, section 9.2.2) or carries a key by which the target knows a repeat is `UnknownOutcome`; anything else is
`Rejected`, so that somebody looks first.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn

import httpx

from activities.connectors.http.settings import HttpSettings, Target
from activities.errors import ConnectorError, Rejected, Throttled, Transient, UnknownOutcome
from activities.lease import may_write
from catalog.http import HttpAnswer, HttpCall

MAX_ANSWER = 64 * 1024
"""How many bytes of an answer are taken: it is kept with the request."""
MAX_PAUSE = timedelta(hours=1)
"""A longer pause than this is asked for in vain: after it the server is asked again."""
SHOWN = 200
"""How much of an unexpected answer is shown."""

_REPEATABLE = {"GET", "PUT", "DELETE"}
_OURS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "idempotency-key"}
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOO_MANY, _UNAVAILABLE, _SERVER = 429, 503, 500
_REDIRECTS = 5


class HttpxSender:
    """Sends requests; safe to use from several threads."""

    def __init__(self, settings: HttpSettings) -> None:
        """Open nothing yet."""
        self._settings = settings
        timeout = httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout)
        # trust_env would take proxies and .netrc passwords from the environment; the context still knows SSL_CERT_FILE.
        self._client = httpx.Client(
            timeout=timeout, verify=ssl.create_default_context(), trust_env=False, follow_redirects=False
        )
        # Requests have nothing to do with each other: no cookie of one goes out with the next.
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # It writes every URL with its query into the log, which may hold what is nobody's business.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    def close(self) -> None:
        """Close the idle connections."""
        self._client.close()

    def send(self, call: HttpCall) -> HttpAnswer:
        """Send a request and return the answer, if its status is one of those expected; see the port."""
        secret = self._secret(call)
        headers = self._headers(call, secret)
        target = self._target(call.url, credential=bool(secret))
        url: str | None = call.url
        for _ in range(_REDIRECTS):
            assert url is not None
            response, content = self._exchange(call, url, headers)
            url = self._redirect(call, response, target)
            if url is None:
                return self._answer(call, response, content, target, secret)
        raise Rejected(f"{target}: more than {_REDIRECTS} redirects")

    # --- before it goes out ---

    def _target(self, url: str, *, credential: bool) -> Target:
        try:
            target = Target.of(url)
        except ValueError as error:
            raise Rejected(f"{url[:SHOWN]!r} cannot be asked: {error}") from error
        if not self._settings.allows(target):
            raise Rejected(f"requests to {target} are not allowed; if they should be, add it to COMMISSARY_HTTP_ALLOW")
        if credential and target.scheme != "https" and not target.is_loopback:
            raise Rejected(f"{target}: a credential is not sent without TLS; write https://")
        return target

    def _secret(self, call: HttpCall) -> str:
        if call.credential is None:
            return ""
        found = self._settings.credential_named(call.credential)
        if found is None:
            name = call.credential.replace("-", "_").upper()
            raise Rejected(f"there is no credential {call.credential!r}; set COMMISSARY_HTTP_CREDENTIAL_{name}")
        return found.get_secret_value()

    def _headers(self, call: HttpCall, secret: str) -> dict[str, str]:
        for name, value in call.headers.items():
            if not _HEADER.fullmatch(name) or not value.isprintable() or not value.isascii():
                raise Rejected(f"the header {name[:SHOWN]!r} holds what no header may hold")
            if name.lower() in _OURS or (secret and name.lower() == "authorization"):
                raise Rejected(f"the header {name!r} is set by the platform; remove it")
        # No compression: its expansion could not be bounded before it happened.
        headers = {"Accept": "application/json, */*;q=0.5", **call.headers, "Accept-Encoding": "identity"}
        if secret:
            headers["Authorization"] = secret
        if call.idempotency_key and call.method != "GET":
            headers["Idempotency-Key"] = call.idempotency_key
        return headers

    # --- the exchange ---

    def _exchange(self, call: HttpCall, url: str, headers: dict[str, str]) -> tuple[httpx.Response, bytes]:
        body = {} if call.body is None else {"json": call.body}
        if call.method != "GET":
            may_write()
        try:
            with self._client.stream(call.method, url, headers=headers, **body) as response:
                return response, self._content(call, response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            kind = Rejected if _is_distrust(error) else Transient
            raise kind(f"{_place(url)} cannot be reached: {_words(error)}") from error
        except httpx.InvalidURL as error:
            # The request's own URL was read before; httpx reads where an answer sends to as soon as it has it.
            raise _acted(call, Rejected(f"{_place(url)} sends to what is no address: {_words(error)}")) from error
        except (httpx.LocalProtocolError, ValueError, TypeError) as error:
            raise Rejected(f"{_place(url)}: this cannot be sent: {_words(error)}") from error
        except httpx.TransportError as error:
            _lost(call, f"{_place(url)} was lost before it answered in full: {_words(error)}", error)

    def _content(self, call: HttpCall, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + self._settings.total_timeout
        content = b""
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _acted(call, Rejected("the answer is compressed, though that was not asked for"))
        for part in response.iter_raw():
            content += part
            if len(content) > MAX_ANSWER:
                raise _acted(call, Rejected(f"the answer is larger than {MAX_ANSWER // 1024} KiB; ask for less"))
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout(f"its answer took longer than {self._settings.total_timeout:g} s")
        return content

    def _redirect(self, call: HttpCall, response: httpx.Response, target: Target) -> str | None:
        """Return where a look-up goes on, if its host sends it on within itself."""
        if not response.has_redirect_location or response.status_code in call.expect:
            return None
        further = str(response.url.join(response.headers["location"]))
        try:
            same = Target.of(further) == target
        except ValueError:
            same = False
        if call.method == "GET" and same:
            return further
        raise _acted(
            call,
            Rejected(f"{target} answered {response.status_code} and sends to {_place(further)}; write the final URL"),
        )

    # --- what came back ---

    def _answer(
        self, call: HttpCall, response: httpx.Response, content: bytes, target: Target, secret: str
    ) -> HttpAnswer:
        status = response.status_code
        if status in call.expect:
            changed = call.method != "GET"
            body = _body(response, content)
            return HttpAnswer(
                present=True, changed=changed, at=datetime.now(UTC), where=str(target), status=status, body=body
            )
        text = " ".join(content.decode("utf-8", "replace").split())
        said = f"{target} answered {status}: {(text.replace(secret, '…') if secret else text)[:SHOWN]}"
        if status in (_TOO_MANY, _UNAVAILABLE):
            pause = _pause(response)
            raise Throttled(said, pause) if pause else Transient(said)
        if status >= _SERVER:
            _lost(call, said)
        raise Rejected(said)


def _lost(call: HttpCall, message: str, cause: Exception | None = None) -> NoReturn:
    """Raise what it means that nobody knows whether the server acted."""
    if call.method == "GET":
        raise Transient(message) from cause
    if call.method in _REPEATABLE or call.idempotency_key:
        raise UnknownOutcome(f"{message}; whether it was done is unknown") from cause
    unknown = Rejected(f"{message}; whether it was done is unknown: look there before it is repeated")
    raise _acted(call, unknown) from cause


def _acted(call: HttpCall, error: ConnectorError) -> ConnectorError:
    """Mark an error that came after the server had the request."""
    error.ours = call.method != "GET"
    return error


def _body(response: httpx.Response, content: bytes) -> Any:
    """Return the answer's JSON, if it says that it is some, else its text; both fit into JSON again."""
    text = content.decode("utf-8", "replace")
    if "json" in response.headers.get("content-type", "") and text:
        try:
            body = json.loads(text, parse_constant=_refuse)
            json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is JSON, but no text
        except (ValueError, RecursionError):
            return text
        return body
    return text


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _pause(response: httpx.Response) -> timedelta | None:
    """Return how long the server asks to wait (RFC 9110, section 10.2.3): seconds or a date; an hour at most."""
    text = response.headers.get("retry-after", "").strip()
    try:
        if text.isascii() and text.isdigit():
            pause = timedelta(seconds=min(int(text), MAX_PAUSE.total_seconds()))
        else:
            pause = parsedate_to_datetime(text).astimezone(UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return max(timedelta(seconds=1), min(pause, MAX_PAUSE))


def _place(url: str) -> str:
    """Return where a URL leads, without its path and query: those may hold what is nobody's business."""
    try:
        return str(Target.of(url))
    except ValueError:
        return "that address"


def _is_distrust(error: BaseException | None) -> bool:
    """Return whether a certificate was not trusted: that does not pass by itself."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
