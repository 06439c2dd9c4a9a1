"""The HTTP connector against a real server that answers, redirects, drips, drops the line or is not there."""

# ruff: noqa: N815  # http.server calls its hooks by these names

from __future__ import annotations

import dataclasses
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from support.ports import free_port
from support.slapd import _certificates
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.http import HttpSettings, HttpxSender
from activities.connectors.http.sender import MAX_ANSWER, MAX_PAUSE
from activities.connectors.http.settings import Target
from activities.errors import Rejected, Throttled, Transient, UnknownOutcome
from activities.http import Http
from activities.lease import lease
from catalog.http import HttpCall

SECRET = "Bearer top-secret"


@dataclasses.dataclass
class Seen:
    """One request as the server got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A server whose answers a test writes; `seen` are the requests it got."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answers: dict[str, Answer] = {}
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.seen.append(Seen(self.command, self.path, headers, body))
                outer.answers[self.path.partition("?")[0]](self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # clients that hang up are what some tests are about

        self.http = Quiet(("127.0.0.1", free_port()), Handler)
        self.port = self.http.server_address[1]
        self.place = f"127.0.0.1:{self.port}"

    def at(self, path: str, status: int = 200, body: bytes | str = b"", **headers: str) -> str:
        """Let a path be answered so; return its URL."""
        content = body.encode() if isinstance(body, str) else body

        def answer(to: BaseHTTPRequestHandler) -> None:
            to.send_response(status)
            for name, value in headers.items():
                to.send_header(name.replace("_", "-"), value)
            to.send_header("Content-Length", str(len(content)))
            to.end_headers()
            to.wfile.write(content)

        self.answers[path] = answer
        return self.url(path)

    def url(self, path: str) -> str:
        return f"http://{self.place}{path}"


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.http.shutdown()
        server.http.server_close()
        thread.join(10)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as one:
        yield one


@pytest.fixture
def sender(server: Server) -> Iterator[HttpxSender]:
    with opened(server) as one:
        yield one


@contextmanager
def opened(server: Server, **other: Any) -> Iterator[HttpxSender]:
    values: dict[str, Any] = {
        "allow": (server.place,),
        "credential": {"tickets_api": SECRET},
        "connect_timeout": 2,
        "read_timeout": 2,
    }
    sender = HttpxSender(HttpSettings(**values | other))
    yield sender
    sender.close()


# --- what goes out and what comes back ---


def test_json_goes_out_and_comes_back(server: Server, sender: HttpxSender) -> None:
    url = server.at("/tickets", 201, '{"id": 12, "tags": ["a"]}', Content_Type="application/json; charset=utf-8")
    call = HttpCall(method="POST", url=f"{url}?q=1", body={"summary": "Größe"}, headers={"X-Origin": "test"})
    answer = sender.send(call)
    assert (answer.status, answer.body) == (201, {"id": 12, "tags": ["a"]})
    assert (answer.present, answer.changed, answer.where) == (True, True, server.place)
    (seen,) = server.seen
    assert (seen.method, seen.path, json.loads(seen.body)) == ("POST", "/tickets?q=1", {"summary": "Größe"})
    assert (seen.headers["content-type"], seen.headers["x-origin"]) == ("application/json", "test")
    assert "authorization" not in seen.headers
    assert "idempotency-key" not in seen.headers


@pytest.mark.parametrize(
    ("body", "kind", "read"),
    [
        ("plain", "text/plain", "plain"),
        ("", "application/json", ""),
        ("{broken", "application/json", "{broken"),
        ("NaN", "application/json", "NaN"),
        ('"\\ud800"', "application/json", '"\\ud800"'),
        ("[" * 50_000, "application/json", "[" * 50_000),
        (b"\xff", "text/plain", "\ufffd"),
        ("null", "application/problem+json", None),
    ],
)
def test_any_answer_fits_into_json_again(
    server: Server, sender: HttpxSender, body: str | bytes, kind: str, read: Any
) -> None:
    answer = sender.send(HttpCall(url=server.at("/x", 200, body, Content_Type=kind)))
    assert answer.body == read
    answer.model_dump_json()


def test_a_look_up_changes_nothing_and_may_go_out_late(server: Server, sender: HttpxSender) -> None:
    url = server.at("/x")
    with lease(-1):
        assert not sender.send(HttpCall(url=url, idempotency_key="k")).changed
        with pytest.raises(Transient, match="left to the next"):
            sender.send(HttpCall(url=url, method="DELETE"))
    assert [seen.method for seen in server.seen] == ["GET"]
    assert "idempotency-key" not in server.seen[0].headers


def test_the_key_goes_out_with_every_change(server: Server, sender: HttpxSender) -> None:
    methods: tuple[Any, ...] = ("POST", "PUT", "PATCH", "DELETE")
    for method in methods:
        sender.send(HttpCall(url=server.at("/x", 204), method=method, idempotency_key="REQ-1/ticket"))
    assert [seen.headers["idempotency-key"] for seen in server.seen] == ["REQ-1/ticket"] * 4


def test_a_credential_goes_out_by_name_and_is_never_said(
    server: Server, sender: HttpxSender, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.at("/x", 403, f"no: {SECRET} is wrong")
    with pytest.raises(Rejected, match="answered 403: no: … is wrong") as caught:
        sender.send(HttpCall(url=f"{url}?token=in-the-url", credential="tickets-api"))
    assert server.seen[0].headers["authorization"] == SECRET
    assert "top-secret" not in str(caught.value)
    assert not [record for record in caplog.records if "token=in-the-url" in record.getMessage()]
    assert "top-secret" not in repr(HttpSettings(credential={"x": SECRET}))


def test_a_cookie_of_one_answer_goes_out_with_no_other_request(server: Server, sender: HttpxSender) -> None:
    url = server.at("/x", 200, Set_Cookie="session=1; Path=/")
    for _ in range(2):
        sender.send(HttpCall(url=url))
    assert "cookie" not in server.seen[1].headers


# --- where requests may go ---


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://localhost:{port}/",
        "http://127.0.0.1/",
        "http://127.1:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f.0.0.1:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "https://127.0.0.1:1/",
        "http://example.com\\@127.0.0.1:{port}/",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_a_host_that_is_not_allowed_gets_nothing(server: Server, sender: HttpxSender, url: str) -> None:
    with pytest.raises(Rejected, match=r"COMMISSARY_HTTP_ALLOW|cannot be asked"):
        sender.send(HttpCall(url=url.format(port=server.port)))
    assert server.seen == []


@pytest.mark.parametrize(
    "url",
    ["", "ftp://example.com/", "/x", "http://", "http://a:b@example.com/", "x" * 2000],
)
def test_what_is_no_url_is_rejected(sender: HttpxSender, url: str) -> None:
    with pytest.raises(Rejected, match="cannot be asked"):
        sender.send(HttpCall(url=url))


def test_without_a_list_nothing_is_allowed_and_the_setting_is_named(server: Server) -> None:
    with opened(server, allow=()) as sender, pytest.raises(Rejected, match="add it to COMMISSARY_HTTP_ALLOW"):
        sender.send(HttpCall(url=server.at("/x")))


@pytest.mark.parametrize(
    ("entry", "allowed", "refused"),
    [
        (
            "API.example",
            ["https://api.example/x", "http://api.example./"],
            ["https://api.example:8443/", "https://b.api.example"],
        ),
        ("api.example:8443", ["https://api.example:8443/"], ["https://api.example/"]),
        ("api.example:443", ["https://api.example/"], ["http://api.example/"]),
        ("::1", [], ["http://127.0.0.1/"]),
        ("[::1]:80", ["http://[0:0::1]/"], ["https://[::1]/"]),
        ("bücher.example", ["https://xn--bcher-kva.example/"], ["https://bucher.example/"]),
    ],
)
def test_an_entry_of_the_list_means_one_host_and_its_ports(entry: str, allowed: list[str], refused: list[str]) -> None:
    try:
        settings = HttpSettings(allow=(entry,))
    except ValidationError:
        assert not allowed
        return
    assert all(settings.allows(Target.of(url)) for url in allowed)
    assert not any(settings.allows(Target.of(url)) for url in refused)


@pytest.mark.parametrize("entry", ["https://a.example", "*.example", "a/b", "a:b", "u:p@a.example"])
def test_what_is_no_host_is_no_setting(entry: str) -> None:
    with pytest.raises(ValidationError):
        HttpSettings(allow=(entry,))


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMISSARY_HTTP_ALLOW", "a.example, b.example:8443")
    monkeypatch.setenv("COMMISSARY_HTTP_CREDENTIAL_TICKETS_API", SECRET)
    monkeypatch.setenv("COMMISSARY_HTTP_READ_TIMEOUT", "7")
    settings = HttpSettings()
    assert (settings.allow, settings.read_timeout) == (("a.example", "b.example:8443"), 7)
    found = settings.credential_named("tickets-api")
    assert found is not None
    assert found.get_secret_value() == SECRET
    monkeypatch.setenv("COMMISSARY_HTTP_CREDENTIAL_TICKETS_API", "two\nlines")
    with pytest.raises(ValidationError, match="COMMISSARY_HTTP_CREDENTIAL_TICKETS_API") as caught:
        HttpSettings()
    assert "two" not in str(caught.value)


def test_an_unknown_credential_is_rejected_with_its_setting(server: Server, sender: HttpxSender) -> None:
    with pytest.raises(Rejected, match="set COMMISSARY_HTTP_CREDENTIAL_CRM_2"):
        sender.send(HttpCall(url=server.at("/x"), credential="crm-2"))


def test_a_credential_is_not_sent_without_tls(server: Server) -> None:
    with opened(server, allow=("api.example",)) as sender, pytest.raises(Rejected, match="write https"):
        sender.send(HttpCall(url="http://api.example/", credential="tickets-api"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "other"),
        ("content-length", "1"),
        ("Idempotency-Key", "x"),
        ("X y", "1"),
        ("X", "a\r\nB: c"),
        ("", "x"),
        ("X", "ü"),
    ],
)
def test_a_header_that_is_the_platforms_own_or_no_header_is_rejected(
    server: Server, sender: HttpxSender, name: str, value: str
) -> None:
    with pytest.raises(Rejected, match="header"):
        sender.send(HttpCall(url=server.at("/x"), headers={name: value}))
    assert server.seen == []


def test_a_credential_and_a_header_of_ones_own_do_not_go_together(server: Server, sender: HttpxSender) -> None:
    with pytest.raises(Rejected, match="'authorization' is set by the platform"):
        sender.send(HttpCall(url=server.at("/x"), headers={"authorization": "mine"}, credential="tickets-api"))


def test_what_json_cannot_say_is_not_sent(server: Server, sender: HttpxSender) -> None:
    with pytest.raises(Rejected, match="cannot be sent"):
        sender.send(HttpCall(url=server.at("/x"), method="POST", body=float("nan")))


# --- redirects ---


def test_a_look_up_follows_its_own_host(server: Server, sender: HttpxSender) -> None:
    server.at("/end", 200, "there")
    url = server.at("/start", 302, Location="/end")
    assert sender.send(HttpCall(url=url)).body == "there"


def test_a_look_up_follows_no_other_host_even_if_it_is_allowed(server: Server) -> None:
    with serving() as other, opened(server, allow=(server.place, other.place)) as sender:
        url = server.at("/start", 302, Location=other.at("/end"))
        with pytest.raises(Rejected, match=f"answered 302 and sends to {other.place}"):
            sender.send(HttpCall(url=url, credential="tickets-api"))
        assert other.seen == []


@pytest.mark.parametrize("location", ["javascript:alert(1)", "http://[", "//", "ftp://127.0.0.1/"])
def test_a_redirect_to_nowhere_is_rejected(server: Server, sender: HttpxSender, location: str) -> None:
    with pytest.raises((Rejected, Transient)):
        sender.send(HttpCall(url=server.at("/start", 302, Location=location)))


def test_redirects_have_an_end(server: Server, sender: HttpxSender) -> None:
    with pytest.raises(Rejected, match="more than 5 redirects"):
        sender.send(HttpCall(url=server.at("/start", 302, Location="/start")))


def test_a_change_follows_no_redirect(server: Server, sender: HttpxSender) -> None:
    with pytest.raises(Rejected, match="write the final URL") as caught:
        sender.send(HttpCall(url=server.at("/start", 307, Location="/end"), method="POST"))
    assert caught.value.ours


def test_a_redirect_may_be_what_is_expected(server: Server, sender: HttpxSender) -> None:
    assert sender.send(HttpCall(url=server.at("/x", 303, Location="/y"), method="POST", expect=(303,))).status == 303


# --- faults ---


def test_an_unexpected_status_is_rejected_with_the_beginning_of_what_it_says(
    server: Server, sender: HttpxSender
) -> None:
    with pytest.raises(Rejected, match="answered 404: no such ticket x") as caught:
        sender.send(HttpCall(url=server.at("/x", 404, "no such\nticket " + "x" * 1000), method="POST"))
    assert str(caught.value).endswith("x" * 180)
    assert len(str(caught.value)) < 260
    assert not caught.value.ours


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("after", "pause"),
    [("7", 7), ("0", 1), ("999999999999", MAX_PAUSE.total_seconds()), ("in-20-s", 20), ("yesterday", 1)],
)
def test_a_server_that_asks_for_a_pause_gets_it(
    server: Server, sender: HttpxSender, status: int, after: str, pause: float
) -> None:
    dates = {"in-20-s": 20.0, "yesterday": -86_400.0}
    if after in dates:
        after = format_datetime(datetime.now(UTC) + timedelta(seconds=dates[after]), usegmt=True)
    with pytest.raises(Throttled) as caught:
        sender.send(HttpCall(url=server.at("/x", status, Retry_After=after), method="POST"))
    assert abs(caught.value.retry_after.total_seconds() - pause) <= 2
    assert not caught.value.ours


@pytest.mark.parametrize("after", ["soon", "-1", "²", "Wed, 99 Foo 2020"])
def test_a_pause_that_cannot_be_read_is_none(server: Server, sender: HttpxSender, after: str) -> None:
    with pytest.raises(Transient) as caught:
        sender.send(HttpCall(url=server.at("/x", 503, Retry_After=after.encode("utf-8").decode("latin-1"))))
    assert type(caught.value) is Transient


def drop(to: BaseHTTPRequestHandler) -> None:
    to.connection.shutdown(socket.SHUT_RDWR)


def break_off(to: BaseHTTPRequestHandler) -> None:
    to.send_response(200)
    to.send_header("Content-Length", "100")
    to.end_headers()
    to.wfile.write(b"half")
    drop(to)


def fail(to: BaseHTTPRequestHandler) -> None:
    to.send_error(500)


FAULTS = pytest.mark.parametrize("answer", [drop, break_off, fail])


@FAULTS
def test_a_look_up_that_is_lost_is_tried_again(server: Server, sender: HttpxSender, answer: Answer) -> None:
    server.answers["/x"] = answer
    with pytest.raises(Transient) as caught:
        sender.send(HttpCall(url=server.url("/x")))
    assert not caught.value.ours


@FAULTS
@pytest.mark.parametrize(("method", "key"), [("PUT", ""), ("DELETE", ""), ("POST", "k"), ("PATCH", "k")])
def test_a_change_that_is_lost_is_an_unknown_outcome_if_it_may_be_repeated(
    server: Server, sender: HttpxSender, answer: Answer, method: Any, key: str
) -> None:
    server.answers["/x"] = answer
    with pytest.raises(UnknownOutcome, match="unknown"):
        sender.send(HttpCall(url=server.url("/x"), method=method, idempotency_key=key))


@FAULTS
def test_a_change_that_is_lost_and_has_no_key_is_left_to_somebody(
    server: Server, sender: HttpxSender, answer: Answer
) -> None:
    server.answers["/x"] = answer
    with pytest.raises(Rejected, match="look there before it is repeated") as caught:
        sender.send(HttpCall(url=server.url("/x"), method="POST"))
    assert caught.value.ours


def test_a_server_that_says_nothing_is_lost(server: Server) -> None:
    def say_nothing(_: BaseHTTPRequestHandler) -> None:
        server.over.wait(30)

    server.answers["/x"] = say_nothing
    with opened(server, read_timeout=0.2) as sender, pytest.raises(Transient, match="was lost"):
        sender.send(HttpCall(url=server.url("/x")))


def test_an_answer_that_drips_is_lost_when_its_time_is_over(server: Server) -> None:
    def drip(to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        to.send_header("Content-Length", "100000")
        to.end_headers()
        while not server.over.wait(0.02):
            to.wfile.write(b".")

    server.answers["/x"] = drip
    with opened(server, total_timeout=0.3) as sender, pytest.raises(UnknownOutcome, match=r"longer than 0\.3 s"):
        sender.send(HttpCall(url=server.url("/x"), method="PUT"))


def test_a_server_that_is_not_there_is_transient(server: Server) -> None:
    place = f"127.0.0.1:{free_port()}"
    with opened(server, allow=(place,)) as sender, pytest.raises(Transient, match="cannot be reached") as caught:
        sender.send(HttpCall(url=f"http://{place}/", method="POST"))
    assert not caught.value.ours


def test_an_answer_may_be_as_large_as_the_limit_and_no_larger(server: Server, sender: HttpxSender) -> None:
    assert len(sender.send(HttpCall(url=server.at("/x", 200, "x" * MAX_ANSWER))).body) == MAX_ANSWER
    url = server.at("/x", 200, "x" * (MAX_ANSWER + 1))
    methods: tuple[tuple[Any, bool], ...] = (("GET", False), ("POST", True))
    for method, ours in methods:
        with pytest.raises(Rejected, match="larger than 64 KiB") as caught:
            sender.send(HttpCall(url=url, method=method))
        assert caught.value.ours is ours


def test_a_compressed_answer_is_rejected_before_it_expands(server: Server, sender: HttpxSender) -> None:
    with pytest.raises(Rejected, match="compressed"):
        sender.send(HttpCall(url=server.at("/x", 200, "x", Content_Encoding="gzip")))
    assert server.seen[0].headers["accept-encoding"] == "identity"


def test_a_certificate_that_is_not_trusted_is_rejected(server: Server, tmp_path: Path) -> None:
    for name, content in zip(("ca", "certificate", "key"), _certificates(), strict=True):
        (tmp_path / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    with opened(server) as sender, pytest.raises(Rejected, match="certificate verify failed"):
        sender.send(HttpCall(url=f"https://{server.place}/"))


# --- the activity ---


def attempt(sender: HttpxSender, given: dict[str, Any], number: int = 1, left: tuple[object, ...] = ()) -> Any:
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, attempt=number, heartbeat_details=left)
    return env.run(Http(sender).send, given)


def test_the_activity_says_what_is_ours(server: Server, sender: HttpxSender) -> None:
    url = server.at("/x", 200, "{}", Content_Type="application/json")
    assert attempt(sender, {"url": url, "method": "POST"}).ours
    assert not attempt(sender, {"url": url}).ours
    assert not attempt(sender, {"url": url}, number=2).ours


def test_the_activity_rejects_what_is_no_request(sender: HttpxSender) -> None:
    with pytest.raises(ApplicationError, match=r"http\.send cannot take this: url: .*; colour: ") as caught:
        attempt(sender, {"colour": "red"})
    assert (caught.value.type, caught.value.non_retryable) == ("rejected", True)


def test_the_activity_passes_a_pause_on(server: Server, sender: HttpxSender) -> None:
    with pytest.raises(ApplicationError) as caught:
        attempt(sender, {"url": server.at("/x", 429, Retry_After="9")})
    assert caught.value.next_retry_delay == timedelta(seconds=9)
    assert (caught.value.type, caught.value.non_retryable) == ("throttled", False)
