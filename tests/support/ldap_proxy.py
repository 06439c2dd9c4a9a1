"""A man in the middle between an LDAP client and a server: it can answer itself, lose an answer, or act in between.

It speaks just enough BER (RFC 4511, section 5.1) to know one request from another; plain connections only.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

BIND, UNBIND, SEARCH, MODIFY, EXTENDED = 0x60, 0x42, 0x63, 0x66, 0x77
_ANSWER_TO = {BIND: 0x61, SEARCH: 0x65, MODIFY: 0x67, EXTENDED: 0x78}
_NOT_THE_LAST = {0x64, 0x73, 0x79}  # search entries, references, intermediate responses


@dataclass(frozen=True)
class Answer:
    """Do not forward the request; answer with this result code (0: pretend it was done) and text."""

    code: int
    text: str = ""


class LoseAnswer:
    """Forward the request, wait until the server has done it, and break the connection."""


Verdict = Answer | LoseAnswer | None
"""What to do with a request; None forwards it."""


class LdapProxy:
    """Listens on `url` and asks `decide` about every request, by its BER tag; `seen` collects the tags."""

    def __init__(self, target: int, decide: Callable[[int], Verdict]) -> None:
        self.seen: list[int] = []
        self._target = target
        self._decide = decide
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ldap://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and drop every connection."""
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._thread.join(10)

    def _accept(self) -> None:
        workers = []
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                workers.append(threading.Thread(target=self._serve, args=(client,)))
                workers[-1].start()
        for worker in workers:
            worker.join(10)

    def _serve(self, client: socket.socket) -> None:
        self._sockets.append(client)
        with contextlib.suppress(OSError), client, socket.create_connection(("127.0.0.1", self._target), 5) as server:
            server.settimeout(None)
            self._sockets.append(server)
            answers = _messages(server)
            for message in _messages(client):
                tag, number = _operation(message)
                self.seen.append(tag)
                verdict = self._decide(tag)
                if isinstance(verdict, Answer):
                    client.sendall(_result(number, _ANSWER_TO[tag], verdict))
                    continue
                server.sendall(message)
                if tag != UNBIND:
                    self._pass_back(answers, None if isinstance(verdict, LoseAnswer) else client)
                if isinstance(verdict, LoseAnswer):
                    return

    @staticmethod
    def _pass_back(answers: Iterator[bytes], client: socket.socket | None) -> None:
        for answer in answers:
            if client is not None:
                client.sendall(answer)
            if _operation(answer)[0] not in _NOT_THE_LAST:
                return
        raise ConnectionError("the server hung up")


@contextlib.contextmanager
def proxy_to(port: int, decide: Callable[[int], Verdict] = lambda _: None) -> Iterator[LdapProxy]:
    """Run a proxy to that port of 127.0.0.1 for the length of a block."""
    proxy = LdapProxy(port, decide)
    try:
        yield proxy
    finally:
        proxy.close()


def _messages(source: socket.socket) -> Iterator[bytes]:
    """Yield one BER element after the other until the other side closes."""
    data = b""
    while True:
        end = _end(data)
        while end is None or len(data) < end:
            more = source.recv(65536)
            if not more:
                return
            data += more
            end = _end(data)
        yield data[:end]
        data = data[end:]


def _end(data: bytes) -> int | None:
    """Return where the first element ends, or None if its length has not arrived yet."""
    if len(data) < 2:
        return None
    start, length = _header(data)
    return None if length is None else start + length


def _header(data: bytes) -> tuple[int, int | None]:
    """Return where the content of an element starts and how long it is."""
    if data[1] < 0x80:
        return 2, data[1]
    size = data[1] & 0x7F
    if len(data) < 2 + size:
        return 2 + size, None
    return 2 + size, int.from_bytes(data[2 : 2 + size], "big")


def _operation(message: bytes) -> tuple[int, bytes]:
    """Return the tag of a message's operation and its messageID as an element."""
    start, _ = _header(message)
    end = start + 2 + message[start + 1]
    return message[end], message[start:end]


def _result(number: bytes, tag: int, answer: Answer) -> bytes:
    text = answer.text.encode()
    content = bytes([0x0A, 1, answer.code, 0x04, 0, 0x04, len(text)]) + text
    body = number + bytes([tag, len(content)]) + content
    return bytes([0x30, len(body)]) + body
