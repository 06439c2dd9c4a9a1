"""A stand-in for the locker system, to try this package out and to test it: lockers in memory, served over HTTP.

python -m acme_lockers.cabinet --port 8077 --token try-me north=2 south=1
"""

from __future__ import annotations

import argparse
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class Cabinet(ThreadingHTTPServer):
    """Lockers on 127.0.0.1; `areas` says how many each area has.

    Attributes:
        held: by area, who holds which locker.
    """

    daemon_threads = True

    def __init__(self, areas: dict[str, int], token: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Desk)
        self.areas, self.token = areas, token
        self.held: dict[str, dict[str, str]] = {area: {} for area in areas}
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, area: str) -> dict[str, Any]:
        """Return an area as it is shown."""
        return {"name": area, "lockers": self.areas[area], "free": self.areas[area] - len(self.held[area])}

    def change(self, method: str, area: str, holder: str) -> HTTPStatus:
        """Assign a locker or take it back."""
        held = self.held[area]
        if method == "DELETE":
            held.pop(holder, None)
        elif holder not in held:
            numbers = (f"{area[0].upper()}-{number:03}" for number in range(1, self.areas[area] + 1))
            number = next((number for number in numbers if number not in held.values()), None)
            if number is None:
                return HTTPStatus.CONFLICT
            held[holder] = number
        return HTTPStatus.OK


class _Desk(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Cabinet

    def answer(self) -> None:
        """Read the path, do what it says, and answer with JSON."""
        status, body = HTTPStatus.UNAUTHORIZED, None
        if self.headers["Authorization"] == f"Bearer {self.server.token}":
            with self.server.lock:
                status, body = self._carry_out([unquote(part) for part in self.path.strip("/").split("/")])
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = answer  # noqa: N815  names that http.server asks for

    def _carry_out(self, path: list[str]) -> tuple[HTTPStatus, Any]:
        cabinet = self.server
        match path:
            case ["areas"]:
                return HTTPStatus.OK, [cabinet.of(area) for area in cabinet.areas]
            case ["areas", area] if area in cabinet.areas:
                return HTTPStatus.OK, cabinet.of(area)
            case ["areas", area, "holders", holder] if area in cabinet.areas:
                looks = self.command == "GET"
                status = HTTPStatus.OK if looks else cabinet.change(self.command, area, holder)
                return status, {"number": cabinet.held[area].get(holder)}
            case _:
                return HTTPStatus.NOT_FOUND, None

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve lockers that are only in memory.")
    parser.add_argument("--port", type=int, default=8077)
    parser.add_argument("--token", required=True)
    parser.add_argument("areas", nargs="+", metavar="AREA=LOCKERS")
    given = parser.parse_args()
    areas = {name: int(count) for name, _, count in (one.partition("=") for one in given.areas)}
    with Cabinet(areas, given.token, given.port) as cabinet:
        cabinet.serve_forever()


if __name__ == "__main__":
    main()
